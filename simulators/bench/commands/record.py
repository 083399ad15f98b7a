"""``psn bench messages``, ``crash``, ``reconnect``, ``storm`` and ``idle``: record and sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import click

from simulators.bench import budget
from simulators.bench import crash as crashes
from simulators.bench import idle as idles
from simulators.bench import messages as mails
from simulators.bench import people as casting
from simulators.bench import reconnect as reconnects
from simulators.bench import storm as storms
from simulators.bench.commands.running import SEED, Prepare, own_only, run, write_report
from simulators.bench.commands.shown import Result, options, show
from simulators.bench.stage import Event, Load, Stage


def measure(
    name: str, chosen: dict[str, Any], keys: Sequence[str], prepare: Prepare, **more: Any
) -> None:
    """Run it on the stage that was chosen, and show what came of it."""
    result = run(name, chosen["url"], chosen["database"], prepare, **more)
    write_report(chosen["report"], f"psn bench {name}", result)
    show(result, keys, chosen["as_json"])


@click.command(
    short_help="Messages committed, acknowledged, delivered.",
    epilog="Example: psn bench messages --rate 1000 --seconds 30",
)
@click.option("--rate", default=1000.0, show_default=True, type=click.FloatRange(0.1, 100_000))
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(0.1, 86_400))
@click.option("--senders", type=click.IntRange(2, 5_000), help="People; otherwise by the rate.")
@click.option("--alone", is_flag=True, help="One message at a time: the next after the ack.")
@options
def messages(rate: float, seconds: float, senders: int | None, alone: bool, **chosen: Any) -> None:
    """People of two agencies write to each other: acknowledged after commit, and delivered."""
    people = 2 if alone else mails.people_for(rate, senders)
    budget.allow_sockets(people)
    budget.check_messages(rate, seconds)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, people=people)
        await asyncio.sleep(1.0)
        plan = mails.plan_of(place.url, place.dsn, place.pids, cast, rate, seconds, SEED)
        return plan | {"alone": alone}

    measure("messages", chosen, mails.KEYS, prepare)


@click.command(
    short_help="Kill server and database, and count what is lost.",
    epilog="Example: psn bench crash --kills 10 --postgres-kills 3",
)
@click.option("--kills", default=10, show_default=True, type=click.IntRange(0, 1_000))
@click.option("--postgres-kills", default=0, show_default=True, type=click.IntRange(0, 1_000))
@click.option("--rate", default=1000.0, show_default=True, type=click.FloatRange(1, 10_000))
@click.option("--every", default=3.0, show_default=True, type=click.FloatRange(0.2, 3_600))
@options
def crash(kills: int, postgres_kills: int, rate: float, every: float, **chosen: Any) -> None:
    """Kill the server (and PostgreSQL) while people write: is anything lost, or shown twice?

    A kill comes ``--every`` so many seconds of normal work.
    """
    own_only(chosen["url"], "kills the server")

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, people=crashes.people_for(rate))
        await asyncio.sleep(1.0)
        return crashes.plan_of(place.url, place.dsn, cast, rate, SEED)

    async def during(place: Stage, load: Load, shown: Callable[[Event], None]) -> Result:
        order = crashes.schedule(kills, postgres_kills, SEED)
        return await crashes.kill(place, load, order, every, shown)

    measure("crash", chosen, crashes.KEYS, prepare, during=during)


@click.command(
    short_help="Kill the server, until all are back.",
    epilog="Example: psn bench reconnect --clients 2000",
)
@click.option("--clients", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--rate", default=50.0, show_default=True, type=click.FloatRange(1, 1_000))
@options
def reconnect(clients: int, rate: float, **chosen: Any) -> None:
    """Kill the server under many clients: until when are all back and caught up?

    ``--rate`` messages a second are sent to them all the while.
    """
    own_only(chosen["url"], "kills the server")
    budget.allow_sockets(clients + reconnects.SENDERS)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=clients, people=reconnects.SENDERS)
        await asyncio.sleep(1.0)
        return reconnects.plan_of(place.url, place.dsn, cast, rate, SEED)

    measure("reconnect", chosen, reconnects.KEYS, prepare, during=reconnects.cut)


@click.command(
    short_help="Everyone reconnects at once, over TLS.",
    epilog="Example: psn bench storm --clients 5000",
)
@click.option("--clients", default=5000, show_default=True, type=click.IntRange(1))
@click.option("--rate", default=50.0, show_default=True, type=click.FloatRange(1, 1_000))
@click.option("--tls/--no-tls", default=True, show_default=True)
@click.option("--kill/--drop", default=True, show_default=True, help="The server, or the lines.")
@options
def storm(clients: int, rate: float, tls: bool, kill: bool, **chosen: Any) -> None:
    """Everybody's connection breaks at once: until when are all back and caught up?

    The server is killed and started again, or with ``--drop`` only the connections break.
    ``--rate`` messages a second are sent to them all the while.
    """
    own_only(chosen["url"], "breaks every connection")
    budget.allow_sockets(clients + storms.SENDERS)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=clients, people=storms.SENDERS)
        await asyncio.sleep(1.0)
        return storms.plan_of(place, cast, rate, SEED)

    measure("storm", chosen, storms.KEYS, prepare, during=storms.cut(kill), tls=tls)


@click.command(
    short_help="Memory of a session that does nothing.",
    epilog="Example: psn bench idle --sessions 2000",
)
@click.option("--sessions", default=2000, show_default=True, type=click.IntRange(1))
@options
def idle(sessions: int, **chosen: Any) -> None:
    """How much memory the server needs for a session that does nothing."""
    own_only(chosen["url"], "looks at the server's memory")
    budget.allow_sockets(sessions + idles.WARM_UP)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=sessions + idles.WARM_UP)
        await asyncio.sleep(1.0)
        return idles.plan_of(place.url, place.server_pid, cast)

    measure("idle", chosen, idles.KEYS, prepare)
