"""Rate 3/4 trellis coding of data blocks: B.2.4, whose tables these are.

144 bits are 48 groups of three, and a last group of zeros. Each moves a machine of eight states,
whose state is the group before, and sends one of 16 points of two symbols of two bits. Any one
wrong bit can be mended, most of two, and more when they are apart; the rest is for the checksum of
the block or the packet to see.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Final

from radio_bridge.unreadable import Unreadable

_GROUPS: Final = 48
_MENDS: Final = 8
"""A block with more wrong bits is refused: noise is some 13 bits from the block nearest to it."""

# The point that is sent, by state and by the group that comes.
_POINTS: Final = (
    (0, 8, 4, 12, 2, 10, 6, 14),
    (4, 12, 2, 10, 6, 14, 0, 8),
    (1, 9, 5, 13, 3, 11, 7, 15),
    (5, 13, 3, 11, 7, 15, 1, 9),
    (3, 11, 7, 15, 1, 9, 5, 13),
    (7, 15, 1, 9, 5, 13, 3, 11),
    (2, 10, 6, 14, 0, 8, 4, 12),
    (6, 14, 0, 8, 4, 12, 2, 10),
)
# Each point as two symbols of two bits (01 is +3, 00 +1, 10 -1, 11 -3).
_SYMBOLS: Final = (
    0b0010, 0b1010, 0b0111, 0b1111, 0b1110, 0b0110, 0b1011, 0b0011,
    0b1101, 0b0101, 0b1000, 0b0000, 0b0001, 0b1001, 0b0100, 0b1100,
)  # fmt: skip
# The symbols are sent by pairs, every fourth pair after another.
_SENT: Final = [
    p + pair for pair in (0, 2, 4, 6) for b in range(0, 98 - pair, 8) for p in (b, b + 1)
]
_SCATTER: Final = itemgetter(*_SENT)
_GATHER: Final = itemgetter(*(_SENT.index(place) for place in range(98)))
_GROUP_OF: Final = [{_SYMBOLS[p]: g for g, p in enumerate(row)} for row in _POINTS]
_WEIGHTS: Final = [
    [[(_SYMBOLS[point] ^ heard).bit_count() for point in column]
     for column in zip(*_POINTS, strict=True)]
    for heard in range(16)
]  # fmt: skip
"""By the four bits that were heard and the group that would come: wrong bits, for each state."""


def encode(data: int) -> int:
    """144 bits of data as the 196 bits that are sent."""
    state, sent = 0, ""
    for shift in (*range(3 * _GROUPS - 3, -1, -3), None):
        group = 0 if shift is None else data >> shift & 7
        sent += format(_SYMBOLS[_POINTS[state][group]], "04b")
        state = group
    return int("".join(_SCATTER(_pairs(sent))), 2)


def decode(sent: int) -> int:
    """The 144 bits of the nearest block; raises :class:`Unreadable` when none is near."""
    bits = "".join(_GATHER(_pairs(format(sent, "0196b"))))
    heard = [int(bits[i : i + 4], 2) for i in range(0, len(bits), 4)]
    groups = _exact(heard) or _nearest(heard)
    data = 0
    for group in groups[:_GROUPS]:
        data = data << 3 | group
    return data


def _pairs(bits: str) -> list[str]:
    return [bits[i : i + 2] for i in range(0, len(bits), 2)]


def _exact(heard: list[int]) -> list[int] | None:
    """The groups, when nothing is wrong."""
    state, groups = 0, []
    for symbols in heard:
        group = _GROUP_OF[state].get(symbols)
        if group is None:
            return None
        groups.append(group)
        state = group
    return groups if state == 0 else None


def _nearest(heard: list[int]) -> list[int]:
    """The groups of the path with the fewest wrong bits (Viterbi)."""
    never = 4 * len(heard)
    costs = [0] + [never] * 7
    came_from: list[list[int]] = []
    for symbols in heard:
        reached, sources = [], []
        for weights in _WEIGHTS[symbols]:
            totals = [cost + weight for cost, weight in zip(costs, weights, strict=True)]
            least = min(totals)
            reached.append(least)
            sources.append(totals.index(least))
        costs = reached
        came_from.append(sources)
    if costs[0] > _MENDS:
        raise Unreadable("dmr.fec", "Too many bits of a rate 3/4 block are wrong.")
    state, groups = 0, []
    for sources in reversed(came_from):
        groups.append(state)
        state = sources[state]
    return groups[::-1]
