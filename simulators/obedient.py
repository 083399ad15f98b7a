"""A crew that does what it is ordered: acknowledges, drives, arrives, and is clear. Pure.

What it says next, and after how long, follows from its assignment on the topic ``duty``
(docs/dispatch.md) and from chance, which is passed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any, Final

WAITS: Final[Mapping[str, tuple[str, float, float]]] = {
    # what was: what is said next, after at least and at most so many seconds
    "ordered": ("acknowledged", 3.0, 25.0),
    "acknowledged": ("en_route", 5.0, 60.0),
    "en_route": ("on_scene", 90.0, 420.0),
    "on_scene": ("clear", 120.0, 900.0),
}
STEPS: Final = ("acknowledged", "en_route", "on_scene")


class Duty:
    """The crew's assignment, as far as news of it has come."""

    def __init__(self, unit: int) -> None:
        self._unit = unit
        self._live: dict[int, str] = {}
        """By assignment: the step it is at."""

    def take(self, items: Iterable[Mapping[str, Any]], gone: Iterable[str], whole: bool) -> None:
        """News of the topic."""
        if whole:
            self._live.clear()
        for item in items:
            if item.get("is") != "assignment" or item.get("unit") != self._unit:
                continue
            if item.get("ended") is not None:
                self._live.pop(item["id"], None)
            else:
                reached = [step for step in STEPS if item.get(step) is not None]
                self._live[item["id"]] = reached[-1] if reached else "ordered"
        for address in gone:
            kind, _, number = address.partition(":")
            if kind == "assignment":
                self._live.pop(int(number), None)

    def at(self, assignment: int) -> str | None:
        """The step an assignment is at; none: it is over."""
        return self._live.get(assignment)

    @property
    def live(self) -> tuple[int, ...]:
        """Assignments that are not over: one at most, but for a moment."""
        return tuple(self._live)


def following(step: str, random: Random) -> tuple[str, float]:
    """What the crew says after ``step``, and after how many seconds."""
    said, least, most = WAITS[step]
    return said, random.uniform(least, most)
