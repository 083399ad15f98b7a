"""What dispatch works with, as supervisors and administrators keep it: in real browsers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from playwright.async_api import Locator, Page, expect
from screens import WEB, Screens, keep

from psn.seed_work import seed_work

pytestmark = pytest.mark.browser
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
TABS = ("Kinds of incidents", "Stations", "Crews", "Fence alarms", "Places")


async def enter(
    screens: Screens, name: str, tab: str, *, light: bool = False, spanish: bool = False
) -> Page:
    """Somebody at a page of administration."""
    page = await screens.open(light=light, bypass_csp=True)
    if spanish:
        await page.evaluate("localStorage.setItem('psn:language', 'es')")
    await page.goto(f"{screens.server.url.replace('127.0.0.1', 'localhost')}/admin#{tab}")
    if spanish:
        await page.get_by_label("Nombre").fill(name)
        await page.locator("[name=password]").fill(screens.passwords[name])
        await page.keyboard.press("Enter")
        await page.wait_for_selector("main")
        return page
    return await screens.sign_in(name, page)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=name)


async def find(dialog: Locator, typed: str, choose: str) -> None:
    """Look a place up and take one of what is found, by keyboard."""
    field = dialog.locator("input[role=combobox]")
    await field.fill("")
    await field.press_sequentially(typed, delay=5)
    await expect(dialog.get_by_role("option", name=choose).first).to_be_visible()
    await field.press("ArrowDown")
    await field.press("Enter")
    await expect(dialog.get_by_text("Chosen:")).to_be_visible()


async def done(dialog: Locator) -> None:
    await expect(dialog).to_have_count(0)


async def test_a_kind_of_incident_is_added_its_checklist_put_in_order_and_retired(
    screens: Screens,
) -> None:
    page = await enter(screens, "bpd.admin", "kinds")
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Add a kind").click()
    await dialog.get_by_label("Name in English").fill("Armed robbery")
    await dialog.get_by_label("Name in Spanish").fill("Robo a mano armada")
    await dialog.get_by_label("Code").fill("Armed Robbery")
    await dialog.get_by_label("Priority").select_option("1")
    await dialog.get_by_role("button", name="Add a line").click()
    for text in ("Cordon", "Scene kept"):
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")
    await page.keyboard.type("Weapons told to units")
    await page.keyboard.press("Alt+ArrowUp")
    await page.keyboard.press("Alt+ArrowUp")
    await expect(dialog.get_by_role("status")).to_contain_text("Now line 1 of 3.")
    await expect(dialog.get_by_label("Checklist, line 1")).to_be_focused()
    await dialog.get_by_role("button", name="Line 3 up").click()
    lines = [await each.input_value() for each in await dialog.locator("ol input").all()]
    assert lines == ["Weapons told to units", "Scene kept", "Cordon"]
    await dialog.get_by_role("button", name="Add a need").click()
    need = dialog.get_by_role("group", name="Need 1")
    await need.get_by_label("How many").fill("2")
    await need.get_by_label("Of these kinds").fill("Car")
    await page.keyboard.press("Enter")
    await need.get_by_label("With all of these").fill("First aid, ")
    await need.get_by_label("With all of these").press("Enter")
    await dialog.get_by_label("Minutes on scene").fill("60")
    await keep(page, "settings-kind")
    # What was typed is there again after an Escape.
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Add a kind").click()
    await expect(dialog.get_by_label("Name in Spanish")).to_have_value("Robo a mano armada")
    await dialog.get_by_role("button", name="Add a kind").click()
    await done(dialog)
    added = row(page, "Armed robbery")
    for text in ("armed_robbery", "2 × Car, first_aid", "3 points", "on scene 60 min"):
        await expect(added).to_contain_text(text)

    # The same code again is refused in the server's words, and nothing is lost.
    await page.get_by_role("button", name="Add a kind").click()
    await dialog.get_by_label("Name in English").fill("Robbery")
    await dialog.get_by_label("Code").fill("armed_robbery")
    await dialog.get_by_role("button", name="Add a kind").click()
    await expect(dialog.get_by_role("alert")).to_contain_text(
        "There is a type of incident called armed_robbery already."
    )
    await expect(dialog.get_by_label("Name in English")).to_have_value("Robbery")
    await page.keyboard.press("Escape")

    await added.get_by_role("button", name="Change…").click()
    await dialog.get_by_label("Priority").select_option("2")
    await dialog.get_by_role("button", name="Remove line 2").click()
    await dialog.get_by_role("button", name="Save").click()
    await done(dialog)
    await expect(added).to_contain_text("2 points")
    await expect(added).to_contain_text("Priority 2")
    await keep(page, "settings-kinds")
    await added.get_by_role("button", name="Retire").click()
    await dialog.get_by_role("button", name="Retire").click()
    await expect(added).to_have_count(0)


async def test_a_station_is_added_by_coordinates_and_moved_to_a_place(screens: Screens) -> None:
    page = await enter(screens, "bpd.supervisor", "stations")
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Add a station").click()
    await dialog.get_by_label("Name").fill("Queen Street")
    await dialog.get_by_role("button", name="Add a station").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Choose a place")
    await find(dialog, "16N 371500 1935400", "17°")
    await keep(page, "settings-station")
    await dialog.get_by_role("button", name="Add a station").click()
    await done(dialog)
    station = row(page, "Queen Street")
    await expect(station).to_contain_text("17° 30.")
    await page.get_by_role("button", name="Add a station").click()
    await dialog.get_by_label("Name").fill("Queen Street")
    await find(dialog, "San Pedro", "San Pedro")
    await dialog.get_by_role("button", name="Add a station").click()
    await expect(dialog.get_by_role("alert")).to_contain_text(
        "There is a station called Queen Street already."
    )
    await expect(dialog.get_by_label("Name")).to_have_value("Queen Street")
    await page.keyboard.press("Escape")
    await station.get_by_role("button", name="Change…").click()
    await find(dialog, "Belmopan", "Belmopan")
    await dialog.get_by_role("button", name="Save").click()
    await done(dialog)
    await expect(station).to_contain_text("17° 15.")


async def test_a_unit_is_given_abilities_and_a_shift_that_stands_on_the_roster(
    screens: Screens,
) -> None:
    page = await enter(screens, "bpd.supervisor", "crews")
    dialog = page.get_by_role("dialog")
    units = page.get_by_role("table", name="Units")
    unit = units.get_by_role("row", name="P-901")
    await unit.get_by_role("button", name="Change…").click()
    for word in ("Spanish", "K9"):
        await dialog.get_by_label("Can do").fill(word)
        await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="Save").click()
    await done(dialog)
    await expect(unit).to_contain_text("k9")
    await expect(unit).to_contain_text("spanish")

    begins = datetime.now(UTC) - timedelta(hours=7)  # an hour ago in Belize
    await page.get_by_role("button", name="Plan a shift").click()
    await dialog.get_by_label("Unit").select_option("P-901")
    await dialog.get_by_label("From").fill(f"{begins:%Y-%m-%dT%H:%M}")
    await dialog.get_by_label("Until").fill(f"{begins - timedelta(hours=2):%Y-%m-%dT%H:%M}")
    await dialog.get_by_label("Name of person 1").fill("BPD Dispatcher")
    await dialog.get_by_label("Task of person 1").fill("driver")
    await dialog.get_by_role("button", name="Add a person").click()
    await page.keyboard.type("A guest")
    await dialog.get_by_role("button", name="Plan a shift").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("A shift ends after it starts")
    await expect(dialog.get_by_label("Task of person 1")).to_have_value("driver")
    await dialog.get_by_label("Until").fill(f"{begins + timedelta(hours=8):%Y-%m-%dT%H:%M}")
    await keep(page, "settings-shift")
    await dialog.get_by_role("button", name="Plan a shift").click()
    await done(dialog)
    await expect(unit).to_contain_text("BPD Dispatcher, A guest")
    roster = page.get_by_role("table", name=re.compile("^Roster"))
    shift = roster.get_by_role("button", name=re.compile("P-901.*A guest")).first
    await keep(page, "settings-crews")
    await shift.click()
    await expect(dialog).to_contain_text("driver")
    await dialog.get_by_role("button", name="End").click()
    await done(dialog)
    await expect(unit).to_contain_text("nobody")


async def test_alarms_at_fences_are_said_in_minutes_and_knots(screens: Screens) -> None:
    page = await enter(screens, "bpd.dispatch", "fences")
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Add an alarm").click()
    await dialog.get_by_label("Fence").select_option("Belize City centre")
    await dialog.get_by_label("stays too long").check()
    await dialog.get_by_label("Minutes").fill("30")
    await dialog.get_by_label("One unit").check()
    await dialog.get_by_label("Unit", exact=True).fill("no such")
    await dialog.get_by_role("button", name="Add an alarm").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Choose a unit of the list.")
    await expect(dialog.get_by_label("Minutes")).to_have_value("30")
    await dialog.get_by_label("Unit", exact=True).fill("BCG/B-901")
    await dialog.get_by_role("button", name="Add an alarm").click()
    await done(dialog)
    stay = row(page, "stays longer than 30 min")
    await expect(stay).to_contain_text("B-901")
    await page.get_by_role("button", name="Add an alarm").click()
    await dialog.get_by_label("Fence").select_option("Belize City centre")
    await dialog.get_by_label("is too fast inside").check()
    await dialog.get_by_label("Faster than").fill("10")
    await dialog.get_by_label("Unit of speed").select_option("knots")
    await dialog.get_by_label("Of one kind").check()
    await dialog.get_by_role("combobox", name="Kind", exact=True).select_option("Boat")
    await keep(page, "settings-fence")
    await dialog.get_by_role("button", name="Add an alarm").click()
    await done(dialog)
    await expect(row(page, "is faster than 18.5 km/h (10 kn)")).to_contain_text("Boat")
    await keep(page, "settings-fences")
    await stay.get_by_role("button", name="End").click()
    await dialog.get_by_role("button", name="End").click()
    await expect(stay).to_have_count(0)


async def test_a_pier_and_a_hazard_there_are_added_changed_and_taken_back(
    screens: Screens,
) -> None:
    page = await enter(screens, "bpd.admin", "places")
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Add a place").click()
    await dialog.get_by_label("Name").fill("Town pier")
    await dialog.get_by_label("Kind").select_option("Pier")
    await dialog.get_by_label("Also called").fill("Muelle")
    await page.keyboard.press("Enter")
    await find(dialog, "17°54.930'N 87°57.792'W", "17°")
    await keep(page, "settings-place")
    await dialog.get_by_role("button", name="Add a place").click()
    await done(dialog)
    pier = row(page, "Town pier")
    await expect(pier).to_contain_text("Muelle")
    await expect(pier.get_by_role("cell", name="Belize", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Add a place").click()
    await dialog.get_by_label("Name").fill("Town pier")
    await dialog.get_by_label("Kind").select_option("Pier")
    await find(dialog, "17°54.930'N 87°57.792'W", "17°")
    await dialog.get_by_role("button", name="Add a place").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Town pier is there already")
    await expect(dialog.get_by_label("Name")).to_have_value("Town pier")
    # Far from Belize it is taken only when that is said.
    await dialog.get_by_label("Name").fill("Far pier")
    await find(dialog, "40.7, -74.0", "40°")
    await dialog.get_by_role("button", name="Add a place").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_label("It is meant to be there").check()
    await dialog.get_by_role("button", name="Add a place").click()
    await done(dialog)
    await row(page, "Far pier").get_by_role("button", name="Retire").click()
    await dialog.get_by_role("button", name="Retire").click()
    await expect(row(page, "Far pier")).to_contain_text("Out of use")

    await page.get_by_role("button", name="Add a note").click()
    text = dialog.get_by_role("textbox", name="What is to be known")
    await text.fill("Loose planks")
    await find(dialog, "Town pier", "Town pier")
    await dialog.get_by_label("Radius in metres").fill("150")
    await dialog.get_by_label("Ends").fill("2020-01-01T00:00")
    await dialog.get_by_role("button", name="Add a note").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("That end is past.")
    await expect(dialog.get_by_role("textbox", name="What is to be known")).to_have_value(
        "Loose planks"
    )
    await dialog.get_by_label("Ends").fill("")
    await keep(page, "settings-note")
    await dialog.get_by_role("button", name="Add a note").click()
    await done(dialog)
    note = row(page, "Loose planks")
    await expect(note).to_contain_text("Town pier · 150 m")
    await note.get_by_role("button", name="Change…").click()
    await text.fill("Planks are mended")
    await dialog.get_by_role("button", name="Save").click()
    await done(dialog)
    note = row(page, "Planks are mended")
    await keep(page, "settings-places")
    await note.get_by_role("button", name="End").click()
    await dialog.get_by_role("button", name="End").click()
    await expect(note).to_have_count(0)


async def test_who_may_only_read_is_offered_nothing_to_change(screens: Screens) -> None:
    page = await enter(screens, "nemo.warning", "kinds")
    links = page.get_by_role("list", name="For dispatch").get_by_role("link")
    await expect(links).to_have_text(TABS)
    for tab in ("Kinds of incidents", "Stations", "Crews", "Places"):
        await links.filter(has_text=tab).click()
        await expect(page.get_by_role("heading", name=tab, exact=True)).to_be_visible()
        await expect(page.get_by_text("Loading…")).to_have_count(0)
        await expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    page = await enter(screens, "bpd.auditor", "kinds")
    await expect(page.get_by_role("link", name="Audit")).to_be_visible()
    await expect(page.get_by_role("list", name="For dispatch")).to_have_count(0)


async def violations(page: Page) -> list[str]:
    await page.add_script_tag(path=AXE)
    found = await page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map("
        "({id, impact, nodes}) => [impact, id, nodes.map((n) => n.target.join(' ')).join(', ')])"
    )
    return [f"{impact} {rule}: {where}" for impact, rule, where in found]


WORK = """
insert into shift (unit_id, starts_at, ends_at, crew, author)
    select u.id, date_trunc('day', now()) + (6 + 24 * day + 12 * half) * interval '1 hour',
           date_trunc('day', now()) + (18 + 24 * day + 12 * half) * interval '1 hour',
           case when half = 0 then '[{"name": "Ana Cal"}, {"name": "Ben Tzul"}]'
                else '[{"name": "Eve Castellanos-Montgomery"}]' end::jsonb, 'test'
      from unit u, generate_series(-1, 7) as day, generate_series(0, 1) as half
     where u.callsign in ('P-901', 'P-902') and (day + half + u.id) % 3 > 0;
