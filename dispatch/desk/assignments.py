"""Units sent to incidents: ordered, and what becomes of it (docs/domain.md, Assignments)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from dispatch.desk.cards import Card, locked_card, seen, worked_on
from dispatch.desk.raising import raise_alarm
from dispatch.desk.values import Id, Ids, Place, Reason, Text, Words
from dispatch.desk.work import Action, Work
from dispatch.domain.alarms import Kind
from dispatch.domain.refusals import (
    DispatchRefused,
    bad_value,
    in_emergency,
    not_allowed,
    not_now,
    not_there,
)
from dispatch.domain.statuses import SENDABLE, STEPS, Status
from psn import database
from psn.directory import Unit
from psn.wire import MAX_TEXT_CHARACTERS


class Assign(Struct, kw_only=True, omit_defaults=True):
    """Send units of the own agency; all of them, or, when one cannot be sent, none."""

    incident: Id
    units: Ids
    text: Text = ""
    place: Place = Place()
    """Where they go, when that is not where the incident is: a pier, a road block."""
    divert: bool = False
    """Also those that are on another incident; that one ends for them."""
    anyway: bool = False
    """Also those that are off duty or out of service."""
    knowing: Annotated[list[Id], Meta(max_length=50)] = []
    """Also these, of whom it was told that their own emergency is not over, and no others."""


class Assigned(Struct):
    """The assignments, in the order of the units."""

    assignments: list[int]


class Recall(Struct):
    """Call a unit back."""

    assignment: Id
    reason: Words


class SendAgain(Struct):
    """Send an order anew that the record refused."""

    assignment: Id


class Decline(Struct):
    """A crew cannot do what it was ordered."""

    assignment: Id
    reason: Reason


async def assign(work: Work, body: Assign) -> Assigned:
    """Send units; each gets its order, once, whatever dies in between."""
    work.own("incident", "open", "send units")
    if body.place.point() is not None and not body.place.text.strip():
        todo = "Say it in words too: some crews only hear it."
        raise bad_value("The place where they meet has no name.", todo)
    units = [work.own_unit(each) for each in dict.fromkeys(body.units)]
    former = await _former(work, units)
    # Cards in the order of their numbers, so that nobody waits for one who waits for him.
    cards: dict[int, Card] = {}
    for incident in sorted({body.incident, *former.values()} if body.divert else {body.incident}):
        if incident == body.incident:
            cards[incident] = await worked_on(work, incident)
        else:
            await locked_card(work, incident)
    card = cards[body.incident]
    statuses = await locked(work, [unit.id for unit in units])
    told: Any = await work.connection.fetchrow(
        "select priority, place, details from incident_card where incident_id = $1", card.id
    )
    await _need_safe(work, [unit for unit in units if unit.id not in body.knowing])
    for unit in sorted(units, key=lambda unit: unit.id):
        await _free(work, unit, statuses[unit.id], body)
    made = await _send(work, card, _order(card, told, body), units, body.place)
    work.orders = work.shares = True
    return Assigned([made[unit.id] for unit in units])


async def _former(work: Work, units: list[Unit]) -> dict[int, int]:
    """By unit: the incident it is on."""
    rows = await work.connection.fetch(
        "select unit_id, incident_id from assignment where unit_id = any($1) and ended_at is null",
        [unit.id for unit in units],
    )
    return {row["unit_id"]: row["incident_id"] for row in rows}


async def locked(work: Work, units: list[int]) -> dict[int, Status]:
    """What units are doing, each locked till the end; one of which nothing was said is available.

    Whoever changes what a unit does comes through here, so of two at once the second sees the
    first's.
    """
    ordered = sorted(set(units))
    rows = await work.connection.fetch(_LOCK, ordered)
    if len(rows) < len(ordered):
        await work.connection.execute(_AVAILABLE, ordered)
        rows = await work.connection.fetch(_LOCK, ordered)
    return {row["unit_id"]: Status(row["status"]) for row in rows}


_LOCK: Final = (
    "select unit_id, status from unit_status where unit_id = any($1) order by unit_id for update"
)
_AVAILABLE: Final = """
    insert into unit_status (unit_id, status, since, author, source)
    select u.id, 'available', u.created_at, '', '' from unit u where u.id = any($1) order by u.id
        on conflict do nothing
