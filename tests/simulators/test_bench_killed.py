"""A bench that is killed takes everything with it: server, database, load, directory."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = ("bench", "messages", "--rate", "10", "--seconds", "600")
COMPARE = ("bench", "compare", "--units", "20", "--consoles", "2", "--rounds", "900")


def offspring(process: subprocess.Popen[str]) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def words(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def until(true: object, what: str, seconds: float = 90.0) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("asked", "sign"),
    [
        (MESSAGES, signal.SIGKILL),
        (MESSAGES, signal.SIGTERM),
        (MESSAGES, signal.SIGINT),
        (COMPARE, signal.SIGKILL),
        (COMPARE, signal.SIGINT),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else value.name,
)
def test_nothing_is_left(asked: tuple[str, ...], sign: signal.Signals) -> None:
    bench = subprocess.Popen(
        [sys.executable, "-P", "-m", "psn", *asked],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        wanted = ["psn serve", "simulators.bench.play", "postgres -D", "sweep.py"]
        if asked is COMPARE:
            wanted.append("simulators.bench.rivals.relay")
        until(
            lambda: all(any(w in words(p) for p in offspring(bench)) for w in wanted),
            "server, load and database run",
        )
        children = offspring(bench)
        places = [Path(words(p).rpartition(" ")[2]) for p in children if "sweep.py" in words(p)]
        assert all(place.is_dir() for place in places)
        bench.send_signal(sign)
        bench.wait(30)
        until(lambda: not any(p.is_running() for p in children), "no process is left")
        until(lambda: not any(map(Path.exists, places)), "the directories are gone")
    finally:
        if bench.poll() is None:
            bench.kill()
            bench.wait()
