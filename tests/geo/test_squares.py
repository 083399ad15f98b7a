"""Squares of a kilometre in the national grid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geo import squares
from geo.coordinates import from_e7, from_utm, to_utm

SQUARES = st.tuples(st.integers(250, 420), st.integers(1_750, 2_050))


@given(st.lists(SQUARES, max_size=5))
def test_corners_are_a_kilometre_apart_and_where_the_grid_has_them(
    said: list[tuple[int, int]],
) -> None:
    found = squares.corners(said)
    assert len(found) == len(said)
    for (east, north), around in zip(said, found, strict=True):
        points = list(zip(around[::2], around[1::2], strict=True))
        for (lon, lat), (right, up) in zip(points, [(0, 0), (1, 0), (1, 1), (0, 1)], strict=True):
            easting, northing = to_utm(from_e7(lon), from_e7(lat))
            # A unit of the wire is about a centimetre.
            assert abs(easting - (east + right) * squares.SIDE_M) < 0.02
            assert abs(northing - (north + up) * squares.SIDE_M) < 0.02


def test_no_square_has_no_corners() -> None:
    assert squares.corners([]) == []
    lon, lat = from_utm(300_000.0, 1_900_000.0)
    assert squares.corners([(300, 1_900)])[0][:2] == [round(lon * 1e7), round(lat * 1e7)]
