"""What keeps a desk calm and at hand: several emergencies, requests, keys that have no effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from control import Control, controlling, open_incident
from playwright.async_api import Page, expect
from screens import PATIENCE_MS, at_work, keep

pytestmark = pytest.mark.browser

UNITS = (("BPD", "P-903", "car"), ("CED", "C-901", "car"))


@pytest_asyncio.fixture
async def control(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> AsyncIterator[Control]:
    async with controlling(database, chromium, tmp_path, UNITS) as there:
        yield there


async def enter(page: Page, line: str) -> None:
    await page.keyboard.press("/")
    await page.keyboard.type(line)
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")


async def test_of_several_emergencies_the_gravest_has_a_banner_and_the_others_are_named(
    control: Control,
) -> None:
    page = await control.sign_in("bpd.dispatch")
    await at_work(page)
    for callsign in ("P-901", "P-902", "P-903"):
        await enter(page, f"e {callsign}")
    others = page.get_by_role("region", name="3 emergencies")
    await expect(others).to_be_visible(timeout=PATIENCE_MS)
    banners = page.get_by_role("region", name="Emergency of")
    await expect(banners).to_have_count(1)
    await expect(others).to_contain_text("P-902 nobody")
    await expect(others).to_contain_text("P-903 nobody")
    await keep(page, "desk-folded")
    await page.keyboard.press("e")
    await expect(banners).to_have_count(3)
    await keep(page, "desk-unfolded")
    await page.keyboard.press("e")
    await expect(banners).to_have_count(1)
    # What is taken keeps its banner, below the next that nobody has.
    await page.keyboard.press("o")
    await expect(banners).to_have_count(2, timeout=PATIENCE_MS)
    await expect(banners.nth(0)).to_contain_text("P-902")
    taken = page.get_by_role("region", name="Emergency of P-901")
    await taken.get_by_role("button", name="End").click()
    await expect(taken.get_by_role("button", name="Put aside")).to_have_count(0)
    await taken.get_by_label("How it ended").fill("A fall, unhurt")
    await taken.get_by_role("button", name="End it").click()
    await expect(taken).to_contain_text("the desk has ended it", timeout=PATIENCE_MS)
    await keep(page, "desk-ended")
    await taken.get_by_role("button", name="Put aside").click()
    await expect(taken).to_have_count(0)
    await expect(page.get_by_role("region", name="2 emergencies")).to_be_visible()
    await page.reload()
    await at_work(page)
    await expect(page.get_by_role("region", name="2 emergencies")).to_be_visible(
        timeout=PATIENCE_MS
    )
    await page.get_by_role("tab", name="Alarms").click()
    await expect(page.get_by_role("tabpanel", name="Alarms")).to_contain_text(
        "Emergencies put aside"
    )
    # Pressed again, it is back, and nobody's.
    await enter(page, "e P-901")
    await expect(page.get_by_role("region", name="3 emergencies")).to_be_visible(
        timeout=PATIENCE_MS
    )


async def test_a_request_stands_among_the_incidents_and_a_key_goes_there(control: Control) -> None:
    customs = await control.sign_in("ced.dispatch")
    police = await control.sign_in("bpd.dispatch")
    await at_work(police)
    await police.keyboard.press("q")
    says = police.locator("#command-says")
    await expect(says).to_contain_text("No agency asks anything of us")
    panel = await open_incident(customs, "Container without papers", place="Big Creek")
    await panel.get_by_role("button", name="Ask an agency").click()
    await panel.get_by_label("Agency", exact=True).select_option(label="Belize Police Department")
    await panel.get_by_label("What is needed of it").fill("A road block at the junction")
    await panel.get_by_role("button", name="Ask", exact=True).click()
    tab = police.get_by_role("tab", name="Incidents")
    await expect(tab).to_contain_text("1 request to us", timeout=PATIENCE_MS)
    await police.keyboard.press("q")
    asked = police.get_by_role("region", name="Requests to us")
    await expect(asked.get_by_role("button", name="Take part")).to_be_focused()
    await expect(asked).to_contain_text("A road block at the junction")
    await keep(police, "desk-request")
    await police.keyboard.press("Enter")
    await expect(police.get_by_role("article")).to_contain_text(
        "Container without papers", timeout=PATIENCE_MS
    )
    await expect(asked).to_have_count(0)


async def test_a_key_without_effect_says_why(control: Control) -> None:
    page = await control.sign_in("bpd.dispatch")
    await at_work(page)
    says = page.locator("#command-says")
    panel = await open_incident(page, "Boat adrift", place="Turneffe")
    await page.locator("body").press("Escape")
    await expect(panel).to_have_count(0)
    await page.keyboard.press("d")
    await expect(says).to_contain_text("No incident is open")
    await keep(page, "desk-idle-key")
    await page.keyboard.press("m")
    await expect(says).to_contain_text("No unit is open")
    # It is gone with the next key that does something.
    await page.keyboard.press("t")
    await expect(says).not_to_contain_text("No unit is open")
