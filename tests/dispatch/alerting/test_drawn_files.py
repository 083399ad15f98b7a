"""Areas and tracks in files: what tools write, what they should not, and what attackers would."""

from __future__ import annotations

import contextlib
import io
import json
import math
import zipfile
from collections.abc import Sequence
from typing import Any

import pyproj
import pytest
import shapefile
from hypothesis import given
from hypothesis import strategies as st

from dispatch.alerting import areas, drawn_files, storms
from dispatch.alerting.areas import AreaRefused, Drawn, Position, Track
from dispatch.alerting.drawn_files import Drawing
from dispatch.alerting.shape_archives import FileRefused

RING = [[-88.3, 17.4], [-88.1, 17.4], [-88.1, 17.6], [-88.3, 17.4]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
NOW = 1_800_000_000.0
WGS84 = pyproj.CRS(4326).to_wkt("WKT1_ESRI")
UTM16 = pyproj.CRS(32616).to_wkt("WKT1_ESRI")


def read(said: Any) -> Drawing:
    return drawn_files.read(said if isinstance(said, bytes) else json.dumps(said).encode())


def refusal(said: Any) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(said)
    assert caught.value.text.endswith(".") and caught.value.todo
    return caught.value


def made(said: Any, km: float = 10.0, now: float = NOW) -> storms.Found:
    return storms.parts(read(said), km, now)


def collection(*geometries: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": properties, "geometry": each} for each in geometries
        ],
    }


def archive(ring: Sequence[Sequence[float]], prj: str | None = WGS84, **more: bytes) -> bytes:
    """A zipped shapefile with one polygon."""
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shapefile.POLYGON) as writer:
        writer.field("name", "C")
        writer.poly([[list(at) for at in ring]])
        writer.record("Belize City")
    files = {"a.shp": shp.getvalue(), "a.shx": shx.getvalue(), "a.dbf": dbf.getvalue()} | more
    if prj is not None:
        files["a.prj"] = prj.encode()
    return packed(files)


def packed(files: dict[str, bytes]) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return into.getvalue()


KML = b"""<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>
<Polygon><outerBoundaryIs><LinearRing><coordinates>-88.3,17.4,0 -88.1,17.4,0 -88.1,17.6,0
-88.3,17.4,0</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"""
POINT = (
    b"<Placemark><TimeStamp><when>%s</when></TimeStamp><ExtendedData><Data name='MAXWIND'>"
    b"<value>65</value></Data></ExtendedData><Point><coordinates>%s</coordinates></Point></Placemark>"
)
GPX = b"""<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="16.9" lon="-86"><time>2027-01-15T06:00:00Z</time></trkpt>
<trkpt lat="17.4" lon="-88"><time>2027-01-15T18:00:00Z</time></trkpt></trkseg></trk></gpx>"""


def test_the_same_area_from_every_kind_of_file() -> None:
    """DOM-WRN-66."""
    ring = tuple(Position(*at) for at in RING)
    for said in (
        json.dumps(POLYGON).encode(),
        b"\xef\xbb\xbf" + json.dumps(collection(POLYGON)).encode(),
        json.dumps({"type": "MultiPolygon", "coordinates": [[RING]]}).encode(),
        KML,
        KML.decode().replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"),
        packed({"doc.kml": KML}),
    ):
        assert read(said).rings == [ring]
    # A shapefile goes the other way around.
    (found,) = read(archive(RING)).rings
    assert set(found) == set(ring)


def test_a_shapefile_in_metres_is_put_right_by_its_own_word() -> None:
    """DOM-WRN-66."""
    to = pyproj.Transformer.from_crs(4326, 32616, always_xy=True)
    metres = [to.transform(*at) for at in RING]
    (found,) = read(archive(metres, UTM16)).rings
    for at in RING:
        assert min(math.dist(at, each) for each in found) < 1e-6
    assert refusal(archive(metres, None)).code == "file.system"
    assert "add its .prj" in refusal(archive(metres, None)).todo
    for bad in ("nonsense", "", 'PROJCS["x"', "x" * 30_000):
        assert refusal(archive(metres, bad)).code == "file.system"


