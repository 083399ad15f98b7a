"""``psn bench warning``: how soon everybody is shown a warning, and whether each SMS goes out once.

Sessions follow warnings; an officer writes one and an approver approves it. ``p99_ms`` is from
asking for that approval until the item has come to each session, ``feed_ms`` until the public feed
and page have it. Then SMS are handed to a centre of our own while the server is killed twice. What
telephones would have got stands in the centre's log; what nobody can know stands in the database.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from simulators.bench.load import Plan, each, percentiles, say, settled
from simulators.bench.people import Cast
from simulators.bench.socket import Frame, Socket
from simulators.bench.stage import Event, Load, Stage

KEYS: Final = (
    "sessions", "shown", "p50_ms", "p99_ms", "feed_ms",
    "sms_sent", "sms_missed", "sms_twice", "sms_uncertain",
)  # fmt: skip
PATIENCE: Final = 20.0
KILLS: Final = 2
_TEXTS: Final = (("en-BZ", "Test warning", "Test"), ("es-BZ", "Aviso de prueba", "De ensayo"),
                 ("bzj", "Tes waanin", "Onli"))  # fmt: skip
_CITY: Final = {
    "name": "Belize City",
    "parts": [{"part": "circle", "at": (-882_000_000, 175_000_000), "radius": 20_000}],
}


def plan_of(url: str, cast: Cast, settle: float) -> Plan:
    """What the load is told."""
    officer, approver = cast.people
    return {
        "url": url, "units": [asdict(unit) for unit in cast.units],
        "officer": asdict(officer), "approver": asdict(approver), "settle": settle,
    }  # fmt: skip


async def appoint(dsn: str, cast: Cast, sms: int) -> None:
    """Make one of the people an officer and the other an approver, and name telephones."""
    officer, approver = cast.people
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn)
    try:
        for person, role in ((officer, "warning_officer"), (approver, "warning_approver")):
            await connection.execute(
                "update person set roles = array[$2], agency_id = $3 where id = $1",
                person.number, role, officer.agency,
            )  # fmt: skip
        # Nobody else warns the public (PSN_WARNER).
        await connection.execute("update agency set code = 'NEMO' where id = $1", officer.agency)
        await connection.execute(
            "insert into warning_recipient (agency_id, channel, address, added_by)"
            " select $1, 'sms', '+5016' || (200000 + n), 'psn bench'"
            " from generate_series(1, $2) as n",
            officer.agency, sms,
        )  # fmt: skip
    finally:
        await connection.close()


# -- the load


class Follower(Socket):
    """A session; when the warning came to it."""

    def __init__(self) -> None:
        super().__init__(self._came)
        self.shown: float | None = None
        self.done: dict[str, asyncio.Future[Frame]] = {}

    def _came(self, frame: Frame, at: float) -> None:
        """Note the first warning that comes, and what an action answers."""
        if frame["t"] == "news" and frame["topic"] == "warnings" and frame.get("set"):
            self.shown = self.shown or at
        waiting = self.done.pop(str(frame.get("id")), None)
        if waiting is not None:
            waiting.set_result(frame)

    async def do(self, what: str, **body: Any) -> Any:
        """Do something that must succeed; its result."""
        uid = str(uuid.uuid4())
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self.done[uid] = answer
        self.send({"t": "do", "id": uid, "what": what, "with": body})
        async with asyncio.timeout(PATIENCE):
            frame = await answer
        if frame["t"] == "error":
            raise RuntimeError(f"{what} was refused: {frame['code']}: {frame['text']}")
        return frame.get("result")


async def load(plan: Plan, orders: asyncio.StreamReader) -> dict[str, Any]:
    """The load process's part."""
    followers = [Follower() for _ in plan["units"]]

    async def follow(n: int) -> None:
        await followers[n].open(plan["url"])
        await followers[n].sign_in(plan["units"][n]["auth"])
        await followers[n].ask({"t": "follow", "topic": "warnings"})

    await each(range(len(followers)), follow, "sessions", len(followers))
    officer, approver = Follower(), Follower()
    for socket, who in ((officer, "officer"), (approver, "approver")):
        await socket.open(plan["url"])
        await socket.sign_in(plan[who]["auth"])
    await asyncio.sleep(plan["settle"])
    made = await officer.do("warning.begin", content=_content())
    looked = await officer.do("warning.check", message=made["message"])
    if looked["stage"] != "checked":
        raise RuntimeError(f"the warning is not right: {looked['findings']}")
    watching = asyncio.create_task(_public(plan["url"], made["message"]))
    await asyncio.sleep(0.5)
    begin = perf_counter()
    await approver.do(
        "warning.approve", message=made["message"], seen=made["digest"], phrase=looked["phrase"]
    )
    await settled(lambda: sum(each.shown is not None for each in followers), len(followers), 5.0)
    public = await watching
    samples = array("d", (each.shown - begin for each in followers if each.shown is not None))
    p50, p99, worst = percentiles(samples, 50, 99, 100)
    say("shown")
    await orders.readline()
    return {
        "sessions": len(followers), "shown": len(samples), "p50_ms": p50, "p99_ms": p99,
        "worst_ms": worst, "feed_ms": round((public - begin) * 1_000, 1),
    }  # fmt: skip


