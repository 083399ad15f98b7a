"""What the bridge itself says to radios in data: texts, and where are you. Pure.

Motorola's radios have addresses of IPv4 that are their numbers: 12.x.y.z a radio, 13.x.y.z what
hangs on it, 225.x.y.z a talkgroup.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radio_bridge import hytera
from radio_bridge.dmr import datagram, short_text
from radio_bridge.dmr.data_header import Access, PacketHeader
from radio_bridge.dmr.datagram import Datagram, Port
from radio_bridge.homebrew import stream
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.motorola import location, text

_RADIO, _BESIDE, _GROUP = 12 << 24, 13 << 24, 225 << 24
_REQUEST: Final = b"\0\0\0\1"
MOST_TEXT: Final = 280
"""Characters of a text that radios take; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Way:
    """Between whom, and how it is sent."""

    source: int
    target: int
    group: bool
    slot: int
    stream: int
    colour_code: int = 1


def text_packets(way: Way, form: str, words: str, number: int) -> list[BurstPacket]:
    """A text, as ``etsi``, ``motorola`` or ``hytera`` have it; answers have the number."""
    words = words[:MOST_TEXT]
    match form:
        case "etsi":
            return _sent(way, short_text.PORT, short_text.write(words), compressed=True)
        case "hytera":
            kind = hytera.Kind.TO_GROUP if way.group else hytera.Kind.TO_RADIO
            message = hytera.Message(kind, number, way.source, way.target, words)
            return _sent(way, hytera.TEXT_PORT, hytera.write_text(message))
    sent = text.Message(text.Kind.TEXT, number % text.NUMBERS, words, not way.group)
    return _sent(way, text.PORT, text.write(sent))


def position_packets(way: Way, interval_s: int) -> list[BurstPacket]:
    """Say where you are, every so many seconds (LRRP)."""
    return _sent(way, location.PORT, location.write_request(_REQUEST, interval_s))


def datagram_packets(way: Way, port: int, payload: bytes) -> list[BurstPacket]:
    """A datagram from us to a port of a radio."""
    return _sent(way, port, payload)


def block_packets(way: Way, answer: stream.Block) -> list[BurstPacket]:
    """A question or an answer of one burst, some times."""
    return stream.control(answer, way.slot, way.stream, way.colour_code)


def _sent(way: Way, port: int, payload: bytes, compressed: bool = False) -> list[BurstPacket]:
    # Whom it is for answers a confirmed packet; of a group nobody does.
    confirmed = not way.group
    access = Access.UDP_COMPRESSED if compressed else Access.IP
    header = PacketHeader(
        way.source, way.target, way.group, confirmed, access, 0,
        response_wanted=confirmed, fragment=8 if confirmed else 0,
    )  # fmt: skip
    ports = Port(port), Port(port)
    if compressed:
        carried = datagram.write_compressed(Datagram(*ports, payload))
    else:
        to = (_GROUP if way.group else _RADIO) | way.target
        carried = datagram.write_ipv4(Datagram(*ports, payload, _BESIDE | way.source, to))
    return stream.data(header, carried, way.slot, way.stream, way.colour_code)
