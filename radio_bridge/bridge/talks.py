"""A talk that is passed on, and what becomes of it: what the exchange says is to be done."""

from __future__ import annotations

from dataclasses import dataclass, field

from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.calls.conversations import Call, Cause, Ending, Where
from radio_bridge.calls.transmissions import Identity
from radio_bridge.dmr.link_control import GpsInfo
from radio_bridge.inside import Sound

Private = tuple[str, int, int]
"""A radio network, a radio of it, and the number that it calls, or by which it is called."""


@dataclass(slots=True, eq=False)
class Talk:
    """A call that is passed on, and where it is heard."""

    radio_network: str
    call: Call
    began: float
    name: str = ""
    is_coded: bool = True
    """Its speech comes as a vocoder's frames: a DMR radio talks."""
    pieces: int = 0
    legs: set[Where] = field(default_factory=set)
    waiting: set[Where] = field(default_factory=set)
    """Channels that carry it and are not free."""
    reached: set[Where] = field(default_factory=set)
    """Channels on which some of it was heard."""

    @property
    def talkgroup(self) -> Talkgroup | None:
        """Whom it is for, where that is a group."""
        identity = self.call.identity
        return (self.radio_network, identity.target) if identity.group else None

    @property
    def private(self) -> Private:
        """Which private call it would be of."""
        identity = self.call.identity
        return self.radio_network, identity.source, 0 if identity.group else identity.target


@dataclass(frozen=True, slots=True)
class Started:
    """A talk is passed on from here on."""

    talk: Talk


@dataclass(frozen=True, slots=True)
class Begin:
    """On this channel a talk is heard from here on."""

    leg: Where
    talk: Talk


@dataclass(frozen=True, slots=True)
class Say:
    """A piece of it, on all channels on which it has begun."""

    talk: Talk
    sound: Sound


@dataclass(frozen=True, slots=True)
class End:
    """On this channel it is heard no more."""

    leg: Where
    talk: Talk


@dataclass(frozen=True, slots=True)
class Over:
    """A talk has ended: what there is to record."""

    talk: Talk
    ended: float
    cause: Ending


@dataclass(frozen=True, slots=True)
class Refused:
    """A transmission is not passed on, as long as this goes on; said once for each."""

    where: Where
    radio_network: str
    identity: Identity
    cause: Cause
    emergency: bool = False
    """Its radio says so: whoever is not heard calls for help all the same."""


@dataclass(frozen=True, slots=True)
class TalkerPlaced:
    """Where a talker is, as his radio says while he talks."""

    talk: Talk
    place: GpsInfo


@dataclass(frozen=True, slots=True)
class TalkerNamed:
    """What a talker's radio calls him."""

    talk: Talk


@dataclass(frozen=True, slots=True)
class RadioTwice:
    """A radio talks in two places at once: two radios have its number."""

    radio_network: str
    radio: int
    where: Where
    other: Where


Out = RadioTwice | Started | Begin | Say | End | Over | Refused | TalkerPlaced | TalkerNamed
