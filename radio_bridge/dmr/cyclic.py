"""The short block codes of annex B.3: each shortened from a cyclic code, some with a parity bit.

The standard prints generator matrices. They are those of the polynomials below: a row of the matrix
is its data bit and the remainder of that bit, and in an extended code the parity of both.
"""

from __future__ import annotations

import itertools
from typing import Final

from radio_bridge.unreadable import Unreadable


class CyclicCode:
    """A systematic code: ``data`` bits, then checks, in ``length`` bits.

    It mends up to ``(distance - 1) // 2`` wrong bits; what is farther from every code word is
    refused.
    """

    def __init__(
        self, name: str, length: int, data: int, distance: int, polynomial: int, extended: bool
    ) -> None:
        self.name = name
        self.length = length
        self.data = data
        self.distance = distance
        self.mends = (distance - 1) // 2
        self._checks = length - data
        self._mask = (1 << self._checks) - 1
        self._words = [_word(value, polynomial, extended) for value in range(1 << data)]
        self._errors = self._patterns()

    def _patterns(self) -> dict[int, int]:
        """Syndromes of everything that can be mended, with the wrong bits."""
        patterns = {0: 0}
        bits = [1 << place for place in range(self.length)]
        for weight in range(1, self.mends + 1):
            for wrong in itertools.combinations(bits, weight):
                pattern = sum(wrong)
                patterns[self._syndrome(pattern)] = pattern
        return patterns

    def _syndrome(self, word: int) -> int:
        return (self._words[word >> self._checks] ^ word) & self._mask

    def encode(self, value: int) -> int:
        """The code word of so many bits of data."""
        return self._words[value]

    def is_word(self, word: int) -> bool:
        """Whether nothing is wrong with it."""
        return self._words[word >> self._checks] == word

    def nearest(self, word: int) -> int | None:
        """The code word that was sent, or none when too much of it is wrong."""
        error = self._errors.get(self._syndrome(word))
        return None if error is None else word ^ error

    def decode(self, word: int) -> int:
        """The data of a word; raises :class:`Unreadable`."""
        mended = self.nearest(word)
        if mended is None:
            raise Unreadable("dmr.fec", f"Too many bits of a {self.name} word are wrong.")
        return mended >> self._checks


def _word(value: int, polynomial: int, extended: bool) -> int:
    degree = polynomial.bit_length() - 1
    rest = value << degree
    while rest.bit_length() > degree:
        rest ^= polynomial << (rest.bit_length() - 1 - degree)
    word = value << degree | rest
    return word << 1 | (word.bit_count() & 1) if extended else word


GOLAY_20_8: Final = CyclicCode("Golay(20,8)", 20, 8, 8, 0b1100_0111_0101, extended=True)
"""Slot type; B.3.1: x¹¹+x¹⁰+x⁶+x⁵+x⁴+x²+1, with parity. the standard names it (20,8,7)."""
QR_16_7: Final = CyclicCode("QR(16,7)", 16, 7, 6, 0b1_0011_1001, extended=True)
"""Quadratic residue code of embedded signalling; B.3.2: x⁸+x⁵+x⁴+x³+1, with parity."""
HAMMING_17_12: Final = CyclicCode("Hamming(17,12)", 17, 12, 3, 0b10_0101, extended=False)
"""Short link control; B.3.3: x⁵+x²+1."""
HAMMING_16_11: Final = CyclicCode("Hamming(16,11)", 16, 11, 4, 0b1_0011, extended=True)
"""Embedded link control; B.3.4: x⁴+x+1, with parity."""
HAMMING_15_11: Final = CyclicCode("Hamming(15,11)", 15, 11, 3, 0b1_0011, extended=False)
"""Rows of BPTC(196,96); B.3.4: x⁴+x+1."""
HAMMING_13_9: Final = CyclicCode("Hamming(13,9)", 13, 9, 3, 0b1_0011, extended=False)
"""Columns of BPTC(196,96); B.3.4: x⁴+x+1."""
HAMMING_7_4: Final = CyclicCode("Hamming(7,4)", 7, 4, 3, 0b1011, extended=False)
"""The access channel; B.3.5: x³+x+1."""
