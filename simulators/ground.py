"""The schematic roads as files that an operator imports: the roads, and a table of mile markers.

For a demonstration alone: they lie where :mod:`simulators.drawn` drew them, and a mile is reckoned
along the drawn line from its first end. None of it may be used to find a way.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

from simulators import drawn
from simulators.roads import Edge, Point, roads

HIGHWAYS: Final = (
    "Philip Goldson Highway",
    "George Price Highway",
    "Hummingbird Highway",
    "Southern Highway",
)
"""Those along which miles are counted."""
MILE_M: Final = 1_609.344
ROADS_FILE: Final = "roads.osm"
MARKERS_FILE: Final = "markers.csv"


def write(directory: Path) -> None:
    """Write both files into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / ROADS_FILE).write_text("".join(_osm()), encoding="utf-8")
    with (directory / MARKERS_FILE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("kind", "road", "mile", "lat", "lon"))
        for road in HIGHWAYS:
            for mile, (lon, lat) in enumerate(mile_markers(road)):
                table.writerow(("mile_marker", road, mile, f"{lat:.6f}", f"{lon:.6f}"))


def mile_markers(road: str) -> list[Point]:
    """Where the whole miles of a road are, from 0 (longitude, latitude in degrees)."""
    found: list[Point] = []
    before = 0.0
    for edge in _course(road):
        while len(found) * MILE_M <= before + edge.metres:
            lon, lat, _, _ = edge.at(len(found) * MILE_M - before)
            found.append((lon, lat))
        before += edge.metres
    return found


def _course(road: str) -> list[Edge]:
    """The pieces of a road in the direction in which it was drawn."""
    names = next(each for each in drawn.ROADS if each.name == road).course
    stops = [name for name in names if isinstance(name, str)]
    order = {name: at for at, name in enumerate(stops)}
    last = len(stops)
    pieces = [
        edge
        for edge in _one_way()
        if edge.name == road and order.get(edge.start, last) < order.get(edge.end, last)
    ]
    return sorted(pieces, key=lambda edge: order[edge.start])


def _one_way() -> Iterator[Edge]:
    """Every piece of road once, as it was drawn: the network has each in both directions."""
    seen: set[tuple[str, str, str]] = set()
    for edge in roads().edges:
        if (edge.name, edge.end, edge.start) not in seen:
            seen.add((edge.name, edge.start, edge.end))
            yield edge


def _osm() -> Iterator[str]:
    """The roads as OpenStreetMap XML, piece by piece."""
    numbers = {name: number for number, name in enumerate(roads().nodes, 1)}
    ways = []
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">\n'
    for name, number in numbers.items():
        yield _node(number, roads().nodes[name])
    next_number = len(numbers) + 1
    for edge in _one_way():
        between = range(next_number, next_number + len(edge.points) - 2)
        next_number = between.stop
        for number, point in zip(between, edge.points[1:-1], strict=True):
            yield _node(number, point)
        ways.append((edge, [numbers[edge.start], *between, numbers[edge.end]]))
    for number, (edge, passed) in enumerate(ways, 1):
        yield _way(number, edge, passed)
    yield "</osm>\n"


def _node(number: int, point: Point) -> str:
    return f'<node id="{number}" version="1" lat="{point[1]:.7f}" lon="{point[0]:.7f}"/>\n'


def _way(number: int, edge: Edge, passed: list[int]) -> str:
    street = edge.name.endswith(" street")
    kind = "residential" if street else "trunk" if edge.name in HIGHWAYS else "secondary"
    tags = {"highway": kind, "maxspeed": f"{max(edge.limits) * 3.6:.0f}"}
    if not street:
        tags["name"] = edge.name
    refs = "".join(f'<nd ref="{each}"/>' for each in passed)
    said = "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())
    return f'<way id="{number}" version="1">{refs}{said}</way>\n'
