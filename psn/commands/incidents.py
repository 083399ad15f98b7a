"""``psn incident`` and ``psn glass``: sight that lasts as long as something happens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from psn.commands.incident_export import export
from psn.commands.rows import agency_of, unit_of, writing
from psn.commands.terms import day, ended, not_over, termed, terms, this_user
from psn.commands.words import counted, missing, need_name, show
from psn.problems import Problem
from psn.schema import Agency, Assignment, BrokenGlass, Incident, IncidentMember, Person, Unit


@click.group()
def incident() -> None:
    """Incidents: agencies that take part see the units assigned to it exactly."""


@incident.command("open", epilog='Example: psn incident open BCG "Boat adrift off Turneffe"')
@click.argument("code", metavar="AGENCY")
@click.argument("title")
def open_incident(code: str, title: str) -> None:
    """Open an incident; its agency takes part."""
    need_name("title of an incident", title)
    author = this_user()

    async def work() -> int:
        async with writing() as session:
            agency = await agency_of(session, code)
            new = Incident(agency_id=agency.id, title=title, opened_by=author)
            session.add(new)
            await session.flush()
            session.add(
                IncidentMember(
                    incident_id=new.id, agency_id=agency.id, reason="opened it", author=author
                )
            )
            return new.id

    click.echo(f"Incident {asyncio.run(work())} is open.")


@incident.command(
    "join",
    epilog="""
\b
Examples:
  psn incident join 4 BPD --reason "asked for at the pier"
  psn incident join 4 BCG/B-1 BPD/P-3 --reason "search"
