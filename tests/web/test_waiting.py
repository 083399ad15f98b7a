"""What waits to be sent when a dispatcher leaves, and in which of his windows."""

from __future__ import annotations

import pytest
from accessible import AXE, violations
from playwright.async_api import Page, expect
from screens import PATIENCE_MS, Screens, address, at_work, enter, keep, rows, said, write

pytestmark = pytest.mark.browser

BOAT = "Please send a boat."
ONCE = "Only once."
AGE = """(hours) => {
  for (const key of Object.keys(localStorage)) {
    if (!/:(actions|outbox):/.test(key)) continue;
    const list = JSON.parse(localStorage.getItem(key));
    for (const one of list) one.time -= hours * 3600000;
    localStorage.setItem(key, JSON.stringify(list));
  }
}"""
"""What is kept in the browser becomes so many hours older."""


async def without_line(screens: Screens, page: Page) -> None:
    await screens.server.kill()
    await expect(page.locator(".banner")).to_contain_text("Connection lost")


async def arrived(database: str) -> tuple[int, int]:
    """How many orders and messages of these tests the server has."""
    async with rows(database) as connection:
        orders = await connection.fetchval("select count(*) from assignment")
        messages = await connection.fetchval(
            "select count(*) from log where body->>'text' = any($1)", [BOAT, ONCE]
        )
    return orders, messages


async def test_an_order_of_the_last_shift_is_not_sent_by_itself_in_the_next(
    screens: Screens, database: str
) -> None:
    page = await screens.open(bypass_csp=True)
    await screens.sign_in("bpd.dispatch", page)
    await at_work(page)
    await enter(page, "i Fire in the market")
    await expect(said(page)).to_contain_text("is open.")
    await without_line(screens, page)
    await enter(page, "a P-901 1 take the north gate")
    await page.keyboard.press("Escape")
    await address(page, "bcg disp")
    await write(page, BOAT)

    # Leaving says what has not reached the server, and may be thought better of.
    leave = page.get_by_role("button", name="Sign out")
    await leave.click()
    question = page.get_by_role("dialog", name="Sign out?")
    await expect(question.get_by_role("listitem")).to_contain_text(
        ["with the words “take the north gate”", f"Message to BCG Dispatcher: “{BOAT}”"]
    )
    await keep(page, "waiting-sign-out")
    await question.get_by_role("button", name="Cancel").click()
    await expect(question).to_have_count(0)
    await leave.click()
    await question.get_by_role("button", name="Sign out all the same").click()
    await expect(page.get_by_role("alert")).to_contain_text("2 things that were not sent are kept")
    await keep(page, "waiting-signed-out")

    await page.evaluate(AGE, 12)
    await screens.server.start()
    await screens.sign_in("bpd.dispatch", page)
    held = page.get_by_role("region", name="Not sent")
    await expect(held.get_by_role("listitem")).to_contain_text(
        ["Send P-901 to BPD-", f"Message to BCG Dispatcher: “{BOAT}”"]
    )
    await expect(held.get_by_role("listitem").first).to_contain_text("Not sent at ")
    await at_work(page)
    await page.wait_for_timeout(2_500)  # by now whatever goes by itself would have gone
    assert await arrived(database) == (0, 0)
    await keep(page, "waiting-held")
    if AXE.is_file():
        assert await violations(page) == []
    await page.get_by_role("button", name="Español").click()
    await expect(page.get_by_role("region", name="Sin enviar")).to_contain_text("No se envió a las")
    await keep(page, "es-waiting-held")
    await page.get_by_role("button", name="English").click()

    # By keyboard: the first is sent, the second discarded.
    await expect(held).to_be_visible()
    await page.keyboard.press("r")
    await expect(held.get_by_role("button", name="Send: Send P-901")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(held.get_by_role("listitem")).to_have_count(1)
    await expect(held.get_by_role("button", name="Send: Message")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(held).to_have_count(0)
    await expect(page.get_by_role("option", name="P-901")).to_contain_text("Ordered")
    await page.reload()
    await at_work(page)
    await expect(held).to_have_count(0)
    assert await arrived(database) == (1, 0)
    # Nothing waits: nothing is asked.
    await leave.click()
    await expect(page.get_by_label("Name")).to_be_visible()
    await expect(page.get_by_text("not sent")).to_have_count(0)


async def test_a_window_that_is_closed_leaves_what_it_had_to_send_to_the_other(
    screens: Screens, database: str
) -> None:
    work = await screens.sign_in("bpd.dispatch")
    await at_work(work)
    async with work.context.expect_page() as opened:
        await work.get_by_role("link", name="Map in a window of its own").click()
    map_window = await opened.value
    await at_work(map_window)
    await address(work, "bcg disp")
    await without_line(screens, work)
    await write(work, ONCE)
    await expect(work.get_by_role("log")).to_contain_text("Waiting to be sent")
    await work.close()
    await screens.server.start()
    for _ in range(PATIENCE_MS // 500):
        if await arrived(database) != (0, 0):
            break
        await map_window.wait_for_timeout(500)
    await map_window.wait_for_timeout(3_000)
    assert await arrived(database) == (0, 1)
    await expect(map_window.get_by_role("region", name="Not sent")).to_have_count(0)
    left = await map_window.evaluate(
        "Object.keys(localStorage).filter((key) => /:(outbox|actions)/.test(key))"
    )
    assert left == []


async def test_an_alarm_is_silenced_and_acknowledged_in_both_windows(screens: Screens) -> None:
    police = await screens.sign_in("bpd.dispatch")
    await at_work(police)
    async with police.context.expect_page() as opened:
        await police.get_by_role("link", name="Map in a window of its own").click()
    second = await opened.value
    await at_work(second)
    coast = await screens.sign_in("bcg.dispatch")
    await at_work(coast)
    await address(coast, "bpd disp")
    await coast.get_by_role("radio", name="Emergency").check(force=True)
    await write(coast, "Boat sinking.")
    windows = (police, second)
    for window in windows:
        await window.bring_to_front()
        await window.mouse.click(640, 20)  # a browser makes no sound before
        await expect(window.get_by_role("button", name="Silence")).to_be_visible()
    await second.keyboard.press("s")
    for window in windows:
        await expect(window.get_by_role("button", name="Silence")).to_have_count(0)
        await expect(window.get_by_role("button", name="Acknowledge")).to_be_visible()
    await second.keyboard.press("a")
    for window in windows:
        await expect(window.get_by_role("button", name="Acknowledge")).to_have_count(0)
    await police.reload()
    await at_work(police)
    await expect(police.get_by_role("button", name="Acknowledge")).to_have_count(0)
