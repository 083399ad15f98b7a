"""``psn agreement`` and ``psn exception``: what agencies share, and which units differ."""

from __future__ import annotations

import asyncio
from datetime import datetime

import click
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from psn.commands.rows import agency_of, unit_of, writing
from psn.commands.terms import day, ended, not_over, termed, terms
from psn.commands.words import missing, show
from psn.directory import Precision
from psn.problems import Problem
from psn.schema import Agency, Agreement, Unit, UnitException

PRECISIONS = [precision.word for precision in Precision]


@click.group()
def agreement() -> None:
    """Standing agreements: what an agency shares with another, why, and until when."""


@agreement.command(
    "add",
    epilog="""
\b
Examples:
  psn agreement add BCG BPD --units --messages --reason "Joint patrols at San Pedro" \\
      --until 2027-01-01
  psn agreement add BPD BCG --units blurred --reason "Regatta, order 12/2026"
  psn agreement add CED INS --units presence --both-ways --reason "Border posts"
""",
)
@click.argument("owner")
@click.argument("viewer")
@click.option(
    "--units",
    type=click.Choice(PRECISIONS[1:]),
    is_flag=False,
    flag_value="exact",
    help="How OWNER's open units are seen by VIEWER; alone it means exact.",
)
@click.option("--messages", is_flag=True, help="VIEWER may write to OWNER's people and units.")
@click.option("--both-ways", is_flag=True, help="The same the other way round.")
@termed
def add_agreement(
    owner: str,
    viewer: str,
    units: str | None,
    messages: bool,
    both_ways: bool,
    reason: str | None,
    author: str | None,
    until: datetime | None,
) -> None:
    """Let VIEWER see OWNER's open units, or write to it. Hidden units are never shared."""
    agreed = terms(reason, author, until)
    shown = units or "nothing"
    if shown == "nothing" and not messages:
        raise Problem("nothing_shared", "The agreement shares nothing.", "Say --units, --messages.")

    async def work() -> list[int]:
        async with writing() as session:
            one, other = await agency_of(session, owner), await agency_of(session, viewer)
            if one.id == other.id:
                raise Problem("same_agency", "The two agencies are the same.", "Name two.")
            pairs = [(one.id, other.id), (other.id, one.id)][: 2 if both_ways else 1]
            for a, b in pairs:
                for there in await session.scalars(_in_force(a, b)):
                    enough = PRECISIONS.index(there.units) >= PRECISIONS.index(shown)
                    if enough and (there.messages or not messages):
                        raise await _agreed_already(session, there)
            new = [
                Agreement(
                    owner_agency=a,
                    viewer_agency=b,
                    units=shown,
                    messages=messages,
                    **agreed.columns(),
                )
                for a, b in pairs
            ]
            session.add_all(new)
            await session.flush()
            return [each.id for each in new]

    click.echo(f"Agreement added, id {' and '.join(map(str, asyncio.run(work())))}.")


@agreement.command("list", epilog="Example: psn agreement list --all")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
def list_agreements(everything: bool) -> None:
    """Show agreements."""

    async def work() -> list[tuple[object, ...]]:
        owner, viewer = aliased(Agency), aliased(Agency)
        query = (
            select(Agreement, owner.code, viewer.code)
            .join(owner, owner.id == Agreement.owner_agency)
            .join(viewer, viewer.id == Agreement.viewer_agency)
            .order_by(Agreement.id)
        )
        if not everything:
            query = query.where(not_over(Agreement))
        async with writing() as session:
            return [
                (a.id, one, other, _what(a), day(a.starts_at), day(a.ends_at), a.author, a.reason)
                for a, one, other in await session.execute(query)
            ]

    heads = ("id", "owner", "viewer", "shares", "from", "until", "author", "reason")
    show(heads, asyncio.run(work()))


@agreement.command("end", epilog="Example: psn agreement end 7")
@click.argument("number", type=int)
def end_agreement(number: int) -> None:
    """End an agreement now; the row stays, for auditors."""

    async def work() -> tuple[bool, list[str]]:
        async with writing() as session:
            found = await session.get(Agreement, number)
            if found is None:
                raise missing("agreement", str(number), "psn agreement list")
            held = ended(found)
            await session.flush()
            between = _in_force(found.owner_agency, found.viewer_agency)
            others = await session.scalars(between.where(Agreement.id != number))
            return held, [f"{other.id} ({_what(other)})" for other in others]

    held, others = asyncio.run(work())
    click.echo(f"Agreement {number} " + ("has ended." if held else "was over already."))
    if others:
        click.echo(f"Still in force between the two, the same way: {', '.join(others)}.")


