"""What people type, however long and in whatever direction: shown whole, turning nothing, kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from control import choose_list, controlling, open_incident, write_note
from playwright.async_api import Locator, Page, Route, expect
from screens import Screens, at_work, keep

pytestmark = pytest.mark.browser

BACKWARDS = "Stolen pickup \u202e4321 C-ZB"
HONEST = "תאונה ברחוב המלך 12 👩‍🚒"
LINES = "\n".join(f"{n}. A line of what the caller said, and more of it." for n in range(140))
LONG = "The boat burns. " * 6_250
READS_ON = """element => {
  const at = (place) => {
    const range = document.createRange();
    const text = element.firstChild;
    const end = place < 0 ? text.length + place : place;
    range.setStart(text, end);
    range.setEnd(text, end + 1);
    return range.getBoundingClientRect().left;
  };
  return at(0) < at(-1);
}"""
"""Whether the first letter of an element's text stands left of its last one."""


async def _place(locator: Locator) -> dict[str, Any]:
    box = await locator.bounding_box()
    assert box is not None
    return dict(box)


async def test_no_title_turns_what_stands_around_it_and_long_details_are_folded(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> None:
    async with controlling(database, chromium, tmp_path, ()) as control:
        page = await control.sign_in("bpd.dispatch")
        await at_work(page)
        await open_incident(page, "Fire")
        await open_incident(page, HONEST, place=HONEST)
        panel = page.get_by_role("article")
        await page.get_by_role("button", name="New incident").click()
        dialog = page.get_by_role("dialog", name="New incident")
        await dialog.get_by_label("What it is").fill(BACKWARDS)
        await dialog.get_by_role("button", name="Open").click()
        await expect(panel.get_by_role("heading", level=2)).to_have_text("Stolen pickup 4321 C-ZB")

        # One of before they were taken out stands in a log for ever.
        async def as_it_was(route: Route) -> None:
            answer = await route.fetch()
            text = (await answer.text()).replace("Stolen pickup 4321 C-ZB", BACKWARDS)
            await route.fulfill(response=answer, body=text)

        await page.route("**/api/incidents/*/log*", as_it_was)
        await page.reload()
        await expect(panel.get_by_role("log")).to_contain_text(BACKWARDS)
        by = panel.get_by_role("log").locator(".by").last
        assert await by.evaluate(READS_ON)
        row = page.get_by_role("option", name=HONEST).locator("b")
        assert await row.evaluate("element => getComputedStyle(element).direction") == "rtl"
        await keep(page, "typed-directions")

        await panel.get_by_role("button", name="Details").click()
        await panel.get_by_label("Details").fill(LINES[:8000])
        await panel.get_by_role("button", name="Save").click()
        more = panel.get_by_role("button", name="Show all: Details")
        await expect(more).to_have_attribute("aria-expanded", "false")
        await write_note(panel, "The last word")
        log = panel.get_by_role("log")
        await expect(log).to_contain_text("The last word")
        # Above the field for notes, at 1280 by 800 with the radio's bar.
        assert (await _place(log))["y"] < 670
        folded = await _place(panel.get_by_role("button", name="Details: 0. A line"))
        await keep(page, "details-folded")
        await more.focus()
        await page.keyboard.press("Enter")
        less = panel.get_by_role("button", name="Show less: Details")
        await expect(less).to_be_focused()
        await expect(less).to_have_attribute("aria-expanded", "true")
        await expect(less).to_be_in_viewport()
        await keep(page, "details-open")
        await page.keyboard.press("Enter")
        await expect(more).to_have_attribute("aria-expanded", "false")
        await expect(more).to_be_in_viewport()
        assert folded["height"] > 400  # all of it is there; it is the fold that is short
        assert control.complaints == []


async def test_a_reminder_in_the_past_is_refused_in_the_form(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> None:
    async with controlling(database, chromium, tmp_path, ()) as control:
        page = await control.sign_in("bpd.dispatch")
        await choose_list(page, "Watch")
        await page.get_by_role("button", name="New reminder").click()
        form = page.get_by_role("form", name="New reminder")
        await form.get_by_label("Of what").fill("Call the coroner")
        await form.get_by_label("In minutes").fill("-5")
        await form.get_by_role("button", name="Set").click()
        await expect(form.get_by_role("status")).to_have_text(
            "That time is past: say one minute or more."
        )
        await keep(page, "reminder-past")
        await expect(form.get_by_label("Of what")).to_have_value("Call the coroner")
        await form.get_by_label("In minutes").fill("5")
        await expect(form.get_by_role("status")).to_have_count(0)
        await form.get_by_role("button", name="Set").click()
        await expect(page.get_by_role("listitem").filter(has_text="coroner")).to_have_count(1)


async def _reporting(screens: Screens) -> Page:
    form = await screens.open()
    await form.set_viewport_size({"width": 390, "height": 844})
    await form.goto(form.url + "call")
    await form.get_by_label("Name").fill("bpd.supervisor")
    await form.locator("[name=password]").fill(screens.passwords["bpd.supervisor"])
    await form.keyboard.press("Enter")
    return form


async def test_a_report_that_is_too_long_is_kept_and_sent_when_it_is_shorter(
    screens: Screens,
) -> None:
    form = await _reporting(screens)
    happened = form.get_by_label("What happened")
    await happened.fill(LONG)
    await expect(form.get_by_text("92000 characters too long")).to_be_visible()
    await form.get_by_role("button", name="Send to the dispatchers").click()
    refused = form.get_by_role("alert")
    await expect(refused).to_contain_text("What happened: 92000 characters too long. Nothing was")
    await keep(form, "answering-too-long")
    await form.reload()
    await expect(happened).to_have_value(LONG)
    await happened.fill("Boat on fire")
    await form.get_by_role("combobox", name="Place").fill("y" * 201)
    await form.get_by_role("button", name="Send to the dispatchers").click()
    await expect(refused).to_contain_text("Place: 1 characters too long")
    await form.get_by_role("combobox", name="Place").fill("The fort")
    await expect(refused).to_have_count(0)
    await form.get_by_role("button", name="Send to the dispatchers").click()
    await expect(form.get_by_role("status").filter(has_text="Sent")).to_be_visible()
    assert screens.complaints == []
