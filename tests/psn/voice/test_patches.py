"""Two groups that have one floor for a while (docs/domain.md, DOM-VOI-14 to 16)."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from parties import JOINT, Party, change
from stage import ANA, BCG, BEN, BPD, CAR, Stage, until

from psn import wire
from psn.voice.floor import (
    Call,
    Cause,
    Denied,
    Floor,
    Granted,
    Idle,
    Queued,
    Revoked,
    Taken,
    Told,
)

POLICE = "group:3"
INCIDENT = "incident:1"


@pytest.fixture
async def groups(stage: Stage, database: str) -> None:
    """A group of the police besides the joint one, and an incident of theirs."""
    await change(
        stage,
        database,
        "insert into talkgroup (agency_id, name) values (1, 'Police only');"
        "insert into group_member (group_id, agency_id) values (3, 1);"
        "insert into incident (agency_id, title, opened_by) values (1, 'Fire', 'person:1');"
        "insert into incident_member (incident_id, agency_id, reason, author)"
        " values (1, 1, 'opened it', 'person:1')",
    )


async def patch(party: Party, one: str, two: str) -> None:
    """Patch two groups, which is taken."""
    n = party.peer.number()
    await party.peer.send(wire.VoicePatch(n=n, groups=[one, two]))
    await party.peer.expect(wire.Ok, lambda ok: ok.n == n)


async def patched(party: Party, group: str) -> str | None:
    """With which group one is told to be patched."""
    told = await party.peer.expect(wire.Patched, lambda each: each.group == group)
    return told.other


async def noted(stage: Stage, many: int) -> list[tuple[str, str, str, str]]:
    """What the audit has of patches, when it is so much."""
    for _ in range(200):
        rows = await stage.core.pool.fetch(
            "select body::json->>'action', body::json->>'actor', body::json->>'object',"
            " body::json->'details'->>'with' from audit"
            " where body like '%\"voice.%patched%' order by seq"
        )
        if len(rows) >= many:
            break
        await asyncio.sleep(0.05)
    return [tuple(row) for row in rows]


async def interruptions(stage: Stage, many: int) -> list[tuple[str, str, str]]:
    """Who interrupted whom, and whose auditors read it, when it is so much."""
    for _ in range(200):
        rows = await stage.core.pool.fetch(
            "select body::json->>'actor', body::json->>'object', body::json->>'owner' from audit"
            " where action = 'voice.interrupted' order by seq"
        )
        if len(rows) >= many:
            break
        await asyncio.sleep(0.05)
    return [tuple(row) for row in rows]


async def talks(stage: Stage, many: int) -> list[tuple[str, str, int]]:
    """What was recorded, by group, when so many talks have ended."""
    for _ in range(200):
        rows = await stage.core.pool.fetch(
            "select group_address, talker, milliseconds from recording where ended_at is not null"
            " order by group_address, begun_at"
        )
        if len(rows) >= many:
            break
        await asyncio.sleep(0.05)
    return [tuple(row) for row in rows]


async def test_who_talks_in_one_is_heard_and_answered_in_both(stage: Stage, groups: None) -> None:
    """DOM-VOI-14, DOM-VOI-15, DOM-VOI-16."""
    ana = await Party.enter(stage, "ana", JOINT, POLICE)
    ben, car = await Party.enter(stage, "ben", JOINT), await Party.enter(stage, CAR, POLICE)
    await patch(ana, JOINT, POLICE)
    assert await patched(ben, JOINT) == POLICE
    told = await car.peer.expect(wire.Patched)
    assert (told.other, told.other_name, told.by, told.by_name) == (JOINT, "Joint", ANA, "Ana")
    # Who comes later is told.
    patrol = await Party.enter(stage, 2, POLICE)
    assert await patched(patrol, POLICE) == JOINT
    await car.granted(POLICE)
    assert (await ben.floor()).talker_name == "P-1"
    await car.say(0, 1, group=POLICE)
    await until(lambda: ben.heard() == [("unit:1", 0), ("unit:1", 1)], "heard in the other group")
    await until(lambda: len(ana.peer.heard) == 2, "who is in both hears it once")
    assert ana.heard(POLICE) == [("unit:1", 0), ("unit:1", 1)]
    await ben.ask()
    assert (await ben.yours("queued")).position == 1
    await car.release(POLICE)
    await ben.yours("granted")
    await ben.say(0, 1)
    await until(lambda: car.heard(POLICE) == [(BEN, 0), (BEN, 1)], "answered from there")

    # Who talks when it ends talks on in his own group.
    await car.ask(POLICE)
    await car.yours("queued", POLICE)
    await ana.peer.send(wire.VoiceUnpatch(n=99, group=POLICE))
    await car.yours("granted", POLICE)
    assert await patched(ben, JOINT) is None
    await ben.say(2)
    await car.say(0, group=POLICE)
    await until(lambda: ana.heard()[-1:] == [(BEN, 2)], "he talks on")
    await until(lambda: patrol.heard(POLICE)[-1:] == [("unit:1", 0)], "and so do they")
    assert ben.heard() == [("unit:1", 0), ("unit:1", 1)]
    assert await noted(stage, 4) == [
        ("voice.patched", ANA, JOINT, POLICE), ("voice.patched", ANA, POLICE, JOINT),
        ("voice.unpatched", ANA, JOINT, POLICE), ("voice.unpatched", ANA, POLICE, JOINT),
    ]  # fmt: skip
    for party in (ana, ben, car, patrol):
        await party.peer.leave()
    assert await talks(stage, 5) == [
        (JOINT, "unit:1", 40), (JOINT, BEN, 60),
        (POLICE, "unit:1", 40), (POLICE, BEN, 40), (POLICE, "unit:1", 20),
    ]  # fmt: skip


async def test_who_may_not_talk_in_both_patches_nothing(stage: Stage, groups: None) -> None:
    """DOM-VOI-14."""
    ana = await Party.enter(stage, "ana", JOINT, POLICE, INCIDENT)
    car = await Party.enter(stage, CAR, JOINT, POLICE)
    ben = await Party.enter(stage, "ben", JOINT)

    async def refused(party: Party, one: str, two: str, code: str) -> None:
        await party.peer.send(wire.VoicePatch(n=party.peer.number(), groups=[one, two]))
        await party.peer.refusal(code)

    await refused(car, JOINT, POLICE, "not_yours_to_patch")
    await refused(ana, JOINT, JOINT, "not_yours_to_patch")
    await refused(ana, JOINT, "group:2", "hear_both_first")
    await patch(ana, JOINT, POLICE)
    await refused(ana, POLICE, INCIDENT, "patched_already")
    await ben.peer.send(wire.VoiceUnpatch(n=99, group=JOINT))
    await ben.peer.refusal("not_yours_to_patch")
    for party in (ana, ben, car):
        await party.peer.leave()


async def test_a_patch_ends_with_the_right_to_it_with_a_group_and_with_the_last_one(
    stage: Stage, database: str, groups: None
) -> None:
    """DOM-VOI-15."""
    ana, car = await Party.enter(stage, "ana", JOINT, INCIDENT), await Party.enter(stage, CAR)
    await car.join(INCIDENT)
    await patch(ana, JOINT, INCIDENT)
    assert await patched(car, INCIDENT) == JOINT
    await ana.peer.leave()  # its maker's connection may break
    await change(stage, database, "update person set roles = '{field}' where name = 'ana'")
    assert await patched(car, INCIDENT) is None
    await change(stage, database, "update person set roles = '{dispatcher}' where name = 'ana'")

    ana = await Party.enter(stage, "ana", JOINT, INCIDENT)
    await patch(ana, JOINT, INCIDENT)
    await car.granted(INCIDENT)
    await change(stage, database, "update incident set closed_at = now()")
    told = await ana.peer.expect(wire.Patched, lambda each: each.group == JOINT)
    number = await stage.core.pool.fetchval("select number from incident_card")
    assert (told.other, told.other_name) == (INCIDENT, number)
    assert await patched(ana, JOINT) is None
    await car.peer.expect(wire.VoiceGone)
    assert JOINT in {group.address for group in stage.core.voice.groups}

    await ana.join(POLICE)
    await patch(ana, JOINT, POLICE)
    await ana.leave(JOINT)
    await car.join(JOINT)  # into the net of the other, which is still there
    assert await patched(car, JOINT) == POLICE
    await car.leave(JOINT)
    await ana.leave(POLICE)
    told = len(ana.peer.of(wire.Patched))
    await ana.join(POLICE)
    await ana.peer.answers()
    assert len(ana.peer.of(wire.Patched)) == told
    entries = await noted(stage, 12)
    assert [actor for action, actor, *_ in entries if action == "voice.unpatched"] == ["server"] * 6
    for party in (ana, car):
        await party.peer.leave()


async def test_a_group_that_all_have_left_is_there_as_long_as_it_is_patched(
    stage: Stage, groups: None
) -> None:
    """DOM-VOI-13, DOM-VOI-15, DOM-VOI-16: what is said in the other is said in it."""
    ana, car = await Party.enter(stage, "ana", JOINT, POLICE), await Party.enter(stage, CAR, POLICE)
    await patch(ana, POLICE, JOINT)
    await car.granted(POLICE)
    await car.say(0, group=POLICE)
    await ana.peer.leave()
    await car.say(1, group=POLICE)
    await car.release(POLICE)
    ben = await Party.enter(stage, "ben")
    await car.granted(POLICE, "emergency")
    told = await ben.peer.expect(wire.Floor)
    assert (told.group, told.talker, told.call) == (JOINT, "unit:1", "emergency")
    await car.say(0, group=POLICE)
    await ben.peer.leave()
    await car.peer.leave()
    await until(lambda: not stage.core.voice.groups, "both are forgotten together")
    assert (await noted(stage, 4))[2:] == [
        ("voice.unpatched", "server", POLICE, JOINT), ("voice.unpatched", "server", JOINT, POLICE),
    ]  # fmt: skip
    assert await talks(stage, 4) == [
        (JOINT, "unit:1", 40), (JOINT, "unit:1", 20), (POLICE, "unit:1", 40), (POLICE, "unit:1", 20)
    ]  # fmt: skip


async def test_the_last_of_a_patched_group_goes_while_he_talks(stage: Stage, groups: None) -> None:
    """DOM-VOI-16: who is first in line in the other is granted; all that is recorded ends."""
    ana, car = await Party.enter(stage, "ana", JOINT, POLICE), await Party.enter(stage, CAR, POLICE)
    await patch(ana, POLICE, JOINT)
    await ana.granted()
    await ana.say(0)
    await car.ask(POLICE)
    await car.yours("queued", POLICE)
    await ana.peer.leave()
    await car.yours("granted", POLICE)
    await car.say(0, group=POLICE)
    await car.peer.leave()
    assert await talks(stage, 4) == [
        (JOINT, ANA, 20), (JOINT, "unit:1", 20), (POLICE, ANA, 20), (POLICE, "unit:1", 20),
    ]  # fmt: skip


async def test_parted_from_a_group_that_all_have_left(stage: Stage, groups: None) -> None:
    """DOM-VOI-15: it is forgotten, and who comes is in a group of its own."""
    ana, car = await Party.enter(stage, "ana", JOINT, POLICE), await Party.enter(stage, CAR, JOINT)
    await patch(ana, POLICE, JOINT)
    await car.leave()
    await ana.granted(POLICE)
    await ana.leave()
    await ana.peer.send(wire.VoiceUnpatch(n=99, group=POLICE))
    await ana.peer.expect(wire.Ok, lambda ok: ok.n == 99)
    assert {group.address for group in stage.core.voice.groups} == {POLICE}
    assert (await car.join()).talker is None
    await car.granted()
    for party in (ana, car):
        await party.peer.leave()
    await until(lambda: not stage.core.voice.groups, "nothing is left")


async def test_whose_a_group_was_reads_of_the_end_of_its_patch(
    stage: Stage, database: str, groups: None
) -> None:
    """DOM-AUD-7: also of one that ended with the incident."""
    await change(
        stage,
        database,
        "insert into incident (agency_id, title, opened_by) values (2, 'Adrift', 'person:2');"
        "insert into incident_member (incident_id, agency_id, reason, author)"
        " values (2, 2, 'opened it', 'person:2'), (2, 1, 'asked', 'person:2')",
    )
    ana = await Party.enter(stage, "ana", JOINT, "incident:2")
    await patch(ana, JOINT, "incident:2")
    await change(stage, database, "update incident set closed_at = now()")
    await ana.peer.expect(wire.VoiceGone)
    await ana.peer.leave()
    await noted(stage, 4)
    rows = await stage.core.pool.fetch(
        "select action, body::json->>'object', owner from audit"
        " where action like 'voice.%patched' order by seq"
    )
    assert [tuple(row) for row in rows] == [
        ("voice.patched", JOINT, BPD), ("voice.patched", "incident:2", BCG),
        ("voice.unpatched", JOINT, BPD), ("voice.unpatched", "incident:2", BCG),
    ]  # fmt: skip


async def test_patches_are_not_made_as_fast_as_frames(stage: Stage, groups: None) -> None:
    ana = await Party.enter(stage, "ana", JOINT, POLICE)
    for each in range(50):
        await ana.peer.send(wire.VoicePatch(n=1_000 + each, groups=[JOINT, POLICE]))
        await ana.peer.send(wire.VoiceUnpatch(n=2_000 + each, group=JOINT))
    await ana.peer.refusal("too_fast")
    await ana.peer.leave()


async def test_nobody_interrupts_himself(stage: Stage, groups: None) -> None:
    """Who is in both groups asks in the other; the audit has nothing of it."""
    ana = await Party.enter(stage, "ana", JOINT, POLICE)
    ben = await Party.enter(stage, "ben", JOINT)
    await patch(ana, JOINT, POLICE)
    await ana.granted()
    await ana.granted(POLICE, "peril")
    assert (await ana.yours("revoked")).code == "preempted"
    await ben.granted(call="emergency")
    query = "select actor, body::json->>'object' from audit where action = 'voice.interrupted'"
    for _ in range(100):
        rows = [tuple(row) for row in await stage.core.pool.fetch(query)]
        if rows:
            break
        await asyncio.sleep(0.05)
    assert rows == [(BEN, ANA)]
    for party in (ana, ben):
        await party.peer.leave()


async def test_who_is_hidden_is_heard_in_his_own_group_alone(
    stage: Stage, database: str, groups: None
) -> None:
    """DOM-VOI-14: also from the moment at which he is hidden, and until he is not any more."""
    ana, ben = (
        await Party.enter(stage, "ana", JOINT, POLICE),
        await Party.enter(stage, "ben", JOINT),
    )
    car = await Party.enter(stage, CAR, POLICE)
    await patch(ana, POLICE, JOINT)
    await car.granted(POLICE)
    await car.say(0, group=POLICE)
    assert (await ben.floor()).talker == "unit:1"
    hide = (
        "insert into unit_exception (unit_id, viewer_agency, units, reason, author)"
        " values (1, null, 'nothing', 'undercover', 'person:1')"
    )
    await change(stage, database, hide)
    assert (await ben.floor()).talker is None
    await car.say(1, 2, group=POLICE)
    await until(lambda: len(ana.heard(POLICE)) == 3, "his own hear him")
    # Who takes the floor from him is told that he has it, and from whom read his own alone.
    await ben.granted(call="peril")
    assert (await car.yours("revoked", POLICE)).code == "preempted"
    await ben.release()
    assert await interruptions(stage, 2) == [
        (BEN, JOINT, "2"),
        ("server", "unit:1", "1"),
    ]
    await car.granted(POLICE)
    await car.say(0, group=POLICE)
    await ben.ask()
    await ben.yours("queued")
    late = await Party.enter(stage, "ben")
    assert (await late.join()).talker is None
    await late.peer.leave()
    await car.release(POLICE)
    await ben.yours("granted")
    await ben.say(0)
    await ben.release()
    assert ben.heard() == [("unit:1", 0)]

    await car.granted(POLICE)
    await car.say(0, group=POLICE)
    await change(stage, database, "update unit_exception set ends_at = now()")
    await until(lambda: any(told.talker for told in ben.peer.of(wire.Floor)), "he is named again")
    await car.say(1, group=POLICE)
    await until(lambda: ben.heard() == [("unit:1", 0), ("unit:1", 1)], "and heard")
    for party in (ana, ben, car):
        await party.peer.leave()
    assert await talks(stage, 7) == [
        (JOINT, "unit:1", 20), (JOINT, BEN, 20), (JOINT, "unit:1", 20),
        (POLICE, "unit:1", 60), (POLICE, "unit:1", 20), (POLICE, BEN, 20), (POLICE, "unit:1", 40),
    ]  # fmt: skip


# -- the floor alone


def floor_of(requests: Floor | None, *members: str) -> Floor:
    floor = Floor() if requests is None else Floor(requests=requests.requests)
    for member in members:
        floor.join(member, may_talk=True, now=0.0)
    return floor


def test_of_two_who_talk_the_graver_call_stays_and_else_who_asked_first() -> None:
    one = floor_of(None, "a", "b")
    two = floor_of(one, "c", "d")
    one.request("a", 1.0)
    two.request("c", 1.1)
    two.request("d", 1.2)
    one.request("b", 1.3)
    assert one.unite(two, 1.4) == [
        Revoked("c", Cause.PATCHED), Taken("a", Call.NORMAL), Queued("d", 1), Queued("b", 2),
    ]  # fmt: skip
    three = floor_of(one, "e")
    three.request("e", 1.5, Call.PERIL)
    assert one.unite(three, 1.6)[:2] == [Revoked("a", Cause.PATCHED), Taken("e", Call.PERIL)]


def test_divided_who_talks_goes_on_and_the_others_begin() -> None:
    floor = floor_of(None, "a", "b", "c", "d")
    for member in "abcd":
        floor.request(member, 1.0)
    other, here, there = floor.divide(["a", "d"], 1.5)
    assert (other.talker, floor.talker) == ("a", "b")
    assert here == [Granted("b", 61.5), Taken("b", Call.NORMAL), Queued("c", 1)]
    assert there == [Queued("d", 1)]
    last, here, there = floor.divide(["b", "c"], 1.6)
    assert (floor.talker, here, there, last.talker) == (None, [Idle()], [Queued("c", 1)], "b")


NAMES = "abcdef"


class AnyPatching(RuleBasedStateMachine):
    """Two groups are united and divided while people ask, talk, release and vanish.

    Never two talkers in one net, never a floor held by nobody there, nobody waits while nobody
    talks, and who was told that he talks and never that he does not, does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.home = {name: at % 2 for at, name in enumerate(NAMES)}
        first = floor_of(None, *(n for n in NAMES if self.home[n] == 0))
        self.floors = [first, floor_of(first, *(n for n in NAMES if self.home[n] == 1))]
        self.talking: set[str] = set()

    def of(self, name: str) -> Floor:
        return self.floors[self.home[name] % len(self.floors)]

    def took(self, told: list[Told]) -> None:
        for each in told:
            if isinstance(each, Granted):
                self.talking.add(each.member)
            elif isinstance(each, Revoked | Denied | Queued):
                self.talking.discard(each.member)

    @rule(name=st.sampled_from(NAMES), call=st.sampled_from(Call))
    def ask(self, name: str, call: Call) -> None:
        self.took(self.of(name).request(name, self.now, call))

    @rule(name=st.sampled_from(NAMES))
    def release(self, name: str) -> None:
        self.talking.discard(name)
        self.took(self.of(name).release(name, self.now))

    @rule(name=st.sampled_from(NAMES))
    def vanish_and_come_back(self, name: str) -> None:
        self.talking.discard(name)
        floor = self.of(name)
        self.took(floor.leave(name, self.now))
        self.took(floor.join(name, True, self.now))

    @rule(step=st.sampled_from((0.1, 0.9, 2.0, 70.0)), heard=st.booleans())
    def time_passes(self, step: float, heard: bool) -> None:
        self.now += step
        for floor in self.floors:
            if heard and floor.talker is not None:
                floor.heard(floor.talker, self.now)
            self.took(floor.pass_time(self.now))

    @precondition(lambda self: len(self.floors) == 2)
    @rule()
    def unite(self) -> None:
        one, two = self.floors
        self.floors = [one]
        self.took(one.unite(two, self.now))

    @precondition(lambda self: len(self.floors) == 1)
    @rule()
    def divide(self) -> None:
        (one,) = self.floors
        self.took(one.pass_time(self.now))
        leaving = [name for name in NAMES if self.home[name] == 1]
        two, here, there = one.divide(leaving, self.now)
        self.floors = [one, two]
        self.took(here + there)

    @invariant()
    def holds_what_must_hold(self) -> None:
        assert self.talking == {f.talker for f in self.floors if f.talker is not None}
        seen = [member for floor in self.floors for member in floor.members]
        assert sorted(seen) == list(NAMES)
        for floor in self.floors:
            waiting = [wish.member for wish in floor.queue]
            assert {*waiting, *([floor.talker] if floor.talker else [])} <= set(floor.members)
            assert not (waiting and floor.talk is None)
            assert floor.queue == sorted(floor.queue, key=lambda wish: wish.rank)


TestAnyPatching = AnyPatching.TestCase
TestAnyPatching.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
