"""What was changed or left out of what somebody gave: a sentence, and a code. Pure.

A page that says it in another language has the code and the figures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was changed or left out.

    Attributes:
        code: stable.
        text: a plain sentence in English.
        figures: numbers that stand in it, by name.
    """

    code: str
    text: str
    figures: tuple[tuple[str, float], ...] = ()
