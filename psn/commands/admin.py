"""``psn agency`` and ``psn group``: who belongs together."""

from __future__ import annotations

import asyncio

import click
from sqlalchemy import delete, func, select
from sqlalchemy.orm import aliased

from psn.commands.rows import agency_of, group_of, person_of, unit_of, writing
from psn.commands.words import counted, need_name, show, taken
from psn.problems import Problem
from psn.schema import Agency, GroupMember, Person, Talkgroup, Unit


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
