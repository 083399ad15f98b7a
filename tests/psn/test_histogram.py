"""Counting in buckets: every value falls into exactly one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from psn.histogram import SECONDS, SIZES, Histogram


@given(st.lists(st.floats(min_value=0, max_value=1e6)), st.sampled_from([SECONDS, SIZES]))
def test_each_bound_counts_what_is_at_most_that(values: list[float], bounds: tuple[float]) -> None:
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    for bound, count in histogram.cumulative():
        assert count == sum(value <= bound for value in values)
    assert histogram.total == sum(values)
