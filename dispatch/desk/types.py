"""What an agency has beforehand: kinds of incidents with their plans, and stations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from dispatch.desk.values import Id, Line, Place, Priority, Word, Words
from dispatch.desk.work import Action, Made, Work
from dispatch.domain.plans import Need
from dispatch.domain.refusals import DispatchRefused, bad_value, not_there

Minutes = Annotated[int, Meta(ge=1, le=10_080)]


class IncidentType(Struct, kw_only=True, omit_defaults=True):
    """A kind of incident; with ``id`` it replaces what that was."""

    id: Id | None = None
    code: Word
    name: Words
    name_es: Line = ""
    priority: Priority = 3
    checklist: Annotated[list[Words], Meta(max_length=50)] = []
    plan: Annotated[list[Need], Meta(max_length=20)] = []
    scene_minutes: Minutes | None = None
    contact_minutes: Minutes | None = None


class Station(Struct, kw_only=True, omit_defaults=True):
    """A station; with ``id`` it replaces what that was."""

    id: Id | None = None
    name: Words
    place: Place


class Which(Struct):
    """A row, by id."""

    id: Id


async def own_type(work: Work, number: int) -> Any:
    """A kind of incident of the agency that is in use; raises ``not_found``."""
    row = await work.connection.fetchrow(
        "select * from incident_type where id = $1 and agency_id = $2 and retired_at is null",
        number,
        work.who.agency,
    )
    if row is None:
        raise not_there("type of incident")
    return row


async def set_type(work: Work, body: IncidentType) -> Made:
    """Add a kind of incident, bring one back under its code, or change one."""
    agency = work.own("unit", "manage", "change types of incidents")
    other = await work.connection.fetchrow(
        "select id, retired_at from incident_type where agency_id = $1 and code = $2",
        agency,
        body.code,
    )
    number = body.id
    if other is not None and other["id"] != number:
        if number is not None or other["retired_at"] is None:
            raise _taken("type of incident", body.code, other["retired_at"])
        number = other["id"]
    elif number is None:
        number = await work.connection.fetchval(
            "insert into incident_type (agency_id, code, name) values ($1, $2, $3) returning id",
            agency,
            body.code,
            body.name,
        )
    else:
        await own_type(work, number)
    await work.connection.execute(
        "update incident_type set code = $2, name = $3, name_es = $4, priority = $5,"
        " checklist = $6, plan = $7, scene_minutes = $8, contact_minutes = $9,"
        " retired_at = null where id = $1",
        number,
        body.code,
        body.name,
        body.name_es,
        body.priority,
        body.checklist,
        msgspec.json.encode(body.plan).decode(),
        body.scene_minutes,
        body.contact_minutes,
    )
    work.touch("incident_type", number)
    return Made(number)


async def retire_type(work: Work, body: Which) -> None:
    """Use a kind of incident no more; incidents that are of it stay so."""
    work.own("unit", "manage", "change types of incidents")
    await own_type(work, body.id)
    await work.connection.execute(
        "update incident_type set retired_at = now() where id = $1", body.id
    )
    work.touch("incident_type", body.id)


async def set_station(work: Work, body: Station) -> Made:
    """Add a station, bring one back under its name, or change one."""
    agency = work.own("unit", "manage", "change stations")
    point = body.place.point()
    if point is None:
        raise bad_value("A station needs a place on the map.", "Say longitude and latitude.")
    other = await work.connection.fetchrow(
        "select id, retired_at from station where agency_id = $1 and name = $2", agency, body.name
    )
    number = body.id
    if other is not None and other["id"] != number:
        if number is not None or other["retired_at"] is None:
            raise _taken("station", body.name, other["retired_at"])
        number = other["id"]
    elif number is None:
        number = await work.connection.fetchval(
            "insert into station (agency_id, name, point) values ($1, $2, st_geomfromewkt($3))"
            " returning id",
            agency,
            body.name,
            point,
        )
    else:
        await _own_station(work, number)
    await work.connection.execute(
        "update station set name = $2, point = st_geomfromewkt($3), retired_at = null"
        " where id = $1",
        number,
        body.name,
        point,
    )
    work.touch("station", number)
    return Made(number)


async def retire_station(work: Work, body: Which) -> None:
    """Use a station no more; units that had their place there have none."""
    work.own("unit", "manage", "change stations")
    await _own_station(work, body.id)
    await work.connection.execute("update station set retired_at = now() where id = $1", body.id)
    units = await work.connection.fetch(
        "update unit_profile set station_id = null where station_id = $1 returning unit_id", body.id
    )
    work.touch("station", body.id)
    for row in units:
        work.touch("unit", row["unit_id"])


async def _own_station(work: Work, number: int) -> None:
    """Raises ``not_found`` where the agency has no such station in use."""
    if not await work.connection.fetchval(
        "select 1 from station where id = $1 and agency_id = $2 and retired_at is null",
        number,
        work.who.agency,
    ):
        raise not_there("station")


def _taken(what: str, name: str, retired: datetime | None) -> DispatchRefused:
    if retired is None:
        return DispatchRefused(
            "name_taken", f"There is a {what} called {name} already.", "Choose another name."
        )
    return DispatchRefused(
        "name_taken",
        f"A {what} called {name} was retired, and what is of then keeps that name.",
        "Choose another name, or add it anew, which brings that one back.",
    )


ACTIONS: Final = (
    Action("incident_type.set", IncidentType, set_type, Made),
    Action("incident_type.retire", Which, retire_type),
    Action("station.set", Station, set_station, Made),
    Action("station.retire", Which, retire_station),
)
