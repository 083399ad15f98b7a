"""Many sites at a bridge: each a repeater that really signs in, with radios around it."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from radio_bridge.data_channel import DataChannel
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.inside import Text
from radio_bridge.motorola import location, text
from simulators.radios.handset import Handset
from simulators.radios.radio import (
    Deed,
    Press,
    Radio,
    Report,
    Talk,
    Write,
    alarm_bursts,
    datagram_bursts,
    text_bursts,
)
from simulators.radios.repeater import BURST_S, Repeater, talk

PLACES: Final = (
    ("Belmopan", -88.767, 17.251), ("Baldy Beacon", -88.786, 17.008),
    ("Belize City", -88.190, 17.500), ("Corozal", -88.389, 18.393),
    ("Orange Walk", -88.563, 18.081), ("San Ignacio", -89.070, 17.158),
    ("Dangriga", -88.218, 16.969), ("Punta Gorda", -88.809, 16.098),
    ("San Pedro", -87.966, 17.921), ("Placencia", -88.366, 16.514),
)  # fmt: skip
FIRST_REPEATER: Final = 702_001
FIRST_RADIO: Final = 4_001
CALLS_EVERY: Final = 4
"""Where there are numbers to call, one talk in so many is a private call."""
HEARD_S: Final = 0.4
"""So long after a burst of others users wait until they press."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated."""

    host: str
    port: int
    secret: bytes
    sites: int
    radios: int
    talkgroups: tuple[int, ...]
    """The first on slot 1, the second on slot 2."""
    every: float
    """Seconds between what one radio does."""
    seed: int
    calls: tuple[int, ...] = ()
    """Numbers that its radios call alone, now and then."""


class Site:
    """A repeater with the radios around it."""

    def __init__(self, plan: Plan, index: int, counted: Counter[str]) -> None:
        name, longitude, latitude = PLACES[index % len(PLACES)]
        random = Random(plan.seed * 1_000 + index)
        numbers = range(index, plan.radios, plan.sites)
        self.radios = [
            Radio(FIRST_RADIO + n, f"P{n + 1}", (longitude, latitude), plan.every, random)
            for n in numbers
        ]
        self.repeater = Repeater(
            FIRST_REPEATER + index, plan.secret, plan.host, plan.port, self._hear, name
        )
        self._talkgroups = plan.talkgroups
        self._counted = counted
        self._streams = itertools.count(1 + index * 1_000_000)
        self._slots = {slot: asyncio.Lock() for slot in (1, 2)}
        self._heard_at = {1: 0.0, 2: 0.0}
        self._data = {slot: DataChannel(Counter()) for slot in (1, 2)}
        self._words = itertools.count(1 + index * 1_000_000_000)
        self._answering: set[asyncio.Task[None]] = set()
        self._calls = plan.calls
        self._handsets = {
            radio.number: Handset(radio.number, self._streams, self._words) for radio in self.radios
        }

    async def live(self) -> None:
        """Do what the radios do, until cancelled."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.TaskGroup() as tasks:
            while self.radios:
                radio = min(self.radios, key=lambda one: one.due)
                await asyncio.sleep(max(0.0, begun + radio.due - loop.time()))
                tasks.create_task(self._do(radio, radio.act(loop.time() - begun)))

    async def _do(self, radio: Radio, deed: Deed) -> None:
        at = radio.number % len(self._talkgroups)
        slot, talkgroup, stream = at % 2 + 1, self._talkgroups[at], next(self._streams)
        match deed:
            case Talk() if self._calls and stream % CALLS_EVERY == 0:
                number = self._calls[stream // CALLS_EVERY % len(self._calls)]
                sent = self._handsets[radio.number].call(number, slot)
                self._counted["private calls"] += 1
            case Talk(bursts):
                words = [next(self._words) for _ in range(bursts)]
                sent = talk(radio.number, talkgroup, slot, stream, words, name=radio.name)
            case Write(words_written):
                message = text.Message(text.Kind.TEXT, stream % 32, words_written)
                sent = text_bursts(radio.number, talkgroup, True, message, slot, stream)
            case Report():
                payload = radio.report(datetime.now(UTC))
                sent = datagram_bursts(
                    radio.number, talkgroup, True, location.PORT, payload, slot, stream
                )
            case Press():
                sent = alarm_bursts(radio.number, talkgroup, slot, stream)
        await self._send(slot, sent)
        self._counted[type(deed).__name__.lower()] += 1

    async def _send(self, slot: int, packets: list[BurstPacket]) -> None:
        """When nobody else is heard on the slot."""
        loop = asyncio.get_running_loop()
        async with self._slots[slot]:
            while loop.time() < self._heard_at[slot] + HEARD_S:
                await asyncio.sleep(BURST_S)
            await self.repeater.send(packets)

    def _hear(self, packet: BurstPacket) -> None:
        now = asyncio.get_running_loop().time()
        self._heard_at[packet.slot] = now
        handset = None if packet.group else self._handsets.get(packet.target)
        said = handset.hear(packet) if handset else []
        if said:
            self._counted["private calls answered"] += 1
            self._begin(self._send(packet.slot, said))
        if packet.frame != Frame.DATA:
            self._counted["bursts heard"] += 1
            return
        for happening in self._data[packet.slot].hear(packet, now):
            mine = any(radio.number == getattr(happening, "target", None) for radio in self.radios)
            if isinstance(happening, Text) and not happening.group and mine:
                self._counted["texts received"] += 1
                self._begin(self._answer(happening, packet.slot))

    def _begin(self, answer: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(answer)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, got: Text, slot: int) -> None:
        """That the text has arrived."""
        message = text.Message(text.Kind.RECEIVED, (got.number or 0) % text.NUMBERS)
        stream = next(self._streams)
        await self._send(slot, text_bursts(got.target, got.source, False, message, slot, stream))


async def simulate(plan: Plan, seconds: float | None, counted: Counter[str]) -> None:
    """All sites, for so long or until cancelled; ``counted``: what was done."""
    async with AsyncExitStack() as stack:
        sites = [Site(plan, index, counted) for index in range(plan.sites)]
        for site in sites:
            await stack.enter_async_context(site.repeater)
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                for site in sites:
                    tasks.create_task(_lived(site, counted))
        except TimeoutError:
            return


async def _lived(site: Site, counted: Counter[str]) -> None:
    await site.repeater.is_there.wait()
    counted["sites"] += 1
    await site.live()
