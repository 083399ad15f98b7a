"""Where the real recordings lie: beside the project, or where PSN_RECORDINGS says; else skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def recorded(name: str) -> bytes:
    """The bytes of a real recording; skips the test when the folder is not there."""
    folder = Path(os.environ.get("PSN_RECORDINGS") or PROJECT.parent / "shared" / "data")
    path = folder / name
    if not path.exists():
        pytest.skip(f"no recording {name}: set PSN_RECORDINGS to the folder of real recordings")
    return path.read_bytes()
