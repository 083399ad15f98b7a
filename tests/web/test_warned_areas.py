"""Areas of warnings from files and drawn on the map: a real browser, server and database."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
import shapefile
from playwright.async_api import FloatRect, Locator, Page, expect
from pyproj import CRS, Transformer
from screens import Screens, keep
from warning_page import OFFICER, begin, drawn, enter, saved, stored

pytestmark = pytest.mark.browser
RING = [(-88.3, 17.4), (-88.1, 17.4), (-88.1, 17.6), (-88.3, 17.6), (-88.3, 17.4)]
GEOJSON = json.dumps({"type": "Polygon", "coordinates": [RING]}).encode()
KML = (
    '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><Polygon>'
    "<outerBoundaryIs><LinearRing><coordinates>"
    + " ".join(f"{lon},{lat},0" for lon, lat in RING)
    + "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"
).encode()
STORM = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"tau": hour, "maxwind": 80},
                "geometry": {"type": "Point", "coordinates": [lon, lat]},
            }
            for hour, lon, lat in ((0, -87.0, 17.2), (12, -88.0, 17.3), (24, -88.8, 17.5))
        ],
    }
).encode()


def archive() -> bytes:
    """A zipped shapefile of the ring in metres of UTM's zone 16 north."""
    metres = CRS.from_epsg(32616)
    put = Transformer.from_crs(4326, metres, always_xy=True)
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shapefile.POLYGON) as writer:
        writer.field("id", "C")
        writer.poly([[list(put.transform(lon, lat)) for lon, lat in reversed(RING)]])
        writer.record("1")
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as zipped:
        for ending, content in (
            ("shp", shp.getvalue()),
            ("shx", shx.getvalue()),
            ("dbf", dbf.getvalue()),
            ("prj", metres.to_wkt("WKT1_ESRI").encode()),
        ):
            zipped.writestr(f"a.{ending}", content)
    return into.getvalue()


async def give(page: Page, name: str, content: bytes) -> None:
    await page.get_by_label("From a file").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def parts(page: Page) -> Locator:
    """What the area is made of."""
    return page.get_by_role("region", name="Where").get_by_role("listitem")


async def on_the_map(page: Page) -> FloatRect:
    await expect(page.locator(".map canvas")).to_be_visible()
    await page.get_by_role("application").scroll_into_view_if_needed()
    box = await page.get_by_role("application").bounding_box()
    assert box is not None
    return box


async def click(page: Page, *corners: tuple[float, float]) -> None:
    """Corners at these shares of the map's width and height."""
    box = await on_the_map(page)
    for x, y in corners:
        await page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)


async def drag(page: Page, start: tuple[float, float], right: float, down: float) -> None:
    """From a point of the map, in pixels of it, by so many."""
    box = await on_the_map(page)
    x, y = box["x"] + start[0], box["y"] + start[1]
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + right / 2, y + down / 2)
    await page.mouse.move(x + right, y + down)
    await page.mouse.up()


async def test_an_area_comes_from_a_file_and_is_called_by_who_writes(
    screens: Screens, database: str
) -> None:
    """DOM-WRN-66."""
    page = await enter(screens, OFFICER)
    await begin(page, "Exercise", "Wildfire warning")
    name = page.get_by_label("What the area is called")
    for file, content in (
        ("old_river.geojson", GEOJSON),
        ("old_river.kml", KML),
        ("old_river.zip", archive()),
    ):
        await give(page, file, content)
        await expect(parts(page)).to_have_text([re.compile("A drawn border with 4 corners")])
        # What people read is the next thing to be written; what a file is called is not that.
        await expect(name).to_have_value("")
        await expect(name).to_be_focused()
        await expect(page.get_by_text("It has no name yet")).to_be_visible()
        await page.keyboard.type("Old River and Burrell Boom")
        await expect(page.get_by_text("It has no name yet")).to_have_count(0)
        await saved(page)
        (part,) = await drawn(database)
        corners = {(round(lon / 1e7, 3), round(lat / 1e7, 3)) for lon, lat in part["points"]}
        assert corners == set(RING), file
        row = (await stored(database))[-1]
        assert json.loads(row["content"])["area"]["name"] == "Old River and Burrell Boom"
        await page.get_by_role("button", name="Remove A drawn border").click()
        await name.fill("")
        await expect(parts(page)).to_have_text(["No area yet."])
    # What is no area leaves everything as it was, and says what to do.
    await give(page, "letter.geojson", b"Dear Sir")
    told = page.get_by_role("region", name="Where").get_by_role("alert")
    await expect(told).to_contain_text("no GeoJSON, KML, KMZ or GPX")
    await expect(told).to_contain_text("Save the area as one of these")
    await expect(parts(page)).to_have_text(["No area yet."])


