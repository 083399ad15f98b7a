"""Calls between some on a running server (docs/domain.md, DOM-VOI-9)."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from parties import Party
from stage import ANA, BEN, CAR, PATROL, Stage, until

from psn import wire
from psn.identity import locking


async def _call(party: Party, *to: str, **more: Any) -> wire.Called:
    await party.peer.send(wire.VoiceCall(n=party.peer.number(), to=list(to), **more))
    called = await party.peer.expect(wire.Called)
    assert called.n is not None
    return called


async def test_a_call_between_two(stage: Stage) -> None:
    """DOM-VOI-9."""
    ana, window = await Party.enter(stage, "ana"), await Party.enter(stage, CAR)
    car, cyd = await Party.enter(stage, CAR), await Party.enter(stage, "cyd")
    begun = await _call(ana, "unit:1", call="peril")
    ringing = await car.peer.expect(wire.Called)
    assert (ringing.group, ringing.by, ringing.by_name, ringing.n) == (
        begun.group,
        ANA,
        "Ana",
        None,
    )
    assert (ringing.agency, ringing.to, ringing.call) == (1, ["unit:1"], "peril")
    await cyd.peer.send(wire.VoiceJoin(n=1, group=begun.group))
    await cyd.peer.refusal("not_your_group")
    await window.peer.expect(wire.Called)
    await car.join(begun.group)
    assert (await window.peer.expect(wire.VoiceGone)).code == "answered_elsewhere"
    await car.granted(begun.group)
    await car.say(0, group=begun.group)
    await until(lambda: ana.heard(begun.group) == [("unit:1", 0)], "she hears the crew")
    await ana.leave(begun.group)
    assert (await car.peer.expect(wire.VoiceGone)).code == "call_over"
    await ana.peer.send(wire.VoiceJoin(n=1, group=begun.group))
    await ana.peer.refusal("not_your_group")
    assert not stage.core.voice.groups
    for party in (ana, window, car, cyd):
        await party.peer.leave()


async def test_a_call_that_nobody_takes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOM-VOI-9."""
    ana, car = await Party.enter(stage, "ana"), await Party.enter(stage, CAR)
    declined = await _call(ana, "unit:1")
    await car.leave(declined.group)
    assert (await ana.peer.expect(wire.VoiceGone)).code == "declined"
    given_up = await _call(ana, "unit:1")
    await ana.leave(given_up.group)
    for code in ("declined", "call_over"):
        assert (await car.peer.expect(wire.VoiceGone)).code == code
    monkeypatch.setattr("psn.voice.calls.RINGING_S", 0.1)
    await _call(ana, "unit:1")
    assert (await ana.peer.expect(wire.VoiceGone)).code == "not_answered"
    assert (await car.peer.expect(wire.VoiceGone)).code == "not_answered"
    assert not stage.core.voice.groups
    for party in (ana, car):
        await party.peer.leave()


