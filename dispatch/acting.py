"""A change that somebody makes over HTTP: one transaction that says whose it is."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from dispatch.asking import Asked
from psn import database
from psn.trail import auditor


@contextlib.asynccontextmanager
async def acting(asked: Asked) -> AsyncIterator[database.Connection]:
    """A transaction of the caller's. When it is committed, the directory is renewed.

    What it changes holds for everyone when this is left. Raises what asyncpg raises.
    """
    async with asked.pool.acquire() as connection, auditor.acting(connection, asked.actor):
        yield connection
    await asked.core.refresh_directory()
