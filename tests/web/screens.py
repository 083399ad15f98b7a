"""What tests in a browser share: a server as a process, moving units, browsers that sign in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest import mock

import asyncpg
from playwright.async_api import Browser, Locator, Page, async_playwright, expect
from stage import hash_once

from psn import seed, wire
from psn.client import Client
from psn.enrolment.device_key import DeviceKey, Enrolled
from psn.identity import credentials

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "dispatch" / "web"
ARGUMENTS = (
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    # The map needs WebGL, in software; to draw the rest of the page that way costs twice as much.
    "--disable-gpu-compositing",
    "--disable-gpu-rasterization",
    "--no-sandbox",
    "--disable-background-networking",
    "--no-first-run",
)
UNITS = [
    ("BPD", "P-901", "car"),
    ("BCG", "B-901", "boat"),
    ("BDF", "F-901", "foot"),
    ("BPD", "P-902", "car"),
]
PLACES = [(-88.1976, 17.4995), (-88.0200, 17.7400), (-88.7640, 17.2510), (-88.1976, 17.4995)]
"""The last stands where the first does."""
PATIENCE_MS = 20_000
"""How long is waited for what is bound to come: a busy machine is no failure."""
expect.set_options(timeout=PATIENCE_MS)


class Server:
    """``psn serve`` as a process of its own, so that it can be stopped under the browsers."""

    def __init__(self, database: str, **settings: str) -> None:
        self._environment = os.environ | {"PSN_DATABASE": database} | settings
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def start(self) -> None:
        """Start on any port, and again on the same one."""
        port = self.url.rpartition(":")[2] or "0"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "psn", "serve"),
            cwd=ROOT,
            env=self._environment | {"PSN_PORT": port},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 120)
        assert line.startswith(b"listening on "), line
        self.url = line.split()[-1].decode()

    def send(self, number: signal.Signals) -> None:
        """A signal to the process."""
        assert self._process is not None
        self._process.send_signal(number)

    async def stop(self) -> None:
        """As an operator would."""
        self.send(signal.SIGTERM)
        assert self._process is not None
        await self._process.communicate()

    async def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


class Screens:
    """A seeded network with moving units, and browsers that look at it."""

    def __init__(self, server: Server, browser: Browser, passwords: dict[str, str]) -> None:
        self.server = server
        self.browser = browser
        self.passwords = passwords
        self.complaints: list[str] = []

    async def open(self, *, light: bool = False, bypass_csp: bool = False) -> Page:
        """A browser window of its own, with its own storage."""
        context = await self.browser.new_context(
            viewport={"width": 1280, "height": 800},
            color_scheme="light" if light else "dark",
            bypass_csp=bypass_csp,
            # Where nothing but software draws, a flight over the map takes as long as it likes.
            reduced_motion="reduce",
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        # Passkeys are bound to a name, so the pages are opened by one.
        await page.goto(self.server.url.replace("127.0.0.1", "localhost"))
        return page

    async def sign_in(self, name: str, page: Page | None = None, *, light: bool = False) -> Page:
        """A dispatcher at the console."""
        page = page or await self.open(light=light)
        await page.get_by_label("Name").fill(name)
        await page.locator("[name=password]").fill(self.passwords[name])
        await page.keyboard.press("Enter")
        await page.wait_for_selector("main")
        return page


_ACCOUNTS: list[seed.Account] = []
"""With the passwords of the first network, which those after it share."""


@contextlib.asynccontextmanager
async def showing(
    database: str,
    chromium: str,
    place: Path,
    *arguments: str,
    prepare: Callable[[asyncpg.Connection[Any]], Awaitable[None]] | None = None,
    **settings: str,
) -> AsyncIterator[Screens]:
    """Server, units and browser; nothing on a page may raise.

    ``arguments`` go to the browser, ``settings`` (``PSN_…``) to the server; ``prepare`` puts more
    into the seeded database, before the units.
    """
    connection = await asyncpg.connect(database)
    passwords = place / "passwords.json"
    try:
        if _ACCOUNTS:
            seed.write_passwords(passwords, _ACCOUNTS)
        with mock.patch.object(credentials, "hash_password", hash_once):
            accounts = await seed.seed(connection, passwords)
        _ACCOUNTS[:] = accounts
        if prepare:
            await prepare(connection)
        devices = await seed.ensure_units(connection, UNITS)
    finally:
        await connection.close()
    server = Server(database, **settings)
    await server.start()
    reports = asyncio.create_task(_report(server.url, devices))
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=[*ARGUMENTS, *arguments]
            )
            screens = Screens(server, browser, {one.name: one.password for one in accounts})
            yield screens
            await browser.close()
        assert not screens.complaints, screens.complaints
    finally:
        reports.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reports
        server.send(signal.SIGCONT)
        await server.kill()


async def _report(url: str, devices: list[tuple[int, int, DeviceKey]]) -> None:
    """Units move north by some ten metres, twice a second, until cancelled."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(Client(url, Enrolled(device, key)))
            for _, device, key in devices
        ]
        step = 0
        while True:
            for client, (lon, lat) in zip(clients, PLACES, strict=True):
                await client.report(
                    wire.Fix(
                        unit=0,
                        time=time.time_ns() // 1_000_000,
                        lon=round(lon * 1e7),
                        lat=round((lat + step * 0.0001) * 1e7),
                        speed=1_500,
                        heading=0,
                    )
                )
            step += 1
            await asyncio.sleep(0.5)


async def keep(page: Page, name: str) -> None:
    """A screenshot for people to look at, where PSN_SCREENSHOTS names a folder."""
    folder = os.environ.get("PSN_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def write(page: Page, text: str) -> None:
    """Type a message into the open conversation and send it."""
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.keyboard.press("Enter")


async def address(page: Page, name: str) -> None:
    """Begin a message to whom a search finds first."""
    await page.keyboard.press("n")
    await page.get_by_role("combobox", name="Add a recipient").fill(name)
    # As a person does, who looks whether it is the right one.
    found = page.get_by_role("listbox", name="Add a recipient").get_by_role("option", selected=True)
    await expect(found).to_be_visible()
    await page.keyboard.press("Enter")


async def enter(page: Page, line: str) -> None:
    """A line of the command line, done."""
    await page.keyboard.press("Escape")
    await page.keyboard.press(";")
    await page.keyboard.type(line)
    await page.keyboard.press("Enter")


def said(page: Page) -> Locator:
    """What the command line answers."""
    return page.locator("#command-says")


@contextlib.asynccontextmanager
async def rows(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """The database itself, for what a test looks up or puts there."""
    connection = await asyncpg.connect(database)
    try:
        yield connection
    finally:
        await connection.close()


async def leave_alone(screens: Screens, database: str, minutes: float) -> None:
    """As if nobody had used any console for so long: the server begins anew, and knows it."""
    await screens.server.kill()
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            "update session set active_at = now() - $1 * interval '1 minute'"
            " where person_id is not null",
            minutes,
        )
    finally:
        await connection.close()
    await screens.server.start()


async def at_work(page: Page) -> None:
    """The console is there, with its units."""
    await expect(page.get_by_role("option", name="P-901")).to_be_visible()


def lock_screen(page: Page) -> Locator:
    return page.get_by_role("form", name="Console locked")


async def locked(page: Page) -> Locator:
    screen = lock_screen(page)
    await expect(screen).to_be_visible()
    return screen
