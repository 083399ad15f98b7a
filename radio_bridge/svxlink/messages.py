"""The messages of a reflector, as SvxLink's nodes and ``svxreflector`` write them. Pure.

Over TCP each is a frame: a length of four bytes, and so many bytes. A message begins with its
type, two bytes; over UDP with type, the node's number and the datagram's, two bytes each. Words
are big-endian, texts and lists begin with their length in two bytes.

====  ==============  ===========================  =============================================
type  from            what                         content
====  ==============  ===========================  =============================================
1     both            still here
5     node            the protocol it speaks       major (2), minor (2)
6     reflector       only an older protocol       major (2), minor (2)
10    reflector       challenge                    list of 20 bytes
11    node            proof                        name, list of 20 bytes: HMAC-SHA1
12    reflector       signed in
13    both            it goes no further: why      text
100   reflector       you, and who is here         reserved (2), number (2), names, codecs
102   reflector       somebody has come            name
103   reflector       somebody has gone            name
104   reflector       somebody talks               [talkgroup (4),] name
105   reflector       he talks no more             [talkgroup (4),] name
106   node            this talkgroup is mine       talkgroup (4)
U1    both            still here
U101  both            speech                       list of bytes: one packet of Opus
U102  both            the talk is over
U103  both            ... and has been played
====  ==============  ===========================  =============================================

Protocol 2.0 has talkgroups. In 1.0, which is Debian 12's and Ubuntu 24.04's, there are none: all
nodes of a reflector are in one.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable

MOST_FRAME: Final = 32_768
"""Bytes that a reflector sends in one frame at most."""
MOST_NAME: Final = 38
"""Bytes of a node's name: with its proof it has to fit into a frame of 64."""
MOST_SPEECH: Final = 1_276
TALKGROUPS: Final = (2, 0)
CONFERENCE: Final = (1, 0)
OLDER: Final = 6
"""What a reflector sends to whom it asks for an older protocol."""
OPUS: Final = "OPUS"
_LENGTH: Final = struct.Struct(">I")
_DATAGRAM: Final = struct.Struct(">3H")
_STILL_HERE, _SPEAKS, _PROOF, _SELECT = 1, 5, 11, 106
_DATAGRAM_HERE, _SPEECH, _OVER, _PLAYED = 1, 101, 102, 103


@dataclass(frozen=True, slots=True)
class StillHere:
    """So that silence means something."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """To be answered with a proof."""

    salt: bytes


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The proof was right."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """It goes no further, in the reflector's words."""

    text: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """The node's number for datagrams, who is here, and what speech is coded in."""

    number: int
    nodes: tuple[str, ...]
    codecs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeJoined:
    """Another node has come."""

    name: str


@dataclass(frozen=True, slots=True)
class NodeLeft:
    """Another node has gone."""

    name: str


@dataclass(frozen=True, slots=True)
class TalkerStart:
    """A node talks; in a talkgroup where there are some."""

    talkgroup: int | None
    name: str


@dataclass(frozen=True, slots=True)
class TalkerStop:
    """A node talks no more."""

    talkgroup: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a newer reflector, which may be passed over."""

    kind: int


Message = (
    StillHere
    | Challenge
    | SignedIn
    | Refusal
    | Welcome
    | NodeJoined
    | NodeLeft
    | TalkerStart
    | TalkerStop
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Speech:
    """A packet of Opus."""

    opus: bytes


@dataclass(frozen=True, slots=True)
class Over:
    """The talk is over."""


@dataclass(frozen=True, slots=True)
class Played:
    """What was said has been heard to its end."""


Content = StillHere | Speech | Over | Played | Unknown


@dataclass(frozen=True, slots=True)
class Datagram:
    """One to or from the node of a number."""

    node: int
    number: int
    content: Content


class Frames:
    """A stream taken apart: any pieces in, whole frames out."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> list[bytes]:
        """The frames that are whole now; raises :class:`Unreadable` for one that cannot be."""
        self._rest += data
        found: list[bytes] = []
        while len(self._rest) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest)
            if length > MOST_FRAME:
                raise Unreadable("svxlink.frame", f"A frame of {length} bytes is none.")
            if len(self._rest) < _LENGTH.size + length:
                break
            found.append(self._rest[_LENGTH.size : _LENGTH.size + length])
            self._rest = self._rest[_LENGTH.size + length :]
        return found


