"""Browsers on a running network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from screens import WEB, Screens, showing
from tablets import A_DAY_BEHIND, Tablet


@pytest.fixture
def pages() -> None:
    """The pages are built."""
    if not (WEB / "dist" / "index.html").is_file():
        pytest.skip("the pages are not built; run ./run web")


@pytest_asyncio.fixture
async def screens(
    database: str, chromium: str, tmp_path: Path, pages: None
) -> AsyncIterator[Screens]:
    """A network and a browser of Debian's kind."""
    async with showing(database, chromium, tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def tablet(screens: Screens, chromium: str, tmp_path: Path) -> AsyncIterator[Tablet]:
    """A tablet that nobody has enrolled."""
    one = Tablet(screens, chromium, tmp_path / "tablet", A_DAY_BEHIND)
    await one.open()
    yield one
    await one.close()
