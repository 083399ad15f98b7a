"""One WebSocket of a load process, from connect(2) to its frames, without asyncio.

A line connects (through TLS when asked), upgrades, says hello, signs in, and then hands on what
comes. Frames are decoded with the plain ``msgpack`` library, not with the project's own codec, so
that a mistake in that cannot hide itself. It never waits: each step is called by the
:class:`~simulators.bench.lines.reactor.Reactor` when its socket is ready.
"""

from __future__ import annotations

import base64
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlsplit

import msgpack

from simulators.bench.lines.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    WireProblem,
    check_upgrade,
    cut,
    masked,
    upgrade,
)  # fmt: skip
from simulators.bench.lines.reactor import READ, WRITE, Reactor, Ready
from simulators.bench.signature import signed, signs

Frame = dict[str, Any]
"""A decoded frame of the wire: a map with a tag ``t``."""
Auth = dict[str, Any]
PROTOCOL: Final = "psn.v1.msgpack"
READ_BYTES: Final = 65_536
"""Below what malloc(3) takes from the system for each call anew."""
_NOT_NOW: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a server is. ``tls`` trusts what signed its certificate; none for plain TCP."""

    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, compare=False)

    @classmethod
    def of(cls, url: str, authority: str | None = None) -> Target:
        """From ``http://host:port`` or ``https://…`` and the PEM file that is to be trusted."""
        parts = urlsplit(url)
        tls = ssl.create_default_context(cafile=authority) if parts.scheme == "https" else None
        return cls(parts.hostname or "127.0.0.1", parts.port or 80, tls)


