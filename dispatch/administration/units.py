"""The units of an agency: what is on its map."""

from __future__ import annotations

from typing import Final

import asyncpg
from msgspec import Struct

from dispatch.acting import acting
from dispatch.administration.values import Added, Body, Callsign, Done, Kind, taken
from dispatch.asking import Asked, Route, not_found


class UnitRow(Struct):
    """A unit; ``key`` is a gateway's own name for it. ``hidden``: undercover, now."""

    id: int
    callsign: str
    kind: str
    key: str | None
    retired: bool
    hidden: bool
    online: bool


class Units(Struct):
    """The units of the caller's agency, also those out of use."""

    units: list[UnitRow]


class NewUnit(Body):
    """What is to be on the map."""

    callsign: Callsign
    kind: Kind


class NewCallsign(Body):
    """What a unit is called."""

    callsign: Callsign


async def units(asked: Asked) -> Units:
    """The units of the caller's agency."""
    agency = asked.own("unit", "manage")
    online, limits = asked.core.sessions.online, asked.core.rules.sharing.limits
    own = [unit for unit in asked.core.directory.units.values() if unit.agency == agency]
    return Units(
        [
            UnitRow(
                unit.id,
                unit.callsign,
                unit.kind,
                None if unit.source_key is None else unit.source_key.partition("/")[2],
                unit.retired,
                limits.get(unit.id, 1) == 0,
                online(unit.address),
            )
            for unit in sorted(own, key=lambda unit: (unit.retired, unit.callsign))
        ]
    )


async def add_unit(asked: Asked) -> Added:
    """Add a unit."""
    agency = asked.own("unit", "manage")
    body: NewUnit = asked.body
    callsign = body.callsign.strip()
    async with acting(asked) as connection:
        number = await connection.fetchval(
            "INSERT INTO unit (agency_id, callsign, kind) VALUES ($1, $2, $3)"
            " ON CONFLICT DO NOTHING RETURNING id",
            agency,
            callsign,
            body.kind,
        )
        if number is None:
            raise taken("unit", callsign)
    return Added(number)


async def rename_unit(asked: Asked) -> Done:
    """Call a unit something else."""
    number, callsign = _managed(asked), asked.body.callsign.strip()
    try:
        async with acting(asked) as connection:
            await connection.execute(
                "UPDATE unit SET callsign = $2 WHERE id = $1", number, callsign
            )
    except asyncpg.UniqueViolationError:
        raise taken("unit", callsign) from None
    return Done()


async def retire_unit(asked: Asked) -> Done:
    """Take a unit out of use; its tracks and messages stay."""
    return await _in_use(asked, "coalesce(retired_at, now())")


async def take_unit_back(asked: Asked) -> Done:
    """Put a unit into use again."""
    return await _in_use(asked, "NULL")


async def _in_use(asked: Asked, retired: str) -> Done:
    number = _managed(asked)
    async with acting(asked) as connection:
        await connection.execute(f"UPDATE unit SET retired_at = {retired} WHERE id = $1", number)
    return Done()


def _managed(asked: Asked) -> int:
    """The unit of the path, which the caller may manage."""
    asked.own("unit", "manage")
    found = asked.core.directory.units.get(asked.path_id())
    if found is None or found.agency != asked.who.agency:
        raise not_found()
    return found.id


_ONE: Final = "/api/units/{id}"
ROUTES: Final = (
    Route("/api/units", units, Units),
    Route("/api/units", add_unit, Added, method="POST", takes=NewUnit),
    Route(f"{_ONE}/callsign", rename_unit, Done, method="POST", takes=NewCallsign),
    Route(f"{_ONE}/retire", retire_unit, Done, method="POST"),
    Route(f"{_ONE}/back", take_unit_back, Done, method="POST"),
)
