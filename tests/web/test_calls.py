"""Calls and the command line as dispatchers use them: real browsers, server, database."""

from __future__ import annotations

import asyncio
import contextlib
import re

import pytest
from accessible import AXE, violations
from playwright.async_api import Error, Page, Route, expect
from screens import Screens, enter, keep, rows, said

pytestmark = pytest.mark.browser

BRIDGE = "17.4995, -88.1976"


async def with_types(database: str) -> None:
    """The police have two kinds of incidents."""
    async with rows(database) as connection:
        await connection.execute(
            "insert into incident_type (agency_id, code, name, name_es, priority)"
            " select id, v.code, v.name, v.es, v.priority from agency,"
            " (values ('rta', 'Traffic accident', 'Accidente de tránsito', 2),"
            " ('theft', 'Theft', 'Robo', 4)) v(code, name, es, priority) where agency.code = 'BPD'"
        )


async def take_call(page: Page, place: str, notes: str = "") -> None:
    """A new call, by keyboard alone: the place is first."""
    await expect(page.get_by_role("tab", name="Calls")).to_be_visible()
    await page.keyboard.press("F2")
    await expect(page.get_by_role("combobox", name="Place")).to_be_focused()
    await page.keyboard.type(place)
    if notes:
        await page.get_by_role("textbox", name="Notes").focus()
        await page.keyboard.insert_text(notes)


async def kept(page: Page) -> None:
    await expect(page.locator(".keeping")).to_have_text("Kept")


async def test_a_crash_in_the_middle_of_a_call_loses_no_keystroke(
    screens: Screens, database: str
) -> None:
    page = await screens.sign_in("bpd.dispatch")
    await take_call(page, "Queen Street, Orange Walk", "white Toyota, went north")
    # A dying page answers nothing any more.
    with contextlib.suppress(Error):
        await page.goto("chrome://crash")
    await page.close()

    back = await page.context.new_page()
    await back.goto(screens.server.url.replace("127.0.0.1", "localhost"))
    await screens.sign_in("bpd.dispatch", back)
    notes = back.get_by_role("textbox", name="Notes")
    await expect(notes).to_have_value("white Toyota, went north")
    place = back.get_by_role("combobox", name="Place")
    await expect(place).to_have_value("Queen Street, Orange Walk")
    await kept(back)
    await notes.press_sequentially(" on the old road")
    await kept(back)
    await keep(back, "call-after-crash")

    # The whole browser is gone, and another computer is used: the server has it all.
    await back.context.close()
    other = await screens.sign_in("bpd.dispatch")
    await expect(other.get_by_role("textbox", name="Notes")).to_have_value(
        "white Toyota, went north on the old road"
    )
    async with rows(database) as connection:
        assert await connection.fetchval("select count(*) from call") == 1


