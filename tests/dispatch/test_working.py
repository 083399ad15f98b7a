"""Dispatch over HTTP: the same actions, and what is read of incidents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import pytest_asyncio
from clerks import Clerk
from stage import CAR, Peer, Stage


@pytest_asyncio.fixture
async def ana(stage: Stage) -> AsyncIterator[Clerk]:
    async with aiohttp.ClientSession() as http, await Peer.enter(stage.url, "ana") as peer:
        yield Clerk(stage, http, peer)


async def test_an_action_is_done_once_whichever_door_it_comes_by(ana: Clerk) -> None:
    path = f"/api/do/incident.open?id={uuid4()}"
    first = await ana.post(path, {"title": "Bridge out"})
    assert await ana.post(path, {"title": "Bridge out"}) == first
    assert (await ana.refused("POST", path, {"title": "Another"})) == (409, "id_taken")
    assert (await ana.post("/api/do/incident.open", {"title": "Bridge out"})) != first
    bad = await ana.refused("POST", "/api/do/incident.open?id=1", {"title": "x"})
    assert bad == (400, "bad_parameter")
    assert await ana.refused("POST", "/api/do/incident.open", {"title": ""}) == (400, "bad_body")


async def test_the_log_says_who_did_what_and_keeps_private_what_is(
    stage: Stage, ana: Clerk
) -> None:
    made = await ana.post("/api/do/incident.open", {"title": "Search"})
    number = made["result"]["incident"]
    for body in ({"text": "all may read this"}, {"text": "only us", "private": True}):
        await ana.post("/api/do/incident.note", {"incident": number, **body})
    log = await ana.get(f"/api/incidents/{number}/log")
    assert [event["seq"] for event in log["events"]] == [1, 2, 3]
    assert [event["kind"] for event in log["events"]] == ["opened", "note", "note"]
    assert {event["author_name"] for event in log["events"]} == {"Ana"}
    rest = await ana.get(f"/api/incidents/{number}/log?after=2")
    assert [event["details"]["text"] for event in rest["events"]] == ["only us"]
    async with await Peer.enter(stage.url, "ben") as peer:
        ben = Clerk(stage, ana.http, peer)
        assert await ben.refused("GET", f"/api/incidents/{number}/log") == (404, "not_found")
        asked = {"incident": number, "agency": 2, "text": "a boat"}
        invitation = (await ana.post("/api/do/incident.invite", asked))["result"]["id"]
        accepted = {"invitation": invitation, "answer": "accepted"}
        await ben.post("/api/do/invitation.answer", accepted)
        told = await ben.get(f"/api/incidents/{number}/log")
        assert "only us" not in str(told) and "all may read this" in str(told)


async def test_incidents_that_a_call_may_be_about(ana: Clerk) -> None:
    place = {"text": "Queen St", "lon": -885_560_000, "lat": 180_820_000}
    near = {"text": "by the bridge", "lon": -885_600_000, "lat": 180_820_000}
    far = {"text": "Corozal", "lon": -884_000_000, "lat": 184_000_000}
    opened = []
    for title, where in (("Crash", near), ("Fire", far)):
        made = await ana.post("/api/do/incident.open", {"title": title, "place": where})
        opened.append(made["result"]["incident"])
    call = (await ana.post("/api/do/call.take", {"line": "911"}))["result"]["id"]
    await ana.post("/api/do/call.change", {"call": call, "place": place})
    (found,) = (await ana.get(f"/api/calls/{call}/duplicates"))["incidents"]
    assert found["incident"] == opened[0] and 300 < found["metres"] < 600
    joined = {"call": call, "incident": opened[0]}
    await ana.post("/api/do/call.join", joined)
    assert await ana.refused("POST", "/api/do/call.join", joined) == (409, "not_now")


async def test_a_tablet_speaks_for_its_own_unit_alone(stage: Stage, ana: Clerk) -> None:
    async with await Peer.enter(stage.url, CAR) as peer:
        car = Clerk(stage, ana.http, peer)
        done = await car.post("/api/do/unit.status", {"status": "busy"})
        assert done["result"] == {"status": "busy", "late": False}
        other = {"unit": 2, "status": "busy"}
        assert await car.refused("POST", "/api/do/unit.status", other) == (404, "not_found")
        opening = await car.refused("POST", "/api/do/incident.open", {"title": "x"})
        assert opening == (403, "not_allowed")
        wrong = await car.refused("POST", "/api/do/unit.status", {"status": "on_scene"})
        assert wrong == (409, "not_now")
