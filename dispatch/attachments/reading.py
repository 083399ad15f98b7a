"""The routes by which attachments are looked at.

What is sent was made by this server's decoder (``dispatch.attachments.decoding``); the headers keep
a browser from taking it for anything else all the same.
"""

from __future__ import annotations

import time
from typing import Final

from aiohttp import web
from msgspec import Struct

from dispatch.asking import FILE_HEADERS, Asked, Route, not_found
from dispatch.attachments import rows
from dispatch.attachments.files import CONTENT, PREVIEW
from dispatch.attachments.kinds import DOCUMENT, PHOTO
from dispatch.attachments.receiving import id_in_path
from dispatch.attachments.rows import READY, REFUSED, Row
from dispatch.attachments.service import SERVICE, on_files
from psn import access, database
from psn.problems import Problem

_ENDINGS: Final = {"image/jpeg": "jpg", "audio/ogg": "ogg", "text/plain": "txt"}


class Details(Struct):
    """An attachment: who made it, what it is, and how far it is.

    ``state`` is ``receiving``, ``checking``, ``ready`` or ``refused``, then with ``code`` and
    ``reason``. ``size`` is in bytes as sent, ``stored_size`` as shown; width and height in pixels;
    ``made`` in milliseconds UTC.
    """

    id: str
    kind: str
    type: str | None
    state: str
    code: str | None
    reason: str | None
    agency: int
    author: str
    author_name: str
    about: str | None
    made: int
    size: int
    stored_size: int | None
    width: int | None
    height: int | None
    seconds: float | None


async def details(asked: Asked) -> Details:
    """What an attachment is, and whether it is ready."""
    row = await _visible(asked)
    return Details(
        str(row.id),
        row.kind,
        row.type,
        row.state,
        row.code,
        row.reason,
        row.agency_id,
        row.author,
        asked.core.directory.name(row.author),
        row.about,
        database.milliseconds(row.made_at),
        row.size,
        row.stored_size,
        row.width,
        row.height,
        row.seconds,
    )


async def content(asked: Asked) -> web.FileResponse:
    """The photo, voice note or note itself; a part of it by Range."""
    row = await _visible(asked)
    return await _file(asked, row, CONTENT, row.type or "")


async def preview(asked: Asked) -> web.FileResponse:
    """A photo in small: at most 320 pixels on its longer side."""
    row = await _visible(asked)
    if row.kind != PHOTO:
        raise not_found()
    return await _file(asked, row, PREVIEW, row.type or "")


async def _visible(asked: Asked) -> Row:
    """An attachment that the caller may see; of others only what is ready. Raises ``not_found``."""
    id = id_in_path(asked)
    async with asked.pool.acquire() as connection:
        row = await rows.find(connection, id)
        if row is None:
            raise not_found()
        shown_in = await rows.shown_in(connection, row)
        incident = await rows.incident_of(connection, row.about)
    may = access.may_see_attachment(
        asked.who, row.author, row.agency_id, shown_in, incident, asked.core.rules
    )
    if not may or (row.state != READY and row.agency_id != asked.who.agency):
        raise not_found()
    return row


async def _file(asked: Asked, row: Row, ending: str, type: str) -> web.FileResponse:
    if row.state == REFUSED:
        raise Problem("refused", row.reason or "This file was refused.", "Attach another.")
    if row.state != READY:
        raise Problem("not_ready", "This file is not checked yet.", "Ask again soon.", retry=2_000)
    service = asked.request.app[SERVICE]
    path = service.files.path(row.id, ending)
    await on_files(path.stat)
    look, now = (asked.ticket.hash, row.id), time.monotonic()
    if service.looks.is_new(look, now):
        said = {"part": "preview"} if ending == PREVIEW else {}
        await asked.record("attachment.read", row.address, row.agency_id, said)
        service.looks.recorded(look, now)
    shown = "attachment" if row.kind == DOCUMENT else "inline"
    name = f"{row.id}{ending}.{_ENDINGS.get(type, 'bin')}"
    charset = "; charset=utf-8" if type == "text/plain" else ""
    response = web.FileResponse(path, headers=FILE_HEADERS)
    response.headers["Content-Type"] = type + charset
    response.headers["Content-Disposition"] = f'{shown}; filename="{name}"'
    return response


ROUTES: Final = (
    Route("/api/attachments/{id}", details, Details),
    Route("/api/attachments/{id}/content", content, None, gives=tuple(_ENDINGS)),
    Route("/api/attachments/{id}/preview", preview, None, gives=("image/jpeg",)),
)
