"""``psn bench idle``: memory of the server for each session that is signed in and does nothing."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any, Final

from simulators.bench.load import Plan, each
from simulators.bench.measure.usage import resident_kb
from simulators.bench.people import Cast
from simulators.bench.socket import Socket

KEYS: Final = ("sessions", "kb_per_session", "kb_per_watching_session", "server_rss_mb")
WARM_UP: Final = 100
"""Sessions that come and go first, so that what is loaded once is not counted."""


def plan_of(url: str, pid: int | None, cast: Cast) -> Plan:
    """What the load is told."""
    return {"url": url, "server_pid": pid, "units": [asdict(unit) for unit in cast.units]}


async def load(plan: Plan, _: asyncio.StreamReader) -> dict[str, Any]:
    """The load process's part."""
    pid = plan["server_pid"]

    async def opened(units: list[Any], text: str) -> list[Socket]:
        sockets = [Socket() for _ in units]

        async def one(n: int) -> None:
            await sockets[n].open(plan["url"])
            await sockets[n].sign_in(units[n]["auth"])

        await each(range(len(units)), one, text, len(units))
        return sockets

    async def memory() -> int:
        await asyncio.sleep(1.0)
        return resident_kb(pid)

    for socket in await opened(plan["units"][:WARM_UP], "warm-up"):
        socket.close()
    before = await memory()
    sockets = await opened(plan["units"][WARM_UP:], "sessions")
    idle = await memory()

    async def watch(socket: Socket) -> None:
        # Nobody of that number: a picture of nothing, so that only the session is counted.
        await socket.ask({"t": "watch", "agencies": (2_147_483_647,)})

    await each(sockets, watch, "watching", len(sockets))
    watching = await memory()
    count = len(sockets)
    return {
        "sessions": count,
        "kb_per_session": round((idle - before) / count, 1),
        "kb_per_watching_session": round((watching - before) / count, 1),
        "server_rss_mb": round(watching / 1024, 1),
        "server_rss_before_mb": round(before / 1024, 1),
    }
