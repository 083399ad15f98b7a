"""A bucket lets through a burst, then the rate, and never more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from psn.pace import BURST_SECONDS, Bucket, Guesses, network


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


def test_what_is_given_back_can_be_taken_again_and_no_more() -> None:
    bucket = Bucket(0.0, 0.0, capacity=2)
    assert bucket.take(0.0)
    bucket.give_back()
    bucket.give_back()
    assert bucket.full(0.0)
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]


@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1"])),
        max_size=200,
    )
)
def test_an_address_guesses_a_handful_a_minute(tries: list[tuple[float, str]]) -> None:
    guesses, now, taken = Guesses(0.0), 0.0, dict[str, int]()
    for wait, address in tries:
        now += wait
        taken[address] = taken.get(address, 0) + guesses.take(address, now)
        assert taken[address] <= Guesses.EACH_A_MINUTE * (1 + now / 60) + 1e-6


def test_one_address_takes_nothing_from_another_and_good_tries_do_not_count() -> None:
    guesses = Guesses(0.0)
    assert [guesses.take("10.0.0.1", 0.0) for _ in range(6)] == [True] * 5 + [False]
    for _ in range(100):
        assert guesses.take("10.0.0.2", 0.0)
        guesses.good("10.0.0.2")


def test_a_network_of_addresses_counts_as_one() -> None:
    guesses = Guesses(0.0)
    assert sum(guesses.take(f"2001:db8::{n:x}", 0.0) for n in range(100)) == 5
    assert network("2001:db8:1::1") != network("2001:db8::1")
    assert network("::ffff:10.0.0.1") == network("10.0.0.1") != network("10.0.0.2")
    assert network("") == network("/run/psn.sock") == ""
    assert network("fe80::1%eth0") == network("fe80::2%eth0")


def test_many_addresses_together_are_held_back_and_do_not_fill_the_memory() -> None:
    guesses = Guesses(0.0)
    burst = Guesses.ALL_A_SECOND * BURST_SECONDS
    tries = 3 * Guesses.MOST_ADDRESSES
    addresses = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(tries)]
    assert sum(guesses.take(address, 0.0) for address in addresses) == burst
    assert len(guesses._of) <= Guesses.MOST_ADDRESSES
    assert guesses.take("192.0.2.1", 1.0)
