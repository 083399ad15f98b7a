"""Orders on their way: from an assignment on disk to a message in the unit's mailbox, once.

The assignment is committed first, and with it the order's id and text; so is a letter, which tells
a crew something else, such as that it is called back. What has not been noted as
sent is sent again, after a restart too; the record keeps one message of an id, so the crew gets
one. That it arrived is read from the receipts. What the record refuses for good is not tried again:
its assignment says so until somebody sends it anew, under another id.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final
from uuid import UUID

import asyncpg

from dispatch.bell import Bell
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
        self._bell = Bell()

    def wait(self) -> None:
        """There are orders to be sent."""
        self._bell.ring()

    async def run(self) -> None:
        """Send whatever waits, and look for receipts every second."""
        while True:
            await self._bell.wait(LOOK_SECONDS)
            try:
                touched = [*await self._send(), *await self._note_delivered()]
            except (*database.PASSING, asyncpg.PostgresError, Problem) as problem:
                log.warning("orders wait: %s", problem)
                await asyncio.sleep(LOOK_SECONDS)
                self._bell.ring()
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
        sent, refused, problems = [], [], []
        for row, answer in zip(waiting, answers, strict=True):
            if not isinstance(answer, BaseException):
                sent.append(row["uid"])
            elif isinstance(answer, Problem) and answer.code in NEVER:
                log.error("order %s to unit %d is refused: %s", row["uid"], row["unit_id"], answer)
                refused.append((row["uid"], answer.code))
            else:
                problems.append(answer)
        if problems:
            log.warning("%d orders wait: %s", len(problems), problems[0])
        return await self._note(sent, refused)

    async def _note(self, sent: list[UUID], refused: list[tuple[UUID, str]]) -> list[int]:
        """Write down what became of orders and letters; the assignments whose orders they are."""
        without = [uid for uid, _ in refused]
        async with database.asking(self._pool) as connection:
            orders = await connection.fetch(_SENT, sent)
            orders += await connection.fetch(_REFUSED, without, [code for _, code in refused])
            await connection.execute(_LETTERS_DONE, [*sent, *without])
        return [row["id"] for row in orders]

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


NEVER: Final = frozenset({"id_taken", "not_storable"})
"""Codes with which the record refuses a message for good."""
_WAITING: Final = """
    select id as assignment, unit_id, agency_id, order_id as uid, order_text as text,
           ordered_by as author, ordered_at as at
      from assignment where sent_at is null and refused_at is null and ended_at is null
    union all
    select null, unit_id, agency_id, id, text, author, at from unit_letter where sent_at is null
    order by at limit 200
"""
_LETTERS_DONE: Final = "update unit_letter set sent_at = now() where id = any($1)"
_SENT: Final = """
    with acting as (select set_config('psn.acting', 'yes', true))
    update assignment set sent_at = now() from acting where order_id = any($1) and sent_at is null
    returning id
"""
_REFUSED: Final = """
    with acting as (select set_config('psn.acting', 'yes', true))
    update assignment set refused_at = now(), refusal = r.code
      from acting, unnest($1::uuid[], $2::text[]) as r (uid, code)
     where order_id = r.uid and sent_at is null and refused_at is null
    returning id
"""
_DELIVERED: Final = """
    with acting as (select set_config('psn.acting', 'yes', true))
    update assignment a set delivered_at = r.at
      from acting, log l join receipt r on r.log_id = l.id and r.state = any($1)
     where l.uid = a.order_id and r.reader = 'unit:' || a.unit_id
       and a.delivered_at is null and a.ended_at is null and a.sent_at is not null
    returning a.id
"""
