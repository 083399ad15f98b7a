"""``psn public``: the public's page by a process of its own, which outlives server and database."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding
from desk_peer import Worker
from stage import WITHIN, Complaints, Stage, mistreated, seed, until
from warners import APPROVER, OFFICER, approval, draft, hire, message_row, sent, words

from dispatch.warnings import following, public_process, told
from psn.cluster import Cluster
from psn.keys import new_certified
from psn.problems import Problem
from psn.settings import Settings

IN_FORCE, NONE = "Go to a shelter now.", "No warning is in force."
CUT_OFF, UNKNOWN = "THIS PAGE MAY BE OLD.", "not known here at the moment"


@dataclass
class Reader:
    """Somebody of the public."""

    http: aiohttp.ClientSession
    url: str

    async def get(self, path: str = "/alerts/") -> tuple[int, str]:
        async with self.http.get(self.url + path, allow_redirects=False) as answer:
            return answer.status, (await answer.read()).decode()

    async def reads(self, *words: str, no: str = "nothing of the kind") -> None:
        """Wait until the page says that, and says ``no`` no more."""
        page = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHIN):
                while no in page or not all(word in page for word in words):
                    await asyncio.sleep(0.02)
                    _, page = await self.get()
                return
        raise AssertionError(f"never said {words} without {no!r}: {page}")

    async def says(self, path: str, status: int) -> None:
        """Wait until it answers so."""
        async with asyncio.timeout(WITHIN):
            while (await self.get(path))[0] != status:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def reading(url: str) -> AsyncIterator[Reader]:
    # A connection for each request, as of so many people.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        yield Reader(http, url)


@contextlib.asynccontextmanager
async def served(dsn: str) -> AsyncIterator[Reader]:
    """What the process does, in this one."""
    settings = Settings(database=dsn, port=0)
    async with public_process.running(settings, None) as url, reading(url) as reader:
        yield reader


@dataclass
class Desk:
    stage: Stage
    officer: Worker
    approver: Worker

    async def warn(self, **changes: Any) -> dict[str, Any]:
        return await sent(self.officer, self.approver, **changes)

    async def call_off(self, made: dict[str, Any]) -> None:
        texts = [
            words("en-BZ", "Hurricane warning", "is over", "Go home."),
            words("es-BZ", "Aviso de huracán", "terminado", "Vuelva a casa."),
            words("bzj", "Harikayn waanin", "don", "Goh hoam."),
        ]
        over = await self.officer.do(
            "warning.cancel",
            warning=made["warning"],
            content=draft(note="The storm has turned", texts=texts),
        )
        await self.officer.do("warning.check", message=over["message"])
        phrase = "actual cancel hurricane warning"
        await self.approver.do("warning.approve", **approval(over, phrase=phrase))

    async def leave(self) -> None:
        await self.officer.leave()
        await self.approver.leave()


async def enter(stage: Stage) -> Desk:
    people = [await Worker.enter(stage, who, "warning_desk") for who in (OFFICER, APPROVER)]
    return Desk(stage, *people)


@pytest_asyncio.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    await hire(stage)
    there = await enter(stage)
    yield there
    await there.leave()


async def beneath(dsn: str, statement: str, *values: Any) -> None:
    """Change what nobody can change."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statement, *values)
    finally:
        await connection.close()


