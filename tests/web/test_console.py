"""The console as dispatchers use it: real browsers, a real server, a real database."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from psn import seed, wire
from psn.client import Client

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dispatch" / "web" / "dist"
ARGUMENTS = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--no-sandbox",
    "--disable-background-networking",
    "--no-first-run",
]
UNITS = [("BPD", "P-901", "car"), ("BCG", "B-901", "boat"), ("BDF", "F-901", "foot")]
PLACES = [(-88.1976, 17.4995), (-88.0200, 17.7400), (-88.7640, 17.2510)]
PATIENCE_MS = 20_000

pytestmark = pytest.mark.browser


class Server:
    """``psn serve`` as a process of its own, so that it can be stopped under the browsers."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def start(self) -> None:
        """Start on any port, and again on the same one."""
        port = self.url.rpartition(":")[2] or "0"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "psn", "serve"),
            cwd=ROOT,
            env=os.environ | {"PSN_DATABASE": self._database, "PSN_PORT": port},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 30)
        assert line.startswith(b"listening on "), line
        self.url = line.split()[-1].decode()

    async def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


class Stage:
    """A seeded network with three moving units, and a browser."""

    def __init__(self, server: Server, browser: Browser, passwords: dict[str, str]) -> None:
        self.server = server
        self.browser = browser
        self.passwords = passwords
        self.complaints: list[str] = []

    async def open(self, *, light: bool = False) -> Page:
        """A browser window of its own, with its own storage."""
        context = await self.browser.new_context(
            viewport={"width": 1280, "height": 800}, color_scheme="light" if light else "dark"
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self.server.url)
        return page

    async def sign_in(self, name: str, *, light: bool = False) -> Page:
        """A dispatcher at the console."""
        page = await self.open(light=light)
        await page.get_by_label("Name").fill(name)
        await page.locator("[name=password]").fill(self.passwords[name])
        await page.keyboard.press("Enter")
        await page.wait_for_selector("canvas")
        return page


async def _report(url: str, devices: list[tuple[int, int, str]]) -> None:
    """Three units move north by some ten metres, twice a second, until cancelled."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(Client(url, wire.DeviceAuth(device, secret)))
            for _, device, secret in devices
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


@pytest_asyncio.fixture
async def stage(database: str, chromium: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Server, units and browser; nothing on a page may raise."""
    if not (DIST / "index.html").is_file():
        pytest.skip("the pages are not built; run ./run web")
    connection = await asyncpg.connect(database)
    try:
        accounts = await seed.seed(connection, tmp_path / "passwords.json")
        devices = await seed.ensure_units(connection, UNITS)
    finally:
        await connection.close()
    server = Server(database)
    await server.start()
    reports = asyncio.create_task(_report(server.url, devices))
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            running = Stage(server, browser, {one.name: one.password for one in accounts})
            yield running
            await browser.close()
        assert running.complaints == []
    finally:
        reports.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reports
        await server.kill()


async def _keep(page: Page, name: str) -> None:
    """A screenshot for people to look at, where PSN_SCREENSHOTS names a folder."""
    folder = os.environ.get("PSN_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def _write(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.keyboard.press("Enter")


async def test_a_wrong_password_is_told_plainly(stage: Stage) -> None:
    page = await stage.open()
    await page.get_by_label("Name").fill("bpd.dispatch")
    await page.locator("[name=password]").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).not_to_be_empty(timeout=PATIENCE_MS)
    assert await page.locator("canvas").count() == 0
    await _keep(page, "sign-in")


async def test_units_of_other_agencies_move_and_are_found_by_keyboard(stage: Stage) -> None:
    page = await stage.sign_in("bpd.dispatch")
    for _, callsign, _ in UNITS:
        await expect(page.get_by_role("option", name=callsign)).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("/")
    await page.keyboard.type("coast b-901")
    await expect(page.get_by_role("option")).to_have_count(1, timeout=PATIENCE_MS)
    await page.keyboard.press("Enter")
    details = page.get_by_role("complementary")
    await expect(details).to_contain_text("Belize Coast Guard")
    await expect(details).to_contain_text("29.2 kn")
    before = await details.locator("dd.coordinates").inner_text()
    await expect(details.locator("dd.coordinates")).not_to_have_text(before, timeout=PATIENCE_MS)
    await expect(details).to_contain_text("today", timeout=PATIENCE_MS)
    await _keep(page, "details")
    await page.keyboard.press("Escape")
    await expect(details).to_have_count(0)


async def test_a_message_crosses_and_survives_the_server(stage: Stage) -> None:
    police = await stage.sign_in("bpd.dispatch")
    coast = await stage.sign_in("bcg.dispatch", light=True)
    await police.keyboard.press("n")
    await police.get_by_role("combobox").fill("bcg disp")
    await police.keyboard.press("Enter")
    await _write(police, "One boat to Haulover Creek, please.")
    await expect(police.get_by_role("log")).to_contain_text("Delivered to", timeout=PATIENCE_MS)

    await coast.bring_to_front()
    await coast.get_by_role("button", name="BPD Dispatcher").click()
    await expect(coast.get_by_role("log")).to_contain_text("Haulover Creek")
    await expect(police.get_by_role("log")).to_contain_text(
        "Read by BCG Dispatcher", timeout=PATIENCE_MS
    )
    await _keep(police, "read")

    await stage.server.kill()
    await police.bring_to_front()
    await expect(police.locator(".banner")).to_contain_text("Connection lost", timeout=PATIENCE_MS)
    await _write(police, "Written while the server was away.")
    await expect(police.get_by_role("log")).to_contain_text("Waiting to be sent")
    await _keep(police, "lost")

    await stage.server.start()
    await coast.bring_to_front()
    await expect(coast.get_by_role("log")).to_contain_text(
        "Written while the server was away.", timeout=PATIENCE_MS
    )
    await expect(police.locator(".banner")).to_have_count(0, timeout=PATIENCE_MS)
    await _keep(coast, "back")

    await police.reload()
    await police.get_by_role("button", name="BCG Dispatcher").click()
    log = police.get_by_role("log")
    await expect(log.get_by_text("Written while the server was away.")).to_have_count(1)
    await expect(log.get_by_text("One boat to Haulover Creek, please.")).to_have_count(1)


async def test_an_emergency_stays_until_somebody_acknowledges_it(stage: Stage) -> None:
    police = await stage.sign_in("bpd.dispatch")
    coast = await stage.sign_in("bcg.dispatch", light=True)
    await police.keyboard.press("n")
    await police.get_by_role("combobox").fill("bcg disp")
    await police.keyboard.press("Enter")
    await police.get_by_role("radio", name="Emergency").check(force=True)
    await _write(police, "Officer down at the pier.")

    await coast.bring_to_front()
    alarm = coast.get_by_role("button", name="Acknowledge")
    await expect(alarm).to_be_visible(timeout=PATIENCE_MS)
    await _keep(coast, "emergency")
    await coast.get_by_role("button", name="BPD Dispatcher").click()
    await expect(coast.get_by_role("log")).to_contain_text("Officer down")
    await expect(alarm).to_be_visible()
    await coast.reload()
    await expect(alarm).to_be_visible(timeout=PATIENCE_MS)
    await coast.keyboard.press("a")
    await expect(alarm).to_have_count(0)
    await expect(police.get_by_role("log")).to_contain_text("Read by", timeout=PATIENCE_MS)
