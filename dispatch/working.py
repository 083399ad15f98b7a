"""Dispatch over HTTP: every action by its name, and what has been written about incidents.

An action is the same here and as a ``do`` frame (docs/wire.md). Its id, which makes sending it
twice safe, is the parameter ``id``; without one each request is an action of its own.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec
from msgspec import Struct

from dispatch.asking import ApiProblem, Asked, Handler, Route, not_found
from dispatch.board import rows
from dispatch.desk.actions import ACTIONS
from dispatch.desk.desk import Desk
from dispatch.desk.work import Action
from dispatch.domain.likeness import Report, alike
from psn import access

MOST_EVENTS: Final = 500


class Answer(Struct):
    """Done, and what it gives."""

    result: dict[str, Any] | None


class Event(Struct):
    """One entry of an incident's log; ``at`` in milliseconds UTC."""

    seq: int
    at: int
    author: str
    author_name: str
    agency: int | None
    kind: str
    private: bool
    details: dict[str, Any]


class Log(Struct):
    """Entries of an incident's log, oldest first; private ones of other agencies are not told."""

    incident: int
    events: list[Event]


class Alike(Struct):
    """An open incident that a call may be about, and why, in words."""

    incident: int
    number: str
    title: str
    metres: int | None
    minutes: int
    same_type: bool


class Duplicates(Struct):
    """Incidents that a call may be about, the likeliest first."""

    incidents: list[Alike]


def _doing(action: Action) -> Handler:
    async def handler(asked: Asked) -> Answer:
        desk: Desk = asked.desk
        uid = _uid(asked.query.get("id"))
        async with desk.turns.of(asked.who.address):
            result = await desk.do(action, asked.body, asked.who, asked.actor, uid)
        return Answer(None if result is None else msgspec.to_builtins(result))

    handler.__doc__ = action.does.__doc__
    handler.__name__ = action.name.replace(".", "_")
    return handler


def _uid(text: str | None) -> uuid.UUID:
    if text is None:
        return uuid.uuid4()
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ApiProblem(
            400, "bad_parameter", "The parameter id must be a UUID.", "Make a random one."
        ) from None


async def incident_log(asked: Asked) -> Log:
    """The log of an incident after a sequence, at most 500 entries."""
    incident = await visible(asked)
    after = asked.number("after", 0, 0, 2_147_483_647)
    found = await asked.pool.fetch(
        "select seq, (extract(epoch from at) * 1000)::bigint as at, author, author_name,"
        " agency_id as agency, kind, private, details from incident_event"
        " where incident_id = $1 and seq > $2 and (not private or agency_id = $3)"
        " order by seq limit $4",
        incident,
        after,
        asked.who.agency,
        MOST_EVENTS,
    )
    events = [
        Event(**{**dict(row), "details": msgspec.json.decode(row["details"])}) for row in found
    ]
    return Log(incident, events)


async def visible(asked: Asked) -> int:
    """The incident of the path, if the caller may see it."""
    number = asked.path_id()
    row = await asked.pool.fetchrow(
        "select i.agency_id, array(select m.agency_id from incident_member m"
        " where m.incident_id = i.id and m.agency_id is not null and m.starts_at <= now()"
        " and (m.ends_at is null or m.ends_at > now())) as agencies from incident i"
        " where i.id = $1",
        number,
    )
    if row is None or not access.may_see_incident(asked.who, row["agency_id"], row["agencies"]):
        raise not_found()
    return number


async def duplicates(asked: Asked) -> Duplicates:
    """Open incidents that a call may be about: near in place and time, and of its kind."""
    desk: Desk = asked.desk
    call = desk.board.of(rows.Call).get(asked.path_id())
    if call is None or not access.may(asked.who, "call", "see", call.agency):
        raise not_found()
    incidents = {
        each.id: each
        for each in desk.board.of(rows.Incident).values()
        if each.closed is None and access.may_see_incident(asked.who, each.agency, each.agencies)
    }
    found = alike(
        Report(call.id, call.lon, call.lat, call.place, call.type, call.received),
        [
            Report(each.id, each.lon, each.lat, each.place, each.type, each.opened)
            for each in incidents.values()
        ],
    )
    return Duplicates(
        [
            Alike(
                each.id,
                incidents[each.id].number,
                incidents[each.id].title,
                each.metres,
                each.minutes,
                each.same_type,
            )
            for each in found
        ]
    )


ROUTES: Final = (
    *(
        Route(
            f"/api/do/{action.name}",
            _doing(action),
            Answer,
            ("id",),
            method="POST",
            takes=action.takes,
        )
        for action in ACTIONS.values()
    ),
    Route("/api/incidents/{id}/log", incident_log, Log, ("after",)),
    Route("/api/calls/{id}/duplicates", duplicates, Duplicates),
)
