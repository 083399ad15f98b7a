"""Times over roads: a small network counted by hand, and any network against a search by hand."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import plane
from geo.road_network import OFF_ROAD_M, OFF_ROAD_M_S, RoadNetwork, Roads

Edge = tuple[int, int, float, float]
"""From, to, seconds forward, seconds backward."""

#   3
#   |   (one way, up)
# 0-1-2          4-5 (an island)
NODES = [(-88.5, 17.2), (-88.4, 17.2), (-88.3, 17.2), (-88.4, 17.3), (-88.0, 17.9), (-87.9, 17.9)]


def network(nodes: list[tuple[float, float]], edges: list[Edge]) -> RoadNetwork:
    lines = [shapely.LineString([nodes[a], nodes[b]]) for a, b, _, _ in edges]
    ends = np.array([[a, b] for a, b, _, _ in edges], np.int64).reshape(-1, 2)
    points = plane.metres(*np.array(nodes).T) if nodes else np.zeros((0, 2))
    metres = np.hypot(*(points[ends[:, 0]] - points[ends[:, 1]]).T)
    seconds = np.array([each[2:] for each in edges], np.float64).reshape(-1, 2)
    array = np.empty(len(lines), np.object_)
    array[:] = lines
    return RoadNetwork(
        Roads(ends[:, 0], ends[:, 1], metres, seconds[:, 0], seconds[:, 1], array, len(nodes))
    )


SMALL = network(NODES, [(0, 1, 100, 100), (1, 2, 200, 300), (1, 3, 50, math.inf), (4, 5, 60, 60)])


def seconds_to(place: tuple[float, float], *units: tuple[float, float]) -> list[float]:
    towards = SMALL.towards(*place)
    assert towards is not None
    lons, lats = zip(*units, strict=True)
    return [float(each) for each in towards.seconds(SMALL.nearest(lons, lats))]


def test_seconds_follow_the_direction_of_travel() -> None:
    assert seconds_to((-88.3, 17.2), (-88.5, 17.2)) == pytest.approx([300], abs=0.1)
    assert seconds_to((-88.5, 17.2), (-88.3, 17.2)) == pytest.approx([400], abs=0.1)


def test_a_one_way_road_is_not_driven_against() -> None:
    up, down = seconds_to((-88.4, 17.3), (-88.5, 17.2)), seconds_to((-88.5, 17.2), (-88.4, 17.3))
    assert up == pytest.approx([150], abs=0.1)
    assert down == [math.inf]


def test_a_unit_in_the_middle_of_a_long_road_starts_there() -> None:
    assert seconds_to((-88.3, 17.2), (-88.45, 17.2)) == pytest.approx([250], abs=0.1)


def test_two_on_the_same_road_do_not_go_around_by_its_ends() -> None:
    ahead = seconds_to((-88.33, 17.2), (-88.37, 17.2))
    behind = seconds_to((-88.37, 17.2), (-88.33, 17.2))
    assert (ahead[0], behind[0]) == (pytest.approx(80, abs=0.1), pytest.approx(120, abs=0.1))


def test_the_part_off_the_road_is_slow_and_counted_for_both() -> None:
    away = 1_000 / 110_670
    on, off = seconds_to((-88.3, 17.2), (-88.5, 17.2), (-88.5, 17.2 - away))
    assert off - on == pytest.approx(1_000 / OFF_ROAD_M_S, abs=1)
    (both,) = seconds_to((-88.3, 17.2 + away), (-88.5, 17.2))
    assert both == pytest.approx(off, abs=1)


def test_who_is_far_from_every_road_has_no_time() -> None:
    away = 1.05 * OFF_ROAD_M / 110_670
    assert seconds_to((-88.3, 17.2), (-88.5, 17.2 - away)) == [math.inf]
    assert SMALL.towards(-88.3, 17.2 - away) is None


def test_roads_that_nowhere_meet_are_said_to_be_severed() -> None:
    towards = SMALL.towards(-88.3, 17.2)
    assert towards is not None
    at = SMALL.nearest([-87.95, -88.5, -89.0], [17.9, 17.2, 16.0])
    assert towards.severed(at).tolist() == [True, False, False]
    assert towards.seconds(at)[0] == math.inf


def test_a_short_piece_that_hangs_together_with_nothing_is_nobodys_nearest_road() -> None:
    nodes = [*NODES, (-88.5, 17.201), (-88.499, 17.201)]
    crooked = network(nodes, [(0, 1, 100, 100), (6, 7, 5, 5)])
    assert crooked.nearest(-88.4995, 17.2011).edge.tolist() == [0]


def test_metres_are_those_of_the_quickest_way() -> None:
    towards = SMALL.towards(-88.3, 17.2)
    assert towards is not None
    at = SMALL.nearest([-88.5, -88.35, -88.4], [17.2, 17.2, 17.29])
    metres = towards.metres(at)
    assert metres[:2] == pytest.approx([21_280, 5_320], rel=0.01)
    assert metres[2] == math.inf


def test_what_takes_much_longer_than_asked_for_reads_as_infinite() -> None:
    towards = SMALL.towards(-88.3, 17.2, within_s=150.0)
    assert towards is not None
    near, far = towards.seconds(SMALL.nearest([-88.35, -88.5], [17.2, 17.2]))
    assert near == pytest.approx(100, abs=0.1) and far == math.inf


def test_a_network_without_roads_answers_nothing() -> None:
    empty = network([], [])
    assert empty.towards(-88.3, 17.2) is None
    assert empty.nearest([-88.3], [17.2]).edge.tolist() == [-1]


GRID = [(-88.5 + 0.02 * (n % 4), 17.2 + 0.02 * (n // 4)) for n in range(12)]
PAIRS = [
    (a, b)
    for a in range(12)
    for b in range(a + 1, 12)
    if b - a in (1, 4) and (a % 4, b % 4) != (3, 0)
]
COSTS = st.one_of(st.just(math.inf), st.integers(1, 500).map(float))


@given(
    st.lists(st.tuples(st.sampled_from(PAIRS), COSTS, COSTS), min_size=4, max_size=30),
    st.integers(0, 11),
    st.integers(0, 11),
)
def test_times_are_those_of_a_search_by_hand(
    drawn: list[tuple[tuple[int, int], float, float]], begin: int, end: int
) -> None:
    edges = [(a, b, there, back) for (a, b), there, back in drawn if min(there, back) < math.inf]
    if not edges:
        return
    found = network(GRID, edges)
    towards = found.towards(*GRID[end])
    at = found.nearest(*GRID[begin])
    ends = {n for a, b, _, _ in edges for n in (a, b)}
    if begin not in ends or end not in ends:
        return
    # Both are ends of roads, and not of a piece that is too short to count.
    if towards is None or at.off_m[0] > 1 or towards.off_m > 1:
        return
    wanted = by_hand(edges, begin, end)
    got = float(towards.seconds(at)[0])
    assert got == (wanted if math.isinf(wanted) else pytest.approx(wanted, abs=0.01))
    if math.isfinite(got):
        assert math.isfinite(towards.metres(at)[0])


def by_hand(edges: list[Edge], begin: int, end: int) -> float:
    """Dijkstra as in any textbook."""
    ways: dict[int, list[tuple[int, float]]] = {}
    for a, b, there, back in edges:
        ways.setdefault(a, []).append((b, there))
        ways.setdefault(b, []).append((a, back))
    best, queue = {begin: 0.0}, [(0.0, begin)]
    while queue:
        cost, node = heapq.heappop(queue)
        for after, seconds in ways.get(node, []):
            if cost + seconds < best.get(after, math.inf):
                best[after] = cost + seconds
                heapq.heappush(queue, (cost + seconds, after))
    return best.get(end, math.inf)
