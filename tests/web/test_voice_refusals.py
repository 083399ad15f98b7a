"""What the pages say of each refusal of voice, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

from psn.voice import causes, exchange, patches, ringing
from psn.voice.calls import Over

TABLE = Path(__file__).parents[2] / "dispatch/web/src/voice/refusals.ts"
OF_SPEECH = {"not_you", "bad_sequence", "no_floor", "not_your_radio", "unknown_radio"}
"""Told of a frame, which a page never sends so, or to a gateway."""


def test_every_refusal_has_its_sentence() -> None:
    """A page that does not know a code says only that something was refused."""
    codes = {code for code, _, _ in causes.CAUSES.values()} | {each.value for each in Over}
    for module in (exchange, patches, ringing):
        source = Path(module.__file__).read_text(encoding="utf-8")
        codes |= set(re.findall(r'Problem\(\s*"(\w+)"', source))
    assert len(codes) > 15
    table = TABLE.read_text(encoding="utf-8")
    for words in table.split("const es"):
        known = set(re.findall(r"^    (\w+): \{", words, re.MULTILINE))
        assert codes - OF_SPEECH <= known
