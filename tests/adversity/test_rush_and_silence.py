"""Too much at once, too little for too long, and peers that vanish."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
import time
from uuid import uuid4

import psutil
import pytest
from stage import (
    ANA,
    BEN,
    CAR,
    PATROL,
    WITHIN,
    Bystanders,
    Complaints,
    Peer,
    Stage,
    credentials_of,
    device,
    message,
    now_ms,
    seed,
    texts,
    until,
)
from websockets.exceptions import ConnectionClosed

from psn import connection, door, pace, wire
from psn.enrolment.device_key import Enrolled
from psn.picture import fanout
from psn.picture.fanout import HIGH_WATER_BYTES

HERE = (-881_900_000, 172_500_000)


async def test_ten_thousand_frames_a_second_from_one_device(
    stage: Stage, bystanders: Bystanders
) -> None:
    async with bystanders.undisturbed():
        car = await Peer.enter(stage.url, CAR)
        with contextlib.suppress(ConnectionClosed):
            for n in range(10_000):
                fix = wire.Fix(0, now_ms() + n % 1_000, *HERE)
                await car.send(wire.Position(p=fix))
        assert await car.closed() == wire.CloseCode.FLOOD
        assert {error.code for error in car.of(wire.Error)} == {"too_fast"}
        assert car.of(wire.Closing)[0].code == "too_fast"
        await car.leave()
    rate = connection.FRAMES_PER_SECOND["field"] * pace.BURST_SECONDS
    fixes = [s for p in bystanders.looker.of(wire.Picture) for s in p.p if s.unit == CAR]
    assert len(fixes) <= rate * 2


async def test_control_frames_count_as_frames(stage: Stage, bystanders: Bystanders) -> None:
    async with bystanders.undisturbed():
        car = await Peer.enter(stage.url, CAR)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(5_000):
                await car.socket.pong(b"unasked")
            await asyncio.sleep(0.1)
            await car.socket.pong()
        assert await car.closed() == wire.CloseCode.FLOOD
        await car.leave()


async def test_requests_that_come_too_fast_are_named_and_can_be_sent_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So slow a rate that no machine is too busy to exceed it.
    monkeypatch.setattr(connection, "FRAMES_PER_SECOND_OTHERWISE", 10.0)
    async with await Peer.enter(stage.url, "ana") as ana:
        most = int(connection.FRAMES_PER_SECOND_OTHERWISE * pace.BURST_SECONDS)
        sent = {frame.id: frame for frame in (message(BEN, f"{n}") for n in range(most + 20))}
        for frame in sent.values():
            await ana.send(frame)
        await until(lambda: len(ana.of(wire.Ack)) + len(ana.of(wire.Error)) == len(sent), "answers")
        refused = ana.of(wire.Error)
        assert refused and {error.code for error in refused} == {"too_fast"}
        while refused:
            await asyncio.sleep(0.2)
            error = refused.pop()
            assert error.id is not None
            answers = len(ana.of(wire.Ack)) + len(ana.of(wire.Error))
            await ana.send(sent[error.id])
            await until(
                lambda: len(ana.of(wire.Ack)) + len(ana.of(wire.Error)) > answers,  # noqa: B023
                "another answer",
            )
        await until(lambda: len(ana.of(wire.Ack)) == len(sent), "all are stored in the end")
    async with await Peer.join(stage.url) as ben:
        await ben.sign_in(credentials_of("ben"), {BEN: 0})
        assert sorted(texts(ben, BEN)) == sorted(str(n) for n in range(len(sent)))


async def test_batches_of_positions_cost_what_they_weigh(
    stage: Stage, bystanders: Bystanders
) -> None:
    async with bystanders.undisturbed(), await Peer.enter(stage.url, CAR) as car:
        batch = [wire.Fix(0, now_ms() - n, *HERE) for n in range(wire.MAX_BATCH)]
        for n in range(60):
            await car.send(wire.Positions(n=n, p=batch))
        await until(lambda: len(car.of(wire.Ok)) + len(car.of(wire.Error)) == 60, "answers")
        assert {error.code for error in car.of(wire.Error)} == {"too_fast"}
        # A dead spot of an hour goes through at once.
        assert len(car.of(wire.Ok)) * wire.MAX_BATCH >= 3_600


async def test_watching_again_and_again_costs_what_it_weighs(
    stage: Stage, bystanders: Bystanders
) -> None:
    async with bystanders.undisturbed(), await Peer.enter(stage.url, "cyd") as cyd:
        for n in range(300):
            await cyd.send(wire.Watch(n=n))
        await until(lambda: len(cyd.of(wire.Ok)) + len(cyd.of(wire.Error)) == 300, "answers")
        assert {error.code for error in cyd.of(wire.Error)} == {"too_fast"}
        assert 10 <= len(cyd.of(wire.Ok)) < 200


async def test_guessing_passwords_holds_up_nobody_who_is_known(
    stage: Stage, bystanders: Bystanders
) -> None:
    async def guess() -> None:
        peer = await Peer.join(stage.url)
        for n in range(connection.SIGN_IN_TRIES):
            await peer.send(wire.SignIn(n=n, auth=wire.PasswordAuth("ana", f"guess {n}")))
            error = await peer.expect(wire.Error)
            assert error.code in ("wrong_credentials", "too_many_tries")
        assert await peer.closed() == wire.CloseCode.NOT_SIGNED_IN
        await peer.leave()

    async with bystanders.undisturbed():
        guessing = [asyncio.create_task(guess()) for _ in range(10)]
        async with await Peer.enter(stage.url, CAR) as car, await Peer.join(stage.url) as again:
            await again.sign_in(wire.SessionAuth(car.me.token))
            assert not all(task.done() for task in guessing)
        await asyncio.gather(*guessing)


async def test_a_socket_that_breaks_when_written_to_silences_no_other(
    stage: Stage, bystanders: Bystanders, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = await Peer.enter(stage.url, "ana")
    await peer.send(wire.Watch(n=1))
    await peer.expect(wire.Picture)
    session = next(s for s in stage.core.sessions.all
                   if s.watch is not None and s.principal.address == ANA)  # fmt: skip
    real = session.outbox.transport

    class Broken:
        """A transport that cannot be written to."""

        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def write(self, data: bytes) -> None:
            raise RuntimeError("the handle is closed")

    monkeypatch.setattr(session.outbox, "transport", Broken())
    async with bystanders.undisturbed():
        pass
    assert session.outbox.closed
    assert len(complaints.said) == 1 and "the handle is closed" in complaints.said[0]
    complaints.said.clear()
    await peer.leave()


async def test_announcing_again_and_again_starves_nobody(
    stage: Stage, bystanders: Bystanders
) -> None:
    units = [wire.AnnouncedUnit(f"k:{n}", f"K-{n}", "boat") for n in range(100)]
    async with bystanders.undisturbed(), await Peer.enter(stage.url, 6) as gateway:
        for n in range(200):
            await gateway.send(wire.Announce(n=n, units=units))
        cyd = await Peer.enter(stage.url, "cyd")
        await cyd.leave()
        await until(lambda: len(gateway.of(wire.Announced)) + len(gateway.of(wire.Error)) == 200,
                    "answers")  # fmt: skip
        assert {error.code for error in gateway.of(wire.Error)} == {"too_fast"}
        assert gateway.of(wire.Announced)


async def test_500_connections_that_reset_at_once(stage: Stage, bystanders: Bystanders) -> None:
    def reset(reached: int) -> None:
        raw = socket.create_connection(stage.address)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if reached > 0:
            raw.sendall(_HANDSHAKE)
        if reached > 1:
            raw.recv(4_096)
        if reached > 2:
            auth = wire.DeviceAuth(CAR, device(CAR).sign_in(_nonce(raw)))
            raw.sendall(_masked(wire.MSGPACK.encode(wire.SignIn(n=1, auth=auth))))
            raw.sendall(_masked(wire.MSGPACK.encode(wire.Watch(n=2))))
        raw.close()

    async with bystanders.undisturbed():
        for n in range(500):
            await asyncio.to_thread(reset, n % 4)
    await until(lambda: len(stage.core.sessions.all) == 3, "their sessions are gone")


_HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    b"Sec-WebSocket-Protocol: psn.v1.msgpack\r\n\r\n"
)


def _nonce(raw: socket.socket) -> bytes:
    """Say hello; what the server gives a device to sign."""
    raw.sendall(_masked(wire.MSGPACK.encode(wire.Hello(v=1, client="raw"))))
    size = raw.recv(2, socket.MSG_WAITALL)[1]
    assert size < 126
    welcome = wire.MSGPACK.decode_server(raw.recv(size, socket.MSG_WAITALL))
    assert isinstance(welcome, wire.Welcome)
    return welcome.nonce


def _masked(payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x82, 0x80 | size)) if size < 126 else struct.pack(">BBH", 0x82, 0xFE, size)
    return head + b"\0\0\0\0" + payload


class Deaf:
    """A signed-in peer on a plain socket that reads only when told to."""

    @classmethod
    async def enter(cls, stage: Stage, who: str | int, *first: wire.ClientFrame) -> Deaf:
        return await asyncio.to_thread(cls, stage, who, *first)

    def __init__(self, stage: Stage, who: str | int, *first: wire.ClientFrame) -> None:
        self.socket = socket.socket()
        # Little room in the kernel, so that the server's own memory is what is tried.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.connect(stage.address)
        self.socket.sendall(_HANDSHAKE)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.socket.recv(1)
        nonce, auth = _nonce(self.socket), credentials_of(who)
        if isinstance(auth, Enrolled):
            auth = wire.DeviceAuth(auth.device, auth.sign_in(nonce))
        for frame in (wire.SignIn(n=1, auth=auth), *first):
            self.send(frame)
        self.socket.setblocking(False)
        self.buffer = b""
        self.frames: list[wire.ServerFrame] = []
        self.close_code: int | None = None

    def send(self, frame: wire.ClientFrame) -> None:
        self.socket.sendall(_masked(wire.MSGPACK.encode(frame)))

    async def listen(self, seconds: float) -> None:
        """Read what comes for so long, or until it is closed."""
        deadline = time.monotonic() + seconds
        while self.close_code is None and time.monotonic() < deadline:
            # Not the loop's own sock_recv: cancelled, it would lose what it has just read.
            try:
                data = self.socket.recv(65_536)
            except BlockingIOError:
                await asyncio.sleep(0.002)
                continue
            if not data:
                return
            self.buffer += data
            self._split()
            await asyncio.sleep(0)

    def _split(self) -> None:
        while len(self.buffer) >= 10:
            size, start = self.buffer[1], 2
            if size == 126:
                size, start = struct.unpack(">H", self.buffer[2:4])[0], 4
            elif size == 127:
                size, start = struct.unpack(">Q", self.buffer[2:10])[0], 10
            if len(self.buffer) < start + size:
                return
            opcode, payload = self.buffer[0] & 15, self.buffer[start : start + size]
            self.buffer = self.buffer[start + size :]
            if opcode == 2:
                self.frames.append(wire.MSGPACK.decode_server(payload))
            elif opcode == 8:
                self.close_code = struct.unpack(">H", payload[:2])[0]

    def close(self) -> None:
        self.socket.close()


async def _crowd(stage: Stage, units: int) -> Peer:
    """A gateway that has announced so many units."""
    gateway = await Peer.enter(stage.url, 6)
    for start in range(0, units, 500):
        names = [wire.AnnouncedUnit(f"k:{n}", f"K-{n}", "boat") for n in range(start, start + 500)]
        await gateway.send(wire.Announce(n=start, units=names))
        await gateway.expect(wire.Announced)
    return gateway


async def _all_move(stage: Stage, gateway: Peer, times: int) -> int:
    """Every unit of the gateway moves so often; the time of the last positions."""
    unit_ids = [u.id for u in stage.core.directory.units.values() if u.source_key]
    at = now_ms()
    for n in range(times):
        at = max(at + 1, now_ms())
        for start in range(0, len(unit_ids), wire.MAX_BATCH):
            part = unit_ids[start : start + wire.MAX_BATCH]
            fixes = [wire.Fix(unit, at, HERE[0] + n, HERE[1]) for unit in part]
            await gateway.send(wire.Positions(n=n, p=fixes))
        await asyncio.sleep(0)
    await gateway.answers()
    return at


async def test_a_client_that_does_not_read_costs_little_and_comes_back_to_the_newest(
    stage: Stage, bystanders: Bystanders
) -> None:
    gateway = await _crowd(stage, 1_000)
    deaf = await Deaf.enter(stage, "ana", wire.Watch(n=2))
    try:
        await until(lambda: len(stage.core.sessions.all) == 5, "the deaf one is in")
        await deaf.listen(0.3)
        watcher = next(s.watcher for s in stage.core.sessions.all
                       if s.principal.address == ANA and s.watch is not None)  # fmt: skip
        gc.collect()
        before = psutil.Process().memory_info().rss
        async with bystanders.undisturbed():
            at = await _all_move(stage, gateway, 60)
            await until(lambda: watcher.backlog is not None, "the deaf one lags")
            at = await _all_move(stage, gateway, 60)
        waiting = watcher.outbox.waiting
        assert waiting < 2 * HIGH_WATER_BYTES
        assert stage.core.hub.conflated > 0
        assert psutil.Process().memory_info().rss - before < 100_000_000
        # It reads again: the newest of everything comes, without what was between.
        deaf.frames.clear()
        deadline = time.monotonic() + 20

        def newest() -> dict[int, int]:
            return {s.unit: s.time for f in deaf.frames if isinstance(f, wire.Picture) for s in f.p}

        mine = {u.id for u in stage.core.directory.units.values() if u.source_key}
        while not all(newest().get(unit) == at for unit in mine):
            assert time.monotonic() < deadline, "the newest values never came"
            await deaf.listen(0.2)
        assert watcher.backlog is None
        seats = sum(len(f.p) for f in deaf.frames if isinstance(f, wire.Picture))
        assert seats < 60_000  # of 120,000
    finally:
        deaf.close()
        await gateway.leave()


async def test_a_client_stuck_for_too_long_is_told_and_closed(
    stage: Stage, bystanders: Bystanders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "STUCK_SECONDS", 0.6)
    gateway = await _crowd(stage, 1_000)
    deaf = await Deaf.enter(stage, "ana", wire.Watch(n=2))
    try:
        await until(lambda: len(stage.core.sessions.all) == 5, "the deaf one is in")
        async with bystanders.undisturbed():
            for _ in range(20):
                await _all_move(stage, gateway, 10)
            await until(lambda: len(stage.core.sessions.all) == 4, "the stuck one is out")
            # At once: who takes nothing for some seconds more is cut off without a word.
            await deaf.listen(WITHIN)
        assert deaf.close_code == wire.CloseCode.TOO_SLOW
        closing = deaf.frames[-1]
        assert isinstance(closing, wire.Closing) and closing.code == "too_slow"
    finally:
        deaf.close()
        await gateway.leave()


async def test_a_client_that_asks_and_never_reads_the_answers(
    stage: Stage, bystanders: Bystanders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a watch, too: what it is owed does not pile up, and it is closed."""
    monkeypatch.setattr(door, "STUCK_SECONDS", 0.6)
    monkeypatch.setattr(connection, "FRAMES_PER_SECOND_OTHERWISE", 100_000.0)
    gateway = await _crowd(stage, 1_000)
    for ask in (wire.Watch(n=3), wire.Read(n=3, box="agency:2", seqs=[1])):
        deaf = await Deaf.enter(stage, "ana")
        await until(lambda: len(stage.core.sessions.all) == 5, "the deaf one is in")
        session = next(s for s in stage.core.sessions.all
                       if s.principal.address == ANA and s.outbox.transport.get_extra_info(
                           "peername") == deaf.socket.getsockname())  # fmt: skip
        most = 0
        raw = _masked(wire.MSGPACK.encode(ask))
        loop = asyncio.get_running_loop()
        async with bystanders.undisturbed():
            deadline = time.monotonic() + 15
            while session in stage.core.sessions.all:
                assert time.monotonic() < deadline, "it was never closed"
                with contextlib.suppress(TimeoutError, OSError):
                    async with asyncio.timeout(0.05):
                        await loop.sock_sendall(deaf.socket, raw * 20)
                most = max(most, session.outbox.waiting)
        assert most < 8_000_000
        deaf.close()
    await gateway.leave()


