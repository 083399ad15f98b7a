"""``psn bench picture``: every unit reports, every console sees it; how soon, and is all there?"""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections.abc import Iterator
from dataclasses import asdict
from random import Random
from time import perf_counter
from typing import Any, Final

import asyncpg
import msgpack

from simulators.bench.load import (
    Lag,
    Plan,
    each,
    percentiles,
    quiet_memory,
    say,
    settled,
    timetable,
)  # fmt: skip
from simulators.bench.people import Auth, Cast
from simulators.bench.socket import Frame, Socket
from simulators.bench.usage import Pids, Usage, resident_kb

KEYS: Final = (
    "units", "consoles", "rate", "sent", "expected", "delivered", "stored", "p50_ms", "p95_ms",
    "p99_ms", "server_cpu_s", "server_rss_mb",
)  # fmt: skip
PATIENCE: Final = 5.0
"""Seconds without anything new after which what has not come counts as lost."""
_METRES_PER_E7: Final = 0.011_132


def plan_of(
    url: str, dsn: str, pids: Pids, cast: Cast, rate: float, seconds: float, seed: int
) -> Plan:
    """What the load is told."""
    return {
        "url": url, "dsn": dsn, "pids": pids, "rate": rate, "seconds": seconds, "seed": seed,
        "units": [asdict(unit) for unit in cast.units],
        "hidden": [asdict(unit) for unit in cast.hidden],
        "consoles": [asdict(person) for person in cast.people],
    }  # fmt: skip


class Console:
    """One person's console: what it got, each position once, and what it must not get."""

    def __init__(self, run: Run, agency: int) -> None:
        self.socket = Socket(self._received)
        self.got = 0
        self.twice = 0
        self.leaks = 0
        self.at_home = 0
        self.ready = asyncio.Event()
        self._run = run
        self._foreign = agency != run.home
        self._flags = bytearray(run.total)

    async def open(self, auth: Auth) -> None:
        """Sign in and watch everything; returns when the snapshot has come."""
        await self.socket.open(self._run.url)
        await self.socket.sign_in(auth)
        await self.socket.ask({"t": "watch"})
        await asyncio.wait_for(self.ready.wait(), 30)

    def _received(self, frame: Frame, at: float) -> None:
        run = self._run
        if frame["t"] == "picture":
            numbers, dues, flags = run.numbers, run.dues, self._flags
            latencies = run.latencies
            for seat in frame["p"]:
                number = numbers.get(seat[:2])
                if number is not None:
                    if flags[number]:
                        self.twice += 1
                    else:
                        flags[number] = 1
                        self.got += 1
                        latencies.append(at - dues[number])
                elif seat[0] in run.hidden:
                    self._hidden()
            if frame.get("snapshot"):
                self.ready.set()
        else:
            self._look_for_hidden(frame)

    def _hidden(self) -> None:
        if self._foreign:
            self.leaks += 1
        else:
            self.at_home += 1

    def _look_for_hidden(self, frame: Frame) -> None:
        """No other frame may tell a foreign console of a hidden unit either."""
        hidden = self._run.hidden
        named: Iterator[Any] = iter(())
        match frame["t"]:
            case "roster" | "roster_units":
                named = (unit["id"] for unit in frame["units"])
            case "gone":
                named = iter(frame["units"])
            case "fence":
                named = (crossing[0] for crossing in frame["x"])
            case "presence":
                named = (
                    int(address[5:]) for address in frame["who"] if address.startswith("unit:")
                )
        if self._foreign:
            self.leaks += sum(unit in hidden for unit in named)


