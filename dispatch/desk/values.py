"""What actions are given: texts, places, ids, each with its limits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from psn.wire import Id, LatitudeE7, LongitudeE7, Milliseconds
from psn.wire.values import NO_NUL

MOST_CHARACTERS = 8_000
Line = Annotated[str, Meta(max_length=200, pattern=NO_NUL)]
"""A line of text; may be empty."""
Words = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL)]
"""A line of text that says something."""
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=NO_NUL)]
"""Why, in a few sentences."""
Text = Annotated[str, Meta(max_length=MOST_CHARACTERS, pattern=NO_NUL)]
Said = Annotated[str, Meta(min_length=1, max_length=MOST_CHARACTERS, pattern=NO_NUL)]
Priority = Annotated[int, Meta(ge=1, le=5)]
Word = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,20}\Z")]
Ids = Annotated[list[Id], Meta(min_length=1, max_length=50)]


class Place(Struct, frozen=True, omit_defaults=True):
    """Where: in words, and perhaps on the map (degrees x 10^7, WGS 84)."""

    text: Line = ""
    lon: LongitudeE7 | None = None
    lat: LatitudeE7 | None = None

    def point(self) -> str | None:
        """As PostGIS reads it (EWKT); none without both numbers."""
        if self.lon is None or self.lat is None:
            return None
        return f"SRID=4326;POINT({self.lon / 1e7:.7f} {self.lat / 1e7:.7f})"


__all__ = [
    "Id",
    "Ids",
    "Line",
    "Milliseconds",
    "Place",
    "Priority",
    "Reason",
    "Said",
    "Text",
    "Word",
    "Words",
]
