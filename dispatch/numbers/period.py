"""From when until when numbers are asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from psn.problems import Problem

DAY_MS: Final = 86_400_000
USUAL: Final = 30 * DAY_MS
LONGEST: Final = 400 * DAY_MS
"""A year and a month: one asks what one query answers soon."""
LAST: Final = 4_102_444_800_000
"""The end of the century."""


class BadPeriod(Problem):
    """A period that cannot be meant: ``bad_parameter``."""


@dataclass(frozen=True, slots=True)
class Period:
    """Milliseconds UTC: what began at ``begin`` belongs to it, what began at ``end`` does not."""

    begin: int
    end: int

    @classmethod
    def of(cls, begin: int | None, end: int | None, now: int) -> Period:
        """The period that is asked for: without an end until now, without a beginning 30 days.

        Raises :class:`BadPeriod` when it is empty, or longer than 400 days.
        """
        end = now if end is None else end
        begin = max(0, end - USUAL) if begin is None else begin
        if begin >= end:
            raise BadPeriod(
                "bad_parameter",
                "The period ends before it begins.",
                "Let from be before to; both are milliseconds UTC.",
            )
        if end - begin > LONGEST:
            raise BadPeriod(
                "bad_parameter", "The period is longer than 400 days.", "Ask for less at a time."
            )
        return cls(begin, end)
