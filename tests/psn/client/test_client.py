"""The client library against a real server (docs/domain.md, DOM-REC-5 and DOM-SES)."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from stage import (
    ANA,
    BEN,
    BOAT,
    CAR,
    COVERT,
    GATEWAY,
    PATROL,
    Complaints,
    Stage,
    credentials_of,
    now_ms,
    until,
)
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from psn import wire
from psn.client import Client, ClientRefused, Link, websocket_url
from psn.client.offline import Offline


class Heard:
    """A client, and everything it heard."""

    def __init__(self, url: str, who: str | int, **more: Any) -> None:
        self.mail: list[wire.Mail] = []
        self.frames: list[wire.ServerFrame] = []
        self.links: list[Link] = []
        self.client = Client(
            url,
            credentials_of(who),
            name=str(who),
            mail=self.mail.append,
            frames=self.frames.append,
            links=self.links.append,
            **more,
        )

    async def __aenter__(self) -> Heard:
        await self.client.__aenter__()
        await self.client.up()
        return self

    async def __aexit__(self, *problem: Any) -> None:
        await self.client.__aexit__(*problem)

    def texts(self) -> list[str]:
        return [m.body.text for m in self.mail if isinstance(m.body, wire.MessageBody)]

    def states(self, message: UUID) -> list[str]:
        return [
            m.body.state
            for m in self.mail
            if isinstance(m.body, wire.ReceiptBody) and message in m.body.of
        ]

    def of(self, kind: type[Any]) -> list[Any]:
        return [frame for frame in self.frames if isinstance(frame, kind)]


def here(time: int, lon: int = -881_900_000, unit: int = 0) -> wire.Fix:
    return wire.Fix(unit, time, lon, 174_900_000, 500, 9_000, 400)


async def test_a_message_crosses_and_comes_back_read(stage: Stage) -> None:
    async with Heard(stage.url, "ana") as ana, Heard(stage.url, "ben") as ben:
        message = ana.client.send([BEN], "One boat, please.", priority="immediate")
        assert await ana.client.acknowledged(message) <= now_ms() + 1_000
        await until(lambda: ben.texts() == ["One boat, please."], "it arrives")
        await until(lambda: ana.states(message) == ["delivered"], "its sender hears so")
        await ben.client.read(BEN, [ben.mail[0].seq])
        await until(lambda: ana.states(message) == ["delivered", "read"], "and that it was read")
        assert ana.texts() == ["One boat, please."]  # his own copy


async def test_what_is_refused_is_told_and_forgotten(stage: Stage) -> None:
    async with Heard(stage.url, "cyd") as cyd:
        message = cyd.client.send([ANA], "You do not know me.")
        with pytest.raises(ClientRefused) as refused:
            await cyd.client.acknowledged(message)
        assert refused.value.code == "not_reachable"
        await cyd.client.drained()


async def test_a_wrong_password_ends_the_client_with_the_reason(stage: Stage) -> None:
    client = Client(stage.url, wire.PasswordAuth("ana", "guess"))
    async with client:
        with pytest.raises(ClientRefused) as refused:
            await client.up()
    assert refused.value.code == "wrong_credentials"
    assert client.link is Link.REFUSED


async def test_what_was_written_offline_survives_a_restart_of_the_client(
    stage: Stage, tmp_path: Path
) -> None:
    store = tmp_path / "tablet.db"
    offline = Offline(store)
    away = Client("http://127.0.0.1:9", credentials_of(PATROL), offline=offline)
    async with away:
        assert not await away.report(here(now_ms() - 2_000))
        assert not await away.report(here(now_ms() - 1_000))
        first = away.send([ANA], "written in a dead spot")
        away.send([ANA], "and another", expires=now_ms() + 600_000)
        away.send([ANA], "too late by then", expires=now_ms() - 1)
    offline.close()
    offline = Offline(store)
    async with (
        Heard(stage.url, "ana") as ana,
        Heard(stage.url, PATROL, offline=offline) as patrol,
    ):
        await until(lambda: len(ana.texts()) == 2, "both arrive, not the one that expired")
        assert ana.texts() == ["written in a dead spot", "and another"]
        assert patrol.client.send([ANA], "written in a dead spot", message=first) == first
        await patrol.client.drained()
        assert len(ana.texts()) == 2
    offline.close()


async def test_after_a_restart_of_the_server_everything_goes_on(stage: Stage) -> None:
    async with Heard(stage.url, "ana") as ana, Heard(stage.url, "ben") as ben:
        await ana.client.acknowledged(ana.client.send([BEN], "before"))
        port = stage.address[1]
        await stage.stop()
        await until(lambda: ben.client.link is Link.LOST, "the link is lost")
        meanwhile = ana.client.send([BEN], "meanwhile")
        await stage.start(port)
        await ana.client.acknowledged(meanwhile)
        await until(lambda: ben.texts() == ["before", "meanwhile"], "each once, in order")
        assert ben.links[-3:] == [Link.LOST, Link.CATCHING_UP, Link.UP]


async def test_cut_again_and_again_nothing_is_lost_and_nothing_comes_twice(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-REC-2, DOM-REC-4, DOM-REC-5, DOM-PIC-7: every line breaks, at any moment, many times."""
    monkeypatch.setattr("psn.client.client.FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr("psn.client.client.LONGEST_RETRY_SECONDS", 0.05)
    chance = random.Random(5)
    offline = Offline(tmp_path / "tablet.db")
    wanted = [f"{n}" for n in range(120)]
    start = now_ms() - 60_000
    async with (
        Heard(stage.url, "ana") as ana,
        Heard(stage.url, "ben", subprotocol=wire.SUBPROTOCOL_JSON) as ben,
        Heard(stage.url, PATROL, offline=offline) as patrol,
    ):
        sent = []
        for n, text in enumerate(wanted):
            sent.append(ana.client.send([BEN, "group:1"], text))
            await patrol.client.report(here(start + n))
            await asyncio.sleep(0.005)
            if n % 15 == 7:
                for session in list(stage.core.sessions.all):
                    if chance.random() < 0.7:
                        session.outbox.transport.abort()
        for message in sent:
            await ana.client.acknowledged(message)
        await patrol.client.drained()
        await until(lambda: len(ben.texts()) >= len(wanted), "everything arrives")
        await until(
            lambda: all(ana.states(message).count("delivered") >= 1 for message in sent),
            "and everything is said to have been delivered",
        )
        for one in (ana, ben):
            assert one.links.count(Link.LOST) >= 1
            assert one.texts() == wanted
    for message in sent:
        assert ana.states(message).count("delivered") <= 2  # by ben, and by the group's others
    offline.close()


async def test_a_client_ends_when_told_to_also_while_its_line_breaks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step of breaking it is in; it must not come back instead."""
    monkeypatch.setattr("psn.client.client.FIRST_RETRY_SECONDS", 0.01)
    for steps in range(20):
        heard = Heard(stage.url, "ana")
        client = (await heard.__aenter__()).client
        assert client._socket is not None
        client._socket.transport.abort()
        for _ in range(steps):
            await asyncio.sleep(0)
        ending = asyncio.create_task(heard.__aexit__(None, None, None))
        await until(ending.done, f"it ends, {steps} steps after its line broke")
        assert client.link is Link.LOST


async def test_everybody_who_waits_for_an_acknowledgement_gets_it(stage: Stage) -> None:
    async with Heard(stage.url, "ana") as ana:
        message = ana.client.send([BEN], "watched by two")
        waiting = [asyncio.create_task(ana.client.acknowledged(message)) for _ in range(3)]
        first, second, third = await asyncio.gather(*waiting)
        assert first == second == third


async def test_a_message_of_an_earlier_run_is_acknowledged_to_whoever_asks(
    stage: Stage, tmp_path: Path
) -> None:
    offline = Offline(tmp_path / "console.db")
    async with Client("http://127.0.0.1:9", credentials_of("ana"), offline=offline) as away:
        message = away.send([BEN], "typed before the page was closed")
    client = Client(stage.url, credentials_of("ana"), offline=offline)
    asked = asyncio.create_task(client.acknowledged(message))
    async with client:
        assert await asked > 0
        await client.drained()
    offline.close()


async def test_waiting_for_what_was_never_sent_says_so(stage: Stage) -> None:
    async with Heard(stage.url, "ana") as ana:
        with pytest.raises(KeyError):
            await ana.client.acknowledged(uuid4())


async def test_a_message_in_two_mailboxes_is_shown_once(stage: Stage) -> None:
    async with Heard(stage.url, "ana") as ana, Heard(stage.url, "ben") as ben:
        await ana.client.acknowledged(ana.client.send([BEN, "group:1", "agency:2"], "to all"))
        last = ana.client.send([BEN], "after it")
        await ana.client.acknowledged(last)
        await until(lambda: "after it" in ben.texts(), "the last one")
        await until(lambda: len(ana.texts()) == 2, "the sender's own")
        assert ben.texts() == ["to all", "after it"]


async def test_a_second_client_of_a_reader_begins_where_the_first_got_to(stage: Stage) -> None:
    async with Heard(stage.url, "ana") as ana:
        async with Heard(stage.url, "ben") as ben:
            message = ana.client.send([BEN], "to the first")
            await until(lambda: ana.states(message) == ["delivered"], "delivered")
            assert ben.texts() == ["to the first"]
        await ana.client.acknowledged(ana.client.send([BEN], "to the second"))
        async with Heard(stage.url, "ben") as second:
            assert second.texts() == ["to the second"]


async def test_the_picture_shows_what_may_be_seen_and_follows(stage: Stage) -> None:
    """DOM-WHO-2, DOM-WHO-3, DOM-PIC-5."""
    async with (
        Heard(stage.url, "ben") as ben,
        Heard(stage.url, "cyd") as cyd,
        Heard(stage.url, CAR) as car,
        Heard(stage.url, COVERT) as covert,
    ):
        for looker in (ben, cyd):
            await looker.client.watch()
        times = [now_ms() - 1_000 + n for n in range(3)]
        for time in times:
            await covert.client.report(here(time))
            await car.client.report(here(time))
        await until(
            lambda: [s.time for f in ben.of(wire.Picture) for s in f.p][-1:] == times[-1:],
            "the newest is shown",
        )
        (roster,) = ben.of(wire.Roster)
        assert {unit.id for unit in roster.units} == {CAR, PATROL, BOAT}
        assert {unit.id: unit.online for unit in roster.units}[CAR]
        assert {s.unit for f in ben.of(wire.Picture) for s in f.p} == {CAR}
        assert [s for f in cyd.of(wire.Picture) for s in f.p] == []


async def test_an_area_and_agencies_narrow_the_picture(stage: Stage) -> None:
    async with Heard(stage.url, CAR) as car, Heard(stage.url, BOAT) as boat:
        start = now_ms() - 60_000
        await car.client.report(here(start))
        await boat.client.report(here(start))
        async with Heard(stage.url, "ana") as ana, Heard(stage.url, "ana") as second:
            await ana.client.watch(wire.Area(-882_000_000, 174_000_000, -881_800_000, 175_000_000))
            await second.client.watch(agencies=[2])
            for n in range(1, 4):
                await car.client.report(here(start + n * 10_000, -881_900_000 + n * 40_000))
                await boat.client.report(here(start + n * 10_000))
            await until(lambda: ana.of(wire.Gone), "the car leaves the area")
            assert [frame.units for frame in ana.of(wire.Gone)] == [[CAR]]
            await until(
                lambda: any(s.time == start + 30_000 for f in second.of(wire.Picture) for s in f.p),
                "the boat's newest",
            )
            assert {s.unit for f in second.of(wire.Picture) for s in f.p} == {BOAT}
            await ana.client.request(wire.Unwatch(n=99_999))


async def test_a_gateway_announces_and_reports(stage: Stage) -> None:
    async with Heard(stage.url, GATEWAY) as gateway, Heard(stage.url, "ben") as ben:
        await ben.client.watch()
        vessels = [wire.AnnouncedUnit(f"mmsi:{n}", f"VESSEL {n % 2}", "vessel") for n in range(4)]
        ids = await gateway.client.announce(vessels)
        assert await gateway.client.announce(vessels) == ids
        assert len(set(ids.values())) == 4
        await until(lambda: ben.of(wire.RosterUnits), "they appear in the roster")
        names = {u.callsign for f in ben.of(wire.RosterUnits) for u in f.units}
        assert len(names) == 4
        one = ids["mmsi:1"]
        await gateway.client.report(here(now_ms(), unit=one))
        await until(
            lambda: one in {s.unit for f in ben.of(wire.Picture) for s in f.p}, "and on the map"
        )


async def test_a_batch_is_answered_when_it_is_stored(stage: Stage) -> None:
    """DOM-PIC-7."""
    async with Heard(stage.url, CAR) as car:
        start = now_ms() - 600_000
        await car.client.report_batch([here(start + n * 100) for n in range(2_500)])
        stored = await stage.core.pool.fetchval(
            "select count(*) from track where unit_id = $1", CAR
        )
        assert stored == 2_500


async def test_sign_out_makes_the_token_worthless(stage: Stage) -> None:
    """DOM-SES-1."""
    offline = Offline()
    client = Client(stage.url, credentials_of("ana"), offline=offline)
    async with client:
        await client.up()
        token = offline.token
        assert token is not None
    await stage.core.tickets.end(stage.core.tickets.by_token(token))  # type: ignore[arg-type]
    assert stage.core.tickets.by_token(token) is None
    # The client notices, and signs in with its credentials instead.
    again = Client(stage.url, credentials_of("ana"), offline=offline)
    async with again:
        await again.up()
        assert offline.token not in (None, token)


@pytest.mark.parametrize(
    ("statement", "who"),
    [
        ("update person set disabled_at = now() where name = 'ana'", "ana"),
        ("update device set revoked_at = now() where unit_id = 1", CAR),
        ("update unit set retired_at = now() where id = 1", CAR),
        ("update session set ended_at = now()", "ana"),
    ],
)
async def test_who_may_no_longer_is_out_at_once(
    stage: Stage, statement: str, who: str | int
) -> None:
    """DOM-WHO-4, DOM-WHO-5, DOM-SES-1."""
    async with Heard(stage.url, who) as one:
        await stage.core.pool.execute(statement)
        await until(lambda: one.of(wire.Closing), "it is told")
        assert one.of(wire.Closing)[0].code == "session_ended"


async def test_new_rights_reach_screens_both_ways(stage: Stage) -> None:
    """DOM-WHO-4."""
    async with Heard(stage.url, CAR) as car, Heard(stage.url, "ben") as ben:
        await car.client.report(here(now_ms()))
        await ben.client.watch()
        await until(lambda: any(f.p for f in ben.of(wire.Picture)), "the car is seen")
        await stage.core.pool.execute("update agreement set ends_at = now() where owner_agency = 1")
        await until(lambda: ben.of(wire.RosterUnits), "the agreement ends")
        assert set(ben.of(wire.RosterUnits)[0].removed) == {CAR, PATROL}
        await stage.core.pool.execute("update agreement set ends_at = null")
        await until(lambda: len(ben.of(wire.RosterUnits)) == 2, "it is renewed")
        assert {unit.id for unit in ben.of(wire.RosterUnits)[1].units} == {CAR, PATROL}
        await until(lambda: len(ben.of(wire.Picture)) == 2, "the car is back")
        assert [seat.unit for seat in ben.of(wire.Picture)[-1].p] == [CAR]
        await stage.core.pool.execute(
            "insert into unit_exception (unit_id, units, reason, author)"
            " values (1, 'nothing', 'undercover', 'test')"
        )
        await until(
            lambda: ben.of(wire.RosterUnits)[-1].removed == [CAR], "the car is hidden, name and all"
        )
        await until(lambda: ben.of(wire.Gone)[-1].units == [CAR], "and off the map")


async def test_json_is_the_same_protocol(stage: Stage) -> None:
    async with (
        Heard(stage.url, "ana", subprotocol=wire.SUBPROTOCOL_JSON) as ana,
        Heard(stage.url, "ben") as ben,
    ):
        await ana.client.watch()
        await ana.client.acknowledged(ana.client.send([BEN], "ñ · 🚤 · שלום"))
        await until(lambda: len(ben.texts()) == 1, "it arrives")
        assert ben.texts() == ["ñ · 🚤 · שלום"]


class Scripted:
    """A server that signs everyone in, and then says what it was told to on each connection."""

    def __init__(self, *scripts: list[wire.ServerFrame]) -> None:
        self.scripts = list(scripts)
        self.seen: list[dict[str, int]] = []

    async def answer(self, socket: ServerConnection) -> None:
        script = self.scripts.pop(0) if self.scripts else []
        async for data in socket:
            frame = wire.MSGPACK.decode_client(data)
            if isinstance(frame, wire.SignIn):
                self.seen.append(frame.seen)
                me = wire.SignedIn(
                    n=frame.n,
                    token="t",
                    me=ANA,
                    name="Ana",
                    agency=1,
                    roles=[],
                    boxes={},
                    time=0,
                    ends=0,
                )
                for one in (me, *script):
                    await socket.send(wire.MSGPACK.encode(one))


def mail(seq: int) -> wire.Mail:
    body = wire.MessageBody(UUID(int=seq), BEN, "Ben", [ANA], f"{seq}", "routine", 0)
    return wire.Mail(box=ANA, seq=seq, body=body)


async def test_a_client_shows_no_entry_twice_and_lets_none_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DOM-REC-5: whatever a server does, it resumes where it was when something is missing."""
    monkeypatch.setattr("psn.client.client.FIRST_RETRY_SECONDS", 0.01)
    server = Scripted(
        [mail(1), mail(2), mail(1), mail(2), mail(3), mail(5)],
        [mail(4), mail(5), wire.HistoryGone(box=ANA, floor=9), mail(9), wire.CaughtUp()],
    )
    protocol = Subprotocol(wire.SUBPROTOCOL_MSGPACK)
    async with serve(server.answer, "127.0.0.1", 0, subprotocols=[protocol]) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        async with Heard(f"ws://127.0.0.1:{port}/ws", "ana") as ana:
            assert ana.texts() == ["1", "2", "3", "4", "5", "9"]
    assert server.seen == [{}, {ANA: 3}]


async def test_what_could_not_be_shown_is_shown_when_it_can(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, complaints: Complaints
) -> None:
    """DOM-REC-5: a fault in what shows it does not make it count as shown."""
    monkeypatch.setattr("psn.client.client.FIRST_RETRY_SECONDS", 0.01)
    shown: list[str] = []
    faults = iter([True, True])

    def show(mail: wire.Mail) -> None:
        assert isinstance(mail.body, wire.MessageBody)
        if next(faults, False):
            raise RuntimeError("the screen is broken")
        shown.append(mail.body.text)

    async with Heard(stage.url, "ana") as ana:
        ana.client.send([BEN], "one")
        await ana.client.acknowledged(ana.client.send([BEN], "two"))
    async with Client(stage.url, credentials_of("ben"), mail=show) as ben:
        await until(lambda: len(shown) == 2, "both are shown")
        await ben.up()
    assert shown == ["one", "two"]
    assert len(complaints.said) == 2
    complaints.said.clear()


async def test_what_is_sent_again_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """DOM-REC-11: the server cannot take the second for now, and takes the third."""
    stored: list[str] = []
    refusals = iter([False, True])

    async def answer(socket: ServerConnection) -> None:
        async for data in socket:
            frame = wire.MSGPACK.decode_client(data)
            if isinstance(frame, wire.SignIn):
                me = wire.SignedIn(
                    n=frame.n, token="t", me=ANA, name="Ana", agency=1, roles=[], boxes={},
                    time=0, ends=0,
                )  # fmt: skip
                for one in (me, wire.CaughtUp()):
                    await socket.send(wire.MSGPACK.encode(one))
            elif isinstance(frame, wire.Message):
                reply: wire.ServerFrame = wire.Ack(id=frame.id, time=1)
                if next(refusals, False):
                    reply = wire.Error("unavailable", "Not now.", "Later.", id=frame.id, retry=50)
                elif frame.text not in stored:
                    stored.append(frame.text)
                await socket.send(wire.MSGPACK.encode(reply))

    protocol = Subprotocol(wire.SUBPROTOCOL_MSGPACK)
    async with serve(answer, "127.0.0.1", 0, subprotocols=[protocol]) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        async with Heard(f"ws://127.0.0.1:{port}/ws", "ana") as ana:
            first = ana.client.send([BEN], "1")
            await ana.client.acknowledged(first)
            second = ana.client.send([BEN], "2")
            await until(lambda: ana.client._letters._held is not None, "the second has to wait")
            third = ana.client.send([BEN], "3")
            await ana.client.acknowledged(third)
            await ana.client.acknowledged(second)
    assert stored == ["1", "2", "3"]


async def test_a_server_that_speaks_gibberish_is_left_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("psn.client.client.FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr("psn.client.client.LONGEST_RETRY_SECONDS", 0.02)
    server = Scripted([mail(1), wire.CaughtUp()])
    first = True

    async def answer(socket: ServerConnection) -> None:
        nonlocal first
        if first:
            first = False
            await socket.send(b"\xc1")
            await socket.wait_closed()
        else:
            await server.answer(socket)

    protocol = Subprotocol(wire.SUBPROTOCOL_MSGPACK)
    async with serve(answer, "127.0.0.1", 0, subprotocols=[protocol]) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        async with Heard(f"ws://127.0.0.1:{port}/ws", "ana") as ana:
            assert ana.texts() == ["1"]
    assert "the connection ended by an error" in caplog.text


async def test_requests_without_a_connection_say_so() -> None:
    client = Client("ws://127.0.0.1:9/ws", credentials_of(CAR))
    with pytest.raises(ConnectionError):
        await client.read(ANA, [1])
    assert client.send([ANA], "kept", message=(uid := uuid4())) == uid
    assert [m.id for m in client.offline.messages()] == [uid]


def test_addresses_of_the_wire() -> None:
    assert websocket_url("http://host:1/") == "ws://host:1/ws"
    assert websocket_url("https://host") == "wss://host/ws"
    assert websocket_url("ws://host/ws") == "ws://host/ws"


async def test_a_program_that_acts_for_a_person_goes_on_when_its_session_locks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-SES-5: nobody can have left it alone."""
    monkeypatch.setattr("psn.door.WATCH_SECONDS", 0.005)
    async with Heard(stage.url, "ben") as ben, Heard(stage.url, "ana") as ana:
        await ana.client.watch()
        ticket = stage.core.tickets.by_token(ana.client.offline.token or "")
        assert ticket is not None
        ticket.active -= timedelta(hours=1)
        await until(lambda: ana.of(wire.Unlocked), "it unlocks")
        await ben.client.acknowledged(ben.client.send([ANA], "are you there?"))
        await until(lambda: ana.texts() == ["are you there?"], "it goes on")
        ticket.active -= timedelta(hours=1)
        message = ana.client.send([BEN], "all the time")
        await ana.client.acknowledged(message)


async def test_a_program_that_comes_back_to_a_locked_session_unlocks_it(stage: Stage) -> None:
    offline = Offline()
    async with Heard(stage.url, "ana", offline=offline) as ana:
        await ana.client.watch()
    ticket = stage.core.tickets.by_token(offline.token or "")
    assert ticket is not None
    ticket.active -= timedelta(hours=1)
    async with Heard(stage.url, "ana", offline=offline) as again:
        await again.client.watch()
        assert again.of(wire.SignedIn)[0].locked
        assert again.client.link is Link.UP


async def test_what_is_asked_for_is_done_once_however_often_the_line_breaks(stage: Stage) -> None:
    """DOM-ACT-2."""
    async with Client(stage.url, credentials_of("ana")) as client:
        await client.up()
        await client.follow("board")
        asked = [
            asyncio.create_task(client.do("incident.open", title=f"number {n}")) for n in range(20)
        ]
        await asyncio.sleep(0.02)
        for connection in list(stage.core.sessions.all):
            connection.outbox.transport.abort()
        answers = await asyncio.gather(*asked)
        assert len({answer["incident"] for answer in answers}) == 20
        titles = await stage.core.pool.fetch("select title from incident order by id")
        assert [row["title"] for row in titles] == [f"number {n}" for n in range(20)]
        with pytest.raises(ClientRefused, match="no such"):
            await client.do("incident.note", incident=999, text="x")


async def test_what_is_to_be_done_surely_the_next_run_of_the_program_does(
    stage: Stage, tmp_path: Path
) -> None:
    store = Offline(tmp_path / "store")
    client = Client("ws://127.0.0.1:9", credentials_of("ana"), offline=store)
    asked = asyncio.create_task(client.do_surely("incident.open", title="kept"))
    await asyncio.sleep(0)
    asked.cancel()
    store.close()
    store = Offline(tmp_path / "store")
    assert [one.what for one in store.asked()] == ["incident.open"]
    json_too = wire.SUBPROTOCOL_JSON
    auth = credentials_of("ana")
    async with Client(stage.url, auth, offline=store, subprotocol=json_too) as client:
        await until(lambda: store.asked() == [], "it is answered")
        with pytest.raises(ClientRefused):
            await client.do_surely("incident.note", incident=999, text="x")
    assert store.asked() == []
    assert await stage.core.pool.fetchval("select title from incident") == "kept"


async def test_what_no_server_would_take_is_refused_at_once_and_stops_nothing(
    stage: Stage, tmp_path: Path
) -> None:
    store = Offline(tmp_path / "store")
    async with Client(stage.url, credentials_of("ana"), offline=store) as client:
        await client.up()
        with pytest.raises(ClientRefused) as refused:
            client.send([BEN], "z" * 100_000)
        assert refused.value.code == "too_large"
        with pytest.raises(ClientRefused) as refused:
            client.send([BEN], "z" * 9_000)
        assert "too long" in refused.value.text
        with pytest.raises(ClientRefused):
            await client.do("incident.open", title="x" * 70_000)
        await client.acknowledged(client.send([BEN], "short"))
    assert store.messages() == []
    # What an earlier version kept all the same is passed over.
    long = wire.Message(id=uuid4(), to=[BEN], text="z" * 9_000)
    store.keep_message(long)
    assert store.messages() == []
