"""What tests play on: a small network, raw peers, and bystanders who must not notice."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import logging
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from dispatch import api, control_room
from psn import migrate, server, wire
from psn.cluster import Cluster
from psn.core import Core
from psn.enrolment import device_key
from psn.enrolment.device_key import Enrolled
from psn.identity import credentials
from psn.identity.signin import SignIn
from psn.identity.tickets import Conditions, Tickets
from psn.keys import Keys
from psn.settings import Settings
from psn.trail.auditor import Auditor

F = TypeVar("F")

PASSWORD = "three words and a boat"
KEY = device_key.new()
"""The key of every device here."""
WITHIN = 20.0
"""Seconds after which something that should have happened has not."""

BPD, BCG, CUSTOMS = 1, 2, 3
ANA, BEN, CYD = "person:1", "person:2", "person:3"
CAR, PATROL, BOAT, COVERT, TRUCK = 1, 2, 3, 4, 5
"""Units: two of the police, one of the coast guard, a hidden one of the police, one of customs."""
GATEWAY = 6
"""A device of the police; devices 1 to 5 are those of the units."""
JOINT, CUSTOMS_ONLY = 1, 2
HERE = (-881_900_000, 174_900_000)

_SEED = """
insert into agency (code, name, colour) values
    ('BPD', 'Police', '#0000ff'), ('BCG', 'Coast Guard', '#ff8800'), ('CUS', 'Customs', '#008800');
insert into unit (agency_id, callsign, kind) values
    (1, 'P-1', 'car'), (1, 'P-2', 'car'), (2, 'CG-1', 'boat'), (1, 'X-1', 'car'),
    (3, 'C-1', 'car');
insert into unit_exception (unit_id, units, reason, author) values
    (4, 'nothing', 'undercover', 'test');
insert into talkgroup (agency_id, name) values (null, 'Joint'), (3, 'Customs only');
insert into group_member (group_id, agency_id) values (1, 1), (1, 2), (2, 3);
insert into agreement (owner_agency, viewer_agency, units, messages, reason, author, starts_at)
    values (1, 2, 'exact', true, 'exercise', 'test', now() - interval '1 day'),
           (2, 1, 'exact', true, 'exercise', 'test', now() - interval '1 day');
