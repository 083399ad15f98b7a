"""The floor: what TS 24.380 asks for, and that no order of things breaks what must hold."""

from __future__ import annotations

import math

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from psn.voice.floor import (
    FIRST_WORD_S,
    QUEUE,
    SILENCE_S,
    WARNED_S,
    Call,
    Cause,
    Denied,
    Floor,
    Granted,
    Idle,
    Over,
    Queued,
    Revoked,
    Taken,
    Told,
    Warned,
)


def floor_of(*members: str, **settings_: float) -> Floor:
    floor = Floor(**settings_)
    for member in members:
        assert floor.join(member, may_talk=True, now=0.0) == []
    return floor


def keep_talking(floor: Floor, since: float, until: float) -> list[Told]:
    """Frames of the talker, and time passing as it must."""
    told, now, talker = [], since, floor.talker
    assert talker is not None
    while now < until:
        now = min(now + 0.5, until)
        told += floor.pass_time(now)
        floor.heard(talker, now)
    return told


def test_one_talks_the_others_are_told_and_it_becomes_idle_and_over() -> None:
    floor = floor_of("a", "b")
    assert floor.request("a", 1.0) == [Granted("a", 61.0), Taken("a", Call.NORMAL)]
    assert floor.heard("a", 1.2) and not floor.heard("b", 1.2)
    assert floor.release("a", 2.0) == [Idle()]
    assert not floor.heard("a", 2.1)
    assert floor.due == 7.0
    assert floor.pass_time(6.9) == [] and floor.pass_time(7.0) == [Over()]
    assert floor.due is None


def test_who_may_not_talk_is_told_why() -> None:
    floor = floor_of("a")
    floor.join("ears", may_talk=False, now=0.0)
    assert floor.request("ears", 1.0) == [Denied("ears", Cause.LISTEN_ONLY)]
    assert floor.request("stranger", 1.0) == [Denied("stranger", Cause.NOT_MEMBER)]
    assert floor.talker is None
    floor.request("a", 1.0)
    assert floor.join("a", may_talk=False, now=1.1) == [Revoked("a", Cause.LISTEN_ONLY), Idle()]


def test_equals_wait_in_turn_and_know_their_place() -> None:
    floor = floor_of("a", "b", "c", "d")
    floor.request("a", 1.0)
    assert floor.request("b", 1.1) == [Queued("b", 1)]
    assert floor.request("c", 1.2) == [Queued("c", 2)]
    # A higher priority goes before, and interrupts nobody.
    assert floor.request("d", 1.3, priority=5) == [Queued("d", 1), Queued("b", 2), Queued("c", 3)]
    assert floor.request("b", 1.4) == [Queued("b", 2), Queued("c", 3)]
    assert floor.talker == "a"
    assert floor.release("c", 1.5) == []
    told = floor.release("a", 1.6)
    assert told == [Granted("d", 61.6), Taken("d", Call.NORMAL), Queued("b", 1)]
    assert floor.leave("d", 1.7)[:2] == [Granted("b", 61.7), Taken("b", Call.NORMAL)]


def test_an_emergency_interrupts_all_but_another() -> None:
    floor = floor_of("a", "b", "c", "d")
    floor.request("a", 1.0, priority=9)
    assert floor.request("b", 1.1, Call.PERIL) == [
        Revoked("a", Cause.PREEMPTED),
        Granted("b", 61.1),
        Taken("b", Call.PERIL),
    ]
    assert floor.request("c", 1.2, Call.EMERGENCY)[0] == Revoked("b", Cause.PREEMPTED)
    assert floor.request("d", 1.3, Call.EMERGENCY) == [Queued("d", 1)]
    # Whoever talks already can make an emergency of it.
    floor = floor_of("a")
    floor.request("a", 1.0)
    assert floor.request("a", 2.0, Call.EMERGENCY) == [
        Taken("a", Call.EMERGENCY),
        Granted("a", 61.0),
    ]


def test_who_vanishes_loses_the_floor_within_a_second() -> None:
    floor = floor_of("a", "b")
    floor.request("a", 1.0)
    floor.request("b", 1.1)
    assert floor.due == 1.0 + FIRST_WORD_S
    floor.heard("a", 2.5)
    assert floor.due == 2.5 + SILENCE_S
    assert floor.pass_time(3.4) == []
    told = floor.pass_time(3.5)
    assert told[:2] == [Revoked("a", Cause.SILENT), Granted("b", 63.5)]


