"""A radio gateway on a running server: places, texts, buttons, who is there (docs/radio.md)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from airwaves import (
    BOAT_RADIO,
    GROUP,
    NOBODYS,
    POLICE_RADIO,
    Box,
    change,
    gateway,
    items,
    of_kind,
    on_air,
)
from stage import BOAT, CAR, GATEWAY, HERE, PATROL, Peer, Stage, now_ms, person, until

from psn import wire
from psn.client import Client, ClientRefused
from psn.identity import locking


async def test_a_gateway_learns_what_it_serves_and_every_change(stage: Stage) -> None:
    """DOM-RAD-14, DOM-RAD-15."""
    await on_air(stage)
    async with gateway(stage) as client:
        plan = client.radio.plan
        assert plan.networks == {1: "National"} and plan.network("National") == 1
        assert {r: each.callsign for r, each in plan.radios.items()} == {
            POLICE_RADIO: "P-1",
            BOAT_RADIO: "CG-1",
        }
        assert plan.talkgroups[1, 9].group == GROUP
        assert plan.radios_of(BOAT) == [BOAT_RADIO] and len(plan.talkgroups_of(GROUP)) == 1
        await change(stage, "insert into radio (network_id, number, unit_id) values (1, 4799, 2)")
        await until(lambda: NOBODYS in client.radio.plan.radios, "it was given to a unit")
        await change(stage, "delete from radio_network_agency")
        await until(lambda: BOAT_RADIO not in client.radio.plan.radios, "its agency is out")
        await change(stage, "delete from radio_gateway")
        await until(lambda: not client.radio.plan.networks, "it serves nothing any more")
        await change(stage, "insert into radio_gateway (network_id, device_id) values (1, 6)")
        await until(lambda: POLICE_RADIO in client.radio.plan.radios, "and serves it again")


async def test_positions_are_the_unit_s_and_of_no_other(stage: Stage) -> None:
    """DOM-RAD-15, DOM-RAD-16."""
    await on_air(stage)
    ana = await Peer.enter(stage.url, "ana")
    await ana.send(wire.Watch(n=90))
    await ana.expect(wire.Ok)
    refused: list[wire.Error] = []

    def keep(frame: wire.ServerFrame) -> None:
        if isinstance(frame, wire.Error):
            refused.append(frame)

    async with gateway(stage, frames=keep) as client:
        assert await client.report(wire.Fix(CAR, now_ms(), *HERE))
        await ana.expect(wire.Picture, lambda picture: any(s.unit == CAR for s in picture.p))
        await client.report_batch([wire.Fix(unit, now_ms(), *HERE) for unit in (BOAT, PATROL)])
        assert [error.code for error in refused] == ["not_your_unit"]
    await until(lambda: BOAT in stage.core.picture.newest, "the boat is on the map")
    assert PATROL not in stage.core.picture.newest
    await ana.leave()


async def test_a_text_from_a_radio_is_its_unit_s(stage: Stage) -> None:
    """DOM-RAD-15, DOM-RAD-16."""
    await on_air(stage)
    box = Box()
    async with (
        Client(stage.url, person("ana"), mail=box) as ana,
        gateway(stage) as client,
    ):
        await ana.up()
        text = client.send(["person:1"], "At the bridge.", unit=CAR)
        await client.acknowledged(text)
        await until(lambda: box.texts() == ["At the bridge."], "it came")
        body = box.mail[0].body
        assert isinstance(body, wire.MessageBody)
        assert (body.sender, body.sender_name) == ("unit:1", "P-1")
        # Customs shares nothing with the police; and what carries no radio sends nothing.
        for to, unit in (("person:3", CAR), ("person:1", PATROL), ("person:1", 99)):
            refused = client.send([to], "No.", unit=unit)
            with pytest.raises(ClientRefused) as problem:
                await client.acknowledged(refused)
            assert problem.value.code in ("not_reachable", "not_your_unit")
    written = "select body from audit where action = 'radio.text'"
    await stage.core.auditor.settle()
    (entry,) = [json.loads(row[0]) for row in await stage.core.pool.fetch(written)]
    assert (entry["actor"], entry["object"], entry["owner"]) == ("device:6", "unit:1", 1)
    assert entry["details"] == {"message": str(text)}


async def test_only_a_gateway_speaks_as_a_unit(stage: Stage) -> None:
    """DOM-RAD-15."""
    await on_air(stage)
    ana = await Peer.enter(stage.url, "ana")
    text = wire.Message(id=uuid4(), to=["person:1"], text="I am P-1.", unit=CAR)
    await ana.send(text)
    await ana.refusal("not_your_unit")
    for frame in (
        wire.Delivered(n=91, box="unit:1", seqs=[1]),
        wire.RadioHeard(n=92, heard=[wire.Heard(1, 1, 1, "call")]),
        wire.RadioPresence(n=93, here=[POLICE_RADIO]),
        wire.RadioState(n=94, voiceless=[1]),
        wire.RadioState(n=95),
    ):
        await ana.send(frame)
        error = await ana.expect(wire.Error)
        assert (error.code, error.n) in {
            ("not_your_unit", 91),
            *(("not_your_network", n) for n in (92, 93, 94, 95)),
        }
    await ana.leave()


async def test_a_text_to_a_unit_is_delivered_when_its_radio_has_it(stage: Stage) -> None:
    """DOM-RAD-17."""
    await on_air(stage)
    box, carried = Box(), Box()
    async with (
        Client(stage.url, person("ana"), mail=box) as ana,
        gateway(stage, mail=carried) as client,
    ):
        await ana.up()
        await ana.acknowledged(ana.send(["unit:1"], "Return to station."))
        await until(lambda: carried.texts() == ["Return to station."], "the gateway has it")
        (mail,) = [m for m in carried.mail if isinstance(m.body, wire.MessageBody)]
        # The gateway says at once how far it has come; nobody is told of it.
        key = ("unit:1", f"device:{GATEWAY}")
        await until(lambda: stage.core.record.arrived.get(key) == mail.seq, "it said so")
        await ana.acknowledged(ana.send(["person:1"], "To myself."))
        assert box.receipts() == []
        await client.radio.delivered(mail)
        await until(lambda: box.receipts() == [("unit:1", "delivered")], "the radio has it")
        await client.radio.delivered(mail)  # said again after a lost answer
        with pytest.raises(ClientRefused, match="reads nothing"):
            await client.read("unit:1", [mail.seq])
        with pytest.raises(ClientRefused, match="that unit"):
            await client.request(wire.Delivered(n=9_000, box="unit:2", seqs=[1]))
        # Its tablet comes later, and gets it too; that is no second receipt.
        async with await Peer.enter(stage.url, CAR) as tablet:
            assert any(isinstance(f, wire.Mail) for f in tablet.frames)
        await ana.acknowledged(ana.send(["person:1"], "Again."))
        assert box.receipts() == [("unit:1", "delivered")]


async def test_what_came_while_a_gateway_was_away_is_carried_then(stage: Stage) -> None:
    """DOM-RAD-17."""
    await on_air(stage)
    async with gateway(stage):
        pass
    async with Client(stage.url, person("ana")) as ana:
        await ana.up()
        await ana.acknowledged(ana.send(["unit:1", GROUP], "Storm warning."))
    carried = Box()
    async with gateway(stage, mail=carried):
        await until(lambda: carried.texts() == ["Storm warning."], "it is brought, once")


async def test_the_red_button_and_a_status_of_a_radio(stage: Stage) -> None:
    """DOM-RAD-16."""
    await on_air(stage)
    async with gateway(stage) as client:
        pressed = await client.do("emergency.press", unit=CAR)
        assert pressed["id"]
        assert (await client.do("unit.status", unit=CAR, status="busy"))["status"] == "busy"
        await client.do("emergency.safe", emergency=pressed["id"])
        for what, body in (
            ("emergency.press", {}),
            ("unit.status", {"status": "busy"}),
        ):
            with pytest.raises(ClientRefused) as problem:
                await client.do(what, unit=PATROL, **body)
            assert problem.value.code == "not_found"
        with pytest.raises(ClientRefused):
            await client.do("unit.status", unit=CAR, status="on_scene")


async def test_a_unit_is_connected_while_its_radio_is_there(stage: Stage) -> None:
    """DOM-RAD-16."""
    await on_air(stage)
    online = stage.core.sessions.online
    async with gateway(stage) as client:
        assert not online("unit:1")
        await client.radio.presence(here=[POLICE_RADIO, NOBODYS])
        assert online("unit:1") and not online("unit:2")
        await change(stage, "insert into radio (network_id, number, unit_id) values (1, 4799, 2)")
        assert online("unit:2")
        await change(stage, "update radio set unit_id = 2 where number = 4711")
        await change(stage, "delete from radio where number = 4799")
        assert online("unit:2")
        await client.radio.presence(gone=[POLICE_RADIO])
        assert "unit:2" not in stage.core.sessions._connections
        await client.radio.presence(here=[POLICE_RADIO])
    await until(lambda: "unit:2" not in stage.core.sessions._connections, "all went with it")


async def watching(stage: Stage, who: str = "ana") -> Peer:
    peer = await Peer.enter(stage.url, who)
    await peer.send(wire.Follow(n=80, topic="radio"))
    await peer.expect(wire.Ok, lambda ok: ok.n == 80)
    return peer


async def test_who_is_heard_is_kept_and_shown_and_who_is_nobody_s_told(stage: Stage) -> None:
    """DOM-RAD-16, DOM-RAD-19."""
    await on_air(stage)
    ana, cyd = await watching(stage), await watching(stage, "cyd")
    now = now_ms()
    async with gateway(stage) as client:
        await client.radio.heard(
            [
                wire.Heard(1, 4799, now - 2_000, "call", "Baldy Beacon"),
                wire.Heard(1, 4799, now - 1_000, "position", "", *HERE, "Victoria Peak"),
                wire.Heard(1, 4711, now, "position", "Baldy Beacon", *HERE),
            ]
        )
        await until(lambda: of_kind(ana.frames, "radio_heard"), "it is shown")
        (shown,) = of_kind(ana.frames, "radio_heard")
        assert (shown["number"], shown["times"], shown["what"]) == (4799, 2, "position")
        assert (shown["site"], shown["twice_site"]) == ("Baldy Beacon", "Victoria Peak")
        assert (shown["lon"], shown["lat"]) == HERE and "emergency" not in shown
        await client.radio.heard([wire.Heard(1, 4799, now + 10**9, "emergency")])
        await until(lambda: of_kind(ana.frames, "radio_heard")[0].get("emergency"), "at once")
        assert of_kind(ana.frames, "radio_heard")[0]["emergency"] <= now_ms()
        with pytest.raises(ClientRefused, match="does not serve"):
            await client.radio.heard([wire.Heard(2, 1, now, "call")])
    assert items(cyd.frames) == {}, "customs takes no part"
    row = stage.core.radios.heard[1, 4711]
    assert (row.lon, row.times) == (None, 1), "a place of a unit is the unit's"
    # Whose it is, is said: what was kept of its place and button is not kept any more.
    await change(stage, "insert into radio (network_id, number, unit_id) values (1, 4799, 2)")
    known = stage.core.radios.heard[1, 4799]
    assert (known.lon, known.emergency, known.times) == (None, None, 3)
    before = dict(stage.core.radios.heard)
    await stage.core.radios.load()
    assert stage.core.radios.heard[1, 4711] == before[1, 4711], "as it is on disk"
    for peer in (ana, cyd):
        await peer.leave()


async def test_agencies_are_told_of_the_red_button_of_a_radio_of_nobody_s(stage: Stage) -> None:
    """DOM-RAD-16."""
    await on_air(stage)
    peers = [await Peer.enter(stage.url, who) for who in ("ana", "ben", "cyd")]
    now = now_ms()
    async with gateway(stage) as client:
        for ago in (2_000, 1_000, 0):
            pressed = wire.Heard(1, 4799, now - ago, "emergency", "Victoria Peak", *HERE)
            await client.radio.heard([pressed])
        for peer, agency in zip(peers, (1, 2), strict=False):
            mail = await peer.expect(wire.Mail, lambda m: isinstance(m.body, wire.MessageBody))
            assert isinstance(mail.body, wire.MessageBody)
            assert (mail.box, mail.body.priority) == (f"agency:{agency}", "emergency")
            assert mail.body.sender_name == "National 4799"
            assert mail.body.text.endswith("National 4799 · Victoria Peak · 17.49000, -88.19000")
        # Of a unit's radio nothing is said here: its red button is pressed as any unit's.
        await client.radio.heard([wire.Heard(1, 4711, now, "emergency")])
    for peer in peers:
        await peer.answers()
        mail_left = [m for m in peer.of(wire.Mail) if isinstance(m.body, wire.MessageBody)]
        assert mail_left == []
        await peer.leave()


@pytest.mark.parametrize("behind", [0, 3_600_000])
async def test_of_a_button_that_is_pressed_on_and_on_agencies_are_told_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, behind: int
) -> None:
    """DOM-RAD-16: once in five minutes, by the server's clock, however wrong the gateway's is."""
    await on_air(stage)
    told: list[int] = []
    monkeypatch.setattr(stage.core.radios, "_tell", lambda agency, *_: told.append(agency))
    now = now_ms()
    async with gateway(stage) as client:
        for minute in (0, 4, 8, 12):
            at = now + minute * 60_000
            monkeypatch.setattr(stage.core.radios, "_clock", lambda at=at: at)
            said = at - behind * minute // 4
            await client.radio.heard([wire.Heard(1, 4799, said, "emergency")])
    assert told == [1, 2, 1, 2], "at 0 and at 8"


async def test_a_locked_console_hears_that_a_radio_of_nobody_s_calls_for_help(stage: Stage) -> None:
    """DOM-RAD-16."""
    await on_air(stage)
    ana = await watching(stage)
    (session,) = [s for s in stage.core.sessions.all if s.principal.person == 1]
    async with gateway(stage) as client:
        session.barred = locking.LOCKED
        await client.radio.heard([wire.Heard(1, 4799, now_ms(), "emergency")])
        await ana.expect(wire.EmergencyWaits)
    await ana.leave()


async def test_only_so_many_unknown_radios_are_kept(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RAD-20."""
    monkeypatch.setattr("psn.radio.heard.MOST_UNKNOWN", 3)
    await on_air(stage)
    now = now_ms()
    async with gateway(stage) as client:
        await client.radio.heard([wire.Heard(1, 4711, now - 90_000, "call")])
        await client.radio.heard([wire.Heard(1, n, now - 10_000 + n, "call") for n in range(1, 7)])
    assert set(stage.core.radios.heard) == {(1, n) for n in (4, 5, 6, 4711)}
    assert await kept(stage) == [4, 5, 6, 4711]


