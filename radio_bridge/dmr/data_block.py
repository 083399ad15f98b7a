"""A burst of bytes, at one of three rates.

Clause 8.2.2; PDUs: 9.2.2, 9.2.3, 9.2.7, 9.2.8, 9.2.15, 9.2.16.

A confirmed block begins with its number and a checksum of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radio_bridge.dmr import bptc, checks, trellis
from radio_bridge.dmr.burst import DataType
from radio_bridge.unreadable import Unreadable

SIZES: Final = {DataType.RATE_1_2: 12, DataType.RATE_3_4: 18, DataType.RATE_1: 24}
"""Bytes of an unconfirmed block, by its rate."""
CONFIRMED_HEAD: Final = 2
"""So many bytes less are in a confirmed one."""
_MASKS: Final = {
    DataType.RATE_1_2: checks.Mask.RATE_1_2,
    DataType.RATE_3_4: checks.Mask.RATE_3_4,
    DataType.RATE_1: checks.Mask.RATE_1,
}
_HALF: Final = (1 << 96) - 1


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A block by its number in the packet, from 0 to 127."""

    serial: int
    content: bytes


def read(info: int, rate: DataType) -> bytes:
    """The bytes of an unconfirmed block; raises :class:`Unreadable`."""
    match rate:
        case DataType.RATE_1_2:
            value = bptc.decode_196(info)
        case DataType.RATE_3_4:
            value = trellis.decode(info)
        case DataType.RATE_1:
            # Four bits in the middle are not used (B.2.5).
            value = info >> 100 << 96 | info & _HALF
        case _:
            raise Unreadable("dmr.reserved", f"Data type {int(rate)} is no block of data.")
    return value.to_bytes(SIZES[rate])


def read_confirmed(info: int, rate: DataType) -> Confirmed:
    """A confirmed block, whose checksum holds; raises :class:`Unreadable`."""
    block = read(info, rate)
    head, content = int.from_bytes(block[:CONFIRMED_HEAD]), block[CONFIRMED_HEAD:]
    serial = head >> 9
    if checks.crc_9(content, serial, _MASKS[rate]) != head & 0x1FF:
        raise Unreadable("dmr.crc", "The checksum of a confirmed block does not match.")
    return Confirmed(serial, content)


def write(content: bytes, rate: DataType) -> int:
    """The 196 bits of an unconfirmed block of as many bytes as its rate carries."""
    if len(content) != SIZES[rate]:
        raise ValueError(f"A block of this rate has {SIZES[rate]} bytes, not {len(content)}.")
    value = int.from_bytes(content)
    match rate:
        case DataType.RATE_1_2:
            return bptc.encode_196(value)
        case DataType.RATE_3_4:
            return trellis.encode(value)
    return value >> 96 << 100 | value & _HALF


def write_confirmed(block: Confirmed, rate: DataType) -> int:
    """The 196 bits of a confirmed block."""
    head = block.serial << 9 | checks.crc_9(block.content, block.serial, _MASKS[rate])
    return write(head.to_bytes(CONFIRMED_HEAD) + block.content, rate)
