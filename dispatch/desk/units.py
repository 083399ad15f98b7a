"""What units do and can do: statuses, capabilities, shifts (docs/domain.md, Units at work)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from dispatch.desk.assignments import end, locked, set_status
from dispatch.desk.values import Id, Line, Milliseconds, Word, Words
from dispatch.desk.work import Action, Made, Work
from dispatch.domain import statuses
from dispatch.domain.refusals import (
    DispatchRefused,
    bad_value,
    not_allowed,
    not_now,
    not_there,
)
from dispatch.domain.statuses import CLEAR, STEPS, Status
from geo.belize import TIME_ZONE
from psn import access, database
from psn.directory import Unit

Sayable = Literal[
    "off_duty",
    "out_of_service",
    "busy",
    "available",
    "acknowledged",
    "en_route",
    "on_scene",
    "clear",
]
_TIMES: Final = {
    Status.ACKNOWLEDGED: "acknowledged_at",
    Status.EN_ROUTE: "en_route_at",
    Status.ON_SCENE: "on_scene_at",
}


class SayStatus(Struct, kw_only=True, omit_defaults=True):
    """A unit's new status; its own crew says it, its desk, or a gateway that reports for it."""

    status: Sayable
    unit: Id | None = None
    """None: the unit of this session."""
    assignment: Id | None = None
    """To which assignment it belongs, so that a late word does not hit another one."""
    at: Milliseconds | None = None
    """When it was so, by a clock that is set by the server's; none: now."""
    note: Line = ""


class Is(Struct):
    """The status that the unit has now."""

    status: str
    late: bool = False
    """A later one was known already; this one went into the history alone."""


class Profile(Struct, kw_only=True, omit_defaults=True):
    """What a unit can do, and where its place is."""

    unit: Id
    capabilities: Annotated[list[Word], Meta(max_length=50)] = []
    station: Id | None = None


class Crew(Struct, kw_only=True, omit_defaults=True):
    """One of a crew."""

    name: Words
    role: Line = ""
    person: Id | None = None


class Shift(Struct, kw_only=True):
    """Who crews a unit from when until when."""

    unit: Id
    starts: Milliseconds
    ends: Milliseconds
    crew: Annotated[list[Crew], Meta(max_length=50)]


class Which(Struct):
    """A shift."""

    shift: Id


async def say_status(work: Work, body: SayStatus) -> Is:
    """Change what a unit is doing, if that may follow what it does."""
    unit, source = _speaker(work, body)
    incident = await _lock_incident(work, unit.id)
    status = (await locked(work, [unit.id]))[unit.id]
    now: Any = await work.connection.fetchrow(
        "select s.since, a.id, a.incident_id, a.ordered_at from unit_status s"
        " left join assignment a on a.unit_id = s.unit_id and a.ended_at is null"
        " where s.unit_id = $1",
        unit.id,
    )
    live = None if now["id"] is None else now
    if live is not None and live["incident_id"] != incident:
        raise not_now("The unit was sent elsewhere at this very moment.", "Look, and say it again.")
    if body.assignment is not None and (live is None or live["id"] != body.assignment):
        raise not_now("That assignment has ended.", "Look at what the unit is ordered to do now.")
    said = work.moment(body.at)
    if said < now["since"]:
        return await _late(work, unit, status, live, body, said, source)
    return Is(await _step(work, unit, status, live, body, said, source))


def _speaker(work: Work, body: SayStatus) -> tuple[Unit, str]:
    """The unit that is spoken of, and by what means; raises :class:`DispatchRefused`."""
    who = work.who
    number = body.unit or who.unit
    unit = None if number is None else work.directory.units.get(number)
    if unit is None or unit.retired:
        raise not_there("unit")
    if who.unit == unit.id:
        return unit, "tablet"
    if who.device is not None:
        if not access.may_report(who, unit):
            raise not_there("unit")
        return unit, "radio"
    if unit.agency != who.agency:
        raise not_there("unit of your agency")
    if not access.may(who, "incident", "open", unit.agency):
        raise not_allowed("say what units do")
    return unit, "console"


async def _lock_incident(work: Work, unit: int) -> int | None:
    """The incident that a unit is on, its card locked before the unit's status."""
    incident: int | None = await work.connection.fetchval(
        "select incident_id from incident_card where incident_id = (select incident_id"
        " from assignment where unit_id = $1 and ended_at is null) for update",
        unit,
    )
    return incident


async def _step(
    work: Work,
    unit: Unit,
    status: Status,
    live: Any,
    body: SayStatus,
    said: datetime,
    source: str,
) -> Status:
    """What is said follows what was; what the unit is doing now."""
    if body.status == status:
        await _contact(work, live)
        return status
    new = statuses.step(status, body.status)
    if live is not None and body.status == CLEAR:
        await end(work, live["id"], unit.id, live["incident_id"], "cleared", body.note, said)
    elif live is not None:
        await _note_time(work, live, new, said)
        details = {"unit": unit.id, "callsign": unit.callsign, "status": new}
        if body.at is not None:
            details["said"] = database.milliseconds(said)
        if body.note:
            details["note"] = body.note
        await work.log(live["incident_id"], "unit_status", details)
    await set_status(work, unit.id, new, source, body.note, said)
    return new


async def _note_time(work: Work, live: Any, status: Status, said: datetime) -> None:
    """The time of a step, once; and that the unit was heard of."""
    column = _TIMES[status]
    await work.connection.execute(
        f"update assignment set {column} = coalesce({column}, $2), contact_at = now(),"
        # Of an order that was refused the crew knows by voice: it gets no time of delivery.
        " delivered_at = case when refused_at is null and delivered_at is null then now()"
        " else delivered_at end where id = $1",
        live["id"],
        said,
    )
    work.touch("assignment", live["id"])


