"""Frames that were on the air, with what others read in them; skipped where they are not there."""

from __future__ import annotations

from typing import Any

from real_frames import frames

from radio_bridge.dmr import (
    burst,
    control_block,
    data_header,
    datagram,
    embedded,
    link_control,
    packet,
    talker_alias,
)
from radio_bridge.dmr.burst import DataBurst, DataType, Embedded, Sync, VoiceBurst
from radio_bridge.dmr.link_control import AliasPart, GpsInfo, VoiceCall
from radio_bridge.homebrew import packets
from radio_bridge.unreadable import Unreadable


def test_a_text_acknowledgement_of_19_bursts() -> None:
    recorded = frames("sms_bursts")
    assembler = packet.Assembler()
    preambles, packets_heard = [], []
    for line in recorded["bursts33_hex"]:
        heard = burst.read(bytes.fromhex(line))
        assert burst.write(heard).hex() == line
        assert isinstance(heard, DataBurst)
        assert heard.slot_type.colour_code == 5
        if heard.slot_type.data_type == DataType.CONTROL_BLOCK:
            preambles.append(control_block.from_info(heard.info))
            assert control_block.to_info(preambles[-1]) == heard.info
        else:
            packets_heard.append(assembler.take(heard))
    assert len(preambles) == 16
    assert preambles[-1] == control_block.Preamble(2308094, 2308092, False, True, blocks=3)
    whole = packets_heard[-1]
    assert isinstance(whole, packet.Packet)
    said = datagram.read_compressed(whole.payload)
    assert said.payload.hex() == "0003bf0007"
    assert said.identification == recorded["assembled"]["ipv4_id"]
    assert said.target_port == datagram.Port(recorded["assembled"]["dst_port_id"], True)


def test_embedded_link_control() -> None:
    for item in frames("embedded_lc")["items"]:
        sent = item["hex128"]
        four = [int(sent[i : i + 8], 16) for i in range(0, 32, 8)]
        control = embedded.joined(four)
        assert link_control.write(control).hex() == item["lc9_hex"]
        assert embedded.pieces(control) == four
        source = item["truth"].get("source_address")
        if source is not None:
            assert isinstance(control, VoiceCall)
            assert str(control.source) == source
        if "gps" in item:
            assert isinstance(control, GpsInfo)
            assert control.longitude == item["gps"]["lon"]
            assert control.latitude == item["gps"]["lat"]


def test_a_talkers_name_in_four_parts() -> None:
    recorded = frames("talker_alias")
    reader = talker_alias.Reader()
    names = []
    for line in recorded["lc_hex"]:
        part = link_control.read(bytes.fromhex(line)[:9])
        assert isinstance(part, AliasPart)
        names.append(reader.take(part))
    assert names == [None, None, None, recorded["text"]]


def test_data_headers() -> None:
    for item in frames("data_headers")["items"]:
        sent, truth = bytes.fromhex(item["hex12"]), item["truth"]
        header = data_header.read(sent)
        assert data_header.write(header) == sent
        if "data_packet_format" in truth:
            assert FORMATS[truth["data_packet_format"].split(".")[1]] is type(header)
        for name, ours in (("llid_source", "source"), ("llid_destination", "target")):
            if name in truth:
                assert str(getattr(header, ours)) == truth[name]


FORMATS: dict[str, type[Any]] = {
    "DataPacketUnconfirmed": data_header.PacketHeader,
    "DataPacketConfirmed": data_header.PacketHeader,
    "ResponsePacket": data_header.Response,
    "ShortDataDefined": data_header.ShortData,
    "UnifiedDataTransport": data_header.UnifiedHeader,
}


def test_packets_of_running_masters() -> None:
    for line in frames("dmrd_frames")["frames_hex"]:
        data = bytes.fromhex(line)
        sent = packets.read_burst(data)
        assert packets.write_burst(sent) == data
        assert packets.read_burst(data[:53]).burst == sent.burst
        heard = burst.read(sent.burst)
        assert burst.write(heard) == sent.burst
        if sent.frame == packets.Frame.DATA:
            assert isinstance(heard, DataBurst)
            assert heard.slot_type.data_type == sent.kind
        else:
            assert isinstance(heard, VoiceBurst)
            assert isinstance(heard.middle, Sync) == (sent.frame == packets.Frame.VOICE_SYNC)


def test_a_voice_call_from_header_to_terminator() -> None:
    """As another maker's repeater sends it: the same bursts in pairs of swapped bytes."""
    recorded = frames("hytera_ipsc_voice_call")
    truth, kinds, embeds = recorded["truth"], [], embedded.Reader()
    for line in recorded["packets_hex"]:
        swapped = bytes.fromhex(line)[26:60]
        data = bytes(swapped[i ^ 1] for i in range(34))[:33]
        try:
            heard = burst.read(data)
        except Unreadable:
            kinds.append("?")
            continue
        if isinstance(heard, DataBurst):
            kinds.append(heard.slot_type.data_type.name)
            assert heard.slot_type.colour_code == truth["colour_code"]
            call = link_control.from_info(heard.info, heard.slot_type.data_type)
            assert isinstance(call, VoiceCall)
            assert (call.source, call.target) == (truth["src"], truth["dst"])
        else:
            kinds.append("voice")
            if isinstance(heard.middle, Embedded):
                control = embeds.take(heard.middle)
                assert control is None or isinstance(control, VoiceCall)
    assert kinds == ["VOICE_HEADER", *["voice"] * 6, "TERMINATOR"]
