"""``psn bench ear``: from mouth to ear, through two consoles in a browser."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import click

from simulators.bench import mouth_to_ear, screen, stage, voice
from simulators.bench import people as casting
from simulators.bench.commands.running import settle, write_report
from simulators.bench.commands.shown import Result, options, show


@click.command(
    short_help="From mouth to ear, through two consoles.",
    epilog="Example: psn bench ear --seconds 100",
)
@click.option("--seconds", default=100.0, show_default=True, type=click.FloatRange(5, 3_600))
@settle
@options
def ear(seconds: float, settle: float, **chosen: Any) -> None:
    """One console talks to another, both in a real browser whose microphone chirps every second.

    From when the talker's page has a chirp until it is at the listener's loudspeaker.
    """
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
                return await mouth_to_ear.measure(
                    place.url, "bench 1", talker, listener, sound, seconds
                )

    result = asyncio.run(work())
    write_report(chosen["report"], "psn bench ear", result)
    show(result, mouth_to_ear.KEYS, chosen["as_json"])
