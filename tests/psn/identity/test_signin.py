"""Signing in (docs/domain.md, DOM-SES and DOM-WHO-5): who is let in, as whom, and how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stage import (
    ANA,
    CAR,
    GATEWAY,
    JOINT,
    PASSWORD,
    PATROL,
    Peer,
    Stage,
    credentials_of,
    device,
    message,
    new_signin,
    person,
    seed,
    texts,
    until,
)

from psn import access, connection, directory_watch, wire
from psn.directory import Directory
from psn.enrolment.device_key import Enrolled
from psn.identity import credentials
from psn.identity.signin import SignIn, SignInRefused
from psn.identity.tickets import Ticket, Tickets
from psn.keys import Keys

HERE = "192.0.2.7"
KEYS = Keys(Ed25519PrivateKey.generate(), bytes(32))

NONCE = bytes(range(32))
"""What the server said, where there is no connection."""


def said(who: str | int) -> wire.PasswordAuth | wire.DeviceAuth:
    auth = credentials_of(who)
    if isinstance(auth, Enrolled):
        return wire.DeviceAuth(auth.device, auth.sign_in(NONCE))
    return auth


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await seed(database)
    made = await asyncpg.create_pool(database, min_size=1, max_size=4)
    try:
        yield made
    finally:
        await made.close()


@pytest_asyncio.fixture
async def people(pool: asyncpg.Pool) -> Directory:
    return await directory_watch.load(pool)


@pytest.fixture
def signin(pool: asyncpg.Pool) -> SignIn:
    return new_signin(pool, KEYS)


async def test_a_person_is_who_the_directory_says(signin: SignIn, people: Directory) -> None:
    for name in ("ana", "  ANA "):
        who, token, ticket = await signin.check(wire.PasswordAuth(name, PASSWORD), people, HERE)
        assert (who.address, who.agency, who.roles, who.device) == (ANA, 1, ("dispatcher",), None)
        assert signin.tickets.by_token(token) == ticket
        assert timedelta(hours=11, minutes=59) < ticket.ends - datetime.now(UTC)
        assert ticket.ends - datetime.now(UTC) <= timedelta(hours=12)


async def test_a_device_is_its_unit_and_a_gateway_is_itself(
    signin: SignIn, people: Directory
) -> None:
    tablet, _, _ = await signin.check(said(CAR), people, HERE, NONCE)
    assert (tablet.address, tablet.unit, tablet.gateway, tablet.roles) == (
        "unit:1",
        CAR,
        False,
        ("field",),
    )
    gateway, _, _ = await signin.check(said(GATEWAY), people, HERE, NONCE)
    assert (gateway.address, gateway.unit, gateway.gateway) == ("device:6", None, True)
    assert not gateway.reads


async def test_the_token_itself_is_nowhere_on_disk(
    signin: SignIn, people: Directory, pool: asyncpg.Pool
) -> None:
    _, token, _ = await signin.check(person("ana"), people, HERE)
    (row,) = await pool.fetch("select * from session")
    assert row["token_hash"] == credentials.token_hash(token)
    assert token not in str(dict(row))
    assert (row["person_id"], row["device_id"]) == (1, None)


@pytest.mark.parametrize(
    "auth",
    [
        wire.PasswordAuth("ana", PASSWORD + "."),
        wire.PasswordAuth("ana", PASSWORD.upper()),
        wire.PasswordAuth("nobody", PASSWORD),
        wire.PasswordAuth("ana\0", PASSWORD),
        wire.DeviceAuth(CAR, bytes(64)),
        wire.DeviceAuth(PATROL, device(CAR).sign_in(NONCE)),
        wire.DeviceAuth(99, device(99).sign_in(NONCE)),
        wire.DeviceAuth(CAR, device(CAR).sign_in(bytes(32))),
    ],
)
async def test_wrong_credentials_are_all_refused_alike(
    signin: SignIn,
    people: Directory,
    pool: asyncpg.Pool,
    auth: wire.PasswordAuth | wire.DeviceAuth,
) -> None:
    with pytest.raises(SignInRefused) as refused:
        await signin.check(auth, people, HERE, NONCE)
    assert refused.value.code == "wrong_credentials"
    assert await pool.fetchval("select count(*) from session") == 0


@pytest.mark.parametrize(
    ("statement", "who"),
    [
        ("update person set disabled_at = now() where name = 'ana'", "ana"),
        ("update device set revoked_at = now() where id = 1", CAR),
        ("update unit set retired_at = now() where id = 1", CAR),
    ],
)
async def test_who_may_no_longer_is_refused_anew_and_with_an_old_token(
    signin: SignIn, people: Directory, pool: asyncpg.Pool, statement: str, who: str | int
) -> None:
    """DOM-WHO-5, DOM-SES-1."""
    _, token, ticket = await signin.check(said(who), people, HERE, NONCE)
    await pool.execute(statement)
    now = await directory_watch.load(pool)
    assert signin.principal(ticket, now) is None
    for auth, code in (
        (said(who), "wrong_credentials"),
        (wire.SessionAuth(token), "session_ended"),
    ):
        with pytest.raises(SignInRefused) as refused:
            await signin.check(auth, now, HERE, NONCE)
        assert refused.value.code == code


async def test_a_token_comes_back_after_a_restart_and_not_after_its_end(
    signin: SignIn, people: Directory, pool: asyncpg.Pool
) -> None:
    _, kept, _ = await signin.check(person("ana"), people, HERE)
    _, ended, ticket = await signin.check(person("ben"), people, HERE)
    await signin.tickets.end(ticket)
    assert signin.tickets.by_token(ended) is None
    assert not signin.tickets.holds(ticket)
    after = new_signin(pool, KEYS)
    await after.tickets.load()
    who, token, _ = await after.check(wire.SessionAuth(kept), people, HERE)
    assert (who.address, token) == (ANA, kept)
    for bad in (ended, "", kept + "x"):
        with pytest.raises(SignInRefused) as refused:
            await after.check(wire.SessionAuth(bad), people, HERE)
        assert refused.value.code == "session_ended"


async def test_a_token_runs_out(pool: asyncpg.Pool, people: Directory) -> None:
    """DOM-SES-1."""
    brief = new_signin(pool, KEYS, hours=0)
    _, token, ticket = await brief.check(person("ana"), people, HERE)
    assert brief.tickets.by_token(token) is None
    assert not brief.tickets.holds(ticket)
    await brief.tickets.load()
    assert not brief.tickets.holds(ticket)


async def test_a_rush_of_passwords_is_checked_two_at_a_time(
    signin: SignIn, people: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-SES-3: hashing must not take every worker thread."""
    checking = most = 0
    verify = credentials.verify_password

    def counted(kept: str | None, password: str) -> bool:
        nonlocal checking, most
        checking += 1
        most = max(most, checking)
        try:
            return verify(kept, password)
        finally:
            checking -= 1

    monkeypatch.setattr(credentials, "verify_password", counted)
    got = await asyncio.gather(*(signin.check(person("ana"), people, HERE) for _ in range(10)))
    assert len({token for _, token, _ in got}) == 10
    assert most <= 2


