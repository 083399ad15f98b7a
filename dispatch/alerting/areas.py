"""The area of a warning: what an officer draws or chooses, checked, and as CAP can say it. Pure.

Theory of operation
-------------------
An area is made of parts: polygons that were drawn, circles, districts, and tracks with a width at
each of their points. Whatever was given, three things hold afterwards: but for a metre of rounding
it is not smaller than what was given, so that nobody is left out by tidying; it has few points, so
that every telephone and siren can hold it; and each change that was made is told. What cannot be
meant is refused: a border that crosses itself, the whole world, nothing.

Longitude comes first here, as everywhere but in CAP. Degrees are WGS 84.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import shapely
from pyproj import Geod
from shapely import MultiPolygon, Polygon

from dispatch.alerting import cap
from dispatch.alerting.notes import Note
from geo import belize
from geo.coordinates import CoordinateError, check, destination
from geo.fences import FenceError, check_polygon
from psn.problems import Problem

LARGEST_KM2: Final = 250_000.0
"""Belize with its sea has about a fifth of it."""
SMALLEST_KM2: Final = 0.0001
"""A hundred square metres: less is a slip of the hand."""
MOST_GIVEN: Final = 20_000
"""Points of one polygon that are looked at; more are no area that somebody drew."""
MOST_WAYPOINTS: Final = 1_000
MOST_POINTS: Final = 100
"""Points of a polygon in a message, the last one included: what cell-broadcast entities take."""
MOST_PARTS: Final = 50
MOST_RADIUS_KM: Final = 500.0
NEAR_DEGREES: Final = 4.0
"""How far from the country an area may begin: some 440 km, beyond its waters on every side."""
GEOCODE: Final = "ISO 3166-2"
"""Whose codes those of districts are."""

_ELLIPSOID: Final = Geod(ellps="WGS84")
_STEPS: Final = 72
"""Corners of a circle that is made a polygon; the polygon lies around it."""
_DIGITS: Final = 5
"""Decimals of a degree: 1.1 m."""


class AreaRefused(Problem):
    """An area that cannot be warned; its code begins with ``area.``."""


class Position(NamedTuple):
    """Degrees."""

    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A polygon; the first point need not come again at the end."""

    ring: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """A point, such as a town, and what lies within a radius."""

    centre: Position
    radius_km: float


@dataclass(frozen=True, slots=True)
class District:
    """A whole district; ISO 3166-2, such as ``BZ-CY``."""

    code: str


class Waypoint(NamedTuple):
    """A point of a track, and how far around it counts: the same for all, or growing as a cone."""

    at: Position
    radius_km: float


@dataclass(frozen=True, slots=True)
class Track:
    """A line with a width, such as a storm's way or a river."""

    points: tuple[Waypoint, ...]


Part = Drawn | Around | District | Track


@dataclass(frozen=True)
class Area:
    """An area that can be warned.

    Attributes:
        name: in words, for people.
        polygons: rings in longitude and latitude, closed; simple, and of few points.
        circles: kept as such, since CAP has them.
        districts: codes; their polygons are among ``polygons``.
        told: what was changed to make it so, a plain sentence for each.
    """

    name: str
    polygons: tuple[tuple[Position, ...], ...]
    circles: tuple[Around, ...] = ()
    districts: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @cached_property
    def shape(self) -> Polygon | MultiPolygon:
        """All of it together; circles as polygons around them."""
        parts = [Polygon(ring) for ring in self.polygons] + [_disc(each) for each in self.circles]
        whole = shapely.unary_union(parts)
        shapely.prepare(whole)
        return _polygonal(whole)

    @property
    def km2(self) -> float:
        """Its size."""
        return _km2(self.shape)

    def covers(self, lon: float, lat: float) -> bool:
        """Whether somebody there is warned; on the border he is."""
        return bool(shapely.covers(self.shape, shapely.Point(lon, lat)))

    def cap(self, language: str = "en-BZ") -> cap.Area:
        """As CAP says it in an ``info`` of a language."""
        return cap.Area(
            description=named_in(self.name, language),
            polygons=tuple(
                tuple(cap.Point(point.lat, point.lon) for point in ring) for ring in self.polygons
            ),
            circles=tuple(
                cap.Circle(cap.Point(each.centre.lat, each.centre.lon), each.radius_km)
                for each in self.circles
            ),
            geocodes=tuple(cap.Named(GEOCODE, code) for code in self.districts),
        )

    def settlements(self) -> tuple[belize.Place, ...]:
        """Populated places inside, most people first."""
        places = belize.places()
        points = shapely.points([place.lon for place in places], [place.lat for place in places])
        inside = shapely.covers(self.shape, points)
        return tuple(place for place, within in zip(places, inside, strict=True) if within)


def area(name: str, parts: Sequence[Part]) -> Area:
    """The area of all parts together.

    Raises :class:`AreaRefused` with a sentence for what cannot be warned.
    """
    return noted(name, parts)[0]


