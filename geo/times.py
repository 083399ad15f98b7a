"""Times as people and programs write them, turned into seconds UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?")
_DAY_FIRST: Final = re.compile(
    r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?)?\s*Z?"
)
_YEAR_FIRST: Final = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(.*)", re.DOTALL)

# From these counts on a bare number cannot be seconds of this age: it is milliseconds or finer.
_MILLISECONDS: Final = 1e11
_MICROSECONDS: Final = 1e14
_NANOSECONDS: Final = 1e17


def parse_time(text: str) -> float | None:
    """Seconds since 1970-01-01 UTC of a written time, or None when it is none.

    Understood: ISO 8601 (``2026-06-01T12:00:00Z``, with any offset, any number of decimals, blank
    instead of T, slashes in the date), seconds, milliseconds, microseconds or nanoseconds since
    1970, and day first as written in Belize (``01/06/2026 12:00``). A time without a zone is UTC.
    """
    text = text.strip().strip("\"'")
    if not text or len(text) > 64 or not text.isascii():
        return None
    if _NUMBER.fullmatch(text) and len(text) != 8:  # eight digits are a date: 20260601
        return _from_count(float(text))
    found = _DAY_FIRST.fullmatch(text)
    if found:
        day, month, year, hour, minute, second = found.groups()
        return _from_parts(year, month, day, hour or "0", minute or "0", second or "0")
    found = _YEAR_FIRST.fullmatch(text)
    if found:
        year, month, day, rest = found.groups()
        text = f"{year}-{month:0>2}-{day:0>2}{rest}"
    if text.upper().endswith(" UTC"):
        text = text[:-4] + "Z"
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _from_count(number: float) -> float:
    size = abs(number)
    if size >= _NANOSECONDS:
        return number / 1e9
    if size >= _MICROSECONDS:
        return number / 1e6
    if size >= _MILLISECONDS:
        return number / 1e3
    return number


def _from_parts(
    year: str, month: str, day: str, hour: str, minute: str, second: str
) -> float | None:
    try:
        start = datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC)
    except ValueError:
        return None
    return start.timestamp() + float(second) if float(second) < 61 else None
