"""Text to speech: ``espeak-ng`` (a program of the system) in a process of its own.

The text goes in by standard input and is never part of a command. What it takes is bounded: in
time, and by the length of what is spoken. ``espeak-ng`` has voices for the English of the Caribbean
and the Spanish of Latin America, and none for Kriol.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import shutil
import wave
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dispatch.alerting.content import ENGLISH, SPANISH
from psn.client import sound
from psn.problems import Problem

PROGRAM: Final = "espeak-ng"
VOICES: Final[Mapping[str, str]] = {ENGLISH: "en-029", SPANISH: "es-419"}
WORDS_A_MINUTE: Final = 150
"""Slower than its own 175: it has to be understood over a poor radio, once."""
MOST_SECONDS: Final = 20.0
"""A minute of speech takes a tenth of a second."""
TALK_SECONDS: Final = 50.0
"""A talk is that long at most; the floor is given for a minute (``psn.voice.floor``)."""
_LOOK_BACK_SECONDS: Final = 8.0
"""A pause between words is looked for so far before the end of a talk."""


class NotSpoken(Problem):
    """Why there is no speech: ``no_speech``, and what to do."""


def lacking() -> str | None:
    """What this machine has not that is needed to speak; none: nothing."""
    if shutil.which(PROGRAM):
        return None
    return f"{PROGRAM} is not installed on this machine: apt-get install {PROGRAM}"


def plain(text: str) -> str:
    """Text as it is given to the program: one line, and nothing that it takes for more than words.

    Between ``[[`` and ``]]`` it reads sounds, and control characters are commands.
    """
    kept = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(kept.replace("[", " ").replace("]", " ").split())


async def talks(text: str, language: str) -> list[list[bytes]]:
    """Text as packets of Opus of 20 ms, in talks of less than a minute; raises :class:`NotSpoken`.

    ``language``: one of :data:`VOICES`.
    """
    return await asyncio.to_thread(_packets, await _said(text, VOICES[language]))


async def _said(text: str, voice: str) -> bytes:
    """What the program says, as a WAV file of unknown length."""
    try:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "--stdin", "--stdout", "-v", voice, "-s", str(WORDS_A_MINUTE),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as problem:
        why = lacking() or f"{PROGRAM} cannot be started: {problem.strerror or problem}"
        raise NotSpoken("no_speech", f"{why}.", "Install it.") from problem
    try:
        async with asyncio.timeout(MOST_SECONDS):
            said, complaint = await process.communicate(plain(text).encode())
    except TimeoutError as problem:
        why = f"{PROGRAM} took more than {MOST_SECONDS:.0f} s."
        raise NotSpoken("no_speech", why, "It is tried again.") from problem
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        complained = complaint.decode(errors="replace").strip()[:200]
        why = f"{PROGRAM} ended with {process.returncode}: {complained}"
        raise NotSpoken("no_speech", why, "Try it by hand.")
    return said


def _packets(said: bytes) -> list[list[bytes]]:
    """A WAV file of 16 bits, mono, in talks, each parted from the next between words."""
    try:
        with wave.open(io.BytesIO(said)) as file:
            rate = file.getframerate()
            # Its header says more than there is: it was written before the length was known.
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    except (wave.Error, EOFError, ValueError) as problem:
        raise NotSpoken("no_speech", f"{PROGRAM} made no sound.", "Try it by hand.") from problem
    return [_encoded(part, rate) for part in parts(samples, rate)]


def parts(samples: NDArray[np.int16], rate: int) -> list[bytes]:
    """Samples in parts of :data:`TALK_SECONDS` at most, parted where it is quietest. Pure."""
    found = []
    most, back, step = (round(s * rate) for s in (TALK_SECONDS, _LOOK_BACK_SECONDS, 0.05))
    while len(samples) > most:
        late = samples[most - back : most].astype(np.float64)
        loud = np.square(late[: len(late) // step * step].reshape(-1, step)).mean(axis=1)
        at = most - back + int(np.argmin(loud)) * step + step // 2
        found.append(samples[:at].tobytes())
        samples = samples[at:]
    return [*found, samples.tobytes()]


def _encoded(samples: bytes, rate: int) -> list[bytes]:
    coder = sound.Encoder(rate)
    return [*coder.encode(samples), *coder.end()]
