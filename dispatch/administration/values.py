"""What administrators send and get: texts with their limits, and answers that many share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import asyncpg
from msgspec import Meta, Struct

from dispatch.asking import ApiProblem
from psn import database
from psn.directory import Directory

_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
ONE_LINE: Final = rf"^[^{_CONTROLS}]*[^{_CONTROLS}\x20][^{_CONTROLS}]*\Z"
"""No control characters, no other ends of lines, and not blanks alone."""
LINES: Final = r"^[^\x00]*[^\x00-\x20][^\x00]*\Z"
Line = Annotated[str, Meta(min_length=1, max_length=80, pattern=ONE_LINE)]
"""One line that people can read."""
Callsign = Annotated[str, Meta(min_length=1, max_length=40, pattern=ONE_LINE)]
Prose = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=LINES)]
"""Some sentences."""
Login = Annotated[str, Meta(max_length=63, pattern=r"^[a-z0-9][a-z0-9._-]{0,62}\Z")]
"""A name to sign in with."""
Kind = Annotated[str, Meta(max_length=20, pattern=r"^[a-z_]{1,20}\Z")]
"""What a unit is: ``car``, ``boat``, ``foot``, …"""
Role = Literal[
    "field",
    "dispatcher",
    "supervisor",
    "commander",
    "warning_officer",
    "warning_approver",
    "administrator",
    "auditor",
]
"""Those of :data:`psn.roles.PEOPLES`."""
Id = Annotated[int, Meta(ge=1, le=2_147_483_647)]
Until = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]
"""Milliseconds UTC; up to the end of the century."""
Shown = Literal["nothing", "presence", "blurred", "exact"]
"""How precisely units are shown (docs/access.md)."""


class Body(Struct, forbid_unknown_fields=True):
    """What is sent: what does not belong there is refused."""


class Added(Struct):
    """The number of what was added."""

    id: int


class Done(Struct):
    """It is done."""

    ok: bool = True


class Ended(Struct):
    """How many sessions were ended."""

    ended: int


def conflict(code: str, text: str, todo: str) -> ApiProblem:
    """The answer to what cannot be done as things stand."""
    return ApiProblem(409, code, text, todo)


def taken(what: str, name: str) -> ApiProblem:
    """There is one already."""
    return conflict("already_there", f"The {what} {name} is there already.", "Choose another name.")


def future(until: int | None) -> datetime | None:
    """The end of something, UTC; raises ``already_over``."""
    ends = None if until is None else database.moment(until)
    if ends is not None and ends <= datetime.now(UTC):
        raise ApiProblem(400, "already_over", "That end is past.", "Choose a later one, or none.")
    return ends


def milliseconds(at: datetime | None) -> int | None:
    """A moment as the API writes it."""
    return None if at is None else database.milliseconds(at)


def author_of(written: str, directory: Directory) -> str:
    """Who made something, for people: its author is kept as an address or in words."""
    kind, _, number = written.partition(":")
    known = kind in ("person", "unit") and number.isdecimal() and len(number) < 11
    return directory.name(written) if known else written


ENDS_SESSIONS: Final = """
    UPDATE session SET ended_at = now()
     WHERE {column} = $1 AND ended_at IS NULL AND ends_at > now() RETURNING 1
"""


async def end_sessions(connection: database.Connection, column: str, owner: int) -> int:
    """End what sessions a person (``person_id``) or device (``device_id``) has; how many."""
    rows: list[asyncpg.Record] = await connection.fetch(ENDS_SESSIONS.format(column=column), owner)
    return len(rows)
