"""How the rows of boards are read: one statement for each kind, whole or for some ids.

What has ended stays on the board for :data:`KEPT`, so that nobody misses how it ended. A unit on
which nothing was ever said is available.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from dispatch.board import rows
from dispatch.domain import incidents
from dispatch.domain.statuses import Status
from psn import database

KEPT: Final = "interval '2 hours'"


def _ms(column: str, name: str) -> str:
    return f"(extract(epoch from {column}) * 1000)::bigint as {name}"


def _lonlat(column: str) -> str:
    return f"round(st_x({column}) * 1e7)::int as lon, round(st_y({column}) * 1e7)::int as lat"


@dataclass(frozen=True, slots=True)
class Selection:
    """How one kind is read."""

    word: str
    """First part of its addresses."""
    row: type[rows.Row]
    select: str
    """Up to its condition; columns are the row's fields."""
    key: str
    still: str
    """What is on the board."""


_STATUS: Final = """
    case when a.on_scene_at is not null then 'on_scene' when a.en_route_at is not null
         then 'en_route' when a.acknowledged_at is not null then 'acknowledged' else 'ordered' end
"""

SELECTIONS: Final = (
    Selection(
        "incident_type",
        rows.IncidentType,
        "select id, agency_id as agency, code, name, name_es, priority, checklist,"
        " plan, scene_minutes, contact_minutes from incident_type",
        "id",
        "retired_at is null",
    ),
    Selection(
        "station",
        rows.Station,
        f"select id, agency_id as agency, name, {_lonlat('point')} from station",
        "id",
        "retired_at is null",
    ),
    Selection(
        "call",
        rows.Call,
        f"""
        select c.id, c.agency_id as agency, c.number, c.line, c.state,
               {_ms("c.received_at", "received")}, c.caller_name, c.caller_number, c.place,
               {_lonlat("c.point")}, c.type_id as type, c.notes, c.taken_by,
               p.full_name as taken_by_name, {_ms("c.taken_at", "taken")},
               {_ms("c.ended_at", "ended")}, c.incident_id as incident, c.outcome
          from call c left join person p on p.id = c.taken_by
        """,
        "c.id",
        f"(c.ended_at is null or c.ended_at > now() - {KEPT})",
    ),
    Selection(
        "incident",
        rows.Incident,
        f"""
        select i.id, i.agency_id as agency, k.number, i.title, k.priority,
               {_ms("i.opened_at", "opened")}, k.type_id as type, t.name as type_name,
               t.name_es as type_name_es, k.place, {_lonlat("k.point")}, k.details,
               k.owner_id as owner, p.full_name as owner_name, k.checklist, k.log_head as log,
               {_ms("i.closed_at", "closed")}, k.outcome,
               array(select distinct m.agency_id from incident_member m
                      where m.incident_id = i.id and m.agency_id is not null
                        and m.starts_at <= now() and (m.ends_at is null or m.ends_at > now())
                      order by 1) as agencies,
               array(select a.unit_id from assignment a
                      where a.incident_id = i.id and a.ended_at is null order by a.id) as units,
               array(select case when l.incident_id = i.id then l.other_id else l.incident_id end
                       from incident_link l where i.id in (l.incident_id, l.other_id)
                      order by 1) as links,
               array(select {_STATUS} from assignment a
                      where a.incident_id = i.id and a.ended_at is null) as statuses
          from incident i join incident_card k on k.incident_id = i.id
          left join incident_type t on t.id = k.type_id
          left join person p on p.id = k.owner_id
        """,
        "i.id",
        f"(i.closed_at is null or i.closed_at > now() - {KEPT})",
    ),
    Selection(
        "assignment",
        rows.Assignment,
        f"""
        select a.id, a.incident_id as incident, a.unit_id as unit,
               a.agency_id as agency, a.order_id::text as "order", a.ordered_by,
               {_ms("a.ordered_at", "ordered")}, {_ms("a.sent_at", "sent")},
               {_ms("a.refused_at", "refused")}, a.refusal,
               {_ms("a.delivered_at", "delivered")}, {_ms("a.acknowledged_at", "acknowledged")},
               {_ms("a.en_route_at", "en_route")}, {_ms("a.on_scene_at", "on_scene")},
               {_ms("a.contact_at", "contact")}, {_ms("a.ended_at", "ended")}, a.outcome,
               a.place, {_lonlat("a.point")},
               m.state as sms, {_ms("m.at", "sms_at")}, m.problem as sms_problem
          from assignment a join incident i on i.id = a.incident_id
          left join lateral (
               select state, at, problem from order_sms where assignment_id = a.id
                order by id desc limit 1) m on true
        """,
        "a.id",
        f"(i.closed_at is null or i.closed_at > now() - {KEPT})",
    ),
    Selection(
        "unit",
        rows.Unit,
        f"""
        select u.id, coalesce(s.status, 'available') as status,
               {_ms("coalesce(s.since, u.created_at)", "since")},
               coalesce(s.source, '') as source, coalesce(s.note, '') as note,
               coalesce(f.capabilities, '{{}}') as capabilities, f.station_id as station,
               coalesce(h.crew, '[]') as crew, a.id as assignment, a.incident_id as incident
          from unit u left join unit_status s on s.unit_id = u.id
          left join unit_profile f on f.unit_id = u.id
          left join assignment a on a.unit_id = u.id and a.ended_at is null
          left join lateral (
               select crew from shift where unit_id = u.id and starts_at <= now()
                  and ends_at > now() order by starts_at desc limit 1) h on true
        """,
        "u.id",
        "u.retired_at is null",
    ),
    Selection(
        "telephone",
        rows.Telephone,
        "select u.id, u.agency_id as agency, f.telephone as number"
        " from unit u join unit_profile f on f.unit_id = u.id",
        "u.id",
        "u.retired_at is null and f.telephone is not null",
    ),
    Selection(
        "emergency",
        rows.Emergency,
        f"""
        select e.id, e.unit_id as unit, u.agency_id as agency, e.source,
               {_ms("e.raised_at", "raised")}, {_ms("e.said_at", "said")},
               {_ms("e.pressed_at", "pressed")}, e.presses,
               e.owner_id as owner, p.full_name as owner_name, p.agency_id as owner_agency,
               {_ms("e.owned_at", "owned")}, {_ms("e.unit_safe_at", "unit_safe")},
               {_ms("e.desk_safe_at", "desk_safe")}
          from emergency e join unit u on u.id = e.unit_id
          left join person p on p.id = e.owner_id
        """,
        "e.id",
        "e.ended_at is null",
    ),
    Selection(
        "emergency_place",
        rows.EmergencyPlace,
        f"select id, unit_id as unit, {_lonlat('point')} from emergency",
        "id",
        "ended_at is null and point is not null",
    ),
    Selection(
        "alarm",
        rows.Alarm,
        f"""
        select a.id, a.agency_id as agency, a.kind, a.about, a.level, a.details,
               {_ms("a.raised_at", "raised")}, a.taken_by, p.full_name as taken_by_name,
               {_ms("a.taken_at", "taken")}
          from alarm a left join person p on p.id = a.taken_by
        """,
        "a.id",
        "a.ended_at is null",
    ),
    Selection(
        "invitation",
        rows.Invitation,
        f"""
        select n.id, n.incident_id as incident, k.number as incident_number, i.title,
               k.place, k.priority, n.agency_id as agency, n.from_agency, n.text,
               {_ms("n.at", "at")}, n.answer, n.answer_text, {_ms("n.answered_at", "answered")}
          from invitation n join incident i on i.id = n.incident_id
          join incident_card k on k.incident_id = i.id
        """,
        "n.id",
        f"i.closed_at is null and (n.answer is null or n.answered_at > now() - {KEPT})",
    ),
    Selection(
        "lookout",
        rows.Lookout,
        f"""
        select id, agency_id as agency, number, subject, title,
               {_ms("issued_at", "issued")}, {_ms("until", "until")}, agencies, text, plate,
               {_lonlat("point")} from lookout
        """,
        "id",
        "ended_at is null and until > now()",
    ),
    Selection(
        "welfare",
        rows.WelfareCheck,
        f"""
        select id, unit_id as unit, agency_id as agency, every_seconds as every,
               {_ms("due_at", "due")}, incident_id as incident from welfare_check
        """,
        "id",
        "ended_at is null",
    ),
    Selection(
        "reminder",
        rows.Reminder,
        f"""
        select id, agency_id as agency, text, {_ms("due_at", "due")},
               person_id as person, incident_id as incident from reminder
        """,
        "id",
        "done_at is null",
    ),
)
"""In the order in which a board is read: what others name comes first."""
_JSON: Final = frozenset({"checklist", "plan", "crew", "details"})


async def read(
    connection: database.Connection, selection: Selection, ids: Iterable[int] | None = None
) -> list[rows.Row]:
    """Rows of one kind that are on the board: all, or those of ``ids``."""
    statement = f"{selection.select} where {selection.still}"
    if ids is None:
        found = await connection.fetch(f"{statement} order by {selection.key}")
    else:
        found = await connection.fetch(f"{statement} and {selection.key} = any($1)", list(ids))
    return [_row(selection, dict(each)) for each in found]


def _row(selection: Selection, columns: dict[str, object]) -> rows.Row:
    for name in _JSON & columns.keys():
        if isinstance(columns[name], str) and selection.row is not rows.Incident:
            columns[name] = msgspec.json.decode(str(columns[name]))
    if selection.row is rows.Incident:
        columns["checklist"] = msgspec.json.decode(str(columns["checklist"]))
        statuses = [Status(str(each)) for each in _texts(columns.pop("statuses"))]
        closed = columns["closed"] is not None
        columns["phase"] = str(incidents.phase(closed, statuses))
    return msgspec.convert(columns, selection.row)


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else []
