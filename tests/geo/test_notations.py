"""Every way in which people write a place, whole ways there and back, and garbage."""

from __future__ import annotations

import math
import string
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geo import belize, coordinates, notations
from geo.notations import (
    MileMarker,
    NotationError,
    Offset,
    Position,
    ShortCode,
    codes,
    compass,
    degrees,
    grids,
    offsets,
)

HERE = (-88.1976, 17.4995)
lons = st.floats(-89.2, -87.5)
lats = st.floats(15.9, 18.4)


def position(text: str) -> Position:
    found = notations.read(text)
    assert isinstance(found, Position), found
    return found


def refused(text: str) -> NotationError:
    with pytest.raises(NotationError) as caught:
        notations.read(text)
    assert caught.value.text.endswith(".") and caught.value.todo.endswith(".")
    return caught.value


def metres(found: Position, lon: float, lat: float) -> float:
    return coordinates.geodesic_m(found.lon, found.lat, lon, lat)


@pytest.mark.parametrize(
    "text",
    [
        "17.4995, -88.1976",
        "17.4995 -88.1976",
        "17.4995;-88.1976",
        "17.4995 | -88.1976",
        "(17.4995, -88.1976)",
        "[-88.1976, 17.4995]",
        "-88.1976 17.4995",
        "17.4995,-88.1976",
        "+17.4995-088.1976/",
        "17,4995 -88,1976",
        "17,4995; -88,1976",
        "17,4995, -88,1976",
        "17.4995N 88.1976W",
        "17.4995 N, 88.1976 W",
        "N17.4995 W88.1976",
        "N 17.4995° W 88.1976°",
        "W88.1976 N17.4995",
        "88.1976 W 17.4995 N",
        "17.4995 north, 88.1976 west",
        "17.4995 norte 88.1976 oeste",
        "17.4995 N 88.1976 O",
        "lat 17.4995 lon -88.1976",
        "Latitude: 17.4995, Longitude: -88.1976",
        "lng=-88.1976, lat=17.4995",
        "17.4995° -88.1976°",
        "１７．４９９５, −88.1976",
        "\u200e17.4995,\u00a0-88.1976\u200f",
        "١٧.٤٩٩٥, -٨٨.١٩٧٦",
        "17°29'58.2\"N 88°11'51.36\"W",
        "17°29′58.2″N, 88°11′51.36″W",
        "17º29’58,2” N 88º11’51,36” O",
        "17˚29´58.2´´ N 88˚11´51.36´´ W",
        "17° 29' 58.2'' N 088° 11' 51.36'' W",
        "17 29 58.2 N 88 11 51.36 W",
        "17 29 58.2 -88 11 51.36",
        "17d29m58.2s N 88d11m51.36s W",
        "17 deg 29 min 58.2 sec N 88 degrees 11 minutes 51.36 seconds W",
        "172958.2N 0881151.36W",
        "17°29.97'N 088°11.856'W",
        "17-29.97N 088-11.856W",
        "1729.97N 08811.856W",
        "17 29.97 -88 11.856",
        "17°29,97' N 88°11,856' W",
        "geo:17.4995,-88.1976",
        "geo:17.4995,-88.1976,12;crs=wgs84;u=25",
        "GEO:0,0?q=17.4995,-88.1976(The%20pier)",
        "https://www.google.com/maps/@17.4995,-88.1976,15z",
        "https://www.google.com/maps/place/A/@17.1,-88.1,15z/data=!3m1!8m2!3d17.4995!4d-88.1976",
        "https://maps.google.com/?q=17.4995,-88.1976",
        "https://maps.google.com/maps?q=loc%3A17.4995%2C-88.1976&z=16",
        "https://www.google.com/maps/search/?api=1&query=17.4995%2C-88.1976",
        "https://maps.apple.com/?ll=17.4995,-88.1976&q=Pier",
        "https://www.openstreetmap.org/?mlat=17.4995&mlon=-88.1976#map=15/17.1/-88.1",
        "https://www.openstreetmap.org/#map=15/17.4995/-88.1976",
        "@17.4995,-88.1976,17z",
        "16Q 372858 1935213",
        "16N 372858 1935213",
        "16 372858 1935213",
        "zone 16 372858 1935213",
        "372858 1935213",
        "372858, 1935213",
        "1935213 372858",
        "372,858 E 1,935,213 N",
        "1935213N 372858E",
        "UTM 16N 372858mE 1935213mN",
        "UTM 16 E 372858 N 1935213",
        "Easting 372858 Northing 1935213",
        "16QCE7285835213",
        "16Q CE 72858 35213",
        "16 q ce 72858 35213",
        "MGRS: 16QCE7285835213",
        "CE 72858 35213",
        "CE7285835213",
        "769HFRX2+RX",
        "769HFRX2+RX Belize City",
    ],
)
def test_one_place_in_every_notation(text: str) -> None:
    found = position(text)
    assert metres(found, *HERE) < max(9.0, found.precision_m)
    assert found.doubt is None and found.meant == ()


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("17, -88", 111_320),
        ("17.5, -88.2", 11_132),
        ("17.4995, -88.2", 11_132),  # as coarse as the coarser of the two
        ("17°29'N 88°11'W", 1_855),
        ("17°29'58\"N 88°11'51\"W", 30.9),
        ("geo:17.5,-88.2;u=25", 25),
        ("372858.5 1935213.5", 0.1),
        ("16QCE", 100_000),
        ("16QCE73", 10_000),
        ("16QCE7235", 1_000),
        ("16QCE728352", 100),
        ("16QCE72853521", 10),
        ("16QCE7285835213", 1),
        ("769HFRX2+RX", 13.9),
        ("769H0000+", 111_320),
    ],
)
def test_how_precise_it_is_follows_from_how_it_is_written(text: str, precision: float) -> None:
    assert position(text).precision_m == pytest.approx(precision, rel=0.01)


