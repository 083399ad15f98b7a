"""``GET /api/places``: whatever was typed as a place, and what it may mean."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from dispatch.administration.values import ONE_LINE
from dispatch.asking import ApiProblem, Asked, Route
from dispatch.locating import gazetteer
from dispatch.locating.notes import Note, around
from dispatch.locating.ranking import Fit, Ranked
from dispatch.locating.values import MOST_LAT, MOST_LON, district_name, e7
from geo import belize, notations
from geo.coordinates import degrees_minutes_seconds, destination, from_e7
from geo.notations import (
    MileMarker,
    NotationError,
    Offset,
    Position,
    ShortCode,
    codes,
    offsets,
)
from geo.notations.judging import judged
from psn import database

MOST_FOUND: Final = 10
MOST_OFFSETS: Final = 3
"""Places of a name from which a distance is measured."""
MOST_TYPED: Final = 2_000
SURE_M: Final = {"settlement": 1_000, "caye": 500}
"""How far from its point a place of a kind may begin, in metres; others: 50."""
_OTHERS_SURE_M: Final = 50
_NEAR: Final = re.compile(r"(-?[0-9]{1,10}),(-?[0-9]{1,10})")
_TYPED: Final = re.compile(ONE_LINE)


class Found(Struct):
    """A place that may be meant.

    ``place`` and ``agency`` are those of the gazetteer, where it is one; ``lon`` and ``lat`` are
    1e-7 degrees; ``precision`` is in metres; ``reason`` says why it is offered; a ``doubt`` is
    to be shown before it is taken.
    """

    place: int | None
    agency: int | None
    name: str
    kind: str
    district: str | None
    lon: int
    lat: int
    precision: int
    reason: str
    doubt: str | None
    notes: list[Note]


class Search(Struct):
    """What may be meant, likeliest first; ``told`` says what is wrong with what was typed."""

    found: list[Found]
    told: str | None


async def places(asked: Asked) -> Search:
    """Places that may be meant by ``q``; ``near`` is where from, lon,lat in 1e-7 degrees."""
    agency = asked.own("place", "see")
    typed, near = _typed(asked), _near(asked)
    limit = asked.number("limit", MOST_FOUND, 1, MOST_FOUND)
    async with asked.pool.acquire() as connection:
        found, told = await _search(connection, agency, typed, near)
        found = found[:limit]
        notes = await around(connection, agency, [_point(f) for f in found], asked.core.directory)
    for each, its in zip(found, notes, strict=True):
        each.notes = its
    return Search(found, told)


def _typed(asked: Asked) -> str:
    typed = asked.query.get("q", "").replace("\t", " ").strip()
    if len(typed) > MOST_TYPED or not _TYPED.match(typed):
        raise ApiProblem(
            400,
            "bad_parameter",
            f"The parameter q must be one line of 1 to {MOST_TYPED:,} characters.",
            "Correct it and ask again.",
        )
    return typed


def _near(asked: Asked) -> tuple[float, float] | None:
    written = asked.query.get("near")
    if written is None:
        return None
    found = _NEAR.fullmatch(written)
    lon, lat = (0, 0) if found is None else (int(found[1]), int(found[2]))
    if found is None or abs(lon) > MOST_LON or abs(lat) > MOST_LAT:
        raise ApiProblem(
            400,
            "bad_parameter",
            "The parameter near must be longitude,latitude in whole 1e-7 degrees.",
            "Correct it and ask again.",
        )
    return from_e7(lon), from_e7(lat)


async def _search(
    connection: database.Connection, agency: int, typed: str, near: tuple[float, float] | None
) -> tuple[list[Found], str | None]:
    told = None
    try:
        reading = notations.read(typed)
    except NotationError as error:
        reading = None
        if error.code != "notation.unknown":
            told = f"{error.text} {error.todo}"
    if isinstance(reading, Position):
        return _positions(reading), None
    found: list[Found] = []
    if isinstance(reading, MileMarker):
        found, told = await _miles(connection, agency, reading)
    elif isinstance(reading, Offset | ShortCode):
        whole = await _whole_name(connection, agency, reading, near)
        if whole is not None:
            return whole
        found, told = await _from_name(connection, agency, reading, near)
    ranked = await gazetteer.named(connection, agency, typed, near)
    there = {each.place for each in found}
    found += [_named(each) for each in ranked if each.place.id not in there]
    if not found and told is None:
        told = "Nothing is called like this. Try fewer letters, or coordinates."
    return found, told


def _positions(reading: Position) -> list[Found]:
    """What was written; and before it what lies in Belize, when that does not (DOM-PLACE-2)."""
    meant = [
        _position(each, f"{each.said}: assumed, since what was typed lies elsewhere")
        for each in reading.meant
    ]
    for each in meant:
        each.doubt = reading.doubt
    return [*meant, _position(reading, reading.said)]


def _position(reading: Position, reason: str) -> Found:
    name = degrees_minutes_seconds(reading.lon, reading.lat)
    return _found(name, "position", reading, reason)


def _found(name: str, kind: str, at: Position, reason: str) -> Found:
    where = belize.district_of(at.lon, at.lat)
    return Found(
        None,
        None,
        name,
        kind,
        None if where is None else where.name,
        e7(at.lon),
        e7(at.lat),
        max(1, round(at.precision_m)),
        reason,
        at.doubt,
        [],
    )


async def _miles(
    connection: database.Connection, agency: int, reading: MileMarker
) -> tuple[list[Found], str | None]:
    there = await gazetteer.marked(connection, agency, reading.road, reading.mile)
    if there is None:
        return [], f"No marker near m{reading.said[1:]} of {reading.road} has been loaded."
    at = judged(Position(there.lon, there.lat, there.precision_m, "mile", ""), slips=False)
    found = _found(f"{reading.said} {there.road}", "mile_marker", at, there.reason)
    if there.place is not None:
        found.place, found.agency = there.place.id, there.place.agency
    return [found], None


async def _whole_name(
    connection: database.Connection,
    agency: int,
    reading: Offset | ShortCode,
    near: tuple[float, float] | None,
) -> tuple[list[Found], str] | None:
    """Where what was read as a direction is the first word of a name; None where it is not."""
    if not isinstance(reading, Offset) or not reading.perhaps:
        return None
    name = reading.perhaps
    named = await gazetteer.named(connection, agency, name, near)
    if not offsets.is_street(name) and not (named and named[0].fit <= Fit.WHOLE):
        return None
    told = f"{name} is taken for a name, so the direction is missing. Say where it lies: "
    return [_named(each) for each in named], f"{told}east of {name}, for example."


async def _from_name(
    connection: database.Connection,
    agency: int,
    reading: Offset | ShortCode,
    near: tuple[float, float] | None,
) -> tuple[list[Found], str | None]:
    """What is measured from a named place, for each place that may be meant."""
    named = await gazetteer.named(connection, agency, reading.name, near)
    if not named:
        return [], f"No place is called like {reading.name}."
    best = [each for each in named if each.fit is named[0].fit and each.fit < Fit.LIKE]
    best = (best or named[:1])[:MOST_OFFSETS]
    return [_measured(reading, each) for each in best], None


def _measured(reading: Offset | ShortCode, base: Ranked) -> Found:
    place = base.place
    where = f"{place.name}{_in_district(place.district)}"
    if isinstance(reading, ShortCode):
        code = codes.whole(reading.code, place.lon, place.lat)
        return _found(f"{reading.code} {place.name}", "position", code, f"plus code near {where}")
    lon, lat = destination(place.lon, place.lat, reading.bearing, reading.metres)
    sure = reading.precision_m + SURE_M.get(place.kind, _OTHERS_SURE_M)
    at = judged(Position(lon, lat, sure, "offset", ""), slips=False)
    reason = f"measured from {where}"
    return _found(f"{reading.said} of {place.name}", "offset", at, reason)


_REASONS: Final = {
    Fit.SAME: "the same name",
    Fit.WHOLE: "the same name",
    Fit.BEGINNING: "begins so",
    Fit.WORDS: "has these words",
    Fit.LIKE: "spelt like it",
}


def _named(found: Ranked) -> Found:
    place, reason = found.place, _REASONS[found.fit]
    if found.name != place.name:
        reason += f": {found.name}"
    return Found(
        place.id,
        place.agency,
        place.name,
        place.kind,
        district_name(place.district),
        e7(place.lon),
        e7(place.lat),
        SURE_M.get(place.kind, _OTHERS_SURE_M),
        reason,
        None,
        [],
    )


def _in_district(code: str | None) -> str:
    name = district_name(code)
    return "" if name is None else f", {name} District"


def _point(found: Found) -> tuple[float, float]:
    return from_e7(found.lon), from_e7(found.lat)


ROUTES: Final = (Route("/api/places", places, Search, ("q", "near", "limit")),)
