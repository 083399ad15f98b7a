"""Deleting what is past its period (docs/domain.md, DOM-RET), on a real database and server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from stage import (
    BCG,
    BEN,
    BOAT,
    BPD,
    CAR,
    CUSTOMS,
    PATROL,
    TRUCK,
    Peer,
    Stage,
    message,
    seed,
    texts,
)
from stage import until as waited

from psn import keys, wire
from psn.keeping import pruning
from psn.keeping.pruning.step import Done
from psn.keeping.retention import Kind
from psn.keys import Keys
from psn.picture import partitions
from psn.problems import Problem
from psn.trail import audit_search as search
from psn.trail import auditor
from psn.trail.audit import Actor, Entry, Finding, verify

NOW = datetime(2026, 11, 1, 15, 30, tzinfo=UTC)
KEEP: dict[Kind, int | None] = dict.fromkeys(Kind) | {Kind.TRACK: 30}
BY = Actor("command line: test")


@pytest.fixture
def own(tmp_path: Path) -> Keys:
    return keys.load(tmp_path / "keys")


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    await seed(database)
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psn.keeping.pruning.step.REST_SECONDS", 0.0)


async def told(conn: asyncpg.Connection, action: str) -> list[dict[str, Any]]:
    rows = await conn.fetch("select body from audit where action = $1 order by seq", action)
    return [json.loads(row[0]) for row in rows]


async def hold(conn: asyncpg.Connection, subject: str) -> None:
    await conn.execute(
        "insert into legal_hold (subject, reason, author, starts_at)"
        " values ($1, 'inquest', 'test', '2026-01-01')",
        subject,
    )


async def keep(conn: asyncpg.Connection, agency: int, kind: Kind, days: int | None) -> None:
    await conn.execute("insert into retention values ($1, $2, $3)", agency, kind.value, days)


# -- tracks


async def fixes(conn: asyncpg.Connection, day: date, *units: int) -> None:
    """Three fixes of each unit on a day, and a crossing."""
    for unit in units:
        for hour in (0, 12, 23):
            at = datetime(day.year, day.month, day.day, hour, 59, tzinfo=UTC)
            await conn.execute(
                "insert into track (unit_id, at, received_at, place)"
                " values ($1, $2, $2, st_setsrid(st_point(-88.2, 17.5), 4326))",
                unit,
                at,
            )
        await conn.execute(
            "insert into fence_event (unit_id, fence_id, inside, at, received_at)"
            " values ($1, 1, true, $2, $2)",
            unit,
            at,
        )


async def left(conn: asyncpg.Connection, table: str = "track") -> dict[int, int]:
    rows = await conn.fetch(f"select unit_id, count(*) from {table} group by 1 order by 1")
    return {row[0]: row[1] for row in rows}


OLD, YOUNG = date(2026, 9, 20), date(2026, 10, 20)


async def test_a_day_that_nobody_keeps_is_dropped_whole(
    conn: asyncpg.Connection, own: Keys
) -> None:
    """DOM-RET-1, DOM-RET-4."""
    await partitions.maintain(conn, OLD, ahead=0)
    await partitions.maintain(conn, YOUNG, ahead=0)
    await fixes(conn, OLD, CAR, BOAT)
    await fixes(conn, YOUNG, CAR)
    done = await pruning.run(conn, own, KEEP, BY, NOW)
    assert {(d.what, d.agency, d.rows) for d in done} == {("track", BPD, 4), ("track", BCG, 4)}
    assert await left(conn) == {CAR: 3}
    assert await left(conn, "fence_event") == {CAR: 1}
    assert await partitions.names(conn) == ["track_20261020", "track_other"]
    entries = await told(conn, "track.pruned")
    assert {(e["owner"], e["details"]["rows"], e["actor"]) for e in entries} == {
        (BPD, 3, BY.address),
        (BCG, 3, BY.address),
        (BPD, 1, BY.address),
        (BCG, 1, BY.address),
    }
    assert entries[0]["details"]["before"] == "2026-09-21T00:00:00Z"
    assert await pruning.run(conn, own, KEEP, BY, NOW) == []


async def test_an_agency_that_keeps_longer_keeps_its_own_alone(
    conn: asyncpg.Connection, own: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RET-1."""
    monkeypatch.setattr("psn.keeping.pruning.tracks.BATCH", 2)
    await keep(conn, BCG, Kind.TRACK, 90)
    await keep(conn, CUSTOMS, Kind.TRACK, 5)
    await partitions.maintain(conn, OLD, ahead=0)
    await partitions.maintain(conn, YOUNG, ahead=0)
    for day in (OLD, YOUNG):
        await fixes(conn, day, CAR, PATROL, BOAT, TRUCK)
    await pruning.run(conn, own, KEEP, BY, NOW)
    assert await left(conn) == {CAR: 3, PATROL: 3, BOAT: 6}
    assert await left(conn, "fence_event") == {CAR: 1, PATROL: 1, BOAT: 2}
    assert "track_20260920" in await partitions.names(conn)
    assert sum(e["details"]["rows"] for e in await told(conn, "track.pruned")) == 8 + 8
    await conn.execute("update retention set days = null where agency_id = 2")
    assert await pruning.run(conn, own, KEEP, BY, NOW) == []


