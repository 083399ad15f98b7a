"""Landmarks and notes that an agency keeps: who may, what it does, and what is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from clerks import EVERY_ROLE, Clerk, hide_secrets
from stage import BPD, CAR, GATEWAY, Peer, Stage

from dispatch import locating

SignIn = Callable[[str], Awaitable[Clerk]]

SEES = set(EVERY_ROLE) - {"auditor"}
MANAGES = {"supervisor", "administrator"}
LON, LAT = -879_632_000, 179_155_000
PIER = {"name": "Town pier", "kind": "pier", "lon": LON, "lat": LAT}
NOTE = {"kind": "hazard", "text": "Loose planks", "radius": 150}

TABLE: list[tuple[str, str, Any, set[str]]] = [
    ("GET", "/api/places?q=pier", None, SEES),
    ("GET", f"/api/places/at?lon={LON}&lat={LAT}", None, SEES),
    ("GET", "/api/places/own", None, SEES),
    ("POST", "/api/places", {**PIER, "name": "Pier {role}"}, MANAGES),
    ("POST", "/api/places/{place}", PIER, MANAGES),
    ("POST", "/api/places/{place}/retire", None, MANAGES),
    ("POST", "/api/places/{place}/back", None, MANAGES),
    ("GET", "/api/place-notes", None, SEES),
    ("POST", "/api/place-notes", {**NOTE, "lon": LON, "lat": LAT}, MANAGES),
    ("POST", "/api/place-notes/{note}", {"text": "Mended", "radius": 20}, MANAGES),
    ("POST", "/api/place-notes/{note}/end", None, MANAGES),
]


async def rows_of(stage: Stage, agency: int) -> dict[str, int]:
    """A place and a note of an agency, by id."""
    fetch = stage.core.pool.fetchval
    place = await fetch(
        "insert into place (agency_id, name, kind, point, source) values ($1, 'Gate', 'landmark',"
        " ST_SetSRID(ST_MakePoint(-88.2, 17.5), 4326), 'test') returning id",
        agency,
    )
    note = await fetch(
        "insert into place_note (agency_id, point, radius_m, kind, text, author) values ($1,"
        " ST_SetSRID(ST_MakePoint(-88.2, 17.5), 4326), 9, 'access', 'Key', 'test') returning id",
        agency,
    )
    return {"place": place, "note": note}


def test_the_table_has_every_route() -> None:
    def shape(path: str) -> list[str]:
        return ["*" if p.startswith("{") else p for p in path.partition("?")[0].split("/")]

    routes = [(route.method, shape(route.path)) for route in locating.ROUTES]
    assert sorted((method, shape(path)) for method, path, _, _ in TABLE) == sorted(routes)


@pytest.mark.parametrize("role", EVERY_ROLE)
async def test_each_role_may_do_what_the_table_says_and_nothing_else(
    stage: Stage, sign_in: SignIn, role: str
) -> None:
    ids = await rows_of(stage, BPD)
    clerk = await sign_in(f"bpd.{role}")
    for method, path, body, allowed in TABLE:
        said = body and {k: v.format(role=role) if k == "name" else v for k, v in body.items()}
        status, answer = await clerk.ask(method, path.format(**ids), said)
        if role in allowed:
            assert status == 200, (method, path, answer)
        else:
            assert (status, answer["error"]["code"]) == (403, "not_allowed"), (method, path)


async def test_crews_look_up_places_and_gateways_and_strangers_do_not(stage: Stage) -> None:
    base = stage.url.replace("ws://", "http://").removesuffix("/ws")
    ids = await rows_of(stage, BPD)
    async with aiohttp.ClientSession() as http:
        for device, sees in ((CAR, 200), (GATEWAY, 403)):
            async with await Peer.enter(stage.url, device) as peer:
                headers = {"Authorization": f"Bearer {peer.me.token}"}
                for method, path, body, _ in TABLE:
                    address = base + path.format(**ids)
                    async with http.request(method, address, json=body, headers=headers) as answer:
                        wanted = sees if method == "GET" else 403
                        assert answer.status == wanted, (device, path)
        for method, path, body, _ in TABLE:
            async with http.request(method, base + path.format(**ids), json=body) as answer:
                assert answer.status == 401


async def test_what_is_anothers_is_answered_like_what_does_not_exist(
    stage: Stage, sign_in: SignIn
) -> None:
    """DOM-PLACE-7."""
    clerk = await sign_in("bpd.supervisor")
    await hide_secrets(stage.dsn)
    theirs = await stage.core.pool.fetchrow("select id, place_id from place_note")
    joint = await stage.core.pool.fetchval(
        "insert into place (name, kind, point, source) values ('All', 'caye',"
        " ST_SetSRID(ST_MakePoint(-88, 17), 4326), 'test') returning id"
    )
    before = await everything(stage)
    answers = []
    for ids in (
        {"place": theirs["place_id"], "note": theirs["id"]},
        {"place": joint, "note": 99_999},
        {"place": 99_999, "note": 99_999},
    ):
        asked = [
            ("POST", f"/api/places/{ids['place']}", PIER),
            ("POST", f"/api/places/{ids['place']}/retire", None),
            ("POST", f"/api/places/{ids['place']}/back", None),
            ("POST", f"/api/place-notes/{ids['note']}", {"text": "Mine", "radius": 20}),
            ("POST", f"/api/place-notes/{ids['note']}/end", None),
        ]
        answers.append([await clerk.ask(*each) for each in asked])
    answers[0].append(
        await clerk.ask("POST", "/api/place-notes", {**NOTE, "place": theirs["place_id"]})
    )
    answers[2].append(await clerk.ask("POST", "/api/place-notes", {**NOTE, "place": 99_999}))
    assert answers[0] == answers[2]
    assert all(status == 404 for each in answers for status, _ in each)
    assert await everything(stage) == before
    # A note about a place of everybody's is the own agency's.
    await clerk.post("/api/place-notes", {**NOTE, "place": joint})


async def everything(stage: Stage) -> list[Any]:
    fetch = stage.core.pool.fetch
    return [
        await fetch(f"select md5(t::text) from {t} t order by 1") for t in ("place", "place_note")
    ]


async def test_a_landmark_is_found_at_once_changed_retired_and_taken_back(
    stage: Stage, sign_in: SignIn
) -> None:
    clerk = await sign_in("bpd.supervisor")
    made = await clerk.post("/api/places", {**PIER, "other_names": ["Muelle"]})

    async def first(typed: str) -> str | None:
        found = (await clerk.get(f"/api/places?q={typed}"))["found"]
        return found[0]["name"] if found else None

    assert (await first("town peir"), await first("muelle")) == ("Town pier", "Town pier")
    (row,) = (await clerk.get("/api/places/own"))["places"]
    assert (row["lon"], row["lat"], row["district"], row["retired"]) == (LON, LAT, "Belize", False)
    assert await clerk.refused("POST", "/api/places", {**PIER, "lat": LAT + 20_000}) == (
        409,
        "already_there",
    )
    await clerk.post("/api/places", {**PIER, "lat": LAT + 200_000})
    renamed = {**PIER, "name": "Old pier", "lat": LAT + 10_000}
    await clerk.post(f"/api/places/{made['id']}", renamed)
    assert await first("old pier") == "Old pier"
    await clerk.post(f"/api/places/{made['id']}/retire")
    assert await first("old pier") == "Town pier"
    await clerk.post(f"/api/places/{made['id']}/back")
    assert await first("old pier") == "Old pier"
    assert await first("muelle") is None
    address = (await clerk.get("/api/rights"))["address"]
    said = await stage.core.pool.fetch(
        "select action, actor, owner from audit where object = $1 order by seq",
        f"place:{made['id']}",
    )
    assert [row["action"] for row in said] == [
        "place.added", "place.changed", "place.retired", "place.reinstated"
    ]  # fmt: skip
    assert {(row["actor"], row["owner"]) for row in said} == {(address, BPD)}


async def test_a_note_goes_where_its_place_goes_and_ends(stage: Stage, sign_in: SignIn) -> None:
    """DOM-PLACE-6."""
    clerk = await sign_in("bpd.supervisor")
    place = (await clerk.post("/api/places", PIER))["id"]
    note = (await clerk.post("/api/place-notes", {**NOTE, "place": place}))["id"]

    async def notes() -> list[str]:
        found = (await clerk.get("/api/places?q=town%20pier"))["found"][0]
        return [each["text"] for each in found["notes"]]

    assert await notes() == ["Loose planks"]
    await clerk.post(f"/api/places/{place}", {**PIER, "lat": LAT + 500_000})
    assert await notes() == ["Loose planks"]
    (row,) = (await clerk.get("/api/place-notes"))["notes"]
    assert (row["lat"], row["name"], row["author"]) == (
        LAT + 500_000,
        "Town pier",
        "BPD supervisor",
    )
    await clerk.post(f"/api/place-notes/{note}", {"text": "Mended", "radius": 20})
    assert await notes() == ["Mended"]
    await clerk.post(f"/api/place-notes/{note}/end")
    assert await notes() == []
    assert (await clerk.get("/api/place-notes"))["notes"] == []
    await clerk.post(f"/api/place-notes/{note}/end")
    over = {"text": "Again", "radius": 20}
    assert await clerk.refused("POST", f"/api/place-notes/{note}", over) == (404, "not_found")
    actions = await stage.core.pool.fetch(
        "select action from audit where object = $1 order by seq", f"place_note:{note}"
    )
    assert [row["action"] for row in actions][:3] == [
        "place_note.added", "place_note.changed", "place_note.changed"
    ]  # fmt: skip
    assert actions[-1]["action"] == "place_note.ended"


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("/api/places", {**PIER, "name": " "}, "bad_body"),
    ("/api/places", {**PIER, "name": "a\nb"}, "bad_body"),
    ("/api/places", {**PIER, "name": "x" * 81}, "bad_body"),
    ("/api/places", {**PIER, "name": "👍"}, "bad_name"),
    ("/api/places", {**PIER, "kind": "moon"}, "bad_body"),
    ("/api/places", {**PIER, "lat": 900_000_001}, "bad_body"),
    ("/api/places", {**PIER, "lat": 17.5}, "bad_body"),
    ("/api/places", {**PIER, "lon": 879_632_000}, "far_away"),
    ("/api/places", {**PIER, "lon": 0, "lat": 0}, "far_away"),
    ("/api/places", {**PIER, "lon": LAT, "lat": LON}, "far_away"),
    ("/api/places", {**PIER, "road": "Coastal Road"}, "bad_marker"),
    ("/api/places", {**PIER, "kind": "mile_marker", "mile": 3}, "bad_marker"),
    ("/api/places", {**PIER, "kind": "mile_marker", "mile": -3, "road": "x"}, "bad_body"),
    ("/api/places", {**PIER, "other_names": ["x"] * 41}, "bad_body"),
    ("/api/places", {**PIER, "agency_id": 3}, "bad_body"),
    ("/api/place-notes", NOTE, "bad_note"),
    ("/api/place-notes", {**NOTE, "lon": LON}, "bad_note"),
    ("/api/place-notes", {**NOTE, "lon": LON, "lat": LAT, "place": 1}, "bad_note"),
    ("/api/place-notes", {**NOTE, "lon": LON, "lat": LAT, "radius": 0}, "bad_body"),
    ("/api/place-notes", {**NOTE, "lon": LON, "lat": LAT, "radius": 50_001}, "bad_body"),
    ("/api/place-notes", {**NOTE, "lon": LON, "lat": LAT, "text": " "}, "bad_body"),
    ("/api/place-notes", {**NOTE, "lon": LON, "lat": LAT, "ends": 1}, "already_over"),
    (
        "/api/place-notes",
        {**NOTE, "lon": LON, "lat": LAT, "starts": 4_102_444_799_000, "ends": 4_102_444_798_000},
        "bad_term",
    ),
]


async def test_bad_input_is_refused_in_a_sentence_and_changes_nothing(
    stage: Stage, sign_in: SignIn
) -> None:
    clerk = await sign_in("bpd.supervisor")
    for path, body, code in BAD:
        assert await clerk.refused("POST", path, body) == (400, code), (path, body)
    assert await stage.core.pool.fetchval("select count(*) from place") == 0
    assert await stage.core.pool.fetchval("select count(*) from place_note") == 0
    await clerk.post("/api/places", {**PIER, "lon": 879_632_000, "anywhere": True})
    marker = {**PIER, "kind": "mile_marker", "road": "Western Highway", "mile": 31.5}
    await clerk.post("/api/places", marker)
    rows = (await clerk.get("/api/places/own"))["places"]
    assert [(row["road"], row["mile"]) for row in rows if row["kind"] == "mile_marker"] == [
        ("George Price Highway", 31.5)
    ]


async def test_the_name_of_a_place_turns_nothing_around_it(sign_in: SignIn) -> None:
    """DOM-REC-12."""
    clerk = await sign_in("bpd.supervisor")
    await clerk.post("/api/places", {**PIER, "name": "\u202eTown\u202c pier \u2067שלום"})
    assert [one["name"] for one in (await clerk.get("/api/places/own"))["places"]] == [
        "Town pier שלום"
    ]
    nothing = {**PIER, "name": "\u202e\u202c"}
    assert await clerk.refused("POST", "/api/places", nothing) == (400, "bad_body")
