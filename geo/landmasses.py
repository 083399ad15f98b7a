"""Which mainland or island points lie on. Pure.

Where no road is known between two places, a vehicle may still get from one to the other, but not
when they lie on different islands.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import MultiPolygon, Polygon, STRtree

Ints = NDArray[np.int64]

ON_WATER: Final = -1
UNKNOWN: Final = -2
"""Outside of the land and water that are known."""
SHORE_DEGREES: Final = 0.01
"""A point so far off a coast, some 1.1 km, is taken to be on a pier: coasts are simplified."""


class Landmasses:
    """Pieces of land, the largest first. It never changes; many threads may ask at once."""

    def __init__(self, land: Polygon | MultiPolygon) -> None:
        parts = shapely.get_parts(land)
        self._parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
        shapely.prepare(self._parts)
        self._tree = STRtree(self._parts)
        self._bounds = shapely.total_bounds(self._parts)

    def of(self, lons: ArrayLike, lats: ArrayLike) -> Ints:
        """For each point (degrees) the number of its land, :data:`ON_WATER` or :data:`UNKNOWN`."""
        east = np.atleast_1d(np.asarray(lons, np.float64))
        north = np.atleast_1d(np.asarray(lats, np.float64))
        found = np.full(len(east), ON_WATER)
        west, south, right, top = self._bounds
        beyond = (east < west) | (east > right) | (north < south) | (north > top)
        found[beyond | np.isnan(east)] = UNKNOWN
        if len(self._parts):  # most of everything is on the largest, which is asked first
            found[(found == ON_WATER) & shapely.contains_xy(self._parts[0], east, north)] = 0
        left = np.flatnonzero(found == ON_WATER)
        if len(left):
            points = shapely.points(east[left], north[left])
            which, part = self._tree.query_nearest(
                points, max_distance=SHORE_DEGREES, all_matches=False
            )
            found[left[which]] = part
        return found