@pytest.mark.parametrize("subject", [f"unit:{CAR}", f"agency:{BPD}"])
async def test_a_hold_keeps_its_units_until_it_ends(
    conn: asyncpg.Connection, own: Keys, subject: str
) -> None:
    """DOM-RET-3."""
    await hold(conn, subject)
    await partitions.maintain(conn, OLD, ahead=0)
    await fixes(conn, OLD, CAR, BOAT)
    await pruning.run(conn, own, KEEP, BY, NOW)
    assert await left(conn) == {CAR: 3}
    assert await left(conn, "fence_event") == {CAR: 1}
    await conn.execute("update legal_hold set ends_at = $1", NOW)
    await pruning.run(conn, own, KEEP, BY, NOW)
    assert await left(conn) == {}
    assert await partitions.names(conn) == ["track_other"]


async def test_a_hold_that_comes_while_it_is_pruned_counts(
    conn: asyncpg.Connection, own: Keys
) -> None:
    """DOM-RET-3."""
    await partitions.maintain(conn, OLD, ahead=0)
    await fixes(conn, OLD, CAR, BOAT)
    begun = datetime.now(UTC)
    await conn.execute(
        "insert into legal_hold (subject, reason, author) values ('unit:1', 'inquest', 'test')"
    )
    await pruning.run(conn, own, KEEP, BY, begun)
    assert await left(conn) == {CAR: 3}


def test_every_kind_is_pruned() -> None:
    assert set(Kind) == set(pruning.PRUNERS)
    assert list(pruning.PRUNERS)[-1] is Kind.AUDIT, "which tells of the others"


async def test_a_hold_on_an_incident_keeps_the_hours_of_it(
    conn: asyncpg.Connection, own: Keys
) -> None:
    """DOM-RET-3."""
    await conn.execute(
        "insert into incident (agency_id, title, opened_by, opened_at, closed_at)"
        " values (2, 'adrift', 'test', '2026-09-20 10:00Z', '2026-09-20 20:00Z')"
    )
    await conn.execute(
        "insert into incident_member (incident_id, unit_id, reason, author) values (1, 1, 'x', 'x')"
    )
    await hold(conn, "incident:1")
    await partitions.maintain(conn, OLD, ahead=0)
    await fixes(conn, OLD, CAR, BOAT)
    await pruning.run(conn, own, KEEP, BY, NOW)
    assert await conn.fetch("select unit_id, extract(hour from at) as h from track") == [(1, 12)]


async def test_days_without_a_partition_and_units_that_are_no_more_go_too(
    conn: asyncpg.Connection, own: Keys
) -> None:
    await fixes(conn, OLD, CAR, 999)
    await fixes(conn, YOUNG, CAR, 999)
    await pruning.run(conn, own, KEEP, BY, NOW)
    assert await left(conn) == {CAR: 3, 999: 3}


