"""Places by numbers, as people type and paste them. Pure: text in, a reading or an error out.

:func:`read` knows degrees with and without minutes and seconds, ``geo:`` URIs, links of maps, UTM,
MGRS, plus codes, distance and direction from a named place, and the mile of a road. What is written
is kept: where it lies far from Belize, the reading says so and tells what may be meant instead, and
nobody's numbers are changed in silence.
"""

from __future__ import annotations

from typing import Final

from geo.notations import codes, degrees, grids, links, offsets
from geo.notations.letters import plain
from geo.notations.model import (
    MileMarker,
    NotationError,
    Offset,
    Position,
    Reading,
    ShortCode,
)

MOST: Final = 2_000
"""Characters that are looked at: a long link of a map fits."""

# A link holds degrees, and grid references hold letters that could be north or east.
_READERS: Final = (
    links.read,
    codes.read,
    grids.read_mgrs,
    grids.read_utm,
    degrees.read,
    offsets.read,
)

__all__ = [
    "MOST",
    "MileMarker",
    "NotationError",
    "Offset",
    "Position",
    "Reading",
    "ShortCode",
    "read",
]


def read(text: str) -> Reading:
    """The place that a text names by numbers.

    Raises:
        NotationError: ``notation.unknown`` when it is in no notation known here, so that it may
            be a name; another code when it is in one, and wrong.
    """
    if len(text) > MOST:
        raise NotationError(
            "notation.too_long",
            f"The text has more than {MOST:,} characters.",
            "Paste the position alone.",
        )
    written = plain(text)
    if not written:
        raise NotationError("notation.empty", "There is nothing written.", "Type a place.")
    for reader in _READERS:
        found = reader(written)
        if found is not None:
            return found
    raise NotationError(
        "notation.unknown",
        "This is no position in a notation that is known here.",
        "Write it as 17.4995, -88.1976, for example, or as a name.",
    )
