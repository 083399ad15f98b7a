"""At which revision of the schema a database is, and whether that is the right one.

The revisions are the files under ``migrations/versions``, each named after the one before it in
time: ``0012_dispatch.py``. They are applied by ``psn.migrate``; a server that starts only looks, so
this needs none of what migrating does.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Final

import asyncpg

from psn import database
from psn.problems import Problem

MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations"


class SchemaProblem(Problem):
    """The database's schema does not fit: ``schema_old``, ``schema_newer`` and the like."""


@functools.cache
def known() -> tuple[str, ...]:
    """Every revision this program knows, oldest first."""
    names = (each.name for each in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
    return tuple(sorted(name.partition("_")[0] for name in names))


def head() -> str:
    """The revision this program was written for."""
    if not known():
        raise SchemaProblem(
            "no_migrations", f"There are no migrations under {MIGRATIONS}.", "Install again."
        )
    return known()[-1]


def is_back(at: str | None, target: str | None) -> bool:
    """Whether ``target`` lies before ``at``; ``None`` is before the first. Unknown: no."""
    order = (None, *known())
    return at in order and target in order and order.index(target) < order.index(at)


async def current(conn: database.Connection) -> str | None:
    """The revision a database is at; ``None``: it was never migrated."""
    try:
        found = await conn.fetchval("select version_num from alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return None if found is None else str(found)


async def check(conn: database.Connection) -> None:
    """Raise :class:`SchemaProblem` unless the database is at exactly the right revision."""
    at = await current(conn)
    if at == head():
        return
    if at is None:
        raise SchemaProblem(
            "schema_old", "The database has none of the network's tables.", "Run psn migrate."
        )
    if at in known():
        raise SchemaProblem(
            "schema_old",
            f"The database is at revision {at}, and this program needs {head()}.",
            "Run psn migrate.",
        )
    raise SchemaProblem(
        "schema_newer",
        f"The database is at revision {at}, which this program does not know: it is older.",
        "Install the newer program, or use another database.",
    )
