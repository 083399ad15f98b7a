"""Orders on their way: from an assignment on disk to a message in the unit's mailbox, once.

The assignment is committed first, and with it the order's id and text. What has not been noted as
sent is sent again, after a restart too; the record keeps one message of an id, so the crew gets
one. That it arrived is read from the receipts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

import asyncpg

from dispatch.board.board import Board
from psn import database, wire
from psn.core import Core
from psn.problems import Problem
from psn.record.mailboxes import DELIVERED, READ, Letter

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0


class Orders:
    """Sends orders, and notes what became of them."""

    def __init__(self, core: Core, pool: asyncpg.Pool, board: Board) -> None:
        self._core = core
        self._pool = pool
        self._board = board
        self._wake = asyncio.Event()

    def wait(self) -> None:
        """There are orders to be sent."""
        self._wake.set()

    async def run(self) -> None:
        """Send whatever waits, and look for receipts every second."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            try:
                touched = [*await self._send(), *await self._note_delivered()]
            except (*database.PASSING, asyncpg.PostgresError, Problem) as problem:
                log.warning("orders wait: %s", problem)
                await asyncio.sleep(LOOK_SECONDS)
                self._wake.set()
                continue
            if touched:
                await self._board.renew(("assignment", each) for each in touched)

    async def _send(self) -> list[int]:
        async with database.asking(self._pool) as connection:
            waiting = await connection.fetch(
                "select id, unit_id, agency_id, order_id, order_text, ordered_by from assignment"
                " where sent_at is null order by id limit 200"
            )
        if not waiting:
            return []
        directory = self._core.directory
        await asyncio.gather(
            *(
                self._core.record.append(
                    Letter(
                        wire.MessageBody(
                            id=row["order_id"],
                            sender=row["ordered_by"],
                            sender_name=directory.name(row["ordered_by"]),
                            to=[f"unit:{row['unit_id']}"],
                            text=row["order_text"],
                            priority="immediate",
                            time=0,
                        ),
                        row["agency_id"],
                    )
                )
                for row in waiting
            )
        )
        sent = [row["id"] for row in waiting]
        async with database.asking(self._pool) as connection:
            await connection.execute(_SENT, sent)
        return sent

    async def _note_delivered(self) -> list[int]:
        async with database.asking(self._pool) as connection:
            rows = await connection.fetch(_DELIVERED, [DELIVERED, READ])
        return [row["id"] for row in rows]


_SENT: Final = """
    with acting as (select set_config('psn.acting', 'yes', true))
    update assignment set sent_at = now() from acting where id = any($1) and sent_at is null
"""
_DELIVERED: Final = """
    with acting as (select set_config('psn.acting', 'yes', true))
    update assignment a set delivered_at = r.at
      from acting, log l join receipt r on r.log_id = l.id and r.state = any($1)
     where l.uid = a.order_id and r.reader = 'unit:' || a.unit_id
       and a.delivered_at is null and a.ended_at is null and a.sent_at is not null
    returning a.id
"""
