"""Web push, at a push service that reads what only the browser can read."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import http_ece
import push_service
import pytest
import smsc
from clerks import Clerk
from cryptography.hazmat.primitives.asymmetric import ec
from desk_peer import Worker
from hypothesis import given
from hypothesis import strategies as st
from parties import change
from push_service import PushService, claims
from stage import CAR, GATEWAY, PATROL, Peer, Stage, report, seed, until
from warners import APPROVER, OFFICER, hire, sent

from dispatch.warnings import push
from dispatch.warnings.push import Subscription
from psn.problems import Problem
from psn.settings import Settings, SettingsError, read

ADDRESS = "/api/warnings/push"
HOSTS = Settings().push_hosts


class Site:
    """A server that may push to the service, and who warns."""

    def __init__(
        self, stage: Stage, service: PushService, http: aiohttp.ClientSession, workers: list[Worker]
    ) -> None:
        self.stage, self.service, self.http = stage, service, http
        self.officer, self.approver = workers

    def clerk(self, worker: Worker) -> Clerk:
        return Clerk(self.stage, self.http, worker.peer)

    async def subscribe(
        self, worker: Worker, name: str, *answers: int, language: str = "en-BZ"
    ) -> push_service.Browser:
        browser = self.service.browser(name, *answers)
        said = browser.asked | {"language": language}
        status, body = await self.ask(worker, "POST", said)
        assert (status, body) == (200, {"subscribed": True}), body
        return browser

    async def ask(self, who: Worker | Peer, method: str, said: Any) -> tuple[int, Any]:
        peer = who if isinstance(who, Peer) else who.peer
        url = f"http://{':'.join(map(str, self.stage.address))}{ADDRESS}"
        token = {"Authorization": f"Bearer {peer.me.token}"}
        async with self.http.request(method, url, json=said, headers=token) as answer:
            return answer.status, await answer.json()

    async def problems(self) -> set[str]:
        rows = await self.stage.core.pool.fetch("select problem from warning_delivery")
        return {row["problem"] or "" for row in rows}


@contextlib.asynccontextmanager
async def at_work(
    database: str, place: Path, patch: pytest.MonkeyPatch, hosts: tuple[str, ...] = ("localhost",)
) -> AsyncIterator[Site]:
    await seed(database)
    async with push_service.running(place, patch) as service, aiohttp.ClientSession() as http:
        stage = Stage(database, push_hosts=hosts, smtp=None)
        await stage.start()
        try:
            await hire(stage)
            workers = [
                await Worker.enter(stage, name, "warning_desk") for name in (OFFICER, APPROVER)
            ]
            yield Site(stage, service, http, workers)
            for worker in workers:
                await worker.leave()
        finally:
            await stage.stop()


@pytest.fixture
async def site(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaints: object
) -> AsyncIterator[Site]:
    async with at_work(database, tmp_path, monkeypatch) as site:
        yield site


async def test_a_browser_gets_what_only_it_can_read(site: Site) -> None:
    """DOM-WRN-44."""
    car, away = [await Worker.enter(site.stage, who, "warnings") for who in (CAR, PATROL)]
    ben = await Worker.enter(site.stage, "ben", "warnings")
    await report(car.peer)
    await report(away.peer, lon=-890_000_000, lat=160_000_000)
    await until(lambda: len(site.stage.core.picture.newest) == 2, "they were heard of")
    tablet = await site.subscribe(car, "tablet", language="es-BZ")
    await site.subscribe(away, "elsewhere")
    console = await site.subscribe(ben, "console", 429, 503)
    made = await sent(site.officer, site.approver)
    assert await smsc.settled(site.stage, "push", 2) == {"handed": 2}
    ((headers, body),) = site.service.of("tablet")
    said = tablet.read(body)
    assert said["id"] == made["message"] and said["title"] == "NEMO: Aviso de huracán para Belice"
    assert said["body"].endswith("Vaya a un refugio ahora.") and said["status"] == "Actual"
    assert len(body) <= 4_096 and b"refugio" not in body
    assert (headers["Content-Encoding"], headers["Urgency"]) == ("aes128gcm", "high")
    assert (
        0 < int(headers["TTL"]) <= 24 * 3_600 and headers["Topic"] == f"warning-{made['warning']}"
    )
    key = (await site.clerk(ben).get(ADDRESS))["key"]
    assert claims(headers, key)["aud"] == site.service.url
    assert len(site.service.of("console")) == 3, "one that is busy gets it later"
    assert console.read(site.service.of("console")[2][1])["title"].startswith("NEMO: Hurricane")
    assert site.service.of("elsewhere") == []
    told = await site.clerk(site.officer).get(f"/api/warnings/{made['message']}/report")
    (line,) = (each for each in told["lines"] if each["channel"] == "push")
    assert (line["total"], line["handed"]) == (2, 2)
    rows = await site.stage.core.pool.fetch("select address from warning_recipient")
    assert all(site.service.url not in row["address"] for row in rows)
    for worker in (car, away, ben):
        await worker.leave()


async def test_a_subscription_that_is_over_is_not_asked_again(site: Site, database: str) -> None:
    """DOM-WRN-45."""
    ana = await Worker.enter(site.stage, "ana", "warnings")
    cyd = await Worker.enter(site.stage, "cyd", "warnings")
    for name, answer in (("gone", 410), ("missing", 404), ("refused", 403)):
        await site.subscribe(ana, name, answer)
    await site.subscribe(ana, "led", 302, 201)
    left = await site.subscribe(ana, "left")
    await site.subscribe(ana, "twice")
    await site.subscribe(ana, "twice")
    await site.subscribe(cyd, "dismissed")
    assert await site.ask(ana, "DELETE", {"endpoint": left.endpoint}) == (
        200,
        {"subscribed": False},
    )
    # A browser is of who used it last.
    shared = await site.subscribe(ana, "shared")
    assert (await site.ask(cyd, "POST", shared.asked))[0] == 200
    # Nobody ends what is not his.
    other = {"endpoint": f"{site.service.url}/send/twice"}
    assert (await site.ask(cyd, "DELETE", other))[0] == 200
    await cyd.leave()
    await change(site.stage, database, "update person set disabled_at = now() where name = 'cyd'")
    await sent(site.officer, site.approver)
    assert await smsc.settled(site.stage, "push", 7) == {"handed": 2, "failed": 5}
    assert [name for name, _, _ in site.service.taken].count("twice") == 1
    assert {name for name, _, _ in site.service.taken} == {
        "gone", "missing", "refused", "led", "twice",
    }  # fmt: skip
    assert len(site.service.of("led")) == 2, "where it leads is not gone to"
    assert {"The subscription is over.", "The push service answered 403."} <= await site.problems()
    kept = await site.stage.core.pool.fetchval(
        "select count(*) from warning_recipient where channel = 'push' and ended_at is null"
    )
    assert kept == 3  # refused, led, twice
    assert not await site.stage.core.pool.fetchval(
        "select count(secret) from warning_recipient where ended_at is not null"
    )
    await ana.leave()


async def test_a_person_has_ten_and_the_oldest_ends(site: Site) -> None:
    """DOM-WRN-45."""
    ana = await Worker.enter(site.stage, "ana", "warnings")
    for number in range(12):
        await site.subscribe(ana, f"b{number}")
    rows = await site.stage.core.pool.fetch(
        "select id from warning_recipient where ended_at is null order by id"
    )
    assert len(rows) == 10 and rows[0]["id"] == 3
    await ana.leave()


async def test_a_name_that_leads_to_this_machine_is_not_called(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaints: object
) -> None:
    """DOM-WRN-46: also when its name was allowed."""
    hosts = ("localhost", "localhost.localdomain")
    monkeypatch.setattr("socket.getaddrinfo", _everywhere_here(hosts[1]))
    async with at_work(database, tmp_path, monkeypatch, hosts) as site:
        ana = await Worker.enter(site.stage, "ana", "warnings")
        browser = site.service.browser("inside")
        said = browser.asked
        said["endpoint"] = said["endpoint"].replace("localhost", hosts[1])
        assert (await site.ask(ana, "POST", said))[0] == 200
        await sent(site.officer, site.approver)
        async with asyncio.timeout(20):
            while not any("which is not called" in each for each in await site.problems()):
                await asyncio.sleep(0.05)
        assert site.service.taken == []
        await ana.leave()


def _everywhere_here(name: str) -> Any:
    import socket

    real = socket.getaddrinfo

    def resolve(host: Any, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == name else host, *more, **named)

    return resolve


async def test_what_is_no_subscription_is_refused_and_gateways_have_none(site: Site) -> None:
    """DOM-WRN-46."""
    ana = await Worker.enter(site.stage, "ana", "warnings")
    good = site.service.browser("good").asked
    for changes, code in (
        ({"endpoint": "http://localhost/send/x"}, "bad_subscription"),
        ({"endpoint": "https://127.0.0.1/send/x"}, "bad_subscription"),
        ({"endpoint": "https://push.example.com/x"}, "bad_subscription"),
        ({"p256dh": "AAAA"}, "bad_subscription"),
        ({"auth": "AAAA"}, "bad_subscription"),
        ({"endpoint": 3}, "bad_body"),
        ({"language": "de"}, "bad_body"),
    ):
        status, body = await site.ask(ana, "POST", good | changes)
        assert (status, body["error"]["code"]) == (400, code), changes
        assert body["error"]["text"] and body["error"]["todo"]
    gateway = await Peer.enter(site.stage.url, GATEWAY)
    status, body = await site.ask(gateway, "POST", good)
    assert (status, body["error"]["code"]) == (403, "not_allowed")
    await gateway.leave()
    rows = await site.stage.core.pool.fetchval("select count(*) from warning_recipient")
    assert rows == 0
    await ana.leave()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://push.apple.com/x",
        "https://fcm.googleapis.com/x#y",
        "https://[::1]/x",
        "https://169.254.169.254/latest",
        "https://fcm.googleapis.com:nine/x",
        "ftp://fcm.googleapis.com/x",
        "https://fcm.googleapis.com/" + "x" * 1_000,
    ],
)
def test_no_other_service_is_called(endpoint: str) -> None:
    """DOM-WRN-46."""
    with pytest.raises(Problem) as refused:
        push.check_endpoint(endpoint, HOSTS)
    assert refused.value.code == "bad_subscription"
    for good in ("https://fcm.googleapis.com/fcm/send/a:b", "https://web.push.apple.com/Q"):
        push.check_endpoint(good, HOSTS)


@given(st.text(), st.text(), st.text())
def test_anything_is_a_subscription_or_refused(endpoint: str, point: str, auth: str) -> None:
    with pytest.raises(Problem) as refused:
        push.checked(Subscription(endpoint, point, auth), HOSTS)
    assert refused.value.code == "bad_subscription"


@pytest.mark.parametrize(
    "hosts", ["https://push.example.com", "a b", "*", "*.", "push.example.com/x"]
)
def test_what_is_no_host_is_no_setting(hosts: str) -> None:
    with pytest.raises(SettingsError):
        read({"PSN_PUSH_HOSTS": hosts})
    assert read({"PSN_PUSH_HOSTS": ""}).push_hosts == ()


def test_it_is_encrypted_as_the_standard_has_it() -> None:
    """RFC 8291, 5 and appendix A: the example of the standard, both ways."""

    def octets(text: str) -> bytes:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))

    server = ec.derive_private_key(
        int.from_bytes(octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1()
    )
    browser = (
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    )
    made = http_ece.encrypt(
        b"When I grow up, I want to be a watermelon",
        salt=octets("DGv6ra1nlYgDCS1FRnbzlw"),
        private_key=server,
        dh=octets(browser),
        auth_secret=octets("BTBZMqHH6r4Tts7J_aSIgg"),
        version="aes128gcm",
    )
    assert made == octets(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6"
        "TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulc"
        "y4a-fN"
    )
