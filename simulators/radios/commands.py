"""``psn simulate radios``."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import click

from simulators.radios import sites as simulation


@click.command(
    short_help="Repeaters with two-way radios, at a radio bridge.",
    epilog="""
\b
Examples:
  psn simulate radios --settings > radio.toml && psn radio --config radio.toml
  psn simulate radios --sites 5 --radios 100
""",
)
@click.option("--sites", default=5, show_default=True, type=click.IntRange(1, 100))
@click.option("--radios", default=100, show_default=True, type=click.IntRange(1, 5_000))
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the bridge listens.")
@click.option("--port", default=62_031, show_default=True, type=click.IntRange(1, 65_535))
@click.option(
    "--secret", default="only for simulations", show_default=True, envvar="PSN_RADIO_SECRET",
    help="Of all repeaters.",
)  # fmt: skip
@click.option(
    "--talkgroup", "talkgroups", default=(91, 92), show_default=True, multiple=True,
    type=click.IntRange(1, 16_776_415), help="Of slots 1 and 2 in turn.",
)  # fmt: skip
@click.option(
    "--every", default=30.0, show_default=True, type=click.FloatRange(1),
    help="Seconds between what one radio does.",
)  # fmt: skip
@click.option(
    "--call", "calls", multiple=True, type=click.IntRange(1, 16_776_415),
    help="A number that radios call alone, now and then.",
)  # fmt: skip
@click.option("--seed", default=501, show_default=True)
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@click.option("--settings", is_flag=True, help="Only print a radio.toml that lets them in.")
def radios(
    sites: int,
    radios: int,
    host: str,
    port: int,
    secret: str,
    talkgroups: tuple[int, ...],
    every: float,
    calls: tuple[int, ...],
    seed: int,
    seconds: float | None,
    settings: bool,
) -> None:
    """Repeaters that sign in at a bridge; radios that move, talk, text and press the button."""
    if settings:
        click.echo(radio_toml(host, port, secret, sites, talkgroups))
        return
    plan = simulation.Plan(
        host, port, secret.encode(), sites, radios, talkgroups, every, seed, calls
    )
    counted: Counter[str] = Counter()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(simulation.simulate(plan, seconds, counted))
    click.echo(", ".join(f"{what} {count:,}" for what, count in sorted(counted.items())))


def radio_toml(host: str, port: int, secret: str, sites: int, talkgroups: tuple[int, ...]) -> str:
    """Settings of a bridge for these repeaters."""
    slots = [sorted(set(talkgroups[at::2])) for at in (0, 1)]
    lines = [
        "[link.simulated]", 'kind = "master"', 'radio_network = "simulated"',
        f'listen = "{host}:{port}"',
    ]  # fmt: skip
    for index in range(sites):
        number = simulation.FIRST_REPEATER + index
        lines += [
            f"[link.simulated.repeater.{number}]", f'secret = "{secret}"',
            f"slot_1 = {slots[0]}", f"slot_2 = {slots[1]}",
        ]  # fmt: skip
    return "\n".join(lines)
