"""Roads, and how long it takes from many points to one place over them. Pure: arrays in and out.

A network is nodes (where roads meet or end) and edges between them. One search backwards from the
place (:mod:`geo.graphs`) gives the time from every node; a unit is then looked up:
it goes to the nearest point of a road, along that edge to one of its ends, and on from there.

Nearest points are found among samples along the edges, at most :data:`SAMPLE_DEGREES` apart, so a
unit in the middle of a long rural road is not moved to its far end. Short pieces of road that hang
together with nothing, which maps have from mistakes, are never the nearest road of anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo import graphs, plane
from geo.graphs import Ints
from geo.plane import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SAMPLE_DEGREES: Final = 0.001
"""Samples along an edge lie at most this far apart, some 110 m."""
OFF_ROAD_M: Final = 2_000.0
"""Whoever is further from every road than this is not said to go by road."""
OFF_ROAD_M_S: Final = 2.5
"""Speed between a point and its nearest road: a vehicle over rough ground, or a fast walk."""
AT_END_M: Final = 1.0
"""Whoever is so near to the end of an edge is at its node."""
CONNECTED_M: Final = 5_000.0
"""Roads that hang together count from this length on; and the longest of them always."""


@dataclass(frozen=True, slots=True)
class Roads:
    """What a network is made of: arrays of equal length, a row for each edge.

    Attributes:
        source: number of the node an edge begins at, 0 … nodes - 1.
        target: number of the node it ends at.
        metres: its length.
        forward_s: seconds from source to target; infinity where that is not allowed.
        backward_s: seconds from target to source; likewise.
        lines: its course, ``shapely.LineString`` in degrees.
        nodes: how many there are.
    """

    source: Ints
    target: Ints
    metres: Floats
    forward_s: Floats
    backward_s: Floats
    lines: NDArray[np.object_]
    nodes: int


class OnRoad(NamedTuple):
    """Where points lie on the network: arrays of equal length, a row for each point.

    Attributes:
        edge: the nearest edge, -1 where none is near.
        along: how far along it, from 0 at its source to 1 at its target.
        off_m: metres from the point to there.
    """

    edge: Ints
    along: Floats
    off_m: Floats


class RoadNetwork:
    """Roads made ready for questions. It never changes; many threads may ask at once."""

    def __init__(self, roads: Roads) -> None:
        self.roads = roads
        used = _pieces(roads)
        self.piece = used
        """For each edge the number of the connected roads it belongs to; -1: too short a piece."""
        edge, along, points = _samples(roads, np.flatnonzero(used >= 0))
        self._edge, self._along, self._points = edge, along, points
        self._tree = graphs.nearest_of(points) if len(points) else None
        self._graph, self._metres = _backwards(roads)
        self.fastest_m_s = _fastest(roads)
        """Nobody who drives at ordinary speed is faster than this anywhere."""

    def nearest(self, lons: ArrayLike, lats: ArrayLike) -> OnRoad:
        """The nearest road of points (degrees)."""
        points = plane.metres(lons, lats)
        if self._tree is None or not len(points):
            nowhere = np.full(len(points), -1)
            return OnRoad(nowhere, np.zeros(len(points)), np.full(len(points), np.inf))
        off, at = self._tree.query(points, distance_upper_bound=OFF_ROAD_M)
        near = np.isfinite(off)
        at = np.where(near, at, 0)
        edge, along = self._edge[at], self._along[at]
        # The sample is near; the road between it and those beside it may be nearer.
        for beside in (np.maximum(at - 1, 0), np.minimum(at + 1, len(self._edge) - 1)):
            part, metres = _nearest_between(points, self._points[at], self._points[beside])
            closer = (self._edge[beside] == edge) & (metres < off)
            step = self._along[beside] - self._along[at]
            along = np.where(closer, self._along[at] + part * step, along)
            off = np.where(closer, metres, off)
        # Who is at a crossing may go on along any of its roads, whatever this one forbids.
        metres = self.roads.metres[edge]
        along = np.where(along * metres < AT_END_M, 0.0, along)
        along = np.where((1 - along) * metres < AT_END_M, 1.0, along)
        return OnRoad(np.where(near, edge, -1), along, off)

    def towards(self, lon: float, lat: float, within_s: float = math.inf) -> RoadTimes | None:
        """Times over the roads to a place (degrees); None: no road is near it.

        ``within_s``: longer ones need not be known, which saves time; they may read as infinite.
        """
        spot = self.nearest(lon, lat)
        edge = int(spot.edge[0])
        if edge < 0:
            return None
        along, off_m = float(spot.along[0]), float(spot.off_m[0])
        roads = self.roads
        graph = self._from_place(
            (int(roads.source[edge]), float(_part(along, roads.forward_s[edge]))),
            (int(roads.target[edge]), float(_part(1 - along, roads.backward_s[edge]))),
        )
        seconds, after = graphs.ways_from(graph, roads.nodes, within_s)
        return RoadTimes(self, edge, along, off_m, seconds, after)

    def _from_place(self, *ends: tuple[int, float]) -> csr_array:
        """The graph with one node more, the place, from which its edge's ends are reached."""
        graph = self._graph
        data, indices = graph.data.copy(), graph.indices.copy()
        (first, first_s), (second, second_s) = ends
        if first == second:  # a loop: the shorter half
            first_s, second_s = min(first_s, second_s), math.inf
        data[-2:] = np.maximum((first_s, second_s), _INSTANT)
        indices[-2:] = (first, second)
        return graphs.of_rows(data, indices, graph.indptr)

    def step_m(self, node: int, after: int) -> float:
        """Metres of the quickest edge from one node to the next."""
        graph = self._graph
        begin, end = graph.indptr[after], graph.indptr[after + 1]
        at = begin + int(np.searchsorted(graph.indices[begin:end], node))
        return float(self._metres[at])


