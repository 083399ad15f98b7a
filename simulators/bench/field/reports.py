"""Sends every unit's reports by the timetable, whatever the server does (open loop)."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.bench.field.positions import FRAME_BYTES, Roads, Timetable, websocket_frames

BLOCK: Final = 500
"""Reports that are made together, ahead of time."""
AT_ONCE: Final = 16
"""Reports that are sent before sockets are read again, when the load is behind."""
MASK: Final = b"\x37\xfa\x21\x3d"


class Outlet(Protocol):
    """Where a unit's reports go in."""

    def transmit(self, data: bytes | memoryview) -> None:
        """Send bytes now, or as soon as the socket takes them."""


def framed(payloads: NDArray[np.void]) -> list[bytes | memoryview]:
    """WebSocket frames of reports, each cut out of one block."""
    frames = memoryview(websocket_frames(payloads, MASK))
    return [frames[n : n + FRAME_BYTES] for n in range(0, len(frames), FRAME_BYTES)]


class Reports:
    """The reports of one run that are still to be sent."""

    def __init__(
        self,
        lines: Sequence[Outlet],
        roads: Roads,
        table: Timetable,
        begin: float,
        begin_ms: float,
        published: Callable[[NDArray[np.void]], list[bytes | memoryview]] = framed,
    ) -> None:
        """``begin`` is a moment of ``perf_counter``, ``begin_ms`` the same in milliseconds UTC."""
        self._published = published
        self.times = table.utc_ms(begin_ms)
        self.late: array[float] = array("d")
        """Seconds by which each was sent later than it was due."""
        self._lines = lines
        self._roads = roads
        self._table = table
        self._dues: list[float] = (begin + table.after).tolist()
        self._units: list[int] = table.unit.tolist()
        self._number = 0
        self._made: list[bytes | memoryview] = []
        self._made_from = 0

    def __len__(self) -> int:
        """How many there are in all."""
        return len(self._dues)

    @property
    def sent(self) -> int:
        """How many have been sent."""
        return self._number

    @property
    def more(self) -> bool:
        """Whether some are still to be sent."""
        return self._number < len(self._dues)

    def due(self) -> float:
        """When the next is."""
        return self._dues[self._number] if self.more else 1e18

    def work(self, now: float) -> None:
        """Send what is due, but not too much at once."""
        dues, upto = self._dues, min(len(self._dues), self._number + AT_ONCE)
        while self._number < upto and dues[self._number] <= now:
            number = self._number
            if number >= self._made_from + len(self._made):
                self._make(number)
            self._lines[self._units[number]].transmit(self._made[number - self._made_from])
            self.late.append(now - dues[number])
            self._number = number + 1
            now = perf_counter()

    def _make(self, start: int) -> None:
        part = slice(start, start + BLOCK)
        table = self._table
        payloads = self._roads.payloads(table.unit[part], table.after[part], self.times[part])
        self._made = self._published(payloads)
        self._made_from = start