def noted(name: str, parts: Sequence[Part]) -> tuple[Area, tuple[Note, ...]]:
    """The same, and what was changed to make it so, also by codes and figures."""
    if not name.strip():
        raise AreaRefused("area.nameless", "The area has no name.", "Say in words where it is.")
    if not parts:
        raise AreaRefused("area.empty", "Nothing is chosen.", "Draw or choose an area.")
    notes: list[Note] = []
    polygons = [
        ring for part in parts if not isinstance(part, Around) for ring in _rings(part, notes)
    ]
    circles = tuple(dict.fromkeys(_circle(part) for part in parts if isinstance(part, Around)))
    codes = {part.code for part in parts if isinstance(part, District)}
    districts = tuple(sorted(codes))
    if len(polygons) + len(circles) > MOST_PARTS:
        raise AreaRefused(
            "area.many_parts",
            f"The area has {len(polygons) + len(circles)} parts; {MOST_PARTS} are the most.",
            "Draw one polygon around several of them.",
        )
    once = tuple(dict.fromkeys(notes))
    told = tuple(each.text for each in once)
    made = Area(name.strip(), tuple(polygons), circles, districts, told)
    _possible(made)
    return made, once


def _possible(made: Area) -> None:
    """Refuse what is hardly meant."""
    if not shapely.intersects(_within(NEAR_DEGREES), made.shape):
        raise AreaRefused(
            "area.elsewhere",
            "The area lies far from Belize.",
            "Check that latitude and longitude were not exchanged, and the sign.",
        )
    # Before its size is measured: of what goes around the earth, inside and outside are the same.
    size = made.km2 if _within(belize.AROUND_DEGREES).covers(made.shape) else math.inf
    if size > LARGEST_KM2:
        raise AreaRefused(
            "area.too_large",
            f"The area is larger than {LARGEST_KM2:,.0f} km², which is all of Belize and its sea "
            "several times over, or reaches further than a warning of Belize can.",
            "Draw the area that is in danger here.",
        )
    if size < SMALLEST_KM2:
        raise AreaRefused(
            "area.too_small",
            "The area encloses next to nothing.",
            "Draw it larger, or choose a radius around a point.",
        )


def _within(degrees: float) -> Polygon:
    """The country, and so much around it."""
    west, south, east, north = belize.BOUNDS
    return shapely.box(west - degrees, south - degrees, east + degrees, north + degrees)


def _rings(part: Part, notes: list[Note]) -> Iterable[tuple[Position, ...]]:
    if isinstance(part, Drawn):
        yield _few(_drawn(part.ring), "polygon", notes)
    elif isinstance(part, District):
        # Its outline is good to two kilometres (geo.belize): a pier or a small caye is within. A
        # district is known by its name, so that it has fewer points tells nobody anything.
        around = _district(part.code).shape.buffer(belize.SHORE_M / 105_000)
        for polygon in shapely.get_parts(_polygonal(around)):
            yield _few(Polygon(polygon.exterior), "district", [])
    elif isinstance(part, Track):
        for polygon in shapely.get_parts(_polygonal(track_shape(part))):
            if polygon.interiors:
                notes.append(
                    Note(
                        "note.track_closed",
                        "The track closes around an area, which is now part of it.",
                    )
                )
            yield _few(Polygon(polygon.exterior), "track", notes)


def _drawn(ring: tuple[Position, ...]) -> Polygon:
    if len(ring) > MOST_GIVEN:
        raise AreaRefused(
            "area.many_points",
            f"The polygon has {len(ring):,} points; {MOST_GIVEN:,} are the most.",
            "Draw it with fewer, or choose the district.",
        )
    for point in ring:
        _on_earth(point)
    if len(set(ring)) < 3:
        raise AreaRefused(
            "area.few_points",
            "The polygon has fewer than three different points.",
            "Draw three corners at least.",
        )
    polygon = Polygon(ring)
    try:
        check_polygon(polygon)
    except FenceError as error:
        raise AreaRefused("area.crosses", error.text, error.todo) from None
    return polygon


def _few(polygon: Polygon, what: str, notes: list[Note]) -> tuple[Position, ...]:
    """The ring of a polygon of few points that covers another."""
    before = len(polygon.exterior.coords)
    if before <= MOST_POINTS:
        return _ring(polygon)
    grown = 0.0001
    # Growing a shape of many corners by little takes long and leads nowhere: begin where few are.
    while shapely.get_num_coordinates(polygon.simplify(grown * 0.25)) > 60 * MOST_POINTS:
        grown *= 1.3
    while True:
        # Simplified by a quarter of what it is grown by, and again by less than is left of that, it
        # still covers what it was; and no point of it is further away than twice as much.
        rough = polygon.simplify(grown * 0.25)
        around = rough.buffer(grown, quad_segs=4).simplify(grown * 0.7)
        if isinstance(around, Polygon) and len(around.exterior.coords) <= MOST_POINTS:
            made = Polygon(_ring(around))
            if made.covers(polygon):
                break
        grown *= 1.3
    metres = grown * 2 * 111_000
    kept = len(made.exterior.coords)
    notes.append(
        Note(
            f"note.{what}_simplified",
            f"The {what} had {before:,} points and now has {kept}; it reaches up to "
            f"{metres:,.0f} m further than it was drawn, and leaves nothing out.",
            (("points", before), ("kept", kept), ("metres", round(metres))),
        )
    )
    return _ring(made)


