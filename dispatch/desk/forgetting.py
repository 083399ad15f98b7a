"""Forgetting what was kept only so that nothing is done or told twice.

An action is known by its id for :data:`KEPT_DAYS`: for so long a tablet may lie in a drawer with
something unsent. The record of what was done stays where it was written: logs, times, the audit.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import asyncpg

from psn import database

log = logging.getLogger(__name__)

KEPT_DAYS: Final = 90
ADDRESS_DAYS: Final = 365
"""So long it is known at which telephone or address somebody was warned; then only that he was."""
EVERY_SECONDS: Final = 3_600.0
BATCH: Final = 2_000
"""Rows of one statement, so that none holds others up."""


async def run(pool: asyncpg.Pool) -> None:
    """Every hour, forget what is old enough."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await forget(pool)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.warning("old actions were not forgotten: %s", problem)


async def forget(pool: asyncpg.Pool) -> int:
    """Forget what is old enough now; how many rows. Raises what asyncpg raises."""
    gone = 0
    for statement, days in (
        (_ACTIONS, KEPT_DAYS),
        (_LETTERS, KEPT_DAYS),
        (_WARNING_LETTERS, KEPT_DAYS),
        (_ADDRESSES, ADDRESS_DAYS),
    ):
        while True:
            async with database.asking(pool) as connection:
                done = await connection.fetchval(statement, days, BATCH)
            gone += done
            if done < BATCH:
                break
    return gone


def _old(table: str, column: str) -> str:
    return f"""
        with old as (select id from {table} where {column} < now() - make_interval(days => $1)
                      order by {column} limit $2),
             gone as (delete from {table} where id in (select id from old) returning 1)
        select count(*) from gone
    """


_ACTIONS: Final = _old("action_done", "at")
_LETTERS: Final = _old("unit_letter", "sent_at")
_WARNING_LETTERS: Final = _old("warning_letter", "sent_at")
# The numbers of a report stay as they are: a recipient is still one.
_ADDRESSES: Final = """
    with old as (select d.id from warning_message m join warning_delivery d on d.message_id = m.id
                  where m.stage = 'sent' and m.sent_at < now() - make_interval(days => $1)
                    and d.address not like 'recipient:%' limit $2),
         gone as (update warning_delivery set address = 'recipient:' || recipient_id
                   where id in (select id from old) returning 1)
    select count(*) from gone
"""
