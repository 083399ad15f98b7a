"""Bursts of data and control, as repeaters send them, become texts, places, buttons, presence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from drawn import control_blocks, data_headers
from hypothesis import given, settings
from hypothesis import strategies as st
from real_frames import frames

from radio_bridge import hytera
from radio_bridge.data_channel import DataChannel
from radio_bridge.dmr import control_block, data_header, datagram, packet
from radio_bridge.dmr.burst import DataBurst, DataType, SlotType, read_data, write
from radio_bridge.dmr.control_block import ControlBlock
from radio_bridge.dmr.data_header import (
    Answer,
    DataHeader,
    PacketHeader,
    RawOrStatus,
    Response,
)
from radio_bridge.dmr.datagram import Datagram, Port
from radio_bridge.dmr.packet import BlocksWanted, Packet
from radio_bridge.homebrew import stream
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.inside import (
    Alert,
    Checked,
    Emergency,
    Happening,
    NoPosition,
    Position,
    Presence,
    Status,
    Text,
    TextArrived,
)
from radio_bridge.motorola import text

RADIO, GROUP = 7001, 91


class Air:
    """A channel of data, and what it has told."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.channel = DataChannel(self.counted)
        self.now = 10.0

    def hear(self, *bursts: tuple[DataType, int]) -> list[Happening]:
        happened: list[Happening] = []
        for kind, info in bursts:
            sent = write(DataBurst(SlotType(1, kind), info))
            happened += self.hear_raw(sent, kind)
        return happened

    def hear_raw(self, sent: bytes, kind: int, frame: Frame = Frame.DATA) -> list[Happening]:
        self.now += 0.06
        carried = BurstPacket(0, RADIO, GROUP, 1, 1, True, frame, kind, 5, sent)
        return self.channel.hear(carried, self.now)


def control(block: ControlBlock) -> tuple[DataType, int]:
    return DataType.CONTROL_BLOCK, control_block.to_info(block)


def header(of: DataHeader) -> tuple[DataType, int]:
    return DataType.DATA_HEADER, data_header.to_info(of)


def data(
    payload: bytes, access: int, *, confirmed: bool = True, rate: DataType = DataType.RATE_3_4
) -> list[tuple[DataType, int]]:
    """A radio's packet to a group."""
    blocks, padding = packet.cut(payload, rate, confirmed)
    first = PacketHeader(
        RADIO, GROUP, True, confirmed, access, len(blocks), padding, fragment=8 * confirmed
    )
    return [header(first), *((rate, info) for info in packet.infos(blocks, rate, confirmed))]


def udp(port: int, payload: bytes) -> list[tuple[DataType, int]]:
    sent = Datagram(Port(port), Port(port), payload, 0x0C001B59, 0x0D000001)
    return data(datagram.write_ipv4(sent), data_header.Access.IP)


@pytest.mark.parametrize(
    ("block", "happening"),
    [
        (control_block.EmergencyAlarm(RADIO, GROUP), Emergency(RADIO, GROUP)),
        (control_block.CallAlert(RADIO, 7002), Alert(RADIO, 7002)),
        (control_block.RadioCheck(RADIO, 7002, is_answer=True), Presence(RADIO, here=True)),
        (control_block.RadioCheck(RADIO, 7002), Checked(RADIO, 7002)),
    ],
)
def test_control_blocks_are_told_once_in_a_while(block: ControlBlock, happening: Happening) -> None:
    air = Air()
    assert air.hear(*[control(block)] * 5) == [happening]
    air.now += 11
    assert air.hear(control(block)) == [happening]


def test_preambles_and_questions_say_nothing() -> None:
    blocks: list[ControlBlock] = [
        control_block.Preamble(RADIO, GROUP, True, True, 3),
        control_block.CallAlert(7002, RADIO, is_answer=True),
        control_block.AlarmTaken(7002, RADIO),
    ]
    assert Air().hear(*map(control, blocks)) == []


