"""The client library: everything outside the core speaks to it through this.

A :class:`Client` keeps one connection: it signs in, comes back by itself with jitter, resumes
where it was, and hands every message on exactly once. What is written while there is no network
is kept (``psn.client.offline``) and sent when there is one; positions of a dead spot follow as
batches.

    async with Client(url, wire.PasswordAuth("bpd.dispatch", password)) as client:
        await client.watch(on_picture)
        message = client.send(["unit:7"], "Return to station")
        await client.acknowledged(message)

A device signs in with its key, ``Client(url, device_key.read(file))``. When the network orders it
to be wiped, the client erases that file and its offline store, and says so.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import logging
import random
import ssl
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from psn import wire
from psn.client.asked_for import AskedFor
from psn.client.inbox import Inbox
from psn.client.letters import Letters
from psn.client.offline import Offline
from psn.client.radio import TOPIC as RADIO
from psn.client.radio import Asked as RadioAsked
from psn.client.radio import RadioLine
from psn.client.refusal import ClientRefused
from psn.client.voice import Asked as VoiceAsked
from psn.client.voice import VoiceLine
from psn.enrolment.device_key import Enrolled
from psn.problems import Problem

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 15.0
FIXES_AT_ONCE = 500
SEEN_EVERY_SECONDS = 0.05
REQUEST_SECONDS = 30.0
WIPE = "wipe"
"""Code of the order that a device is to erase itself."""


class Link(enum.Enum):
    """How the client stands with the server."""

    LOST = "lost"
    """No connection; what is sent is kept."""
    CATCHING_UP = "catching_up"
    """Signed in; what was missed is coming."""
    UP = "up"
    """Signed in, and everything has come."""
    REFUSED = "refused"
    """The server does not let this client in, and it will not try again."""


Frame = Callable[[wire.ServerFrame], None]


class Client:
    """One client of the network. Use it as an asynchronous context manager.

    ``frames`` is called with every frame from the server, after the client has dealt with it;
    ``mail`` with every mailbox entry, each message once; ``links`` with every change of the link.
    All three are called in the event loop and must not block.
    """

    def __init__(
        self,
        url: str,
        auth: wire.PasswordAuth | Enrolled,
        *,
        offline: Offline | None = None,
        name: str = "psn-client",
        frames: Frame = lambda frame: None,
        mail: Callable[[wire.Mail], None] = lambda mail: None,
        links: Callable[[Link], None] = lambda link: None,
        subprotocol: str = wire.SUBPROTOCOL_MSGPACK,
        jitter: random.Random | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """``url`` is the server's ``ws://…/ws`` or its ``http://…`` address, or of TLS.

        ``trust``: which authorities to believe; none: those of the machine.
        """
        self.url = websocket_url(url)
        self.offline = offline if offline is not None else Offline()
        self.link = Link.LOST
        self.problem: Problem | None = None
        """Why the link is refused."""
        self.me: wire.SignedIn | None = None
        """Who the server says this is; kept while the link is lost."""
        self._auth = auth
        self._name = name
        self._frames = frames
        self._links = links
        self._codec = wire.CODECS[subprotocol]
        self._subprotocol = Subprotocol(subprotocol)
        secure = self.url.startswith("wss:")
        self._trust = (trust or ssl.create_default_context()) if secure else None
        self._jitter = jitter if jitter is not None else random.Random()
        self._numbers = itertools.count(1)
        self._socket: ClientConnection | None = None
        self._nonce: asyncio.Future[bytes] | None = None
        """What the server of this connection gives a device to sign."""
        self._waiting: dict[int, asyncio.Future[wire.ServerFrame]] = {}
        self._letters = Letters(self.offline, self._jitter)
        self._inbox = Inbox(self.offline, mail)
        self._asked_for = AskedFor()
        for kept in self.offline.asked():
            body = msgspec.msgpack.decode(kept.with_)
            self._asked_for.keep(self._action(kept.id, kept.what, body))
        self._topics: set[str] = set()
        """Topics that are followed, on every connection."""
        self.voice = VoiceLine(
            self.request,
            self._say,
            lambda: next(self._numbers),
            lambda: "" if self.me is None else self.me.me,
        )
        self.radio = RadioLine(
            self.request,
            self._say,
            lambda: next(self._numbers),
            self.follow,
        )
        self._watch: wire.Watch | None = None
        self._watched_on: ClientConnection | None = None
        """The connection on which :meth:`watch` itself has asked already."""
        self._came_up = False
        """Whether this connection, or the last one, got as far as :attr:`Link.UP`."""
        self._asked_ms = 0
        self._offset_ms = 0
        self._changed = asyncio.Event()
        self._locked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._over = False

    # -- life

    async def __aenter__(self) -> Client:
        """Begin to connect; does not wait for it."""
        self._task = asyncio.create_task(self._run(), name=f"client {self._name}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection. What is not acknowledged stays in the offline store."""
        self._over = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            if not self._task.cancelled():
                self._task.result()

    async def up(self) -> wire.SignedIn:
        """Wait until signed in and caught up. Raises :class:`ClientRefused` when refused."""
        while self.link is not Link.UP:
            if self.problem is not None:
                raise self.problem
            self._changed.clear()
            await self._changed.wait()
        assert self.me is not None
        return self.me

    def now_ms(self) -> int:
        """The server's time as well as this client knows it, milliseconds UTC."""
        return time.time_ns() // 1_000_000 + self._offset_ms

    def _set_link(self, link: Link) -> None:
        if link is not self.link:
            self.link = link
            self._links(link)
        self._changed.set()

    # -- what a user does

    def send(
        self,
        to: Sequence[str],
        text: str,
        *,
        priority: wire.Priority = "routine",
        expires: int | None = None,
        about: UUID | None = None,
        message: UUID | None = None,
        unit: int | None = None,
    ) -> UUID:
        """Send a message, now or when there is a network; it is kept until acknowledged.

        ``unit``: for a radio gateway, the unit whose radio has sent it.

        Raises :class:`ClientRefused` for one that no server would take.
        """
        frame = wire.Message(
            id=message or uuid4(),
            to=list(to),
            text=text,
            priority=priority,
            expires=expires,
            about=about,
            unit=unit,
        )
        self._sendable(frame)
        self._letters.add(frame)
        return frame.id

    async def acknowledged(self, message: UUID) -> int:
        """Wait until a message is on the server's disk; its time there.

        Also for one that an earlier run of the program kept. Raises :class:`ClientRefused` when
        the server refuses it for good, ``KeyError`` when no such message is on its way.
        """
        return await self._letters.acknowledged(message)

    async def report(self, fix: wire.Fix) -> bool:
        """Report a position; kept for later when there is no network. True when sent now."""
        socket = self._socket
        if socket is not None and self.link in (Link.UP, Link.CATCHING_UP):
            try:
                await socket.send(self._encode(wire.Position(p=fix)))
                return True
            except ConnectionClosed:
                pass
        self.offline.keep_fix(fix)
        return False

    async def watch(
        self, area: wire.Area | None = None, agencies: Sequence[int] | None = None
    ) -> None:
        """Ask for the picture; asked again by itself after every reconnection."""
        self._watch = wire.Watch(
            n=next(self._numbers),
            area=area,
            agencies=None if agencies is None else list(agencies),
        )
        if self._socket is not None and self.link in (Link.UP, Link.CATCHING_UP):
            self._watched_on = self._socket
            await self.request(self._watch)

    async def follow(self, topic: str) -> None:
        """Be told of a topic: ``news`` frames come; asked again after every reconnection."""
        self._topics.add(topic)
        if self._socket is not None and self.link in (Link.UP, Link.CATCHING_UP):
            await self.request(wire.Follow(n=next(self._numbers), topic=topic))

    async def do(self, what: str, uid: UUID | None = None, /, **body: Any) -> Any:
        """Have something done (docs/dispatch.md), now or when there is a network; what it answers.

        It is kept in memory until it is answered. Raises :class:`ClientRefused` when refused.
        """
        frame = self._action(uid or uuid4(), what, body)
        self._sendable(frame)
        return await self._asked_for.add(frame)

    async def do_surely(self, what: str, uid: UUID | None = None, /, **body: Any) -> Any:
        """As :meth:`do`, but kept as a message is: the next run of the program has it done.

        For what must not be lost with a program that ends while there is no network.
        """
        uid = uid or uuid4()
        frame = self._action(uid, what, body)
        self._sendable(frame)
        raw = msgspec.Raw(msgspec.msgpack.encode(body))
        self.offline.keep_asked(wire.Do(id=uid, what=what, with_=raw))
        return await self._asked_for.add(frame)

    def _action(self, uid: UUID, what: str, body: Any) -> wire.Do:
        encode = msgspec.msgpack.encode if self._codec.binary else msgspec.json.encode
        return wire.Do(id=uid, what=what, with_=msgspec.Raw(encode(body)))

    def _sendable(self, frame: wire.Message | wire.Do) -> None:
        """Raises :class:`ClientRefused` for what would end the connection each time it is sent."""
        encoded = self._codec.encode(frame)
        try:
            if len(encoded) > wire.MAX_FRAME_BYTES:
                text = f"A frame has at most {wire.MAX_FRAME_BYTES:,} bytes."
                raise wire.FrameRefused("too_large", text)
            self._codec.decode_client(encoded)
        except wire.WireError as problem:
            raise ClientRefused(problem.code, problem.text, "Shorten or correct it.") from None

    async def read(self, box: str, seqs: Sequence[int]) -> None:
        """Say that a person has read entries of a mailbox."""
        await self.request(wire.Read(n=next(self._numbers), box=box, seqs=list(seqs)))

    async def announce(self, units: Sequence[wire.AnnouncedUnit]) -> dict[str, int]:
        """Name a gateway's units; their ids by key."""
        ids: dict[str, int] = {}
        for start in range(0, len(units), 500):
            part = list(units[start : start + 500])
            answer = await self.request(wire.Announce(n=next(self._numbers), units=part))
            assert isinstance(answer, wire.Announced)
            ids |= answer.units
        return ids

    async def report_batch(self, fixes: Sequence[wire.Fix]) -> None:
        """Report old positions and wait until they are stored."""
        for start in range(0, len(fixes), wire.MAX_BATCH):
            part = list(fixes[start : start + wire.MAX_BATCH])
            await self.request(wire.Positions(n=next(self._numbers), p=part))

    async def drained(self) -> None:
        """Wait until no message and no position waits to be sent."""
        while self.offline.fixes or self.offline.messages():
            if self.problem is not None:
                raise self.problem
            await asyncio.sleep(0.02)

    async def request(
        self,
        frame: wire.Watch
        | wire.Unwatch
        | wire.Read
        | wire.Announce
        | wire.Positions
        | wire.Follow
        | VoiceAsked
        | RadioAsked
        | wire.Ping,
    ) -> wire.ServerFrame:
        """Send a numbered frame and wait for its answer.

        Raises :class:`ClientRefused` when refused, ``ConnectionError`` when the link is lost.
        """
        socket = self._socket
        if socket is None:
            raise ConnectionError("there is no connection to the server")
        return await self._ask(socket, frame, frame.n)

    async def _say(self, frame: wire.FloorAsk | wire.FloorRelease | bytes) -> None:
        """Send what is not answered by number: a wish to talk, or a frame of speech."""
        socket = self._socket
        if socket is None:
            raise ConnectionError("there is no connection to the server")
        try:
            await socket.send(frame if isinstance(frame, bytes) else self._encode(frame))
        except ConnectionClosed as problem:
            raise ConnectionError("the connection to the server was lost") from problem

    # -- the connection

    async def _run(self) -> None:
        tries = 0
        while self.problem is None:
            self._came_up = False
            try:
                await self._connected()
            except ssl.SSLCertVerificationError as problem:
                log.warning("%s: %s is not trusted: %s", self._name, self.url, problem)
            except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake) as problem:
                log.debug("%s: no connection: %s", self._name, problem)
            except ClientRefused as problem:
                if not self._try_again_with_credentials(problem):
                    break
            except InvalidURI as problem:
                self.problem = ClientRefused(
                    "bad_url", f"{self.url} is no WebSocket address: {problem}.", "Correct it."
                )
                break
            except Exception:
                # A frame that cannot be read, or a fault in what was called with one. Saying so
                # and coming back is better than a client that has silently stopped.
                log.exception("%s: the connection ended by an error", self._name)
            finally:
                self._disconnected()
            if self._over:
                # A group of tasks in which one fails just then swallows a cancellation (up to
                # Python 3.12), and the client would come back when it was told to end.
                return
            if self._came_up:
                tries = 0
            limit = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**tries)
            tries = min(tries + 1, 10)
            # After an outage everybody comes back, but not all at once. At least half the limit,
            # so that nobody by chance spends all its quick tries while the server still starts.
            await asyncio.sleep(self._jitter.uniform(limit / 2, limit))
        self._set_link(Link.REFUSED)

    def _try_again_with_credentials(self, problem: ClientRefused) -> bool:
        if problem.code == "session_ended" and self.offline.token is not None:
            self.offline.token = None
            return True
        if problem.code in ("unavailable", "too_many_tries"):
            return True
        self.problem = problem
        return False

    async def _connected(self) -> None:
        async with connect(
            self.url,
            subprotocols=[self._subprotocol],
            compression=None,
            max_size=None,
            open_timeout=10,
            ping_interval=10,
            ping_timeout=10,
            close_timeout=2,
            proxy=None,
            ssl=self._trust,
        ) as socket:
            self._socket = socket
            self._nonce = asyncio.get_running_loop().create_future()
            receiving = asyncio.create_task(self._receive(socket))
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._fail_with(receiving))
                    await self._sign_in(socket)
                    if self.me is not None and self.me.locked:
                        await self._unlock(socket)
                    if self._watch is not None and self._watched_on is not socket:
                        tasks.create_task(self._ask_again(socket, self._watch))
                    for topic in self._topics:
                        follow = wire.Follow(n=next(self._numbers), topic=topic)
                        tasks.create_task(self._ask_again(socket, follow))
                    for group in self.voice.groups:
                        tasks.create_task(self.voice.join_again(group))
                    tasks.create_task(self._send_messages(socket))
                    tasks.create_task(self._send_what_is_asked_for(socket))
                    tasks.create_task(self._send_fixes(socket))
                    tasks.create_task(self._say_seen(socket))
                    tasks.create_task(self._unlock_when_locked(socket))
            except* (OSError, TimeoutError, ConnectionClosed, ClientRefused) as problems:
                problem = _first(problems)
                if isinstance(problem, ClientRefused) and problem.code == WIPE:
                    self._erase()
                    await socket.close(wire.CloseCode.WIPE)
                raise problem from None
            finally:
                receiving.cancel()

    @staticmethod
    async def _fail_with(task: asyncio.Task[None]) -> None:
        await task

    def _disconnected(self) -> None:
        self._socket = None
        self._letters.lost()
        self.radio.lost()
        self.voice.lost()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the connection to the server was lost"))
                answer.exception()  # whoever asked may be gone
        self._waiting.clear()
        if self.problem is None:
            self._set_link(Link.LOST)

    async def _sign_in(self, socket: ClientConnection) -> None:
        await socket.send(self._encode(wire.Hello(v=wire.VERSION, client=self._name)))
        auth: wire.PasswordAuth | wire.DeviceAuth | wire.SessionAuth
        token = self.offline.token
        if token is not None:
            # Without waiting for the welcome: a reconnection costs one round trip.
            auth = wire.SessionAuth(token)
        elif isinstance(self._auth, Enrolled):
            assert self._nonce is not None
            async with asyncio.timeout(REQUEST_SECONDS):
                auth = wire.DeviceAuth(self._auth.device, self._auth.sign_in(await self._nonce))
        else:
            auth = self._auth
        self._asked_ms = time.time_ns() // 1_000_000
        number = next(self._numbers)
        # A radio gateway may read more mailboxes than a frame names: the server knows of all.
        seen = self._inbox.cursors if len(self._inbox.cursors) <= wire.MOST_SEEN else {}
        await self._ask(socket, wire.SignIn(n=number, auth=auth, seen=seen), number)

    async def _ask(
        self, socket: ClientConnection, frame: wire.ClientFrame, number: int
    ) -> wire.ServerFrame:
        answer: asyncio.Future[wire.ServerFrame] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            try:
                await socket.send(self._encode(frame))
            except ConnectionClosed as problem:
                raise ConnectionError("the connection to the server was lost") from problem
            async with asyncio.timeout(REQUEST_SECONDS):
                return await answer
        finally:
            self._waiting.pop(number, None)

    async def _unlock(self, socket: ClientConnection) -> None:
        """A program is no person who may have left: it goes on with the password that it has."""
        self._locked.clear()
        if isinstance(self._auth, wire.PasswordAuth):
            number = next(self._numbers)
            proof = wire.PasswordProof(self._auth.password)
            await self._ask(socket, wire.Unlock(n=number, proof=proof), number)

    async def _unlock_when_locked(self, socket: ClientConnection) -> None:
        while True:
            await self._locked.wait()
            await self._unlock(socket)

    async def _ask_again(self, socket: ClientConnection, frame: wire.Watch | wire.Follow) -> None:
        await self._ask(socket, frame, frame.n)

    def _encode(self, frame: wire.ClientFrame) -> bytes | str:
        encoded = self._codec.encode(frame)
        return encoded if self._codec.binary else encoded.decode()

    # -- tasks of a connection

    async def _receive(self, socket: ClientConnection) -> None:
        async for data in socket:
            if isinstance(data, bytes) and wire.voice.is_speech(data):
                self.voice.speech(data)
                continue
            frame = self._codec.decode_server(data)
            handler = _HANDLERS.get(type(frame))
            if handler is not None:
                handler(self, frame)
            self._frames(frame)
            if isinstance(frame, wire.Closing) and frame.code == WIPE:
                raise ClientRefused(frame.code, frame.text, frame.todo)
        raise ConnectionError("the server closed the connection")

    def _erase(self) -> None:
        """Keep nothing; the server is told afterwards that nothing is left."""
        self.offline.wipe()
        self._letters.forget()
        self._inbox.cursors.clear()
        if isinstance(self._auth, Enrolled):
            self._auth.erase()

    async def _send_messages(self, socket: ClientConnection) -> None:
        while True:
            await self._letters.pump.wait()
            self._letters.pump.clear()
            while (frame := self._letters.take()) is not None:
                await socket.send(self._encode(frame))

    async def _send_what_is_asked_for(self, socket: ClientConnection) -> None:
        while True:
            await self._asked_for.pump.wait()
            self._asked_for.pump.clear()
            while (frame := self._asked_for.take()) is not None:
                await socket.send(self._encode(frame))

    async def _send_fixes(self, socket: ClientConnection) -> None:
        while True:
            if not self.offline.fixes:
                await asyncio.sleep(0.25)
                continue
            kept = self.offline.oldest_fixes(FIXES_AT_ONCE)
            batch = wire.Positions(n=next(self._numbers), p=[fix for _, fix in kept])
            try:
                await self._ask(socket, batch, batch.n)
            except ClientRefused as problem:
                log.warning("%s: %s", self._name, problem)
                if problem.code in ("unavailable", "too_fast"):
                    await asyncio.sleep(1.0)
                    continue
            self.offline.drop_fixes(kept[-1][0])

    async def _say_seen(self, socket: ClientConnection) -> None:
        while True:
            await self._inbox.came.wait()
            # What comes meanwhile is covered by the same word.
            await asyncio.sleep(SEEN_EVERY_SECONDS)
            for box, seq in self._inbox.unsaid():
                await socket.send(self._encode(wire.Seen(box=box, seq=seq)))

    # -- frames from the server

    def _on_welcome(self, frame: wire.Welcome) -> None:
        if self._nonce is not None and not self._nonce.done():
            self._nonce.set_result(frame.nonce)

    def _on_signed_in(self, frame: wire.SignedIn) -> None:
        # Done here and not by whoever waits for the answer: mail and caught_up may have come with
        # it, and are handled before the waiting task runs.
        now = time.time_ns() // 1_000_000
        self._offset_ms = frame.time - (self._asked_ms + now) // 2
        self.offline.token = frame.token
        self.me = frame
        if frame.known is not None and isinstance(self._auth, wire.PasswordAuth):
            self._auth = msgspec.structs.replace(self._auth, known=frame.known)
        self._set_link(Link.CATCHING_UP)
        # Whatever has no acknowledgement goes again; its id makes that safe.
        self._letters.again()
        self._asked_for.again()
        self._on_answer(frame)

    def _on_locked(self, frame: wire.Locked) -> None:
        self._locked.set()

    def _on_answer(
        self, frame: wire.SignedIn | wire.Ok | wire.Announced | wire.Pong | wire.Called
    ) -> None:
        answer = None if frame.n is None else self._waiting.get(frame.n)
        if answer is not None and not answer.done():
            answer.set_result(frame)

    def _on_error(self, frame: wire.Error) -> None:
        problem = ClientRefused(frame.code, frame.text, frame.todo)
        if frame.n is not None:
            answer = self._waiting.get(frame.n)
            if answer is not None and not answer.done():
                answer.set_exception(problem)
        elif frame.id is not None and frame.id in self._asked_for:
            if frame.retry is None:
                self._settle_asked(frame.id, problem)
            else:
                asyncio.get_running_loop().call_later(
                    frame.retry / 1_000 * self._jitter.uniform(1, 2), self._asked_for.again
                )
        elif frame.id is not None:
            if frame.retry is None:
                self._letters.settle(frame.id, problem)
            else:
                self._letters.hold(frame.retry / 1_000)

    def _on_done(self, frame: wire.Done) -> None:
        self._settle_asked(frame.id, frame.result)

    def _settle_asked(self, uid: UUID, result: Any) -> None:
        if self._asked_for.settle(uid, result):
            self.offline.drop_asked(uid)

    def _on_ack(self, frame: wire.Ack) -> None:
        self._letters.settle(frame.id, frame.time)

    def _on_mail(self, frame: wire.Mail) -> None:
        self._inbox.take(frame)

    def _on_history_gone(self, frame: wire.HistoryGone) -> None:
        self._inbox.gone(frame)

    def _on_floor(self, frame: wire.Floor) -> None:
        self.voice.floor(frame)

    def _on_floor_yours(self, frame: wire.FloorYours) -> None:
        if frame.radio is None:
            self.voice.yours(frame)
        else:
            self.radio.yours(frame.radio, frame)

    def _on_news(self, frame: wire.News) -> None:
        if frame.topic == RADIO:
            self.radio.news(frame)

    def _on_patched(self, frame: wire.Patched) -> None:
        self.voice.patched(frame)

    def _on_reach(self, frame: wire.Reach) -> None:
        self.voice.reached(frame)

    def _on_voice_gone(self, frame: wire.VoiceGone) -> None:
        self.radio.gone(frame)
        if frame.radio is None:
            self.voice.gone(frame)

    def _on_called(self, frame: wire.Called) -> None:
        if frame.n is not None:
            self._on_answer(frame)
        elif frame.radio is not None:
            self.radio.rings(frame)

    def _on_caught_up(self, frame: wire.CaughtUp) -> None:
        assert self.me is not None
        self._inbox.caught_up(self.me.boxes)
        self._came_up = True
        self._set_link(Link.UP)


