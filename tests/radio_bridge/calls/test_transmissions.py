"""One channel: every way in which a transmission begins, goes on and ends, in good air and bad.

DOM-RAD-1 (link control is believed), -2 (unheard, unspoken), -7 (every call ends).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from drawn import bits
from hypothesis import given, settings
from hypothesis import strategies as st

from radio_bridge.calls.transmissions import (
    Alias,
    Channel,
    Identity,
    Keyed,
    Said,
    Unkeyed,
    Unkeying,
    Voice,
)
from radio_bridge.dmr.burst import DataType
from radio_bridge.dmr.link_control import Service, VoiceCall
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.homebrew.stream import Stream

CALL = VoiceCall(7001, 91, group=True)
OTHER = VoiceCall(7002, 92, group=True)
PERIOD = 0.06


class Air:
    """A channel, and a clock that goes on by a burst with every packet."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.channel = Channel(self.dropped)
        self.now = 100.0

    def hear(self, *sent: BurstPacket) -> list[Said]:
        said: list[Said] = []
        for packet in sent:
            said += self.channel.hear(packet, self.now)
            self.now += PERIOD
        return said

    def wait(self, seconds: float) -> list[Said]:
        self.now += seconds
        return self.channel.pass_time(self.now)


def stream(call: VoiceCall = CALL, number: int = 77, name: str = "") -> Stream:
    return Stream(call, slot=1, stream=number, colour_code=1, name=name)


def voices(of: Stream, count: int, first: int = 1) -> list[BurstPacket]:
    return [of.voice(frames) for frames in range(first, first + count)]


def keyed(call: VoiceCall = CALL, *, late: bool = False, claimed: Identity | None = None) -> Keyed:
    identity = Identity(call.source, call.target, call.group)
    return Keyed(identity, call.service, late, claimed or identity)


def spoken(said: Iterable[Said]) -> list[int]:
    return [one.frames for one in said if isinstance(one, Voice)]


def kinds(said: Iterable[Said]) -> list[type]:
    """The story, without the speech."""
    return [type(one) for one in said if not isinstance(one, Voice)]


def test_a_transmission_from_header_to_terminator() -> None:
    air, talk = Air(), stream()
    said = air.hear(talk.header(), talk.header(), *voices(talk, 8), talk.terminator())
    assert said == [
        keyed(),
        *(Voice(n) for n in range(1, 9)),
        Unkeyed(Unkeying.TERMINATED),
    ]
    assert air.channel.due is None
    assert air.hear(talk.terminator()) == []


def test_an_emergency_and_a_private_call() -> None:
    for call in (
        VoiceCall(7001, 91, True, Service(emergency=True)),
        VoiceCall(7001, 7002, False),
    ):
        assert Air().hear(stream(call).header()) == [keyed(call)]


def test_late_entry_with_the_first_whole_link_control() -> None:
    air, talk = Air(), stream()
    talk.header()
    said = air.hear(*voices(talk, 10))
    # A to D are heard and kept back; E has the last piece.
    assert said == [keyed(late=True), *(Voice(n) for n in range(5, 11))]
    assert air.dropped["calls.unidentified"] == 4


def test_late_entry_in_the_middle_of_a_superframe() -> None:
    air, talk = Air(), stream()
    said = air.hear(*voices(talk, 12)[2:])
    assert said == [keyed(late=True), *(Voice(n) for n in range(11, 13))]


def test_late_entry_after_a_lost_piece_waits_for_the_next() -> None:
    air, talk = Air(), stream()
    sent = voices(talk, 12)
    assert spoken(air.hear(*sent[:2], *sent[3:])) == [11, 12]


def test_late_entry_that_differs_from_the_packets_is_believed_the_second_time() -> None:
    air, talk = Air(), stream()
    claimed = Identity(7001, 9_999, group=True)
    sent = [replace(one, target=9_999) for one in voices(talk, 12)]
    said = air.hear(*sent)
    assert said == [keyed(late=True, claimed=claimed), Voice(11), Voice(12)]


def test_link_control_is_believed_and_not_the_packet() -> None:
    air, talk = Air(), stream()
    sent = [talk.header(), *voices(talk, 12), talk.terminator()]
    claimed = Identity(7001, 9_999, group=True)
    said = air.hear(*(replace(one, target=9_999) for one in sent))
    assert said[0] == keyed(claimed=claimed)
    assert spoken(said) == list(range(1, 13))
    assert kinds(said) == [Keyed, Unkeyed]


def test_a_stray_link_control_ends_nothing() -> None:
    """Once may be noise that five bits of checksum did not see."""
    air, talk, stray = Air(), stream(), stream(OTHER)
    air.hear(talk.header())
    strays = [replace(one, source=7001, target=91) for one in voices(stray, 6)]
    sent = [*strays, *voices(talk, 12, first=10)]
    said = air.hear(*(replace(one, sequence=n) for n, one in enumerate(sent, start=1)))
    assert kinds(said) == []
    assert len(spoken(said)) == 18


