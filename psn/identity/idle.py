"""When a person's session locks and when it ends, and when that is said beforehand. Pure.

A session locks when its person has done nothing for so long (NIST SP 800-63B-4 §2.2.3 asks for an
inactivity limit; CJIS Security Policy AC-11 names 30 minutes). Whether it is locked follows from
the last activity alone, so nothing else need be kept and a restart changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LOCK_WARNING: Final = timedelta(minutes=2)
END_WARNING: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a person may do nothing; zero: as long as the session lives."""

    idle: timedelta

    def locked(self, active: datetime, now: datetime) -> bool:
        """Whether a session is locked whose person was last active then."""
        return bool(self.idle) and now - active >= self.idle

    def locking_in(self, active: datetime, now: datetime) -> int | None:
        """Seconds until it locks, when that is to be said now; none: it is not."""
        if not self.idle:
            return None
        left = active + self.idle - now
        warning = min(LOCK_WARNING, self.idle / 2)
        return _seconds(left) if timedelta(0) < left <= warning else None

    @staticmethod
    def ending_in(ends: datetime, now: datetime) -> int | None:
        """Seconds until a session ends, when that is to be said now; none: it is not."""
        left = ends - now
        return _seconds(left) if timedelta(0) < left <= END_WARNING else None


def _seconds(left: timedelta) -> int:
    return max(1, round(left.total_seconds()))