class _Reader:
    """What is in a message, from left to right; raises :class:`Unreadable` where it ends."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def take(self, length: int) -> bytes:
        if len(self._rest) < length:
            raise Unreadable("svxlink.length", "A message of a reflector ends too early.")
        taken, self._rest = self._rest[:length], self._rest[length:]
        return taken

    def short(self) -> int:
        return int.from_bytes(self.take(2))

    def long(self) -> int:
        return int.from_bytes(self.take(4))

    def sized(self) -> bytes:
        return self.take(self.short())

    def text(self) -> str:
        return self.sized().decode("utf-8", "replace")

    def texts(self) -> tuple[str, ...]:
        return tuple(self.text() for _ in range(self.short()))


def _talker(reader: _Reader, talkgroups: bool) -> tuple[int | None, str]:
    return reader.long() if talkgroups else None, reader.text()


_READ: Final[dict[int, Callable[[_Reader, bool], Message]]] = {
    1: lambda reader, _: StillHere(),
    10: lambda reader, _: Challenge(reader.sized()),
    12: lambda reader, _: SignedIn(),
    13: lambda reader, _: Refusal(reader.text()),
    100: lambda reader, _: Welcome(reader.long() & 0xFFFF, reader.texts(), reader.texts()),
    102: lambda reader, _: NodeJoined(reader.text()),
    103: lambda reader, _: NodeLeft(reader.text()),
    104: lambda reader, talkgroups: TalkerStart(*_talker(reader, talkgroups)),
    105: lambda reader, talkgroups: TalkerStop(*_talker(reader, talkgroups)),
}


def read(frame: bytes, talkgroups: bool) -> Message:
    """A message of a reflector that has talkgroups, or not; raises :class:`Unreadable`.

    What stands after it is passed over: newer reflectors may say more.
    """
    reader = _Reader(frame)
    kind = reader.short()
    form = _READ.get(kind)
    return form(reader, talkgroups) if form else Unknown(kind)


def read_datagram(data: bytes) -> Datagram:
    """A datagram; raises :class:`Unreadable`."""
    reader = _Reader(data)
    kind, node, number = reader.short(), reader.short(), reader.short()
    content: Content
    match kind:
        case 1:
            content = StillHere()
        case 101:
            content = Speech(reader.sized())
        case 102:
            content = Over()
        case 103:
            content = Played()
        case _:
            content = Unknown(kind)
    return Datagram(node, number, content)


def write_datagram(datagram: Datagram) -> bytes:
    """The datagram; raises ``ValueError`` for speech that is too long."""
    rest = b""
    match datagram.content:
        case StillHere():
            kind = _DATAGRAM_HERE
        case Speech(opus):
            if not 0 < len(opus) <= MOST_SPEECH:
                raise ValueError(f"{len(opus)} bytes are no packet of speech")
            kind, rest = _SPEECH, _sized(opus)
        case Over():
            kind = _OVER
        case Played():
            kind = _PLAYED
        case Unknown(kind):
            pass
    return _DATAGRAM.pack(kind, datagram.node, datagram.number) + rest


def _sized(content: bytes) -> bytes:
    return len(content).to_bytes(2) + content


def _frame(kind: int, content: bytes = b"") -> bytes:
    return _LENGTH.pack(2 + len(content)) + kind.to_bytes(2) + content


def write_still_here() -> bytes:
    """We are still here."""
    return _frame(_STILL_HERE)


def write_version(version: tuple[int, int]) -> bytes:
    """The protocol that we speak."""
    return _frame(_SPEAKS, struct.pack(">2H", *version))


def write_proof(name: str, password: bytes, salt: bytes) -> bytes:
    """That we are who we say (RFC 2104 with SHA-1, as reflectors want it)."""
    digest = hmac.new(password, salt, hashlib.sha1).digest()
    return _frame(_PROOF, _sized(name.encode()) + _sized(digest))


def write_select(talkgroup: int) -> bytes:
    """We are in this talkgroup, and hear it."""
    return _frame(_SELECT, talkgroup.to_bytes(4))
