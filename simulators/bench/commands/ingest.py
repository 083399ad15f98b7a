"""``psn bench ingest``: how many positions a second can be taken in and stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import click

from simulators.bench.commands.positions import measure
from simulators.bench.commands.shown import Result, options
from simulators.bench.field.positions import Phase
from simulators.bench.measure.recorder import ASK_EVERY

FIRST, LAST, STEP = 8_000.0, 50_000.0, 1.25
"""Positions a second of the first step, the most, and by how much each step is faster."""
MOST_OF_A_UNIT: Final = 25.0
"""Reports of one unit a second; the server takes 30."""
MOST_P99_MS: Final = 1_000.0
MOST_WAITING_SECONDS: Final = 1.0
"""Positions that may wait to be stored at the end of a step, in seconds of its rate."""


def ladder() -> list[float]:
    """Positions a second of each step."""
    rates = [FIRST]
    while rates[-1] * STEP <= LAST:
        rates.append(rates[-1] * STEP)
    return rates


@click.command(
    short_help="Positions in, all stored: how many a second.",
    epilog="Example: psn bench ingest --rate 25000 --seconds 30",
)
@click.option("--rate", type=click.FloatRange(100, 60_000), help="Only this; else ever more.")
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(1, 3_600))
@click.option("--fences", default=20, show_default=True, type=click.IntRange(0, 800))
@options
def ingest(rate: float | None, seconds: float, fences: int, **chosen: Any) -> None:
    """Positions in, all stored, one console that sees them all.

    Without ``--rate`` it takes 5 s for each of ever higher rates; ``sustained_per_s`` is the
    highest that was delivered whole, with a p99 of at most 1 s, and left less than a second's
    positions waiting to be stored. With ``--rate`` compare ``stored`` with ``sent``.
    """
    rates = ladder() if rate is None else [rate]
    units = math.ceil(max(rates) / MOST_OF_A_UNIT)
    took = float(ASK_EVERY) if rate is None else seconds
    phases = [Phase(f"{each:,.0f}/s", took, each / units) for each in rates]

    def more(result: Result) -> Result:
        return {"sustained_per_s": sustained(result, rates)}

    measure("ingest", chosen | {"units": units, "consoles": 1, "fences": fences}, phases, more=more)


def sustained(result: Result, rates: Sequence[float]) -> int:
    """The highest rate before the first that was not; 0 when there is none."""
    found, at = 0, 0.0
    waiting = result["series"].get("positions_waiting", [])
    for rate, (phase,) in zip(rates, result["phases"].values(), strict=True):
        at += phase["seconds"]
        # The answer of the second in which the step ended, or of the last that was asked for.
        end = min(len(waiting), round(at))
        left = next((value for value in reversed(waiting[:end]) if value is not None), 0.0)
        if (
            phase["delivered"] < phase["expected"]
            or (phase["p99_ms"] or math.inf) > MOST_P99_MS
            or left > rate * MOST_WAITING_SECONDS
        ):
            break
        found = round(rate)
    return found
