"""Sessions that lock and end, on real sockets (docs/domain.md, DOM-SES-5 to DOM-SES-9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from stage import (
    ANA,
    BEN,
    CAR,
    PASSWORD,
    PATROL,
    Peer,
    Stage,
    credentials_of,
    message,
    now_ms,
    seed,
    texts,
    until,
)

from psn import door, server, wire
from psn.identity import idle, locking
from psn.identity.tickets import FRESH, Ticket

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _watched_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "WATCH_SECONDS", 0.005)


@pytest_asyncio.fixture
async def ana(stage: Stage) -> AsyncIterator[Peer]:
    async with await Peer.enter(stage.url, "ana") as peer:
        yield peer


@pytest_asyncio.fixture
async def ben(stage: Stage) -> AsyncIterator[Peer]:
    async with await Peer.enter(stage.url, "ben") as peer:
        yield peer


def ticket_of(stage: Stage, peer: Peer) -> Ticket:
    ticket = stage.core.tickets.by_token(peer.me.token)
    assert ticket is not None
    return ticket


async def leave_alone(stage: Stage, peer: Peer) -> None:
    """Nobody has touched this console for half an hour."""
    ticket_of(stage, peer).active = datetime.now(UTC) - HALF_AN_HOUR
    await peer.expect(wire.Locked)


async def unlock(peer: Peer, password: str = PASSWORD) -> None:
    n = peer.number()
    await peer.send(wire.Unlock(n=n, proof=wire.PasswordProof(password)))
    await peer.expect(wire.Ok, lambda ok: ok.n == n)
    await peer.expect(wire.Unlocked)


async def report(stage: Stage, unit: int) -> int:
    async with await Peer.enter(stage.url, unit) as peer:
        at = now_ms()
        await peer.send(wire.Position(p=wire.Fix(0, at, -881_900_000, 174_900_000)))
        await peer.answers()
    return at


async def test_it_is_told_once_before_it_locks_and_activity_keeps_it_open(
    stage: Stage, ana: Peer
) -> None:
    """DOM-SES-5."""
    ticket = ticket_of(stage, ana)
    ticket.active = datetime.now(UTC) - timedelta(minutes=28, seconds=30)
    told = await ana.expect(wire.Locking)
    assert 80 <= told.seconds <= 90
    before = ticket.active
    await asyncio.sleep(0.2)
    assert not ana.of(wire.Locking), "once is enough"
    await ana.send(wire.Active())
    await ana.answers()
    assert ticket.active > before
    ticket.active = datetime.now(UTC) - timedelta(minutes=29)
    assert (await ana.expect(wire.Locking)).seconds <= 60
    assert not ana.of(wire.Locked)


async def test_a_locked_session_is_sent_nothing_of_the_picture_or_the_mail(
    stage: Stage, ana: Peer, ben: Peer
) -> None:
    """DOM-SES-6."""
    await ana.send(wire.Watch(n=ana.number()))
    await ana.expect(wire.Picture)
    await leave_alone(stage, ana)
    ana.frames.clear()
    await report(stage, PATROL)
    for frame in (message(ANA, "not now"), message("group:1", "nor this")):
        await ben.send(frame)
        await ben.expect(wire.Ack)
    await stage.core.pool.execute("update unit set callsign = 'P-9' where id = 1")
    await stage.core.pool.execute("insert into group_member (group_id, person_id) values (2, 1)")
    await until(lambda: stage.core.directory.units[1].callsign == "P-9", "units have changed")
    await until(lambda: 1 in stage.core.directory.groups[2].people, "groups have changed")
    await ana.answers()
    assert ana.frames == []


async def test_after_unlock_mail_resumes_without_loss_and_the_picture_is_shown_anew(
    stage: Stage, ana: Peer, ben: Peer
) -> None:
    """DOM-SES-7, DOM-REC-5."""
    await ana.send(wire.Watch(n=ana.number()))
    await ana.expect(wire.Picture)
    await leave_alone(stage, ana)
    for n in range(5):
        await ben.send(message([ANA, "group:1"], f"number {n}"))
        await ben.expect(wire.Ack)
    at = await report(stage, PATROL)
    ana.frames.clear()
    await unlock(ana)
    await until(lambda: len(texts(ana, ANA)) == 5 == len(texts(ana, "group:1")), "mail resumes")
    assert texts(ana, ANA) == [f"number {n}" for n in range(5)]
    await ana.expect(wire.Roster)
    picture = await ana.expect(wire.Picture, lambda p: p.snapshot)
    assert at in [seat.time for seat in picture.p]
    await ben.send(message(ANA, "live again"))
    await until(lambda: texts(ana, ANA)[-1:] == ["live again"], "and goes on")


async def test_locking_in_the_middle_of_catching_up_loses_nothing(
    stage: Stage, ana: Peer, ben: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-SES-7: pages of three, and the lock falls between them."""
    monkeypatch.setattr("psn.sessions.PAGE", 3)
    await ana.leave()
    wanted = [f"number {n}" for n in range(40)]
    for text in wanted:
        await ben.send(message(ANA, text))
        await ben.expect(wire.Ack)
    async with await Peer.join(stage.url) as again:
        auth = wire.SessionAuth(ana.me.token)
        await again.send(wire.SignIn(n=1, auth=auth, seen={ANA: 0}))
        again.me = await again.expect(wire.SignedIn)
        await again.expect(wire.Mail)
        (session,) = (s for s in stage.core.sessions.all if s.principal.address == ANA)
        locking.lock(stage.core, session)
        stage.core.tickets._tickets[session.ticket.hash].active -= HALF_AN_HOUR
        await again.answers()
        had = len(texts(again, ANA))
        await asyncio.sleep(0.1)
        assert len(texts(again, ANA)) == had < 40
        await unlock(again)
        await until(lambda: len(texts(again, ANA)) >= 39, "all of it comes")
        assert texts(again, ANA) == wanted[1:]
        await again.expect(wire.CaughtUp)


