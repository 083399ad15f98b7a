"""The audit over HTTP (docs/domain.md, DOM-AUD): who reads it, what of it, and that he did."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import asyncpg
import msgspec
import pytest
import pytest_asyncio
from stage import ANA, BEN, BOAT, CAR, GATEWAY, TRUCK, Peer, Stage, now_ms

from dispatch import api, auditing, openapi
from psn.trail.audit import Actor, Entry

HTML = "<img src=x onerror=alert(1)>'; drop table audit; --"


@dataclass
class Reader:
    """A person's browser."""

    address: str
    http: aiohttp.ClientSession
    peer: Peer

    async def get(self, path: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.peer.me.token}"}
        async with self.http.get(self.address + path, headers=headers) as answer:
            return answer.status, await answer.json()

    async def entries(self, query: str = "") -> list[dict[str, Any]]:
        status, page = await self.get(f"/api/audit?{query}")
        assert status == 200, page
        return list(page["entries"])


class People:
    """Lets people in, with roles."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession) -> None:
        self._stage = stage
        self._http = http
        self._peers: list[Peer] = []

    async def enter(self, who: str | int, role: str | None = None) -> Reader:
        if role is not None:
            await self._stage.core.pool.execute(
                "update person set roles = array[$2] where name = $1", who, role
            )
            await self._stage.core.refresh_directory()
        peer = await Peer.enter(self._stage.url, who)
        self._peers.append(peer)
        address = self._stage.url.replace("ws://", "http://").removesuffix("/ws")
        return Reader(address, self._http, peer)

    async def leave(self) -> None:
        for peer in self._peers:
            await peer.leave()


@pytest_asyncio.fixture
async def people(stage: Stage) -> AsyncIterator[People]:
    async with aiohttp.ClientSession() as http:
        everyone = People(stage, http)
        yield everyone
        await everyone.leave()


async def test_who_looked_at_whose_track_is_told_to_its_owner(stage: Stage, people: People) -> None:
    """DOM-AUD-3, DOM-AUD-7."""
    ben = await people.enter("ben")  # of the coast guard, at a car of the police
    assert (await ben.get(f"/api/units/{CAR}/track?from=5&to=7"))[0] == 200
    assert (await ben.get(f"/api/units/{CAR}"))[0] == 200
    assert (await ben.get(f"/api/units/{TRUCK}"))[0] == 404  # nothing was read
    ana = await people.enter("ana", "auditor")
    unit, track = await ana.entries(f"object=unit:{CAR}&actor={BEN}")
    assert (unit["action"], track["action"]) == ("unit.read", "track.read")
    assert (track["actor_name"], track["agency"], track["owner"]) == ("Ben", 2, 1)
    assert track["details"] == {"from": 5, "to": 7}
    assert abs(track["at"] - now_ms()) < 60_000
    # From where he works is his own agency's affair; his auditors see it.
    assert (track["source"], track["session"]) == (None, None)
    await stage.core.pool.execute("update person set roles = '{auditor}' where name = 'ben'")
    await stage.core.refresh_directory()
    _, own = await ben.entries(f"object=unit:{CAR}&actor={BEN}")
    assert own["source"] == "127.0.0.1"
    assert len(own["session"]) == 8


@pytest.mark.parametrize("role", ["auditor", "administrator"])
async def test_reading_the_audit_is_in_it(people: People, role: str) -> None:
    ana = await people.enter("ana", role)
    await ana.entries(f"action=person&nonsense=1&limit=7&object={quote(HTML)}")
    entry = (await ana.entries("action=audit.read"))[1]
    assert (entry["actor"], entry["owner"]) == (ANA, 1)
    assert entry["details"] == {"action": "person", "limit": "7", "object": HTML}


@pytest.mark.parametrize("role", ["dispatcher", "supervisor", "commander", "warning_officer"])
async def test_others_do_not_read_it(stage: Stage, people: People, role: str) -> None:
    ana = await people.enter("ana", role)
    for query in ("", "agency=1", "limit=0"):
        status, answer = await ana.get(f"/api/audit?{query}")
        assert (status, answer["error"]["code"]) == (404, "not_found")
    assert (
        await stage.core.pool.fetchval("select count(*) from audit where action = 'audit.read'")
        == 0
    )


async def test_devices_do_not_read_it_and_strangers_must_sign_in(people: People) -> None:
    for device in (CAR, GATEWAY):
        assert (await (await people.enter(device)).get("/api/audit"))[0] == 404
    nobody = await people.enter("ana", "auditor")
    nobody.peer.me.token = "guess"
    assert (await nobody.get("/api/audit"))[0] == 401


async def test_only_what_concerns_his_agency_is_told(stage: Stage, people: People) -> None:
    """DOM-AUD-7: also when he asks for another."""
    await stage.core.pool.execute("update unit set callsign = callsign || 'x'")
    await (await people.enter("cyd")).get(f"/api/units/{TRUCK}")
    ben = await people.enter("ben", "auditor")
    for query in ("", "agency=1", "agency=3", f"object=unit:{TRUCK}", "actor=person:3"):
        for entry in await ben.entries(query):
            assert 2 in (entry["agency"], entry["owner"]), (query, entry)
    assert await ben.entries(f"object=unit:{TRUCK}") == []
    # What another agency did to his own.
    assert (await (await people.enter("ana")).get(f"/api/units/{BOAT}"))[0] == 200
    (entry,) = await ben.entries("agency=1")
    assert (entry["action"], entry["actor"], entry["owner"]) == ("unit.read", ANA, 2)


async def test_filters_and_pages(stage: Stage, people: People) -> None:
    actor = Actor("person:77", HTML, 1)
    for n in range(25):
        action = "test.odd" if n % 2 else "test.even"
        entry = Entry(actor, action, f"thing:{n % 5}", 1, {"text": HTML}, at=1_000 + n)
        await stage.core.auditor.record(entry)
    ana = await people.enter("ana", "auditor")

    async def times(query: str) -> list[int]:
        return [entry["at"] - 1_000 for entry in await ana.entries(f"actor=person:77&{query}")]

    assert await times("") == list(range(24, -1, -1))
    assert await times("action=test") == list(range(24, -1, -1))
    assert await times("action=test.odd") == list(range(23, 0, -2))
    assert await times("action=test.o") == await times("action=tes") == []
    assert await times("object=thing:3") == [23, 18, 13, 8, 3]
    assert await times("since=1010&until=1012") == [12, 11, 10]
    assert await times("agency=2") == []
    assert await times("agency=1&action=test.even&object=thing:0") == [20, 10, 0]
    got, before = [], ""
    while True:
        status, page = await ana.get(f"/api/audit?actor=person:77&limit=10{before}")
        assert status == 200
        got += [entry["at"] - 1_000 for entry in page["entries"]]
        if page["before"] is None:
            break
        before = f"&before={page['before']}"
    assert got == list(range(24, -1, -1))
    texts = {(entry["actor_name"], entry["details"]["text"]) for entry in page["entries"]}
    assert texts == {(HTML, HTML)}  # as it is; who shows it escapes it


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("before=-1", "before"),
        ("before=9007199254740992", "before"),
        ("agency=0", "agency"),
        ("agency=", "agency"),
        ("agency=1%20or%201=1", "agency"),
        ("agency=2147483648", "agency"),
        ("since=yesterday", "since"),
        ("since=-1", "since"),
        ("until=253402300800000", "until"),
    ],
)
async def test_a_bad_parameter_is_named(people: People, query: str, name: str) -> None:
    ana = await people.enter("ana", "auditor")
    status, answer = await ana.get(f"/api/audit?{query}")
    assert (status, answer["error"]["code"]) == (400, "bad_parameter")
    assert f"parameter {name} " in answer["error"]["text"]


@pytest.mark.parametrize("name", ["actor", "action", "object"])
@pytest.mark.parametrize(
    "text", ["", "%00", "%ED%A0%80", "%FF", "'", "%25", "x" * 3_000, quote(HTML), "unit:1%00"]
)
async def test_any_text_may_be_looked_for(people: People, name: str, text: str) -> None:
    ana = await people.enter("ana", "auditor")
    assert await ana.entries(f"{name}={text}") == []


@pytest.mark.parametrize("query", ["since=253402300799999", "until=0", "before=0", "limit=500"])
async def test_parameters_at_the_very_edge_are_taken(people: People, query: str) -> None:
    ana = await people.enter("ana", "auditor")
    entries = await ana.entries(query)
    assert bool(entries) == query.startswith("limit")


async def test_the_answer_is_of_the_type_that_is_documented(people: People) -> None:
    ana = await people.enter("ana", "auditor")
    status, answer = await ana.get("/api/audit")
    assert status == 200
    assert json.loads(msgspec.json.encode(msgspec.convert(answer, auditing.Audit))) == answer
    parameters = openapi.document(api.ROUTES)["paths"]["/api/audit"]["get"]["parameters"]
    kinds = {p["name"]: p["schema"]["type"] for p in parameters}
    assert (kinds["actor"], kinds["since"]) == ("string", "integer")


async def test_a_hundred_reads_at_once_are_a_few_commits(stage: Stage, people: People) -> None:
    ana = await people.enter("ana")
    before = await stage.core.pool.fetchval("select count(distinct xmin::text) from audit")
    got = await asyncio.gather(*(ana.get(f"/api/units/{CAR}") for _ in range(100)))
    assert {status for status, _ in got} == {200}
    query = "select count(*), count(distinct xmin::text) from audit where action = 'unit.read'"
    row = await stage.core.pool.fetchrow(query)
    assert row is not None and row[0] == 100
    assert row[1] < 50, before


async def test_a_read_that_cannot_be_recorded_is_refused(stage: Stage, people: People) -> None:
    """DOM-AUD-3: while somebody holds the chain, nothing is shown, and nobody else is held up."""
    ana = await people.enter("ana")
    await stage.core.pool.execute("alter table audit rename column body to hidden_body")
    for path in (f"/api/units/{CAR}", f"/api/units/{CAR}/track"):
        status, answer = await ana.get(path)
        assert (status, answer["error"]["code"]) == (503, "unavailable")
    assert (await ana.get("/api/fences"))[0] == 200
    await stage.core.pool.execute("alter table audit rename column hidden_body to body")
    assert (await ana.get(f"/api/units/{CAR}"))[0] == 200


async def test_whoever_holds_the_chain_makes_others_wait_and_no_more(
    stage: Stage, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("psn.database.ANSWER_SECONDS", 0.5)
    ana = await people.enter("ana")
    holder = await asyncpg.connect(stage.dsn)
    async with holder.transaction():
        await holder.execute('select audit_append(array[\'{"actor": "x", "action": "y"}\'::jsonb])')
        assert (await ana.get(f"/api/units/{CAR}"))[0] == 503
        await ana.peer.answers()
    await holder.close()
    assert (await ana.get(f"/api/units/{CAR}"))[0] == 200
