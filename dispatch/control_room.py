"""The control room: board, desk, orders and clock, put together and run beside the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from dispatch.board.board import Board
from dispatch.desk.actions import ACTIONS
from dispatch.desk.clock import Clock
from dispatch.desk.desk import Desk
from dispatch.desk.fences import FenceWatch
from dispatch.desk.orders import Orders
from dispatch.domain.alarms import Patience
from psn import database
from psn.core import Core
from psn.settings import Settings

CONNECTIONS: Final = 6
"""Database connections of dispatch's own: reading history must not keep an order waiting."""
DESK: Final[web.AppKey[Desk]] = web.AppKey("desk", Desk)


def open_with(application: web.Application, core: Core, settings: Settings) -> None:
    """Open the control room with the server, and close it with it."""

    async def run(application: web.Application) -> AsyncIterator[None]:
        pool = await database.pool(settings.database, CONNECTIONS)
        board = Board(pool, core.topics)
        orders = Orders(core, pool, board)
        desk = Desk(core, pool, board, ACTIONS, orders.wait)
        clock = Clock(pool, board, Patience())
        fences = FenceWatch(core, pool, board)
        await board.load()
        core.acts = desk.asked
        core.on_crossing = fences.crossed
        core.on_board_notice = board.doubt
        application[DESK] = desk
        tasks = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("board", board.run()),
                ("orders", orders.run()),
                ("alarms", clock.run()),
                ("fences", fences.run()),
            )
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        pool.terminate()

    application.cleanup_ctx.append(run)
