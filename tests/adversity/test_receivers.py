"""Floods, and receivers of security events that are dead or asleep: nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from stage import ANA, Bystanders, Complaints, Peer, Stage, seed, until

from psn import connection, wire
from psn.trail import auditor
from psn.trail.audit import Actor, Entry


@contextlib.asynccontextmanager
async def asleep() -> AsyncIterator[int]:
    """Somebody who takes connections and reads nothing; the port."""
    held = []

    def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        held.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0, limit=1)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in held:
            writer.transport.abort()
        await server.wait_closed()


@pytest_asyncio.fixture
async def closed_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def happened(dsn: str, count: int) -> None:
    """So many failed sign-ins of a long name."""
    connection = await asyncpg.connect(dsn)
    entry = Entry(Actor("nobody"), "sign_in.failed", details={"name": "x" * 900, "why": "x"})
    await auditor.append(connection, [entry] * count)
    await connection.close()


async def figure(stage: Stage, name: str) -> float:
    url = stage.url.replace("ws", "http", 1).removesuffix("/ws") + "/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        lines = (await answer.text()).splitlines()
    (line,) = [line for line in lines if line.startswith(name + "{")]
    return float(line.split()[-1])


async def test_a_receiver_that_is_down_slows_nobody_and_is_seen(
    database: str, complaints: Complaints, closed_port: int
) -> None:
    """DOM-SEC-2, DOM-SES-3."""
    await seed(database)
    stage = Stage(database, syslog=f"tcp://127.0.0.1:{closed_port}")
    await stage.start()
    others = Bystanders(stage.url)
    await others.arrive()
    async with others.undisturbed():
        await happened(database, 50)
        (outlet,) = stage.core.outlets()
        await until(lambda: outlet.state.behind >= 50, "what waits is counted")
    assert await figure(stage, "psn_outlet_behind") >= 50
    assert await figure(stage, "psn_outlet_seconds_since_success") > 0
    await others.leave()
    await stage.stop()


async def test_a_receiver_that_sleeps_slows_nobody(
    database: str, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-SEC-2, DOM-SES-3."""
    monkeypatch.setattr("psn.csirt.syslog_outlet.WRITE_SECONDS", 0.5)
    await seed(database)
    async with asleep() as port:
        stage = Stage(database, syslog=f"tcp://127.0.0.1:{port}")
        await stage.start()
        others = Bystanders(stage.url)
        await others.arrive()
        (outlet,) = stage.core.outlets()
        async with others.undisturbed():
            await happened(database, 20_000)
            await until(lambda: outlet._failures > 0, "it is given up for a while")
        assert outlet.state.behind > 0
        await others.leave()
        await stage.stop()


async def cuts(dsn: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        "select body from audit where action = 'connection.cut' order by seq"
    )
    await connection.close()
    return [json.loads(row[0]) for row in rows]


async def test_floods_and_malformed_frames_are_noted_and_do_not_fill_the_audit(
    stage: Stage, bystanders: Bystanders
) -> None:
    """DOM-SEC-4."""

    async def malformed() -> None:
        peer = await Peer.join(stage.url)
        for _ in range(connection.MALFORMED_FRAMES):
            await peer.send_raw(b"\xc1")
        assert await peer.closed() == wire.CloseCode.MALFORMED

    async def flood() -> None:
        peer = await Peer.enter(stage.url, "ana")
        with contextlib.suppress(Exception):
            for n in range(5_000):
                await peer.send(wire.Ping(n=n))
        assert await peer.closed() == wire.CloseCode.FLOOD

    async with bystanders.undisturbed():
        await flood()
        async with asyncio.timeout(20):
            while not await cuts(stage.dsn):
                await asyncio.sleep(0.05)
        for _ in range(20):
            await malformed()
    (first,) = await cuts(stage.dsn)
    assert (first["actor"], first["source"], first["owner"]) == (ANA, "127.0.0.1", 1)
    assert first["details"] == {"cuts": 1, "codes": {"4429": 1}}
    await bystanders.leave()
    await stage.stop()
    _, second = await cuts(stage.dsn)
    assert (second["actor"], second["details"]["codes"]) == ("nobody", {"4400": 20})
