"""The only input and output of a node: a TCP line, a UDP socket to the same address, the clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from radio_bridge.datagrams import Datagrams
from radio_bridge.svxlink import events
from radio_bridge.svxlink.events import Event
from radio_bridge.svxlink.node import Node

_PIECE: Final = 65_536


class NodeLine(Datagrams):
    """Our line to a reflector: its name is looked up whenever it is called."""

    def __init__(self, side: Node, host: str, port: int, tell: Callable[[Event], None]) -> None:
        super().__init__()
        self._side = side
        self._address = host, port
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._call: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Keep the line, until cancelled; then leave."""
        self._do(self._side.open(self._loop.time()))
        try:
            await asyncio.Event().wait()
        finally:
            call = self._call
            self._do(self._side.close())
            if call is not None:
                with contextlib.suppress(asyncio.CancelledError):
                    await call

    def speak(self, opus: bytes) -> None:
        """A packet of ours."""
        self._do(self._side.speak(opus))

    def end(self) -> None:
        """Our talk is over."""
        self._do(self._side.end())

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take a datagram."""
        self._do(self._side.receive_datagram(data, self._loop.time()))

    async def _hold(self) -> None:
        """Open a line and read it, as long as it is there."""
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_connection(*self._address)
            host, port = writer.get_extra_info("peername")[:2]
            # A connected socket takes datagrams of the reflector's address alone.
            await self._loop.create_datagram_endpoint(lambda: self, remote_addr=(host, port))
            self._writer = writer
            self._do(self._side.line_opened(self._loop.time()))
            while data := await reader.read(_PIECE):
                self._do(self._side.receive(data, self._loop.time()))
        except OSError:
            self.errors += 1
        finally:
            if writer is not None:
                writer.close()
        self._do(self._side.line_lost(self._loop.time()))

    def _hang_up(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self.transport is not None:
            self.transport.close()
            self.transport = None

    def _do(self, out: Iterable[events.Out]) -> None:
        for one in out:
            match one:
                case events.Call():
                    self._call = self._loop.create_task(self._hold())
                case events.HangUp():
                    self._hang_up()
                case events.Say(data):
                    if self._writer is not None:
                        self._writer.write(data)
                case events.Send(data):
                    self.sendto(data)
                case _:
                    self._tell(one)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._side.due is not None:
            self._timer = self._loop.call_at(self._side.due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._do(self._side.pass_time(self._loop.time()))
