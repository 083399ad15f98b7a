"""What is long, too long or no photo at all: that is told in words; nothing is cut or covered."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from playwright.async_api import Page, expect
from screens import Screens, at_work, keep
from tablets import PLACE, Tablet, control_room, new_unit

pytestmark = pytest.mark.browser

CONSOLE = {"width": 1920, "height": 1080}
PORTRAIT = {"width": 800, "height": 1280}
LANDSCAPE = {"width": 1280, "height": 800}
TITLE = (
    "Armed robbery at the Credit Union on Cemetery Road with two men who fled towards the swing \
bridge in a white pick-up without number plates, one of them perhaps wounded"
)
LINE = "Two men went in with a shotgun, one waited outside; he wears a red cap and a grey shirt. "
DETAILS = (LINE * 50)[:4_000].strip()
SAID = "Come from the river side, lights off. Wait at the market until P-901 is behind the bank."
OVERFLOWING = "document.documentElement.scrollWidth - innerWidth"
CUT = """
    [...document.querySelectorAll('.steps button, nav button, .order, .order *')]
        .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
        .map((e) => e.textContent.trim().slice(0, 40))
"""
"""What does not fit into its own box."""


def zipped() -> bytes:
    """An archive, whatever its name will say."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("holiday.txt", "not a photo")
    return whole.getvalue()


def jpg(data: bytes, name: str = "photo.jpg") -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


async def whole(page: Page, buttons: int) -> None:
    """Nothing is cut, nothing is wider than the screen, and every step can be hit."""
    assert await page.evaluate(OVERFLOWING) <= 0
    assert await page.evaluate(CUT) == []
    steps = page.locator(".steps button")
    await expect(steps).to_have_count(buttons)
    for step in await steps.all():
        await expect(step).to_be_in_viewport(ratio=1)


