"""Rows that we encode ourselves are what PostgreSQL reads, whatever is known of a position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psn import copying, wire
from psn.database import connect, milliseconds, point_of

FIXES = st.builds(
    wire.Fix,
    unit=st.integers(1, 2**31 - 1),
    time=st.integers(0, 253_402_300_799_999),
    lon=st.integers(-1_800_000_000, 1_800_000_000),
    lat=st.integers(-900_000_000, 900_000_000),
    speed=st.none() | st.integers(0, 100_000),
    heading=st.none() | st.integers(0, 35_999),
    accuracy=st.none() | st.integers(0, 10_000_000),
    altitude=st.none() | st.integers(-1_000_000, 5_000_000),
    battery=st.none() | st.integers(0, 100),
)


async def _copied(
    connection: asyncpg.Connection, table: str, columns: tuple[str, ...], content: bytes
) -> list[asyncpg.Record]:
    async def whole() -> AsyncIterator[bytes]:
        yield content

    await connection.execute(f"create temporary table {table} (like track including defaults)")
    try:
        await connection.copy_to_table(table, source=whole(), columns=columns, format="binary")
        return await connection.fetch(f"select *, st_srid(place) as srid from {table}")
    finally:
        await connection.execute(f"drop table {table}")


@given(rows=st.lists(st.tuples(FIXES, st.sampled_from([0, 1, 2])), max_size=40))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_copied_is_what_was_reported(
    database: str, rows: list[tuple[wire.Fix, int]]
) -> None:
    received = 1_795_478_000_000

    async def work() -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
        connection = await connect(database)
        try:
            values = [(copying.position(fix, received), flag) for fix, flag in rows]
            return (
                await _copied(connection, "a", copying.TRACK_COLUMNS, copying.tracks(values)),
                await _copied(
                    connection,
                    "b",
                    copying.POSITION_COLUMNS,
                    copying.positions(value for value, _ in values),
                ),
            )
        finally:
            await connection.close()

    with_flags, without = asyncio.run(work())
    assert [row["flag"] for row in with_flags] == [flag for _, flag in rows]
    for table in (with_flags, without):
        assert len(table) == len(rows)
        for row, (fix, _) in zip(table, rows, strict=True):
            assert (row["unit_id"], milliseconds(row["at"])) == (fix.unit, fix.time)
            assert milliseconds(row["received_at"]) == received
            assert row["srid"] == 4326
            assert point_of(row["place"]) == (fix.lon / 1e7, fix.lat / 1e7)
            for name in ("speed", "heading", "accuracy", "altitude"):
                said = getattr(fix, name)
                assert row[name] == (None if said is None else pytest.approx(said / 100))
            assert row["battery"] == fix.battery
