"""What tests of the page of warnings share: who is at it, and how he begins and writes."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.async_api import Locator, Page, expect
from screens import Screens, rows

OFFICER, APPROVER = "nemo.warning", "nemo.approver"


async def enter(screens: Screens, name: str, *, light: bool = False) -> Page:
    """Somebody at the page of warnings."""
    page = await screens.open(light=light, bypass_csp=True)
    await page.goto(f"{screens.server.url.replace('127.0.0.1', 'localhost')}/warnings")
    return await screens.sign_in(name, page)


async def begin(page: Page, status: str, template: str) -> None:
    """A new warning, by keyboard."""
    # By the button: what was begun before has the focus, and takes letters.
    await page.get_by_role("button", name="New warning").press("Enter")
    dialog = page.get_by_role("dialog", name="A new warning")
    await dialog.get_by_role("radio", name=re.compile(status, re.I)).check()
    await dialog.get_by_label("Begin with").select_option(template)
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()


async def saved(page: Page) -> None:
    await expect(page.locator("[data-saved=true]")).to_be_visible()


def words(page: Page, language: str, field: str) -> Locator:
    return page.get_by_role("group", name=language).get_by_label(field, exact=True)


async def stored(database: str) -> list[Any]:
    """Every message, as it lies in the database."""
    async with rows(database) as connection:
        found: list[Any] = await connection.fetch("select * from warning_message order by id")
        return found


async def drawn(database: str) -> list[dict[str, Any]]:
    """The parts of the area of the newest message, as they were drawn."""
    found = (await stored(database))[-1]["drawn"]
    parts: list[dict[str, Any]] = [] if found is None else json.loads(found)["parts"]
    return parts
