"""Percentiles, targets, summaries, periods and CSV, against what others say of the same."""

from __future__ import annotations

import csv
import io
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.numbers import tables, targets
from dispatch.numbers.intervals import INTERVALS, NAMES
from dispatch.numbers.percentiles import PERCENTS, nearest_rank
from dispatch.numbers.period import LONGEST, USUAL, BadPeriod, Period
from dispatch.numbers.summaries import Series, Summary, judge, summarise
from dispatch.numbers.targets import DEFAULTS, PRIORITIES, BadTargets, Target

DURATIONS = st.lists(st.integers(0, 200_000), max_size=60).map(sorted)
SERIES = st.builds(
    Series,
    st.sampled_from(NAMES),
    st.just("g"),
    st.integers(1, 5),
    DURATIONS,
    DURATIONS,
    st.integers(0, 9),
)
TARGETS = st.builds(
    Target,
    st.sampled_from(NAMES),
    st.sets(st.integers(1, 5), min_size=1).map(lambda said: tuple(sorted(said))),
    st.integers(1, 200_000),
    st.integers(1, 100),
)


@given(st.lists(st.integers(-5, 10**12), min_size=1).map(sorted), st.integers(1, 100))
def test_a_percentile_is_a_value_at_its_rank_as_numpy_has_it(
    ordered: list[int], percent: int
) -> None:
    """DOM-NUM-3."""
    found = nearest_rank(ordered, percent)
    assert found == ordered[math.ceil(Fraction(percent * len(ordered), 100)) - 1]
    # NumPy counts in floating point, where 0.07 × 100 is a hair above 7: exact quarters agree.
    if percent % 25 == 0:
        assert found == np.percentile(ordered, percent, method="inverted_cdf")


def test_a_percentile_by_hand() -> None:
    ten = [3, 6, 7, 8, 8, 10, 13, 15, 16, 20]
    assert [nearest_rank(ten, each) for each in (1, 25, 50, 75, 90, 91, 100)] == [
        *(3, 7, 8, 15, 16, 20, 20)
    ]
    assert nearest_rank([], 50) is None
    for wrong in (0, 101, -1):
        with pytest.raises(ValueError, match="no percentile"):
            nearest_rank(ten, wrong)


@given(st.lists(SERIES, max_size=8), TARGETS)
def test_a_target_counts_what_it_is_for_and_what_runs_too_long(
    series: list[Series], target: Target
) -> None:
    """DOM-NUM-4."""
    meant = [each for each in series if each.interval == target.interval]
    judged = judge(target, meant)
    took = [t for s in meant if s.priority in target.priorities for t in s.took]
    late = [
        t for s in meant if s.priority in target.priorities for t in s.running if t > target.limit
    ]
    assert judged.within == sum(t <= target.limit for t in took)
    assert judged.counted == len(took) + len(late)
    if not took and not late:
        assert judged.met is None
    else:
        share = Fraction(100 * judged.within, judged.counted)
        assert judged.met == (share >= target.percent)


@given(DURATIONS, st.integers(1, 200_000), st.integers(1, 100))
def test_a_target_is_met_when_the_percentile_is_within_it(
    took: list[int], limit: int, percent: int
) -> None:
    """DOM-NUM-3, DOM-NUM-4: the two say the same."""
    judged = judge(
        Target("turnout", (2,), limit, percent), [Series("turnout", "g", 2, took, [], 0)]
    )
    at = nearest_rank(took, percent)
    assert judged.met == (None if at is None else at <= limit)


@given(st.lists(SERIES, max_size=8), st.lists(TARGETS, max_size=4))
def test_a_summary_is_over_everything_and_loses_nothing(
    series: list[Series], wanted: list[Target]
) -> None:
    found = summarise(series, wanted)
    assert [each.interval for each in found] == list(NAMES)
    for each in found:
        meant = [s for s in series if s.interval == each.interval]
        took = sorted(t for s in meant for t in s.took)
        assert each.measured == len(took)
        assert each.running == sum(len(s.running) for s in meant)
        assert each.unmeasured == sum(s.unmeasured for s in meant)
        assert [each.p50, each.p90, each.p95] == [nearest_rank(took, p) for p in PERCENTS]
        assert len(each.targets) == sum(t.interval == each.interval for t in wanted)


def test_an_interval_begins_where_the_one_before_ended() -> None:
    of_assignments = INTERVALS[1:]
    for before, after in itertools.pairwise(of_assignments):
        assert before.end == after.begin
        assert set(after.past) <= set(before.past)


# Targets


def test_the_usual_targets() -> None:
    """DOM-NUM-5."""
    assert targets.of("BPD", {}) == DEFAULTS
    first = DEFAULTS[0]
    assert (first.interval, first.priorities) == ("call_to_dispatch", (1,))
    assert (first.limit, first.percent) == (60_000, 90)


