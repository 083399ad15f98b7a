"""Demonstration data: six agencies, people, agreements, groups, fences, and units to simulate.

Seeding again changes nothing that fits already. Passwords are random, made at the first seeding
and kept beside the database in a file that only its owner can read, so that they can be shown
again. The areas are schematic, drawn for the demonstration; they are no legal limits.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from psn import places
from psn.enrolment import device_key
from psn.enrolment.device_key import DeviceKey
from psn.identity import credentials
from psn.identity.passwords import SHORTEST
from psn.problems import Problem

AGENCIES: Final = (
    ("BPD", "Belize Police Department", "#5a6ccb"),
    ("BDF", "Belize Defence Force", "#497637"),
    ("BCG", "Belize Coast Guard", "#3d9fc2"),
    ("CED", "Customs and Excise Department", "#9634f7"),
    ("INS", "Immigration and Nationality Services", "#a14a77"),
    ("NEMO", "National Emergency Management Organization", "#b98928"),
)
"""Code, name, colour. The colours differ also for people who see two of the three primaries (the
simulation of Machado, Oliveira and Fernandes, 2009), and each has a contrast of at least 3:1
with white and with the dark map (WCAG 2.2, 1.4.11); a test holds them to it."""

PEOPLE: Final = (
    *(
        (f"{code.lower()}.{job}", code, f"{code} {title}", (role,))
        for code, _, _ in AGENCIES
        for job, title, role in (
            ("dispatch", "Dispatcher", "dispatcher"),
            ("supervisor", "Supervisor", "supervisor"),
            ("admin", "Administrator", "administrator"),
        )
    ),
    ("bpd.auditor", "BPD", "BPD Auditor", ("auditor",)),
    ("joc.commander", "BCG", "JOC Commander", ("commander",)),
    ("nemo.warning", "NEMO", "NEMO Warning Officer", ("warning_officer",)),
    ("nemo.approver", "NEMO", "NEMO Warning Approver", ("warning_approver",)),
)
"""Name to sign in with, agency, name for others, roles."""

HIDDEN: Final = (("BPD", "X-1", "car"), ("BDF", "X-1", "foot"))
"""Undercover: seen by their own agency only."""

FENCES: Final = (
    # name, longitude, latitude, half the width and half the height in metres
    ("Belize City centre", -88.187, 17.497, 1_600, 1_500),
    ("San Pedro", -87.963, 17.920, 1_200, 2_200),
    ("Hol Chan", -87.975, 17.868, 2_600, 2_600),
    ("Benque Viejo border", -89.149, 17.068, 1_200, 1_200),
    ("Santa Elena border", -88.398, 18.486, 1_500, 1_200),
    ("Philip Goldson airport", -88.308, 17.539, 2_200, 1_300),
    ("Port of Big Creek", -88.402, 16.510, 1_300, 1_300),
    ("Belmopan", -88.767, 17.251, 2_600, 2_400),
)

REASON: Final = "Demonstration agreement"
UNDERCOVER: Final = "Undercover in the demonstration"
SIMULATED: Final = "simulated"
"""Label of the devices that :func:`ensure_units` enrols."""

_FLEET: Final = (
    # In this order, again and again: roughly how many of each one would meet.
    ("BPD", "P", "car"),
    ("BCG", "B", "boat"),
    ("BPD", "F", "foot"),
    ("BDF", "T", "truck"),
    ("BPD", "P", "car"),
    ("CED", "C", "car"),
    ("INS", "I", "car"),
    ("BCG", "B", "boat"),
    ("BDF", "S", "foot"),
    ("NEMO", "N", "truck"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A demonstration account, with its password in the clear."""

    name: str
    password: str
    agency: str
    full_name: str
    roles: tuple[str, ...]


def fleet(number: int) -> list[tuple[str, str, str]]:
    """``number`` units to simulate: agency, callsign, kind. The hidden ones come first. Pure."""
    units = list(HIDDEN[:number])
    counts: dict[tuple[str, str], int] = {}
    for n in range(number - len(units)):
        code, letter, kind = _FLEET[n % len(_FLEET)]
        counts[code, letter] = counts.get((code, letter), 0) + 1
        units.append((code, f"{letter}-{counts[code, letter]}", kind))
    return units


