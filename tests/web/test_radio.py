"""Two consoles talk over a voice group, with the browser's own microphone that beeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest_asyncio
from accessible import violations
from control import open_incident
from playwright.async_api import Locator, Page, expect
from screens import PATIENCE_MS, Screens, keep, showing
from tablets import A_DAY_BEHIND, Tablet, new_unit

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
WITHOUT_OPUS = "delete globalThis.AudioEncoder; delete globalThis.AudioDecoder;"
PITCH = """() => Math.max(0, ...(window.psnEars ?? []).map((ear) => {
  const loudness = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(loudness);
  const loudest = Math.max(...loudness);
  return loudest < -60 ? 0 : loudness.indexOf(loudest) * ear.context.sampleRate / ear.fftSize;
}))"""
LOUDEST = """() => Math.max(0, ...(window.psnEars ?? []).map((ear) => {
  const heard = new Float32Array(ear.fftSize);
  ear.getFloatTimeDomainData(heard);
  return Math.max(...heard.map(Math.abs));
}))"""


@pytest_asyncio.fixture
async def screens(database: str, chromium: str, tmp_path: Path) -> AsyncIterator[Screens]:
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(showing(database, chromium, tmp_path, *BEEPS))


async def at_the_console(screens: Screens, name: str, *scripts: str) -> Page:
    page = await screens.open(bypass_csp=True)
    for script in (LISTEN, *scripts):
        await page.add_init_script(script)
    await page.reload()
    return await screens.sign_in(name, page)


def radio(page: Page) -> Locator:
    return page.get_by_role("region", name="Radio")


async def again(
    attempt: Callable[[], Awaitable[None]], otherwise: Callable[[], Awaitable[None]]
) -> None:
    """On a busy machine a browser is still for a second now and then, which ends a talk."""
    for _ in range(3):
        try:
            return await attempt()
        except (AssertionError, TimeoutError):
            await otherwise()
    await attempt()


async def hears_something(page: Page, seconds: float = 6.0) -> None:
    # The page's own rules forbid what Playwright would evaluate to wait for this.
    async with asyncio.timeout(seconds):
        while await page.evaluate(LOUDEST) <= 0.01:
            await asyncio.sleep(0.1)


async def test_two_consoles_talk(screens: Screens) -> None:
    """Also when their clocks are a day apart."""
    police = await at_the_console(screens, "bpd.dispatch")
    coast = await at_the_console(screens, "bcg.dispatch", A_DAY_BEHIND)
    for page in (police, coast):
        await radio(page).get_by_label("Listen to…").select_option(label="JOC")
        await expect(radio(page).get_by_text("Quiet")).to_be_visible()
    talk = radio(coast).get_by_role("button", name="Talk in JOC")

    async def one_and_then_the_other() -> None:
        await police.keyboard.down("F7")
        await expect(radio(police).get_by_text("You talk")).to_be_visible()
        await expect(radio(coast).get_by_text("BPD Dispatcher")).to_be_visible()
        await hears_something(coast)
        await keep(coast, "radio-heard")
        await keep(police, "radio-talking")
        # Who presses meanwhile waits, and talks when the other is done.
        await talk.hover()
        await coast.mouse.down()
        await expect(radio(coast).get_by_text("You are next")).to_be_visible()
        await police.keyboard.up("F7")
        await expect(radio(coast).get_by_text("You talk")).to_be_visible()
        await hears_something(police)
        await coast.mouse.up()

    async def nobody() -> None:
        await police.keyboard.up("F7")
        await coast.mouse.up()

    await again(one_and_then_the_other, nobody)
    await expect(radio(coast).get_by_text("Quiet")).to_be_visible()

    assert await violations(coast) == []

    # What was said is heard again: both talks, one behind the other.
    await expect(radio(coast).get_by_text("Quiet")).to_be_visible()
    await radio(coast).get_by_role("button", name="Hear the last minute of JOC again").click()
    await expect(radio(coast).get_by_role("button", name="Stop")).to_be_visible()
    await expect(
        radio(coast).get_by_role("button", name="Hear the last minute of JOC again")
    ).to_be_visible()

    # What was chosen is there after a reload.
    volume = radio(coast).get_by_role("slider", name="Volume of JOC")
    await volume.press("ArrowLeft")
    await volume.press("ArrowLeft")
    await expect(volume).to_have_attribute("aria-valuetext", "80 %")
    await radio(coast).get_by_role("button", name="Mute JOC").click()
    await expect(volume).to_be_disabled()
    await coast.reload()
    await expect(volume).to_have_attribute("aria-valuetext", "80 %")
    await expect(radio(coast).get_by_role("button", name="Hear JOC")).to_be_visible()
    await radio(coast).get_by_role("button", name="Leave JOC").click()
    await expect(radio(coast).get_by_text("No group is heard here.")).to_be_visible()


async def test_an_attention_tone_is_said_whole_and_peril_interrupts(screens: Screens) -> None:
    police = await at_the_console(screens, "bpd.dispatch")
    coast = await at_the_console(screens, "bcg.dispatch")
    for page in (police, coast):
        await radio(page).get_by_label("Listen to…").select_option(label="JOC")
    pitches: set[int] = set()

    async def pressed_for_a_moment() -> None:
        await radio(police).get_by_role("button", name="Attention tone in JOC").click()
        async with asyncio.timeout(8):
            while not pitches >= {1_000, 1_500}:
                pitches.add(round(await coast.evaluate(PITCH) / 50) * 50)
        await expect(radio(coast).get_by_text("Quiet")).to_be_visible()

    async def nothing() -> None:
        await expect(radio(coast).get_by_text("Quiet")).to_be_visible()

    await again(pressed_for_a_moment, nothing)

    async def interrupted() -> None:
        await coast.keyboard.down("F7")
        await expect(radio(coast).get_by_text("You talk")).to_be_visible()
        await police.keyboard.down("Control")
        await police.keyboard.down("F7")
        await expect(radio(coast).get_by_text("Imminent peril")).to_be_visible()
        await expect(radio(coast).get_by_text("A more urgent call")).to_be_visible()
        await keep(coast, "radio-peril")

    async def nobody() -> None:
        for page in (police, coast):
            await page.keyboard.up("F7")
        await police.keyboard.up("Control")

    await again(interrupted, nobody)
    await nobody()
    assert await violations(police) == []


async def was_said(database: str, call: str) -> None:
    """Something was said in a call of this kind, and is kept."""
    connection = await asyncpg.connect(database)
    try:
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            while not await connection.fetchval(
                "select exists (select from recording where call = $1 and milliseconds > 0)", call
            ):
                await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def number_of(panel: Locator) -> str:
    """The incident's number, as the panel says it."""
    return (await panel.get_attribute("aria-label") or "").rpartition(" ")[2]


