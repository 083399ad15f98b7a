"""Whom to send, from the running board and picture."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio
from clerks import Clerk
from desk_peer import Worker
from stage import BOAT, CAR, HERE, PATROL, Peer, Stage, now_ms

from psn import wire

PLACE = {"text": "here", "lon": HERE[0], "lat": HERE[1]}


@pytest_asyncio.fixture
async def ana(stage: Stage) -> AsyncIterator[Clerk]:
    async with aiohttp.ClientSession() as http, await Peer.enter(stage.url, "ana") as peer:
        yield Clerk(stage, http, peer)


async def at(worker: Worker, lon: int, lat: int) -> None:
    await worker.peer.send(wire.Position(p=wire.Fix(0, now_ms(), lon, lat)))
    await worker.peer.answers()


async def test_who_is_free_and_near_is_ranked_with_reasons(stage: Stage, ana: Clerk) -> None:
    """DOM-NEAR-1."""
    desk = await Worker.enter(stage, "ana")
    crews = [await Worker.enter(stage, each) for each in (CAR, PATROL, BOAT)]
    for number, crew in enumerate(crews):
        await at(crew, HERE[0] - 40_000 * (number + 1), HERE[1])
    made = await ana.post("/api/do/incident.open", {"title": "Crash", "place": PLACE})
    number = made["result"]["incident"]
    path = f"/api/incidents/{number}/recommendation"
    (need,) = (await ana.get(path))["needs"]
    seconds = [choice["seconds"] for choice in need["choices"]]
    assert seconds == sorted(seconds) and need["team"] == [need["choices"][0]["unit"]]
    by_unit = {choice["unit"]: choice for choice in need["choices"]}
    assert {CAR, PATROL} <= set(by_unit)
    assert by_unit[CAR]["reason"].startswith("free, ")
    (spanish,) = (await ana.get(f"{path}?language=es"))["needs"]
    assert spanish["choices"][0]["reason"].startswith("libre, ")

    await desk.do("incident.assign", incident=number, units=[CAR])
    far = (await ana.get(f"{path}?lon={HERE[0] - 900_000}&lat={HERE[1]}"))["needs"][0]["choices"]
    assert min(choice["seconds"] for choice in far) > seconds[0]
    (need,) = (await ana.get(path))["needs"]
    assert CAR not in {choice["unit"] for choice in need["choices"]}
    pressed = (await desk.do("emergency.press", unit=PATROL))["id"]
    (need,) = (await ana.get(path))["needs"]
    assert PATROL not in {choice["unit"] for choice in need["choices"]}
    await crews[1].do("emergency.safe")
    await desk.do("emergency.own", emergency=pressed)
    await desk.do("emergency.end", emergency=pressed, outcome="well")
    (need,) = (await ana.get(path))["needs"]
    assert PATROL in {choice["unit"] for choice in need["choices"]}
    await desk.do("unit.status", unit=PATROL, status="off_duty")
    (need,) = (await ana.get(path))["needs"]
    assert PATROL not in {choice["unit"] for choice in need["choices"]}
    for each in (desk, *crews):
        await each.leave()


async def test_what_cannot_be_answered_says_why(stage: Stage, ana: Clerk) -> None:
    nowhere = await ana.post("/api/do/incident.open", {"title": "Somewhere"})
    path = f"/api/incidents/{nowhere['result']['incident']}/recommendation"
    assert await ana.refused("GET", path) == (409, "no_place")
    assert await ana.refused("GET", f"{path}?language=fr") == (400, "bad_parameter")
    assert await ana.refused("GET", f"{path}?lon=1") == (400, "bad_parameter")
    assert await ana.refused("GET", f"{path}?lon=0&lat=0") == (409, "far_away")
    far_off = {"title": "In the Gulf of Guinea", "place": {"lon": 0, "lat": 1, "anywhere": True}}
    made = await ana.post("/api/do/incident.open", far_off)
    far = f"/api/incidents/{made['result']['incident']}/recommendation"
    assert await ana.refused("GET", far) == (409, "far_away")
    async with await Peer.enter(stage.url, "cyd") as peer:
        cyd = Clerk(stage, ana.http, peer)
        assert await cyd.refused("GET", path) == (404, "not_found")
    assert await ana.refused("GET", "/api/incidents/x/recommendation") == (404, "not_found")
