"""When units can be there, on the real coast and on roads made by hand (DOM-NEAR-1 to 3)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from dispatch.recommending import coast, travel
from dispatch.recommending.arrival import DETOUR, Arrival, How, Towards, Ways, fleet
from geo import belize, plane
from geo.road_network import RoadNetwork, Roads

Place = tuple[float, float]
SAN_PEDRO: Place = (-87.961, 17.921)
BEHIND_AMBERGRIS: Place = (-88.03, 17.93)
PLACENCIA: Place = (-88.360, 16.512)
PUNTA_GORDA: Place = (-88.800, 16.100)
BELIZE_CITY: Place = (-88.185, 17.490)
BELMOPAN: Place = (-88.767, 17.251)
OFF_TURNEFFE: Place = (-87.70, 17.30)


def road(*corners: Place, m_s: float = 20.0) -> Roads:
    """One road through these corners, an edge between each two."""
    points = np.array(corners)
    flat = plane.metres(points[:, 0], points[:, 1])
    metres = np.hypot(*(flat[1:] - flat[:-1]).T)
    lines = np.empty(len(metres), np.object_)
    lines[:] = [shapely.LineString(points[n : n + 2]) for n in range(len(metres))]
    number = np.arange(len(corners))
    return Roads(number[:-1], number[1:], metres, metres / m_s, metres / m_s, lines, len(corners))


WESTERN = RoadNetwork(road(BELIZE_CITY, (-88.5, 17.4), BELMOPAN))
WAYS = Ways(WESTERN, coast.sea_chart(), coast.landmasses(), 1.25)


def arrival(kind: str, begin: Place, end: Place, ways: Ways = WAYS) -> Arrival:
    (found,) = Towards(ways, *end).arrivals(fleet([kind], [begin[0]], [begin[1]]))
    return found


def straight(begin: Place, end: Place) -> float:
    return float(plane.straight_m(*begin, *end)[0])


def test_a_car_goes_by_road_and_faster_in_an_emergency() -> None:
    found = arrival("car", BELMOPAN, BELIZE_CITY)
    length = float(WESTERN.roads.metres.sum())
    assert found.how is How.ROAD
    assert found.metres == pytest.approx(length, rel=0.001)
    assert found.seconds == pytest.approx(length / (20.0 * 1.25), rel=0.001)
    assert arrival("truck", BELMOPAN, BELIZE_CITY).seconds > found.seconds


def test_without_roads_a_car_goes_along_the_straight_line_and_that_is_said() -> None:
    for ways in (Ways(), Ways(None, coast.sea_chart(), coast.landmasses())):
        found = arrival("car", BELMOPAN, BELIZE_CITY, ways)
        metres = straight(BELMOPAN, BELIZE_CITY) * DETOUR
        assert (found.how, found.metres) == (How.STRAIGHT, pytest.approx(metres))
        assert found.seconds == pytest.approx(metres / travel.CAR.m_s)


def test_far_from_the_roads_that_are_known_the_straight_line_stands_in() -> None:
    assert arrival("car", (-88.9, 16.3), (-88.85, 16.3)).how is How.STRAIGHT
    assert arrival("car", BELMOPAN, (-88.9, 16.3)).how is How.STRAIGHT


@pytest.mark.parametrize(
    ("begin", "end", "why"),
    [
        (BELIZE_CITY, OFF_TURNEFFE, How.OVER_WATER),
        (BELIZE_CITY, SAN_PEDRO, How.OTHER_ISLAND),
        (SAN_PEDRO, BELMOPAN, How.OTHER_ISLAND),
    ],
)
def test_a_car_does_not_drive_over_water(begin: Place, end: Place, why: How) -> None:
    for kind in ("car", "foot"):
        found = arrival(kind, begin, end)
        assert (found.how, found.seconds) == (why, math.inf)
        assert not found.how.comes


def test_roads_that_nowhere_meet_are_told() -> None:
    both = road(BELIZE_CITY, (-88.4, 17.4))
    other = road((-88.6, 17.3), BELMOPAN)
    apart = Roads(
        *(np.concatenate(pair) for pair in (
            (both.source, other.source + 2), (both.target, other.target + 2),
            (both.metres, other.metres), (both.forward_s, other.forward_s),
            (both.backward_s, other.backward_s), (both.lines, other.lines),
        )),
        nodes=4,
    )  # fmt: skip
    found = arrival("car", BELMOPAN, BELIZE_CITY, Ways(RoadNetwork(apart)))
    assert found.how is How.NO_ROAD_LEADS


def test_a_boat_goes_around_ambergris_and_not_over_it() -> None:
    found = arrival("boat", SAN_PEDRO, BEHIND_AMBERGRIS)
    assert (found.how, found.around) == (How.SEA, True)
    assert found.metres > 2 * straight(SAN_PEDRO, BEHIND_AMBERGRIS)
    chart = coast.sea_chart()
    towards = chart.towards(*BEHIND_AMBERGRIS)
    assert towards is not None
    course = shapely.LineString(towards.course(chart.locate(*SAN_PEDRO), 0))
    assert not course.crosses(coast.land().buffer(-0.0003))


def test_from_placencia_to_punta_gorda_is_some_forty_miles_by_sea() -> None:
    found = arrival("boat", PLACENCIA, PUNTA_GORDA)
    assert found.how is How.SEA
    assert 35 < found.metres / 1852 < 42
    assert found.seconds == pytest.approx(found.metres / (25 * travel.KNOT), rel=0.15)


@pytest.mark.parametrize("place", [BELMOPAN, (-95.0, 10.0)], ids=["inland", "Pacific"])
def test_where_no_boat_comes_is_said(place: Place) -> None:
    assert arrival("boat", BELIZE_CITY, place).how is How.NO_WATER_THERE


def test_a_boat_that_is_on_a_trailer_inland_does_not_come() -> None:
    found = arrival("boat", BELMOPAN, OFF_TURNEFFE)
    assert (found.how, found.seconds) == (How.NO_WATER_LEADS, math.inf)


def test_an_aircraft_flies_straight_and_who_walks_is_slow() -> None:
    found = arrival("aircraft", BELMOPAN, OFF_TURNEFFE)
    assert (found.how, found.metres) == (How.AIR, pytest.approx(straight(BELMOPAN, OFF_TURNEFFE)))
    walk = arrival("foot", (-88.77, 17.25), (-88.76, 17.25))
    assert (walk.how, walk.seconds) == (How.FOOT, pytest.approx(walk.metres * 3.6 / 5))


def test_without_a_chart_a_boat_goes_along_the_straight_line() -> None:
    found = arrival("boat", SAN_PEDRO, BELIZE_CITY, Ways())
    assert found.metres == pytest.approx(DETOUR * straight(SAN_PEDRO, BELIZE_CITY))


def test_every_kind_of_the_demonstration_travels_in_its_own_way() -> None:
    assert travel.of_kind("something new") == travel.CAR
    assert all(way.m_s > 0 and 0 < way.pace <= 1 for way in travel.KINDS.values())


def test_a_limit_of_time_leaves_the_same_times_or_none() -> None:
    """What was not found within a time is later than it (DOM-NEAR-2)."""
    places = [(place.lon, place.lat) for place in belize.places()[:60]]
    kinds = ["car", "boat", "foot", "aircraft", "truck", "vessel"] * 10
    lons, lats = zip(*places, strict=True)
    units = fleet(kinds, lons, lats)
    for end in (BELIZE_CITY, BELMOPAN, SAN_PEDRO, OFF_TURNEFFE, PLACENCIA):
        whole = Towards(WAYS, *end).times(units).seconds
        for within in (300.0, 1_800.0, 7_200.0):
            part = Towards(WAYS, *end, within).times(units).seconds
            wanted = np.where(whole <= within, whole, np.inf)
            assert part == pytest.approx(wanted)
