"""Sessions on a real server: resume, mail, presence and rights (docs/domain.md)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from stage import (
    ANA,
    BCG,
    BEN,
    BOAT,
    CAR,
    COVERT,
    CYD,
    GATEWAY,
    HERE,
    PATROL,
    TRUCK,
    Peer,
    Stage,
    credentials_of,
    message,
    named,
    now_ms,
    person,
    report,
    shown,
    texts,
    until,
    watching,
)

from psn import sessions, wire
from psn.picture.fanout import Outbox


@pytest_asyncio.fixture
async def ana(stage: Stage) -> AsyncIterator[Peer]:
    async with await Peer.enter(stage.url, "ana") as peer:
        yield peer


@pytest_asyncio.fixture
async def ben(stage: Stage) -> AsyncIterator[Peer]:
    async with await Peer.enter(stage.url, "ben") as peer:
        yield peer


async def say(peer: Peer, to: str | list[str], *said: str) -> list[wire.Message]:
    """Send these, and wait until they are stored."""
    sent = [message(to, text) for text in said]
    for one in sent:
        await peer.send(one)
    for one in sent:
        await peer.expect(wire.Ack, lambda ack, uid=one.id: ack.id == uid)  # type: ignore[misc]
    return sent


def seqs(peer: Peer, box: str) -> list[int]:
    return [mail.seq for mail in peer.of(wire.Mail) if mail.box == box]


# -- mail and resume


async def test_what_was_missed_comes_before_caught_up_and_then_goes_on_live(
    stage: Stage, ana: Peer
) -> None:
    await say(ana, BEN, "one", "two", "three")
    async with await Peer.join(stage.url) as ben:
        await ben.send(wire.SignIn(n=1, auth=person("ben"), seen={BEN: 1}))
        await until(lambda: ben.of(wire.CaughtUp), "it has caught up")
        assert [type(frame) for frame in ben.frames] == [
            wire.SignedIn,
            wire.Mail,
            wire.Mail,
            wire.CaughtUp,
        ]
        assert ben.of(wire.SignedIn)[0].boxes[BEN] == 3
        await say(ana, BEN, "four")
        await until(lambda: len(texts(ben)) == 3, "the live one")
        assert texts(ben) == ["two", "three", "four"]
        assert seqs(ben, BEN) == [2, 3, 4]


async def test_who_does_not_say_goes_on_where_its_mail_was_delivered(
    stage: Stage, ana: Peer
) -> None:
    await say(ana, BEN, "one", "two")
    async with await Peer.enter(stage.url, "ben") as first:
        assert texts(first) == ["one", "two"]  # his own mailbox from its beginning
        await first.send(wire.Seen(box=BEN, seq=1))
        await ana.expect(wire.Mail, lambda mail: isinstance(mail.body, wire.ReceiptBody))
    async with await Peer.enter(stage.url, "ben") as second:
        assert texts(second) == ["two"]


async def test_a_receipt_is_made_though_the_word_of_it_was_lost(stage: Stage, ana: Peer) -> None:
    """DOM-REC-9: the reader has it and his connection breaks before he says so."""
    (sent,) = await say(ana, BEN, "did you get this?")
    async with await Peer.enter(stage.url, "ben", seen={BEN: 0}) as ben:
        assert texts(ben) == ["did you get this?"]
        ben.socket.transport.abort()
    async with await Peer.enter(stage.url, "ben", seen={BEN: 1}):
        mail = await ana.expect(wire.Mail, lambda mail: isinstance(mail.body, wire.ReceiptBody))
    assert isinstance(mail.body, wire.ReceiptBody)
    assert (mail.body.of, mail.body.by, mail.body.state) == ([sent.id], BEN, "delivered")


async def test_the_first_word_to_an_empty_mailbox_is_not_missed(stage: Stage, ana: Peer) -> None:
    """DOM-REC-9: he was there when nothing was, and away for a moment when it came."""
    async with await Peer.enter(stage.url, "ben"):
        pass
    (sent,) = await say(ana, "group:1", "everybody out, now")
    async with await Peer.enter(stage.url, "ben") as again:
        assert texts(again) == ["everybody out, now"]
        await again.send(wire.Seen(box="group:1", seq=1))
        mail = await ana.expect(wire.Mail, lambda mail: isinstance(mail.body, wire.ReceiptBody))
    assert isinstance(mail.body, wire.ReceiptBody)
    assert (mail.body.of, mail.body.by) == ([sent.id], BEN)


async def test_the_first_word_after_joining_is_not_missed(stage: Stage, ana: Peer) -> None:
    """DOM-REC-9: he joins while signed in, and his line breaks before the next word."""
    await say(ana, "group:1", "before")
    async with await Peer.enter(stage.url, "cyd") as cyd:
        await stage.core.pool.execute(
            "insert into group_member (group_id, person_id) values (1, 3)"
        )
        await until(
            lambda: any("group:1" in s.cursors for s in stage.core.sessions.all
                        if s.principal.address == CYD),
            "cyd is in",
        )  # fmt: skip
        cyd.socket.transport.abort()
    await say(ana, "group:1", "after")
    async with await Peer.enter(stage.url, "cyd") as again:
        assert texts(again) == ["after"]


async def test_nobody_has_what_was_not_sent_to_him(stage: Stage, ana: Peer) -> None:
    """A word about more than was handed out counts for what was."""
    async with await Peer.enter(stage.url, "ben") as ben:
        await ben.send(wire.Seen(box=BEN, seq=9_000_000))
        (sent,) = await say(ana, BEN, "really?")
        await until(lambda: texts(ben), "it comes")
        await ben.answers()
        assert not any(isinstance(m.body, wire.ReceiptBody) for m in ana.of(wire.Mail))
        await ben.send(wire.Seen(box=BEN, seq=9_000_000))
        mail = await ana.expect(wire.Mail, lambda mail: isinstance(mail.body, wire.ReceiptBody))
    assert isinstance(mail.body, wire.ReceiptBody)
    assert mail.body.of == [sent.id]


@pytest.mark.parametrize(
    ("author", "by"), [("ana", f"unit:{COVERT}"), ("ben", "agency:1"), ("cyd", "agency:1")]
)
async def test_receipts_do_not_give_the_hidden_away(stage: Stage, author: str, by: str) -> None:
    """DOM-REC-10, DOM-WHO-3: its own agency is told which unit it was."""
    async with (
        await Peer.enter(stage.url, author) as writer,
        await Peer.enter(stage.url, COVERT) as covert,
    ):
        await say(writer, "agency:1", "to whom it may concern")
        await until(lambda: texts(covert), "the hidden unit reads it")
        await covert.send(wire.Seen(box="agency:1", seq=1))
        await covert.send(wire.Read(n=7, box="agency:1", seqs=[1]))
        for state in ("delivered", "read"):
            mail = await writer.expect(wire.Mail, lambda m: isinstance(m.body, wire.ReceiptBody))
            assert isinstance(mail.body, wire.ReceiptBody)
            name = "X-1" if by.startswith("unit") else "Police"
            assert (mail.body.by, mail.body.by_name, mail.body.state) == (by, name, state)


async def test_what_was_stored_is_acknowledged_though_rights_have_gone(
    stage: Stage, ana: Peer
) -> None:
    """DOM-REC-4: otherwise its author would be told that it was not sent."""
    (sent,) = await say(ana, BEN, "they may read this")
    await stage.core.pool.execute("update agreement set ends_at = now()")
    await until(
        lambda: not any(a.holds(datetime.now(UTC)) for a in stage.core.directory.agreements),
        "the agreements have ended",
    )
    await ana.send(sent)
    await ana.expect(wire.Ack, lambda ack: ack.id == sent.id)
    await ana.send(message(BEN, "nor this"))
    await ana.refusal("not_reachable")


async def test_catching_up_waits_for_the_socket(
    stage: Stage, ana: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large messages of a page are not all put before a line that takes none of them."""
    monkeypatch.setattr(sessions, "HIGH_WATER_BYTES", 10_000)
    monkeypatch.setattr(sessions, "LOW_WATER_BYTES", 5_000)
    told = [f"{n} " + "x" * 4_000 for n in range(30)]
    for text in told:
        await say(ana, BEN, text)
    most = 0
    send = Outbox.send

    def watched(self: Outbox, payload: bytes) -> None:
        nonlocal most
        send(self, payload)
        most = max(most, self.waiting)

    monkeypatch.setattr(Outbox, "send", watched)
    async with await Peer.enter(stage.url, "ben") as ben:
        assert texts(ben) == told
    assert most < 20_000


