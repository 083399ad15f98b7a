"""Administration as officers use it: real browsers, a real server, a real database."""

from __future__ import annotations

import re

import asyncpg
import pytest
from playwright.async_api import Page, expect
from screens import WEB, Screens, keep

pytestmark = pytest.mark.browser
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
FOR_DISPATCH = ["Kinds of incidents", "Stations", "Crews", "Fence alarms", "Places"]
"""Their own stories: tests/web/test_settings.py."""
SIZES = {"wide": (1920, 1080), "narrow": (1280, 800)}


async def enter(screens: Screens, name: str, tab: str, *, light: bool = False) -> Page:
    """Somebody at a page of administration."""
    page = await screens.open(light=light, bypass_csp=True)
    await page.goto(f"{screens.server.url}/admin#{tab}")
    return await screens.sign_in(name, page)


async def test_only_tabs_that_roles_allow_are_there(screens: Screens) -> None:
    tabs = {}
    for name in ("bpd.admin", "bpd.auditor", "bpd.dispatch", "nemo.warning"):
        page = await enter(screens, name, "people")
        links = page.get_by_role("navigation").get_by_role("link")
        await expect(links.first).to_be_visible()
        tabs[name] = await links.all_inner_texts()
    assert tabs == {
        "bpd.admin": [
            "People",
            "Devices",
            "Units",
            "Groups",
            "Radio networks",
            "Sharing",
            "Agencies",
            "Sessions",
            "Audit",
            *FOR_DISPATCH[:3],
            FOR_DISPATCH[4],
        ],
        "bpd.auditor": [
            "People",
            "Devices",
            "Radio networks",
            "Sharing",
            "Agencies",
            "Sessions",
            "Audit",
        ],
        "bpd.dispatch": ["People", "Groups", "Radio networks", "Sharing", *FOR_DISPATCH],
        "nemo.warning": ["Groups", *FOR_DISPATCH],
    }


async def test_a_device_is_enrolled_by_a_code_that_is_shown_once(screens: Screens) -> None:
    page = await enter(screens, "bpd.admin", "devices")
    await page.get_by_role("button", name="Enrol a device").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What it is called").fill("Tablet 12")
    await dialog.get_by_label("It speaks for").select_option("P-901")
    await dialog.get_by_role("button", name="Make the code").click()
    code = page.locator("output")
    await expect(code).to_have_text(re.compile(r"^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$"))
    await expect(page.get_by_role("dialog").locator("img")).to_be_visible()
    natural = await page.get_by_role("dialog").locator("img").evaluate("i => i.naturalWidth")
    assert natural > 50
    await keep(page, "admin-code")
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    row = page.get_by_role("row", name="Tablet 12")
    await expect(row).to_contain_text("BPD Administrator")
    # The same again is refused, and nothing that was typed is lost.
    await page.get_by_role("button", name="Enrol a device").click()
    await dialog.get_by_label("What it is called").fill("Tablet 12")
    await dialog.get_by_label("It speaks for").select_option("P-901")
    await dialog.get_by_role("button", name="Make the code").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("waits for Tablet 12 already")
    await expect(dialog.get_by_label("What it is called")).to_have_value("Tablet 12")
    await page.keyboard.press("Escape")
    await row.get_by_role("button", name="Cancel code").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel code").click()
    await expect(row).to_have_count(0)


