"""A bucket lets through a burst, then the rate, and never more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from psn.pace import BURST_SECONDS, Bucket


@given(
    rate=st.integers(1, 1_000),
    waits=st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=200),
)
def test_never_more_than_a_burst_and_the_rate(rate: int, waits: list[float]) -> None:
    bucket, now, taken = Bucket(float(rate), 0.0), 0.0, 0
    for wait in waits:
        now += wait
        taken += bucket.take(now)
        assert taken <= rate * (BURST_SECONDS + now) + 1e-6


def test_a_burst_then_nothing_then_the_rate() -> None:
    bucket = Bucket(10.0, 0.0)
    assert sum(bucket.take(0.0) for _ in range(100)) == 10 * BURST_SECONDS
    assert not bucket.take(0.05)
    assert bucket.take(0.2)
    bucket.charge(5.0)
    assert not bucket.take(0.3)
    assert bucket.take(2.0)
