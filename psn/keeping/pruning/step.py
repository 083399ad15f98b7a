"""What every kind of pruning works with, and how what was done is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from psn import database
from psn.keeping import retention
from psn.keeping.retention import Held, Periods
from psn.keys import Keys
from psn.trail import auditor
from psn.trail.audit import Actor, Entry

REST_SECONDS: Final = 0.05
"""Between one step and the next."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was deleted, or would be."""

    what: str
    """A word of :class:`Kind`, or ``record``; with a dot behind it, what goes with that."""
    agency: int | None
    rows: int
    through: datetime | None
    """Nothing newer was deleted."""

    def __str__(self) -> str:
        whose = "" if self.agency is None else f" of agency {self.agency}"
        until = "" if self.through is None else f" from before {self.through:%Y-%m-%d %H:%M} UTC"
        return f"{self.rows} rows of {self.what}{whose}{until}"


@dataclass(slots=True)
class Work:
    """One pruning: on which connection, by which rules, by whom, as of when."""

    connection: database.Connection
    keys: Keys
    periods: Periods
    by: Actor
    now: datetime
    dry: bool
    """Only count."""
    done: list[Done] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def step(self) -> AsyncIterator[Held]:
        """A transaction that deletes something, and what is under hold until its end.

        In a dry run it locks nothing, and is to delete nothing.
        """
        async with self.connection.transaction():
            if not self.dry:
                await self.mark()
            yield await self.held()

    async def held(self) -> Held:
        """What is under hold now. What is deleted is judged by what :meth:`step` says.

        Holds that came since the pruning began count as well.
        """
        return await retention.held(self.connection, max(self.now, datetime.now(UTC)))

    async def mark(self) -> None:
        """The transaction that begins is his who prunes, in what triggers write of it.

        What :meth:`held` says behind it stays true until its end.
        """
        # A hold that comes now waits until this is done, instead of coming too late unseen.
        await self.connection.execute("LOCK TABLE legal_hold IN SHARE MODE")
        await auditor.mark(self.connection, self.by)
        # Nothing that goes is on a board any more.
        await self.connection.execute("SELECT set_config('psn.acting', 'yes', true)")

    async def record(self, action: str, done: Done, details: Mapping[str, Any]) -> None:
        """Put a step into the audit, as the last thing of its transaction."""
        said = {"rows": done.rows, **details}
        if done.through is not None:
            said["before"] = f"{done.through:%Y-%m-%dT%H:%M:%SZ}"
        entry = Entry(self.by, action, owner=done.agency, details=said)
        await auditor.append(self.connection, [entry])

    async def rest(self) -> None:
        """Let others have the disk."""
        await asyncio.sleep(REST_SECONDS)

    def total(self) -> list[Done]:
        """What was done, one line for each kind and agency."""
        sums: dict[tuple[str, int | None], Done] = {}
        for each in self.done:
            before = sums.get((each.what, each.agency))
            rows = each.rows + (0 if before is None else before.rows)
            known = [d.through for d in (each, before) if d is not None and d.through is not None]
            sums[each.what, each.agency] = Done(
                each.what, each.agency, rows, max(known, default=None)
            )
        return [sums[key] for key in sorted(sums, key=lambda key: (key[0], key[1] or 0))]