async def test_a_person_is_added_signs_in_and_is_given_a_role_while_at_work(
    screens: Screens,
) -> None:
    page = await enter(screens, "bpd.admin", "people")
    await page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Full name").fill("Eve <b>Cal</b>")
    await dialog.get_by_label("Name to sign in with").fill("bpd.eve")
    await dialog.get_by_label("Dispatcher ·").check()
    await dialog.get_by_role("button", name="Add a person").click()
    screens.passwords["bpd.eve"] = await page.locator("output").inner_text()
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    row = page.get_by_role("row", name="Eve <b>Cal</b>")
    await expect(row).to_contain_text("Dispatcher")
    eve = await enter(screens, "bpd.eve", "units")
    # Somebody else made the password, so another is chosen first.
    await expect(eve.get_by_role("heading", name="A password of your own")).to_be_visible()
    await keep(eve, "first-password")
    await eve.get_by_label("Password now").fill(screens.passwords["bpd.eve"])
    await eve.get_by_label("New password").fill("seven boats went out early")
    await eve.get_by_role("button", name="Change password").click()
    await eve.get_by_role("button", name="Go on").click()
    await expect(eve.get_by_role("link", name="Units")).to_have_count(0)
    await page.bring_to_front()
    await row.get_by_role("button", name="Roles…").click()
    await dialog.get_by_label("Supervisor ·").check()
    await dialog.get_by_role("button", name="Save roles").click()
    await expect(row).to_contain_text("Dispatcher, Supervisor")
    await eve.bring_to_front()
    await eve.reload()
    await eve.get_by_role("link", name="Units").click()
    await expect(eve.get_by_role("row", name="P-901")).to_be_visible()
    await page.bring_to_front()
    await row.get_by_role("button", name="Disable").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    await eve.bring_to_front()
    sign_in = eve.get_by_role("button", name="Sign in", exact=True)
    await expect(sign_in).to_be_visible()


async def test_an_agreement_changes_the_others_console_at_once_and_why_is_answered(
    screens: Screens,
) -> None:
    coast = await screens.sign_in("bcg.dispatch")
    option = coast.get_by_role("option", name="P-901")
    await expect(option).to_be_visible()
    page = await enter(screens, "bpd.admin", "sharing")
    cell = page.get_by_role("button", name="Belize Coast Guard: Exact, Messages. Change it")
    await cell.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Presence ·").check()
    await dialog.get_by_label("Reason").fill("Regatta, order 12/2026")
    await expect(dialog).to_contain_text(
        "from now on: units presence, messages. So far: units exact, messages."
    )
    await dialog.get_by_role("button", name="Agree").click()
    await expect(page.get_by_role("status").first).to_contain_text("Agreed with Belize Coast Guard")
    await coast.bring_to_front()
    await expect(option).to_contain_text("place not shared")

    await page.bring_to_front()
    why = page.get_by_role("region", name="Why can somebody see a unit?")
    await why.get_by_label("Who sees").select_option("Belize Coast Guard")
    await why.get_by_label("Unit").fill("BPD/P-901")
    await why.get_by_role("button", name="Ask").click()
    await expect(why).to_contain_text("Belize Coast Guard sees P-901: presence.")
    await expect(why).to_contain_text("Regatta, order 12/2026, without an end")

    await page.get_by_role("button", name="Belize Coast Guard: Presence, Messages").click()
    await dialog.get_by_label("Nothing ·").check()
    await dialog.get_by_label("They may write").uncheck()
    await dialog.get_by_role("button", name="End what is agreed").click()
    await coast.bring_to_front()
    await expect(option).to_have_count(0)


async def test_an_undercover_unit_is_made_and_the_reason_is_kept_on_an_error(
    screens: Screens,
) -> None:
    page = await enter(screens, "bpd.supervisor", "sharing")
    await page.get_by_role("button", name="Add an exception").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Unit").fill("P-901")
    await dialog.get_by_label("Reason").fill("order 7/2026")
    await dialog.get_by_label("Ends").fill("2020-01-01T00:00")
    await dialog.get_by_role("button", name="Add an exception").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("That end is past")
    await expect(dialog.get_by_label("Reason")).to_have_value("order 7/2026")
    await dialog.get_by_label("Ends").fill("")
    await dialog.get_by_role("button", name="Add an exception").click()
    row = page.get_by_role("row", name="P-901")
    await expect(row).to_contain_text("Undercover")
    coast = await screens.sign_in("bcg.dispatch")
    await expect(coast.get_by_role("option", name="P-902")).to_be_visible()
    await expect(coast.get_by_role("option", name="P-901")).to_have_count(0)


