"""``psn unit``: what is on the map."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import click
from sqlalchemy import exists, func, select

from psn.commands.rows import agency_of, unit_of, writing
from psn.commands.terms import Terms, ended, not_over, termed, terms
from psn.commands.words import show, taken
from psn.problems import Problem
from psn.schema import Agency, Unit, UnitException

_KIND = re.compile(r"[a-z_]{1,20}")


@click.group()
def unit() -> None:
    """Units: what is seen on the map. Named AGENCY/CALLSIGN, or by id."""


@unit.command("add", epilog="Example: psn unit add BPD/P-12 --kind car")
@click.argument("name", metavar="AGENCY/CALLSIGN")
@click.option("--kind", required=True, help="car, boat, foot, …: lower-case letters and _.")
@click.option("--hidden", metavar="REASON", help="Seen inside its own agency only; say why.")
@click.option("--key", help="A gateway's own name for it, such as mmsi:312000001.")
def add_unit(name: str, kind: str, hidden: str | None, key: str | None) -> None:
    """Add a unit."""
    code, _, callsign = name.partition("/")
    if not callsign.strip() or len(callsign) > 40:
        raise Problem("bad_name", f"{name!r} names no unit.", "Write AGENCY/CALLSIGN.")
    if not _KIND.fullmatch(kind):
        raise Problem("bad_kind", f"{kind!r} is no kind.", "Use 1 to 20 lower-case letters and _.")

    concealed = None if hidden is None else terms(hidden, None, None)

    async def work() -> int:
        async with writing() as session:
            agency = await agency_of(session, code)
            same = (Unit.agency_id == agency.id, Unit.callsign == callsign)
            if await session.scalar(select(Unit).where(*same)):
                raise taken("unit", name)
            if key and await session.scalar(select(Unit).where(Unit.source_key == key)):
                raise taken("unit with key", key)
            new = Unit(agency_id=agency.id, callsign=callsign, kind=kind, source_key=key)
            session.add(new)
            await session.flush()
            if concealed is not None:
                session.add(_hiding(new, concealed))
            return new.id

    click.echo(f"Unit {name} added, id {asyncio.run(work())}.")


@unit.command("list", epilog="Example: psn unit list --agency BCG")
@click.option("--agency", "code", help="Only of this agency.")
def list_units(code: str | None) -> None:
    """Show units."""

    async def work() -> list[tuple[object, ...]]:
        hidden = exists().where(UnitException.unit_id == Unit.id, *_HIDES)
        query = select(Unit, Agency.code, hidden).join(Agency).order_by(Unit.id)
        async with writing() as session:
            if code is not None:
                query = query.where(Unit.agency_id == (await agency_of(session, code)).id)
            return [
                (u.id, f"{of}/{u.callsign}", u.kind, _state(u, hides), u.source_key)
                for u, of, hides in await session.execute(query)
            ]

    show(("id", "unit", "kind", "state", "key"), asyncio.run(work()))


@unit.command(
    "hide",
    epilog="""
\b
Examples:
  psn unit hide BPD/X-1 --reason "undercover, order 7/2026"
  psn unit hide BPD/X-1 --show        shared again, as agreements say
For one agency only, or less strictly: psn exception add --help
""",
)
@click.argument("name", metavar="UNIT")
@click.option("--show", "visible", is_flag=True, help="The opposite.")
@termed
def hide(
    name: str, visible: bool, reason: str | None, author: str | None, until: datetime | None
) -> None:
    """Take a unit off every map outside its agency, whatever is agreed."""
    concealed = None if visible else terms(reason, author, until)

    async def work() -> None:
        async with writing() as session:
            unit = await unit_of(session, name)
            there = select(UnitException).where(UnitException.unit_id == unit.id, *_HIDES)
            for row in await session.scalars(there):
                ended(row)
            if concealed is not None:
                session.add(_hiding(unit, concealed))

    asyncio.run(work())
    click.echo(f"Unit {name} is {'shared as agreements say' if visible else 'hidden'}.")


_HIDES = (
    UnitException.viewer_agency.is_(None),
    UnitException.units == "nothing",
    UnitException.starts_at <= func.now(),
    not_over(UnitException),
)
"""What makes an exception one that hides its unit from everyone, now."""


def _hiding(unit: Unit, of: Terms) -> UnitException:
    return UnitException(unit_id=unit.id, units="nothing", **of.columns())


@unit.command(
    "retire",
    epilog="""
\b
Examples:
  psn unit retire BPD/P-12
  psn unit retire BPD/P-12 --back    in use again
""",
)
@click.argument("name", metavar="UNIT")
@click.option("--back", is_flag=True, help="The opposite.")
def retire(name: str, back: bool) -> None:
    """Take a unit out of use; its tracks and messages stay."""

    async def work() -> None:
        async with writing() as session:
            found = await unit_of(session, name)
            found.retired_at = None if back else found.retired_at or datetime.now(UTC)

    asyncio.run(work())
    click.echo(f"Unit {name} is {'in use again' if back else 'out of use'}.")


def _state(unit: Unit, hidden: bool) -> str:
    states = (("hidden", hidden), ("retired", unit.retired_at is not None))
    return ", ".join(word for word, on in states if on)
