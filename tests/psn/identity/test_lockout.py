"""Lock-out with back-off: guesses slow down, and nobody is locked out by another's."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from psn.identity import lockout
from psn.identity.lockout import ADDRESS, LONGEST_SECONDS, NAME, PLACE, Lockout

HOME, AWAY = "198.51.100.7", "203.0.113.9"


def fail(lock: Lockout, times: int, name: str, source: str, now: float = 0.0) -> None:
    for _ in range(times):
        lock.failed(name, source, now)


def test_a_few_mistakes_cost_nothing() -> None:
    lock = Lockout()
    fail(lock, NAME.free - 1, "ana", HOME)
    assert lock.wait("ana", HOME, 0.0) == 0


def test_each_further_failure_doubles_the_wait_to_a_quarter_of_an_hour() -> None:
    lock = Lockout()
    fail(lock, NAME.free, "ana", HOME)
    waits = []
    for _ in range(14):
        waits.append(lock.wait("ana", HOME, 0.0))
        lock.failed("ana", HOME, 0.0)
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == LONGEST_SECONDS == max(waits)


def test_the_wait_runs_out_and_levels_sink_to_nothing() -> None:
    lock = Lockout()
    fail(lock, 100, "ana", HOME)
    assert lock.wait("ana", HOME, LONGEST_SECONDS - 1) == 1
    assert lock.wait("ana", HOME, LONGEST_SECONDS) == 0
    later = 20 * NAME.fade_seconds
    fail(lock, NAME.free - 1, "ana", HOME, later)
    assert lock.wait("ana", HOME, later) == 0


def test_a_patient_guesser_gets_a_few_tries_an_hour() -> None:
    lock, now, tries = Lockout(), 0.0, 0
    while now < 86_400:
        now += lock.wait("ana", AWAY, now)
        lock.failed("ana", AWAY, now)
        tries += 1
    assert tries < 250  # of which none is looked at faster than the wait lets it


def test_names_that_nobody_has_count_alike() -> None:
    lock = Lockout()
    for _ in range(20):
        assert lock.wait("ana", HOME, 0.0) == lock.wait("nobody at all", AWAY, 0.0)
        lock.failed("ana", HOME, 0.0)
        lock.failed("nobody at all", AWAY, 0.0)


def test_strangers_keep_nobody_out_where_he_has_signed_in_well_before() -> None:
    lock = Lockout()
    lock.succeeded("ana", HOME, 0.0)
    for n in range(1_000):
        lock.failed("ana", f"203.0.113.{n % 250}", 1.0)
    assert lock.wait("ana", AWAY, 1.0) > 0
    assert lock.wait("ana", HOME, 1.0) == 0
    assert lock.wait("ana", AWAY, 1.0, token=b"genuine") == 0


def test_a_colleague_behind_the_same_address_keeps_nobody_out_who_has_a_token() -> None:
    lock = Lockout()
    lock.succeeded("ana", HOME, 0.0, token=b"console 1")
    fail(lock, 100, "ana", HOME, 1.0)
    assert lock.wait("ana", HOME, 1.0) > 0
    assert lock.wait("ana", HOME, 1.0, token=b"console 1") == 0
    fail(lock, 200, "nobody", HOME, 1.0)
    assert lock.wait("ben", HOME, 1.0) > 0, "strangers there wait"
    assert lock.wait("ben", HOME, 1.0, token=b"console 2") == 0


def test_a_known_place_is_no_free_pass_for_guessing() -> None:
    lock = Lockout()
    lock.succeeded("ana", HOME, 0.0)
    fail(lock, PLACE.free + 3, "ana", HOME, 1.0)
    assert lock.wait("ana", HOME, 1.0) == 8
    for _ in range(PLACE.free + 3):
        lock.failed("ana", AWAY, 1.0, token=b"stolen")
    assert lock.wait("ana", AWAY, 1.0, token=b"stolen") == 8


def test_failures_at_a_known_place_are_nobody_elses() -> None:
    lock = Lockout()
    lock.succeeded("ana", HOME, 0.0)
    fail(lock, 500, "ana", HOME, 1.0)
    assert lock.wait("ana", AWAY, 1.0) == 0
    assert lock.wait("ben", HOME, 1.0) == 0


def test_an_owners_sign_in_gives_an_attacker_no_new_tries() -> None:
    lock = Lockout()
    fail(lock, 12, "ana", AWAY)
    before = lock.wait("ana", "192.0.2.1", 0.0)
    lock.succeeded("ana", HOME, 0.0)
    assert lock.wait("ana", "192.0.2.1", 0.0) == before > 0


def test_a_good_sign_in_forgives_the_mistakes_before_it_at_its_place() -> None:
    lock = Lockout()
    lock.succeeded("ana", HOME, 0.0)
    fail(lock, PLACE.free - 1, "ana", HOME, 1.0)
    lock.succeeded("ana", HOME, 1.0)
    fail(lock, PLACE.free - 1, "ana", HOME, 1.0)
    assert lock.wait("ana", HOME, 1.0) == 0


def test_an_address_is_known_for_thirty_days() -> None:
    lock = Lockout()
    lock.succeeded("ana", HOME, 0.0)
    day = 86_400.0
    assert lock.knows("ana", HOME, 29 * day)
    assert not lock.knows("ana", HOME, 31 * day)
    assert not lock.knows("ben", HOME, 0.0)


def test_guessing_many_names_from_one_address_is_slowed_there() -> None:
    lock = Lockout()
    for n in range(ADDRESS.free + 5):
        lock.failed(f"name {n}", AWAY, 0.0)
    assert lock.wait("another", AWAY, 0.0) == 32
    assert lock.wait("another", HOME, 0.0) == 0


def test_a_whole_ipv6_subscriber_is_one_address() -> None:
    lock = Lockout()
    for n in range(ADDRESS.free + 3):
        lock.failed(f"name {n}", f"2001:db8:1:2::{n:x}", 0.0)
    assert lock.wait("ana", "2001:db8:1:2:ffff::1", 0.0) > 0
    assert lock.wait("ana", "2001:db8:1:9::1", 0.0) == 0


def test_100_000_tries_of_different_names_and_addresses_fill_no_memory_and_lock_nobody_out() -> (
    None
):
    lock, chance = Lockout(), random.Random(4)
    for n in range(100):
        lock.succeeded(f"officer {n}", f"198.51.100.{n}", 0.0)
    largest = 0
    for n in range(100_000):
        now = n * 0.01
        name = f"officer {n // 2 % 100}" if n % 2 else f"guess {chance.random()}"
        source = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
        if lock.wait(name, source, now) == 0:
            lock.failed(name, source, now)
        largest = max(largest, len(lock))
    assert largest <= 3 * lockout.MOST
    for n in range(100):
        assert lock.wait(f"officer {n}", f"198.51.100.{n}", 1_000.0) == 0
        lock.failed(f"officer {n}", AWAY, 1_000.0)
        assert lock.wait(f"officer {n}", AWAY, 1_000.0) > 60, "strangers do wait"


def test_what_is_attacked_now_is_not_forgotten_for_what_was_long_ago() -> None:
    lock = Lockout(most=100)
    for n in range(1_000):
        lock.failed("ana", AWAY, float(n))
        lock.failed(f"other {n}", f"10.0.{n // 250}.{n % 250}", float(n))
    assert lock.wait("ana", HOME, 1_000.0) > 0
    assert len(lock) <= 300


@given(st.text(max_size=200), st.text(max_size=80), st.floats(0, 1e9))
@settings(max_examples=100)
def test_any_name_and_address_can_be_counted(name: str, source: str, now: float) -> None:
    lock = Lockout()
    assert lock.wait(name, source, now) == 0
    for _ in range(NAME.free):
        lock.failed(name, source, now)
    assert 0 < lock.wait(name, source, now) <= LONGEST_SECONDS


class Attack(RuleBasedStateMachine):
    """Whatever strangers do: an owner at his known place, who does not mistype, never waits."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.now = Lockout(most=50), 0.0
        self.lock.succeeded("ana", HOME, self.now, token=b"t")

    @rule(source=st.sampled_from([AWAY, "10.0.0.1", "2001:db8::1"]), name=st.sampled_from("ab"))
    def guess(self, source: str, name: str) -> None:
        for who in (name, "ana"):
            if self.lock.wait(who, source, self.now) == 0:
                self.lock.failed(who, source, self.now)

    @rule()
    def guess_behind_the_same_address(self) -> None:
        self.lock.failed("ana", HOME, self.now)
        self.lock.failed("ben", HOME, self.now)

    @rule(seconds=st.floats(0, 5_000))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.lock.wait("ana", HOME, self.now, b"t") == 0)
    @rule()
    def sign_in(self) -> None:
        self.lock.succeeded("ana", HOME, self.now, token=b"t")

    @invariant()
    def ana_gets_in(self) -> None:
        assert self.lock.wait("ana", HOME, self.now, token=b"t") == 0
        assert len(self.lock) <= 150


TestAttack = Attack.TestCase
