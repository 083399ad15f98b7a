"""Feeds of others, listened to over HTTP: good ones, and those that a server must live with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding
from desk_peer import Worker
from feed_server import Feeds, alert, new_seal, serving
from stage import WITHIN, Stage, seed, until
from warners import APPROVER, OFFICER, hire

from dispatch.alerting.cap import Alert, Circle, MessageType, Point, Seal, Status
from dispatch.warnings import fetching, listening, sources
from dispatch.warnings.fetching import Unheard
from dispatch.warnings.listening import Listening
from dispatch.warnings.sources import Source
from psn.__main__ import main
from psn.csirt import webhooks
from psn.problems import Problem


@dataclass
class Room:
    """A server of feeds, and who listens to it."""

    feeds: Feeds
    pool: asyncpg.Pool
    listening: Listening
    source: Source

    async def look(self, **changes: Any) -> float:
        """Look now, whenever that was done last."""
        self.source = replace(self.source, **changes)
        await self.pool.execute("update alert_feed set tried_at = 'epoch'")
        return await self.listening.look(self.source)

    async def health(self) -> Any:
        return await self.pool.fetchrow("select * from alert_feed")

    async def kept(self) -> dict[str, str]:
        rows = await self.pool.fetch("select identifier, verdict from heard_alert order by id")
        return {row["identifier"]: row["verdict"] for row in rows}


@pytest_asyncio.fixture
async def room(database: str) -> AsyncIterator[Room]:
    async with serving() as feeds, asyncpg.create_pool(database, min_size=1, max_size=3) as pool:
        source = Source("met", "Met Service", feeds.url)
        yield Room(feeds, pool, Listening(pool, [source]), source)


async def test_what_a_feed_lists_is_kept_once(room: Room) -> None:
    """DOM-WRN-60, DOM-WRN-61."""
    room.feeds.lists(alert("a"), alert("b"))
    assert await room.look() == 60
    assert await room.kept() == {"a": "none", "b": "none"}
    health = await room.health()
    assert health["succeeded_at"] and health["problem"] is None and health["failures"] == 0
    await room.look()
    assert room.feeds.unchanged == 1 and room.feeds.asked.count("/a.xml") == 1
    # After a restart nobody remembers what was had; the same comes again, and is one.
    again = Listening(room.pool, [room.source])
    await room.pool.execute("update alert_feed set tried_at = 'epoch', etag = null")
    await again.look(room.source)
    assert room.feeds.asked.count("/a.xml") == 2 and len(await room.kept()) == 2
    cancel = alert("c", message_type=MessageType.CANCEL, references=(alert("a").reference,))
    room.feeds.lists(cancel, alert("a"), alert("b"))
    await room.look()
    assert list(await room.kept()) == ["a", "b", "c"] and room.feeds.asked.count("/a.xml") == 2


async def test_a_certificate_counts_without_a_restart(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """DOM-WRN-62: for what the feed lists already, too; a file that is wrong changes nothing."""
    monkeypatch.setattr(listening, "AGAIN_SECONDS", 0.05)
    seal = new_seal()
    file = tmp_path / "feeds.toml"
    said = f'[[feed]]\nname = "met"\nurl = "{room.feeds.url}"\n'
    file.write_text(said)
    room.feeds.lists(alert("a"), seal=seal)

    def again() -> tuple[Source, ...]:
        return sources.read(str(file))

    listens = Listening(room.pool, again(), again=again)
    running = asyncio.create_task(listens.run())

    async def kept(verdict: str) -> None:
        async with asyncio.timeout(WITHIN):
            while await room.kept() != {"a": verdict}:
                await asyncio.sleep(0.02)

    try:
        await kept("unknown")
        file.write_text("nonsense")
        await until(lambda: "is not TOML" in caplog.text, "it is told")
        assert len(listens.sources) == 1
        (tmp_path / "met.pem").write_bytes(seal.certificate.public_bytes(Encoding.PEM))
        file.write_text(said + 'certificates = ["met.pem"]\n')
        await kept("good")
        file.write_text("feed = []\n")
        await until(lambda: not listens.sources, "nothing is listened to")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert caplog.text.count("is not TOML") == 1


async def test_of_several_servers_one_asks(room: Room) -> None:
    room.feeds.lists(alert("a"))
    await room.look()
    asked = len(room.feeds.asked)
    assert await Listening(room.pool, []).look(room.source) == 60
    assert len(room.feeds.asked) == asked


async def test_a_signature_is_judged_by_the_certificate_of_its_feed(room: Room) -> None:
    """DOM-WRN-25, DOM-WRN-62."""
    seal: Seal = new_seal()
    known = (seal.certificate,)
    room.feeds.lists(alert("a"), seal=seal)
    await room.look()
    assert await room.kept() == {"a": "unknown"}
    room.feeds.lists(alert("b"), seal=seal)
    await room.look(certificates=known)
    assert await room.kept() == {"a": "unknown", "b": "good"}
    assert "Met Service" in await room.pool.fetchval("select max(signer) from heard_alert")
    room.feeds.lists(alert("b", infos=()), alert("c"), seal=new_seal())
    await room.look()
    assert (await room.kept())["b"] == "good", "what was believed is not replaced"
    # The same message, now with a signature that is known.
    twice = alert("d", sent=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=9))
    room.feeds.lists(twice)
    await room.look()
    room.feeds.lists(twice, seal=seal)
    room.feeds.leads("d.xml?again")
    await room.look()
    assert (await room.kept())["d"] == "good"


async def test_the_address_of_one_alert_is_a_feed(room: Room) -> None:
    room.feeds.lists(alert("a"))
    room.feeds.files["/feed"] = room.feeds.files["/a.xml"]
    await room.look()
    assert await room.kept() == {"a": "none"}


async def html(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<!DOCTYPE html><html>Sign in</html>", content_type="text/html")


async def moved(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/feed"})


async def busy(request: web.Request) -> web.StreamResponse:
    return web.Response(status=503, headers={"Retry-After": "900"})


async def packed(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"\x1f\x8b" + b"x" * 99, headers={"Content-Encoding": "gzip"})


async def huge(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(400):
        await response.write(b"<rss>" + b" " * 100_000)
    return response


async def broken(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "900"})
    await response.prepare(request)
    await response.write(b"<rss>")
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.mark.parametrize(
    ("answers", "said", "wait"),
    [
        (html, "web page", 120),
        (moved, "redirects are not followed", 120),
        (busy, "answers 503", 900),
        (packed, "packed", 120),
        (huge, "more than 5,000,000 bytes", 120),
        (broken, "not reached", 120),
    ],
)
async def test_a_feed_that_is_none_is_asked_less_often_and_says_why(
    room: Room, answers: Any, said: str, wait: float
) -> None:
    """DOM-WRN-60, DOM-WRN-64."""
    room.feeds.answers["/feed"] = answers
    assert await room.look() == wait
    health = await room.health()
    assert said in health["problem"] and health["failing_since"] and health["failures"] == 1
    assert await room.look() == max(wait, 240)
    since = (await room.health())["failing_since"]
    assert since == health["failing_since"]
    del room.feeds.answers["/feed"]
    room.feeds.lists(alert("a"))
    assert await room.look() == 60
    health = await room.health()
    assert health["failures"] == 0 and health["failing_since"] is None and not health["problem"]


async def test_a_failure_is_forgotten_though_nothing_has_changed(room: Room) -> None:
    """DOM-WRN-64: what is told of a feed is what is wrong with it now."""
    room.feeds.lists(alert("a"))
    room.feeds.files["/page.xml"] = b"<!DOCTYPE html><html></html>"
    room.feeds.leads("a.xml", "/page.xml")
    await room.look()
    told = (await room.health())["problem"]
    assert told.startswith("1 alert could not be used.")
    await room.look()
    assert room.feeds.unchanged == 1 and (await room.health())["problem"] == told
    room.feeds.answers["/feed"] = busy
    await room.look()
    assert "answers 503" in (await room.health())["problem"]
    del room.feeds.answers["/feed"]
    await room.look()
    health = await room.health()
    assert health["failing_since"] is None and "answers 503" not in (health["problem"] or "")


async def test_nothing_has_changed_is_no_answer_to_who_did_not_ask(room: Room) -> None:
    """DOM-WRN-64: a cache that is broken says so of what nobody here has read."""

    async def unasked(request: web.Request) -> web.StreamResponse:
        return web.Response(status=304)

    room.feeds.answers["/feed"] = unasked
    assert await room.look() == 120
    health = await room.health()
    assert "nothing has changed" in health["problem"] and health["failing_since"]


async def test_one_that_is_slow_is_left(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOM-WRN-64."""

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    room.feeds.answers["/feed"] = slow
    monkeypatch.setattr(fetching, "SECONDS", 0.3)
    await room.look()
    assert "not there within" in (await room.health())["problem"]
    # Many slow alerts together take no longer than a look may.
    del room.feeds.answers["/feed"]
    room.feeds.leads(*(f"/{at}" for at in range(40)))
    room.feeds.answers |= {f"/{at}": slow for at in range(40)}
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.5)
    await room.look()
    assert "It and its alerts were not there" in (await room.health())["problem"]


