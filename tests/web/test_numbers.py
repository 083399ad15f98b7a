"""The page of numbers as a supervisor uses it: a real browser, server and database."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import jobs
import pytest
from playwright.async_api import Page, expect
from screens import WEB, Screens, keep

pytestmark = pytest.mark.browser
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"wide": (1920, 1080), "narrow": (1280, 800)}
TYPES = (
    ("theft", "Theft", "Robo"),
    ("hit_and_run", "Hit and run", "Choque y fuga"),
    ("drowning", "Person in the water", "Persona en el agua"),
    ("fire", "Structure fire", "Incendio"),
)


@pytest.fixture
async def worked(database: str, screens: Screens) -> None:
    """A month of work of three agencies."""
    connection = await asyncpg.connect(database)
    try:
        agencies = {
            row["code"]: row["id"] for row in await connection.fetch("select code, id from agency")
        }
        types = [
            await connection.fetchval(
                "insert into incident_type (agency_id, code, name, name_es)"
                " values ($1, $2, $3, $4) returning id",
                agencies["BPD"],
                *names,
            )
            for names in TYPES
        ]
        now = datetime.now(UTC)
        codes = [agencies[code] for code in ("BPD", "BPD", "BPD", "BCG", "BDF")]
        made = jobs.some(300, random.Random(5), now, 29, codes, types)
        for job in made:
            if job.agency != agencies["BPD"]:
                job.type = None
        await jobs.put(connection, made)
    finally:
        await connection.close()


async def enter(screens: Screens, name: str, *, light: bool = False) -> Page:
    """Somebody at the page of numbers."""
    page = await screens.open(light=light, bypass_csp=True)
    await page.goto(f"{screens.server.url.replace('127.0.0.1', 'localhost')}/numbers")
    return await screens.sign_in(name, page)


async def loaded(page: Page) -> None:
    await expect(page.get_by_role("table", name=re.compile("Altogether"))).to_be_visible()


async def test_a_supervisor_chooses_what_is_shown(screens: Screens, worked: None) -> None:
    page = await enter(screens, "bpd.supervisor")
    await loaded(page)
    row = page.get_by_role("table", name=re.compile("Altogether")).get_by_role(
        "row", name=re.compile("Call to dispatch")
    )
    # By symbol and by word.
    await expect(row).to_contain_text(re.compile("Met|Missed"))
    await expect(row.locator("td.target svg")).to_have_count(1)
    await expect(page.get_by_role("heading", name="By priority")).to_be_visible()
    await page.get_by_label("Grouped by").select_option("District")
    await expect(page.get_by_role("heading", name="By district")).to_be_visible()
    await expect(page.get_by_role("row", name=re.compile("Stann Creek")).first).to_be_visible()
    await page.get_by_label("Grouped by").select_option("Type")
    await expect(page.get_by_role("row", name=re.compile("Hit and run")).first).to_be_visible()
    await expect(page.get_by_text("incidents with more than one agency")).to_be_visible()
    await expect(page.get_by_text(re.compile(r"without a place on the map"))).to_be_visible()
    before = await row.locator("td.number").first.inner_text()
    await page.get_by_label("Period").select_option("Last 7 days")
    await expect(row.locator("td.number").first).not_to_have_text(before)


async def test_days_are_chosen_and_wrong_ones_are_said(screens: Screens, worked: None) -> None:
    page = await enter(screens, "bpd.supervisor")
    await loaded(page)
    await page.get_by_label("Period").select_option("From day to day")
    today = datetime.now(UTC) - timedelta(hours=6)
    await page.get_by_label("From", exact=True).fill(f"{today - timedelta(days=3):%Y-%m-%d}")
    await page.get_by_label("To", exact=True).fill(f"{today - timedelta(days=5):%Y-%m-%d}")
    await expect(page.get_by_role("alert")).to_contain_text("the first not after the last")
    # What was asked for before may be answered only now.
    last = f"{today - timedelta(days=1):%Y-%m-%d}"
    midnight = datetime.strptime(last + " -0600", "%Y-%m-%d %z") + timedelta(days=1)
    asked = re.compile(rf"/api/numbers\?.*\bto={round(midnight.timestamp() * 1_000)}\b")
    async with page.expect_response(asked) as answered:
        await page.get_by_label("To", exact=True).fill(last)
    said = await (await answered.value).json()
    assert said["end"] - said["begin"] == 3 * 86_400_000
    await expect(page.get_by_role("alert")).to_have_count(0)
    # Longer than the server answers: it says why, and what was shown stays.
    await page.get_by_label("From", exact=True).fill("2020-01-01")
    await expect(page.get_by_role("alert")).to_contain_text("400 days")
    await expect(page.get_by_role("table", name=re.compile("Altogether"))).to_be_visible()


async def test_the_same_is_saved_as_csv_and_printed(
    screens: Screens, worked: None, tmp_path: Path
) -> None:
    page = await enter(screens, "bpd.supervisor")
    await loaded(page)
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Save as CSV").click()
    download = await saving.value
    assert download.suggested_filename == "numbers-by-priority.csv"
    file = tmp_path / "numbers.csv"
    await download.save_as(file)
    lines = file.read_bytes().decode().split("\r\n")
    assert lines[0].startswith("group,interval,measured")
    assert len(lines) == 1 + 5 * 5 + 1
    await page.emulate_media(media="print")
    await expect(page.get_by_role("heading", name=re.compile("Belize Police"))).to_be_visible()
    await expect(page.get_by_role("button", name="Print")).to_be_hidden()
    box = await page.get_by_role("table").last.bounding_box()
    assert box is not None and box["y"] > 1_000  # all of it, not one screen
    await keep(page, "numbers-print")


async def test_spanish(screens: Screens, worked: None) -> None:
    page = await enter(screens, "bpd.supervisor")
    await loaded(page)
    await page.get_by_role("button", name="Español").click()
    await expect(page.get_by_role("heading", name="Por prioridad")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "es"
    await page.get_by_label("Agrupado por").select_option("Tipo")
    await expect(page.get_by_role("row", name=re.compile("Choque y fuga")).first).to_be_visible()
    await keep(page, "numbers-spanish")
    await page.reload()
    await expect(page.get_by_role("heading", name="Por prioridad")).to_be_visible()
    await page.get_by_role("button", name="English").click()
    await loaded(page)


async def test_a_dispatcher_is_told_that_they_are_not_his(screens: Screens) -> None:
    page = await enter(screens, "bpd.dispatch")
    await expect(page.get_by_text("There are no numbers for you here.")).to_be_visible()
    await expect(page.get_by_role("table")).to_have_count(0)


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_it_is_for_everyone_and_fits(screens: Screens, worked: None, light: bool) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run ./run web")
    page = await enter(screens, "bpd.supervisor", light=light)
    await loaded(page)
    await page.get_by_label("Grouped by").select_option("District")
    await expect(page.get_by_role("heading", name="By district")).to_be_visible()
    for name, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        await expect(page.locator(".map canvas")).to_be_visible()
        await page.wait_for_function(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then"
            "(() => true)"
        )
        overflow = await page.evaluate(
            "[...document.querySelectorAll('main, .sheet')].filter("
            "(one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className)"
        )
        assert overflow == [], name
        await keep(page, f"numbers-{name}-{'day' if light else 'night'}")
        await page.add_script_tag(path=AXE)
        found = await page.evaluate(
            "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
            ".map(({id, impact, nodes}) => [impact, id, nodes.map((n) => n.html).join(' ')])"
        )
        assert [each for each in found if each[0] in ("serious", "critical")] == []
