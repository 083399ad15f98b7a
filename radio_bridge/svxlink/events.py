"""What a node does and tells: values, and nothing else."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from radio_bridge.svxlink.messages import NodeJoined, NodeLeft


class Lost(enum.StrEnum):
    """Why a reflector is not there, or no longer."""

    CLOSED = "closed"
    """The line could not be opened, or was closed by the other side."""
    SILENT = "silent"
    OTHER_PROTOCOL = "other_protocol"
    """It has no talkgroups, and we are to be in one; or it is too new for us."""
    REFUSED = "refused"
    """Name or password are wrong, or another node has the name."""
    NO_DATAGRAMS = "no_datagrams"
    """The line is there and datagrams are not: something between keeps UDP from passing."""
    NO_OPUS = "no_opus"
    """Its speech is coded in another way."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Call:
    """Open a line to the reflector."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the line and the socket for datagrams."""


@dataclass(frozen=True, slots=True)
class Say:
    """Bytes for the line."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """A datagram, to the same address and port."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Connected:
    """We are there, and hear; with the nodes that are there, too."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Signing in failed, or a connection is lost; it is tried again by itself."""

    cause: Lost
    was_connected: bool
    text: str = ""
    """In the reflector's own words, where it said some."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """Somebody talks; his name, where it is known already."""

    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """Who talks, told when he does already."""

    name: str


@dataclass(frozen=True, slots=True)
class Spoke:
    """A packet of Opus, ``missed`` datagrams after that before."""

    opus: bytes
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Unkeyed:
    """He has ended, or nothing came any more."""

    silent: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """The reflector passes on what we say."""


@dataclass(frozen=True, slots=True)
class Denied:
    """Somebody else talks: nobody hears what we say, until :class:`Granted`."""

    name: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """The reflector passes on no more of what we say: too long, or with a gap."""


Event = (
    Connected
    | Disconnected
    | NodeJoined
    | NodeLeft
    | Keyed
    | Named
    | Spoke
    | Unkeyed
    | Granted
    | Denied
    | Revoked
)
Out = Call | HangUp | Say | Send | Event
