"""Migrations on a real, empty database: up, down, and the same as the models."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from psn import migrate, revisions, schema
from psn.cluster import Cluster


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


async def tables(conn: asyncpg.Connection[Any]) -> set[str]:
    rows = await conn.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row[0] for row in rows} - {"spatial_ref_sys", "alembic_version"}


async def test_up_down_up_from_empty(empty_database: str, conn: asyncpg.Connection[Any]) -> None:
    assert await revisions.current(conn) is None
    await asyncio.to_thread(migrate.upgrade, empty_database)
    assert await revisions.current(conn) == revisions.head()
    built = await tables(conn)
    assert built == set(schema.Base.metadata.tables) | {"track_other"}
    await asyncio.to_thread(migrate.downgrade, empty_database, "base")
    assert await tables(conn) == set()
    assert await revisions.current(conn) is None
    assert await conn.fetchval("select count(*) from pg_proc where proname like 'psn%'") == 0
    await asyncio.to_thread(migrate.upgrade, empty_database)
    assert await tables(conn) == built


async def test_upgrading_twice_changes_nothing(
    empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    migrate.upgrade(empty_database)  # a running event loop is no hindrance
    await conn.execute("insert into agency (code, name, colour) values ('X', 'x', '#000000')")
    migrate.upgrade(empty_database)
    assert await conn.fetchval("select count(*) from agency") == 1


async def test_two_at_once_wait_for_each_other(
    empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    both = (asyncio.to_thread(migrate.upgrade, empty_database) for _ in range(2))
    await asyncio.gather(*both)
    assert await revisions.current(conn) == revisions.head()


async def test_a_failing_migration_leaves_nothing_behind(
    empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    await conn.execute("create table receipt (stranger int)")
    with pytest.raises(Exception, match="receipt"):
        migrate.upgrade(empty_database)
    assert await tables(conn) == {"receipt"}
    assert await revisions.current(conn) is None


async def test_the_models_describe_exactly_what_the_migrations_build(database: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": migrate.belongs_to_models,
                "target_metadata": schema.Base.metadata,
            },
        )
        return list(compare_metadata(context, schema.Base.metadata))

    engine = schema.connect_engine(database)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        # The comparison sees what it should: a column taken away is a difference.
    async with engine.begin() as connection:
        await connection.exec_driver_sql("alter table unit drop column kind")
        assert len(await connection.run_sync(differences)) == 1
    await engine.dispose()


async def test_check_is_silent_only_at_the_right_revision(
    database: str, empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    with pytest.raises(revisions.SchemaProblem) as refused:
        await revisions.check(conn)
    assert (refused.value.code, refused.value.todo) == ("schema_old", "Run psn migrate.")
    migrated = await asyncpg.connect(database)
    try:
        await revisions.check(migrated)
        await migrated.execute("update alembic_version set version_num = '9999'")
        with pytest.raises(revisions.SchemaProblem) as refused:
            await revisions.check(migrated)
        assert refused.value.code == "schema_newer"
        assert "9999" in refused.value.text
    finally:
        await migrated.close()


async def test_an_older_revision_is_told_as_such(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "head", lambda: "0999")
    conn = await asyncpg.connect(database)
    try:
        with pytest.raises(revisions.SchemaProblem, match="0999") as refused:
            await revisions.check(conn)
    finally:
        await conn.close()
    assert refused.value.code == "schema_old"


def test_a_revision_that_does_not_exist_is_refused_plainly(empty_database: str) -> None:
    with pytest.raises(revisions.SchemaProblem) as refused:
        migrate.upgrade(empty_database, "nowhere")
    assert refused.value.code == "no_such_revision"


async def test_a_user_who_may_not_add_postgis_is_told_what_to_do(cluster: Cluster) -> None:
    cluster.sql("create role plain login")
    cluster.sql("create database plain owner plain")
    try:
        with pytest.raises(revisions.SchemaProblem) as refused:
            migrate.upgrade(cluster.dsn("plain").replace("://psn@", "://plain@"))
        assert refused.value.code == "no_postgis"
        assert "create extension postgis" in refused.value.todo
    finally:
        cluster.drop_database("plain")
        cluster.sql("drop role plain")


async def test_devices_that_had_secrets_are_revoked_and_so_are_those_with_keys_on_the_way_back(
    empty_database: str, conn: asyncpg.Connection[Any]
) -> None:
    """DOM-DEV-1: nothing with which somebody else could sign in is left."""
    await asyncio.to_thread(migrate.upgrade, empty_database, "0004")
    await conn.execute(
        "insert into agency (code, name, colour) values ('X', 'x', '#000000');"
        "insert into device (agency_id, label, secret_hash) values (1, 'old', '\\x01');"
        "insert into session (token_hash, device_id, ends_at)"
        " values ('\\x01', 1, now() + interval '1 hour')"
    )
    states = "select revoked_at is not null from device order by id"
    ended = "select ended_at is not null from session"
    await asyncio.to_thread(migrate.upgrade, empty_database)
    assert [row[0] for row in await conn.fetch(states)] == [True]
    assert await conn.fetchval(ended)
    await conn.execute("insert into device (agency_id, label, public_key) values (1, 'new', '\\x')")
    with pytest.raises(asyncpg.CheckViolationError):
        await conn.execute("insert into device (agency_id, label) values (1, 'keyless')")
    await asyncio.to_thread(migrate.downgrade, empty_database, "0004")
    assert [row[0] for row in await conn.fetch(states)] == [True, True]
    assert await conn.fetchval("select bool_and(secret_hash = '') from device")


@pytest.mark.parametrize("name", ["pg_trgm", "unaccent"])
def test_a_server_without_contributed_modules_is_told_as_such(name: str) -> None:
    why = f'extension "{name}" is not available'
    told = migrate._refusal(DBAPIError("create extension", {}, Exception(why)))
    assert isinstance(told, revisions.SchemaProblem)
    assert told.code == "no_contrib"


def test_revisions_are_told_by_their_files_as_alembic_tells_them() -> None:
    """So a server that starts needs neither it nor the models."""
    config = Config()
    config.set_main_option("script_location", str(revisions.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    in_order = [revision.revision for revision in script.walk_revisions()][::-1]
    assert list(revisions.known()) == in_order
    assert revisions.head() == script.get_current_head()


def test_a_server_needs_no_models() -> None:
    asks = (
        "import sys, psn.server, dispatch.api; print({'sqlalchemy', 'alembic'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", asks], cwd=revisions.MIGRATIONS.parent, capture_output=True
    )
    assert done.stdout == b"set()\n"
