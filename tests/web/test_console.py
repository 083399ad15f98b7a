"""The console as dispatchers use it: real browsers, a real server, a real database."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from screens import UNITS, Screens, address, keep, write

pytestmark = pytest.mark.browser


async def test_a_wrong_password_is_told_plainly(screens: Screens) -> None:
    page = await screens.open()
    await page.get_by_label("Name").fill("bpd.dispatch")
    await page.locator("[name=password]").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).not_to_be_empty()
    assert await page.locator("canvas").count() == 0
    await keep(page, "sign-in")


async def test_units_of_other_agencies_move_and_are_found_by_keyboard(screens: Screens) -> None:
    page = await screens.sign_in("bpd.dispatch")
    for _, callsign, _ in UNITS:
        await expect(page.get_by_role("option", name=callsign)).to_be_visible()
    await page.keyboard.press("u")
    await page.keyboard.type("coast b-901")
    units = page.get_by_role("listbox", name="Units").get_by_role("option")
    await expect(units).to_have_count(1)
    await page.keyboard.press("Enter")
    details = page.get_by_role("complementary")
    await expect(details).to_contain_text("Belize Coast Guard")
    await expect(details).to_contain_text("29.2 kn")
    before = await details.locator("dd.coordinates").inner_text()
    await expect(details.locator("dd.coordinates")).not_to_have_text(before)
    await expect(details).to_contain_text("today")
    await keep(page, "details")
    await page.keyboard.press("Escape")
    await expect(details).to_have_count(0)


async def test_a_message_crosses_and_survives_the_server(screens: Screens) -> None:
    police = await screens.sign_in("bpd.dispatch")
    coast = await screens.sign_in("bcg.dispatch", light=True)
    await address(police, "bcg disp")
    await write(police, "One boat to Haulover Creek, please.")
    await expect(police.get_by_role("log")).to_contain_text("Delivered to")

    await coast.bring_to_front()
    await coast.get_by_role("button", name="BPD Dispatcher").click()
    await expect(coast.get_by_role("log")).to_contain_text("Haulover Creek")
    await expect(police.get_by_role("log")).to_contain_text("Read by BCG Dispatcher")
    await keep(police, "read")

    await screens.server.kill()
    await police.bring_to_front()
    await expect(police.locator(".banner")).to_contain_text("Connection lost")
    await write(police, "Written while the server was away.")
    await expect(police.get_by_role("log")).to_contain_text("Waiting to be sent")
    await keep(police, "lost")

    await screens.server.start()
    await coast.bring_to_front()
    await expect(coast.get_by_role("log")).to_contain_text("Written while the server was away.")
    await expect(police.locator(".banner")).to_have_count(0)
    await keep(coast, "back")

    await police.reload()
    await police.get_by_role("button", name="BCG Dispatcher").click()
    log = police.get_by_role("log")
    await expect(log.get_by_text("Written while the server was away.")).to_have_count(1)
    await expect(log.get_by_text("One boat to Haulover Creek, please.")).to_have_count(1)


async def test_an_emergency_stays_until_somebody_acknowledges_it(screens: Screens) -> None:
    police = await screens.sign_in("bpd.dispatch")
    coast = await screens.sign_in("bcg.dispatch", light=True)
    await address(police, "bcg disp")
    await police.get_by_role("radio", name="Emergency").check(force=True)
    await write(police, "Officer down at the pier.")

    await coast.bring_to_front()
    alarm = coast.get_by_role("button", name="Acknowledge")
    await expect(alarm).to_be_visible()
    await keep(coast, "emergency")
    await coast.get_by_role("button", name="BPD Dispatcher").click()
    await expect(coast.get_by_role("log")).to_contain_text("Officer down")
    await expect(alarm).to_be_visible()
    await coast.reload()
    await expect(alarm).to_be_visible()
    await coast.keyboard.press("a")
    await expect(alarm).to_have_count(0)
    await expect(police.get_by_role("log")).to_contain_text("Read by")
