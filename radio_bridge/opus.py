"""Packets of Opus put together and taken apart, without coding (RFC 6716, clause 3). Pure.

A packet has one frame or up to 48, of 2.5 to 60 ms each, at most 120 ms. This network relays
packets of 20, 40 and 60 ms. What comes with others is divided at its frames, or joined, and each
frame stays what it was byte for byte: nothing is decoded, nothing loses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least

RELAYED_MS: Final = (20, 40, 60)
MOST_BYTES: Final = 1_276
"""In a packet that is relayed."""
MOST_FRAME: Final = 1_275
"""Bytes of a frame (clause 3.4, R2)."""
MOST_MS: Final = 120
"""Of a packet (clause 3.4, R5)."""
_TICKS: Final = 2
"""Durations are counted in half milliseconds."""
_SILK, _HYBRID, _CELT = (20, 40, 80, 120), (20, 40), (5, 10, 20, 40)
_JOINED_MS: Final = 20


@dataclass(frozen=True, slots=True)
class Frames:
    """What is in a packet."""

    kind: int
    """Its first byte without the lowest two bits: how the frames are coded (clause 3.1)."""
    frames: tuple[bytes, ...]

    @property
    def each_ticks(self) -> int:
        """The length of one frame, in half milliseconds (clause 3.1, table 2)."""
        coding = self.kind >> 3
        if coding < 12:
            return _SILK[coding & 3]
        return _HYBRID[coding & 1] if coding < 16 else _CELT[coding & 3]

    @property
    def ticks(self) -> int:
        """The length of the packet, in half milliseconds."""
        return self.each_ticks * len(self.frames)


def read(packet: bytes) -> Frames:
    """The frames of a packet; raises :class:`Unreadable`."""
    at_least(packet, 1, "A packet of Opus")
    kind, rest = packet[0] & 0xFC, packet[1:]
    match packet[0] & 3:
        case 0:
            frames = [rest]
        case 1:
            if len(rest) % 2:
                raise _bad("two frames of one length have an even number of bytes")
            frames = [rest[: len(rest) // 2], rest[len(rest) // 2 :]]
        case 2:
            size, rest = _length(rest)
            frames = [at_least(rest, size, "A frame of Opus")[:size], rest[size:]]
        case _:
            frames = _many(rest)
    found = Frames(kind, tuple(frames))
    if max(map(len, frames)) > MOST_FRAME or found.ticks > MOST_MS * _TICKS:
        raise _bad("a frame, or the whole, is too long")
    return found


def _many(rest: bytes) -> list[bytes]:
    """Clause 3.2.5: any number of frames, with padding."""
    head, rest = at_least(rest, 1, "The count of frames")[0], rest[1:]
    count, padding = head & 0x3F, 0
    if not count:
        raise _bad("a packet has a frame at least")
    if head & 0x40:
        more = 255
        while more == 255:
            more, rest = at_least(rest, 1, "Padding")[0], rest[1:]
            padding += min(more, 254)
    sizes: list[int] = []
    if head & 0x80:
        for _ in range(count - 1):
            size, rest = _length(rest)
            sizes.append(size)
    last = len(rest) - padding - sum(sizes)
    if last < 0:
        raise _bad("frames are longer than the packet")
    if not head & 0x80:
        if last % count:
            raise _bad("frames of one length do not fill it")
        sizes, last = [last // count] * (count - 1), last // count
    frames: list[bytes] = []
    for size in (*sizes, last):
        frames.append(rest[:size])
        rest = rest[size:]
    return frames


def _length(rest: bytes) -> tuple[int, bytes]:
    """The length of a frame (clause 3.2.1), and what follows it."""
    first = at_least(rest, 1, "The length of a frame")[0]
    if first < 252:
        return first, rest[1:]
    return 4 * at_least(rest, 2, "The length of a frame")[1] + first, rest[2:]


def _bad(why: str) -> Unreadable:
    return Unreadable("radio.opus", f"This is no packet of Opus: {why}.")


def write(found: Frames) -> bytes:
    """One packet of all the frames, as short as it can be."""
    frames = found.frames
    if len(frames) == 1:
        return bytes([found.kind]) + frames[0]
    if len({len(frame) for frame in frames}) == 1:
        head = [found.kind | 1] if len(frames) == 2 else [found.kind | 3, len(frames)]
        return bytes(head) + b"".join(frames)
    sizes = b"".join(_written(len(frame)) for frame in frames[:-1])
    head = [found.kind | 2] if len(frames) == 2 else [found.kind | 3, 0x80 | len(frames)]
    return bytes(head) + sizes + b"".join(frames)


def _written(size: int) -> bytes:
    if size < 252:
        return bytes([size])
    low = 252 + (size & 3)
    return bytes([low, (size - low) >> 2])


class Reframer:
    """Packets of any length in, those that are relayed out, with their milliseconds."""

    def __init__(self) -> None:
        self._kind = 0
        self._short: list[bytes] = []

    def take(self, packet: bytes) -> list[tuple[bytes, int]]:
        """What is whole with this packet; raises :class:`Unreadable`."""
        found = read(packet)
        milliseconds, odd = divmod(found.ticks, _TICKS)
        fits = milliseconds in RELAYED_MS and not odd and len(packet) <= MOST_BYTES
        if fits and not self._short:
            return [(packet, milliseconds)]
        out: list[tuple[bytes, int]] = []
        if self._short and found.kind != self._kind:
            out += self.end()
        self._kind = found.kind
        if found.each_ticks >= _JOINED_MS * _TICKS:
            each = found.each_ticks // _TICKS
            return out + [(write(Frames(found.kind, (frame,))), each) for frame in found.frames]
        for frame in found.frames:
            self._short.append(frame)
            if len(self._short) * found.each_ticks == _JOINED_MS * _TICKS:
                out += self._joined()
        return out

    def end(self) -> list[tuple[bytes, int]]:
        """The rest of a talk, filled up with frames that a decoder takes for lost."""
        if not self._short:
            return []
        count = _JOINED_MS * _TICKS // Frames(self._kind, ()).each_ticks
        self._short += [b""] * (count - len(self._short))
        return self._joined()

    def _joined(self) -> list[tuple[bytes, int]]:
        packet = write(Frames(self._kind, tuple(self._short)))
        self._short = []
        return [(packet, _JOINED_MS)] if len(packet) <= MOST_BYTES else []
