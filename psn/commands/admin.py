"""``psn agency``, ``psn group`` and ``psn agreement``: who belongs together and shares what."""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime

import click
from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from psn.commands.rows import agency_of, group_of, person_of, unit_of, writing
from psn.commands.words import counted, missing, need_name, show, taken
from psn.problems import Problem
from psn.schema import Agency, Agreement, GroupMember, Person, Talkgroup, Unit


@click.group()
def agency() -> None:
    """Agencies on the network."""


@agency.command(
    "add", epilog='Example: psn agency add NFS "National Fire Service" --colour "#b3502d"'
)
@click.argument("code")
@click.argument("name")
@click.option("--colour", default="#808080", show_default=True, help="#rrggbb, on the map.")
def add_agency(code: str, name: str, colour: str) -> None:
    """Add an agency; CODE is short and known to everyone."""
    need_name("code of an agency", code)
    need_name("name of an agency", name)
    colour = colour.lower()
    digits = colour.removeprefix("#")
    if len(colour) != 7 or len(digits) != 6 or set(digits) - set("0123456789abcdef"):
        raise Problem("bad_colour", f"{colour} is no colour.", "Write it like #1f6fb2.")

    async def work() -> int:
        async with writing() as session:
            if await session.scalar(select(Agency).where(Agency.code == code.upper())):
                raise taken("agency", code.upper())
            new = Agency(code=code.upper(), name=name, colour=colour)
            session.add(new)
            await session.flush()
            return new.id

    click.echo(f"Agency {code.upper()} added, id {asyncio.run(work())}.")


@agency.command("list", epilog="Example: psn agency list")
def list_agencies() -> None:
    """Show every agency."""

    async def work() -> list[tuple[object, ...]]:
        async with writing() as session:
            found = await session.scalars(select(Agency).order_by(Agency.id))
            return [(a.id, a.code, a.name, a.colour) for a in found]

    show(("id", "code", "name", "colour"), asyncio.run(work()))


@click.group()
def group() -> None:
    """Groups: one address for many."""


@group.command(
    "add",
    epilog="""
\b
Examples:
  psn group add JOC                     a joint group
  psn group add "Marine" --agency BCG   a group of one agency
""",
)
@click.argument("name")
@click.option("--agency", "code", help="Whose it is; without, it is joint.")
def add_group(name: str, code: str | None) -> None:
    """Add an empty group."""
    need_name("name of a group", name)

    async def work() -> int:
        async with writing() as session:
            owner = None if code is None else (await agency_of(session, code)).id
            same = select(Talkgroup).where(
                Talkgroup.name == name, Talkgroup.agency_id.is_not_distinct_from(owner)
            )
            if await session.scalar(same):
                raise taken("group", name)
            new = Talkgroup(name=name, agency_id=owner)
            session.add(new)
            await session.flush()
            return new.id

    click.echo(f"Group {name} added, id {asyncio.run(work())}.")


@group.command(
    "member",
    epilog="""
\b
Examples:
  psn group member JOC agency:BDF
  psn group member JOC unit:BCG/B-1 person:bpd.dispatch
  psn group member JOC person:bpd.dispatch --remove
""",
)
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take them out rather than in.")
def change_members(name: str, members: tuple[str, ...], remove: bool) -> None:
    """Put people, units or whole agencies into a group."""

    async def work() -> int:
        changed = 0
        async with writing() as session:
            found = await group_of(session, name)
            for member in members:
                kind, _, rest = member.partition(":")
                if kind == "person":
                    who = {"person_id": (await person_of(session, rest)).id}
                elif kind == "unit":
                    who = {"unit_id": (await unit_of(session, rest)).id}
                elif kind == "agency":
                    who = {"agency_id": (await agency_of(session, rest)).id}
                else:
                    raise Problem(
                        "bad_member",
                        f"{member} is no member.",
                        "Write person:NAME, unit:AGENCY/CALLSIGN or agency:CODE.",
                    )
                same = select(GroupMember).filter_by(group_id=found.id, **who)
                there = await session.scalar(same)
                if remove and there is not None:
                    await session.execute(delete(GroupMember).where(GroupMember.id == there.id))
                    changed += 1
                elif not remove and there is None:
                    session.add(GroupMember(group_id=found.id, **who))
                    changed += 1
        return changed

    count = counted(asyncio.run(work()), "member")
    click.echo(f"{count} {'removed' if remove else 'added'}.")


