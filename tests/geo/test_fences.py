"""Fences: the index answers as shapely does, and what cannot be a fence is refused in words."""

from __future__ import annotations

import math
import random
import struct
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon

from geo import fences
from geo.fences import EMPTY, Crossings, Fence, FenceError, FenceIndex

SQUARE = Polygon([(-88.5, 17.0), (-88.0, 17.0), (-88.0, 17.5), (-88.5, 17.5)])


def fence(polygon: Polygon | MultiPolygon, number: int = 1) -> Fence:
    return Fence(number, f"Area {number}", None, polygon)


def brute_force(kept: list[Fence], lon: float, lat: float) -> frozenset[int]:
    return frozenset(f.id for f in kept if shapely.covers(f.polygon, Point(lon, lat)))


def from_numbers(*numbers: float) -> object:
    """A polygon as it arrives in well-known binary, where shapely itself checks nothing."""
    head = struct.pack("<BIII", 1, 3, 1, len(numbers) // 2)
    with np.errstate(invalid="ignore"):
        return shapely.from_wkb(head + struct.pack(f"<{len(numbers)}d", *numbers))


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """A star-shaped polygon from 50 m to 20 km across, now and then with a hole; always valid."""
    lon, lat = draw(st.floats(-88.3, -88.1)), draw(st.floats(17.3, 17.5))
    size = draw(st.floats(0.0005, 0.2))
    count = draw(st.integers(3, 12))
    radii = draw(st.lists(st.floats(0.4, 1.0), min_size=count, max_size=count))
    shell = [
        (lon + size * r * math.cos(2 * math.pi * k / count),
         lat + size * r * math.sin(2 * math.pi * k / count))
        for k, r in enumerate(radii)
    ]  # fmt: skip
    if count >= 5 and draw(st.booleans()):
        return Polygon(shell, [[(lon + 0.2 * (x - lon), lat + 0.2 * (y - lat)) for x, y in shell]])
    return Polygon(shell)


@st.composite
def grid_boxes(draw: st.DrawFn) -> Polygon:
    """A box whose borders lie exactly on the borders of cells: the hardest case for an index."""
    step = 1 / fences.CELLS_PER_DEGREE
    west, south = draw(st.integers(-17_660, -17_620)), draw(st.integers(3_460, 3_500))
    wide, high = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    return shapely.box(west * step, south * step, (west + wide) * step, (south + high) * step)


shapes = st.one_of(
    stars(),
    grid_boxes(),
    st.tuples(stars(), stars())
    .map(lambda pair: shapely.unary_union(list(pair)))
    .filter(lambda g: isinstance(g, Polygon | MultiPolygon) and g.is_valid),
)


@settings(max_examples=150)
@given(st.lists(shapes, max_size=6), st.randoms(use_true_random=False))
def test_every_answer_equals_brute_force(
    polygons: list[Polygon | MultiPolygon], rnd: random.Random
) -> None:
    kept = [fence(polygon, number) for number, polygon in enumerate(polygons)]
    index = FenceIndex(kept)
    points = [(rnd.uniform(-88.5, -87.9), rnd.uniform(17.1, 17.7)) for _ in range(40)]
    for polygon in polygons:
        corners = shapely.get_coordinates(polygon).tolist()
        for (x1, y1), (x2, y2) in pairwise(corners):
            along = rnd.random()
            points += [(x1, y1), ((x1 + x2) / 2, (y1 + y2) / 2)]
            points.append((x1 + along * (x2 - x1), y1 + along * (y2 - y1)))
            points.append((math.nextafter(x1, -200), math.nextafter(y1, 100)))
    before = EMPTY
    for lon, lat in points:
        expected = brute_force(kept, lon, lat)
        assert index.containing(lon, lat) == expected
        crossed = index.crossings(before, lon, lat)
        assert crossed == Crossings(expected, expected - before, before - expected)
        before = crossed.inside


def test_borders_and_corners_are_inside_and_holes_are_not() -> None:
    hole = [(-88.3, 17.2), (-88.2, 17.2), (-88.2, 17.3), (-88.3, 17.3)]
    index = FenceIndex([fence(Polygon(SQUARE.exterior.coords, [hole]))])
    assert index.containing(-88.5, 17.0) == {1}
    assert index.containing(-88.0, 17.25) == {1}
    assert index.containing(-88.3, 17.25) == {1}
    assert index.containing(-88.25, 17.25) == EMPTY
    assert index.containing(-88.5000001, 17.25) == EMPTY


def test_a_trip_in_and_out_tells_each_crossing_once() -> None:
    other = Polygon([(-88.2, 17.0), (-87.5, 17.0), (-87.5, 17.5), (-88.2, 17.5)])
    index = FenceIndex([fence(SQUARE, 1), fence(other, 2)])
    told = []
    inside = EMPTY
    for step in range(-900, -740):
        crossed = index.crossings(inside, step / 10, 17.25)
        inside = crossed.inside
        if crossed.entered or crossed.left:
            told.append((step / 10, set(crossed.entered), set(crossed.left)))
    assert told == [
        (-88.5, {1}, set()),
        (-88.2, {2}, set()),
        (-87.9, set(), {1}),
        (-87.4, set(), {2}),
    ]


def test_a_fence_of_the_index_before_is_left_when_it_is_gone() -> None:
    index = FenceIndex([])
    assert index.crossings(frozenset({7}), -88.2, 17.2) == Crossings(EMPTY, EMPTY, frozenset({7}))
    assert index.crossings(EMPTY, -88.2, 17.2) == Crossings(EMPTY, EMPTY, EMPTY)


@pytest.mark.parametrize(
    "position", [(math.nan, 17.2), (-88.2, math.nan), (math.inf, 17.2), (-200, 95)]
)
def test_what_is_no_position_is_nowhere(position: tuple[float, float]) -> None:
    index = FenceIndex([fence(SQUARE)])
    assert index.containing(*position) == EMPTY
    assert index.crossings(frozenset({1}), *position).left == {1}


def test_memory_stays_bounded_when_positions_come_from_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fences, "MAX_CELLS", 50)
    world = fence(shapely.box(-180, -90, 180, 90), 1)
    index = FenceIndex([world, fence(SQUARE, 2)])
    rnd = random.Random(4)
    for _ in range(300):
        lon, lat = rnd.uniform(-180, 180), rnd.uniform(-90, 90)
        assert index.containing(lon, lat) == brute_force([world, fence(SQUARE, 2)], lon, lat)
        assert len(index._cells) <= 50
    assert index.containing(180, 90) == {1}
    assert index.containing(-180, -90) == {1}


