"""Block product turbo codes: (196,96) of most bursts (B.1.1) and (128,72) of embedded LC (B.2.1).

Both write their bits into a table and protect rows and columns; errors that are too many for a row
are few for each column, so both are mended in turn until nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from radio_bridge.dmr.cyclic import HAMMING_13_9, HAMMING_15_11, HAMMING_16_11
from radio_bridge.unreadable import Unreadable

_ROWS: Final = 13
_COLUMNS: Final = 15
_DATA_ROWS: Final = 9
_BITS: Final = 196
_ROUNDS: Final = 6

# B.1.1: bit i of the table is sent as bit 181·i mod 196; bit 0, R(3), is in no row.
_SENT: Final = [i * 181 % _BITS for i in range(_BITS)]
_GATHER: Final = itemgetter(*_SENT)
_SCATTER: Final = itemgetter(*(_SENT.index(place) for place in range(_BITS)))
_TURN: Final = itemgetter(*(r * _COLUMNS + c for c in range(_COLUMNS) for r in range(_ROWS)))
_TURN_BACK: Final = itemgetter(*(c * _ROWS + r for r in range(_ROWS) for c in range(_COLUMNS)))


def encode_196(data: int) -> int:
    """96 bits of data as the 196 bits that are sent."""
    # The first row holds the reserved bits R(2), R(1), R(0), then 8 bits of data.
    rows = [data >> 88]
    rows += [data >> shift & 0x7FF for shift in range(77, -1, -11)]
    table = [HAMMING_15_11.encode(row) for row in rows] + [0] * (_ROWS - _DATA_ROWS)
    columns = [HAMMING_13_9.encode(column >> 4) for column in _turned(table)]
    bits = "0" + _joined(_turned_back(columns), _COLUMNS)
    return int("".join(_SCATTER(bits)), 2)


def decode_196(sent: int) -> int:
    """The 96 bits of data; mends four wrong bits anywhere and most bursts of many more.

    Raises :class:`Unreadable` when rows and columns cannot be made to agree.
    """
    bits = "".join(_GATHER(format(sent, "0196b")))[1:]
    table = [int(bits[i : i + _COLUMNS], 2) for i in range(0, _ROWS * _COLUMNS, _COLUMNS)]
    if not _is_whole(table):
        table = _mended(table)
    data = table[0] >> 4 & 0xFF
    for row in table[1:_DATA_ROWS]:
        data = data << 11 | row >> 4
    return data


def _mended(table: list[int]) -> list[int]:
    """The nearest of the tables that rows first, columns first and crossings first lead to."""
    candidates = []
    crossed = _crossed(table)
    for start in (_rows_mended(table), table, *([crossed] if crossed else [])):
        found = _settled(start)
        if found is not None:
            candidates.append((_distance(found, table), found))
    if not candidates:
        raise Unreadable("dmr.fec", "Too many bits of a BPTC(196,96) block are wrong.")
    return min(candidates)[1]


def _settled(table: list[int]) -> list[int] | None:
    for _ in range(_ROUNDS):
        columns = [_nearest_13(column) for column in _turned(table)]
        table = _rows_mended(_turned_back(columns))
        if _is_whole(table):
            return table
    return None


def _crossed(table: list[int]) -> list[int] | None:
    """The table with every crossing of a wrong row and a wrong column turned over.

    Four errors at the corners of a rectangle look like one error elsewhere to each row and column.
    """
    rows = [place for place, row in enumerate(table) if not HAMMING_15_11.is_word(row)]
    columns = [p for p, column in enumerate(_turned(table)) if not HAMMING_13_9.is_word(column)]
    if len(rows) * len(columns) > 4:
        return None
    flips = sum(1 << (_COLUMNS - 1 - place) for place in columns)
    return [row ^ flips if place in rows else row for place, row in enumerate(table)]


def _is_whole(table: Sequence[int]) -> bool:
    return all(map(HAMMING_15_11.is_word, table)) and all(map(HAMMING_13_9.is_word, _turned(table)))


def _rows_mended(table: Sequence[int]) -> list[int]:
    mended = map(HAMMING_15_11.nearest, table)
    return [row if good is None else good for row, good in zip(table, mended, strict=True)]


def _nearest_13(column: int) -> int:
    mended = HAMMING_13_9.nearest(column)
    return column if mended is None else mended


def _distance(left: Sequence[int], right: Sequence[int]) -> int:
    return sum((a ^ b).bit_count() for a, b in zip(left, right, strict=True))


def _joined(words: Sequence[int], width: int) -> str:
    return "".join(format(word, f"0{width}b") for word in words)


def _turned(table: Sequence[int]) -> list[int]:
    bits = "".join(_TURN(_joined(table, _COLUMNS)))
    return [int(bits[i : i + _ROWS], 2) for i in range(0, _ROWS * _COLUMNS, _ROWS)]


def _turned_back(columns: Sequence[int]) -> list[int]:
    bits = "".join(_TURN_BACK(_joined(columns, _ROWS)))
    return [int(bits[i : i + _COLUMNS], 2) for i in range(0, _ROWS * _COLUMNS, _COLUMNS)]


_EMBEDDED_ROWS: Final = 8
_EMBEDDED_COLUMNS: Final = 16
# B.2.1: sent column by column.
_BY_COLUMN: Final = itemgetter(
    *(r * _EMBEDDED_COLUMNS + c for c in range(_EMBEDDED_COLUMNS) for r in range(_EMBEDDED_ROWS))
)
_BY_ROW: Final = itemgetter(
    *(c * _EMBEDDED_ROWS + r for r in range(_EMBEDDED_ROWS) for c in range(_EMBEDDED_COLUMNS))
)


def encode_128(data: int) -> int:
    """77 bits (72 of link control and 5 of its checksum, already in place) as the 128 sent."""
    rows = [HAMMING_16_11.encode(data >> shift & 0x7FF) for shift in range(66, -1, -11)]
    parity = 0
    for row in rows:
        parity ^= row
    return int("".join(_BY_COLUMN(_joined([*rows, parity], _EMBEDDED_COLUMNS))), 2)


def decode_128(sent: int) -> int:
    """The 77 bits of data; raises :class:`Unreadable`.

    Each row mends one wrong bit and sees two; where only one row has two, the parity of the
    columns says which they are.
    """
    bits = "".join(_BY_ROW(format(sent, "0128b")))
    rows = [int(bits[i : i + _EMBEDDED_COLUMNS], 2) for i in range(0, 128, _EMBEDDED_COLUMNS)]
    parity = rows.pop()
    mended = list(map(HAMMING_16_11.nearest, rows))
    lost = [place for place, row in enumerate(mended) if row is None]
    if len(lost) == 1:
        row = parity
        for good in mended:
            row ^= good or 0
        mended[lost[0]] = HAMMING_16_11.nearest(row)
    data = 0
    for good in mended:
        if good is None:
            raise Unreadable("dmr.fec", "Too many bits of an embedded link control are wrong.")
        data = data << 11 | good >> 5
    return data
