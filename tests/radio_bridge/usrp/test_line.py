"""Who keys on a line: ends, silence, numbers of every kind."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.usrp import packets
from radio_bridge.usrp.line import SILENCE_S, Keyed, Line, Named, Spoke, Unkeyed

SAMPLES = bytes(range(160)) * 2
STEP_S = 0.02


def speech(number: int, talkgroup: int = 0) -> bytes:
    return packets.write(packets.Speech(number % 2**32, SAMPLES, talkgroup))


def who(name: bytes) -> bytes:
    header = struct.pack(">4s7I", b"USRP", 0, 0, 0, 0, 2, 0, 0)
    return header + bytes.fromhex("0800 001b59 00000000 000000 00 00") + name + b"\0"


def test_a_talk_from_key_to_unkey() -> None:
    line = Line()
    assert line.receive(speech(1, 91), 0.0) == [Keyed(91), Spoke(SAMPLES)]
    assert line.receive(speech(2, 91), STEP_S) == [Spoke(SAMPLES)]
    end = packets.write(packets.Unkey(3))
    assert line.receive(end, 2 * STEP_S) == [Unkeyed()]
    assert line.receive(end, 3 * STEP_S) == []
    assert line.due is None


def test_who_falls_silent_has_ended() -> None:
    line = Line()
    line.receive(speech(1), 5.0)
    assert line.due == 5.0 + SILENCE_S
    assert line.pass_time(5.0 + SILENCE_S - 0.001) == []
    assert line.pass_time(5.0 + SILENCE_S) == [Unkeyed(silent=True)]
    assert line.receive(speech(2), 6.0) == [Keyed(0), Spoke(SAMPLES)]


def test_one_who_was_silent_ends_before_the_next_is_heard() -> None:
    line = Line()
    line.receive(speech(1), 0.0)
    assert line.receive(speech(2), 9.0) == [Unkeyed(silent=True), Keyed(0), Spoke(SAMPLES)]


def test_who_talks_is_said_before_or_within_or_too_early() -> None:
    line = Line()
    assert line.receive(who(b"V3A"), 0.0) == []
    assert line.receive(speech(1), 0.1)[0] == Keyed(0, 7001, "V3A")
    assert line.receive(who(b"V3B"), 0.2) == [Named(7001, "V3B")]
    line.receive(packets.write(packets.Unkey(2)), 0.3)
    assert line.receive(speech(3), 0.4)[0] == Keyed(0)
    line.receive(packets.write(packets.Unkey(4)), 0.5)
    line.receive(who(b"V3C"), 0.6)
    assert line.receive(speech(5), 9.0)[0] == Keyed(0)


def test_late_and_double_packets_are_dropped_and_missing_ones_told() -> None:
    line = Line()
    line.receive(speech(2**32 - 1), 0.0)
    assert line.receive(speech(2**32 - 1), 0.0) == []
    assert line.receive(speech(2), 0.01) == [Spoke(SAMPLES, missed=2)]
    assert line.receive(speech(1), 0.02) == []
    assert line.receive(speech(0), 0.02) == []
    assert line.dropped == {"usrp.late": 3}


@pytest.mark.parametrize("first", [0, 250, 65_530])
def test_numbers_written_the_other_way_round_lose_nothing(first: int) -> None:
    """As SvxLink writes them."""
    line = Line()
    spoken = []
    for number in range(first, first + 600):
        turned = int.from_bytes(number.to_bytes(4, "little"), "big")
        spoken += line.receive(speech(turned), number * STEP_S)
    assert spoken == [Keyed(0)] + [Spoke(SAMPLES)] * 600


def test_a_sender_that_begins_anew_within_a_talk_is_heard_again() -> None:
    line = Line()
    for number in range(1_000, 1_010):
        line.receive(speech(number), number * STEP_S)
    assert line.receive(speech(1), 1_010 * STEP_S) == [Spoke(SAMPLES)]


def test_ours_has_numbers_and_ends_once() -> None:
    line = Line(talkgroup=7)
    assert line.end() is None
    assert packets.read(line.speak(SAMPLES)) == packets.Speech(1, SAMPLES, 7)
    assert packets.read(line.speak(SAMPLES)) == packets.Speech(2, SAMPLES, 7)
    last = line.end()
    assert last is not None and packets.read(last) == packets.Unkey(3, 7)
    assert line.end() is None
    with pytest.raises(ValueError, match="20 ms"):
        line.speak(SAMPLES[1:])


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.binary(max_size=60),
                st.integers(0, 2**32 - 1).map(speech),
                st.just(packets.write(packets.Unkey(1))),
                st.just(who(b"V3A")),
            ),
            st.floats(-1, 10),
        ),
        max_size=40,
    )
)
def test_keys_and_unkeys_alternate_whatever_comes(heard: list[tuple[bytes, float]]) -> None:
    line, keyed, now = Line(), False, 0.0
    for data, step in heard:
        now += step  # a clock may run backwards
        for one in line.receive(data, now):
            if isinstance(one, Keyed | Unkeyed):
                assert keyed != isinstance(one, Keyed)
                keyed = isinstance(one, Keyed)
            else:
                assert keyed
    assert (line.due is not None) == keyed
