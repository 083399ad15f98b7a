"""What others warn of, on the page of warnings: a real browser, server, feed and database."""

from __future__ import annotations

from pathlib import Path

import pytest
from accessible import violations
from cryptography.hazmat.primitives.serialization import Encoding
from feed_server import alert, new_seal, serving
from playwright.async_api import Page, expect
from screens import keep, showing

pytestmark = pytest.mark.browser


async def at_the_page(page: Page, url: str) -> None:
    await page.goto(f"{url.replace('127.0.0.1', 'localhost')}/warnings")


async def test_an_alert_of_others_becomes_a_draft_of_our_own(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> None:
    """DOM-WRN-62, DOM-WRN-64, DOM-WRN-65."""
    async with serving() as feeds:
        seal = new_seal()
        (tmp_path / "met.pem").write_bytes(seal.certificate.public_bytes(Encoding.PEM))
        feeds.lists(alert("mx-1"), seal=seal)
        file = tmp_path / "feeds.toml"
        file.write_text(
            f'[[feed]]\nname = "met"\ntitle = "A neighbour"\nurl = "{feeds.url}"\n'
            'certificates = ["met.pem"]\n'
            f'[[feed]]\nname = "page"\ntitle = "A page"\nurl = "{feeds.url}s"\n'
        )
        async with showing(database, chromium, tmp_path, PSN_FEEDS=str(file)) as screens:
            page = await screens.open(bypass_csp=True)
            await at_the_page(page, screens.server.url)
            page = await screens.sign_in("nemo.warning", page)
            heard = page.get_by_role("region", name="From others")
            line = heard.get_by_role("button", name="Tormenta tropical al norte")
            await expect(line).to_contain_text("Signature is good")
            await expect(line).to_contain_text("Costa sur")
            await heard.get_by_text("2 feeds, 1 not heard").click()
            await expect(heard).to_contain_text("Its server answers 404.")
            await line.click()
            main = page.get_by_role("main")
            await expect(main.get_by_role("region", name="Words")).to_contain_text("Busque refugio")
            await keep(page, "heard")
            assert await violations(page) == []
            await main.get_by_role("button", name="Begin our own from it").click()
            spanish = page.get_by_role("group", name="Spanish")
            await expect(spanish.get_by_label("Headline")).to_have_value(
                "Tormenta tropical al norte"
            )
            await expect(page.get_by_label("What the area is called")).to_have_value("Costa sur")
            await line.click()
            await expect(main.get_by_role("button", name="Open ours")).to_be_visible()
