"""Frames of speech: what is written is read again, and nothing else is read."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.wire.codec import WireError
from psn.wire.voice import (
    HEADER,
    MILLISECONDS,
    MOST_OPUS,
    NUMBERS,
    GroupKind,
    Speech,
    VoiceGroup,
    decode,
    is_speech,
)

speeches = st.builds(
    Speech,
    st.builds(VoiceGroup, st.sampled_from(GroupKind), st.integers(1, (1 << 30) - 1)),
    st.builds(
        "{}:{}".format,
        st.sampled_from(("person", "unit", "device", "agency")),
        st.integers(1, 2**30 - 1),
    ),
    st.integers(0, NUMBERS - 1),
    st.sampled_from(MILLISECONDS),
    st.booleans(),
    st.binary(min_size=1, max_size=MOST_OPUS),
)


@given(speeches)
def test_what_is_written_is_read_again(speech: Speech) -> None:
    data = speech.encode()
    assert is_speech(data) and len(data) == HEADER.size + len(speech.opus)
    assert decode(data) == speech
    assert VoiceGroup.of(speech.group.address) == speech.group


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_or_refused_and_what_is_read_is_what_they_say(data: bytes) -> None:
    try:
        assert decode(data).encode() == data
    except WireError as problem:
        assert problem.text and problem.code in ("malformed", "bad_field")


@given(st.binary(max_size=1_400))
def test_anything_behind_the_mark_is_read_or_refused(data: bytes) -> None:
    test_any_bytes_are_read_or_refused_and_what_is_read_is_what_they_say.hypothesis.inner_test(  # type: ignore[attr-defined]
        b"\xc1" + data
    )


@given(st.recursive(st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(), st.lists))
def test_no_messagepack_begins_like_speech(value: object) -> None:
    assert not is_speech(msgspec.msgpack.encode(value))


@pytest.mark.parametrize(
    "broken",
    [
        {"milliseconds": 10},
        {"opus": b""},
        {"opus": bytes(MOST_OPUS + 1)},
        {"talker": "group:1"},
        {"talker": "unit:x"},
        {"talker": "unit:1073741824"},
    ],
)
def test_what_no_frame_can_say_is_not_written(broken: dict[str, object]) -> None:
    speech = Speech(VoiceGroup(GroupKind.TALKGROUP, 1), "unit:7", 0, 20, False, b"x")
    with pytest.raises(ValueError, match=r".*"):
        speech._replace(**broken).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["", "group", "group:", "group:0", "unit:1", "call:٣", "a:1:2"])
def test_what_is_no_group_has_none(address: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        VoiceGroup.of(address)
