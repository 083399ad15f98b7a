"""Runs ``decoding`` as a process of its own, and reads what it tells."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

from dispatch.attachments.files import MADE, PART, SMALL, Files
from dispatch.attachments.kinds import Refusal

PROGRAM: Final = Path(__file__).with_name("decoding.py")
DECODE_SECONDS: Final = 120.0
"""By the clock; the processor's time is limited by the program itself."""
_MOST_TOLD: Final = 4_096
_TOO_MUCH: Final = (signal.SIGXCPU, signal.SIGKILL)


class DecoderTrouble(Exception):
    """The decoder failed, and not because of the file: nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of a file: pixels of a photo, seconds of a voice note."""

    width: int | None
    height: int | None
    seconds: float | None
    preview: bool


async def decode(files: Files, id: UUID, kind: str, most_seconds: int) -> Made | Refusal:
    """Make a file to show of what was sent; raises :class:`DecoderTrouble`, ``OSError``."""
    with (
        files.path(id, PART).open("rb") as sent,
        files.new(id, MADE) as made,
        files.new(id, SMALL) as small,
        tempfile.TemporaryFile() as told,
    ):
        status = await _run((sent, made), (small, told), kind, most_seconds)
        told.seek(0)
        return outcome(status, told.read(_MOST_TOLD))


async def _run(
    inout: tuple[BinaryIO, BinaryIO], more: tuple[Any, Any], kind: str, most_seconds: int
) -> int | None:
    """The exit status; none: it took too long."""
    numbers = [file.fileno() for file in more]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(PROGRAM), kind, str(most_seconds), *map(str, numbers)),
        stdin=inout[0],
        stdout=inout[1],
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=numbers,
        cwd="/",
        env={"LC_ALL": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(DECODE_SECONDS):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def outcome(status: int | None, told: bytes) -> Made | Refusal:
    """What an end of the decoder means. Pure; raises :class:`DecoderTrouble`.

    What kills the decoder is the file's fault: it ran out of what it may use, or into a mistake of
    a library. An end of its own without a word is ours: something is not installed.
    """
    if status is None or -status in _TOO_MUCH:
        return Refusal("too_much", "Reading this file takes too long.")
    if status < 0:
        return Refusal("unreadable", "This file cannot be read.")
    try:
        said = json.loads(told)
    except ValueError:
        raise DecoderTrouble(f"it ended with {status}, and without a word") from None
    if not isinstance(said, dict) or status not in (0, 1):
        raise DecoderTrouble(f"it ended with {status}: {str(said)[:200]}")
    if status == 1:
        return Refusal(_word(said, "code"), _word(said, "text"))
    return Made(
        _number(said, "width", int),
        _number(said, "height", int),
        _number(said, "seconds", float),
        said.get("preview") is True,
    )


def _word(said: dict[str, Any], name: str) -> str:
    word = said.get(name)
    if not isinstance(word, str) or not 0 < len(word) <= 200:
        raise DecoderTrouble(f"it tells no {name}")
    return word


def _number(said: dict[str, Any], name: str, kind: type[Any]) -> Any:
    number = said.get(name)
    if number is None:
        return None
    if not isinstance(number, int | float) or not math.isfinite(number) or number < 0:
        raise DecoderTrouble(f"it tells a wrong {name}")
    return kind(number)
