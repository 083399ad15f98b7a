"""Pruning attachments: the rows of each agency that are past its period, some at a time.

Their files go with them: a trigger leaves the names, and the server removes what is named. What
is attached to an incident goes with it at the latest (``incidents``).
"""

from __future__ import annotations

from typing import Final

from psn.keeping.pruning import by_agency, holds
from psn.keeping.pruning.by_agency import Sort
from psn.keeping.pruning.step import Work
from psn.keeping.retention import Kind

BATCH: Final = 1_000
"""Rows that one step deletes."""

# What is under way is left alone: it is judged or forgotten within a day.
_DUE: Final = f"""
    a.agency_id = {by_agency.AGENCY} AND a.made_at < {by_agency.CUTOFF}
    AND a.state IN ('ready', 'refused') AND NOT {holds.ATTACHMENT}
    AND NOT EXISTS (SELECT FROM incident i
                     WHERE 'incident:' || i.id = a.about AND {holds.INCIDENT})
"""


async def prune(work: Work) -> None:
    """Delete the attachments of every agency that are past its period."""
    await by_agency.prune(work, Sort(Kind.ATTACHMENT, "attachment a", _DUE, 7, BATCH, named=False))
