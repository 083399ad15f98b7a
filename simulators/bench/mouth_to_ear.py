"""``psn bench ear``: from one person's mouth to another's ear, through two real consoles.

One browser, with a file for a microphone that chirps once a second, and two consoles in it. In the
talker's page it is noted when a chirp comes out of the microphone into the page's sound, in the
listener's when it goes from there to the loudspeaker. Both are counted in samples, so a busy page
does not blur them; each page's count is laid on the machine's clock by the least delay that was
seen. What the browser says of its loudspeaker's own latency is added. What a microphone and the
browser's echo cancelling take before the page hears anything is not in it.
"""

from __future__ import annotations

import asyncio
import wave
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from psn.problems import Problem
from simulators.bench import screen
from simulators.bench.people import Participant

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

KEYS: Final = ("p50_ms", "p95_ms", "max_ms", "said", "heard", "growth_ms", "p95_pause_ms")
RATE: Final = 48_000
CHIRP_SECONDS: Final = 0.12
HERTZ: Final = (500.0, 2_500.0)
EVERY_SECONDS: Final = 1.0
HELD_SECONDS: Final = 50.0
"""The key is let go before the floor is lost, and pressed again."""
LONGEST_MS: Final = 900.0
"""What was heard later than this may be the next chirp: it counts as lost."""
SHOWN_MS: Final = 60_000

_LISTEN: Final = """
(() => {
  const connect = AudioNode.prototype.connect;
  const found = (window.psnChirps = {});
  function watch(node, name) {
    const { context } = node;
    const seen = (found[name] ??= { at: [], pauses: [], offset: Infinity, context });
    const block = context.createScriptProcessor(256, 1, 1);
    let quiet = 0;
    block.onaudioprocess = ({ inputBuffer, playbackTime }) => {
      const now = performance.timeOrigin + performance.now();
      seen.offset = Math.min(seen.offset, now - playbackTime * 1000);
      inputBuffer.getChannelData(0).forEach((sample, n) => {
        if (Math.abs(sample) < 0.05) return (quiet += 1);
        const time = (playbackTime + n / context.sampleRate) * 1000;
        const newest = seen.at.length - 1;
        if (quiet > 0.3 * context.sampleRate) {
          seen.at.push(time);
          seen.pauses.push(0);
        } else if (time - seen.at[newest] < CHIRP_MS) {
          const pause = (quiet / context.sampleRate) * 1000;
          seen.pauses[newest] = Math.max(seen.pauses[newest], pause);
        }
        return (quiet = 0);
      });
    };
    connect.call(node, block);
    connect.call(block, context.destination);
  }
  AudioNode.prototype.connect = function (to, ...more) {
    if (this instanceof MediaStreamAudioSourceNode) watch(this, 'mouth');
    if (this instanceof StereoPannerNode && to instanceof AudioDestinationNode) watch(this, 'ear');
    return connect.call(this, to, ...more);
  };
})();
""".replace("CHIRP_MS", str(1_000 * CHIRP_SECONDS))
_FOUND: Final = """(name) => {
  const seen = window.psnChirps[name];
  if (!seen) return { at: [], pauses: [], device: 0 };
  const { baseLatency, outputLatency } = seen.context;
  const device = 1000 * (baseLatency + (outputLatency || 0));
  return { at: seen.at.map((at) => at + seen.offset), pauses: seen.pauses, device };
}"""


def chirps(file: Path) -> None:
    """Write a second of sound with a chirp in it; a browser plays it again and again."""
    at = np.arange(round(CHIRP_SECONDS * RATE)) / RATE
    low, high = HERTZ
    sweep = np.sin(2 * np.pi * (low * at + (high - low) / (2 * CHIRP_SECONDS) * at**2))
    second = np.zeros(round(EVERY_SECONDS * RATE))
    second[: len(at)] = 0.6 * sweep
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((second * 32_767).astype(np.int16).tobytes())


async def measure(
    url: str, group: str, talker: Participant, listener: Participant, sound: Path, seconds: float
) -> dict[str, Any]:
    """Let one talk to the other for so long; what came of it."""
    from playwright.async_api import async_playwright  # not among the server's own packages

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=screen.browser_path(),
            args=[
                *screen.ARGUMENTS,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={sound}",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        try:
            mouth, ear = [await _console(browser, url, who, group) for who in (talker, listener)]
            until = perf_counter() + seconds
            while (left := until - perf_counter()) > 0:
                await mouth.keyboard.down("F7")
                await asyncio.sleep(min(left, HELD_SECONDS))
                await mouth.keyboard.up("F7")
                await asyncio.sleep(EVERY_SECONDS)
            said = await mouth.evaluate(_FOUND, "mouth")
            heard = await ear.evaluate(_FOUND, "ear")
        finally:
            await browser.close()
    return figures(said["at"], heard["at"], heard["pauses"], heard["device"])


async def _console(browser: Browser, url: str, who: Participant, group: str) -> Page:
    """A console that hears the group."""
    width, height = screen.WINDOW
    context = await browser.new_context(
        bypass_csp=True, viewport={"width": width, "height": height}
    )
    page = await context.new_page()
    page.set_default_timeout(SHOWN_MS)
    await page.add_init_script(_LISTEN)
    await page.goto(url)
    await page.get_by_label("Name").fill(who.auth["name"])
    await page.locator("[name=password]").fill(who.auth["password"])
    await page.keyboard.press("Enter")
    await page.get_by_label("Listen to…").select_option(label=group)
    await asyncio.sleep(screen.SETTLE_SECONDS)
    return page


def figures(
    said: Sequence[float], heard: Sequence[float], pauses: Sequence[float], device: float
) -> dict[str, Any]:
    """Each chirp that was heard, with the newest that was said before it. Times in ms.

    ``pauses``: the longest silence within each that was heard. ``growth_ms``: by how much the last
    third was later than the first.
    """
    took = []
    for at in heard:
        before = bisect_right(said, at)
        if before and at - said[before - 1] <= LONGEST_MS:
            took.append(at - said[before - 1] + device)
    if not took:
        text = f"Of {len(said)} chirps that were said none was heard."
        raise Problem("nothing_heard", text, "Try again on a machine that does less.")
    p50, p95, most = (round(float(each), 1) for each in np.percentile(took, (50, 95, 100)))
    third = max(1, len(took) // 3)
    growth = float(np.median(took[-third:]) - np.median(took[:third]))
    return {
        "p50_ms": p50, "p95_ms": p95, "max_ms": most,
        "said": len(said), "heard": len(took), "growth_ms": round(growth, 1),
        "p95_pause_ms": round(float(np.percentile(pauses, 95)), 1),
        "max_pause_ms": round(max(pauses), 1), "loudspeaker_ms": round(device, 1),
        "series": {"delay_ms": [round(each) for each in took]},
    }  # fmt: skip
