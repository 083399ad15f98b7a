"""A grid of squares of about a kilometre, to say roughly where something is. Pure arithmetic.

Rows are 0.009° of latitude high: 995 m at the equator, 1,005 m at the poles (WGS 84). Each row is
cut into as many columns of equal width as fit with at least that width, so that a square is about
as wide as it is high wherever it lies.
"""

from __future__ import annotations

import math
from typing import Final

ROW: Final = 90_000
"""Height of a row, degrees x 10^7."""
ROWS: Final = 20_000
_TURN: Final = 3_600_000_000
_COLUMNS_AT_EQUATOR: Final = _TURN // ROW
REACH_M: Final = 715
"""Metres from the middle of a square to its corners, rounded up."""


def middle(lon: int, lat: int) -> tuple[int, int]:
    """Longitude and latitude of the middle of the square a place lies in, degrees x 10^7."""
    row = min((lat + ROW * ROWS // 2) // ROW, ROWS - 1)
    centre = row * ROW + ROW // 2 - ROW * ROWS // 2
    columns = max(int(_COLUMNS_AT_EQUATOR * math.cos(math.radians(centre / 1e7))), 1)
    column = (lon + _TURN // 2) * columns // _TURN % columns
    return (2 * column + 1) * _TURN // (2 * columns) - _TURN // 2, centre
