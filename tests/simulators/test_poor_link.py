"""A poor link keeps the order of what it passes on, and loses nothing but speech."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from psn.wire import SUBPROTOCOL_JSON, Speech, VoiceGroup
from simulators.bench import poor_link
from simulators.bench.poor_link import Quality

SPEECH = Speech(VoiceGroup.of("group:1"), "unit:1", 0, 20, False, b"opus").encode()


@pytest.fixture
async def echo() -> AsyncIterator[str]:
    """A server that sends back whatever it is sent."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(body=await request.read(), headers={"X-Asked": str(request.rel_url)})

    async def socket(request: web.Request) -> web.WebSocketResponse:
        here = web.WebSocketResponse(protocols=[SUBPROTOCOL_JSON])
        await here.prepare(request)
        async for message in here:
            if isinstance(message.data, str):
                await here.send_str(message.data)
            else:
                await here.send_bytes(message.data)
        return here

    application = web.Application()
    application.router.add_get("/ws", socket)
    application.router.add_route("*", "/{path:.*}", page)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_pages_come_whole(echo: str) -> None:
    async with (
        poor_link.between(echo, Quality(1.0, 0.0)) as url,
        ClientSession() as browser,
        browser.post(f"{url}/a?b=c", data=b"x" * 500_000) as answer,
    ):
        assert (answer.headers["X-Asked"], len(await answer.read())) == ("/a?b=c", 500_000)


@pytest.mark.parametrize(("lost", "least", "most"), [(0.0, 200, 200), (0.5, 1, 199), (1.0, 0, 0)])
async def test_only_speech_is_lost_and_nothing_overtakes(
    echo: str, lost: float, least: int, most: int
) -> None:
    words: list[str] = []
    speech: list[int] = []
    async with (
        poor_link.between(echo, Quality(lost, 0.02)) as url,
        ClientSession() as browser,
        browser.ws_connect(f"{url}/ws", protocols=[SUBPROTOCOL_JSON]) as socket,
        asyncio.timeout(30),
    ):
        assert socket.protocol == SUBPROTOCOL_JSON
        for number in range(200):
            await socket.send_bytes(SPEECH + bytes([number]))
            await socket.send_str(str(number))
        while len(words) < 200:
            message = await socket.receive()
            if isinstance(message.data, str):
                words.append(message.data)
            else:
                speech.append(message.data[-1])
    assert words == [str(number) for number in range(200)]
    assert speech == sorted(set(speech))
    assert least <= len(speech) <= most
