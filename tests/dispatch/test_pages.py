"""Built pages are sent as they are, with strict headers, and nothing beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler
from yarl import URL

from dispatch import pages
from psn.settings import Settings


@pytest.fixture
def built(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>Console</title>")
    (dist / "assets" / "app-1a2b.mjs").write_text("export {}")
    (dist / "admin.html").write_text("<!doctype html><title>Administration</title>")
    (dist / "numbers.html").write_text("<!doctype html><title>Numbers</title>")
    (dist / "warnings.html").write_text("<!doctype html><title>Warnings</title>")
    (dist / "field.html").write_text("<!doctype html><title>Field</title>")
    (dist / "call.html").write_text("<!doctype html><title>Answering</title>")
    (dist / "sign-in.html").write_text("<!doctype html><title>Back</title>")
    (tmp_path / "secret.txt").write_text("not for the web")
    (tmp_path / "own.pmtiles").write_bytes(b"PMTiles" + bytes(range(100)))
    return dist


@pytest_asyncio.fixture
async def http(built: Path) -> AsyncIterator[aiohttp.ClientSession]:
    application = web.Application()
    settings = Settings(pmtiles=str(built.parent / "own.pmtiles"))
    pages.add_routes(application, settings, built)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
        yield session
    await runner.cleanup()


async def test_the_pages_and_their_files(http: aiohttp.ClientSession) -> None:
    for path, title in (
        ("/", "Console"),
        ("/admin", "Administration"),
        ("/numbers", "Numbers"),
        ("/warnings", "Warnings"),
        ("/field", "Field"),
        ("/call", "Answering"),
        ("/sign-in/bpd?code=x&state=y", "Back"),
    ):
        async with http.get(path) as page:
            assert (page.status, page.headers["Cache-Control"]) == (200, "no-cache")
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
            assert title in await page.text()
    async with http.get("/assets/app-1a2b.mjs") as script:
        assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "immutable" in script.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/admin", "/field", "/assets/app-1a2b.mjs", "/nothing"])
async def test_every_answer_has_the_headers(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self' 'wasm-unsafe-eval';" in policy  # and no eval of text
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Strict-Transport-Security" not in answer.headers  # it came without TLS


async def test_who_came_over_tls_comes_back_over_tls_alone(tmp_path: Path) -> None:
    application = web.Application()

    @web.middleware
    async def as_over_tls(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await handler(request.clone(scheme="https", host=request.headers["X-Host"]))

    application.middlewares.append(as_over_tls)
    pages.add_routes(application, Settings(), tmp_path)
    async with TestClient(TestServer(application)) as client:
        for path in ("/", "/nothing", "/admin"):
            async with client.get(path, headers={"X-Host": "psn.example.bz"}) as answer:
                said = answer.headers["Strict-Transport-Security"]
                assert said == "max-age=31536000; includeSubDomains"
        async with client.get("/", headers={"X-Host": "localhost"}) as answer:
            assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets",
        "/assets/app-1a2b.mjs/..",
        "/assets/app-1a2b.mjs/more",
        "/index.html%00",
        "/%00",
        "/" + "long" * 1_000,
        "/%ff%fe",
        "/..%5csecret.txt",
        "/%2fetc/passwd",
    ],
    ids=lambda path: path[:40],
)
async def test_nothing_beside_the_built_files(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(URL(path, encoded=True)) as answer:
        assert answer.status == 404
        assert "not for the web" not in await answer.text()


async def test_a_link_out_of_the_built_files_is_not_followed(
    http: aiohttp.ClientSession, built: Path
) -> None:
    (built / "assets" / "out.txt").symlink_to(built.parent / "secret.txt")
    async with http.get("/assets/out.txt") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
async def test_pages_are_only_read(http: aiohttp.ClientSession, method: str) -> None:
    for path in ("/", "/assets/app-1a2b.mjs"):
        async with http.request(method, path) as answer:
            assert answer.status == 405
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_operators_map_is_read_in_ranges(http: aiohttp.ClientSession) -> None:
    async with http.get("/map.pmtiles", headers={"Range": "bytes=0-6"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"PMTiles")


async def test_pages_that_are_not_built_say_so(tmp_path: Path) -> None:
    application = web.Application()
    pages.add_routes(application, Settings(), tmp_path / "nothing")
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with (
        aiohttp.ClientSession(f"http://{host}:{port}") as session,
        session.get("/") as answer,
        session.get("/admin") as other,
    ):
        assert answer.status == other.status == 503
        assert "./run web" in await answer.text()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("pmtiles", "address", "allowed"),
    [
        (None, None, "connect-src 'self';"),
        ("/maps/belize.pmtiles", "/map.pmtiles", "connect-src 'self';"),
        (
            "https://maps.example/bz.pmtiles",
            "https://maps.example/bz.pmtiles",
            "connect-src 'self' https://maps.example;",
        ),
    ],
)
def test_a_map_elsewhere_is_allowed_and_nothing_else(
    pmtiles: str | None, address: str | None, allowed: str
) -> None:
    settings = Settings(pmtiles=pmtiles)
    assert pages.map_address(settings) == address
    assert allowed in pages.headers(settings)["Content-Security-Policy"]
