"""A database with roads in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest_asyncio
from osm import xml

from dispatch.roads import osm_file, road_tables
from psn import database as database_
from psn.trail.audit import Actor

BY = Actor("command line: tester")


@pytest_asyncio.fixture
async def roads(database: str, tmp_path: Path) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection to a database that has the small network."""
    file = tmp_path / "small.osm"
    file.write_text(xml())
    connection = await database_.connect(database)
    try:
        await road_tables.replace(connection, osm_file.read(file), file.name, "00", BY)
        yield connection
    finally:
        await connection.close()
