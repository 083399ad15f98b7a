"""Bytes longer than a block: a header, its blocks, four bytes of checksum at the end.

Clause 8.2.2 (confirmed and unconfirmed packets), 9.2.12 (short data). :class:`Assembler` takes the
data bursts of one slot as they come. What it did not hear whole it says: of a confirmed packet
which blocks are missing, and takes these alone when they come again.

Who wants single blocks again says so by a flag for each (clause 8.2.2.2): 1, it has it; 0, it wants
it. The flag of the first block is the lowest bit of the first byte. They follow the response in
blocks at rate 1/2 that are not numbered, padded with ones, with a checksum as any packet has.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from radio_bridge.dmr import checks, data_block, data_header
from radio_bridge.dmr.burst import DataBurst, DataType
from radio_bridge.dmr.data_header import (
    Answer,
    PacketHeader,
    Proprietary,
    RawOrStatus,
    Response,
    ShortData,
)
from radio_bridge.unreadable import Unreadable

CHECKSUM: Final = 4
MOST_BLOCKS: Final = 127
MOST_ROUNDS: Final = 3
"""So often single blocks are asked for again; then the whole packet is."""
Header = PacketHeader | ShortData | RawOrStatus


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet whose checksum holds."""

    header: Header
    payload: bytes
    """Without padding and checksum; of short data the last byte may be padded by single bits."""
    second: Proprietary | None = None
    """Its second header, where a maker has one."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A packet that ended before it was whole."""

    header: Header
    missing: tuple[int, ...]
    """Numbers of blocks, from 0; none are known where only the checksum failed."""
    rounds: int = 0
    """So often blocks of it have come again."""


@dataclass(frozen=True, slots=True)
class BlocksWanted(Response):
    """A response of the kind :attr:`Answer.SELECTIVE`, with the flags that follow it."""

    wanted: tuple[int, ...] = ()
    """Numbers of blocks, from 0."""


Outcome = Packet | Incomplete | BlocksWanted


def is_confirmed(header: Header) -> bool:
    """Whether its blocks are numbered; short data's are when it wants single ones again."""
    if isinstance(header, ShortData):
        return header.selective
    if isinstance(header, RawOrStatus):
        return bool(header.value & 0x200)
    return header.confirmed


def _is_full(header: Header) -> bool:
    return bool(header.value & 0x100) if isinstance(header, RawOrStatus) else header.full


def cut(payload: bytes, rate: DataType, confirmed: bool) -> tuple[list[bytes], int]:
    """Blocks of a packet, and how many bytes of padding are in them.

    Raises ``ValueError`` for more than a packet can hold.
    """
    size = data_block.SIZES[rate] - (data_block.CONFIRMED_HEAD if confirmed else 0)
    padding = -(len(payload) + CHECKSUM) % size
    body = payload + bytes(padding)
    body += checks.crc_32(body)
    if len(body) > MOST_BLOCKS * size:
        raise ValueError(f"A packet holds at most {MOST_BLOCKS * size - CHECKSUM} bytes.")
    return [body[i : i + size] for i in range(0, len(body), size)], padding


def infos(blocks: list[bytes], rate: DataType, confirmed: bool) -> list[int]:
    """The bits of bursts for blocks, numbered when they are confirmed."""
    if not confirmed:
        return [data_block.write(block, rate) for block in blocks]
    return [
        data_block.write_confirmed(data_block.Confirmed(serial, block), rate)
        for serial, block in enumerate(blocks)
    ]


