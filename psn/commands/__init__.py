"""What the commands share: settings, the database, and how things are shown.

Commands write through SQLAlchemy; the server learns of it by the database's notices.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from psn import migrate, schema
from psn.problems import Problem
from psn.schema import Agency, Person, Talkgroup, Unit
from psn.settings import Settings, load


def settings() -> Settings:
    """What the environment says; raises ``SettingsError``."""
    return load(os.environ)


def shown(dsn: str) -> str:
    """A database address without its password."""
    parts = urlsplit(dsn)
    if parts.password is None:
        return dsn
    return dsn.replace(f":{parts.password}@", ":…@", 1)


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection; raises :class:`Problem` ``database_unreachable`` when there is none."""
    try:
        conn = await asyncpg.connect(dsn, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise unreachable(dsn, error) from error
    try:
        yield conn
    finally:
        await conn.close()


def unreachable(dsn: str, error: BaseException) -> Problem:
    """The one sentence for a database that does not answer."""
    said = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    reason = said.splitlines()[0]
    return Problem(
        "database_unreachable",
        f"The database at {shown(dsn)} cannot be reached: {reason.rstrip('.')}.",
        "Start it, or point PSN_DATABASE at the right one.",
    )


@contextlib.asynccontextmanager
async def writing() -> AsyncIterator[AsyncSession]:
    """A session on the migrated database of the settings, committed at the end."""
    dsn = settings().database
    async with connected(dsn) as conn:
        await migrate.check(conn)
    engine = schema.connect_engine(dsn)
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield session
    finally:
        await engine.dispose()


def missing(what: str, name: str, listing: str) -> Problem:
    """There is no such thing."""
    return Problem("not_found", f"There is no {what} {name}.", f"See {listing}.")


def counted(number: int, what: str) -> str:
    """How many: ``1 session``, ``2 sessions``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def taken(what: str, name: str, todo: str = "Choose another name.") -> Problem:
    """There is one already."""
    return Problem("already_there", f"The {what} {name} is there already.", todo)


def need_name(what: str, name: str) -> None:
    """Raises :class:`Problem` ``bad_name`` for a name that nobody could read."""
    if not name.strip():
        raise Problem(
            "bad_name", f"{name!r} is no {what}.", "Write something that people can read."
        )


async def agency_of(session: AsyncSession, code: str) -> Agency:
    """The agency of a code, in any case."""
    found = await session.scalar(select(Agency).where(Agency.code == code.upper()))
    if found is None:
        raise missing("agency", code, "psn agency list")
    return found


async def person_of(session: AsyncSession, name: str) -> Person:
    """The person who signs in with this name."""
    found = await session.scalar(select(Person).where(Person.name == name.lower()))
    if found is None:
        raise missing("user", name, "psn user list")
    return found


async def unit_of(session: AsyncSession, name: str) -> Unit:
    """The unit of ``AGENCY/CALLSIGN`` or of an id."""
    code, _, callsign = name.partition("/")
    if callsign:
        agency = await agency_of(session, code)
        where = (Unit.agency_id == agency.id, Unit.callsign == callsign)
        found = await session.scalar(select(Unit).where(*where))
    else:
        found = await session.get(Unit, int(name)) if name.isdecimal() else None
    if found is None:
        raise missing("unit", name, "psn unit list; units are named AGENCY/CALLSIGN or by id")
    return found


async def group_of(session: AsyncSession, name: str) -> Talkgroup:
    """The group of a name (or ``AGENCY/NAME``, where two have the same) or an id."""
    code, slash, rest = name.partition("/")
    if name.isdecimal():
        found = [group] if (group := await session.get(Talkgroup, int(name))) else []
    elif slash:
        agency = await agency_of(session, code)
        where = (Talkgroup.agency_id == agency.id, Talkgroup.name == rest)
        found = list(await session.scalars(select(Talkgroup).where(*where)))
    else:
        found = list(await session.scalars(select(Talkgroup).where(Talkgroup.name == name)))
    if not found:
        raise missing("group", name, "psn group list")
    if len(found) > 1:
        raise Problem(
            "ambiguous", f"There are {len(found)} groups {name}.", "Say AGENCY/NAME, or the id."
        )
    return found[0]


def show(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; no rows: says so."""
    lines = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not lines:
        click.echo("none")
        return
    lines.insert(0, list(heads))
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    for line in lines:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
