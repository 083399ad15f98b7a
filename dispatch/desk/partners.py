"""Other agencies at an incident: asked, and taking part until they leave.

Nobody orders another agency's units: he asks it, and its own dispatcher sends them.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct

from dispatch.desk.cards import locked_card, seen, take_part, worked_on
from dispatch.desk.raising import raise_alarm
from dispatch.desk.values import Id, Said, Text
from dispatch.desk.work import Action, Made, Work
from dispatch.domain import incidents
from dispatch.domain.alarms import Kind
from dispatch.domain.refusals import bad_value, not_now, not_there


class Invite(Struct):
    """Ask another agency to take part, for what is said."""

    incident: Id
    agency: Id
    text: Said


class Answer(Struct):
    """Accept, decline, or offer something else, in words."""

    invitation: Id
    answer: Literal["accepted", "declined", "offered"]
    text: Text = ""


class Which(Struct):
    """An invitation."""

    invitation: Id


class Leave(Struct):
    """The own agency takes part no more."""

    incident: Id
    text: Text = ""


async def invite(work: Work, body: Invite) -> Made:
    """Ask an agency; it sees what it is asked for, and nothing else before it accepts."""
    card = await worked_on(work, body.incident)
    work.own("incident", "open", "ask other agencies")
    asked = work.directory.agencies.get(body.agency)
    if asked is None or body.agency == work.who.agency:
        raise bad_value("That is no other agency.", "Choose one of the other agencies.")
    if body.agency in card.taking_part:
        raise not_now(f"{asked.name} takes part already.", "Write into the log what is needed.")
    number = await work.connection.fetchval(
        "insert into invitation (incident_id, agency_id, from_agency, text, author)"
        " values ($1, $2, $3, $4, $5) on conflict do nothing returning id",
        card.id,
        body.agency,
        work.who.agency,
        body.text,
        work.who.address,
    )
    if number is None:
        raise not_now(f"{asked.name} has been asked already.", "Wait for its answer, or call it.")
    work.touch("invitation", number)
    await work.log(card.id, "invited", {"agency": body.agency, "text": body.text})
    return Made(number)


async def answer(work: Work, body: Answer) -> None:
    """Answer for the own agency; with ``accepted`` it takes part from now on."""
    agency = work.own("incident", "open", "answer for your agency")
    row = await _open(work, body.invitation)
    if row["agency_id"] != agency:
        raise not_there("invitation")
    if body.answer == "offered" and not body.text.strip():
        raise bad_value("An offer says what is offered.", "Write what you can do instead.")
    await work.connection.execute(
        "update invitation set answer = $2, answer_text = $3, answered_at = now(),"
        " answered_by = $4 where id = $1",
        body.invitation,
        body.answer,
        body.text,
        work.who.address,
    )
    work.touch("invitation", body.invitation)
    if body.answer == "accepted":
        await take_part(work, row["incident_id"], agency, f"asked: {row['text']}"[:500])
    said = {"agency": agency, "answer": body.answer, "text": body.text}
    await work.log(row["incident_id"], "answered", said)
    await raise_alarm(
        work,
        row["from_agency"],
        Kind.INVITATION_ANSWERED,
        f"invitation:{body.invitation}",
        {"incident": row["incident_id"], **said},
    )


async def withdraw(work: Work, body: Which) -> None:
    """Ask no more."""
    row = await _open(work, body.invitation)
    if row["from_agency"] != work.own("incident", "open", "ask other agencies"):
        raise not_there("invitation")
    await work.connection.execute(
        "update invitation set answer = 'withdrawn', answered_at = now(), answered_by = $2"
        " where id = $1",
        body.invitation,
        work.who.address,
    )
    work.touch("invitation", body.invitation)
    await work.log(row["incident_id"], "withdrawn", {"agency": row["agency_id"]})


async def _open(work: Work, invitation: int) -> Any:
    """An invitation without an answer, its incident's card locked before it."""
    incident = await work.connection.fetchval(
        "select incident_id from invitation where id = $1", invitation
    )
    if incident is None:
        raise not_there("invitation")
    await locked_card(work, incident)
    closed = await work.connection.fetchval(
        "select closed_at is not null from incident where id = $1", incident
    )
    row: Any = await work.connection.fetchrow(
        "select * from invitation where id = $1 for update", invitation
    )
    if work.who.agency not in (row["agency_id"], row["from_agency"]):
        raise not_there("invitation")
    if row["answer"] is not None:
        raise not_now("This invitation has been answered.", "Look into the incident's log.")
    incidents.need_open(closed)
    return row


async def leave(work: Work, body: Leave) -> None:
    """End the own agency's part; its units must be clear."""
    card = await seen(work, body.incident)
    agency = work.own("incident", "open", "end your agency's part")
    if card.agency == agency:
        raise not_now("This incident is your agency's own.", "Hand it over, or close it.")
    if await work.connection.fetchval(
        "select count(*) from assignment where incident_id = $1 and agency_id = $2"
        " and ended_at is null",
        card.id,
        agency,
    ):
        raise not_now("Units of yours are still assigned.", "Clear or recall them first.")
    await work.log(card.id, "left", {"agency": agency, "text": body.text})
    await work.connection.execute(
        "update incident_member set ends_at = now() where incident_id = $1 and agency_id = $2"
        " and (ends_at is null or ends_at > now())",
        card.id,
        agency,
    )
    work.shares = True


ACTIONS: Final = (
    Action("incident.invite", Invite, invite, Made),
    Action("invitation.answer", Answer, answer),
    Action("invitation.withdraw", Which, withdraw),
    Action("incident.leave", Leave, leave),
)
