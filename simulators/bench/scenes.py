"""Where something happens in a bench: about the towns of the country, where people are."""

from __future__ import annotations

from random import Random
from typing import Final

from geo import belize

AROUND_DEGREES: Final = 0.03
"""About three kilometres to each side."""


def scene(random: Random) -> tuple[int, int]:
    """Longitude and latitude x 10^7 (WGS 84) near a settlement; larger ones are no likelier."""
    place = random.choice(belize.places())
    lon, lat = (at + random.uniform(-1, 1) * AROUND_DEGREES for at in (place.lon, place.lat))
    return round(lon * 1e7), round(lat * 1e7)
