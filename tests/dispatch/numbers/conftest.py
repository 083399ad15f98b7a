"""Clerks on a running server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest_asyncio
from clerks import Clerk, staff
from stage import Peer, Stage

SignIn = Callable[[str], Awaitable[Clerk]]


@pytest_asyncio.fixture
async def sign_in(stage: Stage) -> AsyncIterator[SignIn]:
    """Signs somebody in by name."""
    await staff(stage.dsn)
    await stage.core.refresh_directory()
    async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:

        async def enter(name: str) -> Clerk:
            peer = await stack.enter_async_context(await Peer.enter(stage.url, name))
            return Clerk(stage, http, peer)

        yield enter