async def test_the_second_caller_is_offered_the_same_incident(
    screens: Screens, database: str
) -> None:
    await with_types(database)
    page = await screens.sign_in("bpd.dispatch")
    await take_call(page, BRIDGE, "two cars, one man hurt")
    await expect(page.locator(".point")).to_contain_text("17° 29.970′ N 88° 11.856′ W")
    await page.get_by_role("combobox", name="Type").select_option("Traffic accident")
    await expect(page.get_by_label("Title")).to_have_value(f"Traffic accident, {BRIDGE}")
    await expect(page.get_by_label("Priority")).to_have_value("2")
    await kept(page)
    await page.get_by_label("Title").fill("Accident on the bridge")
    await page.keyboard.press("F9")
    # Whom to send is next: the incident is in front, without another touch.
    opened = page.get_by_role("article")
    await expect(opened).to_contain_text("Accident on the bridge")
    await expect(page.get_by_role("tab", name="Incident", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )

    await take_call(page, "17.5001 N 88.1980 W")
    alike = page.get_by_role("region", name="Perhaps the same")
    await expect(alike).to_contain_text("Accident on the bridge")
    await expect(alike).to_contain_text("m away")
    await keep(page, "call-duplicates")
    await page.keyboard.press("F8")
    await expect(opened).to_contain_text("Accident on the bridge")

    await take_call(page, "nowhere")
    await page.get_by_role("button", name="Close call").click()
    await expect(page.get_by_role("form").get_by_role("alert")).to_contain_text("Say why")
    await page.get_by_label("Reason to close it").fill("children playing")
    await page.keyboard.press("Enter")
    await expect(page.locator(".said")).to_contain_text("was closed")
    async with rows(database) as connection:
        states = await connection.fetch("select state, outcome from call order by id")
    assert [tuple(row) for row in states] == [
        ("incident", None),
        ("joined", None),
        ("closed", "children playing"),
    ]


async def test_hazards_are_shown_wherever_their_place_is_used(
    screens: Screens, database: str
) -> None:
    await with_types(database)
    async with rows(database) as connection:
        await connection.execute(
            "insert into place_note (agency_id, point, radius_m, kind, text, author)"
            " select id, st_setsrid(st_makepoint(-88.1976, 17.4995), 4326), 200, v.kind, v.text,"
            " 'person:1' from agency, (values ('premise', 'Keys are with the watchman'),"
            " ('hazard', 'Propane tanks behind the store')) v(kind, text) where code = 'BPD'"
        )
    page = await screens.sign_in("bpd.dispatch")
    await take_call(page, BRIDGE)
    known = page.get_by_role("form").get_by_role("status", name="Known of this place")
    await expect(known.get_by_role("listitem")).to_contain_text(
        ["Hazard: Propane tanks behind the store", "Premises: Keys are with the watchman"]
    )
    await keep(page, "call-hazard")
    await page.get_by_label("Title").fill("Fire in the store")
    await page.keyboard.press("F9")
    panel = page.get_by_role("article")
    known = panel.get_by_role("status", name="Known of this place")
    await expect(known).to_contain_text("Propane tanks")
    await keep(page, "incident-hazard")

    # Elsewhere nothing is known; what could not be read is not taken for nothing.
    await take_call(page, "17.6 N 88.3 W")
    await expect(page.get_by_role("form")).to_contain_text(" of ")
    await expect(page.get_by_role("form")).not_to_contain_text("Propane")
    await page.route("**/api/places/at*", lambda route: route.abort())
    await page.get_by_role("combobox", name="Place").fill(BRIDGE)
    await expect(page.get_by_role("form")).to_contain_text("could not be read")


async def test_a_reported_call_waits_and_is_picked_up_and_taken_over(screens: Screens) -> None:
    form = await screens.open()
    await form.set_viewport_size({"width": 390, "height": 844})
    await form.goto(form.url + "call")
    await form.get_by_label("Name").fill("bpd.supervisor")
    await form.locator("[name=password]").fill(screens.passwords["bpd.supervisor"])
    await form.keyboard.press("Enter")
    await form.get_by_label("What happened").fill("Boat on fire at the fort")
    place = form.get_by_role("combobox", name="Place")
    await place.fill("88.18 17.49")  # east, and in the other order: it lies elsewhere
    await place.press_sequentially(" ")
    meant = form.get_by_role("option").first
    await expect(meant).to_be_visible()
    point = form.get_by_role("button", name="Remove the point")
    await expect(point).to_have_count(0)
    await keep(form, "answering-elsewhere")
    await meant.click()
    await expect(point).to_be_visible()
    await place.fill("17.49 -88.18")
    await form.reload()
    await expect(form.get_by_label("What happened")).to_have_value("Boat on fire at the fort")
    await keep(form, "answering")
    await form.get_by_role("button", name="Send to the dispatchers").click()
    await expect(form.get_by_role("status").filter(has_text="Sent")).to_be_visible()

    dispatcher = await screens.sign_in("bpd.dispatch")
    await dispatcher.get_by_role("tab", name="Calls").click()
    await expect(dispatcher.get_by_text("Boat on fire at the fort")).to_be_visible()
    await keep(dispatcher, "calls-waiting")
    await dispatcher.get_by_role("button", name="Pick up").click()
    notes = dispatcher.get_by_role("textbox", name="Notes")
    await expect(notes).to_have_value("Boat on fire at the fort")
    await notes.press_sequentially("!")
    await kept(dispatcher)

    supervisor = await screens.sign_in("bpd.supervisor", light=True)
    await supervisor.get_by_role("tab", name="Calls").click()
    await supervisor.get_by_role("button", name="Take over").click()
    question = supervisor.get_by_role("dialog")
    await expect(question).to_contain_text("from BPD Dispatcher")
    await question.get_by_role("button", name="Take over").click()
    await expect(supervisor.get_by_role("textbox", name="Notes")).to_have_value(
        "Boat on fire at the fort!"
    )
    await expect(dispatcher.get_by_role("form").get_by_role("alert")).to_contain_text(
        "BPD Supervisor has this call now"
    )
    await supervisor.get_by_role("button", name="Give back").click()
    await expect(supervisor.locator(".said")).to_contain_text("waits again")


async def test_the_command_line_says_what_it_will_do_and_does_it(screens: Screens) -> None:
    page = await screens.sign_in("bpd.dispatch")
    await expect(page.get_by_role("option", name="P-901")).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("i Hit and run")
    await expect(said(page)).to_contain_text("Open a new incident: “Hit and run”")
    await page.keyboard.press("Enter")
    await expect(said(page)).to_contain_text("is open.")

    await page.keyboard.type("a P-90")
    await expect(page.get_by_role("listbox", name="Completions")).to_contain_text("P-902")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type("P-901 1 look for a white Toyota")
    await expect(said(page)).to_contain_text("Send P-902 and P-901 to BPD-")
    await keep(page, "command-line")
    await page.keyboard.press("Enter")
    await expect(said(page)).to_contain_text("Done.")

    await page.keyboard.type("s P-901 er")
    await expect(said(page)).to_contain_text("P-901 is en route.")
    await page.keyboard.press("Enter")
    await expect(said(page)).to_contain_text("Done.")
    # What the server refuses is told, and is there again to be put right.
    await page.keyboard.type("s P-901 ack")
    await page.keyboard.press("Enter")
    await expect(said(page)).to_contain_text("cannot become acknowledged")
    line = page.get_by_role("combobox", name="Command line")
    await expect(line).to_have_value("s P-901 ack")
    await line.fill("")
    await page.keyboard.type("s B-901 clear")
    await page.keyboard.press("Enter")
    await expect(said(page)).to_contain_text("only its own agency")
    await line.fill("")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await expect(line).to_have_value("s P-901 er")

    await line.fill("")
    for typed in ("n 1 driver is on foot", "w P-902 15m", "r 10m call the hospital"):
        await page.keyboard.type(typed)
        await page.keyboard.press("Enter")
        await expect(said(page)).to_contain_text("Done.")
    await page.keyboard.type("f B-901")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("complementary")).to_contain_text("B-901")
    await enter(page, "?")
    await expect(page.get_by_role("dialog")).to_contain_text("Send units to an incident")
    await keep(page, "command-help")


