"""The way over the roads from one place to another, as a line to draw and roads to name.

pgRouting finds it in the database (``pgr_withPoints``, docs.pgrouting.org/3.4), with the same edges
and seconds as ``geo.road_network``, which knows times but no courses; a test holds the two
together. Without pgRouting there is no way to draw, and times are told all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

import asyncpg
import shapely
from shapely import ops

from geo.road_network import OFF_ROAD_M
from psn import database
from psn.problems import Problem


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a way on one road: its name or number (None: neither is known), and metres."""

    road: str | None
    metres: float


@dataclass(frozen=True, slots=True)
class Way:
    """How to get from one place to another on roads.

    ``seconds`` are of ordinary driving. ``line`` is in degrees, from nearest road to nearest road.
    """

    seconds: float
    metres: float
    line: shapely.LineString
    stretches: tuple[Stretch, ...]


EDGES: Final = (
    "SELECT id, source, target, coalesce(forward_s, -1) AS cost,"
    " coalesce(backward_s, -1) AS reverse_cost FROM road_edge"
)
NEAREST: Final = """
    WITH near AS (
        SELECT id, course, spot
          FROM road_edge, (SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326) AS spot) AS at
         ORDER BY course <-> spot LIMIT 20
    )
    SELECT id, drawn, ST_Distance(course::geography, spot::geography) AS off_m,
           ST_Length(ST_LineSubstring(course, 0, drawn)::geography)
             / greatest(ST_Length(course::geography), 0.001) AS along
      FROM near, ST_LineLocatePoint(course, spot) AS drawn ORDER BY off_m, id LIMIT 1
"""
"""A degree north is longer than one east: of those nearest in degrees, the nearest in metres."""
PATH: Final = """
    SELECT way.node, way.edge, way.cost, way.agg_cost, e.source, e.name, e.ref, e.metres, e.course
      FROM pgr_withPoints($1, $2, -1, -2, directed => true) AS way
      LEFT JOIN road_edge e ON e.id = way.edge ORDER BY way.path_seq
"""
_BEFORE_END: Final = 1e-6
"""pgRouting takes no points at the very ends of an edge; this part of an edge is not seen."""


async def find(
    connection: database.Connection, begin: tuple[float, float], end: tuple[float, float]
) -> Way:
    """The quickest way between two places (longitude, latitude in degrees).

    Raises :class:`Problem`: ``no_pgrouting``, ``no_road_near`` or ``no_way``; and what asyncpg
    raises. The connection has to carry geometry (``psn.database.prepare``).
    """
    first, last = await _spot(connection, *begin), await _spot(connection, *end)
    if first == last:
        raise Problem("no_way", "Both are at the same place of a road.", "Choose another place.")
    points = " UNION ALL ".join(
        f"SELECT {pid} AS pid, {spot.edge} AS edge_id, {spot.along!r}::float8 AS fraction"
        for pid, spot in ((1, first), (2, last))
    )
    try:
        rows = await connection.fetch(PATH, EDGES, points)
    except asyncpg.UndefinedFunctionError:
        raise Problem(
            "no_pgrouting",
            "The database has no pgRouting, which finds ways to draw.",
            "Install it (Debian: postgresql-pgrouting), then let an administrator run:"
            " create extension pgrouting",
        ) from None
    if not rows:
        raise Problem(
            "no_way",
            "No road leads from there to here.",
            "Go by water or air, or import more roads.",
        )
    return _way(rows, first, last)


class _Spot(NamedTuple):
    """A place on an edge: which, and how far along it in metres and on the line as it is drawn.

    Both run from 0 to 1; on a bent line they differ, for a degree east is shorter than one north.
    """

    edge: int
    along: float
    drawn: float


async def _spot(connection: database.Connection, lon: float, lat: float) -> _Spot:
    row = await connection.fetchrow(NEAREST, lon, lat)
    if row is None or row["off_m"] > OFF_ROAD_M:
        raise Problem(
            "no_road_near",
            f"No road is known within {OFF_ROAD_M / 1000:.0f} km of {lat:g}, {lon:g}.",
            "See psn geo status for the roads that were imported.",
        )
    along = min(max(float(row["along"]), _BEFORE_END), 1 - _BEFORE_END)
    return _Spot(row["id"], along, float(row["drawn"]))


def _way(rows: list[asyncpg.Record], first: _Spot, last: _Spot) -> Way:
    """Put the pieces of edges together, each in the direction in which it is driven."""
    steps, marks = [row for row in rows if row["edge"] != -1], [row["node"] for row in rows]
    pieces, parts = [], []
    for row, node, then in zip(steps, marks, marks[1:], strict=False):
        begin = _place(row, node, first, last)
        end = _place(row, then, first, last, opposite=begin)
        course = shapely.from_wkb(row["course"])
        pieces.append(ops.substring(course, begin.drawn, end.drawn, normalized=True))
        parts.append((row["name"] or row["ref"], abs(end.along - begin.along) * row["metres"]))
    points = [point for piece in pieces for point in piece.coords]
    kept = [point for n, point in enumerate(points) if n == 0 or point != points[n - 1]]
    if len(kept) < 2:
        kept = [kept[0], kept[0]]
    return Way(
        seconds=float(rows[-1]["agg_cost"]),
        metres=sum(metres for _, metres in parts),
        line=shapely.LineString(kept),
        stretches=tuple(_joined(parts)),
    )


def _place(row: Any, node: int, first: _Spot, last: _Spot, opposite: _Spot | None = None) -> _Spot:
    """Where on an edge a node of the path is; -1 and -2 are the places themselves."""
    if node in (-1, -2):
        return first if node == -1 else last
    # A loop begins and ends at the same node.
    at_source = node == row["source"] and (opposite is None or opposite.along != 0.0)
    return _Spot(row["edge"], 0.0, 0.0) if at_source else _Spot(row["edge"], 1.0, 1.0)


def _joined(parts: Iterable[tuple[str | None, float]]) -> Iterable[Stretch]:
    for road, same in groupby(parts, key=lambda part: part[0]):
        yield Stretch(road, sum(metres for _, metres in same))


def geojson(way: Way) -> str:
    """A way as a GeoJSON feature (RFC 7946), for a map."""
    return json.dumps(
        {
            "type": "Feature",
            "properties": {"seconds": round(way.seconds), "metres": round(way.metres)},
            "geometry": json.loads(shapely.to_geojson(way.line)),
        }
    )
