"""Areas and tracks in files that others have made: GeoJSON, KML, GPX, zipped shapefiles. Pure.

Theory of operation
-------------------
What is read is rings and tracks, nothing of how a file would have them look. A track is what a
file has as a line, or as points in a row: of a storm, with a time or a forecast hour for each, and
perhaps the wind and how far it may be from there (:mod:`dispatch.alerting.storms`).

A file is what a stranger has made: it is bounded before it is read and while it is unpacked,
nothing that it names is followed, and what is wrong is a sentence. Positions are longitude and
latitude of WGS 84 (RFC 7946 for GeoJSON; OGC 12-007r2 for KML, TopoGrafix for GPX); a shapefile
says in its ``.prj`` which other system it has, and is put right by that.

Whether what was read can be warned is for :mod:`dispatch.alerting.areas` to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from lxml import etree

from dispatch.alerting import shape_archives
from dispatch.alerting.areas import Position
from dispatch.alerting.cap import CapRefused, documents
from dispatch.alerting.notes import Note
from dispatch.alerting.shape_archives import FileRefused, broken
from geo.times import parse_time

MOST_BYTES: Final = 5_000_000
MOST_POINTS: Final = 100_000
"""Of a whole file."""
MOST_SHAPES: Final = 2_000
MOST_NAMES: Final = 3
"""An area of more shapes than these is not called by all of their names."""
MOST_NAME: Final = 100
"""Characters of a name."""
_NAMES: Final = ("name", "area_name", "areaname", "name_en", "nombre", "title", "stormname")
_DEEP: Final = 8
"""How far collections may lie in collections."""
_LON_LAT: Final = ("crs84", "epsg:4326", "epsg::4326", "wgs84", "wgs 84")
_TIMES: Final = ("time", "when", "datetime", "validtime", "valid_time", "timestamp", "date")
_HOURS: Final = ("tau", "hour", "forecast_hour", "fhour")
_WINDS: Final = ("maxwind", "wind", "wind_kt", "max_wind", "vmax")
_RADII_KM: Final = ("radius_km", "error_km")
_RADII_NM: Final = ("radius_nm", "error_nm")
KM_PER_NM: Final = 1.852
_HOLES: Final = Note(
    "note.holes", "It has holes, which are filled: who is in one is warned as well."
)
_POINTS: Final = Note("note.points", "Its single points were left out.")
_LINKS: Final = Note("note.links", "It leads to other files, which are not read.")


@dataclass(frozen=True, slots=True)
class Stop:
    """A point of a track.

    Attributes:
        at: where.
        time: when, if the file says so; seconds UTC.
        hour: of a forecast, from its beginning.
        wind_kt: knots.
        radius_km: how far from there it may be.
    """

    at: Position
    time: float | None = None
    hour: float | None = None
    wind_kt: float | None = None
    radius_km: float | None = None


@dataclass(slots=True)
class Drawing:
    """What a file has: outer rings, tracks, how it calls them, and what was left out or changed."""

    rings: list[tuple[Position, ...]] = field(default_factory=list)
    tracks: list[tuple[Stop, ...]] = field(default_factory=list)
    notes: dict[Note, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    """Of its polygons and lines."""
    stops: dict[str, None] = field(default_factory=dict)
    """Of its points."""
    points: int = 0

    @property
    def told(self) -> tuple[str, ...]:
        """What was left out or changed, in sentences."""
        return tuple(each.text for each in self.notes)

    @property
    def name(self) -> str:
        """How the file calls what it has; nothing when it does not, or calls it by many names.

        Points of a track are called by their hours as a rule: they count when all have one name.
        """
        names = list(self.names) or (list(self.stops) if len(self.stops) == 1 else [])
        joined = ", ".join(names)
        return joined if len(names) <= MOST_NAMES and len(joined) <= MOST_NAME else ""

    def called(self, said: object, points: bool = False) -> None:
        """A shape has a name, when it is one."""
        name = " ".join(said.split()) if isinstance(said, str) else ""
        if name and name.isprintable() and len(self.names) + len(self.stops) < MOST_SHAPES:
            (self.stops if points else self.names)[name[: MOST_NAME + 1]] = None

    def count(self, more: int) -> None:
        """So many more points; raises :class:`FileRefused`."""
        self.points += more
        if self.points > MOST_POINTS or len(self.rings) + len(self.tracks) > MOST_SHAPES:
            raise FileRefused(
                "file.many_points",
                f"The file has more than {MOST_POINTS:,} points or {MOST_SHAPES:,} shapes.",
                "Save only the area that is to be warned, with fewer points.",
            )


def read(data: bytes) -> Drawing:
    """What a file has; raises :class:`FileRefused` for every one that cannot be used."""
    if len(data) > MOST_BYTES:
        raise FileRefused(
            "file.too_large",
            f"The file has more than {MOST_BYTES // 1_000_000} MB.",
            "Save only the area that is to be warned, with fewer points.",
        )
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n\x00")[:4]
    drawing = Drawing()
    if start.startswith(b"PK\x03\x04"):
        _unpacked(data, drawing)
    elif start[:1] in (b"{", b"["):
        _geojson(data, drawing)
    elif start[:1] == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        _xml(data, drawing)
    else:
        raise FileRefused(
            "file.unknown",
            "This is no GeoJSON, KML, KMZ or GPX, and no zipped shapefile.",
            "Save the area as one of these. Of a shapefile, put .shp, .dbf and .prj in one .zip.",
        )
    drawing.tracks = [each for each in drawing.tracks if each]
    if not drawing.rings and not drawing.tracks:
        raise FileRefused(
            "file.nothing",
            "The file has no polygon and no track.",
            "Save the area itself: a polygon, a line, or points in a row.",
        )
    return drawing


# -- GeoJSON (RFC 7946)


def _geojson(data: bytes, drawing: Drawing) -> None:
    try:
        said = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise broken(f"it is no JSON: {error}") from None
    if not isinstance(said, dict):
        raise broken("it is JSON, and no GeoJSON")
    crs = said.get("crs")
    if crs is not None and not any(each in str(crs).lower() for each in _LON_LAT):
        raise shape_archives.other_system(str(crs)[:80])
    points: list[Stop] = []
    for geometry, properties in _features(said, _DEEP):
        _geometry(geometry, properties, drawing, points, _DEEP)
    _in_a_row(points, drawing)


def _features(said: Any, deep: int) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    if not isinstance(said, dict) or deep == 0:
        return
    if said.get("type") == "FeatureCollection":
        features = said.get("features")
        for each in features if isinstance(features, list) else ():
            yield from _features(each, deep - 1)
    elif said.get("type") == "Feature":
        properties = said.get("properties")
        yield said.get("geometry"), properties if isinstance(properties, dict) else {}
    else:
        yield said, {}


def _geometry(
    said: Any, properties: Mapping[str, Any], drawing: Drawing, points: list[Stop], deep: int
) -> None:
    if not isinstance(said, dict) or deep == 0:
        return
    kind, at = said.get("type"), said.get("coordinates")
    if kind != "GeometryCollection":
        drawing.called(_name(properties), points=kind in ("Point", "MultiPoint"))
    if kind == "GeometryCollection":
        for each in _list(said.get("geometries")):
            _geometry(each, properties, drawing, points, deep - 1)
    elif kind == "Polygon":
        _polygon(at, drawing)
    elif kind == "MultiPolygon":
        for each in _list(at):
            _polygon(each, drawing)
    elif kind in ("LineString", "MultiLineString"):
        lines = [at] if kind == "LineString" else _list(at)
        times = _list(properties.get("coordTimes") or properties.get("times"))
        for line in lines:
            stops = [_stop(each, {}) for each in _list(line)]
            if len(times) == len(stops) and len(lines) == 1:
                stops = [
                    Stop(stop.at, _time(when)) for stop, when in zip(stops, times, strict=True)
                ]
            drawing.count(len(stops))
            drawing.tracks.append(tuple(stops))
    elif kind in ("Point", "MultiPoint"):
        for each in [at] if kind == "Point" else _list(at):
            points.append(_stop(each, properties))
            drawing.count(1)


def _name(properties: Mapping[str, Any]) -> object:
    """How a shape is called, by whichever property says that."""
    known = {str(name).lower(): value for name, value in list(properties.items())[:200]}
    return next((known[each] for each in _NAMES if known.get(each)), None)


def _polygon(said: Any, drawing: Drawing) -> None:
    rings = _list(said)
    if len(rings) > 1:
        drawing.notes[_HOLES] = None
    if rings:
        ring = tuple(_position(each) for each in _list(rings[0]))
        drawing.count(len(ring))
        drawing.rings.append(ring)


def _position(said: Any) -> Position:
    numbers = [each for each in _list(said)[:2] if isinstance(each, int | float)]
    if len(numbers) != 2 or any(isinstance(each, bool) for each in numbers):
        raise broken("a position in it is not two numbers")
    try:
        lon, lat = map(float, numbers)
    except OverflowError:
        raise shape_archives.not_degrees() from None
    if not (abs(lon) <= 180.0 and abs(lat) <= 90.0):
        raise shape_archives.not_degrees()
    return Position(lon, lat)


def _stop(said: Any, properties: Mapping[str, Any]) -> Stop:
    """A point with what the file says of it, whatever it calls that."""
    known = {str(name).lower(): value for name, value in list(properties.items())[:200]}
    nautical = _number(known, _RADII_NM)
    radius = _number(known, _RADII_KM)
    if radius is None and nautical is not None:
        radius = nautical * KM_PER_NM
    return Stop(
        _position(said),
        next((when for name in _TIMES if (when := _time(known.get(name))) is not None), None),
        _number(known, _HOURS),
        _number(known, _WINDS),
        radius,
    )


def _in_a_row(points: list[Stop], drawing: Drawing) -> None:
    """Points that are one track; beside polygons and lines, single points are marks."""
    if not points:
        return
    if drawing.rings or drawing.tracks:
        drawing.notes[_POINTS] = None
        return
    if all(each.time is not None for each in points):
        points.sort(key=lambda each: each.time or 0.0)
    elif all(each.hour is not None for each in points):
        points.sort(key=lambda each: each.hour or 0.0)
    drawing.tracks.append(tuple(points))


def _number(known: Mapping[str, Any], names: Iterable[str]) -> float | None:
    for name in names:
        try:
            found = float(known[name])
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        if 0.0 <= found < 100_000.0:
            return found
    return None


def _time(said: Any) -> float | None:
    """A moment; one without an offset is in UTC."""
    return parse_time(said) if isinstance(said, str) else None


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else []


# -- KML and GPX


def _xml(data: bytes, drawing: Drawing) -> None:
    try:
        root = documents.tree(data)
    except CapRefused as refusal:
        if refusal.code == "cap.doctype":
            why = "it has a DOCTYPE, which it does not need and which can harm"
        elif refusal.code == "cap.web_page":
            why = "it is a web page"
        else:
            why = refusal.findings[0].text
        raise broken(why) from None
    name = etree.QName(root).localname
    points: list[Stop] = []
    if name == "kml":
        if any(_called(each) == "NetworkLink" for each in root.iter()):
            drawing.notes[_LINKS] = None
        for each in root.iter():
            if _called(each) == "Placemark":
                _placemark(each, drawing, points)
    elif name == "gpx":
        _gpx(root, drawing, points)
    else:
        raise FileRefused(
            "file.unknown",
            f"This is XML, and neither KML nor GPX: it begins with {name[:40]!r}.",
            "Save the area as KML, GPX or GeoJSON.",
        )
    _in_a_row(points, drawing)


def _placemark(mark: etree._Element, drawing: Drawing, points: list[Stop]) -> None:
    properties = _properties(mark)
    name = _own_name(mark) or _name(properties)
    drawing.called(name, points=not (_all(mark, "Polygon") or _all(mark, "LineString")))
    # What encloses holes is no outer ring; each polygon has one outer one.
    for polygon in _all(mark, "Polygon"):
        outer = next(iter(_all(polygon, "outerBoundaryIs")), None)
        if outer is not None:
            _polygon([_coordinates(outer)], drawing)
        if _all(polygon, "innerBoundaryIs"):
            drawing.notes[_HOLES] = None
    for line in _all(mark, "LineString"):
        stops = tuple(_stop(each, {}) for each in _coordinates(line))
        drawing.count(len(stops))
        drawing.tracks.append(stops)
    for point in _all(mark, "Point"):
        points += [_stop(each, properties) for each in _coordinates(point)[:1]]
        drawing.count(1)
    for track in _all(mark, "Track"):
        whens = [(each.text or "") for each in _all(track, "when")]
        coords = [_numbers((each.text or "").split()) for each in _all(track, "coord")]
        whens += [""] * (len(coords) - len(whens))
        stops = tuple(
            Stop(_position(at), _time(when)) for at, when in zip(coords, whens, strict=False)
        )
        drawing.count(len(stops))
        drawing.tracks.append(stops)


def _properties(mark: etree._Element) -> Mapping[str, str]:
    """What a placemark says beside its shape: its time and its data."""
    found: dict[str, str] = {}
    for each in mark.iter():
        name = _called(each)
        if name in ("when", "begin"):
            found.setdefault("when", each.text or "")
        elif name == "SimpleData":
            found[each.get("name", "")] = each.text or ""
        elif name == "Data":
            value = next(iter(_all(each, "value")), None)
            found[each.get("name", "")] = "" if value is None else value.text or ""
    return found


def _coordinates(element: etree._Element) -> list[list[float]]:
    text = next((each.text or "" for each in _all(element, "coordinates")), "")
    return [_numbers(each.split(",")) for each in text.split()]


def _numbers(parts: Iterable[str]) -> list[float]:
    try:
        return [float(each) for each in parts]
    except ValueError:
        raise broken("a position in it is not two numbers") from None


def _gpx(root: etree._Element, drawing: Drawing, points: list[Stop]) -> None:
    for name, point in (("trkseg", "trkpt"), ("rte", "rtept")):
        for each in _all(root, name):
            stops = tuple(_gpx_stop(one) for one in _all(each, point))
            whole = each if name == "rte" else each.getparent()
            drawing.called(None if whole is None else _own_name(whole))
            drawing.count(len(stops))
            drawing.tracks.append(stops)
    points += [_gpx_stop(each) for each in _all(root, "wpt")]
    drawing.count(len(points))


def _gpx_stop(point: etree._Element) -> Stop:
    at = _numbers((point.get("lon", ""), point.get("lat", "")))
    when = next((each.text or "" for each in _all(point, "time")), "")
    return Stop(_position(at), _time(when))


def _own_name(element: etree._Element) -> str | None:
    """What stands directly in an element as its name."""
    return next((each.text for each in element if _called(each) == "name"), None)


def _all(element: etree._Element, name: str) -> list[etree._Element]:
    return [each for each in element.iter() if _called(each) == name]


def _called(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


# -- archives


def _unpacked(data: bytes, drawing: Drawing) -> None:
    files = shape_archives.unpack(data)
    kml = next((name for name in files if name.lower().endswith(".kml")), None)
    if kml is not None:
        _xml(files[kml], drawing)
        return
    points: list[Stop] = []
    for geometry, properties in shape_archives.shapes(files, MOST_POINTS):
        _geometry(geometry, properties, drawing, points, 2)
    _in_a_row(points, drawing)
