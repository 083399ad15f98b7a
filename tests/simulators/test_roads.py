"""The drawn network: connected, on land or off it, and the way found is the quickest."""

from __future__ import annotations

import itertools
import math

import pytest
import shapely
from shapely import LineString

from geo import belize
from geo.coordinates import distance_m
from simulators import drawn, roads
from simulators.roads import Edge, Network

CAYES = {"San Pedro", "Caye Caulker"}


def test_every_place_on_the_mainland_can_be_reached_from_belize_city() -> None:
    network = roads.roads()
    missing = set(network.stops) - set(network.reachable("Belize City")) - {"Belize City"}
    assert missing == CAYES
    assert network.route("Belize City", "San Pedro") is None


@pytest.mark.parametrize("network", [roads.sea_lanes(), roads.air_routes()])
def test_every_harbour_and_airfield_can_be_reached_from_every_other(network: Network) -> None:
    for start in network.stops:
        assert set(network.reachable(start)) | {start} == set(network.stops)


@pytest.mark.parametrize(
    ("start", "goal", "kilometres"),
    [  # somewhat below the distances on road signs, because bends are left out
        ("Belize City", "Corozal", (115, 140)),
        ("Belize City", "Benque Viejo", (105, 135)),
        ("Belmopan", "Dangriga", (65, 90)),
        ("Dangriga", "Punta Gorda", (140, 175)),
    ],
)
def test_distances_are_plausible(start: str, goal: str, kilometres: tuple[int, int]) -> None:
    way = roads.roads().route(start, goal)
    assert way
    assert kilometres[0] < sum(edge.metres for edge in way) / 1000 < kilometres[1]


def test_a_way_is_a_row_of_edges_without_gaps() -> None:
    network = roads.roads()
    way = network.route("Corozal/0,0", "Punta Gorda/0,0")
    assert way
    assert (way[0].start, way[-1].end) == ("Corozal/0,0", "Punta Gorda/0,0")
    for before, after in itertools.pairwise(way):
        assert before.end == after.start
        assert before.points[-1] == after.points[0]
    assert network.route("Belmopan", "Belmopan") == ()
    with pytest.raises(KeyError, match="Atlantis"):
        network.route("Belmopan", "Atlantis")
    with pytest.raises(KeyError, match="Atlantis"):
        network.route("Atlantis", "Belmopan")


def test_the_way_found_is_the_quickest() -> None:
    nodes = {name: (at * 0.01, 0.0) for at, name in enumerate("abcd")}
    slow = Edge("short and slow", "a", "d", (nodes["a"], nodes["d"]), (1.0,))
    chain = [
        Edge("fast", x, y, (nodes[x], nodes[y]), (20.0,)) for x, y in itertools.pairwise("abcd")
    ]
    way = Network(nodes, [slow, *chain], "abcd").route("a", "d")
    assert way
    assert [edge.name for edge in way] == ["fast"] * 3


def test_roads_keep_to_the_land_and_lanes_to_the_water() -> None:
    land = shapely.union_all([district.shape for district in belize.districts()])
    near_land = land.buffer(0.02)  # the coast is simplified, and lacks the Placencia peninsula
    off = [e for e in roads.roads().edges if not near_land.covers(LineString(e.points))]
    assert {edge.name for edge in off} <= {"Caye Caulker street"}
    mainland = belize.mainland()
    assert not any(mainland.intersects(LineString(e.points)) for e in roads.sea_lanes().edges)
    dry = sum(LineString(e.points).intersection(land).length for e in roads.sea_lanes().edges)
    assert dry * 111 / 2 < 2.0  # kilometres; the pier of Caye Caulker lies on its simplified shape


def test_both_directions_are_the_same_road() -> None:
    for edge in roads.roads().edges[:60]:
        back = edge.reversed()
        assert (back.start, back.end, back.name) == (edge.end, edge.start, edge.name)
        assert back.metres == pytest.approx(edge.metres)
        assert back.seconds == pytest.approx(edge.seconds)


def test_an_edge_tells_where_one_is_on_it() -> None:
    edge = Edge("x", "a", "b", ((0.0, 0.0), (0.01, 0.0), (0.01, 0.01)), (10.0, 20.0))
    half = edge.along[1]
    assert edge.at(0.0) == pytest.approx((0.0, 0.0, 90.0, 10.0))
    assert edge.at(half / 2)[:2] == pytest.approx((0.005, 0.0))
    assert edge.at(half * 1.5) == pytest.approx((0.01, 0.005, 0.0, 20.0), abs=1e-6)
    assert edge.at(1e9)[:2] == pytest.approx((0.01, 0.01))
    assert edge.at(-1.0)[:2] == pytest.approx((0.0, 0.0))
    assert edge.seconds == pytest.approx(half / 10 + half / 20)


def test_curves_pass_through_every_village_and_have_no_jumps() -> None:
    network = roads.roads()
    for edge in network.edges:
        assert edge.points[0] == pytest.approx(network.nodes[edge.start])
        assert edge.points[-1] == pytest.approx(network.nodes[edge.end])
        assert all(0 < limit <= 25.0 for limit in edge.limits)
        for a, b in itertools.pairwise(edge.points):
            assert distance_m(*a, *b) < 3 * roads.SAMPLE_M


def test_highways_are_slower_in_towns_and_villages() -> None:
    way = roads.roads().route("Belize City", "Corozal")
    assert way
    limits = [limit for edge in way for limit in edge.limits]
    assert limits[0] == roads.TOWN_LIMIT
    assert {roads.TOWN_LIMIT, roads.VILLAGE_LIMIT, 25.0} <= set(limits)


@pytest.mark.parametrize("grid", drawn.GRIDS, ids=lambda grid: grid.town)
def test_towns_have_streets_around_their_middle(grid: drawn.Grid) -> None:
    network = roads.roads()
    names = roads.corners(grid.town)
    assert len(names) == grid.across * grid.along
    reach = math.hypot(grid.across, grid.along) * grid.block
    for name in names:
        assert distance_m(*network.nodes[grid.town], *network.nodes[name]) < reach
        assert 2 <= len(network.leaving[name]) <= 5
    assert network.route(grid.town, names[0])
    assert roads.corners("Maskall") == ()
