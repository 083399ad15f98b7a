"""``psn bench rush``: the public rushes to the page of warnings; what the network notices."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import accumulate
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import click

from simulators.bench import stage
from simulators.bench.commands.positions import crowd, measure, rate, seconds
from simulators.bench.commands.running import own_only
from simulators.bench.commands.shown import Result, options
from simulators.bench.field.positions import Phase
from simulators.bench.stage import Event, Load, Stage

ROUNDS: Final = 3
"""Of each, in turn: without a rush, to the page of the server, to that of the process beside it."""
PAGE: Final = "/alerts/"
BY: Final = ("server", "process")
"""Who serves the page."""


@click.command(
    short_help="The public rushes to its page; what consoles notice.",
    epilog="Example: psn bench rush --units 1000 --consoles 20 --requests 2000 --seconds 60",
)
@crowd(units=1_000, consoles=20, fences=20)
@rate()
@seconds(60.0)
@click.option("--requests", default=2_000.0, show_default=True, type=click.FloatRange(1, 50_000),
              help="Requests a second.")  # fmt: skip
@click.option("--readers", default=64, show_default=True, type=click.IntRange(1, 10_000),
              help="Connections that stay open.")  # fmt: skip
@click.option("--by", type=click.Choice(BY), help="Who serves the page; else both, in turn.")
@options
def rush(
    rate: float, seconds: float, requests: float, readers: int, by: str | None, **chosen: Any
) -> None:
    """Units report and consoles see them, without and with a rush to the public page, in turn.

    The page is served by the server itself, or by ``psn public`` on the same processor. The readers
    share that of the load, and stand back there. ``page_p99_ms`` is from when a request was due;
    ``p99_…_ms`` is the middle one of the p99 of the picture in each second.
    """
    own_only(chosen["url"], "is told by its own server's processor")
    wanted = BY if by is None else (by,)
    names = [name for _ in range(ROUNDS) for name in ("without", *wanted)]
    part = max(1.0, seconds / len(names))
    phases = [Phase(name, part, rate) for name in names]
    begins = list(accumulate((phase.seconds for phase in phases), initial=0.0))

    async def during(place: Stage, load: Load, shown: Callable[[Event], None]) -> Result:
        addresses = {"server": place.url}
        if "process" in wanted:
            addresses["process"] = await place.start_public()
        began = await load.until("began", shown)
        shown(began)
        before = place.public_cpu_s()

        async def read(name: str) -> Result:
            address = urlsplit(addresses[name])
            return await _rushed({
                "host": address.hostname, "port": address.port, "path": PAGE, "rate": requests,
                "readers": readers,
                "rounds": [
                    [began["at"] + begins[n], began["at"] + begins[n + 1]]
                    for n, phase in enumerate(phases) if phase.name == name
                ],
            })  # fmt: skip

        found = dict(zip(wanted, await asyncio.gather(*map(read, wanted)), strict=True))
        return {"pages": found, "process_cpu_s": round(place.public_cpu_s() - before, 2)}

    def more(result: Result) -> Result:
        found = _middles(result["series"]["p99_ms"], phases)
        told: Result = {f"p99_{name}_ms": p99 for name, p99 in found.items()}
        for name in wanted:
            ratio = None
            if (without := found["without"]) and (with_it := found[name]):
                ratio = round(with_it / without, 3)
            told[f"p99_ratio_{name}"] = ratio
        return told

    measure("rush", chosen, phases, more=more, during=during)


def _middles(p99_ms: Sequence[float | None], phases: Sequence[Phase]) -> dict[str, float | None]:
    """Of each kind of phase the middle one of the p99 of its whole seconds.

    What else a machine does for a moment spoils some seconds, and the p99 of a whole round.
    """
    seconds: dict[str, list[float]] = {phase.name: [] for phase in phases}
    begin = 0.0
    for phase in phases:
        whole = p99_ms[math.ceil(begin) : math.floor(begin + phase.seconds)]
        seconds[phase.name] += [each for each in whole if each is not None]
        begin += phase.seconds
    return {name: median(found) if found else None for name, found in seconds.items()}


async def _rushed(plan: Event) -> Result:
    """Let another process read the page; what it found."""
    process = await asyncio.create_subprocess_exec(
        *stage.bound((sys.executable, "-P", "-m", "simulators.bench.rush"), stage.cores()[1]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    out, _ = await process.communicate(json.dumps(plan).encode() + b"\n")
    found: Result = json.loads(out)
    return found
