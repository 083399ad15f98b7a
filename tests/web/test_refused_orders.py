"""An order that the record refuses: what the desk sees, and does about it with one touch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import smsc
from accessible import AXE, violations
from control import Control, choose_list, controlling, open_incident
from playwright.async_api import Page, expect
from screens import at_work, keep
from stage import message
from tablets import control_room, rows

from psn import wire

pytestmark = pytest.mark.browser

UNITS = (("BPD", "P-903", "car"), ("BPD", "P-904", "car"))
CONSOLE = {"width": 1920, "height": 1080}
NEW_ID = "alter table assignment alter order_id set default "


@pytest_asyncio.fixture
async def control(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> AsyncIterator[Control]:
    async with controlling(database, chromium, tmp_path, UNITS) as there:
        yield there


async def refuse_next(control: Control, database: str) -> None:
    """Orders get the id of a message that is there already: the record refuses them for good."""
    (unit,) = await rows(database, "select id from unit where callsign = 'P-903'")
    room = await control_room(control)
    other = message(f"unit:{unit['id']}", "Something else")
    await room.peer.send(other)
    await room.peer.expect(wire.Ack, lambda ack: ack.id == other.id)
    await room.leave()
    await rows(database, f"{NEW_ID}'{other.id}'::uuid")


async def send(page: Page, callsign: str, title: str) -> None:
    """Send a unit to a new incident."""
    panel = await open_incident(page, title, place="Haulover Bridge", at="The middle of the map")
    await panel.get_by_role("button", name="Send units").click()
    await panel.get_by_role("checkbox", name=callsign).check()
    await panel.get_by_role("button", name="Send 1 unit").click()


async def test_an_order_that_cannot_be_delivered_is_sent_again_from_where_it_is_told(
    control: Control, database: str
) -> None:
    """DOM-ASG-11."""
    await refuse_next(control, database)
    page = await control.open(light=True, bypass_csp=True)
    await page.set_viewport_size(CONSOLE)
    await control.sign_in("bpd.dispatch", page)
    await at_work(page)
    await send(page, "P-903", "Burglary at the fish market")
    panel = page.get_by_role("article")
    told = panel.get_by_role("alert").filter(has_text="cannot be delivered")
    await expect(told).to_contain_text("another message has its number")
    await expect(panel).not_to_contain_text("not delivered yet")
    await choose_list(page, "Alarms")
    alarm = page.get_by_role("listitem").filter(has_text="P-903 (BPD-")
    alarm = alarm.filter(has_text="cannot be delivered")
    await expect(alarm).to_be_visible()
    await keep(page, "undeliverable-alarm")
    if AXE.is_file():
        assert await violations(page) == []
    await choose_list(page, "Units")
    unit = page.get_by_role("option", name="P-903")
    await expect(unit).to_contain_text("Order cannot be delivered")
    await unit.click()
    details = page.get_by_role("complementary", name="Unit")
    await expect(details.get_by_role("button", name="Send again")).to_be_visible()
    await keep(page, "undeliverable-unit")

    await details.get_by_role("button", name="Send again").click()
    await expect(told).to_have_count(0)
    await expect(unit).not_to_contain_text("Order cannot be delivered")
    await choose_list(page, "Alarms")
    await expect(alarm).to_have_count(0)
    await expect(panel.get_by_role("log")).to_contain_text("The order for P-903 is sent again")
    async with await control.crew("P-903") as crew:
        await crew.do("unit.status", status="acknowledged")
    await expect(panel).to_contain_text("acknowledged")


async def test_an_order_that_does_not_arrive_goes_by_sms(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> None:
    """DOM-ASG-13: the tablet of P-904 is not there, its telephone is."""
    async with smsc.running(tmp_path / "log") as centre:
        file = smsc.settings_file(tmp_path, centre.port)
        async with controlling(database, chromium, tmp_path, UNITS, PSN_SMSC=file) as control:
            page = await control.open()
            await page.goto(f"{page.url}admin#crews")
            await control.sign_in("bpd.admin", page)
            unit = page.get_by_role("table", name="Units").get_by_role("row", name="P-904")
            await unit.get_by_role("button", name="Change…").click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("Telephone").fill("call me")
            await dialog.get_by_role("button", name="Save").click()
            await expect(dialog.get_by_role("alert")).to_contain_text("is no telephone number")
            await keep(page, "sms-telephone")
            await dialog.get_by_label("Telephone").fill("610-1234")
            await dialog.get_by_role("button", name="Save").click()
            await expect(dialog).to_have_count(0)
            page = await control.open(bypass_csp=True)
            await page.set_viewport_size(CONSOLE)
            await control.sign_in("bpd.dispatch", page)
            await at_work(page)
            await send(page, "P-904", "Burglary at the fish market")
            await choose_list(page, "Alarms")
            alarm = page.get_by_role("listitem").filter(has_text="P-904 (BPD-")
            await expect(alarm.get_by_role("link", name="+5016101234")).to_be_visible()
            await alarm.get_by_role("button", name="Send by SMS").click()
            await expect(alarm.get_by_role("status")).to_contain_text("is on the telephone")
            await keep(page, "sms-order")
            if AXE.is_file():
                assert await violations(page) == []
            log = page.get_by_role("article").get_by_role("log")
            await expect(log).to_contain_text("The order for P-904 is sent by SMS")
            assert [each["to"] for each in centre.taken] == ["5016101234"]


async def test_that_the_crew_was_told_by_voice_is_noted_in_spanish_too(
    control: Control, database: str
) -> None:
    """DOM-ASG-11."""
    await refuse_next(control, database)
    page = await control.sign_in("bpd.dispatch")
    await page.set_viewport_size(CONSOLE)
    await at_work(page)
    await send(page, "P-903", "Burglary")
    await page.get_by_role("button", name="Español").click()
    panel = page.get_by_role("article")
    told = panel.get_by_role("alert").filter(has_text="no se puede entregar")
    await expect(told).to_contain_text("otro mensaje tiene su número")
    await choose_list(page, "Alarmas")
    alarm = page.get_by_role("listitem").filter(has_text="P-903 (BPD-").filter(has_text="radio")
    await expect(alarm).to_be_visible()
    await keep(page, "undeliverable-spanish")
    await alarm.get_by_role("button", name="La tripulación ya sabe").click()
    await expect(told).to_have_count(0)
    await expect(alarm).to_have_count(0)
    log = panel.get_by_role("log")
    await expect(log).to_contain_text("P-903: Enterada. Avisada por radio o teléfono")
    await expect(panel).to_contain_text("enterada")
    await expect(panel).not_to_contain_text("entregado")
    await keep(page, "undeliverable-told")
