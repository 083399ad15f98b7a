"""The benches, small: not how fast, but that nothing is lost, doubled, leaked or left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


def bench(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "psn", "bench", *words, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    result: dict[str, Any] = json.loads(line)
    return result


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Any:
    before = {process.pid for process in psutil.process_iter()}
    yield
    ours = ("psn serve", "simulators.bench", "postgres -D")
    left = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if process.pid not in before and "psn-bench" in words and any(o in words for o in ours):
            left.append(words)
    assert left == []


def test_picture() -> None:
    got = bench("picture", "--units", "40", "--consoles", "4", "--rate", "2", "--seconds", "2")
    assert list(got)[:12] == [
        "units", "consoles", "rate", "sent", "expected", "delivered", "stored",
        "p50_ms", "p95_ms", "p99_ms", "server_cpu_s", "server_rss_mb",
    ]  # fmt: skip
    assert (got["units"], got["consoles"]) == (40, 4)
    assert got["sent"] == 160
    assert got["delivered"] == got["expected"] == 640
    assert got["stored"] == got["sent"]
    assert got["hidden_leaks"] == got["delivered_twice"] == got["refused"] == 0
    assert got["hidden_seen_at_home"] > 0
    assert 0 < got["p50_ms"] <= got["p95_ms"] <= got["p99_ms"]


def test_messages() -> None:
    got = bench("messages", "--rate", "100", "--seconds", "2")
    keys = ["sent", "acked", "delivered", "p50_ack_ms", "p99_ack_ms", "p99_delivery_ms"]
    assert list(got)[:6] == keys
    assert got["sent"] == got["acked"] == got["delivered"] == got["on_disk"] == 200
    assert got["delivered_twice"] == got["out_of_order"] == got["refused"] == 0


def test_crash() -> None:
    got = bench("crash", "--kills", "1", "--postgres-kills", "1", "--rate", "50", "--every", "1")
    assert list(got)[:4] == ["kills", "acked", "lost", "shown_twice"]
    assert got["acked"] == got["sent"] > 0
    assert got["lost"] == got["shown_twice"] == got["lost_on_disk"] == got["not_shown"] == 0


def test_reconnect() -> None:
    got = bench("reconnect", "--clients", "30")
    assert list(got)[:3] == ["clients", "seconds_all_back", "missed"]
    assert (got["clients"], got["missed"], got["shown_twice"]) == (30, 0, 0)
    assert got["messages"] > 0


def test_idle() -> None:
    got = bench("idle", "--sessions", "50")
    assert got["sessions"] == 50
    assert got["kb_per_session"] is not None


def test_the_impossible_is_refused_in_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "psn", "bench", "picture", "--units", "1000000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "[too_many_sockets]" in done.stderr
