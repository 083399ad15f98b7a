"""Connections that were cut for what they sent, counted so that a flood does not fill the audit.

Pure: time is an argument. The first cut of a source is told at once. What comes from there in the
next minute is counted, and told together when the minute is over. Of more than :data:`MOST` sources
in a minute the rest is told as one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from psn.pace import network
from psn.trail.audit import NOBODY, Actor, Entry
from psn.wire import CloseCode

CODES: Final = frozenset({int(CloseCode.MALFORMED), int(CloseCode.FLOOD)})
"""Close codes that tell of hostile or broken clients."""
EVERY_SECONDS: Final = 60.0
MOST: Final = 100
"""Sources that are told apart."""
NAMED: Final = 10
"""Of so many who were cut from one source the address is told."""


@dataclass(slots=True)
class _Source:
    """What came from one source since it was told of last."""

    told: float
    """Monotonic seconds."""
    address: str
    codes: Counter[int] = field(default_factory=Counter)
    who: dict[str, Actor] = field(default_factory=dict)
    unknown: int = 0
    """Cuts of connections on which nobody had signed in."""


class Cuts:
    """Counts cuts, and gives the entries for the audit that are due."""

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}
        self._others = 0
        """Cuts of sources that there was no room for."""
        self._others_told = float("-inf")

    def note(self, source: str, code: int, who: Actor | None, now: float) -> None:
        """A connection from ``source`` was cut; ``who`` was signed in on it, none: nobody."""
        key = network(source)
        found = self._sources.get(key)
        if found is None:
            if len(self._sources) >= MOST:
                self._others += 1
                return
            found = self._sources[key] = _Source(float("-inf"), source)
        found.codes[code] += 1
        if who is None:
            found.unknown += 1
        elif len(found.who) < NAMED:
            found.who.setdefault(who.address, who)

    def due(self, now: float, at: int, all_of_them: bool = False) -> list[Entry]:
        """The entries to write now; ``at`` is their time, milliseconds UTC.

        With ``all_of_them`` also those whose minute is not over: the server stops.
        """
        entries = []
        for key, source in list(self._sources.items()):
            if not all_of_them and now - source.told < EVERY_SECONDS:
                continue
            if source.codes:
                entries.append(_entry(source, at))
                self._sources[key] = _Source(now, source.address)
            else:
                del self._sources[key]
        if self._others and (all_of_them or now - self._others_told >= EVERY_SECONDS):
            details = {"cuts": self._others, "sources": "many"}
            entries.append(Entry(Actor(NOBODY), "connection.cut", details=details, at=at))
            self._others, self._others_told = 0, now
        return entries


def _entry(source: _Source, at: int) -> Entry:
    people = list(source.who.values())
    alone = len(people) == 1 and not source.unknown
    actor = people[0] if alone else Actor(NOBODY, source=source.address)
    details: dict[str, object] = {
        "cuts": source.codes.total(),
        "codes": {str(code): count for code, count in sorted(source.codes.items())},
    }
    if people and not alone:
        details["who"] = [each.address for each in people]
    return Entry(actor, "connection.cut", owner=actor.agency, details=details, at=at)
