"""Private calls between people, crews and radios, on a running server (DOM-RAD-28 to -31)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airwaves import BOAT_RADIO, NOBODYS, POLICE_RADIO, change, gateway, on_air
from parties import OPUS, Party
from stage import ANA, CAR, Stage, until

from psn import wire
from psn.client import Client, ClientRefused


class Phone:
    """What a gateway is told of calls."""

    def __init__(self, client: Client) -> None:
        self.rang: list[wire.Called] = []
        self.over: list[tuple[str, wire.Radio | None]] = []
        self.heard: list[wire.Speech] = []
        self.client = client
        client.radio.rings = self.rang.append
        client.radio.call_over = lambda gone: self.over.append((gone.code, gone.radio))

    async def ring(self) -> wire.Called:
        await until(lambda: bool(self.rang), "it rings")
        return self.rang.pop(0)

    async def take(self, called: wire.Called) -> None:
        await self.client.voice.join(called.group, self.heard.append, radio=called.radio)


async def call(party: Party, *to: str, **more: Any) -> wire.Called:
    await party.peer.send(wire.VoiceCall(n=party.peer.number(), to=list(to), **more))
    called = await party.peer.expect(wire.Called)
    assert called.n is not None
    return called


async def over(party: Party) -> str:
    return (await party.peer.expect(wire.VoiceGone)).code


async def test_a_unit_without_a_tablet_is_called_by_its_radio(stage: Stage) -> None:
    """DOM-RAD-28."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana")
    async with gateway(stage) as client:
        phone = Phone(client)
        begun = await call(ana, "unit:1")
        called = await phone.ring()
        assert (called.radio, called.by, called.to) == (POLICE_RADIO, ANA, ["unit:1"])
        await phone.take(called)
        keyed = await client.radio.key(begun.group, POLICE_RADIO)
        taken = await ana.peer.expect(wire.Floor, lambda floor: floor.talker is not None)
        assert (taken.group, taken.talker) == (begun.group, "unit:1")
        await until(lambda: keyed.state == "granted", "it has the floor")
        await keyed.say(OPUS)
        await until(lambda: ana.heard(begun.group) == [("unit:1", 0)], "she hears it")
        await ana.ask(begun.group)
        assert (await ana.yours("queued", begun.group)).code == "radio_talks"
        await keyed.unkey()
        await ana.yours("granted", begun.group)
        await ana.say(0, group=begun.group)
        await until(lambda: [one.talker for one in phone.heard] == [ANA], "its user hears her")
        await client.radio.reach({begun.group: "busy"})
        assert (await ana.peer.expect(wire.Reach)).reach == "busy"
        await client.radio.leave_call(begun.group, POLICE_RADIO)
        assert await over(ana) == "call_over"
        assert not stage.core.voice.groups

        def kept() -> bool:
            return stage.core.recorder.kept == 2 and not stage.core.recorder.waiting

        await until(kept, "both talks are recorded")
        parties = await stage.core.pool.fetch("select parties from recording")
        assert [set(row["parties"]) for row in parties] == [{ANA, "unit:1"}] * 2
        await stage.core.auditor.settle()
        written = "select body from audit where action = 'radio.called'"
        (entry,) = [json.loads(row[0]) for row in await stage.core.pool.fetch(written)]
        assert (entry["actor"], entry["object"], entry["owner"]) == ("device:6", "unit:1", 1)
        assert entry["details"] == {"group": begun.group}
    await ana.peer.leave()


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("silent", "radio_silent"),
        ("away", "radio_away"),
        ("unable", "radio_unable"),
        ("voiceless", "voiceless"),
        ("declined", "declined"),
    ],
)
async def test_why_a_radio_does_not_take_a_call(
    stage: Stage, why: wire.RadioWhy, code: str
) -> None:
    """DOM-RAD-28: at once, or after it was thought to have taken it."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana")
    async with gateway(stage) as client:
        phone = Phone(client)
        for takes in (False, True):
            await call(ana, "unit:1")
            called = await phone.ring()
            if takes:
                await phone.take(called)
            await client.radio.leave_call(called.group, POLICE_RADIO, why)
            assert await over(ana) == code
        assert not stage.core.voice.groups
    await ana.peer.leave()


async def test_a_radio_rings_beside_a_tablet_only_when_that_is_wanted(stage: Stage) -> None:
    """DOM-RAD-28."""
    await on_air(stage)
    ana, car = await Party.enter(stage, "ana"), await Party.enter(stage, CAR)
    async with gateway(stage) as client:
        phone = Phone(client)
        begun = await call(ana, "unit:1")
        await car.peer.expect(wire.Called)
        await ana.leave(begun.group)
        assert await over(car) == "call_over"
        await client.radio.presence()
        assert phone.rang == []
        begun = await call(ana, "unit:1", by_radio=True)
        await car.peer.expect(wire.Called)
        called = await phone.ring()
        await client.radio.leave_call(called.group, POLICE_RADIO, "silent")
        await car.join(begun.group)  # it rang on there
        await ana.leave(begun.group)
        begun = await call(ana, "unit:1", by_radio=True)
        called = await phone.ring()
        await car.peer.expect(wire.Called)
        await phone.take(called)
        await car.peer.expect(wire.VoiceGone, lambda gone: gone.code == "answered_elsewhere")
        await ana.leave(begun.group)
        await until(lambda: phone.over[-1:] == [("call_over", None)], "it is over")
        assert not stage.core.voice.groups
    for party in (ana, car):
        await party.peer.leave()


async def test_who_vanishes_leaves_no_floor_taken(stage: Stage) -> None:
    """DOM-RAD-31."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana")
    async with gateway(stage) as client:
        phone = Phone(client)
        await call(ana, "unit:1")
        called = await phone.ring()
        await phone.take(called)
        keyed = await client.radio.key(called.group, POLICE_RADIO)
        await until(lambda: keyed.state == "granted", "it has the floor")
    assert await over(ana) == "call_over"
    async with gateway(stage) as client:
        await call(ana, "unit:1")
    assert await over(ana) == "radio_away"  # nothing rings any more
    async with gateway(stage) as client:
        phone = Phone(client)
        await call(ana, "unit:1")
        await phone.take(await phone.ring())
        await change(stage, "delete from radio where number = 4711")
        assert await over(ana) == "call_over"
    assert not stage.core.voice.groups
    await ana.peer.leave()


