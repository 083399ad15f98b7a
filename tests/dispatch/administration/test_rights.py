"""Every action of administration, for every role, for nobody, and with other agencies' ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from clerks import EVERY_ROLE, Clerk, hide_secrets
from stage import BCG, BPD, CAR, CUSTOMS, GATEWAY, TRUCK, Peer, Stage

from dispatch import administration
from dispatch.administration.values import Role
from psn import roles

SignIn = Callable[[str], Awaitable[Clerk]]

ADMIN = {"administrator"}
WATCHERS = {"dispatcher", "supervisor", "commander", "administrator", "auditor"}
SUPERVISORS = {"supervisor", "administrator"}
BREAKERS = {"dispatcher", "supervisor", "commander"}
REVIEWERS = {"supervisor", "commander", "administrator", "auditor"}
SESSIONS = {"supervisor", "administrator", "auditor"}
TALKERS = set(EVERY_ROLE) - {"auditor"}
ANA, BEN = 1, 2
TERMS = {"reason": "an exercise of all"}

TABLE: list[tuple[str, str, Any, set[str]]] = [
    ("GET", "/api/rights", None, set(EVERY_ROLE)),
    ("GET", "/api/people", None, WATCHERS),
    (
        "POST",
        "/api/people",
        {"name": "new.{role}", "full_name": "New", "roles": ["field"]},
        ADMIN,
    ),
    ("POST", f"/api/people/{ANA}/roles", {"roles": ["dispatcher"]}, ADMIN),
    ("POST", f"/api/people/{ANA}/password", None, ADMIN),
    ("POST", f"/api/people/{ANA}/reset-factors", None, ADMIN),
    ("POST", f"/api/people/{ANA}/sign-out", None, ADMIN),
    ("POST", f"/api/people/{ANA}/disable", None, ADMIN),
    ("POST", f"/api/people/{ANA}/enable", None, ADMIN),
    ("GET", "/api/devices", None, SESSIONS),
    ("POST", "/api/enrolments", {"label": "new {role}", "unit": CAR}, ADMIN),
    ("DELETE", "/api/enrolments/1", None, ADMIN),
    ("POST", "/api/devices/1/label", {"label": "Tablet"}, ADMIN),
    ("POST", "/api/devices/1/revoke", None, ADMIN),
    ("POST", "/api/devices/1/wipe", None, ADMIN),
    ("GET", "/api/units", None, SUPERVISORS),
    ("POST", "/api/units", {"callsign": "N {role}", "kind": "car"}, SUPERVISORS),
    ("POST", f"/api/units/{CAR}/callsign", {"callsign": "P-100"}, SUPERVISORS),
    ("POST", f"/api/units/{CAR}/retire", None, SUPERVISORS),
    ("POST", f"/api/units/{CAR}/back", None, SUPERVISORS),
    ("GET", "/api/groups", None, TALKERS),
    ("POST", "/api/groups", {"name": "Night {role}"}, SUPERVISORS),
    ("POST", "/api/groups/3/members", {"add": [f"person:{ANA}"]}, SUPERVISORS),
    ("GET", "/api/radio/networks", None, WATCHERS),
    ("POST", "/api/radio/networks", {"name": "Network {role}"}, ADMIN),
    ("POST", "/api/radio/networks/1/agencies", {"add": [BCG]}, ADMIN),
    ("POST", "/api/radio/networks/1/gateways", {"add": [GATEWAY]}, ADMIN),
    ("POST", "/api/radio/networks/1/talkgroups", {"number": 9, "group": 3}, ADMIN),
    ("DELETE", "/api/radio/talkgroups/1", None, ADMIN),
    ("POST", "/api/radio/networks/1/radios", {"number": 4711, "unit": CAR}, ADMIN),
    ("DELETE", "/api/radio/radios/1", None, ADMIN),
    ("POST", "/api/radio/networks/1/forget", {"number": 4711}, ADMIN),
    ("POST", "/api/radio/networks/1/retire", None, ADMIN),
    ("GET", "/api/sharing", None, WATCHERS),
    ("GET", "/api/sharing/units", None, WATCHERS),
    ("GET", f"/api/sharing/why?viewer=agency:{BCG}&unit={CAR}", None, WATCHERS),
    (
        "POST",
        "/api/agreements",
        {"viewer": CUSTOMS, "units": "blurred", "messages": False, "instead": True, **TERMS},
        ADMIN,
    ),
    ("DELETE", "/api/agreements/1", None, ADMIN),
    (
        "POST",
        "/api/exceptions",
        {"unit": CAR, "units": "blurred", "viewer": BCG, **TERMS},
        SUPERVISORS,
    ),
    ("DELETE", "/api/exceptions/1", None, SUPERVISORS),
    ("GET", "/api/glass", None, BREAKERS),
    ("POST", "/api/glass", {"agency": CUSTOMS, "minutes": 5, **TERMS}, BREAKERS),
    ("DELETE", "/api/glass/{glass}", None, BREAKERS),
    ("POST", "/api/glass/1/review", {"finding": "justified"}, REVIEWERS),
    ("GET", "/api/sessions", None, SESSIONS),
    ("DELETE", "/api/sessions/{session}", None, ADMIN),
    ("GET", "/api/keeping", None, {"administrator", "auditor"}),
    ("POST", "/api/keeping", {"kind": "track", "days": 90}, ADMIN),
    ("POST", "/api/holds", {"subject": f"unit:{CAR}", **TERMS}, ADMIN),
    ("DELETE", "/api/holds/1", None, ADMIN),
]

OWN = """
insert into talkgroup (agency_id, name) values (1, 'Day shift');
insert into radio_network (agency_id, name) values (1, 'National');
insert into enrolment (code_hash, agency_id, unit_id, label, author, expires_at)
    values ('\\x02', 1, 1, 'waits', 'test', now() + interval '1 day');
