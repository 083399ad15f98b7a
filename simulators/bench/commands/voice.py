"""``psn bench voice``: the floor, and speech on its way."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from simulators.bench import budget
from simulators.bench import people as casting
from simulators.bench import voice as talk
from simulators.bench.commands.record import measure
from simulators.bench.commands.running import SEED, settle
from simulators.bench.commands.shown import options
from simulators.bench.stage import Event, Stage


@click.command(
    short_help="Floor requests, and speech relayed.",
    epilog="Example: psn bench voice --talkers 10 --listeners 200 --seconds 20",
)
@click.option("--talkers", default=10, show_default=True, type=click.IntRange(1, 64))
@click.option("--listeners", default=200, show_default=True, type=click.IntRange(1, 5_000))
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(4, 86_400))
@settle
@click.option("--units", default=0, type=click.IntRange(0, 20_000), help="That move meanwhile.")
@click.option("--consoles", default=0, type=click.IntRange(0, 1_000), help="That watch them.")
@options
def voice(
    talkers: int,
    listeners: int,
    seconds: float,
    settle: float,
    units: int,
    consoles: int,
    **chosen: Any,
) -> None:
    """Talkers, each in a group of his own, and listeners who hear all of them.

    Each asks for the floor, talks three seconds in frames of 20 ms, and asks again.
    ``p99_relay_ms`` is from when a frame is due until a listener has its bytes; of one more
    listener, who joins in the middle of talks, ``p99_late_entry_ms`` is until he hears the first.
    """
    budget.allow_sockets(talkers + listeners + units + consoles)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=talkers + units, people=listeners + consoles)
        groups = await talk.groups(place.dsn, cast, talkers)
        await asyncio.sleep(1.0)
        return talk.plan_of(
            place.url, place.pids, cast, groups, listeners, units, seconds, settle, SEED
        )

    measure("voice", chosen, talk.KEYS, prepare)
