"""Servers that cannot start, are killed, or are stopped in the middle: real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from stage import (
    BEN,
    CAR,
    PATROL,
    WITHIN,
    Bystanders,
    Peer,
    Stage,
    credentials_of,
    message,
    now_ms,
    seed,
    until,
)
from websockets.exceptions import ConnectionClosed

from psn import server, wire
from psn.client import client as library
from psn.client.offline import Offline

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HERE = (-881_900_000, 172_500_000)


def environment(dsn: str) -> dict[str, str]:
    return {**os.environ, "PSN_DATABASE": dsn, "PSN_HOST": "127.0.0.1"}


def refused_start(dsn: str, *arguments: str) -> str:
    """Run a server that cannot start; what it says about it."""
    done = subprocess.run(
        [sys.executable, "-m", "psn", "serve", *(arguments or ("--port", "0"))],
        cwd=ROOT, env=environment(dsn), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(told) == 1, done.stderr
    return told[0]


def test_migrations_not_run(empty_database: str) -> None:
    told = refused_start(empty_database)
    assert told.endswith("[schema_old]") and "psn migrate" in told


async def test_a_database_newer_than_the_program(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("update alembic_version set version_num = '9999_from_the_future'")
    await connection.close()
    told = await asyncio.to_thread(refused_start, database)
    assert told.endswith("[schema_newer]") and "9999_from_the_future" in told


def test_no_database() -> None:
    told = refused_start("postgresql://psn@/psn?host=/nonexistent")
    assert told.endswith("[database_unreachable]")


def test_port_taken(database: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        told = refused_start(database, "--port", str(other.getsockname()[1]))
    assert told.endswith("[port_taken]") and "PSN_PORT" in told


async def test_a_second_server_on_the_same_database(
    stage: Stage, bystanders: Bystanders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "RECORD_SECONDS", 0.5)
    async with bystanders.undisturbed():
        with pytest.raises(BaseExceptionGroup) as refused:
            await Stage(stage.dsn).start()
    (problem,) = refused.value.exceptions
    assert isinstance(problem, server.StartProblem) and problem.code == "record_busy"


class Process:
    """``psn serve`` as a process of its own, always on the same port."""

    def __init__(self, dsn: str, log: Path, *strict: str) -> None:
        self._dsn = dsn
        self._strict = strict
        self._log = log
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._strict, "-m", "psn", "serve", "--port", str(self._port)],
                cwd=ROOT, env=environment(self._dsn), stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("listening on http://"), self._log.read_text()
        self._port = int(line.rsplit(":", 1)[1])
        self.url = f"ws://127.0.0.1:{self._port}/ws"

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._ended()

    async def stop(self) -> int:
        """Ask it to stop; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await self._ended()

    async def _ended(self) -> int:
        process = self._process
        assert process is not None and process.stdout is not None
        try:
            return await asyncio.to_thread(process.wait, 30)
        finally:
            process.kill()
            process.stdout.close()
            self._process = None

    async def abandon(self) -> None:
        if self._process is not None:
            await self.kill()

    def complaints(self) -> list[str]:
        """Lines of its log that no server should write."""
        bad = re.compile(r"Traceback|ERROR|destroyed|never (retrieved|awaited)|ResourceWarning")
        return [line for line in self._log.read_text().splitlines() if bad.search(line)]


@contextlib.asynccontextmanager
async def process(dsn: str, place: Path, *strict: str) -> AsyncIterator[Process]:
    await seed(dsn)
    one = Process(dsn, place / "server.log", *strict)
    await one.start()
    try:
        yield one
    finally:
        await one.abandon()