def test_an_agency_says_its_own() -> None:
    """DOM-NUM-5."""
    said = targets.read(
        '[[BPD]]\ninterval = "turnout"\npriorities = [2, 1, 1]\nseconds = 90\npercent = 80\n'
        '[[default]]\ninterval = "travel"\nseconds = 600\n'
    )
    assert targets.of("BPD", said) == (Target("turnout", (1, 2), 90_000, 80),)
    assert targets.of("BCG", said) == (Target("travel", PRIORITIES, 600_000, 90),)
    assert targets.of("BCG", {"BPD": ()}) == DEFAULTS


@pytest.mark.parametrize(
    "text",
    [
        "[[BPD]",
        "BPD = 1",
        '[[BPD]]\ninterval = "lunch"\nseconds = 60',
        '[[BPD]]\ninterval = "turnout"',
        '[[BPD]]\ninterval = "turnout"\nseconds = 0',
        '[[BPD]]\ninterval = "turnout"\nseconds = 60\npercent = 101',
        '[[BPD]]\ninterval = "turnout"\nseconds = 60\npriorities = []',
        '[[BPD]]\ninterval = "turnout"\nseconds = 60\npriorities = [6]',
        '[[BPD]]\ninterval = "turnout"\nsecond = 60\nseconds = 60',
    ],
)
def test_targets_that_cannot_be_meant_are_refused_with_why(text: str) -> None:
    with pytest.raises(BadTargets) as refused:
        targets.read(text)
    assert refused.value.code == "bad_targets"
    assert refused.value.text and refused.value.todo


@given(st.text(max_size=200))
def test_any_text_gives_targets_or_a_refusal(text: str) -> None:
    try:
        found = targets.read(text)
    except BadTargets:
        return
    assert all(isinstance(each, Target) for said in found.values() for each in said)


# Periods


@given(
    st.none() | st.integers(0, 4 * 10**12),
    st.none() | st.integers(0, 4 * 10**12),
    st.integers(10**12, 2 * 10**12),
)
def test_a_period_is_not_empty_and_not_too_long(
    begin: int | None, end: int | None, now: int
) -> None:
    """DOM-NUM-6."""
    try:
        period = Period.of(begin, end, now)
    except BadPeriod as problem:
        assert problem.code == "bad_parameter" and problem.todo
        wanted_end = now if end is None else end
        wanted_begin = wanted_end - USUAL if begin is None else begin
        assert not 0 < wanted_end - max(0, wanted_begin) <= LONGEST
        return
    assert 0 <= period.begin < period.end <= period.begin + LONGEST
    assert period.end == (now if end is None else end)
    assert begin is None or period.begin == begin


# CSV


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@given(st.lists(st.tuples(st.text(max_size=20), st.lists(SERIES, max_size=4)), max_size=4))
def test_csv_is_read_back_as_it_was_and_runs_nothing(
    said: list[tuple[str, list[Series]]],
) -> None:
    """DOM-NUM-8."""
    groups = [(title, summarise(series, DEFAULTS)) for title, series in said]
    content = tables.written(groups)
    read = rows(content)
    assert read[0] == list(tables.HEAD)
    assert len(read) == 1 + len(groups) * len(NAMES)  # at most one usual target each
    assert all(len(row) == len(tables.HEAD) for row in read)
    assert content.endswith(b"\r\n")
    for row in read[1:]:
        for cell in row:
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    for row, (_, summary) in zip(
        read[1:], [(t, s) for t, each in groups for s in each], strict=True
    ):
        assert row[1:5] == [
            summary.interval,
            *(str(n) for n in (summary.measured, summary.running, summary.unmeasured)),
        ]
        assert row[5] == ("" if summary.p50 is None else f"{summary.p50 / 1000:.3f}")


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("  @SUM(1)", "'  @SUM(1)"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("a\x00=1", "a=1"),
        ("\x00=1", "'=1"),
        ("Theft, of a boat", "Theft, of a boat"),
        ("", ""),
    ],
)
def test_a_formula_is_a_text(said: str, written: str) -> None:
    """DOM-NUM-8."""
    assert tables.harmless(said) == written


def test_csv_by_hand() -> None:
    summary = Summary("turnout", 1, 2, 3, 61_234, 61_234, 61_234, [])
    judged = judge(
        Target("turnout", (1, 2), 60_000, 90), [Series("turnout", "g", 1, [1, 70_000], [90_000], 0)]
    )
    with_target = Summary("turnout", 2, 1, 0, 1, 70_000, 70_000, [judged])
    content = tables.written([('Theft, "big"', [summary]), ("b", [with_target])]).decode()
    assert content.split("\r\n")[1:] == [
        '"Theft, ""big""",turnout,1,2,3,61.234,61.234,61.234,,,,,,',
        "b,turnout,2,1,0,0.001,70.000,70.000,1 2,60.000,90,3,33.3,missed",
        "",
    ]
