"""``psn radio`` as a process: it starts, is changed while it runs, and ends; and its figures."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from patience import PATIENCE_S, until

from simulators.radios.repeater import Repeater

SECRET = "what nobody guesses"
CONTENT = f"""
site = "Belmopan"
[link.police]
kind = "master"
radio_network = "police"
listen = "127.0.0.1:0"
repeater.702001 = {{ secret = "{SECRET}", slot_1 = [91] }}
"""


class Running:
    """The process, what it says, and where it listens."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.port = 0
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()


async def _start(file: Path, *more: str) -> asyncio.subprocess.Process:
    with file.with_suffix(".log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "psn", "radio", "--config", str(file), *more,
            stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip


@contextlib.asynccontextmanager
async def running(file: Path) -> AsyncIterator[Running]:
    process = await _start(file)
    made = Running(process, file.with_suffix(".log"))
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for line in process.stdout:
                text = line.decode().strip()
                if text.startswith("link police listens at port "):
                    made.port = int(text.rpartition(" ")[2])
                if text == "radio bridge Belmopan is ready":
                    break
        assert process.returncode is None, made.log
        yield made
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()


async def test_settings_are_taken_while_it_runs_and_bad_ones_are_not(tmp_path: Path) -> None:
    """DOM-RAD-26."""
    file = tmp_path / "radio.toml"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        figures = free.getsockname()[1]
    metrics = f'metrics = "127.0.0.1:{figures}"\n'
    file.write_text(metrics + CONTENT)
    async with running(file) as bridge:
        host = "127.0.0.1"
        async with Repeater(702_001, SECRET.encode(), host, bridge.port) as one:
            await until(one.is_there.is_set)
            file.write_text(metrics + CONTENT.replace("master", "monster"))
            await until(lambda: "the old settings stay" in bridge.log)
            assert "link.police.kind: wanted is one of" in bridge.log
            added = f'repeater.702002 = {{ secret = "{SECRET}", slot_1 = [91] }}\n'
            file.write_text(metrics + CONTENT + added)
            os.kill(bridge.process.pid, signal.SIGHUP)
            async with Repeater(702_002, SECRET.encode(), host, bridge.port) as two:
                await until(two.is_there.is_set)
                assert len(one.events) == 1
                url = f"http://127.0.0.1:{figures}/metrics"
                with await asyncio.to_thread(urllib.request.urlopen, url) as answer:
                    shown = answer.read().decode()
                assert 'psn_radio_link_up{link="police/702001"} 1.0' in shown
                assert "psn_radio_calls_total 0.0" in shown
    assert bridge.process.returncode == 0


async def test_a_secret_that_changes_in_a_file_of_its_own_is_taken(tmp_path: Path) -> None:
    """Nobody has to send a signal."""
    file, secret = tmp_path / "radio.toml", tmp_path / "secret"
    file.write_text(CONTENT.replace(f'secret = "{SECRET}"', 'secret_file = "secret"'))
    secret.write_text("what was known before")
    async with running(file) as bridge:
        secret.write_text(SECRET)
        await until(lambda: "link settings: taken" in bridge.log)
        async with Repeater(702_001, SECRET.encode(), "127.0.0.1", bridge.port) as one:
            await until(one.is_there.is_set)


async def test_radios_do_not_wait_for_a_network_that_cannot_be_joined(tmp_path: Path) -> None:
    """DOM-RAD-21; nor for a link that cannot be opened."""
    file = tmp_path / "radio.toml"
    network = '[network]\nurl = "http://127.0.0.1:9"\nkey = "missing.pem"\nradio = 702\n'
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        line = (
            '[link.line]\nkind = "usrp"\nradio_network = "police"\ntalkgroup = 91\nradio = 5\n'
            f'listen = "127.0.0.1:{port}"\ntarget = "127.0.0.1:9"\n'
        )
        file.write_text(CONTENT + network + line)
        file.chmod(0o644)
        async with running(file) as bridge:
            async with Repeater(702_001, SECRET.encode(), "127.0.0.1", bridge.port) as one:
                await until(one.is_there.is_set)
            await until(lambda: "link line: cannot be opened" in bridge.log)
            assert "the network is not joined" in bridge.log
            assert "Traceback" not in bridge.log
            assert "everybody on this machine can read it" in bridge.log


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[link.x]\nkind = 3\n", "link.x.kind: wanted is one of"),
        (None, "It cannot be read"),
    ],
)
async def test_it_does_not_begin_with_bad_settings(
    tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "radio.toml"
    if content is not None:
        file.write_text(content)
    process = await _start(file, "--check")
    async with asyncio.timeout(PATIENCE_S):
        assert await process.wait() == 1
    written = file.with_suffix(".log").read_text()
    assert said in written
    assert "Traceback" not in written
    assert "[bad_radio_settings]" in written
