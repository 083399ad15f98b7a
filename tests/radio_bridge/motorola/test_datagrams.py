"""Texts, registrations and positions: by hand, as recorded, and whatever else comes."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_frames import frames

from radio_bridge.motorola import location, presence, text
from radio_bridge.motorola.location import Document, Location
from radio_bridge.motorola.text import Kind, Message
from radio_bridge.unreadable import Unreadable


def test_a_text_by_hand() -> None:
    """0xE0: more, answer wanted, a text; number 85 is 21 and 2 · 32; coding 4."""
    data = bytes.fromhex("000c e000 9544 61006800 6f006a00".replace(" ", ""))
    message = Message(Kind.TEXT, 85, "ahoj", answer_wanted=True)
    assert text.read(data) == message
    assert text.write(message) == data


@given(
    st.integers(0, 127),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200),
    st.booleans(),
    st.binary(max_size=3),
)
def test_texts(number: int, words: str, wanted: bool, address: bytes) -> None:
    message = Message(Kind.TEXT, number, words.strip("\r\n\0 "), wanted, address)
    assert text.read(text.write(message)) == message


@given(st.integers(0, 127))
def test_acknowledgements(number: int) -> None:
    message = Message(Kind.RECEIVED, number)
    assert text.read(text.write(message)) == message


def test_a_subject_line_before_a_text_is_no_part_of_it() -> None:
    sent = text.write(Message(Kind.TEXT, 1, "\r\nCome to the bridge"))
    assert text.read(sent).text == "Come to the bridge"


def test_recorded_texts() -> None:
    read = [text.read(bytes.fromhex(item["hex"])) for item in frames("tms")["messages"]]
    assert read == [
        Message(Kind.AVAILABLE, answer_wanted=True),
        Message(Kind.RECEIVED),
        Message(Kind.RECEIVED, 53),
        Message(Kind.TEXT, 85, "ahoj", answer_wanted=True, address=b"\x01"),
    ]


def test_recorded_registrations() -> None:
    read = [presence.read(bytes.fromhex(item["hex"])) for item in frames("ars")["messages"]]
    assert read == [
        presence.Message(presence.Kind.REGISTRATION, "11", answer_wanted=True),
        presence.Message(presence.Kind.DEREGISTRATION),
        presence.Message(presence.Kind.USER_REGISTRATION, "11", "999999999", answer_wanted=True),
        presence.Message(presence.Kind.ANSWER, value=1),
        presence.Message(presence.Kind.QUERY, answer_wanted=True),
        presence.Message(presence.Kind.ANSWER),
        presence.Message(presence.Kind.ANSWER, value=0x10),
    ]


def test_registrations_by_hand() -> None:
    assert presence.write_answer(1).hex() == "0002bf01"
    assert presence.write_query().hex() == "000174"
    refused = presence.read(bytes.fromhex("0002ff00"))
    assert refused == presence.Message(presence.Kind.ANSWER, refused=True)


def test_a_report_by_hand() -> None:
    """17.25° is 0x1887 6543 of 90° in 2³¹; -88.5° is 0xC111 1111 of 360° in 2³²."""
    data = bytes.fromhex("0d1c2204000000015118888888c111111105406c0a40562d341f4dbc7780")
    said = location.read(data)
    assert said.document == Document.TRIGGERED_REPORT
    assert said.request == b"\0\0\0\1"
    assert said.latitude == pytest.approx(17.25, abs=1e-6)
    assert said.longitude == pytest.approx(-88.5, abs=1e-6)
    assert (said.radius_m, said.speed_mps, said.course_deg) == (5.5, 10.5, 90)
    assert said.time == datetime(2003, 6, 30, 7, 30, tzinfo=UTC)


def test_requests_by_hand() -> None:
    assert location.write_request(b"\1\2\3\4").hex() == "0509220401020304515762"
    assert location.write_request(b"\1\2\3\4", 60).hex() == "090c22040102030451576234313c"
    assert location.write_stop(b"\1\2\3\4").hex() == "0f06220401020304"


@given(st.binary(min_size=1, max_size=8), st.integers(1, 2**20))
def test_requests(request: bytes, seconds: int) -> None:
    for interval in (None, seconds):
        asked = location.read(location.write_request(request, interval))
        assert (asked.request, asked.interval_s) == (request, interval)


def value(document: ElementTree.Element, name: str) -> float | None:
    found = document.find(f".//{name}")
    return None if found is None or not found.text else float(found.text)


def test_recorded_positions() -> None:
    recorded = frames("lrrp")
    pairs = [(item["hex"], item["xml"]) for item in recorded["documents"]]
    pairs += [(item["hex"], item["xml_by_ok_dmrlib"]) for item in recorded["samples_decoded"]]
    for data, xml in pairs:
        said, meant = location.read(bytes.fromhex(data)), ElementTree.fromstring(xml)
        assert said.request.hex() == (meant.findtext("request-id") or "").lower()
        for ours, theirs in (
            (said.latitude, "lat"),
            (said.longitude, "long"),
            (said.radius_m, "radius"),
            (said.altitude_m, "altitude"),
            (said.speed_mps, "speed-hor"),
            (said.climb_mps, "speed-vrt"),
            (said.interval_s, "interval"),
        ):
            expected = value(meant, theirs)
            assert (ours is None) == (expected is None)
            if ours is not None and expected is not None:
                # Theirs are rounded: the radius to two places.
                assert ours == pytest.approx(expected, abs=1e-2 if theirs == "radius" else 1e-5)
        time = meant.findtext(".//info-time")
        assert (said.time and said.time.strftime("%Y%m%d%H%M%S")) == time
    assert [location.read(bytes.fromhex(line)) for line in recorded["samples_hex"]]


def test_numbers_of_the_document() -> None:
    """As printed with the recorded ones: 0x7FFFFFFF is the pole."""
    pole = location.read(bytes.fromhex("0d09667fffffff00000000"))
    assert pole.latitude == pytest.approx(90)
    south = location.read(bytes.fromhex("0d09669888888800000000"))
    assert south.latitude == pytest.approx(-17.25, abs=1e-6)


def test_a_time_that_cannot_be_is_none() -> None:
    said = location.read(bytes.fromhex("0d06340000000000"))
    assert said == Location(Document.TRIGGERED_REPORT)


TAGS = [bytes([document]) for document in Document] + [b""]


@given(st.sampled_from(TAGS), st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tag: bytes, data: bytes) -> None:
    length = bytes([len(data)])
    for read, sent in (
        (location.read, tag + length + data),
        (location.read, tag + data),
        (text.read, b"\0" + length + data),
        (text.read, data),
        (presence.read, b"\0" + length + data),
        (presence.read, data),
    ):
        try:
            read(sent)
        except Unreadable as refused:
            assert refused.code.startswith("radio.")
