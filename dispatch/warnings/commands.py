"""``psn warnings``: what people are warned of, and the public files for another host."""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from sqlalchemy import select, text

from dispatch.alerting.cap import Status
from dispatch.alerting.content import Channel
from dispatch.alerting.issuing import NEMO
from dispatch.alerting.life import SENDABLE
from dispatch.warnings import (
    heard,
    outbox,
    public,
    recipients,
    sources,
    synthesis,
    told,
    webhook_way,
)
from dispatch.warnings.told import Now
from psn import database, revisions
from psn.commands.own_keys import needed_keys, own_keys
from psn.commands.rows import agency_of, user, writing
from psn.commands.words import connected, counted, missing, settings, show
from psn.csirt import webhook_protocol
from psn.problems import Problem
from psn.schema import WarningPolicy, WarningRecipient


@click.group()
def warnings() -> None:
    """What people are warned of."""


@warnings.command("list", epilog="Example: psn warnings list")
def list_() -> None:
    """List what was sent in the last eight days.

    Newest first, and how each stands.
    """
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


@warnings.command("feeds", epilog="Example: psn warnings feeds")
def feeds() -> None:
    """List the feeds of others that are listened to, and how each is."""
    said = settings()
    if said.feeds is None:
        raise Problem(
            "no_feeds",
            "No feed is listened to.",
            "Set PSN_FEEDS; docs/operating.md has an example.",
        )
    named = sources.read(said.feeds)

    async def work() -> list[heard.FeedShown]:
        async with connected(said.database) as connection:
            await revisions.check(connection)
            return await heard.health(connection, named)

    show(
        ("feed", "address", "signed", "read", "failing since", "in force", "problem"),
        [
            (
                each.title,
                each.url,
                "yes" if each.signed else "",
                _said(each.succeeded),
                _said(each.failing_since),
                str(each.in_force),
                each.problem or "",
            )
            for each in asyncio.run(work())
        ],
    )


def _said(at: int | None) -> str:
    return "" if at is None else f"{database.moment(at):%Y-%m-%d %H:%M:%SZ}"


@warnings.command(
    "ways",
    epilog="""
\b
Example: psn warnings ways
How a way fares in a running server, and since when, is at /api/warnings/ways.
""",
)
def ways_() -> None:
    """Show what became of the last day's messages, by channel."""
    show(
        (
            "channel",
            "recipients",
            "waiting",
            "handed over",
            "failed",
            "uncertain",
            "last",
            "problem",
        ),
        asyncio.run(_ways()),
    )


