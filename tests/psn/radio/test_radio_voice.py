"""Speech between radios and this network, on a running server (docs/radio.md)."""

from __future__ import annotations

from typing import Any

import pytest
from airwaves import BOAT_RADIO, GROUP, NOBODYS, POLICE_RADIO, change, gateway, on_air
from parties import OPUS, Party
from stage import CAR, CUSTOMS, GATEWAY, Stage, until

from psn import wire
from psn.client import Client, ClientRefused, Keyed
from psn.voice import keying
from psn.wire import Speech, VoiceGroup


class Hearing:
    """What a gateway is told and hears in a group."""

    def __init__(self) -> None:
        self.speech: list[Speech] = []
        self.floors: list[wire.Floor] = []
        self.states: list[tuple[wire.Radio, str | None]] = []

    async def of(self, client: Client, group: str = GROUP) -> None:
        await client.voice.join(group, self.speech.append, self.floors.append)

    def told(self, keyed: Keyed) -> None:
        self.states.append((keyed.radio, keyed.state))


async def keyed(client: Client, radio: wire.Radio, **more: Any) -> Keyed:
    """A radio that has keyed and has the floor."""
    made = await client.radio.key(GROUP, radio, **more)
    await until(lambda: made.state == "granted", f"{radio} has the floor")
    return made


async def test_a_radio_is_heard_as_its_unit(stage: Stage) -> None:
    """DOM-RAD-15, DOM-RAD-16."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana", GROUP)
    hearing = Hearing()
    async with gateway(stage) as client:
        await hearing.of(client)
        radio = await keyed(client, POLICE_RADIO)
        taken = await ana.floor()
        assert (taken.talker, taken.talker_name, taken.agency) == ("unit:1", "P-1", 1)
        for _ in range(3):
            assert await radio.say(OPUS)
        await until(lambda: len(ana.heard()) == 3, "she hears it")
        assert ana.heard() == [("unit:1", 0), ("unit:1", 1), ("unit:1", 2)]
        await radio.unkey()
        assert (await ana.floor()).talker is None
        assert hearing.speech == [], "a gateway does not hear its own radios"
        assert [each.talker for each in hearing.floors] == [None, "unit:1", None]
        radio = await keyed(client, BOAT_RADIO, call="emergency")
        assert (await ana.floor()).call == "emergency"
        await radio.say(OPUS)
        await until(lambda: ana.heard()[-1] == ("unit:3", 0), "a talk of its own")
    await ana.peer.leave()


async def test_a_radio_of_nobody_s_is_heard_by_its_number(stage: Stage) -> None:
    """DOM-RAD-16."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana", GROUP)
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        radio = await keyed(client, NOBODYS)
        taken = await ana.floor()
        assert (taken.talker, taken.talker_name) == (f"device:{GATEWAY}", "National 4799")
        await radio.say(OPUS)
        await until(lambda: ana.heard() == [(f"device:{GATEWAY}", 0)], "it is heard")
        await radio.unkey()

        def kept() -> bool:
            return stage.core.recorder.kept == 1 and not stage.core.recorder.waiting

        await until(kept, "and recorded")
    row = await stage.core.pool.fetchrow("select talker_name, agency_id from recording")
    assert tuple(row) == ("National 4799", 1)
    await ana.peer.leave()


async def test_a_tablet_is_heard_by_radios_and_waits_while_one_is_keyed(stage: Stage) -> None:
    """DOM-RAD-18."""
    await on_air(stage)
    car = await Party.enter(stage, CAR, GROUP)
    hearing = Hearing()
    async with gateway(stage) as client:
        await hearing.of(client)
        await car.granted()
        await until(lambda: hearing.floors[-1].talker == "unit:1", "it is told who talks")
        assert hearing.floors[-1].talker_name == "P-1"
        await car.say(0, 1)
        await until(lambda: len(hearing.speech) == 2, "and hears it")
        assert hearing.speech[0].opus == OPUS
        radio = await client.radio.key(GROUP, BOAT_RADIO, told=hearing.told)
        await until(lambda: radio.state == "queued", "a keyed radio waits")
        assert not await radio.say(OPUS) and radio.unheard == 1
        await car.release()
        await until(lambda: radio.state == "granted", "and is heard from there on")
        await car.ask()
        queued = await car.yours("queued")
        assert (queued.position, queued.code) == (1, "radio_talks")
        assert await radio.say(OPUS)
        await radio.unkey()
        await car.yours("granted")
    await car.peer.leave()


