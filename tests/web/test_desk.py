"""What keeps a desk calm and at hand: several emergencies, requests, keys that have no effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from control import Control, controlling, open_incident
from playwright.async_api import Locator, Page, expect
from screens import at_work, keep

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
    await expect(others).to_be_visible()
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
    await expect(banners).to_have_count(2)
    await expect(banners.nth(0)).to_contain_text("P-902")
    taken = page.get_by_role("region", name="Emergency of P-901")
    await taken.get_by_role("button", name="End").click()
    await expect(taken.get_by_role("button", name="Put aside")).to_have_count(0)
    await taken.get_by_label("How it ended").fill("A fall, unhurt")
    await taken.get_by_role("button", name="End it").click()
    await expect(taken).to_contain_text("the desk has ended it")
    await keep(page, "desk-ended")
    await taken.get_by_role("button", name="Put aside").click()
    await expect(taken).to_have_count(0)
    await expect(page.get_by_role("region", name="2 emergencies")).to_be_visible()
    await page.reload()
    await at_work(page)
    await expect(page.get_by_role("region", name="2 emergencies")).to_be_visible()
    await page.get_by_role("tab", name="Alarms").click()
    await expect(page.get_by_role("tabpanel", name="Alarms")).to_contain_text(
        "Emergencies put aside"
    )
    # Pressed again, it is back, with a banner until all are folded.
    await enter(page, "e P-901")
    await expect(others).to_be_visible()
    await expect(taken).to_contain_text("pressed 2 times")
    await keep(page, "desk-pressed-again")
    await page.keyboard.press("e")
    await expect(banners).to_have_count(3)
    await page.keyboard.press("e")
    await expect(banners).to_have_count(1)
    await expect(others.get_by_role("button", name="P-901")).to_contain_text("pressed 2 times")
    await keep(page, "desk-pressed-again-folded")


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
    await expect(tab).to_contain_text("1 request to us")
    await police.keyboard.press("q")
    asked = police.get_by_role("region", name="Requests to us")
    await expect(asked.get_by_role("button", name="Take part")).to_be_focused()
    await expect(asked).to_contain_text("A road block at the junction")
    await keep(police, "desk-request")
    await customs.get_by_role("button", name="Español").click()
    await keep(customs, "desk-spanish")
    tabs = customs.get_by_role("tablist").first
    assert await tabs.evaluate("it => it.scrollWidth <= it.clientWidth")
    await police.keyboard.press("Enter")
    await expect(police.get_by_role("article")).to_contain_text("Container without papers")
    await expect(asked).to_have_count(0)


async def at_rest(scale: Locator) -> str:
    """What the map's scale says when it does not change any more: the flight is over."""
    said = ""
    while (now := await scale.inner_text()) != said:
        said = now
        await scale.page.wait_for_timeout(1_500)
    return said


async def test_the_desk_comes_back_as_it_was_arranged_and_saved(control: Control) -> None:
    page = await control.sign_in("bpd.dispatch")
    await at_work(page)
    canvas = page.locator(".maplibregl-canvas").first
    await expect(canvas).to_be_visible()
    await enter(page, "f P-901")
    await page.locator("body").press("Escape")
    scale = page.locator(".maplibregl-ctrl-scale").first
    await expect(scale).not_to_have_text("20 nm")
    near = await at_rest(scale)
    await page.get_by_role("tab", name="Alarms").click()
    await page.get_by_role("tab", name="Activity").click()
    await enter(page, "lay save Harbour")
    await expect(page.locator("#command-says")).to_contain_text("Done.")
    await page.reload()
    await expect(page.get_by_role("tab", name="Activity")).to_have_attribute(
        "aria-selected", "true"
    )
    await expect(scale).to_have_text(near)
    # Everything else, and back by mouse.
    await page.get_by_role("tab", name="Units").click()
    await page.get_by_role("button", name="BDF 1").click()
    await page.get_by_role("tab", name="Messages").click()
    await page.locator("body").press("h")
    await expect(scale).not_to_have_text(near)
    await page.get_by_role("button", name="Layouts").click()
    dialog = page.get_by_role("dialog", name="Layouts")
    await dialog.get_by_label("Name").fill("Without soldiers")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("button", name="Without soldiers", exact=True)).to_be_visible()
    await keep(page, "desk-layouts")
    await dialog.get_by_role("button", name="Harbour", exact=True).click()
    await expect(dialog).to_be_hidden()
    await expect(scale).to_have_text(near)
    for tab in ("Alarms", "Activity"):
        await expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    await enter(page, "lay without soldiers")
    await expect(page.get_by_role("option", name="P-901")).to_be_visible()
    await expect(page.get_by_role("option", name="F-901")).to_have_count(0)
    await enter(page, "lay delete harbour")
    await page.get_by_role("button", name="Layouts").click()
    await expect(dialog.get_by_role("listitem")).to_have_count(1)
    # A call does not wait for it; letters are none of the desk's commands here.
    await expect(dialog).to_be_focused()
    await page.keyboard.press("n")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("F2")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("form")).to_be_visible()


