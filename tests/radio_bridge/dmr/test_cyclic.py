"""The short codes: every word, with every pattern of errors that the standard promises to mend."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from radio_bridge.dmr import cyclic
from radio_bridge.dmr.cyclic import CyclicCode
from radio_bridge.unreadable import Unreadable

CODES = [
    cyclic.GOLAY_20_8,
    cyclic.QR_16_7,
    cyclic.HAMMING_17_12,
    cyclic.HAMMING_16_11,
    cyclic.HAMMING_15_11,
    cyclic.HAMMING_13_9,
    cyclic.HAMMING_7_4,
]
every_code = pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)


def patterns(code: CyclicCode, weight: int) -> Iterator[int]:
    """Every way of having so many bits wrong."""
    for places in itertools.combinations(range(code.length), weight):
        yield sum(1 << place for place in places)


@every_code
def test_words_are_as_far_apart_as_the_standard_says(code: CyclicCode) -> None:
    # A linear code: the distance of any two words is the weight of a third.
    weights = {code.encode(value).bit_count() for value in range(1, 1 << code.data)}
    assert min(weights) == code.distance


@every_code
def test_whatever_is_promised_is_mended_in_every_word(code: CyclicCode) -> None:
    wrong = [p for weight in range(code.mends + 1) for p in patterns(code, weight)]
    for value in range(1 << code.data):
        word = code.encode(value)
        assert code.is_word(word)
        assert all(code.decode(word ^ pattern) == value for pattern in wrong)


@pytest.mark.parametrize("code", [c for c in CODES if c.distance % 2 == 0], ids=lambda c: c.name)
def test_one_wrong_bit_more_is_seen(code: CyclicCode) -> None:
    for value in (0, 1, (1 << code.data) - 1):
        word = code.encode(value)
        for pattern in patterns(code, code.mends + 1):
            with pytest.raises(Unreadable) as refused:
                code.decode(word ^ pattern)
            assert refused.value.code == "dmr.fec"


@every_code
def test_every_word_is_read_or_refused(code: CyclicCode) -> None:
    for word in range(1 << code.length):
        mended = code.nearest(word)
        assert mended is None or (mended ^ word).bit_count() <= code.mends


def test_words_of_the_printed_matrices() -> None:
    """Rows of the generator matrices in annex B.3: data 0…01."""
    assert cyclic.GOLAY_20_8.encode(1) == 0b0000_0001_1000_1110_1011
    assert cyclic.QR_16_7.encode(1) == 0b000_0001_0_0111_0011
    assert cyclic.HAMMING_17_12.encode(1) == 0b0000_0000_0001_00101
    assert cyclic.HAMMING_16_11.encode(1) == 0b000_0000_0001_00111
    assert cyclic.HAMMING_15_11.encode(1) == 0b000_0000_0001_0011
    assert cyclic.HAMMING_13_9.encode(1) == 0b0_0000_0001_0011
    assert cyclic.HAMMING_7_4.encode(1) == 0b0001_011