async def test_mail_to_a_lagging_session_waits_on_disk_and_misses_nothing(
    stage: Stage, bystanders: Bystanders
) -> None:
    deaf = await Deaf.enter(stage, PATROL)
    other = await Peer.enter(stage.url, "ana")
    try:
        await until(lambda: len(stage.core.sessions.all) == 5, "the deaf one is in")
        session = next(s for s in stage.core.sessions.all
                       if s.principal.unit == PATROL and s.outbox.transport.get_extra_info(
                           "peername") == deaf.socket.getsockname())  # fmt: skip
        count = 150
        async with bystanders.undisturbed():
            for n in range(count):
                await other.send(message(f"unit:{PATROL}", f"{n} " + "x" * 7_900))
                await asyncio.sleep(0.007)  # a console may send so often
            await until(lambda: len(other.of(wire.Ack)) == count, "all are stored")
            assert session.outbox.waiting < 2 * HIGH_WATER_BYTES
            assert session.cursors[f"unit:{PATROL}"] < count
            bystanders.patrol.frames.clear()
        deadline = time.monotonic() + 20
        while len(mail := [f for f in deaf.frames if isinstance(f, wire.Mail)]) < count:
            assert time.monotonic() < deadline, f"only {len(mail)} came"
            await deaf.listen(0.2)
        assert [m.seq for m in mail] == list(range(1, count + 1))
        assert [int(m.body.text.split()[0]) for m in mail
                if isinstance(m.body, wire.MessageBody)] == list(range(count))  # fmt: skip
    finally:
        deaf.close()
        await other.leave()


