"""``psn bench voice``: how soon the floor is granted, and how soon speech is at the others' ears.

Each talker has a group of his own, and every listener hears all of them. A talker asks for the
floor, talks for some seconds, gives it back, and asks again. A frame of speech carries the moment
when it was due in the place of its Opus packet, so each listener measures for himself: from when
it should have been sent until its bytes are here. Beside it, units may report and consoles watch,
as in ``psn bench picture``.
"""

from __future__ import annotations

import asyncio
import struct
from array import array
from dataclasses import asdict
from random import Random
from time import perf_counter, time_ns
from typing import Any, Final

import asyncpg

from simulators.bench.load import Lag, Plan, each, percentiles, quiet_memory, say
from simulators.bench.measure.usage import Pids, Usage
from simulators.bench.people import Cast
from simulators.bench.socket import Frame, Socket

KEYS: Final = ("p99_grant_ms", "p99_relay_ms", "sent", "delivered", "lost", "server_cpu_s")
FRAME_SECONDS: Final = 0.02
TALK_SECONDS: Final = 3.0
PAUSE_SECONDS: Final = 0.2
OPUS_BYTES: Final = 70
"""A packet of 20 ms at 24 kbit/s, with its overhead."""
HEADER: Final = struct.Struct(">BBHIId")
"""Mark, flags, number, group, talker (docs/wire.md, Voice); then the moment it was due."""
_PADDING: Final = bytes(OPUS_BYTES - 8)
DRAIN_SECONDS: Final = 1.0
LATECOMER_SECONDS: Final = 0.25
"""So long somebody stays who joins again and again; a pause of the talk is no entry."""
LATE_SECONDS: Final = 0.5
"""A talker who is so late leaves out what he should have said: a microphone does not catch up."""


async def groups(dsn: str, cast: Cast, count: int) -> list[int]:
    """Make so many joint groups of all agencies; their ids."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "with made as (insert into talkgroup (agency_id, name)"
            " select null, 'bench ' || n from generate_series(1, $1) n returning id),"
            " belong as (insert into group_member (group_id, agency_id)"
            " select id, agency from made, unnest($2::int[]) agency)"
            " select id from made",
            count,
            list(cast.agencies),
        )
    finally:
        await connection.close()
    return [row["id"] for row in rows]


def plan_of(
    url: str,
    pids: Pids,
    cast: Cast,
    of: list[int],
    listeners: int,
    moving: int,
    seconds: float,
    settle: float,
    seed: int,
) -> Plan:
    """What the load is told: units talk (as many as there are groups) and the last ``moving`` move.

    It begins ``settle`` seconds after all are there. The first ``listeners`` people hear, the
    others watch the picture.
    """
    people = [asdict(person) for person in cast.people]
    units = [asdict(unit) | {"number": unit.number} for unit in cast.units]
    return {
        "url": url, "pids": pids, "groups": of, "seconds": seconds, "seed": seed,
        "settle": settle,
        "talkers": units[: len(of)], "moving": units[len(of) : len(of) + moving],
        "listeners": people[:listeners], "watchers": people[listeners:],
    }  # fmt: skip


class Run:
    """What was measured."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.sent = 0
        self.skipped = 0
        self.delivered = 0
        self.misplaced = 0
        self.relay: array[float] = array("d")
        self.grants: array[float] = array("d")
        self.entries: array[float] = array("d")
        self.refused: list[Frame] = []


class Ear(Socket):
    """A listener."""

    def __init__(self, run: Run) -> None:
        super().__init__(self._told)
        self._run = run
        self._last: dict[int, int] = {}
        """By group: the number of the newest frame."""

    def _told(self, frame: Frame, at: float) -> None:
        if frame["t"] == "error":
            self._run.refused.append(frame)

    def spoken(self, payload: memoryview, at: float) -> None:
        """A frame of speech has come."""
        _, _, number, group, _, due = HEADER.unpack_from(payload)
        run = self._run
        if number and number <= self._last.get(group, -1):
            run.misplaced += 1
        self._last[group] = number
        run.delivered += 1
        run.relay.append(at - due)


class Latecomer(Socket):
    """Joins a group again and again while somebody talks there."""

    def __init__(self, run: Run, group: int) -> None:
        super().__init__(self._told)
        self._run = run
        self._group = f"group:{group}"
        self._asked: float | None = None
        """When it asked to hear a talk that is going on, and has heard nothing of yet."""
        self._talks: bool | None = None
        """Whether somebody talked when it came in."""

    def _told(self, frame: Frame, at: float) -> None:
        if frame["t"] == "floor" and self._talks is None:
            self._talks = frame.get("talker") is not None

    def spoken(self, payload: memoryview, at: float) -> None:
        """A frame of speech has come."""
        if self._asked is not None and self._talks:
            self._run.entries.append(at - self._asked)
        self._asked = None

    async def enter(self, end: float) -> None:
        """Come in late, and leave again, until then."""
        while perf_counter() + TALK_SECONDS < end:
            self._talks, self._asked = None, perf_counter()
            await self.ask({"t": "voice_join", "group": self._group})
            await asyncio.sleep(LATECOMER_SECONDS)
            await self.ask({"t": "voice_leave", "group": self._group})


