"""Which land points lie on."""

from __future__ import annotations

import math

import shapely

from geo.landmasses import ON_WATER, SHORE_DEGREES, UNKNOWN, Landmasses

CAYE = shapely.box(-88.0, 17.9, -87.95, 18.0)
MAINLAND = shapely.box(-89.0, 17.0, -88.2, 18.5)
LAND = Landmasses(shapely.MultiPolygon([CAYE, MAINLAND]))


def test_the_largest_is_the_first_and_islands_have_numbers_of_their_own() -> None:
    assert LAND.of([-88.5, -87.97], [17.5, 17.95]).tolist() == [0, 1]


def test_the_open_sea_is_water_and_a_pier_is_land() -> None:
    pier = -88.2 + 0.5 * SHORE_DEGREES
    assert LAND.of([-88.1, pier], [17.5, 17.5]).tolist() == [ON_WATER, 0]


def test_beyond_what_is_known_nothing_is_said() -> None:
    assert LAND.of([-95.0, math.nan], [10.0, 17.5]).tolist() == [UNKNOWN, UNKNOWN]
