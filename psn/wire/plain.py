"""What is wrong with a value, as a sentence for people. Pure.

The decoding library says it for programmers ("Expected `str` of length <= 200 - at `$.title`").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

MOST_SAID: Final = 200
"""Characters of what is said; the library quotes a wrong value in full."""

_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<field>.*?)`)?$", re.DOTALL)
_KINDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "yes or no",
    "array": "a list",
    "object": "several fields",
    "null": "nothing",
}


def _kind(word: str) -> str:
    return " or ".join(_KINDS.get(each, each) for each in word.replace("`", "").split(" | "))


_SENTENCES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"Expected `str` of length >= 1$"), lambda _: "is empty"),
    (
        re.compile(r"Expected `(?:str|array|bytes)` of length >= (\d+)$"),
        lambda m: f"is too short: it needs {m[1]} at least",
    ),
    (
        re.compile(r"Expected `(?:str|array|bytes)` of length <= (\d+)$"),
        lambda m: f"is too long: {m[1]} is the most",
    ),
    (
        re.compile(r"Expected `str` matching regex"),
        lambda _: "is blank, or has characters that it cannot have",
    ),
    (re.compile(r"Expected `(?:int|float)` >= (\S+)$"), lambda m: f"is too small: {m[1]} at least"),
    (re.compile(r"Expected `(?:int|float)` <= (\S+)$"), lambda m: f"is too large: {m[1]} at most"),
    (
        re.compile(r"Expected `(.+?)`, got `(.+?)`$"),
        lambda m: f"is to be {_kind(m[1])} and not {_kind(m[2])}",
    ),
    (re.compile(r"Invalid enum value (.*)$", re.DOTALL), lambda m: f"cannot be {m[1]}"),
    (re.compile(r"Invalid value (.*)$", re.DOTALL), lambda m: f"cannot be {m[1]}"),
)
_MISSING: Final = re.compile(r"Object missing required field `(.+?)`$")


def sentence(said: str) -> str:
    """What the library said, for people, as in: The field title is empty."""
    found = _AT.match(said)
    what, field = (found["what"], found["field"]) if found else (said, None)
    missing = _MISSING.match(what)
    if missing:
        inside = f"{field}." if field else ""
        return f"The field {inside}{missing[1]} is missing."
    about = f"The field {field}" if field else "The value"
    for pattern, words in _SENTENCES:
        match = pattern.match(what)
        if match:
            return _short(f"{about} {words(match)}.")
    return _short(f"{about} was refused: {what}.")


def _short(said: str) -> str:
    half = MOST_SAID // 2
    return said if len(said) <= MOST_SAID else f"{said[:half]} … {said[-half:]}"
