"""``psn bench dispatch``: a control room at work while units move; how soon is each action done?

Each incident is a whole story: a call is taken and typed, becomes an incident, units are sent, say
each of their steps, and are clear, a note is written, and it is closed. The clients are the real
ones (``psn.client``). An action's time is from asking to its answer, which comes when it is on disk
and on the boards; ``shown_ms`` is from asking until another dispatcher's screen has the incident.
"""

from __future__ import annotations

import asyncio
import contextlib
from array import array
from collections import defaultdict, deque
from contextlib import AsyncExitStack
from dataclasses import asdict
from random import Random
from time import perf_counter
from typing import Any, Final

from psn import wire
from psn.client import Client, ClientRefused
from psn.enrolment import device_key
from psn.enrolment.device_key import Enrolled
from simulators.bench.load import Lag, Plan, percentiles, quiet_memory, say
from simulators.bench.people import Cast
from simulators.bench.scenes import scene

KEYS: Final = ("incidents", "closed", "refused", "worst_p99_ms", "shown_p99_ms", "actions")
STEP_SECONDS: Final = 1.0
"""Between two steps of a crew, so that many are on their way at once."""
TYPING_SECONDS: Final = 0.3
WAITS_SECONDS: Final = 60.0
"""So long the stories that have begun are waited for at the end."""


def plan_of(
    url: str,
    pids: tuple[int | None, int | None],
    cast: Cast,
    rate: float,
    seconds: float,
    settle: float,
    seed: int,
) -> Plan:
    """What the load is told; ``rate`` is incidents a second, ``settle`` seconds before them."""
    return {
        "url": url, "pids": pids, "rate": rate, "seconds": seconds, "settle": settle, "seed": seed,
        "units": [asdict(unit) | {"number": unit.number} for unit in cast.units],
        "people": [asdict(person) for person in cast.people],
    }  # fmt: skip


class Room:
    """Everybody of a run, and what was measured."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.took: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        self.shown = array("d")
        self.refused: defaultdict[str, int] = defaultdict(int)
        self.closed = 0
        self.free: defaultdict[int, deque[tuple[int, Client]]] = defaultdict(deque)
        self._seen: dict[tuple[Client, int], asyncio.Event] = {}

    def news(self, client: Client, frame: wire.ServerFrame) -> None:
        """What a dispatcher's screen is told."""
        if isinstance(frame, wire.News):
            for item in frame.set:
                if item["is"] == "incident":
                    seen = self._seen.get((client, item["id"]))
                    if seen is not None:
                        seen.set()

    async def do(self, client: Client, what: str, /, **body: Any) -> Any:
        """Have an action done, and note how long it took."""
        begun = perf_counter()
        try:
            return await client.do(what, **body)
        except ClientRefused as problem:
            self.refused[f"{what}: {problem.code}"] += 1
            raise
        finally:
            self.took[what].append(perf_counter() - begun)

    async def until_shown(self, client: Client, incident: int, begun: float) -> None:
        """Note when another screen has it."""
        seen = self._seen[client, incident] = asyncio.Event()
        async with asyncio.timeout(WAITS_SECONDS):
            await seen.wait()
        self.shown.append(perf_counter() - begun)
        del self._seen[client, incident]


async def load(plan: Plan, _: asyncio.StreamReader) -> dict[str, Any]:
    """The load process's part."""
    room = Room(Random(plan["seed"]))
    async with AsyncExitStack() as stack:
        units = [await _unit(stack, plan["url"], unit) for unit in plan["units"]]
        desks = [await _desk(stack, plan["url"], person, room) for person in plan["people"]]
        for unit, client in zip(plan["units"], units, strict=True):
            room.free[unit["agency"]].append((unit["number"], client))
        moving = asyncio.create_task(_move(units, room.random))
        await asyncio.sleep(plan["settle"])
        quiet_memory()
        lag, stories, dues = Lag(), [], int(plan["rate"] * plan["seconds"])
        begun = perf_counter()
        say("began", at=begun)
        for number in range(dues):
            if (wait := begun + number / plan["rate"] - perf_counter()) > 0:
                await asyncio.sleep(wait)
            desk = desks[number % len(desks)]
            agency = plan["people"][number % len(desks)]["agency"]
            other = next(
                client
                for at, client in enumerate(desks)
                if client is not desk and plan["people"][at]["agency"] == agency
            )
            stories.append(asyncio.create_task(_story(room, desk, other, agency)))
            if number % 10 == 0:
                say("progress", text="incidents", done=number, total=dues)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WAITS_SECONDS):
                await asyncio.gather(*stories, return_exceptions=True)
        lag.stop()
        moving.cancel()
    return _result(room, dues, lag)


