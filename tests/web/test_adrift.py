"""A boat adrift off Turneffe: coast guard, an aircraft, and an ambulance that meets at the pier."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from control import Control, choose_list, controlling, write_note
from playwright.async_api import Locator, Page, Route, expect
from screens import ROOT, keep
from tablets import Tablet, new_unit, rows

from psn import wire
from psn.client import Client

pytestmark = pytest.mark.browser

UNITS = (("BCG", "B-902", "boat"), ("BDF", "A-901", "aircraft"))
PIER = {"longitude": -88.2231, "latitude": 17.5291, "accuracy": 10}
PLACES = "**/api/places?**"
INCIDENT = "select id from incident"
PASSWORD = "the pier at the river mouth"


@pytest_asyncio.fixture
async def control(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> AsyncIterator[Control]:
    async with controlling(database, chromium, tmp_path, UNITS) as there:
        await ambulances(database)
        there.passwords["ems.dispatch"] = PASSWORD
        yield there


async def ambulances(database: str) -> None:
    """An agency comes: it is data. A server that runs knows it by itself."""
    person = ("user", "add", "ems.dispatch", "--agency", "EMS", "--full-name", "EMS Dispatcher")
    for arguments in (
        ("agency", "add", "EMS", "Emergency Medical Services", "--colour", "#8a1c7c"),
        (*person, "--role", "dispatcher", "--password-stdin"),
    ):
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "psn", *arguments),
            cwd=ROOT,
            env={"PSN_DATABASE": database},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        await command.communicate(PASSWORD.encode())
        assert command.returncode == 0, arguments
    # Her first password is good for choosing another only; here she has done so.
    await rows(database, "update person set password_until = null where name = 'ems.dispatch'")


async def report(crew: Client, lon: float, lat: float) -> None:
    """Where a crew is, degrees."""
    now = time.time_ns() // 1_000_000
    await crew.report(wire.Fix(unit=0, time=now, lon=round(lon * 1e7), lat=round(lat * 1e7)))


async def ask(panel: Locator, agency: str, text: str) -> None:
    """Ask another agency to take part."""
    await panel.get_by_role("button", name="Ask an agency").click()
    form = panel.get_by_role("form", name="Ask an agency")
    await form.get_by_label("Agency").select_option(agency)
    await form.get_by_label("What is needed").fill(text)
    await form.get_by_role("button", name="Ask", exact=True).click()
    await expect(form).to_have_count(0)


async def take_part(page: Page, text: str) -> Locator:
    """Accept what another agency asks; the incident's panel."""
    await choose_list(page, "Alarms")
    await expect(page.get_by_text(text)).to_be_visible()
    await page.get_by_role("button", name="Take part").click()
    panel = page.get_by_role("article")
    await expect(panel).to_contain_text("Boat adrift")
    return panel


async def send(panel: Locator, callsign: str) -> None:
    """Send one unit of one's own."""
    form = panel.get_by_role("form", name="Send units")
    if await form.count() == 0:
        await panel.get_by_role("button", name="Send units").click()
    await form.get_by_role("checkbox", name=callsign).check()
    await form.get_by_role("button", name="Send 1 unit").click()
    await expect(form).to_have_count(0)


async def clear(panel: Locator, callsign: str) -> None:
    """Its desk says that it is clear."""
    steps = panel.get_by_role("group", name=f"{callsign}: Set")
    await steps.get_by_role("button", name="Clear").click()
    await expect(steps).to_have_count(0)


