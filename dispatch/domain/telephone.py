"""Telephone numbers (ITU-T E.164), however people write them. Pure."""

from __future__ import annotations

import re
from typing import Final

LOCAL_DIGITS: Final = 7
"""A number of Belize without the country's code (501)."""
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")


def number(text: str) -> str | None:
    """A number with its country, ``+5016001234``; seven digits are of Belize. None: it is none."""
    bare = re.sub(r"[\s().-]", "", text)
    if bare.isascii() and bare.isdecimal():
        bare = f"+501{bare}" if len(bare) == LOCAL_DIGITS else f"+{bare}"
    return bare if _NUMBER.match(bare) else None
