"""The only input and output of USRP: a UDP socket and the clock around a line."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Any

from radio_bridge.datagrams import Datagrams
from radio_bridge.usrp.line import Event, Line


class LineDoor(Datagrams):
    """A line: what comes from the other side's address is heard, from whichever port.

    There is no signing in. Whoever can write packets with that address can speak, so lines stay
    on one machine or inside a VPN.
    """

    def __init__(self, side: Line, target: tuple[str, int], tell: Callable[[Event], None]) -> None:
        super().__init__()
        self._side = side
        self._target = target
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls,
        side: Line,
        host: str,
        port: int,
        target: tuple[str, int],
        tell: Callable[[Event], None],
    ) -> LineDoor:
        """Listen there and send to the target; raises ``OSError``."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(*target, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        address, target_port = found[0][4][:2]
        _, door = await loop.create_datagram_endpoint(
            lambda: cls(side, (str(address), int(target_port)), tell), local_addr=(host, port)
        )
        return door

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take a datagram."""
        if addr[0] != self._target[0]:
            self._side.dropped["usrp.stranger"] += 1
            return
        self._do(self._side.receive(data, self._loop.time()))

    def speak(self, samples: bytes) -> None:
        """20 ms of ours."""
        self.sendto(self._side.speak(samples), self._target)

    def end(self) -> None:
        """Our talk is over."""
        last = self._side.end()
        if last is not None:
            self.sendto(last, self._target)

    def close(self) -> None:
        """End what we say, and close."""
        self.end()
        if self._timer is not None:
            self._timer.cancel()
        if self.transport is not None:
            self.transport.close()

    def _do(self, happened: Iterable[Event]) -> None:
        for one in happened:
            self._tell(one)
        # What is due only moves away while packets come, so one timer at a time is enough.
        if self._timer is None and self._side.due is not None:
            self._timer = self._loop.call_at(self._side.due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._do(self._side.pass_time(self._loop.time()))
