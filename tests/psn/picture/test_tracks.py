"""Positions come to rest: every one, in SI units, and the newest never goes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from stage import seed, until

from psn import wire
from psn.database import connect, milliseconds, point_of
from psn.picture import tracks
from psn.picture.tracking import Standing
from psn.picture.tracks import Crossed, TrackWriter

NOW = 1_795_478_000_000
Row = tuple[wire.Fix, int, Standing]


@pytest_asyncio.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    await seed(database)
    connection = await connect(database)
    try:
        yield connection
    finally:
        await connection.close()


def kept(
    time: int, unit: int = 1, standing: Standing = Standing.SHOWN, lon: int = -881_900_001
) -> Row:
    full = wire.Fix(unit, time, lon, 174_900_002, 1_234, 35_999, 250, -150, 77)
    return full, time + 20, standing


async def written(dsn: str, rows: list[Row], crossings: list[Crossed] | None = None) -> TrackWriter:
    writer = TrackWriter(dsn)
    for row in rows:
        writer.add(*row)
    for crossing in crossings or []:
        writer.crossed(crossing)
    task = asyncio.create_task(writer.run())
    await writer.written(0)
    writer.close()
    await task
    return writer


async def test_a_row_is_what_was_reported(database: str, db: asyncpg.Connection) -> None:
    bare = (wire.Fix(2, NOW, 1_800_000_000, -900_000_000), NOW, Standing.OLDER)
    await written(database, [kept(NOW), bare])
    first, second = await db.fetch("select * from track order by unit_id")
    assert (milliseconds(first["at"]), milliseconds(first["received_at"])) == (NOW, NOW + 20)
    assert point_of(first["place"]) == (-88.1900001, 17.4900002)
    assert first["speed"] == pytest.approx(12.34)
    assert first["heading"] == pytest.approx(359.99)
    assert (first["accuracy"], first["altitude"], first["battery"]) == (2.5, -1.5, 77)
    assert first["flag"] == Standing.SHOWN
    assert point_of(second["place"]) == (180.0, -90.0)
    assert [second[name] for name in ("speed", "heading", "accuracy", "battery")] == [None] * 4
    assert second["flag"] == Standing.OLDER


async def test_it_lies_in_the_partition_of_its_day(database: str, db: asyncpg.Connection) -> None:
    await written(database, [kept(NOW)])
    assert await db.fetchval("select st_srid(place) from track") == 4326
    assert await db.fetchval("select count(*) from only track") == 0


async def test_the_newest_never_goes_back(database: str, db: asyncpg.Connection) -> None:
    """DOM-PIC-1, DOM-PIC-8."""
    await written(database, [kept(NOW), kept(NOW + 5_000), kept(NOW + 1_000, unit=2)])
    await written(database, [kept(NOW + 1_000), kept(NOW + 9_000, standing=Standing.IMPLAUSIBLE)])
    rows = await db.fetch("select unit_id, at from latest_position order by unit_id")
    newest = {row["unit_id"]: milliseconds(row["at"]) for row in rows}
    assert newest == {1: NOW + 5_000, 2: NOW + 1_000}
    assert await db.fetchval("select count(*) from track") == 5


async def test_a_unit_that_is_gone_does_not_stop_the_others(
    database: str, db: asyncpg.Connection
) -> None:
    writer = await written(database, [kept(NOW, unit=999), kept(NOW)])
    assert writer.stored == 2
    assert await db.fetchval("select count(*) from latest_position") == 1


async def test_crossings_are_kept(database: str, db: asyncpg.Connection) -> None:
    crossing = wire.FenceCrossing(1, 7, True, NOW)
    await written(database, [], [Crossed(crossing, NOW + 3)])
    row = await db.fetchrow("select * from fence_event")
    assert row is not None
    assert (row["unit_id"], row["fence_id"], row["inside"]) == (1, 7, True)
    assert (milliseconds(row["at"]), milliseconds(row["received_at"])) == (NOW, NOW + 3)


async def test_many_batches_all_arrive(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "BATCH_ROWS", 100)
    writer = await written(database, [kept(NOW + n) for n in range(1_050)])
    assert writer.waiting == 0
    assert await db.fetchval("select count(*) from track") == 1_050


async def test_without_a_database_the_newest_are_kept_and_the_rest_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracks, "KEEP_ROWS", 10)
    writer = TrackWriter("postgresql:///nowhere?host=/nonexistent")
    for n in range(5):
        writer.add(*kept(NOW + n))
    lost = writer.written(0)
    for n in range(5, 25):
        writer.add(*kept(NOW + n))
    task = asyncio.create_task(writer.run())
    await until(lambda: writer.dropped, "the oldest are dropped")
    assert (writer.dropped, writer.waiting, writer.healthy) == (15, 10, False)
    with pytest.raises(OSError, match="dropped"):
        await lost
    writer.close()
    await task


async def test_rows_wait_while_the_database_is_away_and_all_arrive(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-PIC-7: a promise is kept only once its rows are on disk."""
    reach = tracks.database.connect

    async def refuse(dsn: str) -> asyncpg.Connection:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(tracks.database, "connect", refuse)
    writer = TrackWriter(database)
    for n in range(5):
        writer.add(*kept(NOW + n))
    early = writer.written(0)
    task = asyncio.create_task(writer.run())
    await until(lambda: not writer.healthy, "it is noticed")
    for n in range(5, 9):
        writer.add(*kept(NOW + n))
    late = writer.written(5)
    assert not early.done() and not late.done()
    assert (writer.waiting, writer.stored, writer.dropped) == (9, 0, 0)
    monkeypatch.setattr(tracks.database, "connect", reach)
    await late
    assert early.done()
    assert writer.healthy
    rows = await db.fetch("select at from track order by at")
    assert [milliseconds(row["at"]) for row in rows] == [NOW + n for n in range(9)]
    assert (writer.waiting, writer.stored) == (0, 9)
    writer.close()
    await task


