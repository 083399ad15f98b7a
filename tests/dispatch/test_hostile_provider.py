"""A provider that lies, stalls or talks rubbish lets nobody in and harms nobody (DOM-FED-3)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from agency_page import BEGIN, FINISH, MINE, Page, add_provider, audited, link
from aiohttp import web
from joserfc import jws
from joserfc.jwk import RSAKey
from stage import ANA, BPD, Peer, Stage, until

from psn.identity import outbound, providers
from psn.identity.lockout import Lockout

KEY = RSAKey.generate_key(2_048, {"kid": "one"})
OTHER = RSAKey.generate_key(2_048, {"kid": "one"})
NEWER = RSAKey.generate_key(2_048, {"kid": "two"})


class Hostile:
    """A provider that answers as it is told to."""

    def __init__(self) -> None:
        self.issuer = ""
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.key = KEY
        self.keys: list[Any] = [KEY]
        self.answer: web.Response | None = None
        """Of the token endpoint, instead of tokens."""
        self.document: web.Response | None = None
        """Instead of the metadata."""
        self.stall: set[str] = set()
        self.over = asyncio.Event()
        self.asked: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path in self.stall:
            await self.over.wait()
        if request.path == "/keys":
            return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})
        if request.path == "/token":
            return self._again(self.answer) or web.json_response({"id_token": self.token()})
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return self._again(self.document) or web.json_response(said | self.metadata)

    @staticmethod
    def _again(made: web.Response | None) -> web.Response | None:
        if made is None:
            return None
        return web.Response(status=made.status, body=made.body, headers=made.headers)

    def token(self) -> str:
        now = time.time()
        right = {
            "iss": self.issuer,
            "aud": "psn",
            "sub": "agent-7",
            "iat": now,
            "exp": now + 60,
            "auth_time": now,
        }
        claims = {name: x for name, x in (right | self.claims).items() if x is not None}
        header = {"alg": "RS256", "kid": self.key.kid}
        return jws.serialize_compact(header, json.dumps(claims), self.key)


@pytest_asyncio.fixture
async def hostile() -> AsyncIterator[Hostile]:
    made = Hostile()
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", made.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    made.over.set()
    await runner.cleanup()


@pytest_asyncio.fixture
async def page(stage: Stage, hostile: Hostile) -> AsyncIterator[Page]:
    await link(stage, await add_provider(stage, BPD, hostile.issuer), 1, "agent-7")
    async with aiohttp.ClientSession() as http:
        yield Page(stage, http)


async def tried(page: Page, hostile: Hostile, **more: str) -> tuple[int, Any]:
    """Begin, and come back with a code."""
    gone = await page.begin()
    hostile.claims.setdefault("nonce", parse_qs(urlsplit(gone["address"]).query)["nonce"][0])
    back = {"agency": "BPD", "state": gone["state"], "secret": gone["secret"], "code": "x"}
    try:
        return await page.ask("POST", FINISH, back | more)
    finally:
        page.stage.core.signin.people.lockout = Lockout()
        hostile.claims.clear()


def forget(page: Page) -> None:
    """Nothing is known of the provider any more."""
    page.stage.core.federation.providers = providers.Providers()


async def test_lies_in_tokens_let_nobody_in(stage: Stage, page: Page, hostile: Hostile) -> None:
    now = time.time()
    status, said = await tried(page, hostile)
    assert status == 200 and said["token"]
    lies: list[tuple[dict[str, Any], str, str]] = [
        ({"nonce": "another"}, "provider_distrusted", "nonce"),
        ({"iss": "https://id.police.example"}, "provider_distrusted", "iss"),
        ({"aud": "other"}, "provider_distrusted", "aud"),
        ({"azp": "other"}, "provider_distrusted", "azp"),
        ({"exp": now - 90}, "provider_clock", "clock"),
        ({"iat": now + 600}, "provider_clock", "clock"),
        ({"auth_time": now - 600}, "provider_distrusted", "auth_time"),
        ({"auth_time": None}, "provider_distrusted", "auth_time"),
        ({"sub": None}, "provider_distrusted", "sub"),
        ({"sub": "agent-7\u0000"}, "provider_distrusted", "subject"),
    ]
    for claims, code, _ in lies:
        hostile.claims.update(claims)
        status, said = await tried(page, hostile)
        assert (status, said["error"]["code"]) == (502, code), claims
    hostile.key = OTHER
    status, said = await tried(page, hostile)
    assert said["error"]["code"] == "provider_distrusted"
    failed = await audited(stage, "sign_in.failed", len(lies) + 1)
    reasons = [each["details"]["reason"] for each in failed]
    assert reasons == [reason for _, _, reason in lies] + ["signature"]
    assert await stage.core.pool.fetchval("select count(*) from session") == 1


async def test_rubbish_for_tokens_lets_nobody_in(page: Page, hostile: Hostile) -> None:
    for answer, code in (
        (web.Response(text="<html>"), "provider_distrusted"),
        (web.Response(text="{}"), "provider_distrusted"),
        (web.Response(text='{"id_token": 7}'), "provider_distrusted"),
        (web.Response(text='{"id_token": "a.b.c"}'), "provider_distrusted"),
        (web.Response(body=b"\xff\xfe"), "provider_distrusted"),
        (web.Response(text="[" * 50_000), "provider_distrusted"),
        (web.Response(text='{"error": "invalid_grant"}', status=400), "provider_distrusted"),
        (web.Response(status=302, headers={"Location": "/keys"}), "provider_distrusted"),
        (web.Response(text="oh", status=500), "provider_away"),
        (web.Response(text=" " * (outbound.MOST_BYTES + 1)), "provider_away"),
    ):
        hostile.answer = answer
        status, said = await tried(page, hostile)
        assert status in (502, 503) and said["error"]["code"] == code, answer.body
        assert said["error"]["text"] and said["error"]["todo"]
    assert hostile.asked.count("/keys") == 1


async def test_metadata_that_speaks_for_somebody_else_is_not_followed(
    page: Page, hostile: Hostile
) -> None:
    for metadata in (
        {"issuer": "https://id.police.example"},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"jwks_uri": "http://id.police.example/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
    ):
        forget(page)
        hostile.metadata = metadata
        assert await page.code_of(BEGIN, {"agency": "BPD"}) == "provider_distrusted", metadata
    forget(page)
    hostile.metadata = {"jwks_uri": "https://10.0.0.1/keys"}
    assert await page.code_of(BEGIN, {"agency": "BPD"}) == "provider_away"
    forget(page)
    hostile.document = web.Response(status=302, headers={"Location": "/keys"})
    assert await page.code_of(BEGIN, {"agency": "BPD"}) == "provider_away"


async def test_a_return_that_does_not_name_who_promised_it_is_refused(
    page: Page, hostile: Hostile
) -> None:
    hostile.metadata = {"authorization_response_iss_parameter_supported": True}
    for more, code in (
        ({}, 502),
        ({"iss": "https://id.police.example"}, 502),
        ({"iss": hostile.issuer}, 200),
        ({"iss": "https://id.police.example", "error": "access_denied"}, 502),
        ({"iss": hostile.issuer, "error": "access_denied"}, 403),
    ):
        assert (await tried(page, hostile, **more))[0] == code, more


async def test_unknown_keys_are_looked_for_once_in_a_while(page: Page, hostile: Hostile) -> None:
    assert (await tried(page, hostile))[0] == 200
    hostile.key = NEWER
    for _ in range(3):
        assert (await tried(page, hostile))[0] == 502
    assert hostile.asked.count("/keys") == 2
    hostile.keys = [KEY, NEWER]
    forget(page)
    assert (await tried(page, hostile))[0] == 200


async def test_one_that_does_not_answer_holds_up_nobody_else(
    stage: Stage, page: Page, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "PATIENCE_SECONDS", 0.3)
    gone = await page.begin()
    hostile.stall.add("/token")
    back = {"agency": "BPD", "state": gone["state"], "secret": gone["secret"], "code": "x"}
    waiting = asyncio.create_task(page.refused(FINISH, back))
    async with await Peer.enter(stage.url, "ana") as peer:
        assert peer.me.me == ANA
    assert (await waiting)["code"] == "provider_away"


async def test_who_is_thrown_out_while_it_is_asked_gets_nothing_and_leaves_nothing(
    stage: Stage, page: Page, hostile: Hostile
) -> None:
    pool = stage.core.pool

    async def held_up(path: str, go: Page, disable: str) -> str:
        """Finish, and meanwhile something is changed in the database."""
        begin = BEGIN if path == FINISH else f"{MINE}/begin"
        gone = await go.post(begin, {"agency": "BPD"} if path == FINISH else None)
        hostile.claims["nonce"] = parse_qs(urlsplit(gone["address"]).query)["nonce"][0]
        hostile.stall.add("/token")
        back = {"agency": "BPD", "state": gone["state"], "secret": gone["secret"], "code": "x"}
        asked = hostile.asked.count("/token")
        waiting = asyncio.create_task(go.refused(path, back))
        await until(lambda: hostile.asked.count("/token") > asked, "the provider is asked")
        await pool.execute(disable)
        await stage.core.refresh_directory()
        await stage.core.tickets.load()
        hostile.over.set()
        code = str((await waiting)["code"])
        hostile.over.clear()
        hostile.stall.clear()
        return code

    off = "update person set disabled_at = now() where id = 1"
    assert await held_up(FINISH, page, off) == "not_linked"
    await pool.execute("update person set disabled_at = null where id = 1")
    await pool.execute("delete from linked_identity")
    await stage.core.refresh_directory()
    async with await Peer.enter(stage.url, "ana") as peer:
        mine = Page(stage, page.http, peer.me.token)
        out = "update session set ended_at = now()"
        assert await held_up(MINE, mine, out) == "session_ended"
    assert await pool.fetchval("select count(*) from linked_identity") == 0


async def test_one_that_is_away_is_not_asked_at_every_try(page: Page, hostile: Hostile) -> None:
    hostile.document = web.Response(status=503)
    for _ in range(5):
        error = await page.refused(BEGIN, {"agency": "BPD"})
        assert error["code"] == "provider_away"
    assert len(hostile.asked) == 1


async def test_very_many_who_begin_ask_the_provider_once(page: Page, hostile: Hostile) -> None:
    await asyncio.gather(*(page.begin() for _ in range(50)))
    assert hostile.asked == ["/.well-known/openid-configuration", "/keys"]
