"""``psn bench console``: what a browser without a graphics card makes of many moving units."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import click

from psn import wire
from psn.client import Client
from simulators.bench import budget, screen
from simulators.bench import people as casting
from simulators.bench.commands.positions import rate
from simulators.bench.commands.running import SEED, run, write_report
from simulators.bench.commands.shown import Result, options, show
from simulators.bench.field.plan import plan_of
from simulators.bench.field.positions import Phase
from simulators.bench.scenes import scene
from simulators.bench.stage import Event, Load, Stage

SPARE_SECONDS: Final = 40.0
"""The units go on moving for so long more: a browser is never done to the second."""


@dataclass(frozen=True, slots=True)
class Room:
    """Who looks at the screen, and a colleague at work with some units."""

    url: str
    viewer: casting.Participant
    clerk: casting.Participant
    units: list[int]
    """An incident for each."""

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Open the incidents, and change one of them every second meanwhile."""
        name, password = (self.clerk.auth[each] for each in ("name", "password"))
        async with Client(self.url, wire.PasswordAuth(name, password), name="colleague") as client:
            opened = [await self._open(client, unit) for unit in self.units]
            changing = asyncio.create_task(self._change(client, opened))
            try:
                yield
            finally:
                changing.cancel()
                await asyncio.wait((changing,))

    @staticmethod
    async def _open(client: Client, unit: int) -> int:
        lon, lat = scene(Random(unit))
        place = {"text": "Queen Street", "lon": lon, "lat": lat}
        made = await client.do("incident.open", title=f"Bicycle stolen, {unit}", place=place)
        incident: int = made["incident"]
        await client.do("incident.assign", incident=incident, units=[unit])
        return incident

    @staticmethod
    async def _change(client: Client, opened: list[int]) -> None:
        for incident in itertools.cycle(opened):
            await asyncio.sleep(1.0)
            await client.do("incident.note", incident=incident, text="A witness was heard.")


@click.command(
    short_help="The console in a browser: frames and memory.",
    epilog="Example: psn bench console --units 5000 --seconds 1800",
)
@click.option("--units", default=5_000, show_default=True, type=click.IntRange(1))
@rate()
@click.option("--seconds", default=90.0, show_default=True, type=click.FloatRange(12, 86_400))
@click.option(
    "--incidents",
    default=0,
    show_default=True,
    type=click.IntRange(0, 500),
    help="Open ones, each with a unit; every second one of them changes.",
)
@options
def console(units: int, rate: float, seconds: float, incidents: int, **chosen: Any) -> None:
    """The console in a browser without a graphics card, while units move.

    ``main`` is how long a frame kept the page's main thread busy, ``frame`` how far apart frames
    were, both with the map at rest; ``scenes`` has them one by one. For the rest of ``--seconds``
    what the page keeps is looked at, each time after a full garbage collection.
    """
    screen.browser_path()
    phases = [Phase("steady", seconds + SPARE_SECONDS, rate)]
    budget.check(units, 1, phases)
    room: list[Room] = []

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=units, hidden=1, people=4, fences=20)
        of_load, viewer, _, clerk = cast.people
        cast.people[:] = [of_load]
        own = [unit.number for unit in cast.units if unit.agency == clerk.agency]
        room.append(Room(place.url, viewer, clerk, own[:incidents]))
        await asyncio.sleep(1.0)
        return plan_of(place, cast, phases, SEED, waits=True)

    async def during(place: Stage, load: Load, shown: Callable[[Event], None]) -> Result:
        auth = room[0].viewer.auth
        name, password = auth["name"], auth["password"]
        await load.until("ready", shown)
        async with room[0].at_work(), screen.opened(place.url, name, password) as seen:
            load.tell({})
            watching = asyncio.create_task(screen.observe(seen, seconds))
            # The load speaks on meanwhile, and would stop if nobody listened.
            while not watching.done():
                shown(await load.until("progress", shown))
            return await watching

    result = run("field", chosen["url"], chosen["database"], prepare, during)
    result |= {"seconds": seconds, "incidents": len(room[0].units)}
    write_report(chosen["report"], "psn bench console", result)
    show(result, screen.KEYS, chosen["as_json"])