async def test_a_new_member_makes_no_receipts_for_the_past_by_coming_back(
    stage: Stage, ana: Peer
) -> None:
    """DOM-REC-6: he joined, left and returned before the first word was said."""
    await say(ana, "group:1", "before")
    await stage.core.pool.execute("insert into group_member (group_id, person_id) values (1, 3)")
    await until(lambda: 3 in stage.core.directory.groups[1].people, "cyd is in")
    async with await Peer.enter(stage.url, "cyd", seen={CYD: 0, "group:1": 1}) as cyd:
        (sent,) = await say(ana, "group:1", "after")
        await until(lambda: texts(cyd), "it reaches the new member")
        await cyd.send(wire.Seen(box="group:1", seq=2))
        mail = await ana.expect(wire.Mail, lambda mail: isinstance(mail.body, wire.ReceiptBody))
    assert isinstance(mail.body, wire.ReceiptBody)
    assert (mail.body.of, mail.body.by) == ([sent.id], "group:1")  # DOM-REC-10


async def test_a_newcomer_is_not_flooded_with_the_past_of_his_agency(
    stage: Stage, ana: Peer
) -> None:
    await say(ana, ["agency:2", "group:1"], "long ago")
    async with await Peer.enter(stage.url, "ben") as ben:
        await say(ana, "agency:2", "today")
        await until(lambda: texts(ben), "news")
        assert texts(ben) == ["today"]
        assert seqs(ben, "agency:2") == [2]


