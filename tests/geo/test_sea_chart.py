"""Ways by sea: around an island drawn by hand, and around any land without crossing it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import plane
from geo.sea_chart import AROUND, ASHORE_M, DETOUR, SLACK, SeaChart

WATERS = (-88.2, 17.0, -87.8, 17.4)
ISLAND = shapely.box(-88.01, 17.1, -87.99, 17.3)
"""A long island, 2 km wide and 22 km long."""
POND = shapely.box(-88.17, 17.32, -88.11, 17.38)
CHART = SeaChart(
    shapely.MultiPolygon([ISLAND, POND - shapely.box(-88.16, 17.33, -88.12, 17.37)]), WATERS, 0.01
)


def metres(chart: SeaChart, begin: tuple[float, float], end: tuple[float, float]) -> float:
    towards = chart.towards(*end)
    assert towards is not None
    found, _ = towards.metres(chart.locate(*begin))
    return float(found[0])


def test_a_boat_on_the_other_side_of_an_island_goes_around_it() -> None:
    west, east = (-88.03, 17.2), (-87.97, 17.2)
    towards = CHART.towards(*east)
    assert towards is not None
    at = CHART.locate(*west)
    found, around = towards.metres(at)
    assert around.tolist() == [True]
    # Past a corner it has 11 km up, 11 km down, and the width of the island between.
    assert 22_000 < found[0] < 27_000
    course = shapely.LineString(towards.course(at, 0))
    assert not course.intersects(ISLAND.buffer(-SLACK))


def test_in_sight_a_boat_goes_straight() -> None:
    found = metres(CHART, (-88.03, 17.05), (-87.97, 17.08))
    straight = plane.straight_m(-88.03, 17.05, -87.97, 17.08)[0]
    assert found == pytest.approx(straight, rel=0.01)


def test_a_place_on_the_shore_is_reached_and_the_walk_is_told() -> None:
    towards = CHART.towards(-88.007, 17.2)
    assert towards is not None
    assert towards.ashore_m == pytest.approx(0.003 * 106_400, rel=0.02)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(-95.0, 10.0), (-88.14, 17.35), (-87.7, 17.2)],
    ids=["in the Pacific", "in a pond", "beyond the waters that are known"],
)
def test_where_no_boat_comes_there_is_no_distance(lon: float, lat: float) -> None:
    assert CHART.towards(lon, lat) is None


def test_deep_inland_there_is_no_distance() -> None:
    wide = SeaChart(shapely.box(-88.15, 17.0, -87.95, 17.3), WATERS, 0.01)
    assert ASHORE_M < 0.05 * 106_000
    assert wide.towards(-88.05, 17.1) is None
    towards = wide.towards(-87.9, 17.2)
    assert towards is not None
    boats, _ = towards.metres(wide.locate([-88.05, -87.92, -89.9], [17.1, 17.2, 17.2]))
    assert [math.isfinite(each) for each in boats] == [False, True, False]


def test_with_land_everywhere_or_nowhere_it_still_answers() -> None:
    land = SeaChart(shapely.box(-90, 16, -87, 19), WATERS, 0.05)
    assert land.towards(-88.0, 17.2) is None
    assert math.isinf(land.locate([-88.0], [17.2]).ashore_m[0])
    sea = SeaChart(shapely.box(-70, 16, -69, 17), WATERS, 0.05)
    assert math.isfinite(metres(sea, (-88.1, 17.1), (-87.9, 17.3)))


SPOTS = st.tuples(st.floats(-88.19, -87.81), st.floats(17.01, 17.39))


@given(
    SPOTS, SPOTS, st.tuples(st.floats(-88.1, -87.9), st.floats(17.1, 17.3)), st.floats(0.01, 0.06)
)
def test_no_way_crosses_land_and_none_is_shorter_than_the_straight_line(
    begin: tuple[float, float],
    end: tuple[float, float],
    middle: tuple[float, float],
    size: float,
) -> None:
    land = shapely.Point(*middle).buffer(size, quad_segs=3)
    chart = SeaChart(land, WATERS, 0.02)
    towards, at = chart.towards(*end), chart.locate(*begin)
    if towards is None or not (at.node[0] >= 0).any():
        return
    found, around = towards.metres(at)
    straight = math.hypot(*(plane.metres(*at.afloat[0]) - plane.metres(*end))[0])
    if towards.ashore_m == 0:
        assert found[0] >= straight * (1 - 1e-9)
    core = land.buffer(-SLACK, quad_segs=1, join_style="mitre")
    direct = shapely.LineString([at.afloat[0], end])
    if around[0] or direct.intersects(core):
        course = shapely.LineString(towards.course(at, 0))
        assert course.buffer(0).intersection(core).area == 0
        assert not course.crosses(core.buffer(-1e-6))
    else:
        grid = DETOUR * straight + 4 * 0.02 * 120_000
        assert found[0] <= max(grid, AROUND * straight)


def test_many_are_told_as_each_alone() -> None:
    towards = CHART.towards(-87.97, 17.2)
    assert towards is not None
    lons, lats = np.linspace(-88.19, -87.81, 40), np.linspace(17.39, 17.01, 40)
    together, _ = towards.metres(CHART.locate(lons, lats))
    alone = [metres(CHART, (lon, lat), (-87.97, 17.2)) for lon, lat in zip(lons, lats, strict=True)]
    assert together.tolist() == pytest.approx(alone)
