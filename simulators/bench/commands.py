"""``psn bench …``: what can be measured, and how the figures are shown."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from psn.problems import Problem
from simulators.bench import crash as crashes
from simulators.bench import idle as idles
from simulators.bench import messages as mails
from simulators.bench import people as casting
from simulators.bench import picture as pictures
from simulators.bench import reconnect as reconnects
from simulators.bench import stage
from simulators.bench.stage import Event, Load, Stage

Result = dict[str, Any]
SEED: Final = 1
MAX_DELIVERIES: Final = 50_000_000
"""Positions times consoles of one run: each is a sample kept in memory (8 bytes and a flag)."""


class Shown:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Shown:
        """Start to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.stop()

    def event(self, event: Event) -> None:
        """Show a ``progress`` event."""
        if event["event"] != "progress":
            return
        text = event["text"]
        if text not in self._tasks:
            for task in self._tasks.values():
                self._progress.remove_task(task)
            self._tasks = {text: self._progress.add_task(text, total=event["total"])}
        self._progress.update(self._tasks[text], completed=event["done"], total=event["total"])


def common(command: Any) -> Any:
    """Add ``--json``, ``--url`` and ``--database``."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One line of JSON."),
        click.option("--url", help="Measure this server instead of one of its own."),
        click.option("--database", help="Its database, postgresql://…; goes with --url."),
    ):
        command = option(command)
    return command


def own_only(url: str | None, why: str) -> None:
    """Refuse a server that is not ours."""
    if url is not None:
        raise Problem("needs_own_server", f"This benchmark {why}.", "Leave --url out.")


def show(result: Result, keys: Sequence[str], as_json: bool) -> None:
    """Print a result: the named keys first, whatever else there is after them."""
    ordered = {key: result[key] for key in keys} | {
        key: value for key, value in result.items() if key not in keys and key != "event"
    }
    if as_json:
        click.echo(json.dumps(ordered))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for key, value in ordered.items():
        table.add_row(key.replace("_", " "), _said(value))
    Console().print(table)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count:,} {what}" for what, count in value.items()) or "none"
    return "unknown" if value is None else f"{value:,}"


def run(
    scenario: str,
    url: str | None,
    database: str | None,
    prepare: Callable[[Stage], Awaitable[Event]],
    during: Callable[[Stage, Load, Callable[[Event], None]], Awaitable[Result]] | None = None,
) -> Result:
    """Set the stage, let the load play on it, and return its result."""

    async def work() -> Result:
        with Shown() as shown:
            async with stage.staged(url, database) as place:
                plan = await prepare(place)
                async with stage.loaded(scenario, plan) as load:
                    extra = {} if during is None else await during(place, load, shown.event)
                    return await load.until("result", shown.event) | extra

    return asyncio.run(work())


@click.group()
def bench() -> None:
    """Measure the network: how soon, how much, and whether anything is lost."""


@bench.command(epilog="Example: psn bench picture --units 1000 --consoles 20 --rate 1 --seconds 30")
@click.option("--units", default=1000, show_default=True, type=click.IntRange(1))
@click.option("--consoles", default=20, show_default=True, type=click.IntRange(1))
@click.option("--rate", default=1.0, show_default=True, type=click.FloatRange(0.01, 30))
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(0.1, 86_400))
@click.option("--fences", default=20, show_default=True, type=click.IntRange(0, 800))
@common
def picture(
    units: int, consoles: int, rate: float, seconds: float, fences: int, as_json: bool,
    url: str | None, database: str | None,
) -> None:  # fmt: skip
    """Units report, consoles see them: socket to socket, and stored.

    One more unit is hidden; ``hidden_leaks`` counts what a foreign console learned of it.
    """
    stage.allow_sockets(units + consoles + 1)
    if units * rate * seconds * consoles > MAX_DELIVERIES:
        raise Problem(
            "too_many_deliveries",
            f"That is more than {MAX_DELIVERIES:,} deliveries, too many to keep count of.",
            "Ask for fewer units, consoles or seconds.",
        )

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=units, hidden=1, people=consoles, fences=fences)
        await asyncio.sleep(1.0)
        return pictures.plan_of(place.url, place.dsn, place.pids, cast, rate, seconds, SEED)

    result = run("picture", url, database, prepare)
    result["fences"] = fences
    show(result, pictures.KEYS, as_json)


@bench.command(epilog="Example: psn bench messages --rate 1000 --seconds 30")
@click.option("--rate", default=1000.0, show_default=True, type=click.FloatRange(0.1, 100_000))
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(0.1, 86_400))
@common
def messages(
    rate: float, seconds: float, as_json: bool, url: str | None, database: str | None
) -> None:
    """People of two agencies write to each other: acknowledged after commit, and delivered."""
    stage.allow_sockets(mails.people_for(rate))

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, people=mails.people_for(rate))
        await asyncio.sleep(1.0)
        return mails.plan_of(place.url, place.dsn, place.pids, cast, rate, seconds, SEED)

    show(run("messages", url, database, prepare), mails.KEYS, as_json)


@bench.command(epilog="Example: psn bench crash --kills 10 --postgres-kills 3")
@click.option("--kills", default=10, show_default=True, type=click.IntRange(0, 1_000))
@click.option("--postgres-kills", default=0, show_default=True, type=click.IntRange(0, 1_000))
@click.option("--rate", default=1000.0, show_default=True, type=click.FloatRange(1, 10_000))
@click.option("--every", default=3.0, show_default=True, type=click.FloatRange(0.2, 3_600))
@common
def crash(
    kills: int, postgres_kills: int, rate: float, every: float, as_json: bool,
    url: str | None, database: str | None,
) -> None:  # fmt: skip
    """Kill the server (and PostgreSQL) while people write: is anything lost, or shown twice?

    A kill comes ``--every`` so many seconds of normal work.
    """
    own_only(url, "kills the server")

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, people=crashes.people_for(rate))
        await asyncio.sleep(1.0)
        return crashes.plan_of(place.url, place.dsn, cast, rate, SEED)

    async def during(place: Stage, load: Load, shown: Callable[[Event], None]) -> Result:
        order = crashes.schedule(kills, postgres_kills, SEED)
        return await crashes.kill(place, load, order, every, shown)

    show(run("crash", url, database, prepare, during), crashes.KEYS, as_json)


@bench.command(epilog="Example: psn bench reconnect --clients 2000")
@click.option("--clients", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--rate", default=50.0, show_default=True, type=click.FloatRange(1, 1_000))
@common
def reconnect(
    clients: int, rate: float, as_json: bool, url: str | None, database: str | None
) -> None:
    """Kill the server under many clients: until when are all back and caught up?

    ``--rate`` messages a second are sent to them all the while.
    """
    own_only(url, "kills the server")
    stage.allow_sockets(clients + reconnects.SENDERS)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=clients, people=reconnects.SENDERS)
        await asyncio.sleep(1.0)
        return reconnects.plan_of(place.url, place.dsn, cast, rate, SEED)

    show(run("reconnect", url, database, prepare, reconnects.cut), reconnects.KEYS, as_json)


@bench.command(epilog="Example: psn bench idle --sessions 2000")
@click.option("--sessions", default=2000, show_default=True, type=click.IntRange(1))
@common
def idle(sessions: int, as_json: bool, url: str | None, database: str | None) -> None:
    """How much memory the server needs for a session that does nothing."""
    own_only(url, "looks at the server's memory")
    stage.allow_sockets(sessions + idles.WARM_UP)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=sessions + idles.WARM_UP)
        await asyncio.sleep(1.0)
        return idles.plan_of(place.url, place.server_pid, cast)

    show(run("idle", url, database, prepare), idles.KEYS, as_json)
