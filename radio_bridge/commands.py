"""``psn radio``: the radio bridge, at the radio site or anywhere that reaches it."""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path

import click
import uvloop

from psn.log_lines import LogLines
from radio_bridge.bridge import settings


@click.command(
    epilog="""
\b
Examples:
  psn radio --config /etc/psn/radio.toml
  psn radio --config radio.toml --check

The file is read again when it changes, or at SIGHUP: links that are the same notice nothing, and a
file with a mistake in it is not taken. docs/operating.md has an example, and what each line means.
""",
)
@click.option(
    "--config", "file", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="The settings: radio.toml.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Only say whether the settings can be used.")
@click.option(
    "--log-level", default="info", show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
)  # fmt: skip
def radio(file: Path, check: bool, log_level: str) -> None:
    """Join the two-way radio networks: repeaters, reflectors, lines, and this network."""
    found = settings.load(file)
    if check:
        links = ", ".join(found.links) or "none"
        click.echo(f"{file} is good. Links: {links}. Patches: {len(found.patches)}.")
        return
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(LogLines())
    logging.basicConfig(level=log_level.upper(), handlers=[lines])
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_run(file))


async def _run(file: Path) -> None:
    from radio_bridge.bridge.process import Process

    await Process(file).run()
