"""Large regressions of the hot path, by ratio to a bare relay in the same run, not by time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
MOST_COST = 4.0
"""Processor time a delivered position, in bare relays; 1.0 to 1.1 when this was written."""
LEAST_RATE = 0.5
"""Positions a second, in bare relays, at a rate that both can follow; 1.0 when it was written."""


def test_a_position_costs_not_many_times_what_a_bare_relay_spends() -> None:
    words = "--only relay --units 300 --consoles 20 --rate 20 --rounds 3 --seconds 0.5 --json"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "psn", "bench", "compare", *words.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    for server in got["servers"].values():
        assert server["delivered"] == server["expected"]
        assert server["twice"] == 0
    assert got["hidden_leaks"] == got["refused"] == 0
    ratio = got["ratios"]["relay"]
    assert ratio["cpu_per_delivery"] < MOST_COST
    assert ratio["delivered_per_s"] > LEAST_RATE
