"""BPTC, Reed-Solomon, trellis: what is wrong is mended as promised, refused, or seen afterwards."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio_bridge.dmr import bptc, checks, reed_solomon, trellis
from radio_bridge.unreadable import Unreadable

words_96 = st.integers(0, 2**96 - 1)
words_144 = st.integers(0, 2**144 - 1)


def flipped(word: int, places: list[int] | tuple[int, ...]) -> int:
    """The word with those bits turned over."""
    for place in places:
        word ^= 1 << place
    return word


def placed(row: int, column: int) -> int:
    """Where a bit of the table of BPTC(196,96) is sent, from the last bit: B.1.1."""
    return 195 - (row * 15 + column + 1) * 181 % 196


@given(words_96, st.lists(st.integers(0, 195), max_size=4, unique=True))
@settings(max_examples=300)
def test_four_wrong_bits_anywhere_are_mended(data: int, wrong: list[int]) -> None:
    assert bptc.decode_196(flipped(bptc.encode_196(data), wrong)) == data


def test_every_single_wrong_bit_is_mended() -> None:
    sent = bptc.encode_196(0x123456789ABCDEF012345678)
    for place in range(196):
        assert bptc.decode_196(sent ^ 1 << place) == 0x123456789ABCDEF012345678


def test_the_corners_of_rectangles_are_mended() -> None:
    """Four errors that look like one error elsewhere to every row and column."""
    sent, drawn = bptc.encode_196(2**96 - 3), random.Random(4)
    for _ in range(300):
        rows, columns = drawn.sample(range(13), 2), drawn.sample(range(15), 2)
        corners = [placed(row, column) for row in rows for column in columns]
        assert bptc.decode_196(flipped(sent, corners)) == 2**96 - 3


def test_a_burst_of_noise_is_mended() -> None:
    """Bits that follow each other are spread over the table."""
    sent = bptc.encode_196(0xFEDCBA9876543210FEDCBA98)
    for start in range(196 - 8):
        noise = flipped(sent, list(range(start, start + 8)))
        assert bptc.decode_196(noise) == 0xFEDCBA9876543210FEDCBA98


@given(st.integers(0, 2**196 - 1))
def test_any_196_bits_are_read_or_refused(sent: int) -> None:
    try:
        assert 0 <= bptc.decode_196(sent) < 2**96
    except Unreadable as refused:
        assert refused.code == "dmr.fec"


@given(st.integers(0, 2**77 - 1), st.data())
def test_embedded_words_mend_a_bit_in_every_row(data: int, drawn: st.DataObject) -> None:
    sent = bptc.encode_128(data)
    # Sent by columns of eight, the first row first.
    wrong = [127 - (8 * drawn.draw(st.integers(0, 15)) + row) for row in range(7)]
    assert bptc.decode_128(flipped(sent, wrong)) == data


def test_two_wrong_bits_in_one_row_are_mended_by_the_columns() -> None:
    data = 0x1_2345_6789_ABCD_EF01_234
    sent = bptc.encode_128(data)
    for row, pair in itertools.product(range(7), itertools.combinations(range(16), 2)):
        wrong = [127 - (8 * column + row) for column in pair]
        assert bptc.decode_128(flipped(sent, wrong)) == data


def test_two_wrong_bits_in_two_rows_are_refused() -> None:
    sent = bptc.encode_128(77)
    wrong = [127 - (8 * column + row) for column in (3, 9) for row in (1, 5)]
    with pytest.raises(Unreadable):
        bptc.decode_128(flipped(sent, wrong))


@given(st.integers(0, 2**128 - 1))
def test_any_128_bits_are_read_or_refused(sent: int) -> None:
    try:
        assert 0 <= bptc.decode_128(sent) < 2**77
    except Unreadable as refused:
        assert refused.code == "dmr.fec"


def test_every_wrong_byte_of_link_control_is_mended() -> None:
    data = bytes.fromhex("000020000065001234")
    word = reed_solomon.encode(data, checks.VOICE_HEADER_MASK)
    for place in range(12):
        for error in range(256):
            wrong = bytearray(word)
            wrong[place] ^= error
            assert reed_solomon.decode(bytes(wrong), checks.VOICE_HEADER_MASK) == data


def test_two_wrong_bytes_are_never_taken_for_none() -> None:
    """The distance is four: two errors are refused, or mended to something that differs."""
    data, drawn = bytes(range(9)), random.Random(2)
    word = reed_solomon.encode(data, checks.TERMINATOR_MASK)
    refused = 0
    for _ in range(2_000):
        wrong = bytearray(word)
        for place in drawn.sample(range(12), 2):
            wrong[place] ^= drawn.randrange(1, 256)
        try:
            found = reed_solomon.decode(bytes(wrong), checks.TERMINATOR_MASK)
        except Unreadable:
            refused += 1
        else:
            # It is then another word, three bytes from what was sent, one from what came.
            again = reed_solomon.encode(found, checks.TERMINATOR_MASK)
            assert sum(a != b for a, b in zip(again, wrong, strict=True)) == 1
            assert found != data
    # Of words with two wrong bytes, few are one byte from another word: 12 · 255 of 2²⁴ / 2⁸.
    assert refused > 1_850


def test_a_header_is_no_terminator() -> None:
    word = reed_solomon.encode(bytes(9), checks.VOICE_HEADER_MASK)
    with pytest.raises(Unreadable):
        reed_solomon.decode(word, checks.TERMINATOR_MASK)


@given(words_144, st.integers(0, 195))
def test_a_wrong_bit_of_rate_3_4_is_mended(data: int, place: int) -> None:
    sent = trellis.encode(data)
    assert trellis.decode(sent) == data
    assert trellis.decode(sent ^ 1 << place) == data


def test_most_pairs_of_wrong_bits_of_rate_3_4_are_mended() -> None:
    data, drawn = 0x0123456789ABCDEF0123456789ABCDEF0123, random.Random(3)
    sent = trellis.encode(data)
    pairs = [drawn.sample(range(196), 2) for _ in range(500)]
    assert sum(trellis.decode(flipped(sent, pair)) == data for pair in pairs) > 440


@given(st.integers(0, 2**196 - 1))
def test_any_rate_3_4_block_is_near_another_or_refused(sent: int) -> None:
    try:
        found = trellis.decode(sent)
    except Unreadable as refused:
        assert refused.code == "dmr.fec"
    else:
        assert (trellis.encode(found) ^ sent).bit_count() <= 8


@given(st.binary(min_size=10, max_size=10), st.integers(0, 79))
def test_checksums_see_every_wrong_bit(data: bytes, place: int) -> None:
    wrong = (int.from_bytes(data) ^ 1 << place).to_bytes(10)
    for mask in (checks.Mask.CONTROL_BLOCK, checks.Mask.DATA_HEADER):
        assert checks.crc_16(data, mask) != checks.crc_16(wrong, mask)
    rate = checks.Mask.RATE_1_2
    assert checks.crc_9(data, 3, rate) not in (
        checks.crc_9(wrong, 3, rate),
        checks.crc_9(data, 4, rate),
    )
    assert checks.crc_32(data) != checks.crc_32(wrong)