async def kept(stage: Stage) -> list[int]:
    rows: Any = await stage.core.pool.fetch("select number from radio_heard order by number")
    return [row[0] for row in rows]


async def test_what_was_heard_long_ago_is_forgotten_once_a_day(stage: Stage) -> None:
    """DOM-RAD-20."""
    await on_air(stage)
    ana = await watching(stage)
    day, now = 86_400_000, now_ms()
    async with gateway(stage) as client:
        await client.radio.heard(
            [wire.Heard(1, 1, now - 91 * day, "call"), wire.Heard(1, 2, now - 89 * day, "call")]
        )
        await until(lambda: len(of_kind(ana.frames, "radio_heard")) == 2, "both are shown")
        stage.core.radios._swept = now - 2 * day
        await client.radio.heard([wire.Heard(1, 3, now, "call")])
        await until(lambda: len(of_kind(ana.frames, "radio_heard")) == 2, "one went, one came")
    assert set(stage.core.radios.heard) == {(1, 2), (1, 3)}
    assert await kept(stage) == [2, 3]
    await ana.leave()


async def test_how_a_gateway_is_and_that_it_is_gone(stage: Stage) -> None:
    await on_air(stage)
    ana = await watching(stage)
    (there,) = of_kind(ana.frames, "radio_state")
    assert (there["label"], there["online"]) == ("gateway", False)
    site = wire.RadioSite(1, "Baldy Beacon", "repeater", True, now_ms(), quality=98, rssi=-87)
    call = wire.RadioCall(1, 4799, now_ms(), talkgroup=9, site="Baldy Beacon")
    async with gateway(stage) as client:
        await client.radio.state([site], [call], {"bad_secret": 3}, voiceless=[1])
        await until(lambda: of_kind(ana.frames, "radio_state")[0].get("sites"), "it is shown")
        (there,) = of_kind(ana.frames, "radio_state")
        assert (there["online"], there["voiceless"], there["refused"]) == (
            True,
            True,
            {"bad_secret": 3},
        )
        assert there["sites"][0]["rssi"] == -87 and there["calls"][0]["radio"] == 4799
        with pytest.raises(ClientRefused, match="does not serve"):
            await client.radio.state([wire.RadioSite(2, "Other", "master", True, now_ms())])
    await until(lambda: not of_kind(ana.frames, "radio_state")[0]["online"], "it is gone")
    (there,) = of_kind(ana.frames, "radio_state")
    assert "calls" not in there and there["sites"]
    await ana.leave()


