"""The page and the server agree on what is asked about: dispatch/web/src/state/coordinates.ts."""

from __future__ import annotations

import re
from pathlib import Path

from geo import belize
from geo.notations.judging import doubt

PAGE = Path(__file__).resolve().parents[2] / "dispatch/web/src/state/coordinates.ts"
HIGH = 0.2


def strips() -> list[tuple[float, float, float]]:
    """South, west and east of each."""
    written = PAGE.read_text(encoding="utf-8").split("const STRIPS = [")[1].split("] as const")[0]
    found = re.findall(r"\[(-?[0-9.]+), (-?[0-9.]+), (-?[0-9.]+)\]", written)
    return [(float(south), float(west), float(east)) for south, west, east in found]


def test_what_the_page_takes_without_asking_the_server_takes_too() -> None:
    """DOM-PLACE-2: no point is refused of which nobody was told that it lies outside."""
    assert len(strips()) == 16
    for south, west, east in strips():
        for row in range(9):
            for column in range(41):
                lon, lat = west + (east - west) * column / 40, south + HIGH * row / 8
                assert doubt(lon, lat) is None, (lon, lat)


def test_the_page_asks_about_no_settlement() -> None:
    for place in belize.places():
        assert any(
            south <= place.lat <= south + HIGH and west <= place.lon <= east
            for south, west, east in strips()
        ), place.name
