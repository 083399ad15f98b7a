"""A server under attack, and who must not notice."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from stage import Bystanders, Complaints, Stage, seed


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Nothing was logged as an error: no exception went unhandled, no task was lost."""
    heard = Complaints()
    root = logging.getLogger()
    root.addHandler(heard)
    try:
        yield heard
        gc.collect()
        assert heard.said == []
    finally:
        root.removeHandler(heard)


@pytest_asyncio.fixture
async def stage(database: str, complaints: Complaints) -> AsyncIterator[Stage]:
    """A running server on a seeded database."""
    await seed(database)
    running = Stage(database)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in left if "psn/" in repr(task.get_coro())], left


@pytest_asyncio.fixture
async def bystanders(stage: Stage) -> AsyncIterator[Bystanders]:
    """Others on the same server."""
    others = Bystanders(stage.url)
    await others.arrive()
    try:
        yield others
    finally:
        await others.leave()
