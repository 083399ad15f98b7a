"""Where real frames lie: beside the project, or where PSN_RECORDINGS says; else skip."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def frames(kind: str) -> Any:
    """Real and published frames of one kind with their meaning; skips when they are not there."""
    folder = Path(os.environ.get("PSN_RECORDINGS") or PROJECT.parent / "shared" / "data")
    path = folder / "dmr" / "dmr_vectors.json"
    if not path.exists():
        pytest.skip("no recorded frames of DMR: set PSN_RECORDINGS to the folder of recordings")
    return json.loads(path.read_text())[kind]
