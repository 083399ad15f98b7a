"""How many short messages a text takes, and that no part is longer than a message."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.sms import short_messages
from dispatch.sms.short_messages import Coding

GSM = sorted(short_messages._CODES)


@pytest.mark.parametrize(
    ("text", "coding", "lengths", "left"),
    [
        ("", Coding.GSM_7, [0], 160),
        ("a" * 160, Coding.GSM_7, [160], 0),
        ("a" * 161, Coding.GSM_7, [153, 8], 145),
        ("a" * 306, Coding.GSM_7, [153, 153], 0),
        ("a" * 307, Coding.GSM_7, [153, 153, 1], 152),
        ("€" * 80, Coding.GSM_7, [80], 0),
        ("€" * 81, Coding.GSM_7, [76, 5], 143),  # 153 is odd: no character is parted
        ("a" * 152 + "€" + "a" * 100, Coding.GSM_7, [152, 101], 51),
        ("ñéüÑ¿¡@_", Coding.GSM_7, [8], 152),
        ("á", Coding.UCS_2, [1], 69),
        ("á" * 70, Coding.UCS_2, [70], 0),
        ("á" * 71, Coding.UCS_2, [67, 4], 63),
        ("á" * 66 + "🌀" + "á" * 10, Coding.UCS_2, [66, 11], 55),  # a pair is not parted
        ("x" * 66 + "e\u0301" + "á", Coding.UCS_2, [69], 1),
        ("x" * 66 + "e\u0301" + "á" * 9, Coding.UCS_2, [66, 11], 56),  # nor a mark from its letter
    ],
)
def test_a_text_is_parted_as_the_standard_has_it(
    text: str, coding: Coding, lengths: list[int], left: int
) -> None:
    """DOM-WRN-19."""
    found = short_messages.measure(text)
    assert found.coding is coding
    assert [len(part) for part in found.parts] == lengths
    assert found.left == left


def test_a_reference_of_two_octets_leaves_one_character_less() -> None:
    assert [len(part) for part in short_messages.measure("a" * 160 + "b", True).parts] == [152, 9]
    assert [len(part) for part in short_messages.measure("á" * 71, True).parts] == [66, 5]


@given(st.text(st.sampled_from(GSM), max_size=700) | st.text(max_size=400), st.booleans())
def test_nothing_is_lost_and_every_part_fits(text: str, wide: bool) -> None:
    """DOM-WRN-19."""
    found = short_messages.measure(text, wide)
    assert "".join(found.parts) == text
    header = 0 if len(found.parts) == 1 else 7 if wide else 6
    for part in found.parts:
        octets = short_messages.encode(part, found.coding)
        if found.coding is Coding.GSM_7:
            assert header * 8 // 7 + (header * 8 % 7 > 0) + len(octets) <= 160
            assert not octets.endswith(b"\x1b")
        else:
            assert header + len(octets) <= short_messages.OCTETS
            assert not 0xD8 <= (octets[-2] if octets else 0) <= 0xDB or part[-1] >= "\ud800"
    assert found.units == sum(
        len(short_messages.encode(part, found.coding)) // (1 if found.coding is Coding.GSM_7 else 2)
        for part in found.parts
    )
    assert all(found.parts) or text == ""


@given(st.text(st.sampled_from(GSM), max_size=400))
def test_no_text_is_parted_more_often_than_it_must_be(text: str) -> None:
    found = short_messages.measure(text)
    for part, after in zip(found.parts, found.parts[1:], strict=False):
        taken = len(short_messages.encode(part, Coding.GSM_7)) + len(
            short_messages.encode(after[0], Coding.GSM_7)
        )
        assert taken > 153


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert short_messages.encode("@£$\n\r _ ABC abc à", Coding.GSM_7) == (
        b"\x00\x01\x02\n\r \x11 ABC abc \x7f"
    )
    assert short_messages.encode("^{}\\[~]|€", Coding.GSM_7).hex() == (
        "1b141b281b291b2f1b3c1b3d1b3e1b401b65"
    )  # fmt: skip
    assert short_messages.encode("ÄÖÑÜ§¿äöñüà", Coding.GSM_7).hex() == "5b5c5d5e5f607b7c7d7e7f"
    assert len(short_messages._BASIC) == 128
    with pytest.raises(ValueError, match="no character"):
        short_messages.encode("á", Coding.GSM_7)


def test_spanish_can_be_said_in_plain_letters() -> None:
    """DOM-WRN-20."""
    said = "Huracán: permanezca aquí – “Señal” ¿qué? ñandú…"
    assert short_messages.measure(said).coding is Coding.UCS_2
    assert short_messages.plainer(said) == 'Huracan: permanezca aqui - "Señal" ¿qué? ñandu...'
    assert short_messages.measure(short_messages.plainer(said)).coding is Coding.GSM_7


@given(st.text())
def test_plain_letters_stay_plain_and_readable(text: str) -> None:
    once = short_messages.plainer(text)
    assert short_messages.plainer(once) == once
    if all(each in short_messages._CODES for each in text):
        assert once == text
    for each in text:
        if unicodedata.category(each) == "Lu" and each not in short_messages._CODES:
            assert short_messages.plainer(each) != ""
