"""The operator's own list of breached passwords: a file that is looked into, never loaded.

One line for each password, ``HASH`` or ``HASH:COUNT``, where HASH is the SHA-1 of the password in
UTF-8 as 40 hexadecimal digits, and lines are ordered by it. That is how such lists are usually
handed out. A look-up halves the file some thirty times; forty gigabytes cost a millisecond.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from psn.identity.passwords import normal
from psn.problems import Problem

_DIGITS: Final = 40
_LONGEST_LINE: Final = 256
_LINE: Final = re.compile(rb"[0-9A-Fa-f]{40}(:[0-9]+)?\r?\n?")


class BadList(Problem):
    """A file that is no such list; always ``bad_breach_list``."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(
            "bad_breach_list",
            f"The list of breached passwords {file} cannot be used: {why}.",
            "Let PSN_BREACHED_PASSWORDS name a file of lines HASH:COUNT, ordered by hash.",
        )


def look_up(file: str | None) -> Callable[[str], bool]:
    """Tells whether a password is in that list; without one, it never is."""
    return (lambda password: False) if file is None else functools.partial(holds, Path(file))


def holds(file: Path, password: str) -> bool:
    """Whether the list has a password, as written or in normal form; raises :class:`BadList`."""
    spellings = {password, normal(password)}
    try:
        with file.open("rb", buffering=0) as lines:
            return any(_find(file, lines, _digest(spelling)) for spelling in spellings)
    except OSError as problem:
        raise BadList(file, str(problem.strerror or problem)) from problem


def check(file: Path) -> int:
    """Bytes of the list; raises :class:`BadList` when a look at it shows that it is none."""
    try:
        with file.open("rb", buffering=0) as lines:
            size = os.fstat(lines.fileno()).st_size
            seen = [_line(file, lines, size * part // 16, size) for part in range(16)]
    except OSError as problem:
        raise BadList(file, str(problem.strerror or problem)) from problem
    found = [digest for digest in seen if digest is not None]
    if found != sorted(found):
        raise BadList(file, "it is not ordered by hash")
    return size


def _digest(password: str) -> bytes:
    whole = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    return whole.hexdigest().upper().encode()


def _find(file: Path, lines: BinaryIO, wanted: bytes) -> bool:
    """Halve between ``low`` and ``high``: the wanted line begins in there, if it is there."""
    low, high = 0, os.fstat(lines.fileno()).st_size
    while low < high:
        middle = (low + high) // 2
        digest = _line(file, lines, middle, high)
        if digest == wanted:
            return True
        if digest is None or digest > wanted:
            high = middle
        else:
            low = middle + 1
    return False


def _line(file: Path, lines: BinaryIO, at: int, end: int) -> bytes | None:
    """The hash of the first line that begins at ``at`` or after, and before ``end``."""
    start = max(at - 1, 0)
    lines.seek(start)
    data = lines.read(2 * _LONGEST_LINE)
    skipped = 0 if at == 0 else data.find(b"\n") + 1
    if at and not skipped:
        if start + len(data) < end:
            raise BadList(file, "it has a line that is too long")
        return None
    if start + skipped >= end:
        return None
    line = data[skipped:].partition(b"\n")[0] + b"\n"
    if not _LINE.fullmatch(line):
        raise BadList(file, f"the line at byte {start + skipped} is no HASH:COUNT")
    return line[:_DIGITS].upper()
