"""All channels: whose talk is passed on to whom, and whose is not.

Theory of operation
-------------------
A talkgroup has one talker at a time, as its radios expect; so has a private call. A *call* is one
talk of one talker that has it. Another transmission to the same talkgroup is kept from all others:

- of the same talker, on another channel: a *duplicate* (a radio that two sites hear, or a loop).
  When the channel that is passed on falls silent, a duplicate goes on in its place; when it ends
  with a terminator, the duplicates are over too, however late they still come.
- of another talker: he is *denied*, and may go on when the call is over. An emergency takes the
  talkgroup from any call that is none.
- of the same talker, on another channel, soon after his call: an *echo* as long as every burst was
  in a call of his of the last seconds. So a loop through other masters ends where it began, while
  a talker who has walked to another site is heard from his first new word.

Calls from the network (a tablet's) have a channel of their own here. A keyed radio cannot be
stopped: who has not the floor goes on keying, unheard.
"""

from __future__ import annotations

import enum
import itertools
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from radio_bridge.calls.transmissions import (
    SILENCE_S,
    Alias,
    Channel,
    Identity,
    Keyed,
    Said,
    Unkeyed,
    Unkeying,
    Voice,
)
from radio_bridge.dmr.link_control import GpsInfo, Service
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.inside import Sound

NETWORK_SILENCE_S: Final = 1.0
"""Somebody on the network of whom nothing comes for so long has ended, as the floor has it."""
HANG_S: Final = 3.0
"""So long after a call its channel is kept for answers to it."""
ECHO_S: Final = 10.0
"""So long after a call its bursts are known again."""
MOST_BURSTS: Final = 5_000
"""Five minutes of one call are remembered."""
MOST_ECHOES: Final = 200
"""Calls that are remembered at once."""

Where = tuple[str, int]
"""A channel: the link's name, and the slot, or the talkgroup where a link has no slots."""
Target = tuple[int, bool]


class Ending(enum.StrEnum):
    """Why a call is over."""

    TERMINATED = "terminated"
    SILENT = "silent"
    REPLACED = "replaced"
    PREEMPTED = "preempted"
    BARRED = "barred"
    """Who talks may do so no longer: the settings have changed."""


class Cause(enum.StrEnum):
    """Why a transmission is not passed on."""

    BUSY = "busy"
    """Somebody else talks in the talkgroup."""
    DUPLICATE = "duplicate"
    """It is heard from another channel already."""
    ECHO = "echo"
    """It is what was said before."""
    BARRED = "barred"
    """Who talks, or the talkgroup, has no business on that channel."""


@dataclass(frozen=True, slots=True)
class Call:
    """One talk of one talker that is passed on."""

    number: int
    where: Where
    identity: Identity
    service: Service
    late: bool


@dataclass(frozen=True, slots=True)
class Began:
    """A call begins."""

    call: Call


@dataclass(frozen=True, slots=True)
class Spoke:
    """A piece of a call: 60 ms of a radio's."""

    call: Call
    sound: Sound


@dataclass(frozen=True, slots=True)
class Named:
    """The talker's radio says his name."""

    call: Call
    name: str


@dataclass(frozen=True, slots=True)
class Placed:
    """The talker's radio says where it is."""

    call: Call
    place: GpsInfo


@dataclass(frozen=True, slots=True)
class Ended:
    """A call is over."""

    call: Call
    cause: Ending


@dataclass(frozen=True, slots=True)
class Denied:
    """A transmission is kept from everybody else; said once for each."""

    where: Where
    identity: Identity
    cause: Cause
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Twice:
    """A radio talks in two calls at once, on these channels: two radios have its number."""

    source: int
    where: Where
    other: Where


Event = Twice | Began | Spoke | Named | Placed | Ended | Denied


