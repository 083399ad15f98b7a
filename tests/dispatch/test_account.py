"""One's own account over HTTP: factors, passkeys, password, sessions (docs/domain.md, DOM-PER)."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pyotp
import pytest
import pytest_asyncio
from authenticator import Authenticator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import ANA, CAR, PASSWORD, Peer, Stage, credentials_of, seed, until

from dispatch import account, asking
from psn import wire
from psn.identity import credentials
from psn.identity.tickets import FRESH

FACTORS = "/api/me/second-factors"
NEW = "another boat with three words"


class Page:
    """A browser's page at ``localhost``, signed in or not."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession, token: str | None = None) -> None:
        host, port = stage.address
        self.base = f"http://{host}:{port}"
        self.host = f"localhost:{port}"
        self.origin = f"http://{self.host}"
        self.stage = stage
        self.http = http
        self.token = token

    async def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and answer."""
        said = {"Host": self.host, **headers}
        if self.token is not None:
            said["Authorization"] = f"Bearer {self.token}"
        async with self.http.request(method, self.base + path, json=body, headers=said) as answer:
            assert answer.content_type == "application/json", await answer.text()
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        return self._good(await self.ask("GET", path))

    async def post(self, path: str, body: object = None) -> Any:
        return self._good(await self.ask("POST", path, body))

    async def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Status and code; with a sentence and what to do."""
        status, answer = await self.ask(method, path, body)
        assert status >= 400, answer
        assert answer["error"]["text"] and answer["error"]["todo"]
        return status, answer["error"]["code"]

    @staticmethod
    def _good(answer: tuple[int, Any]) -> Any:
        assert answer[0] == 200, answer
        return answer[1]

    async def enrol_totp(self) -> tuple[pyotp.TOTP, list[str]]:
        """An authenticator app, and the recovery codes."""
        begun = await self.post(f"{FACTORS}/totp")
        totp = pyotp.parse_uri(begun["address"])
        assert isinstance(totp, pyotp.TOTP)
        body = {"code": totp.at(time.time() - 30), "label": "My phone"}
        return totp, (await self.post(f"{FACTORS}/totp/confirm", body))["recovery_codes"]

    async def enrol_passkey(self, verifies: bool = True) -> Authenticator:
        options = (await self.post(f"{FACTORS}/passkey/options"))["publicKey"]
        key = Authenticator(self.origin, verifies)
        await self.post(f"{FACTORS}/passkey", {"credential": key.make(options), "label": "Key"})
        return key

    async def use_passkey(
        self, key: Authenticator, first: dict[str, str] | None = None, **lies: Any
    ) -> tuple[int, Any]:
        options = (await self.post("/api/sign-in/passkey/options", first or {}))["publicKey"]
        use = key.use(options, **lies)
        return await self.ask("POST", "/api/sign-in/passkey", {"credential": use})


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest_asyncio.fixture
async def peer(stage: Stage) -> AsyncIterator[Peer]:
    async with await Peer.enter(stage.url, "ana") as entered:
        yield entered


@pytest.fixture
def ana(stage: Stage, http: aiohttp.ClientSession, peer: Peer) -> Page:
    return Page(stage, http, peer.me.token)


@pytest.fixture
def door(stage: Stage, http: aiohttp.ClientSession) -> Page:
    """Somebody who is not signed in."""
    return Page(stage, http)


def grow_stale(page: Page) -> None:
    """The proof of who sits there is no longer fresh."""
    ticket = page.stage.core.tickets.by_token(page.token or "")
    assert ticket is not None
    ticket.proved -= FRESH


# -- authenticator apps


