"""Sessions that name what is not theirs: units, people, mailboxes, ids, sequences."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
from stage import (
    ANA,
    BEN,
    BOAT,
    CAR,
    COVERT,
    CUSTOMS_ONLY,
    CYD,
    GATEWAY,
    PATROL,
    TRUCK,
    Bystanders,
    Peer,
    Stage,
    credentials_of,
    message,
    now_ms,
    texts,
    until,
)

from psn import wire

HERE = (-881_900_000, 172_500_000)
NEVER = 2_147_483_647


async def test_positions_of_other_units_are_refused(stage: Stage, bystanders: Bystanders) -> None:
    async with bystanders.undisturbed():
        async with await Peer.enter(stage.url, CAR) as car:
            for unit in (PATROL, BOAT, TRUCK, COVERT, NEVER):
                await car.send(wire.Position(p=wire.Fix(unit, now_ms(), *HERE)))
                await car.refusal("not_your_unit")
            await car.send(wire.Positions(n=3, p=[wire.Fix(BOAT, now_ms() - 5, *HERE)]))
            await car.refusal("not_your_unit")
            await car.expect(wire.Ok, lambda ok: ok.n == 3)
        async with await Peer.enter(stage.url, "cyd") as cyd:
            for unit in (0, TRUCK):
                await cyd.send(wire.Position(p=wire.Fix(unit, now_ms(), *HERE)))
                await cyd.refusal("not_your_unit")
        async with await Peer.enter(stage.url, GATEWAY) as gateway:
            for unit in (0, BOAT, TRUCK):
                await gateway.send(wire.Position(p=wire.Fix(unit, now_ms(), *HERE)))
                await gateway.refusal("not_your_unit")
        assert set(stage.core.picture.newest) <= {PATROL}


async def test_messages_to_whom_one_may_not_write_are_refused_whole(
    stage: Stage, bystanders: Bystanders
) -> None:
    async with (
        bystanders.undisturbed(),
        await Peer.enter(stage.url, "cyd") as cyd,
        await Peer.enter(stage.url, COVERT) as covert,
    ):
        for to in (BEN, f"unit:{COVERT}", f"unit:{BOAT}", "group:1", f"person:{NEVER}", "agency:99",
                   "person:9999999999"):  # fmt: skip
            frame = message([CYD, to], "not for you")
            await cyd.send(frame)
            error = await cyd.refusal("not_reachable")
            assert error.id == frame.id and to in error.text
        await cyd.answers()
        assert texts(cyd) == [] and texts(covert) == []
        await until(lambda: bystanders.looker.of(wire.Mail), "mail")
        assert "not for you" not in texts(bystanders.looker)


async def test_a_hidden_unit_never_leaves_its_agency(stage: Stage) -> None:
    async with (
        await Peer.enter(stage.url, "ana") as ana,
        await Peer.enter(stage.url, "ben") as ben,
        await Peer.enter(stage.url, COVERT) as covert,
    ):
        for looker in (ana, ben):
            await looker.send(wire.Watch(n=3, agencies=[1, 2, 3]))
        hidden = await ana.expect(wire.Roster)
        shown = await ben.expect(wire.Roster)
        assert COVERT in {unit.id for unit in hidden.units}
        assert {unit.id for unit in shown.units} == {CAR, PATROL, BOAT}
        await covert.send(wire.Position(p=wire.Fix(0, now_ms(), *HERE)))
        await ana.expect(wire.Picture, lambda p: any(s.unit == COVERT for s in p.p))
        await ben.answers()
        assert not any(seat.unit == COVERT for p in ben.of(wire.Picture) for seat in p.p)
        assert not any(f"unit:{COVERT}" in p.who for p in ben.of(wire.Presence))
        await ben.send(message(f"unit:{COVERT}", "I know you"))
        await ben.refusal("not_reachable")


async def test_mailboxes_of_others_are_not_read(stage: Stage, bystanders: Bystanders) -> None:
    others = [BEN, "unit:1", "agency:1", "agency:2", "group:1", f"person:{NEVER}"]
    async with bystanders.undisturbed(), await Peer.join(stage.url) as cyd:
        # Naming them at sign-in opens none of them.
        me = await cyd.sign_in(credentials_of("cyd"), dict.fromkeys(others, 0))
        assert set(me.boxes) == {CYD, "agency:3", f"group:{CUSTOMS_ONLY}"}
        for box in others:
            await cyd.send(wire.Seen(box=box, seq=1))
            await cyd.refusal("not_your_mailbox")
            await cyd.send(wire.Read(n=8, box=box, seqs=[1]))
            assert (await cyd.refusal("not_your_mailbox")).n == 8
        await cyd.answers()
        assert not cyd.of(wire.Mail)


async def test_a_token_of_another_kind_or_of_nobody(stage: Stage, bystanders: Bystanders) -> None:
    wrong = [
        (wire.SessionAuth("x"), "session_ended"),
        (wire.SessionAuth("\x00\u2028'"), "session_ended"),
        (wire.DeviceAuth(CAR, b"guess".zfill(64)), "wrong_credentials"),
        (wire.DeviceAuth(NEVER, b"guess".zfill(64)), "wrong_credentials"),
        (wire.PasswordAuth("ana", "guess"), "wrong_credentials"),
    ]
    async with bystanders.undisturbed(), await Peer.join(stage.url) as peer:
        for n, (auth, code) in enumerate(wrong):
            await peer.hello()
            await peer.send(wire.SignIn(n=n, auth=auth))
            assert (await peer.refusal(code)).n == n
        assert await peer.closed() == wire.CloseCode.NOT_SIGNED_IN
    async with bystanders.undisturbed(), await Peer.join(stage.url) as peer:
        for name in ("nobody at all", "ana' or '1'='1", "\x00"):
            await peer.send(wire.SignIn(n=1, auth=wire.PasswordAuth(name, "guess")))
            await peer.refusal("wrong_credentials")


async def test_a_message_under_the_id_of_another(stage: Stage) -> None:
    async with await Peer.enter(stage.url, "ana") as ana, await Peer.enter(stage.url, "ben") as ben:
        first = message(BEN, "go north", id=UUID(int=7))
        await ana.send(first)
        stored = await ana.expect(wire.Ack)
        # The same once more: acknowledged again with the first time, delivered once.
        await ana.send(first)
        assert await ana.expect(wire.Ack) == stored
        for frame in (
            message(BEN, "go south", id=first.id),
            message([BEN, ANA], "go north", id=first.id),
            message(BEN, "go north", id=first.id, priority="emergency"),
        ):
            await ana.send(frame)
            assert (await ana.refusal("id_taken")).id == first.id
        await ben.send(message(ANA, "go north", id=first.id))
        await ben.refusal("id_taken")
        # Twice in one batch, with different words: the first stands.
        twin = uuid4()
        await asyncio.gather(
            ana.send(message(BEN, "one", id=twin)), ana.send(message(BEN, "two", id=twin))
        )
        await ana.expect(wire.Ack, lambda ack: ack.id == twin)
        await ana.refusal("id_taken")
        await ana.send(message(BEN, "end"))
        await until(lambda: "end" in texts(ben), "the last message")
        assert texts(ben, BEN) == ["go north", "one", "end"]


async def test_a_message_to_50_recipients_reaches_each_once(
    stage: Stage, bystanders: Bystanders
) -> None:
    connection = await asyncpg.connect(stage.dsn)
    await connection.execute(
        "insert into unit (agency_id, callsign, kind)"
        " select 1, 'T-' || n, 'foot' from generate_series(1, 48) n"
    )
    ids = [r["id"] for r in await connection.fetch("select id from unit where callsign like 'T-%'")]
    await connection.close()
    await until(lambda: max(ids) in stage.core.directory.units, "new units are known")
    to = [BEN, f"unit:{CAR}", *(f"unit:{unit}" for unit in ids)]
    assert len(to) == 50
    async with (
        bystanders.undisturbed(),
        await Peer.enter(stage.url, "ana") as ana,
        await Peer.enter(stage.url, "ben") as ben,
        await Peer.enter(stage.url, CAR) as car,
    ):
        # Naming one twice is naming him once.
        frame = message([*to[:49], to[0]], "all units")
        await ana.send(frame)
        await ana.send(message(to, "all units again"))
        await until(lambda: len(ana.of(wire.Ack)) == 2, "acknowledged")
        await until(lambda: "all units again" in texts(ben) and texts(car), "delivered")
        assert [t for t in texts(ben) if "all" in t] == ["all units", "all units again"]
        assert texts(car) == ["all units", "all units again"]
        assert all(stage.core.record.heads[f"unit:{unit}"] >= 1 for unit in ids)
        bystanders.looker.frames = [
            f for f in bystanders.looker.frames
            if not (isinstance(f, wire.Mail) and isinstance(f.body, wire.MessageBody)
                    and f.body.text.startswith("all"))
        ]  # fmt: skip


async def test_resuming_with_sequences_that_never_were(
    stage: Stage, bystanders: Bystanders
) -> None:
    async with await Peer.enter(stage.url, "ana") as ana:
        for n in range(3):
            await ana.send(message(CYD if n > 2 else BEN, f"old {n}"))
        await until(lambda: len(ana.of(wire.Ack)) == 3, "stored")
    bystanders.looker.frames.clear()
    head = stage.core.record.heads[BEN]
    async with bystanders.undisturbed():
        for absurd in (head + 10_000, 9_007_199_254_740_991):
            async with await Peer.join(stage.url) as ben:
                await ben.sign_in(credentials_of("ben"), {BEN: absurd})
                gone = await ben.expect(wire.HistoryGone)
                assert gone.box == BEN and gone.floor <= absurd
                # From now on mail comes as to everybody.
                await ben.expect(wire.Mail, lambda mail: mail.box == BEN)
        async with await Peer.join(stage.url) as ben:
            await ben.sign_in(credentials_of("ben"), {BEN: 0, "group:1": 0, "unit:77": 5})
            assert texts(ben, BEN)[:3] == ["old 0", "old 1", "old 2"]
            await ben.send(wire.Seen(box=BEN, seq=9_007_199_254_740_991))
            await ben.send(wire.Read(n=5, box=BEN, seqs=[0, 3, 9_007_199_254_740_991]))
            await ben.expect(wire.Ok, lambda ok: ok.n == 5)


async def test_only_a_gateway_announces_and_only_into_its_own_agency(
    stage: Stage, bystanders: Bystanders
) -> None:
    units = [wire.AnnouncedUnit("k:1", '<b>LADY\'S "GIFT"</b>', "boat")]
    async with bystanders.undisturbed():
        for who in (CAR, "cyd"):
            async with await Peer.enter(stage.url, who) as peer:
                await peer.send(wire.Announce(n=2, units=units))
                assert (await peer.refusal("not_allowed")).n == 2
        async with await Peer.enter(stage.url, GATEWAY) as gateway:
            await gateway.send(wire.Announce(n=2, units=units))
            got = await gateway.expect(wire.Announced)
            unit = stage.core.directory.units[got.units["k:1"]]
            assert (unit.agency, unit.callsign) == (1, units[0].callsign)
            await gateway.send(wire.Position(p=wire.Fix(unit.id, now_ms(), *HERE)))
            await gateway.answers()
            await bystanders.looker.expect(
                wire.Picture, lambda p: any(s.unit == unit.id for s in p.p)
            )
            # Under a callsign that is another unit's.
            await gateway.send(wire.Announce(n=3, units=[wire.AnnouncedUnit("k:2", "P-1", "boat")]))
            taken = (await gateway.expect(wire.Announced)).units["k:2"]
            assert stage.core.directory.units[taken].callsign == "P-1 (k:2)"
            await gateway.send(wire.Watch(n=4))
            assert (await gateway.refusal("not_allowed")).n == 4
            await gateway.send(message(BEN, "a gateway writes nothing"))
            await gateway.refusal("not_reachable")


async def test_a_device_that_is_revoked_while_it_talks(
    stage: Stage, bystanders: Bystanders
) -> None:
    car = await Peer.enter(stage.url, CAR)
    connection = await asyncpg.connect(stage.dsn)
    async with bystanders.undisturbed():
        await connection.execute("update device set revoked_at = now() where id = $1", CAR)
        closing = await car.expect(wire.Closing)
        assert closing.code == "session_ended"
        assert await car.closed() == wire.CloseCode.SESSION_ENDED
        async with await Peer.join(stage.url) as again:
            await again.send(wire.SignIn(n=1, auth=wire.SessionAuth(car.me.token)))
            await again.refusal("session_ended")
    await connection.close()
    await car.leave()


async def test_receipts_are_not_made_up_for_what_was_said_before_one_joined(
    stage: Stage,
) -> None:
    connection = await asyncpg.connect(stage.dsn)
    async with await Peer.enter(stage.url, "ana") as ana, await Peer.enter(stage.url, "cyd") as cyd:
        await ana.send(message("group:1", "before your time"))
        await ana.expect(wire.Ack)
        await connection.execute("insert into group_member (group_id, person_id) values (1, 3)")
        await until(
            lambda: any("group:1" in s.cursors and s.principal.address == CYD
                        for s in stage.core.sessions.all),
            "cyd reads the group",
        )  # fmt: skip
        await ana.send(message("group:1", "welcome"))
        mail = await cyd.expect(wire.Mail)
        assert isinstance(mail.body, wire.MessageBody) and mail.body.text == "welcome"
        await cyd.send(wire.Seen(box="group:1", seq=mail.seq))
        receipt = await ana.expect(
            wire.Mail,
            lambda m: isinstance(m.body, wire.ReceiptBody) and m.body.by == "group:1",
        )
        assert isinstance(receipt.body, wire.ReceiptBody)
        assert receipt.body.of == [mail.body.id]
    await connection.close()
