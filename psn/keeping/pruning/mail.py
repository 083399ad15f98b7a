"""Pruning messages: the oldest entries of each mailbox first, then rows that no mailbox holds.

A mailbox keeps what its agency's period says; a joint group keeps as long as the agency that keeps
longest. Its *floor* is the smallest sequence that is still kept: below it everything goes, so an
entry under hold keeps those above it as well. Readers that are behind the floor are told so
(``history_gone``). The server learns of new floors by a notice.

A row of the log goes when no mailbox holds it any more. It is noted in ``log_orphan`` by the
transaction that took it out of the last one, so a pruning that was stopped in between forgets none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import asyncpg

from psn.keeping.pruning import rows
from psn.keeping.pruning.step import Done, Work
from psn.keeping.retention import Kind
from psn.watched import FLOORS_CHANNEL

PAGE: Final = 500
"""Entries of a mailbox that one step deletes."""

# The oldest entry of each mailbox, and whose it is; a joint group is nobody's.
_MAILBOXES: Final = """
    SELECT m.address, m.floor, owner.agency, owner.joint,
           (SELECT l.at FROM mailbox_entry e JOIN log l ON l.id = e.log_id
             WHERE e.address = m.address AND e.seq >= m.floor ORDER BY e.seq LIMIT 1) AS oldest
      FROM mailbox m
     CROSS JOIN LATERAL (
           SELECT split_part(m.address, ':', 1) AS kind,
                  split_part(m.address, ':', 2)::int AS id) AS a
     CROSS JOIN LATERAL (
           SELECT CASE a.kind
                  WHEN 'agency' THEN a.id
                  WHEN 'person' THEN (SELECT agency_id FROM person WHERE id = a.id)
                  WHEN 'unit' THEN (SELECT agency_id FROM unit WHERE id = a.id)
                  WHEN 'group' THEN (SELECT agency_id FROM talkgroup WHERE id = a.id)
                  END AS agency,
                  a.kind = 'group' AS joint) AS owner
     WHERE m.head >= m.floor ORDER BY m.address
"""
_PAGE: Final = """
    SELECT e.seq, e.log_id, l.at FROM mailbox_entry e LEFT JOIN log l ON l.id = e.log_id
     WHERE e.address = $1 AND e.seq >= $2 ORDER BY e.seq LIMIT $3
"""
_ORPHANS: Final = """
    INSERT INTO log_orphan (log_id)
    SELECT g.id FROM unnest($1::bigint[]) AS g (id)
     WHERE NOT EXISTS (SELECT FROM mailbox_entry e WHERE e.log_id = g.id)
        ON CONFLICT DO NOTHING
"""


async def prune(work: Work) -> None:
    """Raise the floors of mailboxes, then delete the rows that nobody holds any more."""
    longest = min(
        (work.periods.cutoff(agency, Kind.MESSAGE, work.now) for agency in await _agencies(work)),
        default=work.periods.cutoff(None, Kind.MESSAGE, work.now),
    )
    raised = False
    for box in await work.connection.fetch(_MAILBOXES):
        agency = box["agency"]
        joint = agency is None and box["joint"]
        cutoff = longest if joint else work.periods.cutoff(agency, Kind.MESSAGE, work.now)
        if box["oldest"] is not None and box["oldest"] < cutoff:
            raised |= await _raise(work, box["address"], box["floor"], agency, cutoff)
    if raised and not work.dry:
        await work.connection.execute("SELECT pg_notify($1, '')", FLOORS_CHANNEL)
    if not work.dry:
        await rows.prune(work)


async def _agencies(work: Work) -> list[int]:
    return [row[0] for row in await work.connection.fetch("SELECT id FROM agency")]


async def _raise(work: Work, box: str, floor: int, agency: int | None, cutoff: datetime) -> bool:
    """Delete a mailbox's entries from before ``cutoff``, a page at a time; whether any were."""
    some = False
    while True:
        async with work.step() as held:
            gone = await _page(work, box, floor, min(cutoff, held.mailbox(box)))
            if not gone:
                return some
            some, floor = True, gone[-1]["seq"] + 1
            done = Done("message", agency, len(gone), cutoff)
            if not work.dry:
                await _delete(work, box, floor, [entry["log_id"] for entry in gone], done)
        work.done.append(done)
        if not work.dry:
            await work.rest()
        if len(gone) < PAGE:
            return True


async def _page(work: Work, box: str, floor: int, limit: datetime) -> list[asyncpg.Record]:
    """The next entries of a mailbox, as far as they are from before ``limit``."""
    gone = []
    for entry in await work.connection.fetch(_PAGE, box, floor, PAGE):
        # What has no row in the log cannot be read by anyone.
        if entry["at"] is not None and entry["at"] >= limit:
            break
        gone.append(entry)
    return gone


async def _delete(work: Work, box: str, floor: int, ids: list[int], done: Done) -> None:
    await work.connection.execute(
        "DELETE FROM mailbox_entry WHERE address = $1 AND seq < $2", box, floor
    )
    await work.connection.execute(_ORPHANS, ids)
    # Last but for the audit: the record's writer waits for this row.
    await work.connection.execute(
        "UPDATE mailbox SET floor = $2 WHERE address = $1 AND floor < $2", box, floor
    )
    await work.record("message.pruned", done, {"mailbox": box, "floor": floor})