async def test_a_promise_about_rows_that_were_not_dropped_is_kept(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "KEEP_ROWS", 10)
    reach = tracks.database.connect

    async def refuse(dsn: str) -> asyncpg.Connection:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(tracks.database, "connect", refuse)
    writer = TrackWriter(database)
    promises = []
    for n in range(15):
        writer.add(*kept(NOW + n))
        promises.append(writer.written(n))
    task = asyncio.create_task(writer.run())
    await until(lambda: writer.dropped == 5, "the oldest are dropped")
    monkeypatch.setattr(tracks.database, "connect", reach)
    await promises[-1]
    outcomes = [bool(promise.exception()) for promise in promises]
    assert outcomes == [True] * 5 + [False] * 10
    rows = await db.fetch("select at from track order by at")
    assert [milliseconds(row["at"]) for row in rows] == [NOW + n for n in range(5, 15)]
    writer.close()
    await task


async def test_a_batch_of_which_the_first_half_was_dropped_is_not_said_to_be_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DOM-PIC-7."""
    monkeypatch.setattr(tracks, "KEEP_ROWS", 10)
    writer = TrackWriter("postgresql:///nowhere?host=/nonexistent")
    for n in range(12):
        writer.add(*kept(NOW + n))
    promise = writer.written(0)
    later = writer.written(2)
    task = asyncio.create_task(writer.run())
    await until(lambda: writer.dropped == 2, "the oldest two are dropped")
    with pytest.raises(OSError, match="dropped"):
        await promise
    assert not later.done()
    later.cancel()
    writer.close()
    await task


async def test_with_nothing_to_write_the_promise_is_kept_at_once() -> None:
    writer = TrackWriter("postgresql:///nowhere?host=/nonexistent")
    assert writer.written(0).done()


async def test_a_batch_that_fails_half_way_leaves_nothing_behind(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, newest positions and crossings are one transaction: done again, nothing is double."""
    upsert, failed = TrackWriter._upsert_newest, 0

    async def fail_once(
        writer: TrackWriter, connection: asyncpg.Connection, rows: list[Row]
    ) -> None:
        nonlocal failed
        failed += 1
        if failed == 1:
            connection.terminate()
        await upsert(writer, connection, rows)

    monkeypatch.setattr(TrackWriter, "_upsert_newest", fail_once)
    await written(database, [kept(NOW + n) for n in range(20)])
    assert failed == 2
    assert await db.fetchval("select count(*) from track") == 20


async def test_many_crossings_of_few_positions_do_not_pile_up(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One position may cross many fences: they count for the next batch as positions do."""
    monkeypatch.setattr(tracks, "BATCH_ROWS", 10)
    monkeypatch.setattr(tracks, "EVERY_SECONDS", 3_600.0)
    writer = TrackWriter(database)
    for n in range(10):
        writer.add(*kept(NOW + n))
    for n in range(95):
        writer.crossed(Crossed(wire.FenceCrossing(1, n + 1, True, NOW), NOW))
    task = asyncio.create_task(writer.run())
    await until(lambda: len(writer._crossings) < 10, "all but the last few are written")
    assert await db.fetchval("select count(*) from fence_event") >= 90
    writer.close()
    await task
    assert await db.fetchval("select count(*) from fence_event") == 95