insert into fence_rule (agency_id, fence_id, what, unit_kind, threshold, author)
    select a.id, f.id, 'speed', 'boat', 514, 'test' from agency a, fence f
     where a.code = 'BPD' and f.name = 'Hol Chan';
insert into fence_rule (agency_id, fence_id, what, author)
    select a.id, f.id, 'out', 'test' from agency a, fence f
     where a.code = 'BPD' and f.name = 'Belmopan';
insert into place (agency_id, name, kind, point, other_names, district, source)
    select id, 'Town pier', 'pier', ST_SetSRID(ST_MakePoint(-87.9632, 17.9155), 4326),
           '{Muelle,Old pier}', 'BZ-BZ', 'test' from agency where code = 'BPD';
insert into place_note (agency_id, place_id, point, radius_m, kind, text, author)
    select agency_id, id, point, 1500, 'hazard', 'Loose planks at the end of the pier', 'test'
      from place where name = 'Town pier';
"""
SIZES = {"wide": (1920, 1080), "narrow": (1280, 800)}
FORMS = {
    "kinds": "Add a kind",
    "stations": "Add a station",
    "crews": "Plan a shift",
    "fences": "Add an alarm",
    "places": "Add a note",
}


@pytest.fixture
async def worked(database: str, screens: Screens) -> None:
    """What agencies of the demonstration have, and a week of shifts."""
    connection = await asyncpg.connect(database)
    try:
        await seed_work(connection)
        await connection.execute(WORK)
    finally:
        await connection.close()
    await screens.server.kill()
    await screens.server.start()


async def fits(page: Page) -> list[str]:
    """What is wider than its place, of all that should not be."""
    found: list[str] = await page.evaluate(
        "() => [...document.querySelectorAll('main, .sheet, dialog .body')]"
        ".filter((node) => node.scrollWidth > node.clientWidth + 1).map((n) => n.className)"
    )
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_the_pages_and_their_forms_are_for_everyone(
    screens: Screens, worked: None, light: bool, size: str
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    page = await enter(screens, "bpd.supervisor", "kinds", light=light)
    width, height = SIZES[size]
    await page.set_viewport_size({"width": width, "height": height})
    name = f"{size}-{'day' if light else 'night'}"
    for tab, (link, form) in zip(TABS, FORMS.items(), strict=True):
        await page.get_by_role("navigation").get_by_role("link", name=tab).click()
        await expect(page.get_by_role("heading", name=tab, exact=True)).to_be_visible()
        await expect(page.locator("main table").first).to_be_visible()
        await keep(page, f"settings-{link}-{name}")
        assert (await violations(page), await fits(page)) == ([], []), tab
        await page.get_by_role("button", name=form).click()
        dialog = page.get_by_role("dialog")
        if tab == "Kinds of incidents":
            await dialog.get_by_role("button", name="Add a line").click()
            await dialog.get_by_role("button", name="Add a need").click()
        await keep(page, f"settings-{link}-form-{name}")
        assert (await violations(page), await fits(page)) == ([], []), form
        await page.keyboard.press("Escape")
        await done(dialog)


async def test_every_page_of_administration_has_room_for_spanish(
    screens: Screens, worked: None
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    page = await enter(screens, "bpd.admin", "people", spanish=True)
    links = page.get_by_role("navigation").get_by_role("link")
    await expect(links.first).to_have_text("Personas")
    for index in range(await links.count()):
        await links.nth(index).click()
        await expect(page.locator("main").locator("table, .empty").first).to_be_visible()
        await expect(page.get_by_text("Cargando…")).to_have_count(0)
        await keep(page, f"settings-spanish-admin-{index}")
        assert (await violations(page), await fits(page)) == ([], []), index


async def test_administration_speaks_spanish(screens: Screens, worked: None) -> None:
    page = await enter(screens, "bpd.supervisor", "kinds", spanish=True)
    links = page.get_by_role("list", name="Para el despacho").get_by_role("link")
    await expect(links).to_have_count(len(TABS))
    robbery = row(page, "Robo a mano armada")
    await expect(robbery).to_contain_text("2 × Patrulla, armed")
    await expect(robbery).to_contain_text("en el lugar 60 min")
    await keep(page, "settings-spanish-kinds")
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Agregar un tipo").click()
    await dialog.get_by_label("Nombre en inglés").fill("Robbery")
    await dialog.get_by_label("Código").fill("robbery")
    await dialog.get_by_role("button", name="Agregar un tipo").click()
    # Why something is refused, the server says in English.
    await expect(dialog.get_by_role("alert")).to_contain_text("There is a type of incident")
    await page.keyboard.press("Escape")
    for index in range(len(TABS)):
        await links.nth(index).click()
        await expect(page.locator("main table").first).to_be_visible()
        assert (await violations(page), await fits(page)) == ([], []), index
        await keep(page, f"settings-spanish-{index}")
    assert await page.title() == "Lugares · Administración"
    await page.get_by_role("button", name="EN: English").click()
    await expect(page.get_by_role("heading", name="Places", exact=True)).to_be_visible()
