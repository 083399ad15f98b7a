"""What actions are given: texts, places, ids, each with its limits."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from dispatch.domain.refusals import far_away
from geo.coordinates import E7
from geo.notations.judging import doubt
from psn.wire import Id, LatitudeE7, LongitudeE7, Milliseconds
from psn.wire.values import NO_NUL

MOST_CHARACTERS = 8_000
SAYS = r"^[^\x00]*[^\s\x00\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff][^\x00]*\Z"
"""Text of which something is seen."""
Line = Annotated[str, Meta(max_length=200, pattern=NO_NUL)]
"""A line of text; may be empty."""
Words = Annotated[str, Meta(min_length=1, max_length=200, pattern=SAYS)]
"""A line of text that says something."""
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=SAYS)]
"""Why, in a few sentences."""
Text = Annotated[str, Meta(max_length=MOST_CHARACTERS, pattern=NO_NUL)]
Said = Annotated[str, Meta(min_length=1, max_length=MOST_CHARACTERS, pattern=SAYS)]
Priority = Annotated[int, Meta(ge=1, le=5)]
Word = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,20}\Z")]
NOWHERE: Final = "0, 0 is what a receiver says that knows no place"
_MOST_LON: Final = 1_800_000_000
_MOST_LAT: Final = 900_000_000
_LONG: Final = 10**15
Ids = Annotated[list[Id], Meta(min_length=1, max_length=50)]


class SaidPlace(Struct, frozen=True, omit_defaults=True):
    """Where somebody says to be, who is heard whatever he says (degrees x 10^7, WGS 84)."""

    text: Line = ""
    lon: LongitudeE7 | None = None
    lat: LatitudeE7 | None = None

    def point(self) -> str | None:
        """As PostGIS reads it (EWKT); none without both numbers, or where they say nothing."""
        if self.lon is None or self.lat is None or self.lon == self.lat == 0:
            return None
        return f"SRID=4326;POINT({self.lon / E7:.7f} {self.lat / E7:.7f})"


class HeardPlace(Struct, frozen=True, omit_defaults=True):
    """Where a call comes from, which is kept whatever was said of it (DOM-CALL-6)."""

    text: Line = ""
    lon: int | None = None
    """Degrees x 10^7, WGS 84, as said: it may be no longitude at all."""
    lat: int | None = None
    anywhere: bool = False
    """Taken as of any other place, and never needed here."""

    def point(self) -> str | None:
        """As PostGIS reads it (EWKT); none where the numbers are no point."""
        return None if self.lost() else SaidPlace(lon=self.lon, lat=self.lat).point()

    def lost(self) -> str:
        """Why the numbers are no point, as a sentence; empty where they are one, or not there."""
        lon, lat = self.lon, self.lat
        if lon is None and lat is None:
            return ""
        if lon is None or lat is None:
            why = "longitude and latitude go together"
        elif lon == lat == 0:
            why = NOWHERE
        elif abs(lon) > _MOST_LON or abs(lat) > _MOST_LAT:
            why = "they go to 180 and 90 degrees"
        else:
            return ""
        return (
            f"The point was left out (longitude {_degrees(lon)}, latitude {_degrees(lat)}): {why}."
        )


def _degrees(e7: int | None) -> str:
    return "missing" if e7 is None else f"{e7 / E7:g}" if abs(e7) < _LONG else "far too long"


class Place(SaidPlace, frozen=True, omit_defaults=True):
    """Where something is: in words, and perhaps on the map (degrees x 10^7, WGS 84)."""

    anywhere: bool = False
    """It is meant, however far from Belize it lies."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for what is no place."""
        if (self.lon is None) != (self.lat is None):
            raise ValueError("longitude and latitude go together")
        if self.lon == self.lat == 0:
            raise ValueError(NOWHERE)

    def point(self) -> str | None:
        """The same; raises ``far_away`` for one that is hardly meant (DOM-PLACE-2)."""
        if self.lon is not None and self.lat is not None and not self.anywhere:
            why = doubt(self.lon / E7, self.lat / E7)
            if why is not None:
                raise far_away(why)
        return super().point()


__all__ = [
    "HeardPlace",
    "Id",
    "Ids",
    "Line",
    "Milliseconds",
    "Place",
    "Priority",
    "Reason",
    "Said",
    "SaidPlace",
    "Text",
    "Word",
    "Words",
]
