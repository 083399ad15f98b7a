"""Directions by name: the sixteen points of the compass, in English and Spanish."""

from __future__ import annotations

from typing import Final

POINTS: Final = (
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
    "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
)  # fmt: skip
STEP: Final = 360.0 / len(POINTS)

# Longer words first: north-east holds north.
_WORDS: Final = (
    ("noreste", "NE"), ("nordeste", "NE"), ("noroeste", "NW"),
    ("sureste", "SE"), ("sudeste", "SE"), ("suroeste", "SW"), ("sudoeste", "SW"),
    ("north", "N"), ("south", "S"), ("oeste", "W"), ("norte", "N"),
    ("west", "W"), ("east", "E"), ("este", "E"), ("sur", "S"),
)  # fmt: skip


def point(bearing: float) -> str:
    """The point of the compass nearest to a bearing in degrees: ``NNW``."""
    return POINTS[round(bearing % 360.0 / STEP) % len(POINTS)]


def bearing(words: str) -> tuple[float, float] | None:
    """Bearing in degrees of a named direction, and how far off such a name may be, in degrees.

    ``north-north-west``, ``NNW``, ``al noroeste``; None for what is no direction.
    """
    letters = words.casefold().replace("-", "").replace(" ", "").removeprefix("tothe")
    letters = letters.removeprefix("al")
    for word, short in _WORDS:
        letters = letters.replace(word, short)
    letters = letters.upper().replace("O", "W").removesuffix("ERLY")
    if letters not in POINTS:
        return None
    return POINTS.index(letters) * STEP, STEP if len(letters) < 3 else STEP / 2
