"""Every code that a bridge counts has a sentence on the pages, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

from radio_bridge.bridge.explained import SENTENCES

PAGES = Path(__file__).parents[3] / "dispatch/web/src/voice/counted.ts"


def test_the_pages_have_a_sentence_for_every_code_in_english_and_spanish() -> None:
    english, spanish = PAGES.read_text(encoding="utf-8").split("const es", 1)
    codes = {code.replace(".", "_") for code in SENTENCES}
    for words in (english, spanish):
        assert set(re.findall(r"^  (\w+):", words, re.MULTILINE)) - {"en", "es"} == codes