def test_a_square_is_read_as_its_middle() -> None:
    found = position("16QCE7235")
    assert coordinates.to_utm(found.lon, found.lat) == pytest.approx((372_500, 1_935_500), abs=2)


@given(lons, lats)
def test_decimal_degrees_there_and_back_in_either_order(lon: float, lat: float) -> None:
    for text in (
        f"{lat:.6f}, {lon:.6f}",
        f"{lon:.6f} {lat:.6f}",
        f"{lat:.6f}N {-lon:.6f}W",
        f"{lat:.6f} {lon:.6f}".replace(".", ","),
        f"geo:{lat:.6f},{lon:.6f}",
        f"https://maps.google.com/?q={quote(f'{lat:.6f},{lon:.6f}')}",
    ):
        assert metres(position(text), lon, lat) < 0.2


@given(st.floats(-180, 180), st.floats(-90, 90))
@example(-180.0, -90.0)
@example(179.9999999, 89.9999999)
def test_what_this_house_writes_it_reads_anywhere(lon: float, lat: float) -> None:
    dms = position(coordinates.degrees_minutes_seconds(lon, lat))
    assert (dms.lon, dms.lat) == pytest.approx((lon, lat), abs=1.5e-6)
    minutes = position(coordinates.degrees_minutes(lon, lat))
    assert (minutes.lon, minutes.lat) == pytest.approx((lon, lat), abs=9e-6)


@given(lons, lats)
def test_grid_references_there_and_back(lon: float, lat: float) -> None:
    easting, northing = coordinates.to_utm(lon, lat)
    for text in (
        f"16Q {easting:.1f} {northing:.1f}" if lat >= 16 else f"16P {easting:.1f} {northing:.1f}",
        f"16N {easting:.1f} {northing:.1f}",
        f"{easting:.1f} {northing:.1f}",
        f"{northing:.1f}N {easting:.1f}E",
    ):
        assert metres(position(text), lon, lat) < 0.2
    reference = grids.write_mgrs(lon, lat)
    assert reference is not None
    assert metres(position(reference), lon, lat) < 1.5
    assert metres(position(reference.replace(" ", "")), lon, lat) < 1.5
    assert metres(position(reference.partition(" ")[2]), lon, lat) < 1.5


