"""A poor link: what goes through it is late by chance, and speech is lost by chance.

It stands between browsers and a server, and is one address for pages and sockets alike. A
WebSocket is a stream, so nothing overtakes: what is late holds up what comes after it. Only speech
is lost, in whole frames, as a server drops what is too late; anything else would be sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Final, NamedTuple

from aiohttp import ClientSession, ClientWebSocketResponse, WSMessage, WSMsgType, web
from yarl import URL

from psn import wire

_OWN: Final = frozenset(
    {"host", "origin", "connection", "upgrade", "transfer-encoding", "content-length"}
)
"""Headers of one connection alone (RFC 9110, section 7.6.1), and whom it was made to."""

Socket = web.WebSocketResponse | ClientWebSocketResponse


class Quality(NamedTuple):
    """How poor it is."""

    lost: float
    """Share of the frames of speech that never come, each way; 0 to 1."""
    jitter: float
    """Seconds that each message is late at most, each way; as likely as any less."""


@contextlib.asynccontextmanager
async def between(server: str, quality: Quality, seed: int = 1) -> AsyncIterator[str]:
    """The address of ``server`` behind a poor link, which draws the same chances each time."""
    chance = random.Random(seed).random
    async with ClientSession(auto_decompress=False) as session:
        link = _Link(session, URL(server), quality, chance)
        application = web.Application(client_max_size=2**26)
        application.router.add_route("*", "/{path:.*}", link.pass_on)
        runner = web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            yield f"http://localhost:{port}"
        finally:
            await runner.cleanup()


class _Link:
    def __init__(
        self, session: ClientSession, server: URL, quality: Quality, chance: Callable[[], float]
    ) -> None:
        self._session = session
        self._server = server
        self._quality = quality
        self._chance = chance

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _OWN}
        body = await request.read()
        async with self._session.request(
            request.method,
            self._server.join(request.rel_url),
            headers=headers,
            data=body or None,
            allow_redirects=False,
        ) as answer:
            back = {k: v for k, v in answer.headers.items() if k.lower() not in _OWN}
            return web.Response(status=answer.status, headers=back, body=await answer.read())

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        asked = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        protocols = [each.strip() for each in asked if each.strip()]
        near = web.WebSocketResponse(protocols=protocols, max_msg_size=0)
        await near.prepare(request)
        address = self._server.join(request.rel_url)
        async with self._session.ws_connect(
            address, protocols=protocols, origin=str(self._server.origin()), max_msg_size=0
        ) as far:
            ways = [asyncio.create_task(self._way(*ends)) for ends in ((near, far), (far, near))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await near.close()
        return near

    async def _way(self, one: Socket, other: Socket) -> None:
        """What comes from one goes to the other, in order, until either is closed."""
        waiting: asyncio.Queue[tuple[float, WSMessage]] = asyncio.Queue()
        sending = asyncio.create_task(_send(waiting, other))
        now, due = asyncio.get_running_loop().time, 0.0
        try:
            async for message in one:
                speech = message.type is WSMsgType.BINARY and wire.voice.is_speech(message.data)
                if speech and self._chance() < self._quality.lost:
                    continue
                due = max(due, now() + self._chance() * self._quality.jitter)
                waiting.put_nowait((due, message))
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(waiting: asyncio.Queue[tuple[float, WSMessage]], socket: Socket) -> None:
    now = asyncio.get_running_loop().time
    while True:
        due, message = await waiting.get()
        await asyncio.sleep(due - now())
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
