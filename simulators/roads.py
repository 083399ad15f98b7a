"""Schematic roads, streets, sea lanes and air routes of Belize, and the shortest way over them.

What is drawn, and how far it can be trusted (not at all for finding a way), says
:mod:`simulators.drawn`. The networks are built once, on first use, and are the same everywhere.
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import combinations, pairwise
from typing import Final

from geo import belize
from geo.coordinates import bearing_deg, distance_m
from simulators import drawn

Point = tuple[float, float]

SAMPLE_M: Final = 250.0
"""Curves are cut into straight pieces of about this length."""

TOWN_LIMIT: Final = 13.0
VILLAGE_LIMIT: Final = 18.0
STREET_LIMIT: Final = 9.0
TOWN_RADIUS_M: Final = 1_500.0
VILLAGE_RADIUS_M: Final = 600.0
AIR_LIMIT: Final = 62.0

_METRES_PER_DEGREE: Final = 111_195.0


class Edge:
    """A piece of road or lane in one direction, from one node to the next.

    Attributes:
        name: of the road.
        start: node it comes from.
        end: node it leads to.
        points: its course, (longitude, latitude), at least two.
        along: metres from the start to each point; the last is the length.
        bearings: degrees, of each piece between two points.
        limits: highest speed on each piece, metres per second.
        metres: its length.
        seconds: the time it takes at the highest speeds.
    """

    __slots__ = (
        "along", "bearings", "end", "limits", "metres", "name", "points", "seconds", "start",
    )  # fmt: skip

    def __init__(
        self, name: str, start: str, end: str, points: Sequence[Point], limits: Sequence[float]
    ) -> None:
        self.name = name
        self.start = start
        self.end = end
        self.points = tuple(points)
        self.limits = tuple(limits)
        self.bearings = tuple(bearing_deg(*a, *b) for a, b in pairwise(self.points))
        along = [0.0]
        for a, b in pairwise(self.points):
            along.append(along[-1] + distance_m(*a, *b))
        self.along = tuple(along)
        self.metres = along[-1]
        pieces = zip(pairwise(along), self.limits, strict=True)
        self.seconds = sum((b - a) / limit for (a, b), limit in pieces)

    def reversed(self) -> Edge:
        """The same piece in the other direction."""
        return Edge(self.name, self.end, self.start, self.points[::-1], self.limits[::-1])

    def at(self, metres: float) -> tuple[float, float, float, float]:
        """Longitude, latitude, bearing and highest speed so many metres from the start."""
        piece = min(max(bisect_right(self.along, metres) - 1, 0), len(self.bearings) - 1)
        begin = self.along[piece]
        length = self.along[piece + 1] - begin
        part = min(max((metres - begin) / length, 0.0), 1.0) if length > 0 else 0.0
        lon1, lat1 = self.points[piece]
        lon2, lat2 = self.points[piece + 1]
        return (
            lon1 + part * (lon2 - lon1),
            lat1 + part * (lat2 - lat1),
            self.bearings[piece],
            self.limits[piece],
        )


class Network:
    """Nodes and the edges between them.

    Attributes:
        nodes: position (longitude, latitude) of each node by its name.
        edges: every edge, in both directions.
        leaving: the edges that start at each node.
        stops: the nodes where one goes to: places and harbours, no street corners.
    """

    def __init__(
        self, nodes: dict[str, Point], edges: Iterable[Edge], stops: Iterable[str]
    ) -> None:
        self.nodes = nodes
        self.edges = tuple(both for edge in edges for both in (edge, edge.reversed()))
        self.leaving: dict[str, list[Edge]] = {name: [] for name in nodes}
        for edge in self.edges:
            self.leaving[edge.start].append(edge)
        self.stops = tuple(stops)
        # One tree per starting point answers all ways from there; there are few starting points.
        self._tree = lru_cache(maxsize=512)(self._grow)

    def route(self, start: str, goal: str) -> tuple[Edge, ...] | None:
        """The quickest way as a row of edges; empty from a node to itself, None without a way.

        Raises:
            KeyError: when a node is not in the network.
        """
        if start not in self.nodes or goal not in self.nodes:
            raise KeyError(goal if start in self.nodes else start)
        came = self._tree(start)
        way: list[Edge] = []
        at = goal
        while at != start:
            edge = came.get(at)
            if edge is None:
                return None
            way.append(edge)
            at = edge.start
        return tuple(reversed(way))

    def reachable(self, start: str) -> tuple[str, ...]:
        """The other stops one can get to from a node, in the order of ``stops``."""
        came = self._tree(start)
        return tuple(stop for stop in self.stops if stop in came)

    def _grow(self, start: str) -> dict[str, Edge]:
        """Dijkstra: for each node that can be reached, the last edge of the quickest way to it."""
        best = {start: 0.0}
        came: dict[str, Edge] = {}
        queue = [(0.0, start)]
        while queue:
            cost, node = heapq.heappop(queue)
            if cost > best[node]:
                continue
            for edge in self.leaving[node]:
                there = cost + edge.seconds
                if there < best.get(edge.end, math.inf):
                    best[edge.end] = there
                    came[edge.end] = edge
                    heapq.heappush(queue, (there, edge.end))
        return came


@cache
def roads() -> Network:
    """Highways and roads between places, and the streets of the towns (also on two cayes)."""
    nodes = {name: _place(number) for name, number in drawn.VILLAGES.items()}
    stops = tuple(nodes)
    edges = [edge for road in drawn.ROADS for edge in _edges(road, nodes, curved=True)]
    for grid in drawn.GRIDS:
        edges += _streets(grid, nodes)
    return Network(nodes, edges, stops)


@cache
def sea_lanes() -> Network:
    """Lanes inside and along the reef and out to the three atolls."""
    nodes = dict(drawn.HARBOURS)
    edges = [edge for lane in drawn.SEA_LANES for edge in _edges(lane, nodes, curved=False)]
    return Network(nodes, edges, tuple(drawn.HARBOURS))


@cache
def air_routes() -> Network:
    """Straight from each airfield to each."""
    nodes = dict(drawn.AIRFIELDS)
    edges = [
        edge
        for pair in combinations(nodes, 2)
        for edge in _edges(drawn.Drawn("direct", AIR_LIMIT, pair), nodes, curved=False)
    ]
    return Network(nodes, edges, tuple(nodes))


@cache
def corners(town: str) -> tuple[str, ...]:
    """The street corners of a town, as nodes of :func:`roads`; empty for one without streets."""
    return tuple(name for name in roads().nodes if name.startswith(f"{town}/"))


def _place(number: int) -> Point:
    place = next(place for place in belize.places() if place.id == number)
    return place.lon, place.lat


def _edges(road: drawn.Drawn, nodes: dict[str, Point], *, curved: bool) -> list[Edge]:
    """One edge between every two named points of a course; its ends become nodes when nameless."""
    course = list(road.course)
    for end in (0, -1):
        if not isinstance(course[end], str):
            point = course[end]
            assert not isinstance(point, str)  # as the line above says; for the type checker
            course[end] = f"{road.name}, end"
            nodes[f"{road.name}, end"] = point
    points = [nodes[way] if isinstance(way, str) else way for way in course]
    lines = _curve(points) if curved else _straight(points)
    edges: list[Edge] = []
    begin, line = course[0], [points[0]]
    for way, piece in zip(course[1:], lines, strict=True):
        line += piece[1:]
        if isinstance(way, str):
            assert isinstance(begin, str)
            edges.append(Edge(road.name, begin, way, line, _limits(line, road.limit, curved)))
            begin, line = way, [line[-1]]
    return edges


def _straight(points: list[Point]) -> list[list[Point]]:
    return [[a, b] for a, b in pairwise(points)]


def _curve(points: list[Point]) -> list[list[Point]]:
    """A smooth line (Catmull-Rom spline) through the points, as one list per piece."""
    padded = [points[0], *points, points[-1]]
    lines = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        steps = max(1, round(distance_m(*p1, *p2) / SAMPLE_M))
        between = [_spline(p0, p1, p2, p3, step / steps) for step in range(1, steps)]
        lines.append([p1, *between, p2])
    return lines


def _spline(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    def one(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (
            2.0 * b
            + (c - a) * t
            + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
            + (3.0 * b - a - 3.0 * c + d) * t * t * t
        )

    return one(p0[0], p1[0], p2[0], p3[0]), one(p0[1], p1[1], p2[1], p3[1])


@cache
def _slow_zones() -> tuple[tuple[Point, float, float], ...]:
    towns = {grid.town for grid in drawn.GRIDS}
    return tuple(
        (_place(number), TOWN_RADIUS_M, TOWN_LIMIT)
        if name in towns
        else (_place(number), VILLAGE_RADIUS_M, VILLAGE_LIMIT)
        for name, number in drawn.VILLAGES.items()
    )


def _limits(line: list[Point], limit: float, on_land: bool) -> list[float]:
    """The highest speed of each piece: lower in towns and villages."""
    limits = []
    for (lon1, lat1), (lon2, lat2) in pairwise(line):
        here = limit
        for (lon, lat), radius, slow in _slow_zones() if on_land else ():
            near = abs(lat - lat1) * _METRES_PER_DEGREE < radius
            if near and distance_m(lon, lat, (lon1 + lon2) / 2, (lat1 + lat2) / 2) < radius:
                here = min(here, slow)
        limits.append(here)
    return limits


def _streets(grid: drawn.Grid, nodes: dict[str, Point]) -> list[Edge]:
    """The streets of a town, joined to its node; crossings are named ``town/column,row``."""
    rnd = random.Random(grid.town)  # crooked, and always crooked in the same way
    lon0, lat0 = nodes[grid.town]
    cos_lat = math.cos(math.radians(lat0))
    turn = math.radians(grid.turned)
    for column in range(grid.across):
        for row in range(grid.along):
            x = (column - (grid.across - 1) / 2 + rnd.uniform(-0.15, 0.15)) * grid.block
            y = (row - (grid.along - 1) / 2 + rnd.uniform(-0.15, 0.15)) * grid.block
            east = grid.east + x * math.cos(turn) - y * math.sin(turn)
            north = grid.north + x * math.sin(turn) + y * math.cos(turn)
            nodes[f"{grid.town}/{column},{row}"] = (
                lon0 + east / (_METRES_PER_DEGREE * cos_lat),
                lat0 + north / _METRES_PER_DEGREE,
            )
    ways = []
    for column in range(grid.across):
        for row in range(grid.along):
            here = f"{grid.town}/{column},{row}"
            if column + 1 < grid.across:
                ways.append((here, f"{grid.town}/{column + 1},{row}"))
            if row + 1 < grid.along:
                ways.append((here, f"{grid.town}/{column},{row + 1}"))
    crossings = [name for name in nodes if name.startswith(f"{grid.town}/")]
    nearest = min(crossings, key=lambda name: distance_m(lon0, lat0, *nodes[name]))
    ways.append((grid.town, nearest))
    return [
        Edge(f"{grid.town} street", a, b, (nodes[a], nodes[b]), (STREET_LIMIT,)) for a, b in ways
    ]