async def test_a_locked_session_takes_nothing_but_what_unlocks_or_ends_it(
    stage: Stage, ana: Peer
) -> None:
    """DOM-SES-6: a message is refused with ``retry``, so that its client keeps it."""
    await leave_alone(stage, ana)
    unsaid = message(BEN, "left open")
    for frame in (
        unsaid,
        wire.Watch(n=90),
        wire.Unwatch(n=91),
        wire.Read(n=92, box=ANA, seqs=[1]),
        wire.Seen(box=ANA, seq=1),
        wire.Position(p=wire.Fix(1, now_ms(), 0, 0)),
        wire.Active(),
    ):
        await ana.send(frame)
        error = await ana.refusal("locked")
        assert error.n == getattr(frame, "n", None) and error.id == getattr(frame, "id", None)
        assert error.retry is not None
    assert stage.core.tickets.locked(ticket_of(stage, ana), datetime.now(UTC)), "not by `active`"
    await unlock(ana)
    await ana.send(unsaid)
    await ana.expect(wire.Ack, lambda ack: ack.id == unsaid.id)


async def test_a_locked_session_can_sign_out(stage: Stage, ana: Peer) -> None:
    await leave_alone(stage, ana)
    await ana.send(wire.SignOut(n=9))
    await ana.expect(wire.Ok, lambda ok: ok.n == 9)
    assert await ana.closed() == wire.CloseCode.SESSION_ENDED


async def test_an_emergency_is_noticed_at_a_locked_console_without_a_word_of_it(
    stage: Stage, ana: Peer, ben: Peer
) -> None:
    """DOM-SES-8."""
    await leave_alone(stage, ana)
    await ben.send(message("group:1", "just routine"))
    await ben.expect(wire.Ack)
    await ben.send(message("group:1", "officer down at the bridge", priority="emergency"))
    await ben.expect(wire.Ack)
    waits = await ana.expect(wire.EmergencyWaits)
    assert b"bridge" not in wire.JSON.encode(waits)
    await ana.answers()
    assert ana.frames == [], "nothing else, and for one emergency once"
    await unlock(ana)
    await until(lambda: "officer down at the bridge" in texts(ana, "group:1"), "then all of it")


async def test_an_emergency_of_ones_own_rings_at_no_console_of_ones_own(
    stage: Stage, ana: Peer
) -> None:
    await leave_alone(stage, ana)
    async with await Peer.enter(stage.url, "ana") as other:
        await other.send(message(BEN, "my own", priority="emergency"))
        await other.expect(wire.Ack)
    await ana.answers()
    assert not ana.of(wire.EmergencyWaits)


