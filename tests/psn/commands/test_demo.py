"""The demonstration: a server that is killed comes back, and Ctrl-C leaves nothing running."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

import pytest

from psn.commands.demo import Demo, Wishes
from psn.seed_radio import NETWORK

PSN = (sys.executable, "-P", "-m", "psn")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that any user may enter."""
    made = Path(tempfile.mkdtemp(prefix="psn-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def found(lines: IO[str], pattern: str) -> str:
    """What the pattern's group is in the first line that has it; later lines are still unread."""
    for line in lines:
        if match := re.search(pattern, line):
            return match[1]
    pytest.fail(f"it ended without saying {pattern}")


def is_ready(address: str) -> bool:
    with urllib.request.urlopen(f"{address}/readyz", timeout=30) as answer:
        return bool(answer.status == 200)


def test_a_killed_server_comes_back_at_the_same_address(place: Path) -> None:
    command = [*PSN, "demo", "--port", "0", "--units", "2", "--directory", str(place / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        try:
            address = found(demo.stdout, r"ready: 2 simulated units, open (\S+)$")
            first = int(found(demo.stdout, r"kill -9 (\d+) to see it come back"))
            found(demo.stdout, r"(times are told by road)")
            os.kill(first, signal.SIGKILL)
            second = int(found(demo.stdout, r"server is back, now process (\d+)$"))
            assert second != first
            assert is_ready(address)
            demo.send_signal(signal.SIGINT)
            assert demo.stdout.read().splitlines()[-1].endswith("database has stopped")
            assert demo.wait() == 0
        finally:
            demo.terminate()
    assert not Path(f"/proc/{second}").exists()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_radios_join_by_a_bridge_and_half_of_them_are_unknown(place: Path) -> None:
    command = [*PSN, "demo", "--port", "0", "--units", "0", "--radios", "6"]
    command += ["--directory", str(place / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        try:
            found(demo.stdout, r"(6 two-way radios at 3 repeaters)")
            dsn = found(demo.stdout, r"PSN_DATABASE='(\S+)'")
            asked = {**os.environ, "PSN_DATABASE": dsn}
            unknown = [*PSN, "radio-network", "unknown", NETWORK]
            until = time.monotonic() + 150
            heard: set[str] = set()
            while "4002" not in heard and time.monotonic() < until:
                shown = subprocess.run(unknown, env=asked, capture_output=True, text=True)
                heard |= set(shown.stdout.split())
                time.sleep(1)
            assert "4002" in heard and "4001" not in heard
        finally:
            demo.terminate()
            demo.communicate()


async def test_stopped_at_once_it_leaves_nobody_who_lays_the_ground(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(Wishes("127.0.0.1", 0, None, 0, place))
    laid = asyncio.create_task(demo._ran(("simulate", "ground", str(place / "ground")), ""))
    while demo._laying is None:
        await asyncio.sleep(0.01)

    def left(status: int) -> NoReturn:
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", left)
    with pytest.raises(SystemExit):
        demo._at_once()
    assert await laid is False
    assert demo._laying.returncode == -signal.SIGKILL


async def test_ground_without_a_database_is_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = Demo(Wishes("127.0.0.1", 0, None, 0, place))
    await demo._lay_ground("postgresql://127.0.0.1:1/psn")
    assert "there are no roads: the database could not be asked" in capsys.readouterr().out
