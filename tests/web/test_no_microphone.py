"""Who has no microphone, may not use it, or loses it reads so, and hears all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect
from screens import Screens, keep, showing

pytestmark = pytest.mark.browser

BEEPS = (
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
ALLOWED = (*BEEPS, "--use-fake-ui-for-media-stream")
TRACKS = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (what) => {
  const stream = await ask(what);
  (window.psnTracks ??= []).push(...stream.getTracks());
  return stream;
};
"""
UNPLUG = "() => window.psnTracks.forEach((track) => track.dispatchEvent(new Event('ended')))"
"""What a browser does when the device goes (Media Capture, section 4.3.1)."""


@pytest.fixture
def arguments(request: pytest.FixtureRequest) -> Sequence[str]:
    found: Sequence[str] = request.param
    return found


@pytest.fixture
async def screens(
    database: str, chromium: str, tmp_path: Path, arguments: Sequence[str]
) -> AsyncIterator[Screens]:
    async with showing(database, chromium, tmp_path, *arguments) as shown:
        yield shown


def radio(page: Page) -> Locator:
    return page.get_by_role("region", name="Radio")


async def in_joc(screens: Screens, name: str, *scripts: str) -> Page:
    page = await screens.open()
    for script in scripts:
        await page.add_init_script(script)
    await page.reload()
    await screens.sign_in(name, page)
    await radio(page).get_by_label("Listen to…").select_option(label="JOC")
    await expect(radio(page).get_by_text("Quiet")).to_be_visible()
    return page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(BEEPS, "The microphone is not allowed here.", id="denied"),
        pytest.param((BEEPS[1],), "microphone", id="none"),
    ],
    indirect=["arguments"],
)
async def test_without_a_microphone_one_reads_why_and_the_floor_is_free(
    screens: Screens, says: str
) -> None:
    police, coast = [await in_joc(screens, name) for name in ("bpd.dispatch", "bcg.dispatch")]
    await police.keyboard.down("F7")
    await expect(radio(police)).to_contain_text(says)
    await expect(radio(coast).get_by_text("Quiet")).to_be_visible()
    await police.keyboard.up("F7")
    await keep(police, "radio-no-microphone")
    await expect(radio(police).get_by_text("You talk")).to_have_count(0)


@pytest.mark.parametrize("arguments", [ALLOWED], indirect=True, ids=[""])
async def test_a_microphone_is_unplugged_while_one_talks(screens: Screens) -> None:
    police = await in_joc(screens, "bpd.dispatch", TRACKS)
    coast = await in_joc(screens, "bcg.dispatch")
    await police.keyboard.down("F7")
    await expect(radio(police).get_by_text("You talk")).to_be_visible()
    await expect(radio(coast).get_by_text("BPD Dispatcher")).to_be_visible()
    await police.evaluate(UNPLUG)
    await expect(radio(police)).to_contain_text("it was unplugged")
    await expect(radio(coast).get_by_text("Quiet")).to_be_visible()
    await police.keyboard.up("F7")
    # Plugged in again, the next press talks.
    await police.keyboard.down("F7")
    await expect(radio(police).get_by_text("You talk")).to_be_visible()
    await expect(radio(police).get_by_text("unplugged")).to_have_count(0)
    await police.keyboard.up("F7")
