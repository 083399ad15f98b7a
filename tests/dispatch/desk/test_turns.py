"""What one asks for over HTTP is done one after the other, and keeps nobody else waiting."""

from __future__ import annotations

import asyncio

import pytest

from dispatch.desk.turns import WAITING, Turns
from psn.problems import Problem


async def test_one_after_the_other_and_each_for_himself() -> None:
    turns, done, go = Turns(), list[str](), asyncio.Event()

    async def work(asker: str, name: str) -> None:
        async with turns.of(asker):
            if name == "first":
                await go.wait()
            done.append(name)

    async with asyncio.TaskGroup() as tasks:
        for asker, name in (("a", "first"), ("a", "second"), ("b", "other"), ("a", "third")):
            tasks.create_task(work(asker, name))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert done == ["other"]
        go.set()
    assert done == ["other", "first", "second", "third"]


async def test_too_many_are_refused_and_nothing_of_it_stays() -> None:
    turns, go = Turns(), asyncio.Event()

    async def wait() -> None:
        async with turns.of("a"):
            await go.wait()

    waiting = [asyncio.create_task(wait()) for _ in range(WAITING + 1)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        async with turns.of("a"):
            raise AssertionError("it was let in")
    assert refused.value.code == "too_fast" and refused.value.retry
    waiting[3].cancel()
    go.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    async with turns.of("a"):
        pass
    assert not vars(turns)["_lines"]
