"""Calls: taken, typed, and ended in one of three ways (docs/domain.md, Calls)."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import UNSET, Struct, UnsetType, structs

from dispatch.desk.cards import open_card, worked_on
from dispatch.desk.types import own_type
from dispatch.desk.values import (
    MOST_CHARACTERS,
    HeardPlace,
    Id,
    Line,
    Place,
    Priority,
    Reason,
    Text,
    Words,
)
from dispatch.desk.work import Action, Made, Work
from dispatch.domain import calls
from dispatch.domain.calls import State
from dispatch.domain.refusals import not_there

CallLine = Literal["911", "90", "agency", "radio", "walk_in", "web", "program"]


class Typed(Struct, kw_only=True, omit_defaults=True):
    """What can be typed of a call; what is not there stays as it is."""

    caller_name: Line | UnsetType = UNSET
    caller_number: Line | UnsetType = UNSET
    type: Id | UnsetType | None = UNSET
    notes: Text | UnsetType = UNSET


class Heard(Typed, kw_only=True):
    """A call that is new: it is never refused because of where it says to be (DOM-CALL-6)."""

    line: CallLine = "agency"
    place: HeardPlace | UnsetType = UNSET


class Receive(Heard, kw_only=True):
    """A call that nobody has taken yet: from a form, a program, a line that rings."""


class Take(Heard, kw_only=True):
    """A new call of whoever asks, from its first moment on."""


class TakeOver(Struct):
    """Take a waiting call; ``over``: knowingly from somebody else."""

    call: Id
    over: bool = False


class Change(Typed, kw_only=True):
    """What is typed of a call that is taken."""

    call: Id
    line: CallLine | UnsetType = UNSET
    place: Place | UnsetType = UNSET


class Which(Struct):
    """A call."""

    call: Id


class Open(Struct, kw_only=True, omit_defaults=True):
    """A call becomes an incident; what is not said is taken from the call and its type."""

    call: Id
    title: Words
    priority: Priority | UnsetType = UNSET


class Join(Struct):
    """A call is about an incident that is there already."""

    call: Id
    incident: Id


class Close(Struct):
    """A call comes to nothing, for a reason."""

    call: Id
    reason: Reason


class Came(Made, omit_defaults=True):
    """The call's id, and what of it could not be kept."""

    left_out: str = ""
    """Why its point is not with it, as a sentence, which stands in its notes too."""


class Opened(Struct):
    """The incident, and its number."""

    incident: int
    number: str


async def receive(work: Work, body: Receive) -> Came:
    """A call comes in, and waits for somebody to take it."""
    agency = work.own("call", "take", "receive calls")
    return await _new(work, agency, body, State.WAITING, None)


async def take(work: Work, body: Take) -> Came:
    """A new call is taken: it is on disk before anything has been typed."""
    agency = work.own("call", "take", "take calls")
    return await _new(work, agency, body, State.TAKEN, work.person())


async def _new(work: Work, agency: int, body: Heard, state: State, person: int | None) -> Came:
    number = await work.connection.fetchval(
        "insert into call (agency_id, number, line, state, taken_by, taken_at) values"
        " ($1, next_number($1, 'call'), $2, $3, $4, case when $4::int is null then null"
        " else now() end) returning id",
        agency,
        body.line,
        state,
        person,
    )
    lost = "" if body.place is UNSET else body.place.lost()
    if lost:
        notes = "\n".join(
            each for each in ("" if body.notes is UNSET else body.notes, lost) if each
        )
        if len(notes) <= MOST_CHARACTERS:  # what was said goes before what was not
            body = structs.replace(body, notes=notes)
    await _write(work, number, body, body.place)
    return Came(number, lost)


async def pick_up(work: Work, body: TakeOver) -> None:
    """Take a call that waits, or take one over."""
    call, person = await _locked(work, body.call), work.person()
    calls.take(State(call["state"]), call["taken_by"], person, body.over)
    await work.connection.execute(
        "update call set state = 'taken', taken_by = $2, taken_at = coalesce(taken_at, now())"
        " where id = $1",
        body.call,
        person,
    )
    work.touch("call", body.call)


