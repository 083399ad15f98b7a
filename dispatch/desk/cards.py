"""The card of an incident, locked while something is done to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from dispatch.desk.types import own_type
from dispatch.desk.work import Work
from dispatch.domain import incidents
from dispatch.domain.refusals import not_allowed, not_there
from psn import access


@dataclass(frozen=True, slots=True)
class Card:
    """An incident as it is while its card is locked."""

    id: int
    number: str
    agency: int
    title: str
    closed: bool
    taking_part: frozenset[int]


async def locked_card(work: Work, incident: int) -> None:
    """Lock an incident's card till the end, and nothing beside it: what is read then is of now.

    Everyone who changes something of an incident comes through here first. With the incident's own
    row locked as well, who writes into the log would wait for who waits for him.
    """
    await work.connection.fetchval(
        "select 1 from incident_card where incident_id = $1 for update", incident
    )


async def seen(work: Work, incident: int) -> Card:
    """The incident, its card locked till the end; raises ``not_found`` where it is not shown."""
    await locked_card(work, incident)
    row = await work.connection.fetchrow(_CARD, incident)
    if row is None:
        raise not_there("incident")
    taking_part = frozenset(row["taking_part"])
    if not access.may_see_incident(work.who, row["agency_id"], taking_part):
        raise not_there("incident")
    return Card(incident, row["number"], row["agency_id"], row["title"], row["closed"], taking_part)


async def worked_on(work: Work, incident: int) -> Card:
    """An open incident that who asks may work on; raises :class:`DispatchRefused`."""
    card = await seen(work, incident)
    if not access.may_work_on_incident(work.who, card.agency, card.taking_part):
        raise not_allowed("work on incidents")
    incidents.need_open(card.closed)
    return card


async def open_card(
    work: Work,
    *,
    title: str,
    type_id: int | None,
    priority: int | None,
    place: str,
    point: bytes | str | None,
    details: str,
) -> tuple[int, str]:
    """A new incident of the agency of who asks, who answers for it: its id and number.

    ``point``: as PostGIS reads it, or as it gave it; the type, when there is one, gives the
    checklist, and the priority when none is said.
    """
    agency = work.who.agency
    checklist: list[dict[str, object]] = []
    if type_id is not None:
        kind = await own_type(work, type_id)
        checklist = [{"text": each, "done": None, "by": None} for each in kind["checklist"]]
        priority = kind["priority"] if priority is None else priority
    incident: int = await work.connection.fetchval(
        "insert into incident (agency_id, title, opened_by) values ($1, $2, $3) returning id",
        agency,
        title,
        work.who.address,
    )
    geometry = "st_geomfromewkt($6)" if isinstance(point, str) else "$6::geometry"
    number: str = await work.connection.fetchval(
        "update incident_card set type_id = $2, priority = coalesce($3, 3), place = $4,"
        f" details = $5, point = {geometry}, owner_id = $7, checklist = $8"
        " where incident_id = $1 returning number",
        incident,
        type_id,
        priority,
        place,
        details,
        point,
        work.who.person,
        msgspec.json.encode(checklist).decode(),
    )
    await take_part(work, incident, agency, "opened it")
    said = {"title": title, "type": type_id, "priority": priority, "place": place}
    await work.log(incident, "opened", said)
    return incident, number


async def take_part(work: Work, incident: int, agency: int, reason: str) -> None:
    """An agency takes part from now on; nothing when it does."""
    await work.connection.execute(
        "insert into incident_member (incident_id, agency_id, reason, author)"
        " select $1, $2, $3, $4 where not exists (select from incident_member where"
        " incident_id = $1 and agency_id = $2 and (ends_at is null or ends_at > now()))",
        incident,
        agency,
        reason,
        work.who.address,
    )
    work.shares = True
    work.touch("incident", incident)


_CARD: Final = """
    select i.agency_id, i.title, i.closed_at is not null as closed, k.number,
           array(select m.agency_id from incident_member m
                  where m.incident_id = i.id and m.agency_id is not null and m.starts_at <= now()
                    and (m.ends_at is null or m.ends_at > now())) as taking_part
      from incident i join incident_card k on k.incident_id = i.id where i.id = $1
"""
