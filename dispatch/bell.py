"""A bell for who works when something is to be done, and looks by himself every so often."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Rung by whoever has something to be done; any number of rings are heard as one."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There may be something to do."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, ``seconds`` at most; not at all when it rang since the last time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()
