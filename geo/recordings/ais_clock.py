"""The time of AIS messages that were stored without their time of receipt.

Most position reports carry the second of the minute in which the position was taken, and base
stations send the full date and time. Messages stand in the file in the order of their arrival, a
few seconds after they were taken. From this the clock is rebuilt:

1. The reported seconds are unrolled into a line without minutes. The time now is the median of the
   last few, which one ship with a wrong clock does not move; a second within ten seconds of it
   belongs beside it. One further away is either a silence in the recording or a wrong clock: the
   first report after it that agrees with only one of the two decides.
2. When base stations told the full time, whole minutes are added so that theirs agree; otherwise
   the line starts in minute 0 of 1970.
3. A message without a second, or with one that is taken to be wrong, gets the time now.

All these times are marked as paced: they are good for showing the traffic, not for evidence.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

NEIGHBOURS: Final = 5
WITNESSES: Final = 3
CLOSE_S: Final = 10.0
BLIND_SPACING_S: Final = 0.1
"""Between two messages when nothing at all is known; a busy harbour has about ten a second."""


class Clock:
    """Collects what each message says of time, and answers when each was sent."""

    def __init__(self) -> None:
        self._received: list[float | None] = []
        self._seconds: list[int | None] = []
        self._full: list[float | None] = []

    def mark(self, received: float | None, second: object, full: float | None) -> int:
        """Note one message; its number, for :meth:`times`.

        Args:
            received: time of receipt, seconds UTC, when the file has it.
            second: second of the minute from the message; 60 and above mean "not available".
            full: date and time from a base station, seconds UTC.
        """
        self._received.append(received)
        self._seconds.append(second if isinstance(second, int) and 0 <= second < 60 else None)
        self._full.append(full)
        return len(self._received) - 1

    def times(self) -> list[tuple[float, bool]]:
        """For each mark its time in seconds UTC, and whether that was rebuilt here."""
        if any(received is not None for received in self._received):
            return self._from_receipt()
        if all(second is None for second in self._seconds):
            return [(at * BLIND_SPACING_S, True) for at in range(len(self._seconds))]
        line = self._unrolled()
        shifts = [
            round((full - line[at]) / 60.0) * 60.0
            for at, full in enumerate(self._full)
            if full is not None
        ]
        shift = median(shifts) // 60.0 * 60.0 if shifts else 0.0
        return [(time + shift, True) for time in line]

    def _from_receipt(self) -> list[tuple[float, bool]]:
        last = next(received for received in self._received if received is not None)
        result = []
        for received in self._received:
            result.append((last if received is None else received, received is None))
            last = result[-1][0]
        return result

    def _unrolled(self) -> list[float]:
        told = [second for second in self._seconds if second is not None]
        recent: deque[float] = deque([float(told[0])], maxlen=NEIGHBOURS)
        now = recent[0]
        line = []
        seen = 0
        for second in self._seconds:
            time = now
            if second is not None:
                seen += 1
                offset = _offset(now, second)
                if abs(offset) <= CLOSE_S:
                    time = now + offset
                    recent.append(time)
                elif not _is_alone(now, second, told[seen : seen + WITNESSES]):
                    time = now + (second - now) % 60.0  # the file goes forward
                    recent.clear()
                    recent.append(time)
                now = max(now, median(recent))
            line.append(time)
        return line


def _offset(now: float, second: float) -> float:
    """From a time to the nearest one with this second of the minute: -30 <= seconds < 30."""
    return (second - now + 30.0) % 60.0 - 30.0


def _is_alone(now: float, second: float, following: list[int]) -> bool:
    """Whether the reports that follow agree with the time so far rather than with this second."""
    for witness in following:
        for_now = abs(_offset(now, witness)) <= CLOSE_S
        if for_now != (abs(_offset(second, witness)) <= CLOSE_S):
            return for_now
    return False
