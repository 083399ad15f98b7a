"""``psn user``: people who sign in."""

from __future__ import annotations

import asyncio
import re
import sys
from datetime import UTC, datetime

import click
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from psn import roles
from psn.commands import providers
from psn.commands.personal_data import export
from psn.commands.rows import agency_of, person_of, writing
from psn.commands.words import counted, need_name, settings, show, taken
from psn.identity import breached, credentials, passwords
from psn.identity.people import FIRST_PASSWORD
from psn.problems import Problem
from psn.schema import Agency, Person, RecoveryCode, SecondFactor, Session

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


user.add_command(export)


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
@click.option("--no-password", is_flag=True, help="Sign-in at the agency's provider only.")
def add(
    name: str,
    code: str,
    full_name: str,
    held: tuple[str, ...],
    password_stdin: bool,
    no_password: bool,
) -> None:
    """Add a person; without an option a password is made and shown once."""
    login = name.lower()
    if not _NAME.fullmatch(login):
        raise Problem(
            "bad_name",
            f"{name!r} cannot be a name to sign in with.",
            "Use letters, digits, dots, dashes, underscores; at most 63.",
        )
    need_name("name for others to see", full_name)
    password, made = (None, False) if no_password else _password(password_stdin)

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
                password_hash=None
                if password is None
                else _kept(password, login, full_name, agency),
                password_until=None if password is None else datetime.now(UTC) + FIRST_PASSWORD,
            )
            session.add(new)
            await session.flush()
            return new.id

    click.echo(f"User {login} added, id {asyncio.run(work())}.")
    _tell(password if made else None)


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

    async def work() -> tuple[int, bool]:
        async with writing() as session:
            person = await person_of(session, name)
            agency = await session.get_one(Agency, person.agency_id)
            person.password_hash = _kept(password, person.name, person.full_name, agency)
            person.password_until = datetime.now(UTC) + FIRST_PASSWORD
            return await _end_sessions(session, person), person.disabled_at is not None

    ended, disabled = asyncio.run(work())
    login = name.lower()
    click.echo(f"New password for {login}; {counted(ended, 'session')} ended.")
    if disabled:
        click.echo(f"Still disabled; to let them in again: psn user enable {login}")
    _tell(password if made else None)


@user.command(
    "disable",
    short_help="Keep a person from signing in.",
    epilog="Example: psn user disable bpd.ana",
)
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


@user.command(
    "factors", short_help="Show second factors.", epilog="Example: psn user factors bpd.ana"
)
@click.argument("name")
def factors(name: str) -> None:
    """Show a person's second factors, and how many recovery codes are left."""

    async def work() -> tuple[list[tuple[object, ...]], int]:
        async with writing() as session:
            person = await person_of(session, name)
            of_person = SecondFactor.person_id == person.id
            found = await session.scalars(
                select(SecondFactor).where(of_person).order_by(SecondFactor.id)
            )
            rows: list[tuple[object, ...]] = [
                (f.kind, f.label, _at(f.created_at), _at(f.last_used_at)) for f in found
            ]
            good = (RecoveryCode.person_id == person.id, RecoveryCode.used_at.is_(None))
            left = await session.scalar(select(func.count()).select_from(RecoveryCode).where(*good))
            return rows, left or 0

    rows, left = asyncio.run(work())
    show(("kind", "name", "since", "last used"), rows)
    if rows:
        click.echo(f"{counted(left, 'recovery code')} left.")


@user.command(
    "reset-factors",
    short_help="Take away second factors.",
    epilog="Example: psn user reset-factors bpd.ana",
)
@click.argument("name")
def reset_factors(name: str) -> None:
    """Take away a person's second factors and recovery codes, and end the sessions.

    For a lost phone, once you are sure who asks: the password alone then lets in.
    """

    async def work() -> tuple[int, int]:
        async with writing() as session:
            person = await person_of(session, name)
            gone = await session.scalars(
                delete(SecondFactor)
                .where(SecondFactor.person_id == person.id)
                .returning(SecondFactor.id)
            )
            await session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
            return len(gone.all()), await _end_sessions(session, person)

    gone, ended = asyncio.run(work())
    click.echo(
        f"{counted(gone, 'second factor')} of {name.lower()} removed;"
        f" {counted(ended, 'session')} ended."
    )


