"""What is not to be forgotten: lookouts, welfare checks, reminders, rules for fences."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from dispatch.desk.cards import seen, worked_on
from dispatch.desk.values import Id, Line, Milliseconds, Place, Said, Text, Word, Words
from dispatch.desk.work import Action, Made, Work
from dispatch.domain.refusals import DispatchRefused, bad_value, not_allowed, not_now, not_there
from psn import access, database
from psn.directory import Precision

MOST_DAYS: Final = 90
SLOW_CLOCK: Final = timedelta(minutes=1)
"""By so much the clock of who sets a reminder may be behind."""


class Issue(Struct, kw_only=True, omit_defaults=True):
    """Whom or what to look out for, until when, and which agencies are told too."""

    subject: Literal["person", "vehicle", "vessel", "other"]
    title: Words
    text: Text = ""
    plate: Line = ""
    place: Place = Place()
    until: Milliseconds
    agencies: Annotated[list[Id], Meta(max_length=64)] = []


class EndLookout(Struct):
    """A lookout is over."""

    lookout: Id
    outcome: Words


class StartCheck(Struct, kw_only=True, omit_defaults=True):
    """A unit is to say every so many seconds that it is well."""

    unit: Id
    every: Annotated[int, Meta(ge=60, le=86_400)]
    incident: Id | None = None


class Check(Struct):
    """A welfare check."""

    welfare: Id


class Answer(Struct, kw_only=True, omit_defaults=True):
    """A unit is well."""

    welfare: Id
    at: Milliseconds | None = None
    """When it was said, if that was in a dead spot; none: now."""


class Remind(Struct, kw_only=True, omit_defaults=True):
    """Be reminded; ``all``: the whole desk of the agency."""

    text: Said
    at: Milliseconds
    incident: Id | None = None
    all: bool = False


class Which(Struct):
    """A reminder."""

    reminder: Id


class Rule(Struct, kw_only=True, omit_defaults=True):
    """Raise an alarm for what units do at a fence: one unit, a kind, or all that are shown.

    ``threshold``: of ``dwell`` seconds, of ``speed`` centimetres a second.
    """

    fence: Id
    what: Literal["in", "out", "dwell", "speed"]
    unit: Id | None = None
    kind: Word | None = None
    threshold: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class WhichRule(Struct):
    """A rule for a fence."""

    rule: Id


async def issue(work: Work, body: Issue) -> Made:
    """Tell everyone of the agency, and of those named, to look out."""
    agency = work.own("incident", "open", "issue lookouts")
    if not work.now < database.moment(body.until):
        raise bad_value("The lookout would be over already.", "Say a later end.")
    if database.moment(body.until).timestamp() > work.now.timestamp() + MOST_DAYS * 86_400:
        raise bad_value(f"A lookout ends within {MOST_DAYS} days.", "Say an earlier end.")
    if not set(body.agencies) <= work.directory.agencies.keys():
        raise not_there("agency")
    number: int = await work.connection.fetchval(
        "insert into lookout (agency_id, number, subject, title, text, plate, point, agencies,"
        " author, until) values ($1, next_number($1, 'lookout'), $2, $3, $4, $5,"
        " st_geomfromewkt($6), $7, $8, $9) returning id",
        agency,
        body.subject,
        body.title,
        body.text,
        body.plate,
        body.place.point(),
        sorted(set(body.agencies) - {agency}),
        work.who.address,
        database.moment(body.until),
    )
    work.touch("lookout", number)
    return Made(number)


async def end_lookout(work: Work, body: EndLookout) -> None:
    """Look out no more."""
    agency = work.own("incident", "open", "end lookouts")
    number = await work.connection.fetchval(
        "update lookout set ended_at = now(), outcome = $3 where id = $1 and agency_id = $2"
        " and ended_at is null returning id",
        body.lookout,
        agency,
        body.outcome,
    )
    if number is None:
        raise not_there("lookout in force")
    work.touch("lookout", number)


async def start_check(work: Work, body: StartCheck) -> Made:
    """Begin to ask a unit every so often; with a check running, change how often."""
    agency = work.own("incident", "open", "begin welfare checks")
    unit = work.own_unit(body.unit)
    if body.incident is not None:
        await worked_on(work, body.incident)
    number: int = await work.connection.fetchval(
        "insert into welfare_check (agency_id, unit_id, incident_id, every_seconds, due_at, author)"
        " values ($1, $2, $3, $4::int, now() + make_interval(secs => $4::int), $5)"
        " on conflict (unit_id) where ended_at is null do update set every_seconds = $4::int,"
        " due_at = now() + make_interval(secs => $4::int) returning id",
        agency,
        unit.id,
        body.incident,
        body.every,
        work.who.address,
    )
    work.touch("welfare", number)
    return Made(number)


async def answer_check(work: Work, body: Answer) -> None:
    """The unit is well: the next time is counted from when it said so."""
    row = await _check(work, body.welfare)
    await work.connection.execute(
        "update welfare_check set"
        " due_at = greatest(due_at, $2::timestamptz + make_interval(secs => every_seconds))"
        " where id = $1",
        row["id"],
        work.moment(body.at),
    )
    work.touch("welfare", body.welfare)


async def stop_check(work: Work, body: Check) -> None:
    """Ask no more."""
    work.own("incident", "open", "end welfare checks")
    row = await _check(work, body.welfare)
    await work.connection.execute(
        "update welfare_check set ended_at = now() where id = $1", row["id"]
    )
    work.touch("welfare", body.welfare)


async def _check(work: Work, number: int) -> Any:
    row: Any = await work.connection.fetchrow(
        "select * from welfare_check where id = $1 and agency_id = $2 and ended_at is null"
        " for update",
        number,
        work.who.agency,
    )
    if row is None or (work.who.unit is not None and work.who.unit != row["unit_id"]):
        raise not_there("welfare check")
    if work.who.unit is None and not access.may(work.who, "incident", "open", work.who.agency):
        raise not_allowed("answer welfare checks of others")
    return row


async def remind(work: Work, body: Remind) -> Made:
    """Be reminded of something at a time."""
    agency = work.own("incident", "open", "make reminders")
    if database.moment(body.at) < work.now - SLOW_CLOCK:
        raise bad_value("The time of this reminder is past.", "Say a later time.")
    if body.incident is not None:
        await seen(work, body.incident)
    number: int = await work.connection.fetchval(
        "insert into reminder (agency_id, person_id, incident_id, text, due_at, author)"
        " values ($1, $2, $3, $4, $5, $6) returning id",
        agency,
        None if body.all else work.person(),
        body.incident,
        body.text,
        database.moment(body.at),
        work.who.address,
    )
    work.touch("reminder", number)
    return Made(number)


async def done(work: Work, body: Which) -> None:
    """What one was to be reminded of is done."""
    agency = work.own("incident", "open", "make reminders")
    number = await work.connection.fetchval(
        "update reminder set done_at = now() where id = $1 and agency_id = $2"
        " and (person_id is null or person_id = $3 or exists (select from person p"
        " where p.id = person_id and p.disabled_at is not null)) and done_at is null returning id",
        body.reminder,
        agency,
        work.person(),
    )
    if number is None:
        raise not_there("reminder")
    work.touch("reminder", number)


async def set_rule(work: Work, body: Rule) -> Made:
    """Raise an alarm from now on for what happens at a fence."""
    agency = work.own("layer", "draw", "watch fences")
    fence = work.directory.fences.get(body.fence)
    if fence is None or not access.may_see_fence(work.who, fence.agency):
        raise not_there("fence")
    if (body.what in ("dwell", "speed")) != (body.threshold is not None):
        raise bad_value("Dwell and speed have a threshold; in and out have none.", "Correct it.")
    if body.unit is not None and not _is_shown(work, body.unit):
        raise not_there("unit")
    if body.kind is not None:
        _need_kind(work, body.kind)
    # Of two that set the same at once the second waits here, and then finds the first's.
    await work.connection.execute("select 1 from fence where id = $1 for no key update", body.fence)
    if await work.connection.fetchval(
        _SAME_RULE, agency, body.fence, body.unit, body.kind, body.what, body.threshold
    ):
        raise DispatchRefused(
            "already_there",
            f"The same alarm at the fence {fence.name} is set already.",
            "Go by that one, or end it first.",
        )
    made: int = await work.connection.fetchval(
        "insert into fence_rule (agency_id, fence_id, unit_id, unit_kind, what, threshold, author)"
        " values ($1, $2, $3, $4, $5, $6, $7) returning id",
        agency,
        body.fence,
        body.unit,
        body.kind,
        body.what,
        body.threshold,
        work.who.address,
    )
    return Made(made)


_SAME_RULE: Final = """
    select id from fence_rule
     where agency_id = $1 and fence_id = $2 and unit_id is not distinct from $3::int
       and unit_kind is not distinct from $4::text and what = $5
       and threshold is not distinct from $6::int and ended_at is null
