"""``psn bench compare``: this server beside others, in one run, in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from simulators.bench import budget, stage
from simulators.bench import people as casting
from simulators.bench.commands.running import SEED, own_only, write_report
from simulators.bench.commands.shown import Result, Shown, options, show
from simulators.bench.field.positions import Phase
from simulators.bench.rivals.servers import RIVALS, Running, started

KEYS: Final = ("units", "consoles", "mode", "rounds", "seconds", "hidden_leaks", "skipped")
CEILING: Final = "relay"


@click.command(
    short_help="Beside a bare relay, NATS, Mosquitto and taky.",
    epilog="Example: psn bench compare --units 500 --consoles 20 --rate 1",
)
@click.option("--units", default=3_000, show_default=True, type=click.IntRange(1))
@click.option("--consoles", default=100, show_default=True, type=click.IntRange(1))
@click.option("--rate", type=click.FloatRange(0.1, 30), help="By the clock; otherwise full speed.")
@click.option("--window", default=2_000, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--seconds", default=2.0, show_default=True, type=click.FloatRange(0.2, 600))
@click.option("--fences", default=200, show_default=True, type=click.IntRange(0, 800))
@click.option(
    "--publishers",
    default=10,
    show_default=True,
    type=click.IntRange(1),
    help="Connections over which each of the others gets the positions.",
)
@click.option("--only", multiple=True, type=click.Choice(list(RIVALS)), help="Of the others.")
@options
def compare(
    units: int, consoles: int, rate: float | None, window: int, rounds: int, seconds: float,
    fences: int, publishers: int, only: Sequence[str], **chosen: Any,
) -> None:  # fmt: skip
    """This server with rights, fences and storage beside servers that pass the same bytes on.

    At full speed ``--window`` positions are kept on their way, whatever the server does with
    them; with ``--rate`` every unit reports so often, by the clock. Each server has a round of
    ``--seconds`` in turn; medians of the rounds are compared. The others get the positions over a
    few connections, which suits them best; this server has every unit on one of its own.
    ``capped`` servers could do more: no unit reports more often than devices may.
    """
    own_only(chosen["url"], "needs the processor of the server for the others, too")
    names = list(only) or list(RIVALS)
    budget.check(units, consoles, [Phase("round", seconds, rate or 1.0)])
    budget.allow_sockets(units + consoles + (min(publishers, units) + consoles) * len(names))

    async def work() -> Result:
        async with stage.staged(None, None) as place, started(names) as (running, skipped):
            cast = await casting.enrol(
                place.dsn, units=units, hidden=1, people=consoles, fences=fences
            )
            await asyncio.sleep(1.0)
            plan = {
                "url": place.url, "dsn": place.dsn, "pids": place.pids, "seed": SEED,
                "full": rate is None, "rate": rate, "window": window, "rounds": rounds,
                "seconds": seconds, "publishers": publishers,
                "rivals": [_told(each) for each in running],
                "units": [asdict(unit) for unit in cast.units],
                "hidden": [asdict(unit) for unit in cast.hidden],
                "consoles": [asdict(person) for person in cast.people],
            }  # fmt: skip
            with Shown() as shown:
                async with stage.loaded("compare", plan) as load:
                    return await load.until("result", shown.event) | {"skipped": skipped}

    result = asyncio.run(work())
    result |= {"fences": fences, "publishers": publishers}
    result["ratios"] = ratios(result["servers"])
    write_report(chosen["report"], "psn bench compare", result)
    for why in result["skipped"].values():
        stage.note(f"skipped: {why}")
    if chosen["as_json"]:
        show(result, KEYS, as_json=True)
    else:
        Console(width=max(100, Console().width)).print(_table(result))


def _told(running: Running) -> dict[str, Any]:
    return {"name": running.name, "port": running.port, "pid": running.pid}


def ratios(servers: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """This server's throughput, p99, and processor time a delivery, by each other server's."""
    ours = servers["psn"]
    return {
        name: {
            "delivered_per_s": _divided(ours["delivered_per_s"], theirs["delivered_per_s"]),
            "p99_ms": _divided(ours["p99_ms"], theirs["p99_ms"]),
            "cpu_per_delivery": _divided(_cost(ours), _cost(theirs)),
        }
        for name, theirs in servers.items()
        if name != "psn"
    }


def _cost(found: dict[str, Any]) -> float | None:
    return _divided(found["server_cpu"], found["delivered_per_s"] / 1e6)


def _divided(ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or not theirs else round(ours / theirs, 3)


def _table(result: Result) -> Table:
    table = Table(
        title=f"{result['units']:,} units, {result['consoles']:,} consoles, {result['mode']},"
        f" medians of {result['rounds']} rounds of {result['seconds']:g} s",
        box=None, pad_edge=False, title_justify="left",
    )  # fmt: skip
    for heading in (
        "", "delivered/s", "p50 ms", "p99 ms", "CPU", "load CPU", "lost",
        "psn's rate", "psn's p99", "psn's cost",
    ):  # fmt: skip
        table.add_column(heading, justify="left" if not heading else "right")
    for name, found in result["servers"].items():
        ratio = result["ratios"].get(name, dict.fromkeys(("a", "b", "c")))
        cpu, load_cpu = (found[each] or 0.0 for each in ("server_cpu", "load_cpu"))
        delivered = f"{'≥ ' if found['capped'] else ''}{found['delivered_per_s']:,}"
        table.add_row(
            name, delivered, f"{found['p50_ms']}", f"{found['p99_ms']}",
            f"{cpu:.0%}", f"{load_cpu:.0%}", f"{found['expected'] - found['delivered']:,}",
            *("" if value is None else f"{value:.2f} ×" for value in ratio.values()),
        )  # fmt: skip
    return table
