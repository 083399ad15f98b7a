"""People who attach things to one server."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from attached import Sender, entered
from stage import Stage


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server's files lie."""
    monkeypatch.setenv("PSN_FILES", str(tmp_path / "files"))
    return Path(os.environ["PSN_FILES"])


@pytest_asyncio.fixture
async def ana(place: Path, stage: Stage) -> AsyncIterator[Sender]:
    async with entered(stage, "ana") as sender:
        yield sender


@pytest_asyncio.fixture
async def ben(place: Path, stage: Stage) -> AsyncIterator[Sender]:
    async with entered(stage, "ben") as sender:
        yield sender
