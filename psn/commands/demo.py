"""``psn demo``: a database, the server and a simulated fleet, from nothing, in one command."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import asyncpg
import click

from psn import migrate, seed
from psn.children import Child
from psn.cluster import Cluster
from psn.commands.doctor import port_problem
from psn.commands.rows import user
from psn.commands.words import counted
from psn.problems import Problem
from psn.seed_landmarks import SOURCE, seed_landmarks
from psn.seed_radio import NETWORK, TALKGROUPS, seed_radio
from psn.seed_work import seed_work

T = TypeVar("T")

DATABASE: Final = "psn"
READY_SECONDS: Final = 60.0
REPEATERS: Final = 3
FIRST_RADIO: Final = 4_001
"""Of those that ``psn simulate radios`` has."""
TABLETS: Final = 7_020_000
"""As which radio a tablet is seen whose unit carries none."""
_PYTHON: Final = (sys.executable, "-P", "-m", "psn")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for."""

    host: str
    port: int
    seconds: float | None
    units: int
    directory: Path
    radios: int = 0

    @property
    def passwords(self) -> Path:
        """Where the accounts' passwords are kept."""
        return self.directory.with_name(self.directory.name + "-passwords.json")

    @property
    def credentials(self) -> Path:
        """Where the simulated units' keys are, for the fleet."""
        return self.directory / "units.json"

    @property
    def bridge(self) -> Path:
        """The settings of the radio bridge; its key lies beside them."""
        return self.directory / "radio.toml"


