"""Distance and direction from a named place, and the mile of a road, as people say them."""

from __future__ import annotations

import math
import re
from typing import Final

from geo.notations import compass
from geo.notations.model import MileMarker, NotationError, Offset

MILE_M: Final = 1_609.344
"""The international (statute) mile."""
NAUTICAL_MILE_M: Final = 1_852.0
_UNITS: Final = (
    (r"nm|n\.m\.|nmi|mn|m\.n\.|nautical\s?miles?|millas?\s?n[aá]uticas?", NAUTICAL_MILE_M, "nm"),
    (r"km|kms|kilomet(?:er|re)s?|kil[oó]metros?", 1_000.0, "km"),
    (r"mi|miles?|millas?", MILE_M, "miles"),
    (r"m|mts?|met(?:er|re)s?|metros?", 1.0, "m"),
    (r"cables?", NAUTICAL_MILE_M / 10, "cables"),
    (r"yd|yds|yards?|yardas?", 0.9144, "yards"),
    (r"ft|feet|foot|pies?", 0.3048, "feet"),
)
MOST_M: Final = 1_000_000.0
"""Nobody measures further from a town."""
LEAST_SURE_M: Final = 10.0
_DEGREES_OFF: Final = 1.0
"""How far off a bearing in degrees may be."""

_NUMBER: Final = r"(?:half an?|an?|[0-9]{1,7}(?:[.,][0-9]{1,6})?(?:\s?1/[24]|\s3/4)?|[13]/[24])"
_UNIT: Final = "|".join(f"(?:{words})" for words, _, _ in _UNITS)
_OF: Final = r"\s+(?:of|from|off|del?(?:\s+la)?|desde)\s+"
_BEARING: Final = r"(?:bearing\s*|brg\s*)?[0-9]{1,3}(?:\.[0-9])?\s?(?:°|degrees|deg)?\s?t?"
_TOWARDS: Final = r"(?:(?:to the|due|al?|bearing)\s+)?"
_POINT: Final = (
    r"(?:(?:north|south)(?:[\s-]?(?:north|south)?[\s-]?(?:east|west))?"
    r"|(?:east|west)(?:[\s-](?:north|south)[\s-]?(?:east|west))?"
    r"|nor(?:d?este|oeste|te)|su[rd](?:este|oeste)|sur|o?este"
    r"|[ns](?:[ns]?[ewo])?|[ewo](?:[ns][ewo])?)"
)
"""A direction by name and nothing else: where no "of" says where it ends."""
_FAR: Final = rf"(?P<n>{_NUMBER})\s?(?P<unit>{_UNIT})"
_OFFSETS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_FAR}\s+{_TOWARDS}(?P<to>[a-z][a-z -]{{0,30}}?){_OF}(?P<name>.+)",
        rf"{_FAR}\s+(?P<degrees>{_BEARING}){_OF}(?P<name>.+)",
        rf"(?P<degrees>{_BEARING})[\s,]+(?:at\s+)?{_FAR}{_OF}(?P<name>.+)",
        rf"{_FAR}{_OF}(?P<name>.+)",
        rf"{_FAR}\s+{_TOWARDS}(?P<perhaps>(?P<to>{_POINT})[\s,]+(?P<name>[^\W\d].+))",
    )
)
_STREET: Final = re.compile(
    r".+\s(?:streets?|st|roads?|rd|avenues?|ave?|lane|ln|drive|dr|boulevard|blvd|crescent|close)\.?",
    re.IGNORECASE,
)
"""A street's name, which may begin with a direction: no list of streets is needed to see that."""
_MILE: Final = r"(?:mile\s?(?:marker|post)|milepost|mile|milla|mm|kil[oó]met(?:er|re|ro)|km)"
_AT: Final = r"(?P<mile>[0-9]{1,3}(?:[.,][0-9]{1,6})?(?:\s?1/[24]|\s3/4)?)"
_MILES: Final = (
    re.compile(rf"(?P<unit>{_MILE})\.?\s?#?{_AT}[\s,]+(?P<road>.+)", re.IGNORECASE),
    re.compile(rf"(?P<road>.+?)[\s,]+(?:at\s+)?(?P<unit>{_MILE})\.?\s?#?{_AT}", re.IGNORECASE),
)
_FILLERS: Final = frozenset(
    ("on", "along", "of", "the", "at", "de", "del", "la", "el", "en", "sobre", ",", "-")
)
_MOST_NAME: Final = 120


