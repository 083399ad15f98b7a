"""Numbers over HTTP: who gets whose, what is recorded, what is refused."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jobs
import pytest
from clerks import EVERY_ROLE, SECRET, Clerk, hide_secrets, staff
from jobs import Job, Run
from stage import BCG, BPD, CUSTOMS, Peer, Stage, now_ms, seed

from dispatch import api, openapi
from dispatch.numbers import routes, tables
from dispatch.numbers.period import DAY_MS

SignIn = Callable[[str], Awaitable[Clerk]]

READERS = {"supervisor", "commander", "administrator", "auditor"}
PATHS = ("/api/numbers", "/api/numbers/heat", "/api/numbers.csv")


async def fill(stage: Stage, made: list[Job]) -> None:
    async with stage.core.pool.acquire() as connection:
        await jobs.put(connection, made)


def job(agency: int, seconds: float, *, priority: int = 1, **more: Any) -> Job:
    """An incident of an hour ago to which somebody was sent after so long."""
    opened = datetime.now(UTC) - timedelta(hours=1)
    sent = opened + timedelta(seconds=seconds)
    run = Run(
        agency,
        sent,
        sent + timedelta(seconds=20),
        sent + timedelta(seconds=80),
        sent + timedelta(seconds=380),
        sent + timedelta(seconds=980),
    )
    return Job(agency, opened, priority, closed=opened + timedelta(minutes=50), runs=[run], **more)


async def text(clerk: Clerk, path: str) -> tuple[int, str, Any]:
    headers = {"Authorization": f"Bearer {clerk.peer.me.token}"}
    async with clerk.http.get(clerk.base + path, headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers


@pytest.mark.parametrize("role", EVERY_ROLE)
async def test_each_role_gets_what_the_table_says(sign_in: SignIn, role: str) -> None:
    """docs/access.md."""
    clerk = await sign_in(f"bpd.{role}")
    for path in PATHS:
        if role in READERS:
            assert (await text(clerk, path))[0] == 200
        else:
            assert await clerk.refused("GET", path) == (403, "not_allowed")


async def test_a_supervisor_gets_the_steps_against_targets(stage: Stage, sign_in: SignIn) -> None:
    """DOM-NUM-1, DOM-NUM-3, DOM-NUM-4, DOM-NUM-5."""
    place = (-88.7695, 17.2510)  # Belmopan
    quick = [job(BPD, 30 + n, point=place) for n in range(8)]
    slow = [job(BPD, 90, point=place), job(BPD, 500, priority=2)]
    await fill(stage, [*quick, *slow, Job(BPD, datetime.now(UTC) - timedelta(minutes=5), 1)])
    clerk = await sign_in("bpd.supervisor")
    said = await clerk.get("/api/numbers?by=district")
    assert (said["by"], said["agency"]) == ("district", BPD)
    assert said["end"] - said["begin"] == 30 * DAY_MS
    first, second, turnout, travel, on_scene = said["intervals"]
    assert (first["interval"], first["measured"], first["running"]) == ("call_to_dispatch", 10, 1)
    assert (first["p50"], first["p90"], first["p95"]) == (34_000, 90_000, 500_000)
    # Of priority 1 nine were measured, eight in time; one has waited for longer than a minute.
    assert first["targets"] == [
        {
            "priorities": [1],
            "limit": 60_000,
            "percent": 90,
            "counted": 10,
            "within": 8,
            "met": False,
        }
    ]
    assert (second["p90"], second["targets"][0]["met"]) == (20_000, True)
    assert [each["p50"] for each in (turnout, travel, on_scene)] == [60_000, 300_000, 600_000]
    assert [(g["key"], g["name"]) for g in said["groups"]] == [
        ("BZ-CY", "Cayo"),
        ("unplaced", "No place on the map"),
    ]
    assert said["groups"][1]["name_es"]
    measured = [group["intervals"][0]["measured"] for group in said["groups"]]
    assert measured == [9, 1]


async def test_an_agency_gets_its_own_and_two_figures_of_the_network(
    stage: Stage, sign_in: SignIn
) -> None:
    """DOM-NUM-7."""
    await hide_secrets(stage.dsn)
    await stage.core.pool.execute(
        "insert into incident_type (agency_id, code, name) values (3, 'x', $1)", SECRET
    )
    theirs = job(CUSTOMS, 10, type=1, point=(-88.2, 17.5))
    joint = job(CUSTOMS, 40, priority=4, type=1, partners=[BPD])
    own = Run(BPD, joint.opened + timedelta(seconds=70))
    joint.runs.append(own)
    await fill(stage, [theirs, joint])
    clerk = await sign_in("bpd.supervisor")
    everything = []
    for by in ("agency", "district", "priority", "type"):
        said = await clerk.get(f"/api/numbers?by={by}")
        everything.append(json.dumps(said))
        assert said["intervals"][0]["measured"] == 0  # no incident of the police
        assert said["intervals"][1]["running"] == 1  # but a unit of theirs was sent
        assert said["network"]["cross_agency"] == 1
        assert said["network"]["agencies"] >= 1
    heat = await clerk.get("/api/numbers/heat")
    assert (heat["squares"], heat["elsewhere"], heat["unplaced"]) == ([], 0, 0)
    types = json.loads(everything[-1])["groups"]
    assert [group["key"] for group in types] == ["foreign"]
    assert SECRET not in "".join(everything)
    customs = await sign_in("cus.supervisor")
    assert (await customs.get("/api/numbers"))["intervals"][0]["measured"] == 2
    assert (await customs.get("/api/numbers/heat"))["squares"][0]["incidents"] == 1


async def test_the_heat_map_has_squares_with_corners(stage: Stage, sign_in: SignIn) -> None:
    await fill(stage, [job(BPD, 10, point=(-88.19, 17.50)) for _ in range(3)])
    clerk = await sign_in("bpd.supervisor")
    (square,) = (await clerk.get("/api/numbers/heat"))["squares"]
    assert square["incidents"] == 3
    corners = square["corners"]
    assert min(corners[::2]) <= -881_900_000 <= max(corners[::2])
    assert min(corners[1::2]) <= 175_000_000 <= max(corners[1::2])


async def test_reading_and_exporting_is_in_the_audit(stage: Stage, sign_in: SignIn) -> None:
    """DOM-NUM-9."""
    clerk = await sign_in("bpd.auditor")
    begin, end = now_ms() - DAY_MS, now_ms()
    for path in PATHS:
        assert (await text(clerk, f"{path}?from={begin}&to={end}"))[0] == 200
    rows = await stage.core.pool.fetch(
        "select action, body from audit where action like 'numbers.%' order by seq"
    )
    assert [row["action"] for row in rows] == ["numbers.read", "numbers.read", "numbers.exported"]
    for row in rows:
        body = json.loads(row["body"])
        assert body["owner"] == BPD
        assert (body["details"]["from"], body["details"]["to"]) == (begin, end)


async def test_csv_is_a_file_and_has_no_formulas(stage: Stage, sign_in: SignIn) -> None:
    """DOM-NUM-8."""
    name = '=HYPERLINK("http://example.org")'
    await stage.core.pool.execute(
        "insert into incident_type (agency_id, code, name) values (1, 'x', $1)", name
    )
    await fill(stage, [job(BPD, 30, type=1)])
    clerk = await sign_in("bpd.supervisor")
    status, content, headers = await text(clerk, "/api/numbers.csv?by=type")
    assert status == 200
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"] == 'attachment; filename="numbers-by-type.csv"'
    assert headers["Cache-Control"] == "no-store"
    head, *lines = csv.reader(io.StringIO(content, newline=""))
    assert head == list(tables.HEAD)
    assert lines[0] == [
        f"'{name}",
        *("call_to_dispatch", "1", "0", "0", "30.000", "30.000", "30.000"),
        *("1", "60.000", "90", "1", "100.0", "met"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "from=5&to=5",
        "from=9&to=5",
        f"from=0&to={401 * DAY_MS}",
        "from=-1",
        "to=99999999999999999",
        "from=x",
        "from=1&from=2",
    ],
)
async def test_a_period_that_cannot_be_meant_is_refused(sign_in: SignIn, query: str) -> None:
    clerk = await sign_in("bpd.supervisor")
    for path in PATHS:
        assert await clerk.refused("GET", f"{path}?{query}") == (400, "bad_parameter")


async def test_a_grouping_that_is_none_is_refused(sign_in: SignIn) -> None:
    clerk = await sign_in("bpd.supervisor")
    for by in ("", "Agency", "agency'", "moon"):
        answer = await clerk.refused("GET", f"/api/numbers?by={by}")
        assert answer == (400, "bad_parameter")


async def test_targets_are_the_agencys_as_its_file_says_now(database: str, tmp_path: Path) -> None:
    """DOM-NUM-5."""
    await seed(database)
    await staff(database)
    file = tmp_path / "targets.toml"
    file.write_text('[[BPD]]\ninterval = "turnout"\nseconds = 30\npriorities = [1]\n')
    stage = Stage(database, targets=str(file))
    await stage.start()
    try:
        await fill(stage, [job(BPD, 30)])
        async with (
            aiohttp.ClientSession() as http,
            await Peer.enter(stage.url, "bpd.supervisor") as peer,
        ):
            clerk = Clerk(stage, http, peer)
            said = {each["interval"]: each for each in await _intervals(clerk)}
            assert said["call_to_dispatch"]["targets"] == []
            assert said["turnout"]["targets"][0]["met"] is False
            file.write_text('[[BPD]]\ninterval = "turnout"\nseconds = 60\n')
            said = {each["interval"]: each for each in await _intervals(clerk)}
            assert said["turnout"]["targets"][0]["met"] is True
            for broken in ("[[", '[[BPD]]\ninterval = "lunch"\nseconds = 1'):
                file.write_text(broken)
                assert await clerk.refused("GET", "/api/numbers") == (503, "bad_targets")
            file.unlink()
            assert await clerk.refused("GET", "/api/numbers") == (503, "bad_targets")
    finally:
        await stage.stop()


async def _intervals(clerk: Clerk) -> list[dict[str, Any]]:
    return list((await clerk.get("/api/numbers"))["intervals"])


async def test_a_lot_is_counted(stage: Stage, sign_in: SignIn) -> None:
    made = jobs.some(200, random.Random(7), datetime.now(UTC), 29, [BPD, BCG], [])
    await fill(stage, made)
    clerk = await sign_in("bpd.commander")
    said = await clerk.get("/api/numbers?by=priority")
    assert [group["key"] for group in said["groups"]] == ["1", "2", "3", "4", "5"]
    for at, whole in enumerate(said["intervals"]):
        parts = [group["intervals"][at] for group in said["groups"]]
        for field in ("measured", "running", "unmeasured"):
            assert whole[field] == sum(part[field] for part in parts)
    opened = sum(each.agency == BPD for each in made)
    first = said["intervals"][0]
    assert first["measured"] + first["running"] + first["unmeasured"] == opened


def test_the_document_says_that_one_answer_is_csv() -> None:
    paths = openapi.document(api.ROUTES)["paths"]
    answer = paths["/api/numbers.csv"]["get"]["responses"]["200"]["content"]
    assert answer == {"text/csv": {"schema": {"type": "string", "format": "binary"}}}
    for route in routes.ROUTES:
        parameters = {
            each["name"]: each["schema"]["type"] for each in paths[route.path]["get"]["parameters"]
        }
        assert parameters.pop("by", "string") == "string"
        assert parameters == {"from": "integer", "to": "integer"}
