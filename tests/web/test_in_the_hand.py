"""The crew's tablet in the hand: what was read, what moves under a thumb, voice notes, man down."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect
from screens import Screens, keep
from stage import message, until
from tablets import Tablet, control_room, eventually, new_unit, order, read_by, rows

pytestmark = pytest.mark.browser

BEFORE_VOICE_NOTES = """
    if (location.pathname === '/field') {
        const open = indexedDB.open('psn-field', 1);
        open.onupgradeneeded = () => {
            for (const store of ['device', 'texts', 'fixes', 'files'])
                open.result.createObjectStore(store);
            open.transaction.objectStore('texts').put('{"light":"night"}', 'psn:tablet:settings');
        };
        open.onsuccess = () => open.result.close();
    }
"""
"""What an earlier version of the page kept."""
HIT = """
    () => new Promise((resolve) => {
        const hit = (button) => {
            const { left, top, width, height } = button.getBoundingClientRect();
            const what = document.elementFromPoint(left + width / 2, top + height / 2);
            return button.contains(what);
        };
        new MutationObserver((_, observer) => {
            const button = document.querySelector('button.order');
            if (!button) return;
            observer.disconnect();
            const hits = [];
            requestAnimationFrame(() => requestAnimationFrame(() => hits.push(hit(button))));
            setTimeout(() => hits.push(hit(button)), 300);
            setTimeout(() => resolve([...hits, hit(button)]), 1500);
        }).observe(document.body, { childList: true, subtree: true });
    })
"""
"""Whether a finger would hit the order's banner: as it comes, soon after, and later."""


