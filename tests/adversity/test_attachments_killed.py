"""A server that is killed while an attachment arrives, and while it is judged: real processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from attached import Sender, photo
from stage import Peer, seed, until

ROOT = Path(__file__).resolve().parents[2]


@contextlib.asynccontextmanager
async def serving(dsn: str, place: Path, **more: str) -> AsyncIterator[Sender]:
    """``psn serve`` as a process of its own, which is killed at the end."""
    environment = {**os.environ, "PSN_DATABASE": dsn, "PSN_FILES": str(place), **more}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "psn", "serve", "--port", "0"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith("listening on http://"), line
        base = line.split()[2]
        url = base.replace("http", "ws", 1) + "/ws"
        async with aiohttp.ClientSession() as http, await Peer.enter(url, "ana") as peer:
            yield Sender(peer, base, http)
    finally:
        process.kill()
        await process.wait()


@pytest.mark.slow
async def test_what_arrived_before_a_kill_is_there_after_it(database: str, tmp_path: Path) -> None:
    """DOM-FILE-1, DOM-FILE-3."""
    await seed(database)
    place = tmp_path / "files"
    data = photo(size=(300, 200))
    half = uuid4()

    async def pieces() -> AsyncIterator[bytes]:
        yield data[400:900]
        await asyncio.Event().wait()

    async with serving(database, place) as ana:
        path, answer = await ana.begin(data, id=half)
        assert answer.status == 201
        assert (await ana.piece(path, 0, data[:400])).status == 204
        sending = asyncio.create_task(ana.piece(path, 400, pieces()))
        part = place / str(half)[:2] / f"{half}.part"
        await until(lambda: part.stat().st_size >= 900, "some of it arrives")
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError):
        await sending
    async with serving(database, place) as ana:
        at = await ana.offset(path)
        assert at >= 900, "nothing that arrived is lost"
        assert (await ana.piece(path, at, data[at:])).status == 204
        assert (await ana.settled(path))["state"] == "ready"


@pytest.mark.slow
async def test_what_was_acknowledged_is_judged_after_a_kill(database: str, tmp_path: Path) -> None:
    """DOM-FILE-1: it is killed while the scanner works, and as if before the row said so."""
    await seed(database)
    place, scan = tmp_path / "files", tmp_path / "scan"
    scan.write_text("#!/bin/sh\nexec sleep 600\n")
    scan.chmod(0o700)
    data = photo()
    async with serving(database, place, PSN_VIRUS_SCAN=f"command:{scan}") as ana:
        path, _ = await ana.begin(data)
        assert (await ana.piece(path, 0, data)).status == 204
        assert (await ana.ask("GET", path)).said["state"] == "checking"
    # As if it had died between the last byte and the row that says that all is there.
    connection = await asyncpg.connect(database)
    await connection.execute("update attachment set state = 'receiving'")
    async with serving(database, place) as ana:
        assert await ana.offset(path) == len(data)
        said = await ana.settled(path)
        assert said["state"] == "ready"
        assert (await ana.ask("GET", f"{path}/content")).status == 200
    entries = await connection.fetch("select body from audit where action = 'attachment.stored'")
    await connection.close()
    assert len([json.loads(row["body"]) for row in entries]) == 1