async def test_an_authenticator_is_enrolled_by_its_first_code(ana: Page) -> None:
    assert (await ana.get(FACTORS))["factors"] == []
    begun = await ana.post(f"{FACTORS}/totp")
    assert begun["secret"] in begun["address"]
    kind, _, data = begun["qr"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")
    wrong = {"code": "000000", "label": "My phone"}
    assert await ana.refused("POST", f"{FACTORS}/totp/confirm", wrong) == (403, "wrong_code")
    totp = pyotp.parse_uri(begun["address"])
    right = {"code": totp.now(), "label": "My phone"}  # type: ignore[union-attr]
    codes = (await ana.post(f"{FACTORS}/totp/confirm", right))["recovery_codes"]
    assert len(set(codes)) == 10
    shown = await ana.get(FACTORS)
    assert [(f["kind"], f["label"]) for f in shown["factors"]] == [("totp", "My phone")]
    assert (shown["recovery_left"], shown["few_left"], shown["required"]) == (10, False, False)
    assert await ana.refused("POST", f"{FACTORS}/totp/confirm", right) == (409, "enrolment_over")


async def test_one_is_warned_when_few_recovery_codes_are_left(ana: Page) -> None:
    """DOM-PER-4."""
    _, codes = await ana.enrol_totp()
    for code in codes[:7]:
        async with await Peer.join(ana.stage.url) as other:
            await other.sign_in(wire.PasswordAuth("ana", PASSWORD, code=code))
    shown = await ana.get(FACTORS)
    assert (shown["recovery_left"], shown["few_left"]) == (3, True)
    new = (await ana.post("/api/me/recovery-codes"))["recovery_codes"]
    assert not set(new) & set(codes)
    assert not (await ana.get(FACTORS))["few_left"]


async def test_recovery_codes_stand_in_for_something(ana: Page) -> None:
    assert await ana.refused("POST", "/api/me/recovery-codes") == (409, "no_second_factor")


async def test_factors_are_renamed_and_removed_by_their_owner_alone(
    stage: Stage, ana: Page, http: aiohttp.ClientSession
) -> None:
    await ana.enrol_totp()
    ((factor,),) = [(await ana.get(FACTORS))["factors"]]
    at = f"{FACTORS}/{factor['id']}"
    async with await Peer.enter(stage.url, "ben") as other:
        ben = Page(stage, http, other.me.token)
        assert await ben.refused("DELETE", at) == (404, "not_found")
        assert await ben.refused("POST", f"{at}/label", {"label": "x"}) == (404, "not_found")
    await ana.post(f"{at}/label", {"label": "Old phone"})
    assert (await ana.get(FACTORS))["factors"][0]["label"] == "Old phone"
    assert (await ana.ask("DELETE", at))[0] == 200
    assert await ana.refused("DELETE", at) == (404, "not_found")
    assert (await ana.get(FACTORS))["recovery_left"] == 0


# -- a proof that is fresh


async def test_what_changes_how_one_signs_in_needs_a_fresh_proof(ana: Page) -> None:
    """DOM-PER-8: the console may have been left alone."""
    key = await ana.enrol_passkey()
    factor = (await ana.get(FACTORS))["factors"][0]["id"]
    asked: list[tuple[str, str, object]] = [
        ("POST", f"{FACTORS}/totp", None),
        ("POST", f"{FACTORS}/totp/confirm", {"code": "123456", "label": "x"}),
        ("POST", f"{FACTORS}/passkey/options", None),
        ("POST", f"{FACTORS}/passkey", {"credential": _made(), "label": "x"}),
        ("DELETE", f"{FACTORS}/{factor}", None),
        ("POST", "/api/me/recovery-codes", None),
    ]
    grow_stale(ana)
    for method, path, body in asked:
        assert await ana.refused(method, path, body) == (403, "proof_needed")
    assert await ana.refused("POST", "/api/me/proof", {}) == (400, "bad_body")
    wrong = {"password": "not this password"}
    assert await ana.refused("POST", "/api/me/proof", wrong) == (403, "wrong_credentials")
    assert await ana.refused("POST", f"{FACTORS}/totp") == (403, "proof_needed")
    await ana.post("/api/me/proof", {"password": PASSWORD})
    await ana.post(f"{FACTORS}/totp")
    grow_stale(ana)
    status, fresh = await ana.use_passkey(key)
    assert status == 200
    await ana.post("/api/me/proof", {"token": fresh["token"]})
    await ana.post(f"{FACTORS}/totp")
    assert (await Page(ana.stage, ana.http, fresh["token"]).ask("GET", FACTORS))[0] == 401


def _made() -> dict[str, Any]:
    options = {"rp": {"id": "localhost"}, "challenge": "AAAA"}
    return Authenticator("http://localhost").make(options)


# -- passkeys


async def test_a_passkey_signs_in_alone(ana: Page, door: Page) -> None:
    """DOM-PER-9."""
    key = await ana.enrol_passkey()
    status, told = await door.use_passkey(key)
    assert status == 200
    assert told["ends"] > time.time() * 1_000
    async with await Peer.join(door.stage.url) as entered:
        me = await entered.sign_in(wire.SessionAuth(told["token"]))
        assert (me.me, me.limited) == (ANA, False)
    assert (await ana.get(FACTORS))["factors"][0]["last_used"] is not None
    # What it was given says that this place is known.
    people = door.stage.core.signin.people
    assert people.place("ana", "203.0.113.9", told["known"]).token is not None


async def test_a_key_that_verifies_nobody_counts_beside_the_password_only(
    ana: Page, door: Page
) -> None:
    """DOM-PER-9."""
    key = await ana.enrol_passkey(verifies=False)
    status, told = await door.use_passkey(key)
    assert (status, told["error"]["code"]) == (403, "second_factor_needed")
    async with await Peer.join(door.stage.url) as entered:
        await entered.send(wire.SignIn(n=1, auth=credentials_of("ana")))
        assert (await entered.refusal("second_factor_needed")).kinds == ["passkey", "recovery_code"]
    first = {"name": " Ana ", "password": PASSWORD}
    status, told = await door.use_passkey(key, first)
    assert status == 200, told
    wrong = {"name": "ana", "password": "not this password"}
    path = "/api/sign-in/passkey/options"
    assert await door.refused("POST", path, wrong) == (403, "wrong_credentials")
    nobody = {"name": "nobody", "password": "not this password"}
    assert (await door.ask("POST", path, wrong)) == (await door.ask("POST", path, nobody))


async def test_an_old_password_does_not_help_a_key(stage: Stage, ana: Page, door: Page) -> None:
    """It was right when the browser was told what to ask the key for."""
    key = await ana.enrol_passkey(verifies=False)
    first = {"name": "ana", "password": PASSWORD}
    options = (await door.post("/api/sign-in/passkey/options", first))["publicKey"]
    kept = credentials.hash_password(NEW)
    await stage.core.pool.execute("UPDATE person SET password_hash = $1 WHERE id = 1", kept)
    await stage.core.refresh_directory()
    body = {"credential": key.use(options)}
    refused = await door.refused("POST", "/api/sign-in/passkey", body)
    assert refused == (403, "second_factor_needed")


async def test_another_persons_password_does_not_help_a_key(
    stage: Stage, ana: Page, door: Page, http: aiohttp.ClientSession
) -> None:
    key = await ana.enrol_passkey(verifies=False)
    async with await Peer.enter(stage.url, "ben") as other:
        await Page(stage, http, other.me.token).enrol_passkey(verifies=False)
    status, told = await door.use_passkey(key, {"name": "ben", "password": PASSWORD})
    assert (status, told["error"]["code"]) == (403, "second_factor_needed")


async def test_an_answer_of_a_passkey_is_good_once(ana: Page, door: Page) -> None:
    key = await ana.enrol_passkey()
    options = (await door.post("/api/sign-in/passkey/options", {}))["publicKey"]
    use = {"credential": key.use(options)}
    await door.post("/api/sign-in/passkey", use)
    assert await door.refused("POST", "/api/sign-in/passkey", use) == (409, "challenge_over")


@pytest.mark.parametrize(
    "lies",
    [{"origin": "http://evil.test"}, {"rp": "evil.test"}, {"signature": b"forged"},
     {"kind": "webauthn.create"}],
)  # fmt: skip
async def test_a_forged_use_is_refused_as_an_unknown_key_is(
    ana: Page, door: Page, lies: dict[str, Any]
) -> None:
    key = await ana.enrol_passkey()
    forged = await door.use_passkey(key, **lies)
    unknown = await door.use_passkey(Authenticator(door.origin))
    assert forged == unknown
    assert (forged[0], forged[1]["error"]["code"]) == (403, "wrong_passkey")


async def test_a_passkey_of_a_disabled_person_or_one_removed_is_unknown(
    ana: Page, door: Page, stage: Stage
) -> None:
    """DOM-WHO-5."""
    key, lost = await ana.enrol_passkey(), await ana.enrol_passkey()
    factors = (await ana.get(FACTORS))["factors"]
    assert (await ana.ask("DELETE", f"{FACTORS}/{factors[1]['id']}"))[0] == 200
    assert (await door.use_passkey(lost))[1]["error"]["code"] == "wrong_passkey"
    await stage.core.pool.execute("update person set disabled_at = now() where id = 1")
    await until(lambda: stage.core.directory.people[1].disabled, "ana is disabled")
    assert (await door.use_passkey(key))[1]["error"]["code"] == "wrong_passkey"


async def test_a_challenge_for_another_is_not_taken(
    stage: Stage, ana: Page, http: aiohttp.ClientSession
) -> None:
    """Nobody enrols his key with a challenge of someone else's, or one for signing in."""
    async with await Peer.enter(stage.url, "ben") as other:
        ben = Page(stage, http, other.me.token)
        options = (await ben.post(f"{FACTORS}/passkey/options"))["publicKey"]
        body = {"credential": Authenticator(ana.origin).make(options), "label": "x"}
        assert await ana.refused("POST", f"{FACTORS}/passkey", body) == (403, "wrong_passkey")
        sign_in = (await ben.post("/api/sign-in/passkey/options", {}))["publicKey"]
        options["challenge"] = sign_in["challenge"]
        body = {"credential": Authenticator(ana.origin).make(options), "label": "x"}
        assert await ben.refused("POST", f"{FACTORS}/passkey", body) == (409, "challenge_over")


async def test_passkeys_need_a_name_that_the_network_was_given(ana: Page) -> None:
    ana.host = "127.0.0.1"
    assert not (await ana.get(FACTORS))["passkeys"]
    path = f"{FACTORS}/passkey/options"
    assert await ana.refused("POST", path) == (400, "no_passkeys_here")
    ana.host = "evil.test"
    assert await ana.refused("POST", path) == (400, "no_passkeys_here")


# -- password and sessions


async def test_a_new_password_ends_every_other_session(stage: Stage, ana: Page, peer: Peer) -> None:
    async with await Peer.enter(stage.url, "ana") as other:
        told = await ana.post("/api/me/password", {"old": PASSWORD, "new": NEW})
        assert told == {"ended": 1}
        assert await other.closed() == wire.CloseCode.SESSION_ENDED
    await peer.answers()
    # It holds at once.
    async with await Peer.join(stage.url) as again:
        await again.send(wire.SignIn(n=1, auth=credentials_of("ana")))
        await again.refusal("wrong_credentials")
        await again.sign_in(wire.PasswordAuth("ana", NEW))


@pytest.mark.parametrize(
    ("old", "new", "status", "code"),
    [
        ("not this password", NEW, 403, "wrong_credentials"),
        (PASSWORD, "short", 400, "weak_password"),
        (PASSWORD, "", 400, "weak_password"),
        (PASSWORD, "x" * 600, 400, "weak_password"),
        (PASSWORD, "x" * 3_000, 400, "bad_body"),
        (PASSWORD, "password1234567", 400, "weak_password"),
        (PASSWORD, "Police Ana Police", 400, "weak_password"),
        (PASSWORD, "public safety network", 400, "weak_password"),
    ],
)
async def test_a_password_is_changed_by_the_policy(
    ana: Page, old: str, new: str, status: int, code: str
) -> None:
    body = {"old": old, "new": new}
    assert await ana.refused("POST", "/api/me/password", body) == (status, code)
    async with await Peer.enter(ana.stage.url, "ana"):
        pass


async def test_the_operators_list_of_breached_passwords_is_asked(
    database: str, http: aiohttp.ClientSession, tmp_path: Any
) -> None:
    import hashlib

    file = tmp_path / "breached"
    file.write_text(hashlib.sha1(NEW.encode()).hexdigest().upper() + ":3\n")
    await seed(database)
    stage = Stage(database, breached_passwords=str(file))
    await stage.start()
    async with await Peer.enter(stage.url, "ana") as peer:
        page = Page(stage, http, peer.me.token)
        body = {"old": PASSWORD, "new": NEW}
        status, told = await page.ask("POST", "/api/me/password", body)
        assert (status, told["error"]["code"]) == (400, "weak_password")
        assert "stolen" in told["error"]["text"]
        file.write_text("spoilt")
        logging.getLogger("dispatch.account").setLevel(logging.CRITICAL)
        assert await page.refused("POST", "/api/me/password", body) == (503, "bad_breach_list")
        logging.getLogger("dispatch.account").setLevel(logging.NOTSET)
    await stage.stop()


async def test_sessions_are_listed_and_ended_one_by_one(stage: Stage, ana: Page) -> None:
    async with await Peer.enter(stage.url, "ana", local_addr=("127.0.0.9", 0)) as other:
        first, second = (await ana.get("/api/me/sessions"))["sessions"]
        assert (first["current"], second["current"]) == (True, False)
        assert (first["source"], second["source"]) == ("127.0.0.1", "127.0.0.9")
        assert first["connected"] and second["connected"]
        assert other.me.token not in str(second)
        at = f"/api/me/sessions/{second['id']}"
        assert (await ana.ask("DELETE", at))[0] == 200
        assert await other.closed() == wire.CloseCode.SESSION_ENDED
        assert await ana.refused("DELETE", at) == (404, "not_found")
    async with await Peer.enter(stage.url, "ben"):
        theirs = stage.core.tickets.of_person(2)[0].id
        at = f"/api/me/sessions/{theirs}"
        assert await ana.refused("DELETE", at) == (404, "not_found")


async def test_sign_out_everywhere_is_everywhere_at_once(
    stage: Stage, ana: Page, peer: Peer
) -> None:
    """DOM-SES-1: and the token that was stolen before is worth nothing."""
    async with (
        await Peer.enter(stage.url, "ana") as other,
        await Peer.enter(stage.url, "ben") as ben,
    ):
        assert await ana.post("/api/me/sign-out-everywhere") == {"ended": 2}
        assert (await ana.ask("GET", "/api/me/sessions"))[0] == 401
        for each in (peer, other):
            assert await each.closed() == wire.CloseCode.SESSION_ENDED
        await ben.answers()
    async with await Peer.join(stage.url) as thief:
        await thief.send(wire.SignIn(n=1, auth=wire.SessionAuth(other.me.token)))
        await thief.refusal("session_ended")


# -- who may not


async def test_a_locked_session_is_refused_over_http_too(
    stage: Stage, ana: Page, peer: Peer
) -> None:
    """DOM-SES-6."""
    ticket = stage.core.tickets.by_token(peer.me.token)
    assert ticket is not None
    ticket.active = datetime.now(UTC) - timedelta(minutes=30)
    for path in (FACTORS, "/api/fences", "/api/mailboxes/person:1", "/api/me/sessions"):
        assert await ana.refused("GET", path) == (423, "locked")
    assert await ana.refused("POST", "/api/me/sign-out-everywhere") == (423, "locked")
    assert await ana.refused("POST", "/api/me/proof", {"password": PASSWORD}) == (423, "locked")


async def test_a_device_has_no_account(stage: Stage, http: aiohttp.ClientSession) -> None:
    async with await Peer.enter(stage.url, CAR) as tablet:
        page = Page(stage, http, tablet.me.token)
        for route in account.ROUTES:
            if route.open or route.takes is not None:
                continue
            path = route.path.replace("{id}", "1")
            assert await page.refused(route.method, path) == (403, "not_allowed")
        body = {"password": PASSWORD}
        assert await page.refused("POST", "/api/me/proof", body) == (403, "not_allowed")


async def test_without_a_token_nothing_of_an_account_is_there(door: Page) -> None:
    for route in account.ROUTES:
        if not route.open:
            path = route.path.replace("{id}", "1")
            assert await door.refused(route.method, path, {}) == (401, "not_signed_in")


async def test_where_a_second_factor_is_required_one_enrols_and_is_let_in(
    database: str, http: aiohttp.ClientSession
) -> None:
    """DOM-PER-7."""
    await seed(database)
    stage = Stage(database, second_factor="required")
    await stage.start()
    async with await Peer.join(stage.url) as peer:
        await peer.send(wire.SignIn(n=1, auth=credentials_of("ana")))
        page = Page(stage, http, (await peer.expect(wire.SignedIn)).token)
        for path in ("/api/fences", "/api/me/sessions", "/api/mailboxes/person:1"):
            assert await page.refused("GET", path) == (403, "account_unfinished")
        assert (await page.get(FACTORS))["required"]
        totp, _ = await page.enrol_totp()
        assert (await page.ask("GET", "/api/me/sessions"))[0] == 200
        async with await Peer.join(stage.url) as again:
            assert not (await again.sign_in(wire.SessionAuth(page.token or ""))).limited
        factor = (await page.get(FACTORS))["factors"][0]["id"]
        assert await page.refused("DELETE", f"{FACTORS}/{factor}") == (409, "last_factor")
        async with await Peer.join(stage.url) as other:
            await other.sign_in(wire.PasswordAuth("ana", PASSWORD, code=totp.now()))
    await stage.stop()


# -- bodies that are none


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{}", "text/plain", 415, "not_json"),
        (b"{}", "application/x-www-form-urlencoded", 415, "not_json"),
        (b"", "application/json", 400, "bad_body"),
        (b"[]", "application/json", 400, "bad_body"),
        (b"\xff\xfe", "application/json", 400, "bad_body"),
        (b"[" * 50_000, "application/json", 400, "bad_body"),
        (b'{"label": ""}', "application/json", 400, "bad_body"),
        (b'{"label": "a\\u0000b"}', "application/json", 400, "bad_body"),
        (b'{"label": "' + b"x" * 70_000 + b'"}', "application/json", 413, "too_large"),
    ],
)
async def test_a_body_that_cannot_be_is_refused(
    ana: Page, body: bytes, kind: str, status: int, code: str
) -> None:
    url = f"{ana.base}{FACTORS}/1/label"
    headers = {"Authorization": f"Bearer {ana.token}", "Content-Type": kind}
    async with ana.http.post(url, data=body, headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (status, code)


async def test_a_body_that_never_ends_is_not_waited_for(
    ana: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "BODY_SECONDS", 0.2)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"label": '
        await until(lambda: done, "it is refused")

    done: list[int] = []
    url = f"{ana.base}{FACTORS}/1/label"
    headers = {"Authorization": f"Bearer {ana.token}", "Content-Type": "application/json"}
    async with ana.http.post(url, data=slowly(), headers=headers) as answer:
        done.append(answer.status)
        assert (await answer.json())["error"]["code"] == "too_slow"
    assert done == [408]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["credential", "label", "code", "password", "token", "id", "rawId",
                         "response", "clientDataJSON", "name", "old", "new"]),
        inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(_JSON, min_size=12, max_size=12))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_json_is_refused_or_taken_and_breaks_nothing(
    ana: Page, bodies: list[Any]
) -> None:
    posted = [route for route in account.ROUTES if route.takes is not None]
    for route, body in zip(posted, bodies, strict=False):
        page = Page(ana.stage, ana.http, None if route.open else ana.token)
        path = route.path.replace("{id}", "1")
        status, answer = await page.ask("POST", path, body)
        assert status < 500, (path, body, answer)


async def test_nothing_secret_of_an_account_is_logged(
    ana: Page, door: Page, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    totp, codes = await ana.enrol_totp()
    key = await ana.enrol_passkey()
    _, told = await door.use_passkey(key)
    await door.use_passkey(key, signature=b"forged")
    await ana.refused("POST", "/api/me/proof", {"password": "not this password"})
    await ana.post("/api/me/password", {"old": PASSWORD, "new": NEW})
    said = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "websockets"
    )
    assert "a passkey was refused" in said
    secrets = [PASSWORD, NEW, "not this password", totp.secret, told["token"], told["known"]]
    assert not [secret for secret in (*secrets, *codes, ana.token or "") if secret in said]
