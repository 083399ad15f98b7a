"""Bring a database to the schema this program was written for, and tell whether it is there.

Revisions lie under ``migrations/`` and are applied by Alembic over asyncpg, each run in one
transaction and one at a time: a second ``psn migrate`` waits for the first, then finds nothing
left to do.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from psn import database
from psn.problems import Problem
from psn.schema import connect_engine

MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations"

_LOCK: Final = 0x70736E01
"""Advisory lock held while migrating; any number that nothing else in the database uses."""

_NOT_OURS: Final = re.compile(r"track_(other|\d{8})|spatial_ref_sys")


class SchemaProblem(Problem):
    """The database's schema does not fit: ``schema_old``, ``schema_newer`` and the like."""


def belongs_to_models(name: str | None, kind: str, parents: object) -> bool:
    """Whether Alembic should compare this name: partitions and PostGIS's own table are not ours."""
    return kind != "table" or name is None or _NOT_OURS.fullmatch(name) is None


def upgrade(dsn: str, revision: str = "head") -> None:
    """Apply revisions up to ``revision``. Blocks; raises :class:`SchemaProblem`."""
    _run(dsn, command.upgrade, revision)


def downgrade(dsn: str, revision: str) -> None:
    """Take revisions back, with their data, down to ``revision`` (``base``: all of them)."""
    _run(dsn, command.downgrade, revision)


@functools.cache
def head() -> str:
    """The revision this program was written for."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise SchemaProblem(
            "no_migrations", f"There are no migrations under {MIGRATIONS}.", "Install again."
        )
    return newest


@functools.cache
def known() -> tuple[str, ...]:
    """Every revision this program knows, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return tuple(revision.revision for revision in script.walk_revisions())[::-1]


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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _run(dsn: str, act: Callable[[Config, str], None], revision: str) -> None:
    """Run an Alembic command in an event loop of its own, whether or not the caller has one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _apply(dsn, act, revision)).result()


async def _apply(dsn: str, act: Callable[[Config, str], None], revision: str) -> None:
    def on(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        act(config, revision)

    engine = connect_engine(dsn)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(on)
    except CommandError as error:
        raise SchemaProblem(
            "no_such_revision",
            f"There is no way from the database's revision to {revision}: {error}.",
            "Name a revision that stands under migrations/versions, or head, or base.",
        ) from error
    except DBAPIError as error:
        raise _refusal(error) from error
    finally:
        await engine.dispose()


def _refusal(error: DBAPIError) -> Exception:
    """The refusals that a person can mend, told plainly; any other as it is."""
    words = str(error.orig)
    if "postgis" in words and ("is not available" in words or "control file" in words):
        return SchemaProblem(
            "no_postgis",
            "The database server has no PostGIS.",
            "Install it on the server (Debian: postgresql-15-postgis-3) and migrate again.",
        )
    if ("pg_trgm" in words or "unaccent" in words) and "postgis" not in words:
        return SchemaProblem(
            "no_contrib",
            "The database server lacks PostgreSQL's own contributed modules.",
            "Install them on the server (Debian has them in postgresql-15) and migrate again.",
        )
    if "permission denied to create extension" in words:
        return SchemaProblem(
            "no_postgis",
            "The database has no PostGIS and this user may not add it.",
            "Let an administrator run: create extension postgis",
        )
    return error
