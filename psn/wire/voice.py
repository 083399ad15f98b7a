"""Frames of speech: a header of twelve bytes, and an Opus packet. Pure.

A frame of speech is a binary WebSocket message under either subprotocol. Its first byte is 0xC1,
which begins no MessagePack object (MessagePack specification, Formats), so it is told from other
frames by that byte alone, and goes on to those who listen as it came: nothing in it is made anew.

======  ====  ==================================================================================
offset  size  what
======  ====  ==================================================================================
0       1     0xC1
1       1     bits 0-1: length of the packet, 1: 20 ms, 2: 40 ms, 3: 60 ms; bit 2: the last of
              this talk; the others are 0
2       2     number of the frame in this talk, from 0, modulo 65,536; big-endian, as all here
4       4     group: bits 30-31 what it is (0 talkgroup, 1 incident, 2 call), the rest its id
8       4     talker: bits 30-31 who it is (0 person, 1 gateway, 2 unit, 3 agency), the rest its id
12      …     one Opus packet (RFC 6716, clause 3), 1 to 1,276 bytes
======  ====  ==================================================================================
"""

from __future__ import annotations

import enum
import struct
from typing import Final, NamedTuple

from psn.wire.codec import FrameRefused, Malformed

MARK: Final = 0xC1
"""The first byte of a frame of speech, and of no other."""
HEADER: Final = struct.Struct(">BBHII")
MOST_OPUS: Final = 1_276
"""Bytes of an Opus packet with one frame: its first byte, and 1,275 (RFC 6716, clause 3.4, R2)."""
MILLISECONDS: Final = (20, 40, 60)
"""How long the packets may be that are relayed."""
NUMBERS: Final = 1 << 16
_LAST: Final = 0b100
_ID: Final = (1 << 30) - 1
_TALKERS: Final = ("person", "device", "unit", "agency")
_KNOWN: Final = 0b111


class GroupKind(enum.IntEnum):
    """What a voice group belongs to."""

    TALKGROUP = 0
    INCIDENT = 1
    CALL = 2
    """Between some, for once."""


class VoiceGroup(NamedTuple):
    """A voice group: those of an agency or joint, an incident's, a call's."""

    kind: GroupKind
    id: int

    @property
    def address(self) -> str:
        """As other frames write it: ``group:3``, ``incident:12``, ``call:1``."""
        return f"{_WORDS[self.kind]}:{self.id}"

    @classmethod
    def of(cls, address: str) -> VoiceGroup:
        """The group of an address; raises ``ValueError`` for what is no address of one."""
        word, _, number = address.partition(":")
        if not (number.isascii() and number.isdecimal() and 0 < int(number) <= _ID):
            raise ValueError(f"no voice group: {address!r}")
        return cls(GroupKind(_WORDS.index(word)), int(number))


_WORDS: Final = ("group", "incident", "call")


class Speech(NamedTuple):
    """One frame of speech."""

    group: VoiceGroup
    talker: str
    """``person:3`` or ``unit:7``; ``device:9``, a gateway, for a radio that carries no unit;
    ``agency:6``, which has something announced.
    """
    number: int
    """In this talk, from 0, modulo 65,536."""
    milliseconds: int
    last: bool
    opus: bytes

    def encode(self) -> bytes:
        """Its bytes; raises ``ValueError`` for what no frame can say."""
        kind, _, digits = self.talker.partition(":")
        flags = MILLISECONDS.index(self.milliseconds) + 1 | (_LAST if self.last else 0)
        who = int(digits)
        if kind not in _TALKERS or who > _ID or not 0 < len(self.opus) <= MOST_OPUS:
            raise ValueError("no frame of speech")
        talker = _TALKERS.index(kind) << 30 | who
        group = self.group.kind << 30 | self.group.id
        return HEADER.pack(MARK, flags, self.number % NUMBERS, group, talker) + self.opus


def is_speech(data: bytes) -> bool:
    """Whether a binary message is a frame of speech, well made or not."""
    return data[:1] == b"\xc1"


def decode(data: bytes) -> Speech:
    """Read a frame of speech.

    Raises :class:`Malformed` for what is none, :class:`FrameRefused` for one that cannot be
    relayed.
    """
    if not is_speech(data) or len(data) <= HEADER.size:
        raise Malformed("malformed", "This is no frame of speech: it is too short.")
    _, flags, number, group, talker = HEADER.unpack_from(data)
    length = flags & 0b11
    if flags & ~_KNOWN or not length:
        raise FrameRefused("bad_field", "A frame of speech is of 20, 40 or 60 milliseconds.")
    if len(data) - HEADER.size > MOST_OPUS:
        text = f"An Opus packet has at most {MOST_OPUS} bytes."
        raise FrameRefused("bad_field", text)
    kind, ident = group >> 30, group & _ID
    who, whose = talker & _ID, talker >> 30
    if kind > GroupKind.CALL or not ident or not who:
        raise FrameRefused("bad_field", "There is no such group, or no such talker.")
    return Speech(
        VoiceGroup(GroupKind(kind), ident),
        f"{_TALKERS[whose]}:{who}",
        number,
        MILLISECONDS[length - 1],
        bool(flags & _LAST),
        data[HEADER.size :],
    )
