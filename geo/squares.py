"""Squares of a kilometre in the national grid (UTM 16N), to count what happens where. Pure.

A square is named by the easting and northing of its south-west corner, in whole kilometres: those
are the four-figure references on the country's maps. (``geo.grid`` is another: it covers the
earth, to say roughly where a unit is.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from geo.coordinates import E7, UTM_16N, transformer

SIDE_M: Final = 1_000


def corners(squares: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Of each square longitude and latitude of its four corners, degrees × 10⁷, one after the
    other, from the south-west against the clock. Many at once, since one by one is slow.
    """
    if not squares:
        return []
    at = np.asarray(squares, dtype=np.float64)
    around = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float64)
    metres = (at[:, None, :] + around[None, :, :]) * SIDE_M
    lon, lat = transformer(UTM_16N, "EPSG:4326").transform(metres[..., 0], metres[..., 1])
    degrees = np.stack([lon, lat], axis=-1).reshape(len(squares), 8)
    found: list[list[int]] = np.rint(degrees * E7).astype(np.int64).tolist()
    return found
