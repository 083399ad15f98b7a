"""What many tests need: a database of their own, real recordings, a browser."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import settings
from office import Office
from stage import Bystanders, Complaints, Stage, seed

from psn.cluster import Cluster, ClusterError

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "psn_template"

# How long an example takes is for the machine to say; no test judges by it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# Nor are hundreds of lines on that a word about what failed.
logging.getLogger("asyncio").addFilter(lambda record: not record.msg.startswith("Executing %s"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with browsers and benches first: they are the longest, and would be waited for."""
    long = {
        item.path
        for item in items
        if item.get_closest_marker("browser")
        or item.get_closest_marker("slow")
        or "chromium" in getattr(item, "fixturenames", ())
    }
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """Modules, and the tests themselves, live as long as the run: nothing of them is garbage.

    The tests look for garbage a thousand times, which took a fifth of a second each.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _own_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Servers in processes of their own keep no keys and no files in anyone's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PSN_KEYS", str(tmp_path_factory.mktemp("keys")))
        patch.setenv("PSN_FILES", str(tmp_path_factory.mktemp("files")))
        yield


ROOMY = 3 << 30
"""Bytes free in memory for files from which a cluster is put there."""


def _memory() -> str | None:
    """Where files are kept in memory, if there is room: a database is copied nine times as fast."""
    place = Path("/dev/shm")
    if not os.access(place, os.W_OK) or shutil.disk_usage(place).free < ROOMY:
        return None
    return str(place)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A private cluster for all tests of this run. Nobody may stop or kill this one."""
    # Not pytest's own temporary directory: when root runs the tests, the server runs as another
    # user, who may not enter that.
    place = Path(tempfile.mkdtemp(prefix="psn-test-", dir=_memory()))
    place.chmod(0o755)
    try:
        with Cluster(place, durable=False) as running:
            yield running
    except ClusterError as error:
        pytest.fail(str(error), pytrace=False)
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """Name of a migrated database, which `database` copies."""
    from psn.migrate import upgrade

    upgrade(cluster.create_database(TEMPLATE))
    # A database in use cannot be copied, and a closed connection lingers for a moment.
    cluster.sql(
        f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{TEMPLATE}'"
    )
    return TEMPLATE


_numbers = itertools.count(1)


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[str]:
    """Address (DSN) of a fresh, migrated, otherwise empty database for one test."""
    name = f"test_{next(_numbers)}"
    yield cluster.create_database(name, template=template)
    cluster.drop_database(name)


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[str]:
    """Address (DSN) of a database with PostGIS in it and nothing else: no migration has run."""
    name = f"empty_{next(_numbers)}"
    yield cluster.create_database(name)
    cluster.drop_database(name)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of real recordings (ais/, gpx/, cap/, dmr/), which are not part of the project."""
    place = Path(os.environ.get("PSN_RECORDINGS", ROOT.parent / "shared" / "data"))
    if not place.is_dir():
        pytest.skip(f"no recordings in {place}; set PSN_RECORDINGS to their folder")
    return place


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's browser."""
    found = os.environ.get("PSN_CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no browser; install the package chromium or set PSN_CHROMIUM")
    return found


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Nothing was logged as an error: no exception went unhandled, no task was lost."""
    heard = Complaints()
    root = logging.getLogger()
    root.addHandler(heard)
    try:
        yield heard
        gc.collect()
        assert heard.said == []
    finally:
        root.removeHandler(heard)


@pytest_asyncio.fixture
async def stage(database: str, complaints: Complaints) -> AsyncIterator[Stage]:
    """A running server on a seeded database."""
    await seed(database)
    running = Stage(database)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in left if "psn/" in repr(task.get_coro())], left


@pytest_asyncio.fixture
async def bystanders(stage: Stage) -> AsyncIterator[Bystanders]:
    """Others on the same server."""
    others = Bystanders(stage.url)
    await others.arrive()
    try:
        yield others
    finally:
        await others.leave()


@pytest_asyncio.fixture
async def office(stage: Stage) -> AsyncIterator[Office]:
    """Someone who makes codes for devices and spends them on the same server."""
    async with aiohttp.ClientSession() as http:
        yield Office(stage, http)
