"""What an agency has beforehand, over HTTP: who reads it, and that it is what was set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from clerks import EVERY_ROLE, SECRET, Clerk, hide_secrets
from stage import BOAT, BPD, CAR, COVERT, GATEWAY, PATROL, TRUCK, Peer, Stage, now_ms

from dispatch import beforehand

SignIn = Callable[[str], Awaitable[Clerk]]

WORKS = set(EVERY_ROLE) - {"administrator", "auditor"}
PREPARES = WORKS | {"administrator"}
TABLE: dict[str, set[str]] = {
    "/api/incident-types": PREPARES,
    "/api/stations": PREPARES,
    "/api/crews": PREPARES,
    "/api/fence-rules": WORKS,
}
HOUR = 3_600_000
PLACE = {"text": "", "lon": -881_860_000, "lat": 174_960_000}
FENCE = """
insert into fence (agency_id, name, area) values ($1, $2,
    ST_GeomFromText('POLYGON((-88.2 17.48,-88.18 17.48,-88.18 17.5,-88.2 17.5,-88.2 17.48))', 4326))
returning id
"""


async def fence(stage: Stage, agency: int | None, name: str) -> int:
    number: int = await stage.core.pool.fetchval(FENCE, agency, name)
    await stage.core.refresh_directory()
    return number


async def do(clerk: Clerk, action: str, **body: Any) -> Any:
    return (await clerk.post(f"/api/do/{action}", body))["result"]


def test_the_table_has_every_route() -> None:
    assert set(TABLE) == {route.path for route in beforehand.ROUTES}


@pytest.mark.parametrize("role", EVERY_ROLE)
async def test_each_role_reads_what_the_table_says(sign_in: SignIn, role: str) -> None:
    clerk = await sign_in(f"bpd.{role}")
    for path, allowed in TABLE.items():
        status, answer = await clerk.ask("GET", path)
        if role in allowed:
            assert status == 200, (path, answer)
        else:
            assert (status, answer["error"]["code"]) == (403, "not_allowed"), path


async def test_neither_devices_nor_strangers_read_it(stage: Stage) -> None:
    base = stage.url.replace("ws://", "http://").removesuffix("/ws")
    async with aiohttp.ClientSession() as http:
        for path in TABLE:
            async with http.get(base + path) as answer:
                assert answer.status == 401
        for device in (CAR, GATEWAY):
            async with await Peer.enter(stage.url, device) as peer:
                headers = {"Authorization": f"Bearer {peer.me.token}"}
                for path in TABLE:
                    async with http.get(base + path, headers=headers) as answer:
                        assert answer.status == 403, (device, path)


async def test_nothing_of_another_agency_is_told(stage: Stage, sign_in: SignIn) -> None:
    theirs = await sign_in("cus.supervisor")
    await do(theirs, "incident_type.set", code="secret", name=SECRET, checklist=[SECRET])
    await do(theirs, "station.set", name=SECRET, place=PLACE)
    await do(theirs, "unit.profile", unit=TRUCK, capabilities=["k9"])
    crew = [{"name": SECRET}]
    starts = now_ms()
    await do(theirs, "shift.plan", unit=TRUCK, starts=starts, ends=starts + HOUR, crew=crew)
    await do(theirs, "fence_rule.set", fence=await fence(stage, None, "Port"), what="in")
    ours = await sign_in("bpd.supervisor")
    await hide_secrets(stage.dsn)
    await stage.core.refresh_directory()
    told = [await ours.get(path) for path in TABLE]
    assert SECRET not in str(told)
    assert [each["id"] for each in told[2]["units"]] == [CAR, PATROL, COVERT]
    assert [told[0]["types"], told[1]["stations"], told[2]["shifts"], told[3]["rules"]] == [[]] * 4


async def test_kinds_of_incidents_and_stations_are_read_as_they_were_set(sign_in: SignIn) -> None:
    admin = await sign_in("bpd.administrator")
    plan = [{"count": 2, "kinds": ["car"], "capabilities": ["armed"]}]
    body = {"code": "robbery", "name": "Robbery", "priority": 1, "plan": plan, "scene_minutes": 60}
    made = await do(admin, "incident_type.set", **body, checklist=["Cordon", "Scene kept"])
    (told,) = (await admin.get("/api/incident-types"))["types"]
    assert told == {
        "is": "incident_type", "id": made["id"], "agency": BPD, **body,
        "checklist": ["Cordon", "Scene kept"],
    }  # fmt: skip
    await do(admin, "incident_type.retire", id=made["id"])
    assert (await admin.get("/api/incident-types"))["types"] == []
    other = await do(admin, "incident_type.set", code="theft", name="Theft")
    under = {**body, "id": other["id"]}
    status, again = await admin.ask("POST", "/api/do/incident_type.set", under)
    assert (status, again["error"]["code"]) == (409, "name_taken")
    assert "was retired" in again["error"]["text"]
    back = await do(admin, "incident_type.set", **body)
    assert back == made
    codes = [each["code"] for each in (await admin.get("/api/incident-types"))["types"]]
    assert codes == ["robbery", "theft"]

    first = await do(admin, "station.set", name="Queen Street", place=PLACE)
    second = await do(admin, "station.set", name="Raccoon Street", place=PLACE)
    await do(admin, "station.set", id=first["id"], name="Albert Street", place=PLACE)
    names = [each["name"] for each in (await admin.get("/api/stations"))["stations"]]
    assert names == ["Albert Street", "Raccoon Street"]
    taken = {"id": second["id"], "name": "Albert Street", "place": PLACE}
    assert await admin.refused("POST", "/api/do/station.set", taken) == (409, "name_taken")
    await do(admin, "unit.profile", unit=CAR, station=first["id"])
    await do(admin, "station.retire", id=first["id"])
    assert (await admin.get("/api/crews"))["units"][0]["station"] is None
    assert await admin.refused("POST", "/api/do/station.set", taken) == (409, "name_taken")
    gone = {"id": first["id"]}
    assert await admin.refused("POST", "/api/do/station.retire", gone) == (404, "not_found")
    assert await do(admin, "station.set", name="Albert Street", place=PLACE) == first


async def test_shifts_are_those_that_touch_the_period(sign_in: SignIn) -> None:
    boss = await sign_in("bpd.supervisor")
    await do(boss, "unit.profile", unit=PATROL, capabilities=["medic", "4x4"])
    day = now_ms() + 48 * HOUR
    crew = [{"name": "Ana", "role": "driver", "person": 1}, {"name": "A guest"}]
    numbers = []
    for at, to in ((-8, -1), (-1, 1), (3, 4), (5, 10), (10, 12)):
        times = {"starts": day + at * HOUR, "ends": day + to * HOUR}
        numbers.append((await do(boss, "shift.plan", unit=CAR, crew=crew, **times))["id"])
    told = await boss.get(f"/api/crews?from={day}&to={day + 10 * HOUR}")
    assert [each["id"] for each in told["shifts"]] == numbers[1:4]
    assert told["shifts"][0]["crew"][0] == crew[0]
    later = await boss.get(f"/api/crews?from={day + HOUR}&to={day + 10 * HOUR}")
    assert [each["id"] for each in later["shifts"]] == numbers[2:4]
    by_id = {each["id"]: each for each in told["units"]}
    assert by_id[PATROL]["capabilities"] == ["4x4", "medic"]
    await do(boss, "shift.end", shift=numbers[2])
    told = await boss.get(f"/api/crews?from={day}&to={day + 10 * HOUR}")
    assert numbers[2] not in [each["id"] for each in told["shifts"]]
    for query in (f"from={day}&to={day}", f"from={day}&to={day + 41 * 24 * HOUR}"):
        assert await boss.refused("GET", f"/api/crews?{query}") == (400, "bad_parameter")


async def test_neither_a_unit_nor_a_person_has_two_shifts_at_once(sign_in: SignIn) -> None:
    """DOM-STA-7."""
    boss = await sign_in("bpd.supervisor")
    day = (now_ms() // HOUR + 48) * HOUR

    def shift(unit: int, at: int, to: int, person: int | None = None) -> dict[str, Any]:
        crew = [{"name": "Somebody", "person": person}, {"name": "A guest"}]
        return {"unit": unit, "starts": day + at * HOUR, "ends": day + to * HOUR, "crew": crew}

    first = await do(boss, "shift.plan", **shift(CAR, 0, 8, 1))
    for body, whose in (
        (shift(CAR, 7, 9), "P-1 has a shift"),
        (shift(CAR, -9, 9), "P-1 has a shift"),
        (shift(PATROL, 2, 3, 1), "Ana (with P-1) has a shift"),
    ):
        status, answer = await boss.ask("POST", "/api/do/shift.plan", body)
        assert (status, answer["error"]["code"]) == (409, "shift_overlaps")
        assert answer["error"]["text"].startswith(whose) and answer["error"]["todo"]
    both = [shift(PATROL, 8, 16, 1), shift(TRUCK, 8, 16, 1)]
    assert await boss.refused("POST", "/api/do/shift.plan", both[1]) == (404, "not_found")
    await do(boss, "shift.plan", **both[0])
    await do(boss, "shift.plan", **shift(CAR, 8, 9))
    await do(boss, "shift.end", shift=first["id"])
    twins = [boss.ask("POST", "/api/do/shift.plan", shift(CAR, 1, 4)) for _ in range(2)]
    assert sorted([status for status, _ in await asyncio.gather(*twins)]) == [200, 409]


async def test_the_same_rule_is_set_once(stage: Stage, sign_in: SignIn) -> None:
    """DOM-ALM-7."""
    number = await fence(stage, BPD, "Port")
    boss = await sign_in("bpd.supervisor")
    body = {"fence": number, "what": "dwell", "threshold": 600}
    made = await do(boss, "fence_rule.set", **body)
    status, answer = await boss.ask("POST", "/api/do/fence_rule.set", body)
    assert (status, answer["error"]["code"]) == (409, "already_there")
    assert answer["error"]["text"] == "The same alarm at the fence Port is set already."
    for other in ({"threshold": 601}, {"unit": CAR}, {"kind": "car"}):
        await do(boss, "fence_rule.set", **body | other)
    await do(boss, "fence_rule.end", rule=made["id"])
    await do(boss, "fence_rule.set", **body)
    status, answer = await boss.ask("POST", "/api/do/fence_rule.set", body | {"kind": "spaceship"})
    assert (status, answer["error"]["code"]) == (400, "bad_value")
    assert answer["error"]["text"] == "No unit that you may see is a spaceship."
    assert "car" in answer["error"]["todo"]


async def test_a_rule_names_its_unit_only_where_that_is_shown(
    stage: Stage, sign_in: SignIn
) -> None:
    number = await fence(stage, BPD, "Port")
    boss = await sign_in("bpd.supervisor")
    await do(boss, "fence_rule.set", fence=number, what="speed", unit=BOAT, threshold=514)
    made = await do(boss, "fence_rule.set", fence=number, what="in", kind="car")
    rules = (await boss.get("/api/fence-rules"))["rules"]
    assert [(each["fence_name"], each["callsign"], each["threshold"]) for each in rules] == [
        ("Port", "CG-1", 514),
        ("Port", None, None),
    ]
    assert rules[1]["author"] == "BPD supervisor"
    # A unit that is not shown is one that there is not.
    for unit in (TRUCK, 999):
        hidden = {"fence": number, "what": "in", "unit": unit}
        answer = await boss.refused("POST", "/api/do/fence_rule.set", hidden)
        assert answer == (404, "not_found")
    await stage.core.pool.execute("update agreement set ends_at = now() where owner_agency = 2")
    await stage.core.refresh_directory()
    await do(boss, "fence_rule.end", rule=made["id"])
    (rule,) = (await boss.get("/api/fence-rules"))["rules"]
    assert (rule["unit"], rule["callsign"]) == (BOAT, None)