def test_link_control_that_says_otherwise_twice_is_another_transmission() -> None:
    air, talk, other = Air(), stream(), stream(OTHER)
    air.hear(talk.header())
    said = air.hear(*(replace(one, source=7001, target=91) for one in voices(other, 12)))
    assert kinds(said) == [Unkeyed, Keyed]
    assert said[-3] == keyed(OTHER, late=True, claimed=Identity(7001, 91, True))


def test_a_call_without_a_terminator_ends_after_a_superframe_of_silence() -> None:
    air, talk = Air(), stream()
    air.hear(talk.header(), *voices(talk, 3))
    last = air.now - PERIOD
    assert air.channel.due == pytest.approx(last + 0.36)
    assert air.wait(0.29) == []
    assert air.wait(0.02) == [Unkeyed(Unkeying.SILENT)]
    assert air.wait(1) == []


def test_a_stream_that_was_away_goes_on_at_once() -> None:
    air, talk = Air(), stream()
    air.hear(talk.header(), *voices(talk, 3))
    assert air.wait(1.0) == [Unkeyed(Unkeying.SILENT)]
    assert air.hear(*voices(talk, 2, first=50)) == [keyed(), Voice(50), Voice(51)]


@pytest.mark.parametrize("number", [0, 78])
def test_another_stream_or_one_without_a_number_does_not(number: int) -> None:
    air, talk = Air(), stream(number=0 if number == 0 else 77)
    air.hear(talk.header(), *voices(talk, 3))
    air.wait(1.0)
    again = [replace(one, stream=number) for one in voices(talk, 2, first=50)]
    assert air.hear(*again) == []


def test_a_stream_that_is_over_is_not_known_again() -> None:
    air, talk = Air(), stream()
    air.hear(talk.header(), *voices(talk, 6), talk.terminator())
    air.wait(1)
    assert air.hear(*voices(talk, 3)) == []


@pytest.mark.parametrize("number", [0, 77, 78])
def test_the_next_talker_begins_though_the_terminator_was_lost(number: int) -> None:
    """With another stream id, a reused one, and where nobody sets one."""
    air, talk = Air(), stream(number=0 if number == 0 else 77)
    other = stream(OTHER, number)
    air.hear(talk.header(), *voices(talk, 3))
    air.now += 0.13
    said = air.hear(other.header(), *voices(other, 3))
    assert said == [
        Unkeyed(Unkeying.REPLACED), keyed(OTHER), Voice(1), Voice(2), Voice(3)
    ]  # fmt: skip


def test_the_same_talker_keys_again_though_the_terminator_was_lost() -> None:
    air, first, second = Air(), stream(), stream(number=78)
    air.hear(first.header(), *voices(first, 3))
    said = air.hear(second.header(), *voices(second, 3), second.terminator())
    assert spoken(said) == [1, 2, 3]
    assert kinds(said) == [Unkeyed]


SOS = VoiceCall(7001, 91, group=True, service=Service(emergency=True))


def test_he_keys_again_as_an_emergency_though_the_terminator_was_lost() -> None:
    air, first, second = Air(), stream(number=77), stream(SOS, number=78)
    air.hear(first.header(), *voices(first, 3))
    again = [Unkeyed(Unkeying.REPLACED), keyed(SOS)]
    assert air.hear(second.header()) == again
    assert air.hear(second.header()) == []
    assert kinds(air.hear(*voices(second, 6), second.terminator())) == [Unkeyed]


def test_an_emergency_of_which_the_header_was_lost_too_is_believed_the_second_time() -> None:
    air, first, second = Air(), stream(number=77), stream(SOS, number=78)
    air.hear(first.header(), *voices(first, 3))
    assert kinds(air.hear(*voices(second, 6))) == []
    assert kinds(air.hear(*voices(second, 6, 7))) == [Unkeyed, Keyed]
    assert air.channel.keyed == keyed(SOS, late=True)


def test_two_streams_at_once_on_one_channel_do_not_mix() -> None:
    air, talk, other = Air(), stream(), stream(OTHER, 78)
    said = air.hear(talk.header())
    for mine, theirs in zip(voices(talk, 12), voices(other, 12, first=500), strict=True):
        said += air.channel.hear(theirs, air.now)
        said += air.hear(mine)
    assert spoken(said) == list(range(1, 13))
    assert kinds(said) == [Keyed]
    assert air.dropped["calls.contention"] == 12


def test_packets_that_come_twice_are_taken_once() -> None:
    air, talk = Air(), stream()
    sent = [talk.header(), *voices(talk, 8), talk.terminator()]
    said = air.hear(*(packet for packet in sent for _ in range(2)))
    assert spoken(said) == list(range(1, 9))
    assert air.dropped["calls.again"] == 9