async def test_a_boat_adrift_off_turneffe(
    control: Control, database: str, chromium: str, tmp_path: Path
) -> None:
    coast = await control.sign_in("bcg.dispatch")

    # The call: where first, in the words of the sea.
    await expect(coast.get_by_role("tab", name="Calls")).to_be_visible()
    await coast.keyboard.press("F2")
    place = coast.get_by_role("combobox", name="Place")
    await expect(place).to_be_focused()
    await coast.keyboard.type("5 nm east of Calabash Caye")
    offered = coast.get_by_role("listbox", name="Places that may be meant").get_by_role("option")
    await expect(offered.first).to_be_visible()
    await keep(coast, "adrift-place")
    await place.press("ArrowDown")
    await expect(offered.first).to_have_attribute("aria-selected", "true")
    await place.press("Enter")
    await expect(coast.locator(".point")).to_contain_text("17°")
    await coast.get_by_role("textbox", name="Notes").fill("engine broken, three aboard")
    await coast.get_by_role("combobox", name="Type").select_option("Vessel adrift")
    await coast.get_by_label("Title").fill("Boat adrift, three aboard")
    await coast.keyboard.press("F9")
    panel = coast.get_by_role("article")
    await expect(panel).to_contain_text("Boat adrift")

    # A boat of one's own, recommended by sea.
    async with await control.crew("B-902") as boat:
        await report(boat, -88.15, 17.45)
        await panel.get_by_role("button", name="Send units").click()
        form = panel.get_by_role("form", name="Send units")
        await expect(form.get_by_text("by sea").first).to_be_visible()
        await keep(coast, "adrift-recommended")
        await send(panel, "B-902")
        await boat.do("unit.status", status="acknowledged")
        await boat.do("unit.status", status="en_route")

        # An aircraft of the Defence Force looks for it.
        army = await control.sign_in("bdf.dispatch", light=True)
        await ask(panel, "Belize Defence Force", "An aircraft to search east of Turneffe.")
        theirs = await take_part(army, "An aircraft to search")
        await send(theirs, "A-901")
        async with await control.crew("A-901") as aircraft:
            ((number,),) = [tuple(each.values()) for each in await rows(database, INCIDENT)]
            await report(aircraft, -87.70, 17.30)
            await aircraft.do("unit.status", status="en_route")
            await aircraft.do("incident.note", incident=number, text="Seen, 17 18 N 87 40 W.")
        log = panel.get_by_role("log")
        await expect(log).to_contain_text("Seen, 17 18 N 87 40 W.")
        await boat.do("unit.status", status="on_scene")
    await expect(panel.get_by_text("On scene").first).to_be_visible()
    await write_note(panel, "One has chest pain. We meet the ambulance at the pier.")

    # The ambulance goes to the pier, not to where the boat is.
    _, code = await new_unit(database, "AMB-1", "EMS")
    tablet = Tablet(control, chromium, tmp_path / "ambulance")
    await tablet.open(wide=True)
    await tablet.context.set_geolocation(PIER | {"latitude": 17.5262})
    await tablet.enrol(code)
    medical = await control.sign_in("ems.dispatch")
    await ask(panel, "Emergency Medical Services", "Chest pain, at our pier in 40 minutes.")
    their = await take_part(medical, "Chest pain")
    await their.get_by_role("button", name="Send units").click()
    form = their.get_by_role("form", name="Send units")
    await form.get_by_role("button", name="Somewhere else").click()
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await medical.route(PLACES, late)
    await form.get_by_label("Where they go instead").fill("17.529 N 88.223 W")
    async with medical.expect_request(PLACES):
        elsewhere = form.get_by_label("Where they go instead")
        await elsewhere.fill("17.529 N 88.223 W, Coast Guard pier")
    await keep(medical, "adrift-elsewhere")
    await send(their, "AMB-1")
    # What the gazetteer says of a form that was sent meanwhile troubles nobody.
    async with medical.expect_response(PLACES):
        answered.set()
    await expect(their).to_contain_text("Coast Guard pier")
    await expect(tablet.page.get_by_role("article")).to_contain_text("Coast Guard pier")
    await expect(tablet.page.get_by_role("article")).to_contain_text("310 m")
    await keep(tablet.page, "adrift-tablet")
    await tablet.tap("Acknowledge")
    await tablet.tap("En route")
    await tablet.context.set_geolocation(PIER)
    await expect(tablet.page.get_by_text("You seem to be there")).to_be_visible()
    await keep(tablet.page, "adrift-arrived")
    await expect(their.get_by_text("Arrived?")).to_be_visible()
    await keep(medical, "adrift-arrived-desk")
    await tablet.tap("On scene")
    await expect(panel.get_by_role("log")).to_contain_text("AMB-1: On scene")
    # It had no place when the list was made.
    await expect(coast.get_by_role("option", name="AMB-1")).not_to_contain_text("no position")
    await coast.set_viewport_size({"width": 1920, "height": 1080})
    await keep(coast, "adrift-full")

    # While it lasts each sees the others' units of it; afterwards no more.
    await choose_list(medical, "Units")
    await expect(medical.get_by_role("option", name="B-902")).to_have_count(1)
    await tablet.tap("Clear")
    await tablet.close()
    await clear(theirs, "A-901")
    await clear(panel, "B-902")
    await panel.get_by_role("button", name="Close", exact=True).last.click()
    close = panel.get_by_role("form", name="Close the incident")
    await close.get_by_label("What came of it").select_option("Done")
    await close.get_by_label("In words").fill("Towed in, one to hospital")
    await close.get_by_role("button", name="Close the incident").click()
    for each in (panel, theirs, their):
        await expect(each).to_contain_text("Closed: Done")
    await expect(medical.get_by_role("option", name="B-902")).to_have_count(0)
