"""The road network that a server holds in memory, and its renewal when another was imported."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import asyncpg

from dispatch.roads import road_tables
from dispatch.roads.road_tables import Imported
from geo.road_network import RoadNetwork
from psn import database

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0
"""So often it is looked whether another network was imported."""


class HeldRoads:
    """What is known of roads; nothing, until :meth:`refresh` has found some.

    While the database is away the network that was loaded stays.
    """

    def __init__(self) -> None:
        self.network: RoadNetwork | None = None
        self.imported: Imported | None = None
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self, pool: asyncpg.Pool) -> bool:
        """Load the network if it is not the one that is held; whether that was so.

        Raises what asyncpg raises. The arrays are made ready in a thread: that takes seconds.
        """
        async with self._one_at_a_time:
            async with database.asking(pool) as connection:
                newest = await road_tables.newest(connection)
            held = None if self.imported is None else self.imported.id
            if newest is None or newest.id == held:
                return False
            async with pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
                found = await road_tables.load(connection)
            if found is None:
                return False
            which, roads = found
            self.network = await asyncio.to_thread(RoadNetwork, roads)
            self.imported = which
            log.info("roads: %d edges of %s", which.edges, which.file)
            return True

    async def run(self, pool: asyncpg.Pool) -> None:
        """Look for another network again and again, until cancelled."""
        while True:
            try:
                await self.refresh(pool)
            except database.PASSING as problem:
                log.debug("roads could not be looked at: %s", problem)
            await asyncio.sleep(LOOK_SECONDS)
