"""Text in every character set, and where a radio is, as the standard has both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.dmr import packet, position, short_text
from radio_bridge.dmr.burst import DataBurst, DataType, SlotType
from radio_bridge.dmr.data_header import ShortData, to_info
from radio_bridge.dmr.packet import Assembler, Packet
from radio_bridge.unreadable import Unreadable


def short(payload: bytes, coding: int, padding_bits: int = 0) -> Packet:
    return Packet(ShortData(7001, 7002, False, 10, 1, coding, padding_bits), payload)


@pytest.mark.parametrize(
    ("coding", "codec"),
    [(3, "latin-1"), (4, "iso8859-2"), (14, "iso8859-13"), (17, "iso8859-16"), (18, "utf-8"),
     (19, "utf-16-be"), (20, "utf-16-be"), (21, "utf-16-le"), (23, "utf-32-be"),
     (24, "utf-32-le"), (19, "utf-16"), (22, "utf-32")],
)  # fmt: skip
def test_every_character_set(coding: int, codec: str) -> None:
    words = "Ve al puente" if codec.startswith("iso") else "Peña, al río"
    assert short_text.read(short(words.encode(codec), coding)) == words


def test_seven_bits_by_hand() -> None:
    """'OK' is 1001111 1001011, and two bits of padding."""
    assert short_text.read(short(bytes([0b10011111, 0b00101100]), 2, padding_bits=2)) == "OK"


@pytest.mark.parametrize("coding", [0, 1, 25, 63])
def test_what_is_no_text_is_refused(coding: int) -> None:
    with pytest.raises(Unreadable) as refused:
        short_text.read(short(b"1234", coding))
    assert refused.value.code == "radio.text"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"]), max_size=300))
def test_texts_in_packets(words: str) -> None:
    payload = short_text.write(words)
    assert short_text.read_datagram(payload) == words
    blocks, padding = packet.cut(payload, DataType.RATE_1_2, confirmed=False)
    if padding * 8 > 255 or len(blocks) > 63:
        return
    header = ShortData(7001, 7002, False, 10, len(blocks), short_text.UTF_16_BE, padding * 8)
    assembler = Assembler()
    assembler.take(DataBurst(SlotType(1, DataType.DATA_HEADER), to_info(header)))
    heard = [
        assembler.take(DataBurst(SlotType(1, DataType.RATE_1_2), info))
        for info in packet.infos(blocks, DataType.RATE_1_2, confirmed=False)
    ]
    assert isinstance(heard[-1], Packet)
    assert short_text.read(heard[-1]) == words


@given(st.binary(max_size=50), st.integers(0, 63), st.integers(0, 255))
def test_any_short_data_is_text_or_refused(payload: bytes, coding: int, padding: int) -> None:
    try:
        short_text.read(short(payload, coding, padding))
    except Unreadable as refused:
        assert refused.code == "radio.text"


def report(longitude: int, latitude: int, error: int, speed: int, course: int, age: int) -> bytes:
    """The 76 bits by their widths: 2, 2, 25, 24, 3, 7, 4, 1, 8."""
    bits = age << 72 | (longitude & 0x1FFFFFF) << 47 | (latitude & 0xFFFFFF) << 23
    return ((bits | error << 20 | speed << 13 | course << 9) << 4).to_bytes(10)


def test_a_position_by_hand() -> None:
    """-88.59375° is -2²⁵ · 0.24609375, 17.2265625° is 2²⁴ · 0.095703125."""
    data = report(-8_257_536, 1_605_632, error=1, speed=28, course=4, age=0)
    read = position.read(data)
    assert (read.longitude, read.latitude) == (-88.59375, 17.2265625)
    assert (read.error_m, read.age_s, read.course_deg) == (20.0, 5, 90.0)
    assert read.speed_mps == pytest.approx(28 / 3.6)


def test_what_a_radio_does_not_know_is_none() -> None:
    read = position.read(report(0, 0, error=7, speed=127, course=0, age=3))
    assert (read.error_m, read.speed_mps, read.age_s) == (None, None, None)


def test_speeds_grow_by_a_kilometre_an_hour_and_then_by_their_part() -> None:
    speeds = []
    for step in range(127):
        speed = position.read(report(0, 0, error=0, speed=step, course=0, age=0)).speed_mps
        assert speed is not None
        speeds.append(speed * 3.6)
    assert speeds[:29] == pytest.approx(range(29))
    assert speeds[29] == pytest.approx(29.06, abs=0.01)
    assert speeds[126] == pytest.approx(speeds[29] * 1.038**97)


@given(st.binary(max_size=14))
def test_any_bytes_are_a_position_or_refused(data: bytes) -> None:
    try:
        read = position.read(data)
    except Unreadable as refused:
        assert refused.code in ("radio.length", "radio.location")
    else:
        assert -180 <= read.longitude < 180
        assert -90 <= read.latitude < 90
