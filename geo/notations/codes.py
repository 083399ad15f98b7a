"""Plus codes (Open Location Code 1.0), as maps show them where streets have no names.

The arithmetic is a page of Google's specification; the packages that have it are not kept any more
(docs/decisions/0018).
"""

from __future__ import annotations

import re
from typing import Final

from geo.notations.degrees import METRES
from geo.notations.judging import judged
from geo.notations.model import NotationError, Position, ShortCode

DIGITS: Final = "23456789CFGHJMPQRVWX"
_D: Final = f"[{DIGITS}]"
_FULL: Final = re.compile(
    rf"[2-9C]{_D}(?:{_D}{{6}}\+(?:{_D}{{2,7}})?|{_D}{{4}}00\+|{_D}{{2}}0000\+|000000\+)"
)
_SHORT: Final = re.compile(rf"({_D}{{4}}\+{_D}{{2,3}})(?:\s*,\s*|\s+|$)(.*)", re.IGNORECASE)


def read(text: str) -> Position | ShortCode | None:
    """A whole code as the middle of its square, or a short one with its town.

    Raises:
        NotationError: for a short code without a town, or a whole one that names no square.
    """
    upper = text.upper()
    if _FULL.fullmatch(upper.partition(" ")[0]):
        return judged(_middle(upper.partition(" ")[0]), slips=False)
    short = _SHORT.fullmatch(text)
    if short is None:
        return None
    name = re.sub(r",?\s*(?:Belize|Belice)$", "", short[2].strip(" ,"), flags=re.IGNORECASE)
    if not name:
        raise NotationError(
            "notation.no_town",
            "A short plus code says where it is only beside the name of a town.",
            f"Add the town: {short[1].upper()} Belmopan, for example.",
        )
    return ShortCode(short[1].upper(), name)


def whole(code: str, lon: float, lat: float) -> Position:
    """The place of a short code that is nearest to another place (degrees)."""
    # A short code of four and more says where in a square of one degree.
    here = _middle(_head(lon, lat) + code)
    x, y = here.lon, here.lat
    x += 1.0 if lon - x > 0.5 else -1.0 if x - lon > 0.5 else 0.0
    y += 1.0 if lat - y > 0.5 else -1.0 if y - lat > 0.5 else 0.0
    return judged(here._replace(lon=x, lat=y), slips=False)


def _head(lon: float, lat: float) -> str:
    """The first four digits of a place's code: its square of one degree."""
    north, east = min(int(lat + 90), 179), int(lon + 180) % 360
    return DIGITS[north // 20] + DIGITS[east // 20] + DIGITS[north % 20] + DIGITS[east % 20]


def _middle(code: str) -> Position:
    digits = code.replace("+", "").rstrip("0")
    lat, lon, height, width = -90.0, -180.0, 400.0, 400.0
    for north, east in zip(digits[:10:2], digits[1:10:2], strict=True):
        height, width = height / 20, width / 20
        lat += DIGITS.index(north) * height
        lon += DIGITS.index(east) * width
    for digit in digits[10:]:
        height, width = height / 5, width / 4
        lat += DIGITS.index(digit) // 4 * height
        lon += DIGITS.index(digit) % 4 * width
    middle = (lon + width / 2, lat + height / 2)
    if not (middle[1] < 90 and middle[0] < 180):
        raise NotationError(
            "notation.grid", "There is no such plus code.", "Look for a character that is wrong."
        )
    return Position(*middle, max(height, width) * METRES, "plus_code", "plus code")