@given(lons, lats, st.integers(0, 5))
def test_every_precision_of_a_grid_reference_names_a_square_around_the_place(
    lon: float, lat: float, digits: int
) -> None:
    reference = grids.write_mgrs(lon, lat)
    assert reference is not None
    head, square, east, north = reference.split(" ")
    found = position(f"{head}{square}{east[:digits]}{north[:digits]}")
    assert found.precision_m == 10 ** (5 - digits)
    assert metres(found, lon, lat) <= found.precision_m * math.sqrt(0.5) * 1.01 + 1


# The metre south of the equator is the ten-millionth, which the grid has no digits for.
@given(st.floats(-180, 180), st.floats(-79.9, -1e-4) | st.floats(0, 83.9))
def test_grid_references_of_the_whole_earth_are_written_and_read(lon: float, lat: float) -> None:
    reference = grids.write_mgrs(lon, lat)
    assert reference is not None
    assert metres(position(reference), lon, lat) < 2


@pytest.mark.parametrize(("lon", "lat"), [(0, 89), (10, -85), (0, 90)])
def test_near_the_poles_there_is_no_grid_reference(lon: float, lat: float) -> None:
    assert grids.write_mgrs(lon, lat) is None


@pytest.mark.parametrize(
    ("code", "lat", "lon"),
    [
        # Squares of the specification's own test data, middles.
        ("7FG49Q00+", 20.375, 2.775),
        ("7FG49QCJ+2V", 20.3700625, 2.7821875),
        ("7FG49QCJ+2VX", 20.3701125, 2.782234375),
        ("8FVC2222+22", 47.0000625, 8.0000625),
        ("4VCPPQGP+Q9", -41.2730625, 174.7859375),
        ("62G20000+", 0.5, -179.5),
        ("22220000+", -89.5, -179.5),
        ("7FG40000+", 20.5, 2.5),
        ("CFX30000+", 89.5, 1.5),
    ],
)
def test_plus_codes_of_the_specification(code: str, lat: float, lon: float) -> None:
    found = position(code)
    assert (found.lat, found.lon) == pytest.approx((lat, lon), abs=1e-9)


@given(lons, lats, st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))
def test_a_short_plus_code_is_completed_by_a_town_up_to_half_a_degree_away(
    lon: float, lat: float, east: float, north: float
) -> None:
    code = _plus_code(lon, lat)
    found = codes.whole(code[4:], lon + east, lat + north)
    assert metres(found, lon, lat) < 15


def _plus_code(lon: float, lat: float) -> str:
    """A code of ten digits by the arithmetic of the specification, in whole eight-thousandths."""
    north, east = math.floor((lat + 90) * 8_000), math.floor((lon + 180) * 8_000)
    digits = ""
    for _ in range(5):
        digits = codes.DIGITS[north % 20] + codes.DIGITS[east % 20] + digits
        north, east = north // 20, east // 20
    return f"{digits[:8]}+{digits[8:]}"


def test_a_short_plus_code_needs_a_town() -> None:
    assert notations.read("FRX2+RX Belize City, Belize") == ShortCode("FRX2+RX", "Belize City")
    assert notations.read("frx2+rx, Belmopan") == ShortCode("FRX2+RX", "Belmopan")
    assert refused("FRX2+RX").code == "notation.no_town"


