"""Pruning attachments: the rows of each agency that are past its period, some at a time.

Their files go with them: a trigger leaves the names, and the server removes what is named.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from psn.keeping.pruning.step import Done, Work
from psn.keeping.retention import Held, Kind

BATCH: Final = 1_000
"""Rows that one step deletes."""

# What is under way is left alone: it is judged or forgotten within a day.
_DUE: Final = """
    a.agency_id = $1 AND a.made_at < $2 AND a.state IN ('ready', 'refused')
    AND NOT a.agency_id = ANY ($3::int[])
    AND NOT a.author = ANY ($4::text[])
    AND NOT coalesce(a.about, '') = ANY ($4::text[])
    AND NOT EXISTS (SELECT FROM unnest($5::text[], $6::timestamptz[], $7::timestamptz[])
                        AS h (author, since, until)
                     WHERE h.author = a.author AND a.made_at >= h.since AND a.made_at < h.until)
    AND NOT EXISTS (SELECT FROM log l JOIN mailbox_entry e ON e.log_id = l.id
                      JOIN unnest($8::text[], $9::timestamptz[]) AS b (address, since)
                        ON b.address = e.address AND l.at >= b.since
                     WHERE 'message:' || l.uid = a.about)
"""


async def prune(work: Work) -> None:
    """Delete the attachments of every agency that are past its period."""
    for row in await work.connection.fetch("SELECT id FROM agency ORDER BY id"):
        agency = row["id"]
        cutoff = work.periods.cutoff(agency, Kind.ATTACHMENT, work.now)
        while await _step(work, agency, cutoff) == BATCH and not work.dry:
            await work.rest()


def _arguments(held: Held) -> tuple[list[object], ...]:
    boxes = held.mailboxes or {}
    return (
        [*held.agencies],
        [*held.addresses],
        [f"unit:{each.unit}" for each in held.units],
        [each.since for each in held.units],
        [each.until for each in held.units],
        [*boxes],
        [*boxes.values()],
    )


async def _step(work: Work, agency: int, cutoff: datetime) -> int:
    """Delete some that are due, or count them all; how many."""
    arguments = (agency, cutoff, *_arguments(await work.held()))
    if work.dry:
        counting = f"SELECT count(*) FROM attachment a WHERE {_DUE}"
        count = int(await work.connection.fetchval(counting, *arguments))
        if count:
            work.done.append(Done("attachment", agency, count, cutoff))
        return count
    async with work.connection.transaction():
        count = int(
            await work.connection.fetchval(
                f"WITH due AS (SELECT a.id FROM attachment a WHERE {_DUE} LIMIT {BATCH}),"
                " gone AS (DELETE FROM attachment WHERE id IN (SELECT id FROM due) RETURNING 1)"
                " SELECT count(*) FROM gone",
                *arguments,
            )
        )
        if not count:
            return 0
        done = Done("attachment", agency, count, cutoff)
        await work.record("attachment.pruned", done, {})
    work.done.append(done)
    return count