def feature(name: Any, geometry: Any = POLYGON, key: str = "name") -> dict[str, Any]:
    return {"type": "Feature", "properties": {key: name}, "geometry": geometry}


def layer(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "name": "export_final_2", "features": list(features)}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (feature("Belize City"), "Belize City"),
        (feature("  Old \n Belize  ", key="NAME"), "Old Belize"),
        (feature("x", key="area_name"), "x"),
        (feature(17), ""),
        (feature("a\u0000b"), ""),
        (feature("long " * 30), ""),
        (POLYGON, ""),
        (layer(feature("North"), feature("South"), feature("North")), "North, South"),
        (layer(*(feature(f"Block {n}") for n in range(4))), ""),
        (layer(feature("Coast"), feature("Pier", {"type": "Point",
                    "coordinates": [-88, 17]})), "Coast"),
        (layer(*(feature("Lisa", {"type": "Point", "coordinates": [-88 + n / 10, 17]})
                      for n in range(3))), "Lisa"),
        (layer(*(feature(f"{n} h", {"type": "Point", "coordinates": [-88 + n / 10, 17]})
                      for n in range(3))), ""),
        (KML, ""),
        (KML.replace(b"<Placemark>", b"<name>doc.kml</name><Placemark><name>River</name>"),
         "River"),
        (GPX.replace(b"<trk>", b"<trk><name>Along the road</name>"), "Along the road"),
        (GPX, ""),
    ],
)  # fmt: skip
def test_an_area_has_the_name_of_its_features_and_not_of_the_file(said: Any, name: str) -> None:
    """DOM-WRN-66."""
    assert made(said).name == name


def test_what_was_changed_has_a_code_and_figures() -> None:
    """DOM-WRN-66: so that a page can say it in another language."""
    far = {"type": "LineString", "coordinates": [[-88.6, 17.2], [-88.2, 17.5]]}
    (note,) = made(far, km=3.0).notes
    assert (note.code, dict(note.figures)) == ("note.no_times", {"km": 3.0})
    assert note.text == "It says no times: 3 km are warned on each side, all along the track."


def test_holes_are_filled_and_told() -> None:
    """DOM-WRN-16: nobody is left out by tidying."""
    hole = [[-88.15, 17.45], [-88.14, 17.45], [-88.14, 17.46], [-88.15, 17.45]]
    found = made({"type": "Polygon", "coordinates": [RING, hole]})
    assert len(found.parts) == 1 and "holes" in found.told[0]
    inner = b"<innerBoundaryIs><LinearRing><coordinates>0,0 1,1 2,0 0,0</coordinates></LinearRing>"
    kml = KML.replace(b"</Polygon>", inner + b"</innerBoundaryIs></Polygon>")
    assert len(read(kml).rings) == 1 and read(kml).told