"""


async def _need_safe(work: Work, units: list[Unit]) -> None:
    """Raises ``unit_in_emergency`` for units whose own emergency is not over (DOM-ASG-12)."""
    rows = await work.connection.fetch(
        "select unit_id from emergency where unit_id = any($1) and ended_at is null",
        [unit.id for unit in units],
    )
    pressed = {row["unit_id"] for row in rows}
    told = [unit for unit in units if unit.id in pressed]
    if told:
        raise in_emergency([unit.callsign for unit in told], [unit.id for unit in told])


async def _free(work: Work, unit: Unit, status: Status, body: Assign) -> None:
    """See that a unit may be sent; ends what it was on when it is diverted."""
    if status in SENDABLE:
        return
    if status not in STEPS:
        if not body.anyway:
            raise not_now(
                f"{unit.callsign} is {status.replace('_', ' ')}.",
                "Choose another unit, or send it anyway.",
            )
        return
    row: Any = await work.connection.fetchrow(
        "select a.id, a.incident_id, k.number, a.ordered_by from assignment a"
        " join incident_card k on k.incident_id = a.incident_id"
        " where a.unit_id = $1 and a.ended_at is null",
        unit.id,
    )
    if row["incident_id"] == body.incident:
        text = f"{unit.callsign} is on this incident already."
        raise DispatchRefused("unit_taken", text, "Write to it, or choose another unit.")
    if not body.divert:
        by = work.directory.name(row["ordered_by"])
        text = f"{unit.callsign} was sent to {row['number']} by {by}."
        raise DispatchRefused("unit_taken", text, "Choose another unit, or divert this one.")
    await end(work, row["id"], unit.id, row["incident_id"], "diverted", f"to {body.incident}")


async def _send(
    work: Work, card: Card, order: str, units: list[Unit], place: Place
) -> dict[int, int]:
    """The assignments of units that are free, by unit; their cards and statuses are locked."""
    meeting = place.text.strip()
    rows = await work.connection.fetch(
        _SEND,
        card.id,
        [unit.id for unit in units],
        work.who.agency,
        order,
        work.who.address,
        meeting,
        place.point(),
        work.now,
    )
    made = {row["unit_id"]: row["id"] for row in rows}
    where = {"place": meeting} if meeting else {}
    told = [
        {"unit": unit.id, "callsign": unit.callsign, "assignment": made[unit.id], **where}
        for unit in units
    ]
    await work.log(card.id, "unit_ordered", *told)
    for unit, assignment in made.items():
        work.touch("assignment", assignment)
        work.touch("unit", unit)
    return made


_SEND: Final = """
    with members as (
        insert into incident_member (incident_id, unit_id, reason, author)
        select $1, unit, 'assigned', $5 from unnest($2::bigint[]) unit),
    history as (
        insert into unit_status_log (unit_id, status, said_at, author, source, note)
        select unit, 'ordered', $8, $5, 'order', '' from unnest($2) unit),
    statuses as (
        update unit_status
           set status = 'ordered', since = $8, author = $5, source = 'order', note = ''
         where unit_id = any($2))
    insert into assignment (incident_id, unit_id, agency_id, order_text, ordered_by, place, point)
    select $1, unit, $3, $4, $5, $6, st_geomfromewkt($7)
      from unnest($2) with ordinality as sent (unit, place_in_order) order by place_in_order
    returning id, unit_id
"""


def _order(card: Card, told: Any, body: Assign) -> str:
    """What the crew reads and hears. Raises ``bad_value`` when what is said to it is too long.

    ``told``: the incident's priority, place, and details.
    """
    meeting, text = body.place.text.strip(), body.text
    head = [
        f"{card.number} P{told['priority']} {card.title}",
        told["place"],
        f"Go to: {meeting}" if meeting else "",
    ]
    order = "\n".join(each for each in [*head, text or told["details"]] if each)
    if len(order) <= MAX_TEXT_CHARACTERS:
        return order
    if text:
        raise bad_value("The order is too long to be sent.", "Shorten it; details stay with you.")
    return order[: MAX_TEXT_CHARACTERS - len(_CUT)] + _CUT


_CUT: Final = "… (more is in the incident)"


async def set_status(
    work: Work, unit: int, status: Status, source: str, note: str = "", said: Any = None
) -> None:
    """Write what a unit is doing from now on (or from when it said), and into its history."""
    await work.connection.execute(
        _SET_STATUS, unit, status, said or work.now, work.who.address, source, note
    )
    work.touch("unit", unit)


_SET_STATUS: Final = """
    with history as (
        insert into unit_status_log (unit_id, status, said_at, author, source, note)
        values ($1, $2, $3, $4, $5, $6))
    update unit_status set status = $2, since = $3, author = $4, source = $5, note = $6
     where unit_id = $1
