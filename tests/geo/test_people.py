"""People in an area: an estimate that adds up."""

from __future__ import annotations

import shapely

from geo import belize, people


def test_the_whole_country_has_all_its_people() -> None:
    west, south, east, north = belize.BOUNDS
    assert people.inside(shapely.box(west - 1, south - 1, east + 1, north + 1)) == 400_000
    assert people.inside(shapely.box(0, 0, 1, 1)) == 0


def test_half_a_town_has_half_of_its_people() -> None:
    city = next(each for each in belize.places() if each.name == "Belize City")
    whole = people.inside(
        shapely.box(city.lon - 0.05, city.lat - 0.05, city.lon + 0.05, city.lat + 0.05)
    )
    west = people.inside(shapely.box(city.lon - 0.05, city.lat - 0.05, city.lon, city.lat + 0.05))
    assert 60_000 < whole < 75_000 and 0.4 * whole < west < 0.6 * whole


def test_districts_together_have_nearly_everybody() -> None:
    sums = sum(people.inside(each.shape) for each in belize.districts())
    assert 0.85 * people.CENSUS < sums < 1.02 * people.CENSUS
