"""The bytes of the Homebrew protocol, written out; and any others."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from drawn import bits, flags, ids
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.homebrew import configuration, openbridge, packets
from radio_bridge.homebrew.configuration import Configuration
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.unreadable import Unreadable

ID = 702_001  # as four bytes: 000ab631
BURST = bytes(range(33))
VOICE = BurstPacket(
    sequence=7,
    source=7001,
    target=91,
    repeater=ID,
    slot=2,
    group=True,
    frame=Frame.VOICE,
    kind=3,
    stream=0x01020304,
    burst=BURST,
    bit_errors=2,
    signal=110,
)
BY_HAND = "444d524407001b5900005b000ab6318301020304" + BURST.hex() + "026e"

burst_packets = st.builds(
    BurstPacket,
    bits(8),
    ids,
    ids,
    bits(32),
    st.sampled_from([1, 2]),
    flags,
    st.sampled_from(Frame),
    bits(4),
    bits(32),
    st.binary(min_size=33, max_size=33),
    bits(8),
    bits(8),
)


def test_a_burst_by_hand() -> None:
    assert packets.write_burst(VOICE).hex() == BY_HAND
    assert packets.read_burst(bytes.fromhex(BY_HAND)) == VOICE


@given(burst_packets)
def test_bursts(packet: BurstPacket) -> None:
    data = packets.write_burst(packet)
    assert len(data) == 55
    assert packets.read_from_repeater(data) == packet
    assert packets.read_from_master(data) == packet
    short = replace(packet, bit_errors=None, signal=None)
    assert packets.read_burst(data[:53]) == short
    assert packets.write_burst(short) == data[:53] + b"\0\0"


@pytest.mark.parametrize("length", [4, 20, 52, 56, 100])
def test_bursts_of_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(Unreadable) as refused:
        packets.read_burst((bytes.fromhex(BY_HAND) + bytes(60))[:length])
    assert refused.value.code == "homebrew.length"


def test_what_repeaters_and_masters_say_by_hand() -> None:
    digest = hashlib.sha256(b"salt" + b"secret").digest()
    repeater = bytes.fromhex("000ab631")
    from_repeater = [
        (packets.write_login(ID), b"RPTL" + repeater, packets.Login(ID)),
        (
            packets.write_proof(ID, b"salt", b"secret"),
            b"RPTK" + repeater + digest,
            packets.Proof(ID, digest),
        ),
        (packets.write_options(ID, b"TS1=91"), b"RPTO" + repeater + b"TS1=91",
         packets.Options(ID, b"TS1=91")),
        (packets.write_ping(ID), b"RPTPING" + repeater, packets.Ping(ID)),
        (packets.write_closing(ID), b"RPTCL" + repeater, packets.Closing(ID)),
    ]  # fmt: skip
    for written, by_hand, meant in from_repeater:
        assert written == by_hand
        assert packets.read_from_repeater(by_hand) == meant
    from_master = [
        (packets.write_salt(b"salt"), b"RPTACKsalt", packets.Accepted(b"salt")),
        (packets.write_accepted(ID), b"RPTACK" + repeater, packets.Accepted(repeater)),
        (packets.write_refused(ID), b"MSTNAK" + repeater, packets.Refused()),
        (packets.write_pong(ID), b"MSTPONG" + repeater, packets.Pong()),
        (packets.write_master_closing(ID), b"MSTCL" + repeater, packets.MasterClosing()),
    ]
    for written, by_hand, answer in from_master:
        assert written == by_hand
        assert packets.read_from_master(by_hand) == answer
    assert len(packets.write_proof(ID, b"salt", b"secret")) == 40


def test_a_description_whose_id_begins_with_an_l_is_no_farewell() -> None:
    repeater = int.from_bytes(b"L\0\0\1")
    data = packets.write_description(repeater, bytes(configuration.LENGTH))
    assert packets.read_from_repeater(data) == packets.Description(repeater, bytes(294))
    assert packets.read_from_repeater(data[:8]) == packets.Description(repeater, b"")


@pytest.mark.parametrize("tag", [b"DMRA", b"DMRG", b"RPTSBKN"])
def test_what_says_nothing_new_is_not_read(tag: bytes) -> None:
    for data in (tag, tag + bytes(11)):
        assert packets.read_from_repeater(data) == packets.Ignored(tag)
        assert packets.read_from_master(data) == packets.Ignored(tag)


TAGS = [b"DMRD", b"RPTL", b"RPTK", b"RPTC", b"RPTCL", b"RPTO", b"RPTPING", b"RPTACK", b"MSTNAK",
        b"MSTPONG", b"MSTCL", b""]  # fmt: skip


@given(st.sampled_from(TAGS), st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(tag: bytes, rest: bytes) -> None:
    for read in (packets.read_from_repeater, packets.read_from_master):
        try:
            read(tag + rest)
        except Unreadable as refused:
            assert refused.code.startswith(("homebrew.", "radio."))


BELMOPAN = Configuration(
    callsign="V31BPD",
    receive_hz=449_000_000,
    send_hz=444_000_000,
    power_w=25,
    colour_code=5,
    latitude=17.2514,
    longitude=-88.7590,
    height_m=76,
    location="Belmopan",
    description="Police headquarters",
    slots="3",
    url="https://psn.example.bz",
    software="20260101",
    package="MMDVM",
)


def test_a_configuration_by_hand() -> None:
    data = configuration.write(BELMOPAN)
    assert data[:63] == (
        b"V31BPD  " b"449000000" b"444000000" b"25" b"05" b"17.25140" b"-88.75900" b"076"
        b"Belmopan     "
    )  # fmt: skip
    assert len(data) == 294
    assert len(packets.write_description(ID, data)) == 302
    assert configuration.read(data) == BELMOPAN


def test_colour_code_nought_is_one_too() -> None:
    written = configuration.write(replace(BELMOPAN, colour_code=0))
    assert configuration.read(written).colour_code == 0
    assert configuration.read(configuration.write(Configuration())).colour_code == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"", Configuration()),
        (bytes(294), Configuration()),
        (b"V31X    " + b"        n", Configuration(callsign="V31X")),
        (b" " * 30 + b"17,25000" + b"-88,75900", Configuration(latitude=17.25, longitude=-88.759)),
        (b" " * 30 + b"     nan" + b"      inf", Configuration()),
        (b" " * 30 + b"      91" + b"     -181", Configuration()),
    ],
)  # fmt: skip
def test_odd_configurations(fields: bytes, expected: Configuration) -> None:
    assert configuration.read(fields) == expected


@given(st.binary(max_size=400))
def test_any_configuration_is_read(fields: bytes) -> None:
    again = configuration.write(configuration.read(fields))
    assert len(again) == 294


@given(burst_packets, st.binary(min_size=1, max_size=20))
def test_openbridge(packet: BurstPacket, passphrase: bytes) -> None:
    data = openbridge.write(packet, 702, passphrase)
    assert len(data) == 73
    heard = openbridge.read(data, passphrase)
    assert heard == replace(packet, repeater=702, slot=1, bit_errors=None, signal=None)


@given(burst_packets, st.integers(0, 73 * 8 - 1))
def test_whoever_changes_a_bit_of_openbridge_is_refused(packet: BurstPacket, place: int) -> None:
    data = openbridge.write(packet, 702, b"passphrase")
    wrong = (int.from_bytes(data) ^ 1 << place).to_bytes(73)
    with pytest.raises(Unreadable) as refused:
        openbridge.read(wrong, b"passphrase")
    assert refused.value.code == "homebrew.signature"


@given(st.binary(max_size=100))
def test_any_openbridge_packet_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        openbridge.read(data, b"passphrase")
