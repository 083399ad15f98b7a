"""The country: its places, its six districts and its bounds.

The data is a small extract of public sources (``geo/data/README.md`` says which, and under which
licences), read from the package once, on first use. Shapes are simplified: good for a map and for
naming where something is, never for a question of law.
"""

from __future__ import annotations

import json
import math
import unicodedata
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

import shapely
from shapely import MultiPolygon, Polygon

from geo.coordinates import distance_m
from geo.fences import Fence, FenceIndex

BOUNDS: Final = (-89.24, 15.87, -87.48, 18.50)
"""West, south, east and north of all land, cayes included, in degrees."""

AROUND_DEGREES: Final = 8.0
"""How far beyond :data:`BOUNDS` something may lie and still be the country's business: its
neighbours, the western Caribbean, a hurricane two days away."""

CENTRE: Final = (-88.50, 17.19)
"""Longitude and latitude of the middle of the mainland, where a map may start."""

TIME_ZONE: Final = "America/Belize"
"""UTC-6 all year."""

ATTRIBUTION: Final = "© GeoNames (CC BY 4.0), made with Natural Earth"
"""To be shown where places or districts are."""

TERRITORIAL_SEA_M: Final = 22_224.0
"""12 nautical miles: how far a territorial sea may reach (UN Convention on the Law of the Sea,
article 3). Less was agreed in the south; here it only tells what needs a second look."""

SHORE_M: Final = 2_000.0
"""How far a point may lie outside a simplified coast or border and still count to a district."""

# The nine municipalities: two cities and seven towns. San Ignacio and Santa Elena are one of them.
_CITIES: Final = frozenset({3582677, 3582672})
_TOWNS: Final = frozenset({3581194, 3581143, 3581164, 3581514, 3582228, 3582305, 3582662, 3581398})
_NAMES: Final = {
    "BZ-BZ": "Belize",
    "BZ-CY": "Cayo",
    "BZ-CZL": "Corozal",
    "BZ-OW": "Orange Walk",
    "BZ-SC": "Stann Creek",
    "BZ-TOL": "Toledo",
}


class Place(NamedTuple):
    """A populated place.

    Attributes:
        id: its number in GeoNames; names repeat (there are four San Pedros).
        name: as in GeoNames.
        lon: degrees.
        lat: degrees.
        population: as GeoNames has it, of differing years; 0 when unknown.
        district: ISO 3166-2 code of its district.
        kind: ``city``, ``town`` or ``village``.
        other_names: in Latin letters, as GeoNames has them.
    """

    id: int
    name: str
    lon: float
    lat: float
    population: int
    district: str
    kind: str
    other_names: tuple[str, ...]


class District(NamedTuple):
    """One of the six districts.

    Attributes:
        code: ISO 3166-2, such as ``BZ-CY``.
        name: such as Cayo.
        shape: its land, simplified, cayes included (WGS84 longitude, latitude).
    """

    code: str
    name: str
    shape: MultiPolygon


@cache
def places() -> tuple[Place, ...]:
    """All 138 populated places, most people first."""
    found = []
    for number, name, lat, lon, population, district, others in _load("places.json")["rows"]:
        kind = "city" if number in _CITIES else "town" if number in _TOWNS else "village"
        row = Place(number, name, lon, lat, population, district, kind, tuple(others))
        found.append(row)
    return tuple(found)


class Caye(NamedTuple):
    """A caye without a settlement.

    Attributes:
        name: as people at sea say it.
        lat: of about its middle, degrees, WGS 84.
        lon: of about its middle, degrees, WGS 84.
        other_names: among them the part of an atoll that it is.
    """

    name: str
    lat: float
    lon: float
    other_names: tuple[str, ...]


@cache
def cayes() -> tuple[Caye, ...]:
    """Cayes that people at sea name, and that have no settlement of the same name."""
    rows = _load("cayes.json")["rows"]
    return tuple(Caye(name, lat, lon, tuple(others)) for name, lat, lon, others in rows)


@cache
def districts() -> tuple[District, ...]:
    """The six districts, by code."""
    found = _load("districts.json")["districts"]
    return tuple(
        District(
            code, _NAMES[code], MultiPolygon([Polygon(rings[0], rings[1:]) for rings in polygons])
        )
        for code, polygons in sorted(found.items())
    )


