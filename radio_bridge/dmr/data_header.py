"""What comes before blocks of data: from whom, for whom, how much, of what kind.

Clause 8.2.1 and 9.2.1 to 9.2.13; the fields 9.3.16 to 9.3.41.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from radio_bridge.dmr import bptc, checks
from radio_bridge.unreadable import Unreadable, exactly

LENGTH: Final = 12


class Format(enum.IntEnum):
    """Data packet formats (DPF): clause 9.3.17."""

    UNIFIED = 0
    RESPONSE = 1
    UNCONFIRMED = 2
    CONFIRMED = 3
    SHORT_DEFINED = 13
    SHORT_RAW_OR_STATUS = 14
    PROPRIETARY = 15


class Access(enum.IntEnum):
    """Whose bytes they are (SAP): clause 9.3.18. Others are reserved and kept as numbers."""

    UNIFIED = 0
    TCP_COMPRESSED = 2
    UDP_COMPRESSED = 3
    IP = 4
    ARP = 5
    PROPRIETARY = 9
    SHORT_DATA = 10


@dataclass(frozen=True, slots=True)
class PacketHeader:
    """Of a packet of blocks, of which each is acknowledged when it is *confirmed*."""

    source: int
    target: int
    group: bool
    confirmed: bool
    access: int
    blocks: int
    padding: int = 0
    """So many bytes at the end, before the checksum, are none of the packet's; from 0 to 31."""
    response_wanted: bool = False
    full: bool = True
    """All blocks come; otherwise only those that were asked for again."""
    fragment: int = 0
    """0 and 8: the only one; below 8: one of several, by its number; above: the last of them."""
    resynchronise: bool = False
    number: int = 0
    """Of the packet, from 0 to 7, when it is confirmed."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a receiver says of a confirmed packet: clause 8.2.2.2, 9.2.4."""

    source: int
    target: int
    access: int
    blocks: int
    kind: int
    """Class and type in five bits: see :class:`Answer`; others are kept as numbers."""
    status: int
    """The number of the packet that it is about."""


class Answer(enum.IntEnum):
    """Class (two bits) and type (three bits) of a response."""

    RECEIVED = 0b00_001
    ILLEGAL_FORMAT = 0b01_000
    CHECKSUM_FAILED = 0b01_001
    MEMORY_FULL = 0b01_010
    FRAGMENT_OUT_OF_ORDER = 0b01_011
    UNDELIVERABLE = 0b01_100
    PACKET_OUT_OF_ORDER = 0b01_101
    NOT_ALLOWED = 0b01_110
    SELECTIVE = 0b10_000
    """Some blocks are asked for again: a block of flags follows."""


@dataclass(frozen=True, slots=True)
class ShortData:
    """Of data of a defined format, in appended blocks: clause 9.2.12."""

    source: int
    target: int
    group: bool
    access: int
    blocks: int
    coding: int
    """Defined data format: clause 9.3.38."""
    padding_bits: int = 0
    response_wanted: bool = False
    selective: bool = False
    full: bool = True


@dataclass(frozen=True, slots=True)
class RawOrStatus:
    """Short data between two ports; without appended blocks, a status: 9.2.10, 9.2.11."""

    source: int
    target: int
    group: bool
    access: int
    blocks: int
    source_port: int
    target_port: int
    value: int
    """Without blocks the status; otherwise SARQ, full message flag and eight bits of padding."""
    response_wanted: bool = False

    @property
    def status(self) -> int | None:
        """The precoded status, when it is one."""
        return self.value if self.blocks == 0 else None


@dataclass(frozen=True, slots=True)
class UnifiedHeader:
    """Of unified data transport: clause 9.2.13."""

    source: int
    target: int
    group: bool
    access: int
    coding: int
    """UDT format: clause 9.3.16 of part 4."""
    pad_nibbles: int
    appended: int
    """So many blocks follow, less one."""
    opcode: int
    emergency: bool = False
    option: bool = False
    supplementary: bool = False
    protected: bool = False
    response_wanted: bool = False


@dataclass(frozen=True, slots=True)
class Proprietary:
    """A maker's own, or the second header of a packet: clause 9.2.9."""

    access: int
    maker: int
    content: bytes
    """Eight bytes."""


@dataclass(frozen=True, slots=True)
class OtherHeader:
    """Of a format that is reserved; the ten bytes as they came."""

    content: bytes


DataHeader = (
    PacketHeader | Response | ShortData | RawOrStatus | UnifiedHeader | Proprietary | OtherHeader
)


def read(block: bytes) -> DataHeader:
    """Twelve bytes with their CRC; raises :class:`Unreadable`."""
    exactly(block, LENGTH, "A data header")
    if checks.crc_16(block[:10], checks.Mask.DATA_HEADER) != int.from_bytes(block[10:]):
        raise Unreadable("dmr.crc", "The checksum of a data header does not match.")
    match block[0] & 0xF:
        case Format.CONFIRMED | Format.UNCONFIRMED:
            return _packet(block)
        case Format.RESPONSE:
            return _response(block)
        case Format.SHORT_DEFINED:
            return _short(block)
        case Format.SHORT_RAW_OR_STATUS:
            return _raw_or_status(block)
        case Format.UNIFIED:
            return _unified(block)
        case Format.PROPRIETARY:
            return Proprietary(block[0] >> 4, block[1], block[2:10])
    return OtherHeader(block[:10])