def test_10000_points_become_few_and_cover_the_same() -> None:
    """DOM-WRN-16."""
    turns = [2 * math.pi * at / 10_000 for at in range(10_000)]
    ring = [
        [-88.5 + (0.4 + 0.02 * math.sin(40 * t)) * math.cos(t), 17.2 + 0.4 * math.sin(t)]
        for t in turns
    ]
    found = made({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    (part,) = found.parts
    assert isinstance(part, Drawn) and len(part.ring) <= areas.MOST_POINTS
    assert any("10,001 points" in each for each in found.told)
    area = areas.area("x", found.parts)
    assert all(area.covers(*at) for at in ring[::97])


def test_what_cannot_be_meant_is_refused() -> None:
    """DOM-WRN-15."""
    world = [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]
    bow = [[-88.3, 17.4], [-88.1, 17.6], [-88.1, 17.4], [-88.3, 17.6], [-88.3, 17.4]]
    exchanged = [at[::-1] for at in RING]
    for ring, code in (
        (world, "area.too_large"),
        (bow, "area.crosses"),
        (exchanged, "area.elsewhere"),
        ([[-88.3, 17.4]] * 4, "area.few_points"),
    ):
        with pytest.raises(AreaRefused) as caught:
            made({"type": "Polygon", "coordinates": [ring]})
        assert caught.value.code == code


def forecast(hours: Sequence[float], **more: Any) -> dict[str, Any]:
    """A storm from the east that reaches Belize City after two days, as points."""
    features = []
    for hour in hours:
        lon, lat = -82.0 - 6.2 * hour / 48, 16.5 + hour / 48
        point = {"type": "Point", "coordinates": [lon, lat]}
        said = {"TAU": hour, "MAXWIND": 65 + hour / 2} | more
        features.append({"type": "Feature", "properties": said, "geometry": point})
    return {"type": "FeatureCollection", "features": features}


def test_a_forecast_becomes_a_cone() -> None:
    """DOM-WRN-67."""
    found = made(forecast([48, 0, 12, 24, 36]), km=30.0)
    (part,) = found.parts
    assert isinstance(part, Track) and [round(p.radius_km) for p in part.points] == [
        30 + round(nm * 1.852) for nm in (0, 26, 39, 53, 67)
    ]
    assert part.points[0].at == Position(-82.0, 16.5), "by the hour, in whatever order they stand"
    assert any("National Hurricane Center" in each for each in found.told)
    assert "The strongest wind in it is 89 knots." in found.told
    area = areas.area("x", found.parts)
    assert area.covers(-88.2, 17.5) and area.covers(-88.2, 18.6) and not area.covers(-82.0, 17.5)


def test_the_file_s_own_circles_take_the_place_of_ours() -> None:
    """DOM-WRN-67."""
    (part,) = made(forecast([36, 48], radius_nm=20.0), km=5.0).parts
    assert isinstance(part, Track)
    assert [round(p.radius_km, 2) for p in part.points] == [42.04, 42.04]


def test_a_long_cone_is_cut_to_what_is_near() -> None:
    """DOM-WRN-67: five days of it are larger than any area that is warned."""
    found = made(forecast([0, 12, 24, 36, 48, 72, 96, 120, 168]), km=50.0)
    assert any("cut to Belize" in each for each in found.told)
    assert any("more than 120 hours" in each for each in found.told)
    area = areas.area("x", found.parts)
    assert area.covers(-88.2, 17.5) and area.km2 < areas.LARGEST_KM2
    away = forecast([0, 12])
    for each in away["features"]:
        each["geometry"]["coordinates"] = [-40.0 - each["properties"]["TAU"], 20.0]
    with pytest.raises(AreaRefused) as caught:
        made(away)
    assert caught.value.code == "area.elsewhere" and "far from Belize" in caught.value.text


@pytest.mark.parametrize("hours", [3.0, 12.0, 18.0, 120.0, 500.0])
def test_the_cone_grows_with_the_hours(hours: float) -> None:
    assert storms.cone_km(hours) >= storms.cone_km(hours / 2)
    assert storms.cone_km(18.0) == pytest.approx((26 + 39) / 2 * 1.852)
    assert storms.cone_km(500.0) == storms.cone_km(120.0)


def test_where_a_storm_was_is_not_warned() -> None:
    """DOM-WRN-67: a track with times begins where it was last."""
    begins = drawn_files.parse_time("2027-01-15T06:00:00Z")
    assert begins is not None
    (ahead,) = made(GPX, 10.0, begins - 3_600).parts
    assert isinstance(ahead, Track)
    assert [round(p.radius_km) for p in ahead.points] == [10, 10 + round(26 * 1.852)]
    whens = (b"2027-01-14T18:00:00Z", b"2027-01-15T06:00:00Z", b"2027-01-15T18:00:00Z")
    places = (b"-84,16.5", b"-86,16.9", b"-88,17.4")
    marks = b"".join(POINT % (w, p) for w, p in zip(whens, places, strict=True))
    found = made(b"<kml>" + marks + b"</kml>", 10.0, begins + 60)
    assert isinstance(found.parts[0], Track) and len(found.parts[0].points) == 2
    assert any("Where it was before" in each for each in found.told)
    # Of a storm of years ago, for an exercise, all of it.
    (old,) = made(b"<kml>" + marks + b"</kml>", 10.0, begins + 10**9).parts
    assert isinstance(old, Track) and len(old.points) == 3


def test_a_line_without_times_has_one_width() -> None:
    """DOM-WRN-66."""
    river = [[-88.6, 17.2], [-88.4, 17.4], [-88.2, 17.55]]
    found = made({"type": "LineString", "coordinates": river}, km=2.0)
    (part,) = found.parts
    assert isinstance(part, Track) and {p.radius_km for p in part.points} == {2.0}
    assert "no times" in found.told[0]
    many = [[-88.6 + at / 5_000, 17.2 + 0.05 * math.sin(at / 9)] for at in range(3_000)]
    found = made({"type": "LineString", "coordinates": many}, km=2.0)
    (part,) = found.parts
    assert isinstance(part, Track) and len(part.points) <= storms.MOST_STOPS
    area = areas.area("x", found.parts)
    assert all(area.covers(*at) for at in many[::50])


def bomb() -> bytes:
    return packed({"a.shp": b"\0" * 30_000_000})


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "file.unknown"),
        (b"\x89PNG....", "file.unknown"),
        (b"{" * 100_000, "file.broken"),
        (b"[1, 2]", "file.broken"),
        (b'{"type": "Topology"}', "file.nothing"),
        ({"type": "FeatureCollection", "features": []}, "file.nothing"),
        ({"type": "Polygon", "coordinates": [[["a", 1]]]}, "file.broken"),
        ({"type": "Polygon", "coordinates": [[[True, 1]]]}, "file.broken"),
        ({"type": "Polygon", "coordinates": [[[10**400, 1]]]}, "file.system"),
        ({"type": "Polygon", "coordinates": [[[500_000, 1_900_000]]]}, "file.system"),
        (POLYGON | {"crs": {"properties": {"name": "EPSG:32616"}}}, "file.system"),
        ({"type": "LineString", "coordinates": [[-88, 17]] * 100_001}, "file.many_points"),
        (b"<html><body/></html>", "file.unknown"),
        (b"<!DOCTYPE html><html></html>", "file.broken"),
        (b'<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml>&a;</kml>', "file.broken"),
        (b"<kml><Placemark>", "file.broken"),
        (b"<kml/>", "file.nothing"),
        (KML.replace(b"17.4", b"north"), "file.broken"),
        (GPX.replace(b'lat="16.9"', b""), "file.broken"),
        (b"<kml>" + b" " * 5_000_001 + b"</kml>", "file.too_large"),
        (b"PK\x03\x04 nothing", "file.broken"),
        (archive(RING)[:400], "file.broken"),
        (packed({"readme.txt": b"hello"}), "file.packed"),
        (packed({f"{at}.txt": b"" for at in range(101)}), "file.packed"),
        (packed({"a.shp": b"", "b.shp": b""}), "file.packed"),
        (packed({"a.shp": b"hello"}), "file.broken"),
        (packed({"a.shp": b"\0" * 400}), "file.broken"),
        (bomb(), "file.packed"),
    ],
)
def test_a_bad_file_is_told_in_a_sentence(said: Any, code: str) -> None:
    """DOM-WRN-66."""
    assert refusal(said).code == code


def test_a_file_that_leads_on_is_not_followed() -> None:
    link = b"<NetworkLink><Link><href>http://169.254.169.254/</href></Link></NetworkLink></kml>"
    assert "not read" in next(iter(read(KML.replace(b"</kml>", link)).told))


WHOLE = archive(RING)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_any_damage_to_a_shapefile_is_refused_or_read(at: int, change: bytes) -> None:
    files = zipfile.ZipFile(io.BytesIO(WHOLE))
    shp = bytearray(files.read("a.shp"))
    shp[at % len(shp) : at % len(shp) + len(change)] = change
    with contextlib.suppress(FileRefused, AreaRefused):
        made(packed({"a.shp": bytes(shp), "a.dbf": files.read("a.dbf")}))


@given(st.recursive(st.none() | st.floats() | st.text(max_size=8) | st.integers(),
                    lambda inner: st.lists(inner, max_size=4), max_leaves=20))  # fmt: skip
def test_any_coordinates_are_refused_or_read(said: Any) -> None:
    for kind in ("Polygon", "MultiPolygon", "LineString", "MultiPoint", "Point"):
        with contextlib.suppress(FileRefused, AreaRefused):
            made({"type": kind, "coordinates": said})