async def test_only_what_was_on_the_screen_is_read(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    page = tablet.page
    letters = [message(f"unit:{unit}", f"Line {number}\n" + "…\n" * 8) for number in range(12)]
    for letter in letters:
        await room.peer.send(letter)
    await tablet.go("Messages")
    await expect(page.locator(".row .count")).to_have_text("12")
    await page.get_by_role("button", name="Line 11").click()
    await expect(page.get_by_text("Line 0")).to_be_in_viewport()
    first, last = str(letters[0].id), str(letters[-1].id)
    await until(lambda: first in read_by(room, unit), "what is on the screen is read")
    await page.wait_for_timeout(1_500)
    assert last not in read_by(room, unit)
    # Scrolled past at once, it was not before anybody's eyes.
    await page.locator("ol").evaluate(
        "(list) => { list.scrollTop = list.scrollHeight;"
        " setTimeout(() => (list.scrollTop = 0), 400) }"
    )
    await page.wait_for_timeout(1_500)
    assert last not in read_by(room, unit)
    await page.locator("ol").evaluate("(list) => (list.scrollTop = list.scrollHeight)")
    await until(lambda: last in read_by(room, unit), "it is read when it is seen")
    await room.leave()


async def test_an_order_waits_at_the_top_of_another_page(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    page = tablet.page
    await tablet.go("Forms")
    await tablet.tap("Incident note")
    note = page.get_by_label("What happened")
    await note.press_sequentially("Door")
    hits = asyncio.create_task(page.evaluate(HIT))
    await order(room, unit)
    banner = page.get_by_role("alert").filter(has_text="New order")
    await expect(banner).to_contain_text("Boat on fire")
    await note.press_sequentially(" forced")
    await expect(note).to_have_value("Door forced")
    await keep(page, "field-order-elsewhere")
    assert await hits == [False, False, True]
    await page.get_by_role("button", name="Silence").tap()
    await banner.get_by_role("button").tap()
    await expect(tablet.status).to_have_text("Ordered")
    await expect(banner).to_have_count(0)
    await tablet.go("Map")
    await expect(banner).to_be_visible()  # nobody has answered it
    await tablet.go("Duty")
    await tablet.tap("Acknowledge")
    await tablet.go("Messages")
    await expect(page.get_by_role("heading", name="Boat on fire")).to_have_count(0)
    await expect(banner).to_have_count(0)
    await room.leave()


async def ready(database: str) -> list[dict[str, Any]]:
    """Voice notes, once the server has made all of them ready; none before."""
    notes = await rows(
        database, "select state, about, seconds from attachment where kind = 'voice'"
    )
    assert all(note["state"] != "refused" for note in notes)
    return notes if all(note["state"] == "ready" for note in notes) else []


async def test_a_voice_note_goes_on_whichever_page_is_open(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    page = tablet.page
    await tablet.go("Forms")
    await tablet.tap("Voice note")
    running = page.get_by_role("button", name="Voice note is being recorded")
    await expect(running).to_be_visible()
    await order(room, unit)
    await tablet.go("Messages")
    await tablet.cut_off()
    await tablet.context.set_offline(False)
    await tablet.connected()
    await keep(page, "field-recording-elsewhere")
    await running.click()
    await keep(page, "field-recording")
    await page.get_by_role("button", name="Stop").click()
    await expect(running).to_have_count(0)
    await eventually(lambda: ready(database))
    await room.leave()


async def test_a_voice_note_that_a_restart_broke_off_waits_for_a_hand(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    incident, _ = await order(room, unit)
    page = tablet.page
    await expect(tablet.status).to_have_text("Ordered")
    await tablet.go("Forms")
    broken = page.get_by_role("listitem").filter(has_text="broken off")
    for _ in range(2):
        await tablet.tap("Voice note")
        await page.wait_for_timeout(3_500)
        await page.reload()
        await tablet.go("Forms")
    forms = page.get_by_role("navigation").get_by_role("button", name="Forms")
    await expect(forms).to_contain_text("2")
    await keep(page, "field-broken-off")
    await broken.first.get_by_role("button", name="Send").click()
    await expect(broken).to_have_count(1)
    await broken.get_by_role("button", name="Delete").click()
    await broken.get_by_role("button", name="Touch again").click()
    await expect(broken).to_have_count(0)
    await eventually(lambda: ready(database))
    [note] = await ready(database)
    assert note["about"] == f"incident:{incident}" and note["seconds"] >= 1
    await page.reload()
    await tablet.go("Forms")
    await expect(page.get_by_role("button", name="Voice note")).to_be_visible()
    await expect(broken).to_have_count(0)
    await room.leave()


async def test_what_an_earlier_version_kept_is_there(
    screens: Screens, database: str, chromium: str, tmp_path: Path
) -> None:
    tablet = Tablet(screens, chromium, tmp_path / "tablet", BEFORE_VOICE_NOTES)
    page = await tablet.open()
    _, code = await new_unit(database)
    await tablet.enrol(code)
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await tablet.go("Forms")
    await tablet.tap("Voice note")
    await page.wait_for_timeout(2_500)
    await page.reload()
    await tablet.go("Forms")
    await expect(page.get_by_role("listitem").filter(has_text="broken off")).to_be_visible()
    await tablet.close()


async def test_the_man_down_timer_stays_armed(tablet: Tablet, database: str) -> None:
    _, code = await new_unit(database)
    await tablet.enrol(code)
    page = tablet.page
    armed = page.locator("header").get_by_text("Man-down 5 min")
    await expect(armed).to_have_count(0)
    await tablet.go("More")
    await tablet.tap("5 min")
    await expect(armed).to_be_visible()
    await tablet.kept()
    await tablet.close()
    page = await tablet.open(offline=True)
    armed = page.locator("header").get_by_text("Man-down 5 min")
    await expect(armed).to_be_visible()
    await keep(page, "field-armed")
    # The crew goes home, and the next one opens the tablet.
    await tablet.tap("Off duty")
    await expect(armed).to_have_count(0)
    await tablet.kept()
    await page.reload()
    await expect(tablet.status).to_have_text("Off duty")
    await expect(armed).to_have_count(0)
