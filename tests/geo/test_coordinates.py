"""Positions: range checks, wire integers, distances against PROJ, the grid, and how they read."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyproj import Proj

from geo import coordinates
from geo.coordinates import CoordinateError

BELIZE_CITY = (-88.19756, 17.49952)
SAN_PEDRO = (-87.9659, 17.91598)

lons = st.floats(-180, 180)
lats = st.floats(-90, 90)


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 0), (180, 90), (-180, -90), (-88.2, 17.5), (-0.0, -0.0)]
)
def test_positions_on_the_earth_pass(lon: float, lat: float) -> None:
    coordinates.check(lon, lat)
    assert coordinates.is_position(lon, lat)


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (math.nan, 17.5, "position.not_a_number"),
        (-88.2, math.nan, "position.not_a_number"),
        (math.inf, 17.5, "position.not_a_number"),
        (-88.2, -math.inf, "position.not_a_number"),
        (-88.2, 90.0000001, "position.latitude_range"),
        (17.5, -188.2, "position.latitude_range"),
        (180.0000001, 17.5, "position.longitude_range"),
    ],
)
def test_anything_else_is_refused_with_a_code_and_a_sentence(
    lon: float, lat: float, code: str
) -> None:
    with pytest.raises(CoordinateError) as caught:
        coordinates.check(lon, lat)
    assert caught.value.code == code
    assert caught.value.text.endswith(".")
    assert caught.value.todo.endswith(".")
    assert not coordinates.is_position(lon, lat)


@given(st.integers(-1_800_000_000, 1_800_000_000))
def test_every_wire_integer_survives_the_way_through_degrees(value: int) -> None:
    assert coordinates.to_e7(coordinates.from_e7(value)) == value


@given(lons)
def test_degrees_become_the_nearest_wire_integer(degrees: float) -> None:
    assert abs(coordinates.from_e7(coordinates.to_e7(degrees)) - degrees) <= 0.5000001e-7


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_wire_integer_for_what_is_no_number(value: float) -> None:
    with pytest.raises(CoordinateError, match="not a number"):
        coordinates.to_e7(value)


def test_belize_city_to_san_pedro() -> None:
    exact = coordinates.geodesic_m(*BELIZE_CITY, *SAN_PEDRO)
    assert exact == pytest.approx(52_225, abs=100)  # from northings and eastings by hand
    assert coordinates.distance_m(*BELIZE_CITY, *SAN_PEDRO) == pytest.approx(exact, rel=0.004)
    assert coordinates.bearing_deg(*BELIZE_CITY, *SAN_PEDRO) == pytest.approx(28, abs=1)


@given(lons, lats, lons, lats)
@example(0.0, 0.0, 180.0, 0.0)
@example(-88.2, 17.5, 91.8, -17.5)
def test_the_fast_distance_is_close_to_the_exact_one(
    lon1: float, lat1: float, lon2: float, lat2: float
) -> None:
    exact = coordinates.geodesic_m(lon1, lat1, lon2, lat2)
    fast = coordinates.distance_m(lon1, lat1, lon2, lat2)
    assert fast == pytest.approx(exact, rel=0.006, abs=1e-3)
    assert fast == pytest.approx(coordinates.distance_m(lon2, lat2, lon1, lat1), abs=1e-3)


@given(lons, lats, lons, lats)
@example(0.0, 0.0, -1e-300, 1.0)
def test_bearings_stay_in_their_range(lon1: float, lat1: float, lon2: float, lat2: float) -> None:
    assert 0.0 <= coordinates.bearing_deg(lon1, lat1, lon2, lat2) < 360.0


@pytest.mark.parametrize(
    ("to", "bearing"), [((0, 1), 0.0), ((1, 0), 90.0), ((0, -1), 180.0), ((-1, 0), 270.0)]
)
def test_bearings_count_clockwise_from_north(to: tuple[float, float], bearing: float) -> None:
    assert coordinates.bearing_deg(0, 0, *to) == pytest.approx(bearing)


@given(st.floats(-89.3, -87.3), st.floats(15.8, 18.6), st.floats(0, 359.9), st.floats(0, 100_000))
def test_a_destination_is_as_far_away_as_asked(
    lon: float, lat: float, bearing: float, metres: float
) -> None:
    there = coordinates.destination(lon, lat, bearing, metres)
    assert coordinates.geodesic_m(lon, lat, *there) == pytest.approx(metres, abs=1e-3)


def test_the_central_meridian_of_zone_16_is_at_500_km() -> None:
    easting, northing = coordinates.to_utm(-87.0, 0.0)
    assert (easting, northing) == pytest.approx((500_000.0, 0.0), abs=1e-3)


@given(st.floats(-89.3, -87.3), st.floats(15.8, 18.6))
def test_the_grid_leads_back_to_the_same_place(lon: float, lat: float) -> None:
    assert coordinates.from_utm(*coordinates.to_utm(lon, lat)) == pytest.approx(
        (lon, lat), abs=1e-9
    )


def test_grid_points_without_meaning_are_refused() -> None:
    with pytest.raises(CoordinateError) as caught:
        coordinates.from_utm(math.inf, 0.0)
    assert caught.value.code == "position.outside_grid"
    with pytest.raises(CoordinateError):
        coordinates.to_utm(-188.0, 17.0)


@pytest.mark.parametrize(
    ("lon", "lat", "text"),
    [
        (-88.19756, 17.49952, "17°29.971'N 088°11.854'W"),
        (0.0, -0.0, "00°00.000'N 000°00.000'E"),
        (-1e-9, -1e-9, "00°00.000'N 000°00.000'E"),
        (180.0, -90.0, "90°00.000'S 180°00.000'E"),
        (-87.9999999, 16.9999999, "17°00.000'N 088°00.000'W"),  # carries, never 60.000 minutes
    ],
)
def test_degrees_and_minutes_as_read_over_the_radio(lon: float, lat: float, text: str) -> None:
    assert coordinates.degrees_minutes(lon, lat) == text


@pytest.mark.parametrize(
    ("lon", "lat", "text"),
    [
        (-88.19756, 17.49952, "17°29'58.27\"N 088°11'51.22\"W"),
        (0.0, -0.0, "00°00'00.00\"N 000°00'00.00\"E"),
        (180.0, -90.0, "90°00'00.00\"S 180°00'00.00\"E"),
        (-87.9999999, 16.9999999, "17°00'00.00\"N 088°00'00.00\"W"),  # never 60 seconds
    ],
)
def test_degrees_minutes_and_seconds_as_on_maps(lon: float, lat: float, text: str) -> None:
    assert coordinates.degrees_minutes_seconds(lon, lat) == text


@given(st.floats(-89.3, -87.3), st.floats(15.8, 18.6), st.integers(14, 18))
def test_other_zones_of_the_grid_lead_to_the_same_place(lon: float, lat: float, zone: int) -> None:
    grid = Proj(proj="utm", zone=zone, ellps="WGS84")
    found = coordinates.from_utm(*grid(lon, lat), zone=zone)
    assert found == pytest.approx((lon, lat), abs=1e-8)
