"""Latencies counted in logarithmic buckets, after the idea of HdrHistogram (G. Tene).

Every power of two of microseconds is cut into 128 equal parts, so a bucket is at most 0.8 % wide
and a percentile, which is told as the middle of its bucket, at most 0.4 % off. What is below a
microsecond counts as one, what is above 2³⁶ µs (19 hours) as that. Values come by the array, the
way numpy likes it; histograms of several processes or rounds are added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

PARTS: Final = 128
POWERS: Final = 36
BUCKETS: Final = PARTS * POWERS
Counts = NDArray[np.int64]


def bucket_of(seconds: ArrayLike) -> Counts:
    """The bucket of each latency."""
    micros = np.clip(np.asarray(seconds, dtype=np.float64) * 1e6, 1.0, 2.0**POWERS * 0.999)
    mantissa, power = np.frexp(micros)
    parts = ((mantissa - 0.5) * (2 * PARTS)).astype(np.int64)
    return (power.astype(np.int64) - 1) * PARTS + parts


def seconds_of(bucket: int) -> float:
    """The latency in the middle of a bucket."""
    power, part = divmod(bucket, PARTS)
    return (1.0 + (part + 0.5) / PARTS) * 2.0**power / 1e6


class Latencies:
    """How often each latency occurred."""

    def __init__(self, counts: Counts | None = None, worst: float = 0.0) -> None:
        self.counts: Counts = np.zeros(BUCKETS, dtype=np.int64) if counts is None else counts
        self.worst = worst
        """The longest, exactly; seconds."""

    def add(self, seconds: ArrayLike) -> None:
        """Count latencies."""
        values = np.asarray(seconds, dtype=np.float64)
        if values.size:
            self.counts += np.bincount(bucket_of(values).ravel(), minlength=BUCKETS)
            self.worst = max(self.worst, float(values.max()))

    def merge(self, other: Latencies) -> None:
        """Count what another has counted, too."""
        self.counts += other.counts
        self.worst = max(self.worst, other.worst)

    @property
    def total(self) -> int:
        """How many were counted."""
        return int(self.counts.sum())

    def percentile(self, wanted: float) -> float | None:
        """The latency, in seconds, that so many percent do not exceed; none without any."""
        total = self.total
        if total == 0:
            return None
        rank = max(1, int(np.ceil(total * wanted / 100.0)))
        return seconds_of(int(np.searchsorted(np.cumsum(self.counts), rank)))

    def ms(self, *wanted: float) -> list[float | None]:
        """Percentiles in milliseconds, as results show them; 100 is the exact maximum."""
        found = [
            self.worst if want == 100 and self.total else self.percentile(want) for want in wanted
        ]
        return [None if value is None else round(value * 1000, 3) for value in found]

    def packed(self) -> dict[str, Any]:
        """For another process: only the buckets that are not empty."""
        (used,) = np.nonzero(self.counts)
        return {"worst": self.worst, "counts": {int(n): int(self.counts[n]) for n in used}}

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any]) -> Latencies:
        """What :meth:`packed` gave, also after it was JSON."""
        counts = np.zeros(BUCKETS, dtype=np.int64)
        for bucket, count in packed["counts"].items():
            counts[int(bucket)] = count
        return cls(counts, float(packed["worst"]))


class Timeline:
    """One histogram for each second of a run."""

    def __init__(self, seconds: int) -> None:
        self._counts: Counts = np.zeros((max(1, seconds), BUCKETS), dtype=np.int64)
        self._worst = np.zeros(len(self._counts))

    def add(self, seconds: ArrayLike, at: ArrayLike) -> None:
        """Count latencies that belong to the moments ``at``, seconds after the beginning."""
        values = np.asarray(seconds, dtype=np.float64)
        if not values.size:
            return
        rows = len(self._counts)
        row = np.clip(np.asarray(at, dtype=np.float64).astype(np.int64), 0, rows - 1)
        flat = np.bincount(row * BUCKETS + bucket_of(values), minlength=rows * BUCKETS)
        self._counts += flat.reshape(rows, BUCKETS)
        np.maximum.at(self._worst, row, values)

    def second(self, number: int) -> Latencies:
        """That second's."""
        return self.between(number, number + 1)

    def between(self, first: int, last: int) -> Latencies:
        """All from that second up to, not including, ``last``."""
        return Latencies(
            self._counts[first:last].sum(axis=0), float(self._worst[first:last].max(initial=0.0))
        )

    def all(self) -> Latencies:
        """Everything."""
        return self.between(0, len(self._counts))

    def series(self, wanted: float) -> list[float | None]:
        """A percentile of each second, milliseconds."""
        return [self.second(number).ms(wanted)[0] for number in range(len(self._counts))]
