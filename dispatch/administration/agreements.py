"""What an agency shows others of itself: agreements, and exceptions for single units."""

from __future__ import annotations

from typing import Final

import asyncpg

from dispatch.acting import acting
from dispatch.administration.values import (
    Added,
    Body,
    Done,
    Id,
    Prose,
    Shown,
    Until,
    conflict,
    future,
)
from dispatch.asking import ApiProblem, Asked, Route, not_found
from psn import database, reasons
from psn.directory import Precision


class NewAgreement(Body):
    """What another agency is shown, or may do, from now on; why, and until when.

    ``instead``: whatever is agreed between the two, the same way round, ends with it.
    """

    viewer: Id
    units: Shown
    messages: bool
    reason: Prose
    until: Until | None = None
    instead: bool = False


class NewException(Body):
    """A unit is shown so to one agency, or at most so to all, whatever is agreed."""

    unit: Id
    units: Shown
    reason: Prose
    viewer: Id | None = None
    until: Until | None = None


async def agree(asked: Asked) -> Added:
    """Let another agency see the caller's open units, or write to it."""
    agency = asked.own("agreement", "agree")
    body: NewAgreement = asked.body
    _another(asked, body.viewer)
    if body.units == "nothing" and not body.messages:
        raise ApiProblem(
            400, "nothing_shown", "The agreement shares nothing.", "Share something, or end it."
        )
    ends = future(body.until)
    async with acting(asked) as connection:
        there = await _in_force(connection, agency, body.viewer)
        if body.instead:
            await _end(connection, [row["id"] for row in there])
        else:
            for row in there:
                enough = Precision[row["units"].upper()] >= Precision[body.units.upper()]
                if enough and (row["messages"] or not body.messages):
                    raise _agreed_already(row)
        number = await connection.fetchval(
            "INSERT INTO agreement"
            " (owner_agency, viewer_agency, units, messages, reason, author, ends_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
            agency,
            body.viewer,
            body.units,
            body.messages,
            body.reason.strip(),
            asked.who.address,
            ends,
        )
    return Added(number)


async def _in_force(
    connection: database.Connection, owner: int, viewer: int
) -> list[asyncpg.Record]:
    """What is agreed that way round and not over; nobody else changes it until the commit."""
    await connection.execute("SELECT FROM agency WHERE id = $1 FOR NO KEY UPDATE", owner)
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT id, units, messages, ends_at FROM agreement"
        " WHERE owner_agency = $1 AND viewer_agency = $2"
        "   AND (ends_at IS NULL OR ends_at > now()) ORDER BY id",
        owner,
        viewer,
    )
    return rows


async def _end(connection: database.Connection, numbers: list[int]) -> None:
    await connection.execute(
        "UPDATE agreement SET ends_at = greatest(now(), starts_at) WHERE id = any($1::int[])",
        numbers,
    )


def _agreed_already(row: asyncpg.Record) -> ApiProblem:
    return conflict(
        "agreed_already",
        f"Agreement {row['id']} shares that already, {reasons.until(row['ends_at'])}.",
        "To change it, end it first, or say that this one is instead.",
    )


async def end_agreement(asked: Asked) -> Done:
    """End an agreement of the caller's agency now; its row stays, for auditors."""
    agency = asked.own("agreement", "agree")
    async with acting(asked) as connection:
        found = await connection.fetchval(
            "UPDATE agreement SET ends_at = CASE WHEN ends_at IS NULL OR ends_at > now()"
            " THEN greatest(now(), starts_at) ELSE ends_at END"
            " WHERE id = $1 AND owner_agency = $2 RETURNING id",
            asked.path_id(),
            agency,
        )
        if found is None:
            raise not_found()
    return Done()


async def except_unit(asked: Asked) -> Added:
    """Show a unit of the caller's agency otherwise than agreed, to one agency or to all."""
    agency = asked.own("unit", "conceal")
    body: NewException = asked.body
    unit = asked.core.directory.units.get(body.unit)
    if unit is None or unit.agency != agency:
        raise not_found()
    if body.viewer is not None:
        _another(asked, body.viewer)
    ends = future(body.until)
    async with acting(asked) as connection:
        await connection.execute("SELECT FROM unit WHERE id = $1 FOR NO KEY UPDATE", unit.id)
        there = await connection.fetchval(
            "SELECT id FROM unit_exception WHERE unit_id = $1 AND units = $3"
            " AND viewer_agency IS NOT DISTINCT FROM $2::int"
            " AND (ends_at IS NULL OR ends_at > now())",
            unit.id,
            body.viewer,
            body.units,
        )
        if there is not None:
            raise conflict(
                "excepted_already",
                f"Exception {there} says that of {unit.callsign} already.",
                "To change its reason or its end, end it first.",
            )
        number = await connection.fetchval(
            "INSERT INTO unit_exception (unit_id, viewer_agency, units, reason, author, ends_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
            unit.id,
            body.viewer,
            body.units,
            body.reason.strip(),
            asked.who.address,
            ends,
        )
    return Added(number)


async def end_exception(asked: Asked) -> Done:
    """End an exception for a unit of the caller's agency now; its row stays, for auditors."""
    agency = asked.own("unit", "conceal")
    async with acting(asked) as connection:
        found = await connection.fetchval(
            "UPDATE unit_exception e SET ends_at = CASE WHEN ends_at IS NULL OR ends_at > now()"
            " THEN greatest(now(), starts_at) ELSE ends_at END"
            " FROM unit u WHERE e.id = $1 AND u.id = e.unit_id AND u.agency_id = $2"
            " RETURNING e.id",
            asked.path_id(),
            agency,
        )
        if found is None:
            raise not_found()
    return Done()


def _another(asked: Asked, viewer: int) -> None:
    """The viewer is an agency, and another one; agencies are known to everyone."""
    if viewer not in asked.core.directory.agencies:
        raise not_found()
    if viewer == asked.who.agency:
        raise ApiProblem(
            400, "same_agency", "That is your own agency.", "Choose the agency that it is for."
        )


ROUTES: Final = (
    Route("/api/agreements", agree, Added, method="POST", takes=NewAgreement),
    Route("/api/agreements/{id}", end_agreement, Done, method="DELETE"),
    Route("/api/exceptions", except_unit, Added, method="POST", takes=NewException),
    Route("/api/exceptions/{id}", end_exception, Done, method="DELETE"),
)
