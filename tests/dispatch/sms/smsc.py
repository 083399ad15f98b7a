"""The simulated SMS centre as a process, and a server on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from stage import Stage

RECIPIENT = (
    "insert into warning_recipient (agency_id, channel, address, language, district, added_by)"
    " values (1, $1, $2, $3, $4, 'test')"
)


class Smsc:
    """A running centre; what it took is in its log, also when it is dead."""

    def __init__(self, log: Path, process: asyncio.subprocess.Process, port: int) -> None:
        self.log, self.process, self.port = log, process, port

    @property
    def taken(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @property
    def twice(self) -> list[str]:
        """Telephones that got the same octets twice."""
        counted = Counter((each["to"], each["octets"]) for each in self.taken)
        return [to for (to, _), count in counted.items() if count > 1]

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


async def start(log: Path, *arguments: str, port: int = 0) -> Smsc:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "simulators.sms_centre",
        "--log",
        str(log),
        "--port",
        str(port),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    return Smsc(log, process, int(line.removeprefix("listening on ")))


@contextlib.asynccontextmanager
async def running(log: Path, *arguments: str) -> AsyncIterator[Smsc]:
    smsc = await start(log, *arguments)
    try:
        yield smsc
    finally:
        await smsc.kill()


def settings_file(place: Path, *ports: int, window: int = 10, rate: float = 1_000) -> str:
    """A file for PSN_SMSC with a centre at each port."""
    file = place / "smsc.toml"
    file.write_text(
        "".join(
            f'[[smsc]]\nname = "c{number}"\nhost = "127.0.0.1"\nport = {port}\nsystem_id = "nemo"\n'
            f'password = "secret"\nwindow = {window}\nrate = {rate:.1f}\nprice = 0.05\n'
            for number, port in enumerate(ports)
        )
    )
    return str(file)


async def telephones(stage: Stage, count: int, language: str = "en-BZ") -> None:
    await stage.core.pool.executemany(
        RECIPIENT,
        [("sms", f"+501600{number:04}", language, None) for number in range(1, count + 1)],
    )


async def states(stage: Stage, channel: str = "sms") -> dict[str, int]:
    rows = await stage.core.pool.fetch(
        "select state, count(*) from warning_delivery where channel = $1 group by 1", channel
    )
    return {row["state"]: row["count"] for row in rows}


async def settled(
    stage: Stage, channel: str = "sms", total: int = 1, within: float = 40.0
) -> dict[str, int]:
    """The states once so many are there and nothing is under way."""
    async with asyncio.timeout(within):
        while True:
            found = await states(stage, channel)
            over = not found.keys() & {"waiting", "handing"}
            if over and sum(found.values()) >= total:
                return found
            await asyncio.sleep(0.05)
