"""Security events on their way out: from the audit to a receiver elsewhere, at least once.

Theory of operation
-------------------
The audit is the queue. An outlet has a cursor in it, a row of the table ``outlet``; it reads the
entries behind, hands those that are security events (``psn.csirt.security_events``) to its
receiver, and moves the cursor when they are there. So what happened while the receiver, the server
or both were down is delivered afterwards, in order, and nothing is kept in memory that could be
lost or could grow. An outlet waits for nobody but its own receiver, and nobody waits for an outlet.

Invariants
~~~~~~~~~~
- Entries are numbered in the order of their commits (DOM-AUD-1), so reading ``seq > cursor`` misses
  none.
- The cursor is moved only past what the receiver has: what it answered for, or, where a protocol
  has no answers, what was sent so long before that a broken connection would have shown
  (:attr:`Receiver.settled_after`).
- After any failure an outlet goes back to its cursor. What it sent behind it is sent again; every
  event has its number, by which a receiver can tell.

An outlet begins at the newest entry when it is made: what was before is not news.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import asyncpg

from psn import database
from psn.csirt import security_events
from psn.csirt.security_events import SecurityEvent

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often an outlet looks for new entries."""
BATCH: Final = 100
"""Events handed over together at most."""
PAGE: Final = 1_000
"""Entries read at a time."""


class Undelivered(Exception):
    """The receiver did not take it, or cannot be reached; the text says why."""


class Receiver(Protocol):
    """Where an outlet delivers to."""

    settled_after: float
    """Seconds after which what was delivered without a failure counts as received."""

    async def ready(self) -> None:
        """Return when something can be delivered; raises :class:`Undelivered`.

        After a connection was lost this raises once, even if another could be had.
        """

    async def deliver(self, events: Sequence[SecurityEvent]) -> None:
        """Hand events over, in their order; raises :class:`Undelivered`."""

    def pause(self, failures: int) -> float:
        """Seconds until the next try, after so many failures in a row."""

    async def give_up(self, failing: float) -> bool:
        """Whether to stop for good, after failing for so many seconds without a success."""

    async def close(self) -> None:
        """Leave the receiver alone from now on."""


@dataclass(slots=True)
class State:
    """How an outlet is doing, for ``/metrics``."""

    behind: int = 0
    """Entries of the audit that it has not read yet."""
    succeeded: float = 0.0
    """When it last had everything delivered, or something (seconds since 1970)."""
    delivered: int = 0
    """Events that were handed over, those that were sent again too."""


