"""Percentiles by nearest rank. Pure.

The P-th percentile of n values in order is the one at rank ⌈P·n/100⌉: a value that was measured,
never one between two. So "the 90th percentile is at most 60 s" says the same as "at least 90 % took
at most 60 s". It is what PostgreSQL calls ``percentile_disc`` and NumPy ``inverted_cdf`` (Hyndman
and Fan, 1996, definition 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

PERCENTS: Final = (50, 90, 95)
"""Those that are shown."""


def nearest_rank(ordered: Sequence[int], percent: int) -> int | None:
    """The percentile of values in ascending order; None of no values.

    ``percent`` is from 1 to 100; raises ``ValueError`` otherwise.
    """
    if not 1 <= percent <= 100:
        raise ValueError(f"no percentile: {percent}")
    if not ordered:
        return None
    return ordered[-(-percent * len(ordered) // 100) - 1]
