"""A crew's tablet in a browser of its own, and the control room on the other side."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
from desk_peer import Worker
from playwright.async_api import BrowserContext, Locator, Page, expect
from screens import ARGUMENTS, PATIENCE_MS, Screens
from stage import WITHIN, Peer

from psn import wire
from psn.enrolment import enrolment_code

HERE = {"longitude": -88.1976, "latitude": 17.4995, "accuracy": 8}
PLACE = {"text": "Haulover Bridge", "lon": -882_100_000, "lat": 175_300_000}
A_DAY_BEHIND = "{ const now = Date.now; Date.now = () => now() - 86400000; }"
"""For a page: the clock of the tablet is a day off."""


async def new_unit(database: str, callsign: str = "P-903", agency: str = "BPD") -> tuple[int, str]:
    """A car of an agency, and a code for its tablet."""
    code = enrolment_code.new(secrets.choice)
    connection = await asyncpg.connect(database)
    try:
        unit = await connection.fetchval(
            "insert into unit (agency_id, callsign, kind)"
            " select id, $1, 'car' from agency where code = $2 returning id",
            callsign,
            agency,
        )
        await connection.execute(
            "insert into enrolment (code_hash, agency_id, unit_id, label, author, expires_at)"
            " select $1, agency_id, id, 'Tablet 1', 'test', now() + interval '1 hour'"
            " from unit where id = $2",
            enrolment_code.kept(code),
            unit,
        )
    finally:
        await connection.close()
    return unit, enrolment_code.shown(code)


async def rows(database: str, statement: str, *values: Any) -> list[dict[str, Any]]:
    """What the server has on disk."""
    connection = await asyncpg.connect(database)
    try:
        return [dict(row) for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()


async def control_room(screens: Screens, name: str = "bpd.dispatch") -> Worker:
    """A dispatcher who follows the board, without a browser."""
    peer = await Peer.join(screens.server.url.replace("http", "ws", 1) + "/ws")
    await peer.sign_in(wire.PasswordAuth(name, screens.passwords[name]))
    worker = Worker(peer)
    await worker.follow("board")
    return worker


async def order(room: Worker, unit: int, title: str = "Boat on fire") -> tuple[int, int]:
    """Send a unit to a new incident: the incident and the assignment."""
    incident = (
        await room.do("incident.open", title=title, priority=1, place=PLACE, details="Two aboard.")
    )["incident"]
    made = await room.do("incident.assign", incident=incident, units=[unit])
    return incident, made["assignments"][0]


def read_by(room: Worker, unit: int) -> set[str]:
    """The control room's messages that the unit has read, as its receipts say."""
    receipts = [mail.body for mail in room.peer.of(wire.Mail)]
    return {
        str(of)
        for body in receipts
        if isinstance(body, wire.ReceiptBody) and (body.state, body.by) == ("read", f"unit:{unit}")
        for of in body.of
    }


async def eventually(done: Callable[[], Awaitable[Any]]) -> None:
    """Wait until it is so; fail when it never is."""
    async with asyncio.timeout(WITHIN * 2):
        while not await done():
            await asyncio.sleep(0.1)


class Tablet:
    """A browser with a memory of its own, which outlives it."""

    def __init__(self, screens: Screens, chromium: str, memory: Path, *scripts: str) -> None:
        self.screens = screens
        self.scripts = scripts
        self.address = screens.server.url.replace("127.0.0.1", "localhost") + "/field"
        self._chromium = chromium
        self._memory = memory
        self.context: BrowserContext
        self.page: Page

    async def open(self, *, offline: bool = False, wide: bool = False, lax: bool = False) -> Page:
        """Switch it on; ``wide``: lying on its side; ``lax``: scripts of the test may run."""
        self.context = await self.screens.browser.browser_type.launch_persistent_context(
            self._memory,
            executable_path=self._chromium,
            args=[
                *ARGUMENTS,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
            ],
            viewport={"width": 1280, "height": 800} if wide else {"width": 800, "height": 1280},
            has_touch=True,
            geolocation=HERE,
            permissions=["geolocation", "microphone"],
            bypass_csp=lax,
        )
        for script in self.scripts:
            await self.context.add_init_script(script)
        await self.context.set_offline(offline)
        self.page = self.context.pages[0]
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.screens.complaints.append(str(error)))
        await self.page.goto(self.address)
        return self.page

    async def close(self) -> None:
        """Switch it off."""
        await self.context.close()

    async def enrol(self, code: str) -> None:
        """Type the code, and be there with the pages kept."""
        await self.page.get_by_label("One-time code").fill(code)
        await self.page.get_by_role("button", name="Enrol").click()
        await self.connected()
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    async def connected(self) -> None:
        """It has the server."""
        await expect(self.page.get_by_text("Connected", exact=True)).to_be_visible()

    async def cut_off(self) -> None:
        """A dead spot."""
        await self.context.set_offline(True)
        await expect(self.page.get_by_role("banner").get_by_text("No network")).to_be_visible()

    async def tap(self, name: str) -> None:
        """A thumb on a button."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def kept(self) -> None:
        """All that was touched is on its disk: a write is done after those before it."""
        await self.page.evaluate(
            """async () => {
                const opening = indexedDB.open('psn-field')
                await new Promise((ok) => (opening.onsuccess = ok))
                const last = opening.result.transaction(['texts'], 'readwrite')
                await new Promise((ok) => (last.oncomplete = ok))
                opening.result.close()
            }"""
        )

    async def go(self, tab: str) -> None:
        """To another page of it."""
        await self.page.get_by_role("navigation").get_by_role("button", name=tab).click()

    @property
    def status(self) -> Locator:
        """Its status, in large letters."""
        return self.page.locator(".status strong")