async def test_a_question_to_the_command_line_is_answered_in_the_panel(screens: Screens) -> None:
    """DOM-ASG-12; yes holds for the units that were asked about."""
    page = await screens.sign_in("bpd.dispatch")
    await expect(page.get_by_role("option", name="P-901")).to_be_visible()
    await enter(page, "i Man down")
    await expect(said(page)).to_contain_text("is open.")
    await enter(page, "e P-901")
    await expect(page.get_by_role("region", name="Emergency of P-901")).to_be_visible()
    await enter(page, "a P-901 P-902 1 with lights")
    panel = page.get_by_role("article", name="Incident")
    told = panel.get_by_role("alert")
    await expect(told).to_contain_text("P-901: the red button was pressed")
    await expect(told).to_contain_text("Send all the same?")
    await expect(page.get_by_role("combobox", name="Command line")).to_have_value("")
    for callsign in ("P-901", "P-902"):
        await expect(panel.get_by_role("checkbox", name=callsign)).to_be_checked()
    await expect(panel.get_by_role("textbox", name="Order")).to_have_value("with lights")
    await expect(told.get_by_role("button", name="Yes, send")).to_be_in_viewport(ratio=1)
    await keep(page, "command-question")
    # Of other units nothing was asked, and of the same ones it is asked again.
    await panel.get_by_role("checkbox", name="P-902").uncheck()
    await expect(told).to_have_count(0)
    await panel.get_by_role("button", name="Send 1 unit").click()
    await expect(told).to_contain_text("P-901: the red button was pressed")
    await told.get_by_role("button", name="Yes, send").click()
    await expect(panel.get_by_role("log")).to_contain_text("P-901 is sent")


async def test_a_report_from_abroad_is_told_so_and_sent(screens: Screens, database: str) -> None:
    """DOM-PLACE-2, DOM-CALL-6: where the phone is, which nobody chose."""
    form = await screens.open()
    await form.set_viewport_size({"width": 390, "height": 844})
    await form.goto(form.url + "call")
    await form.get_by_label("Name").fill("bpd.supervisor")
    await form.locator("[name=password]").fill(screens.passwords["bpd.supervisor"])
    await form.keyboard.press("Enter")
    await form.context.grant_permissions(["geolocation"])
    await form.context.set_geolocation({"latitude": 20.4, "longitude": -86.9})
    await form.get_by_label("What happened").fill("Ship aground, heard by telephone")
    await expect(form.locator(".outside")).to_be_hidden()
    await form.get_by_role("button", name="I am at the place").click()
    outside = form.get_by_role("status").filter(has_text="This point is outside Belize")
    await expect(outside).to_be_visible()
    await keep(form, "answering-abroad")
    await form.get_by_role("button", name="Send to the dispatchers").click()
    await expect(form.get_by_role("status").filter(has_text="Sent")).to_be_visible()
    async with rows(database) as connection:
        assert await connection.fetchval("select st_y(point) from call") == pytest.approx(20.4)