def test_nobody_talks_for_ever_and_he_is_warned_before() -> None:
    floor = floor_of("a", limit_s=20.0)
    floor.request("a", 0.0)
    told = keep_talking(floor, 0.0, 19.5)
    assert told == [Warned("a", WARNED_S)]
    assert keep_talking(floor, 19.5, 20.0) == [Revoked("a", Cause.TOO_LONG), Idle()]
    assert not floor.heard("a", 20.1)


def test_time_that_was_slept_through_is_made_up_for() -> None:
    floor = floor_of("a", "b")
    floor.request("a", 0.0)
    floor.request("b", 0.0)
    told = floor.pass_time(1_000.0)
    causes = [each.cause for each in told if isinstance(each, Revoked)]
    assert causes == [Cause.SILENT, Cause.SILENT] and told[-2:] == [Idle(), Over()]


def test_a_full_queue_takes_only_who_is_more_urgent() -> None:
    names = [f"m{n}" for n in range(QUEUE + 3)]
    floor = floor_of(*names)
    floor.request(names[0], 0.0)
    for name in names[1 : QUEUE + 1]:
        floor.request(name, 0.1)
    last, urgent = names[QUEUE + 1 :]
    assert floor.request(last, 0.2) == [Denied(last, Cause.QUEUE_FULL)]
    told = floor.request(urgent, 0.3, priority=1)
    assert told[:2] == [Revoked(names[QUEUE], Cause.QUEUE_FULL), Queued(urgent, 1)]
    assert len(floor.queue) == QUEUE


def test_a_keyed_radio_talks_as_long_as_it_is_keyed() -> None:
    """DOM-RAD-18."""
    floor = floor_of("radio", "b", limit_s=20.0)
    assert floor.request("radio", 0.0, keyed=True) == [
        Granted("radio", math.inf),
        Taken("radio", Call.NORMAL),
    ]
    assert keep_talking(floor, 0.0, 600.0) == []
    assert floor.request("b", 600.0) == [Queued("b", 1)]
    assert floor.pass_time(600.0 + SILENCE_S) == [
        Revoked("radio", Cause.SILENT),
        Granted("b", 621.0),
        Taken("b", Call.NORMAL),
    ]


def test_a_keyed_radio_goes_on_unheard_and_is_heard_from_there_on() -> None:
    """DOM-RAD-18."""
    floor = floor_of("radio", "b", "c")
    floor.request("radio", 0.0, keyed=True)
    floor.request("b", 0.1)
    assert floor.request("c", 0.2, Call.EMERGENCY) == [
        Queued("radio", 1),
        Granted("c", 60.2),
        Taken("c", Call.EMERGENCY),
        Queued("b", 2),
    ]
    assert not floor.heard("radio", 0.3)
    told = floor.release("c", 1.0)
    assert told[:2] == [Granted("radio", math.inf), Taken("radio", Call.NORMAL)]
    assert floor.heard("radio", 1.1)


def test_a_keyed_radio_waits_where_no_place_is_left() -> None:
    """DOM-RAD-18."""
    names = [f"m{n}" for n in range(QUEUE + 1)]
    floor = floor_of(*names, "radio", "late")
    for name in names:
        floor.request(name, 0.0)
    assert floor.request("radio", 0.1, keyed=True) == [Queued("radio", QUEUE + 1)]
    assert floor.request("late", 0.2) == [Denied("late", Cause.QUEUE_FULL)]
    assert floor.release("radio", 0.3) == []
    assert [wish.member for wish in floor.queue] == names[1:]


def test_a_keyed_radio_waits_when_groups_are_patched() -> None:
    """DOM-RAD-18."""
    here, there = floor_of("a"), floor_of("radio")
    there.requests = here.requests
    here.request("a", 0.0)
    there.request("radio", 0.1, keyed=True)
    told = here.unite(there, 0.2)
    assert told[0] == Queued("radio", 1) and Taken("a", Call.NORMAL) in told
    assert not any(isinstance(each, Revoked) for each in told)
    assert here.release("a", 0.3)[0] == Granted("radio", math.inf)


