"""One connection to a rival: blocking until it is set up, then driven by the reactor."""

from __future__ import annotations

import base64
import os
import socket
from collections import deque
from typing import Final

from simulators.bench.field.positions import Ints
from simulators.bench.lines.frames import WireProblem, check_upgrade, upgrade
from simulators.bench.lines.journal import Journal, Library
from simulators.bench.lines.reactor import READ, WRITE, Reactor, Ready
from simulators.bench.rivals.speech import Speech

CONNECT_SECONDS: Final = 10.0


class Peer:
    """A socket that is set up; what it cannot take at once waits here."""

    def __init__(self, reactor: Reactor, address: tuple[str, int]) -> None:
        self._reactor = reactor
        self._socket = socket.create_connection(address, CONNECT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unsent: deque[bytes | memoryview] = deque()
        self._reader: Ready = self._ignore
        self._came = b""
        self.lost = ""
        """Why it ended."""

    # -- setting up

    def say(self, data: bytes) -> None:
        """Send, and wait until it is sent."""
        self._socket.sendall(data)

    def until(self, mark: bytes) -> bytes:
        """What comes up to and with ``mark``; raises :class:`OSError`."""
        while mark not in self._came:
            data = self._socket.recv(65_536)
            if not data:
                raise WireProblem(f"closed by the server after {self._came[:80]!r}")
            self._came += data
        head, _, self._came = self._came.partition(mark)
        return head + mark

    def upgrade(self, path: str) -> None:
        """Make it a WebSocket."""
        key = base64.b64encode(os.urandom(16))
        host, port = self._socket.getpeername()[:2]
        self.say(upgrade(host, port, path, None, key))
        check_upgrade(self.until(b"\r\n\r\n"), key)

    def go(self) -> None:
        """From now on nothing waits."""
        self._socket.setblocking(False)
        self._reactor.add(self._socket.fileno(), self._reader)

    # -- running

    def take_over(self, ready: Ready) -> tuple[socket.socket, bytes]:
        """See :class:`~simulators.bench.lines.journal.Reader`."""
        if self.lost:
            raise WireProblem(self.lost)
        self._reader = ready
        self._reactor.change(self._socket.fileno(), ready)
        came, self._came = self._came, b""
        return self._socket, came

    def control(self, first: int, payload: bytes) -> None:
        """Rivals send no control frames."""

    def _ignore(self, events: int) -> None:
        try:
            if not self._socket.recv(65_536):
                self.end("closed by the server")
        except BlockingIOError:
            pass
        except OSError as problem:
            self.end(str(problem))

    def transmit(self, data: bytes | memoryview) -> None:
        """Send as soon as the socket takes it."""
        if self.lost:
            return
        if not self._unsent:
            sent = self._send(data)
            if sent == len(data):
                return
            data = data[sent:]
            self._reactor.change(self._socket.fileno(), self._writable, READ | WRITE)
        self._unsent.append(bytes(data))

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as problem:
            self.end(str(problem))
            return len(data)

    def _writable(self, events: int) -> None:
        while self._unsent and not self.lost:
            data = self._unsent.popleft()
            sent = self._send(data)
            if sent < len(data):
                self._unsent.appendleft(data[sent:])
                break
        if not self.lost and not self._unsent:
            self._reactor.change(self._socket.fileno(), self._reader)
        if events & READ:
            self._reader(events)

    def end(self, why: str) -> None:
        """Close it."""
        if not self.lost:
            self.lost = why
            self._reactor.remove(self._socket.fileno())
            self._socket.close()


class Heard(Journal):
    """What one subscriber of a rival got."""

    def __init__(self, library: Library, peer: Peer, speech: Speech) -> None:
        self._speech = speech
        super().__init__(library, peer, lambda journal, frame, at: None)

    def take(self, data: bytes, at: float) -> None:
        """Bytes that are not known as a whole."""
        end, units, times = self._speech.read(data)
        self.rest = data[end:]
        if end:
            self._learn(data[:end], units, times, at)

    def _learn(self, whole: bytes, units: Ints, times: Ints, at: float) -> None:
        number = self.library.known.get(whole)
        if number is None:
            number = self.library.learn_positions(whole, units, times)
        self.note(number, at)