async def test_a_dry_run_counts_and_deletes_nothing(conn: asyncpg.Connection, own: Keys) -> None:
    """DOM-RET-5."""
    await keep(conn, CUSTOMS, Kind.TRACK, 5)
    await partitions.maintain(conn, OLD, ahead=0)
    await partitions.maintain(conn, YOUNG, ahead=0)
    await fixes(conn, OLD, CAR, TRUCK)
    await fixes(conn, YOUNG, TRUCK)
    before = await left(conn)
    dry = await pruning.run(
        conn, own, {**KEEP, Kind.AUDIT: 1}, BY, NOW + timedelta(days=9), dry=True
    )
    assert await left(conn) == before
    assert await told(conn, "track.pruned") == []
    wet = await pruning.run(conn, own, {**KEEP, Kind.AUDIT: 1}, BY, NOW + timedelta(days=9))
    tracks = [{(d.agency, d.rows) for d in done if d.what == "track"} for done in (dry, wet)]
    assert tracks[0] == tracks[1] == {(BPD, 4), (CUSTOMS, 8)}


# -- messages


async def posted(stage: Stage, *words: str) -> None:
    """Ana writes to Ben, and each message is acknowledged."""
    async with await Peer.enter(stage.url, "ana") as ana:
        for word in words:
            await ana.send(message(BEN, word))
            await ana.expect(wire.Ack)


async def later(stage: Stage, days: int, keeping: int | None = 30, dry: bool = False) -> list[Done]:
    """Prune as if it were so many days later."""
    connection = await asyncpg.connect(stage.dsn)
    try:
        now = datetime.now(UTC) + timedelta(days=days)
        periods = {**KEEP, Kind.MESSAGE: keeping}
        return await pruning.run(connection, stage.core.keys, periods, BY, now, dry)
    finally:
        await connection.close()


async def count(stage: Stage, table: str) -> int:
    connection = await asyncpg.connect(stage.dsn)
    try:
        return int(await connection.fetchval(f"select count(*) from {table}"))
    finally:
        await connection.close()


@pytest.fixture
async def eyes(stage: Stage) -> AsyncIterator[asyncpg.Connection]:
    """Another pair of eyes on the server's database."""
    connection = await asyncpg.connect(stage.dsn)
    yield connection
    await connection.close()


async def test_old_messages_go_and_readers_are_told(stage: Stage, eyes: asyncpg.Connection) -> None:
    """DOM-RET-1, DOM-RET-2, DOM-REC-3: the running server knows the new floor."""
    await posted(stage, "one", "two", "three")
    assert await later(stage, 29) == []
    async with await Peer.enter(stage.url, "ben") as ben:
        await ben.answers()
        assert texts(ben) == ["one", "two", "three"]
    done = await later(stage, 40)
    assert {(d.what, d.agency) for d in done} >= {("message", BPD), ("message", BCG)}
    assert await count(stage, "mailbox_entry") == 0
    assert await count(stage, "log") == 0
    assert await count(stage, "receipt") == 0
    await waited(lambda: stage.core.record.floors.get(BEN) == 4, "the server knows the floor")
    async with await Peer.enter(stage.url, "ben", seen={BEN: 0}) as ben:
        assert ben.of(wire.HistoryGone) == [wire.HistoryGone(box=BEN, floor=4)]
        await posted(stage, "four")
        await ben.expect(wire.Mail, lambda mail: mail.seq == 4)
    entries = await told(eyes, "message.pruned")
    (of_ben,) = [e["details"] for e in entries if e["details"]["mailbox"] == BEN]
    assert (of_ben["rows"], of_ben["floor"]) == (3, 4)


async def test_a_session_that_is_behind_the_floor_goes_on_from_it(stage: Stage) -> None:
    """DOM-RET-2."""
    await posted(stage, "one", "two")
    await later(stage, 40)
    await posted(stage, "three")
    await stage.stop()
    await stage.start()
    assert stage.core.record.floors[BEN] == 3
    async with await Peer.enter(stage.url, "ben", seen={BEN: 1}) as ben:
        assert ben.of(wire.HistoryGone) == [wire.HistoryGone(box=BEN, floor=3)]
        assert texts(ben) == ["three"]