_HANDLERS: dict[type, Callable[[Client, Any], None]] = {
    wire.Welcome: Client._on_welcome,
    wire.SignedIn: Client._on_signed_in,
    wire.Ok: Client._on_answer,
    wire.Locked: Client._on_locked,
    wire.Announced: Client._on_answer,
    wire.Pong: Client._on_answer,
    wire.Error: Client._on_error,
    wire.Ack: Client._on_ack,
    wire.Done: Client._on_done,
    wire.Mail: Client._on_mail,
    wire.HistoryGone: Client._on_history_gone,
    wire.CaughtUp: Client._on_caught_up,
    wire.News: Client._on_news,
    wire.Floor: Client._on_floor,
    wire.Patched: Client._on_patched,
    wire.Reach: Client._on_reach,
    wire.FloorYours: Client._on_floor_yours,
    wire.VoiceGone: Client._on_voice_gone,
    wire.Called: Client._on_called,
}


def websocket_url(url: str) -> str:
    """The address of the wire on a server: ``http://host:1`` becomes ``ws://host:1/ws``."""
    if url.startswith("http"):
        return "ws" + url.removeprefix("http").rstrip("/") + "/ws"
    return url


def _first(problems: BaseExceptionGroup) -> BaseException:
    """The refusal among several failures of one connection, else any of them."""
    found: list[BaseException] = []

    def collect(group: BaseException) -> None:
        if isinstance(group, BaseExceptionGroup):
            for inner in group.exceptions:
                collect(inner)
        else:
            found.append(group)

    collect(problems)
    refused = [problem for problem in found if isinstance(problem, ClientRefused)]
    return refused[0] if refused else found[0]
