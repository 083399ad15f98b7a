"""The HTTP side: every route, for who may and for who may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from stage import (
    ANA,
    BEN,
    BOAT,
    CAR,
    COVERT,
    CUSTOMS,
    GATEWAY,
    TRUCK,
    Peer,
    Stage,
    message,
    now_ms,
    until,
)

from dispatch import api
from psn import wire


class Browser:
    """Asks the API with the token of a session."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession, peer: Peer) -> None:
        self.base = stage.url.replace("ws://", "http://").removesuffix("/ws")
        self.http = http
        self.peer = peer

    async def get(self, path: str, token: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.peer.me.token if token is None else token}"}
        async with self.http.get(self.base + path, headers=headers) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.json()


@pytest_asyncio.fixture
async def ana(stage: Stage) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession() as http, await Peer.enter(stage.url, "ana") as peer:
        yield Browser(stage, http, peer)


@pytest_asyncio.fixture
async def ben(stage: Stage) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession() as http, await Peer.enter(stage.url, "ben") as peer:
        yield Browser(stage, http, peer)


async def report(stage: Stage, device: int, times: list[int]) -> None:
    async with await Peer.enter(stage.url, device) as peer:
        fixes = [wire.Fix(0, time, -881_900_000, 174_900_000, 500, 9_000) for time in times]
        await peer.send(wire.Positions(n=7, p=fixes))
        await peer.expect(wire.Ok, lambda ok: ok.n == 7)


async def test_a_unit_and_where_it_is(stage: Stage, ana: Browser, ben: Browser) -> None:
    time = now_ms() - 5_000
    await report(stage, CAR, [time])
    for browser in (ana, ben):
        status, unit = await browser.get(f"/api/units/{CAR}")
        assert (status, unit["callsign"], unit["kind"]) == (200, "P-1", "car")
        assert unit["latest"]["time"] == time
        assert unit["latest"]["lon"] == -881_900_000
    status, unit = await ana.get(f"/api/units/{COVERT}")
    assert (status, unit["latest"], unit["online"]) == (200, None, False)


async def test_a_track_is_what_was_reported(stage: Stage, ben: Browser) -> None:
    start = now_ms() - 100_000
    times = [start + n * 1_000 for n in range(50)]
    await report(stage, CAR, times)
    await report(stage, CAR, times[:5])  # sent again: once in the answer
    status, track = await ben.get(f"/api/units/{CAR}/track")
    assert status == 200
    assert [fix[0] for fix in track["fixes"]] == times
    assert track["fixes"][0] == [start, -881_900_000, 174_900_000, 500, 9_000]
    status, part = await ben.get(f"/api/units/{CAR}/track?from={times[10]}&to={times[19]}")
    assert [fix[0] for fix in part["fixes"]] == times[10:20]