async def test_a_row_stays_as_long_as_any_mailbox_holds_it(
    stage: Stage, eyes: asyncpg.Connection
) -> None:
    """DOM-RET-1: each agency keeps its own copy as long as it wants."""
    await keep(eyes, BCG, Kind.MESSAGE, None)
    await posted(stage, "one")
    await later(stage, 40)
    boxes = [r[0] for r in await eyes.fetch("select distinct address from mailbox_entry")]
    assert boxes == [BEN]
    assert await count(stage, "log") == 1
    await eyes.execute("update retention set days = 30")
    await later(stage, 40)
    assert await count(stage, "log") == 0


@pytest.mark.parametrize("subject", ["person:2", f"agency:{BCG}"])
async def test_a_hold_keeps_mailboxes(stage: Stage, eyes: asyncpg.Connection, subject: str) -> None:
    """DOM-RET-3: what somebody under hold wrote and got is kept, for others it goes."""
    await hold(eyes, subject)
    await posted(stage, "one", "two")
    await later(stage, 40)
    rows = await eyes.fetch("select address, count(*) from mailbox_entry group by 1")
    assert [tuple(row) for row in rows] == [(BEN, 2)]
    await eyes.execute("update legal_hold set ends_at = now()")
    await later(stage, 40)
    assert await count(stage, "log") == 0


async def test_a_dry_run_counts_messages(stage: Stage) -> None:
    """DOM-RET-5."""
    await posted(stage, "one", "two")
    done = await later(stage, 40, dry=True)
    assert sum(d.rows for d in done if d.agency == BCG) == 2
    assert await count(stage, "mailbox_entry") == 4


async def test_a_joint_group_keeps_as_long_as_the_agency_that_keeps_longest(
    stage: Stage, eyes: asyncpg.Connection
) -> None:
    await keep(eyes, CUSTOMS, Kind.MESSAGE, 365)
    async with await Peer.enter(stage.url, "ana") as ana:
        await ana.send(message("group:1", "to all"))
        await ana.expect(wire.Ack)
    await later(stage, 40)
    rows = await eyes.fetch("select address from mailbox_entry")
    assert [row[0] for row in rows] == ["group:1"]
    await later(stage, 400)
    assert await count(stage, "log") == 0


async def test_two_at_once_are_one_too_many(
    conn: asyncpg.Connection, own: Keys, database: str
) -> None:
    """DOM-RET-7."""
    other = await asyncpg.connect(database)
    async with pruning._alone(other):
        with pytest.raises(Problem) as refused:
            await pruning.run(conn, own, KEEP, BY, NOW)
    await other.close()
    assert refused.value.code == "pruning_already"
    assert await pruning.run(conn, own, KEEP, BY, NOW) == []


async def test_a_pruning_that_was_stopped_goes_on_the_next_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RET-7: stopped between mailboxes and rows, no row is forgotten."""

    async def stopped(work: object) -> None:
        raise ConnectionError("stopped")

    await posted(stage, "one", "two")
    with monkeypatch.context() as patch:
        patch.setattr("psn.keeping.pruning.rows.prune", stopped)
        with pytest.raises(ConnectionError):
            await later(stage, 40)
    assert await count(stage, "mailbox_entry") == 0
    assert await count(stage, "log") > 0
    await later(stage, 40)
    assert await count(stage, "log") == 0


async def test_messages_go_on_while_a_mailbox_is_pruned(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RET-7, DOM-SES-3."""
    monkeypatch.setattr("psn.keeping.pruning.mail.PAGE", 5)
    await posted(stage, *(f"old {n}" for n in range(60)))
    pruned = asyncio.create_task(later(stage, 40))
    async with await Peer.enter(stage.url, "ana") as ana:
        for n in range(40):
            await ana.send(message(BEN, f"new {n}"))
            await ana.expect(wire.Ack, within=5)
    await pruned
    await later(stage, 40)
    assert await count(stage, "log") == 0


# -- the audit


