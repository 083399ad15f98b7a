"""A hold that comes while it is pruned (docs/domain.md, DOM-RET-3), whatever is pruned."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from ended import NOW, Connection, attached, call, hold, incident, lookout
from stage import CAR, seed

from psn import keys
from psn.keeping import pruning
from psn.keeping.pruning.step import Work
from psn.keeping.retention import Held, Kind
from psn.keys import Keys
from psn.picture import partitions
from psn.trail import auditor
from psn.trail.audit import Actor, Entry

BY = Actor("command line: test")
OLD = NOW - timedelta(days=40)
KEEP: dict[Kind, int | None] = dict.fromkeys(Kind, 30)


@pytest.fixture
def own(tmp_path: Path) -> Keys:
    return keys.load(tmp_path / "keys")


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    await seed(database)
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def other(conn: Connection, database: str) -> AsyncIterator[Connection]:
    """Somebody else, who does not wait."""
    connection = await asyncpg.connect(database)
    await connection.execute("set lock_timeout = '100ms'")
    yield connection
    await connection.close()


async def _fix(conn: Connection) -> None:
    await conn.execute(
        "insert into track (unit_id, at, received_at, place)"
        " values ($1, $2, $2, st_setsrid(st_point(-88.2, 17.5), 4326))",
        *(CAR, OLD),
    )


async def _day(conn: Connection) -> None:
    await partitions.maintain(conn, OLD.date(), ahead=0)
    await _fix(conn)


async def _crossing(conn: Connection) -> None:
    await conn.execute(
        "insert into fence_event (unit_id, fence_id, inside, at, received_at)"
        " values ($1, 1, true, $2, $2)",
        *(CAR, OLD),
    )


async def _message(conn: Connection) -> None:
    row = await conn.fetchval(
        "insert into log (uid, kind, author, at, body)"
        " values (gen_random_uuid(), 'message', 'person:2', $1, '{}') returning id",
        OLD,
    )
    await conn.execute("insert into mailbox_entry values ($1, 1, $2)", f"unit:{CAR}", row)
    await conn.execute("insert into mailbox (address, head) values ($1, 1)", f"unit:{CAR}")


async def _entry(conn: Connection) -> None:
    """The seed's own is of today, and would keep this one."""
    await conn.execute("alter table audit disable trigger user")
    await conn.execute("delete from audit")
    await conn.execute("alter table audit enable trigger user")
    entry = Entry(Actor(f"unit:{CAR}"), "test.done", at=int(OLD.timestamp() * 1_000))
    await auditor.append(conn, [entry, entry])


async def _photo(conn: Connection) -> None:
    await attached(conn, 999, 40)


async def _talk(conn: Connection) -> None:
    await conn.execute(
        "insert into recording values (gen_random_uuid(), 'group:1', 'Joint', null, $1, 'P-1', 1,"
        " 'normal', '{}', $2, 20, $2)",
        *(f"unit:{CAR}", OLD),
    )


MADE: dict[str, tuple[Kind, Callable[[Connection], Awaitable[object]], str, str]] = {
    "a day": (Kind.TRACK, _day, f"unit:{CAR}", "track"),
    "a fix": (Kind.TRACK, _fix, f"unit:{CAR}", "track"),
    "a crossing": (Kind.TRACK, _crossing, f"unit:{CAR}", "fence_event"),
    "a message": (Kind.MESSAGE, _message, f"unit:{CAR}", "mailbox_entry"),
    "a photo": (Kind.ATTACHMENT, _photo, f"unit:{CAR}", "attachment"),
    "a talk": (Kind.RECORDING, _talk, f"unit:{CAR}", "recording"),
    "an entry": (Kind.AUDIT, _entry, f"unit:{CAR}", "audit where action = 'test.done'"),
    "an incident": (Kind.INCIDENT, lambda conn: incident(conn, 40), "incident:1", "incident"),
    "a call": (Kind.CALL, lambda conn: call(conn, 40), "call:1", "call"),
    "a lookout": (Kind.LOOKOUT, lambda conn: lookout(conn, 40), "lookout:1", "lookout"),
}
"""By what it is: what prunes it, how it is made, what a hold on it is on, and where it stands."""


def test_nothing_that_is_pruned_is_left_out() -> None:
    assert {kind for kind, *_ in MADE.values()} == set(pruning.PRUNERS)


@pytest.mark.parametrize("what", MADE)
async def test_a_hold_that_comes_during_a_step_waits_for_its_end(
    conn: Connection, other: Connection, own: Keys, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """DOM-RET-3: it is not in force, unseen, on what goes in that moment; one before it counts."""
    kind, make, subject, table = MADE[what]
    monkeypatch.setattr(pruning, "PRUNERS", {kind: pruning.PRUNERS[kind]})
    await make(conn)
    held, mark, waited = Work.held, Work.mark, []

    async def there() -> int:
        return int(await conn.fetchval(f"select count(*) from {table}"))

    async def just_before(work: Work) -> None:
        if not await other.fetchval("select count(*) from legal_hold"):
            await hold(other, subject)
        await mark(work)

    async def held_and_then(work: Work) -> Held:
        found = await held(work)
        if work.connection.is_in_transaction():
            with pytest.raises(asyncpg.LockNotAvailableError):
                await hold(other, subject)
            waited.append(what)
        return found

    before = await there()
    assert before
    with monkeypatch.context() as patch:
        patch.setattr(Work, "mark", just_before)
        await pruning.run(conn, own, KEEP, BY, NOW)
    assert await there() == before
    assert await conn.fetchval("select count(*) from legal_hold") == 1
    await conn.execute("update legal_hold set ends_at = $1", NOW)
    monkeypatch.setattr(Work, "held", held_and_then)
    await pruning.run(conn, own, KEEP, BY, NOW)
    assert await there() < before
    assert waited
