"""``psn bench rush``: the public rushes to the page of warnings; what the network notices."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import accumulate
from typing import Any, Final
from urllib.parse import urlsplit

import click

from simulators.bench import stage
from simulators.bench.commands.positions import crowd, measure, middle, rate, seconds
from simulators.bench.commands.running import own_only
from simulators.bench.commands.shown import Result, options
from simulators.bench.field.positions import Phase
from simulators.bench.stage import Event, Load, Stage

PAIRS: Final = 3
"""Rounds without and with a rush, in turn."""
PAGE: Final = "/alerts/"


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
@options
def rush(rate: float, seconds: float, requests: float, readers: int, **chosen: Any) -> None:
    """Units report and consoles see them, without and with a rush to the public page, in turn.

    The rush shares the processor of the load. ``page_p99_ms`` is from when a request was due.
    """
    own_only(chosen["url"], "is told by its own server's processor")
    part = max(1.0, seconds / (2 * PAIRS))
    phases = [Phase(name, part, rate) for _ in range(PAIRS) for name in ("without", "rush")]
    begins = list(accumulate((phase.seconds for phase in phases), initial=0.0))
    rounds = [(begins[n], begins[n + 1]) for n, phase in enumerate(phases) if phase.name == "rush"]

    async def during(place: Stage, load: Load, shown: Callable[[Event], None]) -> Result:
        began = await load.until("began", shown)
        shown(began)
        address = urlsplit(place.url)
        return await _rushed({
            "host": address.hostname, "port": address.port, "path": PAGE, "rate": requests,
            "readers": readers,
            "rounds": [[began["at"] + at for at in both] for both in rounds],
        })  # fmt: skip

    def more(result: Result) -> Result:
        found = {name: middle(result["phases"][name], "p99_ms") for name in ("without", "rush")}
        ratio = None
        if found["without"] and found["rush"]:
            ratio = round(found["rush"] / found["without"], 3)
        return {
            "p99_without_ms": found["without"], "p99_with_ms": found["rush"], "p99_ratio": ratio,
        }  # fmt: skip

    measure("rush", chosen, phases, more=more, during=during)


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
