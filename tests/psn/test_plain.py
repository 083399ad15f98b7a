"""What is wrong with a value is said in words that anybody understands."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from psn.wire.plain import MOST_SAID, sentence


class Place(Struct, frozen=True):
    lon: Annotated[int, Meta(ge=-10, le=10)] = 0

    def __post_init__(self) -> None:
        if self.lon == 7:
            raise ValueError("seven is no place")


class Thing(Struct):
    title: Annotated[str, Meta(min_length=1, max_length=5, pattern=r"^\S*$")]
    kind: Literal["a", "b"] = "a"
    place: Place = Place()
    units: Annotated[list[int], Meta(min_length=1, max_length=2)] = msgspec.field(
        default_factory=lambda: [1]
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "The field title is missing."),
        ({"title": ""}, "The field title is empty."),
        ({"title": "123456"}, "The field title is too long: 5 is the most."),
        ({"title": " "}, "The field title is blank, or has characters that it cannot have."),
        ({"title": 5}, "The field title is to be text and not a whole number."),
        ({"title": "x", "kind": "owner"}, "The field kind cannot be 'owner'."),
        ({"title": "x", "place": {"lon": 11}}, "The field place.lon is too large: 10 at most."),
        ({"title": "x", "place": {"lon": -11}}, "The field place.lon is too small: -10 at least."),
        ({"title": "x", "place": {"lon": 7}}, "The field place was refused: seven is no place."),
        ({"title": "x", "units": []}, "The field units is too short: it needs 1 at least."),
        ({"title": "x", "units": None}, "The field units is to be a list and not nothing."),
        (5, "The value is to be several fields and not a whole number."),
    ],
)
def test_what_the_library_says_becomes_a_sentence(value: Any, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(msgspec.json.encode(value), type=Thing)
    assert sentence(str(refused.value)) == said


@given(st.text(max_size=5_000))
def test_whatever_it_says_is_said_shortly(said: str) -> None:
    words = sentence(said)
    assert words.startswith("The ") and len(words) <= MOST_SAID + 3