@pytest.mark.parametrize(
    ("text", "lon", "lat"),
    [
        ("17 88", -88, 17),
        ("17.25 88.77", -88.77, 17.25),
        ("88.2 17.5", -88.2, 17.5),
        ("-17.5 -88.2", -88.2, 17.5),
        ("17.5N 88.2E", -88.2, 17.5),
        ("88.2N 17.5W", -88.2, 17.5),
        ("lat -88.2 lon 17.5", -88.2, 17.5),
        ("17°29'58\" 88°11'51\"", -88.1975, 17.499444),
        ("geo:17.5,88.2", -88.2, 17.5),
        ("geo:-88.2,17.5", -88.2, 17.5),
    ],
)
def test_what_was_written_is_kept_and_what_may_be_meant_is_told(
    text: str, lon: float, lat: float
) -> None:
    """DOM-PLACE-2: a doubt is told, and nothing is guessed."""
    found = position(text)
    assert belize.away_m(found.lon, found.lat) > 1_000_000
    assert found.doubt is not None
    assert "km from Belize; did you mean" in found.doubt and found.doubt.endswith("?")
    assert (found.meant[0].lon, found.meant[0].lat) == pytest.approx((lon, lat), abs=1e-5)
    assert "another sign" in found.meant[0].said or "swapped" in found.meant[0].said
    assert all(each.doubt is None for each in found.meant)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0, 0", "no position"),
        ("0°N 0°E", "no position"),
        ("geo:0,0", "no position"),
        ("14.6, -90.5", "197 km from Belize."),
        ("51.5, -0.1", "km from Belize."),
        ("31N 448252 5411933", "km from Belize."),
        ("33TWN0000000000", "km from Belize."),
    ],
)
def test_what_lies_elsewhere_is_told_without_a_guess(text: str, says: str) -> None:
    found = position(text)
    assert found.doubt is not None and says in found.doubt and found.doubt.endswith(".")
    assert found.meant == ()


@pytest.mark.parametrize(
    "text", ["17.2, -87.4", "16.7, -87.7", "18.48, -88.38", "17.06, -89.15", "15.9, -88.9"]
)
def test_the_waters_and_borders_of_belize_raise_no_doubt(text: str) -> None:
    assert position(text).doubt is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("17°99'N 88°11'W", "notation.contradiction"),
        ("17°29'60\"N 88°11'00\"W", "notation.contradiction"),
        ("17N 18N", "notation.contradiction"),
        ("17 W 88 W", "notation.contradiction"),
        ("-17N 88W", "notation.contradiction"),
        ("lat 17 W 88 N", "notation.contradiction"),
        ("95N 88W", "notation.range"),
        ("17N 188W", "notation.range"),
        ("95, 200", "notation.range"),
        ("geo:95,200", "notation.range"),
        ("https://maps.google.com/?q=95,200", "notation.range"),
        ("geo:17.5,-88.2;crs=nad27", "notation.datum"),
        ("geo:17.5", "notation.unknown"),
        ("https://example.com/", "notation.unknown"),
        ("61N 372858 1935213", "notation.grid"),
        ("372858E 1935213E", "notation.grid"),
        ("16N 072858 1935213", "notation.grid"),
        ("16QCE123", "notation.grid"),
        ("16Q CE 123 45", "notation.grid"),
        ("61QCE12341234", "notation.grid"),
        ("16QZZ12341234", "notation.unknown"),
        ("16QJE12341234", "notation.grid"),
        ("CXXX0000+", "notation.grid"),
        ("2 nm off Placencia", "notation.no_bearing"),
        ("500 m from the pier", "notation.no_bearing"),
        ("2 nm 361° from Placencia", "notation.range"),
        ("9000 km north of Placencia", "notation.range"),
        ("", "notation.empty"),
        (" \u200b\n\t ", "notation.empty"),
        ("San Pedro", "notation.unknown"),
        ("17", "notation.unknown"),
        ("17 88 12", "notation.unknown"),
        ("17 29 58 88", "notation.unknown"),
        ("17.5.2 88.1", "notation.unknown"),
        ("St. Margaret", "notation.unknown"),
        ("Duck Run 2", "notation.unknown"),
        ("3 N", "notation.unknown"),
        ("9" * 2_001, "notation.too_long"),
    ],
)
def test_what_is_broken_is_told_and_what_is_no_notation_may_be_a_name(text: str, code: str) -> None:
    assert refused(text).code == code


