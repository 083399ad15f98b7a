"""Sets the stage for a benchmark, lets its load play, and gathers what is to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from psn.problems import Problem
from simulators.bench import stage
from simulators.bench.commands.shown import Result, Shown
from simulators.bench.measure.recorder import Recorder
from simulators.bench.stage import Event, Load, Stage

SEED = 1
Prepare = Callable[[Stage], Awaitable[Event]]
During = Callable[[Stage, Load, Callable[[Event], None]], Awaitable[Result]]


def own_only(url: str | None, why: str) -> None:
    """Refuse a server that is not ours."""
    if url is not None:
        raise Problem("needs_own_server", f"This benchmark {why}.", "Leave --url out.")


settle: Final = click.option(
    "--settle",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0, 600),
    help="Seconds before it begins: a server that has just started reckons the ways by sea and"
    " road after fifteen, and is slower for some seconds.",
)


def run(
    scenario: str,
    url: str | None,
    database: str | None,
    prepare: Prepare,
    during: During | None = None,
    *,
    tls: bool = False,
) -> Result:
    """Set the stage, let the load play on it, and return its result.

    A load that says ``began`` is watched from then on; what was seen is in ``series``.
    """

    async def work() -> Result:
        with Shown() as shown:
            async with stage.staged(url, database, tls=tls) as place:
                plan = await prepare(place)
                async with stage.loaded(scenario, plan) as load:
                    return await _played(place, load, shown, during)

    return asyncio.run(work())


async def _played(place: Stage, load: Load, shown: Shown, during: During | None) -> Result:
    recorder = Recorder(place.url, place.pids, load.pid)

    def event(event: Event) -> None:
        if event["event"] == "began":
            recorder.start(event["at"])
        else:
            shown.event(event)

    extra = {} if during is None else await during(place, load, event)
    result = await load.until("result", event)
    seen = await recorder.stop()
    series: dict[str, list[Any]] = result.pop("series", {})
    if seen:
        seconds = max(map(len, series.values()), default=0) or None
        series |= {name: values[:seconds] for name, values in recorder.series.items()}
    series |= extra.pop("series", {})
    result |= seen | extra
    return result | ({"series": series} if series else {})


def write_report(file: Path | None, title: str, result: Result) -> None:
    """Write the page with plots, when one is wanted."""
    if file is not None:
        from simulators.bench.report import page

        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        file.write_text(page.page(title, when, result), encoding="utf-8")
        stage.note(f"report: {file}")
