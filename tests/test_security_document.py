"""docs/security.md: every item of OWASP ASVS 5.0.0, levels 1 and 2, once, and its tests exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
STATES = {"met", "partly", "not yet", "not applicable"}
# Section: how many of its items are of level 1 or 2. Those of level 3 come after them, but for
# 3.7, of which the first two are meant, and 3.2 to 3.5.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5,
    "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2,
    "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4,
    "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2,
    "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1,
    "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip


def test_every_item_stands_there_once_and_in_its_order() -> None:
    wanted = [f"{section}.{n}" for section, items in SECTIONS.items() for n in range(1, items + 1)]
    assert [row[1] for row in ROW.finditer(DOCUMENT)] == wanted


def test_every_state_is_one_of_four_and_what_is_not_met_says_why() -> None:
    for item, _, state, evidence in (row.groups() for row in ROW.finditer(DOCUMENT)):
        assert state in STATES, item
        assert evidence.strip(), item


def test_every_item_that_is_not_met_is_among_what_is_open_and_no_other() -> None:
    opened = DOCUMENT.split("## Open")[1].split("## OWASP")[0]
    told = set(re.findall(r"\d+\.\d+\.\d+", opened)) - {"5.0.0"}
    gaps = {row[1] for row in ROW.finditer(DOCUMENT) if row[3] in ("partly", "not yet")}
    assert told == gaps


CITED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", DOCUMENT)))


@pytest.mark.parametrize(("file", "name"), CITED)
def test_tests_that_are_named_exist(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not name or name in functions


def test_files_that_are_named_exist() -> None:
    named = set(re.findall(r"`((?:psn|dispatch|docs|migrations)/[\w./-]+\.\w+)`", DOCUMENT))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
