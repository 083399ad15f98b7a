"""The audit in the database (docs/domain.md, DOM-AUD): who may write it, and what always does."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from office import Office, refused
from stage import ANA, CAR, KEY, PASSWORD, Peer, Stage, credentials_of, new_signin, seed, until

from psn import keys, watched, wire
from psn.directory_watch import load
from psn.enrolment import device_key
from psn.enrolment.device_key import Enrolled
from psn.identity import credentials
from psn.identity.signin import SignInRefused
from psn.keys import Keys
from psn.problems import Problem
from psn.trail import audit, audit_search, auditor
from psn.trail.audit import Actor, Checkpoint, Entry, Finding, verify
from psn.trail.auditor import Auditor, Checkpoints, Unrecorded

SERVERS = Keys(Ed25519PrivateKey.generate(), bytes(32))

NONCE = bytes(32)
TABLET = wire.DeviceAuth(CAR, Enrolled(CAR, KEY).sign_in(NONCE))
SOMEONE = Actor(ANA, "Ana", 1, "192.0.2.7", "0badcafe")


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await seed(database)
    made = await asyncpg.create_pool(database, min_size=1, max_size=25)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
def own_keys(tmp_path: Path) -> Keys:
    return keys.load(tmp_path / "keys")


class Told:
    """What the audit says since this was made."""

    def __init__(self, pool: asyncpg.Pool, after: int) -> None:
        self._pool = pool
        self._after = after

    @classmethod
    async def from_now(cls, pool: asyncpg.Pool) -> Told:
        return cls(pool, await pool.fetchval("select coalesce(max(seq), 0) from audit"))

    async def entries(self) -> list[dict[str, Any]]:
        query = "select body from audit where seq > $1 order by seq"
        return [json.loads(row[0]) for row in await self._pool.fetch(query, self._after)]

    async def one(self) -> dict[str, Any]:
        (only,) = await self.entries()
        return only

    async def actions(self) -> list[str]:
        return [entry["action"] for entry in await self.entries()]


async def findings(pool: asyncpg.Pool, *keys: bytes) -> list[Finding]:
    async with pool.acquire() as connection, connection.transaction():
        rows = [row async for row in audit_search.rows(connection)]  # type: ignore[arg-type]
        return verify(rows, await audit_search.checkpoints(connection), keys)


# -- the only entrance


async def test_what_is_appended_stands_there_word_for_word(pool: asyncpg.Pool) -> None:
    """DOM-AUD-1."""
    told = await Told.from_now(pool)
    details = {"text": '<b onclick="x">\'; drop table audit; --</b>\u2028', "n": 1.5}
    async with pool.acquire() as connection, connection.transaction():
        await auditor.append(
            connection,
            [
                Entry(SOMEONE, "test.done", "unit:7", 2, details, at=1_234),
                Entry(Actor("x\0y", "\ud800"), "test.done"),
            ],
        )
    first, second = await told.entries()
    assert first == {
        "at": 1_234,
        "actor": ANA,
        "actor_name": "Ana",
        "agency": 1,
        "source": "192.0.2.7",
        "session": "0badcafe",
        "action": "test.done",
        "object": "unit:7",
        "owner": 2,
        "details": details,
    }
    assert (second["actor"], second["actor_name"]) == ("x\ufffdy", "?")
    row = await pool.fetchrow("select * from audit order by seq desc limit 1 offset 1")
    assert row is not None
    said = [row[name] for name in ("actor", "agency", "action", "object", "owner", "session")]
    assert said == [ANA, 1, "test.done", "unit:7", 2, "0badcafe"]
    assert row["at"].timestamp() == 1.234
    assert await findings(pool) == []


async def test_twenty_who_write_at_once_make_one_chain(pool: asyncpg.Pool) -> None:
    """DOM-AUD-1: server, command line and psql alike."""
    before = await pool.fetchval("select count(*) from audit")

    async def writes(n: int) -> None:
        async with pool.acquire() as connection:
            for m in range(10):
                async with connection.transaction():
                    if m % 2:
                        callsign = f"T-{n}-{m}"
                        await connection.execute(
                            "insert into unit (agency_id, callsign, kind) values (1, $1, 'car')",
                            callsign,
                        )
                    else:
                        await auditor.append(connection, [Entry(SOMEONE, "test.done")])

    await asyncio.gather(*(writes(n) for n in range(20)))
    numbers = [row[0] for row in await pool.fetch("select seq from audit order by seq")]
    assert numbers == list(range(1, before + 201))
    assert await findings(pool) == []


async def test_what_is_rolled_back_leaves_no_gap(pool: asyncpg.Pool) -> None:
    """DOM-AUD-1."""
    told = await Told.from_now(pool)
    async with pool.acquire() as connection:
        change = connection.transaction()
        await change.start()
        await auditor.append(connection, [Entry(SOMEONE, "test.undone")])
        await connection.execute("update unit set kind = 'van'")
        await change.rollback()
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(
                "insert into unit (agency_id, callsign, kind) values (1, 'P-1', 'car')"
            )
        await auditor.append(connection, [Entry(SOMEONE, "test.done")])
    assert await told.actions() == ["test.done"]
    assert await findings(pool) == []
    assert await pool.fetchval("select count(*) from audit_pending") == 0


async def test_part_of_a_transaction_that_is_taken_back_is_not_recorded(pool: asyncpg.Pool) -> None:
    told = await Told.from_now(pool)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("update unit set kind = 'van' where id = 1")
        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                await connection.execute("update unit set kind = 'van' where id = 2")
                raise ZeroDivisionError
    assert [entry["object"] for entry in await told.entries()] == ["unit:1"]


async def test_a_snapshot_that_is_too_old_cannot_fork_the_chain(pool: asyncpg.Pool) -> None:
    async with (
        pool.acquire() as old,
        pool.acquire() as new,
        old.transaction(isolation="repeatable_read"),
    ):
        await old.fetchval("select count(*) from audit")
        await auditor.append(new, [Entry(SOMEONE, "test.done")])
        with pytest.raises(asyncpg.UniqueViolationError):
            async with old.transaction():
                await auditor.append(old, [Entry(SOMEONE, "test.done")])
    assert await findings(pool) == []


async def test_who_thinks_with_a_transaction_open_holds_nobody_up(pool: asyncpg.Pool) -> None:
    """DOM-AUD-1: an administrator at psql must not keep everyone from signing in."""
    async with pool.acquire() as slow, slow.transaction():
        await slow.execute("update unit set kind = 'van' where id = 1")
        async with asyncio.timeout(5):
            await Auditor(pool).record(Entry(SOMEONE, "test.done"))
            await pool.execute("update unit set kind = 'van' where id = 2")
    order = [row[0] for row in await pool.fetch("select object from audit order by seq")]
    assert order[-2:] == ["unit:2", "unit:1"]
    assert await findings(pool) == []


@pytest.mark.parametrize("table", ["audit", "audit_checkpoint"])
@pytest.mark.parametrize(
    "statement",
    ["update {} set seq = 0", "delete from {}", "truncate {}", "delete from {} where 1=2"],
)
async def test_even_a_superuser_is_refused_at_first(
    pool: asyncpg.Pool, table: str, statement: str
) -> None:
    """DOM-AUD-2."""
    assert await pool.fetchval("select usesuper from pg_user where usename = session_user")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await pool.execute(statement.format(table))


async def test_a_temporary_table_of_the_same_name_deceives_nobody(
    pool: asyncpg.Pool, database: str
) -> None:
    told = await Told.from_now(pool)
    connection = await asyncpg.connect(database)
    for table in ("audit", "audit_pending", "person"):
        await connection.execute(f"create temporary table {table} (like public.{table})")
    await connection.execute("update public.person set disabled_at = now() where id = 1")
    await connection.close()
    assert await told.actions() == ["person.disabled"]


# -- by hand, with the triggers off


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (
            "update audit set body = replace(body, '\"unit:3\"', '\"unit:4\"') where seq = $1",
            "changed",
        ),
        ("update audit set hash = sha256('') where seq = $1", "changed"),
        ("delete from audit where seq = $1", "missing"),
        ("update audit set seq = 10000 where seq = $1", "missing"),
    ],
)
async def test_what_a_superuser_changes_by_hand_is_found(
    pool: asyncpg.Pool, statement: str, kind: str
) -> None:
    """DOM-AUD-2."""
    number = await pool.fetchval("select seq from audit where object = 'unit:3'")
    async with pool.acquire() as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statement.replace("$1", str(number)))
        await connection.execute("reset session_replication_role")
    assert (number, kind) in {(finding.seq, finding.kind) for finding in await findings(pool)}


async def test_a_table_that_is_not_watched_any_more_is_found(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        assert await audit_search.unguarded(connection) == []
        await connection.execute("alter table person disable trigger audited_update")
        await connection.execute("drop trigger audit_stays on audit")
        found = await audit_search.unguarded(connection)
    assert [finding.kind for finding in found] == ["unguarded"] * 2
    assert "audited_update of the table person" in found[0].text


async def test_a_door_that_stands_open_is_found(pool: asyncpg.Pool) -> None:
    """DOM-RET-12."""
    async with pool.acquire() as connection:
        for table, doors in watched.DOORS.items():
            for door in doors:
                await connection.execute(f"alter table {table} disable trigger {door}")
                (found,) = await audit_search.unguarded(connection)
                assert f"{door} of the table {table}" in found.text
                await connection.execute(f"alter table {table} enable trigger {door}")


async def test_every_table_that_is_watched_is_one_that_is_checked(pool: asyncpg.Pool) -> None:
    rows = await pool.fetch(
        "select distinct relname from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " where tgname = 'audited_update'"
    )
    assert {row[0] for row in rows} == set(watched.AUDITED_TABLES)


# -- who is who, changed by hand


CHANGES = [
    ("insert into agency (code, name, colour) values ('X', 'x', '#000000')", "agency.added",
     "agency:4"),
    ("update agency set name = 'Other' where id = 1", "agency.changed", "agency:1"),
    ("update person set full_name = 'A' where id = 1", "person.changed", "person:1"),
    ("update person set disabled_at = now() where id = 1", "person.disabled", "person:1"),
    ("update person set roles = '{administrator}' where id = 3", "person.changed", "person:3"),
    ("update person set password_hash = 'other' where id = 1", "person.changed", "person:1"),
    ("update unit set retired_at = now() where id = 4", "unit.retired", "unit:4"),
    ("update unit_exception set ends_at = now() where id = 1", "exception.ended", "exception:1"),
    ("insert into broken_glass (person_id, owner_agency, reason, ends_at)"
     " values (1, 2, 'flood', now())", "glass.added", "glass:1"),
    ("insert into incident (agency_id, title, opened_by) values (1, '<b>', 'x')",
     "incident.added", "incident:1"),
    ("update device set revoked_at = now(), wipe_ordered_at = now() where id = 1",
     "device.wipe_ordered", "device:1"),
    ("update unit set kind = 'bus' where id = 4", "unit.changed", "unit:4"),
    ("update unit set id = 99 where id = 4", "unit.removed", "unit:4"),
    ("update device set revoked_at = now() where id = 6", "device.revoked", "device:6"),
    ("delete from device where id = 6", "device.removed", "device:6"),
    ("insert into talkgroup (name) values ('New')", "group.added", "group:3"),
    ("delete from group_member where id = 1", "group_member.removed", "group_member:1"),
    ("update agreement set ends_at = now() where id = 1", "agreement.ended", "agreement:1"),
    ("update agreement set ends_at = now() + interval '1 day' where id = 1", "agreement.changed",
     "agreement:1"),
    ("insert into fence (name, area) values ('F', 'SRID=4326;POLYGON((0 0,1 0,1 1,0 0))')",
     "fence.added", "fence:1"),
    ("truncate agreement", "agreement.emptied", "agreement:*"),
    ("insert into session (token_hash, person_id, ends_at) values ('\\xabcdef0123', 1, now())",
     "session.added", "session:abcdef01"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "action", "what"), CHANGES)
async def test_every_change_by_hand_is_recorded(
    pool: asyncpg.Pool, statement: str, action: str, what: str
) -> None:
    """DOM-AUD-5."""
    if "unit set id" in statement:
        await pool.execute("delete from device where unit_id = 4; delete from unit_exception")
    told = await Told.from_now(pool)
    await pool.execute(statement)
    entry = (await told.entries())[0]
    assert (entry["action"], entry["object"]) == (action, what)
    assert (entry["actor"], entry["agency"]) == ("database: psn", None)


async def test_a_change_says_what_was_and_what_is(pool: asyncpg.Pool) -> None:
    told = await Told.from_now(pool)
    await pool.execute("update person set full_name = '<i>', roles = '{auditor}' where id = 1")
    entry = await told.one()
    assert entry["owner"] == 1
    assert entry["details"] == {
        "old": {"full_name": "Ana", "roles": ["dispatcher"]},
        "new": {"full_name": "<i>", "roles": ["auditor"]},
    }
    for statement, action in (
        ("update person set disabled_at = now() where id = 1", "person.disabled"),
        ("update person set disabled_at = null where id = 1", "person.enabled"),
        ("update person set full_name = full_name", None),
    ):
        told = await Told.from_now(pool)
        await pool.execute(statement)
        assert await told.actions() == ([action] if action else [])


async def test_of_a_large_area_the_fingerprint_stays(pool: asyncpg.Pool) -> None:
    told = await Told.from_now(pool)
    await pool.execute(
        "insert into fence (name, area)"
        " values ('round', st_buffer(st_setsrid(st_point(-88, 17), 4326), 0.1, 500))"
    )
    area = (await told.one())["details"]["new"]["area"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", area)


async def test_no_secret_stands_in_any_entry(pool: asyncpg.Pool) -> None:
    """DOM-AUD-6."""
    signin = new_signin(pool, SERVERS)
    directory = await load(pool)
    _, token, ticket = await signin.check(credentials_of("ana"), directory, "192.0.2.7")
    with pytest.raises(SignInRefused):
        await signin.check(wire.PasswordAuth("ana", "a wrong password"), directory, "192.0.2.7")
    await pool.execute("update person set password_hash = 'argon-of-new' where id = 1")
    await pool.execute(
        "insert into enrolment (code_hash, agency_id, label, author, expires_at)"
        " values ('\\x00112233445566778899aabb', 1, 'new', 'test', now())"
    )
    await signin.tickets.end(ticket)
    await pool.execute("delete from session; delete from enrolment")
    rows = await pool.fetch("select password_hash from person")
    hashes = [str(row[0]) for row in rows]
    secrets = [PASSWORD, token, "argon2", "argon-of-new", "a wrong password", *hashes,
               ticket.hash.hex(), "00112233445566778899aabb"]  # fmt: skip
    await until(lambda: signin._auditor.is_idle, "notes are written")
    told = "\n".join(row[0] for row in await pool.fetch("select body from audit"))
    assert "session.started" in told and "enrolment.removed" in told
    assert [secret for secret in secrets if secret in told] == []
    assert '"secrets": ["password_hash"]' in told and '"secrets": ["code_hash"]' in told


async def test_a_column_that_looks_secret_is_kept_out_unasked(pool: asyncpg.Pool) -> None:
    """DOM-AUD-6: tables to come attach with one line."""
    await pool.execute(
        "create table sharing (agency_id int, n int, api_token text, pin text, seen_at timestamptz,"
        " primary key (agency_id, n));"
        "select audit_table('sharing', 'sharing', '{pin}', '{seen_at}')"
    )
    told = await Told.from_now(pool)
    await pool.execute("insert into sharing values (2, 5, 'tok123', '9876', now())")
    await pool.execute("update sharing set seen_at = now() + interval '1 hour'")
    await pool.execute("update sharing set pin = '5432', n = 6")
    added, gone, again = await told.entries()
    assert (added["object"], added["owner"]) == ("sharing:2/5", 2)
    assert added["details"] == {
        "new": {"agency_id": 2, "n": 5},
        "secrets": ["pin", "api_token"],
    }
    assert (gone["action"], again["object"]) == ("sharing.removed", "sharing:2/6")
    assert "9876" not in str(await told.entries()) and "tok123" not in str(await told.entries())


async def test_whose_transaction_it_is_stands_in_the_entry(pool: asyncpg.Pool) -> None:
    """DOM-AUD-5."""
    told = await Told.from_now(pool)
    async with pool.acquire() as connection:
        async with auditor.acting(connection, SOMEONE):
            await connection.execute("update unit set kind = 'van' where id = 5")
        await connection.execute("update unit set kind = 'bus' where id = 5")
    marked, plain = await told.entries()
    fields = ("actor", "actor_name", "agency", "source", "session", "owner")
    assert [marked[name] for name in fields] == [ANA, "Ana", 1, "192.0.2.7", "0badcafe", 3]
    # Whoever pretends to be someone stands beside him with the name the database knows.
    assert marked["details"]["role"] == "psn"
    assert [plain[name] for name in fields] == ["database: psn", None, None, None, None, 3]


async def test_five_hundred_units_of_a_gateway_are_one_statement_and_each_an_entry(
    stage: Stage,
) -> None:
    told = await Told.from_now(stage.core.pool)
    async with await Peer.enter(stage.url, 6) as gateway:
        units = [wire.AnnouncedUnit(f"k:{n}", f"V-{n}", "boat") for n in range(500)]
        for n in (1, 2):  # the second time nothing is new
            await gateway.send(wire.Announce(n=n, units=units))
            await gateway.expect(wire.Announced)
    entries = await told.entries()
    added = [entry for entry in entries if entry["action"] == "unit.added"]
    assert len(added) == 500 == len({entry["object"] for entry in added})
    assert len(entries) == 501  # and the session's beginning
    assert {(e["actor"], e["agency"], e["owner"]) for e in added} == {("device:6", 1, 1)}
    assert {entry["source"] for entry in added} == {"127.0.0.1"}
    assert await findings(stage.core.pool) == []


async def test_ten_thousand_rows_after_one_are_not_a_thousand_times_dearer(
    pool: asyncpg.Pool,
) -> None:
    """The plan made for one row, kept for the connection's life, must do for all."""
    async with pool.acquire() as connection:
        for n in range(8):
            await connection.execute("update unit set callsign = $1 where id = 5", f"Y-{n}")
        await connection.execute(
            "insert into unit (agency_id, callsign, kind)"
            " select 1, 'B-' || n, 'car' from generate_series(1, 10000) n"
        )
        # Quadratic, this takes a minute or more.
        await connection.execute("set statement_timeout = '30s'")
        await connection.execute("update unit set kind = 'boat'")
    assert await pool.fetchval("select count(*) from audit where action = 'unit.changed'") > 10_000
    assert await findings(pool) == []