async def test_connections_that_ask_nothing_leave_room_where_a_shell_gives_little(
    database: str, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # for the process that starts now
    try:
        starting = process(database, tmp_path)
        running = await starting.__aenter__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    idle = []
    try:
        host, _, port = running.url.removeprefix("ws://").removesuffix("/ws").partition(":")
        idle = [await asyncio.open_connection(host, int(port)) for _ in range(400)]
        async with await Peer.enter(running.url, "ana") as ana:
            await ana.answers()
    finally:
        for _, writer in idle:
            writer.close()
        await starting.__aexit__(None, None, None)


async def test_killed_three_times_under_load(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "LONGEST_RETRY_SECONDS", 0.5)
    shown: list[str] = []
    acknowledged: set[UUID] = set()
    stop = asyncio.Event()

    def show(mail: wire.Mail) -> None:
        if isinstance(mail.body, wire.MessageBody):
            shown.append(mail.body.text)

    async with process(database, tmp_path) as one:
        kept = [Offline(), Offline(), Offline()]
        ana = library.Client(one.url, credentials_of("ana"), offline=kept[0])
        ben = library.Client(one.url, credentials_of("ben"), offline=kept[1], mail=show)
        car = library.Client(one.url, credentials_of(CAR), offline=kept[2])
        sent: list[UUID] = []
        kept_fixes: set[int] = set()

        async def write() -> None:
            while not stop.is_set():
                sent.append(ana.send([BEN], f"number {len(sent)}"))
                await asyncio.sleep(0.01)

        async def drive() -> None:
            while not stop.is_set():
                at = now_ms()
                if not await car.report(wire.Fix(0, at, *HERE)):
                    kept_fixes.add(at)  # so it must arrive; one sent live may die with the server
                await asyncio.sleep(0.05)

        async with ana, ben, car:
            for client in (ana, ben, car):
                await asyncio.wait_for(client.up(), WITHIN)
            load = [asyncio.create_task(write()), asyncio.create_task(drive())]
            for _ in range(3):
                await asyncio.sleep(0.4)
                await one.kill()
                await one.start()
            await asyncio.sleep(0.3)
            stop.set()
            await asyncio.gather(*load)
            for uid in sent:
                await asyncio.wait_for(ana.acknowledged(uid), WITHIN)
                acknowledged.add(uid)
            await until(lambda: len(shown) >= len(sent), "everything is shown")
            await asyncio.wait_for(car.drained(), WITHIN)
            assert sorted(shown) == sorted(f"number {n}" for n in range(len(sent)))
        assert await one.stop() == 0
        for offline in kept:
            offline.close()
        assert one.complaints() == []
    connection = await asyncpg.connect(database)
    stored = {r["uid"] for r in await connection.fetch("select uid from log where kind='message'")}
    assert acknowledged == stored
    times = {
        round(r["at"].timestamp() * 1000)
        for r in await connection.fetch("select at from track where unit_id = $1", CAR)
    }
    assert kept_fixes and kept_fixes <= times
    # No gap in any mailbox.
    assert not await connection.fetch(
        "select m.address from mailbox m left join mailbox_entry e using (address)"
        " group by m.address, m.head having count(e.seq) <> m.head or max(e.seq) <> m.head"
    )
    await connection.close()


async def test_the_real_loop_under_attack_and_stopped_in_the_middle(
    database: str, tmp_path: Path
) -> None:
    """uvloop is not asyncio: resets, floods and a stop under load on what really runs."""
    # As strict as it goes: asyncio's debug mode, and warnings that are off otherwise.
    async with process(database, tmp_path, "-X", "dev") as one:
        others = Bystanders(one.url)
        await others.arrive()
        async with others.undisturbed():
            await asyncio.to_thread(_reset_many, one.url)
            flood = await Peer.enter(one.url, CAR)
            with contextlib.suppress(ConnectionClosed):
                for n in range(5_000):
                    await flood.send(wire.Position(p=wire.Fix(0, now_ms() + n, *HERE)))
            assert await flood.closed() == wire.CloseCode.FLOOD
            await flood.leave()
            big = await Peer.enter(one.url, CAR)
            await big.send_raw(b"\x00" * 70_000)
            assert await big.closed() == 1009
            await big.leave()

        async def shout(peer: Peer) -> None:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await peer.send(wire.Position(p=wire.Fix(0, now_ms(), *HERE)))
                    await peer.send(message(BEN, "until the end"))
                    await asyncio.sleep(0.1)

        peers = [await Peer.enter(one.url, device) for device in (CAR, PATROL) for _ in range(10)]
        shouting = [asyncio.create_task(shout(peer)) for peer in peers]
        await asyncio.sleep(0.5)
        assert await one.stop() == 0
        for peer in peers:
            assert await peer.closed() == wire.CloseCode.GOING_DOWN
            assert peer.of(wire.Closing)[0].code == "going_down"
            await peer.leave()
        await asyncio.gather(*shouting)
        await others.leave()
        assert one.complaints() == []


def _reset_many(url: str) -> None:
    host, _, port = url.removeprefix("ws://").removesuffix("/ws").partition(":")
    handshake = (
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        b"Sec-WebSocket-Protocol: psn.v1.msgpack\r\n\r\n"
    )
    for n in range(500):
        with socket.create_connection((host, int(port))) as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if n % 3:
                raw.sendall(handshake)
            if n % 3 == 2:
                raw.recv(1_000)
        if n % 50 == 0:
            time.sleep(0.01)
