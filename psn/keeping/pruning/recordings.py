"""Pruning recordings of talk: those of each agency's people that are past its period.

What was said in an incident's group goes with it at the latest (``incidents``).
"""

from __future__ import annotations

from typing import Final

from psn.keeping.pruning import by_agency, holds
from psn.keeping.pruning.by_agency import Sort
from psn.keeping.pruning.step import Work
from psn.keeping.retention import Kind

BATCH: Final = 200
"""Rows that one step deletes."""

_DUE: Final = f"""
    r.agency_id = {by_agency.AGENCY} AND r.begun_at < {by_agency.CUTOFF}
    AND r.ended_at IS NOT NULL AND NOT {holds.RECORDING}
    AND NOT EXISTS (SELECT FROM incident i WHERE i.id = r.incident_id AND {holds.INCIDENT})
"""


async def prune(work: Work) -> None:
    """Delete the recordings of every agency that are past its period."""
    sort = Sort(Kind.RECORDING, "recording r", _DUE, 5, BATCH, named=True)
    await by_agency.prune(work, sort)
