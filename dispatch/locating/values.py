"""Positions as requests and answers carry them: integers of 1e-7 degrees, as on the wire."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from dispatch.asking import ApiProblem
from geo import belize
from geo.coordinates import E7, from_e7, to_e7
from geo.notations.judging import doubt

MOST_LON: Final = 180 * E7
MOST_LAT: Final = 90 * E7
Lon = Annotated[int, Meta(ge=-MOST_LON, le=MOST_LON)]
Lat = Annotated[int, Meta(ge=-MOST_LAT, le=MOST_LAT)]


def e7(degrees: float) -> int:
    """Degrees as the API writes them."""
    return to_e7(degrees)


def district_name(code: str | None) -> str | None:
    """What a district is called, by the code that a place keeps."""
    return next((each.name for each in belize.districts() if each.code == code), None)


def checked_point(lon: int, lat: int, anywhere: bool) -> tuple[float, float]:
    """Longitude and latitude in degrees; raises ``far_away`` for what is hardly meant."""
    x, y = from_e7(lon), from_e7(lat)
    why = None if anywhere else doubt(x, y)
    if why is not None:
        raise ApiProblem(400, "far_away", why, "Correct it, or say that it is meant (anywhere).")
    return x, y
