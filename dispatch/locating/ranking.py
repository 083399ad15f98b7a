"""Which of several places is meant by a name, best first. Pure.

How well a name fits comes first: the same name, the same but for blanks or a last word such as
"town", its beginning, all of its words, then likeness of spelling. Among equals the own agency's
come first; then the nearer one, when it was said from where; then the one in which more people live
(DOM-PLACE-3).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from geo.coordinates import distance_m
from geo.gazetteer import essential, folded, sounded

LEAST_LIKE: Final = 0.6
"""What is less like what was typed than this is not offered. 0 to 1, see :func:`likeness`."""
BY_WORD: Final = 0.9
"""Words that are found one by one count for this much of the whole name."""
BY_EAR: Final = 0.95
"""A name that only sounds the same counts for this much of one that is written the same."""
_ROAD_WORDS: Final = frozenset({"highway", "hwy", "road", "rd", "street", "st"})


class Fit(enum.IntEnum):
    """How well a name fits what was typed; the best is the least."""

    SAME = 0
    WHOLE = 1
    BEGINNING = 2
    WORDS = 3
    LIKE = 4


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
    """A place that may be meant, how well it fits, and by which of its names.

    ``like`` is the :func:`likeness` of a name that fits no better; of others it is 1.
    """

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
    letters, wanted = folded(typed), essential(typed)
    rows = (_fitting(letters, wanted, place) for place in places)
    fitting = [found for found in rows if found is not None]
    return sorted(fitting, key=lambda found: _order(found, agency, near))


def _order(
    found: Ranked, agency: int, near: tuple[float, float] | None
) -> tuple[int, int, bool, float, int, str, int]:
    place = found.place
    away = 0.0 if near is None else distance_m(*near, place.lon, place.lat)
    # Spelling is compared in tenths: one letter more or less does not outweigh whose place it is.
    like = -round(10 * found.like)
    own = place.agency == agency
    return found.fit, like, not own, away, -place.population, place.name, place.id


def _fitting(letters: str, wanted: str, place: Place) -> Ranked | None:
    best: Ranked | None = None
    for name in (place.name, *place.other_names):
        there = essential(name)
        whole = folded(name)
        fit = Fit.SAME if whole == letters else _fit(wanted, there)
        like = 1.0
        if fit is Fit.LIKE:
            like = max(likeness(wanted, there), likeness(letters, whole))
        found = Ranked(place, fit, like, name)
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


def likeness(typed: str, name: str) -> float:
    """How alike a folded name is to what was typed, 0 to 1.

    By letters that are wrong, missing, too many or turned around, with blanks and without, since
    people disagree on them; by how it sounds, since who calls says it and does not spell it; or
    word by word, when only a part of the name was typed.
    """
    letters = max(
        _alike(typed, name),
        _alike(typed.replace(" ", ""), name.replace(" ", "")),
        BY_EAR * _alike(sounded(typed), sounded(name)),
    )
    words, there = typed.split(), name.split()
    if not words or not there:
        return 0.0
    by_word = sum(max(_alike(word, each) for each in there) for word in words) / len(words)
    return max(letters, BY_WORD * by_word)


def _alike(one: str, other: str) -> float:
    return OSA.normalized_similarity(one, other) if one and other else 0.0


def road_meant(typed: str, roads: Sequence[str]) -> str | None:
    """The road that is meant by a name, however it is spelt; None when there is none like it."""
    wanted = _road(typed)
    alike = max(roads, key=lambda road: (likeness(wanted, _road(road)), road), default=None)
    return alike if alike and likeness(wanted, _road(alike)) >= LEAST_LIKE else None


def _road(name: str) -> str:
    """A folded name without what many roads have in theirs."""
    words = folded(name).split()
    return " ".join(word for word in words if word not in _ROAD_WORDS) or folded(name)