def _result(room: Room, incidents: int, lag: Lag) -> dict[str, Any]:
    actions = {}
    for what, samples in sorted(room.took.items()):
        p50, p99 = percentiles(samples, 50, 99)
        actions[what] = {"done": len(samples), "p50_ms": p50, "p99_ms": p99}
    return {
        "incidents": incidents,
        "closed": room.closed,
        "refused": dict(room.refused),
        "actions": actions,
        "worst_p99_ms": max((each["p99_ms"] or 0.0 for each in actions.values()), default=None),
        "shown_p50_ms": percentiles(room.shown, 50)[0],
        "shown_p99_ms": percentiles(room.shown, 99)[0],
        "load_lag_p99_ms": percentiles(lag.samples, 99)[0],
    }


async def _unit(stack: AsyncExitStack, url: str, unit: Plan) -> Client:
    key = device_key.from_pem(unit["auth"]["key"])
    client = Client(url, Enrolled(unit["auth"]["device"], key), name=unit["address"])
    await stack.enter_async_context(client)
    await client.up()
    await client.follow("duty")
    return client


async def _desk(stack: AsyncExitStack, url: str, person: Plan, room: Room) -> Client:
    auth = wire.PasswordAuth(person["auth"]["name"], person["auth"]["password"])
    client: Client = Client(
        url, auth, name=person["address"], frames=lambda frame: room.news(client, frame)
    )
    await stack.enter_async_context(client)
    await client.up()
    await client.watch()
    await client.follow("board")
    return client


async def _move(units: list[Client], random: Random) -> None:
    """Every unit reports once a second, spread over it."""
    places = [[-88.5 + random.random(), 17.0 + random.random()] for _ in units]
    while True:
        begun = perf_counter()
        for number, client in enumerate(units):
            place = places[number]
            place[0] += random.uniform(-1e-4, 1e-4)
            lon, lat = round(place[0] * 1e7), round(place[1] * 1e7)
            await client.report(wire.Fix(0, client.now_ms(), lon, lat, 800))
            wait = begun + (number + 1) / len(units) - perf_counter()
            if wait > 0.005:
                await asyncio.sleep(wait)


async def _story(room: Room, desk: Client, other: Client, agency: int) -> None:
    """One incident, from the call to its end."""
    random = room.random
    call = (await room.do(desk, "call.take", line="911"))["id"]
    lon, lat = scene(random)
    for typed in (
        {"caller_name": "Rosa", "caller_number": "6001234"},
        {"place": {"text": "Queen Street", "lon": lon, "lat": lat}},
        {"notes": "A car has hit a cyclist and is gone towards the north."},
    ):
        await room.do(desk, "call.change", call=call, **typed)
        await asyncio.sleep(TYPING_SECONDS)
    begun = perf_counter()
    incident = (await room.do(desk, "call.open_incident", call=call, title="Hit and run"))[
        "incident"
    ]
    watching = asyncio.create_task(room.until_shown(other, incident, begun))
    crews = [room.free[agency].popleft() for _ in range(min(2, len(room.free[agency])))]
    numbers = [number for number, _ in crews]
    sent = await room.do(desk, "incident.assign", incident=incident, units=numbers)
    await room.do(desk, "incident.note", incident=incident, text="A white pick-up.")
    steps = [
        _crew(room, client, assignment)
        for (_, client), assignment in zip(crews, sent["assignments"], strict=True)
    ]
    await asyncio.gather(*steps)
    await room.do(desk, "incident.close", incident=incident, outcome="done")
    room.free[agency].extend(crews)
    await watching
    room.closed += 1


async def _crew(room: Room, client: Client, assignment: int) -> None:
    for said in ("acknowledged", "en_route", "on_scene", "clear"):
        await asyncio.sleep(room.random.uniform(0.5, 1.5) * STEP_SECONDS)
        await room.do(client, "unit.status", status=said, assignment=assignment)
