"""Fleets: repeatable, plausible in speed and place, and nothing measured in a dead spot is lost."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest
import shapely
from shapely import LineString, Point, STRtree

from geo import belize
from geo.coordinates import distance_m
from geo.recordings import Fix
from simulators import fleet as fleets
from simulators import roads
from simulators.fleet import KINDS, Fleet, Report

START = 1_780_315_200.0
UNITS = 120
STEPS = 900

AGENCIES = {"BPD", "BDF", "BCG", "CED", "INS", "NEMO"}


def drive(fleet: Fleet, steps: int, dt: float = 1.0) -> list[list[Report]]:
    return [fleet.step(START + (n + 1) * dt, dt) for n in range(steps)]


@pytest.fixture(scope="module")
def quarter_of_an_hour() -> tuple[Fleet, list[list[Report]]]:
    fleet = Fleet(7, UNITS)
    return fleet, drive(fleet, STEPS)


def test_every_agency_is_there_from_six_units_on() -> None:
    assert {unit.agency_code for unit in Fleet(1, 6).units} == AGENCIES
    many = Fleet(1, 1000).units
    shares = Counter(unit.agency_code for unit in many)
    assert {a: n / 1000 for a, n in shares.items()} == pytest.approx(
        {agency: share for agency, (share, _) in fleets.MIX.items()}, abs=0.005
    )
    assert {unit.kind for unit in many} == set(KINDS)
    assert len({unit.callsign for unit in many}) == 1000
    assert [unit.index for unit in many] == list(range(1000))


def test_shares_are_whole() -> None:
    assert sum(share for share, _ in fleets.MIX.values()) == pytest.approx(1.0)
    for _, kinds in fleets.MIX.values():
        assert sum(kinds.values()) == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_movements_and_another_does_not() -> None:
    one, two = Fleet(3, 40), Fleet(3, 40)
    first = drive(one, 50)
    assert first == drive(two, 50)
    assert first != drive(Fleet(4, 40), 50)


def test_a_unit_does_the_same_in_a_larger_fleet() -> None:
    small, large = Fleet(3, 10), Fleet(3, 60)
    assert [r[:10] for r in drive(large, 30)] == drive(small, 30)


def test_movements_are_the_same_on_every_machine() -> None:
    """The digest of a minute; change it only together with the model."""
    digest = hashlib.sha256(repr(drive(Fleet(11, 60), 60)).encode()).hexdigest()
    assert digest[:16] == "e27f19c7766a9dca"


def test_reports_come_in_the_order_of_units_with_the_time_given(
    quarter_of_an_hour: tuple[Fleet, list[list[Report]]],
) -> None:
    _, history = quarter_of_an_hour
    for n, reports in enumerate(history):
        assert [report.unit_index for report in reports] == list(range(UNITS))
        for report in reports:
            fix = report.fix
            assert fix.time == START + n + 1
            assert 1 <= report.battery <= 100
            assert fix.heading is None or 0 <= fix.heading < 360
            assert belize.BOUNDS[0] < fix.lon < belize.BOUNDS[2]
            assert belize.BOUNDS[1] < fix.lat < belize.BOUNDS[3]


def test_speeds_fit_the_kind_and_the_distances(
    quarter_of_an_hour: tuple[Fleet, list[list[Report]]],
) -> None:
    fleet, history = quarter_of_an_hour
    moved = Counter[str]()
    for unit in fleet.units:
        fixes = [reports[unit.index].fix for reports in history]
        speeds = [fix.speed or 0.0 for fix in fixes]
        can = KINDS[unit.kind]
        assert max(speeds) < can.fastest + 1.0
        # Noise of the speed itself comes on top of braking and speeding up.
        assert all(b - a < can.speeds_up + 1.5 for a, b in pairwise(speeds))
        assert all(a - b < can.brakes + 1.5 for a, b in pairwise(speeds))
        # Over a minute the distance covered is no longer than the speeds reported allow.
        for n in range(0, STEPS - 60, 60):
            a, b = fixes[n], fixes[n + 60]
            straight = distance_m(a.lon, a.lat, b.lon, b.lat)
            assert straight < sum(speeds[n : n + 61]) + 8 * can.error + 300.0
        moved[unit.kind] += sum(speeds) > 100.0
    # Of each kind most go somewhere within a quarter of an hour.
    kinds = Counter(unit.kind for unit in fleet.units)
    assert sum(moved.values()) > 0.6 * UNITS
    assert moved["car"] > 0.5 * kinds["car"]
    assert moved["boat"] > 0.4 * kinds["boat"]


def lines(network: roads.Network) -> STRtree:
    return STRtree([LineString(edge.points) for edge in network.edges[::2]])


def off_the_line_m(tree: STRtree, fix: Fix) -> float:
    point = Point(fix.lon, fix.lat)
    nearest = tree.geometries[tree.nearest(point)]
    (lon1, lat1), (lon2, lat2) = shapely.get_coordinates(shapely.shortest_line(nearest, point))
    return distance_m(lon1, lat1, lon2, lat2)


def test_cars_stay_near_roads_and_boats_off_the_mainland(
    quarter_of_an_hour: tuple[Fleet, list[list[Report]]],
) -> None:
    fleet, history = quarter_of_an_hour
    land, sea = lines(roads.roads()), lines(roads.sea_lanes())
    mainland = belize.mainland()
    shapely.prepare(mainland)
    checked = Counter[str]()
    for reports in history[::30]:
        for unit in fleet.units:
            fix = reports[unit.index].fix
            if unit.kind == "aircraft":
                continue
            tree = sea if unit.kind == "boat" else land
            assert off_the_line_m(tree, fix) < 180.0  # an outlier of the receiver at most
            if unit.kind == "boat":
                assert not mainland.covers(Point(fix.lon, fix.lat))
            checked[unit.kind] += 1
    assert min(checked[kind] for kind in ("car", "boat", "foot", "truck")) > 100


def test_the_error_of_a_receiver_is_a_few_metres_and_now_and_then_a_jump() -> None:
    fleet = Fleet(5, 60, dead_spots=False)
    parked: dict[int, list[Fix]] = defaultdict(list)
    for reports in drive(fleet, 600):
        for report in reports:
            if report.fix.speed == 0.0:
                parked[report.unit_index].append(report.fix)
    jumps = [
        distance_m(a.lon, a.lat, b.lon, b.lat)
        for fixes in parked.values()
        for a, b in pairwise(fixes)
        if b.time - a.time == 1.0
    ]
    assert len(jumps) > 3000
    jumps.sort()
    assert 0.1 < jumps[len(jumps) // 2] < 3.0
    assert any(30.0 < jump < 170.0 for jump in jumps)
    assert sum(jump > 30.0 for jump in jumps) < len(jumps) / 500


def test_a_dead_spot_loses_nothing_and_comes_as_one_batch() -> None:
    fleet = Fleet(9, 150)
    measured: dict[int, list[float]] = defaultdict(list)
    delivered: dict[int, list[float]] = defaultdict(list)
    returns = 0
    for n, reports in enumerate(drive(fleet, 1500, dt=2.0)):
        for report in reports:
            measured[report.unit_index].append(START + (n + 1) * 2.0)
            assert report.came_back == bool(report.backlog)
            if not report.online:
                assert report.backlog == ()
                continue
            delivered[report.unit_index] += [fix.time for fix in report.backlog]
            delivered[report.unit_index].append(report.fix.time)
            returns += report.came_back
    assert returns > 20
    for index, times in delivered.items():
        assert times == measured[index][: len(times)]
    # Whoever is missing some is still offline now.
    last = fleet.step(START + 3002.0, 2.0)
    for report in last:
        waiting = len(measured[report.unit_index]) - len(delivered[report.unit_index])
        if report.online:
            assert len(report.backlog) == waiting


def test_long_silence_thins_the_backlog_and_keeps_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "MAX_BACKLOG", 40)
    fleet = Fleet(1, 1)
    mover: Any = fleet._movers[0]
    mover._outage = 100.5
    history = drive(fleet, 160)
    offline = [reports[0].online for reports in history].count(False)
    assert offline >= 100
    back = next(reports[0] for reports in history if reports[0].came_back)
    times = [fix.time for fix in back.backlog]
    assert 20 <= len(times) <= 40
    assert times == sorted(times)
    assert back.fix.time - times[-1] == 1.0


def test_without_dead_spots_everybody_is_always_online() -> None:
    for reports in drive(Fleet(9, 80, dead_spots=False), 200, dt=5.0):
        assert all(report.online and not report.backlog for report in reports)


def test_batteries_drain_and_are_charged() -> None:
    fleet = Fleet(2, 60)
    levels = [[report.battery for report in reports] for reports in drive(fleet, 500, dt=120.0)]
    charged = 0
    for unit in fleet.units:
        own = [row[unit.index] for row in levels]
        assert 1 <= min(own) <= max(own) <= 100
        if unit.kind == "foot":
            assert sum(b < a for a, b in pairwise(own)) > 20
            low = next((at for at, level in enumerate(own) if level < 25), len(own))
            charged += any(level >= 95 for level in own[low:])
    assert charged > 3


def test_a_long_step_is_cut_into_pieces() -> None:
    fleet = Fleet(6, 30)
    tree = lines(roads.roads())
    for reports in drive(fleet, 5, dt=900.0):
        for unit, report in zip(fleet.units, reports, strict=True):
            if unit.kind in ("car", "truck"):
                assert off_the_line_m(tree, report.fix) < 180.0


def test_no_time_passes_in_a_step_of_nothing() -> None:
    fleet = Fleet(6, 30, dead_spots=False)
    first, second = fleet.step(START, 0.0), fleet.step(START, 0.0)
    for a, b in zip(first, second, strict=True):
        assert distance_m(a.fix.lon, a.fix.lat, b.fix.lon, b.fix.lat) < 160.0
        assert a.battery == b.battery


@pytest.mark.parametrize("dt", [-1.0, math.nan, math.inf])
def test_steps_without_sense_are_refused(dt: float) -> None:
    with pytest.raises(ValueError, match="step"):
        Fleet(1, 1).step(START, dt)


def test_a_fleet_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Fleet(1, 0)
