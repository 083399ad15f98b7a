"""Radio networks as officers see and keep them: a real browser, server, database and gateway."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect
from screens import Screens, keep, rows

from psn import wire
from psn.client import Client, ClientRefused
from psn.enrolment import device_key
from psn.enrolment.device_key import Enrolled
from psn.wire import Heard, RadioCall, RadioMissed, RadioSite

pytestmark = pytest.mark.browser
KEY = device_key.new()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def enter(screens: Screens, name: str, *, spanish: bool = False, light: bool = False) -> Page:
    page = await screens.open(light=light)
    if spanish:
        await page.evaluate("localStorage.setItem('psn:language', 'es')")
    await page.goto(f"{screens.server.url.replace('127.0.0.1', 'localhost')}/admin#radio")
    if not spanish:
        return await screens.sign_in(name, page)
    await page.get_by_label("Nombre").fill(name)
    await page.locator("[name=password]").fill(screens.passwords[name])
    await page.keyboard.press("Enter")
    await page.wait_for_selector("main")
    return page


@contextlib.asynccontextmanager
async def gateway(screens: Screens, database: str) -> AsyncIterator[Client]:
    """A gateway of the police, as one was enrolled."""
    async with rows(database) as connection:
        number = await connection.fetchval(
            "insert into device (agency_id, label, gateway, public_key)"
            " select id, 'Bridge at Baldy', true, $1 from agency where code = 'BPD' returning id",
            KEY.public,
        )
    while True:
        async with Client(screens.server.url, Enrolled(number, KEY)) as client:
            try:
                await client.up()
            except ClientRefused:  # the server does not know of it yet
                await asyncio.sleep(0.1)
                continue
            await client.radio.serve()
            yield client
            return


async def tell(client: Client, network: int) -> None:
    """What a gateway tells of an ordinary minute."""
    now, peak = now_ms(), (-881_900_000, 171_000_000)
    await client.radio.heard(
        [
            Heard(network, 4711, now, "call", "Baldy Beacon"),
            Heard(network, 4799, now - 60_000, "emergency", "Victoria Peak", *peak),
            Heard(network, 4800, now - 90_000, "call", "Baldy Beacon", None, None, "Corozal"),
        ]
    )
    await client.radio.state(
        [
            RadioSite(network, "Baldy Beacon", "repeater", True, now - 7_200_000, 98, 4, -87),
            RadioSite(network, "Victoria Peak", "repeater", False, now - 600_000),
        ],
        [RadioCall(network, 4711, now, 9, None, "Baldy Beacon", "emergency")],
        {"homebrew_wrong_secret": 3, "calls_busy": 12},
        voiceless=[network],
        missed=RadioMissed(now - 900_000, now - 840_000, 2),
    )


async def look_at_the_console(screens: Screens, client: Client) -> None:
    """A dispatcher sees the same beside his voice groups, and that radios do not hear one.

    DOM-RAD-27.
    """
    page = await screens.sign_in("bpd.dispatch")
    (joined,) = client.radio.plan.talkgroups.values()
    await client.voice.join(joined.group)
    await client.radio.reach({joined.group: "voiceless"})
    bar = page.get_by_role("region", name="Radio", exact=True)
    await bar.get_by_label("Listen to…").select_option(joined.name)
    await expect(bar.get_by_text("Radios: no voice")).to_be_visible()
    await keep(page, "radio-reach")
    await client.radio.reach({joined.group: "heard"})
    await expect(bar.get_by_text("Radios: no voice")).to_have_count(0)
    await bar.get_by_role("button", name="Radio networks").click()
    dialog = page.get_by_role("dialog", name="Radio networks")
    there = dialog.get_by_role("region", name="National")
    await expect(there.get_by_role("row").filter(has_text="Victoria Peak")).to_contain_text("down")
    await expect(there.get_by_role("list", name="Calls now")).to_contain_text("Somebody")
    await there.get_by_text("Not taken or not passed on so far").click()
    await expect(there).to_contain_text("Somebody keyed while another had the talkgroup.")
    await expect(there.get_by_role("listitem").filter(has_text="4799").first).to_be_visible()
    await keep(page, "radio-networks-console")
    # Live: nobody asks for it.
    heard = Heard(joined.network, 4811, now_ms(), "text", "Corozal")
    await client.radio.heard([heard])
    await expect(there.get_by_role("listitem").filter(has_text="4811").first).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_an_administrator_keeps_a_radio_network(screens: Screens, database: str) -> None:
    """DOM-RAD-14, DOM-RAD-16, DOM-RAD-19."""
    async with gateway(screens, database) as client:
        page = await enter(screens, "bpd.admin")
        dialog = page.get_by_role("dialog")
        await expect(page.get_by_text("No radio network in which")).to_be_visible()
        await page.get_by_role("button", name="Add a radio network").click()
        await dialog.get_by_label("Name").fill("National")
        await dialog.get_by_role("button", name="Add a radio network").click()
        there = page.get_by_role("region", name="National")
        await expect(there).to_contain_text("No gateway serves it yet.")
        await there.get_by_role("button", name="Gateways…").click()
        await dialog.get_by_label("Bridge at Baldy").check()
        await dialog.get_by_role("button", name="Save").click()
        await expect(there).to_contain_text("Connected since")
        await there.get_by_role("button", name="Join a talkgroup").click()
        await dialog.get_by_label("Talkgroup").fill("9")
        await dialog.get_by_role("combobox", name="Group").select_option(index=0)
        await dialog.get_by_role("button", name="Join a talkgroup").click()
        await expect(there.get_by_role("listitem").filter(has_text="9 ↔")).to_be_visible()
        network = client.radio.plan.network("National")
        assert network is not None
        await tell(client, network)
        unknown = there.get_by_role("row").filter(has_text="4711")
        await unknown.get_by_role("button", name="Give to a unit…").click()
        await expect(dialog.get_by_label("Radio", exact=True)).to_have_value("4711")
        await dialog.get_by_role("combobox", name="Unit").select_option("P-901")
        await dialog.get_by_role("button", name="Give").click()
        await expect(there.get_by_role("row").filter(has_text="BPD/P-901")).to_contain_text("4711")
        assert client.radio.plan.radios[wire.Radio(network, 4711)].callsign == "P-901"
        pressed = there.get_by_role("row").filter(has_text="4799")
        await expect(pressed).to_contain_text("Red button")
        await expect(pressed).to_contain_text("17.10000, -88.19000")
        double = there.get_by_role("row").filter(has_text="4800")
        await expect(double).to_contain_text("two radios have this number")
        await expect(there).to_contain_text("No vocoder")
        await expect(there).to_contain_text("2 calls were missed")
        await expect(there.get_by_role("list", name="Calls now")).to_contain_text("P-901")
        await keep(page, "radio-networks")
        await double.get_by_role("button", name="Forget").click()
        await expect(double).to_have_count(0)

        # A dispatcher sees how it is, and changes nothing; in Spanish too.
        desk = await enter(screens, "bpd.dispatch", spanish=True, light=True)
        seen = desk.get_by_role("region", name="National")
        await expect(seen).to_contain_text("Sin vocodificador")
        await expect(seen.get_by_role("row").filter(has_text="4799")).to_contain_text("Botón rojo")
        await expect(seen.get_by_role("button")).to_have_count(0)
        await keep(desk, "radio-networks-es")
        await look_at_the_console(screens, client)
        # Another agency, which takes no part, sees nothing of it.
        other = await enter(screens, "bcg.admin")
        await expect(other.get_by_text("No radio network in which")).to_be_visible()
    await expect(there).to_contain_text("Lost since")