async def test_a_call_rings_where_somebody_comes_to(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-VOI-9: who signs in or unlocks meanwhile hears of it, but not of one he has answered."""
    car, ana = await Party.enter(stage, CAR), await Party.enter(stage, "ana")
    begun = await _call(car, ANA, BEN, call="peril")
    await ana.peer.expect(wire.Called)
    (session,) = (s for s in stage.core.sessions.all if s.principal.address == ANA)
    monkeypatch.setattr(stage.core.signin.tickets, "locked", lambda *_: session.barred is not None)
    locking.lock(stage.core, session)
    locking.unlock(stage.core, session)
    window, ben = await Party.enter(stage, "ana"), await Party.enter(stage, "ben")
    for party, known in ((ana, [ANA, BEN]), (window, [ANA, BEN]), (ben, [ANA, BEN])):
        told = await party.peer.expect(wire.Called)
        assert (told.group, told.by, told.call, told.n) == (begun.group, "unit:1", "peril", None)
        assert told.to == known
    await ana.join(begun.group)
    await ben.leave(begun.group)
    for who in ("ana", "ben"):
        late = await Party.enter(stage, who)
        await late.peer.answers()
        assert late.peer.of(wire.Called) == []
        await late.peer.leave()
    for party in (car, ana, window, ben):
        await party.peer.leave()


async def test_who_called_several_ends_it_for_all(stage: Stage) -> None:
    """DOM-VOI-9."""
    ana = await Party.enter(stage, "ana")
    car, patrol, ben = [await Party.enter(stage, who) for who in (CAR, PATROL, "ben")]
    begun = await _call(ana, "unit:1", "unit:2", BEN)
    for party in (car, patrol):
        await party.join(begun.group)
    await car.granted(begun.group)
    await car.say(0, group=begun.group)
    await until(lambda: patrol.heard(begun.group) == [("unit:1", 0)], "the others hear it too")
    await car.peer.send(wire.VoiceClose(n=9, group=begun.group))
    await car.peer.refusal("not_your_call")
    await ana.leave(begun.group)  # two are left
    await ana.peer.send(wire.VoiceClose(n=9, group=begun.group))
    for party in (car, patrol, ben):  # also where it still rings
        assert (await party.peer.expect(wire.VoiceGone)).code == "call_closed"
    assert not stage.core.voice.groups
    await ana.peer.send(wire.VoiceClose(n=10, group=begun.group))
    await ana.peer.expect(wire.Ok, lambda ok: ok.n == 10)
    for party in (ana, car, patrol, ben):
        await party.peer.leave()


async def test_a_call_is_between_those_whom_its_caller_may_still_call(
    stage: Stage, database: str
) -> None:
    """DOM-VOI-8, DOM-VOI-9: also when it is his roles that have changed."""
    ana, car = await Party.enter(stage, "ana"), await Party.enter(stage, CAR)
    begun = await _call(ana, "unit:1")
    await car.join(begun.group)
    connection = await asyncpg.connect(database)
    await connection.execute("update person set roles = '{}' where name = 'ana'")
    await connection.close()
    await stage.core.refresh_directory()
    assert (await car.peer.expect(wire.VoiceGone)).code == "not_your_group"
    assert (await ana.peer.expect(wire.VoiceGone)).code == "call_over"
    assert not stage.core.voice.groups
    for party in (ana, car):
        await party.peer.leave()


async def test_one_call_rings_at_a_time(stage: Stage) -> None:
    ana, car = await Party.enter(stage, "ana"), await Party.enter(stage, CAR)
    begun = await _call(ana, "unit:1")
    await ana.peer.send(wire.VoiceCall(n=9, to=["unit:1"]))
    await ana.peer.refusal("calling_already")
    await ana.leave(begun.group)
    await _call(ana, "unit:1")
    for party in (ana, car):
        await party.peer.leave()


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("person:3", "not_reachable"),
        ("unit:99", "not_reachable"),
        ("group:1", "not_reachable"),
        ("agency:1", "not_reachable"),
        (ANA, "not_there"),
        ("unit:2", "not_there"),
    ],
)
async def test_whom_one_cannot_call(stage: Stage, to: str, code: str) -> None:
    ana = await Party.enter(stage, "ana")
    await ana.peer.send(wire.VoiceCall(n=1, to=[to]))
    await ana.peer.refusal(code)
    assert not stage.core.voice.groups
    await ana.peer.leave()


async def test_who_declined_a_call_hears_no_more_of_it(stage: Stage) -> None:
    """DOM-VOI-13: nor does he who has not answered yet; an emergency there calls nobody in."""
    ana, car, patrol = [await Party.enter(stage, who) for who in ("ana", CAR, PATROL)]
    begun = await _call(patrol, "unit:1", ANA)
    await car.join(begun.group)
    await ana.leave(begun.group)
    await car.granted(begun.group, call="emergency")
    await car.say(0, group=begun.group)
    assert (await patrol.floor(begun.group)).call == "emergency"
    await ana.peer.answers()
    assert ana.peer.of(wire.Floor) == []
    for party in (car, ana, patrol):
        await party.peer.leave()
