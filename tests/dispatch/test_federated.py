"""Signing in at an agency's own provider, with a real one (docs/domain.md, DOM-FED)."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import identity_provider
import pyotp
import pytest
import pytest_asyncio
from agency_page import (
    BEGIN,
    FINISH,
    MINE,
    PROVIDERS,
    SECOND,
    Page,
    add_provider,
    audited,
    link,
    returned,
)
from authenticator import Authenticator
from identity_provider import SECRET, IdentityProvider
from stage import ANA, BCG, BPD, Peer, Stage, seed

from psn import wire
from psn.identity.lockout import ADDRESS, PLACE
from psn.identity.tickets import FRESH


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def page(stage: Stage, http: aiohttp.ClientSession) -> Page:
    """Somebody who is not signed in."""
    return Page(stage, http)


@pytest_asyncio.fixture
async def police(stage: Stage, page: Page) -> AsyncIterator[IdentityProvider]:
    """The provider of the police, where ana is called agent-7."""
    async with identity_provider.running(f"http://{page.host}/sign-in/bpd") as provider:
        number = await add_provider(stage, BPD, provider.issuer)
        await link(stage, number, 1, "agent-7")
        yield provider


# -- signing in


async def test_who_is_linked_signs_in_and_the_audit_says_how(
    stage: Stage, page: Page, police: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    known = {"providers": [{"agency": "BPD", "name": "Belize Police"}]}
    assert await page.get(PROVIDERS) == known
    gone = await page.begin()
    asked = parse_qs(urlsplit(gone["address"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["prompt"] == ["login"]
    assert gone["secret"] not in gone["address"]
    brought = await police.visit(gone["address"], "agent-7")
    assert brought["iss"] == police.issuer
    done = await page.post(FINISH, returned(gone, brought))
    assert done["token"] and done["step"] is None and done["name"] == "ana"
    async with await Peer.join(stage.url) as peer:
        me = await peer.sign_in(wire.SessionAuth(done["token"]))
        assert (me.me, me.limited) == (ANA, False)
    started = (await audited(stage, "session.started", 1))[0]
    assert started["actor"] == ANA
    assert started["details"]["provider"] == 1 and not started["details"]["multi_factor"]
    for secret in (gone["secret"], brought["code"], done["token"], done["known"], SECRET):
        assert secret not in caplog.text and secret not in json.dumps(started)


async def test_nobody_is_let_in_who_was_not_linked_and_all_read_the_same(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    stranger = await page.refused(FINISH, await page.back(police, "ana"))  # a name is no link
    assert (stranger["code"], "link ana" in stranger["todo"]) == ("not_linked", True)
    await stage.core.pool.execute("update person set disabled_at = now() where id = 1")
    await stage.core.refresh_directory()
    disabled = await page.refused(FINISH, await page.back(police, "agent-7"))
    assert disabled["code"] == "not_linked" and disabled["text"] == stranger["text"]
    failed = await audited(stage, "sign_in.failed", 2)
    assert [each["details"]["subject"] for each in failed] == ["ana", "agent-7"]
    assert {each["object"] for each in failed} == {"provider:1"}
    assert {each["owner"] for each in failed} == {BPD}
    assert await stage.core.pool.fetchval("select count(*) from session") == 0


async def test_another_agencys_provider_speaks_for_its_own_people_only(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    async with identity_provider.running(f"http://{page.host}/sign-in/bcg") as guard:
        number = await add_provider(stage, BCG, guard.issuer, name="Coast Guard")
        mine = await page.back(guard, "agent-7", "BCG")
        assert await page.code_of(FINISH, mine) == "not_linked"
        # Neither by hand in the database ...
        await link(stage, number, 1, "agent-7")
        mine = await page.back(guard, "agent-7", "BCG")
        assert await page.code_of(FINISH, mine) == "not_linked"
        # ... nor with what the one was asked and the other has answered.
        gone = await page.begin("BPD")
        other = await page.back(guard, "agent-7", "BCG")
        mixed = {**other, "state": gone["state"], "secret": gone["secret"], "agency": "BPD"}
        assert await page.code_of(FINISH, mixed) == "provider_distrusted"
        gone = await page.begin("BPD")
        mixed = {**other, "state": gone["state"], "secret": gone["secret"], "agency": "BCG"}
        assert await page.code_of(FINISH, mixed) == "sign_in_over"


async def test_what_was_begun_is_good_once_for_the_page_that_began_it(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    mine = await page.back(police, "agent-7")
    # Somebody lets me open the address of his own sign-in: my page has not the secret to it.
    stolen = {**mine, "secret": "x" * 43}
    assert await page.code_of(FINISH, stolen) == "sign_in_over"
    assert await page.code_of(FINISH, mine) == "sign_in_over"  # and it is used up
    mine = await page.back(police, "agent-7")
    await page.post(FINISH, mine)
    assert await page.code_of(FINISH, mine) == "sign_in_over"
    again = await page.begin()
    replayed = {**mine, "state": again["state"], "secret": again["secret"]}
    assert await page.code_of(FINISH, replayed) == "provider_distrusted"
    made_up = {"agency": "BPD", "state": "none", "secret": "none", "code": "x"}
    assert await page.code_of(FINISH, made_up) == "sign_in_over"


async def test_a_code_that_was_begun_elsewhere_is_not_redeemed(
    page: Page, police: IdentityProvider
) -> None:
    mine, other = await page.back(police, "agent-7"), await page.begin()
    injected = {**mine, "state": other["state"], "secret": other["secret"]}
    assert await page.code_of(FINISH, injected) == "provider_distrusted"


async def test_who_breaks_off_reads_so(stage: Stage, page: Page, police: IdentityProvider) -> None:
    error = await page.refused(FINISH, await page.back(police, None))
    assert error["code"] == "provider_refused"
    failed = (await audited(stage, "sign_in.failed", 1))[0]
    assert failed["details"]["reason"] == "access_denied"


async def test_the_next_at_the_same_browser_has_to_prove_himself(
    page: Page, police: IdentityProvider
) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        form = {"account": "agent-7", "password": "right"}
        for gone in (await page.begin(), await page.begin()):
            brought = await police.visit_with(browser, gone["address"], form)
            assert (await page.post(FINISH, returned(gone, brought)))["token"]
        gone = await page.begin()
        async with browser.get(gone["address"]) as answer:
            assert 'name="password"' in await answer.text()


async def test_new_keys_of_a_provider_are_found_at_once(
    page: Page, police: IdentityProvider
) -> None:
    assert (await page.signed_in(police, "agent-7"))["token"]
    await police.restart()
    assert (await page.signed_in(police, "agent-7"))["token"]
    await police.restart()  # but not asked for again and again
    assert await page.code_of(FINISH, await page.back(police, "agent-7")) == "provider_distrusted"


async def test_other_ways_that_providers_have(stage: Stage, page: Page) -> None:
    redirect = f"http://{page.host}/sign-in/bpd"
    ways = {"method": "client_secret_post", "algorithm": "ES256", "client": "6d1f:a"}
    async with identity_provider.running(redirect, **ways) as provider:
        more = {"client_id": "6d1f:a", "claim": "badge"}
        await link(stage, await add_provider(stage, BPD, provider.issuer, **more), 1, "badge-7")
        assert (await page.signed_in(provider, "7"))["token"]


async def test_a_wrong_secret_of_ours_lets_nobody_in(stage: Stage, page: Page) -> None:
    async with identity_provider.running(f"http://{page.host}/sign-in/bpd") as provider:
        number = await add_provider(stage, BPD, provider.issuer, secret="another")
        await link(stage, number, 1, "agent-7")
        mine = await page.back(provider, "agent-7")
        assert await page.code_of(FINISH, mine) == "provider_distrusted"


async def test_without_its_provider_people_sign_in_by_password(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    mine = await page.back(police, "agent-7")
    await police.stop()
    error = await page.refused(FINISH, mine)
    assert error["code"] == "provider_away" and error["retry"]
    async with await Peer.enter(stage.url, "ana") as peer:
        assert peer.me.me == ANA
    await police.start()
    assert (await page.signed_in(police, "agent-7"))["token"]


# -- the second factor


async def enrol_totp(page: Page) -> pyotp.TOTP:
    begun = await page.post("/api/me/second-factors/totp")
    totp = pyotp.parse_uri(begun["address"])
    assert isinstance(totp, pyotp.TOTP)
    body = {"code": totp.at(time.time() - 30), "label": "My phone"}
    await page.post("/api/me/second-factors/totp/confirm", body)
    return totp


async def test_the_accounts_own_second_factor_is_asked_for_beside_the_provider(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    done = await page.signed_in(police, "agent-7")
    totp = await enrol_totp(Page(stage, page.http, done["token"]))
    mine = await page.back(police, "agent-7", amr="pwd mfa")  # nobody said that this counts
    half = await page.post(FINISH, mine)
    assert half["token"] is None and half["kinds"] == ["totp", "recovery_code"]
    step = {"step": half["step"], "secret": mine["secret"]}
    assert await page.code_of(SECOND, step | {"code": "000000"}) == "wrong_credentials"
    stranger = {"step": half["step"], "secret": "x" * 43, "code": totp.now()}
    assert await page.code_of(SECOND, stranger) == "sign_in_over"
    opened = await page.post(SECOND, step | {"code": totp.now()})
    assert (await Page(stage, page.http, opened["token"]).get(MINE))["identities"]
    assert await page.code_of(SECOND, step | {"code": totp.now()}) == "sign_in_over"
    assert (await audited(stage, "sign_in.failed", 1))[0]["object"] == ANA


async def test_guesses_at_the_code_wait_and_guesses_at_the_password_are_not_counted_there(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    done = await page.signed_in(police, "agent-7")
    totp = await enrol_totp(Page(stage, page.http, done["token"]))
    lockout = stage.core.signin.people.lockout
    for _ in range(20):
        lockout.failed("ana", "203.0.113.9", time.monotonic())
    back = await page.back(police, "agent-7")
    step = {"step": (await page.post(FINISH, back))["step"], "secret": back["secret"]}
    assert (await page.post(SECOND, step | {"code": totp.now()}))["token"]
    back = await page.back(police, "agent-7")
    step = {"step": (await page.post(FINISH, back))["step"], "secret": back["secret"]}
    codes = [await page.code_of(SECOND, step | {"code": "000000"}) for _ in range(PLACE.free + 2)]
    assert set(codes[:-2]) == {"wrong_credentials"} and codes[-1] == "too_many_tries"


async def test_a_key_that_checks_nobody_counts_beside_the_provider(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    mine = Page(stage, page.http, (await page.signed_in(police, "agent-7"))["token"])
    key = Authenticator(f"http://{page.host}", False)
    options = (await mine.post("/api/me/second-factors/passkey/options"))["publicKey"]
    body = {"credential": key.make(options), "label": "Key"}
    await mine.post("/api/me/second-factors/passkey", body)
    back = await page.back(police, "agent-7")
    half = await page.post(FINISH, back)
    step = {"step": half["step"], "secret": back["secret"]}
    options = (await page.post("/api/sign-in/provider/passkey", step))["publicKey"]
    opened = await page.post("/api/sign-in/passkey", {"credential": key.use(options)})
    assert opened["token"]


async def test_a_second_factor_of_the_provider_counts_where_it_is_trusted(
    database: str, http: aiohttp.ClientSession, complaints: object
) -> None:
    await seed(database)
    stage = Stage(database, second_factor="required")
    await stage.start()
    try:
        page = Page(stage, http)
        async with identity_provider.running(f"http://{page.host}/sign-in/bpd") as provider:
            trust = {"trusted_amr": ["mfa"], "trusted_acr": ["gold"]}
            number = await add_provider(stage, BPD, provider.issuer, **trust)
            await link(stage, number, 1, "agent-7")
            for more, limited in (
                ((), True),
                ({"amr": "pwd"}, True),
                ({"amr": "pwd mfa"}, False),
                (
                    {"acr": "gold"},
                    False,
                ),
            ):
                done = await page.signed_in(provider, "agent-7", **dict(more))
                await stage.core.tickets.load()
                ticket = stage.core.tickets.by_token(done["token"])
                assert ticket is not None and ticket.limited is limited, more
        await stage.stop()
        await stage.start()
        ticket = stage.core.tickets.by_token(done["token"])
        assert ticket is not None and not ticket.limited
    finally:
        await stage.stop()


# -- sessions that a provider opened


async def test_unlinking_and_removing_end_what_the_provider_opened(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    for statement in (
        "delete from linked_identity",
        "update identity_provider set retired_at = now(), client_secret = null",
    ):
        done = await page.signed_in(police, "agent-7")
        async with await Peer.enter(stage.url, "ana") as other, await Peer.join(stage.url) as peer:
            await peer.sign_in(wire.SessionAuth(done["token"]))
            await stage.core.pool.execute(statement)
            assert await peer.closed() == wire.CloseCode.SESSION_ENDED
            await other.answers()  # came by password
        session = Page(stage, page.http, done["token"])
        assert (await session.refused("/api/fences", method="GET"))["code"] == "not_signed_in"
        if statement.startswith("delete"):
            await link(stage, 1, 1, "agent-7")
    assert await page.get(PROVIDERS) == {"providers": []}
    assert await page.code_of(BEGIN, {"agency": "BPD"}) == "no_provider"


async def test_who_has_no_password_unlocks_by_the_provider(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    await stage.core.pool.execute("update person set password_hash = null where id = 1")
    await stage.core.refresh_directory()
    done = await page.signed_in(police, "agent-7")
    async with await Peer.join(stage.url) as peer:
        await peer.sign_in(wire.SessionAuth(done["token"]))
        ticket = stage.core.tickets.by_token(done["token"])
        assert ticket is not None
        ticket.active -= stage.core.tickets.limits.idle
        await peer.expect(wire.Locked)
        proof = await page.signed_in(police, "agent-7")
        n = peer.number()
        await peer.send(wire.Unlock(n=n, proof=wire.TokenProof(proof["token"])))
        await peer.expect(wire.Unlocked)
    assert stage.core.tickets.by_token(proof["token"]) is None


# -- linking oneself


async def test_a_person_links_himself_at_his_own_page(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    await stage.core.pool.execute("delete from linked_identity")
    await stage.core.refresh_directory()
    async with (
        await Peer.enter(stage.url, "ana") as peer,
        await Peer.enter(stage.url, "ben") as ben,
    ):
        mine, other = (Page(stage, page.http, each.me.token) for each in (peer, ben))
        assert await mine.get(MINE) == {
            "identities": [],
            "agency": "BPD",
            "provider": "Belize Police",
        }
        assert await other.code_of(f"{MINE}/begin") == "no_provider"
        gone = await mine.post(f"{MINE}/begin")
        back = returned(gone, await police.visit(gone["address"], "agent-8"))
        assert await page.code_of(FINISH, back) == "sign_in_over"  # it was no sign-in
        gone = await mine.post(f"{MINE}/begin")
        back = returned(gone, await police.visit(gone["address"], "agent-8"))
        assert await other.code_of(MINE, back) == "sign_in_over"  # nor another's
        gone = await mine.post(f"{MINE}/begin")
        back = returned(gone, await police.visit(gone["address"], "agent-8"))
        await mine.post(MINE, back)
        linked = (await mine.get(MINE))["identities"][0]
        assert (linked["provider"], linked["subject"]) == ("Belize Police", "agent-8")
        assert (await page.signed_in(police, "agent-8"))["token"]
        added = (await audited(stage, "identity.added", 2))[1]
        assert (added["actor"], added["owner"]) == (ANA, BPD)
        path = f"{MINE}/{linked['id']}"
        ticket = stage.core.tickets.by_token(peer.me.token)
        assert ticket is not None
        proved, ticket.proved = ticket.proved, ticket.began - FRESH
        assert (await mine.refused(path, method="DELETE"))["code"] == "proof_needed"
        assert await mine.code_of(f"{MINE}/begin") == "proof_needed"
        ticket.proved = proved
        assert (await other.refused(path, method="DELETE"))["code"] == "not_found"
        assert (await mine.ask("DELETE", path))[0] == 200
        removed = await audited(stage, "identity.removed", 2)
        assert removed[1]["actor"] == ANA
        assert await page.code_of(FINISH, await page.back(police, "agent-8")) == "not_linked"


async def test_nobody_takes_away_his_only_way_in(
    stage: Stage, page: Page, police: IdentityProvider
) -> None:
    await stage.core.pool.execute("update person set password_hash = null where id = 1")
    await stage.core.refresh_directory()
    mine = Page(stage, page.http, (await page.signed_in(police, "agent-7"))["token"])
    linked = (await mine.get(MINE))["identities"][0]
    refused = await mine.refused(f"{MINE}/{linked['id']}", method="DELETE")
    assert refused["code"] == "last_way_in"


# -- many failures


async def test_failures_make_an_address_wait_but_not_a_browser_that_is_known(
    page: Page, police: IdentityProvider
) -> None:
    done = await page.signed_in(police, "agent-7")
    known = {"name": done["name"], "known": done["known"]}
    made_up = {"agency": "BPD", "state": "none", "secret": "none", "code": "x"}
    for n in range(ADDRESS.free + 1):
        await page.refused(FINISH, made_up | {"state": f"none-{n}"})
    assert await page.code_of(BEGIN, {"agency": "BPD"}) == "too_many_tries"
    assert await page.code_of(FINISH, made_up) == "too_many_tries"
    forged = {"agency": "BPD", "name": "ana", "known": "A" * 60}
    assert await page.code_of(BEGIN, forged) == "too_many_tries"
    gone = await page.post(BEGIN, {"agency": "BPD", **known})
    back = returned(gone, await police.visit(gone["address"], "agent-7"))
    assert (await page.post(FINISH, back | known))["token"]


async def test_an_address_that_nobody_has_set_is_no_place_to_come_back_to(
    page: Page, police: IdentityProvider
) -> None:
    page.host = "evil.example"
    assert await page.get(PROVIDERS) == {"providers": []}
    assert await page.code_of(BEGIN, {"agency": "BPD"}) == "no_origin"
