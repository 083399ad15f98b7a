"""Texts and positions of Hytera's radios: as recorded, written again, and whatever else comes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_frames import frames

from radio_bridge import hytera
from radio_bridge.hytera import Kind, Message
from radio_bridge.unreadable import Unreadable


def test_recorded_texts() -> None:
    recorded = [bytes.fromhex(line) for line in frames("hytera")["tmp_hex"]]
    read = [hytera.read_text(data) for data in recorded]
    assert read == [
        Message(Kind.TO_RADIO, 1, 0x03640E, 0x01B207, "OLIVER TEST"),
        Message(Kind.TO_RADIO_ARRIVED, 1, 0x030000, 0x01B207),
        Message(Kind.TO_RADIO_ARRIVED, 2, 0x030000, 0x01B207),  # with an option
    ]
    assert [hytera.write_text(message) for message in read[:2]] == recorded[:2]


def test_recorded_positions() -> None:
    first, second = (
        hytera.read_location(bytes.fromhex(line)) for line in frames("hytera")["lp_hex"]
    )
    assert first.source == 0x2110DD
    assert (first.latitude, first.longitude) == pytest.approx(
        (47 + 18.8051 / 60, 18 + 54.4387 / 60)
    )
    assert first.time == datetime(2015, 10, 26, 18, 36, 48, tzinfo=UTC)
    assert first.course_deg == 121
    assert (second.source, second.time, second.course_deg) == (2308091, None, None)


numbers = st.integers(0, 2**24 - 1)


@given(
    st.sampled_from(Kind),
    st.integers(0, 2**32 - 1),
    numbers,
    numbers,
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"]), max_size=200),
    st.integers(0, 255),
)
def test_texts(kind: Kind, number: int, source: int, target: int, words: str, failure: int) -> None:
    arrived = kind in (Kind.TO_RADIO_ARRIVED, Kind.TO_GROUP_ARRIVED)
    message = Message(
        kind, number, source, target, "" if arrived else words, failure if arrived else 0
    )
    assert hytera.read_text(hytera.write_text(message)) == message


def report(place: bytes) -> bytes:
    """A location report around forty bytes."""
    content = (1).to_bytes(4) + bytes([10, 0, 27, 89]) + bytes(2) + place
    body = b"\xa0\x02" + len(content).to_bytes(2) + content
    return b"\x08" + body + bytes([(0x32 - sum(body)) & 0xFF, 3])


def test_west_of_greenwich_by_hand() -> None:
    read = hytera.read_location(report(b"A120000010126N1715.0000W08830.00000.5090"))
    assert (read.longitude, read.latitude, read.source) == (-88.5, 17.25, 7001)


@pytest.mark.parametrize(
    "place",
    [
        b"V120000010126N1715.0000W08830.00000.5090",
        b"A120000010126N9915.0000W08830.00000.5090",
        bytes(40),
    ],
)
def test_a_radio_that_does_not_know_is_refused(place: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        hytera.read_location(report(place))
    assert refused.value.code == "radio.location"


@given(st.integers(0, 8 * 30 - 1))
def test_a_wrong_bit_is_seen(place: int) -> None:
    data = hytera.write_text(Message(Kind.TO_GROUP, 1, 7001, 91, "ven"))
    wrong = bytearray(data)
    wrong[place // 8 % len(data)] ^= 1 << place % 8
    with pytest.raises(Unreadable):
        hytera.read_text(bytes(wrong))


@given(st.binary(max_size=80), st.binary(min_size=40, max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes, place: bytes) -> None:
    for read, sent in (
        (hytera.read_text, data),
        (hytera.read_location, data),
        (hytera.read_location, report(place)),
        (hytera.read_location, report(b"A" + place[1:])),
    ):
        try:
            read(sent)
        except Unreadable as refused:
            assert refused.code.startswith("radio.")