async def test_glass_is_broken_at_the_console_shown_and_ended_and_reviewed(
    screens: Screens,
) -> None:
    boss = await enter(screens, "bcg.admin", "sharing")
    for agency in ("Belize Police Department",):
        await boss.get_by_role("button", name=f"{agency}: Exact").click()
        dialog = boss.get_by_role("dialog")
        await dialog.get_by_label("Nothing ·").check()
        await dialog.get_by_label("They may write").uncheck()
        await dialog.get_by_role("button", name="End what is agreed").click()
        await expect(dialog).to_have_count(0)
    police = await screens.sign_in("bpd.dispatch")
    boat = police.get_by_role("option", name="B-901")
    await expect(police.get_by_role("option", name="F-901")).to_be_visible()
    await expect(boat).to_have_count(0)
    await police.keyboard.press("g")
    dialog = police.get_by_role("dialog")
    await dialog.get_by_label("Whose units").select_option("Belize Coast Guard")
    await dialog.get_by_label("Why").fill("A boat is sinking off Caye Caulker")
    await keep(police, "glass-dialog")
    await dialog.get_by_role("button", name="Break the glass").click()
    banner = police.locator(".banner.glass")
    await expect(banner).to_contain_text("You have broken the glass of Belize Coast Guard.")
    await expect(banner).to_contain_text(re.compile(r"(29|30):\d\d left"))
    await expect(boat).to_be_visible()
    await keep(police, "glass-banner")
    await police.reload()
    await expect(banner).to_be_visible()
    await police.get_by_role("button", name="End it now").click()
    await expect(banner).to_have_count(0)
    await expect(boat).to_have_count(0)
    await boss.bring_to_front()
    await boss.reload()
    await boss.get_by_role("button", name="Review…").click()
    await boss.get_by_label("What the review found").fill("justified")
    await boss.get_by_role("dialog").get_by_role("button", name="Review").click()
    await expect(boss.get_by_role("row", name="sinking")).to_contain_text("justified")


async def test_an_agency_says_how_long_it_keeps_and_lays_a_hold(screens: Screens) -> None:
    page = await enter(screens, "bpd.admin", "agencies")
    row = page.get_by_role("row", name="Tracks")
    await expect(row).to_contain_text("30 days · as for everyone")
    await row.get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("So many days").check()
    await dialog.get_by_role("spinbutton", name="Days").fill("90")
    await keep(page, "admin-period")
    await dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("90 days")
    await expect(row).not_to_contain_text("as for everyone")
    await expect(page.get_by_role("row", name="Incidents")).to_contain_text("2,557 days")
    await page.get_by_role("button", name="Add a hold").click()
    await dialog.get_by_label("Reason").fill("claim 120/2026")
    await dialog.get_by_label("An incident").check()
    await dialog.get_by_label("Its number").fill("bpd-20-00001")
    await dialog.get_by_role("button", name="Add a hold").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await keep(page, "admin-hold-number")
    await dialog.get_by_label("A unit").check()
    await dialog.get_by_label("What is kept").select_option("P-901")
    await expect(dialog.get_by_label("Reason")).to_have_value("claim 120/2026")
    await keep(page, "admin-hold")
    await dialog.get_by_role("button", name="Add a hold").click()
    held = page.get_by_role("row", name="claim 120/2026")
    await expect(held).to_contain_text("P-901")
    await expect(held).to_contain_text("BPD Administrator")
    await keep(page, "admin-agencies")
    await held.get_by_role("button", name="End").click()
    await dialog.get_by_role("button", name="End").click()
    await expect(held).to_have_count(0)


async def test_the_audit_is_read_by_who_what_and_when(screens: Screens) -> None:
    page = await enter(screens, "bpd.admin", "groups")
    await page.get_by_role("button", name="Add a group").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("<i>Night</i>")
    await page.get_by_role("dialog").get_by_role("button", name="Add a group").click()
    await expect(page.get_by_role("row", name="Night")).to_be_visible()
    await page.get_by_role("link", name="Audit").click()
    await page.get_by_label("Who", exact=True).fill("person:2")
    await page.get_by_label("What", exact=True).fill("group.added")
    await page.get_by_role("button", name="Show").click()
    await keep(page, "admin-audit-found")
    await page.get_by_label("Until").fill("2020-01-01T00:00")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("Nothing matches.")).to_be_visible()
    await page.get_by_label("Until").fill("")
    await page.get_by_label("Who", exact=True).fill("")
    await page.get_by_role("button", name="Show").click()
    row = page.get_by_role("row", name="Night")
    await expect(row).to_contain_text("BPD Administrator")
    await expect(row).to_contain_text("<i>Night</i>")