async def test_every_cut_in_the_middle_loses_and_doubles_nothing(
    stage: Stage, ana: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-REC-3, DOM-REC-5: a reader that is cut again and again while others write."""
    monkeypatch.setattr(sessions, "PAGE", 3)
    chance = random.Random(11)
    wanted = [f"{n}" for n in range(150)]
    got: dict[str, list[str]] = {BEN: [], "group:1": []}
    seen = {BEN: 0, "group:1": 0}

    async def write() -> None:
        for n, text in enumerate(wanted):
            await ana.send(message([BEN, "group:1"] if n % 3 else BEN, text))
            await asyncio.sleep(0.008)  # a console may send so often

    writing = asyncio.create_task(write())
    cuts = 0
    while len(got[BEN]) < len(wanted):
        peer = await Peer.join(stage.url)
        await peer.send(wire.SignIn(n=1, auth=person("ben"), seen=seen))
        enough = chance.randrange(1, 12)
        await until(
            lambda p=peer, e=enough: len(p.of(wire.Mail)) >= e or writing.done(),  # type: ignore[misc]
            "some mail",
        )
        if writing.done():
            await peer.expect(wire.CaughtUp)
            await until(
                lambda p=peer: len(got[BEN]) + len(seqs(p, BEN)) >= len(wanted),  # type: ignore[misc]
                "all that is left",
            )
        peer.socket.transport.abort()
        await peer.closed()
        cuts += 1
        for mail in peer.of(wire.Mail):
            assert isinstance(mail.body, wire.MessageBody)
            assert mail.seq == seen[mail.box] + 1
            seen[mail.box] = mail.seq
            got[mail.box].append(mail.body.text)
    await writing
    assert cuts > 3
    assert got[BEN] == wanted
    assert got["group:1"] == [text for n, text in enumerate(wanted) if n % 3][: len(got["group:1"])]


async def test_history_past_its_retention_is_said_to_be_and_the_rest_comes(
    stage: Stage, ana: Peer
) -> None:
    await say(ana, BEN, *(f"{n}" for n in range(1, 8)))
    await say(ana, "group:1", "gone too")
    await stage.core.pool.execute(
        "delete from mailbox_entry where address = $1 and seq < 4 or address = 'group:1'", BEN
    )
    async with await Peer.join(stage.url) as ben:
        await ben.sign_in(credentials_of("ben"), {BEN: 1, "group:1": 0})
        assert {(gone.box, gone.floor) for gone in ben.of(wire.HistoryGone)} == {
            (BEN, 4),
            ("group:1", 2),
        }
        assert texts(ben) == ["4", "5", "6", "7"]
        await say(ana, "group:1", "still here")
        await until(lambda: seqs(ben, "group:1") == [2], "the group goes on")


async def test_a_known_floor_is_told_at_once(stage: Stage, ana: Peer) -> None:
    await say(ana, BEN, *(f"{n}" for n in range(1, 8)))
    await stage.core.pool.execute("delete from mailbox_entry where address = $1 and seq < 4", BEN)
    stage.core.record.floors[BEN] = 4
    for seen, floors in (({BEN: 0}, [4]), ({BEN: 2}, [4]), ({BEN: 3}, []), ({}, [])):
        async with await Peer.join(stage.url) as ben:
            await ben.sign_in(credentials_of("ben"), seen)
            assert [gone.floor for gone in ben.of(wire.HistoryGone)] == floors
            assert texts(ben, BEN) == ["4", "5", "6", "7"]


@pytest.mark.parametrize("box", [ANA, "agency:1", "group:2", "unit:1"])
async def test_marks_in_mailboxes_of_others_are_refused(ben: Peer, box: str) -> None:
    await ben.send(wire.Seen(box=box, seq=1))
    await ben.refusal("not_your_mailbox")
    await ben.send(wire.Read(n=31, box=box, seqs=[1]))
    assert (await ben.refusal("not_your_mailbox")).n == 31
    await ben.answers()


async def test_joining_and_leaving_a_group_hold_at_once(stage: Stage, ana: Peer) -> None:
    """DOM-WHO-4, DOM-REC-6."""
    await say(ana, "group:1", "before")

    def reads() -> bool:
        return any(
            "group:1" in session.cursors
            for session in stage.core.sessions.all
            if session.principal.address == CYD
        )

    async with await Peer.enter(stage.url, "cyd") as cyd:
        assert not reads()
        await stage.core.pool.execute(
            "insert into group_member (group_id, person_id) values (1, 3)"
        )
        await until(reads, "cyd is in")
        await say(ana, "group:1", "during")
        await until(lambda: texts(cyd), "it reaches the new member")
        await stage.core.pool.execute("delete from group_member where person_id = 3")
        await until(lambda: not reads(), "cyd is out")
        await say(ana, "group:1", "after")
        await say(ana, "agency:3", "to all of customs")
        await until(lambda: len(texts(cyd)) == 2, "what he may read")
        assert texts(cyd) == ["during", "to all of customs"]
        await cyd.send(message("group:1", "may I?"))
        await cyd.refusal("not_reachable")


async def test_both_consoles_of_a_person_show_what_either_sent(stage: Stage, ana: Peer) -> None:
    async with await Peer.enter(stage.url, "ana", wire.SUBPROTOCOL_JSON) as second:
        await say(ana, BEN, "from the first")
        await say(second, BEN, "from the second")
        for console in (ana, second):
            await until(lambda c=console: len(texts(c, ANA)) == 2, "both")  # type: ignore[misc]
            assert texts(console, ANA) == ["from the first", "from the second"]


# -- presence


async def test_presence_follows_the_first_and_the_last_connection(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "GONE_AFTER_SECONDS", 0.2)
    looker = await watching(stage, "ana")
    units = {unit.id: unit.online for unit in looker.of(wire.Roster)[0].units}
    assert units[PATROL] is False
    first = await Peer.enter(stage.url, PATROL)
    second = await Peer.enter(stage.url, PATROL)
    await first.leave()
    await second.answers()
    back = await Peer.enter(stage.url, PATROL)
    await second.leave()
    await back.leave()
    address = f"unit:{PATROL}"
    await until(lambda: not stage.core.sessions.online(address), "it is gone")
    await looker.expect(wire.Presence, lambda p: p.who.get(address) is False)
    said = [p.who[address] for p in looker.of(wire.Presence) if address in p.who]
    assert said == [True]  # once on, and once off, which was taken above
    await looker.leave()


async def test_who_is_back_in_a_moment_was_never_gone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "GONE_AFTER_SECONDS", 60.0)
    looker = await watching(stage, "ana")
    for _ in range(3):
        async with await Peer.enter(stage.url, PATROL) as patrol:
            at = await report(patrol)
        await looker.expect(wire.Picture, lambda f, at=at: any(s.time == at for s in f.p))  # type: ignore[misc]
    address = f"unit:{PATROL}"
    said = [p.who[address] for p in looker.of(wire.Presence) if address in p.who]
    assert said == [True]
    await looker.leave()


async def test_presence_of_the_hidden_and_of_strangers_is_not_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WHO-2, DOM-WHO-3."""
    monkeypatch.setattr(sessions, "GONE_AFTER_SECONDS", 0.05)
    ben, cyd = await watching(stage, "ben"), await watching(stage, "cyd")
    async with await Peer.enter(stage.url, COVERT), await Peer.enter(stage.url, CAR):
        await ben.expect(wire.Presence, lambda p: p.who.get(f"unit:{CAR}") is True)
    await ben.expect(wire.Presence, lambda p: p.who.get(f"unit:{CAR}") is False)
    await ben.answers()
    await cyd.answers()
    told = {address for peer in (ben, cyd) for p in peer.of(wire.Presence) for address in p.who}
    assert not told & {f"unit:{COVERT}", f"unit:{CAR}", ANA}
    await ben.leave()
    await cyd.leave()


# -- the picture of a session


async def test_an_agreement_that_ends_by_the_clock_takes_its_units_along(stage: Stage) -> None:
    """DOM-WHO-4: nothing changes in the database when it does."""
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    await stage.core.pool.execute("update agreement set ends_at = $1 where owner_agency = 1", soon)
    await until(
        lambda: soon in {a.ends for a in stage.core.directory.agreements}, "the directory knows"
    )
    async with await Peer.enter(stage.url, CAR) as car:
        await report(car)
        await car.answers()
        ben = await watching(stage, "ben")
        if datetime.now(UTC) < soon:
            assert CAR in shown(ben)
        await until(lambda: datetime.now(UTC) > soon and CAR not in shown(ben), "it is over")
        assert named(ben).keys() == {BOAT}
        await until(lambda: ben.of(wire.RosterPeople), "people are not reached any more either")
        assert {p.agency for p in ben.of(wire.RosterPeople)[-1].people} == {BCG}
        before = len(ben.of(wire.Picture))
        await report(car)
        await car.answers()
        await ben.answers()
        assert len(ben.of(wire.Picture)) == before
        unheard = message(f"unit:{CAR}", "do you read?")
        await ben.send(unheard)
        assert (await ben.refusal("not_reachable")).id == unheard.id
        await ben.leave()


async def test_new_renamed_and_retired_units_reach_screens(stage: Stage) -> None:
    ben = await watching(stage, "ben")
    fresh = await stage.core.pool.fetchval(
        "insert into unit (agency_id, callsign, kind) values (1, 'P-3', 'car') returning id"
    )
    await until(lambda: fresh in named(ben), "a new unit has a name")
    assert named(ben)[fresh] == wire.RosterUnit(fresh, 1, "P-3", "car")
    await stage.core.pool.execute("update unit set callsign = 'P-33' where id = $1", fresh)
    await until(lambda: named(ben)[fresh].callsign == "P-33", "and another one")
    await stage.core.pool.execute(
        "insert into unit (agency_id, callsign, kind) values (3, 'C', 'car')"
    )
    async with await Peer.enter(stage.url, CAR) as car:
        await report(car)
        await until(lambda: CAR in shown(ben), "the car is seen")
        await stage.core.pool.execute("update unit set retired_at = now() where id = $1", CAR)
        await until(lambda: CAR not in shown(ben), "and is no more")
    assert named(ben).keys() == {PATROL, BOAT, fresh}  # nothing of customs
    await ben.leave()


async def test_a_unit_that_changes_agency_sees_and_reads_what_its_new_one_does(
    stage: Stage,
) -> None:
    """DOM-WHO-1, DOM-WHO-4."""
    stage.core.refresh_rights()  # so that the first look at the clock explains nothing below
    async with await Peer.enter(stage.url, CAR) as car, await Peer.enter(stage.url, BOAT) as boat:
        await report(boat)
        await boat.answers()
        tablet = await watching(stage, CAR)
        assert set(shown(tablet)) == {BOAT}
        await stage.core.pool.execute("update unit set agency_id = 3 where id = 1")
        await until(lambda: named(tablet).keys() == {CAR, TRUCK}, "its sight changes")
        assert shown(tablet) == {}
        async with await Peer.enter(stage.url, "cyd") as cyd:
            await say(cyd, "agency:3", "welcome")
        await until(lambda: texts(tablet, "agency:3") == ["welcome"], "it reads with its agency")
        await car.send(wire.Seen(box="agency:1", seq=0))
        await car.refusal("not_your_mailbox")
        await tablet.leave()


async def test_a_second_watch_replaces_the_first_and_unwatch_ends_it(stage: Stage) -> None:
    async with await Peer.enter(stage.url, CAR) as car, await Peer.enter(stage.url, BOAT) as boat:
        await report(car)
        await report(boat)
        await car.answers()
        await boat.answers()
        ana = await watching(stage, "ana")
        assert set(shown(ana)) == {CAR, BOAT}
        await ana.send(wire.Watch(n=50, agencies=[2]))
        await until(lambda: set(shown(ana)) == {BOAT}, "only the coast guard")
        assert stage.core.hub.views == 1
        await ana.send(wire.Watch(n=51, agencies=[]))
        await until(lambda: len(ana.of(wire.Roster)) == 3, "nobody at all")
        assert shown(ana) == {}
        await ana.send(wire.Unwatch(n=52))
        await ana.expect(wire.Ok, lambda ok: ok.n == 52)
        await report(car)
        await car.answers()
        await ana.answers()
        assert shown(ana) == {}
        assert stage.core.hub.views == 0
        await ana.leave()


async def test_agencies_asked_for_do_not_widen_what_may_be_seen(stage: Stage) -> None:
    async with await Peer.enter(stage.url, COVERT) as covert:
        await report(covert)
        await covert.answers()
        ben = await watching(stage, "ben", agencies=[1, 2, 3])
        assert shown(ben) == {}
        assert {unit.agency for unit in ben.of(wire.Roster)[0].units} == {1, 2}
        await ben.leave()


async def test_the_picture_outlives_the_server(stage: Stage) -> None:
    """DOM-PIC-8."""
    async with await Peer.enter(stage.url, CAR) as car:
        at = now_ms()
        await car.send(wire.Positions(n=4, p=[wire.Fix(0, at, *HERE, 1_234, 35_999, 250)]))
        await car.expect(wire.Ok)
    await stage.stop()
    await stage.start()
    ben = await watching(stage, "ben")
    assert shown(ben) == {CAR: wire.Seat(CAR, at, *HERE, 1_234, 35_999, 250)}
    await ben.leave()


async def test_fences_are_told_to_their_agency_and_joint_ones_to_all(stage: Stage) -> None:
    square = (
        "ST_GeomFromText('POLYGON((-88.2 17.4,-88.1 17.4,-88.1 17.5,-88.2 17.5,-88.2 17.4))', 4326)"
    )
    await stage.core.pool.execute(
        "insert into fence (agency_id, name, area) values"
        f" (null, 'joint', {square}), (1, 'police only', {square})"
    )
    await until(lambda: len(stage.core.directory.fences) == 2, "the directory has them")
    ana, ben = await watching(stage, "ana"), await watching(stage, "ben")
    async with await Peer.enter(stage.url, CAR) as car:
        at = await report(car)
        for peer, fences in ((ana, {1, 2}), (ben, {1})):
            told = await peer.expect(wire.FenceCrossings)
            assert {(x.unit, x.fence, x.inside, x.time) for x in told.x} == {
                (CAR, fence, True, at) for fence in fences
            }
    await ana.leave()
    await ben.leave()


async def test_a_batch_with_some_that_are_refused_stores_the_others(stage: Stage) -> None:
    looker = await watching(stage, "ana")
    async with await Peer.enter(stage.url, CAR) as car:
        at = now_ms() - 10_000
        fixes = [
            wire.Fix(0, at, *HERE),
            wire.Fix(BOAT, at, *HERE),
            wire.Fix(0, 0, *HERE),
            wire.Fix(0, at + 1_000, *HERE),
        ]
        await car.send(wire.Positions(n=8, p=fixes))
        error = await car.refusal("not_your_unit")
        assert error.text.startswith("2 of 4 positions were refused.")
        await car.expect(wire.Ok, lambda ok: ok.n == 8)
        assert await stage.core.pool.fetchval("select count(*) from track") == 2
        await until(lambda: CAR in shown(looker), "on the map")
    # Of a batch only the newest of each unit is shown.
    assert [s.time for f in looker.of(wire.Picture) for s in f.p] == [at + 1_000]
    await looker.leave()


async def test_a_gateway_has_no_mailbox_and_watches_nothing(stage: Stage) -> None:
    async with await Peer.enter(stage.url, GATEWAY) as gateway:
        assert gateway.me.boxes == {}
        await gateway.send(wire.Watch(n=3))
        assert (await gateway.refusal("not_allowed")).n == 3
        at = await report(gateway, unit=CAR)
        await gateway.answers()
        assert stage.core.picture.newest[CAR].fix.time == at
        await report(gateway, unit=BOAT)
        await gateway.refusal("not_your_unit")
