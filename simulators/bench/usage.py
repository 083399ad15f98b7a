"""Who used the processors during a run: server, PostgreSQL, load, and everything else.

What else ran matters most for reading a figure: on a machine with other work, the tail of every
latency is that work's. Linux only (proc(5)).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

Pids = tuple[int | None, int | None]
"""Process ids of the server and of PostgreSQL's first process; none for those not ours."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def resident_kb(pid: int) -> int:
    """Memory a process holds, kB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _seconds(pid: int, with_ended_children: bool = False) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_ended_children else 13])) / _TICKS


def _tree_seconds(pid: int) -> float:
    """Processor time of a process and its children, also of those that have ended."""
    total = _seconds(pid, with_ended_children=True)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        with contextlib.suppress(OSError):
            total += _seconds(int(child))
    return total


def _machine_seconds() -> float:
    """Processor time that was not idle, of the whole machine."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _waiting, *interrupts = map(int, fields[:7])
    return (user + nice + system + sum(interrupts)) / _TICKS


class Usage:
    """Processor seconds since it was made; figures of processes that are not ours are none."""

    def __init__(self, server: int | None, database: int | None) -> None:
        """Process ids of the server and of PostgreSQL's first process."""
        self._server = server
        self._database = database
        self._begin = self._now()

    def _now(self) -> list[float | None]:
        return [
            None if self._server is None else _seconds(self._server),
            None if self._database is None else _tree_seconds(self._database),
            _seconds(os.getpid()),
            _machine_seconds(),
        ]

    def figures(self) -> dict[str, float | None]:
        """``server_cpu_s``, ``postgres_cpu_s``, ``load_cpu_s`` and ``others_cpu_s``."""
        server, database, load, machine = (
            None if now is None or then is None else round(now - then, 2)
            for now, then in zip(self._now(), self._begin, strict=True)
        )
        others = None
        if server is not None and database is not None:
            others = round(max(0.0, (machine or 0.0) - server - database - (load or 0.0)), 2)
        return {
            "server_cpu_s": server,
            "postgres_cpu_s": database,
            "load_cpu_s": load,
            "others_cpu_s": others,
        }