class Mouth(Socket):
    """A talker."""

    def __init__(self, run: Run, unit: int, group: int) -> None:
        super().__init__(self._told)
        self._run = run
        self._unit = unit | 1 << 31
        self._group = group
        self._asked = 0.0
        self._granted = asyncio.Event()

    def _told(self, frame: Frame, at: float) -> None:
        if frame["t"] == "floor_yours" and frame["state"] == "granted":
            self._run.grants.append(at - self._asked)
            self._granted.set()
        elif frame["t"] in ("error", "floor_yours"):
            self._run.refused.append(frame)

    async def talk(self, end: float) -> None:
        """Talk, pause, and talk again, until then."""
        address = f"group:{self._group}"
        while perf_counter() + TALK_SECONDS < end:
            self._granted.clear()
            self._asked = perf_counter()
            self.send({"t": "floor_ask", "group": address})
            await self._granted.wait()
            await self._say(perf_counter())
            self.send({"t": "floor_release", "group": address})
            await asyncio.sleep(PAUSE_SECONDS)

    async def _say(self, begin: float) -> None:
        for number in range(round(TALK_SECONDS / FRAME_SECONDS)):
            due = begin + number * FRAME_SECONDS
            late = perf_counter() - due
            if late < 0:
                await asyncio.sleep(-late)
            elif late > LATE_SECONDS:
                self._run.skipped += 1
                continue
            head = HEADER.pack(0xC1, 1, number, self._group, self._unit, due)
            self.send_packed(head + _PADDING)
            self._run.sent += 1


async def load(plan: Plan, _: asyncio.StreamReader) -> dict[str, Any]:
    """The load process's part."""
    run, random = Run(plan["seconds"]), Random(plan["seed"])
    units, numbers = plan["talkers"], plan["groups"]
    mouths = [Mouth(run, unit["number"], group) for unit, group in zip(units, numbers, strict=True)]
    ears = [Ear(run) for _ in plan["listeners"]]
    late = Latecomer(run, numbers[0])
    movers = [Socket() for _ in plan["moving"]]
    watchers = [Socket() for _ in plan["watchers"]]
    sides = (
        (mouths, units), (ears, plan["listeners"]), (movers, plan["moving"]),
        (watchers, plan["watchers"]), ([late], plan["listeners"][:1]),
    )  # fmt: skip
    everyone = [pair for sockets, who in sides for pair in zip(sockets, who, strict=True)]

    async def connect(pair: tuple[Socket, Plan]) -> None:
        await pair[0].open(plan["url"])
        await pair[0].sign_in(pair[1]["auth"])

    await each(everyone, connect, "people and units sign in", len(everyone))
    for watcher in watchers:
        await watcher.ask({"t": "watch"})
    for at, mouth in enumerate(mouths):
        await mouth.ask({"t": "voice_join", "group": f"group:{numbers[at]}"})

    async def listen(ear: Ear) -> None:
        for number in numbers:
            await ear.ask({"t": "voice_join", "group": f"group:{number}"})

    await each(ears, listen, "listeners join", len(ears))
    await asyncio.sleep(max(0.5, plan["settle"]))
    quiet_memory()
    used, lag = Usage(*plan["pids"]), Lag()
    begin = perf_counter() + 0.1
    say("began", at=begin)
    moving = asyncio.create_task(_move(movers, random))
    async with asyncio.TaskGroup() as tasks:
        for mouth in mouths:
            await asyncio.sleep(random.uniform(0, 2 * FRAME_SECONDS / len(mouths)))
            tasks.create_task(mouth.talk(begin + plan["seconds"]))
        tasks.create_task(late.enter(begin + plan["seconds"]))
    await asyncio.sleep(DRAIN_SECONDS)
    moving.cancel()
    lag.stop()
    return _result(run, len(ears), used.figures(), lag)


def _result(run: Run, listeners: int, usage: dict[str, Any], lag: Lag) -> dict[str, Any]:
    p50, p99, worst = percentiles(run.relay, 50, 99, 100)
    return {
        "p99_grant_ms": percentiles(run.grants, 99)[0],
        "p99_relay_ms": p99,
        "sent": run.sent,
        "delivered": run.delivered,
        "lost": run.sent * listeners - run.delivered,
        **usage,
        "p50_relay_ms": p50,
        "max_relay_ms": worst,
        "p50_grant_ms": percentiles(run.grants, 50)[0],
        "grants": len(run.grants),
        "p99_late_entry_ms": percentiles(run.entries, 99)[0],
        "late_entries": len(run.entries),
        "listeners": listeners,
        "seconds": run.seconds,
        "not_sent": run.skipped,
        "out_of_order": run.misplaced,
        "refused": len(run.refused),
        "load_lag_p99_ms": percentiles(lag.samples, 99)[0],
    }


async def _move(units: list[Socket], random: Random) -> None:
    """Every unit reports once a second, spread over it."""
    places = [[-88.5 + random.random(), 17.0 + random.random()] for _ in units]
    while units:
        begun = perf_counter()
        for number, unit in enumerate(units):
            lon, lat = (round(each * 1e7) for each in places[number])
            places[number][0] += random.uniform(-1e-4, 1e-4)
            unit.send({"t": "position", "p": (0, time_ns() // 1_000_000, lon, lat, 800)})
            wait = begun + (number + 1) / len(units) - perf_counter()
            if wait > 0.002:
                await asyncio.sleep(wait)
