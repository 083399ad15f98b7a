"""The name that a talker's radio sends while he talks: a header and up to three blocks.

Clause 7.1.1 and 7.2.18 of part 2. 217 bits in all: 31 characters of 7 bits, 27 of 8, 13 of 16.
"""

from __future__ import annotations

import enum
from typing import Final

from radio_bridge.dmr.link_control import AliasPart

_HEADER_BITS: Final = 49
_BLOCK_BITS: Final = 56
_BLOCKS: Final = 3


class Format(enum.IntEnum):
    """How the characters are written."""

    ASCII_7 = 0
    LATIN_1 = 1
    UTF_8 = 2
    UTF_16 = 3


_WIDTH: Final = {Format.ASCII_7: 7, Format.LATIN_1: 8, Format.UTF_8: 8, Format.UTF_16: 16}
_CODEC: Final = {
    Format.ASCII_7: "ascii",
    Format.LATIN_1: "latin-1",
    Format.UTF_8: "utf-8",
    Format.UTF_16: "utf-16-be",
}
_MOST: Final = {Format.ASCII_7: 31, Format.LATIN_1: 27, Format.UTF_8: 27, Format.UTF_16: 13}


class Reader:
    """Joins parts as they come, in any order and as often as they are said."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}

    def take(self, part: AliasPart) -> str | None:
        """The name, as soon as all of it was heard; none before."""
        if part.number == 0 and self._parts.get(0, part.content) != part.content:
            self._parts.clear()
        self._parts[part.number] = part.content
        header = self._parts.get(0)
        if header is None:
            return None
        form, length = Format(header[0] >> 6), header[0] >> 1 & 0x1F
        needed = max(0, -(-(_WIDTH[form] * length - _first_bits(form)) // _BLOCK_BITS))
        if needed > _BLOCKS or any(number not in self._parts for number in range(1, needed + 1)):
            return None
        return _text(form, length, header, [self._parts[n] for n in range(1, needed + 1)])


def _first_bits(form: Format) -> int:
    """Bits of text in the header: the odd one is used by characters of seven bits only."""
    return _HEADER_BITS if form == Format.ASCII_7 else _HEADER_BITS - 1


def _text(form: Format, length: int, header: bytes, blocks: list[bytes]) -> str:
    bits = int.from_bytes(header) & ((1 << _first_bits(form)) - 1)
    for block in blocks:
        bits = bits << _BLOCK_BITS | int.from_bytes(block)
    total, width = _first_bits(form) + _BLOCK_BITS * len(blocks), _WIDTH[form]
    bits >>= total - width * length
    if form == Format.ASCII_7:
        codes = bytes(bits >> width * n & 0x7F for n in range(length - 1, -1, -1))
    else:
        codes = bits.to_bytes(width * length // 8)
    return shown(codes.decode(_CODEC[form], "replace"))


def shown(name: str) -> str:
    """What of a name can be shown."""
    return "".join(character for character in name if character.isprintable()).strip()


def write(name: str) -> list[AliasPart]:
    """The parts of a name, cut to what fits; Latin-1 where that can say it, as most radios read it.

    Raises ``ValueError`` for one of which nothing is left.
    """
    name = shown(name)
    if not name:
        raise ValueError("There is nothing in this name that a radio could show.")
    form = _form(name)
    width = _WIDTH[form]
    if form == Format.ASCII_7:
        name = name[: _MOST[form]]
        length, bits = len(name), 0
        for character in name:
            bits = bits << width | ord(character)
    else:
        codes = _cut(name, form)
        length, bits = len(codes) * 8 // width, int.from_bytes(codes)
    blocks = max(0, -(-(width * length - _first_bits(form)) // _BLOCK_BITS))
    total = _first_bits(form) + _BLOCK_BITS * blocks
    bits = bits << total - width * length | (form << 6 | length << 1) << 48 + _BLOCK_BITS * blocks
    content = bits.to_bytes(7 * (blocks + 1))
    return [AliasPart(n, content[7 * n : 7 * n + 7]) for n in range(blocks + 1)]


def _form(name: str) -> Format:
    if name.isascii() and len(name) > _MOST[Format.LATIN_1]:
        return Format.ASCII_7
    try:
        name.encode("latin-1")
    except UnicodeEncodeError:
        return Format.UTF_16
    return Format.LATIN_1


def _cut(name: str, form: Format) -> bytes:
    """As many whole characters as fit."""
    codes = name.encode(_CODEC[form], "replace")[: _MOST[form] * _WIDTH[form] // 8]
    return codes.decode(_CODEC[form], "ignore").encode(_CODEC[form])
