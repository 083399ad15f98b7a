"""What an agency keeps and for how long, and what must not be deleted (docs/domain.md, DOM-RET)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from dispatch.acting import acting
from dispatch.administration.values import (
    Added,
    Body,
    Done,
    Prose,
    Until,
    author_of,
    conflict,
    future,
    milliseconds,
)
from dispatch.asking import ApiProblem, Asked, Route, id_of, not_found
from psn.keeping import retention
from psn.keeping.retention import Kind

Kept = Literal[
    "track", "message", "attachment", "recording", "call", "incident", "lookout", "audit"
]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Subject = Annotated[
    str,
    Meta(
        pattern=r"^((unit|person|agency|incident|call|lookout):[1-9][0-9]{0,9}"
        r"|(incident|call|lookout):[A-Z0-9]{2,12}-[A-Z]?[0-9]{2}-[0-9]{1,9})\Z"
    ),
]
"""By id; an incident, a call or a lookout also by the number that people know it by."""
FOREVER: Final = "forever"
DEFAULT: Final = "default"


class PeriodRow(Struct):
    """How many days something is kept, none: for ever; and whether the agency said so itself."""

    kind: str
    days: int | None
    own: bool
    default: int | None


class HoldRow(Struct):
    """What concerns the subject is not deleted. Times in milliseconds UTC."""

    id: int
    subject: str
    name: str
    reason: str
    author: str
    starts: int
    ends: int | None


class Keeping(Struct):
    """The periods of the caller's agency, and its legal holds that are not over."""

    periods: list[PeriodRow]
    holds: list[HoldRow]


class NewPeriod(Body):
    """How long something is kept from now on."""

    kind: Kept
    days: Days | Literal["forever", "default"]


class NewHold(Body):
    """What concerns a unit, person, incident, call or lookout of the agency, or all of it, is
    kept.
    """

    subject: Subject
    reason: Prose
    until: Until | None = None


async def keeping(asked: Asked) -> Keeping:
    """How long the caller's agency keeps what, and what is under a legal hold."""
    agency = asked.own("retention", "see")
    otherwise = retention.defaults(asked.settings)
    async with asked.pool.acquire() as connection:
        said = await retention.periods(connection, otherwise)
        rows = await connection.fetch(_HOLDS, agency)
    return Keeping(
        [
            PeriodRow(
                kind, said.days(agency, kind), (agency, kind) in said.own, said.otherwise[kind]
            )
            for kind in Kind
        ],
        [
            HoldRow(
                row["id"],
                row["subject"],
                row["called"] or asked.core.directory.name(row["subject"]),
                row["reason"],
                author_of(row["author"], asked.core.directory),
                milliseconds(row["starts_at"]) or 0,
                milliseconds(row["ends_at"]),
            )
            for row in rows
        ],
    )


_HOLDS: Final = """
    SELECT h.*, coalesce(k.number || ' ' || i.title, c.number, o.number) AS called
      FROM legal_hold h
      LEFT JOIN incident i ON h.subject = 'incident:' || i.id
      LEFT JOIN incident_card k ON k.incident_id = i.id
      LEFT JOIN call c ON h.subject = 'call:' || c.id
      LEFT JOIN lookout o ON h.subject = 'lookout:' || o.id
     WHERE h.agency_id = $1 AND (h.ends_at IS NULL OR h.ends_at > now()) ORDER BY h.id
"""


async def set_period(asked: Asked) -> Done:
    """Say how long the caller's agency keeps something; ``default``: as long as all others."""
    agency = asked.own("retention", "set")
    body: NewPeriod = asked.body
    async with acting(asked) as connection:
        if body.days == DEFAULT:
            await connection.execute(
                "DELETE FROM retention WHERE agency_id = $1 AND kind = $2", agency, body.kind
            )
        else:
            await connection.execute(
                "INSERT INTO retention (agency_id, kind, days) VALUES ($1, $2, $3)"
                " ON CONFLICT (agency_id, kind) DO UPDATE SET days = excluded.days",
                agency,
                body.kind,
                None if body.days == FOREVER else body.days,
            )
    return Done()


async def hold(asked: Asked) -> Added:
    """Keep what concerns somebody or something of the caller's agency, whatever the periods."""
    agency = asked.own("retention", "set")
    body: NewHold = asked.body
    subject = await _of(asked, body.subject, agency)
    ends = future(body.until)
    async with acting(asked) as connection:
        await connection.execute("SELECT FROM agency WHERE id = $1 FOR NO KEY UPDATE", agency)
        there = await connection.fetchval(
            "SELECT id FROM legal_hold WHERE subject = $1 AND reason = $2"
            " AND (ends_at IS NULL OR ends_at > now())",
            subject,
            body.reason.strip(),
        )
        if there is not None:
            raise conflict(
                "held_already",
                f"Hold {there} is on that for the same reason.",
                "To change its end, end it first.",
            )
        number = await connection.fetchval(
            "INSERT INTO legal_hold (subject, agency_id, reason, author, ends_at)"
            " VALUES ($1, $2, $3, $4, $5) RETURNING id",
            subject,
            agency,
            body.reason.strip(),
            asked.who.address,
            ends,
        )
        # Pruning waits for the hold from here on; what it took before is not there any more.
        kind, _, id = subject.partition(":")
        if kind in _CALLED and await connection.fetchval(_CALLED[kind], id) is None:
            raise _none(kind)
    return Added(number)


async def end_hold(asked: Asked) -> Done:
    """End a hold of the caller's agency now; what it alone kept is deleted within the hour."""
    agency = asked.own("retention", "set")
    async with acting(asked) as connection:
        found = await connection.fetchval(
            "UPDATE legal_hold SET ends_at = CASE WHEN ends_at IS NULL OR ends_at > now()"
            " THEN greatest(now(), starts_at) ELSE ends_at END"
            " WHERE id = $1 AND agency_id = $2 RETURNING id",
            asked.path_id(),
            agency,
        )
        if found is None:
            raise not_found()
    return Done()


async def _of(asked: Asked, subject: str, agency: int) -> str:
    """The subject by its id: the agency, or what is its own; raises ``not_found``."""
    kind, _, name = subject.partition(":")
    owner: int | None
    if kind in _CALLED:
        found = await asked.pool.fetchrow(_CALLED[kind], name)
        id, owner = (0, None) if found is None else (found["id"], found["agency_id"])
    else:
        id, directory = id_of(name), asked.core.directory
        of_kind = directory.units if kind == "unit" else directory.people
        named = of_kind.get(id)
        owner = id if kind == "agency" else None if named is None else named.agency
    if owner != agency:
        raise _none(kind)
    return f"{kind}:{id}"


def _none(kind: str) -> ApiProblem:
    return ApiProblem(
        404,
        "not_found",
        f"Your agency has no {kind} that is called so.",
        "Look at how it is called on the console.",
    )


_CALLED: Final = {
    "incident": "SELECT i.id, i.agency_id FROM incident i JOIN incident_card k"
    " ON k.incident_id = i.id WHERE $1 IN (i.id::text, k.number)",
    "call": "SELECT id, agency_id FROM call WHERE $1 IN (id::text, number)",
    "lookout": "SELECT id, agency_id FROM lookout WHERE $1 IN (id::text, number)",
}


ROUTES: Final = (
    Route("/api/keeping", keeping, Keeping),
    Route("/api/keeping", set_period, Done, method="POST", takes=NewPeriod, fresh=True),
    Route("/api/holds", hold, Added, method="POST", takes=NewHold),
    Route("/api/holds/{id}", end_hold, Done, method="DELETE", fresh=True),
)
