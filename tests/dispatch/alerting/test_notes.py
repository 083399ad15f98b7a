"""Each note about a file that docs/warnings.md has is said in Spanish on the page."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "dispatch/web/src/warnings/notes.es.ts"
DOCUMENT = ROOT / "docs/warnings.md"


def test_every_note_has_its_spanish_and_its_figures() -> None:
    said = dict(re.findall(r"'(note\.\w+)':\s*'([^']+)'", PAGE.read_text(encoding="utf-8")))
    assert len(said) > 10
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        for code in re.findall(r"`(note\.\w+)`", line):
            figures = set(re.findall(r"`(\w+)`", line.split("|")[2]))
            assert set(re.findall(r"\{(\w+)\}", said[code])) == figures, code
