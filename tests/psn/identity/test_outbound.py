"""HTTP to others: little time, few bytes, no detours, and nothing that only we can reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from psn.identity import outbound
from psn.identity.outbound import Unreached, may_connect


@pytest.mark.parametrize(
    ("address", "host", "vouched", "may"),
    [
        ("93.184.216.34", "id.example", "id.example", True),
        ("10.1.2.3", "id.example", "id.example", True),  # the agency's own network
        ("fd00::7", "id.example", "id.example", True),
        ("10.1.2.3", "other.example", "id.example", False),
        ("192.168.0.1", "192.168.0.1", "id.example", False),
        ("8.8.8.8", "other.example", "id.example", True),
        ("127.0.0.1", "id.example", "id.example", False),
        ("::1", "id.example", "id.example", False),
        ("::ffff:127.0.0.1", "id.example", "id.example", False),
        ("127.0.0.1", "localhost", "id.example", False),
        ("127.0.0.1", "127.0.0.1", "localhost", True),
        ("169.254.169.254", "id.example", "id.example", False),
        ("::ffff:169.254.169.254", "169.254.169.254", "169.254.169.254", False),
        ("fe80::1%eth0", "id.example", "id.example", False),
        ("0.0.0.0", "id.example", "id.example", False),
        ("224.0.0.1", "id.example", "id.example", False),
        ("ff02::1", "id.example", "id.example", False),
        ("100.64.0.1", "other.example", "id.example", False),
        ("64:ff9b::a9fe:a9fe", "other.example", "id.example", False),
        ("64:ff9b::7f00:1", "other.example", "id.example", False),
        ("2002:7f00:1::1", "other.example", "id.example", False),
        ("168.63.129.16", "id.example", "id.example", False),
    ],
)
def test_which_addresses_may_be_asked(address: str, host: str, vouched: str, may: bool) -> None:
    assert may_connect(address, host, vouched) is may


@pytest_asyncio.fixture
async def other() -> AsyncIterator[str]:
    """Somebody else's server, on this machine."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        match request.path:
            case "/moved":
                raise web.HTTPFound("/good")
            case "/large":
                response = web.StreamResponse()
                await response.prepare(request)
                try:
                    while True:
                        await response.write(b" " * 65_536)
                except ConnectionError:
                    return response
            case "/slow":
                await asyncio.Event().wait()
            case "/drip":
                response = web.StreamResponse()
                await response.prepare(request)
                try:
                    while True:
                        await response.write(b" ")
                        await asyncio.sleep(0.01)
                except ConnectionError:
                    return response
            case "/asked":
                return web.json_response(asked)
        said = {"body": await request.text(), "cookie": request.headers.get("Cookie")}
        reply = web.json_response(said)
        reply.set_cookie("tracked", "yes")
        return reply

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_an_answer_has_a_status_and_a_body(other: str) -> None:
    for _ in range(2):  # no cookie is kept
        answer = await outbound.ask(f"{other}/good", "127.0.0.1", form="a=b")
        assert answer.status == 200 and answer.body == b'{"body": "a=b", "cookie": null}'


async def test_a_redirect_is_an_answer_and_is_not_followed(other: str) -> None:
    assert (await outbound.ask(f"{other}/moved", "127.0.0.1")).status == 302
    assert b"good" not in (await outbound.ask(f"{other}/asked", "127.0.0.1")).body


async def test_what_is_too_large_or_too_slow_is_broken_off(other: str) -> None:
    with pytest.raises(Unreached, match="bytes"):
        await outbound.ask(f"{other}/large", "127.0.0.1")
    for path in ("slow", "drip"):
        with pytest.raises(Unreached, match=r"within 0\.2 s"):
            await outbound.ask(f"{other}/{path}", "127.0.0.1", seconds=0.2)


async def test_who_is_not_there_or_must_not_be_asked_is_not_reached(other: str) -> None:
    with pytest.raises(Unreached, match="may not be asked"):
        await outbound.ask(f"{other}/good", "id.example")
    by_name = other.replace("127.0.0.1", "localhost")
    with pytest.raises(Unreached, match="no address that may be asked"):
        await outbound.ask(f"{by_name}/good", "id.example")
    assert (await outbound.ask(f"{other}/asked", "localhost")).body == b'["/asked"]'
    with pytest.raises(Unreached):
        await outbound.ask("http://127.0.0.1:1/", "127.0.0.1")
    with pytest.raises(Unreached):
        await outbound.ask("https://nobody.invalid/", "nobody.invalid")
