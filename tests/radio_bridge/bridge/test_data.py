"""Data on all channels: told once, passed on whole or not at all, and in no loop."""

from __future__ import annotations

from dataclasses import replace

from radio_bridge.bridge import outgoing
from radio_bridge.bridge.data import (
    CHANNEL_S,
    MOST_CHANNELS,
    DataPassing,
    Forward,
    Out,
    Send,
    Told,
)
from radio_bridge.bridge.exchange import Exchange
from radio_bridge.bridge.outgoing import Way
from radio_bridge.bridge.settings import Radios
from radio_bridge.bridge.wiring import Wiring
from radio_bridge.calls.conversations import Where
from radio_bridge.dmr import burst
from radio_bridge.dmr import packet as packets_of_dmr
from radio_bridge.dmr.burst import DataType
from radio_bridge.dmr.data_header import Answer
from radio_bridge.dmr.link_control import VoiceCall
from radio_bridge.dmr.packet import Assembler, BlocksWanted, Incomplete, Outcome, Packet
from radio_bridge.homebrew import stream
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.homebrew.stream import Stream
from radio_bridge.inside import Emergency, Text
from simulators.radios.radio import alarm_bursts

HILL, CAYE, FORT = ("hill", 1), ("caye", 2), ("fort", 1)
WIRING = Wiring(
    {"hill": "police", "caye": "police", "fort": "police"},
    {"fort": Radios(allowed=(range(1, 10),))},
    {("police", 91): (HILL, CAYE), ("police", 92): (CAYE,)},
    colour_codes={"hill": 7},
)
OURS = 702


class Air:
    """Channels with a clock."""

    def __init__(self) -> None:
        self.exchange = Exchange(WIRING)
        self.data = DataPassing(self.exchange, {OURS})
        self.now = 10.0

    def hear(self, where: Where, *packets: BurstPacket) -> list[Out]:
        out: list[Out] = []
        for packet in packets:
            self.now += 0.06
            out += self.data.hear(where, packet, self.now)
        return out


def text(source: int, target: int, group: bool, stream: int = 5) -> list[BurstPacket]:
    return outgoing.text_packets(Way(source, target, group, 1, stream), "motorola", "10-8", 3)


def forwarded(out: list[Out]) -> list[tuple[Where, BurstPacket]]:
    return [(one.where, one.packet) for one in out if isinstance(one, Forward)]


def told(out: list[Out]) -> list[object]:
    return [one.happening for one in out if isinstance(one, Told)]


def test_a_groups_text_goes_to_its_channels_and_is_told_once() -> None:
    air, sent = Air(), text(7001, 91, True)
    out = air.hear(HILL, *sent)
    assert forwarded(out) == [(CAYE, packet) for packet in sent]
    assert told(out) == [Text(7001, 91, True, "10-8", 3)]
    assert air.hear(CAYE, *sent) == []  # it comes back
    assert air.exchange.dropped["bridge.data_again"] == len(sent)
    assert told(air.hear(HILL, *text(7001, 91, True, 6))) != []


def test_a_radios_text_goes_where_it_was_heard_and_one_for_us_is_answered() -> None:
    air = Air()
    assert forwarded(air.hear(CAYE, *text(7001, 7002, False))) == []
    sent = text(7002, 7001, False)
    assert {where for where, _ in forwarded(air.hear(HILL, *sent))} == {CAYE}
    out = forwarded(air.hear(HILL, *text(7002, OURS, False, 8)))
    assert [(where, p.source, p.target) for where, p in out] == [(HILL, OURS, 7002)]
    assert burst.read_data(out[0][1].burst).slot_type.colour_code == 7, "as the link has it"


def heard(assembler: Assembler, packets: list[BurstPacket]) -> list[Outcome]:
    """What a radio makes of bursts."""
    taken = [assembler.take(burst.read_data(one.burst)) for one in packets]
    return [one for one in taken if one is not None]


def long_text(source: int, target: int, stream: int = 5) -> list[BurstPacket]:
    words = "Two aboard, drifting north of Turneffe, engine dead, no life jackets. " * 3
    return outgoing.text_packets(Way(source, target, False, 1, stream), "motorola", words, 3)


def test_a_radio_is_sent_the_blocks_again_that_it_did_not_hear() -> None:
    """And no others; three times at most, and only who was sent something is."""
    air, radio = Air(), Assembler()
    sent = long_text(OURS, 7001)
    for one in sent:
        air.now += 0.06
        air.data.sending(HILL, one, air.now)
    blocks = [one for one in sent if one.kind == DataType.RATE_1_2]
    lost = (0, 9, len(blocks) - 1)
    kept = [one for one in sent if one not in [blocks[number] for number in lost]]
    (cut,) = heard(radio, kept) or [radio.end()]
    assert isinstance(cut, Incomplete) and cut.missing == lost
    wanted = packets_of_dmr.answer(cut)
    assert isinstance(wanted, BlocksWanted) and wanted.wanted == lost
    asked = stream.response(wanted, 1, 33, 7)
    (again,) = [one for one in air.hear(HILL, *asked) if isinstance(one, Send)]
    assert again.where == HILL
    assert [one.kind for one in again.packets] == [DataType.DATA_HEADER] + [DataType.RATE_1_2] * 3
    assert burst.read_data(again.packets[0].burst).slot_type.colour_code == 7
    (whole,) = heard(radio, again.packets)
    assert isinstance(whole, Packet)
    for one in again.packets:  # what was sent again is no packet of its own
        air.data.sending(HILL, one, air.now)
    for number in range(4):
        asked = stream.response(wanted, 1, 40 + number, 7)
        sends = [one for one in air.hear(HILL, *asked) if isinstance(one, Send)]
        assert len(sends) == (number < 2)
    strange = BlocksWanted(7002, OURS, wanted.access, 1, Answer.SELECTIVE, 0, (1,))
    assert air.hear(HILL, *stream.response(strange, 1, 50, 7)) == []
    never_sent = BlocksWanted(7001, OURS, wanted.access, 2, Answer.SELECTIVE, 0, (99,))
    assert air.hear(HILL, *stream.response(never_sent, 1, 51, 7)) == []