async def findings(conn: asyncpg.Connection, *trusted: bytes) -> list[Finding]:
    async with conn.transaction():
        rows = [row async for row in search.rows(conn)]
        return verify(rows, await search.checkpoints(conn), trusted)


async def happened(conn: asyncpg.Connection, count: int, day: int, **more: Any) -> None:
    """So many entries on a day of October 2026."""
    at = int(datetime(2026, 10, day, 12, tzinfo=UTC).timestamp() * 1_000)
    who = Actor("person:1", "Ana", more.get("agency", BPD))
    entry = Entry(who, "test.done", more.get("what"), more.get("owner"), at=at)
    await auditor.append(conn, [entry] * count)


@pytest.fixture
async def audited(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A database whose audit has nothing but what a test puts there, and the agencies."""
    connection = await asyncpg.connect(database)
    await connection.execute("alter table agency disable trigger user")
    for n, code in enumerate(("BPD", "BCG"), 1):
        await connection.execute(
            "insert into agency (id, code, name, colour) values ($1, $2, $2, '#000000')", n, code
        )
    await connection.execute("alter table agency enable trigger user")
    yield connection
    await connection.close()


AUDIT_KEEP: dict[Kind, int | None] = {**KEEP, Kind.AUDIT: 10}


async def test_the_beginning_of_the_audit_goes_and_the_rest_verifies(
    audited: asyncpg.Connection, own: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RET-6."""
    monkeypatch.setattr("psn.keeping.pruning.chain.BATCH", 10)
    await happened(audited, 25, 1)
    await happened(audited, 5, 30)
    done = await pruning.run(audited, own, AUDIT_KEEP, BY, NOW)
    assert [(d.what, d.rows) for d in done] == [("audit", 25)]
    assert await audited.fetchval("select min(seq) from audit") == 26
    pruned = await told(audited, "audit.pruned")
    assert [(e["details"]["first"], e["details"]["last"]) for e in pruned] == [
        (1, 10),
        (11, 20),
        (21, 25),
    ]
    assert await findings(audited, own.public) == []
    assert await pruning.run(audited, own, AUDIT_KEEP, BY, NOW) == []
    # … and again, when the next are past their period.
    await pruning.run(audited, own, AUDIT_KEEP, BY, NOW + timedelta(days=30))
    assert await audited.fetchval("select min(seq) from audit") > 30
    assert await findings(audited, own.public) == []


async def test_an_entry_that_somebody_keeps_keeps_those_behind_it(
    audited: asyncpg.Connection, own: Keys
) -> None:
    """DOM-RET-6."""
    await keep(audited, BCG, Kind.AUDIT, 365)  # an entry of today
    await happened(audited, 4, 1)
    await happened(audited, 1, 1, owner=BCG)
    await happened(audited, 4, 1)
    seqs = await audited.fetch("select seq from audit where owner = 2 and action = 'test.done'")
    await pruning.run(audited, own, AUDIT_KEEP, BY, NOW + timedelta(days=2_000 * 0))
    assert seqs[0][0] >= await audited.fetchval("select min(seq) from audit")
    await audited.execute("update retention set days = 10")
    assert await findings(audited, own.public) == []


@pytest.mark.parametrize(
    ("subject", "more"),
    [("unit:7", {"what": "unit:7"}), ("person:1", {}), ("agency:2", {"owner": BCG})],
)
async def test_a_hold_keeps_the_audit_from_its_first_entry_on(
    audited: asyncpg.Connection, own: Keys, subject: str, more: dict[str, Any]
) -> None:
    """DOM-RET-3."""
    at = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp() * 1_000)
    await auditor.append(audited, [Entry(Actor("nobody"), "test.done", at=at)] * 3)
    await happened(audited, 1, 1, **more)
    await hold(audited, subject)
    await pruning.run(audited, own, AUDIT_KEEP, BY, NOW)
    assert await audited.fetchval("select min(seq) from audit") == 4
    assert await findings(audited, own.public) == []


