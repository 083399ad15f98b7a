"""One connection: reads frames in the order they come, lets people in, and says what is refused.

What a session may ask for is in ``frames.py``. A frame that is refused is answered with an
``error`` and the session goes on; bytes that are no frames, or too many of them, end it with a code
that says why.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from aiohttp import WSMessage, WSMsgType, web

from psn import __version__, access, database, wire
from psn.core import Core, Refused, now_ms
from psn.csirt import cuts
from psn.enrolment import device_key
from psn.frames import RETRY_MS, Frames, unavailable
from psn.identity import locking
from psn.identity.signin import SignInRefused, WipeOrdered
from psn.pace import Bucket
from psn.picture.fanout import CHOKED_BYTES, Outbox
from psn.problems import Problem
from psn.sessions import Session
from psn.trail import auditor
from psn.trail.audit import Actor

log = logging.getLogger(__name__)

MALFORMED_FRAMES = 5
SIGN_IN_TRIES = 5
FRAMES_PER_SECOND = {"gateway": 50_000.0, "field": 30.0}
FRAMES_PER_SECOND_OTHERWISE = 150.0
SPEECH_PER_SECOND = 60.0
"""Frames of speech; 50 are sent by who talks."""
SPEECH_OF_GATEWAYS = 64 * SPEECH_PER_SECOND
"""Of a radio gateway, which talks for many."""
FLOOD_FRAMES = 1_000
"""Frames refused as too fast, less those taken, before the session is closed."""


class Connection:
    """One socket, from its first frame to its close."""

    def __init__(
        self,
        core: Core,
        socket: web.WebSocketResponse,
        outbox: Outbox,
        source: str,
        certified: bool,
    ) -> None:
        """``source`` is the remote address.

        ``certified``: TLS has verified a certificate that the peer showed.
        """
        protocol = socket.ws_protocol or wire.SUBPROTOCOL_MSGPACK
        self.core = core
        self.socket = socket
        self.outbox = outbox
        self.source = source
        self.codec = wire.CODECS[protocol]
        self.session: Session | None = None
        self.frames: Frames | None = None
        """Of the session."""
        self.heard = self.began = asyncio.get_running_loop().time()
        self.wiping: WipeOrdered | None = None
        """What its device was told, and has not said yet that it has done."""
        self.wiping_since = 0.0
        self._certified = certified
        self.leaving = False
        """It is signing out: its ticket is gone before its answer has been sent."""
        self._greeted = False
        self._nonce: bytes | None = None
        """What a device signs; none once one has tried."""
        self._malformed = 0
        self._tries = 0
        self._floods = 0
        self.bucket = Bucket(FRAMES_PER_SECOND_OTHERWISE, self.began)
        self._speech_bucket = Bucket(SPEECH_PER_SECOND, self.began)
        self._speech_barred = False
        """It was told that nobody hears what it says while it is locked."""
        self._closing = False

    # -- in

    async def run(self) -> None:
        """Read until the socket closes."""
        loop = asyncio.get_running_loop()
        kind = WSMsgType.BINARY if self.codec.binary else WSMsgType.TEXT
        try:
            while not self._closing:
                if self.outbox.waiting > CHOKED_BYTES:
                    await self._listened_to()
                message = await self.socket.receive()
                self.heard = loop.time()
                if self.wiping is not None:
                    if message.type is WSMsgType.CLOSE and message.data == wire.CloseCode.WIPE:
                        await self._wiped(self.wiping.device)
                    if message.type in _ENDS:
                        return
                elif message.type is WSMsgType.BINARY and wire.voice.is_speech(message.data):
                    await self._speech(message.data)
                elif message.type is kind:
                    await self._frame(message.data, self.heard)
                elif message.type in (WSMsgType.PING, WSMsgType.PONG):
                    await self._control(message)
                elif message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
                    await self._refuse_bytes()
                else:
                    return
        except ConnectionError:
            return
        finally:
            self.outbox.closed = True
            if self.frames is not None:
                self.frames.gone()
                self.frames = None  # they know each other
            if self.session is not None:
                self._leave(self.session)

    def _leave(self, session: Session) -> None:
        self.core.unwatch(session)
        self.core.topics.leave(session)
        self.core.voice.gone(session)
        self.core.radios.gone(session)
        self.core.sessions.remove(session)

    async def _listened_to(self) -> None:
        """Wait until the peer has taken something of what it asked for, or is gone."""
        while self.outbox.waiting > CHOKED_BYTES and not self.outbox.transport.is_closing():
            await asyncio.sleep(0.05)

    async def _control(self, message: WSMessage) -> None:
        if not self.bucket.take(self.heard):
            await self._too_fast(b"")
        elif message.type is WSMsgType.PING:
            await self.socket.pong(message.data)

    async def _frame(self, data: bytes | str, now: float) -> None:
        if not self.bucket.take(now):
            await self._too_fast(data)
            return
        if self._floods:
            self._floods -= 1
        try:
            frame = self.codec.decode_client(data)
        except wire.FrameRefused as problem:
            n, uid = self.codec.request_of(data)
            todo = "Compare the frame with docs/wire.md."
            self.refuse(Refused(problem.code, problem.text, todo), n, uid)
            return
        except wire.Malformed:
            await self._refuse_bytes()
            return
        if self.session is not None:
            if self.session.barred is not None and not isinstance(frame, _ALWAYS):
                n, uid = getattr(frame, "n", None), getattr(frame, "id", None)
                self.refuse(self.session.barred, n, uid)
                return
            try:
                if self.frames is not None and self.frames.take(frame):
                    return
            except Problem as problem:
                self.refuse(problem, getattr(frame, "n", None), getattr(frame, "id", None))
                return
        await self._first_frames(frame)

    async def _speech(self, data: bytes) -> None:
        """A frame of speech: passed on at once, or not at all."""
        if not self._speech_bucket.take(self.heard):
            await self._too_fast(data)
            return
        if self._floods:
            self._floods -= 1
        session = self.session
        try:
            # What is no frame is refused before it is asked who sends it, as any frame is.
            speech = wire.voice.decode(data)
            if session is None:
                raise Refused("not_signed_in", "This needs a session.", "Send sign_in first.")
            if session.barred is not None:
                told, self._speech_barred = self._speech_barred, not speech.last
                if told:
                    return
                raise session.barred
            self._speech_barred = False
            self.core.voice.speech(session, speech, data)
        except wire.FrameRefused as problem:
            todo = "Compare the frame with docs/wire.md."
            self.refuse(Refused(problem.code, problem.text, todo))
        except wire.Malformed:
            await self._refuse_bytes()
        except Problem as problem:
            self.refuse(problem)

    async def _first_frames(self, frame: wire.ClientFrame) -> None:
        """Frames that need no session: hello, sign-in, ping, sign-out."""
        if isinstance(frame, wire.Ping):
            self.send(wire.Pong(n=frame.n, time=now_ms()))
        elif isinstance(frame, wire.Hello):
            self._greeted = True
            version = min(frame.v, wire.VERSION)
            server = f"psn/{__version__}"
            self._nonce = nonce = secrets.token_bytes(device_key.NONCE_BYTES)
            self.send(wire.Welcome(v=version, server=server, time=now_ms(), nonce=nonce))
        elif isinstance(frame, wire.SignIn):
            await self._sign_in(frame)
        elif isinstance(frame, wire.SignOut) and self.session is not None:
            await self._sign_out(frame, self.session)
        elif isinstance(frame, wire.Unlock) and self.session is not None:
            await self._unlock(frame, self.session)
        else:
            self.refuse(
                Refused("not_signed_in", "This needs a session.", "Send sign_in first."),
                getattr(frame, "n", None),
                getattr(frame, "id", None),
            )

    # -- signing in and out

    async def _sign_in(self, frame: wire.SignIn) -> None:
        if not self._greeted or self.session is not None:
            code, todo = (
                ("hello_first", "Send hello as the first frame.")
                if not self._greeted
                else ("already_signed_in", "Open a second connection for a second session.")
            )
            self.refuse(Refused(code, "Not signed in by this frame.", todo), frame.n)
            return
        core = self.core
        self._tries += 1
        began = time.perf_counter()
        nonce = None
        if isinstance(frame.auth, wire.DeviceAuth):
            nonce, self._nonce = self._nonce, None
        try:
            principal, token, ticket = await core.signin.check(
                frame.auth, core.directory, self.source, nonce, self._certified
            )
            # Rights may have changed while this waited; from here on nothing waits.
            principal = core.signin.still(ticket, core.directory)
            session = Session(principal, core.reader(principal), ticket, self.codec, self.outbox)
            locking.bar(core, session, datetime.now(UTC))
            boxes = () if ticket.limited else access.mailboxes(principal, core.rules)
            notices = core.sessions.resume(session, boxes, frame.seen)
        except WipeOrdered as order:
            self.wipe(order)
            return
        except SignInRefused as problem:
            self.refuse(problem, frame.n)
            if self._tries >= SIGN_IN_TRIES:
                await self.end(wire.CloseCode.NOT_SIGNED_IN, problem)
            return
        except (*database.PASSING, asyncpg.PostgresError):
            self.refuse(unavailable("Signing in is not possible now."), frame.n)
            return
        self._begin(frame, session, token)
        core.signin.seconds.observe(time.perf_counter() - began)
        for notice in notices:
            session.send(notice)
        self.session = session
        self.frames = Frames(self, session)
        if not ticket.limited:
            core.sessions.add(session)
            core.radios.came(session)
        if session.barred is None:
            core.voice.came(session)

    def _begin(self, frame: wire.SignIn, session: Session, token: str) -> None:
        """Say who the session is, and let it send as fast as its kind may."""
        core, who, ticket = self.core, session.principal, session.ticket
        role = "gateway" if who.gateway else next(iter(who.roles), "")
        self.bucket = Bucket(FRAMES_PER_SECOND.get(role, FRAMES_PER_SECOND_OTHERWISE), self.heard)
        # A gateway may be let serve a radio network at any time.
        speech = SPEECH_OF_GATEWAYS if who.gateway else SPEECH_PER_SECOND
        self._speech_bucket = Bucket(speech, self.heard)
        known = None
        if isinstance(frame.auth, wire.PasswordAuth):
            known = core.signin.people.known(frame.auth.name)
        session.send(
            wire.SignedIn(
                n=frame.n,
                token=token,
                me=who.address,
                name=who.name,
                agency=who.agency,
                roles=list(who.roles),
                unit=who.unit,
                boxes={box: core.record.heads.get(box, 0) for box in session.cursors},
                time=now_ms(),
                ends=database.milliseconds(ticket.ends),
                locked=session.barred is locking.LOCKED,
                limited=ticket.limited,
                known=known,
            )
        )

    async def _sign_out(self, frame: wire.SignOut, session: Session) -> None:
        self.leaving = True
        try:
            await self.core.tickets.end(session.ticket, self.actor(session))
        except (*database.PASSING, asyncpg.PostgresError):
            self.refuse(unavailable("The session was ended here, but not on disk."), frame.n)
        self.send(wire.Ok(n=frame.n))
        await self.end(
            wire.CloseCode.SESSION_ENDED,
            Refused("signed_out", "You signed out.", "Sign in again when you need to."),
        )

    def wipe(self, order: WipeOrdered) -> None:
        """Tell a device to erase itself, and have nothing else to do with it from now on."""
        if self._closing or self.wiping is not None:
            return
        self.wiping, self.wiping_since = order, asyncio.get_running_loop().time()
        if self.session is not None:
            self._leave(self.session)
        self.send(wire.Closing(code=order.code, text=order.text, todo=order.todo))

    async def _wiped(self, device: int) -> None:
        log.warning("device %s says that it has erased itself", device)
        try:
            await self.core.wiped(device, self.source)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.warning("that device %s has erased itself was not noted: %s", device, problem)

    async def _unlock(self, frame: wire.Unlock, session: Session) -> None:
        core = self.core
        if session.barred is locking.LIMITED:
            self.refuse(locking.LIMITED, frame.n)
            return
        try:
            await core.signin.prove(session.ticket, frame.proof, core.directory, self.source)
            # It may have ended while this waited; then nothing of it opens again.
            if not core.tickets.holds(session.ticket):
                raise SignInRefused("session_ended", "This session has ended.", "Sign in again.")
        except Problem as problem:
            self.refuse(problem, frame.n)
            return
        except (*database.PASSING, asyncpg.PostgresError):
            self.refuse(unavailable("Unlocking is not possible now."), frame.n)
            return
        self.send(wire.Ok(n=frame.n))
        if session.barred is locking.LOCKED:
            locking.unlock(core, session)

    def actor(self, session: Session) -> Actor:
        """Whose this connection is, for the audit."""
        return auditor.actor_of(session.principal, self.source, session.ticket.hash)

    # -- out

    def send(self, frame: wire.ServerFrame) -> None:
        """Put a frame behind what waits to go out."""
        self.outbox.send(self.codec.encode(frame))

    def refuse(self, problem: Problem, n: int | None = None, uid: UUID | None = None) -> None:
        """Say why something was not taken: the request ``n``, or what has the id ``uid``."""
        self.send(
            wire.Error(
                code=problem.code,
                text=problem.text,
                todo=problem.todo,
                n=n,
                id=uid,
                retry=problem.retry,
                kinds=getattr(problem, "kinds", None),
                units=getattr(problem, "units", None),
            )
        )

    async def _refuse_bytes(self) -> None:
        self._malformed += 1
        problem = Refused(
            "malformed",
            "These bytes are not a frame of this protocol.",
            "Send one frame per WebSocket message, in the subprotocol that was agreed.",
        )
        self.refuse(problem)
        if self._malformed >= MALFORMED_FRAMES:
            await self.end(wire.CloseCode.MALFORMED, problem)

    async def _too_fast(self, data: bytes | str) -> None:
        self._floods += 1
        problem = Refused(
            "too_fast",
            "This session sends more frames than it may; the frame was not taken.",
            "Send less often, or batches of positions.",
            retry=RETRY_MS,
        )
        n, uid = self.codec.request_of(data)
        if self._floods == 1 or n is not None or uid is not None:
            self.refuse(problem, n, uid)
        if self._floods >= FLOOD_FRAMES:
            await self.end(wire.CloseCode.FLOOD, problem)

    async def end(self, code: int, problem: Problem) -> None:
        """Say why, then close; a peer that does not take the bytes is cut off."""
        if self._closing:
            return
        self._closing = True
        if code in cuts.CODES:
            who = None if self.session is None else self.actor(self.session)
            self.core.cut(self.source, code, who)
        if self.wiping is None:
            self.send(wire.Closing(code=problem.code, text=problem.text, todo=problem.todo))
        self.outbox.write_now()
        self.outbox.closed = True
        message = problem.text.encode()[:120]
        try:
            async with asyncio.timeout(5):
                await self.socket.close(code=code, message=message, drain=False)
        except (TimeoutError, ConnectionError):
            pass
        if self.outbox.transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(10, _cut_off, self.outbox.transport)


_ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
_ALWAYS = (wire.Ping, wire.SignOut, wire.Unlock, wire.SignIn, wire.Hello)
"""Frames that are not held back when a session is locked or limited."""


def _cut_off(transport: asyncio.WriteTransport) -> None:
    """Abort a connection that still does not take what was written.

    One that has been lost in the meantime holds nothing, and asyncio's cannot be aborted any more.
    """
    if transport.get_write_buffer_size():
        transport.abort()
