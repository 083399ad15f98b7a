"""Who is who: loading it, and watching it through changes and absences of the database."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import shapely
from emptied import past_the_doors

from psn import directory_watch, migrate
from psn.cluster import Cluster
from psn.directory import Agreement, Directory, Precision
from psn.directory_watch import DirectoryWatch
from psn.watched import DIRECTORY_TABLES

PEOPLE = """
    insert into agency (code, name, colour)
        values ('BPD', 'Police', '#112233'), ('BCG', 'Coast Guard', '#445566');
    insert into person (agency_id, name, full_name, roles, password_hash, disabled_at) values
        (1, 'ana', 'Ana Cal', '{dispatcher,supervisor}', 'SECRETHASH', null),
        (2, 'ben', 'Ben Choc', '{}', null, now());
    insert into unit (agency_id, callsign, kind, source_key, retired_at) values
        (1, 'P-1', 'car', null, null),
        (1, 'P-9', 'car', null, null),
        (2, 'C-1', 'boat', 'mmsi:312000001', now());
    insert into unit_exception (unit_id, viewer_agency, units, reason, author, starts_at, ends_at)
        values (2, null, 'nothing', 'undercover', 'a', now(), null),
               (1, 2, 'blurred', 'r', 'a', now() - interval '2 day', now() - interval '1 day'),
               (3, 1, 'presence', 'r', 'a', now() + interval '1 day', null);
    insert into broken_glass (person_id, owner_agency, reason, starts_at, ends_at) values
        (1, 2, 'sinking', now(), now() + interval '1 hour'),
        (1, 2, 'r', now() - interval '2 hour', now() - interval '1 hour');
    insert into incident (agency_id, title, opened_by, closed_at) values
        (1, 'Search', 'a', null), (1, 'Over', 'a', now());
    insert into incident_member (incident_id, agency_id, unit_id, reason, author, ends_at) values
        (1, 1, null, 'r', 'a', null), (1, 2, null, 'r', 'a', now()), (1, null, 2, 'r', 'a', null),
        (2, null, 1, 'r', 'a', null);
    insert into device (agency_id, unit_id, label, gateway, public_key, revoked_at) values
        (1, 1, 'tablet', false, '\\x01', null), (2, null, 'ais', true, '\\x02', now());
    insert into talkgroup (agency_id, name) values (null, 'JOC'), (1, 'Police');
    insert into group_member (group_id, person_id, unit_id, agency_id) values
        (1, null, null, 2), (1, 1, null, null), (1, null, 1, null), (1, null, 2, null);
    insert into agreement (owner_agency, viewer_agency, units, reason, author, starts_at, ends_at)
        values (1, 2, 'exact', 'r', 'a', now() - interval '1 day', null),
               (2, 1, 'exact', 'r', 'a', now() - interval '2 day', now() - interval '1 day'),
               (2, 1, 'blurred', 'r', 'a', now() + interval '1 day', now() + interval '2 day');
    insert into fence (agency_id, name, area, retired_at) values
        (1, 'Port', st_makeenvelope(-88, 17, -87, 18, 4326), null),
        (null, 'Old', st_makeenvelope(-88, 17, -87, 18, 4326), now());
    insert into radio_network (agency_id, name, retired_at) values
        (1, 'National', null), (1, 'Old', now());
    insert into radio_network_agency (network_id, agency_id) values (2, 2);
    insert into radio_gateway (network_id, device_id) values (1, 2);
    insert into radio_talkgroup (network_id, number, group_id) values (1, 9, 1), (2, 9, 2);
    insert into radio (network_id, number, unit_id) values (1, 4711, 1), (1, 4712, 3), (2, 4711, 2);