""",
)
@click.argument("number", type=int)
@click.argument("members", nargs=-1, required=True, metavar="AGENCY|UNIT...")
@termed
def join(
    number: int,
    members: tuple[str, ...],
    reason: str | None,
    author: str | None,
    until: datetime | None,
) -> None:
    """Let agencies take part in an incident, and assign units to it."""
    joined = terms(reason, author, until)

    async def work() -> int:
        added = 0
        async with writing() as session:
            found = await session.get(Incident, number)
            if found is None or found.closed_at is not None:
                raise missing("open incident", str(number), "psn incident list")
            for member in members:
                who = await _member(session, member)
                there = select(IncidentMember).filter_by(incident_id=number, **who)
                if await session.scalar(there.where(not_over(IncidentMember))) is None:
                    session.add(IncidentMember(incident_id=number, **who, **joined.columns()))
                    added += 1
        return added

    click.echo(f"{counted(asyncio.run(work()), 'member')} added.")


async def _member(session: AsyncSession, named: str) -> dict[str, int]:
    """The column and the id of ``AGENCY`` or ``AGENCY/CALLSIGN``."""
    if "/" in named:
        return {"unit_id": (await unit_of(session, named)).id}
    return {"agency_id": (await agency_of(session, named)).id}


@incident.command("leave", epilog="Example: psn incident leave 4 BPD BPD/P-3")
@click.argument("number", type=int)
@click.argument("members", nargs=-1, required=True, metavar="AGENCY|UNIT...")
def leave(number: int, members: tuple[str, ...]) -> None:
    """End the part of agencies and units in an incident."""

    async def work() -> int:
        left = 0
        async with writing() as session:
            for member in members:
                who = await _member(session, member)
                rows = select(IncidentMember).filter_by(incident_id=number, **who)
                left += sum([ended(row) for row in await session.scalars(rows)])
        return left

    click.echo(f"{counted(asyncio.run(work()), 'member')} left.")


@incident.command("close", epilog="Example: psn incident close 4")
@click.argument("number", type=int)
def close(number: int) -> None:
    """Close an incident: the sight it opened ends."""

    async def work() -> bool:
        async with writing() as session:
            found = await session.get(Incident, number)
            if found is None:
                raise missing("incident", str(number), "psn incident list")
            was_open = found.closed_at is None
            sent = select(Unit.callsign).join(Assignment).filter_by(incident_id=number)
            busy = (await session.scalars(sent.where(Assignment.ended_at.is_(None)))).all()
            if busy:
                raise Problem(
                    "units_on_it",
                    f"Units are on incident {number}: {', '.join(sorted(busy))}.",
                    "Have them clear, or recalled at the desk; then close it.",
                )
            found.closed_at = found.closed_at or datetime.now(UTC)
            return was_open

    was_open = asyncio.run(work())
    click.echo(f"Incident {number} " + ("is closed." if was_open else "was closed already."))


@incident.command("list", epilog="Example: psn incident list --all")
@click.option("--all", "everything", is_flag=True, help="Those that are closed, too.")
def list_incidents(everything: bool) -> None:
    """Show incidents and who takes part."""

    async def work() -> list[tuple[object, ...]]:
        owner = aliased(Agency)
        query = (
            select(IncidentMember.incident_id, Agency.code, Unit.callsign, owner.code)
            .outerjoin(Agency, Agency.id == IncidentMember.agency_id)
            .outerjoin(Unit, Unit.id == IncidentMember.unit_id)
            .outerjoin(owner, owner.id == Unit.agency_id)
            .where(not_over(IncidentMember))
            .order_by(IncidentMember.id)
        )
        incidents = select(Incident, Agency.code).join(Agency).order_by(Incident.id)
        if not everything:
            incidents = incidents.where(Incident.closed_at.is_(None))
        async with writing() as session:
            members: dict[int, list[str]] = {}
            for number, agency, callsign, of in await session.execute(query):
                members.setdefault(number, []).append(agency or f"{of}/{callsign}")
            return [
                (
                    i.id,
                    code,
                    i.title,
                    day(i.opened_at),
                    day(i.closed_at),
                    " ".join(members.get(i.id, [])),
                )
                for i, code in await session.execute(incidents)
            ]

    show(("id", "of", "title", "opened", "closed", "members"), asyncio.run(work()))


incident.add_command(export)


@click.group()
def glass() -> None:
    """Broken glass: sight that a person gave himself in an emergency."""


@glass.command("list", epilog="Example: psn glass list --unreviewed")
@click.option("--unreviewed", is_flag=True, help="Only what nobody has reviewed.")
def list_glasses(unreviewed: bool) -> None:
    """Show whose glass was broken, by whom, and why."""

    async def work() -> list[tuple[object, ...]]:
        query = (
            select(BrokenGlass, Person.name, Agency.code)
            .join(Person, Person.id == BrokenGlass.person_id)
            .join(Agency, Agency.id == BrokenGlass.owner_agency)
            .order_by(BrokenGlass.id)
        )
        if unreviewed:
            query = query.where(BrokenGlass.reviewed_at.is_(None))
        async with writing() as session:
            return [
                (g.id, who, of, day(g.starts_at), day(g.ends_at), g.reason, g.review)
                for g, who, of in await session.execute(query)
            ]

    show(("id", "by", "of", "from", "until", "reason", "review"), asyncio.run(work()))


@glass.command("end", epilog="Example: psn glass end 2")
@click.argument("number", type=int)
def end_glass(number: int) -> None:
    """End the sight now; the row stays, for review."""

    async def work() -> bool:
        async with writing() as session:
            found = await session.get(BrokenGlass, number)
            if found is None:
                raise missing("broken glass", str(number), "psn glass list")
            return ended(found)

    held = asyncio.run(work())
    click.echo(f"Broken glass {number} " + ("has ended." if held else "was over already."))


@glass.command("review", epilog='Example: psn glass review 2 "justified: boat sinking"')
@click.argument("number", type=int)
@click.argument("finding")
def review(number: int, finding: str) -> None:
    """Say what a review found."""
    need_name("finding", finding)

    async def work() -> None:
        async with writing() as session:
            found = await session.get(BrokenGlass, number)
            if found is None:
                raise missing("broken glass", str(number), "psn glass list")
            if found.reviewed_at is not None:
                raise Problem(
                    "reviewed_already", f"It was reviewed by {found.reviewed_by}.", "Nothing to do."
                )
            found.reviewed_at = datetime.now(UTC)
            found.reviewed_by = this_user()
            found.review = finding

    asyncio.run(work())
    click.echo(f"Broken glass {number} is reviewed.")
