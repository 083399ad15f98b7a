"""Officers, a clock, and receivers that hear in any order or not at all: what always holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from composed import CONTENT, EXERCISE, NOW
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
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

DEEDS = st.sampled_from(
    ["write", "check", "approve", "approve in haste", "approve alone", "send", "take back", "drop",
     "check, approve", "check, approve, send", "check, approve, send",
     "write, check, approve, send",
     "check, approve alone, send", "check, approve in haste, send", "approve, write, send"]
)  # fmt: skip
KINDS = st.sampled_from([MessageType.UPDATE, MessageType.UPDATE, MessageType.CANCEL])
ANY = st.integers(0, 99)
LETTERS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=4)
"""Which of the messages that went out, and to whom."""


class Warnings(RuleBasedStateMachine):
    """Two warnings; everybody does whatever he wants, and most of it is refused."""

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

    def keep(self, message: Message) -> None:
        self.rows[message.id] = message

    def some(self, which: int) -> Message:
        """Mostly one that is still worked on; those that are done are tried too."""
        live = [m for m in self.rows.values() if m.stage not in (Stage.SENT, Stage.DROPPED)]
        among = list(self.rows.values()) if which % 5 == 0 or not live else live
        return among[which % len(among)]

    @initialize(status=STATUSES)
    def begin(self, status: Status) -> None:
        """One warning is out already, so that there is something to update and to cancel."""
        self.begin_another(1, status)
        for deed in (self.check, self.approve, self.send):
            deed(self.rows[1], 2)

    @precondition(lambda self: len(self.rows) < 8)
    @rule(by=PEOPLE, status=STATUSES)
    def begin_another(self, by: int, status: Status) -> None:
        number = self.number()
        self.written[number] = {by}
        self.keep(life.draft(number, number, self.content(status), by))

    @rule(which=ANY, by=PEOPLE, kind=KINDS, same=st.integers(0, 5), status=STATUSES)
    def follow(self, which: int, by: int, kind: MessageType, same: int, status: Status) -> None:
        out = life.sent(self.rows.values())
        about = out[which % len(out)]
        number = self.number()
        content = self.content(about.content.status if same else status)
        try:
            message = life.draft_about(self.chain(about), kind, number, content, by)
        except DispatchRefused:
            return
        self.written[number] = {by}
        self.keep(message)

    @rule(which=ANY, by=PEOPLE, deed=DEEDS)
    def at_the_desk(self, which: int, by: int, deed: str) -> None:
        """One rule for all that is done there, so that every run does all of it."""
        at = self.some(which).id
        try:
            for each in deed.split(", "):
                getattr(self, each.replace(" ", "_"))(self.rows[at], by)
        except DispatchRefused:
            return

    def write(self, message: Message, by: int) -> None:
        words = f"https://nemo.org.bz/{self.number()}"
        changed = replace(message.content, web=words)
        self.keep(life.write(message, changed, by, message.content.digest))
        self.written[message.id].add(by)

    def check(self, message: Message, by: int) -> None:
        told = findings(message, self.chain(message), NEMO, POLICY, self.now)
        self.keep(life.check(message, told))

    def approve(self, message: Message, by: int, typed: str | None = None) -> None:
        seen = message.content.digest
        words = life.phrase(message) if typed is None else typed
        done = life.approve(message, by, self.now, words, seen, POLICY)
        assert typed is None or message.content.status is not Status.ACTUAL
        self.read[message.id] = seen
        self.keep(done)

    def approve_in_haste(self, message: Message, by: int) -> None:
        self.approve(message, by, "yes")

    def approve_alone(self, message: Message, by: int) -> None:
        seen = message.content.digest
        why = "Nobody else can be reached"
        words = life.phrase(message)
        self.keep(life.approve_alone(message, by, self.now, words, seen, why))
        self.read[message.id] = seen

    def take_back(self, message: Message, by: int) -> None:
        self.keep(life.take_back(message))

    def drop(self, message: Message, by: int) -> None:
        self.keep(life.drop(message))

    def send(self, message: Message, by: int) -> None:
        done = life.send(message, self.chain(message), by, self.now, POLICY)
        assert message.id not in self.out, "sent twice"
        self.keep(done)
        said = alert(done, self.chain(done), NEMO, self.now)
        self.out[message.id] = cap.parse(cap.build(said))

    @rule(seconds=st.sampled_from([0, 0, 1, 60, 600, 3_600]), letters=LETTERS)
    def meanwhile(self, seconds: int, letters: list[tuple[int, int]]) -> None:
        """Time passes; letters arrive late, early, twice, or never."""
        self.now += timedelta(seconds=seconds)
        out = list(self.out.values())
        for which, receiver in letters:
            if out:
                self.heard[receiver].append(out[which % len(out)])

    def teardown(self) -> None:
        event(f"sent {len(self.out)}")

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
