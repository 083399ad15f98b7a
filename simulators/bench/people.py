"""Who takes part in a benchmark: agencies of its own, put into the database in bulk.

Written with plain SQL, and with hashes and keys made here, not with the project's own code, for
the same reason as in :mod:`simulators.bench.socket`. Every run uses new names, so that a database
can be used again; nothing of another run is touched.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import asyncpg
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

Auth = dict[str, Any]
"""What a client signs in with, as it travels in ``sign_in``; for a device its number and key."""


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
    """Everybody of a run. Units and people belong to the agencies in turn."""

    agencies: tuple[int, ...]
    units: list[Participant]
    hidden: list[Participant]
    """Units of the first agency that no other may ever see."""
    people: list[Participant]
    fences: int


async def enrol(
    dsn: str,
    *,
    units: int = 0,
    hidden: int = 0,
    people: int = 0,
    fences: int = 0,
    agencies: int = 2,
) -> Cast:
    """Put a cast into a migrated database. Every two agencies share units and messages."""
    mark = secrets.token_hex(3)
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            sides = await _agencies(connection, mark, agencies)
            owners = [sides[n % agencies] for n in range(units)] + [sides[0]] * hidden
            secret_is = [n >= units for n in range(units + hidden)]
            found = await _units(connection, mark, owners, secret_is)
            cast = Cast(
                sides,
                found[:units],
                found[units:],
                await _people(connection, mark, sides, people),
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


async def _agencies(connection: asyncpg.Connection[Any], mark: str, count: int) -> tuple[int, ...]:
    rows = await connection.fetch(
        "insert into agency (code, name, colour)"
        " select $1 || n, $1 || n, '#808080' from generate_series(1, $2) as n order by n"
        " returning id",
        f"BENCH-{mark}-",
        count,
    )
    ids = tuple(row[0] for row in rows)
    await connection.execute(
        "insert into agreement (owner_agency, viewer_agency, units, messages, reason, author)"
        " select o, v, 'exact', true, 'benchmark', 'psn bench'"
        " from unnest($1::int[]) as o, unnest($1::int[]) as v where o <> v",
        list(ids),
    )
    return ids


async def _units(
    connection: asyncpg.Connection[Any], mark: str, agencies: list[int], hidden: list[bool]
) -> list[Participant]:
    rows = await connection.fetch(
        "insert into unit (agency_id, callsign, kind)"
        " select n.agency, $2 || n.place, 'car'"
        " from unnest($1::int[]) with ordinality as n(agency, place)"
        " order by n.place returning id",
        agencies,
        f"{mark}-",
    )
    await connection.execute(
        "insert into unit_exception (unit_id, units, reason, author)"
        " select unnest($1::int[]), 'nothing', 'benchmark', 'psn bench'",
        [row[0] for row, secret in zip(rows, hidden, strict=True) if secret],
    )
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in rows]
    devices = await connection.fetch(
        "insert into device (agency_id, unit_id, label, public_key)"
        " select n.agency, n.unit, 'bench', n.key"
        " from unnest($1::int[], $2::int[], $3::bytea[]) with ordinality"
        " as n(agency, unit, key, place) order by n.place returning id",
        agencies,
        [row[0] for row in rows],
        [
            key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            for key in keys
        ],
    )
    return [
        Participant(
            f"unit:{row[0]}", agency, {"kind": "device", "device": device[0], "key": _pem(key)}
        )
        for row, agency, device, key in zip(rows, agencies, devices, keys, strict=True)
    ]


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


async def _people(
    connection: asyncpg.Connection[Any], mark: str, agencies: tuple[int, ...], count: int
) -> list[Participant]:
    password = secrets.token_urlsafe(24)
    # One hash for all of them, as light as the format allows: signing in is not measured here.
    kept = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)
    names = [f"bench-{mark}-{n}" for n in range(count)]
    sides = [agencies[n % len(agencies)] for n in range(count)]
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