@group.command("list", epilog="Example: psn group list")
def list_groups() -> None:
    """Show every group and who is in it."""

    async def work() -> list[tuple[object, ...]]:
        unit_agency = aliased(Agency)
        names = func.concat_ws(
            "",
            "person:" + Person.name,
            "unit:" + unit_agency.code + "/" + Unit.callsign,
            "agency:" + Agency.code,
        )
        query = (
            select(GroupMember.group_id, names)
            .outerjoin(Person, Person.id == GroupMember.person_id)
            .outerjoin(Unit, Unit.id == GroupMember.unit_id)
            .outerjoin(unit_agency, unit_agency.id == Unit.agency_id)
            .outerjoin(Agency, Agency.id == GroupMember.agency_id)
            .order_by(GroupMember.id)
        )
        async with writing() as session:
            members: dict[int, list[str]] = {}
            for group_id, member in await session.execute(query):
                members.setdefault(group_id, []).append(member)
            owner = select(Talkgroup, Agency.code).outerjoin(
                Agency, Agency.id == Talkgroup.agency_id
            )
            found = await session.execute(owner.order_by(Talkgroup.id))
            return [
                (g.id, g.name, code or "joint", " ".join(members.get(g.id, [])))
                for g, code in found
            ]

    show(("id", "name", "of", "members"), asyncio.run(work()))


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
  psn agreement add BPD BCG --units --both-ways --reason "Regatta, order 12/2026"
""",
)
@click.argument("owner")
@click.argument("viewer")
@click.option("--units", is_flag=True, help="OWNER's open units are seen by VIEWER.")
@click.option("--messages", is_flag=True, help="VIEWER may write to OWNER's people and units.")
@click.option("--both-ways", is_flag=True, help="The same the other way round.")
@click.option("--reason", required=True, help="Why; shown to auditors.")
@click.option("--author", help="Who decided it. Default: the user of this machine.")
@click.option("--until", type=click.DateTime(), help="Its end, UTC. Default: none.")
def add_agreement(
    owner: str,
    viewer: str,
    units: bool,
    messages: bool,
    both_ways: bool,
    reason: str,
    author: str | None,
    until: datetime | None,
) -> None:
    """Let VIEWER see OWNER's open units, or write to it. Hidden units are never shared."""
    ends = None if until is None else until.replace(tzinfo=UTC)
    decided = author or f"{getpass.getuser()}, command line"
    if not (units or messages):
        raise Problem("nothing_shared", "The agreement shares nothing.", "Say --units, --messages.")
    if not (reason.strip() and decided.strip()):
        raise Problem("no_reason", "An agreement needs a reason and an author.", "Give both.")
    if ends is not None and ends <= datetime.now(UTC):
        raise Problem("already_over", f"{ends:%Y-%m-%d %H:%M} UTC is past.", "Choose a later end.")

    async def work() -> list[int]:
        async with writing() as session:
            one, other = await agency_of(session, owner), await agency_of(session, viewer)
            if one.id == other.id:
                raise Problem("same_agency", "The two agencies are the same.", "Name two.")
            pairs = [(one.id, other.id), (other.id, one.id)][: 2 if both_ways else 1]
            for a, b in pairs:
                for there in await session.scalars(_in_force(a, b)):
                    if (there.units or not units) and (there.messages or not messages):
                        raise await _agreed_already(session, there)
            new = [
                Agreement(
                    owner_agency=a,
                    viewer_agency=b,
                    units=units,
                    messages=messages,
                    reason=reason,
                    author=decided,
                    ends_at=ends,
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
            query = query.where((Agreement.ends_at.is_(None)) | (Agreement.ends_at > func.now()))
        async with writing() as session:
            return [
                (a.id, one, other, _what(a), _day(a.starts_at), _day(a.ends_at), a.author, a.reason)
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
            now = datetime.now(UTC)
            held = found.ends_at is None or found.ends_at > now
            if held:
                found.ends_at = max(now, found.starts_at)
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
        .where((Agreement.ends_at.is_(None)) | (Agreement.ends_at > func.now()))
        .order_by(Agreement.id)
    )


async def _agreed_already(session: AsyncSession, there: Agreement) -> Problem:
    owner = await session.get_one(Agency, there.owner_agency)
    viewer = await session.get_one(Agency, there.viewer_agency)
    until = f"until {_day(there.ends_at)}" if there.ends_at else "without an end"
    return Problem(
        "agreed_already",
        f"Agreement {there.id} lets {viewer.code} have that of {owner.code} already, {until}.",
        f"To change it, end it first: psn agreement end {there.id}.",
    )


def _what(agreement: Agreement) -> str:
    shares = {"units": agreement.units, "messages": agreement.messages}
    return "+".join(name for name, on in shares.items() if on)


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