async def test_without_a_database_nobody_new_and_everybody_known(people: Directory) -> None:
    """DOM-SES-4."""

    class Away:
        def acquire(self, timeout: float) -> None:
            raise ConnectionRefusedError

    signin = new_signin(Away(), KEYS)  # type: ignore[arg-type]
    with pytest.raises(SignInRefused) as refused:
        await signin.check(person("ana"), people, HERE)
    assert refused.value.code == "unavailable"


async def test_sign_in_over_the_wire(stage: Stage) -> None:
    async with await Peer.join(stage.url) as peer:
        me = await peer.sign_in(credentials_of("ana"))
        assert (me.me, me.name, me.agency, me.roles, me.unit) == (
            ANA,
            "Ana",
            1,
            ["dispatcher"],
            None,
        )
        assert set(me.boxes) == {ANA, "agency:1", f"group:{JOINT}"}
        assert 0 < me.ends - me.time <= 12 * 3_600_000
    async with await Peer.join(stage.url) as again:
        assert (await again.sign_in(wire.SessionAuth(me.token))).me == ANA


async def test_guessing_is_cut_off(stage: Stage) -> None:
    async with await Peer.join(stage.url) as peer:
        for n in range(connection.SIGN_IN_TRIES):
            await peer.send(wire.SignIn(n=n, auth=wire.PasswordAuth("ana", f"guess {n}")))
            error = await peer.refusal("wrong_credentials")
            assert error.n == n
        assert await peer.closed() == wire.CloseCode.NOT_SIGNED_IN


