"""Failed sign-ins that no waiting slows, counted so that a flood does not fill the audit.

Whoever guesses a password waits longer each time (``psn.identity.lockout``). A wrong signature of a
device or a passkey costs next to nothing, needs no waiting since nobody guesses a key, and would
be in the audit, and at the CSIRT, as often as somebody cares to send one.

Pure: time is an argument. The first :data:`EACH` of a source in a minute are told one by one. What
comes from there until the minute is over is counted, and told together then. Of more than
:data:`MOST` sources in a minute the rest is told as one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from psn.pace import network
from psn.trail.audit import NOBODY, Actor, Entry

EVERY_SECONDS: Final = 60.0
EACH: Final = 10
"""Failures of a source that are told one by one in a minute."""
MOST: Final = 100
"""Sources that are told apart."""


@dataclass(slots=True)
class _Source:
    """What came from one source in its minute."""

    address: str
    began: float
    """Monotonic seconds."""
    told: int = 0
    more: Counter[str] = field(default_factory=Counter)
    """By code, what was not told yet."""


class Failures:
    """Says which failures are told by themselves, and counts the others."""

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}
        self._others = 0
        """Failures of sources that there was no room for."""
        self._others_told = float("-inf")

    def alone(self, source: str, code: str, now: float) -> bool:
        """Whether this failure is to be told by itself; if not, it is counted."""
        key = network(source)
        found = self._sources.get(key)
        if found is None:
            if len(self._sources) >= MOST:
                self._others += 1
                return False
            found = self._sources[key] = _Source(source, now)
        if found.told < EACH:
            found.told += 1
            return True
        found.more[code] += 1
        return False

    def due(self, now: float, at: int, all_of_them: bool = False) -> list[Entry]:
        """The entries to write now; ``at`` is their time, milliseconds UTC.

        With ``all_of_them`` also those whose minute is not over: the server stops.
        """
        entries = []
        for key, source in list(self._sources.items()):
            if not all_of_them and now - source.began < EVERY_SECONDS:
                continue
            del self._sources[key]
            if source.more:
                details = {"more": source.more.total(), "why": dict(sorted(source.more.items()))}
                nobody = Actor(NOBODY, source=source.address)
                entries.append(Entry(nobody, "sign_in.failed", details=details, at=at))
        if self._others and (all_of_them or now - self._others_told >= EVERY_SECONDS):
            told = {"more": self._others, "sources": "many"}
            entries.append(Entry(Actor(NOBODY), "sign_in.failed", details=told, at=at))
            self._others, self._others_told = 0, now
        return entries
