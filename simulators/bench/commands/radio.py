"""``psn bench radio``: what a radio bridge adds."""

from __future__ import annotations

import time

import click
import uvloop

from simulators.bench import radio as bench
from simulators.bench.commands.running import SEED
from simulators.bench.commands.shown import show
from simulators.radios.overheard import WRONG
from simulators.radios.random_calls import Plan, RandomCalls

CALLS_KEYS = ("calls", "passed", "bursts", "heard", *WRONG, "left", "took_s")


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


@click.command(
    "random-calls",
    short_help="Random calls through a bridge's exchange, in simulated time.",
    epilog="""
\b
Examples:
  psn bench random-calls --json
  psn bench random-calls --seconds 600 --seed 7
""",
)
@click.option("--seconds", default=3_600.0, show_default=True, type=click.FloatRange(1, 86_400))
@click.option("--seed", default=SEED, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def random_calls(seconds: float, seed: int, as_json: bool) -> None:
    """Three networks of ten sites, 24 talkgroups and 600 radios; two calls a second begin.

    The time is simulated, and passes faster: the exchange that decides who is heard where is the
    bridge's own, and is told what time it is. Each burst carries whose it is; ``crosstalk`` are
    those heard where they do not belong, ``left`` talks that never ended.
    """
    begun = time.perf_counter()
    hour = RandomCalls(Plan(seconds=seconds, seed=seed)).run()
    found = {
        "calls": hour.calls, "passed": hour.passed, "bursts": hour.bursts, "heard": hour.heard,
        **{one: hour.wrong[one] for one in WRONG}, "left": hour.left,
        "took_s": round(time.perf_counter() - begun, 1),
    }  # fmt: skip
    show(found, CALLS_KEYS, as_json)
    if sum(hour.wrong.values()) or hour.left:
        raise SystemExit(1)
