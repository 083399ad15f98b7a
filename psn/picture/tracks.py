"""Where positions come to rest: tracks by COPY, newest positions by one upsert, in batches.

Positions are picture traffic: the map does not wait for the disk. They gather here and are
written a few times a second. When the database is away they are kept, up to :data:`KEEP_ROWS`;
beyond that the oldest are dropped and counted. A batch that a device kept through a dead spot is
different: its sender deletes it when told so, and is told only after the commit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from psn import copying, database, wire
from psn.histogram import SECONDS, SIZES, Histogram
from psn.picture.tracking import Standing

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.25
BATCH_ROWS = 1_000
"""Written at once when so many wait, and at most so many at once."""
KEEP_ROWS = 500_000
"""About 130 MB, and eight minutes of a thousand units at 1 Hz."""

_STAGE = """
CREATE TEMPORARY TABLE newest (LIKE latest_position) ON COMMIT DELETE ROWS
"""
_NEWEST = """
INSERT INTO latest_position AS l
       (unit_id, at, received_at, place, speed, heading, accuracy, altitude, battery)
SELECT unit_id, at, received_at, place, speed, heading, accuracy, altitude, battery
  FROM newest n
 WHERE (SELECT true FROM unit u WHERE u.id = n.unit_id)
 ORDER BY unit_id
    ON CONFLICT (unit_id) DO UPDATE
   SET at = excluded.at, received_at = excluded.received_at, place = excluded.place,
       speed = excluded.speed, heading = excluded.heading, accuracy = excluded.accuracy,
       altitude = excluded.altitude, battery = excluded.battery
 WHERE excluded.at > l.at
"""

"""A position may come for a unit that was just deleted. A subquery for each row, because a join
is planned without knowing how many rows are staged, and was: a thousand times all units."""


class _Row(NamedTuple):
    """One position that waits to be written, its values as COPY takes them."""

    unit: int
    received: int
    standing: Standing
    values: bytes


@dataclass(frozen=True, slots=True)
class Crossed:
    """One fence event before it is written."""

    crossing: wire.FenceCrossing
    received: int


class TrackWriter:
    """Gathers positions and fence events, and writes them in the background."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._rows: list[_Row] = []
        self._crossings: list[Crossed] = []
        self._promises: list[tuple[int, int, asyncio.Future[None]]] = []
        """Before the first and after the last of the rows that each speaks of."""
        self._total = 0
        self._wake = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._closing = False
        self.stored = 0
        self.dropped = 0
        self.seconds = Histogram(SECONDS)
        """From taking the oldest position of a batch until it was committed."""
        self.batches = Histogram(SIZES)
        """Positions a transaction."""
        self.healthy = True

    @property
    def waiting(self) -> int:
        """Rows that are not on disk yet."""
        return len(self._rows)

    def add(self, fix: wire.Fix, received: int, standing: Standing) -> None:
        """Keep a position for the next batch; ``received`` is milliseconds UTC."""
        self._rows.append(_Row(fix.unit, received, standing, copying.position(fix, received)))
        self._total += 1
        if len(self._rows) == BATCH_ROWS:
            self._wake.set()

    def crossed(self, crossed: Crossed) -> None:
        """Keep a fence event for the next batch."""
        self._crossings.append(crossed)

    @property
    def total(self) -> int:
        """Positions added ever."""
        return self._total

    def written(self, since: int) -> asyncio.Future[None]:
        """Done when all that was added since :attr:`total` was so much is committed.

        Failed when any of it had to be dropped.
        """
        promise: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._rows or since == self._total:
            promise.set_result(None)
        else:
            self._promises.append((since, self._total, promise))
            self._wake.set()
        return promise

    async def run(self) -> None:
        """Write until :meth:`close`; survives the database going away."""
        try:
            await self._run()
        finally:
            await self._disconnect()

    async def _run(self) -> None:
        delay = 0.25
        while not (self._closing and not self._rows and not self._crossings):
            if not self._closing:
                await self._pause(EVERY_SECONDS)
            try:
                if self._rows or self._crossings:
                    await self._write_batch()
                # What came meanwhile waits for the next time, unless it is much or somebody waits.
                while max(len(self._rows), len(self._crossings)) >= BATCH_ROWS or self._promises:
                    await self._write_batch()
                delay = 0.25
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                self._say_unhealthy(problem)
                await self._disconnect()
                if self._closing:
                    log.error("%d positions were not stored", len(self._rows))
                    return
                self._drop_oldest()
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)

    def close(self) -> None:
        """Write what is left, then end :meth:`run`."""
        self._closing = True
        self._wake.set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _write_batch(self) -> None:
        if self._connection is None or self._connection.is_closed():
            connection = await database.connect(self._dsn)
            try:
                with database.answering(connection):
                    await connection.execute(_STAGE)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        rows, crossings = self._rows[:BATCH_ROWS], self._crossings[:BATCH_ROWS]
        with database.answering(self._connection):
            await self._write(self._connection, rows, crossings)
        del self._rows[: len(rows)]
        del self._crossings[: len(crossings)]
        self.stored += len(rows)
        if rows:
            self.batches.observe(len(rows))
            self.seconds.observe(max(time.time() - rows[0].received / 1_000, 0.0))
        if not self.healthy:
            log.warning("positions are being stored again")
            self.healthy = True
        self._keep_promises()

    async def _write(
        self, connection: asyncpg.Connection, rows: list[_Row], crossings: list[Crossed]
    ) -> None:
        async with connection.transaction():
            if rows:
                everything = copying.tracks((row.values, row.standing) for row in rows)
                await _copy(connection, "track", copying.TRACK_COLUMNS, everything)
                await self._upsert_newest(connection, rows)
            if crossings:
                await connection.copy_records_to_table(
                    "fence_event",
                    records=[
                        (
                            c.crossing.unit,
                            c.crossing.fence,
                            c.crossing.inside,
                            database.moment(c.crossing.time),
                            database.moment(c.received),
                        )
                        for c in crossings
                    ],
                    columns=("unit_id", "fence_id", "inside", "at", "received_at"),
                )

    async def _upsert_newest(self, connection: asyncpg.Connection, rows: list[_Row]) -> None:
        newest = {row.unit: row.values for row in rows if row.standing is Standing.SHOWN}
        if newest:
            values = copying.positions(newest.values())
            await _copy(connection, "newest", copying.POSITION_COLUMNS, values)
            await connection.execute(_NEWEST)

    def _keep_promises(self) -> None:
        reached = self._total - len(self._rows)
        while self._promises and self._promises[0][1] <= reached:
            _, _, promise = self._promises.pop(0)
            if not promise.done():
                promise.set_result(None)

    def _drop_oldest(self) -> None:
        del self._crossings[:-KEEP_ROWS]
        excess = len(self._rows) - KEEP_ROWS
        if excess <= 0:
            return
        del self._rows[:excess]
        self.dropped += excess
        # A promise is broken when any of its rows is gone.
        reached = self._total - len(self._rows)
        while self._promises and self._promises[0][0] < reached:
            _, _, promise = self._promises.pop(0)
            if not promise.done():
                promise.set_exception(OSError("positions were dropped before they were stored"))

    def _say_unhealthy(self, problem: BaseException) -> None:
        if self.healthy:
            log.warning("positions cannot be stored, keeping them in memory: %s", problem)
            self.healthy = False

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.terminate()


async def _copy(
    connection: asyncpg.Connection, table: str, columns: Sequence[str], content: bytes
) -> None:
    async def whole() -> AsyncIterator[bytes]:
        yield content

    await connection.copy_to_table(table, source=whole(), columns=columns, format="binary")
