"""Partitions of the track: one for each UTC day, made ahead of time.

``psn.keeping.pruning`` says when a day is past keeping, and drops it with :func:`drop`. Rows whose
day has no partition fall into ``track_other``, so nothing is refused when this was not run for a
while. When such a day gets its partition, its rows are moved there.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from psn import database

DEFAULT: Final = "track_other"
LOCK_TIMEOUT: Final = "10s"
"""How long to wait for a reader before giving up: a waiting lock would hold up every writer."""

_NAME: Final = re.compile(r"track_(\d{4})(\d{2})(\d{2})")
_LOCK: Final = 0x70736E02


def partition_name(day: date) -> str:
    """``track_20261101``."""
    return f"track_{day:%Y%m%d}"


def day_of(name: str) -> date | None:
    """The day of a partition's name; ``None`` for any other name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        return None


def missing(existing: set[str], today: date, ahead: int) -> list[date]:
    """The days to make, oldest first: today and the ``ahead`` days after it. Pure."""
    wanted = [today + timedelta(days=n) for n in range(ahead + 1)]
    return [day for day in wanted if partition_name(day) not in existing]


async def maintain(conn: database.Connection, today: date, ahead: int = 3) -> list[str]:
    """Make what is missing; what was done, in words. Safe to run at any time, by many.

    ``today`` is the UTC day. Each step is a transaction of its own. Raises
    ``asyncpg.LockNotAvailableError`` when a reader holds on for too long: try again later.
    """
    done: list[str] = []
    for day in missing(await _existing(conn), today, ahead):
        async with conn.transaction():
            await _alone(conn)
            moved = await _make(conn, day)
        if moved is not None:
            done.append(f"made {partition_name(day)}" + (f", moved {moved} rows" if moved else ""))
    return done


async def names(conn: database.Connection) -> list[str]:
    """Every partition, the oldest day first, the default one last."""
    return sorted(await _existing(conn))


async def drop(conn: database.Connection, name: str) -> None:
    """Drop a partition with all that is in it, in the caller's transaction.

    Raises ``asyncpg.LockNotAvailableError`` when a reader holds on for too long.
    """
    await _alone(conn)
    await conn.execute(f"drop table if exists {name}")


async def _existing(conn: database.Connection) -> set[str]:
    rows = await conn.fetch(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = 'track'::regclass"
    )
    return {row[0] for row in rows}


async def _alone(conn: database.Connection) -> None:
    await conn.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
    await conn.execute(f"select pg_advisory_xact_lock({_LOCK})")


async def _make(conn: database.Connection, day: date) -> int | None:
    """Make one day's partition; rows moved into it, or ``None`` when another made it meanwhile.

    It is filled first and attached then, because PostgreSQL refuses a partition for rows that
    lie in the default one. The default is locked so that none arrive in between; writers to
    days that have a partition go on.
    """
    name = partition_name(day)
    if name in await _existing(conn):
        return None
    start, end = _midnight(day), _midnight(day + timedelta(days=1))
    await conn.execute(f"lock table {DEFAULT} in access exclusive mode")
    await conn.execute(f"create table {name} (like track including defaults)")
    moved = await conn.fetchval(
        f"with gone as (delete from {DEFAULT} where received_at >= $1 and received_at < $2"
        f" returning *), kept as (insert into {name} select * from gone returning 1)"
        " select count(*) from kept",
        start,
        end,
    )
    await conn.execute(
        f"alter table track attach partition {name}"
        f" for values from ('{start.isoformat()}') to ('{end.isoformat()}')"
    )
    return int(moved)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
