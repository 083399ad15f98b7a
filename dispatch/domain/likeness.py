"""Whether two reports may be about the same: near in place and time, and of one kind. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pyproj import Geod

NEAR_METRES: Final = 1_000.0
NEAR_MINUTES: Final = 120.0
_EARTH: Final = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Report:
    """A call or an incident: where (degrees x 10^7, and in words), of which kind, when (ms UTC)."""

    id: int
    lon: int | None
    lat: int | None
    place: str
    kind: int | None
    at: int


@dataclass(frozen=True, slots=True)
class Like:
    """A report that may be about the same, and why."""

    id: int
    metres: int | None
    """None: one of the two has no place on the map; then the words are the same."""
    minutes: int
    same_type: bool


def alike(one: Report, others: Iterable[Report]) -> list[Like]:
    """Those of ``others`` that may be about the same as ``one``, the likeliest first.

    Within a kilometre or at a place of the same words, and within two hours; a kind that is known
    to be another puts it further down, and never out: two callers name one thing differently.
    """
    found = []
    for other in others:
        minutes = abs(other.at - one.at) / 60_000
        metres = _metres(one, other)
        words = _words(one.place) == _words(other.place) != ""
        near = words if metres is None else metres <= NEAR_METRES
        if not near or minutes > NEAR_MINUTES:
            continue
        same = one.kind is not None and one.kind == other.kind
        away = 0.0 if metres is None else metres / NEAR_METRES
        score = away + minutes / NEAR_MINUTES + (0.0 if same else 0.7)
        like = Like(other.id, None if metres is None else round(metres), round(minutes), same)
        found.append((score, other.id, like))
    return [like for _, _, like in sorted(found, key=lambda each: each[:2])]


def _metres(one: Report, other: Report) -> float | None:
    if None in (one.lon, one.lat, other.lon, other.lat):
        return None
    places = (one.lon, one.lat, other.lon, other.lat)
    lon, lat, other_lon, other_lat = (float(each or 0) / 1e7 for each in places)
    return float(_EARTH.inv(lon, lat, other_lon, other_lat)[2])


def _words(place: str) -> str:
    return " ".join(place.casefold().split())
