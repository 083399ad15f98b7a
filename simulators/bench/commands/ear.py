"""``psn bench ear``: from mouth to ear, through two consoles in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import Any

import click

from simulators.bench import mouth_to_ear, poor_link, screen, stage, voice
from simulators.bench import people as casting
from simulators.bench.commands.running import settle, write_report
from simulators.bench.commands.shown import Result, options, show
from simulators.bench.poor_link import Quality


def _link(url: str, quality: Quality) -> contextlib.AbstractAsyncContextManager[str]:
    return poor_link.between(url, quality) if any(quality) else contextlib.nullcontext(url)


@click.command(
    short_help="From mouth to ear, through two consoles.",
    epilog="Example: psn bench ear --seconds 100",
)
@click.option("--seconds", default=100.0, show_default=True, type=click.FloatRange(5, 3_600))
@click.option(
    "--lost",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="Percent of the frames of speech that the way to the server, and from it, loses.",
)
@click.option(
    "--jitter",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1_000),
    help="Milliseconds that everything on either way is late at most, by chance.",
)
@settle
@options
def ear(seconds: float, lost: float, jitter: float, settle: float, **chosen: Any) -> None:
    """One console talks to another, both in a real browser whose microphone chirps every second.

    From when the talker's page has a chirp until it is at the listener's loudspeaker; and, for a
    poor link, the longest silence within a chirp, and by how much the last third came later than
    the first.
    """
    quality = Quality(lost / 100, jitter / 1_000)
    screen.browser_path()

    async def work() -> Result:
        async with stage.staged(chosen["url"], chosen["database"]) as place:
            cast = await casting.enrol(place.dsn, people=2)
            await voice.groups(place.dsn, cast, 1)
            await asyncio.sleep(settle)
            with tempfile.TemporaryDirectory() as directory:
                sound = Path(directory) / "chirps.wav"
                mouth_to_ear.chirps(sound)
                talker, listener = cast.people
                async with _link(place.url, quality) as url:
                    return await mouth_to_ear.measure(
                        url, "bench 1", talker, listener, sound, seconds
                    )

    result = asyncio.run(work())
    write_report(chosen["report"], "psn bench ear", result)
    show(result, mouth_to_ear.KEYS, chosen["as_json"])
