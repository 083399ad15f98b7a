"""The code that enrols one device: made, typed, read from a picture, and kept as a hash. Pure.

Twelve letters and digits in Crockford's base 32, 60 random bits, shown in groups of four:
``K7MP-3XWD-H9TQ``. It has no I, L, O and U; whoever types one of the first three meant the digit
that looks like it. Case, spaces and hyphens do not matter.

60 bits need no slow hash: a code is worth something for a day, and whoever tried ten thousand
million of them a second on a stolen hash would need years.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, quote

from psn.problems import Problem

LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 12
SCHEME: Final = "psn-enrol:"
_MEANT: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_LONGEST: Final = 64


class BadCode(Problem):
    """What was typed can be no code: ``wrong_code``."""


def new(choose: Callable[[str], str]) -> str:
    """A new code in its canonical form; ``choose`` picks a letter at random."""
    return "".join(choose(LETTERS) for _ in range(LENGTH))


def canonical(typed: str) -> str:
    """The one form of a code, however it was typed; raises :class:`BadCode`."""
    if typed.isascii() and len(typed) <= _LONGEST:
        code = typed.strip().upper().translate(_MEANT)
        if len(code) == LENGTH and all(letter in LETTERS for letter in code):
            return code
    raise BadCode(
        "wrong_code",
        "This is no code.",
        f"Type the {LENGTH} letters and digits that psn device enrol has shown.",
    )


def shown(code: str) -> str:
    """A code as people read it: groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, LENGTH, 4))


def kept(code: str) -> bytes:
    """SHA-256 of a code's canonical form, as the database keeps it."""
    return hashlib.sha256(code.encode()).digest()


def uri(server: str, code: str) -> str:
    """What the picture says: where to enrol, and with which code."""
    return f"{SCHEME}?server={quote(server, safe='')}&code={shown(code)}"


def from_uri(text: str) -> tuple[str, str]:
    """Server and canonical code out of :func:`uri`; raises :class:`BadCode`."""
    fields = parse_qs(text.strip().removeprefix(SCHEME).removeprefix("?"))
    return fields.get("server", [""])[0], canonical(fields.get("code", [""])[0])
