"""The command line of the simulators: ``psn simulate``, ``psn replay`` and ``psn bench``."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import sys
from pathlib import Path
from typing import Any, Final

import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from geo import belize, recordings
from psn.problems import Problem
from simulators import ground
from simulators import patrol as patrols
from simulators import replay as replays
from simulators.bench.commands import bench
from simulators.radios.commands import radios

__all__ = ["bench", "replay", "simulate"]

URL: Final = "http://127.0.0.1:8080"


def url_option(command: Any) -> Any:
    """Add ``--url``: the server to speak to."""
    return click.option(
        "--url", default=URL, show_default=True, envvar="PSN_URL", help="The server's address."
    )(command)


@click.group()
def simulate() -> None:
    """Simulated fleets: units that do not exist, as clients like any other."""


simulate.add_command(radios)


@simulate.command(
    short_help="Patrols in cars, in boats and on foot.",
    epilog="""
\b
Examples:
  psn simulate patrol --units 200 --credentials .psn/demo/units.json
  psn simulate patrol --credentials units.json --rate 0.2 --for 600
""",
)
@click.option("--units", type=click.IntRange(1, 20_000), help="How many; default: all of the file.")
@click.option(
    "--credentials",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON list of {unit, device, key, callsign, agency, kind}.",
)
@url_option
@click.option("--seed", default=patrols.DEFAULT_SEED, show_default=True, help="Of the movements.")
@click.option(
    "--rate", default=1.0, show_default=True, type=click.FloatRange(0.01, 20.0),
    help="Positions a second and unit.",
)  # fmt: skip
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="Stop after so many seconds.")
def patrol(
    units: int | None,
    credentials: Path | None,
    url: str,
    seed: int,
    rate: float,
    seconds: float | None,
) -> None:
    """Cars, boats and foot patrols of six agencies, moving through Belize."""
    if credentials is None:
        raise Problem(
            "credentials_missing",
            "Every simulated unit signs in with a device of its own; the fleet needs their keys.",
            "Run psn demo, which makes and uses them, or give --credentials FILE.",
        )
    found = patrols.read_credentials(credentials)
    if units is not None and units > len(found):
        raise Problem(
            "too_few_units",
            f"The file names {len(found)} units, {units} were asked for.",
            "Ask for fewer, or make more with psn demo --units.",
        )
    with patrols.status_line() as status, contextlib.suppress(KeyboardInterrupt):
        uvloop.run(
            patrols.patrol(url, found[:units], seed=seed, rate=rate, seconds=seconds, status=status)
        )


@simulate.command(
    "ground",
    short_help="The schematic roads and their mile markers, as files.",
    epilog="""
\b
Example:
  psn simulate ground .psn/demo/ground
  psn geo import .psn/demo/ground/roads.osm
  psn place import .psn/demo/ground/markers.csv --source demonstration
""",
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def write_ground(directory: Path) -> None:
    """Write what simulated units drive on into DIRECTORY, for psn geo and psn place.

    It is drawn by hand, for a demonstration: nobody finds a way by it.
    """
    ground.write(directory)
    click.echo(f"{ground.ROADS_FILE} and {ground.MARKERS_FILE} are in {directory}.")


class Speed(click.ParamType[float]):
    """How many times faster, or ``max``."""

    name = "N|max"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """A positive number; infinity for ``max``."""
        if isinstance(value, float):
            return value
        if value == "max":
            return math.inf
        try:
            speed = float(value)
        except ValueError:
            speed = math.nan
        if not 0 < speed < math.inf:
            self.fail(f"{value!r} is neither a number above 0 nor max.", param, ctx)
        return speed


class Place(click.ParamType[tuple[float, float]]):
    """Latitude and longitude in degrees."""

    name = "LAT,LON"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Two numbers with a comma between."""
        if isinstance(value, tuple):
            return value
        try:
            lat, lon = (float(part) for part in str(value).split(","))
        except ValueError:
            lat = lon = math.nan
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            self.fail(f"{value!r} is no place such as 17.50,-88.19.", param, ctx)
        return lat, lon