async def test_a_keyed_radio_talks_on_where_another_would_be_stopped(stage: Stage) -> None:
    """DOM-RAD-18."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana", GROUP)
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        radio = await keyed(client, POLICE_RADIO)
        await ana.ask(call="emergency")
        await ana.yours("granted")
        await until(lambda: radio.state == "queued", "it waits, and is not revoked")
        assert radio.over is None and not await radio.say(OPUS)
        await ana.release()
        await until(lambda: radio.state == "granted", "and is heard again")
        await radio.say(OPUS)
        await until(lambda: ana.heard() == [("unit:1", 0)], "from there on")
        # Of whom nothing comes any more he does not keep the floor (DOM-RAD-7).
        await until(lambda: radio.over is not None, "it vanished")
        assert isinstance(radio.over, ClientRefused) and radio.over.code == "silent"
        again = await keyed(client, POLICE_RADIO)
        await again.unkey()
    await ana.peer.leave()


async def test_several_radios_talk_at_once_in_several_groups_and_wait_in_one(stage: Stage) -> None:
    await on_air(stage)
    await change(
        stage,
        "insert into talkgroup (agency_id, name) values (1, 'Patrols');"
        "insert into group_member (group_id, agency_id) values (3, 1);"
        "insert into radio_talkgroup (network_id, number, group_id) values (1, 10, 3)",
    )
    ana = await Party.enter(stage, "ana", GROUP, "group:3")
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        await client.voice.join("group:3")
        one = await keyed(client, POLICE_RADIO)
        two = await client.radio.key("group:3", BOAT_RADIO)
        third = await client.radio.key(GROUP, NOBODYS)
        await until(lambda: (two.state, third.state) == ("granted", "queued"), "as they asked")
        for _ in range(4):
            await one.say(OPUS)
            await two.say(OPUS)
        await until(lambda: len(ana.heard()) == len(ana.heard("group:3")) == 4, "both are heard")
        assert {who for who, _ in ana.heard()} == {"unit:1"}
        assert {who for who, _ in ana.heard("group:3")} == {"unit:3"}
        await one.unkey()
        await until(lambda: third.state == "granted", "the next")
    await ana.peer.leave()


async def test_a_gateway_talks_for_its_own_radios_in_joined_groups_alone(stage: Stage) -> None:
    """DOM-RAD-15."""
    await on_air(stage)
    async with gateway(stage) as client:
        early = await client.radio.key(GROUP, POLICE_RADIO)
        await until(lambda: early.over is not None, "it has not joined")
        assert isinstance(early.over, ClientRefused) and early.over.code == "not_joined"
        with pytest.raises(ClientRefused, match="may hear"):
            await client.voice.join(f"group:{CUSTOMS}")
        await client.voice.join(GROUP)
        strange = await client.radio.key(GROUP, wire.Radio(2, 4711))
        await until(lambda: strange.over is not None, "another network's")
        assert isinstance(strange.over, ClientRefused) and strange.over.code == "not_your_radio"
        with pytest.raises(ClientRefused, match="only listen"):
            async with client.voice.talk(GROUP):
                pass
        # In nobody's name that it was not given.
        told: list[wire.ServerFrame] = []
        client._frames = told.append
        radio = await keyed(client, POLICE_RADIO)
        radio.talker = "unit:2"
        await radio.say(OPUS)
        await until(lambda: any(isinstance(f, wire.Error) for f in told), "it is refused")


async def test_no_more_than_so_many_radios_are_keyed_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keying, "MOST_KEYED", 2)
    await on_air(stage)
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        made = [await client.radio.key(GROUP, wire.Radio(1, number)) for number in (1, 2, 3)]
        await until(lambda: made[2].over is not None, "the third is denied")
        assert isinstance(made[2].over, ClientRefused) and made[2].over.code == "queue_full"
        await made[0].unkey()
        again = await client.radio.key(GROUP, wire.Radio(1, 3))
        await until(lambda: again.state == "queued", "there is a place again")


async def test_a_revoked_gateway_s_talks_end_within_a_second(stage: Stage) -> None:
    """DOM-RAD-15."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana", GROUP)
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        radio = await keyed(client, POLICE_RADIO)
        assert (await ana.floor()).talker == "unit:1"
        await ana.ask()
        await ana.yours("queued")
        await change(stage, "update device set revoked_at = now() where id = 6")
        await ana.yours("granted")
        # Not by its silence: with its session.
        assert not stage.core.voice.groups[VoiceGroup.of(GROUP)].keyed
        await until(lambda: radio.over is not None, "it knows")
    await ana.peer.leave()


