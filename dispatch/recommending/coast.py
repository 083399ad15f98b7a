"""The coast that the console's map carries, made ready for boats: read once for a process."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

import shapely
import shapely.geometry
from shapely import MultiPolygon, Polygon

from geo.landmasses import Landmasses
from geo.sea_chart import SeaChart

LAND: Final = Path(__file__).resolve().parents[1] / "web" / "public" / "geo" / "land.json"
"""Coast and cayes (GSHHG); what comes from where stands in SOURCES.txt beside it."""


@cache
def land() -> Polygon | MultiPolygon:
    """All land, longitude and latitude in degrees."""
    features = json.loads(LAND.read_text(encoding="utf-8"))["features"]
    whole = shapely.union_all([shapely.geometry.shape(each["geometry"]) for each in features])
    assert isinstance(whole, Polygon | MultiPolygon)
    return whole


@cache
def landmasses() -> Landmasses:
    """Mainland and islands."""
    return Landmasses(land())


@cache
def sea_chart() -> SeaChart:
    """The water around them; takes a second the first time."""
    return SeaChart(land())