# -- sessions


async def test_sign_ins_and_their_ends_are_recorded(stage: Stage) -> None:
    """DOM-AUD-4."""
    told = await Told.from_now(stage.core.pool)
    async with await Peer.join(stage.url) as peer:
        name = "<script>'; drop table person; --" + "x" * 80 + "\0"
        await peer.send(wire.SignIn(n=1, auth=wire.PasswordAuth(name, "wrong")))
        await peer.refusal("wrong_credentials")
        await peer.send(wire.SignIn(n=2, auth=wire.PasswordAuth(" ANA", "wrong")))
        await peer.refusal("wrong_credentials")
        await peer.send(wire.SignIn(n=3, auth=wire.DeviceAuth(CAR, bytes(64))))
        await peer.refusal("wrong_credentials")
        me = await peer.sign_in(credentials_of("ana"))
        await peer.send(wire.SignOut(n=4))
        await peer.expect(wire.Ok)
    stranger, ana, device, started, ended = await told.entries()
    assert {entry["action"] for entry in (stranger, ana, device)} == {"sign_in.failed"}
    assert {entry["actor"] for entry in (stranger, ana, device)} == {"nobody"}
    assert (stranger["object"], stranger["owner"]) == (None, None)
    assert stranger["details"]["name"] == name[:63]
    assert (ana["object"], ana["owner"], ana["source"]) == (ANA, 1, "127.0.0.1")
    assert (device["object"], device["details"]["device"]) == (f"device:{CAR}", CAR)
    session = credentials.token_hash(me.token).hex()[:8]
    assert (started["action"], started["actor"], started["session"]) == (
        "session.started", ANA, session)  # fmt: skip
    assert started["details"]["ends"] == me.ends
    assert (ended["action"], ended["object"], ended["actor"], ended["source"]) == (
        "session.ended", f"session:{session}", ANA, "127.0.0.1")  # fmt: skip
    assert await findings(stage.core.pool) == []


