"""What OpenStreetMap's tags say about driving on a way: how fast, and in which direction. Pure.

Sources: OpenStreetMap wiki, Key:highway, Key:maxspeed, Key:oneway, Key:surface, Key:junction. Where
a way says no speed, one of its class is taken; these are ours, for the roads of Belize, where
villages and speed bumps slow the highways, and most smaller roads are not paved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

KM_H: Final = {
    "motorway": 90,
    "trunk": 80,
    "primary": 75,
    "secondary": 65,
    "tertiary": 50,
    "unclassified": 40,
    "residential": 30,
    "living_street": 15,
    "service": 20,
    "road": 30,
    "track": 20,
}
"""Classes of roads that vehicles use, and the speed to be expected, km/h."""
LINK_KM_H: Final = 40
"""On slip roads (``primary_link``, …)."""
UNPAVED_KM_H: Final = 45
"""Nobody is expected to be faster than this where the surface is said to be unpaved."""
UNPAVED: Final = frozenset(
    ("unpaved", "compacted", "gravel", "fine_gravel", "dirt", "earth", "ground", "sand", "mud",
     "grass", "pebblestone", "rock")
)  # fmt: skip
OF_LIMIT: Final = 0.9
"""A posted limit is driven at on open stretches only."""
_SPEED: Final = re.compile(r"(\d{1,3})(?:\.\d+)?\s*(km/h|kmh|kph|mph)?")
_MPH: Final = 1.609_344
_YES: Final = frozenset(("yes", "true", "1"))


class Driving(NamedTuple):
    """How a way is driven on: km/h, and the directions in which that is allowed."""

    kind: str
    km_h: float
    forward: bool
    backward: bool


def driving(tags: Mapping[str, str]) -> Driving | None:
    """How vehicles use a way; None: they do not."""
    kind = tags.get("highway", "")
    expected = KM_H.get(kind)
    if expected is None:
        if not kind.endswith("_link") or kind.removesuffix("_link") not in KM_H:
            return None
        expected = LINK_KM_H
    if tags.get("area") == "yes":
        return None
    posted = limit(tags.get("maxspeed", ""))
    km_h = float(expected) if posted is None else max(OF_LIMIT * posted, 5.0)
    if tags.get("surface") in UNPAVED:
        km_h = min(km_h, UNPAVED_KM_H)
    return Driving(kind, km_h, *_directions(kind, tags))


def limit(said: str) -> float | None:
    """A posted limit in km/h; None: none that can be read."""
    found = _SPEED.fullmatch(said.strip().lower())
    if found is None or int(found[1]) == 0:
        return None
    return int(found[1]) * (_MPH if found[2] == "mph" else 1.0)


def _directions(kind: str, tags: Mapping[str, str]) -> tuple[bool, bool]:
    oneway = tags.get("oneway", "")
    if oneway in ("-1", "reverse"):
        return False, True
    around = tags.get("junction") in ("roundabout", "circular") or kind == "motorway"
    if oneway in _YES or (around and oneway != "no"):
        return True, False
    return True, True
