"""Voice and data as ``DMRD`` packets: numbered, with one stream id from the first to the last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from radio_bridge.dmr import burst, control_block, data_header, packet
from radio_bridge.dmr.burst import DataBurst, DataType, SlotType
from radio_bridge.dmr.control_block import (
    AlarmTaken,
    Preamble,
    RadioCheck,
    UnitVoiceAnswer,
    UnitVoiceRequest,
)
from radio_bridge.dmr.data_header import PacketHeader, Response
from radio_bridge.dmr.link_control import VoiceCall
from radio_bridge.dmr.packet import BlocksWanted
from radio_bridge.dmr.transmission import Transmission
from radio_bridge.homebrew.packets import BurstPacket, Frame

PREAMBLES: Final = 3
"""Wake radios that save their batteries."""
BLOCKS: Final = 3
"""So often an answer of one burst is said."""
Block = RadioCheck | AlarmTaken | UnitVoiceRequest | UnitVoiceAnswer
"""What a bridge says to a radio in a control block."""


class Stream:
    """The packets of one talk. ``stream`` is a number that its receivers have not seen lately."""

    def __init__(
        self, call: VoiceCall, slot: int, stream: int, colour_code: int, name: str = ""
    ) -> None:
        self._call = call
        self._slot = slot
        self._stream = stream
        self._bursts = Transmission(call, colour_code, name)
        self._sequence = 0

    def rename(self, name: str) -> None:
        """The talker's name has become known."""
        self._bursts.rename(name)

    def header(self) -> BurstPacket:
        """Sent two or three times before the voice."""
        return self._packet(Frame.DATA, DataType.VOICE_HEADER, self._bursts.header())

    def voice(self, frames: int) -> BurstPacket:
        """The next 60 ms, 216 bits."""
        place, sent = self._bursts.voice(frames)
        return self._packet(Frame.VOICE if place else Frame.VOICE_SYNC, place, sent)

    def terminator(self) -> BurstPacket:
        """The last one."""
        return self._packet(Frame.DATA, DataType.TERMINATOR, self._bursts.terminator())

    def _packet(self, frame: Frame, kind: int, sent: bytes) -> BurstPacket:
        sequence, self._sequence = self._sequence, (self._sequence + 1) % 256
        return BurstPacket(
            sequence=sequence,
            source=self._call.source,
            target=self._call.target,
            repeater=0,
            slot=self._slot,
            group=self._call.group,
            frame=frame,
            kind=int(kind),
            stream=self._stream,
            burst=sent,
        )


def data(
    header: PacketHeader,
    payload: bytes,
    slot: int,
    stream: int,
    colour_code: int,
    rate: DataType = DataType.RATE_1_2,
) -> list[BurstPacket]:
    """The packets that carry bytes: preambles, the header with its counts filled in, the blocks.

    Raises ``ValueError`` for more than a packet can hold.
    """
    blocks, padding = packet.cut(payload, rate, header.confirmed)
    counted = replace(header, blocks=len(blocks), padding=padding)
    infos = packet.infos(blocks, rate, header.confirmed)
    preambles = [
        Preamble(header.source, header.target, header.group, True, left + 1 + len(blocks))
        for left in range(PREAMBLES - 1, -1, -1)
    ]
    bursts = [(DataType.CONTROL_BLOCK, control_block.to_info(one)) for one in preambles]
    bursts.append((DataType.DATA_HEADER, data_header.to_info(counted)))
    bursts += [(rate, info) for info in infos]
    return _carried(counted, bursts, slot, stream, colour_code)


def response(said: Response, slot: int, stream: int, colour_code: int) -> list[BurstPacket]:
    """The packets that answer a confirmed one: a header, and which blocks are wanted again."""
    bursts = [(DataType.DATA_HEADER, data_header.to_info(said))]
    if isinstance(said, BlocksWanted):
        rate = DataType.RATE_1_2
        infos = packet.infos(packet.flag_blocks(said), rate, confirmed=False)
        bursts += [(rate, info) for info in infos]
    return _carried(said, bursts, slot, stream, colour_code)


def again(
    sent: Sequence[BurstPacket],
    wanted: Collection[int],
    slot: int,
    stream: int,
    colour_code: int,
) -> list[BurstPacket]:
    """Single blocks of a confirmed packet; ``sent``: its header and all its blocks.

    Those that it does not have are left out; empty when it has none of them.
    """
    header, *blocks = [burst.read_data(one.burst) for one in sent]
    first = data_header.from_info(header.info)
    chosen = [blocks[number] for number in sorted(set(wanted)) if number < len(blocks)]
    if not isinstance(first, PacketHeader) or not chosen:
        return []
    counted = replace(first, full=False, blocks=len(chosen))
    bursts = [(DataType.DATA_HEADER, data_header.to_info(counted))]
    bursts += [(one.slot_type.data_type, one.info) for one in chosen]
    return _carried(counted, bursts, slot, stream, colour_code)


def control(block: Block, slot: int, stream: int, colour_code: int) -> list[BurstPacket]:
    """The packets that carry a question or an answer to a radio, some times."""
    bursts = [(DataType.CONTROL_BLOCK, control_block.to_info(block))] * BLOCKS
    return _carried(block, bursts, slot, stream, colour_code)


def _carried(
    header: PacketHeader | Response | Block,
    bursts: list[tuple[DataType, int]],
    slot: int,
    stream: int,
    colour_code: int,
) -> list[BurstPacket]:
    return [
        BurstPacket(
            sequence=sequence % 256,
            source=header.source,
            target=header.target,
            repeater=0,
            slot=slot,
            group=isinstance(header, PacketHeader) and header.group,
            frame=Frame.DATA,
            kind=int(kind),
            stream=stream,
            burst=burst.write(DataBurst(SlotType(colour_code, kind), info)),
        )
        for sequence, (kind, info) in enumerate(bursts)
    ]
