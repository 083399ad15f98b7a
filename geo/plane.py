"""Metres on a plane around Belize, for many points at once. Pure arithmetic.

An equirectangular plane through 17.2° N: lengths are right within 1 % from 15.6° to 18.7° N, which
is enough to say what is near, and exact enough for minutes of driving. For single distances use
:func:`geo.coordinates.distance_m`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.coordinates import EARTH_RADIUS_M

MIDDLE: Final = 17.2
"""Degrees north; where the plane touches."""
_NORTH: Final = 110_670.0
"""Metres in a degree of latitude at 17° (WGS 84)."""
_EAST: Final = 111_413.0 * math.cos(math.radians(MIDDLE))
"""Metres in a degree of longitude at :data:`MIDDLE`, within 0.1 %."""

Floats = NDArray[np.float64]


def metres(lons: ArrayLike, lats: ArrayLike) -> Floats:
    """Points in degrees as rows of metres east and north, shape (n, 2)."""
    east = np.atleast_1d(np.asarray(lons, np.float64)) * _EAST
    north = np.atleast_1d(np.asarray(lats, np.float64)) * _NORTH
    return np.column_stack((east, north))


def straight_m(lon: float, lat: float, lons: ArrayLike, lats: ArrayLike) -> Floats:
    """Metres from one point to each of many, as :func:`geo.coordinates.distance_m`.

    On the sphere, so also right for points far away; degrees in, shape (n,) out.
    """
    there = np.radians(np.atleast_1d(np.asarray(lats, np.float64)))
    apart = np.radians(np.atleast_1d(np.asarray(lons, np.float64)) - lon)
    here = math.radians(lat)
    half = np.sin((there - here) / 2) ** 2
    half += math.cos(here) * np.cos(there) * np.sin(apart / 2) ** 2
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0))))
