"""Early warning beside the network: what is in force in memory, the clock, and the ways out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import asyncpg

from dispatch.board.board import Board
from dispatch.warnings.clock import WarningClock
from dispatch.warnings.drafts import Drafts
from dispatch.warnings.public_pages import PublicPages
from dispatch.warnings.screens import Screens
from dispatch.warnings.told import Told
from psn.core import Core


class WarningRoom:
    """All that goes on for warnings in one server."""

    def __init__(self, core: Core, pool: asyncpg.Pool, board: Board, pages: PublicPages) -> None:
        self.told = Told(pool)
        self.drafts = Drafts(core, pool)
        self._screens = Screens(core, pool, board, self.drafts.confirmed)
        self._clock = WarningClock(core, pool, self.renew)
        self.told.shows += [self._screens.show, pages.show]

    async def load(self) -> None:
        """Read everything; raises what asyncpg raises."""
        await self.told.load()
        await self.drafts.renew()

    async def renew(self) -> None:
        """Show what an action or the clock has changed; it is shown when this returns."""
        self._clock.wake()
        await self.told.renew()
        await self.drafts.renew()

    def doubt(self) -> None:
        """Something may have changed unseen."""
        self.told.doubt()
        self.drafts.confirmed()

    def works(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """What goes on without an end, by name."""
        yield "warnings", self.told.run
        yield "warnings on screens", self._screens.run
        yield "warnings at the desk", self.drafts.run
        yield "warnings by the clock", self._clock.run