"""


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@contextlib.asynccontextmanager
async def watching(dsn: str, **settings: float) -> AsyncIterator[DirectoryWatch]:
    watch = DirectoryWatch(dsn, **settings)
    await watch.start()
    try:
        yield watch
    finally:
        await watch.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def test_load_reads_everyone_and_makes_the_look_ups(conn: asyncpg.Connection[Any]) -> None:
    await conn.execute(PEOPLE)
    got = await directory_watch.load(conn)
    assert got.agencies_by_code["BCG"].id == 2
    assert got.people[1].roles == ("dispatcher", "supervisor")
    assert got.people[2].disabled
    assert set(got.people_by_name) == {"ana"}
    assert got.apart == {2, 3}
    assert got.channels == {1: (1, 0), 2: (1, 2), 3: (2, 3)}
    assert [(e.unit, e.viewer, e.units) for e in got.exceptions] == [
        (2, None, Precision.NOTHING),
        (3, 1, Precision.PRESENCE),
    ]
    assert [(g.person, g.owner, g.reason) for g in got.glasses] == [(1, 2, "sinking")]
    (incident,) = got.incidents
    assert {(m.agency, m.unit) for m in incident.members} == {(1, None), (None, 2)}
    assert [a.units for a in got.agreements] == [Precision.EXACT, Precision.BLURRED]
    assert got.units_by_key["mmsi:312000001"].retired
    assert got.units_by_callsign[1, "P-9"].id == 2
    assert got.devices[1].unit == 1
    assert got.devices[1].public_key == b"\x01"
    assert (got.devices[2].gateway, got.devices[2].revoked) == (True, True)
    assert got.groups[1].units == {1, 2}
    assert got.groups[2].people == frozenset()
    assert [a.id for a in got.agreements] == [1, 3]
    assert [f.name for f in got.fences.values()] == ["Port"]
    assert got.fences[1].area().equals(shapely.box(-88, 17, -87, 18))


async def test_radios_are_those_of_networks_and_units_in_use(conn: asyncpg.Connection[Any]) -> None:
    """DOM-RAD-14: the same number in two networks is two radios."""
    await conn.execute(PEOPLE)
    got = await directory_watch.load(conn)
    assert {n.name: (n.agencies, n.gateways) for n in got.radio_networks.values()} == {
        "National": ({1}, {2})
    }
    assert {key: each.unit for key, each in got.radios_by_number.items()} == {(1, 4711): 1}
    assert [(t.network, t.number, t.group) for t in got.radio_talkgroups.values()] == [(1, 9, 1)]


async def test_a_radio_of_a_unit_whose_agency_takes_no_part_is_not_taken(
    conn: asyncpg.Connection[Any],
) -> None:
    """DOM-RAD-14."""
    await conn.execute(PEOPLE)
    await conn.execute("update unit set retired_at = null")
    assert set((await directory_watch.load(conn)).radios_by_number) == {(1, 4711)}
    await conn.execute("insert into radio_network_agency (network_id, agency_id) values (1, 2)")
    assert set((await directory_watch.load(conn)).radios_by_number) == {(1, 4711), (1, 4712)}


async def test_groups_of(conn: asyncpg.Connection[Any]) -> None:
    await conn.execute(PEOPLE)
    got = await directory_watch.load(conn)
    assert got.groups_of(person=1, agency=1) == {1}
    assert got.groups_of(unit=3, agency=2) == {1}
    assert got.groups_of(unit=3) == frozenset()
    assert got.groups_of() == frozenset()


async def test_load_works_through_a_pool_and_beside_a_geometry_codec(database: str) -> None:
    async def prepare(conn: asyncpg.Connection[Any]) -> None:
        await conn.set_type_codec(
            "geometry", schema="public", encoder=bytes, decoder=bytes, format="binary"
        )

    async with asyncpg.create_pool(database, min_size=1, init=prepare) as pool:
        await pool.execute(PEOPLE)
        assert (await directory_watch.load(pool)).fences[1].area().area == 1.0


async def test_secrets_are_not_printed(conn: asyncpg.Connection[Any]) -> None:
    await conn.execute(PEOPLE)
    got = await directory_watch.load(conn)
    assert got.people[1].password_hash == "SECRETHASH"
    assert "SECRETHASH" not in repr(got)
    assert "public_key" not in repr(got.devices)


def test_an_agreement_holds_from_its_start_until_before_its_end() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=1)
    agreement = Agreement(start, end, 1, 1, 2, Precision.EXACT, False, "r", "a")
    instants = (start - timedelta(seconds=1), start, end - timedelta(seconds=1), end)
    assert [agreement.holds(at) for at in instants] == [False, True, True, False]


async def test_a_change_arrives_and_tells_old_and_new(
    database: str, conn: asyncpg.Connection[Any]
) -> None:
    async with watching(database) as watch:
        told: list[tuple[Directory, Directory]] = []
        watch.subscribe(lambda old, new: told.append((old, new)))
        await conn.execute(PEOPLE)
        await until(lambda: bool(told))
        old, new = told[0]
        assert (len(old.agencies), len(new.agencies)) == (0, 2)
        assert watch.current is new


@pytest.mark.parametrize("table", DIRECTORY_TABLES)
async def test_every_table_tells_of_its_changes(
    database: str, conn: asyncpg.Connection[Any], table: str
) -> None:
    await conn.execute(PEOPLE)
    told: list[str] = []
    listener = await asyncpg.connect(database)
    try:
        await listener.add_listener("psn_directory", lambda *got: told.append(str(got[3])))
        await conn.execute(f"update {table} set id = id")
        await conn.execute(past_the_doors(f"truncate {table} cascade"))
        await until(lambda: told.count(table) == 2)
    finally:
        await listener.close()


async def test_a_burst_is_few_reloads_and_none_is_lost(
    database: str, conn: asyncpg.Connection[Any]
) -> None:
    await conn.execute(PEOPLE)
    async with watching(database) as watch:
        changes = 0

        def count(old: Directory, new: Directory) -> None:
            nonlocal changes
            changes += 1

        watch.subscribe(count)
        for n in range(200):
            await conn.execute(
                "insert into unit (agency_id, callsign, kind) values (1, $1, 'car')", f"U{n}"
            )
        await until(lambda: len(watch.current.units) == 203)
        assert changes < 100


async def test_a_change_that_changes_nothing_tells_nobody(
    database: str, conn: asyncpg.Connection[Any]
) -> None:
    await conn.execute(PEOPLE)
    async with watching(database) as watch:
        told: list[int] = []
        watch.subscribe(lambda old, new: told.append(1))
        await conn.execute("update unit set kind = kind")
        await watch.refresh()
        assert told == []
        await conn.execute("update unit set kind = 'foot'")
        await watch.refresh()
        assert watch.current.units[1].kind == "foot"
        assert told == [1]


async def test_a_failing_subscriber_harms_no_other(
    database: str, conn: asyncpg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with watching(database) as watch:

        def fail(old: Directory, new: Directory) -> None:
            raise RuntimeError("mine")

        told: list[int] = []
        watch.subscribe(fail)
        end = watch.subscribe(lambda old, new: told.append(1))
        await conn.execute(PEOPLE)
        await until(lambda: told == [1])
        assert "a subscriber to the directory failed" in caplog.text
        end()
        await conn.execute("delete from group_member")
        await watch.refresh()
        assert told == [1]


async def test_other_channels_are_passed_on(database: str, conn: asyncpg.Connection[Any]) -> None:
    await conn.execute(PEOPLE)
    await conn.execute(
        "insert into session (token_hash, person_id, ends_at) values ('\\x01', 1, now())"
    )
    watch = DirectoryWatch(database)
    told: list[int] = []
    watch.on_notice("psn_sessions", lambda: told.append(1))
    await watch.start()
    try:
        await conn.execute("update session set ended_at = now()")
        await until(lambda: told == [1])
    finally:
        await watch.stop()


async def test_a_cut_connection_is_made_again_and_what_was_missed_is_there(
    database: str, conn: asyncpg.Connection[Any]
) -> None:
    watch = DirectoryWatch(database)
    gaps: list[int] = []
    watch.on_notice("psn_sessions", lambda: gaps.append(1))
    await watch.start()
    try:
        await conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'psn directory'"
        )
        await conn.execute(PEOPLE)
        await until(lambda: len(watch.current.units) == 3)
        await until(lambda: gaps == [1])
    finally:
        await watch.stop()


@pytest.fixture
async def own_cluster() -> AsyncIterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="psn-test-") as place:
        Path(place).chmod(0o755)
        with Cluster(place, durable=False) as cluster:
            yield cluster


async def test_the_database_goes_away_and_comes_back(own_cluster: Cluster) -> None:
    dsn = own_cluster.create_database("away")
    migrate.upgrade(dsn)
    async with watching(dsn, longest_retry=0.2) as watch:
        before = watch.current
        own_cluster.kill9()
        await until(lambda: not watch.connected)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await watch.refresh()
        assert watch.current is before
        await asyncio.to_thread(own_cluster.start)
        conn = await asyncpg.connect(dsn)
        await conn.execute(PEOPLE)
        await conn.close()
        await until(lambda: len(watch.current.units) == 3)
        assert watch.connected


async def test_starting_without_a_database_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        await DirectoryWatch(f"postgresql://psn@/psn?host={tmp_path}").start()
