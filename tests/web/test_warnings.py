"""The page on which warnings are written and approved: a real browser, server and database."""

from __future__ import annotations

import json
import re
import time

import pytest
import pytest_asyncio
from accessible import violations
from playwright.async_api import Page, expect
from screens import Screens, keep
from warning_page import APPROVER, OFFICER, begin, enter, saved, stored, words

from dispatch.alerting import cap

pytestmark = pytest.mark.browser
SIZES = {"wide": (1920, 1080), "narrow": (1280, 800)}


@pytest_asyncio.fixture
async def approver(screens: Screens) -> Page:
    """The approver, at the page."""
    return await enter(screens, APPROVER)


async def write_flood(page: Page) -> None:
    """A warning of a flood in two districts, with nothing left to mend."""
    await begin(page, "Actual", "River flood warning")
    await page.get_by_label("Name of the river").fill("Belize River")
    await page.get_by_role("checkbox", name="Belize", exact=True).check()
    await page.get_by_role("checkbox", name="Cayo", exact=True).check()
    await saved(page)


async def test_from_opening_the_page_to_sent_by_two_people(
    screens: Screens, database: str, approver: Page
) -> None:
    """DOM-WRN-1, DOM-WRN-3, DOM-WRN-5."""
    page = await enter(screens, OFFICER)
    opened = time.monotonic()
    await write_flood(page)
    await expect(words(page, "English", "Headline")).to_have_value(
        "Flood warning for the Belize River: Belize District, Cayo District"
    )
    # DOM-WRN-69: who reads Spanish reads no English words among them.
    headline = words(page, "Spanish", "Headline")
    await expect(headline).to_have_value(
        "Aviso de inundación por el Belize River: Distrito de Belice, Distrito de Cayo"
    )
    await page.get_by_text("Said otherwise in Spanish and Kriol").click()
    river = page.get_by_role("group", name="Name of the river")
    await river.get_by_label("In Spanish").fill("Río Belice")
    await expect(headline).to_have_value(
        "Aviso de inundación por el Río Belice: Distrito de Belice, Distrito de Cayo"
    )
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("It is checked, and can be approved")).to_be_visible()
    await expect(page.get_by_role("button", name="Approve and send")).to_have_count(0)

    line = approver.get_by_role("navigation").get_by_role("button", name="Flood warning")
    await expect(line).to_contain_text("Checked")
    await line.click()
    await expect(approver.get_by_role("region", name="Words")).to_contain_text("Belize River")
    await approver.keyboard.press("Control+Enter")
    dialog = approver.get_by_role("dialog", name="Approve this warning")
    phrase = dialog.get_by_label("Words that say that it is real")
    await phrase.fill("flood warning")
    await approver.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("The words are not the same")
    await phrase.fill("ACTUAL flood warning")
    await approver.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    took = time.monotonic() - opened
    print(f"from the opened page to sent: {took:.1f} s")

    for there in (page, approver):
        listed = there.get_by_role("navigation").get_by_role("button", name="Flood warning")
        await expect(listed).to_contain_text("In force")
        await expect(listed.get_by_role("timer")).to_contain_text(re.compile(r"\d+:\d\d:\d\d left"))
    # DOM-WRN-32: the report is there at once, and follows.
    report = page.get_by_role("region", name="Whom it has reached")
    await expect(report).to_contain_text("Confirmed by 0 people")
    line = report.get_by_role("row", name="Consoles and tablets not known")
    await expect(line).to_contain_text("2")
    await keep(page, "warnings-report")
    async with page.expect_download() as saved_file:
        await report.get_by_role("button", name="Save the report").click()
    assert re.fullmatch(r"warning-\d+\.csv", (await saved_file.value).suggested_filename)
    (row,) = await stored(database)
    assert row["stage"] == "sent" and len(row["authors"]) == 1
    assert row["approved_by"] not in row["authors"] and row["alone"] is None
    alert = cap.parse(row["document"].encode())
    assert alert.status is cap.Status.ACTUAL
    assert [info.language for info in alert.infos] == ["en-BZ", "es-BZ", "bzj"]
    rivers = ("Belize River", "Río Belice", "Belize River")
    for info, name in zip(alert.infos, rivers, strict=True):
        assert name in (info.headline or "")
    assert {part["code"] for part in json.loads(row["drawn"])["parts"]} == {"BZ-BZ", "BZ-CY"}


