"""The stage of a benchmark: a private database, a server, and the process with the load.

Everything here ends with this process, also when that is killed: the server and the load have a
parent-death signal (prctl(2), through ``setpriv``), the database likewise, and the directory is
removed by :mod:`simulators.bench.sweep`.

With two cores the server has the first to itself, and the load shares the second with PostgreSQL;
with three or more PostgreSQL has the rest. A database that the kernel may put anywhere was tried:
on two cores it lands beside the server now and then, and then a figure tells of the scheduler.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Any, Final

import trustme

from psn.cluster import Cluster
from psn.problems import Problem
from simulators.bench.measure import usage

Event = dict[str, Any]
START_SECONDS: Final = 60.0
LOG_SEGMENTS: Final = 64
"""Segments of PostgreSQL's write-ahead log that lie ready: enough for a minute of every bench."""
_PYTHON: Final = (sys.executable, "-P", "-m")


def note(text: str) -> None:
    """Say something to the person; results alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


def cores() -> tuple[set[int], set[int], set[int]]:
    """Processors of the server, of the load, and of PostgreSQL."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return set(allowed), set(allowed), set(allowed)
    return {allowed[0]}, {allowed[1]}, set(allowed[2:] or allowed[1:])


def bound(command: tuple[str, ...], on: set[int]) -> list[str]:
    """The command so that it dies with us and runs on these processors only."""
    where = ",".join(map(str, sorted(on)))
    return ["setpriv", "--pdeathsig", "KILL", "--", "taskset", "-c", where, *command]


