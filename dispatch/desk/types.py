"""What an agency has beforehand: kinds of incidents with their plans, and stations."""

from __future__ import annotations

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
    """Add a kind of incident, or change one."""
    agency = work.own("unit", "manage", "change types of incidents")
    other = await work.connection.fetchrow(
        "select id, retired_at from incident_type where agency_id = $1 and code = $2",
        agency,
        body.code,
    )
    if other is not None and other["id"] != body.id:
        raise _taken("type of incident", body.code, retired=other["retired_at"] is not None)
    number = body.id
    if number is None:
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
        " checklist = $6, plan = $7, scene_minutes = $8, contact_minutes = $9 where id = $1",
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
    """Add a station, or change one."""
    agency = work.own("unit", "manage", "change stations")
    point = body.place.point()
    if point is None:
        raise bad_value("A station needs a place on the map.", "Say longitude and latitude.")
    if body.id is None:
        number = await work.connection.fetchval(
            "insert into station (agency_id, name, point) values ($1, $2, st_geomfromewkt($3))"
            " on conflict do nothing returning id",
            agency,
            body.name,
            point,
        )
        if number is None:
            raise _taken("station", body.name)
    else:
        other = await work.connection.fetchval(
            "select id from station where agency_id = $1 and name = $2", agency, body.name
        )
        if other not in (None, body.id):
            raise _taken("station", body.name)
        number = await work.connection.fetchval(
            "update station set name = $3, point = st_geomfromewkt($4)"
            " where id = $1 and agency_id = $2 returning id",
            body.id,
            agency,
            body.name,
            point,
        )
        if number is None:
            raise not_there("station")
    work.touch("station", number)
    return Made(number)


def _taken(what: str, name: str, retired: bool = False) -> DispatchRefused:
    text = f"There is a {what} called {name} already."
    if retired:
        text = f"A {what} called {name} was retired, and incidents of then keep that name."
    return DispatchRefused("name_taken", text, "Choose another name.")


ACTIONS: Final = (
    Action("incident_type.set", IncidentType, set_type, Made),
    Action("incident_type.retire", Which, retire_type),
    Action("station.set", Station, set_station, Made),
)