async def test_what_was_sent_is_updated_and_cancelled(
    screens: Screens, database: str, approver: Page
) -> None:
    """DOM-WRN-10: and the list says what became of each."""

    async def approve(phrase: str) -> None:
        await approver.keyboard.press("Control+Enter")
        dialog = approver.get_by_role("dialog", name="Approve this warning")
        await dialog.get_by_label("Words that say that it is real").fill(phrase)
        await dialog.get_by_role("button", name="Approve and send").click()
        await expect(dialog).to_be_hidden()

    async def follow(name: str, action: str) -> None:
        await page.get_by_role("button", name=name).click()
        await page.get_by_role("dialog").get_by_role("button", name=action).click()
        await expect(page.get_by_role("dialog")).to_be_hidden()

    async def open_newest() -> None:
        listed = approver.get_by_role("region", name="Being written").get_by_role("button")
        await expect(listed).to_contain_text("Checked")
        await listed.click()
        await expect(approver.get_by_role("button", name="Approve and send")).to_be_visible()

    page = await enter(screens, OFFICER)
    await write_flood(page)
    await page.keyboard.press("Control+Enter")
    await open_newest()
    await approve("actual flood warning")

    await follow("Update …", "Begin the update")
    await words(page, "English", "What is known").fill("The river has reached the bridge.")
    await saved(page)
    await page.keyboard.press("Control+Enter")
    await open_newest()
    await approve("actual update flood warning")
    over = page.get_by_role("region", name="Over")
    await expect(over.get_by_role("button")).to_contain_text("Replaced")

    await follow("Cancel the warning …", "Begin the cancellation")
    for language, said in (("English", "It is over"), ("Spanish", "Ha terminado")):
        await words(page, language, "Headline").fill(f"{said}.")
    await words(page, "Kriol", "Headline").fill("Ih don.")
    await page.get_by_label("Why it is cancelled").fill("The river is falling.")
    await saved(page)
    await page.keyboard.press("Control+Enter")
    await open_newest()
    await approve("actual cancel flood warning")
    await expect(page.get_by_text("No warning is in force.")).to_be_visible()
    await expect(over).to_contain_text("Cancelled")
    sent = await stored(database)
    assert [(row["kind"], row["stage"]) for row in sent] == [
        ("Alert", "sent"),
        ("Update", "sent"),
        ("Cancel", "sent"),
    ]
    references = cap.parse(sent[2]["document"].encode()).references
    assert [each.identifier for each in references] == [
        f"bz.nemo.{row['warning_id']}.{row['id']}" for row in sent[:2]
    ]


async def test_no_key_is_lost(screens: Screens, database: str) -> None:
    """What was typed is back after a reload, and is saved once the server answers again."""
    page = await enter(screens, OFFICER)
    await begin(page, "Test", "Small craft warning")
    headline = words(page, "English", "Headline")
    await headline.fill("Typed while the server answers")
    await saved(page)
    await page.context.set_offline(True)
    await page.route("**/api/do/**", lambda route: route.abort())
    await headline.press_sequentially(" and while it does not")
    await expect(page.get_by_text("Kept in this browser; the server does not")).to_be_visible()
    await page.context.set_offline(False)
    await page.reload()
    typed = "Typed while the server answers and while it does not"
    await expect(headline).to_have_value(typed)
    await page.unroute("**/api/do/**")
    await saved(page)
    (row,) = await stored(database)
    assert json.loads(row["content"])["texts"][0]["headline"] == typed


async def test_two_who_write_overwrite_nothing(
    screens: Screens, database: str, approver: Page
) -> None:
    """DOM-WRN-2."""
    page = await enter(screens, OFFICER)
    await begin(page, "Exercise", "Wildfire warning")
    await saved(page)
    await approver.get_by_role("navigation").get_by_role("button", name="Wildfire").click()
    await approver.get_by_role("button", name="Write in it").click()
    # Both have read the same words; then both write.
    await approver.route("**/api/do/**", lambda route: route.abort())
    await words(approver, "English", "Headline").fill("As the approver has it")
    await words(page, "English", "Headline").fill("As the officer has it")
    await saved(page)
    await approver.unroute("**/api/do/**")
    told = approver.get_by_role("alert").filter(has_text="Somebody else has changed this warning")
    await expect(told.get_by_role("row", name="English: Headline")).to_contain_text(
        "As the officer has it"
    )
    await expect(words(approver, "English", "Headline")).to_have_value("As the approver has it")
    (row,) = await stored(database)
    assert json.loads(row["content"])["texts"][0]["headline"] == "As the officer has it"
    await approver.get_by_role("button", name="Keep mine").click()
    await saved(approver)
    await expect(words(page, "English", "Headline")).to_have_value("As the approver has it")
    (row,) = await stored(database)
    assert json.loads(row["content"])["texts"][0]["headline"] == "As the approver has it"


