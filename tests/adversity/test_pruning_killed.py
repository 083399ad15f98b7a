"""A pruning that is killed in the middle of incidents: a real process, ``kill -9``."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from ended import attached, incident
from stage import seed

from psn import keys

ROOT = Path(__file__).resolve().parents[2]
COUNT = 350
_WHOLE = """
    select (select count(*) from incident) as incidents,
           (select count(*) from incident_figure) as figures,
           (select count(*) from assignment_figure) as runs,
           (select count(*) from call) as calls,
           (select count(*) from assignment) as assignments,
           (select count(*) from incident_event) as entries,
           (select count(*) from attachment) as attachments,
           (select count(distinct left(name, 36)) from file_orphan) as files,
           (select coalesce(sum((body::jsonb #>> '{details,rows}')::int), 0) from audit
             where action = 'incident.pruned') as told
"""


async def started(dsn: str, place: Path) -> asyncio.subprocess.Process:
    environment = {
        **os.environ,
        "PSN_DATABASE": dsn,
        "PSN_KEYS": str(place / "keys"),
        "PSN_KEEP_INCIDENT_DAYS": "30",
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "psn", "retention", "run"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def whole(conn: asyncpg.Connection) -> int:
    """How many incidents are left; each is there with all of its own, or counted and told of."""
    row = await conn.fetchrow(_WHOLE)
    assert row is not None
    left, gone = row["incidents"], COUNT - row["incidents"]
    assert row["figures"] == row["runs"] == row["told"] == row["files"] == gone
    assert row["calls"] == row["assignments"] == row["attachments"] == left
    assert row["entries"] == 3 * left
    return int(left)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    await seed(database)
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.mark.slow
async def test_an_incident_is_there_whole_or_not_at_all_whenever_it_is_killed(
    conn: asyncpg.Connection, database: str, tmp_path: Path
) -> None:
    """DOM-RET-7, DOM-RET-9."""
    keys.load(tmp_path / "keys")
    async with conn.transaction():
        for _ in range(COUNT):
            await attached(conn, await incident(conn, 40), 40)
    left, kills = COUNT, []
    while left:
        process = await started(database, tmp_path)
        seen, deadline = left, time.monotonic() + 60
        while seen == left and process.returncode is None and len(kills) < 2:
            assert time.monotonic() < deadline, "nothing is pruned"
            seen = await conn.fetchval("select count(*) from incident")
            await asyncio.sleep(0.002)
        if len(kills) < 2:
            process.kill()
            kills.append(seen)
        await process.wait()
        now = await whole(conn)
        assert now < left
        left = now
    assert len(kills) == 2 and 0 < kills[1] < kills[0] < COUNT
