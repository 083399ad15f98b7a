"""``psn bench picture``, ``mixed``, ``slow``, ``geofence`` and ``surge``: positions, and more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from simulators.bench import budget
from simulators.bench import people as casting
from simulators.bench.commands.running import SEED, During, run, write_report
from simulators.bench.commands.shown import Command, Decorator, Result, options, show
from simulators.bench.field.plan import plan_of
from simulators.bench.field.positions import Phase
from simulators.bench.stage import Event, Stage

KEYS: Final = (
    "units", "consoles", "rate", "sent", "expected", "delivered", "stored", "p50_ms", "p95_ms",
    "p99_ms", "server_cpu_s", "server_rss_mb",
)  # fmt: skip
SLOW_PAIRS: Final = 3
"""Rounds without and with stuck consoles, in turn."""
DRAIN_SECONDS: Final = 2.0
"""For consoles that were stuck, to catch up before the next round."""
SURGE: Final = 10.0
"""How many times as often units report in a surge."""
CALM_SECONDS: Final = 10.0
RECOVERY_SECONDS: Final = 20.0
RECOVERED: Final = 1.5
"""A second counts as recovered when its p99 is at most so many times the calm one's."""


def crowd(units: int, consoles: int, fences: int) -> Decorator:
    """Add ``--units``, ``--consoles``, ``--agencies`` and ``--fences`` with these defaults."""

    def add(command: Command) -> Command:
        for name, default, least, most in (
            ("--fences", fences, 0, 800), ("--agencies", 2, 1, 100),
            ("--consoles", consoles, 1, None), ("--units", units, 1, None),
        ):  # fmt: skip
            number = click.IntRange(least, most)
            command = click.option(name, default=default, show_default=True, type=number)(command)
        return command

    return add


def rate(default: float = 1.0) -> Decorator:
    """Add ``--rate``: reports of a unit a second."""
    number = click.FloatRange(0.01, 30)
    return click.option("--rate", default=default, show_default=True, type=number)


def seconds(default: float = 30.0) -> Decorator:
    """Add ``--seconds``."""
    number = click.FloatRange(0.1, 86_400)
    return click.option("--seconds", default=default, show_default=True, type=number)


def measure(
    name: str,
    chosen: Mapping[str, Any],
    phases: Sequence[Phase],
    *,
    mail: Mapping[str, float] | None = None,
    stuck: int = 0,
    more: Callable[[Result], Result] = lambda result: {},
    during: During | None = None,
) -> None:
    """Run it with the options that were chosen, and show what came of it.

    ``during`` is done beside it, ``more`` is made of its result.
    """
    units, consoles, fences = chosen["units"], chosen["consoles"], chosen["fences"]
    agencies = chosen.get("agencies", 2)
    budget.check(units, consoles, phases)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(
            place.dsn, units=units, hidden=1, people=consoles, fences=fences, agencies=agencies
        )
        await asyncio.sleep(1.0)
        return plan_of(place, cast, phases, SEED, mail=mail, stuck=stuck)

    result = run("field", chosen["url"], chosen["database"], prepare, during)
    result |= {"fences": fences, "agencies": agencies}
    result |= more(result)
    write_report(chosen["report"], f"psn bench {name}", result)
    show(result, KEYS, chosen["as_json"])


@click.command(
    short_help="Units report, consoles see them.",
    epilog="Example: psn bench picture --units 1000 --consoles 20 --rate 1 --seconds 30",
)
@crowd(units=1_000, consoles=20, fences=20)
@rate()
@seconds()
@options
def picture(rate: float, seconds: float, **chosen: Any) -> None:
    """Units report, consoles see them: socket to socket, and stored.

    One more unit is hidden; ``hidden_leaks`` counts what a foreign console learned of it.
    """
    measure("picture", chosen, [Phase("steady", seconds, rate)])


