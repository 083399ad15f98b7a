"""Whom a message has reached: by channel and district, from what was written down of it.

A recipient whose SMS has several parts is as well off as the worst of them. That something was
handed over, or shown, says not that it was read; what is confirmed or has a receipt does more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from psn import database

SCREENS: Final = "screens"
STATES: Final = ("waiting", "handed", "delivered", "failed", "uncertain", "dropped")


class Line(Struct, kw_only=True):
    """One channel in one district (ISO 3166-2; none: nobody knows where, or everywhere).

    ``total`` are recipients, of screens sessions and units; each of them counts in one of
    ``waiting``, ``handed``, ``delivered``, ``failed``, ``uncertain``, ``dropped``, or of screens in
    ``missed``. ``submissions`` are what was handed over, and ``cost`` what that cost, in the
    operator's currency.
    """

    channel: str
    district: str | None
    total: int = 0
    waiting: int = 0
    handed: int = 0
    delivered: int = 0
    failed: int = 0
    uncertain: int = 0
    dropped: int = 0
    confirmed: int = 0
    missed: int = 0
    """Units inside its area that were shown nothing."""
    submissions: int = 0
    cost: float = 0.0


class Report(Struct):
    """Whom a message has reached; ``alone`` says why one person approved his own words.

    ``people``: who live in its area, an estimate (:mod:`geo.people`).
    """

    message: int
    alone: str | None
    lines: list[Line]
    confirmed_sessions: int
    confirmed_units: int
    confirmed_people: int
    people: int | None = None


async def of(
    connection: database.Connection, message: int, missed: Mapping[str | None, int]
) -> Report:
    """The report of a message; ``missed``: units that were shown nothing, by district."""
    told = [
        Line(channel=row["channel"], **{k: row[k] for k in _NUMBERS})
        for row in await connection.fetch(_DELIVERIES, message)
    ]
    shown = {
        row["district"]: Line(channel=SCREENS, **dict(row))
        for row in await connection.fetch(_SHOWN, message)
    }
    for district, count in missed.items():
        line = shown.setdefault(district, Line(channel=SCREENS, district=district))
        line.missed += count
        line.total += count
    counts = await connection.fetchrow(_CONFIRMED, message)
    assert counts is not None
    lines = [*shown.values(), *told]
    lines.sort(key=lambda line: (line.channel, line.district or "~"))
    return Report(message, counts["alone"], lines, *list(counts)[1:])


async def shown_units(connection: database.Connection, message: int) -> set[int]:
    """Units whose connections were handed a message."""
    rows = await connection.fetch(
        "select distinct substr(address, 6)::int as unit from warning_shown"
        " where message_id = $1 and address like 'unit:%'",
        message,
    )
    return {row["unit"] for row in rows}


def as_csv(lines: Iterable[Line]) -> bytes:
    """The lines as a table."""
    columns = Line.__struct_fields__
    rows = [",".join(columns)]
    rows += [",".join(_cell(getattr(line, each)) for each in columns) for line in lines]
    return ("\r\n".join(rows) + "\r\n").encode()


async def recipients_csv(connection: database.Connection, message: int) -> bytes:
    """What became of each recipient, as a table."""
    columns = ("channel", "address", "district", "language", "part", "state", "at", "problem")
    rows = [",".join(columns)]
    for row in await connection.fetch(_RECIPIENTS, message):
        rows.append(",".join(_cell(row[each]) for each in columns))
    return ("\r\n".join(rows) + "\r\n").encode()


def _cell(value: object) -> str:
    """A cell that no program takes for a formula (RFC 4180)."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    text = str(value)
    if text[:1] in "=@\t\r" or (text[:1] in "+-" and not text[1:].isdecimal()):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text


_NUMBERS: Final = ("district", "total", *STATES, "submissions", "cost")
_DELIVERIES: Final = """
    with recipient as (
        select channel, district, recipient_id,
               case when bool_or(state = 'failed') then 'failed'
                    when bool_or(state = 'uncertain') then 'uncertain'
                    when bool_or(state = 'dropped') then 'dropped'
                    when bool_or(state in ('waiting', 'handing')) then 'waiting'
                    when bool_or(state = 'handed') then 'handed'
                    else 'delivered' end as state,
               count(*) filter (where handed_at is not null) as submissions,
               sum(price) as cost
          from warning_delivery where message_id = $1
         group by channel, district, recipient_id)
    select channel, district, count(*)::int as total,
           count(*) filter (where state = 'waiting')::int as waiting,
           count(*) filter (where state = 'handed')::int as handed,
           count(*) filter (where state = 'delivered')::int as delivered,
           count(*) filter (where state = 'failed')::int as failed,
           count(*) filter (where state = 'uncertain')::int as uncertain,
           count(*) filter (where state = 'dropped')::int as dropped,
           coalesce(sum(submissions), 0)::int as submissions,
           coalesce(sum(cost), 0)::float as cost
      from recipient group by channel, district
"""
_SHOWN: Final = """
    select district, count(*)::int as total, count(*)::int as handed,
           count(confirmed_at)::int as confirmed
      from warning_shown where message_id = $1 group by district
"""
_CONFIRMED: Final = """
    select m.alone, count(s.confirmed_at)::int as sessions,
           count(distinct s.address) filter (where s.confirmed_at is not null
                                               and s.address like 'unit:%')::int as units,
           count(distinct s.address) filter (where s.confirmed_at is not null
                                               and s.address like 'person:%')::int as people
      from warning_message m left join warning_shown s on s.message_id = m.id
     where m.id = $1 group by m.id, m.alone
"""
_RECIPIENTS: Final = """
    select channel, address, district, language, part, state,
           to_char(coalesce(ended_at, handed_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
               as at, problem
      from warning_delivery where message_id = $1 order by id
"""
