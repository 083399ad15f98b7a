"""A program that knows nothing of Belize: whatever it says is taken, or refused in a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from clerks import Clerk
from stage import CAR, Peer, Stage, now_ms

ATLANTIC = {"text": "Mid-Atlantic", "lon": -600_000_000, "lat": 300_000_000}
SWAPPED = {"text": "Swapped", "lon": 175_000_000, "lat": -882_000_000}
BELIZE_CITY = {"text": "Belize City", "lon": -882_000_000, "lat": 175_000_000}


@pytest_asyncio.fixture
async def ana(stage: Stage) -> AsyncIterator[Clerk]:
    async with aiohttp.ClientSession() as http, await Peer.enter(stage.url, "ana") as peer:
        yield Clerk(stage, http, peer)


async def incident(ana: Clerk, **body: Any) -> int:
    made = await ana.post("/api/do/incident.open", {"title": "Crash", **body})
    number: int = made["result"]["incident"]
    return number


async def test_a_place_far_from_belize_is_taken_only_when_it_is_meant(ana: Clerk) -> None:
    """DOM-PLACE-2."""
    number = await incident(ana, place=BELIZE_CITY)
    call = (await ana.post("/api/do/call.take", {}))["result"]["id"]
    move = {"incident": number, "field": "place", "was": {"text": "Belize City"}}
    lookout = {"subject": "vessel", "title": "White skiff", "until": now_ms() + 3_600_000}
    for action, body, where in (
        ("incident.open", {"title": "Crash"}, "place"),
        ("call.change", {"call": call}, "place"),
        ("incident.assign", {"incident": number, "units": [CAR]}, "place"),
        ("lookout.issue", lookout, "place"),
        ("incident.change", move, "now"),
    ):
        path = f"/api/do/{action}"
        status, answer = await ana.ask("POST", path, {**body, where: ATLANTIC})
        assert (status, answer["error"]["code"]) == (409, "far_away"), action
        assert "km from Belize" in answer["error"]["text"]
        assert "anywhere" in answer["error"]["todo"]
        await ana.post(path, {**body, where: ATLANTIC | {"anywhere": True}})


@pytest.mark.parametrize("action", ["call.receive", "call.take"])
async def test_a_new_call_is_kept_wherever_it_comes_from(
    stage: Stage, ana: Clerk, action: str
) -> None:
    """DOM-CALL-6: an alarm centre does not ask again, and a vessel may be anywhere."""
    made = await ana.post(f"/api/do/{action}", {"place": ATLANTIC, "notes": "SART"})
    assert made["result"].keys() == {"id"}
    assert await kept(stage, made["result"]["id"]) == ("Mid-Atlantic", -60.0, 30.0, "SART")


@pytest.mark.parametrize("action", ["call.receive", "call.take"])
@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ({"lon": 0, "lat": 0}, "(longitude 0, latitude 0): 0, 0 is what a receiver says"),
        ({"lon": -882_000_000, "lat": 2_000_000_000}, "latitude 200): they go to 180 and 90"),
        ({"lon": -882_000_000}, "latitude missing): longitude and latitude go together"),
        ({"lon": 10**18, "lat": 1}, "(longitude far too long"),
    ],
)
async def test_numbers_that_are_no_point_are_left_out_of_a_new_call_and_told(
    stage: Stage, ana: Clerk, action: str, numbers: dict[str, int], why: str
) -> None:
    """DOM-CALL-6."""
    body = {"place": {"text": "Bank", **numbers}, "notes": "Hold-up button"}
    result = (await ana.post(f"/api/do/{action}", body))["result"]
    assert why in result["left_out"]
    told = f"Hold-up button\n{result['left_out']}"
    assert await kept(stage, result["id"]) == ("Bank", None, None, told)


async def test_long_notes_of_a_call_without_a_point_are_kept_as_they_are(
    stage: Stage, ana: Clerk
) -> None:
    body = {"place": {"text": "Bank", "lon": 0, "lat": 0}, "notes": "x" * 8_000}
    result = (await ana.post("/api/do/call.receive", body))["result"]
    assert await kept(stage, result["id"]) == ("Bank", None, None, "x" * 8_000)


async def kept(stage: Stage, call: int) -> tuple[Any, ...]:
    """Place, longitude, latitude and notes of a call, as they are on disk."""
    row = await stage.core.pool.fetchrow(
        "select place, st_x(point), st_y(point), notes from call where id = $1", call
    )
    return tuple(row)


async def test_numbers_that_were_swapped_are_told_with_what_may_be_meant(ana: Clerk) -> None:
    """DOM-PLACE-2."""
    body = {"title": "Crash", "place": SWAPPED}
    _, answer = await ana.ask("POST", "/api/do/incident.open", body)
    assert answer["error"]["code"] == "far_away"
    assert "did you mean 17.50000°N 88.20000°W?" in answer["error"]["text"]


@pytest.mark.parametrize("place", [{"lon": 0, "lat": 0}, {"lon": 0, "lat": 0, "anywhere": True}])
async def test_zero_zero_is_no_place(ana: Clerk, place: dict[str, Any]) -> None:
    """DOM-PLACE-2."""
    body = {"title": "Crash", "place": place}
    status, answer = await ana.ask("POST", "/api/do/incident.open", body)
    assert (status, answer["error"]["code"]) == (400, "bad_body")
    assert "0, 0 is what a receiver says that knows no place" in answer["error"]["text"]


async def test_what_is_said_of_a_far_place_later_does_not_ask_again(ana: Clerk) -> None:
    number = await incident(ana, place=ATLANTIC | {"anywhere": True})
    body = {"incident": number, "field": "place", "was": ATLANTIC}
    await ana.post("/api/do/incident.change", {**body, "now": ATLANTIC | {"text": "Open sea"}})
