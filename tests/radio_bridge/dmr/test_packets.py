"""Packets of data: cut and joined at every rate, with blocks lost, wrong, and said again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawn import data_bursts, packet_headers
from hypothesis import given, settings
from hypothesis import strategies as st

from radio_bridge.dmr import data_block, data_header, datagram, fragments, packet
from radio_bridge.dmr.burst import DataBurst, DataType, SlotType
from radio_bridge.dmr.data_block import Confirmed
from radio_bridge.dmr.data_header import Answer, PacketHeader, RawOrStatus, ShortData
from radio_bridge.dmr.datagram import Datagram, Port
from radio_bridge.dmr.packet import Assembler, BlocksWanted, Incomplete, Packet
from radio_bridge.unreadable import Unreadable

RATES = [DataType.RATE_1_2, DataType.RATE_3_4, DataType.RATE_1]
Outcome = Packet | Incomplete | BlocksWanted | None


def data(kind: DataType, info: int) -> DataBurst:
    return DataBurst(SlotType(1, kind), info)


def sent(
    payload: bytes, rate: DataType, *, confirmed: bool, number: int = 0
) -> tuple[PacketHeader, list[DataBurst]]:
    """The bursts of a packet, its header first."""
    blocks, padding = packet.cut(payload, rate, confirmed)
    header = PacketHeader(
        source=7001,
        target=91,
        group=True,
        confirmed=confirmed,
        access=data_header.Access.IP,
        blocks=len(blocks),
        padding=padding,
        fragment=8 if confirmed else 0,
        number=number,
    )
    infos = packet.infos(blocks, rate, confirmed)
    first = data(DataType.DATA_HEADER, data_header.to_info(header))
    return header, [first, *(data(rate, info) for info in infos)]


def heard(bursts: list[DataBurst], assembler: Assembler | None = None) -> list[Outcome]:
    assembler = assembler or Assembler()
    return [assembler.take(one) for one in bursts]


@given(st.binary(max_size=200), st.sampled_from(RATES), st.booleans())
@settings(max_examples=60)
def test_packets_at_every_rate(payload: bytes, rate: DataType, confirmed: bool) -> None:
    header, bursts = sent(payload, rate, confirmed=confirmed)
    outcomes = heard(bursts)
    assert outcomes[:-1] == [None] * (len(bursts) - 1)
    assert outcomes[-1] == Packet(header, payload)


def test_a_packet_holds_127_blocks() -> None:
    most = 127 * 12 - 4
    _, bursts = sent(bytes(most), DataType.RATE_1_2, confirmed=False)
    last = heard(bursts)[-1]
    assert isinstance(last, Packet)
    assert len(last.payload) == most
    with pytest.raises(ValueError, match=f"at most {most} bytes"):
        packet.cut(bytes(most + 1), DataType.RATE_1_2, confirmed=False)


def noise(burst: DataBurst) -> DataBurst:
    """The burst beyond mending."""
    return replace(burst, info=burst.info ^ 0x5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A)


def test_blocks_of_a_confirmed_packet_that_are_missing_are_named_and_taken_alone() -> None:
    payload = bytes(range(80))
    header, bursts = sent(payload, DataType.RATE_1_2, confirmed=True, number=5)
    assembler = Assembler()
    outcomes = heard([b if n not in (3, 5) else noise(b) for n, b in enumerate(bursts)], assembler)
    assert outcomes[-1] == Incomplete(header, (2, 4))
    again = replace(header, full=False, blocks=2)
    first = data(DataType.DATA_HEADER, data_header.to_info(again))
    assert heard([first, bursts[3], bursts[5]], assembler)[-1] == Packet(header, payload)


@given(st.sets(st.integers(0, packet.MOST_BLOCKS - 1), min_size=1))
def test_which_blocks_are_wanted_is_written_and_read(wanted: set[int]) -> None:
    said = BlocksWanted(7001, 702, 4, 0, Answer.SELECTIVE, 3, tuple(sorted(wanted)))
    blocks = packet.flag_blocks(said)
    header = data_header.to_info(replace(said, blocks=len(blocks)))
    infos = packet.infos(blocks, DataType.RATE_1_2, confirmed=False)
    bursts = [data(DataType.DATA_HEADER, header), *(data(DataType.RATE_1_2, i) for i in infos)]
    assert heard(bursts)[-1] == replace(said, blocks=len(blocks))
    # Flags of which a block was lost say nothing.
    assert heard([*bursts[:-1], noise(bursts[-1])])[-1] is None


def test_the_flag_of_the_first_block_is_the_lowest_bit_and_ones_mean_that_it_has_it() -> None:
    said = BlocksWanted(7001, 702, 4, 1, Answer.SELECTIVE, 0, (0, 9))
    (block,) = packet.flag_blocks(said)
    assert block[:8] == bytes([0xFE, 0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])


def test_single_blocks_are_asked_for_three_times_and_then_the_packet() -> None:
    payload = bytes(range(80))
    group, bursts = sent(payload, DataType.RATE_1_2, confirmed=True, number=5)
    header = replace(group, group=False, response_wanted=True)
    first = data(DataType.DATA_HEADER, data_header.to_info(header))
    assembler = Assembler()

    def answered(*came: DataBurst) -> data_header.Response | None:
        outcome = heard(list(came), assembler)[-1]
        assert outcome is not None
        return packet.answer(outcome)

    said = [answered(first, *bursts[1:3], noise(bursts[3]), *bursts[4:])]
    again = data(DataType.DATA_HEADER, data_header.to_info(replace(header, full=False, blocks=1)))
    for _ in range(3):
        said.append(answered(again, noise(bursts[3])))
    assert [(one.kind, getattr(one, "wanted", None)) for one in said if one] == [
        *[(Answer.SELECTIVE, (2,))] * 3,
        (Answer.CHECKSUM_FAILED, None),
    ]
    # What another packet takes the place of is wanted whole.
    heard([first, *bursts[1:3]], assembler)
    whole = answered(data(DataType.DATA_HEADER, data_header.to_info(replace(header, number=6))))
    assert whole is not None and whole.kind == Answer.CHECKSUM_FAILED


def test_blocks_of_another_packet_do_not_fill_the_gaps() -> None:
    header, bursts = sent(bytes(40), DataType.RATE_1_2, confirmed=True, number=5)
    assembler = Assembler()
    heard([*bursts[:2], noise(bursts[2]), *bursts[3:]], assembler)
    other = replace(header, full=False, blocks=1, number=6)
    first = data(DataType.DATA_HEADER, data_header.to_info(other))
    outcomes = heard([first, bursts[2]], assembler)
    assert not any(isinstance(outcome, Packet) for outcome in outcomes)


def test_a_lost_block_of_an_unconfirmed_packet_spoils_it() -> None:
    header, bursts = sent(bytes(40), DataType.RATE_3_4, confirmed=False)
    assembler = Assembler()
    heard([bursts[0], bursts[1]], assembler)
    assert assembler.lost() is None
    assert assembler.take(bursts[3]) == Incomplete(header, (1,))


def test_blocks_that_were_mixed_up_are_seen_by_the_checksum() -> None:
    header, bursts = sent(bytes(range(40)), DataType.RATE_1_2, confirmed=False)
    mixed = [bursts[0], bursts[2], bursts[1], *bursts[3:]]
    assert heard(mixed)[-1] == Incomplete(header, ())


def test_who_falls_silent_has_left_a_packet_incomplete() -> None:
    header, bursts = sent(bytes(40), DataType.RATE_1_2, confirmed=True)
    assembler = Assembler()
    heard(bursts[:3], assembler)
    assert assembler.end() == Incomplete(header, (2, 3, 4))
    assert assembler.end() is None


def test_another_header_ends_what_was_coming() -> None:
    header, bursts = sent(bytes(40), DataType.RATE_1_2, confirmed=False)
    assembler = Assembler()
    heard(bursts[:2], assembler)
    outcomes = heard(bursts, assembler)
    assert outcomes[0] == Incomplete(header, (1, 2, 3))
    assert outcomes[-1] == Packet(header, bytes(40))


def test_a_second_header_of_a_maker_is_kept_with_its_packet() -> None:
    header, bursts = sent(b"what follows", DataType.RATE_1_2, confirmed=False)
    header = replace(header, blocks=header.blocks + 1, access=data_header.Access.PROPRIETARY)
    second = data_header.Proprietary(4, 0x10, b"12345678")
    first = [data(DataType.DATA_HEADER, data_header.to_info(h)) for h in (header, second)]
    assert heard([*first, *bursts[1:]])[-1] == Packet(header, b"what follows", second)


def test_a_status_comes_alone() -> None:
    status = RawOrStatus(7001, 91, True, 10, 0, source_port=1, target_port=2, value=0x2A5)
    outcome = heard([data(DataType.DATA_HEADER, data_header.to_info(status))])[0]
    assert isinstance(outcome, Packet)
    assert isinstance(outcome.header, RawOrStatus)
    assert outcome.header.status == 0x2A5


def test_short_data_is_padded_by_bits() -> None:
    blocks, padding = packet.cut(b"ahoj", DataType.RATE_1_2, confirmed=False)
    header = ShortData(7001, 7002, False, 10, len(blocks), coding=3, padding_bits=padding * 8)
    first = data(DataType.DATA_HEADER, data_header.to_info(header))
    rest = [
        data(DataType.RATE_1_2, info)
        for info in packet.infos(blocks, DataType.RATE_1_2, confirmed=False)
    ]
    assert heard([first, *rest])[-1] == Packet(header, b"ahoj")


@given(
    st.lists(
        data_bursts
        | packet_headers.map(
            lambda header: data(DataType.DATA_HEADER, data_header.to_info(header))
        ),
        max_size=30,
    )
)
@settings(max_examples=60)
def test_any_bursts_make_packets_or_are_refused(bursts: list[DataBurst]) -> None:
    assembler = Assembler()
    for one in bursts:
        try:
            assembler.take(one)
        except Unreadable as refused:
            assert refused.code.startswith("dmr.")
    assembler.end()


@given(st.sampled_from(RATES), st.integers(0, 127), st.data())
def test_confirmed_blocks(rate: DataType, serial: int, drawn: st.DataObject) -> None:
    size = data_block.SIZES[rate] - data_block.CONFIRMED_HEAD
    block = Confirmed(serial, drawn.draw(st.binary(min_size=size, max_size=size)))
    info = data_block.write_confirmed(block, rate)
    assert data_block.read_confirmed(info, rate) == block
    for other in RATES:
        if other != rate:
            # Nine bits of checksum: of what is read at a wrong rate one in 512 holds, and differs.
            try:
                wrong = data_block.read_confirmed(info, other)
            except Unreadable:
                continue
            assert wrong != block


def confirmed_part(payload: bytes, fragment: int, source: int = 7001) -> Packet:
    header, _ = sent(payload, DataType.RATE_1_2, confirmed=True)
    return Packet(replace(header, fragment=fragment, source=source), payload)


@pytest.mark.parametrize("count", [1, 2, 8, 9, 20])
def test_datagrams_in_fragments(count: int) -> None:
    parts = [bytes([n]) * 5 for n in range(count)]
    joiner = fragments.Joiner()
    joined = [
        joiner.take(confirmed_part(part, number))
        for part, number in zip(parts, fragments.numbers(count), strict=True)
    ]
    assert joined == [*[None] * (count - 1), b"".join(parts)]


def test_fragments_are_numbered_as_the_standard_has_it() -> None:
    assert fragments.numbers(1) == [0b1000]
    assert fragments.numbers(3) == [0b0000, 0b0001, 0b1010]
    assert fragments.numbers(9) == [0, 1, 2, 3, 4, 5, 6, 7, 0b1001]


def test_a_missing_fragment_spoils_the_datagram_and_nobody_elses() -> None:
    joiner = fragments.Joiner()
    assert joiner.take(confirmed_part(b"a", 0)) is None
    assert joiner.take(confirmed_part(b"x", 0, source=7002)) is None
    assert joiner.take(confirmed_part(b"c", 0b1010)) is None
    assert joiner.take(confirmed_part(b"y", 0b1001, source=7002)) == b"xy"


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 200), st.binary(max_size=4))))
def test_any_fragments_are_joined_or_given_up(parts: list[tuple[int, int, bytes]]) -> None:
    joiner = fragments.Joiner()
    for number, source, payload in parts:
        joined = joiner.take(confirmed_part(payload, number, source))
        assert joined is None or joined.endswith(payload)


addresses = st.integers(0, 2**32 - 1)
ports = st.builds(Port, st.integers(0, 65_535))
datagrams = st.builds(Datagram, ports, ports, st.binary(max_size=60), addresses, addresses,
                      st.integers(0, 65_535))  # fmt: skip


@given(datagrams)
def test_plain_datagrams(sent: Datagram) -> None:
    whole = datagram.write_ipv4(sent)
    assert datagram.read_ipv4(whole) == sent
    assert datagram.read_ipv4(whole + b"padding") == sent


@given(datagrams, st.data())
def test_wrong_datagrams_are_refused(sent: Datagram, drawn: st.DataObject) -> None:
    whole = datagram.write_ipv4(sent)
    place = drawn.draw(st.integers(0, len(whole) * 8 - 1))
    wrong = (int.from_bytes(whole) ^ 1 << place).to_bytes(len(whole))
    if wrong[26:28] == b"\0\0":
        return  # says that it has no checksum
    with pytest.raises(Unreadable) as refused:
        datagram.read_ipv4(wrong)
    assert refused.value.code == "radio.ip"


def test_a_datagram_as_rfc_791_and_768_have_it() -> None:
    """Checked by hand: 10.0.0.1:4007 to 10.0.0.2:4007, two bytes."""
    sent = Datagram(Port(4007), Port(4007), b"hi", 0x0A000001, 0x0A000002, 1)
    whole = datagram.write_ipv4(sent)
    assert whole[:12].hex() == "4500001e00010000401166cc"
    assert datagram.checksum(whole[:20]) == 0


small = st.integers(0, 15)
compressed_ports = st.builds(Port, st.integers(0, 65_535)) | st.builds(
    Port, st.integers(3, 127), st.just(True)
)


@given(st.builds(Datagram, compressed_ports, compressed_ports, st.binary(max_size=60), small,
                 small, st.integers(0, 65_535)))  # fmt: skip
def test_compressed_datagrams(sent: Datagram) -> None:
    assert datagram.read_compressed(datagram.write_compressed(sent)) == sent


@given(st.binary(max_size=80))
def test_any_datagram_is_read_or_refused(data: bytes) -> None:
    for read in (datagram.read_ipv4, datagram.read_compressed):
        try:
            read(data)
        except Unreadable as refused:
            assert refused.code in ("radio.ip", "radio.length")


def test_a_makers_port_has_no_number_to_send_to() -> None:
    with pytest.raises(ValueError, match="maker"):
        datagram.write_ipv4(Datagram(Port(98, True), Port(98, True), b""))