def test_a_status() -> None:
    status = RawOrStatus(RADIO, GROUP, True, 10, 0, 0, 0, value=17)
    assert Air().hear(header(status)) == [Status(RADIO, GROUP, True, 17)]


def test_texts_of_the_standard_and_of_motorola() -> None:
    assert Air().hear(*udp(5016, "Ven acá".encode("utf-16-be"))) == [
        Text(RADIO, GROUP, True, "Ven acá")
    ]
    sent = text.write(text.Message(text.Kind.TEXT, 9, "10-4", answer_wanted=True))
    assert Air().hear(*udp(4007, sent)) == [Text(RADIO, GROUP, True, "10-4", 9, True)]
    arrived = text.write(text.Message(text.Kind.RECEIVED, 9))
    assert Air().hear(*udp(4007, arrived)) == [TextArrived(RADIO, GROUP, 9)]


def test_texts_of_hytera() -> None:
    sent = hytera.Message(hytera.Kind.TO_RADIO, 4, RADIO, GROUP, "10-8")
    assert Air().hear(*udp(30007, hytera.write_text(sent))) == [
        Text(RADIO, GROUP, False, "10-8", 4, True)
    ]
    arrived = hytera.Message(hytera.Kind.TO_RADIO_ARRIVED, 4, RADIO, GROUP)
    assert Air().hear(*udp(30007, hytera.write_text(arrived))) == [TextArrived(RADIO, GROUP, 4)]
    failed = hytera.Message(hytera.Kind.TO_RADIO_ARRIVED, 4, RADIO, GROUP, failure=1)
    assert Air().hear(*udp(30007, hytera.write_text(failed))) == []


def test_presence() -> None:
    assert Air().hear(*udp(4005, bytes.fromhex("0007f0200231310000"))) == [Presence(RADIO, True)]
    assert Air().hear(*udp(4005, bytes.fromhex("000131"))) == [Presence(RADIO, False)]


def test_a_position_and_none() -> None:
    report = bytes.fromhex("0d102204000000016618888888c111111138")
    (place,) = Air().hear(*udp(4001, report))
    assert isinstance(place, Position)
    assert place.source == RADIO
    assert (place.longitude, place.latitude) == pytest.approx((-88.5, 17.25), abs=1e-6)
    failed = bytes.fromhex("070c22042468ace0390503515355")
    assert Air().hear(*udp(4001, failed)) == [NoPosition(RADIO, 5)]


def test_a_text_of_many_blocks_with_one_missing_says_nothing_and_is_counted() -> None:
    air = Air()
    sent = udp(4007, text.write(text.Message(text.Kind.TEXT, 1, "ñ" * 200)))
    happened = air.hear(*sent[:4], *sent[5:])
    air.now += 2
    happened += air.channel.pass_time(air.now)
    assert happened == []
    assert air.counted["data.incomplete"] == 1
    assert air.hear(*sent) == [Text(RADIO, GROUP, True, "ñ" * 200, 1)]


def test_a_block_beyond_mending_is_missing() -> None:
    air = Air()
    sent = udp(4007, text.write(text.Message(text.Kind.TEXT, 1, "x")))
    noise = sent[2][0], sent[2][1] ^ 0x5A5A5A5A5A5A5A5A5A5A5A5A
    assert air.hear(*sent[:2], noise, *sent[3:]) == []
    assert air.counted["data.incomplete"] == 1


