"""USRP's datagrams, as AllStar's ``chan_usrp`` writes them. Pure.

======  ====  ==================================================================================
offset  size  what
======  ====  ==================================================================================
0       4     ``USRP``
4       4     number of the packet; big-endian, as all words here
8       4     memory: 0
12      4     push to talk: 1, or 0 in the last packet of a talk
16      4     talkgroup, or 0
20      4     type: 0 speech, 1 DTMF, 2 text, 3 ping, 4 to 6 what DVSwitch has added
24      4     mpxid: 0
28      4     reserved: 0
32      320   of speech: 160 samples of 16 bits, signed, little-endian, 8 kHz; none in the last
======  ====  ==================================================================================

DVSwitch says who talks in a text: a byte 8, a length, the radio's number (3), the repeater's (4),
the talkgroup (3), slot and colour code, then his name up to a zero byte.

Not all keep the order of bytes: DVSwitch writes the type of texts the other way round, and
SvxLink the packet's number. Types are read either way; of numbers see ``line``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least

RATE: Final = 8_000
SAMPLES: Final = 160
"""In a packet of speech: 20 ms."""
SPEECH_BYTES: Final = 2 * SAMPLES
_HEADER: Final = struct.Struct(">4s7I")
_MARK: Final = b"USRP"
_SPEECH, _TEXT = 0, 2
_TYPES: Final = 7
_WHO: Final = 8
_WHO_NAME_AT: Final = 14


@dataclass(frozen=True, slots=True)
class Speech:
    """20 ms of a talk."""

    number: int
    samples: bytes
    talkgroup: int = 0


@dataclass(frozen=True, slots=True)
class Unkey:
    """A talk is over."""

    number: int
    talkgroup: int = 0


@dataclass(frozen=True, slots=True)
class Talker:
    """Who talks, or is about to."""

    number: int
    radio: int
    name: str


@dataclass(frozen=True, slots=True)
class Other:
    """Nothing that is spoken: DTMF, another text, a ping."""

    kind: int


Packet = Speech | Unkey | Talker | Other


def read(data: bytes) -> Packet:
    """A datagram; raises :class:`Unreadable`."""
    at_least(data, _HEADER.size, "A packet of USRP")
    mark, number, _, key, talkgroup, kind, _, _ = _HEADER.unpack_from(data)
    if mark != _MARK:
        raise Unreadable("usrp.mark", "A packet of USRP begins with USRP.")
    if kind >= _TYPES:
        kind = int.from_bytes(kind.to_bytes(4, "big"), "little")
    rest = data[_HEADER.size :]
    if kind == _SPEECH:
        if not key:
            return Unkey(number, talkgroup)
        if len(rest) != SPEECH_BYTES:
            text = f"Speech has {SPEECH_BYTES} bytes of samples, not {len(rest)}."
            raise Unreadable("usrp.speech", text)
        return Speech(number, rest, talkgroup)
    if kind == _TEXT and rest[:1] == bytes([_WHO]):
        at_least(rest, _WHO_NAME_AT, "A text that says who talks")
        name = rest[_WHO_NAME_AT:].split(b"\0", 1)[0].decode("utf-8", "replace").strip()
        return Talker(number, int.from_bytes(rest[2:5], "big"), name)
    if kind < _TYPES:
        return Other(kind)
    raise Unreadable("usrp.type", f"Nobody here knows packets of USRP of type {kind}.")


def write(packet: Speech | Unkey) -> bytes:
    """The datagram."""
    is_speech = isinstance(packet, Speech)
    header = _HEADER.pack(_MARK, packet.number, 0, is_speech, packet.talkgroup, _SPEECH, 0, 0)
    return header + packet.samples if isinstance(packet, Speech) else header
