"""The red button (docs/domain.md, Emergency)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Literal

from msgspec import Struct

from dispatch.desk.values import Id, Milliseconds, SaidPlace, Words
from dispatch.desk.work import Action, Made, Work
from dispatch.domain import emergencies
from dispatch.domain.emergencies import Emergency
from dispatch.domain.refusals import not_allowed, not_now, not_there
from psn import access
from psn.directory import Precision, Unit

JUST_TAKEN: Final = timedelta(minutes=1)
"""Who took an emergency so short a time ago need not take it anew when it is pressed again."""


class Press(Struct, kw_only=True, omit_defaults=True):
    """The red button is pressed, in a unit or on its behalf."""

    unit: Id | None = None
    """None: the unit of this session."""
    how: Literal["button", "man_down"] = "button"
    at: Milliseconds | None = None
    """When, by a clock that is set by the server's; none: now."""
    place: SaidPlace = SaidPlace()
    """Where the unit says it is; none: where it is known to be."""


class Which(Struct):
    """An emergency."""

    emergency: Id


class Well(Struct, kw_only=True, omit_defaults=True):
    """A unit says that it is safe."""

    emergency: Id | None = None
    """None: the one of the unit of this session, which may not know its number yet."""
    at: Milliseconds | None = None
    """When it was said, if that was in a dead spot; none: now."""


class Safe(Struct, kw_only=True, omit_defaults=True):
    """A dispatcher says that it is over; ``alone``: a supervisor's word, without the unit's."""

    emergency: Id
    outcome: Words
    alone: bool = False


async def press(work: Work, body: Press) -> Made:
    """Raise an emergency, or raise again the one that is there."""
    unit, source = _presser(work, body)
    # Of two presses at once the second waits for the first here, and then finds it.
    await work.connection.execute("select 1 from unit where id = $1 for no key update", unit.id)
    row = await work.connection.fetchrow(
        "select * from emergency where unit_id = $1 and ended_at is null for update", unit.id
    )
    place = body.place.point() or _last_place(work, unit)
    if row is None:
        number: int = await work.connection.fetchval(
            "insert into emergency (unit_id, source, raised_by, said_at, pressed_at, point)"
            " values ($1, $2, $3, $4, $4, st_geomfromewkt($5)) returning id",
            unit.id,
            source,
            work.who.address,
            work.moment(body.at),
            place,
        )
    else:
        number = row["id"]
        taken = row["owned_at"]
        just_taken = taken is not None and work.now - taken < JUST_TAKEN
        after = emergencies.press(_of(row), just_taken)
        await work.connection.execute(
            "update emergency set presses = presses + 1, unit_safe_at = null, desk_safe_at = null,"
            " desk_safe_by = null, desk_outcome = null, owner_id = $4::int, owned_at = $5,"
            " pressed_at = greatest(pressed_at, $3), point = coalesce(st_geomfromewkt($2), point)"
            " where id = $1",
            number,
            place,
            work.moment(body.at),
            after.owner,
            taken if just_taken else None,
        )
    incident = await work.connection.fetchval(
        "select incident_id from assignment where unit_id = $1 and ended_at is null", unit.id
    )
    if incident is not None:
        await work.log(incident, "emergency", {"unit": unit.id, "callsign": unit.callsign})
    _touch(work, number)
    return Made(number)


def _presser(work: Work, body: Press) -> tuple[Unit, str]:
    """The unit, and how it was pressed; raises :class:`DispatchRefused`."""
    who = work.who
    number = body.unit or who.unit
    unit = None if number is None else work.directory.units.get(number)
    if unit is None or unit.retired:
        raise not_there("unit")
    if who.unit == unit.id:
        return unit, "man_down" if body.how == "man_down" else "tablet"
    if who.device is not None:
        if not access.may_report(who, unit):
            raise not_there("unit")
        return unit, "man_down" if body.how == "man_down" else "radio"
    if access.precision(who, unit, work.rules) is Precision.NOTHING:
        raise not_there("unit")
    if not access.may(who, "incident", "open", who.agency):
        raise not_allowed("raise an emergency for a unit")
    return unit, "console"


