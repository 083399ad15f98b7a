"""The ceiling: a relay on aiohttp that passes bytes on. No database, no rights, no checks.

What one loop iteration brings is gathered for each subscriber and written once. Run it as
``python -m simulators.bench.rivals.relay PORT``.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final, cast

import uvloop
from aiohttp import WSMsgType, web

from simulators.bench.lines.frames import BINARY


class Subscriber:
    """One socket, and what is to be written to it."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self.transport = transport
        self.pending: list[bytes] = []


class Relay:
    """Everybody who listens."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._scheduled = False

    def pass_on(self, payload: bytes) -> None:
        """Give one frame to every subscriber at the end of the loop iteration."""
        size = len(payload)
        head = bytes((BINARY, size)) if size < 126 else bytes((BINARY, 126)) + size.to_bytes(2)
        framed = head + payload
        for subscriber in self._subscribers:
            subscriber.pending.append(framed)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._scheduled = False
        for subscriber in self._subscribers:
            pending, subscriber.pending = subscriber.pending, []
            subscriber.transport.write(b"".join(pending))

    async def subscribe(self, request: web.Request) -> web.WebSocketResponse:
        """A socket that listens until it is closed."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        subscriber = Subscriber(cast(asyncio.WriteTransport, request.transport))
        self._subscribers.add(subscriber)
        try:
            async for _ in socket:
                pass
        finally:
            self._subscribers.discard(subscriber)
        return socket

    async def publish(self, request: web.Request) -> web.WebSocketResponse:
        """A socket that reports."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                self.pass_on(message.data)
        return socket


BACKLOG: Final = 4_096


async def serve(port: int) -> None:
    """Listen until the process is ended."""
    relay = Relay()
    application = web.Application()
    application.router.add_get("/publish", relay.publish)
    application.router.add_get("/subscribe", relay.subscribe)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=BACKLOG).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