def _content() -> dict[str, Any]:
    texts = [
        {
            "language": language, "event": event, "headline": f"{event} for Belize City",
            "description": f"{word} of the network.", "instruction": f"{word}: do nothing.",
            "short": f"{event}. {word}: do nothing.",
        }
        for language, event, word in _TEXTS
    ]  # fmt: skip
    return {
        "status": "Test", "event": "exercise", "categories": ("Safety",), "urgency": "Future",
        "severity": "Minor", "certainty": "Unlikely", "texts": texts, "area": _CITY,
        "expires": round((time.time() + 3_600) * 1_000), "channels": None,
    }  # fmt: skip


async def _public(url: str, message: int) -> float:
    """When the feed and the page both have the message."""
    parts = urlsplit(url)
    left = {"/alerts.atom", "/alerts/"}
    wanted = f"{message}.xml".encode()
    async with asyncio.timeout(PATIENCE):
        while left:
            for path in sorted(left):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
                if wanted in await reader.read():
                    left.discard(path)
                writer.close()
            await asyncio.sleep(0.02)
    return perf_counter()


# -- while it plays


def killing(log: Path, sms: int) -> Callable[..., Any]:
    """What is done when it was shown: kill the server twice, and count what telephones got."""

    async def kill(place: Stage, load: Load, shown: Callable[[Event], None]) -> dict[str, Any]:
        await load.until("shown", shown)
        for done in range(KILLS):
            await _until_taken(log, sms * (done + 1) // (KILLS + 1))
            await place.kill_server()
            await place.start_server()
        states = await _finished(place.dsn, sms)
        await asyncio.sleep(1.0)
        load.tell({"order": "stop"})
        taken = Counter(each["to"] for each in _taken(log))
        uncertain = {each for each, state in states.items() if state == "uncertain"}
        return {
            "kills": KILLS,
            "sms_sent": len(taken),
            "sms_missed": len(states.keys() - taken.keys() - uncertain),
            "sms_twice": sum(count > 1 for count in taken.values()),
            "sms_uncertain": len(uncertain),
            "sms_uncertain_taken": len(uncertain & taken.keys()),
        }  # fmt: skip

    return kill


def _taken(log: Path) -> list[dict[str, Any]]:
    """What the centre took; a line that is being written does not count yet."""
    lines = log.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


async def _until_taken(log: Path, count: int) -> None:
    """Wait until the centre has taken so many."""
    async with asyncio.timeout(120):
        while len(_taken(log)) < count:
            await asyncio.sleep(0.05)


async def _finished(dsn: str, sms: int) -> dict[str, str]:
    """What has become of each telephone, by number without plus, once nothing is under way."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(180):
            while True:
                rows = await connection.fetch(
                    "select substr(address, 2) as number, state from warning_delivery"
                    " where channel = 'sms'"
                )
                found = {row["number"]: row["state"] for row in rows}
                if len(found) >= sms and not {"waiting", "handing"} & set(found.values()):
                    return found
                await asyncio.sleep(0.2)
    finally:
        await connection.close()
