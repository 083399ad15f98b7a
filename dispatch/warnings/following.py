"""What was sent, for a process beside the server: read again and again from the database.

Theory of operation
-------------------
The server knows what it has sent; whoever stands beside it looks, four times a second, for messages
that it has not seen. Looking is one look into an index, about as much as a heartbeat, and says what
a notice could not: that nothing was sent until now. It needs no server, may be done at a database
that is a standby, and may be done by a role that can read two tables and change nothing.

What is in force follows from the messages and from the clock, so with the database away it is known
until when it was: what is over is over, and what is new is not known. Who shows it is told that he
is cut off (:attr:`Followed.cut_off`) once that has lasted for :data:`CUT_OFF_AFTER`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from dispatch.warnings import told
from dispatch.warnings.told import Now, Sent
from psn import database, revisions
from psn.problems import Problem

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.25
AGAIN_SECONDS: Final = 1.0
EVERY: Final = timedelta(minutes=1)
"""It is shown anew at least so often: what was sent a day ago leaves the feed."""
CUT_OFF_AFTER: Final = timedelta(seconds=30)
"""A database that is started anew is back before that."""
READING: Final = {"application_name": "psn public", "default_transaction_read_only": "on"}


@dataclass(frozen=True, slots=True)
class Followed:
    """What is known.

    Attributes:
        newest: the last document that was ever sent.
        cut_off: nothing is known of what was sent after that; None: everything is known.
    """

    now: Now
    newest: bytes | None
    cut_off: datetime | None


class Following:
    """The messages that were sent, and what is in force; outlives server and database."""

    def __init__(self, dsn: str, shows: Callable[[Followed], None]) -> None:
        """``shows``: called with every change."""
        self._dsn = dsn
        self._shows = shows
        self._known: dict[int, Sent] = {}
        self._unreadable: set[int] = set()
        self._newest: bytes | None = None
        self._read_at: datetime | None = None
        self._news = asyncio.Event()
        self._shown: Followed | None = None
        self.shown = asyncio.Event()
        """It was shown for the first time."""

    @property
    def known(self) -> bool:
        """Whether everything is known, as far as :data:`CUT_OFF_AFTER` lets it be said."""
        return self._read_at is not None and self._cut_off(datetime.now(UTC)) is None

    async def read(self) -> None:
        """Look for what is new, without an end."""
        said = ""
        while True:
            try:
                await self._look()
            except (*database.PASSING, asyncpg.PostgresError, Problem) as problem:
                if (why := f"{type(problem).__name__}: {problem}") != said:
                    log.warning("what was sent cannot be read: %s", why)
                said = why
            except Exception:
                log.exception("what was sent cannot be read")
            await asyncio.sleep(AGAIN_SECONDS)

    async def show(self) -> None:
        """Show what changes, also by the clock, without an end."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            now = datetime.now(UTC)
            if self._read_at is not None and (self._news.is_set() or self._is_over(now)):
                self._news.clear()
                self._show(now)

    async def _look(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=5, server_settings=READING)
        try:
            with database.answering(connection):
                await revisions.check(connection)
                self._newest = await _newest(connection)
            log.info("what was sent is read")
            while True:
                with database.answering(connection):
                    await self._read(connection)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            connection.terminate()

    async def _read(self, connection: database.Connection) -> None:
        now = datetime.now(UTC)
        seen = [*self._known, *self._unreadable]
        found = await told.read(connection, now, seen, self._unreadable)
        self._known |= {each.id: each for each in found}
        for old in [each for each in self._known.values() if each.alert.sent < now - told.KEPT]:
            del self._known[old.id]
        if found:
            self._newest = max(found, key=lambda each: (each.alert.sent, each.id)).document
        if found or self._read_at is None:
            self._news.set()
        self._read_at = now

    def _is_over(self, now: datetime) -> bool:
        """Whether what is shown is not true any more, or it is time to look again."""
        shown = self._shown
        return (
            shown is None
            or not shown.now.at <= now < shown.now.at + EVERY
            or any(each.ends <= now for each in shown.now.in_force())
            or (shown.cut_off is None) is not (self._cut_off(now) is None)
        )

    def _cut_off(self, now: datetime) -> datetime | None:
        assert self._read_at is not None
        return self._read_at if now - self._read_at > CUT_OFF_AFTER else None

    def _show(self, now: datetime) -> None:
        try:
            believed = told.believed(tuple(self._known.values()), now)
            self._shown = Followed(believed, self._newest, self._cut_off(now))
            self._shows(self._shown)
        except Exception:
            log.exception("what was sent is not shown; it is tried again within a minute")
            return
        self.shown.set()


async def _newest(connection: database.Connection) -> bytes | None:
    document: str | None = await connection.fetchval(_NEWEST)
    return None if document is None else document.encode()


_NEWEST: Final = """
    select document from warning_message where stage = 'sent' order by sent_at desc limit 1
"""
