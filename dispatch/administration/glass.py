"""Break-glass: sight of another agency's open units, at once, for a reason, loudly.

The agency whose glass is broken reads so in its mailbox before the sight is given: the message is
on disk before the row is. Should the commit of the row fail after that, the agency was told of a
sight that did not come to be; the other way round it would not be told of one that did.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import uuid4

from msgspec import Meta, Struct

from dispatch.acting import acting
from dispatch.administration.values import LINES, Body, Done, Id, Prose, conflict, milliseconds
from dispatch.asking import ApiProblem, Asked, Route, not_allowed, not_found
from psn import access, database, reasons, wire
from psn.record.mailboxes import Letter, RecordRefused

MOST_MINUTES: Final = 60
SHORTEST_REASON: Final = 10


class Breaking(Body):
    """Whose glass, why, and for how many minutes."""

    agency: Id
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=LINES)]
    minutes: Annotated[int, Meta(ge=1, le=MOST_MINUTES)]


class Glass(Struct):
    """A glass that the caller has broken; times in milliseconds UTC."""

    id: int
    agency: int
    reason: str
    starts: int
    ends: int


class Glasses(Struct):
    """The caller's own that are in force."""

    glasses: list[Glass]


class Finding(Body):
    """What a review found."""

    finding: Prose


async def glasses(asked: Asked) -> Glasses:
    """What glass the caller has broken, as far as it is in force."""
    _breaker(asked)
    now = datetime.now(UTC)
    return Glasses(
        [
            Glass(
                each.id,
                each.owner,
                each.reason,
                database.milliseconds(each.starts),
                milliseconds(each.ends) or 0,
            )
            for each in asked.core.directory.glasses
            if each.person == asked.who.person and each.holds(now)
        ]
    )


async def break_glass(asked: Asked) -> Glass:
    """See another agency's open units for a while; it is told so at once, in words."""
    person, body = _breaker(asked), asked.body
    reason = body.reason.strip()
    if body.agency not in asked.core.directory.agencies:
        raise not_found()
    if body.agency == asked.who.agency:
        raise ApiProblem(400, "same_agency", "That is your own agency.", "You see its units.")
    if len(reason) < SHORTEST_REASON:
        raise ApiProblem(
            400,
            "reason_too_short",
            f"The reason has fewer than {SHORTEST_REASON} characters.",
            "Say what happens, so that the other agency understands.",
        )
    async with acting(asked) as connection:
        # Two at once by one person: the second waits here and finds the first.
        await connection.execute("SELECT FROM person WHERE id = $1 FOR NO KEY UPDATE", person)
        there = await connection.fetchval(
            "SELECT ends_at FROM broken_glass"
            " WHERE person_id = $1 AND owner_agency = $2 AND ends_at > now() LIMIT 1",
            person,
            body.agency,
        )
        if there is not None:
            raise conflict(
                "broken_already",
                f"You see that agency's units already, {reasons.until(there)}.",
                "End that first, if you need it for longer.",
            )
        row = await connection.fetchrow(
            "INSERT INTO broken_glass (person_id, owner_agency, reason, ends_at)"
            " VALUES ($1, $2, $3, now() + $4) RETURNING id, starts_at, ends_at",
            person,
            body.agency,
            reason,
            timedelta(minutes=body.minutes),
        )
        assert row is not None
        await _tell(asked, body.agency, reason, row["ends_at"])
    return Glass(
        row["id"],
        body.agency,
        reason,
        database.milliseconds(row["starts_at"]),
        database.milliseconds(row["ends_at"]),
    )


async def _tell(asked: Asked, agency: int, reason: str, ends: datetime) -> None:
    """Tell the agency; back when that is committed. Raises :class:`ApiProblem`."""
    who, directory = asked.who, asked.core.directory
    own, other = directory.agencies[who.agency].name, directory.agencies[agency].name
    text = (
        f"BREAK-GLASS. {who.name} of {own} sees all open units of {other} exactly,"
        f" {reasons.until(ends)}. Reason given: {reason}\n"
        "Undercover units stay unseen. Your supervisors are asked to review this afterwards."
    )
    body = wire.MessageBody(
        id=uuid4(),
        sender=who.address,
        sender_name=who.name,
        to=[f"agency:{agency}"],
        text=text,
        priority="immediate",
        time=0,
    )
    try:
        await asked.core.record.append(Letter(body, who.agency))
    except RecordRefused as problem:
        raise ApiProblem(503, problem.code, problem.text, problem.todo) from None


async def end_glass(asked: Asked) -> Done:
    """End the sight that the caller gave himself; the row stays, for review."""
    person = _breaker(asked)
    async with acting(asked) as connection:
        found = await connection.fetchval(
            "UPDATE broken_glass SET ends_at = least(ends_at, now())"
            " WHERE id = $1 AND person_id = $2 RETURNING id",
            asked.path_id(),
            person,
        )
        if found is None:
            raise not_found()
    return Done()


async def review_glass(asked: Asked) -> Done:
    """Say what a review of a glass found that was broken at the caller's agency."""
    agency = asked.own("glass", "review")
    async with acting(asked) as connection:
        row = await connection.fetchrow(
            "SELECT reviewed_by FROM broken_glass WHERE id = $1 AND owner_agency = $2 FOR UPDATE",
            asked.path_id(),
            agency,
        )
        if row is None:
            raise not_found()
        if row["reviewed_by"] is not None:
            raise conflict("reviewed_already", "It was reviewed already.", "Read what was found.")
        await connection.execute(
            "UPDATE broken_glass SET reviewed_at = now(), reviewed_by = $2, review = $3"
            " WHERE id = $1",
            asked.path_id(),
            asked.who.address,
            asked.body.finding.strip(),
        )
    return Done()


def _breaker(asked: Asked) -> int:
    """The caller, who may break glass; a person."""
    if asked.who.person is None or not access.may(asked.who, "glass", "break", None):
        raise not_allowed()
    return asked.who.person


ROUTES: Final = (
    Route("/api/glass", glasses, Glasses),
    Route("/api/glass", break_glass, Glass, method="POST", takes=Breaking),
    Route("/api/glass/{id}", end_glass, Done, method="DELETE"),
    Route("/api/glass/{id}/review", review_glass, Done, method="POST", takes=Finding),
)
