"""The crew's tablet in a real browser: orders, dead spots, the red button, the end of it."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from accessible import AXE, violations
from click.testing import CliRunner
from playwright.async_api import expect
from screens import WEB, Screens, keep, showing
from stage import message, texts, until
from tablets import (
    HERE,
    Tablet,
    control_room,
    eventually,
    new_unit,
    order,
    read_by,
    rows,
)

from psn.__main__ import main

pytestmark = pytest.mark.browser

PICTURE = WEB / "public" / "icon-512.png"
SMALL = """
    [...document.querySelectorAll('button, a, select, textarea, label.button, input:not(.hidden)')]
        .filter((e) => !e.closest('.maplibregl-map') && e.getBoundingClientRect().height < 56)
        .map((e) => e.textContent || e.tagName)
"""
THERE = (17.5, 17.501, 17.502)
KEPT = """
    (lat) => new Promise((resolve) => {
        const open = indexedDB.open('psn-field');
        open.onsuccess = () => {
            const read = open.result.transaction('fixes').objectStore('fixes').getAll();
            read.onsuccess = () => {
                open.result.close();
                resolve(read.result.some((fix) => fix[3] === lat));
            };
        };
    })
"""
"""Whether the tablet keeps a position of that latitude."""
TIMES = "select acknowledged_at, en_route_at, on_scene_at, outcome from assignment where id = $1"


async def test_from_the_code_to_all_clear(tablet: Tablet, screens: Screens, database: str) -> None:
    unit, code = await new_unit(database)
    page = tablet.page
    await keep(page, "field-enrol")
    for wrong, told in (("K7MP", "twelve letters"), ("K7MP-3XWD-H9TQ", "code")):
        await page.get_by_label("One-time code").fill(wrong)
        await page.get_by_role("button", name="Enrol").click()
        await expect(page.get_by_role("alert")).to_contain_text(told)
    await tablet.enrol(code)
    await expect(page.get_by_text("No order")).to_be_visible()
    await keep(page, "field-duty-free")
    room = await control_room(screens)
    _, assignment = await order(room, unit)
    await expect(page.get_by_role("heading", name="Boat on fire")).to_be_visible()
    await expect(tablet.status).to_have_text("Ordered")
    await expect(page.get_by_role("button", name="Silence")).to_be_visible()
    await expect(page.locator(".course")).to_contain_text("3.6 km")
    await keep(page, "field-order")
    for said, status in (
        ("Acknowledge", "Acknowledged"),
        ("En route", "En route"),
        ("On scene", "On scene"),
        ("Clear", "Available"),
    ):
        await tablet.tap(said)
        await expect(tablet.status).to_have_text(status)
        await expect(page.get_by_text("not sent yet")).to_have_count(0)
    [row] = await rows(database, TIMES, assignment)
    moments = [row["acknowledged_at"], row["en_route_at"], row["on_scene_at"]]
    assert moments == sorted(moments) and row["outcome"] == "cleared"
    # The clock of this tablet is a day behind, and its times are right all the same.
    assert abs(moments[0].timestamp() - time.time()) < 60
    await room.leave()


async def test_a_crew_declines(tablet: Tablet, screens: Screens, database: str) -> None:
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    _, assignment = await order(room, unit)
    await tablet.tap("Decline")
    await keep(tablet.page, "field-decline")
    await tablet.tap("Too far away")
    await expect(tablet.page.get_by_text("No order")).to_be_visible()
    await room.sees(f"assignment:{assignment}", outcome="declined")
    await room.leave()


async def test_a_dead_spot_of_a_whole_order(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    """Statuses, a note, a form, a photo, positions: kept, also over a restart, and sent once."""
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    incident, assignment = await order(room, unit)
    await expect(tablet.status).to_have_text("Ordered")
    await tablet.cut_off()
    began = time.time()
    await tablet.tap("Acknowledge")
    await tablet.tap("En route")
    await tablet.tap("On scene")
    await expect(tablet.status).to_have_text("On scene")
    page = tablet.page
    await tablet.go("Forms")
    await tablet.tap("Incident note")
    await page.get_by_label("What happened").fill("Door forced. ¡Cuidado! ☂")
    await tablet.tap("Send")
    await tablet.tap("Use of boat")
    await page.get_by_label("Skipper").fill("J. Cal")
    await tablet.go("Messages")
    await tablet.go("Forms")
    await page.set_input_files("input[type=file]", PICTURE)
    await expect(page.get_by_role("listitem").filter(has_text="Photo")).to_be_visible()
    for latitude in THERE:
        await tablet.context.set_geolocation({**HERE, "latitude": latitude})
        at = round(latitude * 1e7)
        await eventually(lambda at=at: page.evaluate(KEPT, at))
    await tablet.go("More")
    await expect(page.get_by_role("listitem").filter(has_text="Status: On scene")).to_be_visible()
    await keep(page, "field-waiting")
    await tablet.close()

    page = await tablet.open(offline=True)
    await expect(tablet.status).to_have_text("On scene")
    await expect(page.get_by_role("heading", name="Boat on fire")).to_be_visible()
    await tablet.go("Forms")
    await expect(page.get_by_role("listitem").filter(has_text="Photo")).to_be_visible()
    await tablet.tap("Use of boat")
    await expect(page.get_by_label("Skipper")).to_have_value("J. Cal")
    await tablet.tap("Send")
    await tablet.go("Map")
    await expect(page.locator("canvas")).to_be_visible()
    await tablet.go("Duty")
    await tablet.tap("Clear")
    ended = time.time()
    assert (await rows(database, TIMES, assignment))[0]["acknowledged_at"] is None

    await tablet.context.set_offline(False)
    await tablet.connected()
    await room.sees(f"assignment:{assignment}", outcome="cleared")
    await tablet.go("More")
    await expect(page.get_by_text("Status:")).to_have_count(0)
    [row] = await rows(database, TIMES, assignment)
    moments = [row[name].timestamp() for name in ("acknowledged_at", "en_route_at", "on_scene_at")]
    assert moments == sorted(moments)
    assert began - 2 < moments[0] and moments[-1] < ended
    log = await rows(
        database,
        "select kind, details::text from incident_event where incident_id = $1 order by seq",
        incident,
    )
    notes = [json.loads(each["details"]) for each in log if each["kind"] == "note"]
    assert [note["text"] for note in notes] == [
        "Door forced. ¡Cuidado! ☂",
        "Use of boat\nSkipper: J. Cal",
    ]
    assert all(began - 2 < note["said"] / 1_000 < ended for note in notes)
    said = [json.loads(each["details"])["status"] for each in log if each["kind"] == "unit_status"]
    assert said == ["acknowledged", "en_route", "on_scene"]

    await expect(page.get_by_text("Everything has been sent.")).to_be_visible()
    found = await rows(
        database, "select at, st_y(place) as lat from track where unit_id = $1 order by at", unit
    )
    there = [row for row in found if began < row["at"].timestamp() < ended]
    assert set(THERE) <= {round(row["lat"], 4) for row in there}
    photos = await rows(database, "select author, kind, about, state from attachment")
    assert [photo["state"] in ("checking", "ready") for photo in photos] == [True]
    assert (photos[0]["author"], photos[0]["about"]) == (f"unit:{unit}", f"incident:{incident}")
    await room.leave()


async def test_the_red_button_in_a_dead_spot(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    await tablet.cut_off()
    page = tablet.page
    await tablet.go("Duty")
    await tablet.tap("Busy")
    button = page.get_by_role("button", name="Hold for emergency")
    await button.click()  # touched by mistake
    await page.wait_for_timeout(2_500)
    await button.hover()
    await page.mouse.down()
    countdown = page.get_by_role("alertdialog")
    await expect(countdown).to_be_visible()
    await page.mouse.up()
    await keep(page, "field-countdown")
    await countdown.get_by_role("button", name="Cancel").click()
    await page.wait_for_timeout(2_000)
    for _ in range(3):
        await button.click()
    await countdown.get_by_role("button", name="Send now").click()
    await expect(page.get_by_role("alert")).to_contain_text("NOT SENT YET")
    await keep(page, "field-not-sent")
    await tablet.close()

    page = await tablet.open(offline=True)
    await expect(page.get_by_role("alert")).to_contain_text("NOT SENT YET")
    await tablet.context.set_offline(False)
    await expect(page.get_by_role("alert")).to_contain_text("Nobody has taken it")
    emergencies = [item for item in room.board.values() if item["is"] == "emergency"]
    assert [(each["unit"], each["source"]) for each in emergencies] == [(unit, "tablet")]
    number = emergencies[0]["id"]
    place = await room.sees(f"emergency_place:{number}")
    assert place["lat"] == round(HERE["latitude"] * 1e7)
    assert abs(emergencies[0]["said"] / 1_000 - time.time()) < 120
    await room.do("emergency.own", emergency=number)
    await expect(page.get_by_role("alert")).to_contain_text("takes care of it")
    await keep(page, "field-emergency")
    await tablet.tap("I am safe")
    await room.do("emergency.end", emergency=number, outcome="a fall, unhurt")
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert [row["presses"] for row in await rows(database, "select presses from emergency")] == [1]
    [status] = await rows(database, "select status from unit_status where unit_id = $1", unit)
    assert status["status"] == "busy"
    await room.leave()


async def test_messages_and_a_welfare_check(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    page = tablet.page
    await room.peer.send(message(f"unit:{unit}", "Where are you?", priority="immediate"))
    await expect(page.get_by_role("button", name="Silence")).to_be_visible()
    await tablet.tap("Silence")
    await expect(page.get_by_role("button", name="Silence")).to_have_count(0)
    await tablet.go("Messages")
    await page.get_by_role("button", name="Where are you?").click()
    await page.wait_for_timeout(2_500)
    assert read_by(room, unit) == set()  # a screen that is on does not say that somebody looks
    await keep(page, "field-urgent")
    await tablet.tap("Read")
    await until(lambda: len(read_by(room, unit)) == 1, "its sender learns that it was read")
    await tablet.cut_off()
    await tablet.tap("On my way")
    await page.get_by_role("textbox", name="Message").fill("Ten minutes. And a draft")
    await keep(page, "field-messages")
    await tablet.close()
    page = await tablet.open(offline=True)
    await tablet.go("Messages")
    await page.get_by_role("button", name="On my way").click()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value(
        "Ten minutes. And a draft"
    )
    await expect(page.get_by_text("Where are you?")).to_be_visible()
    await tablet.context.set_offline(False)
    await until(lambda: "On my way" in texts(room.peer), "it arrives")
    check = (await room.do("welfare.start", unit=unit, every=60))["id"]
    await tablet.tap("I am well")
    await tablet.tap("Silence")
    await room.sees(f"welfare:{check}")
    assert texts(room.peer).count("On my way") == 1
    await room.leave()


async def test_a_lost_tablet_erases_itself(tablet: Tablet, screens: Screens, database: str) -> None:
    _, code = await new_unit(database)
    await tablet.enrol(code)
    await tablet.tap("Busy")
    device = (await rows(database, "select max(id) as id from device"))[0]["id"]
    done = await asyncio.to_thread(
        CliRunner(env={"PSN_DATABASE": database}).invoke, main, ["device", "wipe", str(device)]
    )
    assert done.exit_code == 0, done.output
    page = tablet.page
    await expect(page.get_by_role("heading", name="This tablet was erased.")).to_be_visible()
    left = await page.evaluate(
        "async () => [(await indexedDB.databases()).length, (await caches.keys()).length,"
        " localStorage.length, (await navigator.serviceWorker.getRegistrations()).length]"
    )
    assert left == [0, 0, 0, 0]

    async def told() -> bool:
        [row] = await rows(database, "select wiped_at from device where id = $1", device)
        return row["wiped_at"] is not None

    await eventually(told)
    await page.reload()
    await expect(page.get_by_label("One-time code")).to_be_visible()


@pytest.mark.parametrize("light", ["Day", "Night"])
async def test_every_page_of_it_is_for_everyone(
    screens: Screens, database: str, chromium: str, tmp_path: Path, light: str
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    tablet = Tablet(screens, chromium, tmp_path / "tablet")
    page = await tablet.open(lax=True, wide=light == "Night")
    unit, code = await new_unit(database)
    assert await violations(page) == []
    await tablet.enrol(code)
    room = await control_room(screens)
    await room.do("lookout.issue", subject="vehicle", title="White pick-up", plate="CY C-1234",
                  until=(int(time.time()) + 3_600) * 1_000)  # fmt: skip
    await order(room, unit)
    await expect(tablet.status).to_have_text("Ordered")
    await tablet.tap("Silence")
    await tablet.go("More")
    await tablet.tap(light)
    await tablet.tap("Left" if light == "Night" else "Right")
    for name in ("Duty", "Messages", "Map", "Forms", "More"):
        await tablet.go(name)
        if name == "Map":
            await expect(page.locator(".map[data-drawn]")).to_be_visible()
        await keep(page, f"field-{name.lower()}-{light.lower()}")
        assert await violations(page) == []
        small = await page.evaluate(SMALL)
        assert small == [], f"too small for a glove on {name}"
        width = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{name} is wider than the screen"
    await tablet.tap("Español")
    await expect(page.get_by_role("navigation")).to_contain_text("Servicio")
    await tablet.go("Servicio")
    await keep(page, f"field-spanish-{light.lower()}")
    await room.leave()
    await tablet.close()


async def test_over_plain_http_it_says_why_it_cannot_be_a_tablet(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> None:
    rule = "--host-resolver-rules=MAP tablet.test 127.0.0.1"
    async with showing(database, chromium, tmp_path, rule) as screens:
        page = await screens.browser.new_page()
        await page.goto(screens.server.url.replace("127.0.0.1", "tablet.test") + "/field")
        await expect(page.get_by_role("alert")).to_contain_text("HTTPS")


async def test_a_second_window_waits_for_the_first(tablet: Tablet, database: str) -> None:
    _, code = await new_unit(database)
    await tablet.enrol(code)
    second = await tablet.context.new_page()
    await second.goto(tablet.address)
    await expect(second.get_by_role("alert")).to_contain_text("another window")
    await tablet.page.close()
    await expect(second.get_by_text("Connected", exact=True)).to_be_visible()
