"""Which passwords may be chosen: one policy, for the command line and for oneself. Pure.

NIST SP 800-63B-4 §3.1.1.2: length counts, not composition. A password is compared with what is
commonly used, expected or known to be broken, and is refused with the reason and what to do; no
kinds of characters are asked for, and nothing expires by the calendar. Breached passwords are
looked up by whoever calls (``psn.identity.breached``), and last, since that reads a file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from psn.problems import Problem

SHORTEST: Final = 15
"""Characters; the same clause asks this of a password that may be the only factor."""
LONGEST: Final = 512
"""Characters that the wire carries."""
FEWEST_GUESSES: Final = 10**10
"""By the estimate of zxcvbn (Wheeler, USENIX Security 2016), what a slow hash withstands."""
ESTIMATED: Final = 32
"""Characters of which guesses are estimated: the work grows much faster than the length."""
LEFT_OVER: Final = 8
"""Letters and digits that must be left when the words one would expect are taken out."""
_SHORTEST_WORD: Final = 3
_LOOKALIKES: Final = str.maketrans("01i!|345@$7", "olllleasast")
"""Signs that stand for letters; i and l are one, since 1 stands for both."""


class WeakPassword(Problem):
    """Why a password cannot be chosen; always ``weak_password``."""

    def __init__(self, text: str, todo: str) -> None:
        super().__init__("weak_password", text, todo)


def check(
    password: str,
    expected: Iterable[str] = (),
    breached: Callable[[str], bool] = lambda password: False,
) -> None:
    """Raise :class:`WeakPassword` when a password must not be chosen.

    ``expected``: names that somebody would try first, of the person, the agency, the network.
    ``breached`` tells whether a password is in a list of broken ones.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(
            f"The password has {len(password)} characters.",
            f"Choose one of {SHORTEST} to {LONGEST}: a few words will do.",
        )
    if _substance(password, expected) < LEFT_OVER:
        raise WeakPassword(
            "The password is little more than a name that others would try first.",
            "Choose a few words that have nothing to do with you, your agency or this network.",
        )
    if not _hard_to_guess(password):
        raise WeakPassword(
            "The password is one that is commonly used, or a simple variation or repetition.",
            "Choose four or more words that do not belong together.",
        )
    if breached(password):
        raise WeakPassword(
            "The password is in a list of passwords that were stolen elsewhere.",
            "Choose another, and change it wherever else you use it.",
        )


def normal(password: str) -> str:
    """One spelling for equal-looking text, whatever keyboard it came from (same clause: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def _plain(text: str) -> str:
    """What is left of a text for who guesses: letters and digits, without marks, lower case."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]", "", apart)


def _letters(text: str) -> str:
    """The same, read with the digits and signs that stand for letters."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z]", "", apart.translate(_LOOKALIKES))


def _substance(password: str, expected: Iterable[str]) -> int:
    """How many letters and digits a password has beyond the words one would expect in it."""
    names = [part for name in expected for part in (name, *re.split(r"[\W_]+", name))]
    left = LEFT_OVER
    for read in (_plain, _letters):
        words = {word for word in map(read, names) if len(word) >= _SHORTEST_WORD}
        reading = rest = read(password)
        for word in sorted(words, key=lambda word: (-len(word), word)):
            rest = rest.replace(word, " ")
        if rest != reading:
            left = min(left, len(rest.replace(" ", "")))
    return left


def _hard_to_guess(password: str) -> bool:
    # Loaded on use: its lists of words are for this alone.
    from zxcvbn import zxcvbn

    estimate = zxcvbn(normal(password)[:ESTIMATED], max_length=ESTIMATED)
    return bool(estimate["guesses"] >= FEWEST_GUESSES)
