"""``GET /api/places/at``: what is at a point that somebody clicked on the map."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from dispatch.asking import ApiProblem, Asked, Route
from dispatch.locating import gazetteer
from dispatch.locating.notes import Note, around
from dispatch.locating.ranking import Place
from dispatch.locating.values import MOST_LAT, MOST_LON
from geo import belize
from geo.coordinates import (
    CoordinateError,
    bearing_deg,
    degrees_minutes_seconds,
    from_e7,
    to_utm,
)
from geo.notations import compass
from geo.notations.grids import write_mgrs
from geo.notations.judging import doubt

MARK_M: Final = 1_000.0
"""A mark or mile marker further away than this says nothing about a point."""
AT_M: Final = 30.0
"""Nearer than this is at the place itself."""

Ground = Literal["land", "shore", "sea"]


class Nearest(Struct):
    """A place near the point: metres from it to the point, and the bearing in degrees."""

    place: int
    name: str
    kind: str
    distance: int
    bearing: int
    words: str


class Here(Struct):
    """What is known of a point.

    ``words`` say where it is; ``mark`` is the nearest mark or mile marker within a kilometre;
    ``utm`` and ``mgrs`` are none far from Belize. ``ground`` is ``shore`` near a coast or border,
    and none where that is not known.
    """

    lon: int
    lat: int
    words: str
    district: str | None
    ground: Ground | None
    nearest: Nearest | None
    mark: Nearest | None
    dms: str
    utm: str | None
    mgrs: str | None
    doubt: str | None
    notes: list[Note]


async def place_at(asked: Asked) -> Here:
    """What is at a point, ``lon`` and ``lat`` in 1e-7 degrees: where it is, in words and grids."""
    agency = asked.own("place", "see")
    for name in ("lon", "lat"):
        if name not in asked.query:
            raise ApiProblem(
                400, "bad_parameter", f"The parameter {name} is missing.", "Say lon and lat."
            )
    x = asked.number("lon", 0, -MOST_LON, MOST_LON)
    y = asked.number("lat", 0, -MOST_LAT, MOST_LAT)
    lon, lat = from_e7(x), from_e7(y)
    async with asked.pool.acquire() as connection:
        near = await gazetteer.nearest(connection, agency, lon, lat, marks=False)
        mark = await gazetteer.nearest(connection, agency, lon, lat, marks=True)
        (notes,) = await around(connection, agency, [(lon, lat)], asked.core.directory)
    nearest = None if near is None else _from(*near, lon, lat)
    district = belize.district_of(lon, lat)
    dms = degrees_minutes_seconds(lon, lat)
    return Here(
        x,
        y,
        dms if nearest is None else nearest.words,
        None if district is None else district.name,
        _ground(lon, lat),
        nearest,
        None if mark is None or mark[1] > MARK_M else _from(*mark, lon, lat),
        dms,
        _utm(lon, lat),
        write_mgrs(lon, lat) if belize.is_around(lon, lat) else None,
        doubt(lon, lat),
        notes,
    )


def _from(place: Place, metres: float, lon: float, lat: float) -> Nearest:
    bearing = bearing_deg(place.lon, place.lat, lon, lat)
    words = f"at {place.name}"
    if metres >= AT_M:
        words = f"{_distance(metres)} {compass.point(bearing)} of {place.name}"
    turn = round(bearing) % 360
    return Nearest(place.id, place.name, place.kind, round(metres), turn, words)


def _distance(metres: float) -> str:
    """As people say it: ``340 m``, ``1.2 km``, ``27 km``."""
    if metres < 995:
        return f"{round(metres, -1):.0f} m"
    return f"{metres / 1000:.1f} km" if metres < 9_950 else f"{metres / 1000:,.0f} km"


def _ground(lon: float, lat: float) -> Ground | None:
    found = belize.ground(lon, lat)
    return found if found in ("land", "shore", "sea") else None  # type: ignore[return-value]


def _utm(lon: float, lat: float) -> str | None:
    if not belize.is_around(lon, lat):
        return None
    try:
        easting, northing = to_utm(lon, lat)
    except CoordinateError:
        return None
    return f"16N {easting:.0f} {northing:.0f}"


ROUTES: Final = (Route("/api/places/at", place_at, Here, ("lon", "lat")),)
