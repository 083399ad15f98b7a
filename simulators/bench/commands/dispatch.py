"""``psn bench dispatch``: a control room at work."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from simulators.bench import budget
from simulators.bench import dispatch as work
from simulators.bench import people as casting
from simulators.bench.commands.record import measure
from simulators.bench.commands.running import SEED, settle
from simulators.bench.commands.shown import options
from simulators.bench.stage import Event, Stage


@click.command(
    short_help="A control room at work while units move.",
    epilog="Example: psn bench dispatch --incidents-per-minute 60 --dispatchers 20 --units 500",
)
@click.option("--incidents-per-minute", default=60.0, show_default=True, type=click.FloatRange(1))
@click.option("--dispatchers", default=20, show_default=True, type=click.IntRange(4, 1_000))
@click.option("--units", default=500, show_default=True, type=click.IntRange(4, 20_000))
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(1, 86_400))
@settle
@options
def dispatch(
    incidents_per_minute: float,
    dispatchers: int,
    units: int,
    seconds: float,
    settle: float,
    **chosen: Any,
) -> None:
    """Whole incidents, from the call to the end, by dispatchers and crews of two agencies.

    Every unit reports once a second meanwhile, and every dispatcher watches all of it. ``p99_ms``
    of each action is from asking until it is on disk, on the boards, and answered.
    """
    budget.allow_sockets(units + dispatchers)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=units, people=dispatchers)
        await asyncio.sleep(1.0)
        rate = incidents_per_minute / 60
        return work.plan_of(place.url, place.pids, cast, rate, seconds, settle, SEED)

    measure("dispatch", chosen, work.KEYS, prepare)
