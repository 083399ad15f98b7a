"""``psn bench messages``: how soon a message is acknowledged after its commit, and delivered.

Pairs of people of two agencies write to each other. Every participant does what a client does: it
says what has reached it (``seen``, at most every 50 ms), so receipts are part of the load.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable
from dataclasses import asdict
from random import Random
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import asyncpg
import numpy as np

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
from simulators.bench.measure.histogram import Timeline
from simulators.bench.measure.usage import Pids, Usage
from simulators.bench.people import Cast
from simulators.bench.socket import Frame, Socket

KEYS: Final = ("sent", "acked", "delivered", "p50_ack_ms", "p99_ack_ms", "p99_delivery_ms")
PER_PERSON: Final = 10.0
"""Messages a second that one participant sends at most; more participants send more."""
SEEN_EVERY: Final = 0.05
PATIENCE: Final = 10.0
TEXT: Final = "Proceed to the junction of Western Highway and Hummingbird Highway, await unit."


def people_for(rate: float, wanted: int | None = None) -> int:
    """How many take part: an even number, so that everyone has a partner."""
    count = rate / PER_PERSON if wanted is None else wanted
    return max(2, 2 * round(count / 2))


def plan_of(
    url: str, dsn: str, pids: Pids, cast: Cast, rate: float, seconds: float, seed: int
) -> Plan:
    """What the load is told."""
    return {
        "url": url, "dsn": dsn, "pids": pids, "rate": rate, "seconds": seconds, "seed": seed,
        "people": [asdict(person) for person in cast.people],
    }  # fmt: skip


class Run:
    """The state of one run."""

    def __init__(self, plan: Plan) -> None:
        random = Random(plan["seed"])
        self.count = max(1, round(plan["rate"] * plan["seconds"]))
        self.ids = [str(UUID(int=random.getrandbits(128), version=4)) for _ in range(self.count)]
        self.number = {uid: n for n, uid in enumerate(self.ids)}
        self.dues: array[float] = array("d", bytes(8 * self.count))
        self.acked = bytearray(self.count)
        self.delivered = bytearray(self.count)
        self.twice = 0
        self.misplaced = 0
        self.ack_latency: array[float] = array("d")
        self.ack_number: array[int] = array("q")
        self.delivery_latency: array[float] = array("d")
        self.late: array[float] = array("d")
        self.refused: list[Frame] = []
        self.receipts = 0
        self.on_ack: Callable[[], None] = lambda: None
        """Called after each acknowledgement."""

    def shorten(self, count: int) -> None:
        """Only so many were sent."""
        self.count = count
        del self.ids[count:], self.dues[count:], self.acked[count:], self.delivered[count:]


class Party:
    """One participant: sends to its partner, and says what it has seen."""

    def __init__(self, run: Run, me: str, partner: str) -> None:
        self.socket = Socket(self._received)
        self.me = me
        self.partner = partner
        self._run = run
        self._seen: dict[str, int] = {}
        self._unsaid = False

    def send(self, number: int, due: float) -> None:
        """Write the message of that number."""
        run = self._run
        run.dues[number] = due
        self.socket.send(
            {"t": "message", "id": run.ids[number], "to": (self.partner,), "text": TEXT}
        )

    def _received(self, frame: Frame, at: float) -> None:
        run = self._run
        match frame["t"]:
            case "ack":
                number = run.number[frame["id"]]
                if not run.acked[number]:
                    run.acked[number] = 1
                    run.ack_latency.append(at - run.dues[number])
                    run.ack_number.append(number)
                    run.on_ack()
            case "mail":
                self._mail(frame, at)
            case "error":
                run.refused.append(frame)

    def _mail(self, frame: Frame, at: float) -> None:
        run, box, body = self._run, frame["box"], frame["body"]
        expected = self._seen.get(box, 0) + 1
        if frame["seq"] != expected:
            run.misplaced += 1
        self._seen[box] = frame["seq"]
        if not self._unsaid:
            self._unsaid = True
            asyncio.get_running_loop().call_later(SEEN_EVERY, self._say_seen)
        if body["kind"] == "receipt":
            run.receipts += len(body["of"])
        elif body["sender"] != self.me:
            number = run.number[body["id"]]
            if run.delivered[number]:
                run.twice += 1
            else:
                run.delivered[number] = 1
                run.delivery_latency.append(at - run.dues[number])

    def _say_seen(self) -> None:
        self._unsaid = False
        if not self.socket.lost:
            for box, seq in self._seen.items():
                self.socket.send({"t": "seen", "box": box, "seq": seq})


async def load(plan: Plan, _: asyncio.StreamReader) -> dict[str, Any]:
    """The load process's part."""
    run = Run(plan)
    people = plan["people"]
    # Neighbours are of different agencies.
    parties = [
        Party(run, person["address"], people[n ^ 1]["address"]) for n, person in enumerate(people)
    ]

    async def connect(n: int) -> None:
        await parties[n].socket.open(plan["url"])
        await parties[n].socket.sign_in(people[n]["auth"])

    await each(range(len(parties)), connect, "people sign in", len(parties))
    await asyncio.sleep(0.5)
    quiet_memory()
    used = Usage(*plan["pids"])
    lag = Lag()
    begin = perf_counter() + 0.1
    say("began", at=begin)
    if plan["alone"]:
        await _one_by_one(run, parties, begin, plan["seconds"])
    else:
        await _by_the_clock(run, parties, begin, plan["rate"])
    await settled(lambda: sum(run.acked) + sum(run.delivered), 2 * run.count, PATIENCE)
    lag.stop()
    took = perf_counter() - begin
    usage = used.figures()
    p50, p99, worst = percentiles(run.ack_latency, 50, 99, 100)
    return {
        "sent": run.count, "acked": sum(run.acked), "delivered": sum(run.delivered),
        "p50_ack_ms": p50, "p99_ack_ms": p99,
        "p99_delivery_ms": percentiles(run.delivery_latency, 99)[0],
        "rate": plan["rate"], "people": len(parties), "seconds": round(took, 2),
        "max_ack_ms": worst, "alone": plan["alone"],
        "on_disk": await _on_disk(plan["dsn"], run), "delivered_twice": run.twice,
        "out_of_order": run.misplaced, "receipts": run.receipts, "refused": len(run.refused),
        **usage,
        "sender_late_p99_ms": percentiles(run.late, 99)[0],
        "load_lag_p99_ms": percentiles(lag.samples, 99)[0],
        "series": _series(run, begin) if run.ack_latency else {},
    }  # fmt: skip


