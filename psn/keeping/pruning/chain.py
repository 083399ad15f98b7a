"""Pruning the audit: only from its beginning, signed, and so that what is left can be verified.

An entry may go when it is past the period of every agency that it concerns, and no hold keeps it;
the first one that may not keeps all behind it. Each step writes ``audit.pruned`` with the number
and hash of the last entry that goes, signed by the server (``psn.trail.audit.pruned_text``), and a
signed checkpoint of that entry; the triggers then let exactly these entries go.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from psn.keeping.pruning.step import Done, Work
from psn.keeping.retention import Held, Kind
from psn.trail import audit, auditor
from psn.trail.audit import Checkpoint

log = logging.getLogger(__name__)

BATCH: Final = 2_000
"""Entries that one step deletes."""


async def prune(work: Work) -> None:
    """Delete the beginning of the audit that is past every period."""
    head = await work.connection.fetchval("SELECT max(seq) FROM audit")
    after = 0
    while True:
        async with work.step() as held:
            rows = await work.connection.fetch(
                "SELECT seq, hash, at, agency, owner, actor, object FROM audit"
                " WHERE seq > $1 AND seq < $2 ORDER BY seq LIMIT $3",
                after,
                head or 0,
                BATCH,
            )
            going = _due(work, rows, held)
            if not going:
                return
            after = going[-1]["seq"]
            done = Done("audit", None, len(going), max(row["at"] for row in going))
            made = None if work.dry else await _delete(work, going, done)
        if made is not None:
            log.info("%s", made.line)
        work.done.append(done)
        if len(going) < BATCH:
            return
        await work.rest()


def _due(work: Work, rows: list[asyncpg.Record], held: Held) -> list[asyncpg.Record]:
    """Those at the beginning that may go."""
    cutoffs: dict[int | None, datetime] = {}

    def cutoff(agency: int | None) -> datetime:
        if agency not in cutoffs:
            cutoffs[agency] = work.periods.cutoff(agency, Kind.AUDIT, work.now)
        return cutoffs[agency]

    for n, row in enumerate(rows):
        concerned = {a for a in (row["agency"], row["owner"]) if a is not None} or {None}
        if row["at"] >= min(map(cutoff, concerned)):
            return rows[:n]
        if held.entry(row["actor"], row["object"], concerned):
            return rows[:n]
    return rows


async def _delete(work: Work, going: list[asyncpg.Record], done: Done) -> Checkpoint:
    connection, keys = work.connection, work.keys
    first, last, link = going[0]["seq"], going[-1]["seq"], going[-1]["hash"]
    # The newest entry is signed first: the newest checkpoint is never one of what is gone.
    await auditor.sign(connection, keys)
    made = await _checkpoint(work, last, link)
    details: dict[str, Any] = {"first": first, "last": last, "hash": link.hex()}
    text = audit.pruned_text(first, last, link)
    await work.record("audit.pruned", done, details | auditor.signed(keys, text))
    await connection.execute("DELETE FROM audit WHERE seq <= $1", last)
    return made


async def _checkpoint(work: Work, seq: int, link: bytes) -> Checkpoint:
    """Sign that entry as of now, and keep that."""
    at = datetime.now(UTC).replace(microsecond=0)
    signature = work.keys.sign.sign(audit.checkpoint_text(seq, link, at).encode())
    made = Checkpoint(seq, link, at, work.keys.public, signature)
    await auditor.keep_checkpoint(work.connection, made)
    return made