async def test_administration_is_used_by_keyboard_alone(screens: Screens) -> None:
    page = await enter(screens, "bpd.admin", "people")
    await expect(page.get_by_role("row", name="bpd.dispatch")).to_be_visible()
    add = page.get_by_role("button", name="Add a person")
    for _ in range(30):
        if await add.evaluate("node => node === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await add.evaluate("node => node === document.activeElement")


async def _violations(page: Page) -> list[str]:
    await page.add_script_tag(path=AXE)
    found = await page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map("
        "({id, impact, nodes}) => [impact, id, nodes.map((n) => n.target.join(' ')).join(', ')])"
    )
    return [f"{impact} {rule}: {where}" for impact, rule, where in found]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_pages_are_for_everyone(screens: Screens, light: bool, size: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    page = await enter(screens, "bpd.admin", "people", light=light)
    width, height = SIZES[size]
    await page.set_viewport_size({"width": width, "height": height})
    name = f"{size}-{'day' if light else 'night'}"
    tabs = ("People", "Devices", "Units", "Groups", "Agencies", "Sessions", "Audit", "Sharing")
    for tab in tabs:
        await page.get_by_role("navigation").get_by_role("link", name=tab).click()
        await expect(page.get_by_role("heading", name=tab, exact=True)).to_be_visible()
        await expect(page.get_by_text("Loading…")).to_have_count(0)
        await keep(page, f"admin-{tab.lower()}-{name}")
        assert await _violations(page) == []
        overflow = await page.evaluate(
            "() => [...document.querySelectorAll('main, .sheet')]"
            ".filter((node) => node.scrollWidth > node.clientWidth + 1).map((n) => n.className)"
        )
        assert overflow == [], tab
    await page.get_by_role("button", name="Belize Coast Guard: Exact").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await keep(page, f"admin-agree-{name}")
    assert await _violations(page) == []


async def test_administration_locks_and_asks_who_it_is_before_it_changes_who_signs_in(
    screens: Screens, database: str
) -> None:
    """DOM-SES-6: signed in an hour ago, away for half of it."""
    page = await enter(screens, "bpd.admin", "people")
    await page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    await dialog.get_by_label("Full name").fill("Eve Cal")
    await dialog.get_by_label("Name to sign in with").fill("bpd.eve")
    await dialog.get_by_label("Dispatcher ·").check()
    await screens.server.kill()
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            "update session set active_at = now() - interval '31 minutes',"
            " created_at = now() - interval '1 hour' where person_id is not null"
        )
    finally:
        await connection.close()
    await screens.server.start()
    lock = page.get_by_role("form", name="Console locked")
    await expect(lock).to_be_visible()
    await expect(dialog).not_to_be_visible()
    await keep(page, "admin-locked")
    await page.locator("[name=unlock]").fill(screens.passwords["bpd.admin"])
    await page.keyboard.press("Enter")
    await expect(lock).to_have_count(0)
    await expect(dialog.get_by_label("Full name")).to_have_value("Eve Cal")
    # Unlocking was a proof. Some time later another one is asked for.
    await screens.server.kill()
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            "update session set created_at = now() - interval '1 hour', active_at = now()"
        )
    finally:
        await connection.close()
    await screens.server.start()
    await expect(page.locator(".banner.bad")).to_have_count(0)
    await dialog.get_by_role("button", name="Add a person").click()
    proof = page.get_by_role("dialog", name="Is it you?")
    await expect(proof).to_be_visible()
    await keep(page, "admin-proof")
    await page.keyboard.press("Escape")
    await expect(dialog.get_by_role("alert")).to_contain_text("Nothing was changed")
    await dialog.get_by_role("button", name="Add a person").click()
    await page.locator("[name=proof]").fill("not this password")
    await page.keyboard.press("Enter")
    await expect(proof.get_by_role("alert")).to_contain_text("password is wrong")
    await page.locator("[name=proof]").fill(screens.passwords["bpd.admin"])
    await page.keyboard.press("Enter")
    await expect(page.locator("output")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(page.get_by_role("row", name="Eve Cal")).to_be_visible()
    await keep(page, "admin-people")
