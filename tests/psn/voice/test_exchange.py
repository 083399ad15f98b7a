"""Voice groups on a running server: who hears whom, and nobody hears what he may not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from parties import JOINT, OPUS, Party, change
from stage import ANA, BEN, CAR, CUSTOMS_ONLY, GATEWAY, PATROL, Peer, Stage, until

from psn import wire
from psn.identity import locking
from psn.wire import SUBPROTOCOL_JSON, Speech, VoiceGroup
from psn.wire.voice import MARK


async def test_who_has_the_floor_is_heard_by_the_others_alone(stage: Stage) -> None:
    """DOM-VOI-2."""
    ana = await Party.enter(stage, "ana", JOINT)
    ben = await Party.enter(stage, "ben", JOINT, subprotocol=SUBPROTOCOL_JSON)
    car = await Party.enter(stage, CAR, JOINT)
    away = await Party.enter(stage, "ana")
    await ana.granted()
    taken = await ben.floor()
    assert (taken.talker, taken.talker_name, taken.agency) == (ANA, "Ana", 1)
    await ana.say(0, 1, 2)
    await until(lambda: len(ben.heard()) == len(car.heard()) == 3, "both hear all of it")
    assert ben.heard() == car.heard() == [(ANA, 0), (ANA, 1), (ANA, 2)]
    assert ben.peer.heard[0].opus == OPUS
    await ana.release()
    assert (await ben.floor()).talker is None
    for silent in (ana, away):
        await silent.peer.answers()
        assert silent.heard() == []
    for party in (ana, ben, car, away):
        await party.peer.leave()


async def test_two_windows_of_one_person_are_two_parties(stage: Stage) -> None:
    """DOM-VOI-1, DOM-VOI-2."""
    ana = await Party.enter(stage, "ana", JOINT)
    other = await Party.enter(stage, "ana", JOINT)
    await ana.granted()
    assert (await other.floor()).talker == ANA
    await other.say(0)
    await other.peer.refusal("no_floor")
    await other.ask()
    assert (await other.yours("queued")).position == 1
    await ana.peer.leave()
    await other.yours("granted")
    await other.peer.leave()


async def test_a_talker_who_vanishes_loses_the_floor_at_once(stage: Stage) -> None:
    """DOM-VOI-5."""
    ana, ben = [await Party.enter(stage, who, JOINT) for who in ("ana", "ben")]
    await ana.granted()
    await ben.ask()
    await ben.yours("queued")
    ana.peer.socket.transport.abort()
    await ben.yours("granted")
    await ben.say(0)
    await ben.peer.leave()


async def test_a_talker_of_whom_nothing_comes_loses_it_too(stage: Stage) -> None:
    """DOM-VOI-5."""
    ana, ben = [await Party.enter(stage, who, JOINT) for who in ("ana", "ben")]
    await ana.granted()
    await ana.say(0)
    revoked = await ana.yours("revoked")
    assert (revoked.code, bool(revoked.text), bool(revoked.todo)) == ("silent", True, True)
    assert (await ben.floor()).talker == ANA
    assert (await ben.floor()).talker is None
    # A frame that was under way is not heard, and he has been told why.
    await ana.say(1)
    await ana.peer.answers()
    assert ana.peer.of(wire.Error) == []
    assert ben.heard() == [(ANA, 0)]
    for party in (ana, ben):
        await party.peer.leave()


async def test_an_emergency_interrupts(stage: Stage) -> None:
    """DOM-VOI-4."""
    ana, car = await Party.enter(stage, "ana", JOINT), await Party.enter(stage, CAR, JOINT)
    await ana.granted()
    await car.granted(call="emergency")
    assert (await ana.yours("revoked")).code == "preempted"
    taken = await ana.floor()
    assert (taken.talker, taken.call) == ("unit:1", "emergency")
    await ana.say(7)
    await car.say(0)
    await until(lambda: ana.heard() == [("unit:1", 0)], "the emergency is heard")
    await car.peer.answers()
    assert car.heard() == []
    for party in (ana, car):
        await party.peer.leave()


async def test_a_late_joiner_hears_the_next_frame(stage: Stage) -> None:
    """DOM-VOI-7."""
    ana = await Party.enter(stage, "ana", JOINT)
    await ana.granted()
    await ana.say(0, 1)
    ben = await Party.enter(stage, "ben")
    assert (await ben.join()).talker == ANA
    await ana.say(2)
    await until(lambda: ben.heard() == [(ANA, 2)], "he hears what comes next")
    await ben.leave()
    await ana.say(3)
    await ana.peer.answers()
    await ben.peer.answers()
    assert ben.heard() == [(ANA, 2)]
    for party in (ana, ben):
        await party.peer.leave()


async def test_groups_of_others_and_of_nobody_are_not_joined(stage: Stage) -> None:
    ana = await Party.enter(stage, "ana")
    for group in (f"group:{CUSTOMS_ONLY}", "group:77", "incident:1", "call:1"):
        await ana.peer.send(wire.VoiceJoin(n=1, group=group))
        await ana.peer.refusal("not_your_group")
        await ana.ask(group)
        assert (await ana.yours("denied", group)).code == "not_joined"
    await ana.peer.leave()


async def test_a_gateway_that_is_no_unit_has_no_voice(stage: Stage) -> None:
    gateway = await Peer.enter(stage.url, GATEWAY)
    await gateway.send(wire.VoiceJoin(n=1, group=JOINT))
    await gateway.refusal("not_your_group")
    await gateway.leave()


async def test_rights_that_go_take_the_group_along(stage: Stage, database: str) -> None:
    """DOM-VOI-8."""
    ana, ben = [await Party.enter(stage, who, JOINT) for who in ("ana", "ben")]
    await ben.granted()
    await ben.say(0)
    await change(stage, database, "delete from group_member where agency_id = 2")
    gone = await ben.peer.expect(wire.VoiceGone)
    assert (gone.group, gone.code) == (JOINT, "not_your_group")
    assert (await ana.floor()).talker == BEN
    assert (await ana.floor()).talker is None
    await ben.say(1)
    await ben.peer.refusal("no_floor")
    await change(stage, database, "delete from group_member; delete from talkgroup where id = 1")
    await ana.peer.expect(wire.VoiceGone)
    for party in (ana, ben):
        await party.peer.leave()


async def test_who_may_only_listen_hears_and_is_told_so(stage: Stage, database: str) -> None:
    await change(
        stage, database, "insert into talkgroup (agency_id, name) values (1, 'Police only')"
    )
    ana = await Party.enter(stage, "ana", "group:3")  # a dispatcher monitors, and is no member
    await ana.ask("group:3")
    assert (await ana.yours("denied", "group:3")).code == "listen_only"
    ben = await Party.enter(stage, "ben")
    await ben.peer.send(wire.VoiceJoin(n=1, group="group:3"))
    await ben.peer.refusal("not_your_group")
    for party in (ana, ben):
        await party.peer.leave()


async def test_an_incident_has_a_group_as_long_as_it_is_open(stage: Stage, database: str) -> None:
    """DOM-VOI-8."""
    await _open_incident(stage, database)
    ana, car = [await Party.enter(stage, who, "incident:1") for who in ("ana", CAR)]
    ben = await Party.enter(stage, "ben")
    await ben.peer.send(wire.VoiceJoin(n=1, group="incident:1"))
    await ben.peer.refusal("not_your_group")
    await car.granted("incident:1")
    await car.say(0, group="incident:1")
    await until(lambda: ana.heard("incident:1") == [("unit:1", 0)], "the crew is heard")
    await change(stage, database, "update incident set closed_at = now()")
    await car.peer.expect(wire.VoiceGone)
    await ana.peer.expect(wire.VoiceGone)
    for party in (ana, ben, car):
        await party.peer.leave()


WRONG: dict[str, tuple[Any, str]] = {
    "of another": (lambda p: p.frame(0, talker=BEN), "not_you"),
    "of another group": (lambda p: p.frame(0, group="incident:1"), "no_floor"),
    "of 10 kB": (lambda p: p.frame(0) + bytes(10_000), "bad_field"),
    "of no length": (lambda p: bytes([MARK, 0]) + p.frame(0)[2:], "bad_field"),
    "of nothing": (lambda p: bytes([MARK]), "malformed"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("subprotocol", [wire.SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON])
async def test_bad_frames_are_refused_and_nobody_hears(
    stage: Stage, what: str, subprotocol: str
) -> None:
    ana = await Party.enter(stage, "ana", JOINT, subprotocol=subprotocol)
    ben = await Party.enter(stage, "ben", JOINT)
    await ana.granted()
    make, code = WRONG[what]
    await ana.peer.socket.send(make(ana))
    await ana.peer.refusal(code)
    await ana.say(0)
    await until(lambda: ben.heard() == [(ANA, 0)], "only what is right is heard")
    for party in (ana, ben):
        await party.peer.leave()


async def test_a_wrong_sequence_is_not_heard_and_told_once(stage: Stage) -> None:
    ana, ben = [await Party.enter(stage, who, JOINT) for who in ("ana", "ben")]
    await ana.granted()
    await ana.say(65_534, 65_534, 65_533, 300, 65_535, 2, 1)
    await ana.peer.refusal("bad_sequence")
    await ana.peer.answers()
    assert ana.peer.of(wire.Error) == []
    await until(lambda: len(ben.heard()) == 3, "the right ones are heard")
    assert [number for _, number in ben.heard()] == [65_534, 65_535, 2]
    for party in (ana, ben):
        await party.peer.leave()


async def test_who_asks_again_while_he_talks_begins_no_other_talk(stage: Stage) -> None:
    """DOM-VOI-2: his numbers go on."""
    ana, ben = [await Party.enter(stage, who, JOINT) for who in ("ana", "ben")]
    await ana.granted()
    await ana.say(0, 1, 2)
    await ana.granted(call="emergency")
    await ana.say(1, 3)
    await ana.peer.refusal("bad_sequence")
    await until(lambda: len(ben.heard()) == 4, "what is new is heard")
    assert ben.heard() == [(ANA, 0), (ANA, 1), (ANA, 2), (ANA, 3)]
    for party in (ana, ben):
        await party.peer.leave()


async def test_who_is_not_in_a_group_is_told_once_for_each_talk(stage: Stage) -> None:
    """DOM-VOI-2."""
    ana = await Party.enter(stage, "ana")
    for _ in range(2):
        await ana.say(0, 1, 2)
        await ana.peer.refusal("no_floor")
        await ana.peer.answers()
        assert ana.peer.of(wire.Error) == []
        await ana.ask()
        await ana.yours("denied")
    await ana.peer.leave()


async def test_who_talks_at_a_locked_session_is_told_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-VOI-2: until it is unlocked."""
    ana = await Party.enter(stage, "ana", JOINT)
    (session,) = (s for s in stage.core.sessions.all if s.principal.address == ANA)
    # Nobody was away for long enough: the clock is not to unlock it.
    monkeypatch.setattr(stage.core.signin.tickets, "locked", lambda *_: session.barred is not None)
    for _ in range(2):
        locking.lock(stage.core, session)
        await ana.say(0, 1, 2)
        await ana.peer.refusal("locked")
        await ana.peer.answers()
        assert ana.peer.of(wire.Error) == []
        locking.unlock(stage.core, session)
        await ana.granted()
        await ana.say(0)
        await ana.peer.answers()
    await ana.peer.leave()