insert into broken_glass (person_id, owner_agency, reason, ends_at)
    values (2, 1, 'sinking off the reef', now() + interval '1 hour');
"""


def test_the_table_has_every_route() -> None:
    def shape(method: str, path: str) -> tuple[str, str]:
        parts = path.partition("?")[0].split("/")
        named = ["*" if p.isdigit() or p.startswith("{") else p for p in parts]
        return method, "/".join(named)

    routes = {shape(route.method, route.path) for route in administration.ROUTES}
    assert {shape(method, path) for method, path, _, _ in TABLE} == routes


def test_the_roles_that_can_be_given_are_those_there_are() -> None:
    assert Role.__args__ == roles.PEOPLES


@pytest.mark.parametrize("role", EVERY_ROLE)
async def test_each_role_may_do_what_the_table_says_and_nothing_else(
    stage: Stage, sign_in: SignIn, role: str
) -> None:
    await stage.core.pool.execute(OWN)
    clerk = await sign_in(f"bpd.{role}")
    filled: dict[str, Any] = {"role": role, "glass": 99, "session": "0" * 16}
    async with await Peer.enter(stage.url, "ana") as ana:
        filled["session"] = stage.core.tickets.by_token(ana.me.token).hash.hex()[:16]  # type: ignore[union-attr]
        for method, path, body, allowed in TABLE:
            status, answer = await clerk.ask(method, path.format(**filled), _fill(body, filled))
            if role not in allowed:
                assert (status, answer["error"]["code"]) == (403, "not_allowed"), (method, path)
            elif path == "/api/sessions/{session}":
                assert status == 404  # ana was signed out before
            else:
                assert status == 200, (method, path, answer)
            if (method, path) == ("POST", "/api/glass") and status == 200:
                filled["glass"] = answer["id"]


async def test_nobody_may_do_anything(stage: Stage) -> None:
    base = stage.url.replace("ws://", "http://").removesuffix("/ws")
    async with aiohttp.ClientSession() as http:
        for method, path, body, _ in TABLE:
            address = base + path.format(glass=1, session="0" * 16)
            for headers in ({}, {"Authorization": "Bearer guess"}):
                async with http.request(method, address, json=body, headers=headers) as answer:
                    told = await answer.json()
                    assert (answer.status, told["error"]["code"]) == (401, "not_signed_in")


async def test_devices_administer_nothing(stage: Stage) -> None:
    base = stage.url.replace("ws://", "http://").removesuffix("/ws")
    may = {"/api/rights", "/api/groups"}
    async with aiohttp.ClientSession() as http:
        for device in (CAR, GATEWAY):
            async with await Peer.enter(stage.url, device) as peer:
                headers = {"Authorization": f"Bearer {peer.me.token}"}
                for method, path, body, _ in TABLE:
                    if method == "GET" and path in may:
                        continue
                    address = base + path.format(glass=1, session="0" * 16)
                    said = _fill(body, {"role": "x"})
                    async with http.request(method, address, json=said, headers=headers) as answer:
                        assert answer.status == 403, (device, path)


FOREIGN: list[tuple[str, str, Any]] = [
    ("POST", "/api/people/{person}/roles", {"roles": ["dispatcher"]}),
    ("POST", "/api/people/{person}/disable", None),
    ("POST", "/api/people/{person}/enable", None),
    ("POST", "/api/people/{person}/password", None),
    ("POST", "/api/people/{person}/sign-out", None),
    ("POST", "/api/people/{person}/reset-factors", None),
    ("POST", "/api/enrolments", {"label": "theirs", "unit": "{unit}"}),
    ("DELETE", "/api/enrolments/{one}", None),
    ("POST", "/api/devices/{device}/label", {"label": "mine"}),
    ("POST", "/api/devices/{device}/revoke", None),
    ("POST", "/api/devices/{device}/wipe", None),
    ("GET", "/api/units/{unit}", None),
    ("POST", "/api/units/{unit}/callsign", {"callsign": "mine"}),
    ("POST", "/api/units/{unit}/retire", None),
    ("POST", "/api/units/{unit}/back", None),
    ("POST", "/api/groups/{group}/members", {"add": []}),
    ("POST", "/api/groups/3/members", {"add": ["person:{person}"]}),
    ("POST", "/api/groups/3/members", {"add": ["unit:{unit}"]}),
    ("POST", "/api/groups/3/members", {"add": ["agency:{agency}"]}),
    ("POST", "/api/radio/networks/{network}/agencies", {"add": [1]}),
    ("POST", "/api/radio/networks/{network}/gateways", {"add": [6]}),
    ("POST", "/api/radio/networks/{network}/radios", {"number": 77, "unit": CAR}),
    ("POST", "/api/radio/networks/{network}/talkgroups", {"number": 77, "group": 3}),
    ("POST", "/api/radio/networks/{network}/forget", {"number": 77}),
    ("POST", "/api/radio/networks/{network}/retire", None),
    ("DELETE", "/api/radio/talkgroups/{joined}", None),
    ("DELETE", "/api/radio/radios/{radio}", None),
    ("DELETE", "/api/agreements/{agreement}", None),
    ("POST", "/api/exceptions", {"unit": "{unit}", "units": "nothing", **TERMS}),
    ("DELETE", "/api/exceptions/{exception}", None),
    ("POST", "/api/glass/{one}/review", {"finding": "fine"}),
    ("DELETE", "/api/sessions/{session}", None),
    ("POST", "/api/holds", {"subject": "unit:{unit}", **TERMS}),
    ("POST", "/api/holds", {"subject": "person:{person}", **TERMS}),
    ("POST", "/api/holds", {"subject": "agency:{agency}", **TERMS}),
    ("POST", "/api/holds", {"subject": "incident:{one}", **TERMS}),
    ("POST", "/api/holds", {"subject": "call:{one}", **TERMS}),
    ("POST", "/api/holds", {"subject": "lookout:BCG-L26-00001", **TERMS}),
    ("DELETE", "/api/holds/{one}", None),
    ("GET", "/api/sharing/why?viewer=agency:{agency}&unit={unit}", None),
    ("GET", "/api/sharing/why?viewer=agency:1&unit={unit}", None),
    ("GET", "/api/sharing/why?viewer=person:{person}&unit=1", None),
    ("GET", "/api/sharing/why?viewer=unit:{unit}&unit=1", None),
    ("GET", "/api/sharing/why?viewer=person:{person}&unit={unit}", None),
]


async def test_ids_of_other_agencies_are_answered_like_ids_of_nothing(
    stage: Stage, sign_in: SignIn
) -> None:
    await stage.core.pool.execute("insert into talkgroup (agency_id, name) values (1, 'Own')")
    admin = await sign_in("bpd.administrator")
    await hide_secrets(stage.dsn)
    cyd = await stage.core.pool.fetchval(
        "insert into session (token_hash, person_id, ends_at)"
        " select sha256('x'), id, now() + interval '1 hour' from person where id = 3"
        " returning left(encode(token_hash, 'hex'), 16)"
    )
    await stage.core.refresh_directory()
    theirs = {
        "person": 3, "unit": TRUCK, "device": 5, "group": 2, "agency": CUSTOMS, "agreement": 3,
        "exception": 2, "one": 1, "session": cyd,
        "network": 1, "joined": 1, "radio": 1,
    }  # fmt: skip
    before = await _everything(stage)
    for method, path, body in FOREIGN:
        answers = []
        for ids in (theirs, dict.fromkeys(theirs, 99_999) | {"session": "f" * 16}):
            said = _fill(body, ids)
            answers.append(await admin.ask(method, path.format(**ids), said))
        assert answers[0] == answers[1], (method, path)
        assert answers[0][0] == 404, (method, path, answers[0])
    assert await _everything(stage) == before


def _fill(value: Any, ids: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(inner, ids) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, ids) for inner in value]
    if value == "{unit}":
        return ids["unit"]
    return value.format(**ids) if isinstance(value, str) else value


async def _everything(stage: Stage) -> list[Any]:
    """What stands in the tables that administration writes."""
    tables = (
        "person", "device", "enrolment", "unit", "talkgroup", "group_member", "agreement",
        "unit_exception", "broken_glass", "session", "log", "retention", "legal_hold",
        "radio_network", "radio_network_agency", "radio_gateway", "radio_talkgroup", "radio",
    )  # fmt: skip
    return [
        await stage.core.pool.fetch(f"select md5(t::text) from {table} t order by 1")
        for table in tables
    ]


@pytest.mark.parametrize("id", ["0", "-1", "99999999999", "1%20or%201=1", "%27", "x", "1.0", "٣"])
async def test_what_is_no_id_is_not_there(admin: Clerk, id: str) -> None:
    for path in ("/api/people/{}/disable", "/api/devices/{}/revoke", "/api/units/{}/retire"):
        assert await admin.refused("POST", path.format(id)) == (404, "not_found")
    for path in ("/api/agreements/{}", "/api/exceptions/{}", "/api/sessions/{}", "/api/holds/{}"):
        assert await admin.refused("DELETE", path.format(id)) == (404, "not_found")
    for query in (f"viewer=agency:{id}&unit=1", f"viewer=agency:1&unit={id}", f"viewer={id}"):
        assert (await admin.refused("GET", f"/api/sharing/why?{query}"))[0] == 404


async def test_rights_are_told_as_the_table_has_them(sign_in: SignIn) -> None:
    told = await (await sign_in("bpd.auditor")).get("/api/rights")
    assert told["rights"]["audit"] == {"see": "own", "export": "own"}
    assert "incident" not in told["rights"]
    assert (told["agency"], told["name"]) == (BPD, "BPD auditor")
    assert [each["code"] for each in told["agencies"]] == ["BPD", "BCG", "CUS"]
