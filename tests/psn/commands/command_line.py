"""What the tests of the command line share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import asyncpg
from click.testing import Result

from psn import directory_watch
from psn.directory import Directory

Psn = Callable[..., Result]
"""Runs ``psn …``; ``fails=True`` when it is expected to, ``typed`` is its standard input."""


class RunSql(Protocol):
    """Runs one statement; the first value of its first row."""

    def __call__(self, statement: str) -> object: ...


def loaded(dsn: str) -> Directory:
    """Who is who in a database now."""

    async def work() -> Directory:
        conn = await asyncpg.connect(dsn)
        try:
            return await directory_watch.load(conn)
        finally:
            await conn.close()

    return asyncio.run(work())
