"""``psn bench radio``: what a radio bridge adds."""

from __future__ import annotations

import click
import uvloop

from simulators.bench import radio as bench
from simulators.bench.commands.running import SEED
from simulators.bench.commands.shown import show


@click.command(
    short_help="Bursts through a radio bridge.",
    epilog="Example: psn bench radio --calls 32 --seconds 60 --json",
)
@click.option("--calls", default=32, show_default=True, type=click.IntRange(1, 200))
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(2, 86_400))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def radio(calls: int, seconds: float, as_json: bool) -> None:
    """Calls at a time, each between two repeaters, through a real bridge over UDP.

    ``p99_added_ms`` is from when a burst is sent until the other repeater has it; ``late`` are
    bursts that came more than 5 ms farther after the one before than they were sent; ``crosstalk``
    are those that came where they do not belong.
    """
    show(uvloop.run(bench.measure(calls, seconds, SEED)), bench.KEYS, as_json)
