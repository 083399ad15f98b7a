"""Opus packets as an Ogg file that can be written piece by piece (RFC 3533, RFC 7845). Pure.

An Ogg file is a row of pages, each with a checksum of its own, so what was written before a crash
can be played. One stream here is one talk; its times are samples at 48 kHz (RFC 7845, clause 4).

Of a packet that did not come a packet of a single byte stands in its place: a frame of no bytes
(RFC 6716, clause 3.2.1), for which a decoder puts what it puts for a lost one. So times stay right.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final

RATE_MS: Final = 48
"""Samples of a millisecond (RFC 7845, clause 4: always at 48 kHz)."""
PRE_SKIP: Final = 312
"""Samples that an encoder puts before the first one (libopus's, 6.5 ms)."""
MOST_SEGMENTS: Final = 255
"""In one page (RFC 3533, clause 6)."""
_FIRST, _LAST = 0x02, 0x04
_PAGE: Final = struct.Struct("<4sBBqIIIB")
_REVERSED: Final = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))
# SILK, narrow band, 20, 40 and 60 ms, mono, one frame (RFC 6716, clause 3.1, table 2).
_LOST: Final = {20: b"\x08", 40: b"\x10", 60: b"\x18"}


class OggOpus:
    """One file: pages in, in the order in which they are asked for."""

    def __init__(self, serial: int, tags: Sequence[tuple[str, str]]) -> None:
        """``serial``: any 32 bits. ``tags``: names in capitals, and what they say."""
        self._serial = serial
        self._number = 0
        self.samples = 0
        """How long it is by now."""
        head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, PRE_SKIP, 48_000, 0, 0)
        comments = [f"{name}={said}".encode() for name, said in tags]
        words = [b"PSN", *comments]
        sized = [struct.pack("<I", len(word)) + word for word in words]
        sized.insert(1, struct.pack("<I", len(comments)))
        self._head = self._page([head], 0, _FIRST) + self._page([b"OpusTags" + b"".join(sized)], 0)

    @property
    def head(self) -> bytes:
        """The pages that a file begins with."""
        return self._head

    def pages(self, packets: Sequence[tuple[bytes, int]], last: bool = False) -> bytes:
        """The pages of packets with their milliseconds; ``last``: the file ends with them."""
        whole: list[bytes] = []
        page: list[bytes] = []
        segments = 0
        for packet, milliseconds in packets:
            more = len(packet) // 255 + 1
            if segments + more > MOST_SEGMENTS:
                whole.append(self._page(page, self._position))
                page, segments = [], 0
            page.append(packet)
            segments += more
            self.samples += milliseconds * RATE_MS
        if page or last:
            whole.append(self._page(page, self._position, _LAST if last else 0))
        return b"".join(whole)

    @property
    def _position(self) -> int:
        return self.samples + PRE_SKIP

    def _page(self, packets: Sequence[bytes], position: int, kind: int = 0) -> bytes:
        lacing = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
        head = _PAGE.pack(b"OggS", 0, kind, position, self._serial, self._number, 0, len(lacing))
        page = bytearray(head + lacing + b"".join(packets))
        struct.pack_into("<I", page, 22, _checksum(bytes(page)))
        self._number += 1
        return bytes(page)


def lost(milliseconds: int) -> bytes:
    """The packet that stands for one that did not come; ``milliseconds``: 20, 40 or 60."""
    return _LOST[milliseconds]


def _checksum(page: bytes) -> int:
    """Ogg's CRC (RFC 3533, clause 6, field 7): zlib's of the bits in the other order.

    Both divide by 0x04C11DB7; zlib's begins with ones and ends with the complement, Ogg's does not.
    """
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")
