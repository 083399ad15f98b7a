"""``psn retention`` and ``psn hold``: how long what is kept, and what must not be deleted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from psn import revisions
from psn.commands.own_keys import needed_keys
from psn.commands.rows import agency_of, person_of, unit_of, user, writing
from psn.commands.terms import day, ended, termed, terms
from psn.commands.words import connected, counted, missing, settings, show
from psn.keeping import pruning
from psn.keeping import retention as rules
from psn.keeping.pruning.step import Done
from psn.keeping.retention import Kind
from psn.problems import Problem
from psn.schema import Agency, Call, Incident, IncidentCard, LegalHold, Lookout, Retention

FOREVER = "forever"
DEFAULT = "default"


@click.group()
def retention() -> None:
    """How long tracks, messages, incidents and the rest are kept, for each agency."""


@retention.command("show", short_help="Show the periods.", epilog="Example: psn retention show")
def show_periods() -> None:
    """Show the days that each agency keeps what; in brackets: as the settings say."""
    otherwise = rules.defaults(settings())

    async def work() -> list[tuple[object, ...]]:
        async with writing() as session:
            agencies = list(await session.scalars(select(Agency).order_by(Agency.id)))
            rows = list(await session.scalars(select(Retention)))
            own = {(row.agency_id, Kind(row.kind)): row.days for row in rows}
            return [
                (a.code, *(_period(own, otherwise[kind], a.id, kind) for kind in Kind))
                for a in agencies
            ]

    show(("agency", *(kind.value for kind in Kind)), asyncio.run(work()))


def _period(
    own: dict[tuple[int, Kind], int | None], otherwise: int | None, agency: int, kind: Kind
) -> str:
    if (agency, kind) in own:
        return _said(own[agency, kind])
    return f"({_said(otherwise)})"


def _said(days: int | None) -> str:
    return FOREVER if days is None else str(days)


@retention.command(
    "set",
    context_settings={"ignore_unknown_options": True},  # -5 is a wrong number, and no option
    short_help="Say how long an agency keeps something.",
    epilog="""
\b
Examples:
  psn retention set BPD track 90
  psn retention set NEMO message forever
  psn retention set BPD track default
""",
)
@click.argument("code", metavar="AGENCY")
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.argument("days", metavar=f"DAYS|{FOREVER}|{DEFAULT}")
def set_period(code: str, kind: str, days: str) -> None:
    """Say how many days an agency keeps something; default: as the settings say."""
    wanted = _days(days)

    async def work() -> None:
        async with writing() as session:
            agency = await agency_of(session, code)
            row = await session.get(Retention, (agency.id, kind))
            if days == DEFAULT:
                where = (Retention.agency_id == agency.id, Retention.kind == kind)
                await session.execute(delete(Retention).where(*where))
            elif row is None:
                session.add(Retention(agency_id=agency.id, kind=kind, days=wanted))
            else:
                row.days = wanted

    asyncio.run(work())
    click.echo(f"{code.upper()} keeps {kind}: {days}.")


def _days(said: str) -> int | None:
    if said in (FOREVER, DEFAULT):
        return None
    if not (said.isascii() and said.isdecimal() and 1 <= int(said) <= 36_500):
        raise Problem(
            "bad_period",
            f"{said!r} is no number of days.",
            f"Write a whole number from 1 to 36500, {FOREVER}, or {DEFAULT}.",
        )
    return int(said)


@retention.command("run", epilog="Example: psn retention run --dry-run")
@click.option("--dry-run", "dry", is_flag=True, help="Only count what would be deleted.")
def run(dry: bool) -> None:
    """Delete what is past its period now; the server does so every hour."""
    said = settings()
    own = needed_keys(said)

    async def work() -> tuple[list[Done], dict[int, str]]:
        async with connected(said.database) as connection:
            await revisions.check(connection)
            rows = await connection.fetch("SELECT id, code FROM agency")
            done = await pruning.run(
                connection, own, rules.defaults(said), user(), datetime.now(UTC), dry
            )
            return done, {row["id"]: row["code"] for row in rows}

    done, codes = asyncio.run(work())
    heads = ("what", "agency", "would be deleted" if dry else "deleted", "from before (UTC)")
    show(
        heads,
        [
            (
                each.what,
                "" if each.agency is None else codes.get(each.agency, each.agency),
                each.rows,
                "" if each.through is None else f"{each.through.astimezone(UTC):%Y-%m-%d %H:%M}",
            )
            for each in done
        ],
    )


# -- legal holds


@click.group()
def hold() -> None:
    """Legal holds: what concerns their subjects is not deleted."""


@hold.command(
    "add",
    short_help="Keep what concerns somebody or something.",
    epilog="""