@click.command(
    short_help="Everything at once.",
    epilog="Example: psn bench mixed --units 1000 --consoles 20 --orders 50",
)
@crowd(units=1_000, consoles=20, fences=200)
@rate()
@seconds()
@click.option("--orders", default=50.0, show_default=True, type=click.FloatRange(0, 5_000))
@click.option("--status", default=50.0, show_default=True, type=click.FloatRange(0, 5_000))
@click.option("--emergencies", default=0.5, show_default=True, type=click.FloatRange(0, 100))
@options
def mixed(
    rate: float, seconds: float, orders: float, status: float, emergencies: float, **chosen: Any
) -> None:
    """Everything at once: positions, orders to units, status of units, emergencies.

    ``--orders``, ``--status`` and ``--emergencies`` are messages a second, of all together.
    """
    mail = {"order": orders, "status": status, "emergency": emergencies}
    measure("mixed", chosen, [Phase("steady", seconds, rate)], mail=mail)


@click.command(
    short_help="Many fences under many units.",
    epilog="Example: psn bench geofence --units 10000 --fences 500 --consoles 10",
)
@crowd(units=10_000, consoles=10, fences=500)
@rate()
@seconds()
@options
def geofence(rate: float, seconds: float, **chosen: Any) -> None:
    """Many fences under many units: what asking them costs, and crossings that consoles see."""
    measure("geofence", chosen, [Phase("steady", seconds, rate)])


@click.command(
    short_help="Some consoles read nothing; what others notice.",
    epilog="Example: psn bench slow --units 1000 --consoles 40 --seconds 60",
)
@crowd(units=1_000, consoles=40, fences=20)
@rate(2.0)
@seconds(60.0)
@click.option("--share", default=0.1, show_default=True, type=click.FloatRange(0.01, 0.9))
@options
def slow(rate: float, seconds: float, share: float, **chosen: Any) -> None:
    """A share of the consoles reads nothing for a while: do the others notice?

    Rounds without and with stuck consoles take turns, all in ``--seconds``; only the consoles
    that never get stuck are counted.
    """
    stuck = max(1, round(chosen["consoles"] * share))
    chosen["consoles"] = max(chosen["consoles"], stuck + 1)
    part = max(1.0, seconds / (2 * SLOW_PAIRS) - DRAIN_SECONDS / 2)
    phases = [
        phase
        for _ in range(SLOW_PAIRS)
        for phase in (
            Phase("without", part, rate), Phase("stuck", part, rate, stuck=True),
            Phase("draining", DRAIN_SECONDS, rate),
        )
    ]  # fmt: skip

    def more(result: Result) -> Result:
        found = {name: middle(result["phases"][name], "p99_ms") for name in ("without", "stuck")}
        ratio = None
        if found["without"] and found["stuck"]:
            ratio = round(found["stuck"] / found["without"], 3)
        return {
            "stuck_consoles": stuck, "p99_without_ms": found["without"],
            "p99_with_ms": found["stuck"], "p99_ratio": ratio,
        }  # fmt: skip

    measure("slow", chosen, phases, stuck=stuck, more=more)


@click.command(
    short_help="Ten times the positions, and back.",
    epilog="Example: psn bench surge --units 1000 --consoles 20 --seconds 30",
)
@crowd(units=1_000, consoles=20, fences=200)
@rate()
@seconds(30.0)
@options
def surge(rate: float, seconds: float, **chosen: Any) -> None:
    """Ten times the positions for ``--seconds``, and back; a red button every 100 ms all the while.

    ``emergency`` tells how soon each press was seen on every console.
    """
    calm = min(CALM_SECONDS, seconds)
    recovery = min(RECOVERY_SECONDS, seconds)
    phases = [
        Phase("calm", calm, rate), Phase("surge", seconds, rate * SURGE),
        Phase("recovery", recovery, rate),
    ]  # fmt: skip

    def more(result: Result) -> Result:
        before = result["phases"]["calm"][0]["p99_ms"]
        after = result["series"]["p99_ms"][round(calm + seconds) :]
        back = next(
            (n for n, p99 in enumerate(after) if p99 and before and p99 <= before * RECOVERED),
            None,
        )
        return {"recovered_after_s": back}

    measure("surge", chosen, phases, mail={"emergency": 10.0}, more=more)


def middle(rounds: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """The middle one of a figure of several rounds; none where it was never measured."""
    values = sorted(each[key] for each in rounds if each[key] is not None)
    return values[len(values) // 2] if values else None