async def test_while_the_map_is_elsewhere_the_first_window_has_the_work_in_its_place(
    control: Control,
) -> None:
    first = await control.sign_in("bpd.dispatch")
    await at_work(first)
    await expect(first.get_by_role("application")).to_be_visible()
    async with first.context.expect_page() as opened:
        await first.get_by_role("link", name="Map in a window of its own").click()
    map_window = await opened.value
    await at_work(map_window)
    await expect(first.get_by_role("application")).to_have_count(0)
    await expect(first.locator("main")).to_contain_text("No incident is open here.")
    await map_window.bring_to_front()
    await map_window.locator("body").press("n")
    await expect(first.get_by_role("combobox", name="Add a recipient")).to_be_visible()
    await map_window.reload()
    await at_work(map_window)
    await first.bring_to_front()
    await open_incident(first, "Boat adrift", place="Turneffe")
    await expect(first.locator("main").get_by_role("article")).to_be_visible()
    await keep(first, "desk-map-elsewhere")
    # A place is clicked on the map of the other window.
    await first.get_by_role("button", name="Change place").click()
    await first.get_by_role("button", name="Point on the map").click()
    await map_window.bring_to_front()
    await expect(map_window.get_by_text("Click on the map…")).to_be_visible()
    await keep(map_window, "desk-pointing")
    await map_window.get_by_role("application").click()
    await expect(map_window.get_by_text("Click on the map…")).to_have_count(0)
    await first.bring_to_front()
    await expect(first.get_by_role("button", name="Remove the point")).to_be_visible()
    await first.get_by_role("button", name="Leave", exact=True).click()
    # A layout that is saved here has the view of the map there.
    scale = map_window.locator(".maplibregl-ctrl-scale").first
    far = await scale.inner_text()
    await map_window.bring_to_front()
    await map_window.get_by_role("button", name="Zoom in").click()
    await expect(scale).not_to_have_text(far)
    near = await at_rest(scale)
    await first.bring_to_front()
    await enter(first, "lay save Harbour")
    await expect(first.locator("#command-says")).to_contain_text("Done.")
    await map_window.bring_to_front()
    await map_window.get_by_role("button", name="All of Belize").click()
    await expect(scale).not_to_have_text(near)
    await at_rest(scale)
    await first.bring_to_front()
    await enter(first, "lay harbour")
    await expect(scale).to_have_text(near)
    # What is begun at the list beside the map is begun where the work is.
    note = first.get_by_role("textbox", name="Note")
    await expect(note).not_to_be_focused()
    await map_window.bring_to_front()
    await map_window.locator("body").press("i")
    await map_window.keyboard.press("w")
    await expect(note).to_be_focused()
    await first.bring_to_front()
    # The map comes back, but takes no field from under the hands of somebody who types.
    await note.press_sequentially("Two ")
    await map_window.close()
    await first.wait_for_timeout(7_000)
    await first.keyboard.type("so far")
    await expect(note).to_have_value("Two so far")
    await expect(first.get_by_role("application")).to_have_count(0)
    await first.keyboard.press("Escape")
    await expect(first.get_by_role("application")).to_be_visible()
    await expect(note).to_have_value("Two so far")
    await expect(first.get_by_role("article")).to_contain_text("Boat adrift")


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


async def test_what_ends_a_call_is_in_reach_on_a_small_screen(control: Control) -> None:
    page = await control.sign_in("bpd.dispatch")
    await at_work(page)
    await page.set_viewport_size({"width": 1366, "height": 768})
    await page.keyboard.press("F2")
    for name in ("Open incident", "Close call"):
        button = page.get_by_role("button", name=name)
        await expect(button).to_be_visible()
        await expect(button).to_be_in_viewport(ratio=1)
    await keep(page, "desk-call-small")
    # The last field can be brought above what ends the call.
    await page.get_by_role("textbox", name="Notes").fill("Seen \u202egoing north")
    await expect(page.get_by_role("textbox", name="Notes")).to_have_value("Seen going north")


async def test_a_call_is_reported_with_its_kind_and_how_it_came(control: Control) -> None:
    form = await control.open()
    await form.goto(form.url + "call")
    await form.get_by_label("Name").fill("bpd.supervisor")
    await form.locator("[name=password]").fill(control.passwords["bpd.supervisor"])
    await form.keyboard.press("Enter")
    await expect(form.get_by_role("radio", name="Agency line")).to_be_checked()
    await form.get_by_role("radio", name="In person").check()
    kind = form.get_by_label("Type")
    await kind.select_option(index=1)
    chosen = await kind.locator("option:checked").inner_text()
    await form.get_by_label("What happened").fill("Two cars")
    await keep(form, "desk-call-report")
    main = form.locator("main")
    assert await main.evaluate("it => it.scrollWidth <= it.clientWidth")
    await form.get_by_role("button", name="Send to the dispatchers").click()
    await expect(form.get_by_text("A dispatcher sees it now")).to_be_visible()
    page = await control.sign_in("bpd.dispatch")
    await page.get_by_role("tab", name="Calls").click()
    await page.get_by_role("button", name="Pick up").click()
    call = page.get_by_role("form")
    await expect(call.get_by_label("Type").locator("option:checked")).to_have_text(chosen)
    await expect(call.get_by_label("Line").locator("option:checked")).to_have_text("In person")
