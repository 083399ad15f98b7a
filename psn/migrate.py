"""Bring a database to the schema this program was written for.

Revisions lie under ``migrations/`` and are applied by Alembic over asyncpg, each run in one
transaction and one at a time: a second ``psn migrate`` waits for the first, then finds nothing
left to do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from psn.revisions import MIGRATIONS, SchemaProblem
from psn.schema import connect_engine

_LOCK: Final = 0x70736E01
"""Advisory lock held while migrating; any number that nothing else in the database uses."""

_NOT_OURS: Final = re.compile(r"track_(other|\d{8})|spatial_ref_sys")


def belongs_to_models(name: str | None, kind: str, parents: object) -> bool:
    """Whether Alembic should compare this name: partitions and PostGIS's own table are not ours."""
    return kind != "table" or name is None or _NOT_OURS.fullmatch(name) is None


def upgrade(dsn: str, revision: str = "head") -> None:
    """Apply revisions up to ``revision``. Blocks; raises :class:`SchemaProblem`."""
    _run(dsn, command.upgrade, revision)


def downgrade(dsn: str, revision: str) -> None:
    """Take revisions back, with their data, down to ``revision`` (``base``: all of them)."""
    _run(dsn, command.downgrade, revision)


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
