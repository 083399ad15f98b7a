"""``psn bench warning``: everybody is warned, by screens, pages and telephones."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from psn.problems import Problem
from simulators.bench import budget, stage
from simulators.bench import people as casting
from simulators.bench import warning as warned
from simulators.bench.commands.record import measure
from simulators.bench.commands.running import own_only, settle
from simulators.bench.commands.shown import options
from simulators.bench.stage import Event, Stage


@click.command(
    short_help="How soon a warning is shown; SMS while the server is killed.",
    epilog="Example: psn bench warning --sessions 5000 --sms 10000",
)
@click.option("--sessions", default=5000, show_default=True, type=click.IntRange(1, 15_000))
@click.option("--sms", default=10_000, show_default=True, type=click.IntRange(1, 80_000))
@click.option("--window", default=50, show_default=True, type=click.IntRange(1, 1_000),
              help="Submissions that the SMS centre leaves unanswered at once.")  # fmt: skip
@click.option("--answer-ms", default=10, show_default=True, type=click.IntRange(0, 10_000),
              help="So long the centre takes for each.")  # fmt: skip
@settle
@options
def warning(
    sessions: int, sms: int, window: int, answer_ms: int, settle: float, **chosen: Any
) -> None:
    """A warning is approved: until when do all sessions, the feed and the page have it?

    Then it goes out by SMS to a centre of our own, and the server is killed (-9) twice meanwhile.
    """
    own_only(chosen["url"], "kills the server")
    budget.allow_sockets(sessions + 2)

    async def prepare(place: Stage) -> Event:
        cast = await casting.enrol(place.dsn, units=sessions, people=2, agencies=1)
        await warned.appoint(place.dsn, cast, sms)
        await asyncio.sleep(1.0)
        return warned.plan_of(place.url, cast, settle)

    with _centre(window, answer_ms) as log:
        measure("warning", chosen, warned.KEYS, prepare, during=warned.killing(log, sms))


@contextlib.contextmanager
def _centre(window: int, answer_ms: int) -> Iterator[Path]:
    """An SMS centre that servers from here on know; the file in which it notes what it takes."""
    with stage.directory() as place:
        log: Path = place / "sms.jsonl"
        command = (sys.executable, "-P", "-m", "simulators.sms_centre", "--log", str(log),
                   "--answer-ms", str(answer_ms), "--no-receipts")  # fmt: skip
        with subprocess.Popen(
            stage.bound(command, stage.cores()[1]), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("listening on "):
                raise Problem("no_centre", "The SMS centre did not start.", "Run psn doctor.")
            file = place / "smsc.toml"
            file.write_text(
                f'[[smsc]]\nname = "bench"\nhost = "127.0.0.1"\nport = {line.split()[-1]}\n'
                'system_id = "nemo"\npassword = "bench"\nrate = 10000.0\n'
                f"window = {window}\n"
            )
            os.environ["PSN_SMSC"] = str(file)
            try:
                yield log
            finally:
                del os.environ["PSN_SMSC"]
                process.kill()