class RoadTimes:
    """Times over the roads to one place, from everywhere."""

    def __init__(
        self,
        network: RoadNetwork,
        edge: int,
        along: float,
        off_m: float,
        seconds: Floats,
        after: NDArray[np.int32],
    ) -> None:
        self.off_m = off_m
        """Metres from the place to its nearest road."""
        self._network = network
        self._edge, self._along = edge, along
        self._seconds, self._after = seconds, after
        self._known_m: dict[int, float] = {}

    def seconds(self, at: OnRoad) -> Floats:
        """Seconds from each point to the place, off-road parts included.

        Infinity: no road is near, no road leads there, or it takes longer than was asked for.
        """
        through_source, through_target, direct = self._ways(at)
        best = np.minimum(np.minimum(through_source, through_target), direct)
        best = best + (at.off_m + self.off_m) / OFF_ROAD_M_S
        return np.where(at.edge >= 0, best, np.inf)

    def severed(self, at: OnRoad) -> NDArray[np.bool_]:
        """Which points have a road near them that hangs together with none at the place."""
        pieces = self._network.piece
        return np.asarray((at.edge >= 0) & (pieces[at.edge] != pieces[self._edge]))

    def metres(self, at: OnRoad) -> Floats:
        """Length of the quickest way of each point, in metres; infinite where there is none."""
        through_source, through_target, direct = self._ways(at)
        best = np.minimum(np.minimum(through_source, through_target), direct)
        roads = self._network.roads
        metres = np.full(len(at.edge), np.inf)
        for row in np.flatnonzero((at.edge >= 0) & np.isfinite(best)).tolist():
            edge, along = int(at.edge[row]), float(at.along[row])
            length = float(roads.metres[edge])
            if direct[row] == best[row]:
                way = abs(along - self._along) * length
            elif through_source[row] == best[row]:
                way = along * length + self._from_node_m(int(roads.source[edge]))
            else:
                way = (1 - along) * length + self._from_node_m(int(roads.target[edge]))
            metres[row] = way + float(at.off_m[row]) + self.off_m
        return metres

    def _ways(self, at: OnRoad) -> tuple[Floats, Floats, Floats]:
        """Seconds on the road by the edge's source, by its target, and along the place's edge."""
        roads = self._network.roads
        edge, along = np.maximum(at.edge, 0), at.along
        back = _part(along, roads.backward_s[edge])
        on = _part(1 - along, roads.forward_s[edge])
        ahead = _part(np.maximum(self._along - along, 0.0), roads.forward_s[edge])
        behind = _part(np.maximum(along - self._along, 0.0), roads.backward_s[edge])
        direct = np.where(edge == self._edge, ahead + behind, np.inf)
        seconds = self._seconds
        return back + seconds[roads.source[edge]], on + seconds[roads.target[edge]], direct

    def _from_node_m(self, node: int) -> float:
        """Metres from a node to the place; what was walked is remembered."""
        place, known = self._network.roads.nodes, self._known_m
        passed = []
        while node not in known:
            after = int(self._after[node])
            if after == place:
                known[node] = self._first_m(node)
                break
            passed.append((node, after))
            node = after
        for node, after in reversed(passed):
            known[node] = known[after] + self._network.step_m(node, after)
        return known[passed[0][0]] if passed else known[node]

    def _first_m(self, node: int) -> float:
        """Metres along the place's own edge from one of its ends to the place."""
        roads, along = self._network.roads, self._along
        length = float(roads.metres[self._edge])
        source, target = int(roads.source[self._edge]), int(roads.target[self._edge])
        if source == target:
            return min(along, 1 - along) * length
        return along * length if node == source else (1 - along) * length


