"""Pruning rows that stand by themselves: of each agency those past its period, some at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psn.keeping.pruning import holds
from psn.keeping.pruning.step import Done, Work
from psn.keeping.retention import Kind

AGENCY: Final = "${agency}::int"
CUTOFF: Final = "${cutoff}::timestamptz"
"""Of that agency; both are given their numbers behind those of the holds."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What is deleted, and when it is due."""

    kind: Kind
    table: str
    """Its name and the letter by which :attr:`due` calls it."""
    due: str
    """In SQL; with :data:`AGENCY` and :data:`CUTOFF`, and conditions of ``holds``."""
    holds: int
    """How many of the arguments of ``holds`` it asks for."""
    batch: int
    """Rows that one step deletes."""
    named: bool
    """The audit says the ids, and by that the database lets them go."""
    beside: str | None = None
    """A statement that deletes what goes with them; it gets their ids."""

    @property
    def where(self) -> str:
        """:attr:`due` with its numbers."""
        return self.due.format(agency=self.holds + 1, cutoff=self.holds + 2)


async def prune(work: Work, sort: Sort) -> None:
    """Delete what is due of every agency."""
    for row in await work.connection.fetch("SELECT id FROM agency ORDER BY id"):
        agency = row["id"]
        cutoff = work.periods.cutoff(agency, sort.kind, work.now)
        while await _step(work, sort, agency, cutoff) == sort.batch and not work.dry:
            await work.rest()


async def _step(work: Work, sort: Sort, agency: int, cutoff: datetime) -> int:
    """Delete some that are due, or count them all; how many."""
    async with work.step() as held:
        arguments = (*holds.arguments(held)[: sort.holds], agency, cutoff)
        if work.dry:
            counting = f"SELECT count(*) FROM {sort.table} WHERE {sort.where}"
            count = int(await work.connection.fetchval(counting, *arguments))
        else:
            count = await _delete(work, sort, agency, cutoff, arguments)
    if count:
        work.done.append(Done(sort.kind, agency, count, cutoff))
    return count


async def _delete(
    work: Work, sort: Sort, agency: int, cutoff: datetime, arguments: tuple[object, ...]
) -> int:
    name, letter = sort.table.split()
    rows = await work.connection.fetch(
        f"WITH due AS (SELECT {letter}.id FROM {sort.table} WHERE {sort.where}"
        f" ORDER BY {letter}.id LIMIT {sort.batch} FOR UPDATE SKIP LOCKED)"
        f" DELETE FROM {name} WHERE id IN (SELECT id FROM due) RETURNING id",
        *arguments,
    )
    if not rows:
        return 0
    ids = sorted(row["id"] for row in rows)
    if sort.beside is not None:
        await work.connection.execute(sort.beside, ids)
    done = Done(sort.kind, agency, len(ids), cutoff)
    # As the database writes them in JSON: numbers as numbers, what else there is as text.
    named = [id if isinstance(id, int) else str(id) for id in ids]
    await work.record(f"{sort.kind}.pruned", done, {"ids": named} if sort.named else {})
    return len(ids)
