"""How the files of the tests stand to each other."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent
TAKEN = re.compile(r"^\s*(?:from|import)\s+test_\w+", re.MULTILINE)


def test_no_test_file_takes_anything_from_another() -> None:
    """Two rooms may have files of one name, and whichever ran first would be found by it."""
    taking = {
        path.relative_to(TESTS).as_posix(): found
        for path in TESTS.rglob("*.py")
        if (found := TAKEN.findall(path.read_text(encoding="utf-8")))
    }
    assert taking == {}


def test_what_tests_share_is_found_by_one_name() -> None:
    shared = [p.name for p in TESTS.rglob("*.py") if not p.name.startswith(("test_", "conftest"))]
    assert len(shared) == len(set(shared))
