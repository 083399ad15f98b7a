"""The exchange whatever happens in whatever order: who hears, who is recorded, what is left."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from psn import access, wire
from psn.directory import Agency, Device, Directory, Group, Person, Unit
from psn.identity.tickets import Ticket
from psn.picture.fanout import Hub, Outbox
from psn.problems import Problem
from psn.record.mailboxes import Reader
from psn.sessions import Session
from psn.voice.exchange import Exchange
from psn.voice.talk import About, Talk
from psn.wire import Speech, VoiceGroup

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GROUPS = tuple(VoiceGroup.of(f"group:{number}") for number in (1, 2, 3))
WHO = st.integers(0, 3)
"""Two dispatchers, who may patch, and two crews."""
WHICH = st.sampled_from(GROUPS)


class Clocked(asyncio.SelectorEventLoop):
    """A loop whose time passes when it is told to."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for _ in range(3):  # what is due, and what that does at once
            self.run_until_complete(asyncio.sleep(0))


class Nowhere(asyncio.WriteTransport):
    """Takes what is sent."""

    def write(self, data: object) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


def everybody() -> Directory:
    people = {i: Person(i, 1, f"p{i}", f"P {i}", ("dispatcher",), None, False) for i in (1, 2)}
    units = {i: Unit(i, 1, f"U-{i}", "car", None, False) for i in (1, 2)}
    devices = {i: Device(i, 1, i, f"d{i}", False, False, None, False, False) for i in (1, 2)}
    none: frozenset[int] = frozenset()
    groups = {each.id: Group(each.id, None, "G", none, none, frozenset({1})) for each in GROUPS}
    agencies = {1: Agency(1, "BPD", "Police", "#0000ff")}
    return Directory(agencies, people, units, devices, groups, (), {})


class AnyExchange(RuleBasedStateMachine):
    """DOM-VOI-1, 10, 15 and 16: also of groups that are patched and that all have left."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Clocked()
        self.talks: list[Talk] = []
        self.rules_now = access.rules(everybody(), NOW)
        self.hub = Hub(self.loop)
        self.sessions = [self.session(number) for number in range(4)]
        self.said = [0] * 4
        self.exchange = Exchange(
            self.loop,
            self.rules_now,
            lambda: 1_795_000_000_000 + round(self.loop.now * 1_000),
            lambda address: [s for s in self.sessions if s.principal.address == address],
            lambda: self.sessions,
            lambda deed: None,
            self.record,
        )

    def teardown(self) -> None:
        """With the last of them everything goes."""
        for session in self.sessions:
            self.exchange.gone(session)
        assert not self.exchange.groups
        assert all(talk.ended is not None for talk in self.talks)
        self.loop.pass_time(100.0)
        self.loop.close()

    def session(self, number: int) -> Session:
        directory, which = self.rules_now.directory, number % 2 + 1
        who = access.of_person(directory.people[which])
        if number > 1:
            crew = access.of_device(directory.devices[which], directory)
            assert crew is not None
            who = crew
        hour = timedelta(hours=1)
        ticket = Ticket(b"", who.person, who.device, NOW, NOW + hour, NOW, NOW, None)
        codec = wire.CODECS[wire.SUBPROTOCOL_MSGPACK]
        outbox = Outbox(self.hub, Nowhere(), True)
        return Session(who, Reader(who.address, who.name, frozenset({1})), ticket, codec, outbox)

    def record(self, about: About) -> Talk:
        self.talks.append(Talk(about))
        return self.talks[-1]

    @initialize()
    def begin(self) -> None:
        """Most are somewhere, and two groups are patched, so that there is much to go wrong."""
        for session, group in zip(self.sessions, (*GROUPS[:2], *GROUPS[:2]), strict=True):
            self.exchange.join(session, group)
        self.exchange.join(self.sessions[0], GROUPS[1])
        self.exchange.patch(self.sessions[0], *GROUPS[:2])

    @rule(who=WHO, group=WHICH)
    def join(self, who: int, group: VoiceGroup) -> None:
        self.exchange.join(self.sessions[who], group)

    @rule(who=WHO, group=WHICH)
    def leave(self, who: int, group: VoiceGroup) -> None:
        self.exchange.leave(self.sessions[who], group)

    @rule(who=WHO)
    def vanish(self, who: int) -> None:
        self.exchange.gone(self.sessions[who])

    @rule(who=WHO, group=WHICH, call=st.sampled_from(("normal", "peril", "emergency")))
    def ask(self, who: int, group: VoiceGroup, call: wire.CallKind) -> None:
        self.exchange.ask(self.sessions[who], group, call)

    @rule(who=WHO, group=WHICH)
    def release(self, who: int, group: VoiceGroup) -> None:
        self.exchange.release(self.sessions[who], group)

    @rule(who=WHO, group=WHICH)
    def say(self, who: int, group: VoiceGroup) -> None:
        session = self.sessions[who]
        self.said[who] += 1
        speech = Speech(group, session.principal.address, self.said[who], 20, False, b"\x78")
        with contextlib.suppress(Problem):
            self.exchange.speech(session, speech, speech.encode())

    @rule(who=st.integers(0, 1), one=WHICH, two=WHICH)
    def patch(self, who: int, one: VoiceGroup, two: VoiceGroup) -> None:
        with contextlib.suppress(Problem):
            self.exchange.patch(self.sessions[who], one, two)

    @rule(who=st.integers(0, 1), group=WHICH)
    def unpatch(self, who: int, group: VoiceGroup) -> None:
        self.exchange.unpatch(self.sessions[who], group)

    @rule(seconds=st.sampled_from((0.02, 0.9, 2.5, 70.0)))
    def time_passes(self, seconds: float) -> None:
        self.loop.pass_time(seconds)

    @invariant()
    def a_group_is_there_for_somebody(self) -> None:
        """In it, or in the one that it is patched with; both have one floor then."""
        for of, there in self.exchange.groups.items():
            assert there.of == of and there in there.net.groups
            assert any(each.parties for each in there.net.groups), "nobody is left of it"
            assert all(self.exchange.groups.get(each.of) is each for each in there.net.groups)
            keys = [p.key for each in there.net.groups for p in each.parties.values()]
            assert sorted(keys) == sorted(there.floor.members)

    @invariant()
    def what_is_said_is_recorded_wherever_it_is_heard(self) -> None:
        for there in self.exchange.groups.values():
            found = None if there.floor.talker is None else there.net.find(there.floor.talker)
            assert (found is None) == (there.floor.talker is None), "held by nobody there"
            about = None if there.recording is None else there.recording.about
            talker = None if found is None else found[1].session.principal.address
            assert (about and about.talker) == talker
            assert about is None or about.group == there.of
        going_on = [talk for talk in self.talks if talk.ended is None]
        recorded = [there.recording for there in self.exchange.groups.values() if there.recording]
        assert len(going_on) == len(recorded), "a recording that nobody ends"


TestAnyExchange = AnyExchange.TestCase
TestAnyExchange.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
