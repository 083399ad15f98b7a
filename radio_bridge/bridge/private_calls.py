"""Private calls between radios and people or crews of this network.

=============================  ================================================================
what happens                   then
=============================  ================================================================
a radio is called here         it is taken for it, where it is reached and can be heard; radios
                               that answer when they are asked are asked first (OACSU, clause
                               5.2.2 of TS 102 361-2)
somebody talks in the call     he is brought to the radio, on the channel where it was heard last,
                               as a private call from his number
the radio talks to that        it is heard in the call
a radio talks, or asks to,     who has that number is called: the unit whose radio it is, where
to another number              that radio is not there, or whoever takes calls at an agency; what
                               it says is heard once somebody has taken it
nobody takes it, or it is      the radio is told that it is denied
refused
nobody talks for ``IDLE_S``    the radio is in the call no more; one that never talked did not
                               answer
=============================  ================================================================

As who calls a radio he has a number: of his unit's radio in its network, of his agency's desk, or
the bridge's own. A call ends with the link to this network.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from psn import wire
from psn.client import Client, ClientRefused
from radio_bridge.bridge import outgoing
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.exchange import NETWORK
from radio_bridge.bridge.group_ears import GroupEar, GroupEars
from radio_bridge.bridge.group_mouths import GroupMouths
from radio_bridge.bridge.radio_networks import RadioNetwork
from radio_bridge.bridge.speech import Mouth
from radio_bridge.bridge.talks import Private, Talk
from radio_bridge.calls.conversations import Where
from radio_bridge.dmr.control_block import DENY, PROCEED, UnitVoiceAnswer, UnitVoiceRequest
from radio_bridge.homebrew.stream import Block
from radio_bridge.inside import CallAnswered, CallWanted, Happening, Opus

log = logging.getLogger(__name__)

IDLE_S: Final = 30.0
"""So long nobody talks in a call, and it is over."""
RINGS_S: Final = 60.0
"""So long it rings here."""
ANSWERS_S: Final = 2.0
"""So long a radio has to answer, each time that it is asked."""
MOST_ASKED: Final = 3
EVERY_S: Final = 1.0


class OurSide(Protocol):
    """What a private call needs to know of the bridge at this network."""

    def name_of(self, network: int) -> str | None:
        """What links call a radio network of this number here."""

    def number_of(self, name: str) -> int | None:
        """... and the other way round."""

    def is_there(self, radio: wire.Radio) -> bool:
        """Whether a radio was heard lately."""

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something that takes time, and stands for itself."""


@dataclass(eq=False, slots=True)
class Call:
    """A private call that a radio is in."""

    group: str
    radio: wire.Radio
    private: Private
    where: Where
    """The channel that the others in it are."""
    quiet_at: float
    """Since when nobody talks."""
    is_out: bool
    """The radio was called."""
    was_heard: bool = False
    """The radio has talked in it."""
    ear: GroupEar = field(init=False)

    def channels(self, bridge: Bridge) -> list[Where]:
        """The one on which the radio was heard last."""
        where = bridge.exchange.heard_at.get(self.private[:2])
        return [] if where is None else [where]


