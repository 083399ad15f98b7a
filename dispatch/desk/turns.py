"""Turns: what one asks for over HTTP is done one after the other, as on a socket.

So nobody who asks for a thousand things at once keeps the database's connections from the others,
whose orders and alarms must not wait for him.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from psn.problems import Problem

WAITING: Final = 20
"""So many of one asker may wait; what is more is refused."""


@dataclass(slots=True)
class _Line:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Turns:
    """Whose turn it is, by the address of who asks."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @contextlib.asynccontextmanager
    async def of(self, asker: str) -> AsyncIterator[None]:
        """Until the others of this asker are done; raises ``too_fast`` when too many wait."""
        line = self._lines.setdefault(asker, _Line())
        if line.waiting > WAITING:
            text = "More is asked at once than can be done; this was not done."
            raise Problem("too_fast", text, "Wait for answers, then send it again.", retry=1_000)
        line.waiting += 1
        try:
            async with line.turn:
                yield
        finally:
            line.waiting -= 1
            if not line.waiting:
                del self._lines[asker]
