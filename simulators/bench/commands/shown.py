"""What a person sees of a benchmark: how far it is, then the figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from simulators.bench.stage import Event

Result = dict[str, Any]
Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


class Shown:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
            # Drawing takes from the processor that the load has.
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Shown:
        """Start to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.stop()

    def event(self, event: Event) -> None:
        """Show a ``progress`` event."""
        if event["event"] != "progress":
            return
        text = event["text"]
        if text not in self._tasks:
            for task in self._tasks.values():
                self._progress.remove_task(task)
            self._tasks = {text: self._progress.add_task(text, total=event["total"])}
        self._progress.update(self._tasks[text], completed=event["done"], total=event["total"])


def options(command: Command) -> Command:
    """Add ``--json``, ``--report``, ``--url`` and ``--database``."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One line of JSON."),
        click.option(
            "--report",
            type=click.Path(dir_okay=False, writable=True, path_type=Path),
            help="Write a page with plots to this file.",
        ),
        click.option("--url", help="Measure this server instead of one of its own."),
        click.option("--database", help="Its database, postgresql://…; goes with --url."),
    ):
        command = option(command)
    return command


def show(result: Result, keys: Sequence[str], as_json: bool) -> None:
    """Print a result: the named keys first, whatever else there is after them."""
    ordered = {key: result[key] for key in keys} | {
        key: value for key, value in result.items() if key not in keys and key != "event"
    }
    if as_json:
        click.echo(json.dumps(ordered))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for key, value in ordered.items():
        if key != "series":
            for name, shown in _rows(key.replace("_", " "), value):
                table.add_row(name, shown)
    Console().print(table)


def _rows(name: str, value: Any) -> list[tuple[str, str]]:
    """A figure, or the figures of a group, a row each."""
    if isinstance(value, dict):
        if not value or all(isinstance(part, int) for part in value.values()):
            counts = ", ".join(f"{count:,} {what}" for what, count in value.items())
            return [(name, counts or "none")]
        return [row for key, part in value.items() for row in _rows(f"{name}: {_plain(key)}", part)]
    if isinstance(value, list):
        return [
            row for n, part in enumerate(value, 1)
            for row in _rows(name if len(value) == 1 else f"{name} {n}", part)
        ]  # fmt: skip
    if value is None:
        return [(name, "unknown")]
    return [(name, value if isinstance(value, str) else f"{value:,}")]


def _plain(key: str) -> str:
    return key.replace("_", " ")