async def test_a_peer_that_vanished_without_a_word_is_noticed(
    stage: Stage, bystanders: Bystanders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-open: its socket is there, but nothing answers, not even to pings."""
    # Long enough for those who do answer, on a machine that is busy with other tests too.
    monkeypatch.setattr(door, "QUIET_SECONDS", 2.0)
    monkeypatch.setattr("psn.sessions.GONE_AFTER_SECONDS", 0.1)
    gone = await Deaf.enter(stage, CAR)
    alive = [await Peer.enter(stage.url, "cyd")]
    try:
        looker = bystanders.looker
        await looker.expect(wire.Presence, lambda p: p.who.get(f"unit:{CAR}") is True)
        async with bystanders.undisturbed():
            await looker.expect(wire.Presence, lambda p: p.who.get(f"unit:{CAR}") is False)
            # Who answers pings stays, however little it says.
            await alive[0].answers()
    finally:
        gone.close()
        await alive[0].leave()


async def test_who_never_signs_in_is_closed(
    stage: Stage, bystanders: Bystanders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "SIGN_IN_SECONDS", 0.5)
    async with bystanders.undisturbed(), await Peer.join(stage.url) as silent:
        closing = await silent.expect(wire.Closing)
        assert closing.code == "sign_in_late"
        assert await silent.closed() == wire.CloseCode.NOT_SIGNED_IN


async def test_handshakes_that_are_none(stage: Stage, bystanders: Bystanders) -> None:
    async with bystanders.undisturbed():
        for request, status in (
            (b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", b" 400"),
            (_HANDSHAKE.replace(b"Version: 13", b"Version: 99"), b" 400"),
            (_HANDSHAKE.replace(b"MDEyMzQ1Njc4OWFiY2RlZg==", b"short"), b" 400"),
            (b"POST" + _HANDSHAKE[3:], b" 405"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b" 400"),
        ):
            reader, writer = await asyncio.open_connection(*stage.address)
            writer.write(request)
            line = await asyncio.wait_for(reader.readline(), 10)
            assert status in line, (request[:60], line)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        for protocols in (b"", b"Sec-WebSocket-Protocol: psn.v9.xml, mqtt\r\n"):
            reader, writer = await asyncio.open_connection(*stage.address)
            writer.write(
                _HANDSHAKE.replace(b"Sec-WebSocket-Protocol: psn.v1.msgpack\r\n", protocols)
            )
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            head = await asyncio.wait_for(reader.readexactly(4), 10)
            assert (head[0], struct.unpack(">H", head[2:])[0]) == (0x88, wire.CloseCode.VERSION)
            assert b"psn.v1.msgpack" in await reader.readexactly(head[1] - 2)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_shutdown_under_load_says_why_and_ends(database: str, complaints: object) -> None:
    await seed(database)
    stage = Stage(database)
    await stage.start()
    peers = [await Peer.enter(stage.url, device) for device in (1, 2, 3) for _ in range(10)]
    ana = await Peer.enter(stage.url, "ana")
    ben = await Peer.enter(stage.url, "ben")
    await ben.send(wire.Watch(n=2))
    deaf = await Deaf.enter(stage, "ben", wire.Watch(n=2))

    async def shout(peer: Peer) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await peer.send(wire.Position(p=wire.Fix(0, now_ms(), *HERE)))
                await asyncio.sleep(0.04)

    async def write() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await ana.send(message(BEN, "on and on", id=uuid4()))
                await asyncio.sleep(0.01)

    shouting = [asyncio.create_task(shout(peer)) for peer in peers]
    shouting.append(asyncio.create_task(write()))
    await until(lambda: len(texts(ben)) > 20, "there is load")
    async with asyncio.timeout(20):
        await stage.stop()
    for peer in (*peers, ana, ben):
        assert await peer.closed() == wire.CloseCode.GOING_DOWN
        assert peer.of(wire.Closing)[0].code == "going_down"
        await peer.leave()
    await asyncio.gather(*shouting)
    deaf.close()
    acknowledged = {ack.id for ack in ana.of(wire.Ack)}
    again = Stage(database)
    await again.start()
    async with await Peer.join(again.url) as reader:
        await reader.sign_in(credentials_of("ben"), {BEN: 0})
        stored = [m.body.id for m in reader.of(wire.Mail)
                  if isinstance(m.body, wire.MessageBody)]  # fmt: skip
        assert acknowledged <= set(stored)
        assert len(stored) == len(set(stored))
    await again.stop()


def test_constants_that_tests_shorten_are_the_promised_ones() -> None:
    assert door.STUCK_SECONDS == 30.0
    assert fanout.LOW_WATER_BYTES < HIGH_WATER_BYTES
