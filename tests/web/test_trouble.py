"""What a dispatcher reads when the network is in trouble, and that nothing written is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect
from screens import Screens, address, keep, showing, write
from stage import mistreated

from psn.cluster import Cluster

pytestmark = pytest.mark.browser


@pytest.fixture
def victim() -> Iterator[Cluster]:
    """A cluster of this test alone, to be mistreated."""
    with mistreated("psn") as running:
        yield running


async def test_a_slow_server_is_called_slow(screens: Screens) -> None:
    page = await screens.sign_in("bpd.dispatch")
    await expect(page.get_by_role("option", name="P-901")).to_be_visible()
    await page.wait_for_timeout(4_000)  # what comes just after signing in does not count
    screens.server.send(signal.SIGSTOP)
    banner = page.locator(".banner")
    await expect(banner).to_contain_text("Slow connection")
    await keep(page, "slow")
    screens.server.send(signal.SIGCONT)
    await expect(banner).to_have_count(0)


async def test_while_the_database_is_away_messages_wait_and_the_map_is_live(
    victim: Cluster, chromium: str, tmp_path: Path, pages: None
) -> None:
    async with showing(victim.dsn("psn"), chromium, tmp_path) as screens:
        page = await screens.sign_in("bpd.dispatch")
        await page.get_by_role("option", name="B-901").click()
        await address(page, "bcg disp")
        await write(page, "Before.")
        log = page.get_by_role("log")
        await expect(log).to_contain_text("Sent")
        victim.kill9()
        await write(page, "Meanwhile.")
        banner = page.locator(".banner")
        await expect(banner).to_contain_text("cannot store messages")
        await keep(page, "database-away")
        place = page.get_by_role("complementary").locator("dd.coordinates")
        before = await place.inner_text()
        await expect(place).not_to_have_text(before)
        victim.start()
        await expect(banner).to_have_count(0)
        await expect(log.get_by_text("Meanwhile.")).to_have_count(1)
        await expect(log).not_to_contain_text("Sending")


async def test_an_emergency_is_heard_and_can_be_silenced(screens: Screens) -> None:
    police = await screens.sign_in("bpd.dispatch")
    coast = await screens.open(bypass_csp=True)
    await coast.evaluate(
        "() => { window.notes = 0; const make = AudioContext.prototype.createOscillator;"
        " AudioContext.prototype.createOscillator = function () {"
        " window.notes += 1; return make.call(this); }; }"
    )
    await screens.sign_in("bcg.dispatch", coast)

    async def alarm(text: str) -> None:
        await police.bring_to_front()
        await police.get_by_role("radio", name="Emergency").check(force=True)
        await write(police, text)
        await coast.bring_to_front()
        await expect(coast.get_by_role("alert").filter(has_text="Emergency")).to_be_visible()

    await address(police, "bcg disp")
    await alarm("Officer down.")
    await coast.wait_for_function("window.notes > 4")
    await coast.keyboard.press("s")
    await expect(coast.get_by_role("button", name="Silence")).to_have_count(0)
    quiet = await coast.evaluate("window.notes")
    await coast.wait_for_timeout(2_500)
    assert await coast.evaluate("window.notes") == quiet
    await alarm("Second officer down.")
    await coast.wait_for_function(f"window.notes > {quiet}")
    await coast.keyboard.press("a")
    await coast.keyboard.press("a")  # not typed into the conversation that opened
    await expect(coast.get_by_role("button", name="Acknowledge")).to_have_count(0)