async def test_frames_that_nobody_hears_do_not_keep_the_floor(stage: Stage) -> None:
    """DOM-VOI-5."""
    ana = await Party.enter(stage, "ana", JOINT)
    await ana.granted()
    await ana.say(0)

    async def again() -> None:
        while True:
            await ana.say(0)
            await asyncio.sleep(0.1)

    saying = asyncio.create_task(again())
    assert (await ana.yours("revoked")).code == "silent"
    saying.cancel()
    await asyncio.wait((saying,))
    await ana.peer.leave()


async def test_a_thousand_frames_a_second_are_not_taken(stage: Stage) -> None:
    ana, ben = [await Party.enter(stage, who, JOINT) for who in ("ana", "ben")]
    await ana.granted()
    await ana.say(*range(1_000))
    await ana.peer.refusal("too_fast")
    await ana.peer.answers()  # what is no speech is still taken
    await until(lambda: len(ben.heard()) >= 100, "what may come at once is heard")
    assert len(ben.heard()) < 500
    for party in (ana, ben):
        await party.peer.leave()


async def test_who_waits_stands_by_role(stage: Stage, database: str) -> None:
    """DOM-VOI-3."""
    await change(stage, database, "update person set roles = '{commander}' where name = 'ben'")
    car, patrol, ben = [await Party.enter(stage, who, JOINT) for who in (CAR, PATROL, "ben")]
    await car.granted()
    await patrol.ask()
    assert (await patrol.yours("queued")).position == 1
    await ben.ask()
    assert (await ben.yours("queued")).position == 1
    assert (await patrol.yours("queued")).position == 2
    await car.release()
    await ben.yours("granted")
    for party in (car, patrol, ben):
        await party.peer.leave()


