"""The demonstration's data, on a real PostGIS."""

from __future__ import annotations

import itertools
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from psn import directory_watch, seed
from psn.identity import credentials
from psn.problems import Problem


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def test_seeding_twice_is_the_same_as_once(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    file = tmp_path / "passwords.json"
    first = await seed.seed(conn, file)
    after_first = await directory_watch.load(conn)
    assert await seed.seed(conn, file) == first
    assert await directory_watch.load(conn) == after_first


async def test_what_is_seeded(conn: asyncpg.Connection[Any], tmp_path: Path) -> None:
    accounts = await seed.seed(conn, tmp_path / "p.json")
    got = await directory_watch.load(conn)
    assert set(got.agencies_by_code) == {"BPD", "BDF", "BCG", "CED", "INS", "NEMO"}
    assert len(got.agreements) == 30
    assert all(a.units and a.messages and a.reason == seed.REASON for a in got.agreements)
    joc = next(group for group in got.groups.values() if group.name == "JOC")
    assert (joc.agency, joc.agencies) == (None, set(got.agencies))
    own = {g.agency: g.agencies for g in got.groups.values() if g.agency is not None}
    assert own == {agency: {agency} for agency in got.agencies}
    assert got.apart == set(got.units)
    assert len(got.fences) == len(seed.FENCES)
    assert {"bpd.dispatch", "bcg.dispatch", "joc.commander", "nemo.warning"} <= set(
        got.people_by_name
    )
    for account in accounts:
        person = got.people_by_name[account.name]
        assert credentials.verify_password(person.password_hash, account.password)


async def test_passwords_are_random_and_for_their_owner_only(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    file = tmp_path / "deep" / "passwords.json"
    accounts = await seed.seed(conn, file)
    assert len({account.password for account in accounts}) == len(accounts)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = repr(await directory_watch.load(conn))
    assert not any(account.password in shown for account in accounts)


async def test_passwords_shown_work_also_when_file_or_database_is_another(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await seed.seed(conn, tmp_path / "one.json")
    await conn.execute("update person set disabled_at = now() where name = 'bpd.dispatch'")
    (tmp_path / "two.json").write_text('{"bpd.dispatch": "short", "bcg.dispatch": 5}')
    accounts = await seed.seed(conn, tmp_path / "two.json")
    people = (await directory_watch.load(conn)).people_by_name
    for account in accounts:
        kept = people[account.name].password_hash
        assert credentials.verify_password(kept, account.password)


async def test_a_file_that_others_could_read_is_closed(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    file = tmp_path / "p.json"
    await seed.seed(conn, file)
    file.chmod(0o644)
    await seed.seed(conn, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_units_are_ensured_in_bulk_in_order_and_with_keys_that_work(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await seed.seed(conn, tmp_path / "p.json")
    wanted = seed.fleet(3_000)
    first = await seed.ensure_units(conn, wanted)
    got = await directory_watch.load(conn)
    for (code, callsign, kind), (unit_id, device_id, key) in zip(wanted, first, strict=True):
        unit, device = got.units[unit_id], got.devices[device_id]
        assert (unit.agency, unit.callsign, unit.kind) == (
            got.agencies_by_code[code].id,
            callsign,
            kind,
        )
        assert device.unit == unit_id
        assert device.public_key == key.public
    assert len(got.exceptions) == len(seed.HIDDEN)


async def test_ensuring_again_keeps_units_and_devices_and_renews_keys(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await seed.seed(conn, tmp_path / "p.json")
    first = await seed.ensure_units(conn, seed.fleet(20))
    again = await seed.ensure_units(conn, list(reversed(seed.fleet(30))))
    assert {row[:2] for row in first} < {row[:2] for row in again}
    assert len({row[1] for row in again}) == 30
    assert not {row[2].public for row in first} & {row[2].public for row in again}
    devices = (await directory_watch.load(conn)).devices
    assert len(devices) == 30
    for _, device, key in again:
        assert devices[device].public_key == key.public


async def test_other_devices_of_a_unit_are_left_alone(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await seed.seed(conn, tmp_path / "p.json")
    unit = await conn.fetchval("select id from unit limit 1")
    await conn.execute(
        "insert into device (agency_id, unit_id, label, public_key)"
        " select agency_id, id, 'tablet', '\\x07' from unit where id = $1",
        unit,
    )
    await seed.ensure_units(conn, seed.fleet(2))
    kept = await conn.fetchval("select public_key from device where label = 'tablet'")
    assert kept == b"\x07"


async def test_a_revoked_device_is_not_brought_back(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await seed.seed(conn, tmp_path / "p.json")
    [(unit, device, _)] = await seed.ensure_units(conn, seed.fleet(1))
    await conn.execute("update device set revoked_at = now()")
    [(same, other, _)] = await seed.ensure_units(conn, seed.fleet(1))
    assert same == unit
    assert other != device


async def test_what_cannot_be_ensured_is_refused(
    conn: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    await seed.seed(conn, tmp_path / "p.json")
    for units in ([("XX", "A", "car")], [("BPD", "A", "car"), ("BPD", "A", "boat")]):
        with pytest.raises(Problem):
            await seed.ensure_units(conn, units)
    assert await seed.ensure_units(conn, []) == []


@given(st.integers(0, 500))
def test_a_fleet_has_as_many_units_as_asked_for_each_once(number: int) -> None:
    units = seed.fleet(number)
    assert len(units) == number
    assert len({unit[:2] for unit in units}) == number
    assert units == seed.fleet(number + 1)[:number]


def test_an_outline_has_the_size_that_was_asked_for() -> None:
    shape = shapely.from_wkt(seed.outline(-88.2, 17.5, 1_000, 500))
    west, south, east, north = shape.bounds
    assert shape.is_valid
    assert (north - south) * 111_200 == pytest.approx(1_000, rel=1e-3)
    assert (east - west) * 111_200 * np.cos(np.radians(17.5)) == pytest.approx(2_000, rel=1e-3)


# Linear RGB as seen without one of the three primaries: Machado, Oliveira and Fernandes, "A
# physiologically-based model for simulation of color vision deficiency", 2009, severity 1.0.
SIGHTS = {
    "all": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
DARK_MAP = "#11161d"


def linear(colour: str) -> NDArray[np.float64]:
    """Linear RGB, 0 to 1, of an sRGB colour (IEC 61966-2-1)."""
    c = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* under D65."""
    x = TO_XYZ @ rgb / np.array([0.95047, 1, 1.08883])
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    light, dark = sorted((float(TO_XYZ[1] @ linear(c)) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sight", SIGHTS)
def test_agencies_can_be_told_apart_by_colour(sight: str) -> None:
    see = np.array(SIGHTS[sight])
    colours = [lab(np.clip(see @ linear(colour), 0, 1)) for _, _, colour in seed.AGENCIES]
    apart = [float(np.linalg.norm(a - b)) for a, b in itertools.combinations(colours, 2)]
    assert min(apart) > (30 if sight == "all" else 18)


@pytest.mark.parametrize("map_colour", ["#ffffff", DARK_MAP])
def test_colours_stand_out_on_a_light_and_a_dark_map(map_colour: str) -> None:
    assert all(contrast(colour, map_colour) >= 3 for _, _, colour in seed.AGENCIES)