async def test_nothing_is_answered_before_signing_in(stage: Stage) -> None:
    async with await Peer.join(stage.url) as peer:
        for n, frame in enumerate((wire.Watch(n=0), wire.Unwatch(n=1), wire.SignOut(n=2))):
            await peer.send(frame)
            assert (await peer.refusal("not_signed_in")).n == n
        unsaid = message(ANA, "too soon")
        await peer.send(unsaid)
        assert (await peer.refusal("not_signed_in")).id == unsaid.id


async def test_signing_out_ends_every_connection_of_the_session_and_no_other(stage: Stage) -> None:
    """DOM-SES-1."""
    async with (
        await Peer.enter(stage.url, "ana") as console,
        await Peer.join(stage.url) as second,
        await Peer.enter(stage.url, "ana") as elsewhere,
    ):
        await second.sign_in(wire.SessionAuth(console.me.token))
        await console.send(wire.SignOut(n=77))
        await console.expect(wire.Ok, lambda ok: ok.n == 77)
        assert (await console.expect(wire.Closing)).code == "signed_out"
        assert await console.closed() == wire.CloseCode.SESSION_ENDED
        assert (await second.expect(wire.Closing)).code == "session_ended"
        assert await second.closed() == wire.CloseCode.SESSION_ENDED
        await elsewhere.answers()
    async with await Peer.join(stage.url) as peer:
        await peer.send(wire.SignIn(n=1, auth=wire.SessionAuth(console.me.token)))
        await peer.refusal("session_ended")


class Held:
    """Holds a sign-in where it waits for the database, so that the world changes meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        issue = Tickets.issue

        async def held(
            tickets: Tickets,
            principal: access.Principal,
            source: str,
            has_factor: bool,
            **more: bool,
        ) -> tuple[str, Ticket]:
            issued = await issue(tickets, principal, source, has_factor, **more)
            self.reached.set()
            await self.go_on.wait()
            return issued

        monkeypatch.setattr(Tickets, "issue", held)


async def test_who_is_disabled_while_signing_in_does_not_get_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WHO-4, DOM-SES-1."""
    held = Held(monkeypatch)
    async with await Peer.join(stage.url) as peer:
        await peer.send(wire.SignIn(n=5, auth=person("ana")))
        await held.reached.wait()
        await stage.core.pool.execute("update person set disabled_at = now() where name = 'ana'")
        await until(lambda: stage.core.directory.people[1].disabled, "the directory knows")
        held.go_on.set()
        assert (await peer.refusal("wrong_credentials")).n == 5
        assert stage.core.sessions.all == set()


async def test_rights_that_change_while_signing_in_hold_from_the_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WHO-4: out of one group and into another in the middle of a sign-in."""
    held = Held(monkeypatch)
    async with await Peer.join(stage.url) as peer:
        await peer.send(wire.SignIn(n=5, auth=person("ana")))
        await held.reached.wait()
        await stage.core.pool.execute(
            "delete from group_member where group_id = 1 and agency_id = 1;"
            "insert into group_member (group_id, person_id) values (2, 1);"
            "update person set full_name = 'Ana Maria' where id = 1"
        )
        await until(lambda: 1 in stage.core.directory.groups[2].people, "the directory knows")
        held.go_on.set()
        me = await peer.expect(wire.SignedIn)
        assert set(me.boxes) == {ANA, "agency:1", "group:2"}
        assert me.name == "Ana Maria"
        async with await Peer.enter(stage.url, "cyd") as cyd:
            await cyd.send(message("group:2", "welcome to customs"))
            await peer.expect(wire.Mail, lambda mail: mail.box == "group:2")
        assert texts(peer, "group:1") == []


async def test_a_device_that_is_given_to_another_unit_signs_in_anew(stage: Stage) -> None:
    """DOM-WHO-4: it must not go on reading the mailbox of the unit it has left."""
    async with await Peer.enter(stage.url, CAR) as tablet:
        await stage.core.pool.execute("update device set unit_id = null where id = 2")
        await stage.core.pool.execute("update device set unit_id = 2 where id = 1")
        closing = await tablet.expect(wire.Closing)
        assert (closing.code, await tablet.closed()) == ("session_ended", 4403)
    async with await Peer.enter(stage.url, CAR) as tablet:
        assert (tablet.me.me, tablet.me.unit) == ("unit:2", 2)
    sessions = stage.core.sessions
    await until(lambda: not sessions.online("unit:1"), "the first unit is offline")
    await until(lambda: not sessions.online("unit:2"), "and so is the second")