def test_a_sender_that_does_not_count_is_heard() -> None:
    air, talk = Air(), stream()
    sent = [replace(p, sequence=0) for p in (talk.header(), *voices(talk, 8), talk.terminator())]
    said = air.hear(*sent)
    assert spoken(said) == list(range(1, 9))
    assert kinds(said) == [Keyed, Unkeyed]


def test_a_packet_that_was_overtaken_is_dropped() -> None:
    air, talk = Air(), stream()
    air.hear(talk.header())
    one, two, three = voices(talk, 3)
    assert spoken(air.hear(one, three, two)) == [1, 3]
    assert air.dropped["calls.behind"] == 1


def test_a_terminator_of_the_talk_before_ends_nothing() -> None:
    air, first, second = Air(), stream(), stream(number=78)
    air.hear(first.header(), *voices(first, 2))
    end = first.terminator()
    air.hear(second.header(), *voices(second, 2))
    assert air.hear(end) == []
    assert air.channel.keyed == keyed()


def test_numbers_that_begin_anew_are_no_packets_from_behind() -> None:
    air, talk = Air(), stream()
    air.hear(talk.header(), *voices(talk, 60))
    again = stream()
    assert spoken(air.hear(*voices(again, 3, first=100))) == [100, 101, 102]


def test_numbers_go_round() -> None:
    air, talk = Air(), stream()
    said = air.hear(talk.header(), *voices(talk, 600))
    assert spoken(said) == list(range(1, 601))


@pytest.mark.parametrize("kind", [DataType.CONTROL_BLOCK, DataType.DATA_HEADER, DataType.RATE_1_2])
def test_data_ends_a_talk_whose_terminator_was_lost(kind: DataType) -> None:
    air, talk = Air(), stream()
    air.hear(talk.header(), *voices(talk, 3))
    data = replace(talk.terminator(), kind=int(kind))
    assert air.hear(data) == [Unkeyed(Unkeying.REPLACED)]


@pytest.mark.parametrize("kind", [DataType.PI_HEADER, DataType.IDLE])
def test_what_belongs_to_a_talk_does_not_end_it(kind: DataType) -> None:
    air, talk = Air(), stream()
    air.hear(talk.header(), *voices(talk, 3))
    assert air.hear(replace(talk.terminator(), kind=int(kind))) == []


def corrupt(packet: BurstPacket) -> BurstPacket:
    return replace(packet, burst=bytes(byte ^ 0x5A for byte in packet.burst))


def test_a_header_beyond_mending_is_counted_and_the_next_one_begins() -> None:
    air, talk = Air(), stream()
    said = air.hear(corrupt(talk.header()), talk.header(), *voices(talk, 2), talk.terminator())
    assert kinds(said) == [Keyed, Unkeyed]
    assert spoken(said) == [1, 2]
    assert sum(air.dropped.values()) == 1


def test_a_terminator_beyond_mending_ends_the_talk() -> None:
    air, talk = Air(), stream()
    air.hear(talk.header(), *voices(talk, 2))
    assert air.hear(corrupt(talk.terminator())) == [Unkeyed(Unkeying.TERMINATED)]


def test_the_talkers_name_once() -> None:
    air, talk = Air(), stream(name="Sgt. Ramírez")
    said = air.hear(talk.header(), *voices(talk, 60), talk.terminator())
    assert [one for one in said if isinstance(one, Alias)] == [Alias("Sgt. Ramírez")]


def test_a_clock_that_stands_still_ends_nothing() -> None:
    air, talk = Air(), stream()
    for packet in (talk.header(), *voices(talk, 20)):
        air.channel.hear(packet, 100.0)
    assert air.channel.keyed == keyed()


packets = st.builds(
    BurstPacket,
    sequence=bits(8),
    source=st.sampled_from([7001, 7002]),
    target=st.sampled_from([91, 92]),
    repeater=st.just(1),
    slot=st.just(1),
    group=st.just(True),
    frame=st.sampled_from(Frame),
    kind=bits(4),
    stream=st.sampled_from([0, 77, 78]),
    burst=st.binary(min_size=33, max_size=33)
    | st.sampled_from([p.burst for p in (stream().header(), *voices(stream(), 6))]),
)


@given(st.lists(st.tuples(packets, st.sampled_from([0.0, 0.06, 0.3, 6.0]))))
@settings(max_examples=200)
def test_whatever_comes_the_story_is_told_in_order(sent: list[tuple[BurstPacket, float]]) -> None:
    air = Air()
    said: list[Said] = []
    for packet, later in sent:
        air.now += later
        said += air.channel.hear(packet, air.now)
    said += air.channel.pass_time(air.now + 1)
    is_keyed = False
    for one in said:
        assert isinstance(one, Keyed) != is_keyed or not isinstance(one, Keyed)
        if isinstance(one, Keyed):
            is_keyed = True
        else:
            assert is_keyed
            is_keyed = not isinstance(one, Unkeyed)
    assert not is_keyed
    assert air.channel.due is None