Starts = Callable[..., Awaitable[tuple[asyncio.subprocess.Process, str]]]


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Starts]:
    """Starts the real process."""
    started = []

    async def start(dsn: str, *arguments: str) -> tuple[asyncio.subprocess.Process, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "psn", "public", "--port", "0", *arguments),
            env={**os.environ, "PSN_DATABASE": dsn, "PSN_KEYS": "/nowhere"},
            stdout=asyncio.subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert line.startswith("listening on http://127.0.0.1:")
        return process, line.split()[-1]

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_it_shows_what_is_approved_and_what_is_called_off(desk: Desk, start: Starts) -> None:
    """DOM-WRN-47: to the byte what the server shows, and without its keys."""
    process, url = await start(desk.stage.dsn)
    assert psutil.Process(process.pid).nice() > psutil.Process().nice()
    own = desk.stage.url.replace("ws://", "http://").removesuffix("/ws")
    async with reading(url) as reader, reading(own) as at_server:
        await reader.reads(NONE)
        assert (await reader.get("/alerts/certificate.pem"))[0] == 404
        made = await desk.warn()
        await reader.reads(IN_FORCE)
        paths = ("/alerts/", "/alerts/es.html", "/alerts/bzj.html", "/alerts.atom")
        for path in (*paths, f"/alerts/{made['message']}.xml", "/alerts/certificate.pem"):
            assert await reader.get(path) == await at_server.get(path)
        await desk.call_off(made)
        await reader.reads(NONE, "The storm has turned")
        # The server ends; the page does not.
        await desk.stage.stop()
        await reader.reads("The storm has turned")
        assert await reader.get("/readyz") == (200, "ready\n")
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_what_is_over_is_over_at_its_second(desk: Desk) -> None:
    """DOM-WRN-47."""
    made = await desk.warn()
    document = (await message_row(desk.stage, made["message"]))["document"]
    assert document.count("<expires>") == 3, "one in each language"
    ends = (datetime.now(UTC) + timedelta(seconds=4)).strftime("%Y-%m-%dT%H:%M:%S-00:00")
    for part in document.split("<expires>")[1:]:
        document = document.replace(part.partition("<")[0], ends)
    await beneath(desk.stage.dsn, "update warning_message set document = $1", document)
    async with served(desk.stage.dsn) as reader:
        await reader.reads(NONE)
        _, feed = await reader.get("/alerts.atom")
        assert 'term="expired"' in feed, "and not because it is unknown"


