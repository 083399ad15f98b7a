"""When a session locks and ends, and when that is said (docs/domain.md, DOM-SES)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from psn.identity.idle import END_WARNING, Limits

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LIMITS = Limits(timedelta(minutes=30))


def ago(**since: float) -> datetime:
    return NOW - timedelta(**since)


@pytest.mark.parametrize(
    ("since", "locked", "told"),
    [
        (timedelta(0), False, None),
        (timedelta(minutes=27, seconds=59), False, None),
        (timedelta(minutes=28), False, 120),
        (timedelta(minutes=29, seconds=30), False, 30),
        (timedelta(minutes=29, seconds=59.9), False, 1),
        (timedelta(minutes=30), True, None),
        (timedelta(days=400), True, None),
        (-timedelta(minutes=5), False, None),  # the clock was set back
    ],
)
def test_it_is_told_two_minutes_before(since: timedelta, locked: bool, told: int | None) -> None:
    assert LIMITS.locked(NOW - since, NOW) == locked
    assert LIMITS.locking_in(NOW - since, NOW) == told


def test_zero_never_locks() -> None:
    never = Limits(timedelta(0))
    assert not never.locked(ago(days=300), NOW)
    assert never.locking_in(ago(minutes=29), NOW) is None


def test_a_short_limit_is_told_at_its_half() -> None:
    short = Limits(timedelta(minutes=1))
    assert short.locking_in(ago(seconds=29), NOW) is None
    assert short.locking_in(ago(seconds=30), NOW) == 30


def test_the_end_is_told_a_quarter_of_an_hour_before() -> None:
    assert Limits.ending_in(NOW + END_WARNING + timedelta(seconds=1), NOW) is None
    assert Limits.ending_in(NOW + END_WARNING, NOW) == 900
    assert Limits.ending_in(NOW + timedelta(seconds=1), NOW) == 1
    assert Limits.ending_in(NOW, NOW) is None
