"""``psn unit`` and ``psn device``: what is on the map, and what speaks for it."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime

import click
from sqlalchemy import exists, func, select, update

from psn import credentials
from psn.commands.rows import agency_of, unit_of, writing
from psn.commands.terms import Terms, ended, termed, terms
from psn.commands.words import counted, missing, need_name, show, taken
from psn.problems import Problem
from psn.schema import Agency, Device, Session, Unit, UnitException

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
  psn unit hide BPD/X-1 --reason "shared again"  --show
For one agency only, or less strictly: psn exception add --help
""",
)
@click.argument("name", metavar="UNIT")
@click.option("--show", "visible", is_flag=True, help="The opposite.")
@termed
def hide(name: str, visible: bool, reason: str, author: str | None, until: datetime | None) -> None:
    """Take a unit off every map outside its agency, whatever is agreed."""
    concealed = terms(reason, author, until)

    async def work() -> None:
        async with writing() as session:
            unit = await unit_of(session, name)
            there = select(UnitException).where(UnitException.unit_id == unit.id, *_HIDES)
            for row in await session.scalars(there):
                ended(row)
            if not visible:
                session.add(_hiding(unit, concealed))

    asyncio.run(work())
    click.echo(f"Unit {name} is {'shared as agreements say' if visible else 'hidden'}.")


_HIDES = (
    UnitException.viewer_agency.is_(None),
    UnitException.units == "nothing",
    UnitException.starts_at <= func.now(),
    UnitException.ends_at.is_(None) | (UnitException.ends_at > func.now()),
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


@click.group()
def device() -> None:
    """Devices: tablets that speak for a unit, and gateways."""


@device.command(
    "enrol",
    epilog="""
\b
Examples:
  psn device enrol "Tablet 12" --unit BPD/P-12
  psn device enrol "AIS receiver" --gateway --agency BCG
  psn device enrol "Radio bridge" --gateway --agency BPD --all-agencies
""",
)
@click.argument("label")
@click.option("--unit", "name", metavar="UNIT", help="The unit it speaks for.")
@click.option("--gateway", is_flag=True, help="It reports for units of its agency.")
@click.option("--agency", "code", help="A gateway's agency.")
@click.option("--all-agencies", is_flag=True, help="A gateway for units of any agency.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def enrol(
    label: str,
    name: str | None,
    gateway: bool,
    code: str | None,
    all_agencies: bool,
    as_json: bool,
) -> None:
    """Enrol a device. Its secret is shown now and never again."""
    if (name is None) == (not gateway) or gateway != (code is not None) or all_agencies > gateway:
        raise Problem(
            "bad_device",
            "A device speaks for one unit, or is a gateway of an agency.",
            "Say --unit AGENCY/CALLSIGN, or --gateway --agency CODE.",
        )
    need_name("label of a device", label)
    secret = credentials.new_device_secret()

    async def work() -> dict[str, object]:
        async with writing() as session:
            if name is not None:
                speaks_for: Unit | None = await unit_of(session, name)
            else:
                speaks_for = None
            agency = (
                await session.get_one(Agency, speaks_for.agency_id)
                if speaks_for is not None
                else await agency_of(session, code or "")
            )
            new = Device(
                agency_id=agency.id,
                unit_id=None if speaks_for is None else speaks_for.id,
                label=label,
                gateway=gateway,
                gateway_all=all_agencies,
                secret_hash=credentials.token_hash(secret),
            )
            session.add(new)
            await session.flush()
            unit_part = (
                {}
                if speaks_for is None
                else {
                    "unit": speaks_for.id,
                    "callsign": speaks_for.callsign,
                    "kind": speaks_for.kind,
                }
            )
            return {"device": new.id, "secret": secret, "agency": agency.code, **unit_part}

    got = asyncio.run(work())
    if as_json:
        click.echo(json.dumps(got))
    else:
        click.echo(f"Device {got['device']} enrolled: {label}.")
        click.echo(f"Secret (shown once): {secret}")


@device.command("list", epilog="Example: psn device list")
def list_devices() -> None:
    """Show devices."""

    async def work() -> list[tuple[object, ...]]:
        query = (
            select(Device, Agency.code, Unit.callsign)
            .join(Agency, Agency.id == Device.agency_id)
            .outerjoin(Unit, Unit.id == Device.unit_id)
            .order_by(Device.id)
        )
        async with writing() as session:
            return [
                (
                    d.id,
                    d.label,
                    of if callsign is None else f"{of}/{callsign}",
                    "gateway for all" if d.gateway_all else "gateway" if d.gateway else "",
                    "" if d.revoked_at is None else "revoked",
                )
                for d, of, callsign in await session.execute(query)
            ]

    show(("id", "label", "of", "role", "state"), asyncio.run(work()))


@device.command("revoke", epilog="Example: psn device revoke 12")
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """Make a device's secret worthless, and end its sessions."""

    async def work() -> int:
        now = datetime.now(UTC)
        async with writing() as session:
            found = await session.get(Device, number)
            if found is None:
                raise missing("device", str(number), "psn device list")
            found.revoked_at = found.revoked_at or now
            ended = await session.scalars(
                update(Session)
                .where(
                    Session.device_id == number, Session.ended_at.is_(None), Session.ends_at > now
                )
                .values(ended_at=now)
                .returning(Session.token_hash)
            )
            return len(ended.all())

    click.echo(f"Device {number} is revoked; {counted(asyncio.run(work()), 'session')} ended.")


def _state(unit: Unit, hidden: bool) -> str:
    states = (("hidden", hidden), ("retired", unit.retired_at is not None))
    return ", ".join(word for word, on in states if on)
