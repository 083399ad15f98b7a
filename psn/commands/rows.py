"""Rows that commands find by name and change; the server learns of it by the database's notices."""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import AsyncIterator

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from psn import revisions, schema
from psn.commands.words import connected, missing, settings
from psn.problems import Problem
from psn.schema import Agency, Person, Talkgroup, Unit
from psn.trail.audit import Actor
from psn.trail.auditor import SETTINGS, settings_of


@contextlib.asynccontextmanager
async def writing() -> AsyncIterator[AsyncSession]:
    """A session on the migrated database of the settings, committed at the end.

    In the audit what it changes was done by this machine's user.
    """
    dsn = settings().database
    async with connected(dsn) as conn:
        await revisions.check(conn)
    engine = schema.connect_engine(dsn)
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            values = dict(zip(SETTINGS, settings_of(user()), strict=True))
            for name, value in values.items():
                await session.execute(_SET, {"name": name, "value": value})
            yield session
    finally:
        await engine.dispose()


_SET = text("select set_config(:name, :value, true)")


def user() -> Actor:
    """Who runs a command, as the audit names him; with ``sudo``, also who asked for that."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user need have no name
        name = str(os.getuid())
    asked = os.environ.get("SUDO_USER")
    return Actor(f"command line: {name}", None if asked in (None, name) else f"sudo by {asked}")


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
