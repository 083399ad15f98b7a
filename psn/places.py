"""Loading places into the gazetteer: all of a table or nothing, and again without doubling it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from geo.gazetteer import CAYES, GEONAMES, Entry, cayes, country, district
from psn import database


class Loaded(NamedTuple):
    """How many places came in, and how many were there and have changed."""

    added: int
    changed: int


_BETWEEN_NAMES: Final = "\x1f"
"""Parts other names on their way; no name has control characters."""

_LOAD: Final = """
    INSERT INTO place (agency_id, source, source_key, name, kind, point, district, other_names,
                       population, road, mile)
    SELECT $1, $2, n.key, n.name, n.kind, ST_SetSRID(ST_MakePoint(n.lon, n.lat), 4326),
           n.district, string_to_array(n.others, chr(31)), n.population, n.road, n.mile
      FROM unnest($3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::text[],
                  $9::text[], $10::int[], $11::text[], $12::float8[])
           AS n (key, name, kind, lon, lat, district, others, population, road, mile)
    ON CONFLICT (agency_id, source, source_key) WHERE source_key IS NOT NULL DO UPDATE
       SET name = excluded.name, kind = excluded.kind, point = excluded.point,
           district = excluded.district, other_names = excluded.other_names,
           population = excluded.population, road = excluded.road, mile = excluded.mile
     WHERE (place.name, place.kind, place.point::bytea, place.district, place.other_names,
            place.population, place.road, place.mile)
           IS DISTINCT FROM
           (excluded.name, excluded.kind, excluded.point::bytea, excluded.district,
            excluded.other_names, excluded.population, excluded.road, excluded.mile)
    RETURNING xmax = 0
"""

MOVE_NOTES: Final = """
    UPDATE place_note n SET point = p.point FROM place p
     WHERE p.id = n.place_id AND p.point::bytea <> n.point::bytea
"""
"""Notes about a place go where it goes."""


async def load(
    connection: database.Connection, entries: Sequence[Entry], agency: int | None, source: str
) -> Loaded:
    """Put places into the gazetteer, in one transaction.

    Those of the same agency, source and key are changed to what they are now; what was retired
    stays retired, and what is missing from ``entries`` stays as it is.

    Args:
        connection: to a migrated database; whose change it is, says its session (``psn.trail``).
        entries: with keys, each key once.
        agency: whose they are; None: everybody's.
        source: where they come from.
    """
    columns = [
        [each.key for each in entries],
        [each.name for each in entries],
        [each.kind for each in entries],
        [each.lon for each in entries],
        [each.lat for each in entries],
        [district(each.lon, each.lat) for each in entries],
        [_BETWEEN_NAMES.join(each.other_names) for each in entries],
        [each.population for each in entries],
        [each.road for each in entries],
        [each.mile for each in entries],
    ]
    async with connection.transaction():
        rows = await connection.fetch(_LOAD, agency, source, *columns)
        await connection.execute(MOVE_NOTES)
    added = sum(row[0] for row in rows)
    return Loaded(added, len(rows) - added)


async def load_country(connection: database.Connection) -> Loaded:
    """Load the settlements and cayes of Belize for everybody."""
    settled = await load(connection, country(), None, GEONAMES)
    at_sea = await load(connection, cayes(), None, CAYES)
    return Loaded(settled.added + at_sea.added, settled.changed + at_sea.changed)
