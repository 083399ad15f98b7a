"""How fast deliveries may go to a taker. Pure."""

from __future__ import annotations

from typing import Final

BURST_SECONDS: Final = 0.1
"""So much of a second's deliveries may go out at once."""


class Pace:
    """Keeps to so many a second, also where that is less than one."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate * BURST_SECONDS)
        self._left = self._most
        self._at = 0.0

    def room(self, now: float) -> int:
        """How many may go at ``now`` (seconds of a clock that only goes forward)."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        return int(self._left)

    def take(self, count: int) -> None:
        """So many went."""
        self._left -= count

    def wait(self) -> float:
        """Seconds until another may go."""
        return max(0.0, 1.0 - self._left) / self._rate + 0.001
