"""``psn bench crash``: what was acknowledged is there, and was shown once, whatever was killed.

The clients are the real ones (``psn.client``) with their queues. The process with the load lives
on while the server or PostgreSQL is killed and started again; afterwards it compares what the
clients were told with the mailboxes on disk and with what each client showed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from random import Random
from time import perf_counter
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg

from psn import wire
from psn.client import Client
from simulators.bench.load import Plan, say, settled
from simulators.bench.people import Cast
from simulators.bench.stage import Event, Load, Stage

KEYS: Final = ("kills", "acked", "lost", "shown_twice")
PER_PERSON: Final = 25.0
PATIENCE: Final = 30.0
Victim = Literal["server", "postgres"]


def people_for(rate: float) -> int:
    """How many take part; an even number."""
    return max(2, 2 * round(rate / PER_PERSON / 2))


def plan_of(url: str, dsn: str, cast: Cast, rate: float, seed: int) -> Plan:
    """What the load is told."""
    return {
        "url": url, "dsn": dsn, "rate": rate, "seed": seed,
        "people": [asdict(person) for person in cast.people],
    }  # fmt: skip


def schedule(kills: int, postgres_kills: int, seed: int) -> list[Victim]:
    """Who is killed when, in a random order that the seed repeats."""
    victims: list[Victim] = ["server" for _ in range(kills)]
    victims += ["postgres" for _ in range(postgres_kills)]
    Random(seed).shuffle(victims)
    return victims


async def kill(
    place: Stage,
    load: Load,
    victims: Sequence[Victim],
    every: float,
    shown: Callable[[Event], None],
) -> dict[str, Any]:
    """Kill one after another under load, and start each again at once."""
    await load.until("running", shown)
    random = Random(len(victims))
    for done, victim in enumerate(victims):
        shown({"event": "progress", "text": "kills", "done": done, "total": len(victims)})
        await asyncio.sleep(every * random.uniform(0.7, 1.3))
        if victim == "server":
            await place.kill_server()
            await place.start_server()
        else:
            assert place.cluster is not None
            await asyncio.to_thread(place.cluster.kill9)
            await asyncio.to_thread(place.cluster.start)
    await asyncio.sleep(every)
    load.tell({"order": "stop"})
    return {
        "kills": victims.count("server"),
        "postgres_kills": victims.count("postgres"),
    }


class Run:
    """What the clients were told and showed."""

    def __init__(self) -> None:
        self.recipient: dict[UUID, str] = {}
        self.acked: set[UUID] = set()
        self.shown: Counter[tuple[str, UUID]] = Counter()
        self.refused: Counter[str] = Counter()

    def frame(self, frame: wire.ServerFrame) -> None:
        """Note acknowledgements and refusals."""
        if isinstance(frame, wire.Ack):
            self.acked.add(frame.id)
        elif isinstance(frame, wire.Error):
            self.refused[frame.code] += 1

    def mail_of(self, me: str) -> Callable[[wire.Mail], None]:
        """What the client of ``me`` does with mail: show it."""

        def mail(entry: wire.Mail) -> None:
            if isinstance(entry.body, wire.MessageBody) and entry.body.sender != me:
                self.shown[me, entry.body.id] += 1

        return mail

    @property
    def seen(self) -> int:
        """How many acknowledged messages their recipients have shown."""
        return sum((self.recipient[uid], uid) in self.shown for uid in self.acked)


async def load(plan: Plan, orders: asyncio.StreamReader) -> dict[str, Any]:
    """The load process's part."""
    run, people = Run(), plan["people"]
    random = Random(plan["seed"])
    begin = perf_counter()
    async with AsyncExitStack() as stack:
        clients = []
        for person in people:
            auth = wire.PasswordAuth(person["auth"]["name"], person["auth"]["password"])
            me = person["address"]
            client = Client(
                plan["url"], auth, name=me, frames=run.frame, mail=run.mail_of(me),
                jitter=Random(random.random()),
            )  # fmt: skip
            clients.append(await stack.enter_async_context(client))
        await asyncio.gather(*(client.up() for client in clients))
        say("running")
        stop = asyncio.create_task(orders.readline())
        sending = asyncio.create_task(_send(run, clients, people, plan["rate"], random))
        await stop
        sending.cancel()
        sent = len(run.recipient)
        await settled(lambda: len(run.acked), sent, PATIENCE)
        await settled(lambda: run.seen, len(run.acked), PATIENCE)
        # A second showing may be on its way.
        await asyncio.sleep(1.0)
    missing = await _missing_on_disk(plan["dsn"], run)
    unseen = {uid for uid in run.acked if (run.recipient[uid], uid) not in run.shown}
    return {
        "kills": 0, "acked": len(run.acked), "lost": len(missing | unseen),
        "shown_twice": sum(times - 1 for times in run.shown.values()),
        "sent": sent, "rate": plan["rate"], "people": len(people),
        "lost_on_disk": len(missing), "not_shown": len(unseen),
        "unknown_shown": sum(uid not in run.recipient for _, uid in run.shown),
        "refusals": dict(run.refused),
        "seconds": round(perf_counter() - begin, 1),
    }  # fmt: skip


async def _send(
    run: Run, clients: list[Client], people: list[Any], rate: float, random: Random
) -> None:
    """Write at a steady rate, whatever happens; the clients keep what cannot be sent."""
    begin, number = perf_counter(), 0
    while True:
        due = begin + number / rate
        if (wait := due - perf_counter()) > 0:
            await asyncio.sleep(wait)
        n = number % len(people)
        uid = UUID(int=random.getrandbits(128), version=4)
        # Neighbours are of different agencies.
        to = people[n ^ 1]["address"]
        run.recipient[uid] = to
        clients[n].send([to], f"Message {number}", message=uid)
        number += 1
        if number % 500 == 0:
            say("progress", text="messages", done=len(run.acked), total=number)


async def _missing_on_disk(dsn: str, run: Run) -> set[UUID]:
    """Acknowledged messages that do not stand in their recipient's mailbox exactly once."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "select l.uid, e.address from log l join mailbox_entry e on e.log_id = l.id"
            " where l.uid = any($1::uuid[])",
            list(run.acked),
        )
    finally:
        await connection.close()
    found = Counter((row[1], UUID(int=row[0].int)) for row in rows)
    return {uid for uid in run.acked if found[run.recipient[uid], uid] != 1}
