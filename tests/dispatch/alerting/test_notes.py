"""Each sentence that is told of a file or of a changed area has its Spanish on the page."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dispatch.alerting import areas, drawn_files, storms
from dispatch.alerting.areas import Position, Track, Waypoint

PAGE = Path(__file__).resolve().parents[3] / "dispatch/web/src/warnings/notes.es.ts"
NOW = 1_800_000_000.0
RING = [[-88.3, 17.4], [-88.1, 17.4], [-88.1, 17.6], [-88.3, 17.4]]
KINDS = 13


def spanish() -> list[re.Pattern[str]]:
    """The sentences that the page knows, as patterns."""
    found = re.findall(r"/(\^.*\$)/,", PAGE.read_text(encoding="utf-8"))
    return [re.compile(each) for each in found]


def feature(kind: str, at: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": at},
    }


def told(*features: dict[str, Any]) -> tuple[str, ...]:
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    return storms.parts(drawn_files.read(data), 10.0, NOW).told


def round_about(many: int, km: float) -> Sequence[tuple[float, float]]:
    """So many points on a circle."""
    turns = (math.tau * step / many for step in range(many))
    return [(-88.5 + km / 111 * math.cos(turn), 17.3 + km / 111 * math.sin(turn)) for turn in turns]


def all_notes() -> Iterator[str]:
    hole = [[-88.2, 17.45], [-88.15, 17.45], [-88.15, 17.5], [-88.2, 17.45]]
    yield from told(feature("Polygon", [RING, hole]), feature("Point", [-88, 17]))
    link = b"<NetworkLink/><Placemark><LineString><coordinates>-88,17 -88.5,17.2</coordinates>"
    kml = b"<kml>" + link + b"</LineString></Placemark></kml>"
    yield from storms.parts(drawn_files.read(kml), 10.0, NOW).told
    places = ((-12, -86.5), (0, -87.5), (24, -88.5), (130, -90.0))
    for hour in ("time", "tau"):
        said = [
            (datetime.fromtimestamp(NOW + at * 3_600, UTC).isoformat() if hour == "time" else at, x)
            for at, x in places
        ]
        yield from told(*(feature("Point", [x, 17.3], wind=80, **{hour: at}) for at, x in said))
    far = ((0, -60.0), (24, -70.0), (48, -88.0), (72, -100.0))
    yield from told(*(feature("Point", [lon, 17.3], tau=at) for at, lon in far))
    yield from told(feature("LineString", round_about(3_000, 40)))
    border = [(lon, lat + 0.004 * (at % 2)) for at, (lon, lat) in enumerate(round_about(800, 40))]
    yield from told(feature("Polygon", [[*border, border[0]]]))
    road = [
        Waypoint(Position(*at), 1.0 + number % 2) for number, at in enumerate([*border, border[0]])
    ]
    yield from areas.area("road", [Track(tuple(road))]).told


def test_whatever_is_told_is_told_in_spanish_too() -> None:
    known = spanish()
    assert len(known) == KINDS
    said = list(all_notes())
    assert [each for each in said if not any(one.match(each) for one in known)] == []
    never = [one.pattern for one in known if not any(one.match(each) for each in said)]
    assert never == [], "no note says this any more, or the test does not make it"