async def seed(conn: asyncpg.Connection[Any], passwords: Path) -> list[Account]:
    """Put the demonstration into a migrated database; the accounts, with working passwords.

    ``passwords`` is the file they are kept in, made with mode 0600 at the first time.
    """
    async with conn.transaction():
        await conn.executemany(
            "insert into agency (code, name, colour) values ($1, $2, $3)"
            " on conflict (code) do update set name = excluded.name, colour = excluded.colour"
            " where (agency.name, agency.colour) <> (excluded.name, excluded.colour)",
            AGENCIES,
        )
        agencies = await _agency_ids(conn)
        await _seed_agreements(conn, agencies)
        await _seed_groups(conn, agencies)
        await _seed_fences(conn)
        await places.load_country(conn)
        await _seed_hidden(conn, agencies)
        return await _seed_people(conn, agencies, passwords)


async def ensure_units(
    conn: asyncpg.Connection[Any], units: Sequence[tuple[str, str, str]]
) -> list[tuple[int, int, DeviceKey]]:
    """Unit id, device id and a new key for each (agency code, callsign, kind), in order.

    What is missing is added, units as well as their simulated devices; an older key of such a
    device is worth nothing afterwards. Ten thousand take about a second. Raises
    :class:`Problem` for an agency that is not there, or a unit that is named twice.
    """
    agencies = await _agency_ids(conn)
    unknown = {code for code, _, _ in units} - agencies.keys()
    if unknown:
        raise Problem(
            "not_found", f"There is no agency {min(unknown)}.", "Add it: psn agency add --help."
        )
    if len({(code, callsign) for code, callsign, _ in units}) != len(units):
        raise Problem("named_twice", "A unit is named twice.", "Name each once.")
    columns = (
        [agencies[code] for code, _, _ in units],
        [callsign for _, callsign, _ in units],
        [kind for _, _, kind in units],
    )
    keys = [device_key.new() for _ in units]
    public = [key.public for key in keys]
    async with conn.transaction():
        await conn.execute(_ADD_UNITS, *columns)
        ids = [row[0] for row in await conn.fetch(_UNIT_IDS, *columns[:2])]
        await conn.execute(_NEW_KEYS, ids, public, SIMULATED)
        await conn.execute(_ADD_DEVICES, ids, public, columns[0], SIMULATED)
        rows = await conn.fetch(
            "select distinct on (unit_id) unit_id, id from device where unit_id = any($1)"
            " and label = $2 and revoked_at is null order by unit_id, id",
            ids,
            SIMULATED,
        )
    devices: dict[int, int] = {row[0]: row[1] for row in rows}
    return [(unit, devices[unit], key) for unit, key in zip(ids, keys, strict=True)]


_ADD_UNITS: Final = """
    insert into unit (agency_id, callsign, kind)
    select * from unnest($1::int[], $2::text[], $3::text[])
    on conflict (agency_id, callsign) do nothing
"""
_UNIT_IDS: Final = """
    select unit.id from unnest($1::int[], $2::text[]) with ordinality wanted (agency, callsign, n)
    join unit on unit.agency_id = wanted.agency and unit.callsign = wanted.callsign
    order by wanted.n
"""
_NEW_KEYS: Final = """
    update device set public_key = new.key
    from unnest($1::int[], $2::bytea[]) new (unit, key)
    where device.unit_id = new.unit and device.label = $3 and device.revoked_at is null
"""
_ADD_DEVICES: Final = """
    insert into device (agency_id, unit_id, label, public_key)
    select new.agency, new.unit, $4, new.key
    from unnest($1::int[], $2::bytea[], $3::int[]) with ordinality new (unit, key, agency, n)
    where not exists (
        select from device d where d.unit_id = new.unit and d.label = $4 and d.revoked_at is null
    )
    order by new.n
"""


def outline(lon: float, lat: float, half_width: float, half_height: float) -> str:
    """A twelve-cornered area around a place, as WKT; degrees and metres. Pure.

    A degree of latitude is taken as 111,200 m, which is near enough for a sketch.
    """
    points = []
    for n in range(13):
        turn = math.tau * (n % 12) / 12
        north = half_height * math.sin(turn) / 111_200
        east = half_width * math.cos(turn) / (111_200 * math.cos(math.radians(lat)))
        points.append(f"{lon + east:.6f} {lat + north:.6f}")
    return f"POLYGON(({', '.join(points)}))"


