"""Orders on their way: from an assignment on disk to a message in the unit's mailbox, once.

The assignment is committed first, and with it the order's id and text; so is a letter, which tells
a crew something else, such as that it is called back. What has not been noted as
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
        """Send orders and letters that wait; the assignments whose orders are sent now."""
        async with database.asking(self._pool) as connection:
            waiting = await connection.fetch(_WAITING)
        if not waiting:
            return []
        record = self._core.record
        answers = await asyncio.gather(
            *(record.append(self._letter(row)) for row in waiting), return_exceptions=True
        )
        sent, problems = [], []
        for row, answer in zip(waiting, answers, strict=True):
            if not isinstance(answer, BaseException):
                sent.append(row)
            elif isinstance(answer, Problem) and answer.code in _NEVER:
                # It is not tried again, so that it keeps no other order waiting; the alarm of an
                # order that does not arrive tells the desk.
                log.error("order %s to unit %d is refused: %s", row["uid"], row["unit_id"], answer)
                sent.append(row)
            else:
                problems.append(answer)
        orders = [row["assignment"] for row in sent if row["assignment"] is not None]
        async with database.asking(self._pool) as connection:
            await connection.execute(_SENT, orders)
            await connection.execute(_LETTERS_SENT, [row["uid"] for row in sent])
        if problems:
            log.warning("%d orders wait: %s", len(problems), problems[0])
        return orders

    def _letter(self, row: asyncpg.Record) -> Letter:
        body = wire.MessageBody(
            id=row["uid"],
            sender=row["author"],
            sender_name=self._core.directory.name(row["author"]),
            to=[f"unit:{row['unit_id']}"],
            text=row["text"],
            priority="immediate",
            time=0,
        )
        return Letter(body, row["agency_id"])

    async def _note_delivered(self) -> list[int]:
        async with database.asking(self._pool) as connection:
            rows = await connection.fetch(_DELIVERED, [DELIVERED, READ])
        return [row["id"] for row in rows]


_NEVER: Final = frozenset({"id_taken", "not_storable"})
"""Codes with which the record refuses a message for good."""
_WAITING: Final = """
    select id as assignment, unit_id, agency_id, order_id as uid, order_text as text,
           ordered_by as author, ordered_at as at
      from assignment where sent_at is null and ended_at is null
    union all
    select null, unit_id, agency_id, id, text, author, at from unit_letter where sent_at is null
    order by at limit 200
"""
_LETTERS_SENT: Final = "update unit_letter set sent_at = now() where id = any($1)"
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
