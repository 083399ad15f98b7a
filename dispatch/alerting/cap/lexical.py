"""The texts of single elements: times, places, lists, references, and what is wrong with them.

Each reader takes the text of one element, tells what is wrong with it, and returns what it
understood, or None. A slip that leaves no doubt (a ``Z``, a polygon that is not closed) is told,
and the value is there all the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from dispatch.alerting.cap.findings import Finding, Tell, Weight
from dispatch.alerting.cap.values import Circle, Point, Polygon, Reference, Version

LEAST_POINTS: Final = 4
"""A triangle whose last point is its first (3.2.4)."""
MOST_REFERENCES: Final = 5_000
"""More than any warning has messages."""
SPACE: Final = "\t\n\r "
"""White space of XML; other characters that look like it are characters."""

_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
    r"(?:([+-])([0-9]{2}):([0-9]{2})|([A-Za-z]+))?"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_TAG: Final = re.compile(r"(?:[A-Za-z]{2,3}|[iIxX])(?:-.*)?")
_ESCAPED: Final = re.compile(r"""[^\x21-\x7e]|["<>\\^`{|}]""")
"""Characters that XML Schema lets stand in an address, to be escaped by whoever asks for it."""
_URI: Final = re.compile(
    r"""
    (?:[a-z][a-z0-9+.-]*:|(?![^/?\#]*:))                # a scheme, or no colon in the first segment
    (?://
        (?:[\w.~!$&'()*+,;=:%-]*@)?                     # who
        (?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)        # where
        (?::[0-9]+)?
        (?=[/?\#]|\Z)
    |(?!//))
    [\w.~!$&'()*+,;=:@%/-]*                             # the path
    (?:\?[\w.~!$&'()*+,;=:@%/?-]*)?
    (?:\#[\w.~!$&'()*+,;=:@%/?\[\]-]*)?
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
"""A reference of RFC 3986."""
_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_RESTRICTED: Final = re.compile(r"[\s,<&]")
_WORDS: Final = re.compile(r'"([^"]*)"|([^"\t\n\r ]+)')


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands, and what takes the findings about it."""

    path: str
    version: Version
    tell: Tell

    def error(self, code: str, text: str, todo: str) -> None:
        """A rule is broken here."""
        self.tell(Finding(self.path, code, text, todo))

    def advice(self, code: str, text: str, todo: str) -> None:
        """It is understood, and should be written otherwise."""
        self.tell(Finding(self.path, code, text, todo, Weight.ADVICE))


def shown(text: str) -> str:
    """A text in a sentence: short, and on one line."""
    line = " ".join(text.split())
    return f"“{line[:60]}…”" if len(line) > 60 else f"“{line}”"


def name(text: str, place: Place) -> str:
    """An ``identifier`` or a ``sender``: no spaces, commas, ``<`` or ``&`` (3.2.1)."""
    found = _RESTRICTED.search(text.strip(SPACE))
    if not text.strip(SPACE):
        place.error("cap.blank", "It says nothing.", "Write what the element is for.")
    elif found or text != text.strip(SPACE):
        what = "a space" if not found or found[0].isspace() else f"“{found[0]}”"
        place.error(
            "cap.restricted_character",
            f"{shown(text)} has {what} in it, which references could not name.",
            "Use no spaces, commas, “<” or “&” here.",
        )
    return text


def said(text: str, place: Place) -> str:
    """A text that has to say something."""
    if not text.strip():
        place.error("cap.blank", "It says nothing.", "Write what the element is for.")
    return text


def uri(text: str, place: Place) -> str:
    """An address, whole or relative; letters of any script and spaces may stand in it."""
    escaped = _ESCAPED.sub("%20", text.strip(SPACE))
    if _URI.fullmatch(escaped) is None or _PERCENT.search(escaped):
        place.error(
            "cap.uri",
            f"{shown(text)} is no address.",
            "Write it as https://nemo.org.bz/warnings.",
        )
    return text


def time(text: str, place: Place) -> datetime | None:
    """A moment with its offset, as ``2026-06-01T12:00:00-06:00`` (3.3.2)."""
    match = _TIME.fullmatch(text.strip(SPACE))
    if match is None:
        place.error(
            "cap.time_form",
            f"{shown(text)} is no time.",
            "Write it as 2026-06-01T12:00:00-06:00.",
        )
        return None
    fraction, sign, letter = match[7], match[8], match[11]
    if letter != "Z" and sign is None:
        place.error(
            "cap.time_offset",
            f"{shown(text)} does not say how far its clock is from UTC.",
            "Write the offset in numbers, such as -06:00, or -00:00 for UTC.",
        )
        return None
    if letter == "Z":
        place.error(
            "cap.time_letter",
            f"{shown(text)} ends with a letter for its time zone.",
            "Write -00:00 in place of Z.",
        )
    if fraction is not None:
        tell = place.error if place.version is Version.V1_2 else place.advice
        tell("cap.time_fraction", f"{shown(text)} has parts of a second.", "Leave them out.")
    offset = _offset(match)
    moment = None if offset is None else _moment(match, offset)
    if moment is None:
        place.error(
            "cap.time_impossible",
            f"{shown(text)} is a moment that does not exist.",
            "Check the date, the hour and the offset.",
        )
    elif sign == "+" and not offset and place.version is Version.V1_2:
        place.advice(
            "cap.time_utc", "UTC is written as +00:00.", "Write -00:00, as CAP 1.2 has it."
        )
    return moment


def _offset(match: re.Match[str]) -> timedelta | None:
    if match[8] is None:
        return timedelta(0)
    hours, minutes = int(match[9]), int(match[10])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > timedelta(hours=14):
        return None
    return -offset if match[8] == "-" else offset


def _moment(match: re.Match[str], offset: timedelta) -> datetime | None:
    year, month, day, hour, minute, second = (int(match[at]) for at in range(1, 7))
    # XML Schema lets a day end at 24:00:00, which is the next one's first moment.
    ends = (hour, minute, second) == (24, 0, 0)
    try:
        moment = datetime(
            year, month, day, 0 if ends else hour, minute, second, tzinfo=timezone(offset)
        )
        moment += timedelta(days=1) if ends else timedelta(0)
        # Near the first and the last year it may be no moment in UTC, and could not be compared.
        moment.timestamp()
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def language(text: str, place: Place) -> str:
    """A language tag; an empty one means ``en-US`` (3.2.2)."""
    if not text:
        return ""  # The schema's default; a space is none.
    tag = text.strip(SPACE)
    if _LANGUAGE.fullmatch(tag) is None:
        place.error(
            "cap.language",
            f"{shown(text)} is no tag of a language.",
            "Write it as en-BZ, with a hyphen.",
        )
    elif _TAG.fullmatch(tag) is None:
        place.advice(
            "cap.language",
            f"{shown(text)} begins with no code of a language.",
            "Begin with the two or three letters of ISO 639, such as en, es or bzj.",
        )
    return tag


def integer(text: str, place: Place) -> int | None:
    """A size in bytes."""
    digits = text.strip(SPACE)
    if _INTEGER.fullmatch(digits) is None or len(digits) > 20:
        place.error("cap.number", f"{shown(text)} is no whole number.", "Write digits alone.")
        return None
    if int(digits) < 0:
        place.error("cap.number", f"{shown(text)} is less than nothing.", "Write the size.")
    return int(digits)


def decimal(text: str, place: Place) -> Decimal | None:
    """A height in feet."""
    digits = text.strip(SPACE)
    if _NUMBER.fullmatch(digits) is None or len(digits) > 40:
        place.error("cap.number", f"{shown(text)} is no number.", "Write it as 1500 or 12.5.")
        return None
    return Decimal(digits)


def words(text: str, place: Place) -> tuple[str, ...]:
    """Words between spaces; one with a space in it stands in quotes (3.2.1)."""
    if text.count('"') % 2:
        place.error(
            "cap.quotes", "A quotation mark is opened and not closed.", "Close or remove it."
        )
    return tuple(quoted or bare for quoted, bare in _WORDS.findall(text) if quoted or bare)


def references(text: str, place: Place) -> tuple[Reference, ...]:
    """Earlier messages, each as ``sender,identifier,sent`` (3.2.1)."""
    found = []
    named = text.split()
    if len(named) > MOST_REFERENCES:
        place.error(
            "cap.references_many",
            f"It names {len(named):,} messages; {MOST_REFERENCES:,} are the most.",
            "Name the messages of this warning alone.",
        )
        return ()
    for at, each in enumerate(named, 1):
        parts = each.split(",")
        if len(parts) != 3 or not all(parts):
            place.error(
                "cap.reference_form",
                f"Reference {at}, {shown(each)}, is not a sender, an identifier and a time.",
                "Write sender,identifier,sent with commas and no spaces, and a space between two.",
            )
            continue
        sent = time(parts[2], place)
        if sent is not None:
            found.append(Reference(parts[0], parts[1], sent))
    return tuple(found)


def polygon(text: str, place: Place) -> Polygon | None:
    """A ring of ``lat,lon`` pairs, four at least, the last the same as the first (3.2.4)."""
    points: list[Point] = []
    for at, pair in enumerate(text.split(), 1):
        point = _point(pair, place, f"Point {at}, {shown(pair)},")
        if point is None:
            return None
        points.append(point)
    if len(points) < LEAST_POINTS:
        place.error(
            "cap.polygon_points",
            f"The polygon has {len(points)} points; the least is {LEAST_POINTS}.",
            "Give three corners at least, and the first one again at the end.",
        )
        return None
    if points[0] != points[-1]:
        place.error(
            "cap.polygon_open",
            "The polygon is not closed: its last point is not its first.",
            "Write the first point again at the end.",
        )
        points.append(points[0])
    if len(set(points)) < LEAST_POINTS - 1:
        place.advice(
            "cap.polygon_flat",
            "The polygon has fewer than three different points, so it encloses nothing.",
            "Give three corners at least, or a circle.",
        )
    return tuple(points)


def circle(text: str, place: Place) -> Circle | None:
    """A centre, a space and a radius in kilometres: ``lat,lon radius`` (3.2.4)."""
    parts = text.split()
    if len(parts) != 2 or _NUMBER.fullmatch(parts[1]) is None:
        place.error(
            "cap.circle_form",
            f"{shown(text)} is no circle.",
            "Write latitude,longitude, a space, and the radius in kilometres: 17.5,-88.2 5.",
        )
        return None
    centre = _point(parts[0], place, f"The centre, {shown(parts[0])},")
    radius = float(parts[1])
    if not 0.0 <= radius <= 20_040.0:
        place.error(
            "cap.circle_radius",
            f"A circle of {radius:g} kilometres does not exist on the earth.",
            "Give the radius in kilometres.",
        )
        return None
    return None if centre is None else Circle(centre, radius)


def _point(pair: str, place: Place, what: str) -> Point | None:
    parts = pair.split(",")
    if len(parts) != 2 or not all(_NUMBER.fullmatch(part) for part in parts):
        place.error(
            "cap.point_form",
            f"{what} is no latitude and longitude.",
            "Write them as 17.5,-88.2, with one comma and no space.",
        )
        return None
    lat, lon = (float(part) for part in parts)
    if not (math.fabs(lat) <= 90.0 and math.fabs(lon) <= 180.0):
        place.error(
            "cap.point_range",
            f"{what} is not on the earth.",
            "Give the latitude (-90 to 90) first, then the longitude (-180 to 180).",
        )
        return None
    return Point(lat, lon)


Reader = Callable[[str, Place], object]
"""Takes the text of an element and where it stands; returns the value, or None."""
