"""Percentiles from buckets against numpy's from the values themselves."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.bench.measure.histogram import (
    BUCKETS,
    Latencies,
    Timeline,
    bucket_of,
    seconds_of,
)

LATENCIES = st.lists(st.floats(1e-6, 1_000.0), min_size=1, max_size=200)


@given(LATENCIES, st.sampled_from([1.0, 50.0, 95.0, 99.0, 99.9, 100.0]))
def test_a_percentile_is_at_most_half_a_percent_off(values: list[float], wanted: float) -> None:
    latencies = Latencies()
    latencies.add(values)
    exact = float(np.percentile(values, wanted, method="inverted_cdf"))
    assert latencies.percentile(wanted) == pytest.approx(exact, rel=0.005)
    assert latencies.total == len(values)
    assert latencies.worst == max(values)


def test_what_is_outside_counts_at_the_ends() -> None:
    ends = bucket_of([0.0, -1.0, 1e9])
    assert ends.tolist() == [0, 0, BUCKETS - 1]
    assert seconds_of(0) == pytest.approx(1e-6, rel=0.01)


def test_nothing_has_no_percentile() -> None:
    assert Latencies().ms(50, 100) == [None, None]


@given(LATENCIES, LATENCIES)
def test_histograms_of_two_processes_add_up(one: list[float], other: list[float]) -> None:
    together, first, second = Latencies(), Latencies(), Latencies()
    together.add([*one, *other])
    first.add(one)
    second.add(other)
    first.merge(Latencies.unpacked(json.loads(json.dumps(second.packed()))))
    assert (first.counts == together.counts).all()
    assert first.worst == together.worst


def test_every_second_has_its_own_percentiles() -> None:
    timeline = Timeline(3)
    timeline.add([0.001, 0.001, 0.100, 5.0], [0.0, 0.9, 1.5, 99.0])
    assert timeline.second(0).total == 2
    assert timeline.series(100) == pytest.approx([1.0, 100.0, 5_000.0], rel=0.005)
    assert timeline.all().total == timeline.between(0, 3).total == 4
    assert timeline.all().worst == 5.0