@dataclass(slots=True)
class _Talk:
    """A transmission on a channel, passed on or not."""

    where: Where
    keyed: Keyed
    call: Call | None = None
    denied: Cause | None = None
    is_over: bool = False
    """The call that it is a duplicate of has ended; it is not passed on any more."""
    bursts: dict[int, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Echo:
    """What one talker said to one target lately, and from where; the oldest first."""

    wheres: set[Where]
    bursts: dict[int, None]
    until: float


@dataclass(slots=True)
class _Hang:
    identity: Identity
    until: float

    def admits(self, target: Target) -> bool:
        """Whether a call to this target answers: in a group all do, in a private call each one."""
        number, group = target
        ours = self.identity
        numbers = (ours.target,) if ours.group else (ours.target, ours.source)
        return group == ours.group and number in numbers


class Conversations:
    """Whose talk is passed on, over all channels."""

    def __init__(self, may: Callable[[Where, Identity], bool] = lambda where, who: True) -> None:
        """``may``: whether somebody may talk to somebody on a channel."""
        self._may = may
        self.dropped: Counter[str] = Counter()
        """Bursts and transmissions that were not passed on, and what was odd, by code."""
        self._now = 0.0
        self._numbers = itertools.count(1)
        self._channels: dict[Where, Channel] = {}
        self._talks: dict[Where, _Talk] = {}
        self._holders: dict[Target, _Talk] = {}
        self._echoes: OrderedDict[Identity, _Echo] = OrderedDict()
        self._hangs: dict[Where, _Hang] = {}
        self._spoke_at: dict[Where, float] = {}  # of the network's talkers
        self._look_at = 0.0
        """Nothing is due before: what begins later than the last look is due SILENCE_S after it."""

    def hear(self, where: Where, packet: BurstPacket, now: float) -> list[Event]:
        """Take a burst of voice, or another that came on a channel."""
        events = self.pass_time(now)
        channel = self._channels.get(where)
        if channel is None:
            channel = self._channels[where] = Channel(self.dropped)
        return events + self._tell(where, channel.hear(packet, self._now))

    def begin(self, where: Where, identity: Identity, service: Service, now: float) -> list[Event]:
        """Somebody on the network talks: ``where`` is a channel of his own. Began or denied."""
        events = self.pass_time(now) + self._unkeyed(where, Unkeying.REPLACED)
        events += self._try(_Talk(where, Keyed(identity, service, False, identity)))
        talk = self._holders.get((identity.target, identity.group))
        if talk is not None and talk.where == where:
            self._talks[where], self._spoke_at[where] = talk, self._now
        return events

    def speak(self, where: Where, sound: Sound, now: float) -> list[Event]:
        """A piece of what somebody on the network says."""
        events = self.pass_time(now)
        if where in self._spoke_at:
            self._spoke_at[where] = self._now
        return events + self._voice(where, sound)

    def end(self, where: Where, now: float) -> list[Event]:
        """Somebody on the network has said what he had to say."""
        events = self.pass_time(now)
        return events + self._unkeyed(where, Unkeying.TERMINATED)

    def look_again(self, now: float) -> list[Event]:
        """``may`` says otherwise now: who may not talk where he does is heard no more."""
        events = self.pass_time(now)
        for talk in list(self._talks.values()):
            if talk.call is not None and not self._may(talk.where, talk.keyed.identity):
                events += self._finish(talk, Ending.BARRED)
        return events

    def is_free(self, where: Where, target: Target, now: float, urgent: bool = False) -> bool:
        """Whether a call to this target may be sent there: nothing else is on it, or just was.

        An urgent one does not wait for what just was.
        """
        channel, hang = self._channels.get(where), self._hangs.get(where)
        if channel is not None and channel.due is not None:
            return False
        return urgent or hang is None or hang.until <= now or hang.admits(target)

    def keep(self, where: Where, identity: Identity, now: float) -> None:
        """A call was sent there, and is over: the channel is kept for answers."""
        self._hangs[where] = _Hang(identity, max(self._now, now) + HANG_S)

    def talker(self, target: Target) -> Call | None:
        """The call that has a talkgroup, or a radio."""
        holder = self._holders.get(target)
        return holder.call if holder else None

    def is_keyed(self, where: Where) -> bool:
        """Whether somebody talks there, passed on or not."""
        return where in self._talks

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        dues = [channel.due for channel in self._channels.values() if channel.due is not None]
        dues += [spoke_at + NETWORK_SILENCE_S for spoke_at in self._spoke_at.values()]
        return min(dues, default=None)

    def pass_time(self, now: float) -> list[Event]:
        """Who fell silent is over, and what is remembered no longer is forgotten."""
        self._now = max(self._now, now)
        events: list[Event] = []
        if self._now < self._look_at:
            return events
        for where, channel in list(self._channels.items()):
            due = channel.due
            if due is not None and due <= self._now:
                events += self._tell(where, channel.pass_time(self._now))
            elif channel.is_forgotten(self._now):
                del self._channels[where]
        for where, spoke_at in list(self._spoke_at.items()):
            if spoke_at + NETWORK_SILENCE_S <= self._now:
                events += self._unkeyed(where, Unkeying.SILENT)
        self._forget()
        self._look_at = min(self._now + SILENCE_S, self.due or math.inf)
        return events

    def _forget(self) -> None:
        for where in [w for w, hang in self._hangs.items() if hang.until <= self._now]:
            del self._hangs[where]
        while self._echoes:
            identity, echo = next(iter(self._echoes.items()))
            if echo.until > self._now and len(self._echoes) <= MOST_ECHOES:
                break
            del self._echoes[identity]

    def _tell(self, where: Where, said: Iterable[Said]) -> list[Event]:
        events: list[Event] = []
        for one in said:
            match one:
                case Keyed():
                    events += self._keyed(where, one)
                case Voice():
                    events += self._voice(where, one.frames)
                case Alias():
                    call = self._call(where)
                    events += [Named(call, one.name)] if call else []
                case GpsInfo():
                    call = self._call(where)
                    events += [Placed(call, one)] if call else []
                case Unkeyed():
                    events += self._unkeyed(where, one.cause)
        return events

    def _call(self, where: Where) -> Call | None:
        talk = self._talks.get(where)
        return talk.call if talk else None

    def _keyed(self, where: Where, keyed: Keyed) -> list[Event]:
        talk = self._talks[where] = _Talk(where, keyed)
        if keyed.claimed != keyed.identity:
            self.dropped["calls.claimed_otherwise"] += 1
        if self._is_suspect(talk):
            return []  # the first burst tells
        return self._try(talk)

    def _is_suspect(self, talk: _Talk) -> bool:
        echo = self._echoes.get(talk.keyed.identity)
        return echo is not None and echo.until > self._now and echo.wheres != {talk.where}

    def _try(self, talk: _Talk) -> list[Event]:
        """Begin a call, where nobody else has it; say otherwise why not."""
        identity, service = talk.keyed.identity, talk.keyed.service
        target = identity.target, identity.group
        holder = self._holders.get(target)
        events: list[Event] = []
        if not self._may(talk.where, identity):
            return self._deny(talk, Cause.BARRED)
        if holder is not None:
            ours = holder.keyed
            if ours.identity == identity:
                return self._deny(talk, Cause.DUPLICATE)
            if not service.emergency or ours.service.emergency:
                return self._deny(talk, Cause.BUSY)
            events += self._finish(holder, Ending.PREEMPTED)
        for other in self._holders.values() if self._is_radio(talk) else ():
            if other.keyed.identity.source == identity.source and self._is_radio(other):
                self.dropped["calls.radio_twice"] += 1
                events.append(Twice(identity.source, talk.where, other.where))
                break
        talk.call = Call(next(self._numbers), talk.where, identity, service, talk.keyed.late)
        talk.denied = None
        self._holders[target] = talk
        return [*events, Began(talk.call)]

    def _is_radio(self, talk: _Talk) -> bool:
        """Whether it came in bursts: several nodes or tablets may share a number."""
        return talk.where in self._channels

    def _deny(self, talk: _Talk, cause: Cause) -> list[Event]:
        if talk.denied == cause:
            return []
        talk.denied = cause
        self.dropped[f"calls.{cause}"] += 1
        return [Denied(talk.where, talk.keyed.identity, cause, talk.keyed.service.emergency)]

    def _voice(self, where: Where, sound: Sound) -> list[Event]:
        talk = self._talks.get(where)
        if talk is None or talk.is_over:
            return []
        events: list[Event] = []
        if talk.call is None:
            if self._is_suspect(talk) and sound in self._echoes[talk.keyed.identity].bursts:
                return self._deny(talk, Cause.ECHO)
            events += self._try(talk)
        if talk.call is None:
            return events
        if isinstance(sound, int) and len(talk.bursts) < MOST_BURSTS:
            talk.bursts[sound] = None
        return [*events, Spoke(talk.call, sound)]

    def _unkeyed(self, where: Where, cause: Unkeying) -> list[Event]:
        talk = self._talks.pop(where, None)
        self._spoke_at.pop(where, None)
        if talk is None:
            return []
        self._hangs[where] = _Hang(talk.keyed.identity, self._now + HANG_S)
        if talk.call is None:
            return []
        if cause == Unkeying.TERMINATED:
            for other in self._talks.values():
                if other.keyed.identity == talk.keyed.identity:
                    other.is_over = True
        return self._finish(talk, Ending(cause.value))

    def _finish(self, talk: _Talk, cause: Ending) -> list[Event]:
        """The call is over; what was said in it is remembered for a while."""
        call, identity = talk.call, talk.keyed.identity
        assert call is not None
        self._holders.pop((identity.target, identity.group), None)
        self._remember(talk)
        talk.call, talk.bursts = None, {}
        return [Ended(call, cause)]

    def _remember(self, talk: _Talk) -> None:
        echo = self._echoes.pop(talk.keyed.identity, None)
        if echo is None or echo.until <= self._now:
            echo = _Echo(set(), {}, 0.0)
        echo.wheres.add(talk.where)
        echo.bursts |= talk.bursts
        for burst in list(echo.bursts)[:-MOST_BURSTS]:
            del echo.bursts[burst]
        echo.until = self._now + ECHO_S
        self._echoes[talk.keyed.identity] = echo
