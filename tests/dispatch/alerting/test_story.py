"""Officers, a clock, and receivers that hear in any order or not at all: what always holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from composed import CONTENT, EXERCISE, NOW
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from dispatch.alerting import cap, life, standing
from dispatch.alerting.cap import Alert, MessageType, Status
from dispatch.alerting.checking import findings
from dispatch.alerting.content import Content
from dispatch.alerting.issuing import NEMO, alert
from dispatch.alerting.life import Message, Policy, Stage
from dispatch.domain.refusals import DispatchRefused

PEOPLE = st.integers(1, 4)
POLICY = Policy()
STATUSES = st.sampled_from([Status.ACTUAL, Status.ACTUAL, Status.EXERCISE, Status.TEST])


class Warnings(RuleBasedStateMachine):
    """Two warnings; everybody does whatever he wants, and most of it is refused."""

    messages = Bundle("messages")
    letters = Bundle("letters")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.count = 0
        self.rows: dict[int, Message] = {}
        self.out: dict[int, Alert] = {}
        """What was handed to the channels, as it is read there, by message; once each."""
        self.written: dict[int, set[int]] = {}
        self.read: dict[int, str] = {}
        """Of each message the digest that its approver had before him."""
        self.heard: list[list[Alert]] = [[], [], []]
        self.ended: set[str] = set()

    def number(self) -> int:
        self.count += 1
        return self.count

    def chain(self, message: Message) -> tuple[Message, ...]:
        return tuple(each for each in self.rows.values() if each.warning == message.warning)

    def content(self, status: Status) -> Content:
        said = CONTENT if status is Status.ACTUAL else replace(EXERCISE, status=status)
        return replace(said, expires=self.now + timedelta(hours=3))

    def keep(self, message: Message) -> int:
        self.rows[message.id] = message
        return message.id

    @initialize(target=messages, by=PEOPLE, status=STATUSES)
    def begin(self, by: int, status: Status) -> int:
        return self.begin_another(by, status)

    @precondition(lambda self: len(self.rows) < 3)
    @rule(target=messages, by=PEOPLE, status=STATUSES)
    def begin_another(self, by: int, status: Status) -> int:
        number = self.number()
        content = self.content(status)
        self.written[number] = {by}
        return self.keep(life.draft(number, number, content, by))

    @rule(
        target=messages,
        at=messages,
        by=PEOPLE,
        kind=st.sampled_from([MessageType.UPDATE, MessageType.UPDATE, MessageType.CANCEL]),
        status=STATUSES,
    )
    def follow(self, at: int, by: int, kind: MessageType, status: Status) -> int:
        number = self.number()
        content = self.content(status)
        try:
            message = life.draft_about(self.chain(self.rows[at]), kind, number, content, by)
        except DispatchRefused:
            return at
        self.written[number] = {by}
        return self.keep(message)

    @rule(at=messages, by=PEOPLE, words=st.sampled_from(["https://a.bz", "https://b.bz"]))
    def write(self, at: int, by: int, words: str) -> None:
        message = self.rows[at]
        changed = replace(message.content, web=words)
        try:
            self.keep(life.write(message, changed, by, message.content.digest))
        except DispatchRefused:
            return
        if changed != message.content:
            self.written[at].add(by)

    @rule(at=messages)
    def look(self, at: int) -> None:
        message = self.rows[at]
        told = findings(message, self.chain(message), NEMO, POLICY, self.now)
        try:
            self.keep(life.check(message, told))
        except DispatchRefused:
            return

    @rule(at=messages, by=PEOPLE, typed=st.booleans(), alone=st.booleans())
    def approve(self, at: int, by: int, typed: bool, alone: bool) -> None:
        message = self.rows[at]
        seen = message.content.digest
        words = life.phrase(message) if typed else "yes"
        try:
            if alone:
                why = "Nobody else can be reached"
                done = life.approve_alone(message, by, self.now, words, seen, why)
            else:
                done = life.approve(message, by, self.now, words, seen, POLICY)
        except DispatchRefused:
            return
        assert typed or message.content.status is not Status.ACTUAL
        self.read[at] = seen
        self.keep(done)

    @rule(at=messages, give_up=st.integers(0, 9))
    def stop(self, at: int, give_up: int) -> None:
        try:
            self.keep((life.take_back if give_up else life.drop)(self.rows[at]))
        except DispatchRefused:
            return

    @rule(target=letters, at=messages, by=PEOPLE)
    def as_it_should_be(self, at: int, by: int) -> tuple[int, int]:
        """Checked, approved by somebody and sent, without anything in between."""
        self.look(at)
        self.approve(at, by, typed=True, alone=False)
        return self.send(at, by)

    @rule(target=letters, at=messages, by=PEOPLE)
    def send(self, at: int, by: int) -> tuple[int, int]:
        message = self.rows[at]
        try:
            done = life.send(message, self.chain(message), by, self.now, POLICY)
        except DispatchRefused:
            return at, -1
        assert at not in self.out, "sent twice"
        self.keep(done)
        self.out[at] = cap.parse(cap.build(alert(done, self.chain(done), NEMO, self.now)))
        return at, 0

    @rule(seconds=st.sampled_from([1, 60, 3_600, 4 * 3_600]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(letter=letters, receiver=st.integers(0, 2))
    def arrive(self, letter: tuple[int, int], receiver: int) -> None:
        """Late, early, twice: the letter stays in the bundle."""
        if letter[0] in self.out:
            self.heard[receiver].append(self.out[letter[0]])

    def teardown(self) -> None:
        event(f"sent {len(self.out)}, heard {sum(map(len, self.heard))}")

    @rule(letter=consumes(letters))
    def lose(self, letter: tuple[int, int]) -> None:
        """Nobody hears it again."""

    @invariant()
    def what_goes_out_was_read_and_approved(self) -> None:
        """DOM-WRN-2, DOM-WRN-3, DOM-WRN-4."""
        for message in self.rows.values():
            assert (message.stage is Stage.SENT) is (message.id in self.out)
            assert message.authors == self.written[message.id]
            if message.stage is not Stage.SENT:
                continue
            approval = message.approval
            assert approval is not None
            assert approval.digest == message.content.digest == self.read[message.id]
            if message.content.status in POLICY.two_people and approval.alone is None:
                assert approval.person not in message.authors

    @invariant()
    def what_went_out_is_valid_and_one_of_a_warning_holds(self) -> None:
        """DOM-WRN-10, DOM-WRN-11."""
        holding = [each.incidents for each in standing.in_force(self.out.values(), self.now)]
        assert len(holding) == len(set(holding))
        for warning in {message.warning for message in self.rows.values()}:
            chain = [each for each in self.rows.values() if each.warning == warning]
            out = life.sent(chain)
            times = [each.sent for each in out]
            assert [each.after for each in out] == [None, *(each.id for each in out[:-1])][
                : len(out)
            ]
            assert len(times) == len(set(times))
            assert len({each.content.status for each in out}) <= 1
            assert all(each.kind is not MessageType.CANCEL for each in out[:-1])

    @invariant()
    def nobody_believes_what_was_ended_for_him(self) -> None:
        """DOM-WRN-12, DOM-WRN-13."""
        every = list(self.out.values())
        true = {each.alert.identifier: each.state for each in standing.beliefs(every, self.now)}
        for heard in self.heard:
            for each in standing.beliefs(heard, self.now):
                if each.state is not standing.State.IN_FORCE:
                    assert true[each.alert.identifier] is not standing.State.IN_FORCE
            if {each.identifier for each in heard} == {each.identifier for each in every}:
                assert standing.beliefs(heard, self.now) == standing.beliefs(every, self.now)
        gone = {name for name, state in true.items() if state is not standing.State.IN_FORCE}
        assert self.ended <= gone
        self.ended = gone


Warnings.TestCase.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)
TestWarnings = Warnings.TestCase
