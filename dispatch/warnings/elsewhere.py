"""Which units are known to be outside an area. Pure.

Whoever is not is warned. A unit is where it was heard of last for :data:`SURE_SECONDS`; then it may
have come nearer, as fast as no unit of its kind goes faster; and after :data:`LOST_SECONDS` it may
be anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely
from msgspec import Struct
from numpy.typing import NDArray

SURE_SECONDS: Final = 300.0
"""A position of so long ago is drawn as old on every map."""
LOST_SECONDS: Final = 1_800.0
METRES_OF_A_DEGREE: Final = 105_000.0
"""At least, in these latitudes: a border is rather too near than too far."""


class Heard(Struct, frozen=True):
    """Where units were heard of last: one row for each."""

    units: Sequence[int]
    rows: NDArray[np.float64]
    """Longitude, latitude (degrees), seconds since, metres a second that it can have moved."""

    @staticmethod
    def of(said: Sequence[tuple[int, float, float, float, float]]) -> Heard:
        """From number, longitude, latitude, seconds of silence and greatest speed of each."""
        rows = np.array([each[1:] for each in said], dtype=float).reshape(-1, 4)
        return Heard([each[0] for each in said], rows)


def outside(shape: shapely.Geometry, heard: Heard) -> set[int]:
    """Units that cannot be in an area."""
    lon, lat, silent, fastest = heard.rows.T
    shapely.prepare(shape)
    away = ~shapely.intersects_xy(shape, lon, lat) & (silent <= LOST_SECONDS)
    doubtful = np.flatnonzero(away & (silent > SURE_SECONDS))
    if doubtful.size:
        points = shapely.points(lon[doubtful], lat[doubtful])
        metres = shapely.distance(shape, points) * METRES_OF_A_DEGREE
        away[doubtful] = metres > silent[doubtful] * fastest[doubtful]
    return {unit for unit, known in zip(heard.units, away, strict=True) if known}
