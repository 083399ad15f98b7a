"""Addresses that hold a position: ``geo:`` URIs (RFC 5870) and links of maps."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from geo.coordinates import is_position
from geo.notations.degrees import METRES
from geo.notations.judging import judged
from geo.notations.model import NotationError, Position

_N: Final = r"[+-]?[0-9]{1,4}(?:\.[0-9]{1,15})?"
_GEO: Final = re.compile(rf"geo:\s*({_N}),\s*({_N})(?:,{_N})?((?:;[^?]*)?)(?:\?(.*))?", re.I)
_LINKS: Final = (
    # The pin that was chosen, what was searched for, and last the middle of the map.
    re.compile(rf"!3d({_N})!4d({_N})"),
    re.compile(rf"[?&](?:q|query|ll|sll|destination|daddr|center)=(?:loc:)?({_N})\s*,\s*({_N})"),
    re.compile(rf"[?&]mlat=({_N})&mlon=({_N})"),
    re.compile(rf"[?&]lat=({_N})&(?:lon|lng)=({_N})"),
    re.compile(rf"/(?:place|search|dir//?)/?({_N}),[\s+]*({_N})(?![0-9])"),
    re.compile(rf"@({_N}),({_N})"),
    re.compile(rf"#map=[0-9.]{{1,5}}/({_N})/({_N})"),
)
_QUERY: Final = re.compile(rf"(?:^|&)q=({_N}),({_N})")


def read(text: str) -> Position | None:
    """The position that an address holds, latitude first as all of them write it.

    Raises:
        NotationError: for an address without one, or with one that is wrong.
    """
    if text[:4].casefold() == "geo:":
        return _geo(unquote(text))
    whole = unquote(text)
    if re.match(r"(?:https?://|www\.)\S", text, re.I):
        found = _first(whole)
        if found is None:
            raise NotationError(
                "notation.unknown",
                "This address holds no position that can be read.",
                "Open it, and paste latitude and longitude.",
            )
        return found
    at = re.fullmatch(rf"@({_N}),\s*({_N})(?:,[0-9.]{{1,9}}[a-z])*/?", whole)
    return None if at is None else _position(at[1], at[2], "link", "link of a map")


def _first(link: str) -> Position | None:
    for pattern in _LINKS:
        found = pattern.search(link)
        if found is not None:
            return _position(found[1], found[2], "link", "link of a map")
    return None


def _geo(text: str) -> Position:
    found = _GEO.fullmatch(text)
    if found is None:
        raise NotationError(
            "notation.unknown",
            "This geo: address cannot be read.",
            "Write it as geo:17.4995,-88.1976.",
        )
    lat, lon, more, query = found.groups()
    said = dict(part.casefold().partition("=")[::2] for part in more.split(";") if part)
    if said.get("crs", "wgs84") != "wgs84":
        raise NotationError(
            "notation.datum",
            "This geo: address is not in WGS 84.",
            "Convert it to WGS 84 before it is used here.",
        )
    pin = _QUERY.search(query or "")
    if pin is not None and float(lat) == float(lon) == 0:
        lat, lon = pin[1], pin[2]  # as telephones write a pin
    position = _position(lat, lon, "geo", "geo: address")
    sure = re.fullmatch(r"[0-9]{1,7}(?:\.[0-9]{1,9})?", said.get("u", ""))
    return position if sure is None else position._replace(precision_m=float(sure[0]))


def _position(lat: str, lon: str, notation: str, said: str) -> Position:
    if not is_position(float(lon), float(lat)):
        raise NotationError(
            "notation.range",
            "The address holds a latitude or longitude that is not on the earth.",
            "Look for a digit that is wrong.",
        )
    decimals = min(len(each.partition(".")[2]) for each in (lat, lon))
    found = Position(float(lon), float(lat), METRES * 10.0**-decimals, notation, said)
    return judged(found)
