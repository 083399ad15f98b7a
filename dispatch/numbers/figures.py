"""Figures from the database: one query each, over a period, of one agency.

What may be measured stands in ``dispatch.numbers.intervals``; the queries are made from it.
Sorting is left to the database, so that what comes here is ready to be counted off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal

import asyncpg
import shapely

from dispatch.numbers.intervals import CALL_TO_DISPATCH, OF_ASSIGNMENTS, Interval
from dispatch.numbers.period import Period
from dispatch.numbers.summaries import Series
from geo import belize
from psn import database

By = Literal["agency", "district", "priority", "type"]

UNPLACED: Final = "unplaced"
"""Group of incidents that have no place on the map."""
ELSEWHERE: Final = "elsewhere"
"""Group of incidents at sea or abroad: in no district."""
UNTYPED: Final = "untyped"
FOREIGN: Final = "foreign"
"""Group of another agency's incidents, whose types are its own."""

_MARGIN_DEGREES: Final = 0.022
"""More than :data:`geo.belize.SHORE_M` in every direction, to look only at what is near."""

_KEYS: Final = {
    "agency": "$1::int::text",
    "priority": "k.priority::text",
    "type": f"case when k.agency_id <> $1 then '{FOREIGN}'"
    f" else coalesce(k.type_id::text, '{UNTYPED}') end",
}

# One row for each group and priority. Each "offset 0" keeps what is below it from being worked out
# again at every place where it is used.
_SERIES: Final = """
    select key, priority, {sums}
      from (select key, priority, {spans} from ({rows} offset 0) r offset 0) t
     group by key, priority
"""

_SPAN: Final = """
    round(date_part('epoch', {end} - {begin}) * 1000)::bigint as {name}_took,
    case when {begin} is not null and {end} is null and not {past}
         then greatest(0, round(date_part('epoch', $4 - {begin}) * 1000))::bigint
     end as {name}_runs,
    {begin} is not null or {end} is not null or {past} as {name}_there
"""

_SUM: Final = """
    coalesce(array_agg({name}_took order by {name}_took) filter (where {name}_took >= 0), '{{}}')
        as {name}_took,
    coalesce(array_agg({name}_runs order by {name}_runs) filter (where {name}_runs >= 0), '{{}}')
        as {name}_runs,
    count(*) filter (where {name}_there and {name}_runs is null
                       and ({name}_took is null or {name}_took < 0)) as {name}_unmeasured
"""

# Of incidents that were pruned there are figures alone (``psn.schema.figures``).
_ASSIGNMENTS: Final = """
    select k.ordered_at, k.acknowledged_at, k.en_route_at, k.on_scene_at, k.ended_at, k.priority,
           {key} as key
      from (select a.agency_id as unit_agency, a.ordered_at, a.acknowledged_at, a.en_route_at,
                   a.on_scene_at, a.ended_at, i.agency_id, d.priority, d.type_id, d.point
              from assignment a join incident i on i.id = a.incident_id
              join incident_card d on d.incident_id = a.incident_id
             union all
            select a.agency_id, a.ordered_at, a.acknowledged_at, a.en_route_at,
                   a.on_scene_at, a.ended_at, i.agency_id, i.priority, i.type_id, i.point
              from assignment_figure a join incident_figure i on i.id = a.figure_id) k
     where k.unit_agency = $1 and k.ordered_at >= $2 and k.ordered_at < $3
"""

_INCIDENTS: Final = """
    select k.asked_at, k.sent_at, k.closed_at, k.priority, {key} as key
      from (select i.agency_id, i.opened_at, i.closed_at, d.priority, d.type_id, d.point,
                   coalesce(
                       (select min(c.received_at) from call c
                         where c.incident_id = i.id and c.state = 'incident'), i.opened_at)
                       as asked_at,
                   (select min(a.ordered_at) from assignment a where a.incident_id = i.id)
                       as sent_at
              from incident i join incident_card d on d.incident_id = i.id
             union all
            select i.agency_id, i.opened_at, i.closed_at, i.priority, i.type_id, i.point,
                   i.asked_at, i.sent_at
              from incident_figure i) k
     where k.agency_id = $1 and k.opened_at >= $2 and k.opened_at < $3
"""

# Far from here the grid has no meaning, so what lies there is only counted.
_CELLS: Final = """
    with placed as (
        select case when k.point && st_makeenvelope($4, $5, $6, $7, 4326)
                    then st_transform(k.point, 32616) end as grid, k.point is not null as there
          from (select i.agency_id, i.opened_at, d.point
                  from incident i join incident_card d on d.incident_id = i.id
                 union all
                select i.agency_id, i.opened_at, i.point from incident_figure i) k
         where k.agency_id = $1 and k.opened_at >= $2 and k.opened_at < $3)
    select floor(st_x(grid) / 1000)::int as east, floor(st_y(grid) / 1000)::int as north, there,
           count(*) as incidents
      from placed group by 1, 2, 3 order by incidents desc, east, north
"""

_NETWORK: Final = """
    select (select count(distinct coalesce(p.agency_id, d.agency_id)) from session s
              left join person p on p.id = s.person_id left join device d on d.id = s.device_id
             where s.created_at < $2 and coalesce(s.ended_at, s.ends_at) > $1) as agencies,
           (select count(*) from incident i
             where i.opened_at >= $1 and i.opened_at < $2
               and exists (select from incident_member m
                            where m.incident_id = i.id and m.agency_id <> i.agency_id))
           + (select count(*) from incident_figure i
               where i.opened_at >= $1 and i.opened_at < $2 and i.shared) as cross_agency
"""

