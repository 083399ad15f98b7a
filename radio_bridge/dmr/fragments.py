"""A datagram that was longer than a packet, in several: clause 8.2.2.1, and FSN, 9.3.25."""

from __future__ import annotations

from typing import Final

from radio_bridge.dmr.data_header import PacketHeader
from radio_bridge.dmr.packet import Packet

LAST: Final = 0b1000
MOST_BYTES: Final = 65_535
MOST_UNDER_WAY: Final = 64
"""Datagrams that are waited for at once; the oldest is given up for another."""
Key = tuple[int, int, int]


class Joiner:
    """Joins the fragments of datagrams, each sender's by himself."""

    def __init__(self) -> None:
        self._parts: dict[Key, list[bytes]] = {}

    def take(self, packet: Packet) -> bytes | None:
        """The whole datagram, with its last fragment; a missing one spoils it."""
        header = packet.header
        if not isinstance(header, PacketHeader) or header.fragment == LAST:
            return packet.payload
        if header.fragment == 0 and not header.confirmed:
            return packet.payload
        key = (header.source, header.target, header.access)
        number, is_last = header.fragment & 7, bool(header.fragment & LAST)
        if number == 0:
            self._parts.pop(key, None)
            if len(self._parts) >= MOST_UNDER_WAY:
                self._parts.pop(next(iter(self._parts)))
            self._parts[key] = [packet.payload]
            return None
        parts = self._parts.get(key)
        if parts is None or number != _after(len(parts) - 1):
            self._parts.pop(key, None)
            return None
        parts.append(packet.payload)
        if sum(map(len, parts)) > MOST_BYTES:
            del self._parts[key]
            return None
        return b"".join(self._parts.pop(key)) if is_last else None


def numbers(count: int) -> list[int]:
    """Fragment numbers of so many confirmed fragments of one datagram."""
    if count == 1:
        return [LAST]
    found = [0] + [_after(place) for place in range(count - 1)]
    found[-1] |= LAST
    return found


def _after(place: int) -> int:
    """The number that follows the fragment at a place from 0: after 7 comes 1."""
    return place % 7 + 1
