"""What Hytera's radios say in datagrams: texts (TMP, port 30007), positions (LP, port 30003). Pure.

Not published by its maker either; read as open programs read it and as recorded datagrams have it.

::

    kind | what it says (2) | length (2) | content | checksum | 0x03

Radios are addresses of 10.0.0.0/8 whose last three bytes are their numbers.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least

TEXT_PORT: Final = 30_007
LOCATION_PORT: Final = 30_003
MOST_CHARACTERS: Final = 1_000

_TEXT: Final = 0x09
_LOCATION: Final = 0x08
_ANSWER_WANTED: Final = 0x80
_OPTION: Final = 0x40
_END: Final = 0x03
_CHECK: Final = 0x33
_NETWORK: Final = 10 << 24


class Kind(enum.IntEnum):
    """What a text message says."""

    TO_RADIO = 0xA1
    TO_RADIO_ARRIVED = 0xA2
    TO_GROUP = 0xB1
    TO_GROUP_ARRIVED = 0xB2


_ARRIVED: Final = {Kind.TO_RADIO_ARRIVED, Kind.TO_GROUP_ARRIVED}


@dataclass(frozen=True, slots=True)
class Message:
    """A text, or what became of one."""

    kind: Kind
    number: int
    source: int
    target: int
    text: str = ""
    failure: int = 0
    """Why one did not arrive; 0: it did."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a radio is, in degrees."""

    source: int
    longitude: float
    latitude: float
    course_deg: int | None
    time: datetime | None


def _content(data: bytes, kind: int, what: str) -> tuple[int, bytes]:
    """What it says, in 16 bits, and the content, when all around it is right."""
    at_least(data, 7, what)
    length = int.from_bytes(data[3:5])
    at_least(data, length + 7, what)
    if data[0] != kind or data[length + 6] != _END:
        raise Unreadable("radio.hytera", f"{what} does not begin or end as it should.")
    if data[length + 5] != _checksum(data[1 : length + 5]):
        raise Unreadable("radio.hytera", f"The checksum of {what.lower()} does not match.")
    return int.from_bytes(data[1:3]), data[5 : length + 5]


def _checksum(body: bytes) -> int:
    return (_CHECK - 1 - sum(body)) & 0xFF


def read_text(data: bytes) -> Message:
    """A text message; raises :class:`Unreadable`."""
    says, content = _content(data, _TEXT, "A text message")
    try:
        kind = Kind(says & 0xFF)
    except ValueError:
        raise Unreadable("radio.text", "This kind of text message is not known.") from None
    option = 0
    if says >> 8 & _OPTION:
        option, content = int.from_bytes(at_least(content, 2, "An option")[:2]), content[2:]
    at_least(content, 12 + option, "A text message")
    number, target, source = (int.from_bytes(content[i : i + 4]) for i in (0, 4, 8))
    rest = content[12 : len(content) - option]
    found = Message(kind, number, source & 0xFFFFFF, target & 0xFFFFFF)
    if kind in _ARRIVED:
        result = at_least(rest, 1, "What became of a text message")[0]
        return Message(found.kind, number, found.source, found.target, failure=result)
    words = rest[: 2 * MOST_CHARACTERS].decode("utf-16-le", "replace").strip("\0\r\n ")
    return Message(found.kind, number, found.source, found.target, words)


def write_text(message: Message) -> bytes:
    """The datagram."""
    target = message.target if message.kind == Kind.TO_GROUP else _NETWORK | message.target
    content = b"".join(
        value.to_bytes(4) for value in (message.number, target, _NETWORK | message.source)
    )
    if message.kind in _ARRIVED:
        content += bytes([message.failure])
    else:
        content += message.text[:MOST_CHARACTERS].encode("utf-16-le", "replace")
    body = bytes([_ANSWER_WANTED, message.kind]) + len(content).to_bytes(2) + content
    return bytes([_TEXT]) + body + bytes([_checksum(body), _END])


_REPORT: Final = 0xA002
_PLACE: Final = re.compile(
    rb"A(?P<time>.{6})(?P<date>.{6})"
    rb"(?P<ns>[NS])(?P<lat>\d{2})(?P<latmin>\d{2}\.\d{4})"
    rb"(?P<ew>[EW])(?P<lon>\d{3})(?P<lonmin>\d{2}\.\d{4})(?P<speed>.{3})(?P<course>.{3})",
    re.DOTALL,
)


def read_location(data: bytes) -> Location:
    """A report of where a radio is; raises :class:`Unreadable`, also for one that does not know."""
    says, content = _content(data, _LOCATION, "A location report")
    if says != _REPORT:
        raise Unreadable("radio.location", f"Location message {says:#06x} is no report.")
    found = _PLACE.match(at_least(content, 50, "A location report"), 10)
    if found is None:
        raise Unreadable("radio.location", "A radio reports that it does not know where it is.")
    latitude = int(found["lat"]) + float(found["latmin"]) / 60
    longitude = int(found["lon"]) + float(found["lonmin"]) / 60
    if latitude > 90 or longitude > 180:
        raise Unreadable("radio.location", "A radio reports a place that is not on Earth.")
    return Location(
        source=int.from_bytes(content[4:8]) & 0xFFFFFF,
        longitude=-longitude if found["ew"] == b"W" else longitude,
        latitude=-latitude if found["ns"] == b"S" else latitude,
        course_deg=int(found["course"]) % 360 if found["course"].isdigit() else None,
        time=_time(found["date"] + found["time"]),
    )


def _time(digits: bytes) -> datetime | None:
    """Day, month and year of this century, hour, minute, second; radios may not know it."""
    try:
        return datetime.strptime(digits.decode("ascii"), "%d%m%y%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
