"""What every scenario's load is made of: a timetable, samples, patience, and a way to tell."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from array import array
from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import Any, Final, TypeVar

import numpy as np

Plan = dict[str, Any]
T = TypeVar("T")
Scenario = Callable[[Plan, asyncio.StreamReader], Awaitable[dict[str, Any]]]
"""Plays a plan, and may read further orders; gives the result."""
CONNECTING_AT_ONCE: Final = 64


def say(event: str, **fields: Any) -> None:
    """Tell the process that started us."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def percentiles(samples: array[float], *wanted: float) -> list[float | None]:
    """Percentiles of samples in seconds, as milliseconds; none where nothing was measured."""
    if not samples:
        return [None] * len(wanted)
    values = np.percentile(np.frombuffer(samples, dtype=np.float64), wanted)
    return [round(float(value) * 1000, 3) for value in values]


async def each(
    things: Iterable[T], work: Callable[[T], Awaitable[None]], text: str, total: int
) -> None:
    """Do something for everyone, some at a time, and tell how far it is."""
    waiting = iter(things)
    done = 0

    async def worker() -> None:
        nonlocal done
        for thing in waiting:
            await work(thing)
            done += 1
            if done % 100 == 0:
                say("progress", text=text, done=done, total=total)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTING_AT_ONCE):
            tasks.create_task(worker())


class Lag:
    """How late this process's own event loop is: its figures are worth what this says."""

    def __init__(self, every: float = 0.01) -> None:
        self.samples: array[float] = array("d")
        self._every = every
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            due = perf_counter() + self._every
            await asyncio.sleep(self._every)
            self.samples.append(max(0.0, perf_counter() - due))

    def stop(self) -> None:
        """No more samples."""
        self._task.cancel()


async def timetable(
    begin: float, dues: Iterable[float], act: Callable[[int, float], None], late: array[float]
) -> None:
    """Call ``act(n, due)`` when each moment (seconds after ``begin``) has come, in order.

    Whatever is due is done at once; nobody waits for the server. ``late`` gets by how much
    each came too late.
    """
    for number, after in enumerate(dues):
        due = begin + after
        now = perf_counter()
        if due > now:
            await asyncio.sleep(due - now)
            now = perf_counter()
        late.append(now - due if now > due else 0.0)
        act(number, due)


def quiet_memory() -> None:
    """Keep the garbage collector out of the measurement; a run is short."""
    gc.collect()
    gc.freeze()
    gc.disable()


async def settled(count: Callable[[], int], wanted: int, patience: float) -> None:
    """Wait until ``count()`` reaches ``wanted``, or does not grow for ``patience`` seconds."""
    last, since = count(), perf_counter()
    while last < wanted and perf_counter() - since < patience:
        await asyncio.sleep(0.05)
        now = count()
        if now > last:
            last, since = now, perf_counter()