def _ends(block: bytes) -> tuple[int, int, bool]:
    """Source, target, and whether that is a group."""
    return int.from_bytes(block[5:8]), int.from_bytes(block[2:5]), bool(block[0] & 0x80)


def _packet(block: bytes) -> PacketHeader:
    confirmed = block[0] & 0xF == Format.CONFIRMED
    return PacketHeader(
        *_ends(block),
        confirmed=confirmed,
        access=block[1] >> 4,
        blocks=block[8] & 0x7F,
        padding=block[0] & 0x10 | block[1] & 0xF,
        response_wanted=bool(block[0] & 0x40),
        full=bool(block[8] & 0x80),
        fragment=block[9] & 0xF,
        resynchronise=confirmed and bool(block[9] & 0x80),
        number=block[9] >> 4 & 7 if confirmed else 0,
    )


def _response(block: bytes) -> Response:
    source, target, _ = _ends(block)
    access, blocks = block[1] >> 4, block[8] & 0x7F
    return Response(source, target, access, blocks, kind=block[9] >> 3, status=block[9] & 7)


def _appended(block: bytes) -> int:
    return block[0] & 0x30 | block[1] & 0xF


def _short(block: bytes) -> ShortData:
    return ShortData(
        *_ends(block),
        access=block[1] >> 4,
        blocks=_appended(block),
        coding=block[8] >> 2,
        padding_bits=block[9],
        response_wanted=bool(block[0] & 0x40),
        selective=bool(block[8] & 2),
        full=bool(block[8] & 1),
    )


def _raw_or_status(block: bytes) -> RawOrStatus:
    return RawOrStatus(
        *_ends(block),
        access=block[1] >> 4,
        blocks=_appended(block),
        source_port=block[8] >> 5,
        target_port=block[8] >> 2 & 7,
        value=(block[8] & 3) << 8 | block[9],
        response_wanted=bool(block[0] & 0x40),
    )


def _unified(block: bytes) -> UnifiedHeader:
    return UnifiedHeader(
        *_ends(block),
        access=block[1] >> 4,
        coding=block[1] & 0xF,
        pad_nibbles=block[8] >> 3,
        appended=block[8] & 3,
        opcode=block[9] & 0x3F,
        emergency=bool(block[0] & 0x20),
        option=bool(block[0] & 0x10),
        supplementary=bool(block[9] & 0x80),
        protected=bool(block[9] & 0x40),
        response_wanted=bool(block[0] & 0x40),
    )


def write(header: DataHeader) -> bytes:
    """The twelve bytes with their CRC."""
    body = _body(header)
    return body + checks.crc_16(body, checks.Mask.DATA_HEADER).to_bytes(2)


def _body(header: DataHeader) -> bytes:
    match header:
        case PacketHeader():
            form = Format.CONFIRMED if header.confirmed else Format.UNCONFIRMED
            low = header.resynchronise << 7 | header.number << 4 | header.fragment
            last = bytes([header.full << 7 | header.blocks, low])
            return _head(header, form, header.padding) + last
        case Response():
            ends = header.target.to_bytes(3) + header.source.to_bytes(3)
            last = bytes([header.blocks, header.kind << 3 | header.status])
            return bytes([Format.RESPONSE, header.access << 4]) + ends + last
        case ShortData():
            flags = header.coding << 2 | header.selective << 1 | header.full
            head = _head(header, Format.SHORT_DEFINED, header.blocks)
            return head + bytes([flags, header.padding_bits])
        case RawOrStatus():
            ports = header.source_port << 13 | header.target_port << 10
            head = _head(header, Format.SHORT_RAW_OR_STATUS, header.blocks)
            return head + (ports | header.value).to_bytes(2)
        case UnifiedHeader():
            head = _head(header, Format.UNIFIED, header.coding)
            flags = header.emergency << 5 | header.option << 4
            opcode = header.supplementary << 7 | header.protected << 6 | header.opcode
            tail = bytes([header.pad_nibbles << 3 | header.appended, opcode])
            return bytes([head[0] | flags]) + head[1:] + tail
        case Proprietary():
            head = bytes([header.access << 4 | Format.PROPRIETARY, header.maker])
            return head + exactly(header.content, 8, "Its content")
        case OtherHeader():
            return exactly(header.content, 10, "A data header without its checksum")


def _head(
    header: PacketHeader | ShortData | RawOrStatus | UnifiedHeader, form: Format, count: int
) -> bytes:
    """The first eight bytes; ``count`` is in two places, its upper bits beside the format."""
    flags = header.group << 7 | header.response_wanted << 6 | count & 0x30
    ends = header.target.to_bytes(3) + header.source.to_bytes(3)
    return bytes([flags | form, header.access << 4 | count & 0xF]) + ends


def from_info(info: int) -> DataHeader:
    """Out of the 196 bits of a burst."""
    return read(bptc.decode_196(info).to_bytes(LENGTH))


def to_info(header: DataHeader) -> int:
    """The 196 bits of a burst."""
    return bptc.encode_196(int.from_bytes(write(header)))