def _last_place(work: Work, unit: Unit) -> str | None:
    newest = work.core.picture.newest.get(unit.id)
    if newest is None:
        return None
    return SaidPlace(lon=newest.fix.lon, lat=newest.fix.lat).point()


async def own(work: Work, body: Which) -> None:
    """Somebody takes care of it, and everyone sees who."""
    row, unit = await _seen(work, body.emergency)
    work.own("incident", "open", "take care of emergencies")
    person = work.person()
    emergencies.own(_of(row), person, unit.agency == work.who.agency)
    await work.connection.execute(
        "update emergency set owner_id = $2, owned_at = now() where id = $1",
        body.emergency,
        person,
    )
    work.touch("emergency", body.emergency)


async def safe(work: Work, body: Well) -> None:
    """The unit says that it is safe."""
    number = body.emergency or await _own_number(work)
    row, unit = await _seen(work, number)
    if work.who.unit != unit.id and not (
        work.who.device is not None and access.may_report(work.who, unit)
    ):
        raise not_allowed("say for a unit that it is safe; end the emergency instead")
    if work.moment(body.at) < row["pressed_at"]:
        raise not_now(
            "The button was pressed again after that.", "Say it again if the unit is safe now."
        )
    after = emergencies.unit_says_safe(_of(row))
    await work.connection.execute("update emergency set unit_safe_at = now() where id = $1", number)
    await _settle(work, number, after, "safe")


async def _own_number(work: Work) -> int:
    """The emergency of the unit of this session; raises ``not_found``."""
    number: int | None = await work.connection.fetchval(
        "select id from emergency where unit_id = $1 and ended_at is null", work.who.unit
    )
    if number is None:
        raise not_there("emergency")
    return number


async def end(work: Work, body: Safe) -> None:
    """A dispatcher's word that it is over."""
    row, unit = await _seen(work, body.emergency)
    if unit.agency != work.own("incident", "open", "end emergencies"):
        raise not_allowed("end an emergency of another agency's unit")
    if body.alone and not access.may(work.who, "unit", "manage", unit.agency):
        raise not_allowed("end an emergency without the unit's word; a supervisor may")
    after = emergencies.desk_says_safe(_of(row), body.alone)
    await work.connection.execute(
        "update emergency set desk_safe_at = coalesce(desk_safe_at, now()),"
        " desk_safe_by = coalesce(desk_safe_by, $2), desk_outcome = $3 where id = $1",
        body.emergency,
        work.who.address,
        body.outcome,
    )
    await _settle(work, body.emergency, after, body.outcome)


async def _settle(work: Work, number: int, after: Emergency, outcome: str) -> None:
    if after.over:
        await work.connection.execute(
            "update emergency set ended_at = now(), outcome = coalesce(desk_outcome, $2)"
            " where id = $1",
            number,
            outcome,
        )
    _touch(work, number)


def _touch(work: Work, number: int) -> None:
    """The emergency, and where it is."""
    work.touch("emergency", number)
    work.touch("emergency_place", number)


async def _seen(work: Work, number: int) -> tuple[Any, Unit]:
    """An emergency of a unit that is shown, locked; raises ``not_found``."""
    row = await work.connection.fetchrow("select * from emergency where id = $1 for update", number)
    unit = None if row is None else work.directory.units.get(row["unit_id"])
    if unit is None or access.precision(work.who, unit, work.rules) is Precision.NOTHING:
        own_unit = unit is not None and work.who.device is not None
        if unit is None or not (own_unit and access.may_report(work.who, unit)):
            raise not_there("emergency")
    return row, unit


def _of(row: Any) -> Emergency:
    live = Emergency(
        owner=row["owner_id"],
        unit_safe=row["unit_safe_at"] is not None,
        desk_safe=row["desk_safe_at"] is not None,
    )
    return replace(live, over=row["ended_at"] is not None)


ACTIONS: Final = (
    Action("emergency.press", Press, press, Made),
    Action("emergency.own", Which, own),
    Action("emergency.safe", Well, safe),
    Action("emergency.end", Safe, end),
)