async def _contact(work: Work, live: Any) -> None:
    if live is not None:
        await work.connection.execute(
            "update assignment set contact_at = now() where id = $1", live["id"]
        )
        work.touch("assignment", live["id"])


async def _late(
    work: Work,
    unit: Unit,
    status: Status,
    live: Any,
    body: SayStatus,
    said: datetime,
    source: str,
) -> Is:
    """What was so before what is known: into the history, and the time of the step it was."""
    if body.status == CLEAR:
        raise not_now("Something later is known of this unit.", "Say what it is doing now.")
    step = Status(body.status)
    if live is not None and _passed(step, status) and said >= live["ordered_at"]:
        await _note_time(work, live, step, said)
    await work.connection.execute(
        "insert into unit_status_log (unit_id, status, said_at, author, source, note, late)"
        " values ($1, $2, $3, $4, $5, $6, true)",
        unit.id,
        step,
        said,
        work.who.address,
        source,
        body.note,
    )
    return Is(status, late=True)


def _passed(step: Status, status: Status) -> bool:
    """Whether a unit that does the one has done the other before."""
    return step in STEPS and STEPS.index(step) < STEPS.index(status)


async def set_profile(work: Work, body: Profile) -> None:
    """Say what a unit can do, and where its place is."""
    work.own("unit", "manage", "change units")
    unit = work.own_unit(body.unit)
    if body.station is not None and not await work.connection.fetchval(
        "select 1 from station where id = $1 and agency_id = $2 and retired_at is null",
        body.station,
        unit.agency,
    ):
        raise not_there("station")
    await work.connection.execute(
        "insert into unit_profile (unit_id, capabilities, station_id) values ($1, $2, $3)"
        " on conflict (unit_id) do update set capabilities = $2, station_id = $3",
        unit.id,
        sorted(set(body.capabilities)),
        body.station,
    )
    work.touch("unit", unit.id)


async def plan_shift(work: Work, body: Shift) -> Made:
    """Plan who crews a unit."""
    work.own("incident", "open", "plan shifts")
    unit = work.own_unit(body.unit)
    if not body.starts < body.ends <= body.starts + 7 * 86_400_000:
        raise bad_value("A shift ends after it starts, within a week.", "Correct its times.")
    for each in body.crew:
        person = None if each.person is None else work.directory.people.get(each.person)
        if each.person is not None and (person is None or person.agency != unit.agency):
            raise not_there("person of your agency")
    await _need_free_time(work, unit, body)
    number = await work.connection.fetchval(
        "insert into shift (unit_id, starts_at, ends_at, crew, author) values ($1, $2, $3, $4, $5)"
        " returning id",
        unit.id,
        database.moment(body.starts),
        database.moment(body.ends),
        msgspec.json.encode(body.crew).decode(),
        work.who.address,
    )
    work.touch("unit", unit.id)
    return Made(number)


async def _need_free_time(work: Work, unit: Unit, body: Shift) -> None:
    """Raises ``shift_overlaps`` where unit or crew have a shift at that time (DOM-STA-7)."""
    people = sorted({each.person for each in body.crew if each.person is not None})
    # Of two that plan at once the second waits here, and then finds the first's shift.
    for rows, numbers in (("unit", [unit.id]), ("person", people)):
        await work.connection.execute(
            f"select 1 from {rows} where id = any($1) order by id for no key update", numbers
        )
    found = await work.connection.fetchrow(
        _OVERLAPPING, unit.id, people, database.moment(body.starts), database.moment(body.ends)
    )
    if found is None:
        return
    of = work.directory.units[found["unit_id"]].callsign
    person = work.directory.people.get(found["person"] or 0)
    who = of if person is None else f"{person.full_name} (with {of})"
    raise DispatchRefused(
        "shift_overlaps",
        f"{who} has a shift from {found['starts']} to {found['ends']} already (Belize time).",
        "Say other times, or end that shift first.",
    )


_OVERLAPPING: Final = f"""
    select s.unit_id,
           to_char(s.starts_at at time zone '{TIME_ZONE}', 'YYYY-MM-DD HH24:MI') as starts,
           to_char(s.ends_at at time zone '{TIME_ZONE}', 'YYYY-MM-DD HH24:MI') as ends,
           case when s.unit_id <> $1 then (c.one ->> 'person')::int end as person
      from shift s
      left join lateral (
        select one from jsonb_array_elements(s.crew) as one
         where (one ->> 'person')::int = any($2::int[]) limit 1) c on true
     where (s.unit_id = $1 or c.one is not null) and s.starts_at < $4 and s.ends_at > $3
     order by s.unit_id <> $1, s.starts_at limit 1
"""


async def end_shift(work: Work, body: Which) -> None:
    """End a shift now, or take back one that has not begun."""
    agency = work.own("incident", "open", "plan shifts")
    row = await work.connection.fetchrow(
        "select s.id, s.unit_id, s.starts_at from shift s join unit u on u.id = s.unit_id"
        " where s.id = $1 and u.agency_id = $2 and s.ends_at > now() for update of s",
        body.shift,
        agency,
    )
    if row is None:
        raise not_there("shift that is not over")
    if row["starts_at"] >= work.now:
        await work.connection.execute("delete from shift where id = $1", body.shift)
    else:
        await work.connection.execute("update shift set ends_at = now() where id = $1", body.shift)
    work.touch("unit", row["unit_id"])


ACTIONS: Final = (
    Action("unit.status", SayStatus, say_status, Is),
    Action("unit.profile", Profile, set_profile),
    Action("shift.plan", Shift, plan_shift, Made),
    Action("shift.end", Which, end_shift),
)
