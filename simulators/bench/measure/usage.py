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


def tree_memory_kb(pid: int) -> int:
    """Memory of a process and its children, kB; what they share counts once (Pss, proc(5))."""
    total = 0
    for each in (pid, *_children(pid)):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def seconds(pid: int, with_ended_children: bool = False) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_ended_children else 13])) / _TICKS


def tree_seconds(pid: int) -> float:
    """Processor time of a process and its children, also of those that have ended."""
    total = seconds(pid, with_ended_children=True)
    for child in _children(pid):
        with contextlib.suppress(OSError):
            total += seconds(child)
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
            None if self._server is None else seconds(self._server),
            None if self._database is None else tree_seconds(self._database),
            seconds(os.getpid()),
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
