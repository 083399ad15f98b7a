"""Incidents at the console: whole stories in real browsers, with crews that answer."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from control import Control, choose_list, controlling, open_incident, write_note
from playwright.async_api import expect
from screens import at_work, keep
from tablets import rows

pytestmark = pytest.mark.browser

TITLE = "Hit and run, cyclist down"
PLACE = "Queen Victoria Avenue, Orange Walk"


UNITS = (("CED", "C-901", "car"), ("BPD", "P-903", "car"), ("BPD", "P-904", "car"))


@pytest_asyncio.fixture
async def control(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> AsyncIterator[Control]:
    async with controlling(database, chromium, tmp_path, UNITS) as there:
        yield there


async def test_hit_and_run_with_two_police_units_and_a_customs_road_block(
    control: Control,
) -> None:
    police = await control.sign_in("bpd.dispatch")
    customs = await control.sign_in("ced.dispatch", light=True)
    await at_work(police)
    panel = await open_incident(
        police, TITLE, kind="Hit and run", priority="1", place=PLACE, at="The middle of the map"
    )
    await expect(panel).to_contain_text("Waiting")
    await expect(panel).to_contain_text("Road block asked for")
    await keep(police, "incident-new")

    # The keyboard alone: D, search, choose, send.
    await police.keyboard.press("d")
    assign = panel.get_by_role("form", name="Send units")
    await expect(assign.get_by_role("searchbox")).to_be_focused()
    for callsign in ("P-903", "P-904"):
        await assign.get_by_role("searchbox").fill(callsign)
        await assign.get_by_role("checkbox", name=callsign).check()
    await keep(police, "incident-assign")
    await assign.get_by_role("button", name="Send 2 units").click()
    await expect(assign).to_have_count(0)
    await expect(panel).to_contain_text("P-904 is sent")

    async with await control.crew("P-903") as crew:
        await crew.do("unit.status", status="acknowledged")
        await crew.do("unit.status", status="en_route")
    row = police.get_by_role("option", name=TITLE)
    await expect(row).to_contain_text("En route")
    await expect(row).to_contain_text("P-903, P-904")

    # Another agency is asked, and sends its own.
    await panel.get_by_role("button", name="Ask an agency").click()
    ask = panel.get_by_role("form", name="Ask an agency")
    await ask.get_by_label("Agency").select_option("Customs and Excise Department")
    await ask.get_by_label("What is needed").fill("A road block at the toll bridge, please.")
    await ask.get_by_role("button", name="Ask", exact=True).click()
    await write_note(panel, "The informant is at the pump.", private=True)
    await choose_list(customs, "Alarms")
    await expect(customs.get_by_text("A road block at the toll bridge")).to_be_visible()
    await keep(customs, "invitation")
    await customs.get_by_role("button", name="Take part").click()
    theirs = customs.get_by_role("article")
    await expect(theirs).to_contain_text(TITLE)
    await choose_list(customs, "Units")
    await customs.get_by_role("option", name="C-901").drag_to(theirs)
    await expect(theirs.get_by_role("checkbox", name="C-901")).to_be_checked()
    await theirs.get_by_role("button", name="Send 1 unit").click()
    await expect(panel).to_contain_text("C-901 is sent")
    await write_note(theirs, "White pickup, turned north.")
    await expect(panel.get_by_role("log")).to_contain_text("White pickup")
    await expect(panel.get_by_role("log")).to_contain_text("The informant")
    await expect(theirs.get_by_role("log")).not_to_contain_text("The informant")
    await panel.get_by_role("checkbox", name="Road block asked for").check()
    await expect(theirs.get_by_role("checkbox", name="Road block asked for")).to_be_checked()
    await keep(police, "incident-full")
    await keep(customs, "incident-partner")
    await police.set_viewport_size({"width": 1920, "height": 1080})
    await keep(police, "incident-full-wide")

    # Each desk clears its own; then it can be closed.
    for callsign in ("P-903", "P-904"):
        steps = panel.get_by_role("group", name=f"{callsign}: Set")
        await steps.get_by_role("button", name="On scene").click()
        await expect(steps.get_by_role("button", name="On scene")).to_have_count(0)
    await panel.get_by_role("button", name="Close", exact=True).last.click()
    close = panel.get_by_role("form", name="Close the incident")
    await close.get_by_label("What came of it").select_option("Done")
    await close.get_by_label("In words").fill("Driver found")
    await close.get_by_role("button", name="Close the incident").click()
    await expect(close).to_contain_text("still assigned")
    await keep(police, "incident-refused")
    for callsign in ("P-903", "P-904"):
        steps = panel.get_by_role("group", name=f"{callsign}: Set")
        await steps.get_by_role("button", name="Clear").click()
        await expect(steps).to_have_count(0)
    await theirs.get_by_role("group", name="C-901: Set").get_by_role("button", name="Clear").click()
    await expect(panel).to_contain_text("C-901: clear")
    await close.get_by_role("button", name="Close the incident").click()
    await expect(panel).to_contain_text("Closed: Done")
    await expect(theirs).to_contain_text("Closed: Done")
    await expect(row).to_have_count(0)
    await keep(police, "incident-closed")


async def test_of_two_dispatchers_one_sends_the_unit_and_the_other_is_told(
    control: Control,
) -> None:
    pages = [await control.sign_in(name) for name in ("bpd.dispatch", "bpd.supervisor")]
    sends = []
    for number, page in enumerate(pages):
        panel = await open_incident(page, f"Number {number}")
        await panel.get_by_role("button", name="Send units").click()
        await panel.get_by_role("checkbox", name="P-901").check()
        sends.append(panel.get_by_role("button", name="Send 1 unit"))
    await asyncio.gather(*(send.click() for send in sends))
    diverts = [page.get_by_role("button", name="Divert") for page in pages]
    for _ in range(200):
        counts = [await each.count() for each in diverts]
        if sum(counts):
            break
        await asyncio.sleep(0.1)
    assert sorted(counts) == [0, 1], counts
    loser = counts.index(1)
    told = pages[loser].get_by_role("article").get_by_role("alert")
    await expect(told).to_contain_text("P-901")
    await expect(told).to_contain_text(("BPD Supervisor", "BPD Dispatcher")[loser])
    await keep(pages[loser], "unit-taken")
    winner = pages[1 - loser].get_by_role("article")
    await expect(winner.get_by_role("log")).to_contain_text("P-901 is sent")

    # What was chosen is still chosen, so it can be diverted knowingly.
    await diverts[loser].click()
    await expect(pages[loser].get_by_role("log").first).to_contain_text("P-901 is sent")
    await expect(winner.get_by_role("log")).to_contain_text("sent elsewhere")


async def test_a_supervisor_takes_an_incident_out_for_a_court(
    control: Control, tmp_path: Path
) -> None:
    """DOM-RET-13; a dispatcher is not offered it."""
    dispatcher = await control.sign_in("bpd.dispatch")
    await at_work(dispatcher)
    panel = await open_incident(dispatcher, TITLE, kind="Hit and run", place=PLACE)
    await expect(panel.get_by_role("button", name="Hand over")).to_be_visible()
    await expect(panel.get_by_role("button", name="Export")).to_have_count(0)
    page = await control.sign_in("bpd.supervisor")
    await at_work(page)
    await choose_list(page, "Incidents")
    await page.get_by_text(TITLE).first.click()
    panel = page.get_by_role("article", name="Incident")
    async with page.expect_download() as saving:
        await panel.get_by_role("button", name="Export").click()
    download = await saving.value
    await expect(panel.get_by_role("status")).to_contain_text("The audit has its SHA-256")
    await keep(page, "incident-export")
    file = tmp_path / "it.zip"
    await download.save_as(file)
    with zipfile.ZipFile(file) as archive:
        said = json.loads(archive.read("incident.json"))
    assert said["incident"]["title"] == TITLE
    assert download.suggested_filename == f"{said['incident']['number']}.zip"


async def test_a_field_that_was_changed_meanwhile_is_not_overwritten(control: Control) -> None:
    mine = await control.sign_in("bpd.dispatch")
    other = await control.sign_in("bpd.supervisor")
    panel = await open_incident(mine, "Fire")
    await choose_list(other, "Incidents")
    await other.get_by_role("option", name="Fire").click()
    theirs = other.get_by_role("article")
    await panel.get_by_role("button", name="Change title").click()
    await panel.get_by_role("textbox", name="Title").fill("Bush fire")
    await theirs.get_by_role("button", name="Change title").click()
    await theirs.get_by_role("textbox", name="Title").fill("Fire in a store")
    await theirs.get_by_role("button", name="Save").click()
    conflict = panel.get_by_role("alert")
    await expect(conflict).to_contain_text("Fire in a store")
    await expect(conflict).to_contain_text("Bush fire")
    await expect(panel.get_by_role("textbox", name="Title")).to_have_value("Bush fire")
    await keep(mine, "conflict")
    # Nothing was overwritten; and Enter does not do so by accident.
    await panel.get_by_role("textbox", name="Title").press("Enter")
    await expect(theirs.get_by_role("heading", name="Fire in a store")).to_be_visible()
    await panel.get_by_role("button", name="Keep mine").click()
    await expect(theirs.get_by_role("heading", name="Bush fire")).to_be_visible()
    await expect(panel.get_by_role("heading", name="Bush fire")).to_be_visible()


async def test_a_note_survives_a_reload_and_a_server_that_is_away(control: Control) -> None:
    page = await control.sign_in("bpd.dispatch")
    panel = await open_incident(page, "Burglary")
    note = panel.get_by_role("textbox", name="Note")
    await note.fill("The back door was for")
    await page.reload()
    await expect(note).to_have_value("The back door was for")
    await note.fill("The back door was forced.")

    await control.server.kill()
    await expect(page.locator(".banner")).to_contain_text("Connection lost")
    await note.press("Enter")
    log = panel.get_by_role("log")
    await expect(log).to_contain_text("The back door was forced.")
    await expect(log).to_contain_text("Waits for the line")
    await keep(page, "note-waits")
    await control.server.start()
    await expect(log.get_by_text("The back door was forced.")).to_have_count(1)
    await expect(log).not_to_contain_text("Waits for the line")
    await expect(note).to_have_value("")


async def test_what_is_typed_in_forms_outlives_a_call_and_a_reload(control: Control) -> None:
    page = await control.sign_in("bpd.dispatch")
    panel = await open_incident(page, "Burglary", place="Toll bridge")
    await panel.get_by_role("button", name="Change title").click()
    title = panel.get_by_role("textbox", name="Title", exact=True)
    await title.fill("Burglary at the store")
    await panel.get_by_role("button", name="Change details").click()
    details = panel.get_by_role("textbox", name="Details")
    await details.fill("The back door")
    await panel.get_by_role("button", name="Ask an agency").click()
    agency = panel.get_by_label("Agency", exact=True)
    await agency.select_option("Customs and Excise Department")
    wanted = panel.get_by_label("What is needed")
    await wanted.fill("A road block")
    await panel.get_by_role("button", name="Close", exact=True).last.click()
    close = panel.get_by_role("form", name="Close the incident")
    await close.get_by_label("What came of it").select_option("Done")
    await close.get_by_label("In words").fill("Driver found")
    await panel.get_by_role("button", name="Send units").click()
    assign = panel.get_by_role("form", name="Send units")
    await assign.get_by_role("checkbox", name="P-902").check()
    order = assign.get_by_label("Order, besides")
    await order.fill("From the north")
    await assign.get_by_role("button", name="Somewhere else").click()
    meet = assign.get_by_role("combobox", name="Where they go instead")
    await meet.fill("At the pump")
    await choose_list(page, "Watch")
    await page.get_by_role("button", name="New lookout").click()
    whom = page.get_by_label("Whom or what")
    await whom.fill("White Toyota")

    async def all_there() -> None:
        await expect(title).to_have_value("Burglary at the store")
        await expect(details).to_have_value("The back door")
        await expect(assign.get_by_role("checkbox", name="P-902")).to_be_checked()
        await expect(order).to_have_value("From the north")
        await expect(meet).to_have_value("At the pump")

    # A call does not wait; it takes the keyboard, and the place of the panel.
    await page.keyboard.press("F2")
    place = page.get_by_role("combobox", name="Place")
    await expect(place).to_be_focused()
    await expect(panel).to_have_count(0)
    await page.get_by_role("tab", name="Incident", exact=True).click()
    await all_there()
    await keep(page, "typed-after-a-call")
    await page.reload()
    # The call is open first: it comes before everything else.
    await expect(place).to_be_visible()
    await page.get_by_role("tab", name="Incident", exact=True).click()
    await all_there()
    await expect(title).not_to_be_focused()
    await expect(whom).to_have_value("White Toyota")

    # Forms that made room for one another have what was typed in them, too.
    await panel.get_by_role("button", name="Ask an agency").click()
    await expect(wanted).to_have_value("A road block")
    await expect(agency.locator("option:checked")).to_have_text("Customs and Excise Department")
    await panel.get_by_role("button", name="Close", exact=True).last.click()
    await expect(close.get_by_label("In words")).to_have_value("Driver found")
    await keep(page, "typed-after-a-reload")

    # What the server has done is typed no more.
    await title.press("Enter")
    await expect(panel.get_by_role("heading", name="Burglary at the store")).to_be_visible()
    await close.get_by_role("button", name="Close the incident").click()
    await expect(panel).to_contain_text("Closed: Done")
    await page.reload()
    await page.get_by_role("tab", name="Incident", exact=True).click()
    await expect(panel).to_contain_text("Closed: Done")
    await expect(title).to_have_count(0)
    kept = await page.evaluate("JSON.stringify({ ...localStorage })")
    assert "Driver found" not in kept
    assert "A road block" in kept


async def test_a_call_that_is_taken_at_the_map_is_typed_where_the_work_is(
    control: Control,
) -> None:
    map_window = await control.sign_in("bpd.dispatch")
    await at_work(map_window)
    url = control.server.url.replace("127.0.0.1", "localhost")
    await map_window.goto(f"{url}/?window=map")
    await at_work(map_window)
    async with map_window.context.expect_page() as opened:
        await map_window.get_by_role("link", name="Work in a window of its own").click()
    work = await opened.value
    await at_work(work)
    await expect(work.get_by_role("tab", name="Calls")).to_be_visible()

    await map_window.bring_to_front()
    await map_window.keyboard.press("F2")
    place = work.get_by_role("combobox", name="Place")
    await expect(place).to_be_visible()
    await expect(map_window.locator(".banner")).to_contain_text("window with the work")
    await keep(map_window, "map-call-elsewhere")
    await expect(map_window.get_by_role("combobox", name="Place")).to_have_count(0)
    await work.close()
    # The browser says so before the page in it has ended, which would still answer.
    await asyncio.sleep(1)

    # Without such a window the work comes beside the map: here is the one call, and another.
    await map_window.keyboard.press("F2")
    place = map_window.get_by_role("combobox", name="Place")
    await expect(place).to_be_focused()
    await map_window.keyboard.type("Queen Street")
    await expect(map_window.locator(".keeping")).to_have_text("Kept")
    await keep(map_window, "map-call-here")
    await expect(
        map_window.get_by_role("navigation", name="My calls").get_by_role("button")
    ).to_have_count(3)
    await map_window.reload()
    await expect(place).to_be_visible()
    await expect(
        map_window.get_by_role("navigation", name="My calls").get_by_role("button")
    ).to_have_count(3)


async def test_the_red_button_is_seen_taken_and_ended(control: Control) -> None:
    desk = await control.sign_in("bpd.dispatch")
    coast = await control.sign_in("bcg.dispatch", light=True)
    supervisor = await control.sign_in("bpd.supervisor")
    await at_work(desk)
    # Somebody is in a dialog when it comes: it steps aside, and is over everything again after.
    await coast.get_by_role("tab", name="Incidents").click()
    await coast.get_by_role("button", name="New incident").click()
    dialog = coast.get_by_role("dialog", name="New incident")
    await dialog.get_by_label("What it is").fill("Boat adrift")
    await expect(coast.locator("dialog:modal")).to_have_count(1)
    await desk.get_by_role("option", name="P-901").click()
    details = desk.get_by_role("complementary")
    await details.get_by_role("button", name="Raise an emergency").click()
    await details.get_by_role("button", name="Yes, raise it").click()
    banners = [
        page.get_by_role("region", name="Emergency of P-901") for page in (desk, coast, supervisor)
    ]
    for banner in banners:
        await expect(banner).to_be_visible()
        await expect(banner).to_contain_text("Nobody takes care of it")
    await expect(banners[0]).to_contain_text("P-902")
    await expect(banners[1].get_by_role("button", name="End")).to_have_count(0)
    await keep(desk, "emergency")
    await keep(coast, "emergency-day")
    await expect(coast.locator("dialog:modal")).to_have_count(0)
    await expect(dialog.get_by_label("What it is")).to_be_focused()
    await banners[1].get_by_role("button", name="Show").click()
    await desk.locator("body").press("o")
    await expect(banners[1]).to_contain_text("BPD Dispatcher takes care")
    await expect(coast.locator("dialog:modal")).to_have_count(1)
    await expect(dialog.get_by_label("What it is")).to_have_value("Boat adrift")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_have_count(0)
    await banners[0].get_by_role("button", name="End").click()
    await banners[0].get_by_label("How it ended").fill("A fall, unhurt")
    await expect(banners[0].get_by_label("Without the unit")).to_have_count(0)
    await banners[0].get_by_role("button", name="End it").click()
    await expect(banners[0]).to_contain_text("the desk has ended it")
    await expect(banners[0]).to_contain_text("the unit has not said")
    await banners[2].get_by_role("button", name="End").click()
    await banners[2].get_by_label("How it ended").fill("Radio broken, crew seen")
    await banners[2].get_by_label("Without the unit").check()
    await banners[2].get_by_role("button", name="End it").click()
    for banner in banners:
        await expect(banner).to_have_count(0)


async def test_what_is_chosen_in_one_window_is_chosen_in_the_other(control: Control) -> None:
    work = await control.sign_in("bpd.dispatch")
    await at_work(work)
    async with work.context.expect_page() as opened:
        await work.get_by_role("link", name="Map in a window of its own").click()
    map_window = await opened.value
    await at_work(map_window)
    url = control.server.url.replace("127.0.0.1", "localhost")
    await work.goto(f"{url}/?window=work")
    await open_incident(work, "Boat adrift", place="Turneffe")
    await choose_list(map_window, "Incidents")
    row = map_window.get_by_role("option", name="Boat adrift")
    await expect(row).to_have_attribute("aria-selected", "true")
    await choose_list(map_window, "Units")
    await map_window.get_by_role("option", name="P-902").click()
    await expect(work.get_by_role("complementary")).to_contain_text("P-902")
    await work.set_viewport_size({"width": 1920, "height": 1080})
    await keep(work, "window-work")
    await keep(map_window, "window-map")
    # Each window comes back as it was arranged.
    await work.reload()
    await expect(work.get_by_role("tab", name="Incidents")).to_have_attribute(
        "aria-selected", "true"
    )
    await map_window.reload()
    await expect(map_window.get_by_role("tab", name="Units")).to_have_attribute(
        "aria-selected", "true"
    )


async def test_checks_reminders_and_lookouts_are_begun_and_ended(control: Control) -> None:
    page = await control.sign_in("bpd.dispatch")
    customs = await control.sign_in("ced.dispatch")
    await choose_list(page, "Watch")
    await page.get_by_role("button", name="Ask a unit").click()
    form = page.get_by_role("form", name="Ask a unit")
    await form.get_by_label("Unit").select_option("P-902")
    await form.get_by_role("button", name="Begin").click()
    await expect(page.get_by_role("listitem").filter(has_text="P-902")).to_contain_text(
        "every 15 min"
    )
    await page.get_by_role("button", name="New reminder").click()
    form = page.get_by_role("form", name="New reminder")
    await form.get_by_label("Of what").fill("Call the coroner")
    await form.get_by_role("button", name="Set").click()
    await expect(page.get_by_text("Call the coroner")).to_be_visible()
    await page.get_by_role("button", name="New lookout").click()
    form = page.get_by_role("form", name="New lookout")
    await form.get_by_label("Whom or what").fill("White Toyota pickup")
    await form.get_by_label("Plate").fill("OW-C-1234")
    await form.get_by_label("CED").check()
    await keep(page, "watch-form")
    await form.get_by_role("button", name="Issue").click()
    await choose_list(customs, "Watch")
    await expect(customs.get_by_text("OW-C-1234")).to_be_visible()
    await expect(customs.get_by_role("button", name="End…")).to_have_count(0)
    await keep(page, "watch")
    await page.get_by_role("button", name="Stop").click()
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("button", name="End…").click()
    await page.get_by_label("What came of it").fill("found")
    await page.get_by_role("form", name="End").get_by_role("button", name="End").click()
    for gone in ("Call the coroner", "OW-C-1234", "every 15 min"):
        await expect(page.get_by_text(gone)).to_have_count(0)
    await expect(customs.get_by_text("OW-C-1234")).to_have_count(0)


async def test_what_is_refused_when_nobody_looks_any_more_is_told(
    control: Control, database: str
) -> None:
    page = await control.sign_in("bpd.dispatch")
    panel = await open_incident(page, "Fire")
    await panel.get_by_role("button", name="Send units").click()
    await panel.get_by_role("checkbox", name="P-901").check()
    await control.server.kill()
    await expect(page.locator(".banner")).to_contain_text("Connection lost")
    await panel.get_by_role("button", name="Send 1 unit").click()
    await page.get_by_role("tab", name="Messages").click()
    await rows(database, "update incident set closed_at = now()")
    await page.wait_for_timeout(5_000)
    await control.server.start()
    told = page.get_by_role("alert").filter(has_text="Not done")
    await expect(told).to_contain_text("Send P-901 to BPD-")
    await keep(page, "refused-unheard")
    await told.get_by_role("button", name="Dismiss").click()
    await expect(told).to_have_count(0)
