"""Units of another world, which a gateway names: vessels, radios of a replay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import asyncpg

from psn import wire
from psn.access import Principal
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import Actor


async def announce(
    pool: asyncpg.Pool, who: Principal, frame: wire.Announce, by: Actor
) -> dict[str, int]:
    """Make the units that a gateway names, or find them by key; their ids by key.

    Raises :class:`Problem` for what is no gateway, and what asyncpg raises.
    """
    if not who.gateway:
        raise Problem(
            "not_allowed", "Only a gateway announces units.", "Enrol the device as a gateway."
        )
    units = map(list, zip(*_unique_units(frame.units).values(), strict=True))
    async with pool.acquire() as connection, auditor.acting(connection, by):
        rows = await connection.fetch(_ANNOUNCE, who.agency, *units)
    return {row["source_key"].partition("/")[2]: row["id"] for row in rows}


_ANNOUNCE: Final = """
    INSERT INTO unit (agency_id, callsign, kind, source_key)
    SELECT $1::int, n.callsign || CASE WHEN EXISTS (
               SELECT FROM unit u
                WHERE u.agency_id = $1::int AND u.callsign = n.callsign
                  AND u.source_key IS DISTINCT FROM $1::int::text || '/' || n.key)
           THEN ' (' || n.key || ')' ELSE '' END,
           n.kind, $1::int::text || '/' || n.key
      FROM unnest($2::text[], $3::text[], $4::text[]) AS n(key, callsign, kind)
        ON CONFLICT (source_key) DO UPDATE SET callsign = excluded.callsign
    RETURNING id, source_key
"""


def _unique_units(units: Iterable[wire.AnnouncedUnit]) -> dict[str, tuple[str, str, str]]:
    """One row a key; a callsign used twice in the announcement is told apart by its key."""
    by_key = {unit.key: unit for unit in units}
    callsigns: dict[str, int] = {}
    for unit in by_key.values():
        callsigns[unit.callsign] = callsigns.get(unit.callsign, 0) + 1
    return {
        key: (
            key,
            unit.callsign if callsigns[unit.callsign] == 1 else f"{unit.callsign} ({key})",
            unit.kind,
        )
        for key, unit in by_key.items()
    }