\b
Examples:
  psn hold add person:bpd.ana --reason "Supreme Court, claim 120/2026"
  psn hold add unit:BPD/P-1 incident:4 --reason "inquest" --until 2028-01-01
  psn hold add incident:BPD-26-00012 call:BPD-C26-00031 --reason "Supreme Court"
  psn hold add agency:BDF --reason "commission of inquiry"
""",
)
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@termed
def add(subjects: tuple[str, ...], reason: str, author: str | None, until: datetime | None) -> None:
    """Keep what concerns people, units, agencies, incidents, calls or lookouts, whatever the
    periods are; the last three are named by their number or id.
    """
    agreed = terms(reason, author, until)

    async def work() -> list[tuple[int, str]]:
        added = []
        async with writing() as session:
            for subject in subjects:
                address, agency = await _subject(session, subject)
                new = LegalHold(subject=address, agency_id=agency, **agreed.columns())
                session.add(new)
                await session.flush()
                # Pruning waits from here on; what it took before is not there any more.
                await _subject(session, subject)
                added.append((new.id, address))
        return added

    for number, address in asyncio.run(work()):
        click.echo(f"Hold {number} on {address} is in force.")


async def _subject(session: AsyncSession, said: str) -> tuple[str, int]:
    """The address of a subject, and whose it is."""
    kind, _, name = said.partition(":")
    if kind == "person":
        person = await person_of(session, name)
        return f"person:{person.id}", person.agency_id
    if kind == "unit":
        unit = await unit_of(session, name)
        return f"unit:{unit.id}", unit.agency_id
    if kind == "agency":
        agency = await agency_of(session, name)
        return f"agency:{agency.id}", agency.id
    if kind in _NUMBERED and _NUMBER.fullmatch(name):
        return await _numbered(session, kind, name)
    raise Problem(
        "bad_subject",
        f"{said} is no subject of a hold.",
        "Write person:NAME, unit:AGENCY/CALLSIGN, agency:CODE, or incident:, call: or lookout:"
        " with its number.",
    )


_NUMBER: Final = re.compile(r"[0-9]{1,9}|[A-Z0-9]{2,12}-[A-Z]?[0-9]{2}-[0-9]{1,9}", re.ASCII)
"""An id, or what people call it: ``BPD-26-00012``, ``BPD-C26-00031``."""
_NUMBERED: Final[Mapping[str, Select[int, int]]] = {
    "incident": select(Incident.id, Incident.agency_id).join(IncidentCard),
    "call": select(Call.id, Call.agency_id),
    "lookout": select(Lookout.id, Lookout.agency_id),
}
_CALLED: Final = {
    "incident": (Incident.id, IncidentCard.number),
    "call": (Call.id, Call.number),
    "lookout": (Lookout.id, Lookout.number),
}


async def _numbered(session: AsyncSession, kind: str, name: str) -> tuple[str, int]:
    """An incident, call or lookout by its id or number."""
    id, number = _CALLED[kind]
    where = id == int(name) if name.isdecimal() else number == name
    found = (await session.execute(_NUMBERED[kind].where(where))).one_or_none()
    if found is None:
        raise missing(kind, name, "psn incident list --all, or the desk")
    return f"{kind}:{found[0]}", found[1]


@hold.command("list", epilog="Example: psn hold list --all")
@click.option("--all", "every", is_flag=True, help="Also those that have ended.")
def list_holds(every: bool) -> None:
    """Show what is under hold, why, and until when."""

    async def work() -> list[tuple[object, ...]]:
        query = (
            select(LegalHold, Agency.code)
            .outerjoin(Agency, Agency.id == LegalHold.agency_id)
            .order_by(LegalHold.id)
        )
        now = datetime.now(UTC)
        async with writing() as session:
            return [
                (h.id, h.subject, code, day(h.starts_at), day(h.ends_at), h.author, h.reason)
                for h, code in await session.execute(query)
                if every or h.ends_at is None or h.ends_at > now
            ]

    show(("id", "subject", "of", "from", "until", "author", "reason"), asyncio.run(work()))


@hold.command("end", epilog="Example: psn hold end 3")
@click.argument("numbers", type=int, nargs=-1, required=True)
def end(numbers: tuple[int, ...]) -> None:
    """End holds now; what they alone kept is deleted in the next hour."""

    async def work() -> int:
        over = 0
        async with writing() as session:
            for number in numbers:
                found = await session.get(LegalHold, number)
                if found is None:
                    raise missing("hold", str(number), "psn hold list")
                over += ended(found)
        return over

    click.echo(f"{counted(asyncio.run(work()), 'hold')} ended.")