@click.command(
    epilog="""
\b
Examples:
  psn device enrol "Replay" --gateway --agency BCG
  psn device join --code K7MP-3XWD-H9TQ --key gateway.pem
  psn replay ais.txt --key gateway.pem --shift-to 17.50,-88.10
  psn replay walk.gpx --key gateway.pem --speed max --shift-to 17.25,-88.77
"""
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--speed", type=Speed(), default=1.0,
    help="Times faster than recorded, or max: all at once, ending now. Default: 1.",
)  # fmt: skip
@click.option("--shift-to", type=Place(), help="Move it so that its first fix is here.")
@click.option("--anywhere", is_flag=True, help="Let --shift-to be far from Belize.")
@click.option("--kind", help="Kind of its units: car, boat, foot, …; default: what the file says.")
@url_option
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The gateway's key file, from psn device join.",
)
@click.option("--loop", is_flag=True, help="Again and again, until Ctrl-C.")
def replay(
    file: Path,
    speed: float,
    shift_to: tuple[float, float] | None,
    anywhere: bool,
    kind: str | None,
    url: str,
    key: Path | None,
    loop: bool,
) -> None:
    """Play a recording (GPX, AIS, NMEA 0183, CSV) into the network, with live times."""
    if kind is not None and not re.fullmatch("[a-z_]{1,20}", kind):
        raise Problem("bad_kind", f"{kind!r} is no kind.", "Use 1 to 20 lower-case letters and _.")
    if loop and math.isinf(speed):
        raise click.UsageError("--loop needs a rhythm; it does not go with --speed max.")
    why = None if shift_to is None or anywhere else belize.doubt(shift_to[1], shift_to[0])
    if why is not None:
        raise Problem("far_away", why, "Write latitude first: 17.50,-88.19; or say --anywhere.")
    recording = recordings.read(file.read_bytes(), file.name)
    show_recording(recording, speed)
    auth = replays.gateway_of(key)
    if shift_to is not None:
        recording = recordings.shift_to(recording, *shift_to)
    total = sum(len(track.fixes) for track in recording.tracks)
    with contextlib.suppress(KeyboardInterrupt), _progress() as progress:
        task = progress.add_task("positions", total=None if loop else total)
        play = replays.Replay(
            url,
            auth,
            recording,
            kind=kind,
            progress=lambda done: progress.update(task, completed=done),
        )
        asyncio.run(play.play(speed, loop))
    show_outcome(play)


def show_recording(recording: recordings.Recording, speed: float) -> None:
    """What is in a file, what is wrong with it, and how long it will take."""
    tracks = recording.tracks
    fixes = [fix for track in tracks for fix in track.fixes]
    named = sum(track.name is not None for track in tracks)
    click.echo(
        f"{recording.format}: records {recording.records}, read {recording.decoded},"
        f" left out {recording.records - recording.decoded};"
        f" positions {len(fixes)}, units {len(tracks)}, with a name {named}."
    )
    for line in replays.problem_table(recording):
        click.echo(line)
    if not fixes:
        raise Problem("no_positions", "There is no position in the file.", "Choose another file.")
    span = max(fix.time for fix in fixes) - min(fix.time for fix in fixes)
    if math.isinf(speed):
        click.echo(f"It covers {_duration(span)}; its last position will be now.")
        return
    click.echo(f"It will play for {_duration(span / speed)}.")
    moved = replays.fastest(recording) * speed
    if speed > 1 and moved > replays.PLAUSIBLE_M_S:
        click.echo(
            f"At this speed units seem to move with up to {moved:.0f} m/s. The network keeps such"
            " positions in the track but shows them late: expect jumps on the map."
        )


def show_outcome(play: replays.Replay) -> None:
    """What became of a replay."""
    click.echo(f"Positions sent: {play.sent}.")
    if play.too_old:
        click.echo(f"Left out: {play.too_old}, more than 30 days before the last one.")
    for text, count in play.refused.most_common():
        click.echo(f"The server said, {count} ×: {text}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        disable=not sys.stderr.isatty(),
        transient=True,
    )
