"""The private cluster: it is kept, it survives being killed, and it never outlives its owner."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from psn.cluster import Cluster, ClusterError, find_postgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that any user may enter."""
    made = Path(tempfile.mkdtemp(prefix="psn-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_it_has_postgis_utf8_utc_and_no_open_port(cluster: Cluster) -> None:
    dsn = cluster.create_database("a place, ñ")
    try:
        distance = await fetch(
            dsn, "select st_distance('point(-88.2 17.5)'::geography, 'point(-88.2 17.6)')"
        )
        # A meridian at 17.55 N on WGS 84: M = a(1 - e²) / (1 - e² sin² φ)^1.5, times 0.1 degree.
        assert distance == pytest.approx(11067.5, abs=0.5)
        assert await fetch(dsn, "show server_encoding") == "UTF8"
        assert await fetch(dsn, "show timezone") == "UTC"
        assert await fetch(dsn, "select lower('BAÑO')") == "baño"
        assert await fetch(dsn, "show listen_addresses") == ""
    finally:
        cluster.drop_database("a place, ñ")
    assert not cluster.has_database("a place, ñ")


def test_stop_and_start_keep_what_was_written(place: Path) -> None:
    with Cluster(place) as first:
        first.create_database("kept")
        sockets = Path(first.dsn().split("host=")[1].split("&")[0])
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not first.is_running
    assert not sockets.exists()
    with Cluster(place) as second:
        assert second.has_database("kept")


async def test_killed_server_recovers_at_the_same_address(place: Path) -> None:
    with Cluster(place) as cluster:
        dsn = cluster.create_database("work")
        before = cluster.pid
        connection = await asyncpg.connect(dsn)
        await connection.execute("create table t as select 7 as n")
        cluster.kill9()
        assert not cluster.is_running
        connection.terminate()
        cluster.start()
        assert cluster.pid != before
        assert await fetch(dsn, "select n from t") == 7


def test_second_user_of_the_directory_is_told(place: Path) -> None:
    with Cluster(place) as first:
        with pytest.raises(ClusterError) as refused:
            Cluster(place).start()
        assert refused.value.code == "cluster_busy"
        assert str(place) in refused.value.text
        assert first.sql("select 1") == "1"


def test_a_name_that_is_taken_is_explained(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="already exists") as refused:
        cluster.create_database("postgres")
    assert refused.value.code == "cluster_sql"


def test_address_of_a_stopped_cluster_is_refused(place: Path) -> None:
    with pytest.raises(ClusterError) as refused:
        Cluster(place).dsn()
    assert refused.value.code == "cluster_stopped"


def test_stale_notice_with_the_id_of_a_stranger_is_forgotten(place: Path) -> None:
    with Cluster(place) as cluster:
        notice = cluster.data / "postmaster.pid"
        text = notice.read_text()
        cluster.kill9()
    owner = notice.parent.stat()
    stranger = subprocess.Popen(
        ["sleep", "600"], cwd="/", user=owner.st_uid if os.geteuid() == 0 else None
    )
    try:
        notice.write_text(text.replace(text.split()[0], str(stranger.pid), 1))
        os.chown(notice, owner.st_uid, owner.st_gid)
        with Cluster(place) as again:
            assert again.sql("select 1") == "1"
    finally:
        stranger.kill()
        stranger.wait()


def test_it_outlives_the_thread_that_started_it(place: Path) -> None:
    cluster = Cluster(place)
    starter = threading.Thread(target=cluster.__enter__)
    starter.start()
    starter.join()
    try:
        # The system would have sent its signal with the end of the thread, before join returned.
        assert cluster.sql("select 1") == "1"
        assert cluster.is_running
    finally:
        cluster.stop()


OWNER = """
import sys, time
from psn.cluster import Cluster
cluster = Cluster(sys.argv[1])
cluster.__enter__()
print(cluster.pid, flush=True)
time.sleep(600)
"""


def test_it_dies_with_its_owner_and_the_next_start_works(place: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, place], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with owner:
        assert owner.stdout is not None
        server = int(owner.stdout.readline())
        assert alive(server)
        owner.send_signal(signal.SIGKILL)
    # At once: the old server may still be writing its last words.
    with Cluster(place) as heir:
        assert heir.sql("select 1") == "1"
        assert heir.pid != server
    assert eventually(lambda: not alive(server))


def test_a_place_that_cannot_be_made_is_explained(place: Path) -> None:
    (place / "file").touch()
    with pytest.raises(ClusterError, match="Not a directory") as refused:
        Cluster(place / "file" / "pg").create()
    assert refused.value.code == "cluster_place"


def test_interrupted_creation_leaves_nothing_half_done(place: Path) -> None:
    (place / "data.new").mkdir()
    (place / "data.new" / "PG_VERSION").write_text("15\n")
    with Cluster(place) as cluster:
        assert cluster.sql("select 1") == "1"
    assert not (place / "data.new").exists()


def test_damaged_data_is_explained(place: Path) -> None:
    with Cluster(place) as cluster:
        data = cluster.data
    (data / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(ClusterError) as refused:
        Cluster(place).start()
    assert refused.value.code == "cluster_failed"
    assert "postgres.log" in refused.value.todo


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_gets_another_place_when_the_server_may_not_enter(place: Path) -> None:
    place.chmod(0o700)
    cluster = Cluster(place / "inner")
    try:
        assert cluster.data.is_relative_to("/var/lib/psn")
        with cluster:
            assert cluster.sql("select 1") == "1"
    finally:
        shutil.rmtree(cluster.data.parent, ignore_errors=True)


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PSN_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(ClusterError) as refused:
        find_postgres()
    assert refused.value.code == "postgres_missing"
    assert "apt-get install" in refused.value.todo


def test_missing_postgis_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, says in (
        ("postgres", "postgres (PostgreSQL) 16.4 (Ubuntu 16.4-0ubuntu0.24.04.2)"),
        ("pg_config", str(tmp_path)),
        ("initdb", ""),
        ("psql", ""),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{says}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PSN_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(ClusterError) as refused:
        find_postgres()
    assert refused.value.code == "postgis_missing"
    assert "postgresql-16-postgis-3" in refused.value.todo
    (tmp_path / "extension").mkdir()
    (tmp_path / "extension" / "postgis.control").touch()
    assert find_postgres() == tmp_path
    assert find_postgres("16") == tmp_path
    with pytest.raises(ClusterError, match="PostgreSQL 15"):
        find_postgres("15")


INTERRUPTED = """
import sys, time
from psn.cluster import Cluster
with Cluster(sys.argv[1], durable=False) as cluster:
    try:
        print("ready", flush=True)
        time.sleep(600)
    except KeyboardInterrupt:
        print(cluster.sql("select 'last words'"), flush=True)
"""


def test_ctrl_c_leaves_the_server_to_its_owner(place: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, place],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        os.killpg(owner.pid, signal.SIGINT)  # what a terminal does
        assert owner.stdout.readline() == "last words\n"
    assert owner.returncode == 0
