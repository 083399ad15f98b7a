"""docs/warnings.md and the code say the same."""

from __future__ import annotations

import re
from pathlib import Path

from dispatch.alerting.templates import templates

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "warnings.md").read_text()
CODE = re.compile(r"[\"`]((?:cap|area|feed|file|warning)\.[a-z_]+)[\"`]")
RULE = re.compile(r"DOM-WRN-\d+")


def test_every_code_is_in_the_document_and_none_that_is_not() -> None:
    rooms = ("alerting", "warnings")
    source = "\n".join(
        path.read_text()
        for room in rooms
        for path in (ROOT / "dispatch" / room).rglob("*.py")
        if room == "alerting" or path.name in ("listening.py", "area_files.py")
    )
    assert set(CODE.findall(DOCUMENT)) == set(CODE.findall(source))


def test_every_note_about_a_file_stands_there() -> None:
    source = "\n".join(
        (ROOT / "dispatch" / "alerting" / f"{name}.py").read_text()
        for name in ("areas", "drawn_files", "storms")
    )
    # A polygon, a track, and a district, of which nothing is told.
    source = source.replace("note.{what}_", 'note.polygon_simplified" "note.track_')
    there = set(re.findall(r"`(note\.[a-z_]+)`", DOCUMENT))
    assert there == set(re.findall(r"\"(note\.[a-z_]+)\"", source))


def test_every_rule_is_quoted_by_a_test() -> None:
    rules = re.findall(r"^\| (DOM-WRN-\d+) \|", DOCUMENT, re.MULTILINE)
    numbers = [int(rule.rpartition("-")[2]) for rule in rules]
    assert numbers and numbers == sorted(set(numbers)), "a rule keeps its number"
    tests = "\n".join(
        path.read_text()
        for room in ("alerting", "warnings")
        for path in (Path(__file__).parents[1] / room).rglob("test_*.py")
        if path != Path(__file__)
    )
    assert set(RULE.findall(tests)) == set(rules)


def test_every_template_stands_there_with_its_hours_and_sources() -> None:
    for template in templates().values():
        (row,) = re.findall(rf"^\| `{template.code}` \|.*$", DOCUMENT, re.MULTILINE)
        _, _, name, hours, sources, doubt, _ = (cell.strip() for cell in row.split("|"))
        assert (name, hours, doubt) == (
            template.name["en"], f"{template.hours:g}", template.doubt,
        )  # fmt: skip
        assert re.findall(r"\]\((\S+?)\)", sources) == [each.where for each in template.sources]


def test_the_spanish_page_says_what_is_wrong_in_spanish() -> None:
    path = ROOT / "dispatch" / "web" / "src" / "warnings" / "findings.es.ts"
    known = set(
        re.findall(r"^  '((?:area|file|warning)\.[a-z_]+)':", path.read_text(), re.MULTILINE)
    )
    told = {
        code for code in CODE.findall(DOCUMENT) if code.split(".")[0] in ("area", "file", "warning")
    }
    assert known == told - {"warning.sent"}
