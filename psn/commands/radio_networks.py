"""``psn radio-network``: two-way radio networks, and who carries which radio (docs/radio.md)."""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path
from typing import Final

import click
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from psn.commands.rows import agency_of, group_of, unit_of, writing
from psn.commands.words import missing, need_name, show, taken
from psn.problems import Problem
from psn.schema import (
    Agency,
    Device,
    Radio,
    RadioGateway,
    RadioHeard,
    RadioNetwork,
    RadioNetworkAgency,
    RadioTalkgroup,
    Talkgroup,
    Unit,
)

NUMBER: Final = click.IntRange(1, 16_776_415)
MOST_HEARD: Final = 100
SECRET_BYTES: Final = 24


@click.group("radio-network")
def radio_network() -> None:
    """Two-way radio networks: who takes part, and which unit a radio carries."""


@radio_network.command("add", epilog='Example: psn radio-network add "National" --agency BPD')
@click.argument("name")
@click.option("--agency", "code", required=True, help="Who runs it.")
def add(name: str, code: str) -> None:
    """Add a radio network."""
    need_name("name of a radio network", name)

    async def work() -> int:
        async with writing() as session:
            if await session.scalar(select(RadioNetwork).where(RadioNetwork.name == name)):
                raise taken("radio network", name)
            new = RadioNetwork(name=name, agency_id=(await agency_of(session, code)).id)
            session.add(new)
            await session.flush()
            return new.id

    click.echo(f"Radio network {name} added, id {asyncio.run(work())}.")


@radio_network.command("list", epilog="Example: psn radio-network list")
def list_networks() -> None:
    """Show every radio network that is in use."""

    async def work() -> list[tuple[object, ...]]:
        async with writing() as session:
            query = select(RadioNetwork, Agency.code).join(
                Agency, Agency.id == RadioNetwork.agency_id
            )
            found = await session.execute(
                query.where(RadioNetwork.retired_at.is_(None)).order_by(RadioNetwork.id)
            )
            return [
                (n.id, n.name, code, await _others(session, n), *await _counts(session, n))
                for n, code in found
            ]

    heads = ("id", "name", "run by", "with", "gateways", "talkgroups", "radios", "unknown")
    show(heads, asyncio.run(work()))


async def _others(session: AsyncSession, network: RadioNetwork) -> str:
    part = select(Agency.code).join(RadioNetworkAgency, RadioNetworkAgency.agency_id == Agency.id)
    found = await session.scalars(part.where(RadioNetworkAgency.network_id == network.id))
    return " ".join(sorted(found))


async def _counts(session: AsyncSession, network: RadioNetwork) -> list[int]:
    counts = [
        await session.scalar(
            select(func.count()).select_from(kind).where(kind.network_id == network.id)
        )
        for kind in (RadioGateway, RadioTalkgroup, Radio)
    ]
    unknown = select(func.count()).select_from(RadioHeard).where(*_unknown(network))
    return [count or 0 for count in (*counts, await session.scalar(unknown))]


def _unknown(network: RadioNetwork) -> tuple[ColumnElement[bool], ...]:
    carried = select(Radio.number).where(Radio.network_id == network.id)
    return RadioHeard.network_id == network.id, RadioHeard.number.not_in(carried)


@radio_network.command(
    "agency",
    epilog="""
\b
Examples:
  psn radio-network agency National BDF
  psn radio-network agency National BDF --remove
""",
)
@click.argument("name")
@click.argument("code")
@click.option("--remove", is_flag=True, help="It takes part no more; its radios and groups go.")
def agency(name: str, code: str, remove: bool) -> None:
    """Let another agency take part, or no more."""

    async def work() -> None:
        async with writing() as session:
            network, other = await _network(session, name), await agency_of(session, code)
            if network.agency_id == other.id:
                text = f"{other.code} runs {name}, and so takes part in it."
                raise Problem("runs_it", text, "Name another agency.")
            part = RadioNetworkAgency
            await session.execute(
                delete(part).where(part.network_id == network.id, part.agency_id == other.id)
            )
            if not remove:
                session.add(RadioNetworkAgency(network_id=network.id, agency_id=other.id))
                return
            for kind, of, what in (
                (Radio, Unit, "unit_id"),
                (RadioTalkgroup, Talkgroup, "group_id"),
            ):
                theirs = select(of.id).where(of.agency_id == other.id)
                await session.execute(
                    delete(kind).where(
                        kind.network_id == network.id, getattr(kind, what).in_(theirs)
                    )
                )

    asyncio.run(work())
    click.echo(f"{code.upper()} takes part in {name}{' no more' if remove else ''}.")


@radio_network.command(
    "gateway",
    epilog="""
\b
Examples:
  psn radio-network gateway National "Radio bridge"
  psn radio-network gateway National 12 --remove
""",
)
@click.argument("name")
@click.argument("device")
@click.option("--remove", is_flag=True, help="It serves the network no more.")
def gateway(name: str, device: str, remove: bool) -> None:
    """Let a bridge, by its label or id, serve a network."""

    async def work() -> None:
        async with writing() as session:
            network = await _network(session, name)
            found = await _gateway(session, network, device)
            row = RadioGateway
            await session.execute(
                delete(row).where(row.network_id == network.id, row.device_id == found.id)
            )
            if not remove:
                session.add(RadioGateway(network_id=network.id, device_id=found.id))

    asyncio.run(work())
    click.echo(f"{device} serves {name}{' no more' if remove else ''}.")


