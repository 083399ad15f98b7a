"""The route by which an incident is taken out as a whole, for a court (docs/domain.md, DOM-RET)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import IO, Final
from uuid import UUID

from aiohttp import web

from dispatch.asking import Asked, Route, not_allowed, not_found
from dispatch.attachments.service import SERVICE, on_files
from dispatch.working import visible
from psn import access
from psn.keeping import incident_file
from psn.keeping.incident_file import Contents, Sealed
from psn.voice import recorder

ZIP: Final = "application/zip"
AT_ONCE: Final = 2
"""So many are put together at the same time; others wait for their turn."""
SOUND_SECONDS: Final = 30.0
"""The longest wait for what was said in one recording."""
TURNS: Final[web.AppKey[asyncio.Semaphore]] = web.AppKey("exports", asyncio.Semaphore)


async def incident(asked: Asked) -> web.Response:
    """An incident of the caller's agency, with what is attached to it, as a ZIP of JSON and files.

    It is as its agency may see it; the audit has its SHA-256 before a byte of it is sent.
    """
    number = await visible(asked)
    async with asked.pool.acquire() as connection:
        owner = await connection.fetchval("SELECT agency_id FROM incident WHERE id = $1", number)
        if owner is None:
            raise not_found()
        if not access.may(asked.who, "incident", "export", owner):
            raise not_allowed()
    # What is read is in memory until it is written, and each writes as fast as the disk takes it.
    async with asked.request.app[TURNS]:
        contents, made, sealed = await _made(asked, number, owner)
    try:
        asked.check_still()
        details = {"as_seen_by": owner, "sha256": sealed.sha256, "bytes": sealed.size}
        await asked.record("incident.exported", f"incident:{number}", owner, details)
    except BaseException:
        incident_file.let_go(made)
        raise
    return web.Response(
        body=made,
        headers={
            "Content-Type": ZIP,
            "Content-Disposition": f'attachment; filename="{contents.number}.zip"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _made(asked: Asked, number: int, owner: int) -> tuple[Contents, IO[bytes], Sealed]:
    """The archive, in a file that whoever gets it closes."""
    async with asked.pool.acquire() as connection:
        contents = await incident_file.read(connection, number, owner, asked.who.address)
    files = asked.request.app[SERVICE].files
    made = await on_files(incident_file.scratch, contents, files.directory)
    try:
        return (
            contents,
            made,
            await on_files(
                incident_file.write,
                contents,
                lambda id: files.stored(id).open("rb"),
                _sounds(asked),
                made,
            ),
        )
    except BaseException:
        incident_file.let_go(made)
        raise


def _sounds(asked: Asked) -> Callable[[UUID], bytes]:
    """What was said in a recording, for a thread that waits for it."""
    loop = asyncio.get_running_loop()

    async def ask(id: UUID) -> bytes:
        async with asked.pool.acquire() as connection:
            return await recorder.sound(connection, id)

    return lambda id: asyncio.run_coroutine_threadsafe(ask(id), loop).result(SOUND_SECONDS)


ROUTES: Final = (Route("/api/incidents/{id}/export", incident, None, gives=(ZIP,)),)