@user.command("sessions", epilog="Example: psn user sessions bpd.ana")
@click.argument("name")
def sessions(name: str) -> None:
    """Show where a person is signed in."""

    async def work() -> list[tuple[object, ...]]:
        async with writing() as session:
            person = await person_of(session, name)
            found = await session.scalars(
                select(Session).where(*_live(person)).order_by(Session.created_at)
            )
            return [(s.source, _at(s.created_at), _at(s.active_at), _at(s.ends_at)) for s in found]

    show(("from", "began", "last active", "ends"), asyncio.run(work()))


@user.command(
    "sign-out",
    short_help="End all sessions of a person.",
    epilog="Example: psn user sign-out bpd.ana",
)
@click.argument("name")
def sign_out(name: str) -> None:
    """End all sessions of a person; whoever is at one is out within a second."""

    async def work() -> int:
        async with writing() as session:
            return await _end_sessions(session, await person_of(session, name))

    click.echo(f"{counted(asyncio.run(work()), 'session')} of {name.lower()} ended.")


@user.command(
    "link",
    short_help="Say who a person is at his agency's provider.",
    epilog="Example: psn user link bpd.ana 8b0c7a1e-5f0e-4a1b-9f36-0f2f6a5d7c11",
)
@click.argument("name")
@click.argument("subject")
def link(name: str, subject: str) -> None:
    """Say who a person is at his agency's provider: SUBJECT is what its claim says of him.

    Whoever signs in there as SUBJECT signs in here as NAME, so be sure of it.
    """

    async def work() -> str:
        async with writing() as session:
            return await providers.link(session, name, subject)

    click.echo(f"User {name.lower()} is {subject} at {asyncio.run(work())}.")


@user.command(
    "unlink",
    short_help="Take away who a person is at a provider.",
    epilog="Example: psn user unlink bpd.ana",
)
@click.argument("name")
def unlink(name: str) -> None:
    """Take away who a person is at his agency's provider, and end his sessions."""

    async def work() -> int:
        async with writing() as session:
            return await _end_sessions(session, await providers.unlink(session, name))

    ended = counted(asyncio.run(work()), "session")
    click.echo(f"User {name.lower()} is unlinked; {ended} ended.")


async def _end_sessions(session: AsyncSession, person: Person) -> int:
    ended = await session.scalars(
        update(Session)
        .where(*_live(person))
        .values(ended_at=datetime.now(UTC))
        .returning(Session.token_hash)
    )
    return len(ended.all())


def _live(person: Person) -> tuple[ColumnElement[bool], ...]:
    now = datetime.now(UTC)
    return (Session.person_id == person.id, Session.ended_at.is_(None), Session.ends_at > now)


def _kept(password: str, login: str, full_name: str, agency: Agency) -> str:
    """The hash of a password that may be chosen; raises :class:`passwords.WeakPassword`."""
    said = settings()
    expected = (login, full_name, agency.code, agency.name, said.name)
    passwords.check(password, expected, breached.look_up(said.breached_passwords))
    return credentials.hash_password(password)


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _password(from_stdin: bool) -> tuple[str, bool]:
    """The password to set, and whether it was made here."""
    if not from_stdin:
        return credentials.new_password(), True
    return sys.stdin.readline().rstrip("\r\n"), False


def _tell(password: str | None) -> None:
    if password is not None:
        click.echo(f"Password (shown once): {password}")
        days = counted(FIRST_PASSWORD.days, "day")
        click.echo(f"It is good for {days}, and only to choose another at the first sign-in.")


def _state(person: Person) -> str:
    if person.disabled_at is not None:
        return "disabled"
    return "" if person.password_hash else "no password"
