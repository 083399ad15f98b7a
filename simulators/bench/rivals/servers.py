"""Starts the rivals that this machine has, each on the processor where our own server runs."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psn.problems import Problem
from simulators.bench import stage

INSTALLED: Final = Path(__file__).resolve().parents[3] / ".psn" / "rivals" / "bin"
READY_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Running:
    """A rival that listens."""

    name: str
    port: int
    pid: int


def free_port() -> int:
    """A port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program(name: str) -> str | None:
    """A program that ``./run rivals`` has installed, or one of the system's."""
    path = f"{INSTALLED}:{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    return shutil.which(name, path=path)


def _relay(place: Path, port: int) -> list[str] | None:
    return [sys.executable, "-P", "-m", "simulators.bench.rivals.relay", str(port)]


def _nats(place: Path, port: int) -> list[str] | None:
    program = _program("nats-server")
    if program is None:
        return None
    file = place / "nats.conf"
    file.write_text(f'listen: "127.0.0.1:{port}"\nping_interval: "1h"\n')
    return [program, "-c", str(file)]


def _mosquitto(place: Path, port: int) -> list[str] | None:
    program = _program("mosquitto")
    if program is None:
        return None
    file = place / "mosquitto.conf"
    file.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        # Changing its user would make it forget to end with us (prctl(2), PR_SET_PDEATHSIG).
        f"user {getpass.getuser()}\n"
        "set_tcp_nodelay true\nmax_queued_messages 0\nlog_type error\n"
    )
    return [program, "-c", str(file)]


def _taky(place: Path, port: int) -> list[str] | None:
    program = _program("taky")
    if program is None:
        return None
    file = place / "taky.conf"
    file.write_text(
        f"[taky]\nbind_ip = 127.0.0.1\nroot_dir = {place}\n[cot_server]\nport = {port}\n"
        "[ssl]\nenabled = false\n"
    )
    return [program, "-l", "error", "-c", str(file)]


RIVALS: Final[dict[str, tuple[Callable[[Path, int], list[str] | None], str]]] = {
    "relay": (_relay, ""),
    "nats": (_nats, "nats-server is missing: ./run rivals"),
    "mosquitto": (_mosquitto, "mosquitto is missing: apt-get install mosquitto"),
    "taky": (_taky, "taky is missing: ./run rivals"),
}
"""By name: the command for a directory and a port, none when it is not here; and what to do."""


@contextlib.asynccontextmanager
async def started(names: Sequence[str]) -> AsyncIterator[tuple[list[Running], dict[str, str]]]:
    """Those of the rivals that are here, running; and why the others are not."""
    running: list[Running] = []
    skipped: dict[str, str] = {}
    with stage.directory() as place:
        processes: list[asyncio.subprocess.Process] = []
        try:
            for name in names:
                make, todo = RIVALS[name]
                port = free_port()
                command = make(place, port)
                if command is None:
                    skipped[name] = todo
                    continue
                process = await _start(name, command, place)
                processes.append(process)
                await _ready(name, port, process, place)
                running.append(Running(name, port, process.pid))
            yield running, skipped
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                await process.wait()


async def _start(name: str, command: list[str], place: Path) -> asyncio.subprocess.Process:
    with (place / f"{name}.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *stage.bound(tuple(command), stage.cores()[0]),
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, "GOMAXPROCS": "1"}, start_new_session=True,
        )  # fmt: skip


async def _ready(name: str, port: int, process: asyncio.subprocess.Process, place: Path) -> None:
    deadline = asyncio.get_running_loop().time() + READY_SECONDS
    while asyncio.get_running_loop().time() < deadline and process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise Problem(
        "rival_failed",
        f"{name} did not start: {(place / f'{name}.log').read_text()[-300:].strip()}",
        "Leave it out with --only.",
    )