"""


async def end(
    work: Work,
    assignment: int,
    unit: int,
    incident: int,
    outcome: str,
    reason: str = "",
    said: datetime | None = None,
) -> None:
    """End an assignment: what it opened to other agencies ends, and the unit is free.

    The incident's card and the unit's status are locked by who calls. ``said``: when the crew says
    that it was; what others saw by it they saw until now all the same.
    """
    await work.connection.execute(
        "update assignment set ended_at = $3, outcome = $2, contact_at = now() where id = $1",
        assignment,
        outcome,
        said or work.now,
    )
    await work.connection.execute(
        "update incident_member set ends_at = now() where incident_id = $1 and unit_id = $2"
        " and (ends_at is null or ends_at > now())",
        incident,
        unit,
    )
    callsign = work.directory.units[unit].callsign
    details = {"unit": unit, "callsign": callsign, "outcome": outcome, "reason": reason}
    if said is not None and said < work.now:
        details["said"] = database.milliseconds(said)
    await work.log(incident, "unit_left", details)
    work.touch("assignment", assignment)
    work.touch("unit", unit)
    work.shares = True


async def live(work: Work, assignment: int) -> Any:
    """A live assignment of a unit of the own agency: card and status locked in that order."""
    row = await work.connection.fetchrow(
        "select incident_id, unit_id, agency_id from assignment where id = $1", assignment
    )
    if row is None or row["agency_id"] != work.who.agency:
        raise not_there("assignment")
    await locked_card(work, row["incident_id"])
    await locked(work, [row["unit_id"]])
    ended = await work.connection.fetchval(
        "select outcome from assignment where id = $1", assignment
    )
    if ended is not None:
        raise not_now(f"This assignment has ended: {ended}.", "Look at the unit's present one.")
    return row


async def recall(work: Work, body: Recall) -> None:
    """Call a unit back; the crew is told why by an order of its own."""
    work.own("incident", "open", "recall units")
    row = await live(work, body.assignment)
    card = await seen(work, row["incident_id"])
    await end(work, body.assignment, row["unit_id"], row["incident_id"], "recalled", body.reason)
    await work.connection.execute(
        "insert into unit_letter (unit_id, agency_id, text, author) values ($1, $2, $3, $4)",
        row["unit_id"],
        row["agency_id"],
        f"Called back from {card.number} {card.title}: {body.reason}",
        work.who.address,
    )
    work.orders = True
    await set_status(work, row["unit_id"], Status.AVAILABLE, "order")


async def send_again(work: Work, body: SendAgain) -> None:
    """Send the order anew under another id, which the record has not seen.

    The assignment and its times stay: the crew was ordered when it was ordered.
    """
    work.own("incident", "open", "send units")
    row = await live(work, body.assignment)
    refused = await work.connection.fetchval(_ANEW, body.assignment)
    if refused is None:
        raise not_now("This order needs no sending again.", "Look at how far it is.")
    callsign = work.directory.units[row["unit_id"]].callsign
    said = {"unit": row["unit_id"], "callsign": callsign, "assignment": body.assignment}
    await work.log(row["incident_id"], "unit_ordered", said | {"again": True})
    work.orders = True
    work.touch("assignment", body.assignment)


_ANEW: Final = """
    update assignment set order_id = gen_random_uuid(), refused_at = null, refusal = null
     where id = $1 and refused_at is not null
       and num_nonnulls(acknowledged_at, en_route_at, on_scene_at) = 0 returning id
"""


async def decline(work: Work, body: Decline) -> None:
    """The crew cannot: the dispatcher is told at once."""
    row = await live(work, body.assignment)
    if work.who.unit != row["unit_id"]:
        raise not_allowed("decline for another unit; recall it instead")
    await end(work, body.assignment, row["unit_id"], row["incident_id"], "declined", body.reason)
    await set_status(work, row["unit_id"], Status.AVAILABLE, "tablet")
    about = f"assignment:{body.assignment}"
    said = {"unit": row["unit_id"], "incident": row["incident_id"], "reason": body.reason}
    await raise_alarm(work, row["agency_id"], Kind.ORDER_DECLINED, about, said)


ACTIONS: Final = (
    Action("incident.assign", Assign, assign, Assigned),
    Action("assignment.recall", Recall, recall),
    Action("assignment.send_again", SendAgain, send_again),
    Action("assignment.decline", Decline, decline),
)