async def test_a_long_track_is_thinned_and_keeps_its_end(
    stage: Stage, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_FIXES", 20)
    times = [now_ms() - 100_000 + n * 100 for n in range(333)]
    await report(stage, CAR, times)
    _, track = await ana.get(f"/api/units/{CAR}/track")
    got = [fix[0] for fix in track["fixes"]]
    assert len(got) <= 20
    assert (got[0], got[-1]) == (times[0], times[-1])


async def test_history_and_receipts(ana: Browser, ben: Browser) -> None:
    sent = [message(BEN, f"number {n}") for n in range(5)]
    for one in sent:
        await ana.peer.send(one)
    await ben.peer.expect(wire.Mail, lambda mail: mail.seq == 5)
    await ben.peer.send(wire.Seen(box=BEN, seq=5))
    await ben.peer.send(wire.Read(n=1, box=BEN, seqs=[2]))
    await ben.peer.expect(wire.Ok)
    status, page = await ben.get(f"/api/mailboxes/{BEN}?limit=2")
    assert status == 200
    assert [entry["body"]["text"] for entry in page["entries"]] == ["number 3", "number 4"]
    _, page = await ben.get(f"/api/mailboxes/{BEN}?limit=2&before={page['entries'][0]['seq']}")
    assert [entry["seq"] for entry in page["entries"]] == [2, 3]
    status, got = await ana.get(f"/api/messages/{sent[1].id}/receipts")
    states = {(r["by"], r["by_name"], r["state"]) for r in got["receipts"]}
    assert states == {(BEN, "Ben", "delivered"), (BEN, "Ben", "read")}
    _, others = await ben.get(f"/api/messages/{sent[1].id}/receipts")
    assert others == {"receipts": []}


async def test_fences_are_geojson(stage: Stage, ana: Browser, ben: Browser) -> None:
    square = "ST_GeomFromText('POLYGON((-89 17,-88 17,-88 18,-89 18,-89 17))', 4326)"
    await stage.core.pool.execute(
        "insert into fence (agency_id, name, area) values"
        f" (null, 'joint', {square}), (1, 'police only', {square})"
    )
    await until(lambda: len(stage.core.directory.fences) == 2, "the directory has them")
    names = []
    for browser in (ana, ben):
        status, collection = await browser.get("/api/fences")
        assert (status, collection["type"]) == (200, "FeatureCollection")
        assert collection["features"][0]["geometry"]["type"] == "Polygon"
        names.append({feature["properties"]["name"] for feature in collection["features"]})
    assert names == [{"joint", "police only"}, {"joint"}]


@pytest.mark.parametrize(
    "path",
    [
        f"/api/units/{COVERT}",
        f"/api/units/{COVERT}/track",
        f"/api/units/{TRUCK}",
        "/api/units/99",
        "/api/units/99999999999",
        "/api/units/1%20or%201=1",
        f"/api/mailboxes/{ANA}",
        f"/api/mailboxes/agency:{CUSTOMS}",
        "/api/mailboxes/group:2",
        "/api/mailboxes/%27;drop%20table%20log",
        "/api/messages/not-a-uuid/receipts",
        "/api/nothing",
    ],
)
async def test_what_may_not_be_seen_is_not_there(ben: Browser, path: str) -> None:
    status, answer = await ben.get(path)
    assert (status, answer["error"]["code"]) == (404, "not_found")
    assert answer["error"]["text"] and answer["error"]["todo"]


@pytest.mark.parametrize("query", ["from=now", "from=-1", "to=1e9", "from=999999999999999999999"])
async def test_a_bad_parameter_is_named(ben: Browser, query: str) -> None:
    status, answer = await ben.get(f"/api/units/{BOAT}/track?{query}")
    assert (status, answer["error"]["code"]) == (400, "bad_parameter")
    assert query.split("=")[0] in answer["error"]["text"]


@pytest.mark.parametrize("token", ["", "guess", "x" * 5_000])
async def test_without_a_session_there_is_nothing(ben: Browser, token: str) -> None:
    for path in ("/api/fences", f"/api/units/{BOAT}", "/api/mailboxes/person:2"):
        status, answer = await ben.get(path, token=token)
        assert (status, answer["error"]["code"]) == (401, "not_signed_in")


async def test_a_gateway_reads_nothing(stage: Stage, ben: Browser) -> None:
    async with await Peer.enter(stage.url, GATEWAY) as gateway:
        for path in (f"/api/units/{CAR}", "/api/mailboxes/agency:1"):
            status, _ = await ben.get(path, token=gateway.me.token)
            assert status == 404
        assert (await ben.get("/api/fences", token=gateway.me.token))[1]["features"] == []


async def test_the_public_part(ben: Browser) -> None:
    status, config = await ben.get("/api/config", token="")
    assert (status, config["pmtiles"]) == (200, None)
    status, document = await ben.get("/api/openapi.json", token="")
    assert status == 200
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {route.path for route in api.ROUTES} | {"/api/config"}
    referred = set(_references(document))
    assert referred <= {f"#/components/schemas/{n}" for n in document["components"]["schemas"]}
    for path, item in document["paths"].items():
        named = {p["name"] for p in item["get"]["parameters"] if p["in"] == "path"}
        assert all("{" + name + "}" in path for name in named)
        assert item["get"]["summary"]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [r for inner in value.values() for r in _references(inner)]
    return [r for inner in value for r in _references(inner)] if isinstance(value, list) else []
