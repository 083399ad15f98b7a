"""Positions on the earth: checks, integers for the wire, distances, bearings and the national grid.

All positions are WGS84 (EPSG:4326) longitude and latitude in decimal degrees, in that order unless
a name says otherwise. Distances are metres, bearings are degrees clockwise from true north in
0 <= bearing < 360.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

from pyproj import Geod, Transformer

E7: Final = 10_000_000
"""Wire integers per degree: 1e-7 degrees are about 11 mm on the ground."""

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean earth radius R1 of WGS84 in metres (2a + b) / 3, used by the fast spherical formulas."""

UTM_16N: Final = "EPSG:32616"
"""The grid Belize uses: WGS84 / UTM zone 16N, easting and northing in metres."""

_RADIANS: Final = math.pi / 180.0
_WGS84: Final = Geod(ellps="WGS84")


class CoordinateError(ValueError):
    """A value that is no position on the earth.

    Attributes:
        code: stable, for programs: ``position.not_a_number``, ``position.latitude_range``,
            ``position.longitude_range`` or ``position.outside_grid``.
        text: one plain sentence, for people.
        todo: what to do about it.
    """

    def __init__(self, code: str, text: str, todo: str) -> None:
        super().__init__(f"{text} {todo}")
        self.code = code
        self.text = text
        self.todo = todo


def check(lon: float, lat: float) -> None:
    """Raise :class:`CoordinateError` unless longitude and latitude (degrees) are on the earth."""
    # Written so that NaN, for which every comparison is false, takes the slow path as well.
    if -180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0:
        return
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise CoordinateError(
            "position.not_a_number",
            "The position is not a number.",
            "Send longitude and latitude as finite decimal degrees.",
        )
    if not -90.0 <= lat <= 90.0:
        raise CoordinateError(
            "position.latitude_range",
            f"Latitude {lat:g} lies outside -90 to 90 degrees.",
            "Check that latitude and longitude were not exchanged.",
        )
    raise CoordinateError(
        "position.longitude_range",
        f"Longitude {lon:g} lies outside -180 to 180 degrees.",
        "Write western longitudes as negative degrees.",
    )


def is_position(lon: float, lat: float) -> bool:
    """Whether longitude and latitude (degrees) are on the earth; never raises."""
    return -180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0


def to_e7(degrees: float) -> int:
    """Degrees as the integer the wire carries, rounded to the nearest 1e-7 degree.

    Raises:
        CoordinateError: for NaN and infinity. The range is not looked at: use :func:`check`.
    """
    if not math.isfinite(degrees):
        raise CoordinateError(
            "position.not_a_number",
            "The position is not a number.",
            "Send longitude and latitude as finite decimal degrees.",
        )
    return round(degrees * E7)


def from_e7(value: int) -> float:
    """Degrees of a wire integer; ``to_e7(from_e7(n)) == n`` for every n on the earth."""
    return value / E7


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Great-circle distance in metres on a sphere (haversine).

    Within 0.6 % of :func:`geodesic_m` everywhere, and about 0.3 % in Belize; an order of magnitude
    faster, so the live picture uses it. Arguments are not checked.
    """
    phi1 = lat1 * _RADIANS
    phi2 = lat2 * _RADIANS
    sin_lat = math.sin((phi2 - phi1) * 0.5)
    sin_lon = math.sin((lon2 - lon1) * _RADIANS * 0.5)
    h = sin_lat * sin_lat + math.cos(phi1) * math.cos(phi2) * sin_lon * sin_lon
    # Rounding can lift h a hair above 1 for exact antipodes.
    return 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(h) if h < 1.0 else 1.0)


def geodesic_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Exact shortest distance in metres on the WGS84 ellipsoid (Karney's algorithm, in PROJ)."""
    return float(_WGS84.inv(lon1, lat1, lon2, lat2)[2])


