"""How many people live in an area of Belize: an estimate, good to a tenth at best. Pure.

The census of 2022 counted 397,483 people in households (Statistical Institute of Belize, press
release of 8 April 2024, https://sib.org.bz/press-release_census-launch). Its figures for each
settlement are not free to be had here; so the total is shared out over the settlements of GeoNames
(:func:`geo.belize.places`), whose figures of differing years come to nearly as many. A settlement
is taken as a disc of so many people a square kilometre, and counts by how much of it lies inside.
Who lives away from every settlement is counted in the nearest, by the share.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geo import belize

CENSUS_YEAR: Final = 2022
CENSUS: Final = 397_483
"""People in households, all of Belize."""
PER_KM2: Final = 2_000.0
"""As dense a settlement is taken to be; Belize City has some 65,000 people on some 35 km²."""
_KM_PER_DEGREE: Final = 111.2


def inside(area: BaseGeometry) -> int:
    """People in an area (degrees, longitude first), rounded to two digits, as it is no count."""
    discs, people = _settlements()
    tree = shapely.STRtree(discs)
    found = 0.0
    for at in tree.query(area, predicate="intersects"):
        share = shapely.area(shapely.intersection(discs[at], area)) / discs[at].area
        found += people[at] * share
    return _rounded(found)


@cache
def _settlements() -> tuple[list[shapely.Polygon], list[float]]:
    """Discs, and the people in each."""
    places = [each for each in belize.places() if each.population > 0]
    scale = CENSUS / sum(each.population for each in places)
    discs: list[shapely.Polygon] = []
    for each in places:
        degrees = math.sqrt(each.population / PER_KM2 / math.pi) / _KM_PER_DEGREE
        discs.append(shapely.Point(each.lon, each.lat).buffer(degrees))
    return discs, [each.population * scale for each in places]


def _rounded(people: float) -> int:
    whole = round(people)
    return round(whole, 2 - len(str(whole)))