"""


def new_signin(pool: asyncpg.Pool, keys: Keys, hours: float = 12) -> SignIn:
    """A sign-in of its own, without a server around it; its tickets are good for so long."""
    auditor = Auditor(pool)
    return SignIn(pool, keys, Tickets(pool, Conditions(hours=hours), auditor), auditor)


hash_once = functools.cache(credentials.hash_password)
"""Of a password that many tests share: each hash takes as long as a short test."""


async def seed(dsn: str) -> None:
    """Three agencies, two of which share everything, and the third nothing."""
    password = hash_once(PASSWORD)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_SEED)
        for agency, name in ((BPD, "ana"), (BCG, "ben"), (CUSTOMS, "cyd")):
            await connection.execute(
                "insert into person (agency_id, name, full_name, roles, password_hash)"
                " values ($1, $2, initcap($2), '{dispatcher}', $3)",
                agency,
                name,
                password,
            )
        for unit, agency in ((1, BPD), (2, BPD), (3, BCG), (4, BPD), (5, CUSTOMS)):
            await connection.execute(
                "insert into device (agency_id, unit_id, label, public_key)"
                " values ($1, $2, 'tablet', $3)",
                agency,
                unit,
                KEY.public,
            )
        await connection.execute(
            "insert into device (agency_id, label, gateway, public_key)"
            " values (1, 'gateway', true, $1)",
            KEY.public,
        )
    finally:
        await connection.close()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def until(done: Callable[[], object], what: str, within: float = WITHIN) -> None:
    """Wait until ``done()`` is true; fail with ``what`` when it never is."""
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, f"did not happen: {what}"
        await asyncio.sleep(0.01)


@contextlib.contextmanager
def mistreated(database: str) -> Iterator[Cluster]:
    """A cluster that may be killed and frozen, with one migrated database in it."""
    # Not pytest's own temporary directory: see the fixture ``cluster``.
    place = Path(tempfile.mkdtemp(prefix="psn-away-"))
    place.chmod(0o755)
    try:
        with Cluster(place, durable=False) as running:
            migrate.upgrade(running.create_database(database))
            yield running
    finally:
        shutil.rmtree(place, ignore_errors=True)


class Stage:
    """A server in this process, on a seeded database."""

    def __init__(self, dsn: str, **settings: Any) -> None:
        self.dsn = dsn
        self.url = ""
        self.core: Core
        self._settings = settings
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        """Start, on any port or on the one that clients come back to."""
        ready = asyncio.Event()
        self._stop.clear()
        self._task = asyncio.create_task(self._run(ready, port))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((self._task, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()

    async def _run(self, ready: asyncio.Event, port: int) -> None:
        settings = Settings(
            database=self.dsn,
            port=port,
            keys=os.environ["PSN_KEYS"],
            files=os.environ["PSN_FILES"],
            **{"warner": "BPD", **self._settings},
        )

        def extend(application: Any, core: Core) -> None:
            self.core = core
            control_room.open_with(application, core, settings)
            api.add_routes(application, core, settings)

        async with server.running(settings, extend) as address:
            self.url = address.replace("http", "ws", 1) + "/ws"
            ready.set()
            await self._stop.wait()

    async def stop(self) -> None:
        self._stop.set()
        if self._task is not None:
            await self._task
            self._task = None

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("ws://").removesuffix("/ws").partition(":")
        return host, int(port)


class Peer:
    """The other end of one connection: sends whatever it is told to, keeps whatever comes."""

    def __init__(self, socket: ClientConnection, codec: wire.Codec) -> None:
        self.socket = socket
        self.codec = codec
        self.frames: list[wire.ServerFrame] = []
        self.heard: list[wire.Speech] = []
        self.nonce: bytes
        self.me: wire.SignedIn
        self._numbers = itertools.count(1)
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def join(cls, url: str, subprotocol: str = wire.SUBPROTOCOL_MSGPACK, **more: Any) -> Peer:
        """Connect and say hello."""
        socket = await connect(
            url,
            subprotocols=[Subprotocol(subprotocol)],
            compression=None,
            max_size=None,
            proxy=None,
            close_timeout=2,
            ping_interval=None,
            **more,
        )
        peer = cls(socket, wire.CODECS[subprotocol])
        await peer.hello()
        return peer

    @classmethod
    async def enter(
        cls,
        url: str,
        who: str | int,
        subprotocol: str = wire.SUBPROTOCOL_MSGPACK,
        seen: dict[str, int] | None = None,
        **more: Any,
    ) -> Peer:
        """Connect and sign in: a person by name, a device by id."""
        peer = await cls.join(url, subprotocol, **more)
        peer.me = await peer.sign_in(credentials_of(who), seen)
        return peer

    async def hello(self) -> None:
        await self.send(wire.Hello(v=1, client="adversity"))
        self.nonce = (await self.expect(wire.Welcome)).nonce

    def auth(self, enrolled: Enrolled) -> wire.DeviceAuth:
        """What a device signs in with on this connection."""
        return wire.DeviceAuth(enrolled.device, enrolled.sign_in(self.nonce))

    async def sign_in(
        self,
        auth: wire.PasswordAuth | wire.DeviceAuth | wire.SessionAuth | Enrolled,
        seen: dict[str, int] | None = None,
    ) -> wire.SignedIn:
        if isinstance(auth, Enrolled):
            auth = self.auth(auth)
        await self.send(wire.SignIn(n=self.number(), auth=auth, seen=seen or {}))
        self.me = await self.expect(wire.SignedIn)
        await self.expect(wire.CaughtUp)
        return self.me

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for data in self.socket:
                if isinstance(data, bytes) and wire.voice.is_speech(data):
                    self.heard.append(wire.voice.decode(data))
                else:
                    self.frames.append(self.codec.decode_server(data))
                self._news.set()
        self._news.set()

    def number(self) -> int:
        return next(self._numbers)

    async def send(self, frame: wire.ClientFrame) -> None:
        await self.send_raw(self.codec.encode(frame))

    async def send_raw(self, data: bytes | str) -> None:
        if isinstance(data, bytes) and not self.codec.binary:
            data = data.decode()
        await self.socket.send(data)

    async def expect(
        self, kind: type[F], where: Callable[[F], bool] = lambda frame: True, within: float = WITHIN
    ) -> F:
        """Take the first frame of this kind that fits; fail when none comes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    for place, frame in enumerate(self.frames):
                        if isinstance(frame, kind) and where(frame):
                            del self.frames[place]
                            return frame
                    self._news.clear()
                    if self._reading.done():
                        raise AssertionError(
                            f"closed with {self.socket.close_code} {self.socket.close_reason!r},"
                            f" no {kind.__name__}; got {self.frames[-5:]}"
                        )
                    await self._news.wait()
        raise AssertionError(f"no {kind.__name__} came; got {self.frames[-5:]}")

    async def refusal(self, code: str) -> wire.Error:
        """The next error must be this one."""
        error = await self.expect(wire.Error)
        assert error.code == code, error
        assert error.text and error.todo
        return error

    async def answers(self) -> None:
        """The session is still there, and everything sent before has been dealt with."""
        n = self.number()
        await self.send(wire.Ping(n=n))
        await self.expect(wire.Pong, lambda pong: pong.n == n)

    async def closed(self, within: float = WITHIN) -> int | None:
        """Wait for the close; its code."""
        async with asyncio.timeout(within):
            await asyncio.wait((self._reading,))
        return self.socket.close_code

    def of(self, kind: type[F]) -> list[F]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    async def leave(self) -> None:
        await self.socket.close()
        await self._reading

    async def __aenter__(self) -> Peer:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()


def credentials_of(who: str | int) -> wire.PasswordAuth | Enrolled:
    return device(who) if isinstance(who, int) else person(who)


def device(number: int) -> Enrolled:
    return Enrolled(number, KEY)


