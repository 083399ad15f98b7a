"""What the database knows of places: candidates for a name, marks of a road, what is around."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import asyncpg

from dispatch.locating.ranking import Fit, Place, Ranked, ranked, road_meant
from geo.coordinates import geodesic_m
from geo.gazetteer import folded, road_named
from psn import database

MOST_CANDIDATES: Final = 80
"""Looked at by :mod:`dispatch.locating.ranking`; the database puts the likeliest first."""
FEW: Final = 5
"""When fewer places than these have the words that were typed, and none is called so, likeness is
looked for."""
MOST_WORDS: Final = 8
"""Of what was typed; further ones change nothing."""
WIDEST_GAP_MILES: Final = 2.0
"""Between two mile markers further apart than this nothing is reckoned."""

_VISIBLE: Final = "p.retired_at IS NULL AND (p.agency_id IS NULL OR p.agency_id = $1)"
_COLUMNS: Final = (
    "p.id, p.agency_id, p.name, p.kind, p.other_names, p.district, p.population,"
    " ST_X(p.point) AS lon, ST_Y(p.point) AS lat"
)
_NEAR: Final = "p.point <-> ST_SetSRID(ST_MakePoint($3, $4), 4326)"
_WORDS: Final = f"""
    SELECT {_COLUMNS} FROM place p
     WHERE {_VISIBLE} AND {{words}}
     ORDER BY p.search NOT LIKE ' ' || $2 || '%', similarity($2, p.name) DESC,
              p.agency_id IS NULL, p.population DESC, {_NEAR}, p.id
     LIMIT {MOST_CANDIDATES}
"""
_LIKE: Final = f"""
    SELECT {_COLUMNS} FROM place p
     WHERE {_VISIBLE} AND $2 <% p.search
     ORDER BY word_similarity($2, p.search) DESC, similarity($2, p.name) DESC,
              p.agency_id IS NULL, p.population DESC, {_NEAR}, p.id
     LIMIT {MOST_CANDIDATES}
"""
# The planner takes comparing by trigrams for as cheap as comparing numbers, and would read all.
_ALIKE: Final = """
    SELECT set_config('pg_trgm.word_similarity_threshold', $1, true),
           set_config('enable_seqscan', 'off', true)
"""
_ROADS: Final = f"SELECT DISTINCT p.road FROM place p WHERE {_VISIBLE} AND p.road IS NOT NULL"
_AROUND_MILE: Final = f"""
    (SELECT {_COLUMNS}, p.mile FROM place p
      WHERE {_VISIBLE} AND p.road = $2 AND p.mile <= $3
      ORDER BY p.mile DESC, p.agency_id NULLS LAST LIMIT 1)
    UNION ALL
    (SELECT {_COLUMNS}, p.mile FROM place p
      WHERE {_VISIBLE} AND p.road = $2 AND p.mile > $3
      ORDER BY p.mile, p.agency_id NULLS LAST LIMIT 1)
"""
_NEAREST: Final = f"""
    SELECT {_COLUMNS} FROM place p
     WHERE {_VISIBLE} AND (p.kind IN ('mark', 'mile_marker')) = $4
     ORDER BY p.point <-> ST_SetSRID(ST_MakePoint($2, $3), 4326) LIMIT 4
"""
_FAR_FROM_ALL: Final = (0.0, -90.0)
"""Where nothing is nearer than anything else that matters here."""


class Marked(NamedTuple):
    """Where a mile of a road is."""

    road: str
    lon: float
    lat: float
    precision_m: float
    reason: str
    place: Place | None
    """The marker itself, when one stands there."""


async def named(
    connection: database.Connection, agency: int, typed: str, near: tuple[float, float] | None
) -> list[Ranked]:
    """Places of a name that an agency may see, best first.

    Args:
        connection: to the database.
        agency: whose own places count beside everybody's.
        typed: the name, as somebody wrote it.
        near: longitude and latitude in degrees from where it is asked.
    """
    wanted = folded(typed)
    if not wanted:
        return []
    here = near or _FAR_FROM_ALL
    words = [f"% {word}%" for word in wanted.split()[:MOST_WORDS]]
    having = " AND ".join(f"p.search LIKE ${n}" for n in range(5, 5 + len(words)))
    statement = _WORDS.format(words=having)
    rows = await connection.fetch(statement, agency, wanted, *here, *words)
    places = {row["id"]: _place(row) for row in rows}
    found = ranked(typed, places.values(), agency, near)
    if len(found) < FEW and not (found and found[0].fit <= Fit.WHOLE):
        for threshold in _thresholds(wanted):
            async with connection.transaction(readonly=True):
                await connection.execute(_ALIKE, threshold)
                rows = await connection.fetch(_LIKE, agency, wanted, *here)
            places |= {row["id"]: _place(row) for row in rows}
            found = ranked(typed, places.values(), agency, near)
            if found:
                break
    return found


def _thresholds(wanted: str) -> tuple[str, ...]:
    """pg_trgm.word_similarity_threshold: one wrong letter spoils more of a short word.

    The lower one reads more and is for what is like nothing else: names written as they sound.
    """
    return ("0.5" if len(wanted) > 6 else "0.35", "0.2")


async def marked(
    connection: database.Connection, agency: int, road: str, mile: float
) -> Marked | None:
    """Where a mile of a road is: at its marker, or on the way between two; None: nobody knows."""
    roads = [row["road"] for row in await connection.fetch(_ROADS, agency)]
    meant = road_meant(road_named(road), roads)
    if meant is None:
        return None
    rows = await connection.fetch(_AROUND_MILE, agency, meant, mile)
    if rows and abs(rows[0]["mile"] - mile) < 0.005:
        there = _place(rows[0])
        reason = f"mile marker {rows[0]['mile']:g} of {meant}"
        return Marked(meant, there.lon, there.lat, 10.0, reason, there)
    return _between(meant, mile, rows) if len(rows) == 2 else None


def _between(road: str, mile: float, rows: list[asyncpg.Record]) -> Marked | None:
    """On a straight line between two markers: how much the road bends there is not known."""
    before, after = rows
    gap = after["mile"] - before["mile"]
    if gap > WIDEST_GAP_MILES:
        return None
    part = (mile - before["mile"]) / gap
    lon = before["lon"] + part * (after["lon"] - before["lon"])
    lat = before["lat"] + part * (after["lat"] - before["lat"])
    straight = geodesic_m(before["lon"], before["lat"], after["lon"], after["lat"])
    reason = f"reckoned between mile {before['mile']:g} and mile {after['mile']:g} of {road}"
    return Marked(road, lon, lat, max(50.0, straight / 10), reason, None)


async def nearest(
    connection: database.Connection, agency: int, lon: float, lat: float, marks: bool
) -> tuple[Place, float] | None:
    """The place nearest to a point and how far it is in metres; of marks only, or of all others."""
    rows = await connection.fetch(_NEAREST, agency, lon, lat, marks)
    # The index measures in degrees, of which one of longitude is the shorter.
    measured = [(geodesic_m(lon, lat, p.lon, p.lat), p.id, p) for p in map(_place, rows)]
    return None if not measured else (min(measured)[2], min(measured)[0])


def _place(row: asyncpg.Record) -> Place:
    values: dict[str, Any] = dict(row)
    return Place(
        values["id"],
        values["agency_id"],
        values["name"],
        values["kind"],
        tuple(values["other_names"]),
        values["district"],
        values["population"],
        values["lon"],
        values["lat"],
    )
