"""Characters as people's keyboards, web pages and messengers write them, made plain."""

from __future__ import annotations

import unicodedata
from typing import Final

# Before NFKC, which would take some of these apart into letters and combining marks.
_MARKS: Final = str.maketrans(
    {
        **dict.fromkeys("°º˚ᵒ⁰∘◦⸰", "°"),
        **dict.fromkeys("'’‘′´`ʹʼ‛‵＇ˊ", "'"),
        **dict.fromkeys('"”“″˝ʺ‟‶＂〃', '"'),
        **dict.fromkeys("−–—‐‑‒﹣－", "-"),
        "½": " 1/2",
        "¼": " 1/4",
        "¾": " 3/4",
        "،": ",",
        "٫": ".",
    }
)


def plain(text: str) -> str:
    """The text with plain digits, quotes, signs and single blanks, and nothing invisible."""
    marked = unicodedata.normalize("NFKC", text.translate(_MARKS))
    kept = "".join(_plain(c) for c in marked)
    return " ".join(kept.replace("''", '"').split())


def _plain(c: str) -> str:
    if c.isascii():
        return c if c.isprintable() else " "
    if c.isdecimal():
        return str(unicodedata.decimal(c))
    # Marks of direction, joiners and the like are pasted along and mean nothing here.
    return "" if unicodedata.category(c) == "Cf" else c
