"""A reflector's messages to the byte, in any pieces, and with everything wrong that can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.svxlink import messages
from radio_bridge.svxlink.messages import (
    Challenge,
    Datagram,
    Frames,
    NodeJoined,
    NodeLeft,
    Over,
    Played,
    Refusal,
    SignedIn,
    Speech,
    StillHere,
    TalkerStart,
    TalkerStop,
    Unknown,
    Welcome,
)
from radio_bridge.unreadable import Unreadable

SALT = bytes(range(20))
words = st.integers(0, 2**16 - 1)


def test_what_we_say_to_the_byte() -> None:
    assert messages.write_version((2, 0)).hex() == "00000006000500020000"
    assert messages.write_still_here().hex() == "000000020001"
    assert messages.write_select(91).hex() == "00000006006a0000005b"


def test_a_proof_to_the_byte() -> None:
    """HMAC-SHA1 as RFC 2202, clause 3, test case 2 has it."""
    proof = messages.write_proof("BPD-1", b"Jefe", b"what do ya want for nothing?")
    assert proof == (
        bytes.fromhex("0000001f 000b 0005") + b"BPD-1" + bytes.fromhex("0014")
        + bytes.fromhex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    )  # fmt: skip


def test_a_name_fits_into_the_first_frame() -> None:
    proof = messages.write_proof("n" * messages.MOST_NAME, b"key", SALT)
    assert len(proof) - 4 == 64


@pytest.mark.parametrize(
    ("hexed", "talkgroups", "message"),
    [
        ("0001", True, StillHere()),
        ("000a 0014" + SALT.hex(), True, Challenge(SALT)),
        ("000c", True, SignedIn()),
        ("000d 0003" + b"Why".hex(), True, Refusal("Why")),
        (
            "0064 00000007 0002 0001 41 0002 4242 0001 0004" + b"OPUS".hex(),
            True,
            Welcome(7, ("A", "BB"), ("OPUS",)),
        ),
        ("0066 0001 41", True, NodeJoined("A")),
        ("0067 0001 41", True, NodeLeft("A")),
        ("0068 0000005b 0001 41", True, TalkerStart(91, "A")),
        ("0069 0000005b 0001 41", True, TalkerStop(91, "A")),
        ("0068 0001 41", False, TalkerStart(None, "A")),
        ("0069 0001 41", False, TalkerStop(None, "A")),
        ("0006 0001 0000", True, Unknown(6)),
        ("0067 0001 41 ffffff", True, NodeLeft("A")),  # a newer reflector says more
        ("0067 0001 ff", True, NodeLeft("\ufffd")),
    ],
)
def test_what_reflectors_say(hexed: str, talkgroups: bool, message: messages.Message) -> None:
    assert messages.read(bytes.fromhex(hexed), talkgroups) == message


def test_datagrams_to_the_byte() -> None:
    for hexed, content in (
        ("0001", StillHere()),
        ("0065", Speech(b"\x98\x01")),
        ("0066", Over()),
        ("0067", Played()),
    ):
        data = bytes.fromhex(hexed + "0007 0102" + ("0002 9801" if hexed == "0065" else ""))
        datagram = Datagram(7, 0x0102, content)
        assert messages.write_datagram(datagram) == data
        assert messages.read_datagram(data) == datagram


@given(words, words, st.binary(min_size=1, max_size=1_276))
def test_speech_comes_back(node: int, number: int, opus: bytes) -> None:
    datagram = Datagram(node, number, Speech(opus))
    assert messages.read_datagram(messages.write_datagram(datagram)) == datagram


@pytest.mark.parametrize("opus", [b"", bytes(1_277)])
def test_what_is_no_speech_is_not_written(opus: bytes) -> None:
    with pytest.raises(ValueError, match="no packet of speech"):
        messages.write_datagram(Datagram(1, 1, Speech(opus)))


@given(st.lists(st.binary(max_size=300), max_size=6), st.data())
def test_any_pieces_of_a_stream_are_the_same_frames(
    wanted: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(len(frame).to_bytes(4) + frame for frame in wanted)
    frames, got = Frames(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += frames.take(stream[:size])
        stream = stream[size:]
    assert got == wanted


def test_a_frame_that_cannot_be_is_refused_before_it_has_come() -> None:
    with pytest.raises(Unreadable) as refused:
        Frames().take(bytes.fromhex("00008001"))
    assert refused.value.code == "svxlink.frame"


@given(st.sampled_from([1, 6, 10, 12, 13, 100, 102, 103, 104, 105]), st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(kind: int, rest: bytes) -> None:
    for talkgroups in (True, False):
        try:
            messages.read(kind.to_bytes(2) + rest, talkgroups)
        except Unreadable as error:
            assert error.code == "svxlink.length"


@given(st.binary(max_size=80))
def test_any_datagram_is_read_or_refused(data: bytes) -> None:
    try:
        messages.read_datagram(data)
    except Unreadable as error:
        assert error.code == "svxlink.length"
