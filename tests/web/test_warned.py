"""What is in force, on consoles and tablets: loud until it was read, and over when it is over."""

from __future__ import annotations

import pytest
import pytest_asyncio
import warners
from accessible import violations
from desk_peer import Worker
from playwright.async_api import Locator, Page, expect
from screens import Screens, at_work, keep
from stage import Peer
from tablets import Tablet, eventually, new_unit, rows

from psn import wire

pytestmark = pytest.mark.browser
OFFICER, APPROVER = "nemo.warning", "nemo.approver"


async def signed_in(screens: Screens, name: str) -> Worker:
    peer = await Peer.join(screens.server.url.replace("http", "ws", 1) + "/ws")
    await peer.sign_in(wire.PasswordAuth(name, screens.passwords[name]))
    return Worker(peer)


@pytest_asyncio.fixture
async def two(screens: Screens) -> tuple[Worker, Worker]:
    """Who writes, and who approves."""
    return await signed_in(screens, OFFICER), await signed_in(screens, APPROVER)


def card(page: Page) -> Locator:
    return page.get_by_role("alert", name="Hurricane warning for Belize City")


def line(page: Page) -> Locator:
    return page.get_by_role("button", name="Read again: Hurricane warning for Belize City")


async def confirmed(database: str) -> int:
    found = await rows(database, "select count(confirmed_at) as many from warning_shown")
    return int(found[0]["many"])


async def test_it_is_read_confirmed_and_over_on_console_and_tablet(
    screens: Screens, tablet: Tablet, two: tuple[Worker, Worker], database: str
) -> None:
    """DOM-WRN-11, DOM-WRN-26: a reload shows nothing as new that was read."""
    _, code = await new_unit(database)
    await tablet.enrol(code)
    desk = await screens.sign_in("bpd.dispatch", await screens.open(bypass_csp=True))
    await at_work(desk)
    made = await warners.sent(*two)
    for page in (desk, tablet.page):
        await expect(card(page)).to_contain_text("Go to a shelter now.")
        await expect(card(page)).to_contain_text("Actual")
        await expect(card(page)).to_contain_text("left")
    await keep(desk, "warned-console")
    await keep(tablet.page, "warned-tablet")
    assert await violations(desk) == []
    for page in (desk, tablet.page):
        await page.get_by_role("button", name="I have read it").click()
        await expect(card(page)).to_have_count(0)
        await expect(line(page)).to_contain_text("Hurricane warning")

    async def both() -> bool:
        return await confirmed(database) == 2

    await eventually(both)
    await desk.reload()
    await expect(line(desk)).to_be_visible()
    await expect(card(desk)).to_have_count(0)
    await line(desk).click()
    await expect(desk.get_by_role("region", name="Warnings")).to_contain_text("shelter now")
    await keep(desk, "warned-read")

    # Called off, it is told once more, and is gone when that was read.
    await tablet.page.reload()
    await expect(line(tablet.page)).to_be_visible()
    officer, approver = two
    ended = await officer.do("warning.cancel", warning=made["warning"])
    looked = await officer.do("warning.check", message=ended["message"])
    assert looked["stage"] == "checked", looked
    called_off = {**ended, "digest": looked["digest"]}
    phrase = "actual cancel hurricane warning"
    await approver.do("warning.approve", **warners.approval(called_off, phrase=phrase))
    for page in (desk, tablet.page):
        await expect(card(page)).to_contain_text("Cancelled")
        await page.get_by_role("button", name="I have read it").click()
        await expect(page.get_by_role("region", name="Warnings")).to_have_count(0)


async def test_an_exercise_says_so_in_the_language_of_the_desk(
    screens: Screens, two: tuple[Worker, Worker]
) -> None:
    """DOM-WRN-5."""
    desk = await screens.sign_in("bcg.dispatch", await screens.open(light=True, bypass_csp=True))
    await desk.get_by_role("button", name="Español").click()
    await warners.sent(*two, status="Exercise", note="Exercise Cay Sal")
    shown = desk.get_by_role("region", name="Avisos")
    await expect(shown).to_contain_text("Simulacro")
    await expect(shown).to_contain_text("Vaya a un refugio ahora.")
    await keep(desk, "warned-exercise")
    assert await violations(desk) == []
