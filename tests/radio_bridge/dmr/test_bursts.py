"""Bursts, link control, control blocks and headers: written and read again, and whatever comes."""

from __future__ import annotations

import pytest
from drawn import control_blocks, data_bursts, data_headers, voice_bursts, voice_calls
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.dmr import (
    burst,
    checks,
    control_block,
    data_header,
    embedded,
    link_control,
    talker_alias,
    transmission,
)
from radio_bridge.dmr.burst import DataBurst, DataType, Embedded, Piece, Sync, VoiceBurst
from radio_bridge.dmr.control_block import ControlBlock
from radio_bridge.dmr.data_header import DataHeader
from radio_bridge.dmr.link_control import AliasPart, GpsInfo, Service, VoiceCall
from radio_bridge.unreadable import Unreadable

KINDS = [DataType.VOICE_HEADER, DataType.TERMINATOR]
any_burst = st.binary(min_size=33, max_size=33)


@given(data_bursts)
def test_data_bursts(sent: DataBurst) -> None:
    assert burst.read(burst.write(sent)) == sent


@given(voice_bursts)
def test_voice_bursts(sent: VoiceBurst) -> None:
    # What is embedded may happen to be near a sync pattern; who knows that it is voice is not led.
    heard = burst.read_voice(burst.write(sent))
    assert heard.frames == sent.frames
    assert heard.middle == sent.middle or isinstance(heard.middle, Sync)


@pytest.mark.parametrize("sync", Sync)
def test_a_sync_pattern_is_known_with_four_wrong_bits(sync: Sync) -> None:
    sent = int.from_bytes(burst.write(VoiceBurst(0, sync)))
    for place in range(108, 153):
        assert burst.sync_of((sent ^ 0b11011 << place).to_bytes(33)) == sync


@given(any_burst)
def test_any_burst_is_read_or_refused(data: bytes) -> None:
    for read in (burst.read, burst.read_data, burst.read_voice):
        try:
            heard = read(data)
        except Unreadable:
            continue
        if isinstance(heard, DataBurst) and heard.slot_type.data_type in KINDS:
            try:
                link_control.from_info(heard.info, heard.slot_type.data_type)
            except Unreadable as refused:
                assert refused.code == "dmr.fec"


@pytest.mark.parametrize("length", [0, 32, 34])
def test_a_burst_has_33_bytes(length: int) -> None:
    with pytest.raises(Unreadable) as refused:
        burst.read(bytes(length))
    assert refused.value.code == "radio.length"


@given(voice_calls, st.sampled_from(KINDS))
def test_calls_in_headers_and_terminators(call: VoiceCall, kind: DataType) -> None:
    assert link_control.from_info(link_control.to_info(call, kind), kind) == call


@given(voice_calls)
def test_calls_in_four_pieces(call: VoiceCall) -> None:
    assert embedded.joined(embedded.pieces(call)) == call


@given(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4))
def test_any_four_pieces_are_read_or_refused(four: list[int]) -> None:
    try:
        embedded.joined(four)
    except Unreadable as refused:
        assert refused.code in ("dmr.fec", "dmr.crc")


def test_pieces_are_waited_for_in_their_order() -> None:
    call = VoiceCall(7001, 91, group=True)
    sent = [
        Embedded(1, piece, content)
        for piece, content in zip(embedded.ORDER, embedded.pieces(call), strict=True)
    ]
    reader = embedded.Reader()
    assert [reader.take(one) for one in sent] == [None, None, None, call]
    # One is lost: nothing; the next four: all.
    assert [reader.take(one) for one in (sent[0], sent[1], sent[3])] == [None] * 3
    assert [reader.take(one) for one in sent][-1] == call
    reader.take(sent[0])
    reader.lost()
    assert [reader.take(one) for one in sent[1:]] == [None] * 3


@given(st.binary(min_size=9, max_size=9))
def test_link_control_comes_back_as_it_was(content: bytes) -> None:
    control = link_control.read(content)
    again = link_control.write(control)
    assert link_control.read(again) == control
    if isinstance(control, AliasPart):
        assert again[2:] == content[2:]


def test_an_emergency_call_by_hand() -> None:
    """FLCO 0, feature set 0, service 0x80, group 0x00005B, unit 0x001B59."""
    call = link_control.read(bytes.fromhex("00008000005b001b59"))
    assert call == VoiceCall(7001, 91, group=True, service=Service(emergency=True))