@pytest.mark.parametrize("confirmed", [True, False])
def test_what_is_sent_as_data_is_heard_as_it_was(confirmed: bool) -> None:
    air = Air()
    sent = text.write(text.Message(text.Kind.TEXT, 3, "Regrese a la base", answer_wanted=True))
    whole = datagram.write_ipv4(Datagram(Port(4007), Port(4007), sent, 0x0D000001, 0x0C001B59))
    first = PacketHeader(64_250, RADIO, False, confirmed, data_header.Access.IP, 0,
                         response_wanted=confirmed, fragment=8 * confirmed, number=2)  # fmt: skip
    carried = stream.data(first, whole, slot=2, stream=99, colour_code=1)
    happened = [h for one in carried for h in air.channel.hear(one, air.now)]
    assert happened == [Text(64_250, RADIO, False, "Regrese a la base", 3, True)]
    assert [one.sequence for one in carried] == list(range(len(carried)))
    assert {(one.slot, one.stream, one.source, one.target) for one in carried} == {
        (2, 99, 64_250, RADIO)
    }
    expected = Response(RADIO, 64_250, data_header.Access.IP, 0, Answer.RECEIVED, 2)
    assert air.channel.answers == ([expected] if confirmed else [])
    # The answer is itself a packet that says nothing more.
    (back,) = stream.response(expected, slot=2, stream=100, colour_code=1)
    assert DataChannel(Counter()).hear(back, 1.0) == []
    # A preamble says how much comes after it.
    blocks = [control_block.from_info(read_data(one.burst).info) for one in carried[:3]]
    left = [block.blocks for block in blocks if isinstance(block, control_block.Preamble)]
    assert left == [len(carried) - 1, len(carried) - 2, len(carried) - 3]


def test_an_incomplete_packet_is_asked_for_again() -> None:
    air = Air()
    first = PacketHeader(64_250, RADIO, False, True, 4, 0, response_wanted=True, number=5)
    carried = stream.data(first, bytes(50), slot=1, stream=9, colour_code=1)
    for one in carried[:-2]:
        air.channel.hear(one, air.now)
    air.channel.pass_time(air.now + 2)
    wanted = BlocksWanted(RADIO, 64_250, 4, 1, Answer.SELECTIVE, 5, (4, 5))
    assert air.channel.answers == [wanted]


def test_the_answer_that_a_radio_gave_to_a_recorded_packet() -> None:
    headers = [bytes.fromhex(item["hex12"]) for item in frames("data_headers")["items"]]
    read = [data_header.read(one) for one in headers]
    (asked,) = (one for one in read if isinstance(one, PacketHeader) and one.confirmed)
    (given,) = (one for one in read if isinstance(one, Response))
    assert packet.answer(Packet(asked, b"")) == given


def test_what_nobody_reads_is_counted() -> None:
    air = Air()
    assert air.hear(*udp(9, b"x"), *data(b"x", data_header.Access.ARP)) == []
    assert air.counted["data.unknown"] == 2


def test_a_recorded_acknowledgement() -> None:
    air = Air()
    happened: list[Happening] = []
    for number, line in enumerate(frames("sms_bursts")["bursts33_hex"]):
        kind = 3 if number < 16 else 6 if number == 16 else 7
        happened += air.hear_raw(bytes.fromhex(line), kind)
    assert happened == [TextArrived(2308094, 2308092, 7)]


any_data = st.one_of(
    control_blocks.map(control),
    data_headers.map(header),
    st.sampled_from(udp(4007, text.write(text.Message(text.Kind.TEXT, 1, "words")))),
    st.tuples(st.sampled_from(DataType), st.integers(0, 2**196 - 1)),
)


@given(st.lists(any_data, max_size=25), st.binary(min_size=33, max_size=33))
@settings(max_examples=100)
def test_anything_happens_or_is_counted(bursts: list[tuple[DataType, int]], raw: bytes) -> None:
    air = Air()
    air.hear(*bursts)
    for frame in Frame:
        air.hear_raw(raw, 6, frame)
    air.now += 2
    air.channel.pass_time(air.now)
    assert air.channel.due is None


def test_the_packet_around_a_burst_decides_nothing() -> None:
    block = write(DataBurst(SlotType(1, DataType.CONTROL_BLOCK),
                            control(control_block.EmergencyAlarm(RADIO, GROUP))[1]))  # fmt: skip
    carried = BurstPacket(0, 1, 2, 1, 1, False, Frame.DATA, 3, 5, block)
    for one in (carried, replace(carried, source=9, kind=3)):
        assert DataChannel(Counter()).hear(one, 1.0) == [Emergency(RADIO, GROUP)]