class Outlet:
    """Delivers security events to one receiver."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        name: str,
        receiver: Receiver,
        wanted: Callable[[SecurityEvent], SecurityEvent | None] = lambda event: event,
    ) -> None:
        """``wanted`` gives an event as the receiver may know it; none: not at all."""
        self.name = name
        self.state = State(succeeded=time.time())
        self._pool = pool
        self._receiver = receiver
        self._wanted = wanted
        self._actions = security_events.actions()
        self._cursor = 0
        """Through here the receiver has everything."""
        self._read = 0
        """Through here everything was sent."""
        self._sent: deque[tuple[float, int]] = deque()
        """When what was sent, behind the cursor."""
        self._failures = 0
        self._failing_since: float | None = None
        self._written: tuple[int, bool] | None = None
        self._told = False

    async def run(self) -> None:
        """Deliver until it is cancelled, or the receiver is given up."""
        begun = False
        try:
            while True:
                try:
                    if not begun:
                        await self._begin()
                        begun = True
                    await self._receiver.ready()
                    idle = await self._step()
                    await self._succeeded()
                except Undelivered as problem:
                    if await self._failed(str(problem)):
                        return
                    await asyncio.sleep(self._receiver.pause(self._failures))
                except (*database.PASSING, asyncpg.PostgresError) as problem:
                    log.info("%s waits for the database: %s", self.name, problem)
                    await asyncio.sleep(LOOK_SECONDS)
                except Exception:
                    # A fault of ours must not take the server with it.
                    log.exception("%s failed", self.name)
                    if await self._failed("an error of this program; see its log"):
                        return
                    await asyncio.sleep(self._receiver.pause(self._failures))
                else:
                    if idle:
                        await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._receiver.close()

    async def _begin(self) -> None:
        """Read the cursor; a new outlet's is the newest entry."""
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                row = await make(connection, self.name)
        self._cursor = self._read = row["seq"]
        if row["failing_since"] is not None:
            self._failing_since = row["failing_since"].timestamp()
        self.state.succeeded = row["succeeded_at"].timestamp()

    async def _step(self) -> bool:
        """Deliver what there is, at most a batch; whether that was all."""
        rows = await self._entries()
        events: list[SecurityEvent] = []
        through = self._read
        for row in rows:
            if row["body"] is not None:
                event = security_events.event_of(row["seq"], row["body"])
                event = None if event is None else self._wanted(event)
                if event is not None:
                    events.append(event)
            through = row["seq"]
            if len(events) == BATCH:
                break
        if events:
            await self._receiver.deliver(events)
            self.state.delivered += len(events)
        if through > self._read:
            self._read = through
            self._sent.append((time.monotonic(), through))
        all_read = len(rows) < PAGE and (not rows or through == rows[-1]["seq"])
        return all_read

    async def _entries(self) -> list[asyncpg.Record]:
        """The next entries; the bodies of those only that may be security events."""
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                rows: list[asyncpg.Record] = await connection.fetch(
                    "SELECT seq, CASE WHEN action = ANY ($2::text[]) THEN body END AS body,"
                    " (SELECT max(seq) FROM audit) AS head"
                    " FROM audit WHERE seq > $1 ORDER BY seq LIMIT $3",
                    self._read,
                    self._actions,
                    PAGE,
                )
        self.state.behind = rows[0]["head"] - self._read if rows else 0
        return rows

    async def _succeeded(self) -> None:
        """Nothing is wrong now: move the cursor past what has settled."""
        if self._told:
            log.warning("%s delivers again", self.name)
        self._failures, self._failing_since, self._told = 0, None, False
        self.state.succeeded = time.time()
        settled = time.monotonic() - self._receiver.settled_after
        while self._sent and self._sent[0][0] <= settled:
            self._cursor = self._sent.popleft()[1]
        if self._written == (self._cursor, True):
            return
        await self._write(
            "UPDATE outlet SET seq = $2, succeeded_at = now(), failing_since = NULL, problem = NULL"
            " WHERE name = $1",
            self._cursor,
        )
        self._written = (self._cursor, True)

    async def _failed(self, why: str) -> bool:
        """Go back to the cursor; whether the receiver is given up."""
        now = time.time()
        self._read = self._cursor
        self._sent.clear()
        self._failures += 1
        if self._failing_since is None:
            self._failing_since = now
        if not self._told:
            log.warning("%s does not deliver: %s", self.name, why)
            self._told = True
        self._written = None
        try:
            await self._entries()  # how far behind it is
            await self._write(
                "UPDATE outlet SET failing_since = coalesce(failing_since, $2), problem = $3"
                " WHERE name = $1",
                datetime.fromtimestamp(self._failing_since, UTC),
                why[:500].replace("\0", "\ufffd"),
            )
            return await self._receiver.give_up(now - self._failing_since)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.info("%s waits for the database: %s", self.name, problem)
            return False

    async def _write(self, statement: str, *values: Any) -> None:
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                await connection.execute(statement, self.name, *values)


async def make(connection: database.Connection, name: str) -> asyncpg.Record:
    """The row of an outlet, made where it is missing: it begins behind the newest entry."""
    await connection.execute(
        "INSERT INTO outlet (name, seq) SELECT $1, coalesce(max(seq), 0) FROM audit"
        " ON CONFLICT DO NOTHING",
        name,
    )
    row: asyncpg.Record | None = await connection.fetchrow(
        "SELECT seq, succeeded_at, failing_since FROM outlet WHERE name = $1", name
    )
    assert row is not None
    return row
