"""PostgreSQL goes away, hangs, or has a full disk; the network goes on and loses nothing."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import asyncpg
import psutil
import pytest
import pytest_asyncio
from stage import (
    BEN,
    CAR,
    PATROL,
    WITHIN,
    Complaints,
    Peer,
    Stage,
    credentials_of,
    device,
    message,
    mistreated,
    now_ms,
    person,
    seed,
    texts,
    until,
)

from psn import migrate, wire
from psn.client import client as library
from psn.client.offline import Offline
from psn.cluster import Cluster
from psn.record import log

HERE = (-881_900_000, 172_500_000)
AWAY_SECONDS = 20.0
"""How long the database stays away where it comes back by itself."""


@pytest.fixture(scope="module")
def victim() -> Iterator[Cluster]:
    """A cluster of these tests alone, to be mistreated."""
    with mistreated("psn_template") as running:
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def own_cluster(victim: Cluster) -> Cluster:
    """The victim, whatever the test before has left of it."""
    victim.start()
    return victim


@pytest_asyncio.fixture
async def own_stage(
    own_cluster: Cluster, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    monkeypatch.setattr(log, "PATIENCE_SECONDS", 0.5)
    name = f"psn_{next(_numbers)}"
    stage = Stage(await asyncio.to_thread(own_cluster.create_database, name, "psn_template"))
    await seed(stage.dsn)
    await stage.start()
    try:
        yield stage
    finally:
        await stage.stop()


@contextlib.asynccontextmanager
async def someone_writes(stage: Stage, offline: Offline) -> AsyncIterator[library.Client]:
    """Ana, with the client library, which keeps what is refused for now."""
    url = stage.url
    async with library.Client(url, credentials_of("ana"), offline=offline) as ana:
        await asyncio.wait_for(ana.up(), WITHIN)
        yield ana


async def test_the_database_dies_and_comes_back(own_cluster: Cluster, own_stage: Stage) -> None:
    stage, offline = own_stage, Offline()
    patrol = await Peer.enter(stage.url, PATROL)
    looker = await Peer.enter(stage.url, "ben")
    token = looker.me.token
    await looker.send(wire.Watch(n=1))
    await looker.expect(wire.Picture)
    sent: list[int] = []
    ids = []
    async with someone_writes(stage, offline) as ana:
        ids.append(ana.send([BEN], "before"))
        await ana.acknowledged(ids[0])
        cursors = dict(looker.me.boxes) | {BEN: (await looker.expect(wire.Mail)).seq}

        own_cluster.kill9()
        gone = time.monotonic()

        async def seen_moving(times: int, pause: float = 0.0) -> None:
            for _ in range(times):
                at = max(now_ms(), sent[-1] + 1 if sent else 0)
                sent.append(at)
                await patrol.send(wire.Position(p=wire.Fix(0, at, *HERE)))
                await looker.expect(wire.Picture, lambda p, at=at: any(s.time == at for s in p.p))
                await asyncio.sleep(pause)

        await seen_moving(20)
        for n in range(30):
            ids.append(ana.send([BEN], f"meanwhile {n}"))
        # A plain client is told, and what to do.
        frame = message(BEN, "plain")
        await patrol.send(frame)
        error = await patrol.refusal("unavailable")
        assert error.id == frame.id and error.retry
        assert not stage.core.record.healthy
        await _nobody_new(stage)
        await _pages_say_so(stage, token)
        await _resumes(stage, token, cursors)
        batch = [wire.Fix(0, sent[-1] - 10_000, *HERE)]
        await patrol.send(wire.Positions(n=9, p=batch))
        while time.monotonic() - gone < AWAY_SECONDS:
            await seen_moving(1, pause=0.25)

        await asyncio.to_thread(own_cluster.start)
        await patrol.expect(wire.Ok, lambda ok: ok.n == 9)
        await patrol.send(frame)
        await patrol.expect(wire.Ack, lambda ack: ack.id == frame.id)
        for uid in ids[1:]:
            await asyncio.wait_for(ana.acknowledged(uid), WITHIN)
        wanted = ["before", "plain", *(f"meanwhile {n}" for n in range(30))]
        await until(lambda: len(texts(looker, BEN)) >= len(wanted) - 1, "mail of the gap")
        assert sorted(texts(looker, BEN)) == sorted(wanted[1:])
        sequences = [m.seq for m in looker.of(wire.Mail) if m.box == BEN]
        assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
        async with await Peer.enter(stage.url, "cyd"):
            pass
        await until(lambda: not stage.core.tracks.waiting, "positions are stored")
        await _guess_is_recorded(stage)
    connection = await asyncpg.connect(stage.dsn)
    stored = {
        round(r["at"].timestamp() * 1000)
        for r in await connection.fetch("select at from track where unit_id = $1", PATROL)
    }
    assert set(sent) | {batch[0].time} <= stored
    assert await connection.fetchval("select count(*) from log where kind = 'message'") == 32
    await connection.close()
    await patrol.leave()
    await looker.leave()
    offline.close()


async def _nobody_new(stage: Stage) -> None:
    async with await Peer.join(stage.url) as cyd:
        await cyd.send(wire.SignIn(n=4, auth=person("cyd")))
        assert (await cyd.refusal("unavailable")).n == 4
        # Wrong is wrong all the same.
        await cyd.send(wire.SignIn(n=5, auth=wire.PasswordAuth("cyd", "guess")))
        await cyd.refusal("wrong_credentials")


async def _pages_say_so(stage: Stage, token: str) -> None:
    address = stage.url.replace("ws://", "http://").removesuffix("/ws")
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(address, headers=headers) as pages:
        # DOM-AUD-3: even what is in memory is not told while nobody can record who asked.
        for path in (f"/api/units/{PATROL}", f"/api/units/{PATROL}/track"):
            async with pages.get(path) as answer:
                assert answer.status == 503
                assert (await answer.json())["error"]["code"] == "unavailable"
        async with pages.get("/api/fences") as answer:  # from memory, and no secret
            assert answer.status == 200
        for path, status in (("/healthz", 200), ("/readyz", 503), ("/metrics", 200)):
            async with pages.get(path) as answer:
                assert answer.status == status, path


async def _guess_is_recorded(stage: Stage) -> None:
    """DOM-AUD-4: what could not be written while the database was away is not forgotten."""
    query = "select count(*) from audit where action = 'sign_in.failed' and object = 'person:3'"
    async with asyncio.timeout(WITHIN):
        while await stage.core.pool.fetchval(query) != 1:
            await asyncio.sleep(0.1)
    reads = "select count(*) from audit where action in ('unit.read', 'track.read')"
    assert await stage.core.pool.fetchval(reads) == 0


async def _resumes(stage: Stage, token: str, cursors: dict[str, int]) -> None:
    async with await Peer.join(stage.url) as again:
        await again.sign_in(wire.SessionAuth(token), cursors)
        await again.send(wire.Watch(n=1))
        await again.expect(wire.Roster)
        await again.expect(wire.Picture, lambda p: any(s.unit == PATROL for s in p.p))


async def test_nothing_acknowledged_is_lost_when_the_database_is_killed_under_load(
    own_cluster: Cluster, own_stage: Stage
) -> None:
    stage = own_stage
    offline = Offline()
    looker = await Peer.enter(stage.url, "ben")
    async with someone_writes(stage, offline) as ana:
        ids = []
        for round_ in range(3):
            for n in range(60):
                ids.append(ana.send([BEN], f"{round_}/{n}"))
                await asyncio.sleep(0.001)
            await asyncio.to_thread(own_cluster.kill9)
            await asyncio.to_thread(own_cluster.start)
        for uid in ids:
            await asyncio.wait_for(ana.acknowledged(uid), WITHIN)
    await until(lambda: len(texts(looker, BEN)) >= len(ids), "everything is delivered")
    assert len(texts(looker, BEN)) == len(ids)
    assert len({m.body.id for m in looker.of(wire.Mail)
                if isinstance(m.body, wire.MessageBody)}) == len(ids)  # fmt: skip
    await looker.leave()
    offline.close()


async def test_a_resume_ahead_of_the_record_while_it_is_away_gets_its_mail_afterwards(
    own_cluster: Cluster, own_stage: Stage
) -> None:
    stage = own_stage
    first = await Peer.enter(stage.url, "ben")
    await first.leave()
    await asyncio.to_thread(own_cluster.kill9)
    await until(lambda: not stage.core.record.healthy, "the loss is noticed")
    async with await Peer.join(stage.url) as ben:
        await ben.sign_in(wire.SessionAuth(first.me.token), {BEN: 1_000_000})
        await asyncio.to_thread(own_cluster.start)
        await until(lambda: stage.core.record.healthy, "the record is back")
        async with await Peer.enter(stage.url, "ana") as ana:
            await ana.send(message(BEN, "are you there"))
            await ana.expect(wire.Ack)
        await until(lambda: texts(ben, BEN) == ["are you there"], "his mail")


def _processes(cluster: Cluster) -> list[psutil.Process]:
    assert cluster.pid is not None
    parent = psutil.Process(cluster.pid)
    return [parent, *parent.children(recursive=True)]


async def test_a_database_that_hangs_is_treated_as_one_that_is_away(
    own_cluster: Cluster, own_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stuck disk or a pulled cable: connections stay open and nothing answers."""
    monkeypatch.setattr("psn.database.ANSWER_SECONDS", 1.0)
    stage = own_stage
    patrol = await Peer.enter(stage.url, PATROL)
    looker = await Peer.enter(stage.url, "ben")
    await looker.send(wire.Watch(n=1))
    frozen = _processes(own_cluster)
    for process in frozen:
        process.suspend()
    try:
        at = now_ms()
        await patrol.send(wire.Position(p=wire.Fix(0, at, *HERE)))
        await looker.expect(wire.Picture, lambda p: any(s.time == at for s in p.p))
        frame = message(BEN, "held up")
        await patrol.send(frame)
        assert (await patrol.refusal("unavailable")).id == frame.id
        async with await Peer.join(stage.url) as car:
            await car.send(wire.SignIn(n=1, auth=car.auth(device(CAR))))
            await car.refusal("unavailable")
        await patrol.answers()
    finally:
        for process in frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
    await until(lambda: stage.core.record.healthy, "the record is back")
    await patrol.send(frame)
    await patrol.expect(wire.Ack, lambda ack: ack.id == frame.id)
    await until(lambda: texts(looker, BEN) == ["held up"], "delivered once")
    await until(lambda: not stage.core.tracks.waiting, "positions are stored")
    await patrol.leave()
    await looker.leave()


