"""What is said of a group of intervals: how many, percentiles, whether targets are met. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from dispatch.numbers.intervals import NAMES, Name
from dispatch.numbers.percentiles import nearest_rank
from dispatch.numbers.targets import Target


@dataclass(frozen=True, slots=True)
class Series:
    """Intervals of one name, of one group, of incidents of one priority."""

    interval: Name
    group: str
    priority: int
    took: Sequence[int]
    """Those measured: milliseconds in ascending order."""
    running: Sequence[int]
    """The ages of those that run: milliseconds in ascending order."""
    unmeasured: int


class Judgement(Struct):
    """A target, and how far it is met: ``within`` of ``counted`` took ``limit`` milliseconds at
    most. What runs counts once it is older than that, as missed. ``met`` is none of nothing.
    """

    priorities: list[int]
    limit: int
    percent: int
    counted: int
    within: int
    met: bool | None


class Summary(Struct):
    """Of one interval: how many were measured, run and cannot be measured; percentiles by nearest
    rank of those measured, and targets. Milliseconds.
    """

    interval: str
    measured: int
    running: int
    unmeasured: int
    p50: int | None
    p90: int | None
    p95: int | None
    targets: list[Judgement]


def judge(target: Target, series: Iterable[Series]) -> Judgement:
    """How far a target is met by series of its interval; others' priorities do not count."""
    counted = within = 0
    for each in series:
        if each.priority in target.priorities:
            good = bisect_right(each.took, target.limit)
            late = len(each.running) - bisect_right(each.running, target.limit)
            within += good
            counted += len(each.took) + late
    met = 100 * within >= target.percent * counted if counted else None
    return Judgement(list(target.priorities), target.limit, target.percent, counted, within, met)


def summarise(series: Sequence[Series], targets: Iterable[Target]) -> list[Summary]:
    """One summary of each interval, in the order of a job, over all that is in ``series``."""
    return [_summary(name, [s for s in series if s.interval == name], targets) for name in NAMES]


def _summary(name: Name, series: list[Series], targets: Iterable[Target]) -> Summary:
    took: list[int] = []
    for each in series:
        took.extend(each.took)
    took.sort()  # a few ascending runs, which are merged
    return Summary(
        name,
        len(took),
        sum(len(each.running) for each in series),
        sum(each.unmeasured for each in series),
        nearest_rank(took, 50),
        nearest_rank(took, 90),
        nearest_rank(took, 95),
        [judge(target, series) for target in targets if target.interval == name],
    )
