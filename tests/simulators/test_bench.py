"""The benches, small: not how fast, but that nothing is lost, doubled, leaked or left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest

from psn.problems import Problem
from simulators.bench import mouth_to_ear
from simulators.bench.screen import growth

ROOT = Path(__file__).resolve().parents[2]
Bench = Callable[..., dict[str, Any]]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Runs a bench in a directory of its own, where it may leave nothing, nor any process."""
    place = tempfile.mkdtemp(prefix="psn-t-")
    Path(place).chmod(0o755)  # PostgreSQL may run as another user
    environment = {**os.environ, "TMPDIR": place}

    def run(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "psn", "bench", *words, "--json"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.splitlines()
        result: dict[str, Any] = json.loads(line)
        return result

    try:
        yield run
        left = [process for process in psutil.process_iter() if belongs(process, place)]
        assert left == []
        assert os.listdir(place) == []
    finally:
        shutil.rmtree(place, ignore_errors=True)


def belongs(process: psutil.Process, place: str) -> bool:
    """Whether a process was started in that directory's name: PostgreSQL has no environment."""
    with contextlib.suppress(psutil.Error):
        words = " ".join(process.cmdline())
        return place in words or process.environ().get("TMPDIR") == place
    return False


def test_picture(bench: Bench) -> None:
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


def test_mixed(bench: Bench) -> None:
    got = bench("mixed", "--units", "40", "--consoles", "4", "--seconds", "2", "--emergencies", "2")
    assert got["delivered"] == got["expected"] == 320
    assert got["stored"] == got["sent"] == 80
    assert got["hidden_leaks"] == got["delivered_twice"] == got["out_of_order"] == 0
    assert got["refused"] == got["messages_out_of_order"] == got["lines_lost"] == 0
    for kind, sent, readers in (("order", 100, 1), ("status", 100, 2), ("emergency", 4, 4)):
        found = got[kind]
        assert found["sent"] == found["acked"] == sent
        assert found["delivered"] == found["wanted"] == sent * readers
        assert found["twice"] == 0


def test_dispatch(bench: Bench) -> None:
    words = ("--units", "8", "--dispatchers", "4", "--seconds", "4", "--settle", "0")
    got = bench("dispatch", *words)
    assert (got["incidents"], got["closed"], got["refused"]) == (4, 4, {})
    done = {what: each["done"] for what, each in got["actions"].items()}
    once = dict.fromkeys(("call.take", "call.open_incident", "incident.assign"), 4)
    once |= dict.fromkeys(("incident.note", "incident.close"), 4)
    assert done == once | {"call.change": 12, "unit.status": 32}
    assert 0 < got["shown_p50_ms"] <= got["shown_p99_ms"]


def test_voice(bench: Bench) -> None:
    words = ("--talkers", "2", "--listeners", "3", "--units", "5", "--consoles", "1")
    got = bench("voice", *words, "--seconds", "5", "--settle", "0")
    assert got["delivered"] + got["lost"] == 3 * got["sent"]
    assert got["sent"] + got["not_sent"] == 2 * 150
    assert got["grants"] == 2
    assert got["late_entries"] > 2
    assert got["p99_late_entry_ms"] > 0
    assert got["out_of_order"] == got["refused"] == 0
    assert 0 < got["p50_relay_ms"] <= got["p99_relay_ms"]


def test_warning(bench: Bench) -> None:
    """Everybody is shown it, and no SMS goes twice or is missed though the server is killed."""
    words = "--sessions 60 --sms 400 --window 20 --answer-ms 20 --settle 0"
    got = bench("warning", *words.split())
    assert (got["sessions"], got["shown"]) == (60, 60)
    assert 0 < got["p50_ms"] <= got["p99_ms"] and got["feed_ms"] > 0
    assert got["sms_twice"] == got["sms_missed"] == 0
    assert 400 - got["sms_uncertain"] <= got["sms_sent"] <= 400
    assert got["sms_uncertain"] <= 2 * 20, "a window for each kill, and no more"


def test_slow(bench: Bench) -> None:
    got = bench("slow", "--units", "30", "--consoles", "4", "--seconds", "6")
    assert got["delivered"] == got["expected"] > 0
    assert got["stuck_consoles"] == 1
    assert [phase["expected"] for phase in got["phases"]["stuck"]] == [180, 180, 180]
    assert got["p99_ratio"] > 0


def test_rush(bench: Bench) -> None:
    words = ("--units", "30", "--consoles", "2", "--seconds", "6", "--requests", "200")
    got = bench("rush", *words, "--readers", "4")
    assert got["delivered"] == got["expected"] > 0
    assert [len(got["phases"][name]) for name in ("without", "server", "process")] == [3, 3, 3]
    for name in ("server", "process"):
        page = got["pages"][name]
        assert page["answered"] == page["requests"] > 0
        assert (page["requests_lost"], got[f"p99_ratio_{name}"] > 0) == (0, True)
    assert got["process_cpu_s"] > 0


def test_surge_with_a_report(bench: Bench, tmp_path: Path) -> None:
    page = tmp_path / "surge.html"
    words = ("--units", "20", "--consoles", "2", "--seconds", "2", "--report", str(page))
    got = bench("surge", *words)
    assert got["delivered"] == got["expected"] == 2 * 20 * (2 + 20 + 2)
    assert got["emergency"]["delivered"] == got["emergency"]["wanted"] == 2 * 60
    series = got["series"]
    assert len(series["p99_ms"]) == len(series["server_cpu"]) == 6
    assert sum(series["delivered_per_s"]) == got["delivered"]
    text = page.read_text()
    assert text.count("<svg") == 6
    assert "surge</text>" in text
    assert "http" not in text


@pytest.mark.parametrize("how", ["--kill", "--drop"])
def test_storm(bench: Bench, how: str) -> None:
    got = bench("storm", "--clients", "20", how)
    assert list(got)[:4] == ["clients", "seconds_all_back", "missed", "shown_twice"]
    assert (got["clients"], got["missed"], got["shown_twice"], got["gaps"]) == (20, 0, 0, 0)
    assert got["tls"] is True
    assert got["were_cut"] == 40
    assert got["messages"] > 0
    assert got["seconds_all_back"] is not None


def test_messages(bench: Bench) -> None:
    got = bench("messages", "--rate", "100", "--seconds", "2")
    keys = ["sent", "acked", "delivered", "p50_ack_ms", "p99_ack_ms", "p99_delivery_ms"]
    assert list(got)[:6] == keys
    assert got["sent"] == got["acked"] == got["delivered"] == got["on_disk"] == 200
    assert got["delivered_twice"] == got["out_of_order"] == got["refused"] == 0


def test_crash(bench: Bench) -> None:
    got = bench("crash", "--kills", "1", "--postgres-kills", "1", "--rate", "50", "--every", "1")
    assert list(got)[:4] == ["kills", "acked", "lost", "shown_twice"]
    assert got["acked"] == got["sent"] > 0
    assert got["lost"] == got["shown_twice"] == got["lost_on_disk"] == got["not_shown"] == 0


def test_reconnect(bench: Bench) -> None:
    got = bench("reconnect", "--clients", "30")
    assert list(got)[:3] == ["clients", "seconds_all_back", "missed"]
    assert (got["clients"], got["missed"], got["shown_twice"]) == (30, 0, 0)
    assert got["messages"] > 0


def test_idle(bench: Bench) -> None:
    got = bench("idle", "--sessions", "50")
    assert got["sessions"] == 50
    assert got["kb_per_session"] is not None


def test_a_message_alone(bench: Bench) -> None:
    got = bench("messages", "--alone", "--seconds", "1")
    assert got["sent"] == got["acked"] == got["delivered"] == got["on_disk"] > 1
    assert got["people"] == 2


def test_growth_draws_what_it_found(bench: Bench, tmp_path: Path) -> None:
    words = ("--vary", "agencies", "--most", "1", "--seconds", "1", "--svg", str(tmp_path))
    (steps,) = bench("growth", *words)["growth"].values()
    assert [step["at"] for step in steps] == [1]
    assert all(step["lost"] == step["not_stored"] == step["hidden_leaks"] == 0 for step in steps)
    drawn = ElementTree.parse(tmp_path / "growth-agencies.svg")
    assert len(drawn.findall(".//{*}polyline")) == 2
    assert len(drawn.findall(".//{*}circle")) == 2


@pytest.mark.browser
@pytest.mark.slow
def test_console(bench: Bench, chromium: str) -> None:
    if not (ROOT / "dispatch" / "web" / "dist" / "index.html").is_file():
        pytest.skip("the pages are not built; run ./run web")
    got = bench("console", "--units", "30", "--incidents", "5", "--seconds", "12")
    assert got["incidents"] == 5
    assert got["delivered"] == got["expected"] == 30 * 52
    assert 0 < got["main_p95_ms"] <= max(s["main_max_ms"] for s in got["scenes"].values())
    assert list(got["scenes"]) == ["country", "dragging", "town"]
    assert got["heap_mb"] > 1
    assert got["browser_mb"] > got["heap_mb"]


@pytest.mark.browser
@pytest.mark.slow
def test_ear(bench: Bench, chromium: str) -> None:
    if not (ROOT / "dispatch" / "web" / "dist" / "index.html").is_file():
        pytest.skip("the pages are not built; run ./run web")
    got = bench("ear", "--seconds", "10", "--settle", "0")
    assert 0 < got["heard"] <= got["said"] <= 11
    assert got["loudspeaker_ms"] < got["p50_ms"] <= got["p95_ms"] <= got["max_ms"] < 1_000


def test_chirps_are_told_from_each_other_and_from_those_that_were_lost() -> None:
    got = mouth_to_ear.figures(
        [0.0, 1_000.0, 2_000.0, 3_000.0], [130.0, 1_150.0, 3_950.0], [0.4, 8.0, 0.4], 20.0
    )
    assert (got["said"], got["heard"]) == (4, 2)
    assert (got["p50_ms"], got["max_ms"]) == (160.0, 170.0)
    with pytest.raises(Problem, match="none was heard"):
        mouth_to_ear.figures([0.0], [], [], 20.0)


def test_growth_is_told_from_unrest() -> None:
    at = [10.0 * n for n in range(30)]
    assert growth(at, [20.0 + n % 2 for n in range(30)]) == pytest.approx(0, abs=2)
    assert growth(at, [20.0 + n * 0.1 for n in range(30)]) == pytest.approx(36)
    assert growth([0.0], [20.0]) == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("picture", "--units", "1000000"), "too_many_sockets"),
        (("picture", "--units", "10000", "--rate", "30"), "load_too_slow"),
        (("mixed", "--units", "9000", "--consoles", "1000"), "load_too_slow"),
        (("surge", "--units", "2000", "--seconds", "86400"), "too_many_deliveries"),
        (("compare", "--units", "16000"), "too_many_sockets"),
        (("messages", "--rate", "50000"), "load_too_slow"),
        (("storm", "--url", "http://127.0.0.1:1"), "needs_own_server"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_the_impossible_is_refused_at_once(words: tuple[str, ...], code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "psn", "bench", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert f"[{code}]" in done.stderr
    assert "server on processor" not in done.stderr
