"""The process with the load: ``python -m simulators.bench.play SCENARIO``.

The first line of standard input is the plan; standard output is events, one JSON object a line.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from typing import Final

import uvloop

from simulators.bench import crash, idle, messages, picture, reconnect
from simulators.bench.load import Scenario, say

SCENARIOS: Final[dict[str, Scenario]] = {
    "picture": picture.load,
    "messages": messages.load,
    "crash": crash.load,
    "reconnect": reconnect.load,
    "idle": idle.load,
}


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

    async def run() -> None:
        reader = await orders()
        plan = json.loads(await reader.readline())
        say("result", **await SCENARIOS[sys.argv[1]](plan, reader))

    uvloop.run(run())


if __name__ == "__main__":
    main()