def person(name: str) -> wire.PasswordAuth:
    return wire.PasswordAuth(name, PASSWORD)


def message(to: str | list[str], text: str, **more: Any) -> wire.Message:
    return wire.Message(
        id=more.pop("id", None) or uuid4(),
        to=[to] if isinstance(to, str) else to,
        text=text,
        **more,
    )


def texts(peer: Peer, box: str | None = None) -> list[str]:
    """Texts of the messages that came, in order."""
    return [
        mail.body.text
        for mail in peer.of(wire.Mail)
        if isinstance(mail.body, wire.MessageBody) and box in (None, mail.box)
    ]


class Bystanders:
    """Someone reports, someone writes, someone looks on: all of it must go on undisturbed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._count = 0
        self._newest = 0
        self._acks: set[UUID] = set()

    async def arrive(self) -> None:
        self.patrol = await Peer.enter(self._url, PATROL)
        self.writer = await Peer.enter(self._url, "ana")
        self.looker = await Peer.enter(self._url, "ben")
        await self.looker.send(wire.Watch(n=self.looker.number()))
        await self.looker.expect(wire.Picture)

    @contextlib.asynccontextmanager
    async def undisturbed(self, every: float = 0.05) -> AsyncIterator[None]:
        """What is sent during this arrives: every position, every message, once and in order."""
        going = asyncio.Event()
        sending = asyncio.create_task(self._go_on(going, every))
        first = self._count + 1
        try:
            yield
        finally:
            going.set()
            sent = await sending
        await self.check(first, sent)

    async def _go_on(self, over: asyncio.Event, every: float) -> list[int]:
        sent = []
        while not over.is_set() or len(sent) < 3:
            sent.append(await self.report())
            self._count += 1
            await self.writer.send(message(BEN, f"number {self._count}"))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await over.wait()
                    await asyncio.sleep(0.001)
        return sent

    async def report(self) -> int:
        """One position of the patrol; its time."""
        self._newest = max(self._newest + 1, now_ms())
        where = (-881_000_000 + self._newest % 1_000, 172_000_000)
        await self.patrol.send(wire.Position(p=wire.Fix(0, self._newest, *where)))
        return self._newest

    async def check(self, first: int, sent: list[int]) -> None:
        """The positions at these times, and the messages from that one on, have come."""
        wanted = [f"number {n}" for n in range(first, self._count + 1)]
        await until(
            lambda: sent[-1] in self.seen_times() and len(texts(self.looker, BEN)) >= len(wanted),
            f"bystanders hear each other: {len(texts(self.looker, BEN))} of {len(wanted)} messages",
        )
        assert texts(self.looker, BEN) == wanted
        assert set(sent) <= self.seen_times()
        await until(lambda: len(self.writer.of(wire.Ack)) >= len(wanted), "acknowledgements")
        for peer in (self.patrol, self.writer, self.looker):
            assert not peer.of(wire.Error) and not peer.of(wire.Closing)
            peer.frames.clear()

    def seen_times(self) -> set[int]:
        return {
            seat.time
            for picture in self.looker.of(wire.Picture)
            for seat in picture.p
            if seat.unit == PATROL
        }

    async def leave(self) -> None:
        for peer in (self.patrol, self.writer, self.looker):
            await peer.leave()


class Complaints(logging.Handler):
    """Errors that were logged while a test ran: exceptions nobody handled end up here."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


async def report(peer: Peer, **where: int) -> int:
    """One position, here if not elsewhere; its time."""
    at = now_ms()
    lon, lat = where.get("lon", HERE[0]), where.get("lat", HERE[1])
    await peer.send(wire.Position(p=wire.Fix(where.get("unit", 0), at, lon, lat)))
    return at


async def watching(stage: Stage, who: str | int, **wishes: Any) -> Peer:
    """A peer that has been shown the picture; the roster and the picture are in its frames."""
    peer = await Peer.enter(stage.url, who)
    n = peer.number()
    await peer.send(wire.Watch(n=n, **wishes))
    await peer.expect(wire.Ok, lambda ok: ok.n == n)
    await until(lambda: peer.of(wire.Picture), "the snapshot comes")
    return peer


def shown(peer: Peer) -> dict[int, wire.Seat]:
    """What a client that goes by the frames has on its map."""
    seats: dict[int, wire.Seat] = {}
    for frame in peer.frames:
        if isinstance(frame, wire.Roster):
            seats.clear()
        elif isinstance(frame, wire.Picture):
            seats |= {seat.unit: seat for seat in frame.p}
        elif isinstance(frame, wire.Gone):
            for unit in frame.units:
                seats.pop(unit, None)
    return seats


def named(peer: Peer) -> dict[int, wire.RosterUnit]:
    """Units whose names a client that goes by the frames knows."""
    units: dict[int, wire.RosterUnit] = {}
    for frame in peer.frames:
        if isinstance(frame, wire.Roster):
            units = {unit.id: unit for unit in frame.units}
        elif isinstance(frame, wire.RosterUnits):
            units |= {unit.id: unit for unit in frame.units}
            for unit in frame.removed:
                units.pop(unit, None)
    return units