async def test_stopping_while_the_database_is_away(
    own_cluster: Cluster, own_stage: Stage, complaints: Complaints
) -> None:
    patrol = await Peer.enter(own_stage.url, PATROL)
    await asyncio.to_thread(own_cluster.kill9)
    await patrol.send(wire.Position(p=wire.Fix(0, now_ms(), *HERE)))
    await patrol.send(message(BEN, "nobody will keep this"))
    await patrol.answers()
    async with asyncio.timeout(15):
        await own_stage.stop()
    assert await patrol.closed() == wire.CloseCode.GOING_DOWN
    assert not patrol.of(wire.Ack)
    await patrol.leave()
    assert complaints.said == ["1 positions were not stored"]
    complaints.said.clear()


async def test_who_signs_in_while_tickets_are_read_anew_keeps_his(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's sign-out makes the server read all tickets; what it read may be a moment old."""
    has_read, may_go_on = asyncio.Event(), asyncio.Event()
    pool = stage.core.tickets._pool

    class Slow:
        """The pool, whose answers take a while."""

        def __getattr__(self, name: str) -> object:
            return getattr(pool, name)

        async def fetch(self, statement: str) -> list[asyncpg.Record]:
            rows = await pool.fetch(statement)
            has_read.set()
            await may_go_on.wait()
            return rows

    monkeypatch.setattr(stage.core.tickets, "_pool", Slow())
    async with await Peer.enter(stage.url, PATROL) as leaving:
        await leaving.send(wire.SignOut(n=2))
        await asyncio.wait_for(has_read.wait(), WITHIN)
        async with await Peer.enter(stage.url, CAR) as staying:
            may_go_on.set()
            await asyncio.sleep(1.5)  # longer than the door takes to look at everyone
            await staying.answers()
            async with await Peer.join(stage.url) as again:
                await again.sign_in(wire.SessionAuth(staying.me.token))
                await again.send(wire.SignIn(n=3, auth=wire.SessionAuth(leaving.me.token)))
                await again.refusal("already_signed_in")
        async with await Peer.join(stage.url) as gone:
            await gone.send(wire.SignIn(n=3, auth=wire.SessionAuth(leaving.me.token)))
            await gone.refusal("session_ended")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 220 MB for a database, to be filled."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system to fill")
    place = Path(tempfile.mkdtemp(prefix="psn-full-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=220m,mode=755", "psn-test", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        place.rmdir()
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


def _fill(place: Path, leave: int) -> Path:
    filler = place / "filler"
    room = os.statvfs(place)
    with filler.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, room.f_bavail * room.f_frsize - leave)
    return filler


async def test_a_full_disk(
    small_disk: Path, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "PATIENCE_SECONDS", 0.5)
    cluster = Cluster(small_disk / "cluster", durable=False)
    await asyncio.to_thread(cluster.create)
    await asyncio.to_thread(cluster.start)
    stage = Stage(await asyncio.to_thread(cluster.create_database, "psn"))
    await asyncio.to_thread(migrate.upgrade, stage.dsn)
    await seed(stage.dsn)
    await stage.start()
    try:
        patrol = await Peer.enter(stage.url, PATROL)
        looker = await Peer.enter(stage.url, "ben")
        writer = await Peer.enter(stage.url, "ana")
        await looker.send(wire.Watch(n=1))
        acknowledged = []
        filler = _fill(small_disk, 100_000)
        refused = None
        for n in range(400):
            # Noise, since the database would make anything else smaller.
            frame = message(BEN, f"{n} " + base64.b85encode(os.urandom(6_000)).decode())
            await writer.send(frame)
            answer = await _answer(writer)
            if isinstance(answer, wire.Error):
                assert (answer.code, answer.id) == ("unavailable", frame.id)
                refused = frame
                break
            acknowledged.append(frame.id)
        assert refused is not None, "the disk was never full"
        for _ in range(5):  # positions are seen all the same
            at = now_ms()
            await patrol.send(wire.Position(p=wire.Fix(0, at, *HERE)))
            await looker.expect(wire.Picture, lambda p, at=at: any(s.time == at for s in p.p))
            await asyncio.sleep(0.05)

        filler.unlink()
        if not cluster.is_running:
            # PostgreSQL stops when not even its log can grow; its supervisor starts it again.
            await asyncio.to_thread(cluster.start)
        deadline = asyncio.get_running_loop().time() + WITHIN
        while not isinstance(answer := await _send_again(writer, refused), wire.Ack):
            assert asyncio.get_running_loop().time() < deadline, answer
        acknowledged.append(refused.id)
        await until(lambda: len(texts(looker, BEN)) >= len(acknowledged), "all arrive")
        got = [m.body.id for m in looker.of(wire.Mail) if isinstance(m.body, wire.MessageBody)]
        assert got == acknowledged
        await until(lambda: not stage.core.tracks.waiting, "positions are stored")
        for peer in (patrol, looker, writer):
            await peer.leave()
    finally:
        await stage.stop()
        await asyncio.to_thread(cluster.stop)


async def _answer(peer: Peer) -> wire.Ack | wire.Error:
    await until(lambda: peer.of(wire.Ack) or peer.of(wire.Error), "an answer")
    answer = (peer.of(wire.Ack) or peer.of(wire.Error))[0]
    peer.frames.remove(answer)
    return answer


async def _send_again(peer: Peer, frame: wire.Message) -> wire.Ack | wire.Error:
    await asyncio.sleep(0.3)
    await peer.send(frame)
    return await _answer(peer)