async def test_an_incident_s_end_gives_the_floor_to_nobody(stage: Stage, database: str) -> None:
    """DOM-VOI-8."""
    await _open_incident(stage, database)
    ana, car, patrol = [await Party.enter(stage, w, "incident:1") for w in ("ana", CAR, PATROL)]
    await car.granted("incident:1")
    await patrol.ask("incident:1")
    await patrol.yours("queued", "incident:1")
    await ana.floor("incident:1")
    await change(stage, database, "update incident set closed_at = now()")
    for party in (ana, car, patrol):
        await party.peer.expect(wire.VoiceGone)
        await party.peer.answers()
        assert [each for each in party.peer.of(wire.FloorYours) if each.state == "granted"] == []
        await party.peer.leave()
    assert not stage.core.voice.groups


async def test_who_takes_part_until_a_time_hears_until_then(stage: Stage, database: str) -> None:
    """DOM-VOI-8."""
    await _open_incident(stage, database)
    await change(
        stage,
        database,
        "insert into incident_member (incident_id, agency_id, reason, author, ends_at)"
        " values (1, 2, 'asked', 'person:1', now() + interval '3 s')",
    )
    ben = await Party.enter(stage, "ben", "incident:1")
    assert (await ben.peer.expect(wire.VoiceGone)).group == "incident:1"
    await ben.peer.leave()