MEMBERS = st.sampled_from(["a", "b", "c", "d", "e"])
STEPS = st.sampled_from([0.0, 0.02, 0.3, 0.99, 1.0, 1.5, 4.0, 30.0])


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order; time passes as the driver lets it pass."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = Floor(limit_s=10.0, hang_s=3.0)
        self.now = 0.0
        self.joined = dict.fromkeys("abcde", True)
        for member in self.joined:
            self.floor.join(member, may_talk=True, now=0.0)
        self.call = Call.NORMAL
        """Of who has the floor."""
        self.holds: str | None = None
        """Who was last told that he has the floor, and not that he has it no more."""
        self.asked: dict[str, tuple[int, int, int]] = {}
        """Who waits: his rank, made here once more."""
        self.count = 0
        self.keyed = {"a", "b"}
        """Radios."""
        self.held: tuple[int, int, int] = (0, 0, 0)
        """With what rank who talks was granted."""

    def took(self, told: list[Told]) -> None:
        preempted: Call | None = None
        for each in told:
            match each:
                case Granted(member, until):
                    assert member == self.holds or self.holds is None, "two talkers"
                    assert until > self.now - 1_000
                    if member in self.asked:
                        best = min(self.asked.values())
                        assert self.asked.pop(member) == best, "an equal waited longer"
                        self.held = best
                    self.holds = member
                    assert (until == math.inf) == (member in self.keyed)
                case Queued(member) if member == self.holds:
                    assert member in self.keyed, "only a radio waits where others are revoked"
                    self.asked[member] = self.held
                    self.holds, preempted = None, self.call
                case Revoked(member, Cause.PREEMPTED):
                    assert member == self.holds and member not in self.keyed
                    self.holds, preempted = None, self.call
                case Taken(member, call):
                    assert member == self.holds
                    assert preempted is None or call > preempted, "interrupted by an equal"
                    self.call = call
                case Revoked(member) | Denied(member):
                    self.asked.pop(member, None)
                    if self.holds == member:
                        self.holds = None
                case Idle():
                    assert not self.asked, "somebody waits, and nobody talks"
                    self.holds = None
                case _:
                    pass

    @rule(member=MEMBERS, may_talk=st.booleans())
    def join(self, member: str, may_talk: bool) -> None:
        self.joined[member] = may_talk
        if not may_talk:
            self._gives_up(member)
        self.took(self.floor.join(member, may_talk, self.now))

    @rule(member=MEMBERS)
    def leave(self, member: str) -> None:
        self._gives_up(member)
        self.joined.pop(member, None)
        self.took(self.floor.leave(member, self.now))

    @rule(
        member=MEMBERS,
        call=st.sampled_from(Call),
        priority=st.integers(0, 2),
    )
    def request(self, member: str, call: Call, priority: int) -> None:
        self.took(self.floor.pass_time(self.now))
        if self.joined.get(member) and member != self.holds:
            self.count += 1
            before = self.asked.get(member)
            if before is None or before[:2] != (-call, -priority):
                self.asked[member] = (-call, -priority, self.count)
        if self.joined.get(member) and member == self.holds and call > self.call:
            self.count += 1
            self.held = (-call, -priority, self.count)
        self.took(self.floor.request(member, self.now, call, priority, keyed=member in self.keyed))

    @rule(member=MEMBERS)
    def release(self, member: str) -> None:
        self.took(self.floor.pass_time(self.now))
        self._gives_up(member)
        self.took(self.floor.release(member, self.now))

    def _gives_up(self, member: str) -> None:
        self.asked.pop(member, None)
        if self.holds == member:
            self.holds = None

    @rule(member=MEMBERS)
    def frame(self, member: str) -> None:
        assert self.floor.heard(member, self.now) <= (member == self.holds)

    @rule(step=STEPS)
    def time_passes(self, step: float) -> None:
        end = self.now + step
        while (due := self.floor.due) is not None and due <= end:
            self.now = max(self.now, due)
            told = self.floor.pass_time(self.now)
            assert told, "it was due, and nothing came of it"
            self.took(told)
        self.now = end
        assert self.floor.pass_time(end) == []

    @invariant()
    def holds_what_must_hold(self) -> None:
        floor = self.floor
        assert floor.talker == self.holds
        assert floor.talker is None or self.joined.get(floor.talker), "held by nobody there"
        assert [each.member for each in floor.queue] == sorted(
            self.asked, key=lambda member: self.asked[member]
        )
        assert all(self.joined.get(each.member) for each in floor.queue)
        assert not (floor.talk is None and floor.queue)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=300, stateful_step_count=60, deadline=None)


def test_who_stands_behind_one_who_goes_ahead_is_told_his_place() -> None:
    """DOM-VOI-3: also when the place is left for the floor, or for one further back."""
    floor = Floor()
    for member in "abcd":
        floor.join(member, True, 0.0)
    floor.request("a", 0.0)
    for member in "bcd":
        floor.request(member, 0.0)
    told = floor.request("b", 0.1, Call.PERIL)
    assert [each for each in told if isinstance(each, Queued)] == [Queued("c", 1), Queued("d", 2)]
    floor.request("d", 0.2, priority=1)
    told = floor.request("d", 0.3, priority=0)
    assert [each for each in told if isinstance(each, Queued)] == [Queued("c", 1), Queued("d", 2)]
