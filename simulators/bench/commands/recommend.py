"""``psn bench recommend``: how long it takes to say whom to send."""

from __future__ import annotations

from typing import Final

import click

from simulators.bench import recommending
from simulators.bench.commands.running import SEED
from simulators.bench.commands.shown import show

KEYS: Final = ("units", "edges", "runs", "roads_ready_s", "coast_ready_s", *recommending.NEEDS)


@click.command(
    short_help="How long it takes to say whom to send.",
    epilog="Example: psn bench recommend --units 10000 --json",
)
@click.option("--units", default=10_000, show_default=True, type=click.IntRange(1, 100_000))
@click.option(
    "--edges", default=100_000, show_default=True, type=click.IntRange(10, 1_000_000),
    help="Pieces of road.",
)  # fmt: skip
@click.option("--runs", default=200, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def recommend(units: int, edges: int, runs: int, as_json: bool) -> None:
    """How long it takes to rank made-up units by road and sea, in this process, without a server.

    For one need (the ten best of all cars) and for a plan of three.
    """
    show(recommending.measure(units, edges, runs, SEED), KEYS, as_json)
