"""The door: the endpoint ``/ws``, and the watch over its connections (``psn.connection``)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from socket import IPPROTO_TCP, TCP_NOTSENT_LOWAT

from aiohttp import web

from psn import wire
from psn.connection import Connection
from psn.core import STUCK_SECONDS, Core, Refused
from psn.frames import session_over
from psn.identity import locking
from psn.identity.signin import SignInRefused, WipeOrdered
from psn.picture.fanout import Outbox
from psn.problems import Problem
from psn.refusing import told
from psn.sessions import Session

log = logging.getLogger(__name__)

SIGN_IN_SECONDS = 15.0
"""A connection that has not signed in by then is closed."""
QUIET_SECONDS = 20.0
"""After so long without a frame the other end is pinged; after three times that it is gone."""
WIPE_SECONDS = 5.0
"""So long a device that was told to erase itself has to say that it has."""
UNSENT_BYTES = 65_536
"""What the kernel may hold of a connection that has not been sent yet."""
_GOING_DOWN = "The server is being restarted."
_COME_BACK = "Come back in a moment."
WATCH_SECONDS = 0.1
WATCH_PARTS = 10
"""Connections are looked after in so many parts, one each time: every one once in a second."""


def _let_go(socket: web.WebSocketResponse) -> None:
    """Take what went wrong apart, which the socket keeps.

    Its traceback has the frames in which it happened, and these have the socket: what was lost or
    reset would stay, with its session, until the collector comes by (``psn.garbage``).
    """
    problem = socket.exception()
    if problem is not None:
        problem.__traceback__ = problem.__cause__ = problem.__context__ = None


def _keep_unsent_here(transport: asyncio.BaseTransport) -> None:
    """Let the kernel hold little that is not under way (tcp(7)).

    Otherwise megabytes of old positions wait in it before a slow session is seen to lag.
    """
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)


class Door:
    """The endpoint ``/ws``, and the watch over its connections."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.connections: set[Connection] = set()
        self._open = True

    async def endpoint(self, request: web.Request) -> web.StreamResponse:
        """Take one WebSocket connection, for as long as it lasts."""
        if not self._open:
            return told(503, "going_down", _GOING_DOWN, _COME_BACK)
        socket = web.WebSocketResponse(
            protocols=(wire.SUBPROTOCOL_MSGPACK, wire.SUBPROTOCOL_JSON),
            max_msg_size=wire.MAX_FRAME_BYTES + 1,  # the first size that is refused
            compress=False,
            autoping=False,
            autoclose=True,
        )
        try:
            await socket.prepare(request)
        except ConnectionError:
            # Gone before the handshake was answered; nobody reads this either.
            return web.Response(status=400)
        except web.HTTPBadRequest:
            text = "This address is for WebSockets of version 13."
            return told(400, "no_websocket", text, "Connect as docs/wire.md says.")
        transport = request.transport
        if transport is None:
            return socket
        _keep_unsent_here(transport)
        if socket.ws_protocol is None:
            await socket.close(
                code=wire.CloseCode.VERSION, message=b"Ask for subprotocol psn.v1.msgpack."
            )
            return socket
        binary = socket.ws_protocol == wire.SUBPROTOCOL_MSGPACK
        outbox = Outbox(self.core.hub, transport, binary)
        certified = bool(transport.get_extra_info("peercert"))
        source = request.remote or ""
        connection = Connection(self.core, socket, outbox, source, certified)
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)
            _let_go(socket)
        return socket

    async def watch(self) -> None:
        """Look after connections: bring back the lagging, end the stuck, silent and unwelcome."""
        loop = asyncio.get_running_loop()
        left: list[Connection] = []
        for part in itertools.cycle(range(WATCH_PARTS)):
            asked = time.perf_counter()
            await asyncio.sleep(WATCH_SECONDS)
            late = time.perf_counter() - asked - WATCH_SECONDS
            self.core.lag_seconds.observe(max(late, 0.0))
            self.core.hub.check_lagging()
            self.core.topics.tend()
            if part == 0:
                left = list(self.connections)
            # A part at a time: thousands at once would hold up everything else.
            self._check_all(left[part::WATCH_PARTS], loop.time())

    def _check_all(self, connections: Iterable[Connection], now: float) -> None:
        """Apart from :meth:`watch`, which would hold the last of them while it sleeps."""
        for connection in connections:
            if connection in self.connections:
                self._check(connection, now)

    def _check(self, connection: Connection, now: float) -> None:
        if connection.wiping is not None:
            if now - connection.wiping_since > WIPE_SECONDS:
                self._end(connection, wire.CloseCode.WIPE, connection.wiping)
        elif connection.session is None and now - connection.began > SIGN_IN_SECONDS:
            self._end(
                connection,
                wire.CloseCode.NOT_SIGNED_IN,
                Refused("sign_in_late", "Nobody signed in in time.", "Connect and sign in."),
            )
        elif self._has_lost_its_ticket(connection):
            assert connection.session is not None
            self.end_session(connection.session, session_over())
        elif connection.outbox.stuck(now) > STUCK_SECONDS:
            self._end_stuck(connection)
        elif now - connection.heard > 3 * QUIET_SECONDS:
            connection.outbox.transport.abort()
        elif now - connection.heard > QUIET_SECONDS and not connection.outbox.closed:
            connection.outbox.ping(now)
        if connection.session is not None:
            locking.look_after(self.core, connection.session, datetime.now(UTC))

    def end_those_without_ticket(self) -> None:
        """End people's connections whose sessions were ended, as soon as that is known.

        A device's ends when the directory says what has become of it: it may be to erase itself.
        """
        for connection in list(self.connections):
            session = connection.session
            person = session is not None and session.ticket.person is not None
            if person and self._has_lost_its_ticket(connection):
                self._end_one(connection, session_over())

    def _has_lost_its_ticket(self, connection: Connection) -> bool:
        session = connection.session
        if session is None or connection.leaving:
            return False
        return not self.core.tickets.holds(session.ticket)

    def end_sessions(self, ended: Iterable[tuple[Session, SignInRefused]]) -> None:
        """End sessions whose rights to be have gone, each with its reason."""
        for session, why in ended:
            self.end_session(session, why)

    def end_session(self, session: Session, why: SignInRefused) -> None:
        """End a session whose right to be has gone."""
        for connection in list(self.connections):
            if connection.session is session:
                self._end_one(connection, why)

    def _end_one(self, connection: Connection, why: SignInRefused) -> None:
        if isinstance(why, WipeOrdered):
            connection.wipe(why)
        else:
            self._end(connection, wire.CloseCode.SESSION_ENDED, why)

    def _end_stuck(self, connection: Connection) -> None:
        self.core.stuck += 1
        if connection.session is not None:
            log.warning("%s took nothing and is cut off", connection.session.principal.address)
        problem = Refused(
            "too_slow",
            f"Nothing was taken from this connection for {STUCK_SECONDS:.0f} s.",
            "Connect again; the picture starts anew and mail resumes.",
        )
        self._end(connection, wire.CloseCode.TOO_SLOW, problem)

    @staticmethod
    def _end(connection: Connection, code: int, problem: Problem) -> None:
        task = asyncio.ensure_future(connection.end(code, problem))
        _ending.add(task)
        task.add_done_callback(_ending.discard)

    async def close(self) -> None:
        """Tell everyone that the server goes down, and take nobody new."""
        self._open = False
        problem = Refused("going_down", _GOING_DOWN, _COME_BACK)
        await asyncio.gather(
            *(c.end(wire.CloseCode.GOING_DOWN, problem) for c in list(self.connections)),
            return_exceptions=True,
        )


_ending: set[asyncio.Task[None]] = set()
"""Keeps closing tasks alive until they are done."""
