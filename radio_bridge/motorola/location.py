"""Positions (LRRP), UDP port 4001: binary XML, of which every element is one byte and what it says.

::

    document | length | elements

*Document* is what it is; an even one begins with a table of words of its own, which no element that
is read here refers to. Numbers have seven bits a byte, the highest says that another follows;
fractions follow whole numbers in the same way.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least

PORT: Final = 4001
_LONGEST_NUMBER: Final = 5


class Document(enum.IntEnum):
    """What a document is; the lowest bit apart."""

    IMMEDIATE_REQUEST = 0x05
    IMMEDIATE_REPORT = 0x07
    TRIGGERED_REQUEST = 0x09
    TRIGGERED_ANSWER = 0x0B
    TRIGGERED_REPORT = 0x0D
    STOP_REQUEST = 0x0F
    STOP_ANSWER = 0x11
    UNSOLICITED_REPORT = 0x13


_REQUESTS: Final = frozenset(
    {Document.IMMEDIATE_REQUEST, Document.TRIGGERED_REQUEST, Document.STOP_REQUEST}
)


@dataclass(slots=True)
class Location:
    """What a document says; what it does not say is none."""

    document: Document
    request: bytes = b""
    """The id that a request had, and its answers."""
    longitude: float | None = None
    latitude: float | None = None
    """Degrees."""
    radius_m: float | None = None
    altitude_m: float | None = None
    time: datetime | None = None
    """By the radio's own clock, UTC."""
    speed_mps: float | None = None
    climb_mps: float | None = None
    course_deg: int | None = None
    result: int | None = None
    """Of a request: 0 is good, others are the maker's."""
    interval_s: int | None = None
    """In a request: every so many seconds."""


class _Bytes:
    """Bytes, from the first to the last."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self._data)

    def take(self, count: int) -> bytes:
        """So many; raises :class:`Unreadable` when there are fewer."""
        at_least(self._data, self.at + count, "A location document")
        self.at += count
        return self._data[self.at - count : self.at]

    def byte(self) -> int:
        """One, as a number."""
        return self.take(1)[0]

    def number(self, sign_bit: int = 0) -> tuple[int, bool]:
        """A whole number, and whether it is negative: a sign is in the first byte."""
        first = self.byte()
        value, more = first & (0x7F ^ sign_bit), first & 0x80
        for _ in range(_LONGEST_NUMBER):
            if not more:
                return value, bool(first & sign_bit)
            byte = self.byte()
            value, more = value << 7 | byte & 0x7F, byte & 0x80
        raise Unreadable("radio.location", "A number in a location document has no end.")

    def fraction(self, sign_bit: int = 0) -> float:
        """A number with its fraction."""
        whole, is_negative = self.number(sign_bit)
        begun = self.at
        part, _ = self.number()
        value = whole + part / 128.0 ** (self.at - begun)
        return -value if is_negative else value

    def signed(self) -> float:
        """A number with sign and fraction."""
        return self.fraction(0x40)


Element = Callable[[Location, _Bytes], None]


def _request(said: Location, data: _Bytes) -> None:
    said.request = data.take(data.number()[0])


def _short_request(said: Location, data: _Bytes) -> None:
    said.request = data.take(1)


def _place(said: Location, data: _Bytes) -> None:
    """Latitude as sign and magnitude, longitude in two's complement."""
    latitude, longitude = int.from_bytes(data.take(4)), int.from_bytes(data.take(4), signed=True)
    degrees = (latitude & 0x7FFFFFFF) * 90 / 2**31
    said.latitude = -degrees if latitude >> 31 else degrees
    said.longitude = longitude * 360 / 2**32


def _circle(said: Location, data: _Bytes) -> None:
    _place(said, data)
    said.radius_m = data.fraction()


def _circle_3d(said: Location, data: _Bytes) -> None:
    _circle(said, data)
    said.altitude_m = data.signed()


def _point_3d(said: Location, data: _Bytes) -> None:
    _place(said, data)
    said.altitude_m = data.signed()


