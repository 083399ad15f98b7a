"""Checksums that tell whether what was mended is what was sent: B.3.7 to B.3.12."""

from __future__ import annotations

import enum
from typing import Final

_CCITT: Final = 0x1021
_CRC_9: Final = 0x059
_CRC_32: Final = 0x04C11DB7


class Mask(enum.IntEnum):
    """What a checksum is combined with, so that one kind of burst is not read as another.

    Clause B.3.12.
    """

    PI_HEADER = 0x6969
    CONTROL_BLOCK = 0xA5A5
    MBC_HEADER = 0xAAAA
    DATA_HEADER = 0xCCCC
    UNIFIED_SINGLE_BLOCK = 0x3333
    RATE_1_2 = 0x0F0
    RATE_3_4 = 0x1FF
    RATE_1 = 0x10F


VOICE_HEADER_MASK: Final = bytes.fromhex("969696")
TERMINATOR_MASK: Final = bytes.fromhex("999999")


def _table(polynomial: int, width: int) -> list[int]:
    table = []
    for byte in range(256):
        rest = byte << (width - 8)
        for _ in range(8):
            rest = rest << 1 ^ (polynomial if rest >> (width - 1) & 1 else 0)
            rest &= (1 << width) - 1
        table.append(rest)
    return table


_CCITT_TABLE: Final = _table(_CCITT, 16)
_CRC_32_TABLE: Final = _table(_CRC_32, 32)


def crc_16(data: bytes, mask: Mask) -> int:
    """CRC-CCITT, x¹⁶+x¹²+x⁵+1, inverted (B.3.8)."""
    rest = 0
    for byte in data:
        rest = (rest << 8 & 0xFFFF) ^ _CCITT_TABLE[rest >> 8 ^ byte]
    return rest ^ 0xFFFF ^ mask


def crc_9(data: bytes, serial: int, mask: Mask) -> int:
    """Of a block of confirmed data and its serial number, x⁹+x⁶+x⁴+x³+1, inverted (B.3.10)."""
    word = int.from_bytes(data) << 7 | serial
    rest = 0
    for place in range(len(data) * 8 + 6, -1, -1):
        feedback = rest >> 8 ^ word >> place & 1
        rest = rest << 1 & 0x1FF
        if feedback:
            rest ^= _CRC_9
    return rest ^ 0x1FF ^ mask


def crc_32(data: bytes) -> bytes:
    """The last four bytes of a packet whose other bytes these are (B.3.9).

    Bytes are taken in pairs, the second of each first, and the result is sent from its low end.
    """
    rest = 0
    for place in range(0, len(data), 2):
        for byte in reversed(data[place : place + 2]):
            rest = (rest << 8 & 0xFFFFFFFF) ^ _CRC_32_TABLE[rest >> 24 ^ byte]
    return rest.to_bytes(4, "little")


def checksum_5(link_control: bytes) -> int:
    """Of embedded link control: the sum of its bytes modulo 31 (B.3.11)."""
    return sum(link_control) % 31
