"""Security events at a real rsyslogd (docs/domain.md, DOM-SEC), also when it dies."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from stage import seed, until
from syslog_daemon import HAS_TLS, Certificates, Rsyslog, place_for_nobody

from psn.csirt import security_events, syslog_format, syslog_outlet
from psn.csirt.outlets import Outlet
from psn.csirt.syslog_outlet import SyslogReceiver, Target
from psn.settings import Settings
from psn.trail import auditor
from psn.trail.audit import Actor, Entry

HOSTILE = (
    'x"] \\ [a b="c\\"] \n<34>1 2026-01-01T00:00:00Z evil su - ID - \x1b[2J \u202e Ñandú 日本 😀'
)

needs_tls = pytest.mark.skipif(not HAS_TLS, reason="no rsyslog-openssl")


@pytest_asyncio.fixture
async def daemon() -> AsyncIterator[Rsyslog]:
    """A receiver on plain TCP."""
    running = Rsyslog(place_for_nobody())
    await running.start()
    try:
        yield running
    finally:
        await running.end()
        shutil.rmtree(running.place)


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await seed(database)
    made = await asyncpg.create_pool(database, min_size=1, max_size=4)
    try:
        yield made
    finally:
        await made.close()


async def happened(pool: asyncpg.Pool, count: int, text: str = "x") -> list[int]:
    """So many failed sign-ins; the numbers of their entries."""
    numbers = []
    async with pool.acquire() as connection:
        for n in range(count):
            details = {"name": f"{text} {n}", "why": "wrong_credentials"}
            entry = Entry(Actor("nobody", source="192.0.2.7"), "sign_in.failed", details=details)
            await auditor.append(connection, [entry])
            numbers.append(await connection.fetchval("select max(seq) from audit"))
    return numbers


def first_times(numbers: list[int]) -> list[int]:
    """Each number where it came first."""
    return list(dict.fromkeys(numbers))


async def running(outlet: Outlet) -> asyncio.Task[None]:
    """The outlet, running, with a cursor of its own."""
    task = asyncio.create_task(outlet.run())
    await until(lambda: outlet._written is not None, "the outlet begins")
    return task


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()


def outlet_to(pool: asyncpg.Pool, target: Target, settled: float = 15.0) -> Outlet:
    receiver = SyslogReceiver(target, syslog_outlet.sender(Settings()), settled)
    return Outlet(pool, "syslog", receiver)


async def test_every_field_arrives_exactly(pool: asyncpg.Pool, daemon: Rsyslog) -> None:
    """DOM-SEC-2: what a stranger typed can neither be taken for another message nor be lost."""
    outlet = outlet_to(pool, Target("127.0.0.1", daemon.port))
    task = await running(outlet)
    actor = Actor("person:1", HOSTILE, 1, "192.0.2.7", "0badcafe")
    entry = Entry(
        actor, "glass.added", "glass:3", 2, {"new": {"reason": HOSTILE}}, at=1_794_000_000_123
    )
    async with pool.acquire() as connection:
        await auditor.append(connection, [entry])
        number, body = await connection.fetchrow(
            "select seq, body from audit order by seq desc limit 1"
        )
    await until(daemon.read, "the event arrives")
    await stopped(task)
    (said,) = daemon.read()
    event = security_events.event_of(number, body)
    assert event is not None
    us = syslog_outlet.sender(Settings())
    assert said["pri"] == str(10 * 8 + 4)
    assert said["time"] == "2026-11-06T21:20:00.123Z"
    assert (said["host"], said["app"]) == (us.host, "psn")
    assert (said["process"], said["id"]) == (str(us.process), "BREAK_GLASS")
    assert said["text"].removeprefix("\ufeff") == syslog_format.harmless(event.text)
    fields = said["psn"]
    assert json.loads(fields.pop("details"))["new"]["reason"] == HOSTILE.replace("\u202e", "\ufffd")
    assert fields == {
        "seq": str(number),
        "action": "glass.added",
        "actor": "person:1",
        "actorName": syslog_format.harmless(HOSTILE),
        "agency": "1",
        "source": "192.0.2.7",
        "session": "0badcafe",
        "object": "glass:3",
        "owner": "2",
    }


async def test_nothing_is_lost_and_the_order_kept_when_the_receiver_is_killed(
    pool: asyncpg.Pool, daemon: Rsyslog
) -> None:
    """DOM-SEC-2: what was sent just before may come twice, and nothing else."""
    outlet = outlet_to(pool, Target("127.0.0.1", daemon.port))
    task = await running(outlet)
    before = await happened(pool, 30, HOSTILE)
    await until(lambda: len(daemon.numbers()) > 5, "some arrive")
    await daemon.end(signal.SIGKILL)
    seam = len(daemon.numbers())
    after = await happened(pool, 30)
    await until(lambda: outlet.state.behind > 0, "it is seen that events wait")
    since = outlet.state.succeeded
    await daemon.start()
    await until(lambda: set(before + after) <= set(daemon.numbers()), "all have arrived")
    await until(lambda: outlet.state.behind == 0 and outlet.state.succeeded > since, "in step")
    await stopped(task)
    numbers = daemon.numbers()
    assert first_times(numbers) == before + after
    again = numbers[seam:]
    assert again == sorted(again), "after the seam everything comes once, in order"
    assert len(again) == len(set(again))


async def test_what_happened_while_the_server_was_down_is_delivered(
    pool: asyncpg.Pool, daemon: Rsyslog
) -> None:
    """DOM-SEC-2."""
    task = await running(outlet_to(pool, Target("127.0.0.1", daemon.port), settled=0.0))
    first = await happened(pool, 3)
    reached = "select count(*) from outlet where seq >= $1"
    async with asyncio.timeout(20):
        while not await pool.fetchval(reached, first[-1]):
            await asyncio.sleep(0.05)
    await stopped(task)
    second = await happened(pool, 3)
    task = await running(outlet_to(pool, Target("127.0.0.1", daemon.port), settled=0.0))
    await until(lambda: len(daemon.numbers()) >= 6, "all arrive")
    await stopped(task)
    assert daemon.numbers() == first + second


async def test_what_has_not_settled_is_sent_again(pool: asyncpg.Pool, daemon: Rsyslog) -> None:
    task = await running(outlet_to(pool, Target("127.0.0.1", daemon.port), settled=3_600.0))
    numbers = await happened(pool, 2)
    await until(lambda: len(daemon.numbers()) >= 2, "both arrive")
    await stopped(task)
    task = await running(outlet_to(pool, Target("127.0.0.1", daemon.port)))
    await until(lambda: len(daemon.numbers()) >= 4, "both arrive again")
    await stopped(task)
    assert daemon.numbers() == numbers * 2


async def test_what_was_before_the_outlet_is_no_news(pool: asyncpg.Pool, daemon: Rsyslog) -> None:
    await happened(pool, 3)
    task = await running(outlet_to(pool, Target("127.0.0.1", daemon.port)))
    new = await happened(pool, 1)
    await until(daemon.read, "the new one arrives")
    await stopped(task)
    assert daemon.numbers() == new


@needs_tls
@pytest.mark.parametrize("ours", [False, True])
async def test_over_tls_with_and_without_a_certificate_of_ours(
    pool: asyncpg.Pool, tmp_path: Path, ours: bool
) -> None:
    """RFC 5425 §4.2."""
    place = place_for_nobody()
    given = Certificates.issued(place)
    daemon = Rsyslog(place, given, wants_certificate=ours)
    await daemon.start()
    shown = {"syslog_certificate": str(given.client), "syslog_key": str(given.client_key)}
    settings = Settings(
        syslog=f"tls://localhost:{daemon.port}",
        syslog_authority=str(given.authority),
        **(shown if ours else {}),
    )
    target = syslog_outlet.target(settings)
    assert target is not None
    task = await running(outlet_to(pool, target))
    numbers = await happened(pool, 3, HOSTILE)
    await until(lambda: len(daemon.numbers()) >= 3, "all arrive")
    await stopped(task)
    await daemon.end()
    assert daemon.numbers() == numbers
    shutil.rmtree(place)


@needs_tls
@pytest.mark.parametrize("wrong", ["authority", "host"])
async def test_a_receiver_that_cannot_prove_who_it_is_gets_nothing(
    pool: asyncpg.Pool, tmp_path: Path, wrong: str
) -> None:
    """DOM-SEC-5, RFC 5425 §5.2."""
    place = place_for_nobody()
    given = Certificates.issued(place, "localhost" if wrong == "authority" else "siem.example.bz")
    daemon = Rsyslog(place, given)
    await daemon.start()
    authority = Certificates.issued(tmp_path).authority if wrong == "authority" else given.authority
    settings = Settings(syslog=f"tls://localhost:{daemon.port}", syslog_authority=str(authority))
    target = syslog_outlet.target(settings)
    assert target is not None
    outlet = outlet_to(pool, target)
    task = asyncio.create_task(outlet.run())
    await until(lambda: outlet._failures > 0, "it fails")
    await happened(pool, 1)
    await until(lambda: outlet._failures > 1, "it fails again")
    problem = await pool.fetchval("select problem from outlet")
    await stopped(task)
    await daemon.end()
    assert "its certificate is not good" in problem
    assert daemon.read() == []
    shutil.rmtree(place)