async def test_what_was_said_stands_in_the_incident(screens: Screens) -> None:
    page = await at_the_console(screens, "bpd.dispatch")
    panel = await open_incident(page, "Boat adrift off Turneffe")
    log = panel.get_by_role("log")
    await radio(page).get_by_label("Listen to…").select_option(label=await number_of(panel))
    await page.keyboard.down("F7")
    await expect(radio(page).get_by_text("You talk")).to_be_visible()
    await asyncio.sleep(1.5)
    await page.keyboard.up("F7")
    hear = log.get_by_role("button", name="Hear BPD Dispatcher again")
    await expect(hear).to_be_visible()
    await hear.click()
    await keep(page, "radio-in-the-log")
    await expect(log.get_by_role("button", name="Stop")).to_be_visible()
    await expect(hear).to_be_visible()
    assert await violations(page) == []


async def test_a_crew_talks_and_in_its_emergency_above_all(
    screens: Screens, tablet: Tablet, database: str
) -> None:
    """The tablet hears the groups of its unit; its red button makes what it says an emergency."""
    _, code = await new_unit(database)
    await tablet.enrol(code)
    page = tablet.page
    bar = page.get_by_role("region", name="Radio")
    await expect(bar.get_by_role("button", name="JOC")).to_be_visible()
    await expect(bar.get_by_text("Quiet")).to_be_visible()
    police = await at_the_console(screens, "bpd.dispatch")
    await radio(police).get_by_label("Listen to…").select_option(label="JOC")
    coast = await at_the_console(screens, "bcg.dispatch")
    await expect(radio(coast).get_by_text("No group is heard here.")).to_be_visible()
    key = bar.get_by_role("button", name="Hold to talk")

    async def press() -> None:
        await key.hover()
        await page.mouse.down()
        await expect(bar.get_by_text("You talk")).to_be_visible()

    async def heard() -> None:
        await press()
        await expect(radio(police).get_by_text("P-903")).to_be_visible()
        await hears_something(police)
        await keep(page, "field-talking")

    await again(heard, page.mouse.up)
    await page.mouse.up()
    await expect(bar.get_by_text("Quiet")).to_be_visible()

    # What is joined with its group stands beside it.
    await radio(police).get_by_label("Listen to…").select_option(label="BPD")
    await radio(police).get_by_label("Join JOC with another group").select_option(label="BPD")
    await expect(bar.get_by_role("button", name="JOC + BPD")).to_be_visible()
    await expect(page.get_by_text("BPD Dispatcher has joined JOC and BPD")).to_be_visible()
    await bar.get_by_role("button", name="JOC + BPD").click()
    await expect(page.get_by_text("Joined with BPD by BPD Dispatcher")).to_be_visible()
    await keep(page, "field-joined")
    await bar.get_by_role("button", name="JOC + BPD").click()
    await radio(police).get_by_role("button", name="Part JOC and BPD").click()
    await expect(bar.get_by_role("button", name="JOC", exact=True)).to_be_visible()

    # Its red button: what it says interrupts whoever talks.
    button = page.get_by_role("button", name="Hold for emergency")
    for _ in range(3):
        await button.click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Send now").click()
    # It begins the call by itself: what goes on there is said, though nobody holds the key.
    await expect(bar.get_by_role("button", name="Microphone is open")).to_be_visible()
    await expect(radio(coast).get_by_text("P-903")).to_be_visible()
    await keep(page, "field-open-microphone")
    await expect(page.get_by_role("alert")).to_contain_text("Nobody has taken it")
    await was_said(database, "emergency")
    await expect(key).to_be_visible()

    async def interrupts() -> None:
        await police.keyboard.down("F7")
        await expect(radio(police).get_by_text("You talk")).to_be_visible()
        await press()
        await expect(radio(police).get_by_text("Emergency", exact=True)).to_be_visible()
        await expect(radio(police).get_by_text("A more urgent call")).to_be_visible()
        # Who may hear it hears it, without having chosen the group.
        await expect(radio(coast).get_by_text("P-903")).to_be_visible()
        await hears_something(coast)
        await keep(page, "field-emergency-talking")
        await keep(police, "radio-emergency")

    async def nobody() -> None:
        await page.mouse.up()
        await police.keyboard.up("F7")

    await again(interrupts, nobody)
    await nobody()


