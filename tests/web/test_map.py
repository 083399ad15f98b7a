"""The map: units upon one another, the operator's own ground, and no map at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from playwright.async_api import Page, Response, expect
from screens import Screens, address, keep, showing, write

pytestmark = pytest.mark.browser


async def _click_unit(page: Page) -> None:
    """Where the map puts the unit that is open, which moves: beside its details."""
    await page.get_by_role("button", name="Centre").click()
    await page.wait_for_timeout(700)
    box = await page.locator("canvas.maplibregl-canvas").bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2 + 162, box["y"] + box["height"] / 2)


async def test_of_units_upon_one_another_one_is_chosen(screens: Screens) -> None:
    page = await screens.sign_in("bpd.dispatch")
    await page.get_by_role("option", name="P-901").click()
    details = page.get_by_role("complementary")
    await expect(details).to_contain_text("P-901")
    stack = page.get_by_role("listbox", name="2 units here")
    await _click_unit(page)
    await keep(page, "stack")
    await expect(stack.get_by_role("option")).to_have_count(2)
    await expect(stack).to_be_focused()
    first = await stack.locator("[aria-selected=true] b").inner_text()
    await page.keyboard.press("ArrowDown")
    second = await stack.locator("[aria-selected=true] b").inner_text()
    assert {first, second} == {"P-901", "P-902"}
    await page.keyboard.press("Enter")
    await expect(stack).to_have_count(0)
    await expect(details).to_contain_text(second)
    await _click_unit(page)
    await expect(stack).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(stack).to_have_count(0)
    await expect(details).to_contain_text(second)


async def test_the_list_begins_with_the_nearest(screens: Screens) -> None:
    page = await screens.sign_in("bpd.dispatch")
    await page.get_by_role("option", name="F-901").click()
    await page.get_by_text("Nearest", exact=True).click()
    rows = page.get_by_role("listbox", name="Units").get_by_role("option")
    await expect(rows.first).to_contain_text("F-901")
    await page.get_by_text("Last heard", exact=True).click()
    await page.get_by_text("By callsign", exact=True).click()
    await expect(rows.first).to_contain_text("B-901")


def _varint(*numbers: int) -> bytes:
    """Numbers as PMTiles and protobuf write them: seven bits a byte, the lowest first."""
    out = bytearray()
    for number in numbers:
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        out.append(number)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2, len(content)) + content


def _tile() -> bytes:
    """A vector tile (Mapbox Vector Tile 2.1) that is land all over."""
    square = _varint(9, 0, 0, 26, 8192, 0, 0, 8192, 8191, 0, 15)
    feature = _varint(3 << 3, 3) + _field(4, square)
    layer = _field(1, b"earth") + _field(2, feature) + _varint(5 << 3, 4096, 15 << 3, 2)
    return gzip.compress(_field(3, layer))


def _pmtiles() -> bytes:
    """A map of one tile (PMTiles 3): header, directory, metadata, tile."""
    tile, metadata = _tile(), gzip.compress(b'{"vector_layers":[{"id":"earth","fields":{}}]}')
    directory = gzip.compress(_varint(1, 0, 1, len(tile), 1))
    at = 127
    places = []
    for size in (len(directory), len(metadata), 0, len(tile)):
        places += [at, size]
        at += size
    numbers = [*places, 1, 1, 1]
    header = b"PMTiles\x03" + b"".join(n.to_bytes(8, "little") for n in numbers)
    header += bytes((1, 2, 2, 1, 0, 0))
    box = (-1_800_000_000, -850_000_000, 1_800_000_000, 850_000_000)
    header += b"".join(n.to_bytes(4, "little", signed=True) for n in box)
    header += bytes((0,)) + bytes(8)
    assert len(header) == 127
    return header + directory + metadata + tile


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "broken"])
async def test_the_operators_own_map_is_used_when_it_can_be(
    database: str, chromium: str, tmp_path: Path, pages: None, whole: bool
) -> None:
    file = tmp_path / "belize.pmtiles"
    file.write_bytes(_pmtiles() if whole else b"no map at all" * 100)
    async with showing(database, chromium, tmp_path, PSN_PMTILES=str(file)) as screens:
        page = await screens.open()
        parts: list[Response] = []

        def part_of_map(response: Response) -> bool:
            mine = "pmtiles" in response.url and not response.url.endswith(".js")
            if mine:
                parts.append(response)
            return mine

        async with page.expect_response(part_of_map):
            await screens.sign_in("bpd.dispatch", page)
        credit = page.locator(".maplibregl-ctrl-attrib")
        if whole:
            await expect(credit).to_contain_text("Protomaps")
            await page.wait_for_timeout(500)
            await keep(page, "own-map")
        else:
            await expect(credit).to_contain_text("GSHHG")
        assert {part.status for part in parts} == {206}
        await expect(page.get_by_role("option", name="P-901")).to_be_visible()


async def test_without_webgl_everything_but_the_map_works(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> None:
    async with showing(database, chromium, tmp_path, "--disable-3d-apis") as screens:
        page = await screens.sign_in("bpd.dispatch")
        await expect(page.get_by_role("main")).to_contain_text("cannot draw the map")
        await page.get_by_role("option", name="B-901").click()
        await expect(page.get_by_role("complementary")).to_contain_text("29.2 kn")
        await keep(page, "no-webgl")
        await address(page, "bcg disp")
        await write(page, "No map here.")
        await expect(page.get_by_role("log")).to_contain_text("Sent")
