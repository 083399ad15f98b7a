"""Which of several places is meant by a name, best first. Pure.

How well a name fits comes first: the whole name, its beginning, all of its words, then likeness of
spelling. Among equals the own agency's come first; then the nearer one, when it was said from
where; then the one in which more people live (DOM-PLACE-3).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from geo.coordinates import distance_m
from geo.gazetteer import essential, folded

LEAST_LIKE: Final = 0.34
"""What is less like what was typed than this is not offered. 0 to 1, see :func:`likeness`."""


class Fit(enum.IntEnum):
    """How well a name fits what was typed; the best is the least."""

    WHOLE = 0
    BEGINNING = 1
    WORDS = 2
    LIKE = 3


class Place(NamedTuple):
    """A place of the gazetteer; longitude and latitude in degrees."""

    id: int
    agency: int | None
    name: str
    kind: str
    other_names: tuple[str, ...]
    district: str | None
    population: int
    lon: float
    lat: float


class Ranked(NamedTuple):
    """A place that may be meant, how well it fits, and by which of its names."""

    place: Place
    fit: Fit
    like: float
    name: str


def ranked(
    typed: str, places: Iterable[Place], agency: int, near: tuple[float, float] | None = None
) -> list[Ranked]:
    """The places that may be meant, best first.

    Args:
        typed: a name, as somebody wrote it.
        places: candidates.
        agency: of who asks.
        near: longitude and latitude in degrees from where it is asked; None: from anywhere.
    """
    wanted = essential(typed)
    fitting = [found for place in places if (found := _fitting(wanted, place)) is not None]
    return sorted(fitting, key=lambda found: _order(found, agency, near))


def _order(
    found: Ranked, agency: int, near: tuple[float, float] | None
) -> tuple[int, int, bool, float, int, str, int]:
    place = found.place
    away = 0.0 if near is None else distance_m(*near, place.lon, place.lat)
    # Spelling is compared in tenths: one letter more or less does not outweigh whose place it is.
    like = -round(10 * found.like) if found.fit is Fit.LIKE else 0
    own = place.agency == agency
    return found.fit, like, not own, away, -place.population, place.name, place.id


def _fitting(wanted: str, place: Place) -> Ranked | None:
    best: Ranked | None = None
    for name in (place.name, *place.other_names):
        there = essential(name)
        found = Ranked(place, _fit(wanted, there), likeness(wanted, there), name)
        if best is None or (found.fit, -found.like) < (best.fit, -best.like):
            best = found
    if best is None or (best.fit is Fit.LIKE and best.like < LEAST_LIKE):
        return None
    return best


def _fit(wanted: str, there: str) -> Fit:
    if wanted == there or wanted.replace(" ", "") == there.replace(" ", ""):
        return Fit.WHOLE
    if there.startswith(wanted):
        return Fit.BEGINNING
    words = there.split()
    if wanted and all(any(w.startswith(each) for w in words) for each in wanted.split()):
        return Fit.WORDS
    return Fit.LIKE


def likeness(one: str, other: str) -> float:
    """How alike two folded texts are, 0 to 1: the part of their trigrams that they share.

    A word counts with two blanks before and one behind it, as in PostgreSQL's pg_trgm; so does
    the text without blanks, since people disagree on them.
    """
    alike = 0.0
    for a, b in ((one, other), (one.replace(" ", ""), other.replace(" ", ""))):
        left, right = _trigrams(a), _trigrams(b)
        if left and right:
            alike = max(alike, len(left & right) / len(left | right))
    return alike


@lru_cache(20_000)
def _trigrams(text: str) -> frozenset[str]:
    return frozenset(
        f"  {word} "[at : at + 3] for word in text.split() for at in range(len(word) + 1)
    )


def road_meant(typed: str, roads: Sequence[str]) -> str | None:
    """The road that is meant by a name, however it is spelt; None when there is none like it."""
    wanted = folded(typed)
    alike = max(roads, key=lambda road: (_road_like(wanted, folded(road)), road), default=None)
    return alike if alike and _road_like(wanted, folded(alike)) >= LEAST_LIKE else None


def _road_like(wanted: str, road: str) -> float:
    # "Goldson" is enough: a whole word of the road's name.
    words = set(road.split()) - {"highway", "road", "street"}
    return max(likeness(wanted, road), 0.9 * (wanted in words))
