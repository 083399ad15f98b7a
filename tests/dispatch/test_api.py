"""The HTTP side: every route, for who may and for who may not."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import msgspec
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

from dispatch import administration, api, attachments, exporting, recordings, sending, working
from dispatch.numbers import routes as numbers
from dispatch.warnings import composing, heard
from dispatch.warnings import routes as warnings
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


async def test_a_jump_that_was_not_believed_is_not_in_the_track(stage: Stage, ben: Browser) -> None:
    """DOM-PIC-1, DOM-PIC-3: older ones are."""
    start = now_ms() - 100_000
    places = [(0, 0), (10_000, 0), (20_000, 50_000_000), (5_000, 0), (30_000, 0)]
    async with await Peer.enter(stage.url, CAR) as peer:
        fixes = [wire.Fix(0, start + at, -881_900_000 + east, 174_900_000) for at, east in places]
        await peer.send(wire.Positions(n=7, p=fixes))
        await peer.expect(wire.Ok, lambda ok: ok.n == 7)
    _, track = await ben.get(f"/api/units/{CAR}/track")
    assert [fix[0] - start for fix in track["fixes"]] == [0, 5_000, 10_000, 30_000]
    assert await stage.core.pool.fetchval("select count(*) from track") == 5


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


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"/api/units/{BOAT}/track?from=now", "from"),
        (f"/api/units/{BOAT}/track?from=-1", "from"),
        (f"/api/units/{BOAT}/track?from=", "from"),
        (f"/api/units/{BOAT}/track?to=1e9", "to"),
        (f"/api/units/{BOAT}/track?to=%D9%A3", "to"),
        (f"/api/units/{BOAT}/track?from=999999999999999999999", "from"),
        (f"/api/units/{BOAT}/track?to=253402300800000", "to"),
        (f"/api/mailboxes/{BEN}?limit=0", "limit"),
        (f"/api/mailboxes/{BEN}?limit=501", "limit"),
        (f"/api/mailboxes/{BEN}?limit=ten", "limit"),
        (f"/api/mailboxes/{BEN}?before=-1", "before"),
        (f"/api/mailboxes/{BEN}?before=9007199254740992", "before"),
    ],
)
async def test_a_bad_parameter_is_named(ben: Browser, path: str, name: str) -> None:
    status, answer = await ben.get(path)
    assert (status, answer["error"]["code"]) == (400, "bad_parameter")
    assert f"parameter {name} " in answer["error"]["text"]


async def test_a_parameter_that_is_said_twice_is_refused(ben: Browser) -> None:
    status, answer = await ben.get(f"/api/units/{BOAT}/track?from=0&to=5&from=3")
    assert (status, answer["error"]["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize(
    "path",
    [
        f"/api/units/{BOAT}/track?from=0&to=253402300799999",
        f"/api/units/{BOAT}/track?from=253402300799999&to=0",
        f"/api/mailboxes/{BEN}?before=0&limit=1",
        f"/api/mailboxes/{BEN}?before=9007199254740991&limit=500",
    ],
)
async def test_parameters_at_the_very_edge_are_taken(ben: Browser, path: str) -> None:
    status, answer = await ben.get(path)
    assert status == 200
    assert answer.get("fixes", answer.get("entries")) == []


READ = [
    route
    for route in api.ROUTES
    # Not for everyone, or about what has to be there first; they have tests of their own.
    if route.method == "GET"
    and not route.open
    and route.path != "/api/audit"
    and route not in administration.ROUTES
    and route not in (*working.ROUTES, *exporting.ROUTES, *sending.ROUTES, *numbers.ROUTES)
    and route not in (*attachments.ROUTES, *recordings.ROUTES, *warnings.ROUTES)
    and route not in (*composing.ROUTES, *heard.ROUTES)
]
ASKED = {"/api/places": "?q=pier", "/api/places/at": "?lon=-882000000&lat=175000000"}
EVERY = [
    (route.path + ASKED.get(route.path, ""))
    .replace("units/{id}", f"units/{BOAT}")
    .replace("{address}", BEN)
    .replace("{id}", "00000000-0000-0000-0000-000000000001")
    for route in READ
]


@pytest.mark.parametrize(
    ("route", "path"), list(zip(READ, EVERY, strict=True)), ids=lambda value: str(value)[:40]
)
async def test_every_answer_is_of_the_type_that_is_documented(
    stage: Stage, ben: Browser, route: api.Route, path: str
) -> None:
    await report(stage, BOAT, [now_ms()])
    await ben.peer.send(message(ANA, "an entry", id=UUID(int=1)))
    await ben.peer.expect(wire.Ack)
    status, answer = await ben.get(path)
    assert status == 200
    if route.returns is not None:
        assert json.loads(msgspec.json.encode(msgspec.convert(answer, route.returns))) == answer


@pytest.mark.parametrize("path", EVERY)
async def test_every_route_needs_a_session(ben: Browser, path: str) -> None:
    assert (await ben.get(path))[0] == 200
    token = ben.peer.me.token
    headers: list[dict[str, str]] = [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer guess"},
        {"Authorization": "Bearer " + "x" * 5_000},
        {"Authorization": f"Bearer {token}x"},
        {"Authorization": f"Basic {token}"},
        {"Authorization": token},
        {"Cookie": f"token={token}"},
    ]
    for some in headers:
        async with ben.http.get(ben.base + path, headers=some) as answer:
            told = await answer.json()
            assert (answer.status, told["error"]["code"]) == (401, "not_signed_in"), some
    said = f"{path}{'&' if '?' in path else '?'}token={token}"
    async with ben.http.get(ben.base + said) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    "statement",
    [
        "update person set disabled_at = now() where name = 'ben'",
        "update session set ended_at = now()",
    ],
)
async def test_a_token_is_worth_nothing_once_its_owner_may_no_longer(
    stage: Stage, ben: Browser, statement: str
) -> None:
    """DOM-SES-1."""
    await stage.core.pool.execute(statement)
    await ben.peer.expect(wire.Closing)
    for path in EVERY:
        assert (await ben.get(path))[0] == 401


async def test_what_is_no_longer_shared_is_not_there(stage: Stage, ben: Browser) -> None:
    """DOM-WHO-4."""
    await report(stage, CAR, [now_ms()])
    assert (await ben.get(f"/api/units/{CAR}/track"))[0] == 200
    await stage.core.pool.execute("update agreement set ends_at = now() where owner_agency = 1")
    await until(lambda: len(stage.core.directory.agreements) == 1, "the agreement is over")
    for path in (f"/api/units/{CAR}", f"/api/units/{CAR}/track"):
        assert (await ben.get(path))[0] == 404


@pytest.mark.parametrize(
    "path", ["/api/fences", "/api/config", "/api/openapi.json", "/api/enrol", "/api/attachments"]
)
async def test_nothing_but_what_is_declared_can_be_written_over_http(
    ben: Browser, path: str
) -> None:
    declared = {route.method for route in api.ROUTES if route.path == path}
    for method in {"POST", "PUT", "PATCH", "DELETE"} - declared:
        headers = {"Authorization": f"Bearer {ben.peer.me.token}"}
        async with ben.http.request(method, ben.base + path, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (404, "not_found")


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
    operations = {
        (path, method.upper()): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert set(operations) == {(route.path, route.method) for route in api.ROUTES}
    referred = set(_references(document))
    assert referred <= {f"#/components/schemas/{n}" for n in document["components"]["schemas"]}
    for route in api.ROUTES:
        operation = operations[route.path, route.method]
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", route.path))
        asked = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
        assert asked == set(route.query)
        assert set(operation["responses"]) >= {str(route.status)}
        assert operation["summary"]
        assert bool(operation["security"]) == (not route.open)
        assert ("requestBody" in operation) == bool(route.takes or route.streams)
    assert len({operation["operationId"] for operation in operations.values()}) == len(operations)
    written = document["paths"]["/api/enrol"]["post"]["requestBody"]["content"]
    assert written["application/json"]["schema"]["$ref"].endswith("/Enrolment")


async def test_what_is_open_to_all_is_meant_to_be() -> None:
    assert {route.path for route in api.ROUTES if route.open} == {
        "/api/config",
        "/api/enrol",
        "/api/attachments",  # OPTIONS: what the protocol can
        "/api/sign-in/passkey",
        "/api/sign-in/passkey/options",
        "/api/sign-in/providers",
        "/api/sign-in/provider/begin",
        "/api/sign-in/provider/finish",
        "/api/sign-in/provider/second",
        "/api/sign-in/provider/passkey",
    }


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [r for inner in value.values() for r in _references(inner)]
    return [r for inner in value for r in _references(inner)] if isinstance(value, list) else []


async def test_history_that_hangs_keeps_nobody_from_signing_in(stage: Stage, ana: Browser) -> None:
    blocker = await asyncpg.connect(stage.dsn)
    try:
        async with blocker.transaction():
            await blocker.execute("lock table track in access exclusive mode")
            path = f"/api/units/{CAR}/track?from=0&to=1"
            asked = [asyncio.create_task(ana.get(path)) for _ in range(2 * api.CONNECTIONS)]
            waiting = "select count(*) from pg_locks where not granted"
            async with asyncio.timeout(20):
                while await blocker.fetchval(waiting) < api.CONNECTIONS:
                    await asyncio.sleep(0.02)
            for _ in range(3):
                async with await Peer.enter(stage.url, "cyd"):
                    pass
            assert not any(task.done() for task in asked)
        assert {(await task)[0] for task in asked} == {200}
    finally:
        await blocker.close()
