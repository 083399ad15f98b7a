"""The control room: board, desk, orders, clock and roads, run beside the network."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

from aiohttp import web

from dispatch.board.board import Board
from dispatch.desk import forgetting
from dispatch.desk.actions import ACTIONS
from dispatch.desk.by_sms import OrdersBySms
from dispatch.desk.clock import Clock
from dispatch.desk.desk import Desk
from dispatch.desk.fences import FenceWatch
from dispatch.desk.orders import Orders
from dispatch.domain.alarms import Patience
from dispatch.recommending.recommender import Recommender
from dispatch.roads.held_roads import HeldRoads
from dispatch.sms import centres
from dispatch.sms.session import SmsCentre
from dispatch.warnings.public_pages import PublicPages
from dispatch.warnings.room import ROOM, WarningRoom
from psn import database
from psn.core import Core
from psn.settings import Settings

FOR_ACTIONS: Final = 6
FOR_ROOMS: Final = 4
"""Database connections of dispatch's own: reading history must not keep an order waiting, nor what
is asked of the desk those that show it, send orders, and raise alarms."""
READY_AFTER_S: Final = 15.0
"""So long those who were connected before a restart have to come back first."""
AGAIN_S: Final = 1.0
"""After so long a work that failed is begun anew."""
log = logging.getLogger(__name__)
DESK: Final[web.AppKey[Desk]] = web.AppKey("desk", Desk)
RECOMMENDER: Final[web.AppKey[Recommender]] = web.AppKey("recommender", Recommender)


def open_with(application: web.Application, core: Core, settings: Settings) -> None:
    """Open the control room with the server, and close it with it."""
    alerts = PublicPages(core.keys.alert.certificate)
    alerts.add_routes(application)

    async def run(application: web.Application) -> AsyncIterator[None]:
        # All at once and for good: after a quiet hour the first action is as soon done as any.
        asked = await database.pool(settings.database, FOR_ACTIONS, FOR_ACTIONS, idle_seconds=0)
        pool = await database.pool(settings.database, FOR_ROOMS, FOR_ROOMS, idle_seconds=0)
        board = Board(pool, core.topics)
        orders = Orders(core, pool, board)
        named = () if settings.smsc is None else centres.read(settings.smsc)
        sms = [SmsCentre(each) for each in named]
        warnings = WarningRoom(core, pool, board, alerts, settings, sms)
        by_sms = OrdersBySms(pool, board, sms)

        def orders_wait() -> None:
            orders.wait()
            by_sms.wait()

        desk = Desk(
            core,
            asked,
            board,
            ACTIONS,
            orders_wait,
            warnings.renew,
            warnings.drafts.confirmed,
            settings.warner,
        )
        clock = Clock(pool, board, Patience())
        fences = FenceWatch(core, pool, board)
        await board.load()
        await warnings.load()
        await by_sms.load()
        core.acts = desk.asked
        core.on_crossing = fences.crossed

        def doubt() -> None:
            board.doubt()
            warnings.doubt()

        core.on_board_notice = doubt
        application[DESK] = desk
        application[ROOM] = warnings
        roads = HeldRoads()
        recommender = Recommender(core, roads, settings.emergency_driving_percent / 100)
        application[RECOMMENDER] = recommender
        works: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("board", board.run),
            ("orders", orders.run),
            ("orders by SMS", by_sms.run),
            *((each.name, each.run) for each in sms),
            ("alarms", clock.run),
            ("fences", fences.run),
            *warnings.works(),
            ("forgetting", partial(forgetting.run, pool)),
            ("roads", partial(roads.run, pool)),
            ("ways", partial(_make_ready, recommender)),
        ]
        tasks = [asyncio.create_task(_keep_going(name, work), name=name) for name, work in works]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Last: what was begun waits a little for its answers.
        await asyncio.gather(*(each.close() for each in sms))
        await asyncio.gather(database.close_pool(asked), database.close_pool(pool))

    application.cleanup_ctx.append(run)


async def _keep_going(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do a work that has no end; should it fail in a way that nobody thought of, begin it anew."""
    while True:
        try:
            return await work()
        except Exception:
            log.exception("%s failed, and begins anew", name)
            await asyncio.sleep(AGAIN_S)


async def _make_ready(recommender: Recommender) -> None:
    """Coast and roads before anybody asks: some seconds of work.

    But not at once: after a restart all who were connected come back first.
    """
    await asyncio.sleep(READY_AFTER_S)
    await asyncio.to_thread(recommender.ways)