async def test_a_device_is_enrolled_by_whoever_has_the_code(stage: Stage) -> None:
    async with aiohttp.ClientSession() as http:
        office = Office(stage, http)
        code = await office.code()
        told = await Told.from_now(stage.core.pool)
        key = device_key.new()
        assert refused(await office.spend("AAAA-BBBB-CCCC-DDDD", key)) == "wrong_code"
        await until(lambda: stage.core.auditor.is_idle, "the failure is written")
        assert (await office.spend(code, key))[0] == 200
    failed, added, used = await told.entries()
    assert [failed["action"], added["action"], used["action"]] == [
        "enrolment.failed", "device.added", "enrolment.used"]  # fmt: skip
    assert {(e["actor"], e["source"]) for e in (failed, added, used)} == {("nobody", "127.0.0.1")}
    assert (added["owner"], used["details"]["new"]["device_id"]) == (1, 7)
    assert code.replace("-", "") not in str(await told.entries())


async def test_a_rush_of_sign_ins_shares_its_commits(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    signin = new_signin(pool, SERVERS)
    directory = await load(pool)
    batches: list[int] = []
    store = Auditor._store

    async def counted(self: Auditor, batch: list[Any]) -> None:
        batches.append(len(batch))
        await store(self, batch)

    monkeypatch.setattr(Auditor, "_store", counted)
    await asyncio.gather(*(signin.check(TABLET, directory, "192.0.2.7", NONCE) for _ in range(300)))
    assert sum(batches) == 300
    assert len(batches) <= 10
    assert await pool.fetchval("select count(*) from session") == 300
    actions = await pool.fetch(
        "select action, count(*) from audit where session is not null group by 1"
    )
    assert [tuple(row) for row in actions] == [("session.started", 300)]


async def test_a_sign_in_that_cannot_be_recorded_does_not_begin(pool: asyncpg.Pool) -> None:
    """DOM-AUD-4: the row and its entry, or neither."""
    signin = new_signin(pool, SERVERS)
    directory = await load(pool)
    await pool.execute("alter table audit rename to audit_gone")
    with pytest.raises(SignInRefused) as refused:
        await signin.check(TABLET, directory, "192.0.2.7", NONCE)
    assert refused.value.code == "unavailable"
    assert await pool.fetchval("select count(*) from session") == 0


# -- the server's own writing


async def test_one_at_fault_keeps_no_other_from_being_written(pool: asyncpg.Pool) -> None:
    told = await Told.from_now(pool)
    ours = Auditor(pool)
    insert = "insert into session (token_hash, person_id, ends_at) values ($1, $2, now())"
    first = asyncio.create_task(ours.record(Entry(SOMEONE, "test.first")))
    await asyncio.sleep(0)  # its transaction is under way; the others share the next
    others = [
        ours.record(Entry(SOMEONE, "test.done", f"unit:{n}"), insert, bytes([n]) * 32, person)
        for n, person in enumerate((1, 2, 777, 3))
    ]
    done = await asyncio.gather(first, *others, return_exceptions=True)
    assert [type(result) for result in done] == [
        type(None), type(None), type(None), Unrecorded, type(None)]  # fmt: skip
    objects = [e["object"] for e in await told.entries() if e["action"] == "test.done"]
    assert objects == ["unit:0", "unit:1", "unit:3"]
    assert await pool.fetchval("select count(*) from session") == 3
    assert (ours.refused, ours.lost) == (1, 0)


async def test_a_note_too_many_is_counted_and_the_count_recorded(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditor, "MOST_NOTES", 5)
    told = await Told.from_now(pool)
    ours = Auditor(pool)
    for n in range(8):
        ours.note(Entry(SOMEONE, "sign_in.failed", f"person:{n}", at=n))
    await ours.settle()
    entries = await told.entries()
    assert [entry["action"] for entry in entries] == ["sign_in.failed"] * 5 + ["audit.lost"]
    assert entries[-1]["details"] == {"entries": 3}
    assert [entry["at"] for entry in entries[:5]] == [0, 1, 2, 3, 4]


async def test_without_a_database_a_record_is_refused_and_a_note_kept(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-AUD-3, DOM-AUD-4."""
    monkeypatch.setattr(auditor, "AGAIN_SECONDS", 0.01)
    away = True

    class Sometimes:
        def acquire(self, timeout: float) -> Any:
            if away:
                raise ConnectionRefusedError("nobody there")
            return pool.acquire(timeout=timeout)

    told = await Told.from_now(pool)
    ours = Auditor(Sometimes())  # type: ignore[arg-type]
    ours.note(Entry(SOMEONE, "sign_in.failed", at=5))
    with pytest.raises(Unrecorded) as refused:
        await ours.record(Entry(SOMEONE, "track.read"))
    assert (refused.value.code, refused.value.retry) == ("unavailable", 1_000)
    away = False
    await ours.record(Entry(SOMEONE, "track.read", "unit:1"))
    assert [(e["action"], e["object"]) for e in await told.entries()] == [
        ("sign_in.failed", None),
        ("track.read", "unit:1"),
    ]
    await ours.settle()


async def test_a_stopping_server_gives_up_what_cannot_be_written(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditor, "AGAIN_SECONDS", 60.0)
    monkeypatch.setattr(auditor, "SETTLE_SECONDS", 0.1)

    class Away:
        def acquire(self, timeout: float) -> None:
            raise ConnectionRefusedError

    ours = Auditor(Away())  # type: ignore[arg-type]
    ours.note(Entry(SOMEONE, "sign_in.failed", at=5))
    await asyncio.sleep(0.01)
    await ours.settle()
    assert "1 entries of the audit were not written" in caplog.text


# -- checkpoints


async def test_a_checkpoint_kept_elsewhere_tells_that_the_end_was_cut_off(
    pool: asyncpg.Pool, own_keys: Keys, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """DOM-AUD-2."""
    caplog.set_level(logging.INFO)
    file = tmp_path / "checkpoints"
    maker = Checkpoints(pool, own_keys, file)
    await maker.make()
    await maker.make()  # nothing new: nothing said
    await Auditor(pool).record(Entry(SOMEONE, "test.done"))
    await maker.make()
    kept = audit.read_checkpoints(file.read_text())
    last = await pool.fetchval("select max(seq) from audit")
    assert [checkpoint.seq for checkpoint in kept] == [last - 1, last]
    assert audit.read_checkpoints(caplog.text) == kept
    assert all(c.is_genuine and c.key == own_keys.public for c in kept)
    assert await findings(pool, own_keys.public) == []
    async with pool.acquire() as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute("delete from audit where seq > $1", last - 2)
        await connection.execute("delete from audit_checkpoint")
        await connection.execute("reset session_replication_role")
        assert await findings(pool) == []  # by itself, the rest is good
        async with connection.transaction():
            rows = [row async for row in audit_search.rows(connection)]  # type: ignore[arg-type]
    (found,) = verify(rows, kept, [own_keys.public])
    assert (found.seq, found.kind) == (last - 1, "cut_off")


async def test_nothing_is_signed_over_what_was_changed(
    pool: asyncpg.Pool, own_keys: Keys, complaints: Any
) -> None:
    async with pool.acquire() as connection:
        made = await auditor.sign(connection, own_keys)
        assert made is not None and made == await auditor.sign(connection, own_keys)
        await connection.execute("set session_replication_role = replica")
        await connection.execute("update audit set hash = '\\x00' where seq = $1", made.seq)
        await connection.execute("reset session_replication_role")
        with pytest.raises(Problem) as refused:
            await auditor.sign(connection, own_keys)
    assert refused.value.code == "audit_changed"
    await Checkpoints(pool, own_keys, None).make()
    assert len(complaints.said) == 1 and "[audit_changed]" in complaints.said[0]
    complaints.said.clear()


async def test_an_empty_audit_has_nothing_to_sign(database: str, own_keys: Keys) -> None:
    connection = await asyncpg.connect(database)
    assert await auditor.sign(connection, own_keys) is None
    await connection.close()


async def test_a_server_signs_when_it_stops(stage: Stage) -> None:
    async with await Peer.enter(stage.url, "ana"):
        pass
    await stage.stop()
    connection = await asyncpg.connect(stage.dsn)
    head = await connection.fetchrow("select seq, hash from audit order by seq desc limit 1")
    row = await connection.fetchrow("select seq, hash, at, key, signature from audit_checkpoint")
    await connection.close()
    assert head is not None and row is not None
    checkpoint = Checkpoint(*row)
    assert (checkpoint.seq, checkpoint.hash) == tuple(head)
    assert checkpoint.is_genuine


async def test_going_back_past_the_audit_settles_what_later_revisions_changed(
    pool: asyncpg.Pool,
) -> None:
    """All of a migration is one transaction: its last step finds entries of its first pending."""
    drop = "drop function audit_settle() cascade; drop table audit_pending"
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.ObjectInUseError):
            async with connection.transaction():
                await connection.execute("update device set revoked_at = now()")
                await connection.execute("drop table audit_pending")
        async with connection.transaction():
            await connection.execute("update device set revoked_at = now()")
            await connection.execute("alter table device drop column wiped_at")
            await connection.execute("set constraints all immediate")
            await connection.execute(drop)
