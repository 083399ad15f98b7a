"""Whether the audit is guarded: a look at its triggers every minute, told when that changes."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import asyncpg

from psn import database
from psn.trail import audit_search, auditor
from psn.trail.audit import Actor, Entry
from psn.trail.auditor import Auditor

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60.0


class Guards:
    """Watches the triggers that record changes and refuse to change what was recorded."""

    def __init__(self, pool: asyncpg.Pool, auditor: Auditor) -> None:
        self._pool = pool
        self._auditor = auditor
        self._off: list[str] = []
        """What was wrong when it was looked at last."""

    async def run(self) -> None:
        """Look until it is cancelled."""
        while True:
            try:
                await self.look()
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.info("guards of the audit were not looked at: %s", problem)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once; what has changed since goes into the audit, which tells the outlets."""
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                off = [finding.text for finding in await audit_search.unguarded(connection)]
        if off == self._off:
            return
        self._off = off
        action = "audit.unguarded" if off else "audit.guarded"
        for text in off:
            log.error("%s", text)
        details = {"off": off[:20], "count": len(off)} if off else {}
        self._auditor.note(Entry(Actor("server"), action, details=details, at=auditor.now_ms()))
