"""The grid that blurs places: squares of a kilometre that tell nothing finer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo import grid

longitudes = st.integers(-1_800_000_000, 1_800_000_000)
latitudes = st.integers(-900_000_000, 900_000_000)
GEOD = Geod(ellps="WGS84")


def metres(a: tuple[int, int], b: tuple[int, int]) -> float:
    return float(GEOD.inv(a[0] / 1e7, a[1] / 1e7, b[0] / 1e7, b[1] / 1e7)[2])


@given(longitudes, latitudes)
def test_the_middle_of_a_square_is_its_own_and_is_near(lon: int, lat: int) -> None:
    middle = grid.middle(lon, lat)
    assert grid.middle(*middle) == middle
    # Next to a pole the few squares of a row are wedges of a turn.
    if abs(lat) < 899_000_000:
        assert metres((lon, lat), middle) <= grid.REACH_M * 1.02


@given(longitudes, latitudes)
def test_it_stays_on_the_earth(lon: int, lat: int) -> None:
    east, north = grid.middle(lon, lat)
    assert -1_800_000_000 <= east <= 1_800_000_000
    assert -900_000_000 < north < 900_000_000


@pytest.mark.parametrize("lat", [0, 172_000_000, 185_000_000, -600_000_000])
def test_a_square_is_about_a_kilometre_each_way(lat: int) -> None:
    here = grid.middle(-881_900_000, lat)
    right = next(m for e in range(0, 400_000, 500) if (m := grid.middle(here[0] + e, lat)) != here)
    above = next(
        m for n in range(0, 400_000, 500) if (m := grid.middle(here[0], here[1] + n)) != here
    )
    assert 990 < metres(here, right) < 1_015
    assert 990 < metres(here, (here[0], above[1])) < 1_010


def test_both_names_of_the_date_line_are_one_place() -> None:
    assert grid.middle(1_800_000_000, 0) == grid.middle(-1_800_000_000, 0)


@given(st.integers(-892_000_000, -878_000_000), st.integers(159_000_000, 185_000_000))
def test_few_squares_cover_belize_so_a_square_tells_little(lon: int, lat: int) -> None:
    """Not one place in Belize has a square of its own: neighbours 400 m away share some."""
    middle = grid.middle(lon, lat)
    around = {
        grid.middle(middle[0] + e, middle[1] + n)
        for e in (-30_000, 30_000)
        for n in (-30_000, 30_000)
    }
    assert around == {middle}