_TYPES: Final = "select id, name, name_es from incident_type where agency_id = $1 order by name, id"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Rows with times in them, and the intervals that these make."""

    rows: str
    intervals: tuple[Interval, ...]

    def query(self, by: By) -> str:
        """Of an agency, from when until when, now: the series by group and priority."""
        key = _district() if by == "district" else _KEYS[by]
        return _SERIES.format(
            rows=self.rows.format(key=key),
            spans=", ".join(_span(each) for each in self.intervals),
            sums=", ".join(_SUM.format(name=each.name) for each in self.intervals),
        )


def _span(interval: Interval) -> str:
    past = f"(num_nonnulls({', '.join(interval.past)}) > 0)" if interval.past else "false"
    return _SPAN.format(name=interval.name, begin=interval.begin, end=interval.end, past=past)


@dataclass(frozen=True, slots=True)
class Cell:
    """A square kilometre: east and north of its south-west corner in kilometres of UTM 16N."""

    east: int
    north: int
    incidents: int


@dataclass(frozen=True, slots=True)
class Heat:
    """Where incidents were: in squares, far from the country, or nowhere that was said."""

    cells: list[Cell]
    elsewhere: int
    unplaced: int


async def assignments(
    connection: database.Connection, agency: int, period: Period, by: By, now: datetime
) -> list[Series]:
    """How long the steps of assignments took that were ordered in the period."""
    wanted = _Wanted(_ASSIGNMENTS, OF_ASSIGNMENTS)
    return await _series(connection, wanted, agency, period, by, now)


async def incidents(
    connection: database.Connection, agency: int, period: Period, by: By, now: datetime
) -> list[Series]:
    """How long it took to send somebody to the agency's incidents opened in the period."""
    wanted = _Wanted(_INCIDENTS, (CALL_TO_DISPATCH,))
    return await _series(connection, wanted, agency, period, by, now)


async def heat(connection: database.Connection, agency: int, period: Period) -> Heat:
    """Where the agency's incidents were that were opened in the period."""
    west, south, east, north = belize.BOUNDS
    around = belize.AROUND_DEGREES
    rows = await connection.fetch(
        _CELLS, *_within(agency, period),
        west - around, south - around, east + around, north + around,
    )  # fmt: skip
    others = [row for row in rows if row["east"] is None]
    return Heat(
        [Cell(r["east"], r["north"], r["incidents"]) for r in rows if r["east"] is not None],
        sum(row["incidents"] for row in others if row["there"]),
        sum(row["incidents"] for row in others if not row["there"]),
    )


async def network(connection: database.Connection, period: Period) -> tuple[int, int]:
    """Agencies of which somebody was signed in during the period, and incidents that were opened
    in it in which more than one agency took part; of the whole network.
    """
    row: Any = await connection.fetchrow(
        _NETWORK, database.moment(period.begin), database.moment(period.end)
    )
    return row["agencies"], row["cross_agency"]


async def types(connection: database.Connection, agency: int) -> dict[str, tuple[str, str]]:
    """Names of an agency's types of incidents, English and Spanish, by group; in order of name."""
    rows: list[asyncpg.Record] = await connection.fetch(_TYPES, agency)
    return {str(row["id"]): (row["name"], row["name_es"]) for row in rows}


def _within(agency: int, period: Period) -> tuple[int, datetime, datetime]:
    return agency, database.moment(period.begin), database.moment(period.end)


async def _series(
    connection: database.Connection,
    wanted: _Wanted,
    agency: int,
    period: Period,
    by: By,
    now: datetime,
) -> list[Series]:
    rows = await connection.fetch(wanted.query(by), *_within(agency, period), now)
    return [
        Series(
            each.name,
            row["key"],
            row["priority"],
            row[f"{each.name}_took"],
            row[f"{each.name}_runs"],
            row[f"{each.name}_unmeasured"],
        )
        for row in rows
        for each in wanted.intervals
    ]


@cache
def _district() -> str:
    """The district of ``k.point`` in SQL, as :func:`geo.belize.district_of` has it.

    The shapes stand in the query as what they are, and each is asked at a place of its own, so
    that PostGIS prepares it once and not for every row.
    """
    shapes = {each.code: _written(each.shape) for each in belize.districts()}
    inside = " ".join(
        f"when st_intersects({shape}, k.point) then '{code}'" for code, shape in shapes.items()
    )
    near = ", ".join(f"('{code}', {shape})" for code, shape in shapes.items())
    nearest = (
        f"select d.code from (values {near}) d (code, shape) cross join lateral"
        " (select st_distancesphere(st_closestpoint(d.shape, k.point), k.point) as metres) m"
        f" where m.metres <= {belize.SHORE_M} order by m.metres, d.code limit 1"
    )
    land = shapely.unary_union([each.shape for each in belize.districts()])
    around = _written(land.buffer(_MARGIN_DEGREES))
    return (
        f"case when k.point is null then '{UNPLACED}' {inside}"
        f" when st_intersects({around}, k.point) then coalesce(({nearest}), '{ELSEWHERE}')"
        f" else '{ELSEWHERE}' end"
    )


def _written(shape: shapely.Geometry) -> str:
    hexadecimal = shapely.to_wkb(shapely.set_srid(shape, 4326), hex=True, include_srid=True)
    return f"'{hexadecimal}'::geometry"
