"""axe-core finds nothing serious on any screen, by day and by night."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect
from screens import PATIENCE_MS, WEB, Screens, address, write

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = pytest.mark.browser


async def violations(page: Page) -> list[str]:
    """What axe-core finds serious on a page."""
    await page.add_script_tag(path=AXE)
    found = await page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map("
        "({id, impact, nodes}) => [impact, id, nodes.map((n) => n.target.join(' ')).join(', ')])"
    )
    return [
        f"{rule}: {where}" for impact, rule, where in found if impact in ("serious", "critical")
    ]


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
    await expect(page.get_by_role("log")).to_contain_text("Sent", timeout=PATIENCE_MS)
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    assert await violations(page) == []
