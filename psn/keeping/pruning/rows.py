"""Deleting rows of the log that no mailbox holds."""

from __future__ import annotations

from typing import Final

from psn.keeping.pruning.step import Done, Work

BATCH: Final = 500
"""Rows that one step deletes."""


async def prune(work: Work) -> None:
    """Delete what ``log_orphan`` names, with its receipts (a trigger takes them)."""
    while True:
        async with work.connection.transaction():
            found = await work.connection.fetch(
                "SELECT log_id FROM log_orphan ORDER BY log_id LIMIT $1", BATCH
            )
            ids = [row[0] for row in found]
            if not ids:
                return
            await work.connection.execute("DELETE FROM log WHERE id = ANY ($1::bigint[])", ids)
            await work.connection.execute(
                "DELETE FROM log_orphan WHERE log_id = ANY ($1::bigint[])", ids
            )
            done = Done("record", None, len(ids), None)
            await work.record("record.pruned", done, {"first": ids[0], "last": ids[-1]})
        work.done.append(done)
        await work.rest()
