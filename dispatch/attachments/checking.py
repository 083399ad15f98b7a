"""The chore beside the traffic: judges what has arrived, and removes what is to go.

What waits is in the database, so that a server that was killed goes on where it stopped. A file is
judged as often as it takes until there is a judgement: a scanner that is away, a disk that is full
or not mounted, and a decoder that is not installed leave it *checking*, and are logged once a
minute.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, TypeVarTuple

import asyncpg

from dispatch.attachments import kinds, rows
from dispatch.attachments.decoder import DecoderTrouble, decode
from dispatch.attachments.files import CONTENT, PART, Files
from dispatch.attachments.kinds import Refusal
from dispatch.attachments.rows import Row
from dispatch.attachments.scanning import Scan, ScannerAway
from psn import database
from psn.core import Core
from psn.trail.audit import Actor

log = logging.getLogger(__name__)

T = TypeVar("T")
Args = TypeVarTuple("Args")

EVERY_SECONDS: Final = 10.0
"""When nothing wakes it."""
AT_ONCE: Final = 2
"""Files that are judged at the same time."""
SAID_EVERY_SECONDS: Final = 60.0
LEAVE_SECONDS: Final = 2.0
"""A server that stops waits so long for the database."""


class Checker:
    """Judges attachments, one server's."""

    def __init__(
        self, core: Core, pool: asyncpg.Pool, files: Files, scan: Scan | None, voice_seconds: int
    ) -> None:
        self._core = core
        self._pool = pool
        self._files = files
        self._scan = scan
        self._voice_seconds = voice_seconds
        self._awake = asyncio.Event()
        self._quiet_until = 0.0

    def wake(self) -> None:
        """Something has arrived."""
        self._awake.set()

    async def run(self) -> None:
        """Until it is cancelled; what hinders it is logged, and it is tried again."""
        while True:
            self._awake.clear()
            try:
                await self.round()
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                self._complain(f"attachments are not looked after: {problem}")
            except Exception:
                log.exception("attachments are not looked after")
            try:
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._awake.wait()
            except TimeoutError:
                continue

    async def round(self) -> None:
        """Judge what waits, and remove what is to go, once."""
        judged: set[object] = set()
        while True:
            waiting = await self._asking(rows.to_check, AT_ONCE + len(judged))
            new = [row for row in waiting if row.id not in judged][:AT_ONCE]
            if not new:
                break
            judged |= {row.id for row in new}
            async with asyncio.TaskGroup() as group:
                judging = [group.create_task(self._judge(row)) for row in new]
            if not all(task.result() for task in judging):
                break
        await self._asking(self._clear_up)

    async def _clear_up(self, connection: database.Connection) -> None:
        await rows.forget_unfinished(connection)
        while names := await rows.orphans(connection):
            await asyncio.to_thread(self._files.remove, names)
            await rows.removed(connection, names)

    async def _asking(
        self, work: Callable[[database.Connection, *Args], Awaitable[T]], *args: *Args
    ) -> T:
        """Do something in the database, and leave it tidily also when this is cancelled."""

        async def ask() -> T:
            async with self._pool.acquire() as connection:
                return await work(connection, *args)

        asking = asyncio.create_task(ask())
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(_ended)
            await asyncio.wait((asking,), timeout=LEAVE_SECONDS)
            raise

    async def _judge(self, row: Row) -> bool:
        """Decide on one; what is not its own fault leaves it for the next round.

        Whether it is of use to go on with others now.
        """
        try:
            await self._decide(row)
        except ScannerAway as problem:
            self._complain(f"the virus scanner is away, attachments wait: {problem}")
            return False
        except (DecoderTrouble, *database.PASSING, asyncpg.PostgresError) as problem:
            self._complain(f"attachment {row.id} waits: {problem}")
        return True

    async def _decide(self, row: Row) -> None:
        by = Actor(row.author, self._core.directory.name(row.author), row.agency_id)
        refusal = await self._refusal(row)
        made = refusal or await decode(self._files, row.id, row.kind, self._voice_seconds)
        if isinstance(made, Refusal):
            await self._asking(rows.refuse, row, made, by)
            return
        size = await asyncio.to_thread(self._files.keep, row.id, made.preview)
        sha256 = await asyncio.to_thread(self._files.sha256, row.id, CONTENT)
        await self._asking(rows.ready, row, made, size, sha256, by)

    async def _refusal(self, row: Row) -> Refusal | None:
        """Why it is not even decoded; the scanner sees it as it was sent."""
        path = self._files.path(row.id, PART)
        head, tail = await asyncio.to_thread(self._files.ends, row.id)
        if self._scan is not None and (found := await self._scan(path)) is not None:
            log.warning("a virus in attachment %s of %s: %r", row.id, row.author, found)
            return Refusal("virus", "A virus was found in this file.")
        return kinds.refusal(row.kind, head, tail)

    def _complain(self, text: str) -> None:
        """Log a hindrance, once a minute."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + SAID_EVERY_SECONDS
            log.warning("%s", text)


def _ended(asking: asyncio.Task[Any]) -> None:
    """Nobody waits for it any more: how it ended is nobody's trouble, nor a fault to be told."""
    if not asking.cancelled():
        asking.exception()