def _in_force(owner: int, viewer: int) -> Select[Agreement]:
    """What is agreed between the two, that way round, and not over."""
    return (
        select(Agreement)
        .where(Agreement.owner_agency == owner, Agreement.viewer_agency == viewer)
        .where(not_over(Agreement))
        .order_by(Agreement.id)
    )


async def _agreed_already(session: AsyncSession, there: Agreement) -> Problem:
    owner = await session.get_one(Agency, there.owner_agency)
    viewer = await session.get_one(Agency, there.viewer_agency)
    until = f"until {day(there.ends_at)}" if there.ends_at else "without an end"
    return Problem(
        "agreed_already",
        f"Agreement {there.id} lets {viewer.code} have that of {owner.code} already, {until}.",
        f"To change it, end it first: psn agreement end {there.id}.",
    )


def _what(agreement: Agreement) -> str:
    shares = [] if agreement.units == "nothing" else [f"units {agreement.units}"]
    return ", ".join(shares + ["messages"] * agreement.messages)


@click.group()
def exception() -> None:
    """Exceptions: one unit is shown otherwise than agreed."""


@exception.command(
    "add",
    epilog="""
\b
Examples:
  psn exception add BPD/X-1 --units nothing --reason "undercover, order 7/2026"
  psn exception add BPD/X-1 --to BCG --units exact --reason "boarding tonight" --until 2026-12-01
  psn exception add BDF/T-4 --units blurred --reason "patrol at the border"
""",
)
@click.argument("name", metavar="UNIT")
@click.option(
    "--to", "code", help="The agency to which it is shown so. Default: at most so to all."
)
@click.option(
    "--units", "shown", type=click.Choice(PRECISIONS), required=True, help="How it is shown."
)
@termed
def add_exception(
    name: str,
    code: str | None,
    shown: str,
    reason: str | None,
    author: str | None,
    until: datetime | None,
) -> None:
    """Show a unit otherwise than agreed, to one agency or to all."""
    made = terms(reason, author, until)

    async def work() -> int:
        async with writing() as session:
            unit = await unit_of(session, name)
            viewer = None if code is None else await agency_of(session, code)
            if viewer is not None and viewer.id == unit.agency_id:
                raise Problem(
                    "same_agency", f"{name} is {viewer.code}'s own.", "Name another agency."
                )
            new = UnitException(
                unit_id=unit.id,
                viewer_agency=None if viewer is None else viewer.id,
                units=shown,
                **made.columns(),
            )
            session.add(new)
            await session.flush()
            return new.id

    click.echo(f"Exception added, id {asyncio.run(work())}.")


@exception.command("list", epilog="Example: psn exception list --all")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
def list_exceptions(everything: bool) -> None:
    """Show exceptions."""

    async def work() -> list[tuple[object, ...]]:
        owner, viewer = aliased(Agency), aliased(Agency)
        query = (
            select(UnitException, owner.code, Unit.callsign, viewer.code)
            .join(Unit, Unit.id == UnitException.unit_id)
            .join(owner, owner.id == Unit.agency_id)
            .outerjoin(viewer, viewer.id == UnitException.viewer_agency)
            .order_by(UnitException.id)
        )
        if not everything:
            query = query.where(not_over(UnitException))
        async with writing() as session:
            return [
                (
                    e.id,
                    f"{of}/{callsign}",
                    to or "everyone",
                    e.units,
                    day(e.starts_at),
                    day(e.ends_at),
                    e.author,
                    e.reason,
                )
                for e, of, callsign, to in await session.execute(query)
            ]

    heads = ("id", "unit", "viewer", "shown", "from", "until", "author", "reason")
    show(heads, asyncio.run(work()))


@exception.command("end", epilog="Example: psn exception end 3")
@click.argument("number", type=int)
def end_exception(number: int) -> None:
    """End an exception now; the row stays, for auditors."""

    async def work() -> bool:
        async with writing() as session:
            found = await session.get(UnitException, number)
            if found is None:
                raise missing("exception", str(number), "psn exception list")
            return ended(found)

    held = asyncio.run(work())
    click.echo(f"Exception {number} " + ("has ended." if held else "was over already."))
