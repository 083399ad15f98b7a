"""Codes: typed in any way, one in the end; and pictures that say where to go."""

from __future__ import annotations

import math
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.enrolment import enrolment_code
from psn.enrolment.enrolment_code import BadCode

codes = st.text(st.sampled_from(enrolment_code.LETTERS), min_size=12, max_size=12)


def test_a_code_has_sixty_bits_and_no_letter_that_looks_like_a_digit() -> None:
    assert enrolment_code.LENGTH * math.log2(len(set(enrolment_code.LETTERS))) >= 60
    assert not set(enrolment_code.LETTERS) & set("ILOU")
    made = {enrolment_code.new(secrets.choice) for _ in range(100)}
    assert len(made) == 100
    assert enrolment_code.new(lambda letters: letters[-1]) == "Z" * 12


@given(codes, st.data())
def test_a_code_is_the_same_however_it_is_typed(code: str, data: st.DataObject) -> None:
    shown = enrolment_code.shown(code)
    assert len(shown) == 14 and shown.count("-") == 2
    typed = data.draw(st.sampled_from([shown, shown.lower(), f" {shown}\n", code]))
    typed = typed.replace("0", data.draw(st.sampled_from("0oO")))
    typed = typed.replace("1", data.draw(st.sampled_from("1iIlL")))
    typed = typed.replace("-", data.draw(st.sampled_from(["-", " ", ""])))
    assert enrolment_code.canonical(typed) == code


@given(st.text(max_size=80).filter(lambda text: len(text.strip()) != 12))
def test_any_text_is_a_code_or_refused(typed: str) -> None:
    try:
        code = enrolment_code.canonical(typed)
    except BadCode as refused:
        assert refused.code == "wrong_code"
    else:
        assert len(code) == 12 and set(code) <= set(enrolment_code.LETTERS)


@pytest.mark.parametrize(
    "typed", ["", "K7MP-3XWD-H9T", "K7MP-3XWD-H9TQQ", "K7MP-3XWD-H9TU", "K7MP_3XWD_H9TQ",
              "K7MP-3XWD-H9Tſ", "٣7MP3XWDH9TQ", "K7MP-3XWD-H9TQ" + " " * 60]
)  # fmt: skip
def test_what_nobody_was_shown_is_no_code(typed: str) -> None:
    with pytest.raises(BadCode):
        enrolment_code.canonical(typed)


@given(codes, st.sampled_from(["https://psn.example.bz", "http://[::1]:8080", "https://a/?b=c&d"]))
def test_a_picture_says_where_and_with_which_code(code: str, server: str) -> None:
    uri = enrolment_code.uri(server, code)
    assert uri.startswith("psn-enrol:?server=") and " " not in uri
    assert enrolment_code.from_uri(uri) == (server, code)


@pytest.mark.parametrize("uri", ["", "psn-enrol:", "psn-enrol:?server=x", "https://x/?code=1"])
def test_a_picture_of_something_else_is_refused(uri: str) -> None:
    with pytest.raises(BadCode):
        enrolment_code.from_uri(uri)


@given(codes, codes)
def test_the_hash_tells_codes_apart(one: str, other: str) -> None:
    assert (enrolment_code.kept(one) == enrolment_code.kept(other)) == (one == other)
    assert one.encode() not in enrolment_code.kept(one)