@pytest.mark.parametrize(
    ("longitude", "latitude", "error"),
    [(-88.19756, 17.50463, 2.0), (0.0, 0.0, None), (179.99999, -89.99999, 200_000.0)],
)
def test_where_the_talker_is(longitude: float, latitude: float, error: float | None) -> None:
    sent = GpsInfo(longitude, latitude, error)
    heard = embedded.joined(embedded.pieces(sent))
    assert isinstance(heard, GpsInfo)
    # 2⁻²⁵ of a circle are 1.2 m.
    assert heard.longitude == pytest.approx(longitude, abs=1e-5)
    assert heard.latitude == pytest.approx(latitude, abs=1e-5)
    assert heard.error_m == error


@given(control_blocks)
def test_control_blocks(block: ControlBlock) -> None:
    assert control_block.from_info(control_block.to_info(block)) == block


@given(st.binary(max_size=14))
def test_any_control_block_is_read_or_refused(data: bytes) -> None:
    for block in (data, data + checks.crc_16(data, checks.Mask.CONTROL_BLOCK).to_bytes(2)):
        try:
            control_block.write(control_block.read(block))
        except Unreadable as refused:
            assert refused.code in ("radio.length", "dmr.crc")


@given(data_headers)
def test_data_headers(header: DataHeader) -> None:
    assert data_header.from_info(data_header.to_info(header)) == header


@given(st.binary(min_size=10, max_size=10))
def test_any_data_header_with_a_right_checksum_is_read(body: bytes) -> None:
    mask = checks.Mask.DATA_HEADER
    header = data_header.read(body + checks.crc_16(body, mask).to_bytes(2))
    again = data_header.write(header)
    assert data_header.read(again) == header


@given(st.text(min_size=1, max_size=40))
def test_names(name: str) -> None:
    if not talker_alias.shown(name):
        with pytest.raises(ValueError, match="nothing"):
            talker_alias.write(name)
        return
    parts = talker_alias.write(name)
    reader = talker_alias.Reader()
    heard = [reader.take(part) for part in parts]
    assert heard[-1]
    assert talker_alias.shown(name).startswith(heard[-1])


@pytest.mark.parametrize("name", ["BPD 14", "Cnel. Peña Ñúñez", "Sgt. Xu 徐伟", "x" * 31])
def test_names_that_fit_are_whole_in_any_order(name: str) -> None:
    parts = talker_alias.write(name)
    for order in (parts, parts[::-1]):
        reader = talker_alias.Reader()
        assert [reader.take(part) for part in order][-1] == name


@given(st.lists(st.builds(AliasPart, st.integers(0, 3), st.binary(min_size=7, max_size=7))))
def test_any_parts_make_a_name_or_none(parts: list[AliasPart]) -> None:
    reader = talker_alias.Reader()
    for part in parts:
        name = reader.take(part)
        assert name is None or name == talker_alias.shown(name)


def test_a_transmission_says_whose_it_is_again_and_again() -> None:
    call = VoiceCall(7001, 91, group=True)
    talk = transmission.Transmission(call, colour_code=3, name="Cpl. Coc")
    heard = burst.read(talk.header())
    assert isinstance(heard, DataBurst)
    assert link_control.from_info(heard.info, DataType.VOICE_HEADER) == call
    said, reader, names = [], embedded.Reader(), talker_alias.Reader()
    for number in range(24):
        place, data = talk.voice(number)
        voice = burst.read(data)
        assert isinstance(voice, VoiceBurst)
        assert (place, voice.frames) == (number % 6, number)
        if place == 0:
            assert voice.middle == Sync.BS_VOICE
        else:
            assert isinstance(voice.middle, Embedded)
            assert voice.middle.colour_code == 3
            assert (voice.middle.piece == Piece.ALONE) == (place == 5)
            said.append(reader.take(voice.middle))
    controls = [control for control in said if control]
    assert controls[0] == controls[2] == call
    parts = [control for control in controls if isinstance(control, AliasPart)]
    assert [names.take(part) for part in parts] == [None, "Cpl. Coc"]
    end = burst.read(talk.terminator())
    assert isinstance(end, DataBurst)
    assert link_control.from_info(end.info, DataType.TERMINATOR) == call
