"""axe-core finds nothing serious on any screen, by day and by night."""

from __future__ import annotations

import pytest
from accessible import AXE, violations
from playwright.async_api import Page, expect
from screens import Screens, address, at_work, keep, write

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_screens_are_for_everyone(screens: Screens, light: bool) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    page = await screens.open(light=light, bypass_csp=True)
    assert await violations(page) == []
    await screens.sign_in("bpd.dispatch", page)
    await page.get_by_role("option", name="B-901").click()
    await address(page, "bcg disp")
    await write(page, "One boat to Haulover Creek, please.")
    await expect(page.get_by_role("log")).to_contain_text("Sent")
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    assert await violations(page) == []


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_layouts_and_folded_emergencies_are_for_everyone(
    screens: Screens, light: bool
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    page = await screens.sign_in("bpd.dispatch", await screens.open(light=light, bypass_csp=True))
    await at_work(page)
    word = "day" if light else "night"
    for line in ("e P-901", "e P-902", "e P-902", "lay save Harbour"):
        await page.keyboard.press("/")
        await page.keyboard.type(line)
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
    banners = page.get_by_role("region", name="Emergency of")
    await expect(banners).to_have_count(2)
    assert await violations(page) == []
    await fold(page)
    others = page.get_by_role("region", name="2 emergencies")
    await expect(others).to_contain_text("P-902 nobody · pressed 2 times")
    assert await violations(page) == []
    await page.keyboard.press("o")
    await expect(banners).to_have_count(2)
    await fold(page)
    await expect(others).to_contain_text("P-901 BPD Dispatcher")
    await page.get_by_role("button", name="Layouts").click()
    await expect(page.get_by_role("dialog", name="Layouts")).to_be_visible()
    await keep(page, f"layouts-folded-{word}")
    assert await violations(page) == []


async def fold(page: Page) -> None:
    """All emergencies have a banner, and then the gravest alone."""
    await page.keyboard.press("e")
    await page.keyboard.press("e")
    await expect(page.get_by_role("region", name="Emergency of")).to_have_count(1)


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_the_work_is_for_everyone(screens: Screens, light: bool) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    page = await screens.sign_in("bpd.supervisor", await screens.open(light=light, bypass_csp=True))
    word = "day" if light else "night"
    await page.get_by_role("option", name="P-901").click()
    details = page.get_by_role("complementary")
    await details.get_by_role("button", name="Out of service").click()
    await details.get_by_role("button", name="Raise an emergency").click()
    assert await violations(page) == []
    await details.get_by_role("button", name="Yes, raise it").click()
    banner = page.get_by_role("region", name="Emergency of P-901")
    await banner.get_by_role("button", name="I take it").click()
    await banner.get_by_role("button", name="End").click()
    for priority in range(1, 6):
        await page.get_by_role("tab", name="Incidents").click()
        await page.get_by_role("button", name="New incident").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("What it is").fill(f"Number {priority}")
        await dialog.get_by_label("Priority").select_option(str(priority))
        await dialog.get_by_role("button", name="Where P-901 is").click()
        if priority == 5:
            assert await violations(page) == []
        await dialog.get_by_role("button", name="Open").click()
        await expect(dialog).to_have_count(0)
    panel = page.get_by_role("article")
    await panel.get_by_role("button", name="Change place").click()
    await panel.get_by_role("textbox", name="Note").fill("Only for us.")
    await panel.get_by_label("Only for my agency").check()
    await panel.get_by_role("button", name="Write").click()
    await panel.get_by_role("button", name="Send units").click()
    await panel.get_by_role("checkbox", name="P-901").check()
    await panel.get_by_role("button", name="Send 1 unit").click()
    # It has pressed its red button (DOM-ASG-12), and is out of service: each is asked.
    refusal = panel.get_by_role("form", name="Send units").get_by_role("alert")
    await expect(refusal).to_contain_text("red button was pressed")
    await keep(page, f"work-emergency-{word}")
    assert await violations(page) == []
    await panel.get_by_role("button", name="Yes, send").click()
    await expect(refusal).to_contain_text("is out of service")
    await keep(page, f"work-{word}")
    assert await violations(page) == []
    await panel.get_by_role("button", name="Send anyway").click()
    await expect(panel.get_by_role("group", name="P-901: Set")).to_be_visible()
    await panel.get_by_role("button", name="Recall").click()
    await panel.get_by_role("button", name="Hand over").click()
    await keep(page, f"work-form-{word}")
    assert await violations(page) == []
    await page.get_by_role("tab", name="Alarms").click()
    assert await violations(page) == []
    await page.get_by_role("tab", name="Watch").click()
    for form in ("Ask a unit", "New reminder", "New lookout"):
        await page.get_by_role("button", name=form).click()
    await keep(page, f"work-watch-{word}")
    assert await violations(page) == []