class Stage:
    """A database and a server of our own, or ones that run elsewhere."""

    def __init__(self, url: str, dsn: str, cluster: Cluster | None, place: Path | None) -> None:
        self.url = url
        self.dsn = dsn
        self.cluster = cluster
        self.authority: str | None = None
        """PEM file of what signed the server's certificate; none without TLS."""
        self._place = place
        self._tls: dict[str, str] = {}
        self._server: asyncio.subprocess.Process | None = None
        self._public: asyncio.subprocess.Process | None = None

    @property
    def server_pid(self) -> int | None:
        """Process id of the server; none when it is not ours."""
        return None if self._server is None else self._server.pid

    @property
    def pids(self) -> tuple[int | None, int | None]:
        """Process ids of the server and of PostgreSQL; none for those that are not ours."""
        return self.server_pid, None if self.cluster is None else self.cluster.pid

    def use_tls(self) -> None:
        """Give the server a certificate for this machine, before it is started."""
        assert self._place is not None
        authority = trustme.CA(organization_name="Benchmark")
        issued = authority.issue_cert("127.0.0.1", "localhost")
        files = {name: self._place / name for name in ("authority.pem", "server.pem", "server.key")}
        authority.cert_pem.write_to_path(files["authority.pem"])
        files["server.pem"].write_bytes(b"".join(b.bytes() for b in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(files["server.key"])
        self.authority = str(files["authority.pem"])
        self._tls = {
            "PSN_TLS_CERTIFICATE": str(files["server.pem"]),
            "PSN_TLS_KEY": str(files["server.key"]),
        }

    async def start_server(self) -> None:
        """Start the server, on the same port as before when there was one."""
        port = self.url.rpartition(":")[2] if self.url else "0"
        self._server, self.url = await self._start("serve", port)

    async def start_public(self) -> str:
        """Start the process that serves the public, on the server's processor; its address."""
        self._public, url = await self._start("public", "0")
        return url

    def public_cpu_s(self) -> float:
        """Processor time of the process that serves the public; 0 without one."""
        return 0.0 if self._public is None else usage.seconds(self._public.pid)

    async def _start(self, command: str, port: str) -> tuple[asyncio.subprocess.Process, str]:
        """Start a command that listens; the process, and its address."""
        assert self._place is not None
        log = (self._place / "server.log").open("ab")
        try:
            process = await asyncio.create_subprocess_exec(
                *bound((*_PYTHON, "psn", command, "--port", port), cores()[0]),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={
                    **os.environ,
                    "PSN_DATABASE": self.dsn,
                    "PSN_KEYS": str(self._place / "keys"),
                    "PSN_FILES": str(self._place / "files"),
                    "PSN_LOG_LEVEL": "warning",
                    **self._tls,
                },
                start_new_session=True,
            )
        finally:
            log.close()
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = (await process.stdout.readline()).decode().strip()
        if not line.startswith("listening on "):
            raise Problem(
                "server_failed",
                f"The server did not start: {_last_line(self._place / 'server.log')}",
                "Run psn doctor.",
            )
        return process, line.removeprefix("listening on ")

    async def kill_server(self) -> None:
        """Kill the server the hard way."""
        if self._server is not None and self._server.returncode is None:
            self._server.kill()
            await self._server.wait()

    async def stop(self) -> None:
        """Stop the server, and what was started beside it, in order."""
        if self._public is not None and self._public.returncode is None:
            self._public.terminate()
            await self._public.wait()
        if self._server is not None and self._server.returncode is None:
            self._server.terminate()
            try:
                async with asyncio.timeout(15):
                    await self._server.wait()
            except TimeoutError:
                await self.kill_server()

    def server_words(self) -> str:
        """What the server wrote to its log: warnings and errors."""
        return "" if self._place is None else (self._place / "server.log").read_text()


def _last_line(file: Path) -> str:
    lines = [line for line in file.read_text().splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


@contextlib.asynccontextmanager
async def staged(url: str | None, dsn: str | None, *, tls: bool = False) -> AsyncIterator[Stage]:
    """The stage: what is named by ``url`` and ``dsn``, or else something of our own."""
    if url is not None:
        if dsn is None:
            raise Problem(
                "database_missing",
                "A benchmark enrols units of its own and counts rows, so it needs the database.",
                "Give --database too, or neither: it then starts a server of its own.",
            )
        yield Stage(url, dsn, None, None)
        return
    with directory() as place:
        cluster = Cluster(place, durable=True)
        try:
            dsn = await asyncio.to_thread(_start_database, cluster)
            stage = Stage("", dsn, cluster, place)
            if tls:
                stage.use_tls()
            await stage.start_server()
            _say_where()
            try:
                yield stage
            finally:
                await stage.stop()
        finally:
            await asyncio.to_thread(cluster.stop)


def _start_database(cluster: Cluster) -> str:
    # Counts for this thread and what it starts.
    os.sched_setaffinity(0, cores()[2])
    cluster.create()
    cluster.start()
    _age(cluster)
    dsn = cluster.create_database("bench")
    done = subprocess.run(
        [*_PYTHON, "psn", "migrate"],
        env={**os.environ, "PSN_DATABASE": dsn},
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode != 0:
        raise Problem("migration_failed", done.stderr.strip()[-500:], "Run psn doctor.")
    return dsn


def _age(cluster: Cluster) -> None:
    """Give it a write-ahead log as after a day's work, when old segments are used again.

    A young one makes each segment as it is reached: 16 MB of zeros and a sync, 10 to 20 ms in which
    nothing is committed, every second or two.
    """
    for statement in (
        f"alter system set min_wal_size = '{LOG_SEGMENTS * 16} MB'",
        "select pg_reload_conf()",
        f"do $$ begin for n in 1..{LOG_SEGMENTS} loop"
        " perform pg_logical_emit_message(false, 'psn', ''), pg_switch_wal(); end loop; end $$",
        "checkpoint",
    ):
        cluster.sql(statement)


def _say_where() -> None:
    server, load, database = cores()
    note(
        f"server on processor {_listed(server)}, load on {_listed(load)}, PostgreSQL on"
        f" {_listed(database)} (every commit goes to the disk)"
    )


def _listed(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


@contextlib.contextmanager
def directory() -> Any:
    """A directory that is removed afterwards, also when this process is killed."""
    place = Path(tempfile.mkdtemp(prefix="psn-bench-"))
    # PostgreSQL runs as another user when root starts it.
    place.chmod(0o755)
    sweeper: subprocess.Popen[bytes] = subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__).with_name("sweep.py")), str(place)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        assert sweeper.stdin is not None
        sweeper.stdin.close()
        sweeper.wait()


class Load:
    """The process that holds all clients; it is told and tells in lines of JSON."""

    def __init__(self, process: asyncio.subprocess.Process, errors: IO[bytes]) -> None:
        self._process = process
        self._errors = errors

    def tell(self, event: Event) -> None:
        """Send it a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event).encode() + b"\n")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def until(self, wanted: str, others: Callable[[Event], None]) -> Event:
        """The next event of that name; all before it go to ``others``. Raises Problem."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            event: Event = json.loads(line)
            if event["event"] == wanted:
                return event
            others(event)
        await self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip()
        note(words)
        raise Problem(
            "load_failed",
            "The process with the load ended before it was done; what it said is above.",
            "Try again with fewer clients.",
        )

    async def end(self) -> None:
        """No more of it."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._errors.close()


@contextlib.asynccontextmanager
async def loaded(scenario: str, plan: Event) -> AsyncIterator[Load]:
    """Start the load with its plan."""
    errors = tempfile.TemporaryFile()  # noqa: SIM115 (Load.end closes it)
    process = await asyncio.create_subprocess_exec(
        *bound((*_PYTHON, "simulators.bench.play", scenario), cores()[1]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
        limit=2**20,
    )
    load = Load(process, errors)
    try:
        load.tell(plan)
        yield load
    finally:
        await load.end()


def monotonic() -> float:
    """The clock that all processes of the machine share, seconds."""
    return time.monotonic()