class PrivateCalls:
    """All of one signing in."""

    def __init__(
        self,
        bridge: Bridge,
        client: Client,
        ears: GroupEars,
        mouths: GroupMouths,
        networks: Mapping[str, RadioNetwork],
        side: OurSide,
    ) -> None:
        self._bridge = bridge
        self._client = client
        self._ears = ears
        self._mouths = mouths
        self._networks = networks
        self._side = side
        self._calls: dict[tuple[str, wire.Radio], Call] = {}
        self._calling: set[Private] = set()
        """Radios that call, before it is known whether they may."""
        self._ringing: dict[tuple[str, wire.Radio], asyncio.Task[None]] = {}
        """Radios that are called, and have not answered."""
        self._answers: dict[Private, asyncio.Future[bool]] = {}
        client.radio.rings = self.rings
        client.radio.call_over = self.over

    @property
    def all(self) -> list[Call]:
        """Those that go on."""
        return list(self._calls.values())

    def planned(self) -> None:
        """It is known now who has which number."""
        numbers = {(name, desk) for name, of in self._networks.items() for desk in of.desks}
        for radio in self._client.radio.plan.radios:
            name = self._side.name_of(radio.network)
            if name is not None:
                numbers.add((name, radio.number))
        self._bridge.exchange.rings_here = numbers

    def lost(self) -> None:
        """The link to this network is lost, and with it all calls."""
        for task in self._ringing.values():
            task.cancel()
        for call in self.all:
            self._end(call)

    async def keep(self) -> None:
        """End calls in which nobody talks, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            now = asyncio.get_running_loop().time()
            for call in self.all:
                if self._is_talked_in(call):
                    call.quiet_at = max(call.quiet_at, now)
                elif now > call.quiet_at + IDLE_S:
                    silent = call.is_out and not call.was_heard
                    self._leave(call, "silent" if silent else "over")

    def _is_talked_in(self, call: Call) -> bool:
        talks = self._bridge.exchange.talks
        return call.ear.talker is not None or any(call.where in talk.legs for talk in talks)

    # -- a radio is called

    def rings(self, called: wire.Called) -> None:
        """Somebody calls a radio."""
        assert called.radio is not None
        key = called.group, called.radio
        task = asyncio.create_task(self._ring(called, called.radio))
        self._ringing[key] = task
        task.add_done_callback(lambda done: self._ringing.pop(key, None))
        self._side.spawn(_ended(task))

    async def _ring(self, called: wire.Called, radio: wire.Radio) -> None:
        name = self._side.name_of(radio.network)
        desks = self._networks[name].desks if name else {}
        desk = next((number for number, of in desks.items() if of == called.agency), None)
        source = self._ears.number_of(called.by, radio.network, desk)
        private = name or "", radio.number, source
        why = self._why_not(private, called.group)
        if why is None and name is not None and self._networks[name].is_asked:
            why = await self._asked(private)
        if why is not None:
            self._count(f"bridge.call_{why}")
            await self._client.radio.leave_call(called.group, radio, why)
            return
        call = self._made(called.group, radio, private, is_out=True)
        try:
            await self._client.voice.join(called.group, self._speech, self._floor, radio)
        except (ClientRefused, ConnectionError, TimeoutError):
            self._end(call)
            raise

    def _why_not(self, private: Private, group: str) -> wire.RadioWhy | None:
        """Why a radio cannot be called; none: it can. Radio to radio needs no vocoder."""
        where = self._bridge.exchange.heard_at.get(private[:2])
        if where is None:
            return "away"
        if not self._bridge.is_coded(where):
            return "unable"
        if not self._bridge.is_there(where):
            return "away"
        if not self._bridge.has_vocoder and all(one.group != group for one in self.all):
            return "voiceless"
        is_rung = any(of != group and self._is(radio, private) for of, radio in self._ringing)
        return "busy" if is_rung or any(self._is(c.radio, private) for c in self.all) else None

    def _is(self, radio: wire.Radio, private: Private) -> bool:
        return (self._side.name_of(radio.network), radio.number) == private[:2]

    async def _asked(self, private: Private) -> wire.RadioWhy | None:
        """Ask a radio whether it takes a call; none: it does."""
        _, radio, source = private
        answer = asyncio.get_running_loop().create_future()
        self._answers[private] = answer
        try:
            for _ in range(MOST_ASKED):
                await self._say(private[0], UnitVoiceRequest(source, radio))
                with contextlib.suppress(TimeoutError):
                    may = await asyncio.wait_for(asyncio.shield(answer), ANSWERS_S)
                    return None if may else "declined"
            return "silent"
        finally:
            self._answers.pop(private, None)

    async def _say(self, name: str, block: Block) -> None:
        """A control block to the radio that is its target, where it was heard last."""
        where = self._bridge.exchange.heard_at.get((name, block.target))
        if where is not None:
            way = self._bridge.way(block.source, block.target, False, where)
            await self._bridge.send_data(where, outgoing.block_packets(way, block))

    # -- a radio calls

    def began(self, talk: Talk) -> None:
        """A radio talks to another number alone: maybe in a call, maybe it calls."""
        identity = talk.call.identity
        private = talk.radio_network, identity.source, identity.target
        urgent: wire.CallKind = "emergency" if talk.call.service.emergency else "normal"
        if not any(one.private == private for one in self.all):
            self._wanted(private, urgent, asks=False)

    def happened(self, name: str, radio: wire.Radio, happening: Happening) -> None:
        """A radio asks for a call, or answers whether it takes one."""
        match happening:
            case CallWanted(source, target):
                private = name, source, target
                if any(one.private == private for one in self.all):
                    self._side.spawn(self._say(name, UnitVoiceAnswer(target, source, PROCEED)))
                else:
                    self._wanted(private, "normal", asks=True)
            case CallAnswered(source, target, may):
                answer = self._answers.get((name, source, target))
                if answer is not None and not answer.done():
                    answer.set_result(may)

    def _wanted(self, private: Private, kind: wire.CallKind, asks: bool) -> None:
        to = self._rings_at(private)
        if to is not None and private not in self._calling:
            self._calling.add(private)
            self._side.spawn(self._call(private, to, kind, asks))

    def _rings_at(self, private: Private) -> str | None:
        """Whom a radio calls by a number; none: another radio, or nobody."""
        name, _, target = private
        of, network = self._networks.get(name), self._side.number_of(name)
        if of is None or network is None:
            return None
        if target in of.desks:
            return f"agency:{of.desks[target]}"
        radio = wire.Radio(network, target)
        carried = self._client.radio.plan.radios.get(radio)
        return f"unit:{carried.unit}" if carried and not self._side.is_there(radio) else None

    async def _call(self, private: Private, to: str, kind: wire.CallKind, asks: bool) -> None:
        name, source, target = private
        network = self._side.number_of(name)
        assert network is not None
        radio = wire.Radio(network, source)
        try:
            called = await self._client.radio.call(radio, [to], kind)
            call = self._made(called.group, radio, private, is_out=False)
            try:
                await self._client.voice.join(called.group, self._speech, self._floor)
            except (ClientRefused, ConnectionError, TimeoutError):
                self._end(call)
                raise
        except (ClientRefused, ConnectionError, TimeoutError) as problem:
            log.info("radio %d of %s cannot call %s: %s", source, name, to, problem)
            self._count("bridge.call_refused")
            await self._say(name, UnitVoiceAnswer(target, source, DENY))
        else:
            if asks:
                await self._say(name, UnitVoiceAnswer(target, source, PROCEED))
        finally:
            self._calling.discard(private)

    # -- a call

    def _made(self, group: str, radio: wire.Radio, private: Private, is_out: bool) -> Call:
        name, _, ours = private
        now = asyncio.get_running_loop().time()
        where = f"{NETWORK}{group}/{name}", radio.number
        call = Call(group, radio, private, where, now if is_out else now + RINGS_S, is_out)
        way = _Way(self._bridge, call)
        call.ear = GroupEar(self._ears, group, way, lambda who: ours)
        self._calls[group, radio] = call
        self._bridge.join_private(private, where)
        return call

    def _end(self, call: Call) -> None:
        if self._calls.pop((call.group, call.radio), None) is not None:
            call.ear.quiet()
            self._bridge.part_private(call.private)

    def _leave(self, call: Call, why: wire.RadioWhy) -> None:
        self._end(call)
        self._side.spawn(self._left(call, why))

    async def _left(self, call: Call, why: wire.RadioWhy) -> None:
        await self._client.radio.leave_call(call.group, call.radio, why)
        if all(one.group != call.group for one in self.all):
            await self._client.voice.leave(call.group)  # nor is it joined again

    def over(self, gone: wire.VoiceGone) -> None:
        """A call is over, or one that rang at a radio is answered elsewhere."""
        for key, task in list(self._ringing.items()):
            if key[0] == gone.group and gone.radio in (None, key[1]):
                task.cancel()
        for call in self.all:
            if call.group == gone.group and gone.radio in (None, call.radio):
                self._end(call)
                if not call.is_out and gone.code != "call_over":
                    name, source, target = call.private
                    self._count("bridge.call_unanswered")
                    self._side.spawn(self._say(name, UnitVoiceAnswer(target, source, DENY)))

    def mouth(self, leg: Where, talk: Talk) -> Mouth | None:
        """Brings what a radio says into its call."""
        call = next((one for one in self.all if one.where == leg), None)
        if call is None:
            return None
        call.was_heard = True
        return self._mouths.mouth(call.group, call.radio, talk.call.service.emergency)

    def _speech(self, speech: wire.Speech) -> None:
        for call in self.all:
            if call.group == speech.group.address:
                call.ear.speech(speech)

    def _floor(self, floor: wire.Floor) -> None:
        for call in self.all:
            if call.group == floor.group:
                call.ear.floor(floor)

    def _count(self, code: str) -> None:
        self._bridge.figures.dropped[code] += 1


class _Way:
    """The way from a call to its radio."""

    def __init__(self, bridge: Bridge, call: Call) -> None:
        self._bridge = bridge
        self._call = call

    def begin(self, name: str, urgent: bool, radio: int) -> None:
        self._bridge.private_keyed(self._call.private, self._call.where, name, urgent, radio)

    def say(self, opus: bytes) -> None:
        self._bridge.spoke(self._call.where, Opus(opus))

    def end(self) -> None:
        self._bridge.unkeyed(self._call.where)


async def _ended(task: asyncio.Task[None]) -> None:
    """A task that may be cancelled by others."""
    with contextlib.suppress(asyncio.CancelledError):
        await task
