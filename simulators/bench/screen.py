"""``psn bench console``: the real console in a real browser, without a graphics card.

Units move, the load keeps the books as in every bench, and beside it a browser shows the same
picture to one more person. The page is asked for frames all the time, as fast as the browser gives
them: how long the page's main thread was busy with each, and how far apart they were. Afterwards
it is left alone, and what it keeps after a full garbage collection is looked at again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from psn.problems import Problem
from simulators.bench.measure.usage import resident_kb

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession, Page

KEYS: Final = (
    "units", "seconds", "main_p95_ms", "frame_p95_ms", "heap_growth_mb_an_hour", "heap_mb",
)  # fmt: skip
ARGUMENTS: Final = (
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
"""Draw without a graphics card, and speak to nobody else."""
WINDOW: Final = (1_280, 800)
SHOWN_SECONDS: Final = 60.0
SCENE_SECONDS: Final = 20.0
SETTLE_SECONDS: Final = 5.0
SAMPLES: Final = 30
"""How often the memory is looked at, in all."""

_WATCH_FRAMES: Final = """() => {
  const seen = { intervals: [], busy: [] };
  const after = new MessageChannel();
  let before = 0, begun = 0;
  // A message is handled when the frame is done: scripts, layout and paint.
  after.port1.onmessage = () => seen.busy.push(performance.now() - begun);
  const frame = (time) => {
    if (window.psnFrames !== seen) return;
    begun = performance.now();
    if (before) seen.intervals.push(time - before);
    before = time;
    after.port2.postMessage(0);
    requestAnimationFrame(frame);
  };
  window.psnFrames = seen;
  requestAnimationFrame(frame);
}"""
_STOP_WATCHING: Final = (
    "() => { const seen = window.psnFrames; window.psnFrames = null; return seen }"
)


def browser_path() -> str:
    """The browser to use; raises Problem ``browser_missing``."""
    found = os.environ.get("PSN_CHROMIUM") or shutil.which("chromium")
    if importlib.util.find_spec("playwright") is None or not found:
        raise Problem(
            "browser_missing",
            "There is no browser here that can be driven.",
            "Run ./run test once, which installs chromium, or set PSN_CHROMIUM to its path.",
        )
    return found


class Screen:
    """One browser window with the console in it."""

    def __init__(self, page: Page, tools: CDPSession, renderer: int | None) -> None:
        self.page = page
        self._tools = tools
        self._renderer = renderer

    async def scene(self, act: Callable[[float], Awaitable[object]], seconds: float) -> Any:
        """What the page does while ``act`` is done to it for so long."""
        before, began = await self._metrics(), perf_counter()
        await self.page.evaluate(_WATCH_FRAMES)
        await act(seconds)
        frames = await self.page.evaluate(_STOP_WATCHING)
        after, took = await self._metrics(), perf_counter() - began
        main, apart = (np.array(frames[name]) for name in ("busy", "intervals"))
        if not len(main) or not len(apart):
            raise Problem(
                "no_frames",
                f"The browser drew nothing for {took:.0f} s.",
                "Ask for fewer units.",
            )
        return {
            "frames_per_s": round(len(apart) / took, 1),
            "main_p50_ms": _percentile(main, 50), "main_p95_ms": _percentile(main, 95),
            "main_max_ms": _percentile(main, 100),
            "frame_p50_ms": _percentile(apart, 50), "frame_p95_ms": _percentile(apart, 95),
            "main_busy_percent": round(
                100 * (after["TaskDuration"] - before["TaskDuration"]) / took, 1
            ),
        }  # fmt: skip

    async def kept_mb(self) -> tuple[float, float | None]:
        """What the page's scripts keep after a full collection; what its process holds."""
        await self._tools.send("HeapProfiler.collectGarbage")
        used = (await self._metrics())["JSHeapUsedSize"] / 1e6
        held = None
        if self._renderer is not None:
            with contextlib.suppress(OSError):
                held = round(resident_kb(self._renderer) / 1024, 1)
        return round(used, 2), held

    async def drag(self, seconds: float) -> None:
        """Move the map to and fro with the mouse."""
        mouse, end = self.page.mouse, perf_counter() + seconds
        while perf_counter() < end:
            await mouse.move(760, 400)
            await mouse.down()
            for step in (*range(20), *range(20, -1, -1)):
                await mouse.move(760 - 8 * step, 400 + 3 * step)
                await asyncio.sleep(0.03)
            await mouse.up()

    async def approach(self, towards: tuple[int, int]) -> None:
        """Zoom to a town's size at a point of the window."""
        await self.page.mouse.move(*towards)
        for _ in range(10):
            await self.page.mouse.wheel(0, -250)
            await asyncio.sleep(0.3)
        await asyncio.sleep(SETTLE_SECONDS)

    async def _metrics(self) -> dict[str, float]:
        answer = await self._tools.send("Performance.getMetrics")
        return {metric["name"]: metric["value"] for metric in answer["metrics"]}


