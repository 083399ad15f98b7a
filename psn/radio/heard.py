"""Which radios were heard when and where: in memory, and in the database behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from psn import database, wire

MOST_UNKNOWN: Final = 5_000
"""So many radios of a network that carry no unit are kept: those that were heard last."""
KEPT_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Row:
    """When and where a radio was heard; times in milliseconds UTC, degrees x 10^7."""

    network: int
    number: int
    first: int
    last: int
    times: int
    what: str
    site: str = ""
    lon: int | None = None
    lat: int | None = None
    emergency: int | None = None
    twice: int | None = None
    twice_site: str = ""

    @property
    def key(self) -> tuple[int, int]:
        """Its network and number."""
        return self.network, self.number


def after(row: Row | None, heard: wire.Heard, known: bool) -> Row:
    """What is known of a radio after it was heard once more.

    Of one that carries a unit (``known``) neither its place nor its red button is kept here: they
    are the unit's.
    """
    newer = row is None or heard.time >= row.last
    placed = heard.lon is not None and heard.lat is not None and not known
    pressed = heard.what == "emergency" and not known
    before = row or Row(heard.network, heard.number, heard.time, heard.time, 0, heard.what)
    return Row(
        heard.network,
        heard.number,
        min(before.first, heard.time),
        max(before.last, heard.time),
        before.times + 1,
        heard.what if newer else before.what,
        heard.site if newer and heard.site else before.site,
        heard.lon if placed and newer else None if known else before.lon,
        heard.lat if placed and newer else None if known else before.lat,
        max(before.emergency or 0, heard.time) if pressed else before.emergency,
        max(before.twice or 0, heard.time) if heard.twice else before.twice,
        heard.twice or before.twice_site,
    )


async def load(connection: database.Connection) -> list[Row]:
    """All that is kept; what is too old for that goes."""
    await sweep(connection)
    return [
        Row(
            row["network_id"],
            row["number"],
            database.milliseconds(row["first_at"]),
            database.milliseconds(row["last_at"]),
            row["times"],
            row["what"],
            row["site"],
            None if row["lon"] is None else round(row["lon"] * 1e7),
            None if row["lat"] is None else round(row["lat"] * 1e7),
            None if row["emergency_at"] is None else database.milliseconds(row["emergency_at"]),
            None if row["twice_at"] is None else database.milliseconds(row["twice_at"]),
            row["twice_site"],
        )
        for row in await connection.fetch(_LOAD)
    ]


async def sweep(connection: database.Connection) -> None:
    """What was heard too long ago is not kept any more."""
    await connection.execute(_FORGET, KEPT_DAYS)


async def keep(connection: database.Connection, rows: Iterable[Row]) -> None:
    """Put rows as they are now in place of what is kept of them."""

    def moment(at: int | None) -> object:
        return None if at is None else database.moment(at)

    def degrees(value: int | None) -> float | None:
        return None if value is None else value / 1e7

    await connection.executemany(
        _KEEP,
        [
            (
                row.network,
                row.number,
                moment(row.first),
                moment(row.last),
                row.times,
                row.what,
                row.site,
                degrees(row.lon),
                degrees(row.lat),
                moment(row.emergency),
                moment(row.twice),
                row.twice_site,
            )
            for row in rows
        ],
    )


async def forget(connection: database.Connection, keys: Iterable[tuple[int, int]]) -> None:
    """Keep nothing of these."""
    await connection.executemany(
        "DELETE FROM radio_heard WHERE network_id = $1 AND number = $2", list(keys)
    )


_LOAD: Final = """
    SELECT h.network_id, h.number, first_at, last_at, times, what, site,
           st_x(point) AS lon, st_y(point) AS lat, emergency_at, twice_at, twice_site
      FROM radio_heard h JOIN radio_network n ON n.id = h.network_id
     WHERE n.retired_at IS NULL ORDER BY last_at
"""
_FORGET: Final = "DELETE FROM radio_heard WHERE last_at < now() - make_interval(days => $1)"
_KEEP: Final = """
    INSERT INTO radio_heard (network_id, number, first_at, last_at, times, what, site, point,
                             emergency_at, twice_at, twice_site)
    SELECT $1, $2, $3, $4, $5, $6, $7,
           CASE WHEN $8::float8 IS NOT NULL THEN st_setsrid(st_makepoint($8, $9), 4326) END,
           $10, $11, $12
      FROM radio_network WHERE id = $1
        ON CONFLICT (network_id, number) DO UPDATE
       SET first_at = excluded.first_at, last_at = excluded.last_at, times = excluded.times,
           what = excluded.what, site = excluded.site, point = excluded.point,
           emergency_at = excluded.emergency_at, twice_at = excluded.twice_at,
           twice_site = excluded.twice_site
"""
