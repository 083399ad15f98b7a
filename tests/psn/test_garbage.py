"""Memory is given back without the collector, which runs by the clock."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from collections import Counter

import pytest
from stage import CAR, Peer, Stage, message, until

from psn import garbage, wire
from psn.histogram import SECONDS, Histogram

OURS = ("Connection", "Session", "Outbox", "Watcher", "WebSocketResponse")


def _there() -> Counter[str]:
    """How many of ours there are, referred to or not."""
    names = (type(one).__name__ for one in gc.get_objects() if _of_a_connection(one))
    return Counter(names)


def _of_a_connection(one: object) -> bool:
    kind = type(one)
    return kind.__name__ in OURS and kind.__module__.startswith(("psn.", "aiohttp."))


async def test_an_ended_connection_leaves_nothing_to_collect(stage: Stage) -> None:
    async with await Peer.enter(stage.url, CAR):
        pass
    await until(lambda: not stage.core.sessions.all, "it is gone")
    gc.collect()
    gc.disable()
    try:
        before = _there()
        for _ in range(5):
            async with await Peer.enter(stage.url, CAR) as car:
                await car.send(wire.Watch(n=1))
                await car.send(wire.Unwatch(n=2))
                await car.send(message(f"unit:{CAR}", "to myself"))
                await car.expect(wire.Ack)
            # One that is reset, too: what went wrong is kept by its socket, and would keep it.
            reset = await Peer.enter(stage.url, CAR)
            raw = reset.socket.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            reset.socket.transport.abort()
            await reset.leave()
        await until(lambda: not stage.core.sessions.all, "they are gone")
        await until(lambda: _there() == before, f"freed: {_there()} is {before}")
    finally:
        gc.enable()


async def test_the_collector_runs_by_the_clock_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(garbage, "ALL_SECONDS", 0.3)
    monkeypatch.setattr(garbage, "MORE_OBJECTS", 5_000)
    looks: list[int] = []
    seconds = Histogram(SECONDS)

    def look(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            looks.append(info["generation"])

    gc.callbacks.append(look)
    running = asyncio.create_task(garbage.collect_by_the_clock(seconds))
    try:
        await until(lambda: not gc.isenabled(), "it has begun")
        passing = [[] for _ in range(4_000)]
        del passing
        await asyncio.sleep(0.05)
        assert looks == []  # they were freed by themselves
        cycles: list[object] = []
        for _ in range(6_000):
            cycles = [cycles]
        await until(lambda: looks == [1], "what is new was looked through")
        await until(lambda: 2 in looks, "everything was looked through")
        *_, (_, count) = seconds.cumulative()
        assert count == len(looks)
    finally:
        gc.callbacks.remove(look)
        running.cancel()
        await asyncio.wait({running})
    assert gc.isenabled()
