"""``psn device``: tablets and gateways, from the code that enrols one to its end."""

from __future__ import annotations

import asyncio
import getpass
import json
import secrets
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click
import segno
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from psn.commands.rows import agency_of, unit_of, writing
from psn.commands.words import counted, missing, need_name, settings, show
from psn.enrolment import enrolment_code
from psn.enrolment.join import join as join_network
from psn.problems import Problem
from psn.schema import Agency, Device, Enrolment, Session, Unit
from psn.settings import Settings

NUMBER: Final = click.IntRange(1, 2_147_483_647)
HOURS: Final = 24
"""How long a code can be used, unless something else is said."""


@click.group()
def device() -> None:
    """Devices: tablets that speak for a unit, and gateways."""


@device.command(
    "enrol",
    epilog="""
\b
Examples:
  psn device enrol "Tablet 12" --unit BPD/P-12 --server https://psn.example.bz
  psn device enrol "AIS receiver" --gateway --agency BCG --qr ais.svg
  psn device enrol "Radio bridge" --gateway --agency BPD --all-agencies --hours 1
""",
)
@click.argument("label")
@click.option("--unit", "name", metavar="UNIT", help="The unit it speaks for.")
@click.option("--gateway", is_flag=True, help="It reports for units of its agency.")
@click.option("--agency", "code", help="A gateway's agency.")
@click.option("--all-agencies", is_flag=True, help="A gateway for units of any agency.")
@click.option(
    "--hours", default=HOURS, show_default=True, type=click.IntRange(1, 720),
    help="How long the code can be used.",
)  # fmt: skip
@click.option("--author", help="Who wants it. Default: the user of this machine.")
@click.option(
    "--server", envvar="PSN_URL",
    help="Where the device finds the server. Default: by the settings of this machine.",
)  # fmt: skip
@click.option(
    "--qr", "picture", type=click.Path(dir_okay=False, path_type=Path),
    help="Write the picture to this file (SVG), too.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def enrol(
    label: str,
    name: str | None,
    gateway: bool,
    code: str | None,
    all_agencies: bool,
    hours: int,
    author: str | None,
    server: str | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Make a code with which one device enrols itself. It is shown now and never again."""
    if (name is None) == (not gateway) or gateway != (code is not None) or all_agencies > gateway:
        raise Problem(
            "bad_device",
            "A device speaks for one unit, or is a gateway of an agency.",
            "Say --unit AGENCY/CALLSIGN, or --gateway --agency CODE.",
        )
    need_name("label of a device", label)
    spoken = enrolment_code.new(secrets.choice)
    uri = enrolment_code.uri(server or _address(settings()), spoken)
    ends = datetime.now(UTC) + timedelta(hours=hours)
    enrolment = Enrolment(
        code_hash=enrolment_code.kept(spoken),
        label=label,
        gateway=gateway,
        gateway_all=all_agencies,
        author=author or f"{getpass.getuser()}, command line",
        expires_at=ends,
    )
    speaks_for = asyncio.run(_add(enrolment, name, code))
    drawn = segno.make(uri, error="m", micro=False)
    if picture is not None:
        _draw(drawn, picture)
    shown = enrolment_code.shown(spoken)
    if as_json:
        told = {"enrolment": enrolment.id, "code": shown, "uri": uri, "until": ends.isoformat()}
        click.echo(json.dumps(told))
        return
    click.echo(f"Code {enrolment.id} enrols one device, {label} of {speaks_for}.")
    click.echo(
        f"It is good once, until {ends:%Y-%m-%d %H:%M} UTC, and shown only now:\n\n  {shown}"
    )
    drawn.terminal(out=sys.stdout, border=2, compact=True)
    click.echo("Without a camera: psn device join --server ADDRESS --code CODE --key FILE")


async def _add(enrolment: Enrolment, unit: str | None, agency: str | None) -> str:
    """Keep a code that was made; what its device will speak for, in words."""
    async with writing() as session:
        if unit is not None:
            found = await unit_of(session, unit)
            owner = await session.get_one(Agency, found.agency_id)
            enrolment.unit_id = found.id
            speaks_for = f"{owner.code}/{found.callsign}"
        else:
            owner = await agency_of(session, agency or "")
            speaks_for = owner.code
        enrolment.agency_id = owner.id
        session.add(enrolment)
        await session.flush()
        return speaks_for


def _address(of: Settings) -> str:
    """Where a server with these settings is found, as well as this machine knows."""
    scheme = "http" if of.tls_certificate is None else "https"
    everywhere = of.host in ("0.0.0.0", "::")
    host = socket.gethostname() if everywhere else f"[{of.host}]" if ":" in of.host else of.host
    return f"{scheme}://{host}:{of.port}"


def _draw(drawn: segno.QRCode, file: Path) -> None:
    try:
        drawn.save(str(file), kind="svg", scale=4)
    except OSError as error:
        raise Problem(
            "not_writable",
            f"The picture cannot be written to {file}: {error.strerror}.",
            "Cancel the code (psn device list, psn device cancel) and make another.",
        ) from error


@device.command(
    "join",
    epilog="""
\b
Examples:
  psn device join --server https://psn.example.bz --code K7MP-3XWD-H9TQ --key gateway.pem
  psn device join --code 'psn-enrol:?server=…&code=…' --key gateway.pem    what the QR says
""",
)
@click.option("--server", envvar="PSN_URL", help="The server's address; not needed with a QR.")
@click.option("--code", required=True, help="What psn device enrol has shown.")
@click.option(
    "--key", "file", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="File to keep the key in; only you can read it.",
)  # fmt: skip
def join(server: str | None, code: str, file: Path) -> None:
    """Be this device: make its key here, and enrol it with a code. Needs no database."""
    if code.startswith(enrolment_code.SCHEME):
        said, code = enrolment_code.from_uri(code)
        server = server or said
    if not server:
        raise Problem("no_server", "No server is named.", "Say --server https://…")
    enrolled = join_network(server, code, file)
    click.echo(f"This is device {enrolled.device}; its key is in {file}.")


@device.command("list", epilog="Example: psn device list")
def list_devices() -> None:
    """Show devices, and the codes that wait for one."""

    async def work() -> tuple[list[Sequence[object]], list[Sequence[object]]]:
        async with writing() as session:
            return await _devices(session), await _waiting(session)

    devices, waiting = asyncio.run(work())
    show(("id", "label", "of", "role", "state"), devices)
    if waiting:
        click.echo("\nCodes that wait for their device:")
        show(("code", "label", "of", "role", "until (UTC)", "by"), waiting)


async def _devices(session: AsyncSession) -> list[Sequence[object]]:
    query = (
        select(Device, Agency.code, Unit.callsign)
        .join(Agency, Agency.id == Device.agency_id)
        .outerjoin(Unit, Unit.id == Device.unit_id)
        .order_by(Device.id)
    )
    return [
        (d.id, d.label, _of(code, callsign), _role(d), _state(d))
        for d, code, callsign in await session.execute(query)
    ]


async def _waiting(session: AsyncSession) -> list[Sequence[object]]:
    query = (
        select(Enrolment, Agency.code, Unit.callsign)
        .join(Agency, Agency.id == Enrolment.agency_id)
        .outerjoin(Unit, Unit.id == Enrolment.unit_id)
        .where(Enrolment.used_at.is_(None), Enrolment.expires_at > datetime.now(UTC))
        .order_by(Enrolment.id)
    )
    return [
        (e.id, e.label, _of(code, callsign), _role(e), f"{e.expires_at:%Y-%m-%d %H:%M}", e.author)
        for e, code, callsign in await session.execute(query)
    ]


def _of(agency: str, callsign: str | None) -> str:
    return agency if callsign is None else f"{agency}/{callsign}"


def _role(of: Device | Enrolment) -> str:
    return "gateway for all" if of.gateway_all else "gateway" if of.gateway else ""


def _state(of: Device) -> str:
    if of.wiped_at is not None:
        return f"wiped {of.wiped_at:%Y-%m-%d %H:%M} UTC"
    if of.wipe_ordered_at is not None:
        return "to be wiped when it shows up"
    return "" if of.revoked_at is None else "revoked"


@device.command("cancel", epilog="Example: psn device cancel 3")
@click.argument("number", type=NUMBER)
def cancel(number: int) -> None:
    """Make a code that was not used yet worthless."""

    async def work() -> None:
        now = datetime.now(UTC)
        async with writing() as session:
            found = await session.get(Enrolment, number, with_for_update=True)
            if found is None or found.used_at is not None or found.expires_at <= now:
                raise missing("code that waits,", str(number), "psn device list")
            found.expires_at = now

    asyncio.run(work())
    click.echo(f"Code {number} is worth nothing.")


@device.command("rename", epilog='Example: psn device rename 12 "Tablet 12, second hand"')
@click.argument("number", type=NUMBER)
@click.argument("label")
def rename(number: int, label: str) -> None:
    """Call a device something else."""
    need_name("label of a device", label)

    async def work() -> None:
        async with writing() as session:
            (await _device(session, number)).label = label

    asyncio.run(work())
    click.echo(f"Device {number} is called {label}.")


@device.command("revoke", epilog="Example: psn device revoke 12")
@click.argument("number", type=NUMBER)
def revoke(number: int) -> None:
    """Let a device in no more, and end its sessions. For a lost one see wipe."""

    async def work() -> int:
        now = datetime.now(UTC)
        async with writing() as session:
            found = await _device(session, number)
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


@device.command("wipe", epilog="Example: psn device wipe 12")
@click.argument("number", type=NUMBER)
def wipe(number: int) -> None:
    """Revoke a lost device and let it erase itself.

    It is told now when it is connected, else when it shows up and proves that it is this device.
    psn device list says whether it has done so.
    """

    async def work() -> bool:
        now = datetime.now(UTC)
        async with writing() as session:
            found = await _device(session, number)
            if found.wiped_at is None:
                found.revoked_at = found.revoked_at or now
                found.wipe_ordered_at = found.wipe_ordered_at or now
            # Its sessions are not ended here: a live one is how it learns of this.
            return found.wiped_at is not None

    done = asyncio.run(work())
    click.echo(f"Device {number} {'has erased itself already' if done else 'is to erase itself'}.")


async def _device(session: AsyncSession, number: int) -> Device:
    found = await session.get(Device, number)
    if found is None:
        raise missing("device", str(number), "psn device list")
    return found
