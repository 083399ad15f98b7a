"""Foreign pages, forged headers, headers without end: what comes before any handler."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.test_utils import TestClient, TestServer
from stage import Peer, Stage, seed
from websockets.exceptions import InvalidStatus
from yarl import URL

from psn import gate
from psn.settings import Settings, SettingsError, read


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("https://psn.example.bz", "psn.example.bz", True),
        ("https://psn.example.bz:443", "psn.example.bz", True),
        ("https://PSN.example.bz", "psn.example.bz", True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("https://console.example.bz", "10.0.0.7:8080", True),  # as it is set
        ("https://evil.example", "psn.example.bz", False),
        ("https://psn.example.bz.evil.example", "psn.example.bz", False),
        ("https://psn.example.bz:8443", "psn.example.bz", False),
        ("http://127.0.0.1:8081", "127.0.0.1:8080", False),
        ("null", "psn.example.bz", False),
        ("file://", "psn.example.bz", False),
        ("", "psn.example.bz", False),
        ("https://[", "psn.example.bz", False),
        ("https://psn.example.bz:99999", "psn.example.bz", False),
    ],
)
def test_whose_page_it_is(origin: str, host: str, same: bool) -> None:
    assert gate.same_place(origin, host, "https://console.example.bz") is same


async def test_a_foreign_page_gets_no_websocket_and_changes_nothing(stage: Stage) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await Peer.enter(stage.url, "ana", origin="https://evil.example")
    assert refused.value.response.status_code == 403
    own = _http(stage)
    async with await Peer.enter(stage.url, "ana", origin=own) as peer:
        token = peer.me.token
    headers = {"Authorization": f"Bearer {token}", "Origin": "https://evil.example"}
    async with aiohttp.ClientSession(own, headers=headers) as http:
        async with http.post("/api/me/sign-out-everywhere") as answer:
            assert answer.status == 403
            assert (await answer.json())["error"]["code"] == "foreign_origin"
        async with http.get("/api/config") as answer:
            assert answer.status == 200
            assert "Access-Control-Allow-Origin" not in answer.headers
        async with http.options("/api/me/sign-out-everywhere") as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
    assert stage.core.tickets.by_token(token) is not None


async def test_foreign_pages_write_and_fill_no_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """A path may hold the end of a line and what looks like the next one."""
    headers = {"Origin": "https://evil.example"}
    path = URL("/nowhere%0a2026-11-25%20ERROR%20forged", encoded=True)
    async with aiohttp.ClientSession(_http(stage), headers=headers) as http:
        for _ in range(20):
            async with http.post(path) as answer:
                assert answer.status == 403
    said = [record.getMessage() for record in caplog.records if record.name == "psn.gate"]
    assert len(said) == 1 and "forged" not in said[0] and "\n" not in said[0]


async def test_of_two_origins_both_must_be_ours(stage: Stage) -> None:
    own = _http(stage)
    headers = [("Origin", own), ("Origin", "https://evil.example")]
    async with (
        aiohttp.ClientSession(own) as http,
        http.post("/api/enrol", headers=headers, json={}) as answer,
    ):
        assert answer.status == 403


def _http(stage: Stage) -> str:
    host, port = stage.address
    return f"http://{host}:{port}"


async def _source(stage: Stage, forwarded_for: str) -> str:
    """Whence a session was begun, as it is kept."""
    said = {"X-Forwarded-For": forwarded_for, "X-Forwarded-Proto": "https"}
    async with await Peer.enter(stage.url, "ana", additional_headers=said):
        connection = await asyncpg.connect(stage.dsn)
        try:
            query = "SELECT source FROM session ORDER BY created_at DESC LIMIT 1"
            return str(await connection.fetchval(query))
        finally:
            await connection.close()


async def test_a_forged_forwarded_header_is_not_believed(stage: Stage) -> None:
    assert await _source(stage, "198.51.100.7") == "127.0.0.1"


async def test_a_named_proxy_is_believed(database: str) -> None:
    await seed(database)
    told = read({"PSN_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}).trusted_proxies
    behind = Stage(database, trusted_proxies=told)
    await behind.start()
    try:
        assert await _source(behind, "6.6.6.6, 198.51.100.7, 10.1.1.1") == "198.51.100.7"
        assert await _source(behind, "rubbish") == "127.0.0.1"
    finally:
        await behind.stop()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"X-%d: y\r\n" % n for n in range(10_000))
        + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + b"1.1.1.1," * 900 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS",
    ],
    ids=["path", "field", "fields", "list", "smuggled", "nul", "tls"],
)
async def test_requests_that_are_too_much_are_answered_or_cut_off(
    stage: Stage, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection(*stage.address)
    try:
        writer.write(raw)
        async with asyncio.timeout(20):
            first = await reader.readline()
    except ConnectionError:
        first = b""  # cut off while we were still talking
    finally:
        writer.close()
    assert b" 500 " not in first
    async with aiohttp.ClientSession(_http(stage)) as http, http.get("/readyz") as answer:
        assert answer.status == 200
    assert b"aaaa" not in caplog.text.encode()


HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"GET /api/places?q=" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400, "too_long"),
        (HEAD + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n", 400, "too_long"),
        (HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(1_000)) + b"\r\n", 400, "bad_request"),
        (b"garbage\r\n\r\n", 400, "bad_request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc this is TLS", 400, "bad_request"),
        (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400, "bad_request"),
        (HEAD + b"Expect: tea\r\n\r\n", 417, "bad_request"),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
        (b"POST /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 405, "wrong_method"),
        (b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", 400, "no_websocket"),
    ],
    ids=[
        "address", "header", "headers", "garbage", "tls", "star", "expect", "connect", "nowhere",
        "method", "no websocket",
    ],
)  # fmt: skip
async def test_whatever_is_refused_before_a_handler_is_told_as_everywhere(
    stage: Stage, raw: bytes, status: int, code: str
) -> None:
    reader, writer = await asyncio.open_connection(*stage.address)
    writer.write(raw)
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = re.findall(rb"content-length: (\d+)", head.lower())
        body = await reader.readexactly(int(length))
    writer.close()
    assert int(head.split()[1]) == status
    assert b"content-type: application/json" in head.lower()
    error = json.loads(body)["error"]
    assert error["code"] == code and error["text"].endswith(".") and error["todo"].endswith(".")
    assert b"aaaa" not in body and b"tea" not in body  # nothing of the sender's comes back


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["nothing", "half a line", "half a request", "one request"],
)
async def test_who_never_finishes_asking_is_closed_and_holds_up_nobody(
    database: str, monkeypatch: pytest.MonkeyPatch, first: bytes
) -> None:
    assert gate.KEEP_ALIVE_SECONDS == 75.0
    monkeypatch.setattr(gate, "KEEP_ALIVE_SECONDS", 1.0)
    await seed(database)
    stage = Stage(database)
    await stage.start()
    try:
        held = await asyncio.gather(*(asyncio.open_connection(*stage.address) for _ in range(300)))
        for _, writer in held:
            writer.write(first)
        async with await Peer.enter(stage.url, "ana") as peer:
            await peer.answers()
        async with asyncio.timeout(20):
            for reader, writer in held:
                with contextlib.suppress(ConnectionError):
                    await reader.read()
                writer.close()
    finally:
        await stage.stop()


async def test_a_fault_is_told_in_general_words_and_logged_with_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(request: web.Request) -> web.Response:
        raise RuntimeError("SELECT password_hash FROM person")

    async def fails_late(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise RuntimeError("too late")

    application = web.Application(middlewares=[gate.failing_plainly()])
    application.router.add_get("/fails/{secret}", fails)
    application.router.add_get("/late", fails_late)
    asyncio.get_running_loop().set_debug(True)  # then aiohttp itself would show the trace
    async with TestClient(TestServer(application)) as client:
        for accept in ("text/html", "*/*"):
            async with client.get("/fails/tok123", headers={"Accept": accept}) as answer:
                assert (answer.status, answer.content_type) == (500, "application/json")
                assert answer.headers["Cache-Control"] == "no-store"
                told = await answer.text()
                assert (await answer.json())["error"]["code"] == "internal"
            assert not [
                word for word in ("password_hash", "Runtime", "File", "line") if word in told
            ]
        with pytest.raises(aiohttp.ClientPayloadError):
            async with client.get("/late") as answer:
                await answer.read()
    assert "password_hash" in caplog.text and "GET /fails/{secret} failed" in caplog.text
    assert "tok123" not in caplog.text


async def test_a_body_that_is_no_http_is_the_fault_of_its_sender(stage: Stage) -> None:
    reader, writer = await asyncio.open_connection(*stage.address)
    writer.write(
        b"POST /api/enrol HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\nthis is no chunk\r\n'
    )
    async with asyncio.timeout(20):
        first = await reader.readline()
    writer.close()
    assert b" 400 " in first


def test_what_is_no_http_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    logger = gate.http_log()
    for _ in range(50):
        try:
            raise BadHttpMessage("the sender's own words")
        except BadHttpMessage:
            logger.exception("Error handling request from %s", "198.51.100.7")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logger.exception("Error handling request from %s", "198.51.100.7")
    first, fault = caplog.records
    assert (first.levelname, first.exc_info) == ("WARNING", None)
    assert "own words" not in caplog.text
    assert fault.levelname == "ERROR"
    assert fault.exc_info is not None


def test_proxies_are_believed_only_when_they_are_named() -> None:
    assert Settings().trusted_proxies == ()
    with pytest.raises(SettingsError, match="PSN_TRUSTED_PROXIES"):
        read({"PSN_TRUSTED_PROXIES": "everyone"})