async def test_an_emergency_that_came_while_the_line_was_down_rings_when_it_is_back(
    stage: Stage, ana: Peer, ben: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-SES-8: though it stands behind much else that was not seen."""
    monkeypatch.setattr("psn.sessions.PAGE", 3)
    ticket = ticket_of(stage, ana)
    await ana.leave()
    ticket.active -= HALF_AN_HOUR
    for n in range(12):
        priority = "emergency" if n == 8 else "routine"
        await ben.send(message(ANA, f"number {n}", priority=priority))
        await ben.expect(wire.Ack)
    async with await Peer.join(stage.url) as again:
        auth = wire.SessionAuth(ana.me.token)
        await again.send(wire.SignIn(n=1, auth=auth, seen={ANA: 0}))
        again.me = await again.expect(wire.SignedIn)
        assert again.me.locked
        await again.expect(wire.EmergencyWaits)
        await again.answers()
        assert again.frames == []
        await unlock(again)
        await again.expect(wire.CaughtUp)
        assert texts(again, ANA) == [f"number {n}" for n in range(12)]


async def test_a_wrong_password_does_not_unlock_and_guessing_is_slowed(
    stage: Stage, ana: Peer
) -> None:
    """DOM-PER-5: at this session alone."""
    stage.core.signin.people._clock = lambda: 1_000.0
    await leave_alone(stage, ana)
    codes = []
    for n in range(10):
        await ana.send(wire.Unlock(n=n, proof=wire.PasswordProof(f"guess number {n}")))
        error = await ana.expect(wire.Error)
        assert error.n == n
        codes.append(error.code)
    assert codes == ["wrong_credentials"] * 8 + ["too_many_tries"] * 2
    async with await Peer.enter(stage.url, "ana"):
        pass
    stage.core.signin.people._clock = lambda: 2_000.0
    await unlock(ana)


async def test_the_token_of_a_fresh_session_unlocks_and_is_used_up(
    stage: Stage, ana: Peer, ben: Peer
) -> None:
    """As a passkey gives it. Another person's does not, nor this session's own, nor a stale one."""
    await leave_alone(stage, ana)
    async with await Peer.enter(stage.url, "ana") as other:
        stale = ticket_of(stage, other)
        for token in (ben.me.token, ana.me.token, "guess", other.me.token):
            if token == other.me.token:
                stale.proved -= FRESH
            await ana.send(wire.Unlock(n=1, proof=wire.TokenProof(token)))
            await ana.refusal("wrong_credentials")
        stale.proved += FRESH
        await ana.send(wire.Unlock(n=2, proof=wire.TokenProof(other.me.token)))
        await ana.expect(wire.Unlocked)
        assert await other.closed() == wire.CloseCode.SESSION_ENDED


async def test_all_connections_of_a_session_lock_and_unlock_together(
    stage: Stage, ana: Peer
) -> None:
    async with await Peer.join(stage.url) as second:
        await second.sign_in(wire.SessionAuth(ana.me.token))
        await leave_alone(stage, ana)
        await second.expect(wire.Locked)
        await unlock(second)
        await ana.expect(wire.Unlocked)


async def test_devices_do_not_lock(stage: Stage) -> None:
    """DOM-SES-5: a tablet in a holder is looked at and not touched."""
    async with await Peer.enter(stage.url, CAR) as tablet:
        ticket = ticket_of(stage, tablet)
        ticket.active -= timedelta(days=2)
        assert not stage.core.tickets.locked(ticket, datetime.now(UTC))
        await asyncio.sleep(0.2)
        await tablet.answers()
        assert tablet.frames == []


async def test_what_was_locked_is_locked_after_a_restart_and_what_was_not_is_not(
    database: str,
) -> None:
    """DOM-SES-9."""
    await seed(database)
    first = Stage(database)
    await first.start()
    async with await Peer.enter(first.url, "ana") as ana, await Peer.enter(first.url, "ben") as ben:
        for peer, minutes in ((ana, 31), (ben, 5)):
            ticket = ticket_of(first, peer)
            first.core.tickets.active(ticket)
            ticket.active = datetime.now(UTC) - timedelta(minutes=minutes)
        await first.stop()
    second = Stage(database)
    await second.start()
    async with await Peer.join(second.url) as again, await Peer.join(second.url) as other:
        await again.send(wire.SignIn(n=1, auth=wire.SessionAuth(ana.me.token)))
        again.me = await again.expect(wire.SignedIn)
        assert again.me.locked
        assert not (await other.sign_in(wire.SessionAuth(ben.me.token))).locked
        active = ticket_of(second, other).active
        assert timedelta(minutes=4) < datetime.now(UTC) - active < timedelta(minutes=7)
    await second.stop()


async def test_activity_is_written_together_and_tells_nobody_that_sessions_ended(
    stage: Stage, ana: Peer, ben: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a minute; a thousand consoles must not have every ticket read again each time."""
    loads = 0
    load = stage.core.tickets.load

    async def counted() -> None:
        nonlocal loads
        loads += 1
        await load()

    monkeypatch.setattr(stage.core.tickets, "load", counted)
    for peer in (ana, ben):
        await peer.send(wire.Active())
        await peer.answers()
    await stage.core.tickets.write_activity()
    rows = await stage.core.pool.fetch("select active_at from session order by created_at")
    assert [row[0] for row in rows] == [ticket_of(stage, peer).active for peer in (ana, ben)]
    await stage.core.pool.execute("update session set ended_at = now() where person_id = 2")
    assert await ben.closed() == wire.CloseCode.SESSION_ENDED
    assert loads == 1
    assert server.ACTIVITY_SECONDS == 60.0


async def test_the_end_of_a_session_is_told_beforehand_and_then_comes(
    stage: Stage, ana: Peer
) -> None:
    """DOM-SES-5."""
    ticket = ticket_of(stage, ana)
    ticket.ends = datetime.now(UTC) + timedelta(minutes=10)
    assert 590 <= (await ana.expect(wire.Ending)).seconds <= 600
    await asyncio.sleep(0.1)
    assert not ana.of(wire.Ending), "once"
    ticket.ends = datetime.now(UTC)
    assert (await ana.expect(wire.Closing)).code == "session_ended"
    assert await ana.closed() == wire.CloseCode.SESSION_ENDED


@pytest.mark.parametrize(
    "statement",
    [
        "update session set ended_at = now() where person_id = 1",
        "update person set disabled_at = now() where id = 1",
        "delete from session where person_id = 1",
    ],
)
async def test_what_an_administrator_ends_is_over_when_the_notice_comes(
    stage: Stage, ana: Peer, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """DOM-SES-1: not at the next round of the watch, which never comes here."""
    monkeypatch.setattr(door, "WATCH_SECONDS", 3_600.0)
    await asyncio.sleep(0.05)
    await stage.core.pool.execute(statement)
    assert (await ana.expect(wire.Closing)).code == "session_ended"
    assert await ana.closed() == wire.CloseCode.SESSION_ENDED


# -- who has no second factor where one is required


@pytest_asyncio.fixture
async def strict(database: str) -> AsyncIterator[Stage]:
    await seed(database)
    running = Stage(database, second_factor="required")
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


async def test_without_a_second_factor_a_session_can_do_nothing_but_enrol_one(
    strict: Stage,
) -> None:
    """DOM-PER-7."""
    async with await Peer.join(strict.url) as peer, await Peer.enter(strict.url, CAR):
        await peer.send(wire.SignIn(n=1, auth=credentials_of("ana"), seen={ANA: 0}))
        me = await peer.expect(wire.SignedIn)
        assert me.limited and me.boxes == {}
        for frame in (
            message(BEN, "let me in"),
            wire.Watch(n=2),
            wire.Active(),
            wire.Unlock(n=3, proof=wire.PasswordProof(PASSWORD)),
            wire.Read(n=4, box=ANA, seqs=[1]),
        ):
            await peer.send(frame)
            error = await peer.refusal("account_unfinished")
            assert error.kinds is None
        await peer.answers()
        assert peer.frames == []
        assert not strict.core.sessions.online(ANA)
        # Coming back with the token changes nothing.
        async with await Peer.join(strict.url) as again:
            await again.send(wire.SignIn(n=1, auth=wire.SessionAuth(me.token)))
            assert (await again.expect(wire.SignedIn)).limited
        await peer.send(wire.SignOut(n=9))
        assert await peer.closed() == wire.CloseCode.SESSION_ENDED


async def test_a_limited_session_is_limited_after_a_restart_until_a_factor_is_there(
    strict: Stage,
) -> None:
    """DOM-PER-7."""
    async with await Peer.join(strict.url) as peer:
        await peer.send(wire.SignIn(n=1, auth=credentials_of("ana")))
        me = await peer.expect(wire.SignedIn)
    strict.core.tickets._tickets.clear()
    await strict.core.tickets.load()
    assert strict.core.tickets.by_token(me.token).limited  # type: ignore[union-attr]
    await strict.core.pool.execute(
        "insert into second_factor (person_id, kind, label, secret) values (1, 'totp', 'x', 'x')"
    )
    await strict.core.tickets.load()
    async with await Peer.join(strict.url) as again:
        assert not (await again.sign_in(wire.SessionAuth(me.token))).limited


async def test_constants_that_tests_do_not_wait_for_are_the_promised_ones() -> None:
    assert timedelta(minutes=2) == idle.LOCK_WARNING
    assert timedelta(minutes=15) == idle.END_WARNING