"""


def _is_shown(work: Work, number: int) -> bool:
    """Whether a unit exists as far as who asks can tell."""
    unit = work.directory.units.get(number)
    return unit is not None and access.precision(work.who, unit, work.rules) > Precision.NOTHING


def _need_kind(work: Work, kind: str) -> None:
    """Raises ``bad_value`` for a kind of which no unit is shown: its alarm would never come."""
    units = [u for u in work.directory.units.values() if not u.retired and _is_shown(work, u.id)]
    kinds = {unit.kind for unit in units}
    if kind not in kinds:
        named = ", ".join(sorted(kinds)) or "none"
        raise bad_value(f"No unit that you may see is a {kind}.", f"Kinds that there are: {named}.")


async def end_rule(work: Work, body: WhichRule) -> None:
    """Raise no more alarms by a rule."""
    agency = work.own("layer", "draw", "watch fences")
    ended = await work.connection.fetchval(
        "update fence_rule set ended_at = now() where id = $1 and agency_id = $2"
        " and ended_at is null returning id",
        body.rule,
        agency,
    )
    if ended is None:
        raise not_now("There is no such rule in force.", "Look at the list of rules.")


ACTIONS: Final = (
    Action("lookout.issue", Issue, issue, Made),
    Action("lookout.end", EndLookout, end_lookout),
    Action("welfare.start", StartCheck, start_check, Made),
    Action("welfare.answer", Answer, answer_check),
    Action("welfare.stop", Check, stop_check),
    Action("reminder.set", Remind, remind, Made),
    Action("reminder.done", Which, done),
    Action("fence_rule.set", Rule, set_rule, Made),
    Action("fence_rule.end", WhichRule, end_rule),
)
