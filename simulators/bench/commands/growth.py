"""``psn bench growth``: how cost grows with units, consoles, agencies and fences."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import click

from simulators.bench import budget, stage
from simulators.bench import people as casting
from simulators.bench.commands.positions import seconds as length
from simulators.bench.commands.running import SEED, own_only, run, write_report
from simulators.bench.commands.shown import Result, options, show
from simulators.bench.field.plan import plan_of
from simulators.bench.field.positions import Phase
from simulators.bench.report import page
from simulators.bench.stage import Event, Stage

BASE: Final = {"units": 1_000, "consoles": 20, "agencies": 2, "fences": 20}
"""What stays when one of them is varied."""
STEPS: Final = {
    "units": (250, 500, 1_000, 2_000, 4_000, 7_000, 10_000),
    "consoles": (1, 10, 25, 50, 100, 150, 200),
    "agencies": (1, 2, 4, 8, 12, 20),
    "fences": (0, 50, 100, 200, 400, 800),
}
FIGURES: Final = ("server_cpu", "postgres_cpu", "p50_ms", "p99_ms")
KEYS: Final = ("seconds", "rate", "base", "growth")


@click.command(
    short_help="How cost grows with units, consoles, agencies, fences.",
    epilog="Example: psn bench growth --svg docs/images",
)
@click.option("--vary", multiple=True, type=click.Choice(list(STEPS)), help="Only this.")
@click.option("--most", type=click.IntRange(1), help="No step beyond this number.")
@length(6.0)
@click.option(
    "--svg",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each plot to a file of this directory.",
)
@options
def growth(
    vary: tuple[str, ...], most: int | None, seconds: float, svg: Path | None, **chosen: Any
) -> None:
    """How cost grows with units, consoles, agencies and fences: one is varied, the others stay.

    A step is a run of ``--seconds`` on a server of its own, at one report of every unit a second.
    Every two agencies share their units, and consoles belong to all agencies in turn.
    """
    own_only(chosen["url"], "starts a server for every step")
    found: dict[str, list[Result]] = {}
    for name in vary or STEPS:
        steps = [step for step in STEPS[name] if most is None or step <= most]
        found[name] = [_step(name, step, seconds) for step in steps]
    result: Result = {"seconds": seconds, "rate": 1.0, "base": BASE, "growth": found}
    if svg is not None:
        svg.mkdir(parents=True, exist_ok=True)
        for name, steps_found in found.items():
            file = svg / f"growth-{name}.svg"
            file.write_text(page.growth_plot(name, steps_found, alone=True), encoding="utf-8")
            stage.note(f"plot: {file}")
    write_report(chosen["report"], "psn bench growth", result)
    show(result, KEYS, chosen["as_json"])


def _step(name: str, step: int, seconds: float) -> Result:
    size = BASE | {name: step}
    if name == "agencies":  # one console of each at least
        size["consoles"] = max(size["consoles"], step)
    phases = [Phase("steady", seconds, 1.0)]
    budget.check(size["units"], size["consoles"], phases)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(
            place.dsn, units=size["units"], hidden=1, people=size["consoles"],
            fences=size["fences"], agencies=size["agencies"],
        )  # fmt: skip
        await asyncio.sleep(1.0)
        return plan_of(place, cast, phases, SEED)

    got = run("field", None, None, prepare)
    return {
        "at": step,
        "server_cpu": round(100 * got["server_cpu_s"] / got["seconds"], 1),
        "postgres_cpu": round(100 * got["postgres_cpu_s"] / got["seconds"], 1),
        "p50_ms": got["p50_ms"], "p99_ms": got["p99_ms"],
        "lost": got["expected"] - got["delivered"], "not_stored": got["sent"] - got["stored"],
        "hidden_leaks": got["hidden_leaks"], "server_mb": got["server_rss_mb"],
    }  # fmt: skip
