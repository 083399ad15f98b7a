"""Signing in, one's own account, and the lock screen, in a browser (docs/domain.md, DOM-PER)."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pyotp
import pytest
import pytest_asyncio
from accessible import AXE, violations
from playwright.async_api import Locator, Page, expect
from screens import (
    Screens,
    address,
    at_work,
    keep,
    leave_alone,
    lock_screen,
    locked,
    showing,
    write,
)

pytestmark = pytest.mark.browser

WHO = "bpd.dispatch"


async def with_authenticator(page: Page) -> None:
    """A built-in authenticator that verifies its user, as a laptop has one."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


async def unlock(page: Page, password: str) -> None:
    await page.locator("[name=unlock]").fill(password)
    await page.keyboard.press("Enter")


async def account(page: Page) -> Locator:
    await page.get_by_role("button", name=re.compile("My account")).click()
    dialog = page.get_by_role("dialog", name="My account")
    await expect(dialog).to_be_visible()
    return dialog


async def enrol_app(where: Page | Locator, page: Page) -> tuple[pyotp.TOTP, list[str]]:
    """Add an authenticator app by the key that is shown; its recovery codes."""
    await where.get_by_role("button", name="Add an authenticator app").click()
    await expect(where.get_by_role("img", name="QR code")).to_be_visible()
    totp = pyotp.TOTP(await where.locator("form.totp code").inner_text())
    await page.locator("[name=first-code]").fill(totp.at(time.time() - 30))
    await page.keyboard.press("Enter")
    await expect(where.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = await where.locator("section ol code").all_inner_texts()
    assert len(set(codes)) == 10
    return totp, codes


async def sign_in_first_step(screens: Screens, page: Page) -> None:
    await page.get_by_label("Name").fill(WHO)
    await page.locator("[name=password]").fill(screens.passwords[WHO])
    await page.keyboard.press("Enter")
    await expect(page.locator("[name=code]")).to_be_focused()


async def sound(page: Page) -> None:
    """Nothing serious stands in anyone's way."""
    if AXE.is_file():
        assert await violations(page) == []


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_an_authenticator_app_is_enrolled_and_asked_for(
    screens: Screens, light: bool
) -> None:
    page = await screens.sign_in(WHO, await screens.open(light=light, bypass_csp=True))
    dialog = await account(page)
    await expect(dialog).to_contain_text("You have none yet")
    await keep(page, f"account-none-{light}")
    await dialog.get_by_role("button", name="Add an authenticator app").click()
    await expect(dialog.get_by_role("img", name="QR code")).to_be_visible()
    await keep(page, f"account-qr-{light}")
    await sound(page)
    await dialog.get_by_role("button", name="Cancel").click()
    totp, codes = await enrol_app(dialog, page)
    await keep(page, f"account-codes-{light}")
    await sound(page)
    await dialog.get_by_role("button", name="I have kept them").click()
    await expect(dialog).to_contain_text("10 recovery codes are left")
    await expect(dialog).to_contain_text("My phone")
    await keep(page, f"account-{light}")
    await sound(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Sign out").click()

    await sign_in_first_step(screens, page)
    await keep(page, f"second-step-{light}")
    await sound(page)
    await page.keyboard.type("000 000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("code is wrong")
    await expect(page.locator("[name=code]")).to_be_focused()
    await keep(page, f"second-step-wrong-{light}")
    await page.keyboard.type(totp.now())
    await page.keyboard.press("Enter")
    await at_work(page)

    await page.get_by_role("button", name="Sign out").click()
    await sign_in_first_step(screens, page)
    await page.keyboard.type(codes[4])
    await page.keyboard.press("Enter")
    await at_work(page)
    await expect(await account(page)).to_contain_text("9 recovery codes are left")


async def test_a_passkey_signs_in_and_unlocks(screens: Screens, database: str) -> None:
    page = await screens.open()
    await with_authenticator(page)
    await screens.sign_in(WHO, page)
    dialog = await account(page)
    await dialog.get_by_role("button", name="Add a passkey").click()
    await page.keyboard.type("Front desk")
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="I have kept them").click()
    await expect(dialog).to_contain_text("Front desk")
    await keep(page, "account-passkey")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Sign out").click()

    await page.get_by_role("button", name="Sign in with a passkey").click()
    await at_work(page)
    await page.get_by_role("button", name="Sign out").click()
    await sign_in_first_step(screens, page)
    await page.get_by_role("button", name="Use my passkey").click()
    await at_work(page)

    await leave_alone(screens, database, 31)
    screen = await locked(page)
    await screen.get_by_role("button", name="Unlock with a passkey").click()
    await expect(screen).to_have_count(0)
    await at_work(page)


async def test_a_passkey_that_is_not_there_is_told_and_nothing_hangs(screens: Screens) -> None:
    page = await screens.open()
    await with_authenticator(page)
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(page.get_by_role("alert")).to_contain_text("No passkey was used")


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_a_console_that_was_left_locks_and_keeps_every_keystroke(
    screens: Screens, database: str, light: bool
) -> None:
    """DOM-SES-6, DOM-SES-7, DOM-SES-8."""
    police = await screens.sign_in(WHO, await screens.open(light=light, bypass_csp=True))
    coast = await screens.sign_in("bcg.dispatch")
    await address(police, "bcg disp")
    await write(police, "The first word.")
    await expect(police.get_by_role("log")).to_contain_text("Delivered to")
    await police.get_by_role("textbox", name="Message").fill("half a sen")

    await leave_alone(screens, database, 31)
    screen = await locked(police)
    await expect(screen).to_contain_text("BPD Dispatcher")
    await expect(police.locator("[name=unlock]")).to_be_focused()
    await expect(police.get_by_role("log")).not_to_be_visible()
    await expect(police.get_by_text("The first word.")).not_to_be_visible()
    await keep(police, f"locked-{light}")
    await sound(police)

    await unlock(await _of(coast), screens.passwords["bcg.dispatch"])
    await expect(lock_screen(coast)).to_have_count(0)
    await address(coast, "bpd disp")
    await coast.get_by_role("radio", name="Emergency").check(force=True)
    await write(coast, "Fire on board at Haulover.")
    await expect(screen).to_contain_text("An emergency message waits")
    await expect(police.get_by_text("Haulover")).to_have_count(0)
    await keep(police, f"locked-emergency-{light}")
    await sound(police)
    await screen.get_by_role("button", name="Silence").click()

    await unlock(police, "not this password")
    await expect(screen.get_by_role("alert").last).to_contain_text("The password is wrong")
    await unlock(police, screens.passwords[WHO])
    await expect(screen).to_have_count(0)
    await expect(police.get_by_role("textbox", name="Message")).to_have_value("half a sen")
    await expect(police.get_by_role("button", name="Acknowledge")).to_be_visible()
    await expect(police.get_by_text("Fire on board at Haulover.").first).to_be_visible()
    await expect(police.get_by_role("option", name="P-901")).to_be_visible()
    await keep(police, f"unlocked-{light}")
    await police.get_by_role("textbox", name="Message").press_sequentially("tence")
    await police.keyboard.press("Enter")
    await expect(coast.get_by_role("log")).to_contain_text("half a sentence")


async def _of(page: Page) -> Page:
    await locked(page)
    return page


async def test_what_was_written_while_it_locked_goes_out_after_unlocking(
    screens: Screens, database: str
) -> None:
    """DOM-SES-7: the line was down, something was written, and then it locked."""
    police = await screens.sign_in(WHO)
    await at_work(police)
    await address(police, "bcg disp")
    await write(police, "Before.")
    await expect(police.get_by_role("log")).to_contain_text("Sent")
    await screens.server.kill()
    await expect(police.locator(".banner")).to_contain_text("Connection lost")
    await write(police, "Written without a line.")
    await leave_alone(screens, database, 31)
    await locked(police)
    await police.reload()
    await locked(police)
    await unlock(police, screens.passwords[WHO])
    await expect(lock_screen(police)).to_have_count(0)
    await police.get_by_role("button", name="BCG Dispatcher").click()
    line = police.get_by_role("log").get_by_text("Written without a line.")
    await expect(line).to_have_count(1)
    coast = await screens.sign_in("bcg.dispatch")
    await coast.get_by_role("button", name="BPD Dispatcher").click()
    await expect(coast.get_by_role("log")).to_contain_text("Written without a line.")


async def test_locking_is_told_and_one_key_keeps_it_open(screens: Screens, database: str) -> None:
    """DOM-SES-5."""
    page = await screens.sign_in(WHO)
    await at_work(page)
    await leave_alone(screens, database, 28.4)
    banner = page.locator(".banner", has_text="locks in 2 minutes")
    await expect(banner).to_be_visible()
    await keep(page, "locks-soon")
    await page.keyboard.press("Shift")
    await expect(banner).to_have_count(0)
    connection = await asyncpg.connect(database)
    try:
        await screens.server.stop()
        since = await connection.fetchval("select min(now() - active_at) from session"
                                          " where person_id is not null")  # fmt: skip
    finally:
        await connection.close()
        await screens.server.start()
    assert since.total_seconds() < 120, "the server heard of it, and kept it"


async def test_the_password_is_changed_and_other_sessions_end(screens: Screens) -> None:
    page, other = await screens.sign_in(WHO), await screens.sign_in(WHO)
    dialog = await account(page)
    await expect(dialog.get_by_role("listitem")).to_have_count(2)
    await dialog.get_by_label("Password now").fill(screens.passwords[WHO])
    await dialog.get_by_label("New password").fill("Belize Police Department")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("others would try first")
    await dialog.get_by_label("New password").fill("nine pelicans drink cold tea")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("1 other session was ended")
    await keep(page, "password-changed")
    await expect(other.get_by_label("Name")).to_be_visible()
    screens.passwords[WHO] = "nine pelicans drink cold tea"
    await screens.sign_in(WHO, other)
    await at_work(other)
    await dialog.get_by_role("button", name="Sign out everywhere").click()
    for each in (page, other):
        await expect(each.get_by_label("Name")).to_be_visible()


@pytest_asyncio.fixture
async def strict(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> AsyncIterator[Screens]:
    """A network that asks everyone for a second factor."""
    settings: dict[str, Any] = {"PSN_SECOND_FACTOR": "required"}
    async with showing(database, chromium, tmp_path, **settings) as running:
        yield running


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_where_a_second_factor_is_required_one_is_enrolled_first(
    strict: Screens, light: bool
) -> None:
    """DOM-PER-7."""
    page = await strict.sign_in(WHO, await strict.open(light=light, bypass_csp=True))
    await expect(page.get_by_role("heading", name="A second factor", exact=True)).to_be_visible()
    await expect(page.get_by_role("option")).to_have_count(0)
    await keep(page, f"enrol-{light}")
    await sound(page)
    await enrol_app(page, page)
    await expect(page.get_by_role("button", name="Go on")).to_have_count(0)
    await page.get_by_role("button", name="I have kept them").click()
    await page.get_by_role("button", name="Go on").click()
    await at_work(page)