def _flags(wanted: Collection[int]) -> bytes:
    """Of blocks, as many as fill blocks at rate 1/2 with their checksum."""
    size = data_block.SIZES[DataType.RATE_1_2]
    needed = max(wanted, default=0) // 8 + 1 + CHECKSUM
    flags = bytearray(b"\xff" * (-(-needed // size) * size - CHECKSUM))
    for number in wanted:
        flags[number // 8] &= ~(1 << number % 8)
    return bytes(flags)


def _wanted(flags: bytes) -> tuple[int, ...]:
    return tuple(n for n in range(len(flags) * 8) if not flags[n // 8] >> n % 8 & 1)


def flag_blocks(said: BlocksWanted) -> list[bytes]:
    """What follows a response that wants single blocks again."""
    blocks, _ = cut(_flags(said.wanted), DataType.RATE_1_2, confirmed=False)
    return blocks


def answer(outcome: Outcome) -> Response | None:
    """What its receiver says to a confirmed packet; none to one that is for a group, or wants none.

    Of an incomplete one the blocks that are missing are asked for again, or else all
    (clause 8.2.2.2).
    """
    if isinstance(outcome, BlocksWanted):
        return None
    header = outcome.header
    if not isinstance(header, PacketHeader) or not header.confirmed:
        return None
    if header.group or not header.response_wanted:
        return None
    ends = header.target, header.source, header.access
    if isinstance(outcome, Packet):
        return Response(*ends, 0, Answer.RECEIVED, header.number)
    if outcome.missing and outcome.rounds < MOST_ROUNDS:
        wanted = outcome.missing
        blocks = (len(_flags(wanted)) + CHECKSUM) // data_block.SIZES[DataType.RATE_1_2]
        return BlocksWanted(*ends, blocks, Answer.SELECTIVE, header.number, wanted)
    return Response(*ends, 0, Answer.CHECKSUM_FAILED, header.number)


class Assembler:
    """Puts the packets of one slot together."""

    def __init__(self) -> None:
        self._header: Header | Response | None = None
        self._second: Proprietary | None = None
        self._blocks: dict[int, bytes] = {}
        self._expected = 0
        self._due = 0
        self._heard = 0
        self._rounds = 0

    def take(self, burst: DataBurst) -> Outcome | None:
        """A header or a block; the packet, when this was its last one.

        Raises :class:`Unreadable` for a header, or the only copy of something else, that cannot be
        read; a block that cannot is missing.
        """
        kind = burst.slot_type.data_type
        if kind == DataType.DATA_HEADER:
            return self._begin(data_header.from_info(burst.info))
        if kind in data_block.SIZES and self._header is not None:
            return self._block(self._header, burst.info, kind)
        return None

    def lost(self) -> Outcome | None:
        """A burst that could not be read at all, or did not come, while a packet is coming."""
        if self._header is None:
            return None
        self._heard += 1
        return self._end() if self._heard >= self._due else None

    def end(self) -> Outcome | None:
        """Nothing more comes."""
        return self._end() if self._header is not None and self._heard < self._due else None

    def _begin(self, header: data_header.DataHeader) -> Outcome | None:
        if isinstance(header, Proprietary):
            if self._header is not None and self._heard == 0:
                self._second, self._due = header, self._due - 1
                self._expected -= 1
            return None
        if isinstance(header, Response):
            self._forget()
            if header.kind == Answer.SELECTIVE and header.blocks:
                self._header = header
                self._expected = self._due = header.blocks
            return None
        if not isinstance(header, PacketHeader | ShortData | RawOrStatus):
            self._forget()
            return None
        if not _is_full(header) and self._is_again(header):
            self._due, self._heard = header.blocks, 0
            self._rounds += 1
            return None
        cut_short = self.end()
        if (
            isinstance(cut_short, Incomplete)
            and cut_short.missing
            and is_confirmed(cut_short.header)
        ):
            # What there was of it gives way to what begins: single blocks would complete nothing.
            cut_short = replace(cut_short, rounds=MOST_ROUNDS)
        self._forget()
        self._header = header
        self._expected = self._due = header.blocks
        if header.blocks == 0:
            self._header = None
            return Packet(header, b"")
        return cut_short

    def _is_again(self, header: Header) -> bool:
        """Whether blocks of the packet that we have come again."""
        ours = self._header
        return (
            ours is not None
            and not isinstance(ours, Response)
            and is_confirmed(ours)
            and type(header) is type(ours)
            and (header.source, header.target, header.access)
            == (ours.source, ours.target, ours.access)
            and getattr(header, "number", 0) == getattr(ours, "number", 0)
        )

    def _block(self, header: Header | Response, info: int, rate: DataType) -> Outcome | None:
        if self._heard >= self._due:
            return None
        try:
            if not isinstance(header, Response) and is_confirmed(header):
                block = data_block.read_confirmed(info, rate)
                self._blocks[block.serial] = block.content
            else:
                self._blocks[self._heard] = data_block.read(info, rate)
        except Unreadable:
            pass
        return self.lost()

    def _end(self) -> Outcome | None:
        header, expected = self._header, self._expected
        assert header is not None
        self._heard = self._due
        if isinstance(header, Response):
            return self._flagged(header)
        missing = tuple(n for n in range(expected) if n not in self._blocks)
        if missing:
            if not is_confirmed(header):
                self._forget()
            return Incomplete(header, missing, self._rounds)
        body = b"".join(self._blocks[n] for n in range(expected))
        second = self._second
        self._forget()
        if checks.crc_32(body[:-CHECKSUM]) != body[-CHECKSUM:]:
            return Incomplete(header, ())
        return Packet(header, _unpadded(header, body[:-CHECKSUM]), second)

    def _flagged(self, header: Response) -> BlocksWanted | None:
        """Flags that did not come whole say nothing: who wants the blocks asks again."""
        body = b"".join(self._blocks.get(n, b"") for n in range(self._expected))
        self._forget()
        if checks.crc_32(body[:-CHECKSUM]) != body[-CHECKSUM:]:
            return None
        ends = header.source, header.target, header.access
        wanted = _wanted(body[:-CHECKSUM])
        return BlocksWanted(*ends, header.blocks, header.kind, header.status, wanted)

    def _forget(self) -> None:
        self._header, self._second, self._blocks = None, None, {}
        self._expected = self._due = self._heard = self._rounds = 0


def _unpadded(header: Header, body: bytes) -> bytes:
    if isinstance(header, PacketHeader):
        padding = header.padding
    elif isinstance(header, ShortData):
        padding = header.padding_bits // 8
    else:
        padding = (header.value & 0xFF) // 8
    return body[: max(0, len(body) - padding)]