async def test_who_calls_a_unit_that_is_not_there_is_told_so_once(
    screens: Screens, database: str
) -> None:
    await new_unit(database)
    police = await at_the_console(screens, "bpd.dispatch")
    await police.get_by_role("option", name="P-903").click()
    await police.get_by_role("complementary").get_by_role("button", name="Call").click()
    told = police.get_by_text("Nobody whom you call is connected")
    await expect(told).to_be_visible()
    await expect(told).to_have_count(1)
    await expect(police.get_by_text("The server reports a problem")).to_have_count(0)


async def test_a_dispatcher_calls_a_crew(screens: Screens, tablet: Tablet, database: str) -> None:
    """Nobody else hears it; it rings until it is answered, also where the page is loaded anew
    meanwhile, and is over when one leaves. Who was in it hears its last minute again.
    """
    _, code = await new_unit(database)
    await tablet.enrol(code)
    page = tablet.page
    police = await at_the_console(screens, "bpd.dispatch")
    await police.get_by_role("option", name="P-903").click()
    await police.get_by_role("complementary").get_by_role("button", name="Call").click()
    ringing = page.get_by_role("alert").filter(has_text="BPD Dispatcher calls you")
    await expect(ringing).to_be_visible()
    await keep(page, "field-called")
    await page.reload()
    await expect(ringing).to_be_visible()
    await ringing.get_by_role("button", name="Answer").click()
    await expect(ringing).to_have_count(0)
    key = page.get_by_role("region", name="Radio").get_by_role("button", name="Hold to talk")

    async def heard() -> None:
        await key.hover()
        await page.mouse.down()
        await expect(radio(police).get_by_text("P-903").nth(1)).to_be_visible()
        await hears_something(police)
        await keep(police, "radio-call")

    await again(heard, page.mouse.up)
    await page.mouse.up()
    await expect(radio(police).get_by_text("Quiet")).to_be_visible()
    await radio(police).get_by_role("button", name="Hear the last minute of P-903 again").click()
    await expect(radio(police).get_by_role("button", name="Stop")).to_be_visible()
    await radio(police).get_by_role("button", name="Stop").click()
    await radio(police).get_by_role("button", name="Leave P-903").click()
    await expect(page.get_by_text("The call is over.")).to_be_visible()


