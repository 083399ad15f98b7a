"""Incidents: opened, changed, written about, closed (docs/domain.md, Incidents)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from dispatch.desk.cards import Card, open_card, seen, worked_on
from dispatch.desk.types import own_type
from dispatch.desk.values import Id, Milliseconds, Place, Priority, Said, Text, Words
from dispatch.desk.work import Action, Work
from dispatch.domain import incidents
from dispatch.domain.refusals import bad_value, changed_meanwhile, not_allowed, not_there
from psn import access, database
from psn.wire import plain
from psn.wire.bidi import without_controls

Outcome = Literal["done", "nothing_found", "handed_on", "false_alarm", "duplicate", "cancelled"]


class Open(Struct, kw_only=True, omit_defaults=True):
    """An incident without a call."""

    title: Words
    type: Id | None = None
    priority: Priority | None = None
    place: Place = Place()
    details: Text = ""


class Opened(Struct):
    """The incident, and its number."""

    incident: int
    number: str


class Change(Struct, kw_only=True):
    """One field, with what it was when the change was thought of, and what it is to be.

    ``title`` and ``details`` are texts, ``priority`` and ``type`` numbers (a type may be none),
    ``place`` a map of ``text``, ``lon``, ``lat``; of a place that was, the point counts if said.
    """

    incident: Id
    field: Literal["title", "type", "priority", "place", "details"]
    was: Any
    now: Any


class Note(Struct, kw_only=True, omit_defaults=True):
    """A note in the log; ``private``: for the own agency only."""

    incident: Id
    text: Said
    private: bool = False
    at: Milliseconds | None = None
    """When it was written, if that was in a dead spot; none: now."""


class Check(Struct):
    """One line of the checklist (from 0) is done, or is not."""

    incident: Id
    line: Annotated[int, Meta(ge=0, le=49)]
    done: bool = True


class HandOver(Struct):
    """Another dispatcher of the agency answers for it from now on."""

    incident: Id
    to: Id
    text: Text = ""


class Link(Struct):
    """Two incidents have to do with each other."""

    incident: Id
    other: Id
    reason: Words


class Close(Struct):
    """An incident is over."""

    incident: Id
    outcome: Outcome
    text: Text = ""


class Reopen(Struct):
    """An incident goes on."""

    incident: Id
    reason: Words


async def open_incident(work: Work, body: Open) -> Opened:
    """Open an incident."""
    work.own("incident", "open", "open incidents")
    incident, number = await open_card(
        work,
        title=body.title,
        type_id=body.type,
        priority=body.priority,
        place=body.place.text,
        point=body.place.point(),
        details=body.details,
    )
    return Opened(incident, number)


async def change(work: Work, body: Change) -> None:
    """Change one field, unless somebody else has changed it meanwhile."""
    card = await worked_on(work, body.incident)
    _need_owner_agency(work, card)
    row: Any = await work.connection.fetchrow(
        "select i.title, k.type_id as type, k.priority, k.place, k.details,"
        " round(st_x(k.point) * 1e7)::int as lon, round(st_y(k.point) * 1e7)::int as lat"
        " from incident_card k join incident i on i.id = k.incident_id where k.incident_id = $1",
        body.incident,
    )
    there = row[body.field]
    wanted = _value(body.field, body.now)
    was = _value(body.field, body.was)
    text = wanted.text if isinstance(wanted, Place) else wanted
    before = was.text if isinstance(was, Place) else was
    if before != without_controls(there) or _moved(was, row):
        raise changed_meanwhile(body.field, there)
    said = {"field": body.field, "was": there, "now": text}
    moves = isinstance(wanted, Place) and (wanted.lon, wanted.lat) != (row["lon"], row["lat"])
    if moves:
        said |= {"was_at": [row["lon"], row["lat"]], "now_at": [wanted.lon, wanted.lat]}
    elif text == there:
        return
    if body.field == "type" and wanted is not None:
        await own_type(work, int(wanted))
    if body.field == "title":
        await work.connection.execute("update incident set title = $2 where id = $1", card.id, text)
    else:
        column = "type_id" if body.field == "type" else body.field
        await work.connection.execute(
            f"update incident_card set {column} = $2 where incident_id = $1", card.id, text
        )
    if moves:
        await work.connection.execute(
            "update incident_card set point = st_geomfromewkt($2) where incident_id = $1",
            card.id,
            wanted.point(),
        )
    await work.log(card.id, "changed", said)
    for asked in await work.connection.fetch(
        "select id from invitation where incident_id = $1 and answer is null", card.id
    ):
        work.touch("invitation", asked["id"])


def _moved(was: Any, row: Any) -> bool:
    """Whether a place lies elsewhere than who changes it believes, if he says where."""
    if not isinstance(was, Place) or was.lon is None:
        return False
    return (was.lon, was.lat) != (row["lon"], row["lat"])


def _value(field: str, said: Any) -> Any:
    """What is said of a field, checked; raises ``bad_value``."""
    kinds: dict[str, Any] = {
        "title": Words,
        "details": Text,
        "priority": Priority,
        "type": Id | None,
        "place": Place,
    }
    try:
        return msgspec.convert(said, kinds[field])
    except msgspec.ValidationError as problem:
        raise bad_value(
            plain.sentence(str(problem)).replace("The value", f"The {field}", 1),
            "Correct it and send it again.",
        ) from None


async def note(work: Work, body: Note) -> None:
    """Write into the log."""
    card = await seen(work, body.incident)
    if not access.may_work_on_incident(work.who, card.agency, card.taking_part):
        raise not_allowed("write into the log of incidents")
    details: dict[str, object] = {"text": body.text}
    if body.at is not None:
        details["said"] = database.milliseconds(work.moment(body.at))
    await work.log(card.id, "note", details, private=body.private)


async def check(work: Work, body: Check) -> None:
    """Tick a line of the checklist, or take the tick back."""
    card = await worked_on(work, body.incident)
    lines = msgspec.json.decode(
        await work.connection.fetchval(
            "select checklist from incident_card where incident_id = $1", card.id
        )
    )
    if body.line >= len(lines):
        raise not_there("line in the checklist")
    line = lines[body.line]
    if body.done == (line["done"] is not None):
        return
    line["done"] = round(work.now.timestamp() * 1000) if body.done else None
    line["by"] = work.who.name if body.done else None
    await work.connection.execute(
        "update incident_card set checklist = $2 where incident_id = $1",
        card.id,
        msgspec.json.encode(lines).decode(),
    )
    await work.log(card.id, "checked", {"text": line["text"], "done": body.done})


async def hand_over(work: Work, body: HandOver) -> None:
    """Let another dispatcher answer for the incident."""
    card = await worked_on(work, body.incident)
    _need_owner_agency(work, card)
    other = work.directory.people.get(body.to)
    if other is None or other.disabled or other.agency != work.who.agency:
        raise not_there("person of your agency")
    if not access.may(access.of_person(other), "incident", "open", other.agency):
        raise bad_value(
            f"{other.full_name} is no dispatcher.", "Choose somebody who may open incidents."
        )
    changed = await work.connection.fetchval(
        "update incident_card set owner_id = $2"
        " where incident_id = $1 and owner_id is distinct from $2 returning 1",
        card.id,
        body.to,
    )
    if changed is None:
        if body.text.strip():
            await work.log(card.id, "note", {"text": body.text})
        return
    said = {"to": body.to, "to_name": other.full_name, "text": body.text}
    await work.log(card.id, "handed_over", said)


async def link(work: Work, body: Link) -> None:
    """Say that two incidents have to do with each other; both logs say so."""
    if body.incident == body.other:
        raise bad_value("An incident is not linked with itself.", "Choose another one.")
    first, second = sorted((body.incident, body.other))
    cards = [await worked_on(work, first), await seen(work, second)]
    made = await work.connection.fetchval(
        "insert into incident_link (incident_id, other_id, reason, author)"
        " values ($1, $2, $3, $4) on conflict do nothing returning 1",
        first,
        second,
        body.reason,
        work.who.address,
    )
    if made is not None:
        for card, other in (cards, cards[::-1]):
            said = {"incident": other.id, "number": other.number, "reason": body.reason}
            await work.log(card.id, "linked", said)


async def close(work: Work, body: Close) -> None:
    """Close an incident; what it opened to other agencies ends."""
    card = await _closable(work, body.incident)
    assigned = await work.connection.fetchval(
        "select count(*) from assignment where incident_id = $1 and ended_at is null", card.id
    )
    incidents.close(card.closed, assigned)
    await work.connection.execute("update incident set closed_at = now() where id = $1", card.id)
    await work.connection.execute(
        "update incident_card set outcome = $2 where incident_id = $1", card.id, body.outcome
    )
    withdrawn = await work.connection.fetch(
        "update invitation set answer = 'withdrawn', answered_at = now(), answered_by = $2"
        " where incident_id = $1 and answer is null returning id",
        card.id,
        work.who.address,
    )
    for row in withdrawn:
        work.touch("invitation", row["id"])
    work.shares = True
    await work.log(card.id, "closed", {"outcome": body.outcome, "text": body.text})


async def reopen(work: Work, body: Reopen) -> None:
    """Go on with a closed incident; who took part does so again."""
    card = await _closable(work, body.incident)
    incidents.reopen(card.closed)
    await work.connection.execute("update incident set closed_at = null where id = $1", card.id)
    await work.connection.execute(
        "update incident_card set outcome = null where incident_id = $1", card.id
    )
    work.shares = True
    await work.log(card.id, "reopened", {"reason": body.reason})


async def _closable(work: Work, incident: int) -> Card:
    card = await seen(work, incident)
    if not access.may_close_incident(work.who, card.agency, card.taking_part):
        raise not_allowed("close or reopen this incident")
    return card


def _need_owner_agency(work: Work, card: Card) -> None:
    """What an incident is, its own agency says; others write into its log."""
    if card.agency != work.who.agency:
        raise not_allowed("change an incident of another agency")


ACTIONS: Final = (
    Action("incident.open", Open, open_incident, Opened),
    Action("incident.change", Change, change),
    Action("incident.note", Note, note),
    Action("incident.check", Check, check),
    Action("incident.hand_over", HandOver, hand_over),
    Action("incident.link", Link, link),
    Action("incident.close", Close, close),
    Action("incident.reopen", Reopen, reopen),
)
