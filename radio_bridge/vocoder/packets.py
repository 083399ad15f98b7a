"""Packets of DVSI's AMBE-3000R, as servers of such chips pass them on, one in a datagram. Pure.

======  ====  ================================================================================
offset  size  what
======  ====  ================================================================================
0       1     0x61
1       2     length of the fields, big-endian
3       1     type: 0 control, 1 channel, 2 speech
4             fields: a byte that says which, and what it has
======  ====  ================================================================================

=====  =================================  ==========================================================
field  of                                 has
=====  =================================  ==========================================================
0x00   speech                             count of samples (160), and so many of 16 bits, big-endian
0x01   channel                            count of bits (72), and the frame
0x0A   control: rate                      six words of 16 bits; in the answer 0
0x33   control: reset
0x39   control: ready                     the chip's answer to a reset
0x40+  all: which channel                 of a chip with several (AMBE-3003)
=====  =================================  ==========================================================

The rate of DMR (2450 bit/s of speech and 1150 of error correction, rate 33 of the chip) takes and
gives the 72 bits of a frame in the order in which they are on the air.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least, exactly

SAMPLES: Final = 160
FRAME: Final = 9
_HEAD: Final = struct.Struct(">BHB")
_MARK: Final = 0x61
_CONTROL, _CHANNEL, _SPEECH = 0, 1, 2
_SPEECH_FIELD, _FRAME_FIELD, _RATE, _RESET, _READY, _FIRST_CHANNEL = 0, 1, 0x0A, 0x33, 0x39, 0x40
_MOST_CHANNELS: Final = 8
_DMR_RATE: Final = bytes.fromhex("0431 0754 2400 0000 0000 6f48")


@dataclass(frozen=True, slots=True)
class Ready:
    """The chip has begun anew."""


@dataclass(frozen=True, slots=True)
class RateSet:
    """Frames are those of DMR from now on, or the chip cannot do that."""

    well: bool


@dataclass(frozen=True, slots=True)
class Decoded:
    """20 ms of samples, 16 bits, little-endian."""

    channel: int
    samples: bytes


@dataclass(frozen=True, slots=True)
class Encoded:
    """20 ms of speech in 72 bits."""

    channel: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Other:
    """An answer to nothing that was asked here."""


Packet = Ready | RateSet | Decoded | Encoded | Other


def read(data: bytes) -> Packet:
    """A packet of the chip; raises :class:`Unreadable`."""
    at_least(data, _HEAD.size + 1, "A packet of a vocoder")
    mark, length, kind = _HEAD.unpack_from(data)
    if mark != _MARK:
        raise Unreadable("vocoder.mark", "A packet of a vocoder begins with 0x61.")
    fields = exactly(data[_HEAD.size :], length, "This packet of a vocoder")
    channel = 0
    if _FIRST_CHANNEL <= fields[0] < _FIRST_CHANNEL + _MOST_CHANNELS:
        channel, fields = fields[0] - _FIRST_CHANNEL, fields[1:]
        at_least(fields, 1, "A packet of a vocoder")
    field, rest = fields[0], fields[1:]
    match kind, field:
        case (0, 0x39):
            return Ready()
        case (0, 0x0A):
            return RateSet(rest[:1] in (b"", b"\0"))
        case (1, 0x01):
            at_least(rest, 1 + FRAME, "A frame of a vocoder")
            if rest[0] != 8 * FRAME:
                raise Unreadable("vocoder.frame", f"A frame of DMR has 72 bits, not {rest[0]}.")
            return Encoded(channel, rest[1 : 1 + FRAME])
        case (2, 0x00):
            at_least(rest, 1 + 2 * SAMPLES, "Speech of a vocoder")
            if rest[0] != SAMPLES:
                raise Unreadable("vocoder.speech", f"20 ms have 160 samples, not {rest[0]}.")
            return Decoded(channel, _turned(rest[1 : 1 + 2 * SAMPLES]))
    return Other()


def _turned(samples: bytes) -> bytes:
    """Each sample the other way round."""
    found = bytearray(len(samples))
    found[::2], found[1::2] = samples[1::2], samples[::2]
    return bytes(found)


def _write(kind: int, fields: bytes, channel: int | None) -> bytes:
    if channel is not None:
        fields = bytes([_FIRST_CHANNEL + channel]) + fields
    return _HEAD.pack(_MARK, len(fields), kind) + fields


def write_reset() -> bytes:
    """Begin anew."""
    return _write(_CONTROL, bytes([_RESET]), None)


def write_rate(channel: int | None) -> bytes:
    """Frames are those of DMR."""
    return _write(_CONTROL, bytes([_RATE]) + _DMR_RATE, channel)


def write_decode(frame: bytes, channel: int | None) -> bytes:
    """Samples of this frame are wanted; ``channel`` is none for a chip that has one."""
    field = bytes([_FRAME_FIELD, 8 * FRAME])
    return _write(_CHANNEL, field + exactly(frame, FRAME, "A frame"), channel)


def write_encode(samples: bytes, channel: int | None) -> bytes:
    """A frame of these 160 samples is wanted."""
    field = bytes([_SPEECH_FIELD, SAMPLES])
    pcm = _turned(exactly(samples, 2 * SAMPLES, "20 ms of samples"))
    return _write(_SPEECH, field + pcm, channel)
