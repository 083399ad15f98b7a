"""``psn bench reconnect``: the server is killed under thousands of clients; when are all back?

The clients are the real ones (``psn.client``), with their jitter. Messages go to some of them
before, during and after; none may be missing at the end. The time counts from the kill, so it
includes starting the server again.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from random import Random
from time import monotonic, perf_counter
from typing import Any, Final
from uuid import UUID

from psn import wire
from psn.client import Client, Link
from psn.enrolment import device_key
from psn.enrolment.device_key import Enrolled
from simulators.bench import stage
from simulators.bench.load import Lag, Plan, percentiles, say, settled
from simulators.bench.people import Cast
from simulators.bench.stage import Event, Load, Stage

KEYS: Final = ("clients", "seconds_all_back", "missed")
SENDERS: Final = 20
BACK_WITHIN: Final = 120.0
PATIENCE: Final = 30.0
CONNECTING_AT_ONCE: Final = 100


def plan_of(url: str, dsn: str, cast: Cast, rate: float, seed: int) -> Plan:
    """What the load is told."""
    return {
        "url": url, "dsn": dsn, "rate": rate, "seed": seed,
        "units": [asdict(unit) for unit in cast.units],
        "people": [asdict(person) for person in cast.people],
    }  # fmt: skip


async def cut(place: Stage, load: Load, shown: Callable[[Event], None]) -> dict[str, Any]:
    """Kill the server and start it again, when all clients are there."""
    await load.until("running", shown)
    await asyncio.sleep(2.0)
    at = stage.monotonic()
    await place.kill_server()
    load.tell({"order": "cut", "at": at})
    await place.start_server()
    return {"server_away_s": round(stage.monotonic() - at, 2)}


class Crowd:
    """All clients, and who of them is where."""

    def __init__(self) -> None:
        self.up: set[str] = set()
        self.were_lost: set[str] = set()
        self.shown: Counter[tuple[str, UUID]] = Counter()
        self.sent: dict[UUID, str] = {}
        self.all_up = asyncio.Event()
        self.wanted = 0

    def client(self, url: str, auth: wire.PasswordAuth | Enrolled, me: str) -> Client:
        """A client that tells the crowd how it stands and what it gets."""

        def link(link: Link) -> None:
            if link is Link.UP:
                self.up.add(me)
            elif me in self.up:
                self.up.discard(me)
                self.were_lost.add(me)
            if len(self.up) == self.wanted:
                self.all_up.set()
            else:
                self.all_up.clear()

        def mail(entry: wire.Mail) -> None:
            if isinstance(entry.body, wire.MessageBody) and entry.body.sender != me:
                self.shown[me, entry.body.id] += 1

        return Client(url, auth, name=me, mail=mail, links=link)

    @property
    def missed(self) -> int:
        """Messages that their recipient has not shown."""
        return sum((to, uid) not in self.shown for uid, to in self.sent.items())


async def load(plan: Plan, orders: asyncio.StreamReader) -> dict[str, Any]:
    """The load process's part."""
    crowd, url = Crowd(), plan["url"]
    async with AsyncExitStack() as stack:
        units = [
            crowd.client(
                url,
                Enrolled(u["auth"]["device"], device_key.from_pem(u["auth"]["key"])),
                u["address"],
            )
            for u in plan["units"]
        ]
        senders = [
            crowd.client(
                url, wire.PasswordAuth(p["auth"]["name"], p["auth"]["password"]), p["address"]
            )
            for p in plan["people"]
        ]
        everyone = [*units, *senders]
        crowd.wanted = len(everyone)
        for start in range(0, len(everyone), CONNECTING_AT_ONCE):
            part = everyone[start : start + CONNECTING_AT_ONCE]
            for client in part:
                await stack.enter_async_context(client)
            await asyncio.gather(*(client.up() for client in part))
            say("progress", text="clients sign in", done=start + len(part), total=len(everyone))
        addresses = [unit["address"] for unit in plan["units"]]
        sending = asyncio.create_task(
            _send(crowd, senders, addresses, plan["rate"], Random(plan["seed"]))
        )
        say("running")
        order = json.loads(await orders.readline())
        lag = Lag()
        back = await _all_back(crowd, order["at"])
        lag.stop()
        sending.cancel()
        await settled(lambda: len(crowd.shown), len(crowd.sent), PATIENCE)
    return {
        "clients": len(units), "seconds_all_back": back, "missed": crowd.missed,
        "were_cut": len(crowd.were_lost), "messages": len(crowd.sent),
        "shown_twice": sum(times - 1 for times in crowd.shown.values()),
        "load_lag_p99_ms": percentiles(lag.samples, 99)[0],
    }  # fmt: skip


async def _all_back(crowd: Crowd, cut_at: float) -> float | None:
    """Seconds from the cut until everyone was up again; none when that took too long."""
    until = cut_at + BACK_WITHIN
    while len(crowd.were_lost) < crowd.wanted and monotonic() < until:
        say("progress", text="noticed the cut", done=len(crowd.were_lost), total=crowd.wanted)
        await asyncio.sleep(0.05)
    while monotonic() < until:
        try:
            async with asyncio.timeout(0.25):
                await crowd.all_up.wait()
            return round(monotonic() - cut_at, 2)
        except TimeoutError:
            say("progress", text="back", done=len(crowd.up), total=crowd.wanted)
    return None


async def _send(
    crowd: Crowd, senders: list[Client], to: list[str], rate: float, random: Random
) -> None:
    begin, number = perf_counter(), 0
    while True:
        if (wait := begin + number / rate - perf_counter()) > 0:
            await asyncio.sleep(wait)
        recipient = random.choice(to)
        message = senders[number % len(senders)].send([recipient], f"Message {number}")
        crowd.sent[message] = recipient
        number += 1
