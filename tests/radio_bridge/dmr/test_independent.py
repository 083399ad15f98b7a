"""Beside ok-dmrlib, which others wrote from the same standard: the same words, the same meanings.

``PSN_DMR_COMPARISONS`` says how many inputs of each kind are drawn; 150 by default.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from radio_bridge.dmr import (
    bptc,
    burst,
    checks,
    control_block,
    cyclic,
    data_block,
    data_header,
    datagram,
    embedded,
    link_control,
    reed_solomon,
    trellis,
)
from radio_bridge.dmr.burst import DataBurst, DataType, Embedded, Piece, SlotType, Sync, VoiceBurst
from radio_bridge.dmr.link_control import AliasPart, GpsInfo, Service, VoiceCall
from radio_bridge.unreadable import Unreadable

pytest.importorskip("okdmr.dmrlib", reason="ok-dmrlib, of the group test, is not installed")

from bitarray import bitarray
from bitarray.util import ba2int, int2ba
from okdmr.dmrlib.etsi.crc.crc9 import CRC9
from okdmr.dmrlib.etsi.crc.crc16 import CRC16
from okdmr.dmrlib.etsi.crc.crc32 import CRC32
from okdmr.dmrlib.etsi.fec.bptc_196_96 import BPTC19696
from okdmr.dmrlib.etsi.fec.five_bit_checksum import FiveBitChecksum
from okdmr.dmrlib.etsi.fec.golay_20_8_7 import Golay2087
from okdmr.dmrlib.etsi.fec.hamming_7_4_3 import Hamming743
from okdmr.dmrlib.etsi.fec.hamming_13_9_3 import Hamming1393
from okdmr.dmrlib.etsi.fec.hamming_15_11_3 import Hamming15113
from okdmr.dmrlib.etsi.fec.hamming_16_11_4 import Hamming16114
from okdmr.dmrlib.etsi.fec.hamming_17_12_3 import Hamming17123
from okdmr.dmrlib.etsi.fec.quadratic_residue_16_7_6 import QuadraticResidue1676
from okdmr.dmrlib.etsi.fec.reed_solomon_12_9_4 import ReedSolomon1294
from okdmr.dmrlib.etsi.fec.trellis import Trellis34
from okdmr.dmrlib.etsi.fec.vbptc_128_72 import VBPTC12873
from okdmr.dmrlib.etsi.layer2.burst import Burst as TheirBurst
from okdmr.dmrlib.etsi.layer2.elements.burst_types import BurstTypes
from okdmr.dmrlib.etsi.layer2.elements.crc_masks import CrcMasks
from okdmr.dmrlib.etsi.layer2.pdu.csbk import CSBK
from okdmr.dmrlib.etsi.layer2.pdu.data_header import DataHeader as TheirHeader
from okdmr.dmrlib.etsi.layer2.pdu.full_link_control import FullLinkControl
from okdmr.dmrlib.etsi.layer3.pdu.udp_ipv4_compressed_header import UDPIPv4CompressedHeader

COMPARISONS = int(os.environ.get("PSN_DMR_COMPARISONS", "150"))
CODES: list[tuple[cyclic.CyclicCode, Any]] = [
    (cyclic.GOLAY_20_8, Golay2087),
    (cyclic.QR_16_7, QuadraticResidue1676),
    (cyclic.HAMMING_17_12, Hamming17123),
    (cyclic.HAMMING_16_11, Hamming16114),
    (cyclic.HAMMING_15_11, Hamming15113),
    (cyclic.HAMMING_13_9, Hamming1393),
    (cyclic.HAMMING_7_4, Hamming743),
]
pytestmark = [pytest.mark.timeout(0)] if COMPARISONS > 1_000 else []


def drawings(kind: str) -> Iterator[random.Random]:
    """So many sources of random values, each known by its number."""
    for number in range(COMPARISONS):
        yield random.Random(f"{kind} {number}")


def bits(value: int, width: int) -> bitarray:
    return int2ba(value, length=width)


def corrupted(drawn: random.Random, word: int, width: int, most: int) -> tuple[int, int]:
    """The word with some bits turned over, and how many."""
    wrong = drawn.sample(range(width), drawn.randint(0, most))
    for place in wrong:
        word ^= 1 << place
    return word, len(wrong)


@pytest.mark.parametrize(("ours", "theirs"), CODES, ids=[code.name for code, _ in CODES])
def test_short_codes(ours: cyclic.CyclicCode, theirs: Any) -> None:
    for drawn in drawings(ours.name):
        sent = ours.encode(drawn.getrandbits(ours.data))
        assert theirs.check(bits(sent, ours.length))
        heard, wrong = corrupted(drawn, sent, ours.length, ours.length // 2)
        assert theirs.check(bits(heard, ours.length)) == ours.is_word(heard)
        mended = ours.nearest(heard)
        if wrong <= ours.mends:
            assert mended == sent
        if mended is not None:
            assert theirs.check(bits(mended, ours.length))


def test_bptc_196() -> None:
    found_by_us = found_by_them = 0
    for drawn in drawings("196"):
        data = drawn.getrandbits(96)
        sent = bptc.encode_196(data)
        assert bits(sent, 196) == BPTC19696.encode(bits(data, 96))
        heard, wrong = corrupted(drawn, sent, 196, 12)
        found_by_them += BPTC19696.deinterleave_data_bits(bits(heard, 196)) == bits(data, 96)
        try:
            ours = bptc.decode_196(heard)
        except Unreadable:
            assert wrong > 4
            continue
        assert wrong > 4 or ours == data
        found_by_us += ours == data
        # Whatever it is mended to is a word of theirs.
        word = bits(bptc.encode_196(ours), 196)
        assert BPTC19696.deinterleave_data_bits(word, repair_if_necessary=False) == bits(ours, 96)
    assert found_by_us >= found_by_them
    print(f"of {COMPARISONS}: {found_by_us} mended by us, {found_by_them} by them")


def test_bptc_128_and_its_checksum() -> None:
    for drawn in drawings("128"):
        content = drawn.randbytes(9)
        assert checks.checksum_5(content) == FiveBitChecksum.calculate(content)
        call = VoiceCall(drawn.getrandbits(24), drawn.getrandbits(24), drawn.random() < 0.5)
        four = embedded.pieces(call)
        sent = int.from_bytes(b"".join(piece.to_bytes(4) for piece in four))
        theirs = VBPTC12873.deinterleave_data_bits(bits(sent, 128))
        assert theirs[:72].tobytes() == link_control.write(call)
        assert ba2int(theirs[72:]) == checks.checksum_5(link_control.write(call))
        # Their encoder, unlike their decoder and radios, puts the checksum in from its other end.
        checksum = format(ba2int(theirs[72:]), "05b")
        if checksum == checksum[::-1]:
            assert VBPTC12873.encode(theirs[:72]) == bits(sent, 128)
        heard, wrong = corrupted(drawn, sent, 128, 6)
        try:
            again = embedded.joined([heard >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0)])
        except Unreadable:
            assert wrong > 1
        else:
            assert wrong > 1 or again == call


def test_reed_solomon() -> None:
    for drawn in drawings("RS"):
        data = drawn.randbytes(9)
        mask = drawn.choice([checks.VOICE_HEADER_MASK, checks.TERMINATOR_MASK, bytes(3)])
        word = reed_solomon.encode(data, mask)
        assert ReedSolomon1294.generate(data, mask) == word
        wrong = bytearray(word)
        places = drawn.sample(range(12), drawn.randint(0, 4))
        for place in places:
            wrong[place] ^= drawn.randrange(1, 256)
        try:
            found = reed_solomon.decode(bytes(wrong), mask)
        except Unreadable:
            assert len(places) > 1
            continue
        assert len(places) > 1 or found == data
        if ReedSolomon1294.check(bytes(wrong), mask):
            assert found == bytes(wrong[:9])


def test_rate_3_4() -> None:
    for drawn in drawings("trellis"):
        data = drawn.getrandbits(144)
        sent = trellis.encode(data)
        assert Trellis34.encode(bits(data, 144)) == bits(sent, 196)
        assert Trellis34.decode(bits(sent, 196)) == bits(data, 144)
        heard, wrong = corrupted(drawn, sent, 196, 10)
        try:
            found = trellis.decode(heard)
        except Unreadable:
            assert wrong > 8
            continue
        # Nothing is nearer to what came: not even what was sent.
        assert (trellis.encode(found) ^ heard).bit_count() <= wrong
        assert wrong > 1 or found == data


def test_checksums() -> None:
    masks = [
        (checks.Mask.PI_HEADER, CrcMasks.PiHeader),
        (checks.Mask.CONTROL_BLOCK, CrcMasks.CSBK),
        (checks.Mask.MBC_HEADER, CrcMasks.MBCHeader),
        (checks.Mask.DATA_HEADER, CrcMasks.DataHeader),
        (checks.Mask.UNIFIED_SINGLE_BLOCK, CrcMasks.UnifiedSingleBlockData),
    ]
    rates = [
        (DataType.RATE_1_2, checks.Mask.RATE_1_2, CrcMasks.Rate12DataContinuation),
        (DataType.RATE_3_4, checks.Mask.RATE_3_4, CrcMasks.Rate34DataContinuation),
        (DataType.RATE_1, checks.Mask.RATE_1, CrcMasks.Rate1DataContinuation),
    ]
    for drawn in drawings("checks"):
        data = drawn.randbytes(10)
        mask, their_mask = drawn.choice(masks)
        assert checks.crc_16(data, mask) == CRC16.calculate(data, their_mask)
        rate, mask, their_mask = drawn.choice(rates)
        block, serial = drawn.randbytes(data_block.SIZES[rate] - 2), drawn.getrandbits(7)
        theirs = CRC9.calculate_from_parts(block, serial, their_mask)
        assert checks.crc_9(block, serial, mask) == theirs
        data = drawn.randbytes(2 * drawn.randint(1, 100))
        assert checks.crc_32(data) == CRC32.calculate(data).to_bytes(4, "little")


def drawn_call(drawn: random.Random) -> VoiceCall:
    return VoiceCall(
        drawn.getrandbits(24),
        drawn.getrandbits(24),
        drawn.random() < 0.5,
        Service.of(drawn.getrandbits(8)),
    )


def whole(control: link_control.LinkControl) -> bitarray:
    """Link control with its checks, as they read it."""
    word = reed_solomon.encode(link_control.write(control), checks.VOICE_HEADER_MASK)
    return bits(int.from_bytes(word), 96)


def test_link_control() -> None:
    for drawn in drawings("LC"):
        call = drawn_call(drawn)
        content = link_control.write(call)
        theirs = FullLinkControl.from_bits(whole(call))
        target = theirs.group_address if call.group else theirs.target_address
        assert (theirs.source_address, target) == (call.source, call.target)
        options = theirs.service_options
        assert options.is_emergency == call.service.emergency
        assert options.is_privacy == call.service.privacy
        assert options.is_broadcast == call.service.broadcast
        assert options.is_open_voice_call_mode == call.service.open_channel
        assert options.priority_level == call.service.priority
        assert theirs.as_bits()[:72].tobytes() == content
        place = link_control.read(bytes([8, 0]) + drawn.randbytes(7))
        assert isinstance(place, GpsInfo)
        theirs = FullLinkControl.from_bits(whole(place))
        assert (theirs.longitude, theirs.latitude) == (place.longitude, place.latitude)
        part = AliasPart(0, drawn.randbytes(7))
        theirs = FullLinkControl.from_bits(whole(part))
        assert theirs.talker_alias_data == part.content[1:]
        assert theirs.talker_alias_data_length == part.content[0] >> 1 & 0x1F


def test_control_blocks() -> None:
    for drawn in drawings("CSBK"):
        source, target = drawn.getrandbits(24), drawn.getrandbits(24)
        service = Service.of(drawn.getrandbits(8))
        blocks: list[control_block.ControlBlock] = [
            control_block.Preamble(source, target, True, False, drawn.getrandbits(8)),
            control_block.Preamble(source, target, False, True, drawn.getrandbits(8)),
            control_block.UnitVoiceRequest(source, target, service),
            control_block.UnitVoiceAnswer(source, target, drawn.choice([0x20, 0x21]), service),
            control_block.Refusal(source, target, 4, 0x21, from_unit=True),
            control_block.Activation(source, target),
        ]
        block = drawn.choice(blocks)
        sent = control_block.write(block)
        theirs = CSBK.from_bits(bits(int.from_bytes(sent), 96))
        theirs.calculate_crc_ccit()
        assert theirs.source_address == source
        repeater = isinstance(block, control_block.Activation)
        assert (theirs.bs_address if repeater else theirs.target_address) == target
        assert theirs.as_bits().tobytes() == sent
        if isinstance(block, control_block.Preamble):
            assert theirs.blocks_to_follow == block.blocks
            assert theirs.csbk_content_follows_preambles != block.data
            assert theirs.target_address_is_individual != block.group


def drawn_header(drawn: random.Random) -> data_header.DataHeader:
    ends = drawn.getrandbits(24), drawn.getrandbits(24)
    group, wanted, full, other = (drawn.random() < 0.5 for _ in range(4))
    access, count = drawn.choice([0, 2, 3, 4, 5, 9, 10]), drawn.getrandbits(6)
    byte = drawn.getrandbits(8)
    few, number = drawn.getrandbits(4), drawn.getrandbits(3)
    headers: list[data_header.DataHeader] = (
        [
            data_header.PacketHeader(
                *ends, group, True, access, count, byte >> 3, wanted, full, few, other, number
            ),
            data_header.PacketHeader(
                *ends, group, False, access, count, byte >> 3, wanted, full, few
            ),
            data_header.ShortData(
                *ends, group, access, count, drawn.randint(0, 24), byte, wanted, other, full
            ),
            data_header.UnifiedHeader(
                *ends, group, access, number, byte >> 3, byte & 3, drawn.choice([0x1A, 0x1B]),
                other, wanted, full, False, wanted,
            ),
        ]
    )  # fmt: skip
    return drawn.choice(headers)


def test_data_headers() -> None:
    for drawn in drawings("headers"):
        header = drawn_header(drawn)
        assert not isinstance(header, data_header.Proprietary | data_header.OtherHeader)
        sent = data_header.write(header)
        theirs = TheirHeader.from_bits(bits(int.from_bytes(sent), 96))
        assert theirs.crc_ok
        assert (theirs.llid_source, theirs.llid_destination) == (header.source, header.target)
        assert theirs.as_bits().tobytes() == sent
        if isinstance(header, data_header.PacketHeader):
            assert theirs.pad_octet_count == header.padding
            assert theirs.blocks_to_follow == header.blocks
            assert theirs.fragment_sequence_number.value == header.fragment


def test_whole_bursts() -> None:
    kinds = [DataType.VOICE_HEADER, DataType.TERMINATOR]
    for drawn in drawings("bursts"):
        call, colour_code, kind = drawn_call(drawn), drawn.getrandbits(4), drawn.choice(kinds)
        info = link_control.to_info(call, kind)
        sent = burst.write(DataBurst(SlotType(colour_code, kind), info, Sync.MS_DATA))
        theirs = TheirBurst.from_bytes(sent)
        assert theirs.slot_type.fec_parity_ok
        assert theirs.colour_code == colour_code
        assert theirs.data_type.value == kind
        assert theirs.data.source_address == call.source
        assert theirs.as_bytes() == sent
        piece = Embedded(
            colour_code, drawn.choice(list(Piece)), drawn.getrandbits(32), drawn.random() < 0.5
        )
        voice = VoiceBurst(drawn.getrandbits(216), piece)
        sent = burst.write(voice)
        if burst.sync_of(sent) is not None:
            continue  # what is embedded happens to be a sync pattern, nearly
        theirs = TheirBurst.from_bytes(sent, BurstTypes.Vocoder)
        assert theirs.emb.emb_parity_ok
        assert theirs.emb.colour_code == colour_code
        assert theirs.emb.link_control_start_stop.value == piece.piece
        assert ba2int(theirs.voice_bits) == voice.frames
        assert ba2int(theirs.embedded_signalling_bits) == piece.content
        heard, wrong = corrupted(drawn, int.from_bytes(sent), 264, 8)
        try:
            again = burst.read_voice(heard.to_bytes(33))
        except Unreadable:
            assert wrong > 2
            continue
        if wrong <= 2 and isinstance(again.middle, Embedded):
            assert again.middle.piece == piece.piece


def test_compressed_datagrams() -> None:
    for drawn in drawings("UDP"):
        ports = [drawn.choice([5016, 5017, 4007, drawn.getrandbits(16)]) for _ in range(2)]
        sent = datagram.Datagram(
            datagram.Port(ports[0]),
            datagram.Port(ports[1]),
            drawn.randbytes(20),
            source=0,
            target=1,
            identification=drawn.getrandbits(16),
        )
        packet = datagram.write_compressed(sent)
        theirs = UDPIPv4CompressedHeader.from_bits(bits(int.from_bytes(packet), len(packet) * 8))
        assert theirs.ipv4_identification == sent.identification
        assert theirs.user_data.tobytes() == sent.payload
        extended = [port for port in ports if port not in (5016, 5017)]
        heard = [theirs.extended_header_1, theirs.extended_header_2]
        assert [port for port in heard if port] == [port for port in extended if port]
