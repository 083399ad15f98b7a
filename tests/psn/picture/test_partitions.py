"""Track partitions against a real PostGIS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.picture import partitions

TODAY = date(2026, 11, 1)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def put(conn: asyncpg.Connection[Any], unit: int, received: datetime) -> None:
    await conn.execute(
        "insert into track (unit_id, at, received_at, place)"
        " values ($1, $2, $2, st_setsrid(st_point(-88.2, 17.5), 4326))",
        unit,
        received,
    )


async def where(conn: asyncpg.Connection[Any]) -> dict[int, str]:
    """In which partition each unit's row lies."""
    rows = await conn.fetch("select unit_id, tableoid::regclass::text from track")
    return {row[0]: row[1] for row in rows}


@given(st.dates())
def test_a_name_tells_its_day(day: date) -> None:
    if day.year >= 1000:
        assert partitions.day_of(partitions.partition_name(day)) == day


@pytest.mark.parametrize("name", ["track_other", "track_20261301", "track", "track_202611010"])
def test_other_names_are_no_days(name: str) -> None:
    assert partitions.day_of(name) is None


def test_what_is_missing_is_today_and_the_days_ahead() -> None:
    existing = {partitions.partition_name(day) for day in (TODAY, date(2026, 10, 1))}
    wanted = [date(2026, 11, 2), date(2026, 11, 3)]
    assert partitions.missing(existing | {"track_other"}, TODAY, 2) == wanted


async def test_makes_days_ahead_and_does_nothing_the_second_time(
    conn: asyncpg.Connection[Any],
) -> None:
    done = await partitions.maintain(conn, TODAY, ahead=2)
    assert done == ["made track_20261101", "made track_20261102", "made track_20261103"]
    assert await partitions.maintain(conn, TODAY, ahead=2) == []
    await put(conn, 1, datetime(2026, 11, 1, tzinfo=UTC))
    await put(conn, 2, datetime(2026, 11, 3, 23, 59, 59, 999999, tzinfo=UTC))
    await put(conn, 3, datetime(2026, 11, 4, tzinfo=UTC))
    assert await where(conn) == {1: "track_20261101", 2: "track_20261103", 3: "track_other"}


async def test_days_are_utc_whatever_the_connection_thinks(conn: asyncpg.Connection[Any]) -> None:
    await conn.execute("set timezone = 'America/Belize'")
    await partitions.maintain(conn, TODAY, ahead=0)
    await put(conn, 1, datetime(2026, 11, 1, 0, 0, 1, tzinfo=UTC))
    await put(conn, 2, datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC))
    assert await where(conn) == {1: "track_20261101", 2: "track_other"}


async def test_rows_that_fell_into_the_default_partition_move(
    conn: asyncpg.Connection[Any],
) -> None:
    for unit, hour in enumerate((0, 12, 23)):
        await put(conn, unit, datetime(2026, 11, 1, hour, tzinfo=UTC))
    await put(conn, 9, datetime(2026, 10, 31, 12, tzinfo=UTC))
    done = await partitions.maintain(conn, TODAY, ahead=0)
    assert done == ["made track_20261101, moved 3 rows"]
    day = "track_20261101"
    assert await where(conn) == {0: day, 1: day, 2: day, 9: "track_other"}


async def test_a_day_is_dropped_with_all_that_is_in_it(conn: asyncpg.Connection[Any]) -> None:
    old = TODAY - timedelta(days=40)
    await partitions.maintain(conn, old, ahead=0)
    await partitions.maintain(conn, TODAY, ahead=0)
    await put(conn, 1, datetime(old.year, old.month, old.day, 5, tzinfo=UTC))
    await put(conn, 2, datetime(2026, 11, 1, tzinfo=UTC))
    names = await partitions.names(conn)
    assert names == [partitions.partition_name(old), "track_20261101", "track_other"]
    async with conn.transaction():
        await partitions.drop(conn, names[0])
    assert await where(conn) == {2: "track_20261101"}


async def test_a_new_partition_has_the_indexes(conn: asyncpg.Connection[Any]) -> None:
    await partitions.maintain(conn, TODAY, ahead=0)
    indexes = await conn.fetch("select indexdef from pg_indexes where tablename = 'track_20261101'")
    assert len(indexes) == 2
    assert any("gist (place)" in row[0] for row in indexes)


async def test_many_at_once_make_each_day_once(database: str) -> None:
    conns = [await asyncpg.connect(database) for _ in range(4)]
    try:
        done = await asyncio.gather(*(partitions.maintain(c, TODAY, ahead=3) for c in conns))
    finally:
        for each in conns:
            await each.close()
    assert sorted(line for lines in done for line in lines) == [
        f"made track_2026110{n}" for n in (1, 2, 3, 4)
    ]


async def test_a_reader_that_holds_on_is_not_waited_for_for_ever(
    database: str, conn: asyncpg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "50ms")
    reader = await asyncpg.connect(database)
    try:
        async with reader.transaction():
            await reader.fetch("select * from track")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await partitions.maintain(conn, TODAY)
    finally:
        await reader.close()
    assert len(await partitions.maintain(conn, TODAY, ahead=1)) == 2
