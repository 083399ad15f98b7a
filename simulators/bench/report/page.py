"""The page: what was measured, plots over time, every figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from simulators.bench.report.plot import number, plot

PLOTS: Final[tuple[tuple[str, str, bool, tuple[tuple[str, str], ...]], ...]] = (
    ("Latency of positions, by the second they were due", "ms", True,
     (("p50_ms", "p50"), ("p99_ms", "p99"), ("p99.9_ms", "p99.9"))),
    ("Throughput", "positions a second", False, (("delivered_per_s", "delivered"),)),
    ("Processors", "percent of one", False,
     (("server_cpu", "server"), ("postgres_cpu", "PostgreSQL"), ("load_cpu", "load"))),
    ("On the wire", "bytes a second", False,
     (("bytes_in_per_s", "to consoles"), ("bytes_out_per_s", "from units"))),
    ("Memory", "MB", False, (("server_mb", "server"), ("postgres_mb", "PostgreSQL"))),
    ("Lag of the server's event loop, upper bound of p99", "ms", True,
     (("server_lag_p99_ms", "lag"),)),
    ("What the page keeps after a garbage collection", "MB", False, (("heap_mb", "scripts"),)),
    ("The page's process", "MB", False, (("browser_mb", "process"),)),
)  # fmt: skip
"""Title, unit, logarithmic, and the series with their names."""
LINES: Final = """
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round }
.grid { stroke: #e3e7eb } .axis { fill: #4a5561 } line.mark { stroke: #9aa5b1;
  stroke-dasharray: 3 3 } text.mark { fill: #4a5561 }
"""
SVG: Final = "http://www.w3.org/2000/svg"
STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c232b; max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem; background: #fff }
h1 { font-size: 1.4rem; margin-bottom: 0 } h2 { font-size: 1.05rem; margin: 1.6rem 0 .2rem }
p { margin: .2rem 0; color: #4a5561 }
svg { width: 100%; height: auto; display: block } svg text { font-size: 12px }
.chief { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1rem 0 }
.chief b { display: block; font-size: 1.5rem; font-weight: 600 }
table { border-collapse: collapse } td { padding: .15rem 1.5rem .15rem 0;
  border-bottom: 1px solid #e3e7eb } td:last-child { text-align: right }
"""
CHIEF: Final = (
    ("delivered", "delivered"), ("expected", "expected"), ("stored", "stored"),
    ("delivered_per_s", "delivered a second"), ("p50_ms", "p50, ms"), ("p99_ms", "p99, ms"),
    ("hidden_leaks", "hidden units leaked"),
)  # fmt: skip


def page(title: str, when: str, result: Mapping[str, Any]) -> str:
    """A whole HTML document about a result, with plots of its ``series``."""
    series = result.get("series", {})
    plots = "".join(
        f"<h2>{escape(heading)}, {escape(unit)}</h2>"
        + plot(heading, lines, logarithmic=logarithmic, marks=_marks(result))
        for heading, unit, logarithmic, wanted in PLOTS
        if (lines := [(name, series[key]) for key, name in wanted if any_known(series, key)])
    )
    plots += "".join(
        f"<h2>By {escape(name)}, percent of a processor</h2>" + growth_plot(name, steps)
        for name, steps in result.get("growth", {}).items()
    )
    chief = "".join(
        f"<div><b>{escape(_shown(result[key]))}</b>{escape(name)}</div>"
        for key, name in CHIEF if key in result
    )  # fmt: skip
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(_shown(value))}</td></tr>"
        for name, value in _flat(result)
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}{LINES}</style><h1>{escape(title)}</h1><p>{escape(when)}</p>"
        f'<div class="chief">{chief}</div>{plots}<h2>Every figure</h2><table>{rows}</table></html>'
    )


def growth_plot(name: str, steps: Sequence[Mapping[str, Any]], *, alone: bool = False) -> str:
    """How the processors' work grows with what ``name`` counts; ``alone`` as a file of its own."""
    lines = [
        (shown, [step[key] for step in steps])
        for key, shown in (("server_cpu", "server"), ("postgres_cpu", "PostgreSQL"))
    ]
    drawn = plot(
        f"Percent of a processor by {name}", lines, at=[s["at"] for s in steps], across=name
    )
    if not alone:
        return drawn
    look = f"<style>text {{ font: 12px system-ui, sans-serif }} {LINES}</style>"
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    begun = drawn.replace("<svg", f'<svg xmlns="{SVG}"', 1)
    return begun.replace(">", f">{look}{ground}", 1) + "\n"


def any_known(series: Mapping[str, Any], key: str) -> bool:
    """Whether there is something to draw."""
    return any(value is not None for value in series.get(key, ()))


def _marks(result: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Where the phases of a run begin, when it has several."""
    phases = result.get("phases", {})
    if len(phases) < 2 or any(len(rounds) > 1 for rounds in phases.values()):
        return []
    at, marks = 0.0, []
    for name, rounds in phases.items():
        marks.append((at, name))
        at += rounds[0]["seconds"]
    return marks


def _flat(result: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in result.items():
        name = before + key.replace("_", " ")
        if key in ("series", "event"):
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}: ")
        elif isinstance(value, list):
            for n, part in enumerate(value, 1):
                yield from _flat(part, f"{name} {n}: " if len(value) > 1 else f"{name}: ")
        else:
            yield name, value


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, float) and abs(value) < 1_000:
        return number(value)
    return value if isinstance(value, str) else f"{value:,}"
