"""The water around Belize: how far many boats have to one place without crossing land. Pure.

Water is a grid of points, :data:`CELL` apart. Each is joined with those beside it and a knight's
move away, unless land lies between; so a caye that is smaller than a cell is gone around too, and
no way is longer than the shortest by more than 2.8 % (of the angle between sixteen directions).
One search from the place (Dijkstra) gives the way from every point. A boat starts at a point that
it can see; and where nothing lies between it and the place, it goes straight.

Depth, reef and weather are not known here: this says who may be there first, it is no chart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import MultiPolygon, Polygon, STRtree

from geo import graphs, plane
from geo.graphs import Ints
from geo.plane import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array

WATERS: Final = (-89.0, 15.6, -86.8, 18.7)
"""West, south, east, north of the water that is known, in degrees: from the Gulf of Honduras to
Chetumal Bay, and some 60 km beyond the outermost reef."""
CELL: Final = 0.01
"""Degrees between two points of the grid, some 1.1 km."""
ASHORE_M: Final = 1_000.0
"""A boat brings people to a place that is no further from the water than this; and one that seems
to lie so far inland is at a pier, for the coast that is known here is simplified."""
ASHORE_M_S: Final = 1.3
"""Speed on foot from the boat to a place ashore."""
SLACK: Final = 0.0002
"""Degrees, some 20 m: land is made smaller by this before asking what lies behind it."""
SEEN: Final = 4
"""So many of the nearest points of the grid are looked at, to find one in sight."""
SOUGHT: Final = 32
"""And so many where none of those is: behind a spit of land or a small caye."""
SIGHT_M: Final = 15_000.0
"""Up to here it is looked whether a boat can go straight; further, the grid is near enough."""
DETOUR: Final = 1.0 / math.cos(math.radians(13.3))
"""The longest way over the grid for a straight one: half of the widest angle between directions."""
AROUND: Final = 1.1
"""A way that is longer than the straight line by more than this leads around land."""

Bools = NDArray[np.bool_]


class OnWater(NamedTuple):
    """Where boats lie: arrays of equal length, a row for each.

    Attributes:
        afloat: its place on the water in degrees, shape (n, 2); of one at a pier the nearest.
        ashore_m: metres from where it is to there; infinite where no water is near.
        node: points of the grid in sight, shape (n, :data:`SEEN`); -1: none.
        off_m: metres from ``afloat`` to each of them.
    """

    afloat: Floats
    ashore_m: Floats
    node: Ints
    off_m: Floats


@dataclass(frozen=True, slots=True)
class _Land:
    """The land in the ways in which it is asked."""

    whole: Polygon | MultiPolygon
    shores: Polygon | MultiPolygon | shapely.Geometry
    edges: STRtree
    """Pieces of the border of the land without its last :data:`SLACK`."""


class SeaChart:
    """Land and the water around it. It never changes; many threads may ask at once."""

    def __init__(
        self,
        land: Polygon | MultiPolygon,
        waters: tuple[float, float, float, float] = WATERS,
        cell: float = CELL,
    ) -> None:
        """Make the grid, which takes a second or two.

        Args:
            land: longitude, latitude.
            waters: west, south, east, north of the water to know, in degrees.
            cell: degrees between points of the grid.
        """
        self.waters = waters
        self._land = _land(land, waters, cell)
        points, ends = _grid(self._land.whole, waters, cell)
        ends = ends[~self._blocked(points[ends[:, 0]], points[ends[:, 1]])]
        points, ends = _open_sea(points, ends)
        self._points = points
        flat = plane.metres(points[:, 0], points[:, 1])
        self._tree = graphs.nearest_of(flat) if len(points) else None
        self._graph = _graph(points, ends)

    def covers(self, lon: float, lat: float) -> bool:
        """Whether a place (degrees) lies within the water and land that are known."""
        west, south, east, north = self.waters
        return west <= lon <= east and south <= lat <= north

    def locate(self, lons: ArrayLike, lats: ArrayLike) -> OnWater:
        """Where points (degrees) lie on the water, or at it."""
        wanted = np.column_stack((np.atleast_1d(lons), np.atleast_1d(lats))).astype(np.float64)
        afloat, ashore = self._afloat(wanted)
        node = np.full((len(wanted), SEEN), -1)
        off = np.full(node.shape, np.inf)
        rows = np.flatnonzero(np.isfinite(ashore))
        node[rows], off[rows] = self._in_sight_of(afloat[rows], SEEN)
        rows = rows[(node[rows] < 0).all(axis=1)]
        node[rows], off[rows] = self._in_sight_of(afloat[rows], SOUGHT)
        return OnWater(afloat, ashore, node, off)

    def _in_sight_of(self, afloat: Floats, many: int) -> tuple[Ints, Floats]:
        """Of so many nearest points of the grid the first :data:`SEEN` in sight, and metres."""
        if self._tree is None or not len(afloat):
            nowhere = np.full((len(afloat), SEEN), -1)
            return nowhere, np.full(nowhere.shape, np.inf)
        off, node = self._tree.query(plane.metres(afloat[:, 0], afloat[:, 1]), k=many)
        row, column = np.nonzero(np.isfinite(off))
        hidden = self._blocked(afloat[row], self._points[node[row, column]])
        off[row[hidden], column[hidden]] = np.inf
        first = np.argsort(off, axis=1, kind="stable")[:, :SEEN]
        off = np.take_along_axis(off, first, axis=1)
        return np.where(np.isfinite(off), np.take_along_axis(node, first, axis=1), -1), off

    def towards(self, lon: float, lat: float, within_m: float = math.inf) -> SeaDistances | None:
        """Distances by sea to a place (degrees); None: no boat comes near it.

        ``within_m``: longer ones need not be known, which saves time; they read as infinite.
        """
        if not self.covers(lon, lat):
            return None
        spot = self.locate(lon, lat)
        seen = spot.node[0] >= 0
        if not seen.any():
            return None
        nodes, off = spot.node[0][seen], spot.off_m[0][seen]
        graph = self._from_place(nodes, off)
        reach, after = graphs.ways_from(graph, len(self._points), within_m)
        return SeaDistances(self, spot.afloat[0], float(spot.ashore_m[0]), reach[:-1], after)

    def in_sight(self, place: Floats, others: Floats) -> Bools:
        """Whether no land lies between one place and others (degrees, shapes (2,) and (n, 2))."""
        return ~self._blocked(np.broadcast_to(place, others.shape), others)

    def _afloat(self, wanted: Floats) -> tuple[Floats, Floats]:
        """The nearest water of each point, and metres to there (infinite: none near)."""
        lons, lats = wanted[:, 0], wanted[:, 1]
        west, south, east, north = self.waters
        known = (lons >= west) & (lons <= east) & (lats >= south) & (lats <= north)
        ashore = known & shapely.contains_xy(self._land.whole, lons, lats)
        afloat, far = wanted.copy(), np.where(known, 0.0, np.inf)
        rows = np.flatnonzero(ashore)
        if len(rows):
            lines = shapely.shortest_line(shapely.points(wanted[rows]), self._land.shores)
            shore = shapely.get_coordinates(lines)[1::2]
            apart = plane.metres(shore[:, 0], shore[:, 1]) - plane.metres(lons[rows], lats[rows])
            metres = np.hypot(apart[:, 0], apart[:, 1])
            afloat[rows] = shore
            far[rows] = np.where(metres <= ASHORE_M, metres, np.inf)
        return afloat, far

    def _blocked(self, begins: Floats, ends: Floats) -> Bools:
        """Whether land lies between the two ends of each straight line."""
        blocked = np.zeros(len(begins), np.bool_)
        if len(begins):
            lines = shapely.linestrings(np.stack((begins, ends), axis=1))
            blocked[self._land.edges.query(lines, predicate="intersects")[0]] = True
        return blocked

    def _from_place(self, nodes: Ints, off_m: Floats) -> csr_array:
        """The graph with one node more, the place, from which these are reached."""
        graph = self._graph
        return graphs.of_rows(
            np.r_[graph.data, np.maximum(off_m, _NOWHERE)],
            np.r_[graph.indices, nodes.astype(np.int32)],
            np.r_[graph.indptr, len(graph.data) + len(nodes)].astype(np.int32),
        )


class SeaDistances:
    """Distances by sea to one place, from everywhere."""

    def __init__(
        self,
        chart: SeaChart,
        place: Floats,
        ashore_m: float,
        reach: Floats,
        after: NDArray[np.int32],
    ) -> None:
        self.ashore_m = ashore_m
        """Metres from where the boat stops to the place; 0: the place is on the water."""
        self._chart, self._place = chart, place
        self._reach, self._after = reach, after

    def metres(self, at: OnWater) -> tuple[Floats, Bools]:
        """Metres on the water from each point, and whether that leads around land.

        Infinity: no water is near, none that leads there, or it is further than was asked for.
        """
        metres = self._through(at).min(axis=1)
        here = plane.metres(at.afloat[:, 0], at.afloat[:, 1])
        direct = np.hypot(*(here - plane.metres(*self._place)).T)
        # The grid's own detour, and a corner of it at both ends: more than that is land.
        perhaps = np.isfinite(metres) & (metres <= DETOUR * direct + 2 * _CORNER_M)
        rows = np.flatnonzero(perhaps & (direct <= SIGHT_M))
        straight = rows[self._chart.in_sight(self._place, at.afloat[rows])]
        metres = np.maximum(metres, direct)
        metres[straight] = direct[straight]
        return metres, metres > AROUND * direct

    def _through(self, at: OnWater) -> Floats:
        reach = self._reach[np.maximum(at.node, 0)] + at.off_m
        return np.where(at.node >= 0, reach, np.inf)

    def course(self, at: OnWater, row: int) -> Floats:
        """The way of one point over the grid, degrees, shape (n, 2); for a map or a test."""
        nearest = int(self._through(at)[row].argmin())
        points, node = [at.afloat[row]], int(at.node[row][nearest])
        while node != len(self._reach):
            points.append(self._chart._points[node])
            node = int(self._after[node])
        return np.array([*points, self._place])


_CORNER_M: Final = CELL * 120_000
_NOWHERE: Final = 1e-6
"""Metres; a sparse graph does not keep edges of length 0."""
_STEPS: Final = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2))
"""Half of the sixteen directions, in columns and rows; the other half is the same turned around."""


def _land(
    land: Polygon | MultiPolygon, waters: tuple[float, float, float, float], cell: float
) -> _Land:
    west, south, east, north = waters
    edge = 2 * cell
    whole = shapely.clip_by_rect(land, west - edge, south - edge, east + edge, north + edge)
    whole = shapely.buffer(whole, 0)
    core = shapely.buffer(whole, -SLACK, quad_segs=1, join_style="mitre")
    rings = shapely.get_rings(shapely.get_parts(core))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    pairs = np.stack((points[:-1], points[1:]), axis=1)[ring[:-1] == ring[1:]]
    shapely.prepare(whole)
    return _Land(whole, shapely.boundary(whole), STRtree(shapely.linestrings(pairs)))


def _grid(
    land: Polygon | MultiPolygon, waters: tuple[float, float, float, float], cell: float
) -> tuple[Floats, Ints]:
    """Points on the water (degrees), and the numbers of those that are beside each other."""
    west, south, east, north = waters
    columns, rows = round((east - west) / cell), round((north - south) / cell)
    lons, lats = np.meshgrid(
        west + cell * (np.arange(columns) + 0.5), south + cell * (np.arange(rows) + 0.5)
    )
    water = ~shapely.contains_xy(land, lons, lats)
    number = np.full(water.shape, -1)
    number[water] = np.arange(np.count_nonzero(water))
    pairs = []
    for right, up in _STEPS:
        low, high = max(0, -up), rows - max(0, up)
        here = number[low:high, : columns - right]
        there = number[low + up : high + up, right:]
        both = (here >= 0) & (there >= 0)
        pairs.append(np.column_stack((here[both], there[both])))
    return np.column_stack((lons[water], lats[water])), np.concatenate(pairs)


def _open_sea(points: Floats, ends: Ints) -> tuple[Floats, Ints]:
    """Only the largest water that hangs together: ponds and cut-off lagoons lead nowhere."""
    if not len(ends):
        return points[:0], ends[:0]
    label = graphs.pieces(ends[:, 0], ends[:, 1], len(points))
    kept = label == np.bincount(label).argmax()
    number = np.cumsum(kept) - 1
    return points[kept], number[ends[kept[ends[:, 0]]]]


def _graph(points: Floats, ends: Ints) -> csr_array:
    """The points and their distances in metres, both ways."""
    flat = plane.metres(points[:, 0], points[:, 1])
    metres = np.hypot(*(flat[ends[:, 0]] - flat[ends[:, 1]]).T)
    both = np.concatenate((ends, ends[:, ::-1]))
    return graphs.of_edges(np.r_[metres, metres], both[:, 0], both[:, 1], len(points))