async def test_a_call_does_not_say_where_a_unit_is_to_who_is_not_shown_it(stage: Stage) -> None:
    """DOM-WHO: nor does a gateway what is refused in networks that a reader has no part in."""
    await on_air(stage)
    await change(
        stage,
        """
        insert into radio (network_id, number, unit_id) values (1, 4750, 4);
        insert into radio_network (agency_id, name) values (1, 'Police alone');
        insert into radio_gateway (network_id, device_id) values (2, 6);
        """,
    )
    ben = await watching(stage, "ben")
    state = [
        wire.RadioCall(1, 4750, now_ms(), talkgroup=9, site="Baldy Beacon"),
        wire.RadioCall(1, 4711, now_ms(), to=4750, site="Baldy Beacon"),
        wire.RadioCall(1, 4799, now_ms(), talkgroup=9, site="Baldy Beacon"),
    ]
    async with gateway(stage) as client:
        missed = wire.RadioMissed(1, 2, 3)
        await client.radio.state([], state, {"calls_barred": 3}, missed=missed)
        await until(lambda: of_kind(ben.frames, "radio_state")[0].get("calls"), "it is shown")
        (followed,) = of_kind(ben.frames, "radio_state")
        assert [call["radio"] for call in followed["calls"]] == [None, None, 4799]
        assert [call.get("site", "") for call in followed["calls"]] == ["", "", "Baldy Beacon"]
        assert "refused" not in followed and "missed" not in followed
        network = stage.core.directory.radio_networks[1]
        principals = {s.principal.agency: s.principal for s in stage.core.sessions.all}
        (read,) = stage.core.radios.states_of(network, principals[2])
        assert [call.radio for call in read.calls] == [None, None, 4799]
        assert (read.refused, read.missed) == ({}, None)
        ana = await Peer.enter(stage.url, "ana")
        (principal,) = [s.principal for s in stage.core.sessions.all if s.principal.person == 1]
        (read,) = stage.core.radios.states_of(network, principal)
        assert (read.calls, read.refused, read.missed) == (state, {"calls_barred": 3}, missed)
        await ana.leave()
    await ben.leave()


