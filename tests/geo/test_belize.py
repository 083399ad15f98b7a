"""The country's facts hold together: places lie in their districts, areas are about right."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import shapely
from pyproj import Geod
from shapely.geometry import Point, shape

from geo import belize

ROOT = Path(__file__).resolve().parents[2]

# What the simplified polygons should come to, in km²; 22,966 is the country's true area.
AREAS = {
    "BZ-BZ": 3_600, "BZ-CY": 5_270, "BZ-CZL": 2_000, "BZ-OW": 4_750, "BZ-SC": 2_480, "BZ-TOL": 4_360
}  # fmt: skip


def test_there_are_six_districts_with_their_codes_and_areas() -> None:
    earth = Geod(ellps="WGS84")
    areas = {
        d.code: abs(earth.geometry_area_perimeter(d.shape)[0]) / 1e6 for d in belize.districts()
    }
    assert areas == pytest.approx(AREAS, rel=0.03)
    assert sum(areas.values()) == pytest.approx(22_966, rel=0.03)
    assert [d.name for d in belize.districts()] == [
        "Belize", "Cayo", "Corozal", "Orange Walk", "Stann Creek", "Toledo"
    ]  # fmt: skip
    assert all(d.shape.is_valid for d in belize.districts())


def test_every_place_lies_in_its_district() -> None:
    wrong = [
        place.name
        for place in belize.places()
        if (found := belize.district_of(place.lon, place.lat)) is None
        or found.code != place.district
    ]
    # GeoNames has this one on the other side of the border between Cayo and Stann Creek.
    assert wrong == ["Valley Community"]


def test_cities_and_towns() -> None:
    kinds = {kind: [p.name for p in belize.places() if p.kind == kind] for kind in ("city", "town")}
    assert kinds["city"] == ["Belize City", "Belmopan"]
    assert sorted(kinds["town"]) == [
        "Benque Viejo el Carmen", "Corozal", "Dangriga", "Orange Walk", "Punta Gorda",
        "San Ignacio", "San Pedro", "Santa Elena",
    ]  # fmt: skip
    assert len(belize.places()) == 138


def test_cayes_are_where_the_coastline_has_an_island() -> None:
    coast = json.loads((ROOT / "dispatch/web/public/geo/land.json").read_text())
    land = shapely.union_all([shape(each["geometry"]) for each in coast["features"]])
    for caye in belize.cayes():
        assert land.distance(Point(caye.lon, caye.lat)) * 111 < 1, caye.name
    names = [name for each in belize.cayes() for name in (each.name, *each.other_names)]
    assert len(names) == len(set(names))
    assert not {each.name for each in belize.cayes()} & {each.name for each in belize.places()}


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (-88.19756, 17.49952, "BZ-BZ"),
        (-87.897, 17.412, "BZ-BZ"),  # Turneffe
        (-87.5, 17.44, "BZ-BZ"),  # Lighthouse Reef, its northern caye
        (-88.0409, 16.437, "BZ-SC"),
        (-88.36647, 16.51419, "BZ-SC"),  # Placencia, off the simplified coast
        (-88.8, 16.1, "BZ-TOL"),
    ],
)
def test_points_have_a_district(lon: float, lat: float, code: str) -> None:
    found = belize.district_of(lon, lat)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(-87.3, 17.0), (-90.5, 17.0), (-88.3, 18.6), (0, 0), (math.nan, 17), (-88, math.inf)],
)
def test_the_open_sea_and_neighbours_have_none(lon: float, lat: float) -> None:
    assert belize.district_of(lon, lat) is None


def test_bounds_hold_everything() -> None:
    box = shapely.box(*belize.BOUNDS)
    assert all(box.covers(d.shape) for d in belize.districts())
    assert all(box.covers(shapely.Point(p.lon, p.lat)) for p in belize.places())
    assert belize.mainland().covers(shapely.Point(belize.CENTRE))


def test_the_mainland_has_no_cayes() -> None:
    assert not belize.mainland().covers(shapely.Point(-87.897, 17.412))
    assert belize.mainland().area == pytest.approx(
        sum(d.shape.area for d in belize.districts()), rel=0.03
    )


def test_places_are_found_by_name_by_its_beginning_and_in_a_district() -> None:
    city = belize.find_place("belize city")
    assert city is not None
    assert (city.lon, city.lat) == (-88.19756, 17.49952)
    benque = belize.find_place("Benque")
    assert benque is not None
    assert benque.kind == "town"
    columbia = belize.find_place("San Pedro", "BZ-TOL")
    assert columbia is not None
    assert columbia.district == "BZ-TOL"
    assert belize.find_place("Atlantis") is None
    assert belize.find_place("  ") is None


def test_the_nearest_place_says_where_a_point_is() -> None:
    place, metres = belize.nearest_place(-88.2, 17.5)
    assert place.name == "Belize City"
    assert metres == pytest.approx(264, abs=30)


@pytest.mark.parametrize(("lon", "lat"), [(-88.2, 17.5), (-85.0, 20.0), (-90.5, 14.6)])
def test_what_is_near_is_no_doubt(lon: float, lat: float) -> None:
    assert belize.doubt(lon, lat) is None


@pytest.mark.parametrize(
    ("lon", "lat", "swapped"),
    [(17.5, -88.2, True), (17.5, -89.0, True), (0.0, 0.0, False), (-0.1, 51.5, False)],
)
def test_what_is_far_is_told_with_what_was_probably_meant(
    lon: float, lat: float, swapped: bool
) -> None:
    said = belize.doubt(lon, lat)
    assert said is not None and said.endswith(".") and "km from Belize" in said
    assert ("look swapped" in said) == swapped


@pytest.mark.parametrize(
    ("lon", "lat", "metres"),
    [
        (-88.76, 17.25, 0),  # Belmopan
        (-87.897, 17.412, 0),  # Turneffe
        (-87.3, 17.0, 29_000),  # beyond Lighthouse Reef
        (-90.51, 14.63, 194_000),  # Guatemala City
    ],
)
def test_how_far_a_point_is_from_the_country(lon: float, lat: float, metres: float) -> None:
    assert belize.away_m(lon, lat) == pytest.approx(metres, abs=4_000)


@pytest.mark.parametrize(("lon", "lat"), [(math.nan, 17), (-88, math.inf)])
def test_what_is_no_position_is_infinitely_far(lon: float, lat: float) -> None:
    assert belize.away_m(lon, lat) == math.inf


@pytest.mark.parametrize(
    ("lon", "lat", "ground"),
    [
        (-88.76, 17.25, "land"),
        (-87.96, 17.92, "land"),
        (-88.36647, 16.51419, "shore"),
        (-88.0, 17.0, "sea"),
        (-87.0, 16.5, "sea"),
        (-89.9, 17.0, None),  # Petén
        (-87.7, 18.4, None),  # Yucatán
        (-86.5, 17.0, None),
        (0, 0, None),
    ],
)
def test_land_and_sea_are_told_where_that_is_known(
    lon: float, lat: float, ground: str | None
) -> None:
    assert belize.ground(lon, lat) == ground
