"""Signing in and unlocking at an agency's own provider, in a browser (docs/domain.md, DOM-FED)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import identity_provider
import pyotp
import pytest
import pytest_asyncio
from accessible import AXE, violations
from identity_provider import SECRET, IdentityProvider
from playwright.async_api import Page, expect
from screens import (
    PATIENCE_MS,
    Screens,
    at_work,
    keep,
    leave_alone,
    lock_screen,
    locked,
    showing,
)

from psn import keys
from psn.identity import openid

pytestmark = pytest.mark.browser

WHO = "bpd.dispatch"
NAME = "Belize Police"


@pytest_asyncio.fixture
async def screens(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> AsyncIterator[Screens]:
    async with showing(database, chromium, tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def police(screens: Screens, database: str) -> AsyncIterator[IdentityProvider]:
    """The provider of the police, where the dispatcher is agent-7."""
    port = screens.server.url.rpartition(":")[2]
    redirect = f"http://localhost:{port}/sign-in/bpd"
    async with identity_provider.running(redirect) as provider:
        own = keys.load(Path(os.environ["PSN_KEYS"]))
        sealed = own.seal(SECRET.encode(), openid.secret_purpose(provider.issuer, "psn"))
        connection = await asyncpg.connect(database)
        try:
            await connection.execute(
                "with p as (insert into identity_provider"
                " (agency_id, name, issuer, client_id, client_secret)"
                " select id, $2, $3, 'psn', $4 from agency where code = 'BPD' returning id)"
                " insert into linked_identity (provider_id, person_id, subject)"
                " select p.id, person.id, 'agent-7' from p, person where name = $1",
                WHO,
                NAME,
                provider.issuer,
                sealed,
            )
        finally:
            await connection.close()
        yield provider


async def sound(page: Page) -> None:
    """Nothing serious stands in anyone's way."""
    if AXE.is_file():
        assert await violations(page) == []


async def there(page: Page, account: str) -> None:
    """Sign in at the provider's own page, whose window this is."""
    await expect(page.get_by_role("heading", name="Sign in at your agency")).to_be_visible()
    await page.get_by_label("Account").fill(account)
    await page.get_by_label("Password").fill("right")
    await page.keyboard.press("Enter")


async def test_a_dispatcher_signs_in_at_his_agency_without_seeing_the_form_again(
    screens: Screens, police: IdentityProvider
) -> None:
    page = await screens.open()
    seen: list[str] = []
    page.on("framenavigated", lambda frame: seen.append(frame.url))
    button = page.get_by_role("button", name=f"Sign in with {NAME}")
    await expect(button).to_be_visible()
    await keep(page, "sign-in-with-provider")
    await button.focus()
    await page.keyboard.press("Enter")
    await there(page, "agent-7")
    await at_work(page)
    assert not page.url.partition("?")[2]
    assert not any("psn:" in address or "token" in address for address in seen)
    stored = await page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "psn:left" not in stored
    await page.reload()
    await at_work(page)


async def test_what_goes_wrong_there_is_said_and_leads_back(
    screens: Screens, police: IdentityProvider
) -> None:
    page = await screens.open(bypass_csp=True)
    await expect(page.get_by_role("button", name=f"Sign in with {NAME}")).to_be_visible()
    await sound(page)
    await page.get_by_role("button", name=f"Sign in with {NAME}").click()
    await there(page, "agent-8")
    problem = page.get_by_role("alert")
    await expect(problem).to_contain_text("no account that may sign in here is linked")
    await expect(problem).to_contain_text("agent-8")
    assert "?" not in page.url
    await sound(page)
    await keep(page, "sign-in-not-linked")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name=f"Sign in with {NAME}").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(problem).to_contain_text("has not let you in")
    # An address that somebody else made signs nobody in.
    await page.goto(page.url + "?code=x&state=y")
    await expect(problem).to_contain_text("begun in another window")
    await page.get_by_role("button", name="Back to sign-in").click()
    await expect(page.get_by_role("button", name=f"Sign in with {NAME}")).to_be_visible()
    await police.stop()
    await screens.server.kill()
    await screens.server.start()  # and knows nothing of the provider any more
    await page.get_by_role("button", name=f"Sign in with {NAME}").click()
    await expect(page.get_by_role("alert")).to_contain_text("does not answer")


async def test_the_second_factor_is_asked_for_on_the_way_back(
    screens: Screens, police: IdentityProvider, database: str
) -> None:
    secret = pyotp.random_base32()
    connection = await asyncpg.connect(database)
    try:
        person = await connection.fetchval("select id from person where name = $1", WHO)
        own = keys.load(Path(os.environ["PSN_KEYS"]))
        sealed = own.seal(pyotp.TOTP(secret).byte_secret(), f"second factor of person {person}")
        await connection.execute(
            "insert into second_factor (person_id, kind, label, secret)"
            " values ($1, 'totp', 'Phone', $2)",
            person,
            sealed,
        )
    finally:
        await connection.close()
    page = await screens.open(light=True)
    await page.get_by_role("button", name=f"Sign in with {NAME}").click()
    await there(page, "agent-7")
    await expect(page.get_by_text("knows you. One more proof")).to_be_visible()
    await keep(page, "sign-in-second-step")
    await page.get_by_label("Code").fill("000000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label("Code").fill(pyotp.TOTP(secret).at(time.time()))
    await page.keyboard.press("Enter")
    await at_work(page)


async def test_a_person_links_himself_at_my_account_and_unlinks(
    screens: Screens, police: IdentityProvider, database: str
) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("delete from linked_identity")
    finally:
        await connection.close()
    page = await screens.sign_in(WHO, await screens.open(bypass_csp=True))
    await at_work(page)
    own = page.get_by_role("button", name=re.compile("My account"))
    await own.click()
    await page.get_by_role("button", name=f"Link with {NAME}").click()
    await there(page, "agent-9")
    await at_work(page)
    await own.click()
    await expect(page.get_by_text(f"You are agent-9 at {NAME}.")).to_be_visible()
    await sound(page)
    await keep(page, "account-linked")
    await page.get_by_role("button", name="Unlink").click()
    await expect(page.get_by_role("button", name=f"Link with {NAME}")).to_be_visible()


async def test_a_locked_console_is_opened_by_the_provider_and_keeps_what_was_typed(
    screens: Screens, police: IdentityProvider, database: str
) -> None:
    page = await screens.open()
    await page.get_by_role("button", name=f"Sign in with {NAME}").click()
    await there(page, "agent-7")
    await at_work(page)
    await page.get_by_role("searchbox").first.fill("P-9")
    await leave_alone(screens, database, 31)
    await locked(page)
    await keep(page, "locked-with-provider")
    async with page.expect_popup() as opened:
        await page.get_by_role("button", name=f"Unlock with {NAME}").click()
    window = await opened.value
    window.set_default_timeout(PATIENCE_MS)
    await there(window, "agent-7")
    await expect(lock_screen(page)).to_be_hidden()
    await expect(page.get_by_role("searchbox").first).to_have_value("P-9")