async def _by_the_clock(run: Run, parties: list[Party], begin: float, rate: float) -> None:
    """Send at a steady rate, whatever the server does."""

    def act(number: int, due: float) -> None:
        parties[number % len(parties)].send(number, due)
        if number % 500 == 0:
            say("progress", text="messages", done=number, total=run.count)

    await timetable(begin, (n / rate for n in range(run.count)), act, run.late)


async def _one_by_one(run: Run, parties: list[Party], begin: float, seconds: float) -> None:
    """Send the next when the one before was acknowledged, with a pause: each is alone."""
    acked = asyncio.Event()
    run.on_ack = acked.set
    number = 0
    while number < run.count and perf_counter() < begin + seconds:
        acked.clear()
        parties[number % len(parties)].send(number, perf_counter())
        number += 1
        async with asyncio.timeout(PATIENCE):
            await acked.wait()
        await asyncio.sleep(SEEN_EVERY * 2)
    run.shorten(number)


def _series(run: Run, begin: float) -> dict[str, list[float | None]]:
    """Percentiles of the acknowledgements by the second their message was due."""
    dues = np.frombuffer(run.dues, dtype=np.float64) - begin
    timeline = Timeline(int(np.ceil(dues.max())) or 1)
    timeline.add(np.frombuffer(run.ack_latency), dues[np.frombuffer(run.ack_number, dtype="i8")])
    return {"p50_ms": timeline.series(50), "p99_ms": timeline.series(99)}


async def _on_disk(dsn: str, run: Run) -> int:
    """Messages of this run that stand in the log and in a mailbox that is not the sender's."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetchval(
            "select count(distinct l.uid) from log l join mailbox_entry e on e.log_id = l.id"
            " where l.uid = any($1::uuid[]) and e.address <> l.author",
            run.ids,
        )
        return int(found)
    finally:
        await connection.close()
