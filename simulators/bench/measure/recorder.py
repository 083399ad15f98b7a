"""What processes use, second by second, while a load runs; kept by the process that looks on."""

from __future__ import annotations

import asyncio
import contextlib
from time import perf_counter
from typing import Any, Final

from simulators.bench.measure import metrics
from simulators.bench.measure.usage import Pids, resident_kb, seconds, tree_memory_kb, tree_seconds

ASK_EVERY: Final = 5
"""Seconds between questions to the server, which cost it some time, and to the database."""


class Recorder:
    """Samples once a second from :meth:`start` to :meth:`stop`."""

    def __init__(self, url: str, pids: Pids, load: int | None) -> None:
        """``load`` is the process id of the load."""
        self._url = url
        self._server, self._database = pids
        self._load = load
        self._task: asyncio.Task[None] | None = None
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self.series: dict[str, list[float | None]] = {
            name: []
            for name in (
                "server_cpu", "postgres_cpu", "load_cpu", "server_mb", "postgres_mb",
                "server_lag_p99_ms", "positions_waiting",
            )
        }  # fmt: skip

    def start(self, begin: float) -> None:
        """The run begins at that moment of ``perf_counter``."""
        self._task = asyncio.create_task(self._sample(begin))

    async def stop(self) -> dict[str, Any]:
        """The end; figures of the whole run, by the server's own account."""
        if self._task is None:
            return {}
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._last = await metrics.read(self._url)
        conflated = self._last.get(metrics.CONFLATED)
        if conflated is not None:
            conflated -= self._first.get(metrics.CONFLATED, 0.0)
        return {
            "server_lag_p99_ms_at_most": metrics.lag_ms(self._first, self._last, 99),
            "conflated": None if conflated is None else int(conflated),
        }

    async def _sample(self, begin: float) -> None:
        self._first = asked = await metrics.read(self._url)
        await asyncio.sleep(max(0.0, begin - perf_counter()))
        before, number = self._processors(), 0
        while True:
            number += 1
            await asyncio.sleep(max(0.0, begin + number - perf_counter()))
            now = self._processors()
            for name in ("server_cpu", "postgres_cpu", "load_cpu"):
                then, used = before[name], now[name]
                self.series[name].append(
                    None if then is None or used is None else round(100 * (used - then), 1)
                )
            before = now
            await self._memory(number)
            if number % ASK_EVERY == 0:
                answer = await metrics.read(self._url)
                self.series["server_lag_p99_ms"] += [metrics.lag_ms(asked, answer, 99)] * ASK_EVERY
                waiting = answer.get(metrics.WAITING)
                self.series["positions_waiting"] += [None] * (ASK_EVERY - 1) + [waiting]
                asked = answer

    def _processors(self) -> dict[str, float | None]:
        found: dict[str, float | None] = dict.fromkeys(("server_cpu", "postgres_cpu", "load_cpu"))
        with contextlib.suppress(OSError):
            if self._server is not None:
                found["server_cpu"] = seconds(self._server)
            if self._database is not None:
                found["postgres_cpu"] = tree_seconds(self._database)
            if self._load is not None:
                found["load_cpu"] = seconds(self._load)
        return found

    async def _memory(self, number: int) -> None:
        server = database = None
        with contextlib.suppress(OSError):
            if self._server is not None:
                server = round(resident_kb(self._server) / 1024, 1)
            if self._database is not None:
                kept = self.series["postgres_mb"]
                if number % ASK_EVERY == 1 or not kept:
                    kb = await asyncio.to_thread(tree_memory_kb, self._database)
                    database = round(kb / 1024, 1)
                else:
                    database = kept[-1]
        self.series["server_mb"].append(server)
        self.series["postgres_mb"].append(database)