@pytest.mark.parametrize(
    ("text", "metres", "bearing", "name"),
    [
        ("2.5 nm east of Caye Caulker", 4_630, 90, "Caye Caulker"),
        ("2.5nm E of Caye Caulker", 4_630, 90, "Caye Caulker"),
        ("500 m NNW of San Pedro pier", 500, 337.5, "San Pedro pier"),
        ("3 miles south of Belmopan", 4_828.032, 180, "Belmopan"),
        ("3 nautical miles to the south-east of Placencia", 5_556, 135, "Placencia"),
        ("half a mile north east of Hattieville", 804.672, 45, "Hattieville"),
        ("a mile west from Ladyville", 1_609.344, 270, "Ladyville"),
        ("2 1/2 miles west of Ladyville", 4_023.36, 270, "Ladyville"),
        ("2½ miles west of Ladyville", 4_023.36, 270, "Ladyville"),
        ("3/4 km due north of Corozal", 750, 0, "Corozal"),
        ("2,5 km al norte de Corozal", 2_500, 0, "Corozal"),
        ("3 millas náuticas al suroeste de Caye Caulker", 5_556, 225, "Caye Caulker"),
        ("100 yards north-north-east of the Port of Loyola", 91.44, 22.5, "the Port of Loyola"),
        ("3 cables W of Hol Chan", 555.6, 270, "Hol Chan"),
        ("3 nm 045° from Placencia", 5_556, 45, "Placencia"),
        ("045° 3 nm from Placencia", 5_556, 45, "Placencia"),
        ("bearing 045, 3 nm from Placencia", 5_556, 45, "Placencia"),
        ("3 nm 360 from Placencia", 5_556, 0, "Placencia"),
        ("5 NM E Caye Caulker", 9_260, 90, "Caye Caulker"),
        ("5 nm NE, Caye Caulker", 9_260, 45, "Caye Caulker"),
        ("5 nm east South Water Caye", 9_260, 90, "South Water Caye"),
        ("2 km north east Hattieville", 2_000, 45, "Hattieville"),
        ("5 mn al este de Cayo Caulker", 9_260, 90, "Cayo Caulker"),
        ("5 mn este de Cayo Caulker", 9_260, 90, "Cayo Caulker"),
        ("5 mn este Cayo Caulker", 9_260, 90, "Cayo Caulker"),
        ("5 mn NO de Cayo Caulker", 9_260, 315, "Cayo Caulker"),
        ("3 km noreste Dangriga", 3_000, 45, "Dangriga"),
    ],
)  # fmt: skip
def test_a_distance_and_a_direction_from_a_name(
    text: str, metres: float, bearing: float, name: str
) -> None:
    found = notations.read(text)
    assert isinstance(found, Offset)
    assert found.metres == pytest.approx(metres)
    assert (found.bearing, found.name) == (bearing, name)
    assert 10 <= found.precision_m <= max(10, metres)


@pytest.mark.parametrize(
    ("text", "perhaps", "street"),
    [
        ("2 nm South Water Caye", "South Water Caye", False),
        ("5 NM E Caye Caulker", "E Caye Caulker", False),
        ("1 mile North Front Street", "North Front Street", True),
        ("2 km West Street", "West Street", True),
        ("10 m East Canal Street", "East Canal Street", True),
        ("10 m E Canal St.", "E Canal St", True),
        ("2 nm south of Water Caye", "", False),
        ("1 mile north, Front Street", "", False),
        ("1 mile north of Front Street", "", False),
    ],
)
def test_a_direction_with_nothing_behind_it_may_begin_a_name(
    text: str, perhaps: str, street: bool
) -> None:
    found = notations.read(text)
    assert isinstance(found, Offset)
    assert (found.perhaps, offsets.is_street(found.perhaps)) == (perhaps, street)


@pytest.mark.parametrize("text", ["5 nm east", "2 km north east", "3 miles south west road"])
def test_a_direction_alone_is_no_name(text: str) -> None:
    try:
        found = notations.read(text)
    except NotationError as refusal:
        assert refusal.code == "notation.unknown"
    else:
        assert isinstance(found, Offset) and found.name == "road"


@given(
    st.floats(0.1, 400),
    st.sampled_from(compass.POINTS),
    st.sampled_from([("km", 1_000), ("nm", 1_852), ("m", 1), ("miles", 1_609.344)]),
)
def test_offsets_there_and_back(number: float, point: str, unit: tuple[str, float]) -> None:
    found = notations.read(f"{number:.3f} {unit[0]} {point} of Xaibe")
    assert isinstance(found, Offset)
    assert found.metres == pytest.approx(number * unit[1], abs=0.0006 * unit[1])
    assert compass.point(found.bearing) == point


