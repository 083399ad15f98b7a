"""The people of an agency: who signs in, as what, and who may not any more."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from dispatch.acting import acting
from dispatch.administration.values import (
    Body,
    Done,
    Ended,
    Line,
    Login,
    Role,
    conflict,
    end_sessions,
    milliseconds,
    taken,
)
from dispatch.asking import Asked, Route, not_found
from psn.identity import credentials
from psn.identity.people import FIRST_PASSWORD

Roles = Annotated[list[Role], Meta(min_length=1, max_length=8)]


class PersonRow(Struct):
    """Someone who signs in; ``created`` in milliseconds UTC."""

    id: int
    name: str
    full_name: str
    roles: list[str]
    disabled: bool
    created: int
    second_factors: int
    online: bool


class People(Struct):
    """Everyone of the caller's agency, also who is disabled."""

    people: list[PersonRow]


class NewPerson(Body):
    """Someone who is to sign in."""

    name: Login
    full_name: Line
    roles: Roles


class AddedPerson(Struct):
    """The number of the new person, and a password that is shown this once."""

    id: int
    password: str


class NewRoles(Body):
    """What a person may do from now on."""

    roles: Roles


class NewPassword(Struct):
    """A password that is shown this once; the sessions there were have ended."""

    password: str
    ended: int


class TakenFactors(Struct):
    """How many second factors are gone, and how many sessions have ended."""

    taken: int
    ended: int


async def people(asked: Asked) -> People:
    """The people of the caller's agency."""
    agency = asked.own("person", "see")
    rows = await asked.pool.fetch(
        "SELECT id, name, full_name, roles, disabled_at, created_at,"
        " (SELECT count(*) FROM second_factor f WHERE f.person_id = p.id) AS factors"
        " FROM person p WHERE agency_id = $1 ORDER BY name",
        agency,
    )
    online = asked.core.sessions.online
    return People(
        [
            PersonRow(
                row["id"],
                row["name"],
                row["full_name"],
                row["roles"],
                row["disabled_at"] is not None,
                milliseconds(row["created_at"]) or 0,
                row["factors"],
                online(f"person:{row['id']}"),
            )
            for row in rows
        ]
    )


async def add_person(asked: Asked) -> AddedPerson:
    """Add a person; a password is made."""
    agency = asked.own("person", "manage")
    body: NewPerson = asked.body
    password, kept = await _new_password()
    async with acting(asked) as connection:
        number = await connection.fetchval(
            "INSERT INTO person (agency_id, name, full_name, roles, password_hash, password_until)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING RETURNING id",
            agency,
            body.name,
            body.full_name.strip(),
            list(dict.fromkeys(body.roles)),
            kept,
            datetime.now(UTC) + FIRST_PASSWORD,
        )
        if number is None:
            raise taken("name", body.name)
    return AddedPerson(number, password)


async def change_roles(asked: Asked) -> Done:
    """Give a person these roles instead of those he has."""
    number, body = _managed(asked), asked.body
    if number == asked.who.person and "administrator" not in body.roles:
        raise _oneself("You cannot take the administrator's role from yourself.")
    async with acting(asked) as connection:
        await connection.execute(
            "UPDATE person SET roles = $2 WHERE id = $1", number, list(dict.fromkeys(body.roles))
        )
    return Done()


async def disable_person(asked: Asked) -> Ended:
    """Let a person in no more, and end the sessions there are."""
    number = _managed(asked)
    if number == asked.who.person:
        raise _oneself("You cannot disable yourself.")
    async with acting(asked) as connection:
        await connection.execute(
            "UPDATE person SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1", number
        )
        return Ended(await end_sessions(connection, "person_id", number))


async def enable_person(asked: Asked) -> Done:
    """Let a disabled person in again."""
    number = _managed(asked)
    async with acting(asked) as connection:
        await connection.execute("UPDATE person SET disabled_at = NULL WHERE id = $1", number)
    return Done()


async def new_password(asked: Asked) -> NewPassword:
    """Make a new password for a person, and end the sessions there are."""
    number = _managed(asked)
    password, kept = await _new_password()
    async with acting(asked) as connection:
        await connection.execute(
            "UPDATE person SET password_hash = $2, password_until = $3 WHERE id = $1",
            number,
            kept,
            datetime.now(UTC) + FIRST_PASSWORD,
        )
        return NewPassword(password, await end_sessions(connection, "person_id", number))


async def reset_factors(asked: Asked) -> TakenFactors:
    """Take a person's second factors and recovery codes away, and end the sessions there are."""
    number = _managed(asked)
    async with acting(asked) as connection:
        gone = await connection.fetch(
            "DELETE FROM second_factor WHERE person_id = $1 RETURNING id", number
        )
        await connection.execute("DELETE FROM recovery_code WHERE person_id = $1", number)
        return TakenFactors(len(gone), await end_sessions(connection, "person_id", number))


async def sign_person_out(asked: Asked) -> Ended:
    """End all sessions of a person."""
    asked.own("session", "end")
    number = _in_agency(asked)
    async with acting(asked) as connection:
        return Ended(await end_sessions(connection, "person_id", number))


def _managed(asked: Asked) -> int:
    """The person of the path, whom the caller may manage."""
    asked.own("person", "manage")
    return _in_agency(asked)


def _in_agency(asked: Asked) -> int:
    found = asked.core.directory.people.get(asked.path_id())
    if found is None or found.agency != asked.who.agency:
        raise not_found()
    return found.id


async def _new_password() -> tuple[str, str]:
    """A password, and how it is kept; in a thread, since hashing takes long on purpose."""
    password = credentials.new_password()
    return password, await asyncio.to_thread(credentials.hash_password, password)


def _oneself(text: str) -> Exception:
    return conflict("not_oneself", text, "Let another administrator of your agency do it.")


_ONE: Final = "/api/people/{id}"
ROUTES: Final = (
    Route("/api/people", people, People),
    Route("/api/people", add_person, AddedPerson, method="POST", takes=NewPerson, fresh=True),
    Route(f"{_ONE}/roles", change_roles, Done, method="POST", takes=NewRoles, fresh=True),
    Route(f"{_ONE}/disable", disable_person, Ended, method="POST"),
    Route(f"{_ONE}/enable", enable_person, Done, method="POST", fresh=True),
    Route(f"{_ONE}/password", new_password, NewPassword, method="POST", fresh=True),
    Route(f"{_ONE}/reset-factors", reset_factors, TakenFactors, method="POST", fresh=True),
    Route(f"{_ONE}/sign-out", sign_person_out, Ended, method="POST"),
)