async def give_back(work: Work, body: Which) -> None:
    """A call that is taken waits again, for somebody else."""
    await _mine(work, body.call, State.WAITING)
    await work.connection.execute(
        "update call set state = 'waiting', taken_by = null where id = $1", body.call
    )
    work.touch("call", body.call)


async def change(work: Work, body: Change) -> None:
    """What is typed is kept."""
    await _mine(work, body.call)
    if body.line is not UNSET:
        await work.connection.execute(
            "update call set line = $2 where id = $1", body.call, body.line
        )
    await _write(work, body.call, body, body.place)


async def _write(work: Work, call: int, body: Typed, place: Place | HeardPlace | UnsetType) -> None:
    """Write what was typed into the call's row."""
    if body.type is not UNSET and body.type is not None:
        await own_type(work, body.type)
    for column, value in (
        ("caller_name", body.caller_name),
        ("caller_number", body.caller_number),
        ("type_id", body.type),
        ("notes", body.notes),
        ("place", UNSET if place is UNSET else place.text),
    ):
        if value is not UNSET:
            await work.connection.execute(
                f"update call set {column} = $2 where id = $1", call, value
            )
    if place is not UNSET:
        await work.connection.execute(
            "update call set point = st_geomfromewkt($2) where id = $1", call, place.point()
        )
    work.touch("call", call)


async def open_incident(work: Work, body: Open) -> Opened:
    """The call becomes an incident, with what was typed."""
    call = await _mine(work, body.call, State.INCIDENT)
    work.own("incident", "open", "open incidents")
    incident, number = await open_card(
        work,
        title=body.title,
        type_id=call["type_id"],
        priority=None if body.priority is UNSET else body.priority,
        place=call["place"],
        point=call["point"],
        details=call["notes"],
    )
    await _end(work, body.call, State.INCIDENT, incident=incident)
    await work.log(incident, "call", {"call": body.call, "number": call["number"]})
    return Opened(incident, number)


async def join(work: Work, body: Join) -> None:
    """The call is added to an incident that is there already."""
    call = await _mine(work, body.call, State.JOINED)
    await worked_on(work, body.incident)
    await _end(work, body.call, State.JOINED, incident=body.incident)
    details = {"call": body.call, "number": call["number"], "notes": call["notes"]}
    await work.log(body.incident, "call", details)


async def close(work: Work, body: Close) -> None:
    """The call comes to nothing."""
    await _mine(work, body.call, State.CLOSED)
    await _end(work, body.call, State.CLOSED, outcome=body.reason)


async def _end(
    work: Work,
    call: int,
    state: State,
    incident: int | None = None,
    outcome: str | None = None,
) -> None:
    await work.connection.execute(
        "update call set state = $2, incident_id = $3, outcome = $4, ended_at = now()"
        " where id = $1",
        call,
        state,
        incident,
        outcome,
    )
    work.touch("call", call)


async def _locked(work: Work, call: int) -> Any:
    """A call of the agency, locked till the end of the transaction; raises ``not_found``."""
    agency = work.own("call", "take", "take calls")
    row = await work.connection.fetchrow(
        "select * from call where id = $1 and agency_id = $2 for update", call, agency
    )
    if row is None:
        raise not_there("call")
    return row


async def _mine(work: Work, call: int, wanted: State | None = None) -> Any:
    """A call that who asks has taken, and that may become ``wanted``."""
    row = await _locked(work, call)
    state = State(row["state"])
    calls.work(state, row["taken_by"], work.person())
    if wanted is not None:
        calls.become(state, wanted)
    return row


ACTIONS: Final = (
    Action("call.receive", Receive, receive, Came),
    Action("call.take", Take, take, Came),
    Action("call.pick_up", TakeOver, pick_up),
    Action("call.give_back", Which, give_back),
    Action("call.change", Change, change),
    Action("call.open_incident", Open, open_incident, Opened),
    Action("call.join", Join, join),
    Action("call.close", Close, close),
)
