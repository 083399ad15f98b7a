"""What a server has for attachments, and its chore, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, ParamSpec, TypeVar

import asyncpg
from aiohttp import web

from dispatch.attachments.checking import Checker
from dispatch.attachments.files import DiskFull, Files
from dispatch.attachments.lines import Lines
from dispatch.attachments.scanning import scanner
from dispatch.attachments.upload import Limits
from dispatch.looks import Looks
from psn.core import Core
from psn.keeping import stored_files
from psn.problems import Problem
from psn.settings import Settings

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that routes need."""

    files: Files
    limits: Limits
    checker: Checker
    lines: Lines = field(default_factory=Lines)
    looks: Looks = field(default_factory=Looks)


SERVICE: Final[web.AppKey[Service]] = web.AppKey("attachments", Service)

Context = Callable[[web.Application], AsyncIterator[None]]


def keeping(core: Core, settings: Settings, pool: web.AppKey[asyncpg.Pool]) -> Context:
    """What is there while an application runs; the pool has to be there before."""

    async def context(application: web.Application) -> AsyncIterator[None]:
        files = Files(settings.files_directory)
        limits = Limits.of(
            settings.photo_megabytes, settings.voice_megabytes, settings.daily_megabytes
        )
        scan = scanner(settings.virus_scan)
        checker = Checker(core, application[pool], files, scan, settings.voice_seconds)
        application[SERVICE] = Service(files, limits, checker)
        task = asyncio.create_task(checker.run(), name="attachments")
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return context


async def on_files(call: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Do in a thread what blocks; it is over when this is, also when this is cancelled.

    Raises :class:`DiskFull`, and ``files_away`` for whatever else the disk says.
    """
    working = asyncio.ensure_future(asyncio.to_thread(call, *args, **more))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait((working,))
        if not working.cancelled():
            working.exception()
        raise
    except OSError as problem:
        if problem.errno in stored_files.FULL:
            raise DiskFull from None
        log.error("files of attachments: %s", problem)
        raise Problem(
            "files_away",
            "The server does not reach its files now.",
            "Try again in a moment; what has arrived is kept.",
            retry=10_000,
        ) from None
