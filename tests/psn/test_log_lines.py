"""Lines of the log: whose they are, and when it was."""

from __future__ import annotations

import logging
import re
import sys

from hypothesis import given
from hypothesis import strategies as st

from psn.log_lines import LogLines

BEGINS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ psn\.door: ")


def record(said: str, *args: object, failed: bool = False) -> logging.LogRecord:
    what = sys.exc_info() if failed else None
    made = logging.LogRecord("psn.door", logging.WARNING, "", 0, said, args, what)
    made.created, made.msecs = 0.25, 250
    return made


def test_a_moment_is_in_utc() -> None:
    written = LogLines().format(record("%s took nothing", "unit:7"))
    assert written == "1970-01-01T00:00:00.250Z WARNING psn.door: unit:7 took nothing"


def test_names_of_people_here_are_written_as_they_are() -> None:
    assert LogLines().format(record("Núñez · 3°")).endswith("Núñez · 3°")


@given(st.text())
def test_whatever_is_logged_is_one_line(text: str) -> None:
    written = LogLines().format(record("of %s", text))
    assert written.isprintable()
    assert len(written.splitlines()) == 1
    assert BEGINS.match(written)


@given(st.text())
def test_whatever_failed_its_lines_are_not_taken_for_others(text: str) -> None:
    try:
        raise ValueError(text + "\n2026-01-01T00:00:00.000Z INFO psn.door: all is well\x1b[2J")
    except ValueError:
        first, *below = LogLines().format(record("failed", failed=True)).split("\n")
    assert BEGINS.match(first)
    assert below
    assert all(line.startswith("    ") and line.isprintable() for line in below)