def test_blocks_of_a_radios_text_that_were_not_heard_are_asked_for_and_make_it_whole() -> None:
    air, radio = Air(), Assembler()
    sent = long_text(7001, OURS)
    blocks = [one for one in sent if one.kind == DataType.RATE_1_2]
    kept = [one for one in sent if one not in (blocks[3], blocks[4])]
    out = air.hear(HILL, *kept)
    air.now += 2
    out += air.data.pass_time(air.now)
    (asked,) = [one for one in out if isinstance(one, Send)]
    assert (asked.where, asked.packets[0].source, asked.packets[0].target) == (HILL, OURS, 7001)
    (wanted,) = heard(radio, asked.packets)
    assert isinstance(wanted, BlocksWanted) and wanted.wanted == (3, 4)
    chosen = [one for one in sent if one.kind in (DataType.DATA_HEADER, DataType.RATE_1_2)]
    again = stream.again(chosen, wanted.wanted, 1, 60, 7)
    (said,) = told(air.hear(HILL, *again))
    assert isinstance(said, Text) and said.text.startswith("Two aboard")


def test_who_may_not_and_what_is_not_carried() -> None:
    air = Air()
    assert air.hear(FORT, *text(7001, 7002, False)) == []
    assert air.hear(HILL, *text(7001, 92, True)) == []
    count = len(text(7001, 7002, False)) + len(text(7001, 92, True))
    assert air.exchange.dropped["bridge.data_barred"] == count


def test_a_packet_is_passed_on_whole_or_not_at_all() -> None:
    """DOM-RAD-25."""
    air = Air()
    voice = Stream(VoiceCall(7009, 92, True), 2, 77, 1)
    air.exchange.hear(CAYE, voice.header(), air.now)
    sent = text(7001, 91, True)
    assert forwarded(air.hear(HILL, *sent[:3])) == []
    air.exchange.hear(CAYE, voice.terminator(), air.now)
    assert forwarded(air.hear(HILL, *sent[3:])) == []
    assert air.exchange.dropped["bridge.data_busy"] == 1
    first, second = text(7001, 91, True, 8), text(7003, 91, True, 9)
    mixed = [one for pair in zip(first, second, strict=True) for one in pair]
    out = forwarded(air.hear(HILL, *[replace(one) for one in mixed]))
    assert [packet for _, packet in out] == first
    assert not air.data.may_send(CAYE, (91, True), air.now)
    air.now += 4
    assert air.data.may_send(CAYE, (91, True), air.now)


def alarm(source: int, target: int) -> list[BurstPacket]:
    return alarm_bursts(source, target, 1, 5)


def test_whose_something_is_says_the_burst_and_not_the_packet_around_it() -> None:
    """DOM-RAD-1: who may send for his own radios does so for no other."""
    for sent in (alarm(7001, 91), text(7001, 3, False), text(3, 92, True)):
        air = Air()
        out = air.hear(FORT, *[replace(one, source=3, target=4, group=False) for one in sent])
        assert told(out) == []
        assert air.exchange.dropped["bridge.data_barred"] == 1
        assert ("police", 7001) not in air.exchange.heard_at
    air = Air()
    assert told(air.hear(FORT, *text(3, 7001, False))) == [Text(3, 7001, False, "10-8", 3, True)]
    assert air.exchange.heard_at == {("police", 3): FORT}


def test_where_a_radio_is_its_own_bursts_say() -> None:
    air = Air()
    air.hear(CAYE, *text(7001, 7002, False))
    air.hear(HILL, *[replace(one, source=7001) for one in text(7003, 7002, False, 6)])
    assert air.exchange.heard_at == {("police", 7001): CAYE, ("police", 7003): HILL}


def test_an_alarm_to_a_talkgroup_that_is_not_carried_is_told_and_not_passed_on() -> None:
    """DOM-RAD-22: of a red button it is only asked whose it is."""
    air = Air()
    out = air.hear(HILL, *alarm(7001, 92), *alarm(7001, 4000))
    assert told(out) == [Emergency(7001, 92), Emergency(7001, 4000)]
    assert forwarded(out) == []
    assert told(air.hear(FORT, *alarm(7001, 92))) == []


def test_channels_on_which_nothing_comes_any_more_are_forgotten() -> None:
    """An OpenBridge has a channel for each number that anybody writes to."""
    air = Air()
    air.hear(HILL, *text(7001, 7002, False))
    for target in range(MOST_CHANNELS + 10):
        air.data.hear(("hill", target), text(7001, target, False)[0], air.now)
    assert len(air.data._channels) == MOST_CHANNELS
    air.now += CHANNEL_S
    air.data.pass_time(air.now)
    assert air.data._channels == {} and air.data.due is None