async def _agency_ids(conn: asyncpg.Connection[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in await conn.fetch("select code, id from agency")}


def _ours(agencies: dict[str, int]) -> list[int]:
    return [agencies[code] for code, _, _ in AGENCIES]


async def _seed_agreements(conn: asyncpg.Connection[Any], agencies: dict[str, int]) -> None:
    await conn.execute(
        """
        insert into agreement (owner_agency, viewer_agency, units, messages, reason, author)
        select o, v, 'exact', true, $2, 'psn demo'
        from unnest($1::int[]) o, unnest($1::int[]) v
        where o <> v and not exists (
            select from agreement a
            where a.owner_agency = o and a.viewer_agency = v and a.reason = $2
        )
        """,
        _ours(agencies),
        REASON,
    )


async def _seed_hidden(conn: asyncpg.Connection[Any], agencies: dict[str, int]) -> None:
    """Undercover units, each with the exception that hides it."""
    for code, callsign, kind in HIDDEN:
        await conn.execute(
            "insert into unit (agency_id, callsign, kind) values ($1, $2, $3)"
            " on conflict (agency_id, callsign) do nothing",
            agencies[code],
            callsign,
            kind,
        )
        await conn.execute(
            """
            insert into unit_exception (unit_id, units, reason, author)
            select id, 'nothing', $3, 'psn demo' from unit u
            where agency_id = $1 and callsign = $2 and not exists (
                select from unit_exception e where e.unit_id = u.id and e.reason = $3
            )
            """,
            agencies[code],
            callsign,
            UNDERCOVER,
        )


async def _seed_groups(conn: asyncpg.Connection[Any], agencies: dict[str, int]) -> None:
    """JOC with everyone, and one group for each agency."""
    groups: list[tuple[str, int | None, list[int]]] = [("JOC", None, _ours(agencies))]
    groups += [(code, agencies[code], [agencies[code]]) for code, _, _ in AGENCIES]
    for name, owner, members in groups:
        await conn.execute(
            "insert into talkgroup (name, agency_id) values ($1, $2)"
            " on conflict (agency_id, name) do nothing",
            name,
            owner,
        )
        await conn.execute(
            "insert into group_member (group_id, agency_id) select g.id, m"
            " from talkgroup g, unnest($3::int[]) m"
            " where g.name = $1 and g.agency_id is not distinct from $2::int"
            " on conflict (group_id, agency_id) do nothing",
            name,
            owner,
            members,
        )


async def _seed_fences(conn: asyncpg.Connection[Any]) -> None:
    await conn.executemany(
        "insert into fence (name, area) select $1, st_geomfromtext($2, 4326)"
        " where not exists (select from fence where name = $1 and agency_id is null)",
        [(name, outline(*shape)) for name, *shape in FENCES],
    )


async def _seed_people(
    conn: asyncpg.Connection[Any], agencies: dict[str, int], file: Path
) -> list[Account]:
    kept = read_passwords(file)
    accounts = [
        Account(name, kept.get(name) or credentials.new_password(), code, full_name, roles)
        for name, code, full_name, roles in PEOPLE
    ]
    # Before the commit: a password that is in the database and nowhere else is lost.
    write_passwords(file, accounts)
    rows = await conn.fetch("select name, password_hash, disabled_at is null from person")
    there = {row[0]: row[1] for row in rows if row[2]}
    for account in accounts:
        its = there.get(account.name)
        if its is not None and credentials.verify_password(its, account.password):
            continue
        await conn.execute(
            "insert into person (agency_id, name, full_name, roles, password_hash)"
            " values ($1, $2, $3, $4, $5) on conflict (name) do update"
            " set password_hash = excluded.password_hash, password_until = null,"
            " disabled_at = null",
            agencies[account.agency],
            account.name,
            account.full_name,
            list(account.roles),
            credentials.hash_password(account.password),
        )
    return accounts


def read_passwords(file: Path) -> dict[str, str]:
    """Passwords by name; a file that is missing or spoilt holds none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {k: v for k, v in content.items() if isinstance(v, str) and len(v) >= SHORTEST}


def write_passwords(file: Path, accounts: Iterable[Account]) -> None:
    """Keep passwords where only this user can read them; whole or not at all."""
    content = {account.name: account.password for account in accounts}
    if read_passwords(file) == content and file.stat().st_mode & 0o077 == 0:
        return
    write_private(file, json.dumps(content, indent=1) + "\n")


def write_private(file: Path, content: str) -> None:
    """Write a file of mode 0600; it is replaced whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(content)
    fresh.replace(file)
