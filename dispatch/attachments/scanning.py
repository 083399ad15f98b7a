"""Asking a virus scanner about a file: ClamAV's daemon, or a program.

``clamd:`` speaks INSTREAM of clamd(8): the daemon needs no right to read our files. ``command:``
runs a program with the path of the file; exit status 0 says clean, 1 says that something was found,
as clamscan(1) does.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

SCAN_SECONDS: Final = 120.0
CHUNK_BYTES: Final = 65_536


class ScannerAway(Exception):
    """The scanner did not answer, or not with a judgement: nothing is known of the file."""


Scan = Callable[[Path], Awaitable[str | None]]
"""What was found in a file; none: nothing. Raises :class:`ScannerAway`."""


def scanner(setting: str | None) -> Scan | None:
    """The scanner that the setting ``virus_scan`` names; none: nothing is scanned."""
    if setting is None:
        return None
    kind, _, where = setting.partition(":")
    ask = _by_command if kind == "command" else _by_clamd

    async def scan(path: Path) -> str | None:
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                return await ask(where, path)
        except TimeoutError:
            raise ScannerAway(f"no answer in {SCAN_SECONDS:.0f} s") from None
        except (OSError, asyncio.IncompleteReadError) as problem:
            raise ScannerAway(str(problem) or type(problem).__name__) from None

    return scan


async def _by_clamd(where: str, path: Path) -> str | None:
    host, _, port = where.rpartition(":")
    if where.startswith("/"):
        reader, writer = await asyncio.open_unix_connection(where)
    else:
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        with path.open("rb") as file:
            writer.write(b"zINSTREAM\0")
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                writer.write(len(chunk).to_bytes(4, "big") + chunk)
                await writer.drain()
            writer.write(bytes(4))
        answer = await reader.readuntil(b"\0")
    except asyncio.LimitOverrunError:
        raise ScannerAway("an answer without end") from None
    finally:
        writer.transport.abort()
    return judgement(answer)


def judgement(answer: bytes) -> str | None:
    """What clamd says of a stream: ``stream: OK``, ``stream: NAME FOUND``, or that it failed.

    Raises :class:`ScannerAway`. Pure.
    """
    text = answer.rstrip(b"\0\n").decode("utf-8", "replace")
    if text == "stream: OK":
        return None
    if text.startswith("stream: ") and text.endswith(" FOUND"):
        return text.removeprefix("stream: ").removesuffix(" FOUND")[:200]
    raise ScannerAway(f"it says {text[:200]!r}")


async def _by_command(where: str, path: Path) -> str | None:
    process = await asyncio.create_subprocess_exec(
        *shlex.split(where),
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    try:
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status not in (0, 1):
        raise ScannerAway(f"the program ended with {status}")
    return "found" if status else None