async def _gateway(session: AsyncSession, network: RadioNetwork, name: str) -> Device:
    """A gateway of the agency that runs a network, which speaks for no unit."""
    query = select(Device).where(
        Device.agency_id == network.agency_id, Device.gateway, Device.unit_id.is_(None)
    )
    query = query.where(Device.revoked_at.is_(None))
    by = Device.id == int(name) if name.isdecimal() else Device.label == name
    found = list(await session.scalars(query.where(by)))
    if not found:
        raise missing("gateway of the agency that runs it", name, "psn device list")
    if len(found) > 1:
        raise Problem("ambiguous", f"There are {len(found)} gateways {name}.", "Say the id.")
    return found[0]


@radio_network.command(
    "talkgroup",
    epilog="""
\b
Examples:
  psn radio-network talkgroup National 91 "BPD/Patrols"
  psn radio-network talkgroup National 91 --part
""",
)
@click.argument("name")
@click.argument("number", type=NUMBER)
@click.argument("group", required=False)
@click.option("--part", is_flag=True, help="It is joined with no group.")
def talkgroup(name: str, number: int, group: str | None, part: bool) -> None:
    """Join a talkgroup with a group, or part them."""
    if part == (group is not None):
        raise Problem("bad_talkgroup", "A talkgroup is joined, or parted.", "Say GROUP or --part.")

    async def work() -> None:
        async with writing() as session:
            network, row = await _network(session, name), RadioTalkgroup
            await session.execute(
                delete(row).where(row.network_id == network.id, row.number == number)
            )
            if group is not None:
                found = await group_of(session, group)
                if found.agency_id is not None:
                    await _check_part(session, network, found.agency_id)
                session.add(row(network_id=network.id, number=number, group_id=found.id))

    asyncio.run(work())
    click.echo(f"Talkgroup {number} of {name} is joined with {group or 'no group'}.")


@radio_network.command(
    "radio",
    epilog="""
\b
Examples:
  psn radio-network radio National 4711 BPD/P-12
  psn radio-network radio National 4711 --take
""",
)
@click.argument("name")
@click.argument("number", type=NUMBER)
@click.argument("unit", required=False)
@click.option("--take", is_flag=True, help="It carries no unit any more.")
def radio(name: str, number: int, unit: str | None, take: bool) -> None:
    """Say which unit carries a radio."""
    if take == (unit is not None):
        raise Problem("bad_radio", "A radio is given to a unit, or taken.", "Say UNIT or --take.")

    async def work() -> None:
        async with writing() as session:
            network = await _network(session, name)
            where = (Radio.network_id == network.id, Radio.number == number)
            await session.execute(delete(Radio).where(*where))
            if unit is not None:
                found = await unit_of(session, unit)
                await _check_part(session, network, found.agency_id)
                session.add(Radio(network_id=network.id, number=number, unit_id=found.id))

    asyncio.run(work())
    click.echo(f"Radio {number} of {name} carries {unit or 'no unit'}.")


@radio_network.command("unknown", epilog="Example: psn radio-network unknown National")
@click.argument("name")
def unknown(name: str) -> None:
    """Show radios that were heard and carry no unit, the last first."""

    async def work() -> list[tuple[object, ...]]:
        async with writing() as session:
            network = await _network(session, name)
            query = select(RadioHeard).where(*_unknown(network)).order_by(RadioHeard.last_at.desc())
            rows = await session.scalars(query.limit(MOST_HEARD))
            return [
                (r.number, r.what, r.site, r.times, f"{r.last_at:%Y-%m-%d %H:%M}") for r in rows
            ]

    show(("number", "what", "site", "times", "last (UTC)"), asyncio.run(work()))


@radio_network.command("secret", epilog="Example: psn radio-network secret /etc/psn/702001")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def secret(file: Path) -> None:
    """Make a repeater's secret, and show it once."""
    made = secrets.token_urlsafe(SECRET_BYTES)
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise taken("file", str(file), "Remove it, or name another.") from None
    except OSError as error:
        text = f"{file} cannot be written: {error.strerror}."
        raise Problem("not_written", text, "Name another file.") from None
    with os.fdopen(number, "w") as opened:
        opened.write(made + "\n")
    click.echo(f"The secret is in {file}, and shown only now:\n\n  {made}")


async def _network(session: AsyncSession, name: str) -> RadioNetwork:
    by = RadioNetwork.id == int(name) if name.isdecimal() else RadioNetwork.name == name
    found = await session.scalar(select(RadioNetwork).where(by, RadioNetwork.retired_at.is_(None)))
    if found is None:
        raise missing("radio network", name, "psn radio-network list")
    return found


async def _check_part(session: AsyncSession, network: RadioNetwork, agency: int) -> None:
    """Raise :class:`Problem` unless an agency takes part in a network."""
    part = RadioNetworkAgency
    there = select(part).where(part.network_id == network.id, part.agency_id == agency)
    if agency != network.agency_id and await session.scalar(there) is None:
        code = (await session.get_one(Agency, agency)).code
        text = f"{code} does not take part in {network.name}."
        raise Problem("takes_no_part", text, f"psn radio-network agency {network.name} {code}")
