"""What somebody writes of a warning, as it comes over the wire, and the content that it makes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from dispatch.alerting import areas, cap
from dispatch.alerting.areas import Area, Around, District, Drawn, Position, Track, Waypoint
from dispatch.alerting.content import Channel, Content, Text
from dispatch.desk import values
from dispatch.desk.values import Line, Milliseconds
from geo.coordinates import E7
from psn import database
from psn.wire import LatitudeE7, LongitudeE7

Metres = Annotated[int, Meta(ge=1, le=1_000_000)]
Point = tuple[LongitudeE7, LatitudeE7]


class PolygonPart(Struct, tag_field="part", tag="polygon", frozen=True):
    """A border that was drawn; the first point need not come again."""

    points: Annotated[list[Point], Meta(max_length=areas.MOST_GIVEN)]


class CirclePart(Struct, tag_field="part", tag="circle", frozen=True):
    """A point, and what lies within a radius."""

    at: Point
    radius: Metres


class DistrictPart(Struct, tag_field="part", tag="district", frozen=True):
    """A whole district: ``BZ-CY``."""

    code: Line


class TrackPart(Struct, tag_field="part", tag="track", frozen=True):
    """A line, and how many metres around each of its points count."""

    points: Annotated[
        list[tuple[LongitudeE7, LatitudeE7, Metres]], Meta(max_length=areas.MOST_WAYPOINTS)
    ]


Part = PolygonPart | CirclePart | DistrictPart | TrackPart


class DrawnArea(Struct, kw_only=True, frozen=True):
    """An area as it was drawn or chosen."""

    name: Line
    parts: Annotated[list[Part], Meta(max_length=areas.MOST_PARTS)]


class Words(Struct, kw_only=True, omit_defaults=True):
    """The words in one language, a tag such as ``en-BZ``, ``es-BZ``, ``bzj``."""

    language: Annotated[str, Meta(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z", max_length=35)]
    event: Line = ""
    headline: Annotated[str, Meta(max_length=1_000, pattern=values.NO_NUL)] = ""
    description: values.Text = ""
    instruction: values.Text = ""
    short: Annotated[str, Meta(max_length=2_000, pattern=values.NO_NUL)] = ""


class Draft(Struct, kw_only=True, omit_defaults=True):
    """All that a message says, as far as it is written; times in milliseconds UTC."""

    status: cap.Status
    event: Line = ""
    categories: Annotated[list[cap.Category], Meta(max_length=12)] = []
    urgency: cap.Urgency = cap.Urgency.UNKNOWN
    severity: cap.Severity = cap.Severity.UNKNOWN
    certainty: cap.Certainty = cap.Certainty.UNKNOWN
    responses: Annotated[list[cap.Response], Meta(max_length=12)] = []
    texts: Annotated[list[Words], Meta(max_length=12)] = []
    area: DrawnArea | None = None
    channels: Annotated[list[Channel], Meta(max_length=20)] | None = None
    """None: all."""
    onset: Milliseconds | None = None
    expires: Milliseconds | None = None
    send_at: Milliseconds | None = None
    note: values.Text = ""
    web: Line = ""
    plain_letters: bool = False


def area(drawn: DrawnArea) -> Area:
    """The area, checked; raises :class:`dispatch.alerting.areas.AreaRefused`. Takes a while."""
    return areas.area(drawn.name, [_part(each) for each in drawn.parts])


def content(draft: Draft, area: Area | None) -> Content:
    """What is approved and sent; ``area``: what :func:`area` made of the drawn one."""
    return Content(
        status=draft.status,
        event=draft.event,
        categories=tuple(dict.fromkeys(draft.categories)),
        urgency=draft.urgency,
        severity=draft.severity,
        certainty=draft.certainty,
        responses=tuple(dict.fromkeys(draft.responses)),
        texts=tuple(_text(each) for each in draft.texts),
        area=area,
        channels=frozenset(Channel if draft.channels is None else draft.channels),
        onset=_moment(draft.onset),
        expires=_moment(draft.expires),
        send_at=_moment(draft.send_at),
        note=draft.note,
        web=draft.web,
        plain_letters=draft.plain_letters,
    )


def _text(words: Words) -> Text:
    return Text(
        words.language,
        words.event,
        words.headline,
        words.description,
        words.instruction,
        words.short,
    )


def _moment(at: int | None) -> datetime | None:
    return None if at is None else database.moment(at)


def _part(part: Part) -> areas.Part:
    if isinstance(part, PolygonPart):
        return Drawn(tuple(_position(*each) for each in part.points))
    if isinstance(part, CirclePart):
        return Around(_position(*part.at), part.radius / 1_000)
    if isinstance(part, DistrictPart):
        return District(part.code)
    return Track(
        tuple(Waypoint(_position(lon, lat), metres / 1_000) for lon, lat, metres in part.points)
    )


def _position(lon: int, lat: int) -> Position:
    return Position(lon / E7, lat / E7)