async def test_a_radio_calls_a_unit_and_a_desk(stage: Stage) -> None:
    """DOM-RAD-29, DOM-RAD-30."""
    await on_air(stage)
    async with gateway(stage) as client:
        phone = Phone(client)
        with pytest.raises(ClientRefused) as refused:
            await client.radio.call(NOBODYS, ["unit:1"])
        assert refused.value.code == "unknown_radio"
        with pytest.raises(ClientRefused) as refused:
            await client.radio.call(POLICE_RADIO, ["agency:1"])
        assert refused.value.code == "not_there"
        with pytest.raises(ClientRefused) as refused:
            await client.radio.call(POLICE_RADIO, ["agency:1", ANA])
        assert refused.value.code == "not_reachable"
        ana, window = await Party.enter(stage, "ana"), await Party.enter(stage, "ana")
        called = await client.radio.call(POLICE_RADIO, ["agency:1"])
        rang = await ana.peer.expect(wire.Called)
        assert (rang.group, rang.by, rang.to) == (called.group, "unit:1", [ANA])
        await window.peer.expect(wire.Called)
        await ana.join(called.group)
        assert await over(window) == "answered_elsewhere"
        # Who is no gateway is there for no radio.
        for frame in (
            wire.VoiceJoin(n=91, group=called.group, radio=POLICE_RADIO),
            wire.VoiceCall(n=92, to=["unit:1"], radio=POLICE_RADIO),
        ):
            await window.peer.send(frame)
            refused_frame = await window.peer.expect(wire.Error)
            assert refused_frame.code in ("not_your_group", "unknown_radio")
        leave = wire.VoiceLeave(n=93, group=called.group, radio=POLICE_RADIO)
        await window.peer.send(leave)
        await window.peer.expect(wire.Ok, lambda ok: ok.n == 93)
        keyed = await client.radio.key(called.group, POLICE_RADIO)
        await until(lambda: keyed.state == "granted", "it has the floor")
        await keyed.say(OPUS)
        await until(lambda: ana.heard(called.group) == [("unit:1", 0)], "she hears it")
        await ana.leave(called.group)
        await until(lambda: phone.over == [("call_over", None)], "it is over")
        # Another's radio, and another network's, calls for nobody.
        with pytest.raises(ClientRefused):
            await client.radio.call(wire.Radio(9, 4711), [ANA])
        assert BOAT_RADIO in client.radio.plan.radios
        assert not stage.core.voice.groups
        for party in (ana, window):
            await party.peer.leave()