def test_a_kilometre_is_kept_as_it_was_written() -> None:
    found = notations.read("km 33 George Price Highway")
    assert isinstance(found, MileMarker)
    assert (found.mile, found.said) == (pytest.approx(20.5052, abs=1e-4), "Mile 20.5 (km 33)")


@pytest.mark.parametrize(
    ("text", "road", "mile"),
    [
        ("mile 32 George Price Highway", "George Price Highway", 32),
        ("Mile 32, George Price Highway", "George Price Highway", 32),
        ("mile 32 on the George Price Highway", "George Price Highway", 32),
        ("Philip Goldson Highway mile 50.5", "Philip Goldson Highway", 50.5),
        ("Philip Goldson Highway at mile 50 1/2", "Philip Goldson Highway", 50.5),
        ("Western Highway, Mile 31", "Western Highway", 31),
        ("mile marker 4½ of the Hummingbird Highway", "Hummingbird Highway", 4.5),
        ("milepost #8 Southern Highway", "Southern Highway", 8),
        ("milla 8 de la Southern Highway", "Southern Highway", 8),
        ("km 16.09344 George Price Highway", "George Price Highway", 10),
    ],
)
def test_the_mile_of_a_road(text: str, road: str, mile: float) -> None:
    found = notations.read(text)
    assert isinstance(found, MileMarker)
    assert (found.road, found.mile) == (road, pytest.approx(mile))


@given(st.floats(0, 100), st.sampled_from(["Hummingbird Highway", "Coastal Road"]))
def test_miles_there_and_back(mile: float, road: str) -> None:
    for text in (f"mile {mile:.2f} {road}", f"{road} mile {mile:.2f}"):
        found = notations.read(text)
        assert isinstance(found, MileMarker)
        assert (found.road, found.mile) == (road, pytest.approx(mile, abs=0.006))


def test_points_of_the_compass_have_their_names() -> None:
    for at, point in enumerate(compass.POINTS):
        off = 22.5 if len(point) < 3 else 11.25
        assert compass.bearing(point) == (at * 22.5, off)
    assert compass.bearing("north-north-west") == compass.bearing("NNW")
    assert compass.bearing("al sureste") == compass.bearing("SE")
    assert compass.bearing("upwards") is None


_PIECES = st.sampled_from(
    [
        "17", "88", "-88.2", "17.5", "29", "58.3", "N", "W", "S", "E", "O", "°", "'", '"', ",", ";",
        " ", "lat", "lon", "geo:", "16Q", "CE", "mile", "nm", "of", "north", "Belmopan", "@", "+",
        "372858", "1935213", "/", "http://", "?q=", "1/2", "-", ".", "👍", "\u202e", "١", "½", "m",
    ]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=25).map("".join) | st.lists(_PIECES, max_size=20).map(" ".join))
def test_pieces_in_any_order_give_a_reading_or_a_refusal(text: str) -> None:
    _reading_or_refusal(text)


@given(st.text(max_size=300) | st.text(string.printable, max_size=300))
@example("👍" * 50_000)
@example("\u202eمرحبا 17.5, -88.2")
@example("17" * 50_000)
@example(" " * 100_000)
@example("1 " * 999)
@example("a " * 999)
@example("N" * 2_000)
@example("mile 1 " * 280)
@example("1 m a of " * 200)
@example("-" * 2_000)
@example("°" * 2_000)
@example("http://" + "@1,1" * 400)
@example("geo:" + "1" * 1_900)
@example("\x00")
@example("\ud800")
def test_garbage_gives_a_reading_or_a_refusal(text: str) -> None:
    _reading_or_refusal(text)


def _reading_or_refusal(text: str) -> None:
    try:
        found = notations.read(text)
    except NotationError as refused:
        assert refused.code.startswith("notation.")
        return
    if isinstance(found, Position):
        coordinates.check(found.lon, found.lat)
        assert found.precision_m > 0
    elif isinstance(found, Offset):
        assert 0 <= found.bearing < 360 and math.isfinite(found.metres)


def test_a_cut_is_looked_for_in_a_few_words_only() -> None:
    assert degrees.read("1 " * (degrees.MOST_TOKENS + 1)) is None