async def test_a_browser_without_opus_has_it_all_the_same(screens: Screens) -> None:
    """It loads libopus, which speaks with others' coders, under the page's own rules."""
    police = await at_the_console(screens, "bpd.dispatch")
    coast = await at_the_console(screens, "bcg.dispatch", WITHOUT_OPUS)
    strict = await screens.open()
    await strict.add_init_script(WITHOUT_OPUS)
    await strict.reload()
    await screens.sign_in("bdf.dispatch", strict)
    for page in (police, coast, strict):
        await radio(page).get_by_label("Listen to…").select_option(label="JOC")

    def heard(talker: Page, listener: Page) -> Callable[[], Awaitable[None]]:
        async def attempt() -> None:
            await talker.keyboard.down("F7")
            await expect(radio(talker).get_by_text("You talk")).to_be_visible()
            await hears_something(listener)
            await talker.keyboard.up("F7")
            await expect(radio(listener).get_by_text("Quiet")).to_be_visible()

        return attempt

    for talker, listener in ((police, coast), (coast, police), (strict, police)):
        await again(heard(talker, listener), lambda page=talker: page.keyboard.up("F7"))
        async with asyncio.timeout(10):  # what was said before is not taken for the next
            while await listener.evaluate(LOUDEST) > 0.01:
                await asyncio.sleep(0.1)


async def test_a_dispatcher_joins_two_groups(screens: Screens) -> None:
    """What is said in one is heard in the other, under the talker's name, until they are parted."""
    police = await at_the_console(screens, "bpd.dispatch")
    coast = await at_the_console(screens, "bcg.dispatch")
    await radio(coast).get_by_label("Listen to…").select_option(label="JOC")
    for group in ("BPD", "JOC"):
        await radio(police).get_by_label("Listen to…").select_option(label=group)
    await radio(police).get_by_label("Join BPD with another group").select_option(label="JOC")
    part = radio(coast).get_by_role("button", name="Part JOC and BPD")
    await expect(part).to_be_visible()
    news = "BPD Dispatcher has joined JOC and BPD: who talks in one is heard in both."
    await expect(radio(coast).get_by_text(news)).to_be_visible()
    await expect(radio(police).get_by_text("has joined")).to_have_count(0)
    await keep(coast, "radio-joined-by-another")

    async def heard() -> None:
        await police.keyboard.down("F7")
        await expect(radio(police).get_by_text("You talk")).to_be_visible()
        await expect(radio(coast).get_by_text("BPD Dispatcher", exact=True)).to_be_visible()
        await hears_something(coast)
        await keep(police, "radio-joined")

    await again(heard, lambda: police.keyboard.up("F7"))
    await police.keyboard.up("F7")
    assert await violations(police) == []

    # The coast guard does not talk in the police's group, so it does not part them either.
    await part.click()
    await expect(radio(coast).get_by_text("You may not join")).to_be_visible()
    await radio(police).get_by_role("button", name="Part BPD and JOC").click()
    await expect(part).to_have_count(0)
    await expect(radio(coast).get_by_text("JOC and BPD are joined no more")).to_be_visible()


async def test_a_dispatcher_calls_several(screens: Screens, tablet: Tablet, database: str) -> None:
    """A group for once: those who answer are in it, until who called ends it for all."""
    _, code = await new_unit(database)
    await tablet.enrol(code)
    page = tablet.page
    police = await at_the_console(screens, "bpd.dispatch")
    coast = await at_the_console(screens, "bcg.dispatch")
    await police.get_by_role("button", name="Call several").click()
    choice = police.get_by_role("dialog", name="Call several")
    await choice.get_by_role("button", name="Call", exact=True).click()
    await expect(choice.get_by_role("alert")).to_contain_text("Choose at least one")
    for name in ("P-903", "BCG Dispatcher"):
        await choice.get_by_role("combobox").fill(name)
        await choice.get_by_role("combobox").press("Enter")
    await choice.get_by_role("combobox").fill("JOC")
    await expect(choice.get_by_role("option", name="JOC Commander")).to_be_visible()
    await expect(choice.get_by_role("option", name="JOC Group")).to_have_count(0)
    await keep(police, "radio-call-several")
    assert await violations(police) == []
    await choice.get_by_role("button", name="Call", exact=True).click()
    await page.get_by_role("button", name="Answer").click()
    await coast.get_by_role("button", name="Answer").click()
    await expect(radio(coast).get_by_role("button", name="Talk in")).to_be_visible()
    await radio(police).get_by_role("button", name="End the call with").click()
    for each in (page, coast):
        told = each.get_by_text("Who called has ended the call for all.")
        await expect(told).to_be_visible()
    await expect(radio(police).get_by_text("No group is heard here.")).to_be_visible()
