"""What keeps ended work from being deleted by hand (docs/domain.md, DOM-RET-12)."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
from ended import NOW, Connection, call, everything, incident, lookout
from stage import seed

from psn import keys
from psn.keeping import pruning
from psn.keeping.retention import Kind
from psn.trail.audit import Actor
from psn.watched import DOORS

KEEP: dict[Kind, int | None] = dict.fromkeys(Kind) | dict.fromkeys(
    (Kind.INCIDENT, Kind.CALL, Kind.LOOKOUT), 30
)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("delete from incident_event where seq = 2", "incident_event stays as long as"),
        ("delete from assignment", "assignment stays as long as"),
        ("delete from call where incident_id is not null", "call stays as long as"),
        ("delete from call where incident_id is null", "call is not deleted by hand"),
        ("delete from lookout", "lookout is not deleted by hand"),
        (
            "delete from call where incident_id is not null; delete from assignment;"
            " delete from incident",
            "incident is not deleted by hand",
        ),
        *((f"truncate {table} cascade", f"{table} is not emptied") for table in DOORS),
    ],
)
async def test_nobody_but_the_pruner_deletes_them(
    database: str, tmp_path: Path, statement: str, says: str
) -> None:
    """DOM-RET-12: also after a pruning, and of what is past its period; each by its own door."""
    await seed(database)
    conn = await asyncpg.connect(database)
    await _ended(conn)
    assert await pruning.run(conn, keys.load(tmp_path), KEEP, Actor("test"), NOW)
    await _ended(conn)
    before = await everything(conn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=says):
        await conn.execute(statement)
    assert await everything(conn) == before
    await conn.close()


@pytest.mark.parametrize("table", DOORS)
async def test_only_what_is_pruned_is_said_to_go(database: str, table: str) -> None:
    """No pruner touches the history of statuses: nobody is told to wait for that."""
    conn = await asyncpg.connect(database)
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as told:
        await conn.execute(f"truncate {table} cascade")
    await conn.close()
    promised = "when its period is over" in (told.value.hint or "")
    assert promised == (table != "unit_status_log")


async def _ended(conn: Connection) -> None:
    """Some of each that is past its period, and some that is not."""
    for days in (5, 40):
        await incident(conn, days)
        await call(conn, days)
        await lookout(conn, days)