def _ring(polygon: Polygon) -> tuple[Position, ...]:
    points = [
        Position(round(lon, _DIGITS), round(lat, _DIGITS)) for lon, lat in polygon.exterior.coords
    ]
    kept = [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]
    if len(kept) < cap.LEAST_POINTS or not Polygon(kept).is_valid:
        raise AreaRefused(
            "area.too_small",
            "The area is thinner than a metre somewhere.",
            "Draw it larger, or choose a radius around a point.",
        )
    return tuple(kept)


def _circle(part: Around) -> Around:
    _on_earth(part.centre)
    if not 0.0 < part.radius_km <= MOST_RADIUS_KM:
        raise AreaRefused(
            "area.radius",
            f"A radius of {part.radius_km:g} km cannot be meant.",
            f"Give more than 0 and at most {MOST_RADIUS_KM:g} km.",
        )
    centre = Position(round(part.centre.lon, _DIGITS), round(part.centre.lat, _DIGITS))
    # Up to a metre further, so that rounding the centre leaves nobody out.
    return Around(centre, math.ceil(part.radius_km * 1000 + 1) / 1000)


def _disc(part: Around) -> Polygon:
    """A polygon around a circle."""
    metres = part.radius_km * 1000 / math.cos(math.pi / _STEPS)
    corners = (360.0 / _STEPS * step for step in range(_STEPS))
    return Polygon([destination(*part.centre, bearing, metres) for bearing in corners])


def _district(code: str) -> belize.District:
    for each in belize.districts():
        if each.code == code:
            return each
    known = ", ".join(each.code for each in belize.districts())
    raise AreaRefused(
        "area.district", f"There is no district {code[:20]}.", f"Choose one of {known}."
    )


_DISTRICT: Final = re.compile(
    f"\\b({'|'.join(each.name for each in belize.districts())}) District\\b"
)
_IN_SPANISH: Final = {"Belize": "Belice"}


def district_called(name: str) -> dict[str, str]:
    """What people call a district in each language but English: of ``Cayo``, ``Distrito de Cayo``.

    The one source of it: the composer, which fills templates in the browser, asks for these.
    """
    return {"es-BZ": f"Distrito de {_IN_SPANISH.get(name, name)}", "bzj": f"{name} Distrik"}


def named_in(name: str, language: str) -> str:
    """What people call an area in a language: districts have another word in each."""
    return _DISTRICT.sub(lambda found: district_called(found[1]).get(language, found[0]), name)


def track_shape(part: Track) -> shapely.Geometry:
    """Everything within the width of a line: around each leg, the hull of its two ends' circles.

    Raises :class:`AreaRefused` for a track without points, or with too many.
    """
    if not part.points:
        raise AreaRefused("area.empty", "The track has no points.", "Give two points at least.")
    if len(part.points) > MOST_WAYPOINTS:
        raise AreaRefused(
            "area.many_points",
            f"The track has {len(part.points):,} points; {MOST_WAYPOINTS:,} are the most.",
            "Leave out points that lie close together.",
        )
    discs = [_disc(_circle(Around(point.at, point.radius_km))) for point in part.points]
    if len(discs) == 1:
        return discs[0]
    legs = [shapely.union(one, two).convex_hull for one, two in pairwise(discs)]
    return shapely.unary_union(legs)


def _on_earth(point: Position) -> None:
    try:
        check(point.lon, point.lat)
    except CoordinateError as error:
        raise AreaRefused("area.off_earth", error.text, error.todo) from None


def _polygonal(shape: shapely.Geometry) -> Polygon | MultiPolygon:
    assert isinstance(shape, Polygon | MultiPolygon)
    return shape


def _km2(shape: Polygon | MultiPolygon) -> float:
    """On the ellipsoid."""
    total = 0.0
    for polygon in shapely.get_parts(shape):
        lons, lats = np.asarray(polygon.exterior.coords).T
        outer = abs(_ELLIPSOID.polygon_area_perimeter(lons, lats)[0])
        holes = 0.0
        for ring in polygon.interiors:
            lons, lats = np.asarray(ring.coords).T
            holes += abs(_ELLIPSOID.polygon_area_perimeter(lons, lats)[0])
        total += outer - holes
    return total / 1e6