async def test_whose_radio_it_is_is_told_to_who_is_shown_the_unit(stage: Stage) -> None:
    """DOM-WHO: that an undercover car carries a radio is its agency's affair."""
    await on_air(stage)
    await change(stage, "insert into radio (network_id, number, unit_id) values (1, 4750, 4)")
    ana, ben = await watching(stage), await watching(stage, "ben")
    assert {item["number"] for item in of_kind(ana.frames, "radio")} == {4711, 4712, 4750}
    assert {item["number"] for item in of_kind(ben.frames, "radio")} == {4711, 4712}
    async with gateway(stage) as client:
        await client.radio.heard([wire.Heard(1, 4750, now_ms(), "call")])
        stage.core.radios._turn = -1
        await until(lambda: of_kind(ana.frames, "radio_heard"), "its own agency sees it")
    assert of_kind(ben.frames, "radio_heard") == []
    for peer in (ana, ben):
        await peer.leave()


async def test_a_tablet_and_a_gateway_of_nothing_do_not_see_the_plan(stage: Stage) -> None:
    """DOM-RAD-15."""
    await on_air(stage)
    await change(stage, "delete from radio_gateway")
    car = await Peer.enter(stage.url, CAR)
    await car.send(wire.Follow(n=81, topic="radio"))
    await car.refusal("no_topic")
    other = await Peer.enter(stage.url, GATEWAY)
    await other.send(wire.Follow(n=82, topic="radio"))
    await other.expect(wire.Ok, lambda ok: ok.n == 82)
    assert items(other.frames) == {}
    for peer in (car, other):
        await peer.leave()