async def test_the_newest_entry_always_stays(audited: asyncpg.Connection, own: Keys) -> None:
    await happened(audited, 5, 1)
    await pruning.run(audited, own, AUDIT_KEEP, BY, NOW)
    assert await audited.fetchval("select min(seq) from audit") == 5
    assert await findings(audited, own.public) == []


@pytest.mark.parametrize(
    "statement",
    [
        "delete from audit where seq <= 3",
        "delete from audit where seq = 7",
        "delete from audit",
        "delete from audit where seq > 7",
    ],
)
async def test_no_other_deletion_gets_through_the_door(
    audited: asyncpg.Connection, own: Keys, statement: str
) -> None:
    """DOM-AUD-2, DOM-RET-6: also after a pruning."""
    await happened(audited, 5, 1)
    await happened(audited, 5, 30)
    await pruning.run(audited, own, AUDIT_KEEP, BY, NOW)
    await happened(audited, 5, 30)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await audited.execute(statement.replace("3", "8"))
    assert await findings(audited, own.public) == []


@pytest.mark.parametrize("signature", ["none", "another", "of_a_checkpoint"])
async def test_a_pruning_by_hand_gets_through_the_door_and_is_found(
    audited: asyncpg.Connection, own: Keys, tmp_path: Path, signature: str
) -> None:
    """DOM-RET-6: the trigger cannot tell who signs; verifying does."""
    await happened(audited, 10, 30)
    link = await audited.fetchval("select hash from audit where seq = 6")
    made = await auditor.sign(audited, own)
    assert made is not None
    thief = keys.load(tmp_path / "thief")
    text = f"psn-audit-pruned 1 1 6 {link.hex()}"
    more = {
        "none": {},
        "another": auditor.signed(thief, text),
        "of_a_checkpoint": {"key": made.key.hex(), "signature": made.signature.hex()},
    }[signature]
    details = {"first": 1, "last": 6, "hash": link.hex(), **more}
    async with audited.transaction():
        await auditor.append(audited, [Entry(Actor("server"), "audit.pruned", details=details)])
        await audited.execute(
            "insert into audit_checkpoint values (6, $1, now(), '\\x00', '\\x00')", link
        )
        await audited.execute("delete from audit where seq <= 6")
    found = await findings(audited, own.public)
    assert (1, "missing") in {(finding.seq, finding.kind) for finding in found}
    assert any("Entries 1 to 6 are missing" in finding.text for finding in found)


async def test_more_deleted_by_hand_than_was_pruned_is_found(
    audited: asyncpg.Connection, own: Keys
) -> None:
    """DOM-RET-6."""
    await happened(audited, 5, 1)
    await happened(audited, 10, 30)
    await pruning.run(audited, own, AUDIT_KEEP, BY, NOW)
    await audited.execute("set session_replication_role = replica")
    await audited.execute("delete from audit where seq <= 8")
    await audited.execute("reset session_replication_role")
    found = await findings(audited, own.public)
    assert next(finding.text for finding in found).startswith("Entries 6 to 8 are missing")


async def test_what_a_stranger_typed_is_no_pruning(audited: asyncpg.Connection, own: Keys) -> None:
    """DOM-RET-6."""
    await happened(audited, 3, 30)
    lie = '{"action": "audit.pruned", "details": {"first": 1, "last": 2}}'
    await auditor.append(audited, [Entry(Actor("x"), "sign_in.failed", details={"name": lie})])
    assert await findings(audited, own.public) == []


async def test_an_audit_that_was_changed_is_not_pruned(
    audited: asyncpg.Connection, own: Keys
) -> None:
    """What psn audit verify would find must not be deleted before it does."""
    await happened(audited, 5, 1)
    await auditor.sign(audited, own)
    await audited.execute("set session_replication_role = replica")
    await audited.execute("update audit set hash = sha256('') where seq = 5")
    await audited.execute("reset session_replication_role")
    await happened(audited, 1, 30)
    with pytest.raises(Problem) as refused:
        await pruning.run(audited, own, AUDIT_KEEP, BY, NOW)
    assert refused.value.code == "audit_changed"
    assert await audited.fetchval("select min(seq) from audit") == 1
