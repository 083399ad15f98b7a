"""The clock of warnings: sends what is due, and brings letters to the record.

Theory of operation
-------------------
A message that is approved is due at the time that its content says. The clock looks for what is
due, locks that warning as an action does, looks again, and sends it; so whoever is quicker, an
officer, this server after a restart, or another one, sends it, and the others find it sent
(DOM-WRN-6, DOM-WRN-9). A warning that somebody has locked is passed over, and looked at again.

What can be sent no more (its approval is too old, it would be over, another message was sent
meanwhile) is not tried for ever: its approval is taken back, and ``held`` says why.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

import asyncpg

from dispatch.alerting import life
from dispatch.alerting.cap import CapRefused
from dispatch.alerting.issuing import NEMO
from dispatch.bell import Bell
from dispatch.domain.refusals import DispatchRefused
from dispatch.warnings import going_out, rows
from psn import database, wire
from psn.core import Core
from psn.problems import Problem
from psn.record.mailboxes import Letter
from psn.trail import auditor
from psn.trail.audit import Actor

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
NEVER: Final = frozenset({"id_taken", "not_storable"})
"""Codes with which the record refuses a message for good."""


class WarningClock:
    """Sends by the clock; ``changed`` is awaited when something was sent or held."""

    def __init__(
        self, core: Core, pool: asyncpg.Pool, changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._core = core
        self._pool = pool
        self._changed = changed
        self._bell = Bell()

    def wake(self) -> None:
        """There may be something to do."""
        self._bell.ring()

    async def run(self) -> None:
        """Look twice a second; survives the database going away."""
        while True:
            await self._bell.wait(LOOK_SECONDS)
            for work in (partial(self.look, datetime.now(UTC)), self._send_letters):
                try:
                    await work()
                except (*database.PASSING, asyncpg.PostgresError, Problem) as problem:
                    log.warning("warnings wait: %s", problem)

    async def look(self, now: datetime) -> None:
        """Send what is due at ``now`` (UTC, aware)."""
        async with database.asking(self._pool) as connection:
            due = [row["id"] for row in await connection.fetch(_DUE, now)]
        done = False
        for each in due:
            try:
                done |= await self._send(each, now)
            except database.PASSING:
                raise
            except Exception:
                # The others are as urgent.
                log.exception("warning message %d could not be sent", each)
        if done:
            await self._changed()

    async def _send(self, number: int, now: datetime) -> bool:
        """Send one, or hold it; whether anything was changed."""
        async with (
            database.asking(self._pool) as connection,
            auditor.acting(connection, Actor("server")),
        ):
            free = await connection.fetchval(_FREE, number)
            chain = None if free is None else await rows.locked(connection, free)
            if chain is None or not life.due(chain.of(number), now):
                return False
            await connection.execute("select set_config('psn.acting', 'yes', true)")
            message = chain.of(number)
            try:
                await going_out.send(
                    connection, chain, message, None, now, NEMO, self._core.keys.alert
                )
            except (DispatchRefused, CapRefused) as problem:
                log.warning("warning message %d is not sent: %s", number, problem)
                await rows.stand(connection, life.take_back(message), held=str(problem))
            return True

    async def _send_letters(self) -> None:
        async with database.asking(self._pool) as connection:
            waiting = await connection.fetch(
                "select id, agency_id, address, author, text from warning_letter"
                " where sent_at is null order by at limit 200"
            )
        done = []
        for row in waiting:
            body = wire.MessageBody(
                id=row["id"],
                sender=row["author"],
                sender_name=self._core.directory.name(row["author"]),
                to=[row["address"]],
                text=row["text"],
                priority="immediate",
                time=0,
            )
            try:
                await self._core.record.append(Letter(body, row["agency_id"]))
            except Problem as problem:
                if problem.code not in NEVER:
                    raise
                log.error("letter %s to %s is refused: %s", row["id"], row["address"], problem)
            done.append(row["id"])
        if done:
            async with database.asking(self._pool) as connection:
                await connection.execute(
                    "update warning_letter set sent_at = now() where id = any($1)", done
                )


_DUE: Final = """
    select id from warning_message
     where stage = 'approved' and (send_at is null or send_at <= $1) order by id limit 50
"""
# One that somebody is at is passed over.
_FREE: Final = """
    select w.id from warning w join warning_message m on m.warning_id = w.id
     where m.id = $1 for update of w skip locked
"""
