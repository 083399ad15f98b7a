"""Rules for fences: which of them a unit's crossing, stay or speed breaks. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FenceRule:
    """Raise an alarm for an agency: for one unit, a kind of unit, or all that it is shown."""

    id: int
    agency: int
    fence: int
    what: str
    """``in``, ``out``, ``dwell``, ``speed``."""
    unit: int | None
    kind: str | None
    threshold: int | None
    """Of ``dwell`` seconds, of ``speed`` centimetres a second."""

    def concerns(self, unit: int, kind: str) -> bool:
        """Whether it speaks of a unit of that kind."""
        return self.unit in (None, unit) and self.kind in (None, kind)


@dataclass(frozen=True, slots=True)
class Inside:
    """A unit that is in a fence: since when (ms UTC), and how fast (cm/s; none: not known)."""

    unit: int
    kind: str
    fence: int
    since: int
    speed: int | None


def crossing_breaks(
    rules: Iterable[FenceRule], unit: int, kind: str, fence: int, inside: bool
) -> list[FenceRule]:
    """Rules that are broken by coming in (``inside``) or going out."""
    what = "in" if inside else "out"
    return [r for r in rules if r.what == what and r.fence == fence and r.concerns(unit, kind)]


def stay_breaks(rules: Iterable[FenceRule], there: Inside, now: int) -> list[FenceRule]:
    """Rules that are broken by staying, or by being so fast; ``now`` in ms UTC."""
    broken = []
    for rule in rules:
        if rule.fence != there.fence or rule.threshold is None:
            continue
        if not rule.concerns(there.unit, there.kind):
            continue
        long = rule.what == "dwell" and now - there.since >= rule.threshold * 1_000
        fast = rule.what == "speed" and (there.speed or 0) > rule.threshold
        if long or fast:
            broken.append(rule)
    return broken