async def test_areas_are_chosen_searched_and_drawn(screens: Screens, database: str) -> None:
    page = await enter(screens, OFFICER)
    await begin(page, "Exercise", "Wildfire warning")
    await expect(page.get_by_text("No area is chosen.")).to_be_visible()
    await page.get_by_role("combobox", name="Around a place").fill("San Ignacio")
    await page.get_by_role("option", name=re.compile("San Ignacio")).first.click()
    await page.get_by_label("Kilometres around it").fill("7.5")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_label("What the area is called")).to_have_value("San Ignacio")
    await expect(page.get_by_text("No area is chosen.")).to_be_hidden()
    # A border, by pointer and by keyboard.
    await page.get_by_role("button", name="Draw on the map").click()
    box = await page.get_by_role("application").bounding_box()
    assert box is not None
    for x, y in ((0.3, 0.3), (0.7, 0.3)):
        await page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    await expect(page.get_by_role("button", name="Done (2 corners)")).to_be_visible()
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Done (3 corners)")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("A drawn border with 3 corners")).to_be_visible()
    await saved(page)
    (row,) = await stored(database)
    circle, border = json.loads(row["drawn"])["parts"]
    assert circle["radius"] == 7_500 and len(border["points"]) == 3
    content = json.loads(row["content"])
    assert content["area"]["name"] == "San Ignacio" and content["area"]["circles"]


async def test_one_alone_says_why(screens: Screens, database: str, approver: Page) -> None:
    """DOM-WRN-4."""
    await write_flood(approver)
    await approver.keyboard.press("Control+Enter")
    await expect(approver.get_by_text("somebody else has to approve it")).to_be_visible()
    await approver.get_by_role("button", name="Approve alone").click()
    dialog = approver.get_by_role("dialog", name="Approve your own warning alone")
    await dialog.get_by_label("Words that say that it is real").fill("actual flood warning")
    await dialog.get_by_role("button", name="Approve and send").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Write the reason")
    await dialog.get_by_label("Why nobody else could").fill("The other officer is cut off")
    await dialog.get_by_role("button", name="Approve and send").click()
    await expect(dialog).to_be_hidden()
    (row,) = await stored(database)
    assert (row["stage"], row["alone"]) == ("sent", "The other officer is cut off")


async def test_a_dispatcher_is_told_that_it_is_not_his(screens: Screens) -> None:
    page = await enter(screens, "nemo.dispatch")
    await expect(page.get_by_text("You do not write or approve warnings.")).to_be_visible()


@pytest.mark.parametrize("light", [False, True], ids=["night", "day"])
async def test_it_is_for_everyone_and_fits(screens: Screens, light: bool) -> None:
    page = await enter(screens, OFFICER, light=light)
    await begin(page, "Exercise", "Tsunami warning")
    await begin(page, "Test", "Boil water advisory")
    await write_flood(page)
    await expect(page.get_by_role("navigation").get_by_role("listitem")).to_have_count(5)
    for name, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        await expect(page.locator(".map canvas")).to_be_visible()
        overflow = await page.evaluate(
            "[...document.querySelectorAll('main, nav, .sheet, .scroll, footer')].filter("
            "(one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className)"
        )
        assert overflow == [], name
        kind = "day" if light else "night"
        await keep(page, f"warnings-{name}-{kind}")
        await words(page, "Kriol", "Headline").scroll_into_view_if_needed()
        await keep(page, f"warnings-{name}-{kind}-words")
        await page.get_by_role("heading", name="How it is seen").scroll_into_view_if_needed()
        await keep(page, f"warnings-{name}-{kind}-preview")
        assert await violations(page) == []
        await page.locator(".scroll").evaluate("(one) => one.scrollTo(0, 0)")


async def test_it_speaks_spanish(screens: Screens) -> None:
    page = await enter(screens, OFFICER)
    await expect(page.get_by_role("button", name="New warning")).to_be_visible()
    await page.get_by_role("button", name="ES: Español").click()
    await page.get_by_role("button", name="Aviso nuevo").click()
    dialog = page.get_by_role("dialog", name="Un aviso nuevo")
    await dialog.get_by_role("radio", name=re.compile("Simulacro")).check()
    await dialog.get_by_label("Empezar con").select_option("Aviso de inundación por río")
    await dialog.get_by_role("button", name="Empezar", exact=True).click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("heading", name="Palabras")).to_be_visible()
    await page.get_by_label("Nombre del río").fill("Río Belice")
    await expect(page.locator("[data-saved=true]")).to_have_text("Guardado")
    await keep(page, "warnings-es")
    assert await violations(page) == []