def test_an_index_gives_its_fences_back() -> None:
    one = Fence(5, "Port", 3, SQUARE)
    index = FenceIndex([one])
    assert index[5] is one
    assert len(index) == 1
    with pytest.raises(KeyError):
        index[6]


def test_heights_are_dropped() -> None:
    high = Polygon([(-88.5, 17.0, 9.0), (-88.0, 17.0, 9.0), (-88.0, 17.5, 9.0)])
    assert not fence(high).polygon.has_z
    assert FenceIndex([fence(high)]).containing(-88.1, 17.1) == {1}


BOWTIE = Polygon([(-88.5, 17.0), (-88.0, 17.5), (-88.0, 17.0), (-88.5, 17.5)])
OVERLAPPING = MultiPolygon([SQUARE, SQUARE.buffer(-0.1)])
LOOSE_HOLE = Polygon(SQUARE.exterior.coords, [[(-80, 10), (-79, 10), (-79, 11)]])


@pytest.mark.parametrize(
    ("shape", "code", "says"),
    [
        (BOWTIE, "fence.invalid", "crosses itself near longitude -88.25000, latitude 17.25000"),
        (LOOSE_HOLE, "fence.invalid", "hole that does not lie inside"),
        (OVERLAPPING, "fence.invalid", "parts that lie over each other"),
        (Polygon([(0, 0), (1, 1), (0, 0)]), "fence.invalid", "not a usable polygon"),
        (Polygon(), "fence.empty", "no points"),
        (MultiPolygon(), "fence.empty", "no points"),
        (LineString([(0, 0), (1, 1)]), "fence.not_polygon", "not a polygon"),
        (None, "fence.not_polygon", "not a polygon"),
        (Polygon([(17, -88), (17, -95), (18, -95)]), "fence.range", "latitude -95"),
        (Polygon([(0, 0), (math.inf, 1), (0, 1)]), "fence.range", "not on the earth"),
        (from_numbers(0, 0, math.nan, 1, 0, 1, 0, 0), "fence.range", "not on the earth"),
    ],
)
def test_what_cannot_be_a_fence_is_refused_in_plain_words(
    shape: object, code: str, says: str
) -> None:
    with pytest.raises(FenceError) as caught:
        fences.check_polygon(shape, "Harbour")
    assert caught.value.code == code
    assert says in caught.value.text
    assert "arbour" in caught.value.text
    assert caught.value.todo.endswith(".")


def test_a_fence_is_checked_when_it_is_made() -> None:
    with pytest.raises(FenceError, match="crosses itself"):
        fence(BOWTIE)
    with pytest.raises(FenceError, match="no name"):
        Fence(1, "  ", None, SQUARE)


def test_two_fences_with_one_id_are_refused() -> None:
    with pytest.raises(FenceError) as caught:
        FenceIndex([fence(SQUARE, 1), fence(SQUARE.buffer(0.1), 1)])
    assert caught.value.code == "fence.duplicate"
