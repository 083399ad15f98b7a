"""The public page on another host, which nobody may renew any more."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import async_playwright, expect

from dispatch.alerting.content import LANGUAGES
from dispatch.alerting.issuing import NEMO
from dispatch.warnings import public
from dispatch.warnings.public import Elsewhere
from dispatch.warnings.told import Now


async def test_a_page_that_is_not_renewed_says_so(chromium: str, tmp_path: Path) -> None:
    """DOM-WRN-28: loudly with script, and readably without."""
    elsewhere = Elsewhere("https://warn.example.bz")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for script, language in itertools.product((True, False), LANGUAGES):
                context = await browser.new_context(java_script_enabled=script)
                page = await context.new_page()
                for minutes in (0, 17):
                    at = datetime.now(UTC) - timedelta(minutes=minutes)
                    file = tmp_path / "page.html"
                    file.write_bytes(public.page(Now(at), NEMO, language, elsewhere))
                    await page.goto(file.as_uri())
                    old = page.locator("#old")
                    if script and minutes:
                        await expect(old).to_contain_text(" 17 min")
                        await expect(old).to_be_visible()
                    else:
                        await expect(old).to_be_hidden()
                    link = page.get_by_role("link", name="https://warn.example.bz/alerts/")
                    await expect(link).to_be_visible()
                    await expect(page.locator("#made time")).to_be_visible()
                await context.close()
        finally:
            await browser.close()
