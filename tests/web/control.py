"""A control room with crews that answer: what tests of whole stories share."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from playwright.async_api import Locator, Page, expect
from screens import Screens, showing

from psn import seed, seed_work
from psn.client import Client
from psn.enrolment.device_key import DeviceKey, Enrolled


class Control(Screens):
    """A network whose agencies have kinds of incidents, and crews that say what they do."""

    crews: dict[str, Enrolled]

    async def crew(self, callsign: str) -> Client:
        """The tablet of a unit; to be used as a context."""
        return Client(self.server.url, self.crews[callsign])


@contextlib.asynccontextmanager
async def controlling(
    database: str,
    chromium: str,
    place: Path,
    units: Sequence[tuple[str, str, str]],
    **settings: str,
) -> AsyncIterator[Control]:
    """The demonstration's agencies with some units more: agency, callsign, kind.

    ``settings`` (``PSN_…``) go to the server.
    """
    made: list[tuple[int, int, DeviceKey]] = []

    async def work(connection: asyncpg.Connection[Any]) -> None:
        made.extend(await seed.ensure_units(connection, units))
        await seed_work.seed_work(connection)

    async with showing(database, chromium, place, prepare=work, **settings) as screens:
        there = Control(screens.server, screens.browser, screens.passwords)
        there.complaints = screens.complaints
        there.crews = {
            callsign: Enrolled(device, key)
            for (_, callsign, _), (_, device, key) in zip(units, made, strict=True)
        }
        yield there


async def open_incident(
    page: Page, title: str, *, kind: str = "", priority: str = "", place: str = "", at: str = ""
) -> Locator:
    """A new incident by the list's button; its panel."""
    await page.get_by_role("tab", name="Incidents").click()
    await page.get_by_role("button", name="New incident").click()
    dialog = page.get_by_role("dialog", name="New incident")
    await dialog.get_by_label("What it is").fill(title)
    if kind:
        await dialog.get_by_label("Kind").select_option(kind)
    if priority:
        await dialog.get_by_label("Priority").select_option(priority)
    await dialog.get_by_role("combobox", name="Place").fill(place)
    if at:
        await dialog.get_by_role("button", name=at).click()
    await dialog.get_by_role("button", name="Open").click()
    panel = page.get_by_role("article")
    await expect(panel).to_contain_text(title)
    return panel


async def write_note(panel: Locator, text: str, *, private: bool = False) -> None:
    await panel.get_by_label("Only for my agency").set_checked(private)
    await panel.get_by_role("textbox", name="Note").fill(text)
    await panel.get_by_role("button", name="Write").click()


async def choose_list(page: Page, name: str) -> None:
    await page.get_by_role("tab", name=name).click()
