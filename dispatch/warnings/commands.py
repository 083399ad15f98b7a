"""``psn warnings``: what people are warned of, and the public files for another host."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from dispatch.alerting.cap import Status
from dispatch.alerting.issuing import NEMO
from dispatch.alerting.life import SENDABLE
from dispatch.warnings import public, told
from dispatch.warnings.told import Now
from psn import database, migrate
from psn.commands.rows import agency_of, writing
from psn.commands.words import connected, counted, settings, show
from psn.problems import Problem
from psn.schema import WarningPolicy


@click.group()
def warnings() -> None:
    """What people are warned of."""


@warnings.command("list", epilog="Example: psn warnings list")
def list_() -> None:
    """List what was sent in the last eight days, newest first, and how it stands."""
    now = asyncio.run(_now())
    states = {each.sent.id: str(each.state).replace("_", " ") for each in now.stands}
    show(
        ("message", "warning", "what", "status", "sent", "about", "stands", ""),
        [
            (
                str(each.id),
                str(each.warning),
                str(each.alert.message_type),
                str(each.alert.status),
                f"{each.alert.sent:%Y-%m-%d %H:%M:%S%z}",
                each.content.spoken,
                states.get(each.id, ""),
                "approved alone" if each.alone else "",
            )
            for each in now.messages
        ],
    )


@warnings.command(
    "export",
    epilog="""
\b
Examples:
  psn warnings export /srv/www
  psn warnings export /srv/www && rsync -a --delete-after /srv/www/ mirror.example.bz:/srv/www/
\b
It writes alerts.atom, and alerts/ with index.html, es.html, bzj.html and each alert as XML: the
same bytes that the server answers. Their links are relative, so they serve from any place.
""",
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def export(directory: Path) -> None:
    """Write what the public reads into DIRECTORY, for another host."""
    files = public.files(asyncio.run(_now()), NEMO)
    try:
        (directory / public.FOLDER).mkdir(parents=True, exist_ok=True)
        # The feed last: it never names a file that is not there.
        for path in sorted(files, key=lambda each: each == public.FEED):
            _write(directory / path, files[path].body)
        kept = {directory / path for path in files}
        for old in (directory / public.FOLDER).glob("*.xml"):
            if old not in kept and old.stem.isdecimal():
                old.unlink()
    except OSError as error:
        raise Problem(
            "not_written",
            f"{directory} could not be written: {error.strerror or error}.",
            "Choose a directory that you may write.",
        ) from error
    click.echo(f"{counted(len(files), 'file')} written to {directory}.")


@warnings.command(
    "policy",
    epilog="""
\b
Examples:
  psn warnings policy NEMO --two-people Actual,Exercise
  psn warnings policy NEMO --two-people ""         one person may send everything
""",
)
@click.argument("agency")
@click.option(
    "--two-people",
    "statuses",
    required=True,
    help="Statuses whose messages somebody else has to approve: Actual, Exercise, Test.",
)
def policy(agency: str, statuses: str) -> None:
    """Say for which messages of AGENCY two people are needed."""
    wanted = sorted({each.strip().title() for each in statuses.split(",") if each.strip()})
    possible = sorted(str(each) for each in SENDABLE)
    if not set(wanted) <= set(possible):
        raise Problem(
            "bad_status",
            f"{statuses!r} is not a list of statuses.",
            f"Choose from {', '.join(possible)}.",
        )

    async def work() -> str:
        async with writing() as session:
            found = await agency_of(session, agency)
            await session.merge(WarningPolicy(agency_id=found.id, two_people=wanted))
            return found.name

    name = asyncio.run(work())
    said = ", ".join(wanted) or "nothing"
    click.echo(f"{name}: two people are needed for {said}.")
    if Status.ACTUAL not in wanted:
        click.echo("One person alone can now warn the public; every such approval says so.")


async def _now() -> Now:
    """What people have been told, from the database of the settings."""
    async with connected(settings().database) as connection:
        await migrate.check(connection)
        await database.prepare(connection)
        at = datetime.now(UTC)
        return told.believed(await told.read(connection, at), at)


def _write(path: Path, body: bytes) -> None:
    """Whole or not at all: who reads meanwhile has the old one."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(body)
    os.replace(beside, path)
