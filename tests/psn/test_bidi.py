"""Nothing that people write turns the words around it; nothing else of it is changed."""

from __future__ import annotations

import json
from uuid import UUID

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from psn import wire
from psn.wire import MSGPACK, FrameRefused
from psn.wire.bidi import CONTROLS, without_controls
from psn.wire.values import Secret

LETTERS = st.text(st.characters(exclude_characters=[chr(code) for code in CONTROLS]))
TURN = "".join(map(chr, CONTROLS))
BACKWARDS = "BZ-C \u202e4321\u202c"
HONEST = [
    "حادث سير في شارع الملك",
    "תאונה ברחוב המלך 12, Belize City",
    "שלום\u200f!",  # a mark is no control: it turns nothing but what is written with it
    "👩‍🚒👨‍👩‍👧 🏴\U000e0067\U000e0062\U000e007f ❤️",
    "Güiñazú \u200bx",
]


class Body(Struct):
    title: str
    password: Secret | None = None
    lines: list[str] = []
    more: dict[str, str] = {}


@given(LETTERS)
def test_what_has_no_controls_is_the_very_same(text: str) -> None:
    body = Body(text, text, [text], {"a": text})
    assert without_controls(body) is body


@pytest.mark.parametrize("text", HONEST)
def test_text_of_other_directions_and_joined_signs_stay_as_they_are_typed(text: str) -> None:
    assert without_controls(text) == text


@given(st.lists(LETTERS, min_size=1))
def test_controls_are_taken_out_wherever_they_stand(parts: list[str]) -> None:
    turned, plain = TURN.join(["", *parts]), "".join(parts)
    assert without_controls(Body(turned, None, [turned], {"a": turned})) == Body(
        plain, None, [plain], {"a": plain}
    )


def test_a_secret_is_what_it_is() -> None:
    assert without_controls(Body(BACKWARDS, BACKWARDS)) == Body("BZ-C 4321", BACKWARDS)


@pytest.mark.parametrize("text", [BACKWARDS, *HONEST])
def test_a_message_and_the_name_of_a_unit_are_kept_without_them(text: str) -> None:
    plain = text.translate(dict.fromkeys(CONTROLS))
    said = {"t": "message", "id": str(UUID(int=1)), "to": ["unit:7"], "text": text}
    frames = (MSGPACK.decode_client(msgpack.packb(said)), wire.JSON.decode_client(json.dumps(said)))
    for frame in frames:
        assert isinstance(frame, wire.Message) and frame.text == plain
    unit = {"key": "mmsi:312", "callsign": text, "kind": "ship"}
    frame = MSGPACK.decode_client(msgpack.packb({"t": "announce", "n": 1, "units": [unit]}))
    assert isinstance(frame, wire.Announce) and frame.units[0].callsign == plain


def test_a_text_of_nothing_else_is_empty() -> None:
    said = {"t": "message", "id": str(UUID(int=1)), "to": ["unit:7"], "text": TURN}
    with pytest.raises(FrameRefused, match="is empty"):
        MSGPACK.decode_client(msgpack.packb(said))


def test_what_a_frame_carries_is_read_without_them() -> None:
    carried = msgspec.Raw(msgspec.msgpack.encode({"title": BACKWARDS, "lines": [BACKWARDS]}))
    assert MSGPACK.decode_part(carried, Body) == Body("BZ-C 4321", None, ["BZ-C 4321"])
