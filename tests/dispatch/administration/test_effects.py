"""What administrators do holds at once, for those who are signed in too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from clerks import Clerk
from office import Office
from stage import (
    ANA,
    BCG,
    BOAT,
    BPD,
    CAR,
    COVERT,
    CUSTOMS,
    PASSWORD,
    TRUCK,
    Peer,
    Stage,
    message,
    named,
    texts,
    until,
    watching,
)

from psn import wire
from psn.enrolment import device_key, enrolment_code
from psn.identity.tickets import FRESH

SignIn = Callable[[str], Awaitable[Clerk]]
TERMS = {"reason": "an exercise of all"}


def later(**ahead: float) -> int:
    return round((datetime.now(UTC) + timedelta(**ahead)).timestamp() * 1000)


async def test_a_new_person_signs_in_with_the_password_that_was_shown(
    stage: Stage, admin: Clerk
) -> None:
    body = {"name": "bpd.eve", "full_name": " Eve Cal ", "roles": ["dispatcher", "dispatcher"]}
    added = await admin.post("/api/people", body)
    async with await Peer.join(stage.url) as eve:
        me = await _half_way_in(eve, "bpd.eve", added["password"])
        assert (me.name, me.roles, me.agency) == ("Eve Cal", ["dispatcher"], BPD)
        assert me.limited
    rows = (await admin.get("/api/people"))["people"]
    assert {row["name"]: row["roles"] for row in rows}["bpd.eve"] == ["dispatcher"]
    assert added["password"] not in str(rows)


async def _half_way_in(peer: Peer, name: str, password: str) -> wire.SignedIn:
    """Signed in to an account that is not finished: no mail comes, so nothing is caught up."""
    await peer.send(wire.SignIn(n=peer.number(), auth=wire.PasswordAuth(name, password)))
    peer.me = await peer.expect(wire.SignedIn)
    return peer.me


async def test_a_password_that_somebody_else_made_is_good_to_choose_another_alone(
    stage: Stage, admin: Clerk
) -> None:
    """DOM-PER-10."""
    made = (await admin.post("/api/people/1/password"))["password"]
    async with await Peer.join(stage.url) as peer:
        assert (await _half_way_in(peer, "ana", made)).limited
        ana = Clerk(stage, admin.http, peer)
        await peer.send(message(ANA, "a word"))
        await peer.refusal("account_unfinished")
        assert await ana.refused("GET", "/api/units/1") == (403, "account_unfinished")
        assert (await ana.get("/api/me/second-factors"))["first_password"]
        same = {"old": made, "new": made}
        assert await ana.refused("POST", "/api/me/password", same) == (400, "same_password")
        body = {"old": made, "new": "seven boats went out early"}
        assert (await ana.post("/api/me/password", body))["ended"] == 0
        assert not (await ana.get("/api/me/second-factors"))["first_password"]
        assert await ana.get("/api/units/1")
    async with await Peer.join(stage.url) as again:
        assert not (await again.sign_in(wire.PasswordAuth("ana", body["new"]))).limited
    async with await Peer.join(stage.url) as stale:
        await stale.send(wire.SignIn(n=1, auth=wire.PasswordAuth("ana", made)))
        await stale.refusal("wrong_credentials")


async def test_a_password_that_somebody_else_made_runs_out(stage: Stage, admin: Clerk) -> None:
    """DOM-PER-10: and its session is limited after a restart too."""
    made = (await admin.post("/api/people/1/password"))["password"]
    async with await Peer.join(stage.url) as peer:
        token = (await _half_way_in(peer, "ana", made)).token
    ticket = stage.core.tickets.by_token(token)
    assert ticket is not None
    ticket.first_password = False
    await stage.core.tickets.load()
    assert ticket.limited
    await stage.core.pool.execute(
        "update person set password_until = now() - interval '1 second' where id = 1"
    )
    await stage.core.refresh_directory()
    async with await Peer.join(stage.url) as late:
        await late.send(wire.SignIn(n=1, auth=wire.PasswordAuth("ana", made)))
        await late.refusal("first_password_over")
        await late.send(wire.SignIn(n=2, auth=wire.PasswordAuth("ana", "not that one")))
        await late.refusal("wrong_credentials")


async def test_roles_hold_for_who_is_signed_in(stage: Stage, admin: Clerk, sign_in: SignIn) -> None:
    ana = await sign_in("ana")
    assert await ana.refused("GET", "/api/units") == (403, "not_allowed")
    await admin.post("/api/people/1/roles", {"roles": ["dispatcher", "supervisor"]})
    assert (await ana.get("/api/units"))["units"]


@pytest.mark.parametrize("what", ["disable", "password", "sign-out"])
async def test_whoever_is_put_out_is_out_at_once(stage: Stage, admin: Clerk, what: str) -> None:
    """DOM-SES-1."""
    async with await Peer.enter(stage.url, "ana") as ana, await Peer.enter(stage.url, "ana"):
        assert (await admin.post(f"/api/people/1/{what}"))["ended"] == 2
        await ana.closed()
    async with await Peer.join(stage.url) as again:
        await again.send(wire.SignIn(n=1, auth=wire.SessionAuth(ana.me.token)))
        await again.refusal("session_ended")
    async with await Peer.join(stage.url) as again:
        await again.send(wire.SignIn(n=1, auth=wire.PasswordAuth("ana", PASSWORD)))
        if what == "sign-out":
            await again.expect(wire.SignedIn)
        else:
            await again.refusal("wrong_credentials")
    await admin.post("/api/people/1/enable")
    assert (await admin.post(f"/api/people/1/{what}"))["ended"] == (what == "sign-out")


async def test_a_lost_phone_is_taken_off_and_the_password_alone_lets_in(
    stage: Stage, admin: Clerk, sign_in: SignIn
) -> None:
    ana = await sign_in("ana")
    begun = await ana.post("/api/me/second-factors/totp")
    code = pyotp.TOTP(begun["secret"]).now()
    await ana.post("/api/me/second-factors/totp/confirm", {"code": code, "label": "phone"})
    assert await _factors_of(admin, "ana") == 1
    assert await admin.post("/api/people/1/reset-factors") == {"taken": 1, "ended": 1}
    await ana.peer.closed()
    assert await _factors_of(admin, "ana") == 0
    assert (await sign_in("ana")).peer.me.name == "Ana"
    assert await admin.post("/api/people/1/reset-factors") == {"taken": 0, "ended": 1}
    assert await admin.refused("POST", "/api/people/3/reset-factors") == (404, "not_found")


async def _factors_of(clerk: Clerk, name: str) -> int:
    people = (await clerk.get("/api/people"))["people"]
    return int(next(row["second_factors"] for row in people if row["name"] == name))


async def test_who_may_sign_in_is_changed_only_by_who_has_just_proved_himself(
    stage: Stage, admin: Clerk
) -> None:
    ticket = stage.core.tickets.by_token(admin.peer.me.token)
    assert ticket is not None
    ticket.proved -= FRESH
    new = {"name": "bpd.eve", "full_name": "Eve", "roles": ["dispatcher"]}
    code = {"label": "Tablet 12", "unit": CAR, "hours": 1}
    for path, body in (
        ("/api/people", new),
        ("/api/people/1/roles", {"roles": ["supervisor"]}),
        ("/api/people/1/password", None),
        ("/api/people/1/enable", None),
        ("/api/people/1/reset-factors", None),
        ("/api/enrolments", code),
    ):
        assert await admin.refused("POST", path, body) == (403, "proof_needed"), path
    # What shuts somebody out does not wait.
    await admin.post("/api/people/1/sign-out")
    await admin.post("/api/people/1/disable")
    await admin.post("/api/me/proof", {"password": PASSWORD})
    await admin.post("/api/people", new)


async def test_nobody_locks_himself_out(stage: Stage, admin: Clerk) -> None:
    me = (await admin.get("/api/rights"))["address"].removeprefix("person:")
    for path, body in (("disable", None), ("roles", {"roles": ["auditor"]})):
        refused = await admin.refused("POST", f"/api/people/{me}/{path}", body)
        assert refused == (409, "not_oneself")
    await admin.post(f"/api/people/{me}/roles", {"roles": ["administrator", "auditor"]})


async def test_a_device_enrols_with_the_code_and_is_renamed_revoked_and_wiped(
    stage: Stage, admin: Clerk, office: Office
) -> None:
    made = await admin.post("/api/enrolments", {"label": "Tablet 12", "unit": CAR, "hours": 1})
    server, code = enrolment_code.from_uri(made["uri"])
    assert (server, enrolment_code.shown(code)) == (office.url, made["code"])
    assert made["qr"].startswith("<svg") and "<script" not in made["qr"]
    waiting = (await admin.get("/api/devices"))["codes"]
    assert [(row["label"], row["callsign"], row["author"]) for row in waiting] == [
        ("Tablet 12", "P-1", "BPD administrator")
    ]
    key = device_key.new()
    status, enrolled = await office.spend(code, key)
    assert (status, enrolled["unit"]) == (200, CAR)
    number = enrolled["device"]
    listed = await admin.get("/api/devices")
    assert listed["codes"] == []
    assert (number, "Tablet 12", "enrolled") in _devices(listed)
    await admin.post(f"/api/devices/{number}/label", {"label": "Tablet 12, second hand"})
    async with await Peer.join(stage.url) as tablet:
        await tablet.sign_in(device_key.Enrolled(number, key))
        assert (await admin.post(f"/api/devices/{number}/revoke"))["ended"] == 1
        await tablet.closed()
    listed = await admin.get("/api/devices")
    assert (number, "Tablet 12, second hand", "revoked") in _devices(listed)
    await admin.post(f"/api/devices/{number}/wipe")
    assert (number, "Tablet 12, second hand", "to_be_wiped") in _devices(
        await admin.get("/api/devices")
    )


def _devices(listed: Any) -> set[tuple[int, str, str]]:
    return {(row["id"], row["label"], row["state"]) for row in listed["devices"]}


async def test_a_wipe_reaches_a_device_that_is_connected(stage: Stage, admin: Clerk) -> None:
    """DOM-DEV-6."""
    async with await Peer.enter(stage.url, CAR) as tablet:
        await admin.post(f"/api/devices/{CAR}/wipe")
        assert await tablet.closed() == 4410


async def test_a_code_that_was_cancelled_is_worth_nothing(admin: Clerk, office: Office) -> None:
    made = await admin.post("/api/enrolments", {"label": "AIS receiver"})
    assert (await admin.get("/api/devices"))["codes"][0]["gateway"] is True
    await admin.delete(f"/api/enrolments/{made['id']}")
    status, _ = await office.spend(enrolment_code.canonical(made["code"]), device_key.new())
    assert status == 400
    assert await admin.refused("DELETE", f"/api/enrolments/{made['id']}") == (404, "not_found")


async def test_units_come_and_go_on_others_screens(stage: Stage, admin: Clerk) -> None:
    """DOM-WHO-4, DOM-WHO-5."""
    async with await watching(stage, "ben") as ben:
        added = await admin.post("/api/units", {"callsign": "P-77", "kind": "boat"})
        await until(lambda: added["id"] in named(ben), "it appears")
        await admin.post(f"/api/units/{added['id']}/callsign", {"callsign": "P-78"})
        await until(lambda: named(ben)[added["id"]].callsign == "P-78", "its name changes")
        await admin.post(f"/api/units/{added['id']}/retire")
        await until(lambda: added["id"] not in named(ben), "it disappears")
        await admin.post(f"/api/units/{added['id']}/back")
        await until(lambda: added["id"] in named(ben), "it is back")
    refused = await admin.refused("POST", f"/api/units/{CAR}/callsign", {"callsign": "P-2"})
    assert refused == (409, "already_there")
    rows = {row["id"]: row for row in (await admin.get("/api/units"))["units"]}
    assert set(rows) == {CAR, 2, COVERT, added["id"]}
    assert rows[COVERT]["hidden"] and not rows[CAR]["hidden"]


async def test_members_read_the_group_at_once(stage: Stage, admin: Clerk) -> None:
    group = (await admin.post("/api/groups", {"name": "Night shift"}))["id"]
    path = f"/api/groups/{group}/members"
    async with await Peer.enter(stage.url, "ana") as ana, await Peer.enter(stage.url, CAR) as car:
        await admin.post(path, {"add": [ANA, f"unit:{CAR}"]})
        await admin.post(path, {"add": [ANA]})
        await ana.send(message(f"group:{group}", "hello all"))
        await car.expect(wire.Mail, lambda mail: mail.box == f"group:{group}")
        members = {g["name"]: g["members"] for g in (await admin.get("/api/groups"))["groups"]}
        assert [m["name"] for m in members["Night shift"]] == ["Ana", "P-1"]
        assert [m["name"] for m in members["Joint"]] == ["Police", "Coast Guard"]
        await admin.post(path, {"remove": [ANA]})
        await ana.send(message(f"group:{group}", "still there?"))
        await ana.refusal("not_reachable")
    body = {"add": [ANA], "remove": [ANA]}
    assert await admin.refused("POST", path, body) == (400, "bad_members")


async def test_an_agreement_shows_units_at_once_and_its_end_hides_them(
    stage: Stage, sign_in: SignIn
) -> None:
    """DOM-WHO-2, DOM-WHO-4."""
    customs = await sign_in("cus.administrator")
    body = {"viewer": BPD, "units": "presence", "messages": True, **TERMS}
    async with await watching(stage, "ana") as ana:
        assert TRUCK not in named(ana)
        first = await customs.post("/api/agreements", body | {"until": later(hours=1)})
        await until(lambda: TRUCK in named(ana), "it appears")
        assert named(ana)[TRUCK].shown == "presence"
        more = await customs.post("/api/agreements", body | {"units": "exact", "instead": True})
        await until(lambda: named(ana)[TRUCK].shown == "exact", "it is shown exactly")
        told = (await customs.get("/api/sharing"))["agreements"]
        assert [row["id"] for row in told] == [more["id"]]
        await customs.delete(f"/api/agreements/{more['id']}")
        await until(lambda: TRUCK not in named(ana), "it disappears")
        await customs.delete(f"/api/agreements/{first['id']}")
    ends = "select ends_at <= now() from agreement where owner_agency = 3"
    assert [row[0] for row in await stage.core.pool.fetch(ends)] == [True, True]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"viewer": BPD}, 400, "same_agency"),
        ({"viewer": 99}, 404, "not_found"),
        ({"viewer": 2**31}, 400, "bad_body"),
        ({"units": "nothing", "messages": False}, 400, "nothing_shown"),
        ({"units": "everything"}, 400, "bad_body"),
        ({"until": 1}, 400, "already_over"),
        ({"until": -1}, 400, "bad_body"),
        ({"until": 10**18}, 400, "bad_body"),
        ({"reason": " "}, 400, "bad_body"),
        ({"reason": ""}, 400, "bad_body"),
        ({"reason": "a\0b"}, 400, "bad_body"),
        ({"reason": "x" * 1_001}, 400, "bad_body"),
        ({"owner": CUSTOMS}, 400, "bad_body"),
        ({"messages": "yes"}, 400, "bad_body"),
    ],
)
async def test_bad_agreements_are_refused(
    stage: Stage, admin: Clerk, change: dict[str, Any], status: int, code: str
) -> None:
    body = {"viewer": CUSTOMS, "units": "exact", "messages": True, **TERMS} | change
    assert await admin.refused("POST", "/api/agreements", body) == (status, code)
    assert await stage.core.pool.fetchval("select count(*) from agreement") == 2


async def test_an_exception_names_a_unit_to_an_agency_until_it_ends(
    stage: Stage, sign_in: SignIn
) -> None:
    """DOM-WHO-3."""
    boss = await sign_in("bpd.supervisor")
    ben = await sign_in("ben")
    body = {"unit": COVERT, "viewer": BCG, "units": "exact", **TERMS}
    async with await watching(stage, "ben") as watcher:
        assert COVERT not in named(watcher)
        assert (await ben.get("/api/sharing"))["exceptions"] == []
        made = await boss.post("/api/exceptions", body)
        await until(lambda: COVERT in named(watcher), "it appears")
        (told,) = (await ben.get("/api/sharing"))["exceptions"]
        assert (told["callsign"], told["reason"], told["author"]) == ("X-1", None, None)
        await boss.delete(f"/api/exceptions/{made['id']}")
        await until(lambda: COVERT not in named(watcher), "it disappears")
        hidden = {"unit": CAR, "viewer": BCG, "units": "nothing", **TERMS}
        await boss.post("/api/exceptions", hidden)
        await until(lambda: CAR not in named(watcher), "the other one disappears")
        assert (await ben.get("/api/sharing"))["exceptions"] == []


async def test_breaking_glass_is_told_and_shows_and_ends(stage: Stage, sign_in: SignIn) -> None:
    """DOM-WHO-7."""
    ana, boss = await sign_in("ana"), await sign_in("cus.supervisor")
    body = {"agency": CUSTOMS, "minutes": 60, "reason": "  a boat is sinking  "}
    async with await watching(stage, "ana") as watcher:
        made = await ana.post("/api/glass", body)
        await until(lambda: TRUCK in named(watcher), "their units appear")
        assert (await ana.get("/api/glass"))["glasses"] == [made]
        assert made["reason"] == "a boat is sinking"
        mail = await boss.peer.expect(wire.Mail)
        assert mail.box == f"agency:{CUSTOMS}"
        assert isinstance(mail.body, wire.MessageBody)
        assert (mail.body.priority, mail.body.sender) == ("immediate", ANA)
        assert "Ana of Police" in mail.body.text and "a boat is sinking" in mail.body.text
        assert await ana.refused("POST", "/api/glass", body) == (409, "broken_already")
        await ana.delete(f"/api/glass/{made['id']}")
        await until(lambda: TRUCK not in named(watcher), "they disappear")
        await ana.delete(f"/api/glass/{made['id']}")
    assert (await ana.get("/api/glass"))["glasses"] == []
    path = f"/api/glass/{made['id']}/review"
    await boss.post(path, {"finding": "justified"})
    assert await boss.refused("POST", path, {"finding": "no"}) == (409, "reviewed_already")
    (owned,) = (await boss.get("/api/sharing"))["glasses"]
    assert (owned["name"], owned["review"], owned["reviewer"]) == (
        "Ana", "justified", boss.peer.me.name,
    )  # fmt: skip
    (own,) = (await ana.get("/api/sharing"))["glasses"]
    assert own["reviewed"] == owned["reviewed"] and own["review"] is own["reviewer"] is None


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"agency": BPD}, 400, "same_agency"),
        ({"agency": 99}, 404, "not_found"),
        ({"minutes": 61}, 400, "bad_body"),
        ({"minutes": 0}, 400, "bad_body"),
        ({"minutes": 1.5}, 400, "bad_body"),
        ({"reason": " sinking   "}, 400, "reason_too_short"),
        ({"reason": "\t" * 20}, 400, "bad_body"),
        ({"reason": "x" * 501}, 400, "bad_body"),
    ],
)
async def test_glass_is_not_broken_lightly(
    stage: Stage, sign_in: SignIn, change: dict[str, Any], status: int, code: str
) -> None:
    ana = await sign_in("ana")
    body = {"agency": CUSTOMS, "minutes": 5, **TERMS} | change
    assert await ana.refused("POST", "/api/glass", body) == (status, code)
    assert await stage.core.pool.fetchval("select count(*) from broken_glass") == 0
    assert await stage.core.pool.fetchval("select count(*) from log") == 0


async def test_nobody_ends_the_glass_of_another(stage: Stage, sign_in: SignIn) -> None:
    ana, other = await sign_in("ana"), await sign_in("bpd.supervisor")
    made = await ana.post("/api/glass", {"agency": CUSTOMS, "minutes": 5, **TERMS})
    assert await other.refused("DELETE", f"/api/glass/{made['id']}") == (404, "not_found")
    assert await other.refused("POST", f"/api/glass/{made['id']}/review", {"finding": "ours"}) == (
        404,
        "not_found",
    )


async def test_sessions_are_listed_and_ended(stage: Stage, admin: Clerk) -> None:
    async with (
        await Peer.enter(stage.url, "ana") as ana,
        await Peer.enter(stage.url, CAR),
        await Peer.enter(stage.url, "ben"),
    ):
        rows = (await admin.get("/api/sessions"))["sessions"]
        assert {row["name"] for row in rows} == {"BPD administrator", "Ana", "P-1 · tablet"}
        assert [row["name"] for row in rows if row["own"]] == ["BPD administrator"]
        assert all(row["connected"] for row in rows)
        (one,) = [row for row in rows if row["name"] == "Ana"]
        await admin.delete(f"/api/sessions/{one['id']}")
        await ana.closed()
        assert await admin.refused("DELETE", f"/api/sessions/{one['id']}") == (404, "not_found")
    assert "Ana" not in {r["name"] for r in (await admin.get("/api/sessions"))["sessions"]}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/people", {"name": "twice", "full_name": "T", "roles": ["field"]}, "already_there"),
        ("/api/units", {"callsign": "P-77", "kind": "car"}, "already_there"),
        ("/api/groups", {"name": "Night"}, "already_there"),
        ("/api/enrolments", {"label": "Tablet", "unit": CAR}, "code_waits"),
        (
            "/api/agreements",
            {"viewer": CUSTOMS, "units": "exact", "messages": True, **TERMS},
            "agreed_already",
        ),
        ("/api/exceptions", {"unit": CAR, "units": "blurred", **TERMS}, "excepted_already"),
        ("/api/glass", {"agency": CUSTOMS, "minutes": 5, **TERMS}, "broken_already"),
    ],
)
async def test_what_is_sent_twice_at_once_is_done_once(
    stage: Stage, sign_in: SignIn, admin: Clerk, path: str, body: Any, code: str
) -> None:
    clerk = await sign_in("ana") if path == "/api/glass" else admin
    answers = await asyncio.gather(*(clerk.ask("POST", path, body) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert {told["error"]["code"] for status, told in answers if status == 409} == {code}
    if path == "/api/glass":
        assert await stage.core.pool.fetchval("select count(*) from log where kind='message'") == 1


NASTY = [
    "<script>alert(1)</script>",
    "'; drop table person; --",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}} ${7*7} %s %(x)s {0}",
    "\u202egnp.exe",
    "🚓 Ñandú",
]


@pytest.mark.parametrize("text", NASTY)
async def test_texts_come_back_as_they_were_written(
    stage: Stage, admin: Clerk, sign_in: SignIn, text: str
) -> None:
    await admin.post("/api/people", {"name": "n", "full_name": text, "roles": ["field"]})
    await admin.post("/api/units", {"callsign": text, "kind": "car"})
    await admin.post("/api/groups", {"name": text})
    await admin.post("/api/devices/1/label", {"label": text})
    await admin.post("/api/enrolments", {"label": text})
    shared = {"units": "exact", "reason": text}
    await admin.post("/api/agreements", {"viewer": CUSTOMS, "messages": True, **shared})
    await admin.post("/api/exceptions", {"unit": CAR, **shared})
    ana, boss = await sign_in("ana"), await sign_in("cus.auditor")
    reason = f"{text} {text}"
    made = await ana.post("/api/glass", {"agency": CUSTOMS, "minutes": 5, "reason": reason})
    await boss.post(f"/api/glass/{made['id']}/review", {"finding": text})
    said = text.replace("\u202e", "").strip()  # DOM-REC-12
    assert said in [row["full_name"] for row in (await admin.get("/api/people"))["people"]]
    assert said in [row["callsign"] for row in (await admin.get("/api/units"))["units"]]
    assert said in [row["name"] for row in (await admin.get("/api/groups"))["groups"]]
    devices = await admin.get("/api/devices")
    assert said in [row["label"] for row in devices["devices"]]
    assert said in [row["label"] for row in devices["codes"]]
    told = await admin.get("/api/sharing")
    assert said in [row["reason"] for row in told["agreements"]]
    assert said in [row["reason"] for row in told["exceptions"]]
    assert (await boss.get("/api/sharing"))["glasses"][0]["review"] == said
    await until(lambda: any(said in each for each in texts(boss.peer)), "the message comes")
    reasons = (await admin.get(f"/api/sharing/why?viewer=agency:{CUSTOMS}&unit={CAR}"))["reasons"]
    assert any(said in reason for reason in reasons)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t", "a\nb", "a\0b", "a\x1b[2J", "a\x9b2J", "a\u2028b", "x" * 81, 7, None, ["x"]],
)
async def test_names_that_nobody_could_read_are_refused(admin: Clerk, text: Any) -> None:
    for path, body in (
        ("/api/people", {"name": "n", "full_name": text, "roles": ["field"]}),
        ("/api/units", {"callsign": text, "kind": "car"}),
        ("/api/groups", {"name": text}),
        ("/api/devices/1/label", {"label": text}),
        ("/api/enrolments", {"label": text}),
    ):
        assert await admin.refused("POST", path, body) == (400, "bad_body"), path


async def test_why_is_told_in_words(stage: Stage, sign_in: SignIn) -> None:
    ana = await sign_in("ana")
    own = await ana.get(f"/api/sharing/why?viewer=agency:{BCG}&unit={COVERT}")
    assert (own["viewer"], own["unit"], own["shown"]) == ("Coast Guard", "X-1", "nothing")
    assert "Undercover: shown to nobody outside Police, by exception 1" in own["reasons"][-1]
    seen = await ana.get(f"/api/sharing/why?viewer={ANA}&unit={BOAT}")
    assert (seen["viewer"], seen["shown"]) == ("Ana", "exact")
    assert seen["reasons"][-1].startswith("Agreement 2 shows units of Coast Guard to Police exact")
    tablet = await ana.get(f"/api/sharing/why?viewer=unit:{CAR}&unit={BOAT}")
    assert tablet["shown"] == "exact"
    ben = await sign_in("ben")
    for path in (f"viewer=agency:{BCG}&unit={COVERT}", f"viewer=person:2&unit={COVERT}"):
        assert await ben.refused("GET", f"/api/sharing/why?{path}") == (404, "not_found")


async def test_what_can_be_asked_about_is_what_is_shown(stage: Stage, sign_in: SignIn) -> None:
    ben = await sign_in("ben")
    told = (await ben.get("/api/sharing/units"))["units"]
    assert [unit["callsign"] for unit in told] == ["CG-1", "P-1", "P-2"]
    await stage.core.pool.execute("update unit set retired_at = now() where id = 2")
    await stage.core.refresh_directory()
    told = (await ben.get("/api/sharing/units"))["units"]
    assert [unit["callsign"] for unit in told] == ["CG-1", "P-1"]


async def test_who_breaks_our_glass_can_be_asked_about(stage: Stage, sign_in: SignIn) -> None:
    boss, ana = await sign_in("cus.supervisor"), await sign_in("ana")
    path = f"/api/sharing/why?viewer={ANA}&unit={TRUCK}"
    assert await boss.refused("GET", path) == (404, "not_found")
    await ana.post("/api/glass", {"agency": CUSTOMS, "minutes": 5, **TERMS})
    told = await boss.get(path)
    assert told["shown"] == "exact"
    assert "Ana has broken the glass of Customs (an exercise of all, until" in told["reasons"][-1]


async def test_the_audit_names_who_changed_what(stage: Stage, admin: Clerk) -> None:
    await admin.post("/api/devices/1/label", {"label": "Tablet 12"})
    await admin.post("/api/agreements", {"viewer": CUSTOMS, "units": "exact", "messages": False,
                                         **TERMS})  # fmt: skip
    ticket = stage.core.tickets.by_token(admin.peer.me.token)
    assert ticket is not None
    for action in ("device.changed", "agreement.added"):
        entry = (await admin.get(f"/api/audit?action={action}"))["entries"][0]
        assert (entry["actor"], entry["actor_name"], entry["owner"]) == (
            admin.peer.me.me, "BPD administrator", BPD,
        )  # fmt: skip
        assert (entry["source"], entry["session"]) == ("127.0.0.1", ticket.hash.hex()[:8])


async def test_an_agency_says_how_long_it_keeps_what(admin: Clerk) -> None:
    rows = (await admin.get("/api/keeping"))["periods"]
    assert [row["kind"] for row in rows] == [
        *("track", "message", "attachment", "recording", "call", "incident", "lookout", "audit"),
    ]
    assert not any(row["own"] for row in rows)
    await admin.post("/api/keeping", {"kind": "track", "days": 90})
    await admin.post("/api/keeping", {"kind": "message", "days": "forever"})
    kept = {row["kind"]: row for row in (await admin.get("/api/keeping"))["periods"]}
    assert (kept["track"]["days"], kept["track"]["own"]) == (90, True)
    assert (kept["message"]["days"], kept["message"]["own"]) == (None, True)
    await admin.post("/api/keeping", {"kind": "track", "days": "default"})
    kept = {row["kind"]: row for row in (await admin.get("/api/keeping"))["periods"]}
    assert kept["track"] == {"kind": "track", "days": 30, "own": False, "default": 30}
    await admin.post("/api/keeping", {"kind": "incident", "days": 3_650})
    kept = {row["kind"]: row for row in (await admin.get("/api/keeping"))["periods"]}
    assert (kept["incident"]["days"], kept["incident"]["default"]) == (3_650, 2_557)
    for days in (0, -1, 36_501, "ever", 1.5, None):
        refused = await admin.refused("POST", "/api/keeping", {"kind": "track", "days": days})
        assert refused == (400, "bad_body")


async def test_a_hold_is_laid_shown_and_ended(stage: Stage, admin: Clerk) -> None:
    """DOM-RET-4."""
    body = {"subject": f"unit:{CAR}", "reason": "claim 120/2026"}
    number = (await admin.post("/api/holds", body))["id"]
    assert await admin.refused("POST", "/api/holds", body) == (409, "held_already")
    (row,) = (await admin.get("/api/keeping"))["holds"]
    told = (row["id"], row["subject"], row["name"], row["reason"], row["author"], row["ends"])
    assert told == (
        number, f"unit:{CAR}", "P-1", "claim 120/2026", "BPD administrator", None,
    )  # fmt: skip
    await admin.delete(f"/api/holds/{number}")
    assert (await admin.get("/api/keeping"))["holds"] == []
    await admin.delete(f"/api/holds/{number}")
    actions = await stage.core.pool.fetch(
        "select action from audit where object = $1 order by seq", f"hold:{number}"
    )
    assert [row["action"] for row in actions] == ["hold.added", "hold.ended"]
    past = {"subject": f"person:{ANA.partition(':')[2]}", "until": 1, **TERMS}
    assert await admin.refused("POST", "/api/holds", past) == (400, "already_over")
    for subject in (
        "unit:0",
        "unit",
        "group:1",
        "call:x",
        "unit:BPD-26-00001",
        "unit:1; drop table legal_hold",
        "person:²",
    ):
        body = {"subject": subject, "reason": "x"}
        assert await admin.refused("POST", "/api/holds", body) == (400, "bad_body")


async def test_a_hold_is_laid_on_an_incident_a_call_or_a_lookout_by_its_number(
    stage: Stage, admin: Clerk
) -> None:
    """DOM-RET-10: of the own agency alone; others' are answered as what is not there."""
    pool = stage.core.pool
    for agency in (BPD, BCG):
        await pool.execute(
            "insert into incident (agency_id, title, opened_by) values ($1, 'Adrift', 'test')",
            agency,
        )
        await pool.execute(
            "insert into call (agency_id, number, line, state)"
            " values ($1, next_number($1, 'call'), '911', 'waiting')",
            agency,
        )
        await pool.execute(
            "insert into lookout (agency_id, number, subject, title, agencies, author, until)"
            " values ($1, next_number($1, 'lookout'), 'person', 'Juan', '{}', 'x', now())",
            agency,
        )
    numbers = {
        "incident": await pool.fetch("select number, incident_id as id from incident_card"),
        "call": await pool.fetch("select number, id from call"),
        "lookout": await pool.fetch("select number, id from lookout"),
    }
    for kind, rows in numbers.items():
        for row in rows:
            body = {"subject": f"{kind}:{row['number']}", "reason": "inquest"}
            if row["number"].startswith("BPD"):
                await admin.post("/api/holds", body)
                again = {"subject": f"{kind}:{row['id']}", "reason": "inquest"}
                assert await admin.refused("POST", "/api/holds", again) == (409, "held_already")
            else:
                assert await admin.refused("POST", "/api/holds", body) == (404, "not_found")
    holds = (await admin.get("/api/keeping"))["holds"]
    ours = {kind: rows[0] for kind, rows in numbers.items()}
    assert [row["subject"] for row in holds] == [f"{k}:{row['id']}" for k, row in ours.items()]
    assert [row["name"] for row in holds] == [
        f"{ours['incident']['number']} Adrift",
        ours["call"]["number"],
        ours["lookout"]["number"],
    ]


async def test_no_hold_is_in_force_on_what_was_pruned_while_it_waited(
    stage: Stage, admin: Clerk
) -> None:
    """DOM-RET-3."""
    pool = stage.core.pool
    await pool.execute(
        "insert into call (agency_id, number, line, state)"
        " values ($1, next_number($1, 'call'), '911', 'waiting')",
        BPD,
    )
    await pool.execute(TAKEN_MEANWHILE)
    body = {"subject": "call:1", "reason": "inquest"}
    assert await admin.refused("POST", "/api/holds", body) == (404, "not_found")
    assert await pool.fetchval("select count(*) from legal_hold") == 0


TAKEN_MEANWHILE = """
    create function took() returns trigger language plpgsql as $$
    begin
        perform set_config('session_replication_role', 'replica', true);
        delete from call;
        perform set_config('session_replication_role', 'origin', true);
        return new;
    end $$;
    create trigger took before insert on legal_hold for each row execute function took();
"""
