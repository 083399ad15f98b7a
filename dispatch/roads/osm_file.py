"""Reads roads out of a file of OpenStreetMap (PBF or XML) and cuts them where they meet.

libosmium (``osmium``) reads the file; what a tag means stands in ``dispatch.roads.osm_tags``. A way
is cut at every point that another way, or itself, passes too. Such a point is a node, under its
number in OpenStreetMap. Turn restrictions, barriers and ferries are left out (docs/decisions/0019).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import osmium
import shapely

from dispatch.roads.osm_tags import Driving, driving
from geo.coordinates import distance_m, is_position
from psn.problems import Problem

MOST_NAME: Final = 200
"""Characters of a name that are kept."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A piece of road between two nodes.

    ``metres``: its length. ``forward_s``, ``backward_s``: seconds to drive it at ordinary speed;
    None where that direction is not allowed. ``line``: its course in degrees. ``ref``: its number.
    """

    source: int
    target: int
    kind: str
    name: str | None
    ref: str | None
    metres: float
    forward_s: float | None
    backward_s: float | None
    line: shapely.LineString


@dataclass(frozen=True, slots=True)
class ReadRoads:
    """What a file has: edges, and where their nodes are (longitude, latitude in degrees)."""

    edges: list[Edge]
    nodes: dict[int, tuple[float, float]]

    @property
    def metres(self) -> float:
        """Length of all roads."""
        return sum(edge.metres for edge in self.edges)


@dataclass(frozen=True, slots=True)
class _Way:
    driven: Driving
    name: str | None
    ref: str | None
    nodes: list[tuple[int, float, float]]


def read(path: Path) -> ReadRoads:
    """The roads of a file.

    Raises :class:`Problem`: ``unreadable_file``, ``not_osm``, ``broken_osm`` or ``no_roads``.
    """
    kind = _format(path)
    try:
        ways = list(_ways(osmium.io.File(str(path), kind)))
    except (RuntimeError, ValueError, OverflowError, osmium.InvalidLocationError) as error:
        said = " ".join(str(error).split())[:200].rstrip(".")
        raise Problem(
            "broken_osm",
            f"{path.name} is broken: {said}.",
            "Fetch it again, and compare its checksum; the roads of before are still there.",
        ) from None
    passed = Counter(ref for way in ways for ref, _, _ in way.nodes)
    edges = [edge for way in ways for edge in _cut(way, passed)]
    if not edges:
        raise Problem(
            "no_roads",
            f"{path.name} has no road on which vehicles drive.",
            "Give an extract with ways tagged highway, and with their nodes.",
        )
    ends = {number for edge in edges for number in (edge.source, edge.target)}
    nodes = {number: (lon, lat) for way in ways for number, lon, lat in way.nodes if number in ends}
    return ReadRoads(edges, nodes)


def _format(path: Path) -> str:
    """Which of the two formats a file begins like, whatever it is called."""
    try:
        with path.open("rb") as file:
            begin = file.read(200)
    except OSError as error:
        raise Problem(
            "unreadable_file",
            f"{path.name} cannot be read: {error.strerror or error}.",
            "Give a file that this user may read.",
        ) from None
    # PBF: length of the first block's header, then its type (wiki, PBF Format).
    if begin[4:].startswith(b"\x0a\x09OSMHeader"):
        return "pbf"
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<osm") or (text.startswith(b"<?xml") and b"<osm" in begin):
        return "osm"
    what = "is empty" if not begin else "is not OpenStreetMap data"
    raise Problem(
        "not_osm",
        f"{path.name} {what}.",
        "Give an extract as .osm.pbf or .osm, such as one of Belize from download.geofabrik.de.",
    )


def _ways(file: osmium.io.File) -> Iterator[_Way]:
    """Ways that vehicles use, without points whose place the file does not have."""
    roads = osmium.filter.KeyFilter("highway")
    roads.enable_for(osmium.osm.WAY)
    places = osmium.filter.EntityFilter(osmium.osm.NODE | osmium.osm.WAY)
    wanted = osmium.FileProcessor(file).with_locations().with_filter(places).with_filter(roads)
    for way in wanted:
        if not isinstance(way, osmium.osm.Way):
            continue
        tags = dict(way.tags)
        driven = driving(tags)
        if driven is None:
            continue
        points: list[tuple[int, float, float]] = []
        for node in way.nodes:
            if not node.location.valid() or (points and points[-1][0] == node.ref):
                continue
            lon, lat = node.lon, node.lat
            if is_position(lon, lat):
                points.append((node.ref, lon, lat))
        yield _Way(driven, _text(tags.get("name")), _text(tags.get("ref")), points)


def _text(said: str | None) -> str | None:
    kept = "".join(letter for letter in said or "" if letter.isprintable())[:MOST_NAME].strip()
    return kept or None


def _cut(way: _Way, passed: Counter[int]) -> Iterator[Edge]:
    begin = 0
    for at in range(1, len(way.nodes)):
        if at == len(way.nodes) - 1 or passed[way.nodes[at][0]] > 1:
            yield _edge(way, way.nodes[begin : at + 1])
            begin = at


def _edge(way: _Way, points: list[tuple[int, float, float]]) -> Edge:
    metres = sum(distance_m(*before[1:], *after[1:]) for before, after in pairwise(points))
    seconds = metres / (way.driven.km_h / 3.6)
    return Edge(
        points[0][0],
        points[-1][0],
        way.driven.kind,
        way.name,
        way.ref,
        metres,
        seconds if way.driven.forward else None,
        seconds if way.driven.backward else None,
        shapely.LineString([point[1:] for point in points]),
    )
