"""``psn bench console``: what a browser without a graphics card makes of many moving units."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import click

from simulators.bench import budget, screen
from simulators.bench import people as casting
from simulators.bench.commands.positions import rate
from simulators.bench.commands.running import SEED, run, write_report
from simulators.bench.commands.shown import Result, options, show
from simulators.bench.field.plan import plan_of
from simulators.bench.field.positions import Phase
from simulators.bench.stage import Event, Load, Stage

OPENING_SECONDS: Final = 40.0
"""The units go on moving for so long more: while the browser starts, and while it ends."""


@click.command(
    short_help="The console in a browser: frames and memory.",
    epilog="Example: psn bench console --units 5000 --seconds 1800",
)
@click.option("--units", default=5_000, show_default=True, type=click.IntRange(1))
@rate()
@click.option("--seconds", default=90.0, show_default=True, type=click.FloatRange(12, 86_400))
@options
def console(units: int, rate: float, seconds: float, **chosen: Any) -> None:
    """The console in a browser without a graphics card, while units move.

    ``main`` is how long a frame kept the page's main thread busy, ``frame`` how far apart frames
    were, both with the map at rest; ``scenes`` has them one by one. For the rest of ``--seconds``
    what the page keeps is looked at, each time after a full garbage collection.
    """
    screen.browser_path()
    phases = [Phase("steady", seconds + OPENING_SECONDS, rate)]
    budget.check(units, 1, phases)
    viewers: list[casting.Participant] = []

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=units, hidden=1, people=2, fences=20)
        viewers.append(cast.people.pop())
        await asyncio.sleep(1.0)
        return plan_of(place, cast, phases, SEED)

    async def during(place: Stage, load: Load, shown: Callable[[Event], None]) -> Result:
        auth = viewers[0].auth
        moving = await load.until("progress", shown)
        while moving["text"] != "positions":
            moving = await load.until("progress", shown)
        watching = asyncio.create_task(
            screen.observe(place.url, auth["name"], auth["password"], seconds)
        )
        # The load speaks on meanwhile, and would stop if nobody listened.
        while not watching.done():
            shown(await load.until("progress", shown))
        return await watching

    result = run("field", chosen["url"], chosen["database"], prepare, during)
    result["seconds"] = seconds
    write_report(chosen["report"], "psn bench console", result)
    show(result, screen.KEYS, chosen["as_json"])
