"""Degrees, with or without minutes and seconds, in every order and with every mark.

The text is cut into tokens, and the tokens into two angles. Every place where the cut between
them may be is tried; what can be read in one way only is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from geo import belize
from geo.coordinates import is_position
from geo.notations.judging import judged
from geo.notations.model import NotationError, Position

METRES: Final = 111_320.0
"""Length of a degree of longitude at the equator; one of latitude is a little less."""
MOST_TOKENS: Final = 24

Axis = Literal["lat", "lon"]

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}))
  | (?P<d>°|deg(?:rees?|s)?\b\.?|grados?\b)
  | (?P<m>'|min(?:utes?|utos?|s)?\b\.?)
  | (?P<s>"|sec(?:onds?|s)?\b\.?|seg(?:undos?)?\b\.?)
  | (?P<label>(?:latitude|latitud|lat|longitude|longitud|long|lon|lng)(?![a-z])\.?\s*[:=]?)
  | (?P<letter>(?:north|south|east|west|norte|sur|oeste|este|[nsewo])(?![a-z]))
  | (?P<cut>[,;/|])
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_SIGN: Final = {"n": 1, "s": -1, "e": 1, "w": -1, "o": -1}


class _Token(NamedTuple):
    kind: str
    text: str


class _Angle(NamedTuple):
    """One angle as written: degrees, which axis it is on, and what its last digit stands for."""

    degrees: float
    axis: Axis | None
    unit: float
    parts: int
    marked: bool
    wrong: str | None


def read(text: str) -> Position | None:
    """Latitude and longitude in degrees, as :func:`geo.notations.read` takes them.

    Raises:
        NotationError: when it is in this notation, and wrong.
    """
    pair = _pair(text)
    return None if pair is None else judged(_position(*pair))


def _pair(text: str) -> tuple[_Angle, _Angle] | None:
    for written in _writings(text):
        tokens = _tokens(written)
        if tokens is not None:
            pairs = [p for p in _pairs(tokens) if _fit(*p)]
            # The letter after a number rather than before the next one: "17 N 88" is 17 north.
            right = [p for p in pairs if p[0].wrong is p[1].wrong is None]
            if right or pairs:
                return (right or pairs)[-1]
    return None


def _writings(text: str) -> Iterator[str]:
    """The text, and what it is when commas are decimal, or letters stand for marks."""
    # Brackets of programs, and the stroke at the end of ISO 6709.
    text = re.sub(r"[()\[\]{}]|/$", " ", text)
    if re.search(r"\d\s?d\s?\d[\d.,]*\s?m", text, re.IGNORECASE):
        text = re.sub(r"(\d)\s?d(?=\s?\d)", r"\1°", text, flags=re.IGNORECASE)
        text = re.sub(r"(\d)\s?m(?![a-z])", r"\1'", text, flags=re.IGNORECASE)
        text = re.sub(r"('\s?[\d.,]+)\s?s(?=\s?[nsewo,;])", r'\1"', text, flags=re.IGNORECASE)
    if re.search(r"[nsewo]\b", text, re.IGNORECASE):
        # 17-29.97N: with a letter for the direction, a hyphen between digits is no sign.
        text = re.sub(r"(?<=\d)-(?=\d)", " ", text)
    yield text
    if "." not in text:
        yield re.sub(r"(?<=\d),(?=\d)", ".", text)


def _tokens(text: str) -> list[_Token] | None:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or len(tokens) == MOST_TOKENS:
            return None
        assert found.lastgroup is not None
        tokens.append(_Token(found.lastgroup, found[found.lastgroup].casefold()))
        at = found.end()
    return tokens


def _pairs(tokens: Sequence[_Token]) -> Iterator[tuple[_Angle, _Angle]]:
    for cut in range(1, len(tokens)):
        second = cut + 1 if tokens[cut].kind == "cut" else cut
        one, other = _angle(tokens[:cut]), _angle(tokens[second:])
        if one is not None and other is not None:
            yield one, other


def _fit(one: _Angle, other: _Angle) -> bool:
    """Whether two angles may stand beside each other: bare numbers must be equally many."""
    return one.parts == other.parts or (one.marked and other.marked)


def _angle(tokens: Sequence[_Token]) -> _Angle | None:
    """One angle of all these tokens; None when they are none."""
    rest, axes, letters = list(tokens), [], []
    if rest and rest[0].kind == "label":
        axes.append(_axis_of(rest.pop(0).text))
    if rest and rest[0].kind == "letter":
        letters.append(rest.pop(0).text)
    if rest and rest[-1].kind == "letter":
        letters.append(rest.pop().text)
    parts = _parts(rest)
    if parts is None or len(letters) > 1:
        return None
    letter = letters[0][0] if letters else None
    if letter is not None:
        axes.append("lat" if letter in "ns" else "lon")
    numbers, marked = parts
    if len(numbers) == 1 and letter is not None:
        numbers = _compact(numbers[0], axes[-1])
    return _measured(numbers, axes, letter, marked or letter is not None)


def _axis_of(label: str) -> Axis:
    return "lat" if label.startswith("lat") else "lon"


def _parts(tokens: Sequence[_Token]) -> tuple[list[str], bool] | None:
    """One to three numbers with their marks in order; and whether there are marks."""
    numbers: list[str] = []
    marked, fresh = False, False
    for token in tokens:
        if token.kind == "number":
            if len(numbers) == 3 or (numbers and token.text[0] in "+-"):
                return None
            numbers.append(token.text)
            fresh = True
        elif fresh and token.kind == "dms"[len(numbers) - 1]:
            marked, fresh = True, False
        else:
            return None
    if not numbers or any("." in each for each in numbers[:-1]):
        return None
    return numbers, marked


def _compact(number: str, axis: Axis) -> list[str]:
    """``172958`` beside a letter is degrees, minutes and seconds without blanks (as in AIS)."""
    whole, point, rest = number.partition(".")
    wide = 2 if axis == "lat" else 3
    if whole.isdecimal() and len(whole) in (wide + 2, wide + 4):
        cut = [whole[:wide], whole[wide : wide + 2], whole[wide + 2 :]]
        numbers = [each for each in cut if each]
        return [*numbers[:-1], numbers[-1] + point + rest]
    return [number]


def _measured(
    numbers: list[str], axes: list[Axis], letter: str | None, marked: bool
) -> _Angle | None:
    values = [float(each) for each in numbers]
    unit = 10.0 ** -len(numbers[-1].partition(".")[2]) / 60.0 ** (len(numbers) - 1)
    size = sum(abs(value) / 60.0**n for n, value in enumerate(values))
    minus = numbers[0].startswith("-")
    wrong = None
    if any(value >= 60.0 for value in values[1:]):
        if not marked:
            return None
        wrong = "Minutes and seconds are less than 60."
    elif len(set(axes)) > 1 or (minus and letter in ("n", "e")):
        wrong = "Sign and letters contradict each other."
    sign = -1 if minus else _SIGN.get(letter or "", 1)
    return _Angle(sign * size, axes[0] if axes else None, unit, len(numbers), marked, wrong)


def _position(one: _Angle, other: _Angle) -> Position:
    wrong = one.wrong or other.wrong
    if wrong is None and one.axis is not None and one.axis == other.axis:
        kind = "latitudes" if one.axis == "lat" else "longitudes"
        wrong = f"Both numbers are {kind}."
    if wrong is not None:
        raise NotationError("notation.contradiction", wrong, "Correct the position.")
    lon_first = _lon_first(one, other)
    x, y = (one, other) if lon_first else (other, one)
    lon, lat = x.degrees, y.degrees
    if not is_position(lon, lat):
        raise NotationError(
            "notation.range",
            "Latitudes go from -90 to 90 degrees, and longitudes from -180 to 180.",
            "Look for a digit that is wrong.",
        )
    said = ("decimal degrees", "degrees and minutes", "degrees, minutes and seconds")
    words = said[max(one.parts, other.parts) - 1] + (", longitude first" if lon_first else "")
    return Position(lon, lat, max(one.unit, other.unit) * METRES, "degrees", words)


def _lon_first(one: _Angle, other: _Angle) -> bool:
    """Whether the first is the longitude: as it says; else the order that leads to Belize."""
    if one.axis is not None or other.axis is not None:
        return one.axis == "lon" or other.axis == "lat"
    if not is_position(other.degrees, one.degrees):
        return is_position(one.degrees, other.degrees)
    swapped = belize.is_around(one.degrees, other.degrees)
    return swapped and not belize.is_around(other.degrees, one.degrees)
