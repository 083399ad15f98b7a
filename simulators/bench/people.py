"""Who takes part in a benchmark: two agencies of its own, put into the database in bulk.

Written with plain SQL and hashes made here, not with the project's own code, for the same reason
as in :mod:`simulators.bench.socket`. Every run uses new names, so that a database can be used
again; nothing of another run is touched.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import asyncpg
from argon2 import PasswordHasher

Auth = dict[str, Any]
"""What a client signs in with, as it travels in ``sign_in``."""


@dataclass(frozen=True, slots=True)
class Participant:
    """A unit or a person of a run."""

    address: str
    agency: int
    auth: Auth

    @property
    def number(self) -> int:
        """The id in the address."""
        return int(self.address.partition(":")[2])


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody of a run. Units and people belong to the two agencies alternately."""

    agencies: tuple[int, int]
    units: list[Participant]
    hidden: list[Participant]
    """Units of the first agency that the second must never see."""
    people: list[Participant]
    fences: int


async def enrol(
    dsn: str, *, units: int = 0, hidden: int = 0, people: int = 0, fences: int = 0
) -> Cast:
    """Put a cast into a migrated database. The two agencies share units and messages."""
    mark = secrets.token_hex(3)
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            first, second = await _agencies(connection, mark)
            sides = [(first, second)[n % 2] for n in range(units)] + [first] * hidden
            secret_is = [n >= units for n in range(units + hidden)]
            found = await _units(connection, mark, sides, secret_is)
            cast = Cast(
                (first, second),
                found[:units],
                found[units:],
                await _people(connection, mark, (first, second), people),
                fences,
            )
            await connection.executemany(
                "insert into fence (name, area)"
                " values ($1, st_makeenvelope($2::float8, $3::float8, $2 + 0.03, $3 + 0.03, 4326))",
                [(f"{mark} {n}", -89.1 + n % 20 * 0.05, 16.2 + n // 20 % 40 * 0.05)
                 for n in range(fences)],
            )  # fmt: skip
    finally:
        await connection.close()
    return cast


async def _agencies(connection: asyncpg.Connection[Any], mark: str) -> tuple[int, int]:
    ids = [
        await connection.fetchval(
            "insert into agency (code, name, colour) values ($1, $1, '#808080') returning id",
            f"BENCH-{mark}-{side}",
        )
        for side in "AB"
    ]
    await connection.execute(
        "insert into agreement (owner_agency, viewer_agency, units, messages, reason, author)"
        " values ($1, $2, true, true, 'benchmark', 'psn bench'),"
        " ($2, $1, true, true, 'benchmark', 'psn bench')",
        *ids,
    )
    return ids[0], ids[1]


async def _units(
    connection: asyncpg.Connection[Any], mark: str, agencies: list[int], hidden: list[bool]
) -> list[Participant]:
    rows = await connection.fetch(
        "insert into unit (agency_id, callsign, kind, hidden)"
        " select n.agency, $3 || n.place, 'car', n.hidden"
        " from unnest($1::int[], $2::bool[]) with ordinality as n(agency, hidden, place)"
        " order by n.place returning id",
        agencies,
        hidden,
        f"{mark}-",
    )
    keys = [secrets.token_urlsafe(32) for _ in rows]
    devices = await connection.fetch(
        "insert into device (agency_id, unit_id, label, secret_hash)"
        " select n.agency, n.unit, 'bench', n.hash"
        " from unnest($1::int[], $2::int[], $3::bytea[]) with ordinality"
        " as n(agency, unit, hash, place) order by n.place returning id",
        agencies,
        [row[0] for row in rows],
        [hashlib.sha256(key.encode()).digest() for key in keys],
    )
    return [
        Participant(
            f"unit:{row[0]}", agency, {"kind": "device", "device": device[0], "secret": key}
        )
        for row, agency, device, key in zip(rows, agencies, devices, keys, strict=True)
    ]


async def _people(
    connection: asyncpg.Connection[Any], mark: str, agencies: tuple[int, int], count: int
) -> list[Participant]:
    password = secrets.token_urlsafe(24)
    # One hash for all of them, as light as the format allows: signing in is not measured here.
    kept = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)
    names = [f"bench-{mark}-{n}" for n in range(count)]
    sides = [agencies[n % 2] for n in range(count)]
    rows = await connection.fetch(
        "insert into person (agency_id, name, full_name, roles, password_hash)"
        " select n.agency, n.name, n.name, '{dispatcher}', $3"
        " from unnest($1::int[], $2::text[]) with ordinality as n(agency, name, place)"
        " order by n.place returning id",
        sides,
        names,
        kept,
    )
    return [
        Participant(
            f"person:{row[0]}", agency, {"kind": "password", "name": name, "password": password}
        )
        for row, agency, name in zip(rows, sides, names, strict=True)
    ]
