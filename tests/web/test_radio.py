"""Two consoles talk over a voice group, with the browser's own microphone that beeps."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from screens import PATIENCE_MS, Screens, keep, showing
from test_accessibility import violations

BEEPS = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
LISTEN = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...more) {
  if (to instanceof AudioDestinationNode && this instanceof StereoPannerNode) {
    const ear = new AnalyserNode(this.context, { fftSize: 4096 });
    connect.call(this, ear);
    (window.psnEars ??= []).push(ear);
  }
  return connect.call(this, to, ...more);
};
"""
LOUDEST = """() => Math.max(0, ...(window.psnEars ?? []).map((ear) => {
  const heard = new Float32Array(ear.fftSize);
  ear.getFloatTimeDomainData(heard);
  return Math.max(...heard.map(Math.abs));
}))"""


@pytest_asyncio.fixture
async def screens(database: str, chromium: str, tmp_path: Path) -> AsyncIterator[Screens]:
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(showing(database, chromium, tmp_path, *BEEPS))


async def at_the_console(screens: Screens, name: str) -> Page:
    page = await screens.open()
    await page.add_init_script(LISTEN)
    await page.reload()
    return await screens.sign_in(name, page)


def radio(page: Page) -> Locator:
    return page.get_by_role("region", name="Radio")


async def hears_something(page: Page) -> None:
    await page.wait_for_function(f"({LOUDEST})() > 0.01", timeout=PATIENCE_MS)


async def test_two_consoles_talk(screens: Screens) -> None:
    police = await at_the_console(screens, "bpd.dispatch")
    coast = await at_the_console(screens, "bcg.dispatch")
    for page in (police, coast):
        await radio(page).get_by_label("Listen to…").select_option(label="JOC")
        await expect(radio(page).get_by_text("Quiet")).to_be_visible()
    await police.keyboard.down("F8")
    await expect(radio(police).get_by_text("You talk")).to_be_visible(timeout=PATIENCE_MS)
    await expect(radio(coast).get_by_text("BPD Dispatcher")).to_be_visible(timeout=PATIENCE_MS)
    await hears_something(coast)
    await keep(coast, "radio-heard")
    await keep(police, "radio-talking")
    assert await violations(coast) == []

    # Who presses meanwhile waits, and talks when the other is done.
    talk = radio(coast).get_by_role("button", name="Talk in JOC")
    await talk.hover()
    await coast.mouse.down()
    await expect(radio(coast).get_by_text("You are next")).to_be_visible(timeout=PATIENCE_MS)
    await police.keyboard.up("F8")
    await expect(radio(coast).get_by_text("You talk")).to_be_visible(timeout=PATIENCE_MS)
    await hears_something(police)
    await coast.mouse.up()
    await expect(radio(coast).get_by_text("Quiet")).to_be_visible(timeout=PATIENCE_MS)

    # What was chosen is there after a reload.
    await radio(coast).get_by_role("button", name="Mute JOC").click()
    await coast.reload()
    await expect(radio(coast).get_by_role("button", name="Hear JOC")).to_be_visible(
        timeout=PATIENCE_MS
    )
    await radio(coast).get_by_role("button", name="Leave JOC").click()
    await expect(radio(coast).get_by_text("No group is heard here.")).to_be_visible()
