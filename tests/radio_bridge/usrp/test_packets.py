"""USRP to the byte, and with all the ways in which it is written."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.unreadable import Unreadable
from radio_bridge.usrp import packets
from radio_bridge.usrp.packets import Other, Speech, Talker, Unkey

SAMPLES = struct.pack("<160h", *range(-80, 80))
words = st.integers(0, 2**32 - 1)


def test_speech_to_the_byte() -> None:
    written = packets.write(Speech(0x01020304, SAMPLES, 91))
    assert len(written) == 352
    assert written[:32] == b"USRP" + bytes.fromhex(
        "01020304 00000000 00000001 0000005b 00000000 00000000 00000000"
    )
    assert written[32:36] == bytes.fromhex("b0ff b1ff")  # -80, -79: the low byte first


def test_the_end_to_the_byte() -> None:
    written = packets.write(Unkey(7))
    assert written == b"USRP" + bytes.fromhex("00000007") + bytes(24)


@given(words, st.binary(min_size=320, max_size=320), words)
def test_what_is_written_is_read(number: int, samples: bytes, talkgroup: int) -> None:
    for packet in (Speech(number, samples, talkgroup), Unkey(number, talkgroup)):
        assert packets.read(packets.write(packet)) == packet


def test_an_end_may_have_samples() -> None:
    assert packets.read(packets.write(Unkey(3)) + SAMPLES) == Unkey(3)


@pytest.mark.parametrize("kind", [2, 0x02000000])
def test_who_talks_with_the_type_in_either_order(kind: int) -> None:
    """As DVSwitch's Analog Bridge says it."""
    header = struct.pack(">4s7I", b"USRP", 0, 0, 0, 0, kind, 0, 0)
    text = bytes.fromhex("0815 12d687 00000000 000000 00 00") + b"N0CALL\0\0\0"
    assert packets.read(header + text) == Talker(0, 0x12D687, "N0CALL")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "radio.length"),
        (b"USRP" + bytes(27), "radio.length"),
        (b"USRQ" + bytes(348), "usrp.mark"),
        (packets.write(Speech(1, SAMPLES))[:-1], "usrp.speech"),
        (packets.write(Speech(1, SAMPLES)) + b"\0", "usrp.speech"),
        (struct.pack(">4s7I", b"USRP", 0, 0, 0, 0, 9, 0, 0), "usrp.type"),
        (struct.pack(">4s7I", b"USRP", 0, 0, 0, 0, 2, 0, 0) + b"\x08\x01", "radio.length"),
    ],
)
def test_what_is_none_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        packets.read(data)
    assert refused.value.code == code


def test_what_is_not_spoken_is_told_from_speech() -> None:
    for kind in (1, 3, 4, 5, 6):
        header = struct.pack(">4s7I", b"USRP", 0, 0, 1, 0, kind, 0, 0)
        assert packets.read(header + b"anything") == Other(kind)


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_read_or_refused(data: bytes, marked: bool) -> None:
    try:
        packets.read(b"USRP" + data if marked else data)
    except Unreadable as error:
        assert error.text.endswith(".")