async def test_who_listens_in_and_who_interrupts_is_in_the_audit(
    stage: Stage, database: str
) -> None:
    await change(
        stage, database, "insert into talkgroup (agency_id, name) values (1, 'Police only')"
    )
    ana, car = (
        await Party.enter(stage, "ana", "group:3", JOINT),
        await Party.enter(stage, CAR, JOINT),
    )
    await ana.granted()
    await car.granted(call="peril")

    async def noted() -> list[tuple[str, str, str]]:
        rows = await stage.core.pool.fetch(
            "select body::json->>'action', body::json->>'actor', body::json->>'object' from audit"
            " where body like '%\"voice.%' order by seq"
        )
        return [tuple(row) for row in rows]

    for _ in range(100):
        if len(await noted()) == 2:
            break
        await asyncio.sleep(0.05)
    assert await noted() == [
        ("voice.monitored", ANA, "group:3"),
        ("voice.interrupted", "unit:1", ANA),
    ]
    for party in (ana, car):
        await party.peer.leave()


async def test_who_becomes_a_mere_listener_is_in_the_audit_as_one(
    stage: Stage, database: str
) -> None:
    """Whose the group is reads of it (DOM-AUD-7)."""
    await change(
        stage, database, "insert into talkgroup (agency_id, name) values (1, 'Police only')"
    )
    await change(stage, database, "insert into group_member (group_id, person_id) values (3, 1)")
    ana = await Party.enter(stage, "ana", "group:3")
    await ana.granted("group:3")
    await ana.release("group:3")
    await change(stage, database, "delete from group_member where group_id = 3")
    await ana.ask("group:3")
    assert (await ana.yours("denied", "group:3")).code == "listen_only"
    noted: list[tuple[str, str, str]] = []
    for _ in range(100):
        rows = await stage.core.pool.fetch(
            "select body::json->>'actor', body::json->>'object', body::json->>'owner' from audit"
            " where action = 'voice.monitored'"
        )
        noted = [tuple(row) for row in rows]
        if noted:
            break
        await asyncio.sleep(0.05)
    assert noted == [(ANA, "group:3", "1")]
    await ana.peer.leave()


