"""The public rushes to the page of warnings: ``python -m simulators.bench.rush``.

The plan is a line of JSON on standard input: ``host``, ``port``, ``path``, ``rate`` (requests a
second), ``readers`` (connections that stay open), and ``rounds``: pairs of moments of the clock
that all processes share, between which there is a rush. The result is a line on standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
from array import array
from collections import deque
from time import perf_counter
from typing import Any, Final, cast

import uvloop

from psn.standing_back import stand_back
from simulators.bench.load import Plan, percentiles

TICK_SECONDS: Final = 0.005
DRAIN_SECONDS: Final = 20.0
_END: Final = b"\r\n\r\n"


class Reader(asyncio.Protocol):
    """One connection, with one request at a time on it."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._transport: asyncio.Transport
        self._due = 0.0
        self._head = b""
        self._leaving = False
        self._left: int | None = None
        """Bytes of the page that are still to come; none: its head is."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It may ask from now on."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no class of asyncio
        self._crowd.free.append(self)

    def ask(self, due: float) -> None:
        """Ask for the page; ``due``: when that should have been."""
        self._due, self._head, self._left = due, b"", None
        self._transport.write(self._crowd.request)

    def data_received(self, data: bytes) -> None:
        """A part of the answer."""
        if self._left is None:
            self._head += data
            head, end, body = self._head.partition(_END)
            if not end:
                return
            self._left = _length(head) - len(body)
            self._crowd.good += head.startswith(b"HTTP/1.1 200 ")
        else:
            self._left -= len(data)
        if self._left <= 0:
            self._crowd.took.append(perf_counter() - self._due)
            self._crowd.free.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        """It is over; that the server ends it happens to nobody who reads."""
        self._crowd.lost += not self._leaving

    def leave(self) -> None:
        """End it."""
        self._leaving = True
        self._transport.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


class Crowd:
    """All readers, and what they got."""

    def __init__(self, plan: Plan) -> None:
        self.request = (
            f"GET {plan['path']} HTTP/1.1\r\nHost: {plan['host']}:{plan['port']}\r\n\r\n"
        ).encode()
        self.free: deque[Reader] = deque()
        self.took: array[float] = array("d")
        """Seconds from when each was due until its last byte was here."""
        self.good = self.lost = 0
        self._plan = plan

    async def play(self) -> dict[str, Any]:
        """Ask by the clock in every round; what came of it."""
        plan = self._plan
        asked = 0
        for begin, end in plan["rounds"]:
            # They come with the rush: who asks nothing between two is let go.
            await asyncio.sleep(max(0.0, begin - perf_counter()))
            readers = await self._come()
            asked += await self._rush(begin, end)
            quiet = perf_counter() + DRAIN_SECONDS
            while len(self.took) < asked and perf_counter() < quiet:
                await asyncio.sleep(0.01)
            for reader in readers:
                reader.leave()
            self.free.clear()
        seconds = sum(end - begin for begin, end in plan["rounds"])
        p50, p99 = percentiles(self.took, 50, 99)
        return {
            "requests": asked, "answered": self.good, "requests_lost": self.lost,
            "requests_per_s": round(self.good / seconds, 1), "page_p50_ms": p50, "page_p99_ms": p99,
        }  # fmt: skip

    async def _come(self) -> list[Reader]:
        loop, plan = asyncio.get_running_loop(), self._plan
        return [
            (await loop.create_connection(lambda: Reader(self), plan["host"], plan["port"]))[1]
            for _ in range(plan["readers"])
        ]

    async def _rush(self, begin: float, end: float) -> int:
        """One round. Who is due while all wait for the server asks as soon as one is free."""
        rate: float = self._plan["rate"]
        asked = 0
        while (now := perf_counter()) < end:
            while self.free and begin + asked / rate <= now:
                self.free.popleft().ask(begin + asked / rate)
                asked += 1
            await asyncio.sleep(TICK_SECONDS)
        return asked


def main() -> None:
    """Play the plan that is given."""
    # Readers are elsewhere: what they take of this machine is not to be missed by what is measured.
    stand_back()
    plan = json.loads(sys.stdin.readline())
    sys.stdout.write(json.dumps(uvloop.run(Crowd(plan).play())) + "\n")


if __name__ == "__main__":
    main()