@cache
def mainland() -> Polygon:
    """The mainland of all districts as one simplified polygon, without the cayes."""
    whole = shapely.unary_union([district.shape for district in districts()])
    largest: Polygon = max(shapely.get_parts(whole), key=lambda part: float(part.area))
    return largest


def district_of(lon: float, lat: float) -> District | None:
    """The district a point lies in, or None for the open sea and other countries.

    The coast is simplified: a point up to 2 km outside of all districts, such as a pier, counts to
    the nearest. A point on a common border counts to the first by code.
    """
    inside = _index().containing(lon, lat)
    if inside:
        return districts()[min(inside)]
    west, south, east, north = BOUNDS
    margin = 1.1 * SHORE_M / 100_000.0
    if not (west - margin <= lon <= east + margin and south - margin <= lat <= north + margin):
        return None
    distance, nearest = min((_off_shore_m(at, lon, lat), at) for at in range(len(districts())))
    return districts()[nearest] if distance <= SHORE_M else None


def find_place(name: str, district: str | None = None) -> Place | None:
    """The most populous place of a name, ignoring case and accents; None when there is none.

    Args:
        name: the whole name, or its beginning when no whole name fits.
        district: ISO 3166-2 code to look in.
    """
    wanted = _plain(name)
    if not wanted:
        return None
    within = [place for place in places() if district in (None, place.district)]
    exact = [place for place in within if _plain(place.name) == wanted]
    begins = [place for place in within if _plain(place.name).startswith(wanted)]
    return next(iter(exact or begins), None)


def nearest_place(lon: float, lat: float) -> tuple[Place, float]:
    """The nearest populated place and its distance in metres, to say where a point is."""
    distance, at = min(
        (distance_m(lon, lat, place.lon, place.lat), at) for at, place in enumerate(places())
    )
    return places()[at], distance


def away_m(lon: float, lat: float) -> float:
    """Metres to the nearest land of Belize, cayes included; 0 on it. Good to about two kilometres.

    Infinite for what is no position.
    """
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return math.inf
    if _index().containing(lon, lat):
        return 0.0
    return min(_off_shore_m(at, lon, lat) for at in range(len(districts())))


def ground(lon: float, lat: float) -> str | None:
    """``land``, ``shore`` or ``sea``; None where this data cannot tell.

    ``shore`` lies within :data:`SHORE_M` of a simplified coast or border. ``sea`` is what lies
    east of the mainland and west of 86.8° W between the latitudes where no other country does.
    """
    if _index().containing(lon, lat):
        return "land"
    if district_of(lon, lat) is not None:
        return "shore"
    south, north, east = 16.0, 18.15, -86.8
    if not (south <= lat <= north and lon <= east):
        return None
    row = mainland().intersection(shapely.LineString([(-92.0, lat), (east, lat)]))
    return "sea" if not row.is_empty and lon > row.bounds[2] else None


def doubt(lon: float, lat: float) -> str | None:
    """Why a place is hardly meant in a network of this country, as one sentence; None: no doubt."""
    if is_around(lon, lat):
        return None
    far = distance_m(lon, lat, *CENTRE) / 1_000 if abs(lat) <= 90 else math.inf
    said = f"Latitude {lat:g}, longitude {lon:g} is {far:,.0f} km from Belize"
    return said + ("; the two look swapped." if is_around(lat, lon) else ".")


def is_around(lon: float, lat: float) -> bool:
    """Whether a point lies in Belize or within :data:`AROUND_DEGREES` of it."""
    west, south, east, north = BOUNDS
    return (
        west - AROUND_DEGREES <= lon <= east + AROUND_DEGREES
        and south - AROUND_DEGREES <= lat <= north + AROUND_DEGREES
    )


def _plain(text: str) -> str:
    split = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in split if not unicodedata.combining(c)).split())


def _off_shore_m(at: int, lon: float, lat: float) -> float:
    point = shapely.Point(lon, lat)
    near = shapely.shortest_line(districts()[at].shape, point)
    (lon1, lat1), (lon2, lat2) = shapely.get_coordinates(near).tolist()
    metres = distance_m(lon1, lat1, lon2, lat2)
    return metres if math.isfinite(metres) else math.inf


@cache
def _index() -> FenceIndex:
    return FenceIndex(
        Fence(at, district.name, None, district.shape) for at, district in enumerate(districts())
    )


def _load(name: str) -> Any:
    return json.loads(resources.files("geo.data").joinpath(name).read_text(encoding="utf-8"))
