"""Each server of a comparison as the load sees it: where reports go in, where they come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulators.bench.field.crowd import Crowd
from simulators.bench.field.reports import Outlet, framed
from simulators.bench.lines.journal import Journal, Library
from simulators.bench.lines.reactor import Reactor
from simulators.bench.load import say
from simulators.bench.rivals.peer import Heard, Peer
from simulators.bench.rivals.speech import COT, MQTT, NATS, RELAY, Speech

TAKY_PUBLISHERS: Final = 10
"""taky sends every event to every other client: few publishers, or it would be measured by them."""
TAKY_ON_THE_WAY: Final = 100
"""What waits for a client it copies at every write: with more of that it only gets slower."""
SPEECHES: Final[dict[str, Speech]] = {"relay": RELAY, "nats": NATS, "mosquitto": MQTT, "taky": COT}


@dataclass(slots=True)
class Side:
    """One server."""

    name: str
    pid: int | None
    outlets: Sequence[Outlet]
    """Of each unit."""
    published: Callable[[NDArray[np.void]], list[bytes | memoryview]]
    journals: Sequence[Journal]
    ids: Sequence[int]
    """Of the units."""
    hidden: set[int] = field(default_factory=set)
    blind: list[bool] = field(default_factory=list)
    """By journal: whether it must not be told of hidden units."""
    most_on_the_way: int = 1_000_000
    """More positions on their way than this would slow it."""

    def fresh(self) -> Library:
        """Empty journals and an empty library, for the next round."""
        library = Library()
        for journal in self.journals:
            journal.library = library
            journal.clear()
        return library


def own(crowd: Crowd, pid: int | None) -> Side:
    """This network's server."""
    crowd.sign_in()
    reporting = [*crowd.units, *crowd.secret]
    return Side(
        "psn", pid, [unit.line for unit in reporting], framed,
        [console.journal for console in crowd.consoles if console.journal is not None],
        [unit.number for unit in reporting], crowd.hidden,
        [console.foreign for console in crowd.consoles],
    )  # fmt: skip


def rival(
    reactor: Reactor,
    running: dict[str, Any],
    ids: Sequence[int],
    subscribers: int,
    publishers: int,
) -> Side:
    """Another server with its publishers and subscribers, connected."""
    name: str = running["name"]
    address = ("127.0.0.1", int(running["port"]))
    count = min(len(ids), publishers)
    if name == "taky":
        count = min(count, TAKY_PUBLISHERS)

    def connected(text: str, count: int, greet: Callable[[Peer], None]) -> list[Peer]:
        peers = []
        for n in range(count):
            peer = Peer(reactor, address)
            greet(peer)
            peer.go()
            peers.append(peer)
            if n % 100 == 0:
                say("progress", text=f"{name}: {text}", done=n, total=count)
        return peers

    greet_publisher, greet_subscriber = _GREETINGS[name]
    reporting = connected("publishers", count, greet_publisher)
    listening = connected("subscribers", subscribers, greet_subscriber)
    if name == "nats":  # it sends everyone a first PING, which is passed over here
        reactor.run_until(lambda: False, SETTLE_SECONDS)
    library = Library()
    speech = SPEECHES[name]
    return Side(
        name, running["pid"], [reporting[n % count] for n in range(len(ids))], speech.published,
        [Heard(library, peer, speech) for peer in listening], ids,
        blind=[False] * subscribers,
        most_on_the_way=TAKY_ON_THE_WAY if name == "taky" else 1_000_000,
    )  # fmt: skip


SETTLE_SECONDS: Final = 2.5
_NATS_HELLO: Final = b'CONNECT {"verbose":false,"pedantic":false,"lang":"bench"}\r\n'
_MQTT_HELLO: Final = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"
"""CONNECT with a clean session and no keep-alive (MQTT 3.1.1, §3.1)."""


def _nats_publisher(peer: Peer) -> None:
    peer.until(b"\r\n")
    peer.say(_NATS_HELLO + b"PING\r\n")
    peer.until(b"PONG\r\n")


def _nats_subscriber(peer: Peer) -> None:
    _nats_publisher(peer)
    peer.say(b"SUB p 1\r\nPING\r\n")
    peer.until(b"PONG\r\n")


def _mqtt_publisher(peer: Peer) -> None:
    peer.say(_MQTT_HELLO)
    peer.until(b"\x20\x02\x00\x00")


def _mqtt_subscriber(peer: Peer) -> None:
    _mqtt_publisher(peer)
    peer.say(b"\x82\x06\x00\x01\x00\x01p\x00")
    peer.until(b"\x90\x03\x00\x01\x00")


_GREETINGS: Final[dict[str, tuple[Callable[[Peer], None], Callable[[Peer], None]]]] = {
    "relay": (lambda peer: peer.upgrade("/publish"), lambda peer: peer.upgrade("/subscribe")),
    "nats": (_nats_publisher, _nats_subscriber),
    "mosquitto": (_mqtt_publisher, _mqtt_subscriber),
    "taky": (lambda peer: None, lambda peer: None),
}
