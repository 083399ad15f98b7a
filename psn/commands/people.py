"""``psn user``: people who sign in."""

from __future__ import annotations

import asyncio
import re
import sys
from datetime import UTC, datetime

import click
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from psn import credentials, roles
from psn.commands.rows import agency_of, person_of, writing
from psn.commands.words import counted, need_name, show, taken
from psn.problems import Problem
from psn.schema import Agency, Person, Session

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


_roles = click.option(
    "--role",
    "held",
    multiple=True,
    required=True,
    type=click.Choice(roles.PEOPLES),
    help="What they may do; may be repeated.",
)


@click.group()
def user() -> None:
    """People who sign in."""


@user.command(
    "add",
    short_help="Add a person.",
    epilog="""
\b
Examples:
  psn user add bpd.ana --agency BPD --full-name "Ana Cal" --role dispatcher
  pass show ana | psn user add bpd.ana --agency BPD --full-name "Ana Cal" \\
      --role dispatcher --password-stdin
""",
)
@click.argument("name")
@click.option("--agency", "code", required=True, help="Code of the agency.")
@click.option("--full-name", required=True, help="As others see it.")
@_roles
@click.option("--password-stdin", is_flag=True, help="Read it from standard input, one line.")
def add(name: str, code: str, full_name: str, held: tuple[str, ...], password_stdin: bool) -> None:
    """Add a person; without --password-stdin a password is made and shown once."""
    login = name.lower()
    if not _NAME.fullmatch(login):
        raise Problem(
            "bad_name",
            f"{name!r} cannot be a name to sign in with.",
            "Use letters, digits, dots, dashes, underscores; at most 63.",
        )
    need_name("name for others to see", full_name)
    password, made = _password(password_stdin)
    kept = credentials.hash_password(password)

    async def work() -> int:
        async with writing() as session:
            agency = await agency_of(session, code)
            if await session.scalar(select(Person).where(Person.name == login)):
                raise taken("user", login)
            new = Person(
                agency_id=agency.id,
                name=login,
                full_name=full_name,
                roles=list(held),
                password_hash=kept,
            )
            session.add(new)
            await session.flush()
            return new.id

    click.echo(f"User {login} added, id {asyncio.run(work())}.")
    if made:
        click.echo(f"Password (shown once): {password}")


@user.command("list", epilog="Example: psn user list --agency BPD")
@click.option("--agency", "code", help="Only of this agency.")
def list_people(code: str | None) -> None:
    """Show people."""

    async def work() -> list[tuple[object, ...]]:
        query = select(Person, Agency.code).join(Agency).order_by(Person.id)
        async with writing() as session:
            if code is not None:
                agency = await agency_of(session, code)
                query = query.where(Person.agency_id == agency.id)
            return [
                (p.id, p.name, of, p.full_name, ",".join(p.roles), _state(p))
                for p, of in await session.execute(query)
            ]

    show(("id", "name", "agency", "full name", "roles", "state"), asyncio.run(work()))


@user.command("roles", epilog="Example: psn user roles bpd.ana --role supervisor")
@click.argument("name")
@_roles
def change_roles(name: str, held: tuple[str, ...]) -> None:
    """Give a person these roles instead of those he has."""

    async def work() -> None:
        async with writing() as session:
            (await person_of(session, name)).roles = list(dict.fromkeys(held))

    asyncio.run(work())
    click.echo(f"User {name.lower()}: {', '.join(dict.fromkeys(held))}.")


@user.command("password", epilog="Example: psn user password bpd.ana")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input, one line.")
def change_password(name: str, password_stdin: bool) -> None:
    """Set a new password and end the person's sessions."""
    password, made = _password(password_stdin)
    kept = credentials.hash_password(password)

    async def work() -> tuple[int, bool]:
        async with writing() as session:
            person = await person_of(session, name)
            person.password_hash = kept
            return await _end_sessions(session, person), person.disabled_at is not None

    ended, disabled = asyncio.run(work())
    login = name.lower()
    click.echo(f"New password for {login}; {counted(ended, 'session')} ended.")
    if disabled:
        click.echo(f"Still disabled; to let them in again: psn user enable {login}")
    if made:
        click.echo(f"Password (shown once): {password}")


@user.command("disable", epilog="Example: psn user disable bpd.ana")
@click.argument("name")
def disable(name: str) -> None:
    """Keep a person from signing in, and end the sessions there are."""

    async def work() -> int:
        async with writing() as session:
            person = await person_of(session, name)
            person.disabled_at = person.disabled_at or datetime.now(UTC)
            return await _end_sessions(session, person)

    click.echo(f"User {name.lower()} is disabled; {counted(asyncio.run(work()), 'session')} ended.")


@user.command("enable", epilog="Example: psn user enable bpd.ana")
@click.argument("name")
def enable(name: str) -> None:
    """Let a disabled person sign in again."""

    async def work() -> None:
        async with writing() as session:
            (await person_of(session, name)).disabled_at = None

    asyncio.run(work())
    click.echo(f"User {name.lower()} may sign in.")


async def _end_sessions(session: AsyncSession, person: Person) -> int:
    now = datetime.now(UTC)
    live = (Session.person_id == person.id, Session.ended_at.is_(None), Session.ends_at > now)
    ended = await session.scalars(
        update(Session).where(*live).values(ended_at=now).returning(Session.token_hash)
    )
    return len(ended.all())


def _password(from_stdin: bool) -> tuple[str, bool]:
    """The password to set, and whether it was made here."""
    if not from_stdin:
        return credentials.new_password(), True
    return sys.stdin.readline().rstrip("\r\n"), False


def _state(person: Person) -> str:
    if person.disabled_at is not None:
        return "disabled"
    return "" if person.password_hash else "no password"
