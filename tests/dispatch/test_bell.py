"""A bell: what was rung is heard, also when nobody waited yet, and once."""

from __future__ import annotations

import asyncio

import pytest

from dispatch.bell import Bell


async def test_what_rang_before_is_heard_at_once_and_only_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    await asyncio.wait_for(bell.wait(3_600), 30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bell.wait(3_600), 0.05)


async def test_who_waits_is_woken() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(3_600))
    await asyncio.sleep(0)
    assert not waiting.done()
    bell.ring()
    await asyncio.wait_for(waiting, 30)


async def test_nobody_waits_for_a_bell_that_does_not_ring() -> None:
    await asyncio.wait_for(Bell().wait(0.01), 30)