async def test_a_track_is_drawn_by_pointer_and_by_keyboard(screens: Screens, database: str) -> None:
    page = await enter(screens, OFFICER)
    await begin(page, "Exercise", "Wildfire warning")
    await page.get_by_label("What the area is called").fill("The road")
    await page.get_by_label("Kilometres on each side of a track").fill("4")
    await page.get_by_role("button", name="Draw a track").click()
    await click(page, (0.4, 0.4), (0.6, 0.4))
    await expect(page.get_by_role("button", name="Done (2 corners)")).to_be_visible()
    await page.keyboard.press("Space")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(parts(page)).to_contain_text(["A track with 3 points, 4 km on each side"])
    await saved(page)
    (part,) = await drawn(database)
    assert part["part"] == "track" and [width for _, _, width in part["points"]] == [4_000] * 3
    assert part["points"][0][1] == pytest.approx(part["points"][1][1], abs=200_000)

    # Another width, and it is warned as wide.
    width = page.get_by_label("Kilometres on each side", exact=True)
    await width.fill("6,5")
    await width.press("Enter")
    await expect(parts(page)).to_contain_text(["A track with 3 points, 6.5 km on each side"])
    await saved(page)
    (part,) = await drawn(database)
    assert {width for _, _, width in part["points"]} == {6_500}
    # Escape drops what was begun.
    await page.get_by_role("button", name="Draw a track").click()
    await click(page, (0.5, 0.5))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Draw a track")).to_be_visible()
    await expect(parts(page)).to_have_count(1)


async def test_a_border_is_changed_by_pointer_and_by_keyboard(
    screens: Screens, database: str
) -> None:
    page = await enter(screens, OFFICER)
    await begin(page, "Exercise", "Wildfire warning")
    await page.get_by_label("What the area is called").fill("The ridge")
    await page.get_by_role("button", name="Draw on the map").click()
    await click(page, (0.3, 0.45), (0.7, 0.45), (0.7, 0.55), (0.3, 0.55))
    # The first corner closes it.
    await click(page, (0.3, 0.45))
    await expect(parts(page)).to_contain_text(["A drawn border with 4 corners"])
    await saved(page)
    before = (await drawn(database))[0]["points"]

    # It is wider than high: on the map it reaches from side to side, in the middle of the height.
    await page.get_by_role("button", name="Change the border").click()
    await expect(page.get_by_text("Corner 1 of 4")).to_be_visible()
    box = await on_the_map(page)
    middle = box["height"] / 2
    half = (box["width"] - 120) * (box["height"] * 0.05) / (box["width"] * 0.4)
    await keep(page, "warnings-border")
    await drag(page, (60, middle - half), 30, -40)
    await drag(page, (box["width"] / 2, middle + half), 0, 50)
    await expect(page.get_by_text("Corner 4 of 5")).to_be_visible()
    await page.get_by_role("button", name="Done (5 corners)").click()
    await expect(parts(page)).to_contain_text(["A drawn border with 5 corners"])
    await saved(page)
    after = (await drawn(database))[0]["points"]
    assert (after[1], after[2], after[4]) == tuple(before[1:])
    assert after[0][0] > before[0][0] and after[0][1] > before[0][1], "to the right, and up"
    assert before[3][0] < after[3][0] < before[2][0] and after[3][1] < before[3][1]

    # The same by keyboard: the next corner down, one more behind it, which is taken away again.
    await page.get_by_role("button", name="Change the border").click()
    await page.keyboard.press("PageDown")
    await expect(page.get_by_text("Corner 2 of 5")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("Space")
    await expect(page.get_by_text("Corner 3 of 6")).to_be_visible()
    await page.keyboard.press("Delete")
    await expect(page.get_by_text("Corner 2 of 5")).to_be_visible()
    await page.keyboard.press("Enter")
    await saved(page)
    keyed = (await drawn(database))[0]["points"]
    assert [keyed[at] for at in (0, 2, 3, 4)] == [after[at] for at in (0, 2, 3, 4)]
    assert keyed[1][0] < after[1][0] and keyed[1][1] < after[1][1], "to the left, and down"
    # Escape leaves all as it was; and three corners are the least.
    await page.get_by_role("button", name="Change the border").click()
    for _ in range(4):
        await page.keyboard.press("Delete")
    await expect(page.get_by_role("button", name="Done (3 corners)")).to_be_visible()
    await expect(page.get_by_role("button", name="Remove the corner")).to_be_disabled()
    await page.get_by_role("application").press("Escape")
    await expect(parts(page)).to_contain_text(["A drawn border with 5 corners"])
    await saved(page)
    assert (await drawn(database))[0]["points"] == keyed


async def test_the_cone_of_a_storm_becomes_a_border_that_can_be_changed(
    screens: Screens, database: str
) -> None:
    """DOM-WRN-67: what the officer knows better than the forecast is drawn over it."""
    page = await enter(screens, OFFICER)
    await begin(page, "Exercise", "Tropical storm warning")
    await give(page, "al092026_5day.geojson", STORM)
    await expect(parts(page)).to_contain_text(["A track with 3 points, 10–82.2 km on each side"])
    await page.get_by_label("What the area is called").fill("The north")
    await saved(page)
    assert [part["part"] for part in await drawn(database)] == ["track"]
    await page.get_by_role("button", name="Change the border").click()
    await expect(page.get_by_text(re.compile("Corner 1 of"))).to_be_visible()
    await keep(page, "warnings-cone")
    await page.keyboard.press("Delete")
    await page.get_by_role("button", name=re.compile(r"Done \(\d+ corners\)")).click()
    await expect(parts(page)).to_contain_text([re.compile(r"A drawn border with \d+ corners")])
    await saved(page)
    (part,) = await drawn(database)
    assert part["part"] == "polygon" and len(part["points"]) > 20
    content = json.loads((await stored(database))[-1]["content"])
    assert content["area"]["name"] == "The north"
