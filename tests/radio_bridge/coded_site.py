"""A bridge with a vocoder at the stage, by real UDP, and radios with users at its repeaters."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from airwaves import on_air
from ambe import a_chip
from parties import Party
from patience import until
from stage import GATEWAY, KEY, Stage

from psn import wire
from psn.enrolment import device_key
from radio_bridge import narrowband
from radio_bridge.bridge import settings
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.dmr_links import MasterLink
from radio_bridge.bridge.network import OurNetwork
from radio_bridge.homebrew.packets import BurstPacket
from simulators.radios.handset import Handset
from simulators.radios.repeater import Repeater, talk

HILL, CAYE, FORT, SECRET = 702_001, 702_002, 703_001, "what nobody guesses"
POLICE_RADIO, BOAT_RADIO, NOBODYS, DESK, OURS = 4711, 4712, 4799, 7_000, 7_020_000
CONTENT = """
[network]
url = "{url}"
key = "gateway.pem"
radio = 7020000

{vocoder}

[radio_network.police]
called = "National"
ask_before_calls = {ask}
desks = {{ 7000 = "agency:1" }}

[radio_network.coast]
called = "Coast"

[link.coast]
kind = "master"
radio_network = "coast"
listen = "127.0.0.1:0"
repeater.703001 = {{ secret = "what nobody guesses", slot_1 = [9] }}

[link.sites]
kind = "master"
radio_network = "police"
listen = "127.0.0.1:0"
repeater.702001 = {{ secret = "what nobody guesses", slot_1 = [9] }}
repeater.702002 = {{ secret = "what nobody guesses", slot_1 = [9, 10] }}
"""
PCM = bytes(320)
streams = itertools.count(1)
words = itertools.count(1)


@dataclass
class Site:
    """A bridge at the stage, a repeater at the bridge, and radios there."""

    bridge: Bridge
    side: OurNetwork
    repeater: Repeater
    handsets: dict[int, Handset]

    async def heard(self, *radios: int) -> None:
        """These radios talk to their group, so that it is known where they are."""
        for radio in radios:
            await self.repeater.send(talk(radio, 9, 1, next(streams), range(3)))
        wanted = {("police", radio) for radio in radios}
        await until(lambda: wanted <= self.bridge.exchange.heard_at.keys())

    async def says(self, radio: int, target: int) -> None:
        """A radio's user talks to a number alone."""
        await self.repeater.send(self.handsets[radio].call(target, 1))

    @property
    def calls(self) -> int:
        return len(self.side.calls.all)


@contextlib.asynccontextmanager
async def a_site(
    stage: Stage,
    place: Path,
    *handsets: Handset,
    ask: bool = False,
    vocoder: bool = True,
) -> AsyncIterator[Site]:
    await on_air(stage)
    device_key.write(place / "gateway.pem", KEY, GATEWAY)
    async with contextlib.AsyncExitStack() as stack:
        address = ""
        if vocoder:
            _, port = await stack.enter_async_context(a_chip())
            address = f'[vocoder]\naddress = "127.0.0.1:{port}"'
        content = CONTENT.format(url=stage.url, vocoder=address, ask=str(ask).lower())
        bridge = Bridge(settings.read(content, place / "radio.toml"))
        await bridge.start()
        stack.push_async_callback(bridge.stop)
        of, link = bridge.settings.network, bridge.links.all["sites"]
        assert of is not None
        assert isinstance(link, MasterLink)
        side = OurNetwork(bridge, of)
        running = asyncio.create_task(side.run())
        stack.push_async_callback(_ended, running)
        repeater = await stack.enter_async_context(a_repeater(HILL, link, *handsets))
        await until(lambda: ("police", 9) in bridge.exchange._joined)
        await until(lambda: bridge.has_vocoder is vocoder)
        yield Site(bridge, side, repeater, {one.number: one for one in handsets})
        await until(lambda: not bridge.exchange.talks)


@contextlib.asynccontextmanager
async def a_repeater(number: int, link: MasterLink, *handsets: Handset) -> AsyncIterator[Repeater]:
    """A repeater with radios, which do what their users and they themselves do."""
    await until(lambda: link.port is not None)
    sending = set[asyncio.Task[None]]()

    def hear(packet: BurstPacket) -> None:
        for handset in handsets:
            answer = handset.hear(packet)
            if answer:
                sending.add(asyncio.create_task(repeater.send(answer)))

    repeater = Repeater(number, SECRET.encode(), "127.0.0.1", link.port or 0, hear)
    async with repeater:
        await until(repeater.is_there.is_set)
        yield repeater


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def a_handset(number: int, takes: bool = True, says: int = 8) -> Handset:
    return Handset(number, streams, words, takes, says)


async def talk_to(radio: Handset, party: Party, group: str, number: int) -> None:
    """Have the floor, and talk until the radio hears who has this number: it may have to wait
    until nobody else's answer is waited for on its channel.
    """
    coder, counted = narrowband.Encoder(), itertools.count()
    for _ in range(4):
        # Whoever stands still for a second, as a busy machine does, has lost the floor.
        frames = party.peer.frames
        frames[:] = [frame for frame in frames if not isinstance(frame, wire.FloorYours)]
        await party.granted(group)
        for count in itertools.islice(counted, 250):
            frame = wire.Speech(
                wire.VoiceGroup.of(group), party.peer.me.me, count, 20, False, coder.encode(PCM)
            )
            await party.peer.socket.send(frame.encode())
            if len(radio.heard) > 2:
                break
            await asyncio.sleep(0.02)
        await party.release(group)
        if len(radio.heard) > 2:
            break
    assert {who for who, _ in radio.heard} == {number}
