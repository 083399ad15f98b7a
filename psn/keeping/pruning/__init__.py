"""Deleting what is past its period, and saying so, from tracks and calls to the audit.

One pruning runs at a time. It goes in small steps, each a transaction of its own with its entry
of the audit in it, and rests between them, so that neither locks nor the disk are held for long;
stopped anywhere, it goes on the next time. Periods are read once; legal holds anew in every step.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg

from psn import database
from psn.keeping import retention
from psn.keeping.pruning import (
    attachments,
    calls,
    chain,
    incidents,
    lookouts,
    mail,
    recordings,
    tracks,
)
from psn.keeping.pruning.step import Done, Work
from psn.keeping.retention import Kind
from psn.keys import Keys
from psn.problems import Problem
from psn.trail.audit import Actor

log = logging.getLogger(__name__)

_LOCK: Final = 0x70736E04
PRUNERS: Final[Mapping[Kind, Callable[[Work], Awaitable[None]]]] = {
    Kind.TRACK: tracks.prune,
    Kind.ATTACHMENT: attachments.prune,
    Kind.RECORDING: recordings.prune,
    Kind.INCIDENT: incidents.prune,
    Kind.CALL: calls.prune,
    Kind.LOOKOUT: lookouts.prune,
    Kind.MESSAGE: mail.prune,
    Kind.AUDIT: chain.prune,
}
"""What deletes each kind, in this order: the audit last, so that it tells of the others."""
FIRST_SECONDS: Final = 60.0
"""After the start of a server it prunes first after so long."""
EVERY_SECONDS: Final = 3_600.0


async def run(
    connection: database.Connection,
    keys: Keys,
    otherwise: Mapping[Kind, int | None],
    by: Actor,
    now: datetime,
    dry: bool = False,
) -> list[Done]:
    """Prune everything that is due, or with ``dry`` only count it.

    ``connection`` is used for nothing else meanwhile. Raises :class:`Problem` ``pruning_already``
    when another one is at it, and what asyncpg raises.
    """
    async with _alone(connection):
        periods = await retention.periods(connection, otherwise)
        work = Work(connection, keys, periods, by, now, dry)
        for prune in PRUNERS.values():
            await prune(work)
        return work.total()


@contextlib.asynccontextmanager
async def _alone(connection: database.Connection) -> AsyncIterator[None]:
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        raise Problem(
            "pruning_already", "Somebody else is pruning now.", "Wait until that is done."
        )
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


@dataclass(slots=True)
class Pruner:
    """The chore of a server: prunes every hour, on a connection of its own."""

    dsn: str
    keys: Keys
    otherwise: Mapping[Kind, int | None]

    async def run(self) -> None:
        """Until it is cancelled; what hinders it is logged, and it is tried again in an hour."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self.prune()
            except Problem as problem:
                log.warning("%s [%s]", problem, problem.code)
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("not everything was pruned: %s", problem)
            except Exception:
                log.exception("pruning failed")
            await asyncio.sleep(EVERY_SECONDS)

    async def prune(self) -> list[Done]:
        """Prune once, now."""
        connection = await asyncpg.connect(self.dsn, timeout=5, command_timeout=60)
        try:
            done = await run(
                connection, self.keys, self.otherwise, Actor("server"), datetime.now(UTC)
            )
        finally:
            connection.terminate()
        for each in done:
            log.info("pruned: %s", each)
        return done
