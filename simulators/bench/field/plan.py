"""What the load of a run with positions is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from simulators.bench.field.positions import Phase
from simulators.bench.load import Plan
from simulators.bench.people import Cast
from simulators.bench.stage import Stage


def plan_of(
    place: Stage,
    cast: Cast,
    phases: Sequence[Phase],
    seed: int,
    *,
    mail: Mapping[str, float] | None = None,
    stuck: int = 0,
    waits: bool = False,
) -> Plan:
    """``mail`` is messages a second of each kind; ``stuck`` consoles may stop reading.

    A load that ``waits`` says ``ready`` when everybody is there, and begins at a word.
    """
    return {
        "url": place.url, "dsn": place.dsn, "pids": place.pids, "seed": seed,
        "phases": [asdict(phase) for phase in phases],
        "mail": dict(mail or {}), "stuck": stuck, "waits": waits,
        "units": [asdict(unit) for unit in cast.units],
        "hidden": [asdict(unit) for unit in cast.hidden],
        "consoles": [asdict(person) for person in cast.people],
    }  # fmt: skip