@contextlib.asynccontextmanager
async def opened(url: str, name: str, password: str) -> AsyncIterator[Screen]:
    """A browser in which that person is signed in."""
    from playwright.async_api import async_playwright  # not among the server's own packages

    path = browser_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        page.set_default_timeout(SHOWN_SECONDS * 1_000)
        await page.goto(url)
        await page.get_by_label("Name").fill(name)
        await page.locator("[name=password]").fill(password)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("main")
        tools = await page.context.new_cdp_session(page)
        await tools.send("Performance.enable")
        await asyncio.sleep(SETTLE_SECONDS)
        yield Screen(page, tools, await _renderer(browser))
        await browser.close()


async def _renderer(browser: Browser) -> int | None:
    """Process id of the page's own process: the renderer that holds most."""
    tools = await browser.new_browser_cdp_session()
    found = (await tools.send("SystemInfo.getProcessInfo"))["processInfo"]
    sizes = {}
    for process in found:
        if process["type"] == "renderer":
            with contextlib.suppress(OSError):
                sizes[process["id"]] = resident_kb(process["id"])
    return max(sizes, key=lambda pid: sizes[pid], default=None)


async def observe(screen: Screen, seconds: float) -> dict[str, Any]:
    """Scenes first, then the memory, in ``seconds`` altogether."""
    part = min(SCENE_SECONDS, seconds / 6)
    began = perf_counter()
    scenes = {
        "country": await screen.scene(asyncio.sleep, part),
        "dragging": await screen.scene(screen.drag, part),
    }
    await screen.approach((570, 420))
    scenes["town"] = await screen.scene(asyncio.sleep, part)
    samples = await _watch_memory(screen, began, seconds)
    standing = (scenes["country"], scenes["town"])
    heap = [used for _, used, _ in samples]
    return {
        "main_p95_ms": max(scene["main_p95_ms"] for scene in standing),
        "frame_p95_ms": max(scene["frame_p95_ms"] for scene in standing),
        "scenes": scenes,
        "heap_mb": heap[-1], "heap_first_mb": heap[0],
        "heap_growth_mb_an_hour": growth([at for at, _, _ in samples], heap),
        "browser_mb": samples[-1][2], "browser_first_mb": samples[0][2],
        "series": _by_the_second(samples),
    }  # fmt: skip


Sample = tuple[float, float, float | None]
"""Seconds since the beginning, MB that the scripts keep, MB that the process holds."""


async def _watch_memory(screen: Screen, began: float, seconds: float) -> list[Sample]:
    samples: list[Sample] = []
    every = max(1.0, (began + seconds - perf_counter()) / SAMPLES)
    while not samples or perf_counter() < began + seconds:
        kept = await screen.kept_mb()
        samples.append((perf_counter() - began, *kept))
        await asyncio.sleep(every)
    return samples


def growth(at: Sequence[float], megabytes: Sequence[float]) -> float:
    """The even growth that fits best, MB an hour; 0 where there is nothing to compare."""
    if len(at) < 3:
        return 0.0
    slope, _ = np.polyfit(np.array(at), np.array(megabytes), 1)
    return round(float(slope) * 3_600, 2)


def _by_the_second(samples: Sequence[Sample]) -> dict[str, list[float | None]]:
    seconds = int(samples[-1][0]) + 1
    heap: list[float | None] = [None] * seconds
    held: list[float | None] = [None] * seconds
    for at, used, process in samples:
        heap[int(at)], held[int(at)] = used, process
    return {"heap_mb": heap, "browser_mb": held}


def _percentile(values: Any, wanted: float) -> float:
    return round(float(np.percentile(values, wanted)), 1)
