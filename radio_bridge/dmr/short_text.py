"""Text as the standard has it: short data (9.2.12, 9.3.38), and UTF-16 at port 5016 (part 3).

Formats that are no text (binary, BCD) are refused.
"""

from __future__ import annotations

from typing import Final

from radio_bridge.dmr.data_header import ShortData
from radio_bridge.dmr.packet import Packet
from radio_bridge.unreadable import Unreadable

PORT: Final = 5016
ASCII_7: Final = 2
UTF_16_BE: Final = 20
MOST_CHARACTERS: Final = 1_000
"""Of any text; radios take far fewer."""
_LATIN: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)
_CODECS: Final = {
    **{3 + place: f"iso8859-{part}" for place, part in enumerate(_LATIN)},
    18: "utf-8", 19: "utf-16-be", 20: "utf-16-be", 21: "utf-16-le",
    22: "utf-32-be", 23: "utf-32-be", 24: "utf-32-le",
}  # fmt: skip
"""Defined data formats. UTF-16 and -32 without a mark of their order are big-endian (RFC 2781)."""
_MARKED: Final = {19: ("utf-16", (b"\xfe\xff", b"\xff\xfe")),
                  22: ("utf-32", (b"\0\0\xfe\xff", b"\xff\xfe\0\0"))}  # fmt: skip


def read(packet: Packet) -> str:
    """The text of short data; raises :class:`Unreadable`."""
    header, payload = packet.header, packet.payload
    if not isinstance(header, ShortData):
        raise Unreadable("radio.text", "This packet is no short data of a defined format.")
    if header.coding == ASCII_7:
        return _shown(_seven_bits(payload, header.padding_bits % 8))
    marked = _MARKED.get(header.coding)
    if marked and payload.startswith(marked[1]):
        return _shown(payload.decode(marked[0], "replace"))
    codec = _CODECS.get(header.coding)
    if codec is None:
        raise Unreadable("radio.text", f"Short data of format {header.coding} is no text.")
    return _shown(payload.decode(codec, "replace"))


def _seven_bits(payload: bytes, padding: int) -> str:
    bits = int.from_bytes(payload) >> padding
    count = max(0, len(payload) * 8 - padding) // 7
    return bytes(bits >> 7 * place & 0x7F for place in range(count - 1, -1, -1)).decode("ascii")


def _shown(text: str) -> str:
    return text[:MOST_CHARACTERS].strip("\0\r\n ")


def read_datagram(payload: bytes) -> str:
    """The text of a datagram to port 5016."""
    return _shown(payload.decode("utf-16-be", "replace"))


def write(text: str) -> bytes:
    """The text, as either has it in UTF-16BE; cut to what may be."""
    return text[:MOST_CHARACTERS].encode("utf-16-be", "replace")