class Line:
    """One connection that signs in. Everything it learns it tells through its four callbacks.

    ``ready(line)`` when it is signed in, ``frame(line, frame, at)`` for each frame after that,
    with the moment (``perf_counter``) its bytes came, ``lost(line, why)`` when it ends.
    """

    def __init__(
        self,
        reactor: Reactor,
        target: Target,
        auth: Auth,
        ready: Callable[[Line], None] = lambda line: None,
        frame: Callable[[Line, Frame, float], None] = lambda line, frame, at: None,
        lost: Callable[[Line, str], None] = lambda line, why: None,
    ) -> None:
        self.target = target
        self.auth = auth
        self.seen: dict[str, int] = {}
        """What it says at sign-in to have seen of each mailbox."""
        self.ready, self.frame, self.lost = ready, frame, lost
        self.signed_in: Frame | None = None
        self.read_bytes = 0
        self.receive_buffer: int | None = None
        """Bytes that the kernel may keep for it unread; none: as the kernel likes."""
        self.fd = -1
        self._reactor = reactor
        self._mask = os.urandom(4)
        self._key = base64.b64encode(os.urandom(16))
        self._socket: socket.socket | None = None
        self._unsent = b""
        self._rest = b""
        self._reader: Ready = self.on_ready
        self._paused = False

    # -- opening

    def open(self) -> None:
        """Begin to connect."""
        self._unsent = self._rest = b""
        self.signed_in = None
        self._reader, self._paused = self.on_ready, False
        family = socket.AF_INET6 if ":" in self.target.host else socket.AF_INET
        self._socket = made = socket.socket(family, socket.SOCK_STREAM)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.receive_buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        made.connect_ex((self.target.host, self.target.port))
        self.fd = made.fileno()
        self._reactor.add(self.fd, self._connected, WRITE)

    def _connected(self, events: int) -> None:
        assert self._socket is not None
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.end(os.strerror(error))
        elif self.target.tls is None:
            self._ask_upgrade()
        else:
            self._socket = self.target.tls.wrap_socket(
                self._socket, server_hostname=self.target.host, do_handshake_on_connect=False
            )
            self._shake(events)

    def _shake(self, events: int) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            self._reactor.change(self.fd, self._shake, READ)
        except ssl.SSLWantWriteError:
            self._reactor.change(self.fd, self._shake, WRITE)
        except OSError as problem:
            self.end(str(problem))
        else:
            self._ask_upgrade()

    def _ask_upgrade(self) -> None:
        self._reactor.change(self.fd, self._upgraded, READ)
        target = self.target
        self.transmit(upgrade(target.host, target.port, "/ws", PROTOCOL, self._key))

    def _upgraded(self, events: int) -> None:
        data = self._received()
        if data is None:
            return
        head, end, rest = (self._rest + data).partition(b"\r\n\r\n")
        if not end:
            self._rest = head
            return
        try:
            check_upgrade(head, self._key)
        except WireProblem as problem:
            self.end(str(problem))
            return
        self._rest = b""
        self._reactor.change(self.fd, self.on_ready, READ)
        self.send({"t": "hello", "v": 1, "client": "psn bench"})
        if not signs(self.auth):
            self._sign_in(self.auth)
        if rest:
            self._take(rest, perf_counter())

    def _sign_in(self, auth: Auth) -> None:
        self.send({"t": "sign_in", "n": 1, "auth": auth, "seen": self.seen})

    # -- in

    def _received(self) -> bytes | None:
        """What has come; none when nothing has, or the line has ended."""
        assert self._socket is not None
        try:
            data = self._socket.recv(READ_BYTES)
        except _NOT_NOW:
            return None
        except OSError as problem:
            self.end(str(problem))
            return None
        if not data:
            self.end("the server closed the connection")
            return None
        self.read_bytes += len(data)
        return data

    def on_ready(self, events: int) -> None:
        """Something can be read."""
        while self._socket is not None and (data := self._received()) is not None:
            self._take(data, perf_counter())
            if self.target.tls is None:
                break  # epoll(7) tells again; TLS may hold decoded bytes that it knows nothing of

    def _take(self, data: bytes, at: float) -> None:
        data = self._rest + data if self._rest else data
        cuts, place = cut(data)
        self._rest = data[place:]
        for first, start, end in cuts:
            if first == BINARY:
                self._frame(msgpack.unpackb(data[start:end], use_list=False), at)
            else:
                self.control(first, data[start:end])

    def _frame(self, frame: Frame, at: float) -> None:
        if self.signed_in is not None:
            self.frame(self, frame, at)
        elif frame["t"] == "welcome":
            if signs(self.auth):
                self._sign_in(signed(self.auth, frame["nonce"]))
        elif frame["t"] == "signed_in":
            self.signed_in = frame
            self.ready(self)
        elif frame["t"] == "error":
            self.end(f"signing in was refused: {frame['code']}: {frame['text']}")

    def control(self, first: int, payload: bytes) -> None:
        """Answer a ping; end on a close."""
        if first == PING:
            self.transmit(masked(PONG, payload, self._mask))
        elif first == CLOSE:
            self.end(f"the server closed with {int.from_bytes(payload[:2], 'big')}")
        elif first != PONG:
            self.end(f"a frame of unexpected kind {first:#04x}")

    def take_over(self, ready: Ready) -> tuple[socket.socket, bytes]:
        """Let another read: the socket, and what has come of a frame that is not whole."""
        assert self._socket is not None
        rest, self._rest = self._rest, b""
        self._reader = ready
        self._reactor.change(self.fd, ready, READ)
        return self._socket, rest

    def pause(self) -> None:
        """Read no more, like a console that is stuck."""
        if self._socket is not None and not self._paused:
            self._paused = True
            self._reactor.remove(self.fd)

    def resume(self) -> None:
        """Read again."""
        if self._socket is not None and self._paused:
            self._paused = False
            self._reactor.add(self.fd, self._reader, READ)

    # -- out

    def send(self, frame: Frame) -> None:
        """Send one frame."""
        self.transmit(masked(BINARY, msgpack.packb(frame), self._mask))

    def transmit(self, data: bytes | memoryview) -> None:
        """Send bytes as they are; what the socket does not take now follows when it can."""
        if self._socket is None:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except _NOT_NOW:
            sent = 0
        except OSError as problem:
            self.end(str(problem))
            return
        if sent < len(data):
            self._unsent = bytes(data[sent:])
            if not self._paused:
                self._reactor.change(self.fd, self._writable, READ | WRITE)

    def _writable(self, events: int) -> None:
        if events & WRITE:
            self._reactor.change(self.fd, self._reader, READ)
            data, self._unsent = self._unsent, b""
            self.transmit(data)
        if events & READ:
            self._reader(events)

    @property
    def unsent(self) -> int:
        """Bytes that the socket has not taken yet."""
        return len(self._unsent)

    # -- ending

    @property
    def open_now(self) -> bool:
        """Whether it has a socket."""
        return self._socket is not None

    def end(self, why: str) -> None:
        """Cut the connection, and tell."""
        if self._socket is not None:
            self._reactor.remove(self.fd)
            self._socket.close()
            self._socket = None
            self.lost(self, why)
