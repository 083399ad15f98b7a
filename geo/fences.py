"""Geofences: which areas a position lies in, and which it entered or left.

How it is fast: the earth is cut into square cells. The first position in a cell asks an STRtree and
prepared polygons, once, which fences cover the whole cell and which only touch it; the answer is
kept. Later positions in that cell cost one dictionary look-up, and only the fences whose border
runs through the cell are asked again, one point-in-polygon test each.

How it stays exact: a cell is classified with a margin far larger than rounding, so that a fence is
taken for granted only where ``covers`` holds for every point of the cell. A point on a border is
inside (as with shapely's ``covers``); a point in a hole is outside, on the border of a hole inside.

Longitudes run from -180 to 180; a fence across the antimeridian is given as two polygons.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, STRtree

EMPTY: Final[frozenset[int]] = frozenset()
"""Inside no fence."""

CELLS_PER_DEGREE: Final = 200
"""Cells of 0.005 degrees, some 550 m: small enough that most cells have no border in them."""

MAX_CELLS: Final = 65_536
"""Cells remembered before all are forgotten and learned again; bounds the memory."""

_MARGIN: Final = 1e-9  # degrees, 0.1 mm; rounding in the cell arithmetic is below 1e-12


class FenceError(ValueError):
    """A polygon, or a set of fences, that cannot be used.

    Attributes:
        code: stable, for programs: ``fence.empty``, ``fence.not_polygon``, ``fence.range``,
            ``fence.invalid``, ``fence.name`` or ``fence.duplicate``.
        text: one plain sentence, for people.
        todo: what to do about it.
    """

    def __init__(self, code: str, text: str, todo: str) -> None:
        super().__init__(f"{text} {todo}")
        self.code = code
        self.text = text
        self.todo = todo


@dataclass(frozen=True, slots=True)
class Fence:
    """A named area that units enter and leave.

    Attributes:
        id: unique among the fences of one index.
        name: for people; not empty.
        agency: id of the owning agency, or None when it belongs to all.
        polygon: WGS84 longitude, latitude; valid, not empty, on the earth. Z values are dropped.

    Raises:
        FenceError: when made from a polygon that cannot be used.
    """

    id: int
    name: str
    agency: int | None
    polygon: Polygon | MultiPolygon

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise FenceError("fence.name", "The fence has no name.", "Give it a name.")
        check_polygon(self.polygon, self.name)
        if shapely.has_z(self.polygon):
            object.__setattr__(self, "polygon", shapely.force_2d(self.polygon))


class Crossings(NamedTuple):
    """What one position did to the fences a unit is in (fence ids).

    Attributes:
        inside: the fences the position lies in; pass it as ``before`` with the next position.
        entered: in ``inside`` and not in ``before``.
        left: in ``before`` and no longer in ``inside``.
    """

    inside: frozenset[int]
    entered: frozenset[int]
    left: frozenset[int]


_NOWHERE: Final = Crossings(EMPTY, EMPTY, EMPTY)


class _Cell(NamedTuple):
    """What is known of one cell.

    Attributes:
        covering: fences that cover all of it.
        unchanged: the answer for a position that was and stays in exactly ``covering``.
        crossing: fences whose border runs through it.
        polygons: their prepared polygons, as an array: shapely answers faster for one than for a
            single polygon, and hardly slower for eight.
    """

    covering: frozenset[int]
    unchanged: Crossings
    crossing: tuple[int, ...]
    polygons: NDArray[np.object_]

    def inside(self, lon: float, lat: float) -> frozenset[int]:
        """The fences that cover a point of this cell."""
        if not self.crossing:
            return self.covering
        # For a point, intersects is covers; the _xy form spares making a Point.
        hits = shapely.intersects_xy(self.polygons, lon, lat).tolist()
        if True in hits:
            return self.covering.union(compress(self.crossing, hits))
        return self.covering


class FenceIndex:
    """An immutable set of fences; make a new one when a fence changes.

    The answers never change; only the memory of cells fills. Use from one thread.

    Args:
        fences: any number, with different ids.

    Raises:
        FenceError: ``fence.duplicate`` when two fences have the same id.
    """

    __slots__ = ("_bounds", "_cells", "_fences", "_ids", "_polygons", "_tree")

    def __init__(self, fences: Iterable[Fence]) -> None:
        kept = tuple(fences)
        self._fences = {fence.id: fence for fence in kept}
        if len(self._fences) != len(kept):
            raise FenceError(
                "fence.duplicate",
                "Two fences have the same id.",
                "Give every fence an id of its own.",
            )
        self._ids = tuple(fence.id for fence in kept)
        self._polygons = tuple(fence.polygon for fence in kept)
        shapely.prepare(np.array(self._polygons, dtype=object))
        self._tree = STRtree(self._polygons)
        # Most positions of the world are near no fence at all: an empty set has NaN bounds, for
        # which every comparison is false, so that it answers "nowhere" too.
        west, south, east, north = (
            shapely.total_bounds(np.array(self._polygons, dtype=object)).tolist()
            if kept
            else [math.nan] * 4
        )
        self._bounds = (west, south, east, north)
        self._cells: dict[tuple[int, int], _Cell] = {}

    def __len__(self) -> int:
        """How many fences."""
        return len(self._ids)

    def __getitem__(self, fence_id: int) -> Fence:
        """The fence with this id; KeyError when there is none."""
        return self._fences[fence_id]

    def containing(self, lon: float, lat: float) -> frozenset[int]:
        """Ids of the fences that cover the point, borders included; empty for NaN."""
        west, south, east, north = self._bounds
        if not (west <= lon <= east and south <= lat <= north):
            return EMPTY
        key = (math.floor(lon * CELLS_PER_DEGREE), math.floor(lat * CELLS_PER_DEGREE))
        return (self._cells.get(key) or self._learn(key)).inside(lon, lat)

    def crossings(self, before: frozenset[int], lon: float, lat: float) -> Crossings:
        """What a unit that was inside ``before`` entered and left by coming to this point.

        Start with ``EMPTY`` for a unit without history, or with ``containing`` of its last known
        position when its arrival shall not count as entering.
        """
        west, south, east, north = self._bounds
        if west <= lon <= east and south <= lat <= north:
            # The same steps as in containing(), written out: this runs for every position.
            key = (math.floor(lon * CELLS_PER_DEGREE), math.floor(lat * CELLS_PER_DEGREE))
            cell = self._cells.get(key) or self._learn(key)
            inside = cell.inside(lon, lat) if cell.crossing else cell.covering
            if inside == before:
                if inside is cell.covering:
                    return cell.unchanged
                return Crossings(before, EMPTY, EMPTY)
        else:
            if not before:
                return _NOWHERE
            inside = EMPTY
        return Crossings(inside, inside - before, before - inside)

    def _learn(self, key: tuple[int, int]) -> _Cell:
        if len(self._cells) >= MAX_CELLS:
            self._cells.clear()
        west, south = key[0] / CELLS_PER_DEGREE, key[1] / CELLS_PER_DEGREE
        size = 1.0 / CELLS_PER_DEGREE
        box = shapely.box(
            west - _MARGIN, south - _MARGIN, west + size + _MARGIN, south + size + _MARGIN
        )
        covering: list[int] = []
        crossing: list[int] = []
        polygons: list[Polygon | MultiPolygon] = []
        # query() returns positions in the order of the tree, not of the fences: sort them, so that
        # the same fences give the same order of work everywhere.
        for at in sorted(self._tree.query(box, predicate="intersects").tolist()):
            if shapely.covers(self._polygons[at], box):
                covering.append(self._ids[at])
            else:
                crossing.append(self._ids[at])
                polygons.append(self._polygons[at])
        known = frozenset(covering) or EMPTY
        asked = np.array(polygons, dtype=object)
        cell = _Cell(known, Crossings(known, EMPTY, EMPTY), tuple(crossing), asked)
        self._cells[key] = cell
        return cell


def check_polygon(polygon: object, name: str = "") -> None:
    """Refuse what cannot be a fence, with a sentence a person can act on.

    Args:
        polygon: should be a shapely Polygon or MultiPolygon in longitude, latitude.
        name: mentioned in the sentence when given.

    Raises:
        FenceError: not a polygon, empty, off the earth, or not valid by the rules of OGC Simple
            Features (ISO 19125-1, 6.1.11), such as a border that crosses itself.
    """
    what = f"The area “{name}”" if name.strip() else "The area"
    if not isinstance(polygon, Polygon | MultiPolygon):
        raise FenceError(
            "fence.not_polygon", f"{what} is not a polygon.", "Draw a closed area, not a line."
        )
    if polygon.is_empty:
        raise FenceError("fence.empty", f"{what} has no points.", "Draw at least three points.")
    points = shapely.get_coordinates(polygon)
    on_earth = (np.abs(points[:, 0]) <= 180.0) & (np.abs(points[:, 1]) <= 90.0)
    if not bool(on_earth.all()):
        lon, lat = points[~on_earth][0].tolist()
        raise FenceError(
            "fence.range",
            f"{what} has a point that is not on the earth (longitude {lon:g}, latitude {lat:g}).",
            "Give longitude -180 to 180 first, then latitude -90 to 90.",
        )
    if not shapely.is_valid(polygon):
        raise FenceError("fence.invalid", *_why_invalid(polygon, what))


def _why_invalid(polygon: Polygon | MultiPolygon, what: str) -> tuple[str, str]:
    # GEOS says for example "Self-intersection[-88.2 17.5]".
    reason, _, place = str(shapely.is_valid_reason(polygon)).partition("[")
    where = ""
    numbers = place.rstrip("]").split()
    if len(numbers) >= 2:
        where = f" near longitude {float(numbers[0]):.5f}, latitude {float(numbers[1]):.5f}"
    reason = reason.strip().lower()
    if "self-intersection" in reason:
        return f"The border of {what[0].lower()}{what[1:]} crosses itself{where}.", (
            "Move the points so that the border does not cross itself."
        )
    if "hole" in reason:
        return f"{what} has a hole that does not lie inside it{where}.", "Move or remove the hole."
    if "nested" in reason or "duplicate" in reason:
        return f"{what} has parts that lie over each other{where}.", "Join the parts into one."
    return f"{what} is not a usable polygon ({reason}){where}.", "Draw it again."