async def test_before_signing_in_nobody_speaks(stage: Stage) -> None:
    peer = await Peer.join(stage.url)
    await peer.socket.send(Speech(VoiceGroup.of(JOINT), ANA, 0, 20, False, OPUS).encode())
    await peer.refusal("not_signed_in")
    await peer.leave()


async def test_a_socket_that_is_behind_misses_speech_and_keeps_nobody(stage: Stage) -> None:
    """DOM-VOI-6."""
    ana, ben, car = [await Party.enter(stage, who, JOINT) for who in ("ana", "ben", CAR)]
    [slow] = [s for s in stage.core.sessions.all if s.principal.address == BEN]
    ben.peer.socket.transport.pause_reading()  # type: ignore[attr-defined]
    while slow.outbox.waiting <= 100_000:
        slow.send(wire.Ok(n=1))
        slow.outbox.send(bytes(60_000))
        await asyncio.sleep(0)
    await ana.granted()
    await ana.say(0, 1)
    await until(lambda: len(car.heard()) == 2, "the others hear")
    assert stage.core.voice.relay.late == 2
    for party in (ana, car):
        await party.peer.leave()
    ben.peer.socket.transport.abort()


async def test_nothing_is_left_of_a_group_that_all_have_left(stage: Stage) -> None:
    ana = await Party.enter(stage, "ana", JOINT)
    await ana.granted()
    await ana.peer.leave()
    await until(lambda: not stage.core.voice.groups, "it is forgotten")


async def _open_incident(stage: Stage, database: str) -> None:
    await change(
        stage,
        database,
        "insert into incident (agency_id, title, opened_by) values (1, 'Fire', 'person:1');"
        "insert into incident_member (incident_id, agency_id, reason, author)"
        " values (1, 1, 'opened it', 'person:1')",
    )


async def test_an_emergency_call_is_told_to_people_who_are_not_in_the_group(stage: Stage) -> None:
    """DOM-VOI-13: to those who may hear it, and of other calls nothing."""
    car = await Party.enter(stage, CAR, JOINT)
    ana, cyd, patrol = [await Party.enter(stage, who) for who in ("ana", "cyd", PATROL)]
    await car.granted(call="peril")
    await car.say(0)
    await car.release()
    await car.granted(call="emergency")
    told = await ana.floor()
    assert (told.group, told.talker, told.call) == (JOINT, f"unit:{CAR}", "emergency")
    await car.say(0)
    for other in (ana, cyd, patrol):
        await other.peer.answers()
        assert other.heard() == []
        assert other.peer.of(wire.Floor) == []
    for party in (car, ana, cyd, patrol):
        await party.peer.leave()


async def test_who_comes_during_an_emergency_call_is_told_of_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-VOI-13: who signs in, and who comes back to a console that was locked."""
    car = await Party.enter(stage, CAR, JOINT)
    await car.granted(call="emergency")
    ana, cyd = [await Party.enter(stage, who) for who in ("ana", "cyd")]
    assert (await ana.floor()).call == "emergency"
    (session,) = (s for s in stage.core.sessions.all if s.principal.address == ANA)
    monkeypatch.setattr(stage.core.signin.tickets, "locked", lambda *_: session.barred is not None)
    locking.lock(stage.core, session)
    await car.say(0)
    locking.unlock(stage.core, session)
    assert (await ana.floor()).talker == f"unit:{CAR}"
    await car.release()
    late = await Party.enter(stage, "ana")
    for other in (ana, cyd, late):
        await other.peer.answers()
        assert other.peer.of(wire.Floor) == []
    for party in (car, ana, cyd, late):
        await party.peer.leave()