_INSTANT: Final = 1e-6
"""Seconds; a sparse graph does not keep edges of length 0."""


def _pieces(roads: Roads) -> Ints:
    """For each edge which connected roads it belongs to; -1 where they are too short to matter."""
    if not len(roads.source):
        return np.zeros(0, np.int64)
    piece = graphs.pieces(roads.source, roads.target, roads.nodes)[roads.source]
    lengths = np.bincount(piece, roads.metres)
    counts = lengths >= min(CONNECTED_M, float(lengths.max()))
    return np.where(counts[piece], piece, -1)


def _fastest(roads: Roads) -> float:
    seconds = np.minimum(roads.forward_s, roads.backward_s)
    driven = roads.metres[seconds > 0] / seconds[seconds > 0]
    return max(float(driven.max(initial=0.0)), OFF_ROAD_M_S)


def _part(part: ArrayLike, seconds: ArrayLike) -> Floats:
    """Seconds for a part of an edge; none of a way that is forbidden takes no time."""
    parts, whole = np.asarray(part, np.float64), np.asarray(seconds, np.float64)
    return np.where(parts > 0.0, np.maximum(parts, 1e-300) * whole, 0.0)


def _nearest_between(points: Floats, begins: Floats, ends: Floats) -> tuple[Floats, Floats]:
    """Where straight lines are nearest to points: the part of each line, and metres to there."""
    course = ends - begins
    square = np.maximum((course**2).sum(axis=1), 1e-9)
    part = np.clip(((points - begins) * course).sum(axis=1) / square, 0.0, 1.0)
    return part, np.hypot(*(points - begins - part[:, None] * course).T)


def _samples(roads: Roads, edges: Ints) -> tuple[Ints, Floats, Floats]:
    """Points along edges: whose each is, how far along, and where (metres, shape (n, 2))."""
    if not len(edges):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 2))
    lines = shapely.segmentize(roads.lines[edges], SAMPLE_DEGREES)
    degrees, line = shapely.get_coordinates(lines, return_index=True)
    points = plane.metres(degrees[:, 0], degrees[:, 1])
    steps = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    begins = np.r_[True, line[1:] != line[:-1]]
    steps[begins] = 0.0
    run = np.cumsum(steps)
    first = run[begins]
    last = run[np.r_[np.flatnonzero(begins)[1:] - 1, len(run) - 1]]
    whole = np.maximum(last - first, 1e-9)
    return edges[line], (run - first[line]) / whole[line], points


def _backwards(roads: Roads) -> tuple[csr_array, Floats]:
    """The graph of all edges turned around, a last row for the place; and metres beside it.

    Of edges between the same two nodes the quickest is kept.
    """
    to = np.r_[roads.source, roads.target].astype(np.int64)
    at = np.r_[roads.target, roads.source].astype(np.int64)
    seconds = np.r_[roads.forward_s, roads.backward_s]
    metres = np.r_[roads.metres, roads.metres]
    kept = np.flatnonzero(np.isfinite(seconds) & (to != at))
    kept = kept[np.lexsort((seconds[kept], to[kept], at[kept]))]
    same = (at[kept][1:] == at[kept][:-1]) & (to[kept][1:] == to[kept][:-1])
    kept = kept[np.r_[np.ones(min(len(kept), 1), np.bool_), ~same]]
    counts = np.bincount(at[kept], minlength=roads.nodes)
    indptr = np.r_[0, np.cumsum(counts), len(kept) + 2].astype(np.int32)
    indices = np.r_[to[kept], 0, 0].astype(np.int32)
    data = np.r_[np.maximum(seconds[kept], _INSTANT), np.inf, np.inf]
    return graphs.of_rows(data, indices, indptr), metres[kept]
