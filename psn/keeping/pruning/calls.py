"""Pruning calls that came to nothing. One that became or joined an incident goes with that."""

from __future__ import annotations

from typing import Final

from psn.keeping.pruning import by_agency, holds
from psn.keeping.pruning.by_agency import Sort
from psn.keeping.pruning.step import Work
from psn.keeping.retention import Kind

BATCH: Final = 500
"""Rows that one step deletes."""

_DUE: Final = f"""
    c.agency_id = {by_agency.AGENCY} AND c.received_at < {by_agency.CUTOFF}
    AND c.ended_at < {by_agency.CUTOFF} AND c.state = 'closed' AND NOT {holds.CALL}
"""
_ALARMS: Final = "DELETE FROM alarm WHERE about IN (SELECT 'call:' || unnest($1::int[]))"


async def prune(work: Work) -> None:
    """Delete the closed calls of every agency that are past its period."""
    sort = Sort(Kind.CALL, "call c", _DUE, holds.OWN, BATCH, named=True, beside=_ALARMS)
    await by_agency.prune(work, sort)
