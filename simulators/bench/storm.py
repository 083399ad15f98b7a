"""``psn bench storm``: thousands of TLS connections break at once; when is everybody back?

Clients do what docs/wire.md says: they come back with their token after a random time that grows
with each failure, say what they had seen, and write again what was not acknowledged. No TLS
session is resumed, as after a restart, where none can be. Messages go to them all the while, and
afterwards each must have shown exactly those that were for it.
"""

from __future__ import annotations

import heapq
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from random import Random
from time import monotonic, perf_counter
from typing import Any, Final
from uuid import UUID

from simulators.bench import stage
from simulators.bench.lines.line import Auth, Frame, Line, Target
from simulators.bench.lines.reactor import Reactor
from simulators.bench.load import Plan, say
from simulators.bench.measure.histogram import Latencies
from simulators.bench.people import Cast
from simulators.bench.stage import Event, Load, Stage

KEYS: Final = ("clients", "seconds_all_back", "missed", "shown_twice")
SENDERS: Final = 20
FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 15.0
"""Seconds before the first new try, at most, and before any; at least half of it (docs/wire.md)."""
BACK_WITHIN: Final = 120.0
PATIENCE: Final = 20.0
OPENING_AT_ONCE: Final = 64
TEXT: Final = "Return to the station when you can."


def plan_of(place: Stage, cast: Cast, rate: float, seed: int) -> Plan:
    """What the load is told."""
    return {
        "url": place.url, "authority": place.authority, "rate": rate, "seed": seed,
        "units": [asdict(unit) for unit in cast.units],
        "people": [asdict(person) for person in cast.people],
    }  # fmt: skip


def cut(kill: bool) -> Callable[[Stage, Load, Callable[[Event], None]], Any]:
    """Break all connections, when everybody is there: kill the server, or let the line break."""

    async def during(place: Stage, load: Load, shown: Callable[[Event], None]) -> dict[str, Any]:
        await load.until("running", shown)
        at = stage.monotonic()
        if not kill:
            load.tell({"order": "drop", "at": at})
            return {}
        await place.kill_server()
        load.tell({"order": "wait", "at": at})
        await place.start_server()
        return {"server_away_s": round(stage.monotonic() - at, 2)}

    return during


class Client:
    """One unit or person: comes back by itself, shows each message once."""

    def __init__(self, storm: Storm, enrolled: dict[str, Any]) -> None:
        self.address: str = enrolled["address"]
        self.shown: Counter[str] = Counter()
        self._storm = storm
        self._credentials: Auth = enrolled["auth"]
        self._tries = 0
        self._unacked: dict[str, Frame] = {}
        self.line = Line(
            storm.reactor, storm.target, self._credentials, self._ready, self._frame, self._lost
        )

    def _ready(self, line: Line) -> None:
        assert line.signed_in is not None
        line.auth = {"kind": "session", "token": line.signed_in["token"]}
        for box, seq in line.signed_in["boxes"].items():
            line.seen.setdefault(box, seq)

    def _frame(self, line: Line, frame: Frame, at: float) -> None:
        match frame["t"]:
            case "caught_up":
                self._tries = 0
                for message in self._unacked.values():
                    line.send(message)
                self._storm.arrived(self)
            case "ack":
                self._unacked.pop(frame["id"], None)
            case "mail":
                self._mail(line, frame)

    def _mail(self, line: Line, frame: Frame) -> None:
        box, seq, body = frame["box"], frame["seq"], frame["body"]
        if seq <= line.seen.get(box, 0):
            return
        if seq != line.seen.get(box, 0) + 1:
            self._storm.gaps += 1
        line.seen[box] = seq
        if body["kind"] == "message" and body["sender"] != self.address:
            self.shown[body["id"]] += 1
        line.send({"t": "seen", "box": box, "seq": seq})

    def _lost(self, line: Line, why: str) -> None:
        if "refused: " in why:
            line.auth = self._credentials
        self._storm.left(self)
        most = min(LONGEST_WAIT, FIRST_WAIT * 2**self._tries)
        self._tries += 1
        self._storm.later(self._storm.random.uniform(most / 2, most), line.open)

    def write(self, to: str, uid: str) -> None:
        """Send a message, and again after every interruption until it is acknowledged."""
        message = {"t": "message", "id": uid, "to": (to,), "text": TEXT}
        self._unacked[uid] = message
        if self in self._storm.up:
            self.line.send(message)


