"""Messages beside the positions: orders to units, status of units, emergencies to everybody.

The wire has no frames of its own for a unit's status or its emergency button yet; until it has,
they are messages of a unit to agencies, with the priorities ``routine`` and ``emergency``.
Everybody does what a client does and says what has arrived (``seen``), so receipts are part of
the load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

import msgpack

from simulators.bench.lines.frames import BINARY, masked
from simulators.bench.lines.line import Frame, Line
from simulators.bench.measure.histogram import Latencies

SEEN_EVERY: Final = 0.05
"""Seconds between two words of a client on what it has seen; as docs/wire.md asks."""
MOST_ADDRESSES: Final = 50
"""Recipients that a message may name; docs/wire.md."""
KINDS: Final = ("order", "status", "emergency")
TEXTS: Final = {
    "order": "Proceed to the junction of Western Highway and Hummingbird Highway, await unit.",
    "status": "On scene.",
    "emergency": "Officer needs assistance, all units.",
}
PRIORITIES: Final = {"order": "immediate", "status": "routine", "emergency": "emergency"}


@dataclass(slots=True)
class Kind:
    """What became of one kind of message."""

    sent: int = 0
    acked: int = 0
    wanted: int = 0
    """Deliveries that there should be."""
    delivered: int = 0
    twice: int = 0
    ack: Latencies = field(default_factory=Latencies)
    delivery: Latencies = field(default_factory=Latencies)


@dataclass(slots=True)
class Letter:
    """One message: when it is due, and who should get it."""

    due: float
    kind: str
    sender: Line
    frame: bytes
    readers: int
    acked: bool = False
    shown: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Party:
    """A line with its place in the house."""

    line: Line
    address: str
    agency: int


class Post:
    """All messages of a run, by a timetable of their own."""

    def __init__(
        self,
        units: Sequence[Party],
        consoles: Sequence[Party],
        rates: dict[str, float],
        seconds: float,
        random: Random,
    ) -> None:
        """``rates`` are messages a second of each kind."""
        self.kinds = {kind: Kind() for kind in KINDS if rates.get(kind)}
        self.misplaced = 0
        self.late = Latencies()
        self._people = {id(party.line): party for party in (*units, *consoles)}
        self._letters: dict[str, Letter] = {}
        self._seen: dict[int, dict[str, int]] = {}
        self._unsaid: dict[int, Line] = {}
        self._say_at = 0.0
        dues = [
            ((n + 0.5) / rates[kind], kind)
            for kind in self.kinds
            for n in range(round(rates[kind] * seconds))
        ]
        agencies = sorted({party.agency for party in consoles})
        self._plan = [
            (after, self._letter(after, kind, units, consoles, agencies, random))
            for after, kind in sorted(dues)
        ]
        self._next = 0
        self.begin = 0.0

    def _letter(
        self, after: float, kind: str, units: Sequence[Party], consoles: Sequence[Party],
        agencies: list[int], random: Random,
    ) -> Letter:  # fmt: skip
        uid = str(UUID(int=random.getrandbits(128), version=4))
        if kind == "order":
            sender, reader = random.choice(consoles), random.choice(units)
            to, readers = [reader.address], 1
        else:
            sender = random.choice(units)
            chosen = agencies if kind == "emergency" else [sender.agency]
            dispatchers = [party.address for party in consoles if party.agency in chosen]
            readers = len(dispatchers)
            if readers <= MOST_ADDRESSES:
                to = dispatchers
            else:  # its units get it, too
                to = [f"agency:{agency}" for agency in chosen]
        payload = {
            "t": "message", "id": uid, "to": to, "text": TEXTS[kind],
            "priority": PRIORITIES[kind],
        }  # fmt: skip
        frame = masked(BINARY, msgpack.packb(payload), b"\x5a\x17\xc3\x21")
        letter = Letter(after, kind, sender.line, frame, readers)
        self._letters[uid] = letter
        return letter

    @property
    def more(self) -> bool:
        """Whether messages are still to be sent."""
        return self._next < len(self._plan)

    def due(self) -> float:
        """The next moment at which there is something to do."""
        first = self._plan[self._next][0] + self.begin if self._next < len(self._plan) else 1e18
        return min(first, self._say_at) if self._unsaid else first

    def work(self, now: float) -> None:
        """Send what is due, and say what was seen."""
        while self._next < len(self._plan) and self._plan[self._next][0] + self.begin <= now:
            letter = self._plan[self._next][1]
            letter.due = self._plan[self._next][0] + self.begin
            self._next += 1
            kind = self.kinds[letter.kind]
            kind.sent += 1
            kind.wanted += letter.readers
            self.late.add([now - letter.due])
            letter.sender.transmit(letter.frame)
        if self._unsaid and now >= self._say_at:
            for key, line in self._unsaid.items():
                boxes = self._seen[key]
                for box, seq in boxes.items():
                    line.send({"t": "seen", "box": box, "seq": seq})
                boxes.clear()
            self._unsaid.clear()

    def received(self, line: Line, frame: Frame, at: float, console: bool) -> bool:
        """Note an acknowledgement or an entry of a mailbox; whether it was one."""
        if frame["t"] == "ack":
            letter = self._letters.get(frame["id"])
            if letter is not None and not letter.acked:
                letter.acked = True
                kind = self.kinds[letter.kind]
                kind.acked += 1
                kind.ack.add([at - letter.due])
            return True
        if frame["t"] != "mail":
            return False
        self._mail(line, frame, at, console)
        return True

    def _mail(self, line: Line, frame: Frame, at: float, console: bool) -> None:
        key, box = id(line), frame["box"]
        before = line.seen.get(box)
        if before is not None and frame["seq"] != before + 1:
            self.misplaced += 1
        line.seen[box] = frame["seq"]
        if not self._unsaid:
            self._say_at = at + SEEN_EVERY
        self._unsaid[key] = line
        self._seen.setdefault(key, {})[box] = frame["seq"]
        body: dict[str, Any] = frame["body"]
        if body["kind"] != "message" or body["sender"] == self._people[key].address:
            return
        letter = self._letters.get(body["id"])
        if letter is None or (letter.kind != "order" and not console):
            return
        kind = self.kinds[letter.kind]
        if key in letter.shown:
            kind.twice += 1
            return
        letter.shown.add(key)
        kind.delivered += 1
        kind.delivery.add([at - letter.due])

    @property
    def open_ends(self) -> int:
        """Acknowledgements and deliveries that are still to come."""
        return sum(k.sent - k.acked + k.wanted - k.delivered for k in self.kinds.values())

    def figures(self) -> dict[str, Any]:
        """What became of each kind, and of the order in mailboxes."""
        found: dict[str, Any] = {"messages_out_of_order": self.misplaced}
        for name, kind in self.kinds.items():
            (ack_p50, ack_p99) = kind.ack.ms(50, 99)
            (p50, p99, worst) = kind.delivery.ms(50, 99, 100)
            found[name] = {
                "sent": kind.sent, "acked": kind.acked, "wanted": kind.wanted,
                "delivered": kind.delivered, "twice": kind.twice, "p50_ack_ms": ack_p50,
                "p99_ack_ms": ack_p99, "p50_ms": p50, "p99_ms": p99, "max_ms": worst,
            }  # fmt: skip
        return found