def bearing_deg(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Initial bearing in degrees from the first point to the second, on a sphere.

    0 for two equal points, because a bearing has to be some number.
    """
    phi1 = lat1 * _RADIANS
    phi2 = lat2 * _RADIANS
    dlon = (lon2 - lon1) * _RADIANS
    y = math.sin(dlon) * math.cos(phi2)
    x = math.cos(phi1) * math.sin(phi2) - math.sin(phi1) * math.cos(phi2) * math.cos(dlon)
    degrees = math.atan2(y, x) / _RADIANS % 360.0
    # A tiny negative angle modulo 360 rounds up to exactly 360.
    return degrees if degrees < 360.0 else 0.0


def destination(lon: float, lat: float, bearing: float, metres: float) -> tuple[float, float]:
    """The point (lon, lat) reached by going ``metres`` along ``bearing`` on the ellipsoid."""
    lon2, lat2, _ = _WGS84.fwd(lon, lat, bearing, metres)
    return float(lon2), float(lat2)


def to_utm(lon: float, lat: float) -> tuple[float, float]:
    """Easting and northing in metres in UTM zone 16N (EPSG:32616).

    Raises:
        CoordinateError: ``position.outside_grid`` where the projection has no meaning.
    """
    check(lon, lat)
    easting, northing = transformer("EPSG:4326", UTM_16N).transform(lon, lat)
    return _on_grid(easting, northing)


def from_utm(
    easting: float, northing: float, zone: int = 16, south: bool = False
) -> tuple[float, float]:
    """Longitude and latitude in degrees of a point of a UTM zone (EPSG:326zz, 327zz in the south).

    Raises:
        CoordinateError: ``position.outside_grid`` where the projection has no meaning.
    """
    code = f"EPSG:{327 if south else 326}{zone:02d}"
    lon, lat = transformer(code, "EPSG:4326").transform(easting, northing)
    return _on_grid(lon, lat)


def degrees_minutes(lon: float, lat: float) -> str:
    """As read over the radio and on charts: ``17°29.971'N 088°11.854'W`` (lat first).

    Three decimals of a minute are about 1.9 m.

    Raises:
        CoordinateError: when the position is not on the earth.
    """
    check(lon, lat)
    return f"{_part(lat, 2, 'NS')} {_part(lon, 3, 'EW')}"


def degrees_minutes_seconds(lon: float, lat: float) -> str:
    """As on maps: ``17°29'58.27"N 088°11'51.22"W`` (lat first); the last digit is about 0.3 m.

    Raises:
        CoordinateError: when the position is not on the earth.
    """
    check(lon, lat)
    return f"{_seconds(lat, 2, 'NS')} {_seconds(lon, 3, 'EW')}"


def _seconds(degrees: float, width: int, letters: str) -> str:
    hundredths = round(abs(degrees) * 360_000)
    minutes, rest = divmod(hundredths, 6_000)
    letter = letters[1] if degrees < 0 and hundredths else letters[0]
    return f"{minutes // 60:0{width}d}°{minutes % 60:02d}'{rest / 100:05.2f}\"{letter}"


def _part(degrees: float, width: int, letters: str) -> str:
    # Round first, so that 59.9996 minutes become the next degree and never "60.000".
    thousandths = round(abs(degrees) * 60_000)
    whole, rest = divmod(thousandths, 60_000)
    letter = letters[1] if degrees < 0 and thousandths else letters[0]
    return f"{whole:0{width}d}°{rest / 1000:06.3f}'{letter}"


def _on_grid(x: float, y: float) -> tuple[float, float]:
    if math.isfinite(x) and math.isfinite(y):
        return float(x), float(y)
    raise CoordinateError(
        "position.outside_grid",
        "The point lies outside what a UTM zone can show.",
        "Use longitude and latitude for points far from Belize.",
    )


@cache
def transformer(source: str, target: str) -> Transformer:
    """From one reference system to another (``EPSG:4326``, :data:`UTM_16N`); x before y in both."""
    # Building one takes tens of milliseconds; always_xy keeps longitude before latitude.
    return Transformer.from_crs(source, target, always_xy=True)
