"""What keeps attachments from being judged, and who is held up by it (docs/domain.md, DOM-FILE)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from attached import Sender, photo
from stage import Complaints, Stage, seed, until

from dispatch.attachments import checking, decoder
from dispatch.attachments.checking import Checker
from dispatch.attachments.files import PART, Files
from dispatch.attachments.scanning import ScannerAway


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "EVERY_SECONDS", 0.1)


async def test_one_that_is_not_there_waits_and_keeps_nobody_else_waiting(
    stage: Stage, ana: Sender, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-FILE-1: a disk that was not mounted comes back; nothing that had arrived is given up."""
    files, data = Files(place), photo()
    with monkeypatch.context() as patch:
        patch.setattr(decoder, "PROGRAM", place / "nothing")
        path, _ = await ana.begin(data)
        assert (await ana.piece(path, 0, data)).status == 204
        assert (await ana.ask("GET", path)).said["state"] == "checking"
        away = files.path(UUID(path.rpartition("/")[2]), PART)
        away.rename(place / "away")
    _, other = await ana.attach(photo())
    assert other["state"] == "ready"
    assert (await ana.ask("GET", path)).said["state"] == "checking"
    (place / "away").rename(away)
    assert (await ana.settled(path))["state"] == "ready"


async def test_a_row_deleted_by_hand_takes_its_files_along(
    stage: Stage, ana: Sender, place: Path
) -> None:
    """DOM-FILE-9."""
    path, _ = await ana.attach(photo())
    kept, _ = await ana.attach(photo())
    stranger = place / "ab" / "abcdef00-0000-4000-8000-000000000000"
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(b"of another network")
    connection = await asyncpg.connect(stage.dsn)
    await connection.execute("delete from attachment where id = $1", path.rpartition("/")[2])
    await until(lambda: not list(place.rglob(path.rpartition("/")[2] + "*")), "its files go")
    await connection.execute("insert into file_orphan values ('../away'), ('x'), ('')")
    (place.parent / "away").write_bytes(b"no file of ours")
    while await connection.fetchval("select count(*) from file_orphan"):
        await asyncio.sleep(0.05)
    await connection.close()
    assert (place.parent / "away").exists() and stranger.exists()
    assert (await ana.ask("GET", f"{kept}/content")).status == 200


async def test_a_scanner_that_is_away_is_asked_once_a_round(database: str, place: Path) -> None:
    """DOM-FILE-7: many that wait do not each wait for it."""
    await seed(database)
    stage = Stage(database)
    await stage.start()
    try:
        connection = await asyncpg.connect(database)
        files = Files(place)
        for n in range(10):
            id = UUID(int=n)
            files.write(id, 0, photo())
            await connection.execute(
                "insert into attachment (id, agency_id, author, kind, said_type, size, sha256)"
                " values ($1, 1, 'person:1', 'photo', '', 9, sha256('x'))",
                id,
            )
        asked = []

        async def away(path: Path) -> str | None:
            asked.append(path)
            raise ScannerAway("gone")

        async with asyncpg.create_pool(database, min_size=0, max_size=3) as pool:
            checker = Checker(stage.core, pool, files, away, 10)
            # The server of this stage has no scanner and would judge them.
            await stage.stop()
            await connection.execute("update attachment set state = 'checking'")
            await checker.round()
        assert len(asked) == checking.AT_ONCE
        assert await connection.fetchval("select bool_and(state = 'checking') from attachment")
        await connection.close()
    finally:
        await stage.stop()


async def test_what_the_database_does_after_all_is_over_is_no_fault(
    complaints: Complaints, place: Path
) -> None:
    """A server that stops while the database is away ends without a word of errors."""
    begun = asyncio.Event()

    class Away:
        """Holds on to a question, and then loses its connection."""

        @contextlib.asynccontextmanager
        async def acquire(self) -> AsyncIterator[None]:
            begun.set()
            await asyncio.sleep(0.05)
            yield
            raise asyncpg.InterfaceError("another operation is in progress")

    async def ask(connection: object) -> None:
        pass

    checker = Checker(cast("Any", None), cast("Any", Away()), Files(place), None, 60)
    asking = asyncio.create_task(checker._asking(ask))
    await begun.wait()
    asking.cancel()
    await asyncio.wait((asking,))
    del asking
    gc.collect()
    assert complaints.said == []
