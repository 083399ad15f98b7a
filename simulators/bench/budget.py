"""Says before anything is started what this machine cannot do."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from psn.problems import Problem
from simulators.bench.field.positions import Phase

MOST_SENT: Final = 60_000
"""Reports a second that one process of load can send by the clock; measured, with some air."""
MOST_DELIVERED: Final = 6_000_000
"""Positions a second that it can read and keep account of; likewise."""
MOST_REPORTS: Final = 20_000_000
"""Of one run: they are kept to be compared, 100 bytes each."""
MOST_MESSAGES: Final = 12_000
"""Messages a second that one process can write, with what comes back for each."""
MESSAGE_BYTES: Final = 500
SERVER_BYTES: Final = 60_000
LOAD_BYTES: Final = 20_000
"""For each connection, with air."""
REPORT_BYTES: Final = 120
"""In the load, for each report: when it was due and, decoded once, what came of it."""
DELIVERY_BYTES: Final = 8
"""For each delivery while a run is judged."""
MAX_SOCKETS: Final = 15_000
"""More on one machine runs into the range of ports of one address."""


def allow_sockets(count: int) -> None:
    """Raise the limit of open files as far as is allowed; refuse what cannot be.

    Raises Problem ``too_many_sockets``.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = MAX_SOCKETS
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard - 200)
    if count > most:
        raise Problem(
            "too_many_sockets",
            f"That takes {count:,} connections, and {most:,} is what this machine allows one"
            " process.",
            "Ask for fewer, or raise the limit of open files (ulimit -n) up to 15,000.",
        )


def check(units: int, consoles: int, phases: Sequence[Phase]) -> None:
    """Refuse a run with positions that cannot be. Raises Problem.

    Codes: ``too_many_sockets``, ``load_too_slow``, ``too_many_deliveries``, ``too_little_memory``.
    """
    allow_sockets(units + consoles + 1)
    fastest = max(phase.rate for phase in phases) * units
    if fastest > MOST_SENT:
        raise Problem(
            "load_too_slow",
            f"That is {fastest:,.0f} positions a second; one process can send {MOST_SENT:,}.",
            "Ask for fewer units, or a lower rate.",
        )
    if fastest * consoles > MOST_DELIVERED:
        raise Problem(
            "load_too_slow",
            f"That is {fastest * consoles:,.0f} deliveries a second; one process can read"
            f" {MOST_DELIVERED:,}.",
            "Ask for fewer units or consoles, or a lower rate.",
        )
    reports = sum(phase.rounds for phase in phases) * units
    if reports > MOST_REPORTS:
        raise Problem(
            "too_many_deliveries",
            f"That is {reports:,} positions, and {MOST_REPORTS:,} can be kept account of.",
            "Ask for fewer units or seconds.",
        )
    sessions = units + consoles
    needed = sessions * (SERVER_BYTES + LOAD_BYTES) + reports * (REPORT_BYTES + 4 * DELIVERY_BYTES)
    if needed > (free := available_bytes()):
        raise Problem(
            "too_little_memory",
            f"That needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free.",
            "Ask for fewer units, consoles or seconds.",
        )


def check_messages(rate: float, seconds: float) -> None:
    """Refuse more messages than one process can write and keep account of. Raises Problem."""
    if rate > MOST_MESSAGES:
        raise Problem(
            "load_too_slow",
            f"That is {rate:,.0f} messages a second; one process can write {MOST_MESSAGES:,}.",
            "Ask for a lower rate.",
        )
    if rate * seconds * MESSAGE_BYTES > (free := available_bytes()):
        raise Problem(
            "too_little_memory",
            f"{rate * seconds:,.0f} messages are more than {free / 1e9:.1f} GB of memory can keep.",
            "Ask for a lower rate or fewer seconds.",
        )


def available_bytes() -> int:
    """Memory that new programs can have (proc(5), meminfo)."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
