"""An svxreflector as a process, and nodes of ours at it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from patience import until

from radio_bridge.svxlink.events import Connected, Event, Keyed, Named, Spoke
from radio_bridge.svxlink.node import Node
from radio_bridge.svxlink.sockets import NodeLine


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


REFLECTOR, SVXLINK = _program("svxreflector"), _program("svxlink")
PASSWORD = b"what nobody guesses"
NAMES = ("BPD-1", "BDF-1", "BCG-1")


class Reflector:
    """A reflector as a process, that can be stopped and started again at its port."""

    def __init__(self, place: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._log = place / "log"
        self._config = place / "svxreflector.conf"
        users = "\n".join(f"{name}=Ours" for name in NAMES)
        self._config.write_text(
            f"[GLOBAL]\nLISTEN_PORT={self.port}\nTG_FOR_V1_CLIENTS=999\n"
            f"[USERS]\n{users}\n[PASSWORDS]\nOurs={PASSWORD.decode()}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncIterator[Reflector]:
        """One that listens."""
        with tempfile.TemporaryDirectory(prefix="psn-svx-") as place:
            made = cls(Path(place))
            try:
                await made.start()
                yield made
            finally:
                made.kill()

    async def start(self) -> None:
        assert REFLECTOR is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [REFLECTOR, f"--config={self._config}"], stdout=log, stderr=log
            )
        await until(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def has_talkgroups(self) -> bool:
        """Since SvxReflector 1.1."""
        version = self.log.split("SvxReflector v", 1)[1].split()[0]
        return tuple(map(int, version.split(".")[:2])) >= (1, 1)


@contextlib.asynccontextmanager
async def a_node(
    port: int, name: str, talkgroup: int | None = None, password: bytes = PASSWORD
) -> AsyncIterator[tuple[NodeLine, list[Event]]]:
    heard: list[Event] = []
    line = NodeLine(Node(name, password, talkgroup), "127.0.0.1", port, heard.append)
    running = asyncio.create_task(line.run())
    try:
        yield line, heard
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def connected(heard: list[Event]) -> bool:
    return any(isinstance(one, Connected) for one in heard)


def spoken(heard: list[Event]) -> list[bytes]:
    return [one.opus for one in heard if isinstance(one, Spoke)]


def talkers(heard: list[Event]) -> list[str]:
    """Each once, in the order in which they were heard first."""
    return list(dict.fromkeys(o.name for o in heard if isinstance(o, Keyed | Named) and o.name))
