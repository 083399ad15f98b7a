"""How fast one session may send. Pure: the time is an argument."""

from __future__ import annotations

BURST_SECONDS = 4.0
"""A session may send this many seconds' worth of frames at once."""


class Bucket:
    """How many frames a session may still send (a token bucket); seconds are monotonic."""

    __slots__ = ("_capacity", "_left", "_rate", "_when")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._capacity = self._left = rate * BURST_SECONDS
        self._when = now

    def take(self, now: float) -> bool:
        """Whether one more frame is within the rate."""
        left = min(self._capacity, self._left + (now - self._when) * self._rate)
        self._when = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1

    def charge(self, frames: float) -> None:
        """Count a frame that was taken as that many more."""
        self._left -= frames
