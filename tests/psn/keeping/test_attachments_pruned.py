"""Attachments past their period, and those under a legal hold (docs/domain.md, DOM-RET)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from stage import ANA, BCG, BEN, BPD, CUSTOMS, seed

from psn import keys
from psn.keeping import pruning
from psn.keeping.pruning.step import Done
from psn.keeping.retention import Kind
from psn.keys import Keys
from psn.trail.audit import Actor

NOW = datetime(2026, 11, 1, 15, 30, tzinfo=UTC)
KEEP: dict[Kind, int | None] = dict.fromkeys(Kind) | {Kind.ATTACHMENT: 30}
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


async def attached(
    conn: asyncpg.Connection,
    days: int,
    author: str = ANA,
    agency: int = BPD,
    about: str | None = None,
    state: str = "ready",
) -> UUID:
    """Something that was attached so many days ago."""
    id = uuid4()
    await conn.execute(
        "insert into attachment (id, agency_id, author, kind, said_type, size, sha256, about,"
        " state, made_at) values ($1, $2, $3, 'photo', '', 1, $4, $5, $6, $7)",
        id,
        agency,
        author,
        bytes(32),
        about,
        state,
        NOW - timedelta(days=days),
    )
    return id


async def left(conn: asyncpg.Connection) -> set[UUID]:
    return {row["id"] for row in await conn.fetch("select id from attachment")}


async def hold(conn: asyncpg.Connection, subject: str) -> None:
    await conn.execute(
        "insert into legal_hold (subject, reason, author, starts_at)"
        " values ($1, 'inquest', 'test', '2026-01-01')",
        subject,
    )


async def test_what_is_past_its_agencys_period_goes_with_its_files(
    conn: asyncpg.Connection, own: Keys
) -> None:
    """DOM-RET-1, DOM-RET-4, DOM-FILE-9."""
    old = await attached(conn, 40)
    young = await attached(conn, 20)
    theirs = await attached(conn, 40, BEN, BCG)
    refused = await attached(conn, 40, state="refused")
    waiting = await attached(conn, 40, state="checking")
    await conn.execute("delete from file_orphan")
    await conn.execute("insert into retention values ($1, 'attachment', 90)", BCG)
    dry = await pruning.run(conn, own, KEEP, BY, NOW, dry=True)
    assert await left(conn) == {old, young, theirs, refused, waiting}, "DOM-RET-5"
    done = await pruning.run(conn, own, KEEP, BY, NOW)
    cutoff = datetime(2026, 10, 2, tzinfo=UTC)
    assert dry == done == [Done("attachment", BPD, 2, cutoff)]
    assert await left(conn) == {young, theirs, waiting}
    going = {row["name"] for row in await conn.fetch("select name from file_orphan")}
    assert {str(old), f"{old}.preview", f"{old}.part"} < going
    assert {name[:36] for name in going} == {str(old), str(refused)}
    (body,) = await conn.fetch("select body from audit where action = 'attachment.pruned'")
    entry = json.loads(body["body"])
    assert (entry["actor"], entry["owner"]) == (BY.address, BPD)
    assert entry["details"] == {"rows": 2, "before": "2026-10-02T00:00:00Z"}


@pytest.mark.parametrize("subject", [ANA, f"agency:{BPD}", "unit:1", "incident:1"])
async def test_what_a_hold_concerns_stays(
    conn: asyncpg.Connection, own: Keys, subject: str
) -> None:
    """DOM-RET-3."""
    await conn.execute(
        "insert into incident (agency_id, title, opened_by, opened_at, closed_at)"
        " values (1, 'x', 'test', $1, $2)",
        NOW - timedelta(days=45),
        NOW - timedelta(days=35),
    )
    await conn.execute(
        "insert into incident_member (incident_id, unit_id, reason, author)"
        " values (1, 2, 'x', 'test')"
    )
    hers = await attached(conn, 40)
    cars = await attached(conn, 40, "unit:1")
    about = await attached(conn, 60, "unit:2", about="incident:1")
    during = await attached(conn, 40, "unit:2")
    before = await attached(conn, 50, "unit:2")
    theirs = await attached(conn, 40, "person:3", CUSTOMS)
    kept = {
        ANA: {hers},
        f"agency:{BPD}": {hers, cars, about, during, before},
        "unit:1": {cars},
        "incident:1": {about, during},
    }
    await hold(conn, subject)
    await pruning.run(conn, own, KEEP, BY, NOW)
    assert await left(conn) == kept[subject]
    assert theirs not in await left(conn)


async def test_what_belongs_to_a_message_under_hold_stays(
    conn: asyncpg.Connection, own: Keys
) -> None:
    """DOM-RET-3: a mailbox under hold keeps the photos of its messages."""
    uid = uuid4()
    photo = await attached(conn, 40, BEN, BCG, about=f"message:{uid}")
    await attached(conn, 40, BEN, BCG, about=f"message:{uuid4()}")
    await conn.execute(
        "insert into log (uid, kind, author, agency_id, at, body)"
        " values ($1, 'message', $2, 2, $3, '{}')",
        uid,
        BEN,
        NOW - timedelta(days=40),
    )
    await conn.execute("insert into mailbox (address, head) values ($1, 1)", ANA)
    await conn.execute(
        "insert into mailbox_entry select $1, 1, id from log where uid = $2", ANA, uid
    )
    await hold(conn, ANA)
    await pruning.run(conn, own, KEEP, BY, NOW)
    assert await left(conn) == {photo}
