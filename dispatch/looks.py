"""Which looks at attachments and recordings are in the audit already. Pure: no clock of its own.

A player asks for a voice note in many parts, and a page shows a photo again and again. One entry
for each session and attachment or recording in ten minutes says who saw it, and can still be read.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

AGAIN_SECONDS: Final = 600.0
MOST: Final = 10_000


class Looks:
    """Who has looked at what lately."""

    def __init__(self) -> None:
        self._recorded: dict[Hashable, float] = {}
        """When, the oldest first."""

    def is_new(self, look: Hashable, now: float) -> bool:
        """Whether it is to be recorded, now in seconds of a clock that is never set."""
        at = self._recorded.get(look)
        return at is None or now - at >= AGAIN_SECONDS

    def recorded(self, look: Hashable, now: float) -> None:
        """It is in the audit."""
        self._recorded.pop(look, None)
        self._recorded[look] = now
        while self._recorded:
            oldest = next(iter(self._recorded))
            if len(self._recorded) <= MOST and now - self._recorded[oldest] < AGAIN_SECONDS:
                break
            del self._recorded[oldest]
