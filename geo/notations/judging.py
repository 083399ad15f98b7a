"""Whether a position is one that a dispatcher in Belize can mean. Nothing is changed, only said."""

from __future__ import annotations

import itertools
from typing import Final

from geo import belize
from geo.coordinates import is_position
from geo.notations.model import Position

MOST_MEANT: Final = 3


def judged(found: Position, slips: bool = True) -> Position:
    """The position with the doubt that it deserves.

    Args:
        found: as read.
        slips: whether a sign may have been lost, or latitude and longitude swapped.
    """
    if found.lon == 0 and found.lat == 0:
        said = "Latitude 0, longitude 0 is what a receiver writes that has no position."
        return found._replace(doubt=said)
    away = belize.away_m(found.lon, found.lat)
    if away <= belize.TERRITORIAL_SEA_M:
        return found
    meant = tuple(_slips(found)) if slips else ()
    said = f"{decimal(found.lon, found.lat)} is {away / 1000:,.0f} km from Belize"
    said += f"; did you mean {decimal(meant[0].lon, meant[0].lat)}?" if meant else "."
    return found._replace(doubt=said, meant=meant[:MOST_MEANT])


def doubt(lon: float, lat: float) -> str | None:
    """Why a point (degrees) is hardly meant in Belize, as one sentence; None: no doubt."""
    return judged(Position(lon, lat, 1.0, "degrees", "")).doubt


def decimal(lon: float, lat: float) -> str:
    """As people read it, without signs: ``17.49952°N 88.19756°W``."""
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return f"{abs(lat):.5f}°{north} {abs(lon):.5f}°{east}"


def _slips(found: Position) -> list[Position]:
    """Places in Belize that differ by a lost sign, by the order, or by both."""
    pairs = ((found.lon, found.lat), (found.lat, found.lon))
    near: dict[tuple[float, float], Position] = {}
    for order, (lon, lat) in enumerate(pairs):
        for x, y in itertools.product((lon, -lon), (lat, -lat)):
            if is_position(x, y) and belize.away_m(x, y) <= belize.TERRITORIAL_SEA_M:
                slips = ["latitude and longitude swapped"] * order
                slips += ["another sign"] * ((x, y) != (lon, lat))
                said = f"{found.said}, with {' and '.join(slips)}"
                near.setdefault((x, y), found._replace(lon=x, lat=y, said=said))
    return list(near.values())