async def test_bad_alerts_are_told_and_the_good_are_kept(room: Room) -> None:
    """DOM-WRN-63, DOM-WRN-64: also a feed that leads to itself, and a clock that is ahead."""
    good, ahead = alert("good"), alert("ahead", minutes=60)
    room.feeds.lists(good, ahead)
    room.feeds.files["/page.xml"] = b"<!DOCTYPE html><html></html>"
    room.feeds.leads(
        "good.xml", "/feed", "/page.xml", "/gone.xml", "ahead.xml", "https://elsewhere.example/x"
    )
    await room.look()
    health = await room.health()
    assert await room.kept() == {"good": "none"}
    assert health["problem"].startswith("4 alerts could not be used. http://127.0.0.1")
    assert "leads to elsewhere.example" in health["problem"] and health["etag"] is None
    await room.look()
    asked = room.feeds.asked
    assert asked.count("/page.xml") == 1, "what is no alert is not asked for again"
    assert asked.count("/gone.xml") == asked.count("/ahead.xml") == 2
    assert asked.count("/good.xml") == 1


async def test_a_feed_that_makes_up_alerts_without_end_is_bounded(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-64."""
    monkeypatch.setattr(listening, "MOST_KEPT", 5)
    monkeypatch.setattr(listening, "MOST_ALERTS", 4)
    room.feeds.lists(*(alert(f"n{at}") for at in range(9)))
    await room.look()
    assert len(await room.kept()) == 4 and (await room.health())["etag"] is None
    await room.look()
    assert len(await room.kept()) == 5
    assert "more than 5 messages" in (await room.health())["problem"]


async def test_no_feed_leads_into_this_machine() -> None:
    """DOM-WRN-60: neither by a name nor by an address."""
    async with webhooks.client() as http:
        for url in (
            "https://169.254.169.254/latest",
            "https://[::ffff:169.254.169.254]/",
            "https://0.0.0.0/",
            "http://met.example/feed",
            "ftp://met.example/feed",
        ):
            with pytest.raises(Unheard, match="not reached"):
                await fetching.get(http, url, 1_000)


# -- as the page and the command line have it


def settings_file(place: Path, url: str, certificates: str = "") -> str:
    file = place / "feeds.toml"
    file.write_text(
        f'[[feed]]\nname = "met"\ntitle = "Met Service"\nurl = "{url}"\n{certificates}\n'
    )
    return str(file)


@dataclass
class Reader:
    """Somebody at the page."""

    http: aiohttp.ClientSession
    base: str
    worker: Worker

    async def ask(self, path: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.worker.peer.me.token}"}
        async with self.http.get(self.base + path, headers=headers) as answer:
            return answer.status, await answer.json()

    async def heard(self, *alerts: str) -> Any:
        """What is heard, as soon as it has these."""
        async with asyncio.timeout(20):
            while True:
                status, found = await self.ask("/api/warnings/heard")
                assert status == 200
                if {each["identifier"] for each in found["alerts"]} == set(alerts):
                    return found
                await asyncio.sleep(0.05)


async def test_advice_is_shown_and_becomes_a_draft_of_our_own(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-65: as any other, it is nobody's warning until somebody has approved it."""
    monkeypatch.setattr(listening, "FIRST_SECONDS", 0.05)
    async with serving() as feeds:
        seal = new_seal()
        (tmp_path / "met.pem").write_bytes(seal.certificate.public_bytes(Encoding.PEM))
        feeds.lists(alert("a"), far("b"), seal=seal)
        file = settings_file(tmp_path, feeds.url, 'certificates = ["met.pem"]')
        await seed(database)
        stage = Stage(database, feeds=file)
        await stage.start()
        try:
            async with aiohttp.ClientSession() as http:
                await at_the_page(stage, http)
        finally:
            await stage.stop()
        runner = CliRunner(env={"PSN_DATABASE": stage.dsn, "PSN_FEEDS": file})
        done = await asyncio.to_thread(runner.invoke, main, ["warnings", "feeds"])
        assert done.exit_code == 0 and "Met Service" in done.output and "2" in done.output


def far(name: str) -> Alert:
    one = alert(name, status=Status.EXERCISE, note="Ejercicio")
    area = replace(one.infos[0].areas[0], polygons=(), circles=(Circle(Point(60.0, 10.0), 5.0),))
    return replace(one, infos=(replace(one.infos[0], areas=(area,)),))


async def at_the_page(stage: Stage, http: aiohttp.ClientSession) -> None:
    await hire(stage)
    host, port = stage.address
    officer = Reader(http, f"http://{host}:{port}", await Worker.enter(stage, OFFICER))
    found = await officer.heard("a", "b")
    (feed,) = found["feeds"]
    assert feed["title"] == "Met Service" and feed["signed"] and feed["in_force"] == 2
    one = next(each for each in found["alerts"] if each["identifier"] == "a")
    assert (one["sender"], one["verdict"], one["near"]) == ("Servicio de un vecino", "good", True)
    assert one["area"] == "Costa sur" and one["state"] == "in_force" and one["warning"] is None
    other = next(each for each in found["alerts"] if each["identifier"] == "b")
    assert not other["near"] and other["status"] == "Exercise"
    _, whole = await officer.ask(f"/api/warnings/heard/{one['id']}")
    assert len(whole["polygons"][0]) == 4
    assert (await officer.ask("/api/warnings/heard/99"))[0] == 404

    begun = await officer.worker.do("warning.reissue", heard=one["id"])
    _, message = await officer.ask(f"/api/warnings/messages/{begun['message']}")
    said = message["content"]
    assert message["stage"] == "draft" and said["status"] == "Actual"
    assert [each["language"] for each in said["texts"]] == ["en-BZ", "es-BZ", "bzj"]
    assert said["texts"][1]["headline"] == "Tormenta tropical al norte"
    assert said["texts"][0] == {"language": "en-BZ"}
    assert said["area"]["name"] == "Costa sur" and len(said["area"]["parts"][0]["points"]) == 3
    assert said["note"] == "After a warning of Servicio de un vecino."
    await officer.worker.refused("warning.reissue", "not_now", heard=one["id"])
    again = (await officer.heard("a", "b"))["alerts"]
    assert {each["message"] for each in again} == {begun["message"], None}
    # Dropped, it can be begun again; an area far from here is left out.
    await officer.worker.do("warning.drop", message=begun["message"])
    await officer.worker.do("warning.reissue", heard=one["id"])
    drill = await officer.worker.do("warning.reissue", heard=other["id"])
    _, message = await officer.ask(f"/api/warnings/messages/{drill['message']}")
    assert "area" not in message["content"] and message["content"]["note"] == "Ejercicio"
    await officer.worker.refused("warning.reissue", "not_found", heard=999)
    approver = Reader(http, officer.base, await Worker.enter(stage, APPROVER))
    assert (await approver.ask("/api/warnings/heard"))[0] == 200
    dispatcher = Reader(http, officer.base, await Worker.enter(stage, "ana"))
    for path in ("", f"/{one['id']}"):
        assert (await dispatcher.ask(f"/api/warnings/heard{path}"))[0] == 403
    await dispatcher.worker.refused("warning.reissue", "not_allowed", heard=one["id"])


@pytest.mark.parametrize(
    "text",
    [
        "[[feed]]\nname = 'met'",
        "[[feed",
        "feed = 3",
        "[[feed]]\nname='met'\nurl='http://met.example/feed'",
        "[[feed]]\nname='met'\nurl='https://127.0.0.1/feed'\nevery=5",
        "[[feed]]\nname='met'\nurl='https://met.example/f'\n" * 2,
        "[[feed]]\nname='met'\nurl='https://met.example/f'\ncertificates=['no.pem']",
        "[[feed]]\nname='met'\nurl='https://met.example/f'\ncertificates=['feeds.toml']",
        "[[feed]]\nname='met'\nurl='https://met.example/f'\ncolour='red'",
        None,
    ],
)
def test_a_file_of_feeds_that_is_wrong_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "feeds.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Problem) as caught:
        sources.read(str(file))
    assert caught.value.code == "bad_feeds" and caught.value.todo
