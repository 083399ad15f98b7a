"""What axe-core says of a page."""

from __future__ import annotations

from playwright.async_api import Page
from screens import WEB

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"


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
