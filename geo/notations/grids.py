"""Grid references: UTM and MGRS (NGA.STND.0037), zone 16 where none is said."""

from __future__ import annotations

import re
import warnings
from typing import Final

import mgrs

from geo import belize
from geo.coordinates import CoordinateError, from_utm
from geo.notations.judging import judged
from geo.notations.model import NotationError, Position

ZONE: Final = 16
"""The zone of Belize."""
BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"
_HOME_BANDS: Final = "QP"
"""Bands of latitude that Belize lies in: 16° to 24° north, and 8° to 16°."""

_NUMBER: Final = r"0?[0-9]{6,7}(?:\.[0-9]{1,6})?"
# In "16 E 372858 N 1935213" the E is no band.
_NO_LABEL: Final = rf"(?!e[\s:=]+{_NUMBER}\s*m?[\s,;/]+n)"
_UTM: Final = re.compile(
    rf"(?:utm\s*)?(?:(?:zone|zona)?\s*(?P<zone>[0-9]{{1,2}})\s?{_NO_LABEL}(?P<band>[C-HJ-NP-X])?(?:[\s,:;]+|(?=e\s)))?"
    rf"(?P<a>(?:[en]\w{{0,7}}\s*[:=]?\s*)?{_NUMBER}\s*(?:m?\s?[en])?)[\s,;/]+"
    rf"(?P<b>(?:[en]\w{{0,7}}\s*[:=]?\s*)?{_NUMBER}\s*(?:m?\s?[en])?)m?",
    re.IGNORECASE,
)
_DEGREES: Final = re.compile(r"[0-9]{6}\s?n[\s,;/]+0[0-9]{6}\s?e", re.IGNORECASE)
"""Degrees, minutes and seconds without marks; UTM would name northing and easting so, too."""
_MGRS: Final = re.compile(
    rf"(?:(?P<zone>[0-9]{{1,2}})\s?(?P<band>[{BANDS}])\s?)?"
    r"(?P<square>[A-HJ-NP-Z]\s?[A-HJ-NP-V])\s?(?P<digits>(?:[0-9]{1,10}|[0-9]{1,5}\s[0-9]{1,5})?)"
)
_CONVERTER: Final = mgrs.MGRS()


def read_utm(text: str) -> Position | None:
    """Easting and northing in metres, in this order unless letters or sizes say otherwise.

    Raises:
        NotationError: when it is in this notation, and wrong.
    """
    if _DEGREES.fullmatch(text):
        return None
    # 1,935,000: a comma before exactly three digits parts thousands.
    found = _UTM.fullmatch(re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text))
    if found is None:
        return None
    easting, northing = _ordered(found["a"], found["b"])
    zone = ZONE if found["zone"] is None else int(found["zone"])
    band = (found["band"] or "N").upper()
    if not (1 <= zone <= 60 and 100_000 <= float(easting) < 1_000_000):
        raise _off_grid("UTM zones go from 1 to 60, and eastings from 100,000 to 999,999.")
    # A single S is as often the southern half as the band; bands before N are south of it.
    south = band < "N" or (band == "S" and not 3_500_000 < float(northing) < 4_430_000)
    try:
        lon, lat = from_utm(float(easting), float(northing), zone, south)
    except CoordinateError as error:
        raise _off_grid(error.text) from None
    decimals = min(len(each.partition(".")[2]) for each in (easting, northing))
    said = f"UTM, zone {zone}{'S' if south else 'N'}" + " assumed" * (found["zone"] is None)
    return judged(Position(lon, lat, 10.0**-decimals, "utm", said), slips=False)


def _ordered(first: str, second: str) -> tuple[str, str]:
    """Easting and northing as digits."""
    named = [_letter(first), _letter(second)]
    if named[0] == named[1] != "":
        raise _off_grid("Both numbers are named alike.")
    one, other = (re.sub(r"[^0-9.]", "", each) for each in (first, second))
    swapped = "n" in named[:1] or "e" in named[1:]
    if named == ["", ""]:
        swapped = float(one) >= 1_000_000 > float(other)
    return (other, one) if swapped else (one, other)


def _letter(number: str) -> str:
    found = re.search(r"[en]", number, re.IGNORECASE)
    return "" if found is None else found[0].lower()


def read_mgrs(text: str) -> Position | None:
    """The middle of the square that a reference names; its precision is the square's side.

    Raises:
        NotationError: when it is in this notation, and names no square.
    """
    found = _MGRS.fullmatch(re.sub(r"^(?:MGRS|USNG)\s*:?\s*", "", text.upper()))
    if found is None:
        return None
    parts = found["digits"].split()
    digits = "".join(parts)
    if found["zone"] is None and len(digits) < 4:
        return None  # two letters and a digit or two are a name
    if len(digits) % 2 or (len(parts) == 2 and len(parts[0]) != len(parts[1])):
        raise _off_grid("The two halves of this grid reference are not equally long.")
    square = found["square"].replace(" ", "") + digits
    side = 10.0 ** (5 - len(digits) // 2)
    if found["zone"] is not None:
        position = _middle(f"{found['zone']}{found['band']}{square}", side, "MGRS")
        if position is None:
            raise _off_grid("There is no such square in MGRS.")
        return judged(position, slips=False)
    for band in _HOME_BANDS:
        home = _middle(f"{ZONE}{band}{square}", side, f"MGRS, {ZONE}{band} assumed")
        if home is not None and belize.is_around(home.lon, home.lat):
            return judged(home, slips=False)
    return None


def _middle(reference: str, side: float, said: str) -> Position | None:
    try:
        with warnings.catch_warnings():
            # It warns of a square that does not lie in the band that was said.
            warnings.simplefilter("error", RuntimeWarning)
            zone, half, easting, northing = _CONVERTER.MGRSToUTM(reference)
        lon, lat = from_utm(easting, northing, zone, half == "S")
    except (mgrs.core.MGRSError, RuntimeWarning, CoordinateError):
        return None
    return Position(lon, lat, side, "mgrs", said)


def write_mgrs(lon: float, lat: float) -> str | None:
    """The reference of a place to the metre, ``16Q CE 72500 35000``; None near the poles."""
    try:
        whole = _CONVERTER.toMGRS(lat, lon)
    except mgrs.core.MGRSError:
        return None
    head, digits = whole[:-10], whole[-10:]
    if len(head) < 4 or not digits.isdecimal():
        return None  # near the poles there are other grids
    return f"{head[:-2]} {head[-2:]} {digits[:5]} {digits[5:]}"


def _off_grid(why: str) -> NotationError:
    return NotationError("notation.grid", why, "Compare it with where it was copied from.")
