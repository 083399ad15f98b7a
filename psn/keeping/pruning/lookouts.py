"""Pruning lookouts: those of each agency that have been over for its period."""

from __future__ import annotations

from typing import Final

from psn.keeping.pruning import by_agency, holds
from psn.keeping.pruning.by_agency import Sort
from psn.keeping.pruning.step import Work
from psn.keeping.retention import Kind

BATCH: Final = 500
"""Rows that one step deletes."""

# Nobody need say that one is over whose time has come.
_DUE: Final = f"""
    o.agency_id = {by_agency.AGENCY} AND least(o.ended_at, o.until) < {by_agency.CUTOFF}
    AND NOT {holds.LOOKOUT}
"""


async def prune(work: Work) -> None:
    """Delete the lookouts of every agency that are past its period."""
    await by_agency.prune(work, Sort(Kind.LOOKOUT, "lookout o", _DUE, holds.OWN, BATCH, named=True))