async def test_a_long_order_leaves_the_buttons_under_the_thumb(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    unit, code = await new_unit(database)
    page = tablet.page
    await tablet.enrol(code)
    room = await control_room(screens)
    opened = await room.do("incident.open", title=TITLE, priority=1, place=PLACE, details=DETAILS)
    await room.do("incident.assign", incident=opened["incident"], units=[unit], text=SAID)
    said = page.locator(".order .said")
    await expect(said).to_contain_text(SAID)
    await expect(said.get_by_role("heading", name="Said to you")).to_be_visible()
    await tablet.tap("Silence")
    for light in ("Day", "Night"):
        await tablet.go("More")
        await tablet.tap(light)
        await tablet.go("Duty")
        for name, size in (("portrait", PORTRAIT), ("landscape", LANDSCAPE)):
            await page.set_viewport_size(size)
            await said.scroll_into_view_if_needed()
            await keep(page, f"long-order-{light.lower()}-{name}")
            await whole(page, 5)
    await expect(page.locator(".order .details")).to_have_text(DETAILS)
    await page.locator(".order").get_by_text("No other unit").scroll_into_view_if_needed()
    await keep(page, "long-order-end")
    await tablet.go("More")
    await tablet.tap("Español")
    await tablet.go("Servicio")
    await expect(said.get_by_role("heading", name="Le dicen")).to_be_visible()
    for name, size in (("portrait", PORTRAIT), ("landscape", LANDSCAPE)):
        await page.set_viewport_size(size)
        await keep(page, f"long-order-spanish-{name}")
        await whole(page, 5)
    await room.leave()


async def too_long(tablet: Tablet, tab: str, form: str, label: str, told: str, name: str) -> None:
    """A form of the tablet with too many words; both ways of holding it."""
    page = tablet.page
    await tablet.go(tab)
    await tablet.tap(form)
    await page.get_by_label(label).fill("word " * 1_700)
    alert = page.get_by_role("alert").filter(has_text=told)
    for way, size in (("portrait", PORTRAIT), ("landscape", LANDSCAPE)):
        await page.set_viewport_size(size)
        await alert.scroll_into_view_if_needed()
        await expect(alert).to_be_in_viewport(ratio=1)
        await keep(page, f"{name}-{way}")
        assert await page.evaluate(OVERFLOWING) <= 0


async def refused_photo(tablet: Tablet, data: bytes, told: str, name: str) -> None:
    """What is taken for a photo and is none stays, with a sentence; then it is deleted."""
    page = tablet.page
    await page.set_input_files("input[type=file]", jpg(data))
    alert = page.get_by_role("alert").filter(has_text=told)
    await expect(alert).to_be_visible()
    await expect(page.locator("li img")).to_have_count(0)
    for way, size in (("portrait", PORTRAIT), ("landscape", LANDSCAPE)):
        await page.set_viewport_size(size)
        await alert.scroll_into_view_if_needed()
        await keep(page, f"{name}-{way}")
        assert await page.evaluate(OVERFLOWING) <= 0
    row = page.get_by_role("listitem").filter(has=alert)
    await row.get_by_role("button").click()
    await row.get_by_role("button").click()
    await expect(alert).to_have_count(0)


async def test_a_tablet_tells_what_is_too_long_and_what_is_no_photo(
    tablet: Tablet, screens: Screens, database: str
) -> None:
    unit, code = await new_unit(database)
    await tablet.enrol(code)
    room = await control_room(screens)
    opened = await room.do("incident.open", title="Burglary", priority=2, place=PLACE)
    await room.do("incident.assign", incident=opened["incident"], units=[unit])
    await expect(tablet.status).to_have_text("Ordered")
    await tablet.tap("Silence")
    await tablet.tap("Acknowledge")
    await too_long(tablet, "Forms", "Incident note", "What happened", "characters too long",
                   "field-too-long")  # fmt: skip
    await tablet.tap("‹ Back")
    await refused_photo(tablet, b"", "empty", "field-photo-empty")
    await refused_photo(tablet, zipped(), "a ZIP archive", "field-photo-zip")
    await tablet.go("More")
    await tablet.tap("Night")
    await tablet.tap("Español")
    await too_long(tablet, "Informes", "Nota del incidente", "Qué pasó", "caracteres de más",
                   "field-too-long-spanish")  # fmt: skip
    await tablet.tap("‹ Atrás")
    await refused_photo(tablet, b"", "Rechazada", "field-photo-empty-spanish")
    await refused_photo(tablet, zipped(), "Rechazada", "field-photo-zip-spanish")
    await room.leave()


@pytest.mark.parametrize("light", [True, False], ids=["light", "dark"])
async def test_the_console_tells_what_is_too_long_and_what_has_come(
    screens: Screens, light: bool
) -> None:
    name = "light" if light else "dark"
    room = await control_room(screens)
    for number in range(3):
        await room.do("incident.open", title=f"Noise in street {number}", priority=4, place=PLACE)
    page = await screens.open(light=light)
    await page.set_viewport_size(CONSOLE)
    await screens.sign_in("bpd.dispatch", page)
    await at_work(page)
    await page.get_by_role("tab", name="Incidents").click()
    row = page.get_by_role("option", name="Noise in street 1")
    await expect(row).to_be_visible()
    await row.click()
    panel = page.get_by_role("article")
    await expect(panel).to_contain_text("Noise in street 1")
    await row.hover()
    for title in ("Fight", TITLE):
        await room.do("incident.open", title=title, priority=1, place=PLACE, details="Now.")
    news = page.get_by_role("button", name="2 new: P1")
    await expect(news).to_be_visible()
    await keep(page, f"came-{name}")
    assert await page.evaluate(OVERFLOWING) <= 0

    await panel.get_by_role("textbox", name="Note").fill("word " * 1_700)
    await expect(panel.get_by_text("characters too long")).to_be_in_viewport(ratio=1)
    await panel.get_by_role("button", name="Change details").click()
    await panel.get_by_role("textbox", name="Details").fill("word " * 1_700)
    await expect(panel.get_by_text("characters too long")).to_have_count(2)
    await keep(page, f"too-long-{name}")
    await page.get_by_role("button", name="New incident").click()
    dialog = page.get_by_role("dialog", name="New incident")
    await dialog.get_by_label("What it is").fill(TITLE * 2)
    await dialog.get_by_label("Details").fill("word " * 1_700)
    await expect(dialog.get_by_text("characters too long")).to_have_count(2)
    await dialog.get_by_role("button", name="Open").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("What it is: ")
    await keep(page, f"too-long-dialog-{name}")
    await dialog.get_by_role("button", name="Cancel").click()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Español").click()
    await page.get_by_role("button", name="Nuevo incidente").click()
    dialog = page.get_by_role("dialog", name="Nuevo incidente")
    await expect(dialog.get_by_text("Sobran")).to_have_count(2)
    await keep(page, f"too-long-spanish-{name}")
    await room.leave()
