"""The process with the load: ``python -m simulators.bench.play SCENARIO``.

The first line of standard input is the plan; standard output is events, one JSON object a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any, Final

import uvloop

from simulators.bench import crash, dispatch, idle, messages, reconnect, storm, voice, warning
from simulators.bench.field import play as field
from simulators.bench.load import Plan, Scenario, say
from simulators.bench.rivals import match

SCENARIOS: Final[dict[str, Scenario]] = {
    "messages": messages.load,
    "crash": crash.load,
    "reconnect": reconnect.load,
    "idle": idle.load,
    "dispatch": dispatch.load,
    "voice": voice.load,
    "warning": warning.load,
}

CLOCKWORK: Final[dict[str, Callable[[Plan], dict[str, Any]]]] = {
    "field": field.load,
    "compare": match.load,
    "storm": storm.load,
}
"""Scenarios with a loop of their own."""


async def orders() -> asyncio.StreamReader:
    """Lines that come on standard input: the plan, then what else there is to say."""
    reader = asyncio.StreamReader(limit=2**26)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


def main() -> None:
    """Run the scenario that is named, on the plan that is given."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    # On a processor that it shares, the load goes first: its clock is what everything is told by.
    with contextlib.suppress(PermissionError):
        os.nice(-10)
    name = sys.argv[1]
    if name in CLOCKWORK:
        plan = json.loads(sys.stdin.readline())
        say("result", **CLOCKWORK[name](plan))
        return

    async def run() -> None:
        reader = await orders()
        plan = json.loads(await reader.readline())
        say("result", **await SCENARIOS[name](plan, reader))

    uvloop.run(run())


if __name__ == "__main__":
    main()