class Run:
    """The state of one run, shared by units and consoles."""

    def __init__(self, plan: Plan) -> None:
        self.url: str = plan["url"]
        self.rate: float = plan["rate"]
        self.units: list[Any] = plan["units"]
        self.hidden = {int(unit["address"].partition(":")[2]) for unit in plan["hidden"]}
        self.home: int = plan["hidden"][0]["agency"] if plan["hidden"] else 0
        self.rounds = max(1, round(plan["seconds"] * self.rate))
        self.total = self.rounds * len(self.units)
        self.numbers: dict[tuple[int, int], int] = {}
        self.dues: array[float] = array("d")
        self.latencies: array[float] = array("d")
        self.late: array[float] = array("d")
        self.errors: list[Frame] = []
        self._random = Random(plan["seed"])
        everyone = [*plan["units"], *plan["hidden"]]
        self._ids = [int(unit["address"].partition(":")[2]) for unit in everyone]
        self._sockets = [Socket(self._answer) for _ in everyone]
        self._auths = [unit["auth"] for unit in everyone]
        self._places = [
            (self._random.randint(-890_000_000, -881_000_000),
             self._random.randint(162_000_000, 182_000_000),
             self._random.uniform(0, math.tau))
            for _ in everyone
        ]  # fmt: skip
        self._order = sorted((self._random.random(), n) for n in range(len(everyone)))
        self._utc_ms = 0.0

    def _answer(self, frame: Frame, at: float) -> None:
        if frame["t"] == "error":
            self.errors.append(frame)

    async def connect(self) -> None:
        """Sign in every unit's device."""

        async def one(n: int) -> None:
            await self._sockets[n].open(self.url)
            await self._sockets[n].sign_in(self._auths[n])

        count = len(self._sockets)
        await each(range(count), one, "units sign in", count)

    def position(self, n: int, after: float) -> tuple[int, bytes]:
        """Time (ms UTC) and packed frame of unit ``n``'s report, ``after`` seconds into the run.

        Units go straight on at 12 m/s and turn round after some minutes.
        """
        at = round(self._utc_ms + after * 1000)
        lon, lat, way = self._places[n]
        gone = 12.0 * (after % 600.0 if after % 1200.0 < 600.0 else 600.0 - after % 600.0)
        east = round(gone * math.cos(way) / _METRES_PER_E7)
        north = round(gone * math.sin(way) / _METRES_PER_E7)
        fix = (0, at, lon + east, lat + north, 1_200, round(way * 5_729) % 36_000, 500)
        return at, msgpack.packb({"t": "position", "p": fix})

    def warm_up(self) -> None:
        """One report of everyone, so that the run begins with a full map."""
        self._utc_ms = time.time() * 1000
        for n, socket in enumerate(self._sockets):
            socket.send_packed(self.position(n, 0.0)[1])

    async def go(self) -> float:
        """Send everything by the timetable; the moment (perf_counter) the run began."""
        begin = perf_counter() + 0.1
        self._utc_ms = (time.time() + begin - perf_counter()) * 1000
        order, period = self._order, 1.0 / self.rate
        people = len(self.units)

        def act(number: int, due: float) -> None:
            n = order[number % len(order)][1]
            at, payload = self.position(n, due - begin)
            if n < people:
                self.numbers[self._ids[n], at] = len(self.dues)
                self.dues.append(due)
            self._sockets[n].send_packed(payload)
            if number % 2_000 == 0:
                say("progress", text="positions", done=len(self.dues), total=self.total)

        dues = ((k + part) * period for k in range(self.rounds) for part, _ in order)
        await timetable(begin, dues, act, self.late)
        return begin

    @property
    def first_ms(self) -> int:
        """Time of the run's beginning, ms UTC."""
        return int(self._utc_ms)

    @property
    def unit_ids(self) -> list[int]:
        """Ids of the units that everybody may see."""
        return self._ids[: len(self.units)]


async def load(plan: Plan, _: asyncio.StreamReader) -> dict[str, Any]:
    """The load process's part."""
    run = Run(plan)
    await run.connect()
    consoles = [Console(run, person["agency"]) for person in plan["consoles"]]

    async def open_console(n: int) -> None:
        await consoles[n].open(plan["consoles"][n]["auth"])

    await each(range(len(consoles)), open_console, "consoles sign in", len(consoles))
    run.warm_up()
    await asyncio.sleep(1.5)
    quiet_memory()
    used = Usage(*plan["pids"])
    lag = Lag()
    begin = await run.go()
    expected = run.total * len(consoles)
    await settled(lambda: sum(c.got for c in consoles), expected, PATIENCE)
    lag.stop()
    took = perf_counter() - begin
    usage = used.figures()
    server = plan["pids"][0]
    rss = None if server is None else round(resident_kb(server) / 1024, 1)
    stored = await _stored(plan["dsn"], run)
    p50, p95, p99, worst = percentiles(run.latencies, 50, 95, 99, 100)
    return {
        "units": len(run.units), "consoles": len(consoles), "rate": run.rate,
        "sent": len(run.dues), "expected": expected, "delivered": sum(c.got for c in consoles),
        "stored": stored, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99,
        **usage, "server_rss_mb": rss,
        "seconds": round(took, 2), "max_ms": worst,
        "hidden_leaks": sum(c.leaks for c in consoles),
        "hidden_seen_at_home": sum(c.at_home for c in consoles),
        "delivered_twice": sum(c.twice for c in consoles),
        "refused": len(run.errors),
        "sender_late_p99_ms": percentiles(run.late, 99)[0],
        "load_lag_p99_ms": percentiles(lag.samples, 99)[0],
    }  # fmt: skip


async def _stored(dsn: str, run: Run) -> int:
    """Rows in the tracks for this run; waits until they stop growing."""
    connection = await asyncpg.connect(dsn)
    try:
        found = 0
        for _ in range(50):
            found = await connection.fetchval(
                "select count(*) from track where unit_id = any($1::int[])"
                " and at >= to_timestamp($2::float8 / 1000)",
                run.unit_ids,
                float(run.first_ms),
            )
            if found >= run.total:
                break
            await asyncio.sleep(0.2)
        return int(found)
    finally:
        await connection.close()