async def test_nothing_but_what_is_public_is_answered(desk: Desk) -> None:
    """DOM-WRN-47."""
    async with served(desk.stage.dsn) as reader:
        assert await reader.get("/healthz") == (200, "alive\n")
        for path in ("/", "/alerts"):
            async with reader.http.get(reader.url + path, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (308, "/alerts/")
        for path in (
            *("/ws", "/metrics", "/api/openapi.json", "/api/warnings", "/sign-in", "/warnings"),
            *("/console", "/alerts/../metrics", "/alerts//", "/alerts/x"),
        ):
            assert (await reader.get(path))[0] == 404, path
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            async with reader.http.request(method, reader.url + "/alerts/", data=b"x") as answer:
                assert answer.status == 405


async def test_those_who_hold_on_to_connections_keep_nobody_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-47."""
    monkeypatch.setattr(public_process, "MOST", 10)
    async with served(desk.stage.dsn) as reader, contextlib.AsyncExitStack() as stack:
        host, _, port = reader.url.removeprefix("http://").partition(":")
        held = []
        for beginning in (b"", b"GET /alerts/ HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"G") * 20:
            incoming, outgoing = await asyncio.open_connection(host, int(port))
            stack.callback(outgoing.close)
            outgoing.write(beginning)
            held.append(incoming)
            assert (await reader.get())[0] == 200
        async with asyncio.timeout(WITHIN):
            for incoming in held[:-10]:
                with contextlib.suppress(ConnectionResetError):
                    assert await incoming.read() == b""
        assert not any(incoming.at_eof() for incoming in held[-5:])


async def test_who_does_not_finish_asking_is_let_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_process, "KEEP_ALIVE_SECONDS", 0.5)
    async with served(desk.stage.dsn) as reader:
        host, _, port = reader.url.removeprefix("http://").partition(":")
        incoming, outgoing = await asyncio.open_connection(host, int(port))
        outgoing.write(b"GET /alerts/ HTTP/1.1\r\n")
        async with asyncio.timeout(WITHIN):
            assert await incoming.read() == b""
        outgoing.close()


async def test_it_needs_no_more_than_to_read_one_table(desk: Desk) -> None:
    """As docs/operating.md has it."""
    guide = Path(__file__).parents[3] / "docs" / "operating.md"
    grants = [
        line.strip().removesuffix(";")
        for line in guide.read_text().splitlines()
        if line.strip().lower().startswith("grant ") and "psn_public" in line
    ]
    connection = await asyncpg.connect(desk.stage.dsn)
    try:
        await connection.execute("create role psn_public login")
        try:
            for each in grants:
                await connection.execute(each)
            await desk.warn()
            user = desk.stage.dsn.partition("//")[2].partition("@")[0]
            async with served(desk.stage.dsn.replace(f"//{user}@", "//psn_public@")) as reader:
                await reader.reads(IN_FORCE)
        finally:
            await connection.execute("drop owned by psn_public")
            await connection.execute("drop role psn_public")
    finally:
        await connection.close()


async def test_the_certificate_that_is_given_is_shown(
    desk: Desk, start: Starts, tmp_path: Path
) -> None:
    """Also before anything was sent, and when another will be used from now on."""
    pem = new_certified().certificate.public_bytes(Encoding.PEM)
    (tmp_path / "next.pem").write_bytes(pem)
    await desk.warn()
    _, url = await start(desk.stage.dsn, "--certificate", str(tmp_path / "next.pem"))
    async with reading(url) as reader:
        assert await reader.get("/alerts/certificate.pem") == (200, pem.decode())


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_bytes(b"\x00 no certificate")
    with pytest.raises(Problem, match="holds no certificate"):
        public_process._read_certificate(tmp_path / "no.pem")


async def test_one_that_cannot_be_read_hides_no_other_and_is_told_once(
    desk: Desk, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-11."""
    broken = await desk.warn()
    whole = await desk.warn()
    await desk.stage.stop()
    await beneath(
        desk.stage.dsn,
        "update warning_message set document = 'torn' where id = $1",
        broken["message"],
    )
    looks, read = [], told.read

    async def counted(*arguments: Any) -> Any:
        found = await read(*arguments)
        looks.append(found)
        return found

    monkeypatch.setattr(told, "read", counted)
    async with served(desk.stage.dsn) as reader:
        await reader.reads(IN_FORCE)
        assert (await reader.get(f"/alerts/{whole['message']}.xml"))[0] == 200
        assert (await reader.get(f"/alerts/{broken['message']}.xml"))[0] == 404
        await until(lambda: len(looks) > 3, "it looks again")
    assert len(complaints.said) == 1
    complaints.said.clear()


@pytest.fixture(scope="module")
def victim() -> Iterator[Cluster]:
    with mistreated("psn_template") as running:
        yield running


async def test_with_the_database_away_it_goes_on_and_says_that_it_knows_nothing_new(
    victim: Cluster, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-47: it never says that nothing is in force when it does not know."""
    monkeypatch.setattr(following, "CUT_OFF_AFTER", timedelta(seconds=1))
    monkeypatch.setattr(public_process, "FIRST_SECONDS", 0.1)
    dsn = await asyncio.to_thread(victim.create_database, "psn_public_away", "psn_template")
    await seed(dsn)
    stage = Stage(dsn)
    await stage.start()
    await hire(stage)
    desk = await enter(stage)
    await desk.warn()
    await desk.leave()
    await stage.stop()
    async with served(dsn) as reader:
        await reader.reads(IN_FORCE)
        await asyncio.to_thread(victim.kill9)
        await reader.reads(CUT_OFF, IN_FORCE)
        assert (await reader.get("/readyz"))[0] == 503
        for path, words in (("es.html", "PUEDE SER VIEJA"), ("bzj.html", "MAITA OAL")):
            assert words in (await reader.get(f"/alerts/{path}"))[1]
        # One that begins now has never known anything.
        async with served(dsn) as ignorant:
            for path in ("/alerts/", "/alerts.atom", "/alerts/es.html"):
                status, page = await ignorant.get(path)
                assert status == 503 and UNKNOWN in page and NONE not in page
            assert (await ignorant.get("/healthz"))[0] == 200
            await asyncio.to_thread(victim.start)
            for each in (reader, ignorant):
                await each.says("/readyz", 200)
                await each.reads(IN_FORCE, no=CUT_OFF)
            await stage.start()
            desk = await enter(stage)
            await desk.warn(status="Test", note="Siren test")
            for each in (reader, ignorant):
                await each.reads("Siren test")
            await desk.leave()
    await stage.stop()
    complaints.said.clear()
