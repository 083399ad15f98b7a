"""``psn unit``: what is on the map."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import click
from sqlalchemy import select

from psn.commands.rows import agency_of, unit_of, writing
from psn.commands.words import show, taken
from psn.problems import Problem
from psn.schema import Agency, Unit

_KIND = re.compile(r"[a-z_]{1,20}")


@click.group()
def unit() -> None:
    """Units: what is seen on the map. Named AGENCY/CALLSIGN, or by id."""


@unit.command("add", epilog="Example: psn unit add BPD/P-12 --kind car")
@click.argument("name", metavar="AGENCY/CALLSIGN")
@click.option("--kind", required=True, help="car, boat, foot, …: lower-case letters and _.")
@click.option("--hidden", is_flag=True, help="Seen inside its own agency only.")
@click.option("--key", help="A gateway's own name for it, such as mmsi:312000001.")
def add_unit(name: str, kind: str, hidden: bool, key: str | None) -> None:
    """Add a unit."""
    code, _, callsign = name.partition("/")
    if not callsign.strip() or len(callsign) > 40:
        raise Problem("bad_name", f"{name!r} names no unit.", "Write AGENCY/CALLSIGN.")
    if not _KIND.fullmatch(kind):
        raise Problem("bad_kind", f"{kind!r} is no kind.", "Use 1 to 20 lower-case letters and _.")

    async def work() -> int:
        async with writing() as session:
            agency = await agency_of(session, code)
            same = (Unit.agency_id == agency.id, Unit.callsign == callsign)
            if await session.scalar(select(Unit).where(*same)):
                raise taken("unit", name)
            if key and await session.scalar(select(Unit).where(Unit.source_key == key)):
                raise taken("unit with key", key)
            new = Unit(
                agency_id=agency.id, callsign=callsign, kind=kind, hidden=hidden, source_key=key
            )
            session.add(new)
            await session.flush()
            return new.id

    click.echo(f"Unit {name} added, id {asyncio.run(work())}.")


@unit.command("list", epilog="Example: psn unit list --agency BCG")
@click.option("--agency", "code", help="Only of this agency.")
def list_units(code: str | None) -> None:
    """Show units."""

    async def work() -> list[tuple[object, ...]]:
        query = select(Unit, Agency.code).join(Agency).order_by(Unit.id)
        async with writing() as session:
            if code is not None:
                query = query.where(Unit.agency_id == (await agency_of(session, code)).id)
            return [
                (u.id, f"{of}/{u.callsign}", u.kind, _state(u), u.source_key)
                for u, of in await session.execute(query)
            ]

    show(("id", "unit", "kind", "state", "key"), asyncio.run(work()))


@unit.command(
    "hide",
    epilog="""
\b
Examples:
  psn unit hide BPD/X-1           undercover: from now on seen by its own agency only
  psn unit hide BPD/X-1 --show    shared again, as agreements say
""",
)
@click.argument("name", metavar="UNIT")
@click.option("--show", "visible", is_flag=True, help="The opposite.")
def hide(name: str, visible: bool) -> None:
    """Take a unit off every map outside its agency."""

    async def work() -> None:
        async with writing() as session:
            (await unit_of(session, name)).hidden = not visible

    asyncio.run(work())
    click.echo(f"Unit {name} is {'shared as agreements say' if visible else 'hidden'}.")


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


def _state(unit: Unit) -> str:
    return ", ".join(
        word
        for word, on in (("hidden", unit.hidden), ("retired", unit.retired_at is not None))
        if on
    )
