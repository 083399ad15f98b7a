"""Whatever is drawn: nobody is left out, it has few points, and what cannot be meant is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon
from written import ALERT, INFO

from dispatch.alerting import areas, cap
from dispatch.alerting.areas import (
    MOST_POINTS,
    AreaRefused,
    Around,
    District,
    Drawn,
    Part,
    Position,
    Track,
    Waypoint,
    area,
)
from geo import belize
from geo.coordinates import destination, geodesic_m

CITY = Position(-88.1976, 17.4995)
METRE = 1.1e-5
"""Degrees: what rounding may take away."""


def star(points: int, radius: float = 0.3, wave: float = 0.05, turns: int = 60) -> Drawn:
    """A ring with bays, that does not cross itself."""
    ring = []
    for at in range(points):
        angle = 2 * math.pi * at / points
        far = radius + wave * math.sin(turns * angle)
        ring.append(Position(-88.3 + far * math.cos(angle), 17.2 + far * math.sin(angle)))
    return Drawn(tuple(ring))


def refusal(parts: Sequence[Part], name: str = "here") -> AreaRefused:
    with pytest.raises(AreaRefused) as caught:
        area(name, parts)
    assert caught.value.text.endswith(".") and caught.value.todo.endswith(".")
    return caught.value


def test_a_polygon_stays_as_it_was_drawn() -> None:
    drawn = (Position(-88.3, 17.4), Position(-88.1, 17.4), Position(-88.1, 17.6))
    made = area(" Belize City ", [Drawn(drawn)])
    assert made.name == "Belize City"
    assert made.polygons == ((*drawn, drawn[0]),)
    assert made.told == ()
    assert area("x", [Drawn((*drawn, drawn[0]))]).polygons == made.polygons


@pytest.mark.parametrize("points", [101, 1_000, 10_000])
def test_many_points_become_few_that_leave_nobody_out(points: int) -> None:
    """DOM-WRN-16."""
    drawn = star(points)
    made = area("x", [drawn])
    (ring,) = made.polygons
    assert len(ring) <= MOST_POINTS
    assert made.shape.covers(Polygon(drawn.ring).buffer(-METRE))
    assert len(made.told) == 1
    assert f"{points + 1:,} points" in made.told[0]
    further = float(made.told[0].split("up to ")[1].split(" m")[0].replace(",", ""))
    reach = max(Polygon(drawn.ring).distance(shapely.Point(point)) for point in ring)
    assert 0 < reach * 111_000 <= further


@settings(max_examples=40, deadline=None)
@given(
    st.integers(4, 400),
    st.floats(0.02, 1.0),
    st.floats(0, 0.9),
    st.integers(1, 40),
)
def test_whatever_is_drawn_is_covered(points: int, radius: float, wave: float, turns: int) -> None:
    """DOM-WRN-16."""
    drawn = star(points, radius, wave * radius, turns)
    shape = Polygon(drawn.ring)
    if not shape.is_valid:
        assert refusal([drawn]).code == "area.crosses"
        return
    try:
        made = area("x", [drawn])
    except AreaRefused as refused:
        assert refused.code == "area.too_small"
        return
    assert all(len(ring) <= MOST_POINTS for ring in made.polygons)
    assert made.shape.covers(shape.buffer(-METRE))
    # What goes out is valid for everybody who reads it.
    said = made.cap()
    assert all(ring[0] == ring[-1] for ring in said.polygons)
    assert all(Polygon(ring).is_valid for ring in made.polygons)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "area.empty"),
        ([Track(())], "area.empty"),
        ([Drawn((Position(-88, 17), Position(-87, 18), Position(-87, 17), Position(-88, 18)))],
         "area.crosses"),
        ([Drawn((Position(-180, -90), Position(180, -90), Position(180, 90), Position(-180, 90)))],
         "area.too_large"),
        ([Drawn((Position(-100, 5), Position(-70, 5), Position(-70, 30), Position(-100, 30)))],
         "area.too_large"),
        ([Around(CITY, 400)], "area.too_large"),
        ([Around(CITY, 0)], "area.radius"),
        ([Around(CITY, -1)], "area.radius"),
        ([Around(CITY, math.nan)], "area.radius"),
        ([Around(CITY, 40_000)], "area.radius"),
        ([Around(Position(17.5, -88.2), 5)], "area.elsewhere"),
        ([Around(Position(88.2, 17.5), 5)], "area.elsewhere"),
        ([Around(Position(-188.2, 17.5), 5)], "area.off_earth"),
        ([Around(Position(math.nan, 17.5), 5)], "area.off_earth"),
        ([Drawn((CITY, CITY, CITY, CITY))], "area.few_points"),
        ([Drawn((CITY, Position(-88, 17.4995)))], "area.few_points"),
        ([Drawn((CITY, Position(-88.1976, 17.6), Position(-88.1976, 17.7)))], "area.crosses"),
        ([Drawn((CITY, Position(-88.19760001, 17.4995), Position(-88.1976, 17.49950001)))],
         "area.too_small"),
        ([Drawn((CITY, Position(math.inf, 17), Position(-88, 18)))], "area.off_earth"),
        ([District("BZ-XX")], "area.district"),
        ([star(20_001)], "area.many_points"),
        ([Track(tuple(Waypoint(CITY, 1) for _ in range(2_000)))], "area.many_points"),
        ([Around(Position(-88 - at / 100, 17), 1) for at in range(51)], "area.many_parts"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_reason(parts: Sequence[Part], code: str) -> None:
    """DOM-WRN-15."""
    assert refusal(parts).code == code


def test_an_area_has_a_name() -> None:
    assert refusal([Around(CITY, 5)], " ").code == "area.nameless"


def test_where_a_border_crosses_itself_is_told() -> None:
    bow = Drawn((Position(-88, 17), Position(-87, 18), Position(-87, 17), Position(-88, 18)))
    assert "longitude -87.5" in refusal([bow]).text


@given(st.floats(-89, -87.6), st.floats(16, 18.4), st.floats(0.05, 200), st.floats(0, 359.9))
def test_a_circle_covers_everything_within_its_radius(
    lon: float, lat: float, km: float, bearing: float
) -> None:
    made = area("x", [Around(Position(lon, lat), km)])
    assert made.covers(*destination(lon, lat, bearing, km * 999.9))
    assert not made.covers(*destination(lon, lat, bearing, km * 1003 + 10))
    (circle,) = made.cap().circles
    assert geodesic_m(lon, lat, circle.centre.lon, circle.centre.lat) / 1000 + km <= (
        circle.radius_km + 1e-9
    )


def test_districts_are_called_in_each_language_what_people_call_them() -> None:
    """DOM-WRN-69."""
    name = "Belize District, Orange Walk District, Cayo"
    assert areas.named_in(name, "en-BZ") == name
    spanish = "Distrito de Belice, Distrito de Orange Walk, Cayo"
    assert areas.named_in(name, "es-BZ") == spanish
    assert areas.named_in(name, "bzj") == "Belize Distrik, Orange Walk Distrik, Cayo"
    assert areas.named_in("Along the District line", "es-BZ") == "Along the District line"
    made = area(name, [District(belize.districts()[0].code)])
    assert (made.cap().description, made.cap("es-BZ").description) == (name, spanish)


@pytest.mark.parametrize("district", belize.districts(), ids=lambda each: each.code)
def test_a_district_is_warned_whole_with_its_piers_and_cayes(district: belize.District) -> None:
    made = area(district.name, [District(district.code)])
    assert made.shape.covers(district.shape)
    assert made.shape.covers(district.shape.buffer(0.015))
    assert made.km2 < areas._km2(district.shape) * 1.5
    assert made.cap().geocodes == (cap.Named("ISO 3166-2", district.code),)
    assert all(len(ring) <= MOST_POINTS for ring in made.polygons)
    inside = {place.id for place in made.settlements()}
    for place in belize.places():
        if belize.district_of(place.lon, place.lat) == district:
            assert place.id in inside, place.name


def test_the_whole_country_can_be_warned() -> None:
    made = area("Belize", [District(each.code) for each in belize.districts()])
    assert len(made.settlements()) == len(belize.places())
    assert made.covers(*belize.CENTRE)
    assert cap.check(_alert(made)) == ()


def _alert(made: areas.Area) -> cap.Alert:
    return replace(ALERT, infos=(replace(INFO, areas=(made.cap(),)),))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            Waypoint,
            st.builds(Position, st.floats(-88.6, -86.5), st.floats(16.2, 18.2)),
            st.floats(1, 60),
        ),
        min_size=1,
        max_size=8,
    ),
    st.floats(0, 1),
    st.floats(0, 359),
)
def test_a_track_covers_what_lies_within_its_width(
    points: list[Waypoint], along: float, bearing: float
) -> None:
    made = area("x", [Track(tuple(points))])
    for point in points:
        assert made.covers(*destination(*point.at, bearing, point.radius_km * 990))
    for one, two in pairwise(points):
        lon = one.at.lon + along * (two.at.lon - one.at.lon)
        lat = one.at.lat + along * (two.at.lat - one.at.lat)
        least = min(one.radius_km, two.radius_km)
        assert made.covers(*destination(lon, lat, bearing, least * 980))


def test_a_track_that_closes_warns_what_it_encloses_and_says_so() -> None:
    corners = [(-88.6, 16.6), (-87.6, 16.6), (-87.6, 17.6), (-88.6, 17.6), (-88.6, 16.6)]
    made = area("x", [Track(tuple(Waypoint(Position(*at), 5) for at in corners))])
    assert made.covers(-88.1, 17.1)
    assert any("encloses" in told or "around" in told for told in made.told)


def test_parts_are_warned_together() -> None:
    made = area("x", [Around(CITY, 5), District("BZ-CZL"), Around(CITY, 5)])
    assert made.covers(*CITY) and made.covers(-88.4, 18.3)
    assert len(made.circles) == 1


def test_settlements_inside_are_known() -> None:
    inside = area("x", [Around(CITY, 10)]).settlements()
    assert inside[0].name == "Belize City"
    assert all(geodesic_m(*CITY, each.lon, each.lat) < 10_100 for each in inside)
    assert shapely.is_valid(area("x", [Around(CITY, 10)]).shape)
