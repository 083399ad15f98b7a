"""docs/dispatch.md is true: every action, every refusal, every item, with every field."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from dispatch.board import rows
from dispatch.board.selections import SELECTIONS
from dispatch.desk.actions import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "dispatch.md").read_text(encoding="utf-8")


def section(name: str) -> list[list[str]]:
    """The cells of the table in a section, without its head."""
    text = DOCUMENT.split(f"\n## {name}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def fields(kind: type[msgspec.Struct]) -> dict[str, bool]:
    """By name: whether it must be there."""
    return {f.encode_name: f.required for f in msgspec.structs.fields(kind)}


def test_every_action_stands_there_with_what_it_takes_and_answers() -> None:
    told = {
        words(name.replace(".", "_DOT_"))[0].replace("_DOT_", "."): rest
        for name, *rest in section("Actions")
    }
    assert set(told) == set(ACTIONS)
    shared = {"call.receive", "call.take"}  # told by reference to call.change
    for name, (_, takes, answers) in told.items():
        action = ACTIONS[name]
        assert words(answers) == ([] if action.gives is None else list(fields(action.gives)))
        if name in shared:
            continue
        optional = "".join(re.findall(r"\[(.*?)\]", takes))
        needed = re.sub(r"\[.*?\]", "", takes)
        wanted = fields(action.takes)
        assert set(words(needed)) == {n for n, required in wanted.items() if required}, name
        assert set(words(optional)) == {n for n, required in wanted.items() if not required}, name


def test_every_item_stands_there_with_all_fields() -> None:
    told = {words(kind)[0]: words(named) for kind, _, named in section("Items")}
    there = {str(s.row.__struct_config__.tag): fields(s.row) for s in SELECTIONS}
    assert set(told) == set(there)
    for kind, names in told.items():
        assert set(names) == set(there[kind]) - {"id"}, kind
    assert all(issubclass(s.row, rows.Row) for s in SELECTIONS)


def test_every_refusal_of_dispatch_stands_there() -> None:
    source = "".join(
        path.read_text()
        for room in ("domain", "desk")
        for path in (ROOT / "dispatch" / room).glob("*.py")
    )
    said = set(re.findall(r"DispatchRefused\(\s*\"([a-z_]+)\"", source))
    assert said == {words(code)[0] for code, *_ in section("Refusals")}


def test_every_kind_of_entry_in_a_log_stands_there() -> None:
    source = "".join(path.read_text() for path in (ROOT / "dispatch" / "desk").glob("*.py"))
    said = set(re.findall(r"work\.log\([^,]+, \"([a-z_]+)\"", source))
    told = words(DOCUMENT.split("Kinds of entries:")[1].split("Incidents that")[0])
    assert said | {"attached"} == set(told)  # that one the database writes