async def test_what_a_radio_is_no_more_it_does_not_say_any_longer(stage: Stage) -> None:
    """DOM-RAD-15: it was given to another unit, or its talkgroup to no group."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana", GROUP)
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        radio = await keyed(client, POLICE_RADIO)
        assert (await ana.floor()).talker == "unit:1"
        await change(stage, "update radio set unit_id = 2 where number = 4711")
        await until(lambda: radio.over is not None, "it is told")
        assert isinstance(radio.over, ClientRefused) and radio.over.code == "not_your_radio"
        assert (await ana.floor()).talker is None
        radio = await keyed(client, POLICE_RADIO)
        assert (await ana.floor()).talker == "unit:2"
        gone: list[str] = []
        client.voice.unheard = gone.append
        await change(stage, "delete from radio_talkgroup")
        await until(lambda: gone == [GROUP], "it hears the group no more")
        assert radio.over is not None and (await ana.floor()).talker is None
        with pytest.raises(ClientRefused, match="may hear"):
            await client.voice.join(GROUP)
    await ana.peer.leave()


async def test_a_radio_in_patched_groups_is_heard_in_both(stage: Stage) -> None:
    await on_air(stage)
    await change(
        stage,
        "insert into talkgroup (agency_id, name) values (1, 'Patrols');"
        "insert into group_member (group_id, agency_id) values (3, 1);",
    )
    ana = await Party.enter(stage, "ana", GROUP, "group:3")
    car = await Party.enter(stage, CAR, "group:3")
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        await ana.peer.send(wire.VoicePatch(n=70, groups=[GROUP, "group:3"]))
        await ana.peer.expect(wire.Ok, lambda ok: ok.n == 70)
        radio = await keyed(client, BOAT_RADIO)
        await radio.say(OPUS)
        await until(lambda: car.heard("group:3") == [("unit:3", 0)], "through the patch")
        await ana.peer.send(wire.VoiceUnpatch(n=71, group=GROUP))
        await ana.peer.expect(wire.Ok, lambda ok: ok.n == 71)
        await radio.say(OPUS)
        await until(lambda: len(ana.heard()) == 2, "and on in its own group")
        assert len(car.heard("group:3")) == 1
    for party in (ana, car):
        await party.peer.leave()


async def test_who_interrupts_a_radio_is_in_the_audit(stage: Stage) -> None:
    await on_air(stage)
    ana = await Party.enter(stage, "ana", GROUP)
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        radio = await keyed(client, POLICE_RADIO)
        await ana.granted(call="emergency")
        await until(lambda: radio.state == "queued", "it waits")
        await radio.unkey()
    await ana.peer.leave()
    await stage.core.auditor.settle()
    found = "select actor, object from audit where action = 'voice.interrupted'"
    assert [tuple(row) for row in await stage.core.pool.fetch(found)] == [("person:1", "unit:1")]


async def test_a_group_is_told_whether_radios_hear_it(stage: Stage) -> None:
    """DOM-RAD-27."""
    await on_air(stage)
    ana = await Party.enter(stage, "ana", GROUP)

    async def reach() -> tuple[str, bool, bool]:
        told = await ana.peer.expect(wire.Reach, lambda each: each.group == GROUP)
        return told.reach, bool(told.text), bool(told.todo)

    assert await reach() == ("lost", True, True), "no gateway is there"
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        assert await reach() == ("heard", False, False)
        await client.radio.reach({GROUP: "busy", "group:77": "lost"})
        assert await reach() == ("busy", True, True)
        car = await Party.enter(stage, CAR, GROUP)
        assert (await car.peer.expect(wire.Reach)).reach == "busy", "who comes later"
        await car.peer.leave()
        await client.radio.reach({GROUP: "voiceless"})
        assert await reach() == ("voiceless", True, True)
        assert client.voice.reach == {}, "a gateway knows best itself"
        await client.radio.reach({GROUP: "partly"})
        assert await reach() == ("partly", True, True)
    assert await reach() == ("lost", True, True)
    await change(stage, "delete from radio_talkgroup")
    assert await reach() == ("heard", False, False), "no radio is meant to hear it"
    await ana.peer.leave()


async def test_groups_that_are_patched_are_told_of_the_radios_of_both(stage: Stage) -> None:
    """DOM-RAD-27."""
    await on_air(stage)
    await change(
        stage,
        "insert into talkgroup (agency_id, name) values (1, 'Police only');"
        "insert into group_member (group_id, agency_id) values (3, 1)",
    )
    ana = await Party.enter(stage, "ana", GROUP, "group:3")

    async def reach(group: str) -> str:
        return (await ana.peer.expect(wire.Reach, lambda each: each.group == group)).reach

    assert await reach(GROUP) == "lost"
    await ana.peer.send(wire.VoicePatch(n=ana.peer.number(), groups=["group:3", GROUP]))
    assert await reach("group:3") == "lost", "who talks there is to be heard in the other, too"
    async with gateway(stage) as client:
        await client.voice.join(GROUP)
        assert (await reach(GROUP), await reach("group:3")) == ("heard", "heard")
        await client.radio.reach({GROUP: "voiceless"})
        assert (await reach(GROUP), await reach("group:3")) == ("voiceless", "voiceless")
        await ana.peer.send(wire.VoiceUnpatch(n=ana.peer.number(), group=GROUP))
        assert await reach("group:3") == "heard"
    assert await reach(GROUP) == "lost"
    await ana.peer.leave()


async def test_only_a_gateway_says_whether_radios_hear(stage: Stage) -> None:
    await on_air(stage)
    ana = await Party.enter(stage, "ana", GROUP)
    n = ana.peer.number()
    await ana.peer.send(wire.RadioReach(n=n, reach={GROUP: "heard"}))
    refused = await ana.peer.expect(wire.Error, lambda each: each.n == n)
    assert refused.code == "not_your_network"
    await ana.peer.leave()