def _time(said: Location, data: _Bytes) -> None:
    """Year (14 bits), month, day, hour, minute, second; a radio without a fix says none that is."""
    bits = int.from_bytes(data.take(5))
    date = bits >> 26, bits >> 22 & 0xF, bits >> 17 & 0x1F
    with contextlib.suppress(ValueError):
        said.time = datetime(*date, bits >> 12 & 0x1F, bits >> 6 & 0x3F, bits & 0x3F, tzinfo=UTC)


def _course(said: Location, data: _Bytes) -> None:
    """In steps of two degrees."""
    said.course_deg = data.byte() * 2 % 360


def _speed(said: Location, data: _Bytes) -> None:
    said.speed_mps = data.fraction()


def _climb(said: Location, data: _Bytes) -> None:
    said.climb_mps = data.signed()


def _good(said: Location, data: _Bytes) -> None:
    said.result = 0


def _result(said: Location, data: _Bytes) -> None:
    said.result = data.number()[0]


def _error(said: Location, data: _Bytes) -> None:
    """A result and its words, which are the maker's."""
    _result(said, data)
    data.take(data.number()[0])


def _interval(said: Location, data: _Bytes) -> None:
    said.interval_s = data.number()[0]


def _byte(said: Location, data: _Bytes) -> None:
    """Of no use here."""
    data.byte()


def _number(said: Location, data: _Bytes) -> None:
    """Of no use here."""
    data.number()


def _alone(said: Location, data: _Bytes) -> None:
    """Says something by being there that is of no use here."""


_REPORTED: Final[dict[int, Element]] = {
    0x22: _request, 0x23: _short_request, 0x34: _time, 0x36: _number, 0x37: _result, 0x38: _good,
    0x39: _error, 0x51: _circle, 0x55: _circle_3d, 0x56: _course, 0x65: _byte, 0x66: _place,
    0x69: _point_3d, 0x6B: _byte, 0x6C: _speed, 0x70: _climb,
}  # fmt: skip
_ASKED: Final[dict[int, Element]] = {
    0x22: _request, 0x23: _short_request, 0x31: _interval, 0x42: _number,
    # Once, every so often; with accuracy and time; altitude, course, speed, climb.
    0x33: _alone, 0x34: _alone, 0x50: _alone, 0x51: _alone, 0x52: _alone, 0x53: _alone,
    0x54: _alone, 0x57: _alone, 0x62: _alone, 0x64: _alone,
}  # fmt: skip


def read(data: bytes) -> Location:
    """The first document of a datagram; raises :class:`Unreadable`."""
    whole = _Bytes(data)
    kind = whole.byte()
    try:
        document = Document(kind | 1)
    except ValueError:
        raise Unreadable("radio.location", f"Location document {kind:#x} is not known.") from None
    body = _Bytes(whole.take(whole.number()[0]))
    if not kind & 1:
        body.take(body.number()[0])  # its own table of words
    said = Location(document)
    elements = _ASKED if document in _REQUESTS else _REPORTED
    while body:
        element = body.byte()
        if element not in elements:
            raise Unreadable("radio.location", f"Element {element:#x} of a location is not known.")
        elements[element](said, body)
    return said


_WITH_ACCURACY_AND_TIME: Final = 0x51
_SPEED: Final = 0x62
_COURSE: Final = 0x57


def write_request(request: bytes, interval_s: int | None = None) -> bytes:
    """Ask for a position once, or every so many seconds; the id comes back in the answers."""
    wanted = bytes([_WITH_ACCURACY_AND_TIME, _COURSE, _SPEED])
    if interval_s is None:
        return _document(Document.IMMEDIATE_REQUEST, request, wanted)
    every = b"\x34\x31" + _as_number(interval_s)
    return _document(Document.TRIGGERED_REQUEST, request, wanted + every)


def write_stop(request: bytes) -> bytes:
    """Ask for no more positions of that request."""
    return _document(Document.STOP_REQUEST, request, b"")


def _document(document: Document, request: bytes, elements: bytes) -> bytes:
    body = b"\x22" + _as_number(len(request)) + request + elements
    return bytes([document]) + _as_number(len(body)) + body


def _as_number(value: int) -> bytes:
    found = bytes([value & 0x7F])
    while value := value >> 7:
        found = bytes([0x80 | value & 0x7F]) + found
    return found