@click.command(
    epilog="""
\b
Examples:
  psn demo
  psn demo --port 9000 --units 1000
  psn demo --radios 24                    and two-way radios, with the bridge to them
  psn demo --for 60                       stops by itself
"""
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="TCP port; 0: any that is free.",
)
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@click.option(
    "--units",
    default=200,
    show_default=True,
    type=click.IntRange(0, 20_000),
    help="How many units to simulate.",
)
@click.option(
    "--radios",
    default=0,
    show_default=True,
    type=click.IntRange(0, 1_000),
    help="How many two-way radios to simulate, at three repeaters.",
)
@click.option(
    "--directory",
    default=Path(".psn/demo"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the database and the logs are kept.",
)
def demo(
    host: str, port: int, seconds: float | None, units: int, radios: int, directory: Path
) -> None:
    """Start everything: a private database, demonstration data, the server, simulated units.

    Ctrl-C stops everything; a second one stops it at once.
    """
    wishes = Wishes(host, port, seconds, units, directory.resolve(), radios)
    raise SystemExit(asyncio.run(Demo(wishes).run()))


class Demo:
    """One run, from the first line to the last."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._begun = time.monotonic()
        self._stop = asyncio.Event()
        self._address: asyncio.Future[str] | None = None
        self._children: list[Child] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ground: asyncio.Task[None] | None = None
        self._laying: asyncio.subprocess.Process | None = None
        self._cluster: Cluster | None = None

    async def run(self) -> int:
        """Run until told to stop; the exit status: 1 when a part gave up."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._told_to_stop)
        problem = port_problem(self._wishes.host, self._wishes.port)
        if problem is not None:
            raise problem
        main = asyncio.create_task(self._main(), name="demo")
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait({main, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not main.done():
                main.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await main
        finally:
            stop.cancel()
        return 1 if any(child.gave_up for child in self._children) else 0

    async def _main(self) -> None:
        async with self._database() as dsn:
            accounts = await self._seed(dsn)
            try:
                address = await self._serve(dsn)
                self._ground = asyncio.create_task(self._lay_ground(dsn), name="ground")
                self._start_fleet(address)
                await self._start_radios(address)
                self._show(address, dsn, accounts)
                await self._until_over()
            finally:
                self._say("stopping")
                await self._stop_children()

    @contextlib.asynccontextmanager
    async def _database(self) -> AsyncIterator[str]:
        """The private cluster, running, with a migrated database in it."""
        cluster = self._cluster = Cluster(self._wishes.directory)

        def start() -> str:
            cluster.create()
            cluster.start()
            if not cluster.has_database(DATABASE):
                cluster.create_database(DATABASE)
            dsn = cluster.dsn(DATABASE)
            migrate.upgrade(dsn)
            return dsn

        try:
            dsn = await _whole(asyncio.to_thread(start))
            self._say("database is up and migrated")
            yield dsn
        finally:
            ran = cluster.pid is not None
            await _whole(asyncio.to_thread(cluster.stop))
            if ran:
                self._say("database has stopped")

    async def _seed(self, dsn: str) -> list[seed.Account]:
        conn = await asyncpg.connect(dsn, server_settings={"psn.actor": user().address})
        try:
            accounts = await seed.seed(conn, self._wishes.passwords)
            fleet = seed.fleet(self._wishes.units)
            enrolled = await seed.ensure_units(conn, fleet)
            await seed_work(conn)
            await seed_landmarks(conn)
            if self._wishes.radios:
                numbers = range(FIRST_RADIO, FIRST_RADIO + self._wishes.radios)
                await seed_radio(conn, numbers, self._wishes.bridge.with_suffix(".pem"))
        finally:
            await conn.close()
        content = [
            {
                "unit": unit,
                "device": device,
                "key": key.pem,
                "callsign": callsign,
                "agency": agency,
                "kind": kind,
            }
            for (unit, device, key), (agency, callsign, kind) in zip(enrolled, fleet, strict=True)
        ]
        seed.write_private(self._wishes.credentials, json.dumps(content) + "\n")
        self._say(f"{len(accounts)} accounts and {len(fleet)} units are in it")
        return accounts

    async def _serve(self, dsn: str) -> str:
        """Start the server; its address when it listens."""
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._address = address
        where = ["--host", self._wishes.host, "--port", str(self._wishes.port)]
        server = self._child("server", [*_PYTHON, "serve", *where], dsn, self._listens)
        task = self._tasks[-1]
        waited: set[asyncio.Future[Any]] = {address, task}
        await asyncio.wait(waited, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not address.done():
            raise Problem(
                "server_failed",
                f"The server did not start: {server.last_words() or 'it said nothing'}",
                f"Its log is {server.log}.",
            )
        return address.result()

    def _listens(self, line: str) -> None:
        """Note where the server listens; after a crash it has to be the same port again."""
        word, _, address = line.partition("listening on ")
        if word or not address:
            return
        assert self._address is not None
        if not self._address.done():
            self._address.set_result(address)
            server = self._children[0]
            server.command[-1] = address.rpartition(":")[2]
        else:
            self._say(f"server is back, now process {self._children[0].pid}")

    def _start_fleet(self, address: str) -> None:
        if self._wishes.units:
            told = ["--units", str(self._wishes.units), "--url", address]
            told += ["--credentials", str(self._wishes.credentials)]
            self._child("fleet", [*_PYTHON, "simulate", "patrol", *told], None)

    async def _start_radios(self, address: str) -> None:
        """The bridge, and repeaters with radios that sign in at it."""
        if not self._wishes.radios:
            return
        port = _free_udp_port()
        told = ["--sites", str(REPEATERS), "--radios", str(self._wishes.radios)]
        told += ["--port", str(port)]
        for number, _ in TALKGROUPS:
            told += ["--talkgroup", str(number)]
        simulate = [*_PYTHON, "simulate", "radios", *told]
        asked = await asyncio.create_subprocess_exec(
            *simulate, "--settings", stdout=asyncio.subprocess.PIPE
        )
        links, _ = await asked.communicate()
        key = json.dumps(str(self._wishes.bridge.with_suffix(".pem")))
        ours = f"[network]\nurl = {json.dumps(address)}\nkey = {key}\nradio = {TABLETS}\n"
        ours += f"[radio_network.simulated]\ncalled = {json.dumps(NETWORK)}\n"
        self._wishes.bridge.write_text(ours + links.decode(), encoding="utf-8")
        bridge = ["radio", "--config", str(self._wishes.bridge)]
        self._child("bridge", [*_PYTHON, *bridge], None)
        self._child("radios", simulate, None)
        self._say(f"{counted(self._wishes.radios, 'two-way radio')} at {REPEATERS} repeaters")

    async def _lay_ground(self, dsn: str) -> None:
        """Schematic roads and their mile markers, once; the start does not wait for them."""
        try:
            if await _has_roads(dsn):
                return
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
            self._say(f"there are no roads: the database could not be asked: {problem}")
            return
        place = self._wishes.directory / "ground"
        for command in (
            ("simulate", "ground", str(place)),
            ("place", "import", str(place / "markers.csv"), "--source", SOURCE),
            ("geo", "import", str(place / "roads.osm")),  # last: by it the next start knows
        ):
            if not await self._ran(command, dsn):
                self._say(f"there are no roads: {self._wishes.directory / 'ground.log'} says why")
                return
        self._say("roads and mile markers are in it; times are told by road from now on")

    async def _ran(self, command: tuple[str, ...], dsn: str) -> bool:
        """Whether a command of ours did what it was to do; it ends with this."""
        with (self._wishes.directory / "ground.log").open("ab") as log:
            process = self._laying = await asyncio.create_subprocess_exec(
                *_PYTHON, *command, stdout=log, stderr=log, env=self._environment(dsn),
                stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        try:
            return await process.wait() == 0
        except asyncio.CancelledError:
            self._lay_no_more()
            await process.wait()
            raise

    def _lay_no_more(self) -> None:
        """End what lays the ground, at once, with all that it has started."""
        if self._laying is not None and self._laying.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._laying.pid, signal.SIGKILL)

    def _environment(self, dsn: str | None) -> dict[str, str]:
        """What a part of it is told: the database only where it needs that."""
        environment = dict(os.environ)
        if dsn is not None:
            environment["PSN_DATABASE"] = dsn
            environment["PSN_KEYS"] = str(self._wishes.directory / "keys")
            environment["PSN_FILES"] = str(self._wishes.directory / "files")
        return environment

    def _child(
        self,
        name: str,
        command: list[str],
        dsn: str | None,
        line: Callable[[str], None] | None = None,
    ) -> Child:
        child = Child(
            name,
            command,
            log=self._wishes.directory / f"{name}.log",
            say=self._say,
            line=line,
            environment=self._environment(dsn),
        )
        self._children.append(child)
        self._tasks.append(asyncio.create_task(child.run(), name=name))
        return child

    async def _until_over(self) -> None:
        """Until its time is over, or the server is given up: without it there is nothing here."""
        await asyncio.wait({self._tasks[0]}, timeout=self._wishes.seconds)

    async def _stop_children(self) -> None:
        """In reverse: the fleet first, so that the server is not told of 200 lost sessions."""
        if self._ground is not None:
            self._ground.cancel()
            await asyncio.gather(self._ground, return_exceptions=True)
        for child in reversed(self._children):
            await child.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _told_to_stop(self) -> None:
        """First: in order. Again: at once."""
        if not self._stop.is_set():
            self._stop.set()
            return
        self._at_once()

    def _at_once(self) -> NoReturn:
        for child in self._children:
            child.kill()
        self._lay_no_more()
        if self._cluster is not None and self._cluster.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._cluster.pid, signal.SIGQUIT)
        self._say("stopped at once")
        os._exit(130)

    def _say(self, text: str) -> None:
        click.echo(f"{time.monotonic() - self._begun:6.1f} s  {text}")
        sys.stdout.flush()

    def _show(self, address: str, dsn: str, accounts: list[seed.Account]) -> None:
        self._say(f"ready: {counted(self._wishes.units, 'simulated unit')}, open {address}")
        width = max(len(account.name) for account in accounts)
        wide = max(len(account.full_name) for account in accounts)
        lines = ["", f"  {'sign in as':<{width}}  {'who':<{wide}}  password"]
        lines += [f"  {a.name:<{width}}  {a.full_name:<{wide}}  {a.password}" for a in accounts]
        place = self._wishes.directory
        lines += ["", f"  The command line on it:  export PSN_DATABASE='{dsn}'"]
        lines += [f"    export PSN_FILES='{place / 'files'}' PSN_KEYS='{place / 'keys'}'"]
        lines += [f"  Logs:  {self._wishes.directory}"]
        server = self._children[0].pid
        lines += [f"  The server is process {server}: kill -9 {server} to see it come back."]
        lines += ["  Ctrl-C stops everything; the data stays for the next time.", ""]
        click.echo("\n".join(lines))
        sys.stdout.flush()


def _free_udp_port() -> int:
    """One that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def _has_roads(dsn: str) -> bool:
    conn = await asyncpg.connect(dsn)
    try:
        return bool(await conn.fetchval("select exists (select from road_import)"))
    finally:
        await conn.close()


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Wait for work in a thread, which cannot be broken off, even when cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