@warnings.command(
    "export",
    epilog="""
\b
Examples:
  psn warnings export /srv/www
  psn warnings export /srv/www && rsync -a --delete-after /srv/www/ mirror.example.bz:/srv/www/
\b
It writes alerts.atom, and alerts/ with index.html, es.html, bzj.html, each alert as XML, and the
certificate that they are signed with: what the server answers. Their links are relative, so they
serve from any place; pages say when they were written, and that newer ones are at PSN_ORIGIN.
""",
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def export(directory: Path) -> None:
    """Write what the public reads into DIRECTORY, for another host."""
    said = settings()
    own = own_keys(said)
    certificate = None if own is None else own.alert.certificate
    elsewhere = public.Elsewhere(said.origin)
    files = public.files(asyncio.run(_now()), NEMO, certificate, elsewhere)
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


@warnings.group()
def recipient() -> None:
    """Whom an agency warns by SMS, e-mail and signed requests."""


@recipient.command(
    "add",
    epilog="""
\b
Examples:
  psn warnings recipient add NEMO sms +5016001234 --district BZ-CY --language es-BZ
  psn warnings recipient add NEMO email mayor@example.bz
  psn warnings recipient add NEMO webhook https://sirens.example.bz/psn     for sirens, broadcasters
  psn warnings recipient add NEMO cell https://cbe.example.bz/alerts        for cell broadcast
""",
)
@click.argument("agency")
@click.argument("channel", type=click.Choice(recipients.CHANNELS))
@click.argument("address")
@click.option("--district", help="Only what touches this district, such as BZ-CY.")
@click.option("--language", default="en-BZ", show_default=True)
def add(agency: str, channel: str, address: str, district: str | None, language: str) -> None:
    """Warn ADDRESS of what AGENCY sends.

    Of a receiver of requests the secret is shown, once.
    """
    said = recipients.Said(channel, address, district, language)
    checked = recipients.checked(said)
    secret = None
    if channel in recipients.SIGNED:
        secret = webhook_protocol.new_secret()
    _add(agency, [checked], secret)
    click.echo(f"{checked.address} is warned from now on.")
    if secret is not None:
        click.echo(f"Secret (shown once): {webhook_protocol.shown(secret)}")


@recipient.command(
    "import",
    epilog="""
\b
Example: psn warnings recipient import NEMO telephones.csv
The first line names the columns: channel (sms or email), address, and perhaps district, language.
""",
)
@click.argument("agency")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(agency: str, file: Path) -> None:
    """Add those of a CSV table: all of its rows, or none when one is bad.

    The audit has one entry for all of them, with how many and a digest.
    """
    data = file.read_bytes()
    found = recipients.read_csv(data)
    added = _add(agency, found, file=f"{file.name} sha256:{hashlib.sha256(data).hexdigest()}")
    click.echo(f"{counted(added, 'recipient')} added, {len(found) - added} were there.")


@recipient.command("list", epilog="Example: psn warnings recipient list NEMO")
@click.argument("agency")
def list_recipients(agency: str) -> None:
    """List whom AGENCY warns."""

    async def work() -> list[WarningRecipient]:
        async with writing() as session:
            found = await agency_of(session, agency)
            wanted = select(WarningRecipient).where(
                WarningRecipient.agency_id == found.id, WarningRecipient.ended_at.is_(None)
            )
            return list(await session.scalars(wanted.order_by(WarningRecipient.id)))

    show(
        ("channel", "address", "district", "language"),
        [(r.channel, r.address, r.district or "", r.language) for r in asyncio.run(work())],
    )


@recipient.command("remove", epilog="Example: psn warnings recipient remove NEMO +5016001234")
@click.argument("agency")
@click.argument("address")
def remove(agency: str, address: str) -> None:
    """Warn ADDRESS no more."""

    async def work() -> int:
        async with writing() as session:
            found = await agency_of(session, agency)
            rows = await session.scalars(
                select(WarningRecipient).where(
                    WarningRecipient.agency_id == found.id,
                    WarningRecipient.address == address,
                    WarningRecipient.ended_at.is_(None),
                )
            )
            ended = list(rows)
            for row in ended:
                row.ended_at = datetime.now(UTC)
            return len(ended)

    if not asyncio.run(work()):
        raise missing("recipient", address, f"psn warnings recipient list {agency}")
    click.echo(f"{address} is warned no more.")


def _add(
    agency: str, said: list[recipients.Said], secret: bytes | None = None, file: str = ""
) -> int:
    """Those that were not there, in one statement; how many. ``file``: what the audit calls it."""
    own = None if secret is None else needed_keys(settings())
    # Of two with one address the last holds.
    new = list({(each.channel, each.address): each for each in said}.values())
    sealed = None
    if own is not None and secret is not None:
        sealed = own.seal(secret, webhook_way.purpose(new[0].address))

    async def work() -> int:
        async with writing() as session:
            found = await agency_of(session, agency)
            await session.execute(_FILE, {"file": file})
            added = await session.scalar(
                _ADD,
                {
                    "agency": found.id,
                    "channels": [each.channel for each in new],
                    "addresses": [each.address for each in new],
                    "districts": [each.district for each in new],
                    "languages": [each.language for each in new],
                    "secret": sealed,
                    "by": user().address,
                },
            )
            return added or 0

    return asyncio.run(work())


_FILE: Final = text("select set_config('psn.file', :file, true)")
_ADD: Final = text("""
    with added as (
        insert into warning_recipient (agency_id, channel, address, district, language, secret,
                                       added_by)
        select :agency, channel, address, district, language, cast(:secret as bytea), :by
          from unnest(cast(:channels as text[]), cast(:addresses as text[]),
                      cast(:districts as text[]), cast(:languages as text[]))
               as said (channel, address, district, language)
            on conflict (agency_id, channel, address) where ended_at is null do nothing
        returning 1)
    select count(*) from added
""")


async def _now() -> Now:
    """What people have been told, from the database of the settings."""
    async with connected(settings().database) as connection:
        await revisions.check(connection)
        await database.prepare(connection)
        at = datetime.now(UTC)
        return told.believed(await told.read(connection, at), at)


async def _ways() -> list[tuple[str, ...]]:
    """A row for each channel that goes by the outbox, from the database of the settings."""
    async with connected(settings().database) as connection:
        await revisions.check(connection)
        found = await connection.fetch(_WAYS, [str(each) for each in outbox.CHANNELS])
    rows = [tuple("" if cell is None else str(cell) for cell in row) for row in found]
    needs = synthesis.lacking()
    return [
        (*row[:-1], row[-1] or needs or "") if row[0] == Channel.SPOKEN else row for row in rows
    ]


_WAYS: Final = """
    select c.channel,
           (select count(*) from warning_recipient r
             where r.channel = c.channel and r.ended_at is null),
           count(d.id) filter (where d.state in ('waiting', 'handing')),
           count(d.id) filter (where d.state in ('handed', 'delivered')),
           count(d.id) filter (where d.state = 'failed'),
           count(d.id) filter (where d.state = 'uncertain'),
           to_char(max(coalesce(d.ended_at, d.handed_at)) at time zone 'UTC',
                   'YYYY-MM-DD HH24:MI:SS"Z"'),
           (array_agg(d.problem order by d.id desc) filter (
                where d.problem is not null and d.state <> 'dropped'))[1]
      from unnest($1::text[]) with ordinality as c (channel, place)
      left join warning_delivery d
             on d.channel = c.channel
            and coalesce(d.ended_at, d.handed_at, d.began_at, d.next_at) > now() - interval '1 day'
     group by c.channel, c.place order by c.place
"""


def _write(path: Path, body: bytes) -> None:
    """Whole or not at all: who reads meanwhile has the old one."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(body)
    os.replace(beside, path)