class Storm:
    """Everybody, and who is there."""

    def __init__(self, plan: Plan) -> None:
        self.reactor = Reactor()
        self.target = Target.of(plan["url"], plan["authority"])
        self.random = Random(plan["seed"])
        self.units = [Client(self, enrolled) for enrolled in plan["units"]]
        self.senders = [Client(self, enrolled) for enrolled in plan["people"]]
        self.everyone = [*self.units, *self.senders]
        self.up: set[Client] = set()
        self.were_lost: set[Client] = set()
        self.gaps = 0
        self.tries = 0
        self.back = Latencies()
        self.sent: dict[str, Client] = {}
        self.cut_at = 0.0
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._rate: float = plan["rate"]
        self._send_at = float("inf")

    # -- the clients' side

    def arrived(self, client: Client) -> None:
        """A client is up and caught up."""
        self.up.add(client)
        if client in self.were_lost:
            self.back.add([monotonic() - self.cut_at])

    def left(self, client: Client) -> None:
        """A client has lost its connection, or did not get one."""
        self.tries += 1
        if client in self.up:
            self.up.discard(client)
            self.were_lost.add(client)

    def later(self, wait: float, do: Callable[[], None]) -> None:
        """Do something after so many seconds."""
        heapq.heappush(self._later, (perf_counter() + wait, id(do) + self.tries, do))

    # -- the clock

    def turn(self, until: float) -> None:
        """Whatever is due, then one turn of the reactor."""
        now = perf_counter()
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        while self._send_at <= now:
            self._send_at += 1.0 / self._rate
            self._write()
        first = self._later[0][0] if self._later else float("inf")
        self.reactor.turn(min(until, first, self._send_at))

    def run_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Turn until it is done; whether that came in time."""
        deadline = perf_counter() + seconds
        tell_at = 0.0
        while not done():
            now = perf_counter()
            if now >= deadline:
                return False
            if now >= tell_at:
                tell_at = now + 0.25
                say("progress", text="up", done=len(self.up), total=len(self.everyone))
            self.turn(now + 0.05)
        return True

    def _write(self) -> None:
        reader, sender = self.random.choice(self.units), self.random.choice(self.senders)
        uid = str(UUID(int=self.random.getrandbits(128), version=4))
        self.sent[uid] = reader
        sender.write(reader.address, uid)

    def all_up(self) -> bool:
        """Whether nobody is missing."""
        return len(self.up) == len(self.everyone)

    def open_all(self) -> bool:
        """Everybody signs in, some at a time."""
        for start in range(0, len(self.everyone), OPENING_AT_ONCE):
            part = self.everyone[start : start + OPENING_AT_ONCE]
            for client in part:
                client.line.open()
            if not self.run_until(partial(self.up.issuperset, part), 30.0):
                return False
        return True

    def send_messages(self, on: bool) -> None:
        """Write messages from now on, or no more."""
        self._send_at = perf_counter() if on else float("inf")

    @property
    def missed(self) -> int:
        """Messages that have not been shown."""
        return sum(uid not in reader.shown for uid, reader in self.sent.items())


def load(plan: Plan) -> dict[str, Any]:
    """The load process's part."""
    storm = Storm(plan)
    if not storm.open_all():
        raise SystemExit("not everybody could sign in before the storm")
    storm.send_messages(True)
    storm.run_until(lambda: False, 2.0)
    say("running")
    order = json.loads(sys.stdin.readline())
    storm.cut_at = order["at"]
    if order["order"] == "drop":
        for client in storm.everyone:
            client.line.end("the line broke")
    storm.run_until(lambda: len(storm.were_lost) == len(storm.everyone), 10.0)
    back = None
    if storm.run_until(storm.all_up, BACK_WITHIN):
        back = round(monotonic() - storm.cut_at, 2)
    storm.send_messages(False)
    storm.run_until(lambda: storm.missed == 0, PATIENCE)
    p50, p99 = storm.back.ms(50, 99)
    return {
        "clients": len(storm.units), "seconds_all_back": back, "missed": storm.missed,
        "shown_twice": sum(n - 1 for c in storm.units for n in c.shown.values()),
        "were_cut": len(storm.were_lost), "messages": len(storm.sent), "gaps": storm.gaps,
        "tries": storm.tries, "p50_back_ms": p50, "p99_back_ms": p99,
        "tls": storm.target.tls is not None,
    }  # fmt: skip
