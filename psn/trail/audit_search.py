"""Reading the audit: pages of it by filters, and the whole of it as a chain."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from psn import database, watched
from psn.trail.audit import Checkpoint, Finding, Row, disorder

ROWS: Final = 2_000
"""Rows fetched at a time."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted; what is none is not asked about."""

    actor: str | None = None
    action: str | None = None
    """``person.disabled``, or ``person`` for everything of that kind."""
    object: str | None = None
    agency: int | None = None
    """Whose people did it, or whose objects it was done to."""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Only entries with lower numbers: the next page."""
    within: frozenset[int] | None = None
    """Only entries that concern one of these agencies: what a reader may see."""


_FOUND: Final = """
    SELECT seq, body, hash FROM audit
     WHERE ($1::text IS NULL OR actor = $1)
       AND ($2::text IS NULL OR action = $2
            OR strpos($2, '.') = 0 AND split_part(action, '.', 1) = $2)
       AND ($3::text IS NULL OR object = $3)
       AND ($4::int IS NULL OR agency = $4 OR owner = $4)
       AND ($5::timestamptz IS NULL OR at >= $5)
       AND ($6::timestamptz IS NULL OR at <= $6)
       AND ($7::bigint IS NULL OR seq < $7)
       AND ($8::int[] IS NULL OR agency = ANY ($8) OR owner = ANY ($8))
     ORDER BY seq DESC LIMIT $9
"""


async def newest(connection: database.Connection, wanted: Filter, limit: int) -> list[Row]:
    """The newest entries that fit, newest first."""
    if any("\0" in text for text in (wanted.actor, wanted.action, wanted.object) if text):
        return []  # PostgreSQL has no such text
    rows = await connection.fetch(
        _FOUND,
        wanted.actor,
        wanted.action,
        wanted.object,
        wanted.agency,
        wanted.since,
        wanted.until,
        wanted.before,
        None if wanted.within is None else list(wanted.within),
        limit,
    )
    return [Row(*row) for row in rows]


async def rows(connection: asyncpg.Connection[Any]) -> AsyncIterator[Row]:
    """Every entry in its order; to be read within one transaction."""
    query = "SELECT seq, body, hash FROM audit ORDER BY seq"
    async for row in connection.cursor(query, prefetch=ROWS):
        yield Row(*row)


async def checkpoints(connection: database.Connection) -> list[Checkpoint]:
    """The checkpoints that the database holds."""
    found = await connection.fetch("SELECT seq, hash, at, key, signature FROM audit_checkpoint")
    return [Checkpoint(*row) for row in found]


async def unguarded(connection: database.Connection) -> list[Finding]:
    """Tables whose changes go unrecorded or unhindered, because triggers are off or gone."""
    guards = {
        table: {f"audited_{event}" for event in ("insert", "update", "delete", "truncate")}
        for table in watched.AUDITED_TABLES
    } | {table: {f"{table}_stays"} for table in ("audit", "audit_checkpoint")}
    guards["audit"].add("audit_prefix")
    guards["audit_pending"] = {"audit_pending_settled"}
    for table, doors in watched.DOORS.items():
        guards[table] = guards.get(table, set()) | set(doors)
    found = await connection.fetch(
        "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgenabled IN ('O', 'A') AND c.relnamespace = 'public'::regnamespace"
    )
    there = {(row[0], row[1]) for row in found}
    return [
        Finding(0, "unguarded", f"The trigger {name} of the table {table} is off or gone.")
        for table, names in guards.items()
        for name in sorted(names)
        if (table, name) not in there
    ]


# -- exports


def exported(row: Row) -> str:
    """A row as one line of JSON; the body stands in it exactly as it was hashed."""
    return f'{{"seq": {row.seq}, "hash": "{row.hash.hex()}", "entry": {row.body}}}'


_EXPORTED: Final = re.compile(
    r'{"seq": (-?[0-9]{1,18}), "hash": "((?:[0-9a-f]{2})*)", "entry": (.*)}\s*', re.ASCII
)


class Export:
    """A file of exported entries, read in the order of their numbers whatever its own is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.findings: list[Finding] = []
        """Lines that cannot be read, and entries out of order."""
        self._places: list[tuple[int, int]] = []
        with file.open("rb") as lines:
            place = 0
            for number, line in enumerate(lines, 1):
                row = _read(line)
                if row is not None:
                    self._places.append((row.seq, place))
                elif line.strip():
                    text = f"Line {number} of the export cannot be read."
                    self.findings.append(Finding(number, "unreadable", text))
                place += len(line)
        self.findings += disorder(seq for seq, _ in self._places)
        self._places.sort()

    def __iter__(self) -> Iterator[Row]:
        with self._file.open("rb") as lines:
            for _, place in self._places:
                lines.seek(place)
                row = _read(lines.readline())
                assert row is not None
                yield row


def _read(line: bytes) -> Row | None:
    try:
        found = _EXPORTED.fullmatch(line.decode())
    except UnicodeDecodeError:
        return None
    return None if found is None else Row(int(found[1]), found[3], bytes.fromhex(found[2]))
