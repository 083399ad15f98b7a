"""Commands that the documents name exist, with those options and arguments."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from psn.__main__ import main

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "docs/operating.md", "docs/measurements.md")
COMMAND = re.compile(r"^ {4}\./run psn (.+)$|`\./run psn ([^`]+)`|`psn ([^`]+)`", re.MULTILINE)


def named(document: str) -> list[str]:
    text = (ROOT / document).read_text()
    return ["".join(found).split(" > ")[0] for found in COMMAND.findall(text)]


COMMANDS = sorted({command for document in DOCUMENTS for command in named(document)})


@pytest.mark.parametrize("command", COMMANDS)
def test_it_can_be_typed_as_it_stands(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        *("ports.geojson", "ais.txt", "walk.gpx", "gateway.json", "markers.csv", "piers.csv"),
        *("audit.jsonl", "checkpoints.txt", "belize-latest.osm.pbf", "evacuate.wav"),
    ):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command.split(" …")[0].replace(" FILE", " ais.txt"))
    if {"--help", "NAME"} & set(words):
        return
    group: click.Command = main
    context = click.Context(main)
    while isinstance(group, click.Group) and words:
        found = group.get_command(context, words[0])
        assert found is not None, f"psn {command}: there is no {words[0]}"
        group, words = found, words[1:]
    if isinstance(group, click.Group) or "…" in command:
        return  # only named, as a whole
    if not words and any(p.required for p in group.params):
        return
    group.make_context(group.name, words, parent=context)


def test_there_are_commands_to_try() -> None:
    assert len(COMMANDS) > 30