def read(text: str) -> Offset | MileMarker | None:
    """What is measured from a name that a gazetteer has to know.

    Raises:
        NotationError: ``notation.no_bearing`` for a distance without a direction.
    """
    for pattern in _OFFSETS:
        found = pattern.fullmatch(text)
        if found is not None and len(found["name"]) <= _MOST_NAME:
            offset = _offset(found)
            if offset is not None:
                return offset
    for pattern in _MILES:
        found = pattern.fullmatch(text)
        if found is not None:
            mile = _mile(found)
            if mile is not None:
                return mile
    return None


def is_street(name: str) -> bool:
    """Whether a name ends as those of streets do: *West Street*, *North Front Street*."""
    return _STREET.fullmatch(name) is not None


def _offset(found: re.Match[str]) -> Offset | None:
    groups = found.groupdict()
    number = _number(groups["n"])
    unit, said = next(
        (metres, said)
        for words, metres, said in _UNITS
        if re.fullmatch(words, groups["unit"], re.IGNORECASE)
    )
    metres, name = number * unit, groups["name"].strip(" ,.")
    if groups.get("degrees") is not None:
        digits = re.search(r"[0-9]{1,3}(?:\.[0-9])?", groups["degrees"])
        assert digits is not None
        bearing, off = float(digits[0]), _DEGREES_OFF
        way = f"{digits[0]}°"
        if bearing > 360:
            raise NotationError(
                "notation.range", "Bearings go from 0 to 360 degrees.", "Correct the bearing."
            )
    elif groups.get("to") is not None:
        named = compass.bearing(groups["to"])
        if named is None or compass.bearing(name) is not None:
            return None
        (bearing, off), way = named, compass.point(named[0])
    else:
        raise NotationError(
            "notation.no_bearing",
            "The distance is there, and the direction is missing.",
            f"Say where it lies: {number:g} {said} east of {name}, for example.",
        )
    if metres > MOST_M:
        raise NotationError(
            "notation.range", "That is more than 1,000 km away.", "Measure from a nearer place."
        )
    unsure = max(metres * math.sin(math.radians(off)), _last_digit(groups["n"]) * unit)
    perhaps = groups.get("perhaps") or ""
    return Offset(
        metres,
        bearing % 360.0,
        name,
        max(unsure, LEAST_SURE_M),
        f"{number:g} {said} {way}",
        "" if "," in perhaps else perhaps.strip(" ."),
    )


def _number(words: str) -> float:
    words = words.casefold().strip()
    if words.startswith("half"):
        return 0.5
    if words in ("a", "an"):
        return 1.0
    whole, part = re.fullmatch(r"([0-9.,]*?)\s?([13]/[24])?", words).groups()  # type: ignore[union-attr]
    value = float(whole.replace(",", ".")) if whole else 0.0
    if part is not None:
        value += int(part[0]) / int(part[2])
    return value


def _last_digit(words: str) -> float:
    """What one in the last place that is written stands for; a half for words and fractions."""
    digits = re.fullmatch(r"[0-9]+(?:[.,]([0-9]+))?", words)
    if digits is None:
        return 0.25
    if digits[1] is not None:
        return 10.0 ** -len(digits[1])
    whole = words.rstrip("0")
    return 10.0 ** (len(words) - len(whole)) if whole else 1.0


def _mile(found: re.Match[str]) -> MileMarker | None:
    words = found["road"].split()
    while words and words[0].casefold() in _FILLERS:
        words.pop(0)
    while words and words[-1].casefold() in _FILLERS:
        words.pop()
    road = " ".join(words).strip(" ,.")
    if not road or len(road) > _MOST_NAME or not any(c.isalpha() for c in road):
        return None
    typed = _number(found["mile"])
    if found["unit"].casefold().startswith("k"):
        return MileMarker(road, typed * 1_000.0 / MILE_M, typed)
    return MileMarker(road, typed)
