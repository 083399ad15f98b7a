"""UDP over IPv4 as it travels by radio: plain (RFC 791, 768), or with a header of a few bytes.

The short header is of TS 102 361-3, UDP/IPv4 header compression: identification, two network
identifiers, two port identifiers, and the ports themselves where an identifier is zero.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least

_UDP: Final = 17
_IP_HEAD: Final = 20
_UDP_HEAD: Final = 8
_MORE_OR_OFFSET: Final = 0x3FFF
_LIVES: Final = 64
_WELL_KNOWN: Final = {1: 5016, 2: 5017}
"""Port identifiers of the standard: text in UTF-16BE, and the location information protocol."""
_IDENTIFIERS: Final = {port: identifier for identifier, port in _WELL_KNOWN.items()}


@dataclass(frozen=True, slots=True)
class Port:
    """A UDP port; or, with ``is_identifier``, a maker's number for one that only he knows."""

    number: int
    is_identifier: bool = False


@dataclass(frozen=True, slots=True)
class Datagram:
    """What one program says to another's port."""

    source_port: Port
    target_port: Port
    payload: bytes
    source: int = 0
    """IPv4 address; in a short header the network's identifier: 0 radios, 1 what hangs on them."""
    target: int = 0
    identification: int = 0


def checksum(data: bytes) -> int:
    """The Internet's checksum of 16 bits (RFC 1071)."""
    total = sum(data[0::2]) * 256 + sum(data[1::2])
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def read_ipv4(packet: bytes) -> Datagram:
    """A whole IPv4 packet with UDP in it; raises :class:`Unreadable`."""
    at_least(packet, _IP_HEAD, "An IPv4 packet")
    head = (packet[0] & 0xF) * 4
    total, identification, fragment = struct.unpack_from("!HHH", packet, 2)
    if packet[0] >> 4 != 4 or head < _IP_HEAD or not head + _UDP_HEAD <= total <= len(packet):
        raise Unreadable("radio.ip", "This is no IPv4 packet of the length that it says.")
    if checksum(packet[:head]):
        raise Unreadable("radio.ip", "The checksum of an IPv4 header does not match.")
    if packet[9] != _UDP or fragment & _MORE_OR_OFFSET:
        raise Unreadable("radio.ip", "This IPv4 packet is not a whole one with UDP in it.")
    source, target = struct.unpack_from("!II", packet, 12)
    udp = packet[head:total]
    ports = struct.unpack_from("!HHHH", udp)
    if not _UDP_HEAD <= ports[2] <= len(udp):
        raise Unreadable("radio.ip", "This UDP datagram has not the length that it says.")
    udp = udp[: ports[2]]
    if ports[3] and checksum(_pseudo(source, target, len(udp)) + udp):
        raise Unreadable("radio.ip", "The checksum of a UDP datagram does not match.")
    return Datagram(Port(ports[0]), Port(ports[1]), udp[_UDP_HEAD:], source, target, identification)


def _pseudo(source: int, target: int, length: int) -> bytes:
    return struct.pack("!IIBBH", source, target, 0, _UDP, length)


def write_ipv4(datagram: Datagram) -> bytes:
    """The IPv4 packet; raises ``ValueError`` where a port is only an identifier."""
    ports = (datagram.source_port, datagram.target_port)
    if any(port.is_identifier for port in ports):
        raise ValueError("Which UDP port an identifier means only its maker knows.")
    length = _UDP_HEAD + len(datagram.payload)
    udp = struct.pack("!HHHH", ports[0].number, ports[1].number, length, 0) + datagram.payload
    check = checksum(_pseudo(datagram.source, datagram.target, length) + udp) or 0xFFFF
    udp = udp[:6] + check.to_bytes(2) + udp[_UDP_HEAD:]
    ends = struct.pack("!II", datagram.source, datagram.target)
    start = struct.pack(
        "!BBHHHBBH", 0x45, 0, _IP_HEAD + length, datagram.identification, 0, _LIVES, _UDP, 0
    )
    return start[:10] + checksum(start + ends).to_bytes(2) + ends + udp


def read_compressed(packet: bytes) -> Datagram:
    """A packet with the short header; raises :class:`Unreadable`."""
    at_least(packet, 5, "A compressed datagram")
    if packet[3] & 0x80 or packet[4] & 0x80:
        raise Unreadable("radio.ip", "This way of compressing headers is not known.")
    rest, ports = 5, []
    for identifier in (packet[3], packet[4]):
        if identifier:
            known = _WELL_KNOWN.get(identifier)
            ports.append(Port(known) if known else Port(identifier, is_identifier=True))
        else:
            at_least(packet, rest + 2, "A compressed datagram with this header")
            ports.append(Port(int.from_bytes(packet[rest : rest + 2])))
            rest += 2
    source, target = packet[2] >> 4, packet[2] & 0xF
    number = int.from_bytes(packet[:2])
    return Datagram(ports[0], ports[1], packet[rest:], source, target, number)


def write_compressed(datagram: Datagram) -> bytes:
    """The packet with the short header; source and target are identifiers of networks."""
    identifiers, extended = [], b""
    for port in (datagram.source_port, datagram.target_port):
        identifier = port.number if port.is_identifier else _IDENTIFIERS.get(port.number, 0)
        identifiers.append(identifier)
        extended += b"" if identifier else port.number.to_bytes(2)
    networks = datagram.source << 4 | datagram.target
    head = datagram.identification.to_bytes(2) + bytes([networks, *identifiers])
    return head + extended + datagram.payload
