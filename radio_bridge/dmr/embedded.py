"""Link control that comes in four pieces while somebody talks: clause 7.1.2 and B.2.1."""

from __future__ import annotations

from typing import Final

from radio_bridge.dmr import bptc, checks, link_control
from radio_bridge.dmr.burst import Embedded, Piece
from radio_bridge.dmr.link_control import LinkControl
from radio_bridge.unreadable import Unreadable

PIECES: Final = 4
ORDER: Final = (Piece.FIRST, Piece.CONTINUED, Piece.CONTINUED, Piece.LAST)
_CHECKED_ROWS: Final = (4, 3, 2, 1, 0)
"""From the last row up: rows that end in a bit of the checksum, its lowest bit in the last."""


def pieces(control: LinkControl) -> list[int]:
    """The four pieces of 32 bits."""
    content = link_control.write(control)
    bits, checksum = int.from_bytes(content), checks.checksum_5(content)
    data = bits >> 50
    for row in _CHECKED_ROWS:
        data = data << 11 | (bits >> 10 * row & 0x3FF) << 1 | checksum >> row & 1
    sent = bptc.encode_128(data)
    return [sent >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0)]


def joined(four: list[int]) -> LinkControl:
    """Link control out of its four pieces; raises :class:`Unreadable`."""
    sent = 0
    for piece in four:
        sent = sent << 32 | piece
    data = bptc.decode_128(sent)
    bits, checksum = data >> 55, 0
    for row in _CHECKED_ROWS:
        word = data >> 11 * row & 0x7FF
        bits = bits << 10 | word >> 1
        checksum = checksum << 1 | word & 1
    content = bits.to_bytes(link_control.LENGTH)
    if checks.checksum_5(content) != checksum:
        raise Unreadable("dmr.crc", "The checksum of an embedded link control does not match.")
    return link_control.read(content)


class Reader:
    """Waits for four pieces in a row; a lost or strange one begins it anew."""

    def __init__(self) -> None:
        self._pieces: list[int] = []

    def take(self, embedded: Embedded) -> LinkControl | None:
        """Link control, with the last of its pieces; raises :class:`Unreadable`."""
        if embedded.piece == Piece.FIRST:
            self._pieces.clear()
        if embedded.piece != ORDER[len(self._pieces)]:
            self._pieces.clear()
            return None
        self._pieces.append(embedded.content)
        if len(self._pieces) < PIECES:
            return None
        four, self._pieces = self._pieces, []
        return joined(four)

    def lost(self) -> None:
        """A burst is missing."""
        self._pieces.clear()
