"""A WebSocket client with nothing to spare (RFC 6455), for holding thousands on one core.

It speaks only what the network's server speaks: one frame per message, no extensions. Frames are
decoded with the plain ``msgpack`` library, not with the project's own codec, so that a mistake in
that cannot hide itself. Broken input raises, since here the server is what is examined.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import os
import socket
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgpack

from simulators.bench.signature import signed, signs

Frame = dict[str, Any]
"""A decoded frame of the wire: a map with a tag ``t``."""

_ACCEPT: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PROTOCOL: Final = "psn.v1.msgpack"
_CONTROL: Final = 0x8
CONNECT_SECONDS: Final = 30.0


class SocketProblem(ConnectionError):
    """The server did not behave like a WebSocket server, refused, or went away."""


class Socket(asyncio.Protocol):
    """One connection. ``received`` is called with each frame and the moment its bytes came.

    The moment is ``time.perf_counter()`` seconds, taken once for all that arrived together.
    """

    def __init__(self, received: Callable[[Frame, float], None] = lambda frame, at: None) -> None:
        self.received = received
        self.lost = False
        self.read_bytes = 0
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._key = base64.b64encode(os.urandom(16))
        self._open = asyncio.get_running_loop().create_future()
        self._mask = os.urandom(4)
        self._mask_number = int.from_bytes(self._mask * 16, "big")
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._welcome: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Cut what came into frames and hand them on."""
        at = perf_counter()
        self.read_bytes += len(data)
        data = self._buffer + data if self._buffer else data
        if not self._open.done():
            if b"\r\n\r\n" not in data:
                self._buffer = data
                return
            data = self._handshake(data)
        self._buffer = self._frames(data, at)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for an answer will not get one."""
        self.lost = True
        problem = SocketProblem("the server closed the connection")
        for waiting in (self._open, self._welcome, *self._answers.values()):
            if not waiting.done():
                waiting.set_exception(problem)
                waiting.exception()
        self._answers.clear()

    # -- in

    def _handshake(self, data: bytes) -> bytes:
        head, _, rest = data.partition(b"\r\n\r\n")
        accept = base64.b64encode(hashlib.sha1(self._key + _ACCEPT).digest())
        if not head.startswith(b"HTTP/1.1 101 ") or accept not in head:
            self._open.set_exception(SocketProblem(head.split(b"\r\n")[0].decode("latin-1")))
        else:
            self._open.set_result(None)
        return rest

    def _frames(self, data: bytes, at: float) -> bytes:
        """Hand on every whole frame; what is left of the bytes."""
        place, size = 0, len(data)
        view = memoryview(data)
        while size - place >= 2:
            length, start = data[place + 1], place + 2
            if length == 126:
                start += 2
                if size < start:
                    break
                length = int.from_bytes(data[place + 2 : start], "big")
            elif length == 127:
                start += 8
                if size < start:
                    break
                length = int.from_bytes(data[place + 2 : start], "big")
            end = start + length
            if size < end:
                break
            first = data[place]
            if first == 0x82 and data[start] == 0xC1:
                self.spoken(view[start:end], at)
            elif first == 0x82:
                self._take(msgpack.unpackb(view[start:end], use_list=False, raw=False), at)
            elif first & 0x0F & _CONTROL:
                self._control(first & 0x0F, bytes(view[start:end]))
            else:
                raise SocketProblem(f"a frame of unexpected kind {first:#04x}")
            place = end
        return data[place:]

    def spoken(self, payload: memoryview, at: float) -> None:
        """A frame of speech has come (docs/wire.md, Voice)."""

    def _take(self, frame: Frame, at: float) -> None:
        number = frame.get("n")
        if number is not None:
            waiting = self._answers.pop(number, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame)
        elif frame["t"] == "welcome" and not self._welcome.done():
            self._welcome.set_result(frame)
        self.received(frame, at)

    def _control(self, kind: int, payload: bytes) -> None:
        if kind == 0x9:
            self._write(0x8A, payload)
        elif kind == 0x8 and self._transport is not None:
            self._transport.close()

    # -- out

    def send(self, frame: Frame) -> None:
        """Send one frame."""
        self._write(0x82, msgpack.packb(frame))

    def send_packed(self, payload: bytes) -> None:
        """Send one frame that is packed already."""
        self._write(0x82, payload)

    def _write(self, first: int, payload: bytes) -> None:
        if self._transport is None or self.lost:
            raise SocketProblem("the connection is closed")
        size = len(payload)
        if size < 126:
            head = bytes((first, 0x80 | size))
        else:
            head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
        if size <= 64:
            mask = self._mask_number >> (64 - size) * 8
        else:
            mask = int.from_bytes((self._mask * (size // 4 + 1))[:size], "big")
        masked = (int.from_bytes(payload, "big") ^ mask).to_bytes(size, "big")
        self._transport.write(head + self._mask + masked)

    async def ask(self, frame: Frame) -> Frame:
        """Send a numbered request and wait for its answer; raises when refused or cut off."""
        number = next(self._numbers)
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self.send({**frame, "n": number})
        async with asyncio.timeout(CONNECT_SECONDS):
            got = await answer
        if got["t"] == "error":
            raise SocketProblem(f"{frame['t']} was refused: {got['code']}: {got['text']}")
        return got

    async def open(self, url: str) -> None:
        """Connect to the wire of a server (``http://host:port``); raises :class:`OSError`."""
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.create_connection(lambda: self, host, port)
            assert self._transport is not None
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = (
                f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Protocol: {_PROTOCOL}\r\n"
                f"Sec-WebSocket-Key: {self._key.decode()}\r\n\r\n"
            )
            self._transport.write(request.encode())
            await self._open

    async def sign_in(self, auth: Frame, seen: dict[str, int] | None = None) -> Frame:
        """Say hello and sign in; the ``signed_in`` frame."""
        self.send({"t": "hello", "v": 1, "client": "psn bench"})
        if signs(auth):
            async with asyncio.timeout(CONNECT_SECONDS):
                auth = signed(auth, (await self._welcome)["nonce"])
        return await self.ask({"t": "sign_in", "auth": auth, "seen": seen or {}})

    def close(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()