async def test_the_whole_console_speaks_spanish(screens: Screens, database: str) -> None:
    await with_types(database)
    page = await screens.open()
    await page.get_by_role("button", name="Español").click()
    await expect(page.get_by_role("button", name="Iniciar sesión")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "es")
    await keep(page, "es-sign-in")
    await page.get_by_label("Nombre").fill("bpd.dispatch")
    await page.locator("[name=password]").fill(screens.passwords["bpd.dispatch"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("option", name="P-901")).to_be_visible()
    await page.keyboard.press("F2")
    await page.keyboard.type("Mercado")
    await page.get_by_role("combobox", name="Tipo").select_option("Robo")
    await expect(page.get_by_label("Título")).to_have_value("Robo, Mercado")
    await expect(page.locator(".keeping")).to_have_text("Guardado")
    await keep(page, "es-call")
    await page.keyboard.press("F9")
    await expect(page.get_by_role("article")).to_contain_text("Robo, Mercado")
    await enter(page, "as P-901 1")
    await expect(said(page)).to_contain_text("Enviar P-901 a BPD-")
    await expect(said(page)).to_contain_text("Hecho.")
    await enter(page, "es P-901 confirmado")
    await expect(said(page)).to_contain_text("Hecho.")
    await keep(page, "es-console")
    # What one is at stays in the other language, and it is remembered.
    await page.get_by_role("tab", name="Actividad").click()
    await page.get_by_role("button", name="English").click()
    activity = page.get_by_role("tab", name="Activity")
    await expect(activity).to_have_attribute("aria-selected", "true")
    await page.reload()
    await expect(page.get_by_role("tab", name="Messages")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_calls_and_commands_are_for_everyone(
    screens: Screens, database: str, light: bool
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    await with_types(database)
    page = await screens.open(light=light, bypass_csp=True)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await screens.sign_in("bpd.dispatch", page)
    await enter(page, "i Accident on the bridge")
    await take_call(page, BRIDGE, "x" * 8001 if light else "two cars")
    await page.get_by_role("combobox", name="Type").select_option("Traffic accident")
    await keep(page, f"call-{'day' if light else 'night'}")
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press(";")
    await page.keyboard.type("a P-90")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("listbox", name="Completions")).to_be_visible()
    await keep(page, f"completions-{'day' if light else 'night'}")
    assert await violations(page) == []
    await page.get_by_role("button", name=re.compile("^Waiting(?!:)")).click()
    assert await violations(page) == []
    await page.goto(page.url + "call")
    await expect(page.get_by_label("What happened")).to_be_visible()
    assert await violations(page) == []


async def test_a_report_whose_answer_was_lost_goes_once_and_an_addition_as_another(
    screens: Screens,
) -> None:
    form = await screens.open()
    await form.set_viewport_size({"width": 390, "height": 844})
    await form.goto(form.url + "call")
    await form.get_by_label("Name").fill("bpd.supervisor")
    await form.locator("[name=password]").fill(screens.passwords["bpd.supervisor"])
    await form.keyboard.press("Enter")
    happened = form.get_by_label("What happened")
    lost = True

    async def answer(route: Route) -> None:
        response = await route.fetch()
        await (route.abort() if lost else route.fulfill(response=response))

    await form.route("**/api/do/call.receive*", answer)
    await happened.fill("Boat on fire")
    send = form.get_by_role("button", name="Send to the dispatchers")
    await send.click()
    await expect(form.get_by_role("status").filter(has_text="no answer yet")).to_be_visible()
    await happened.press_sequentially(", two aboard")
    await keep(form, "answering-unanswered")
    await form.reload()
    await expect(happened).to_have_value("Boat on fire, two aboard")
    await send.click()
    lost = False
    sent = form.get_by_role("status").filter(has_text="A dispatcher sees it now")
    await expect(sent).to_be_visible()

    # What is typed while it is under way stays.
    await form.get_by_role("button", name="Report another").click()
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(route: Route) -> None:
        response = await route.fetch()
        under_way.set()
        await go_on.wait()
        await route.fulfill(response=response)

    await form.route("**/api/do/call.receive*", slowly)
    await happened.fill("Tree down")
    await send.click()
    await under_way.wait()
    await happened.press_sequentially(" on the road")
    go_on.set()
    await expect(form.get_by_role("status").filter(has_text="still here")).to_be_visible()
    await keep(form, "answering-onward")
    await expect(happened).to_have_value("Tree down on the road")

    dispatcher = await screens.sign_in("bpd.dispatch")
    await dispatcher.get_by_role("tab", name="Calls").click()
    for notes in ("Boat on fire", "Boat on fire, two aboard", "Tree down"):
        await expect(dispatcher.get_by_text(notes, exact=True)).to_have_count(1)
