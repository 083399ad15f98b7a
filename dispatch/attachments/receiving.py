"""The routes by which attachments arrive: tus 1.0.0 over HTTP (``upload`` says what is read).

Bytes are written as they come, so that a line that is cut costs none of them; an answer that names
an offset is given when all before it is on disk. When the last has come and the hash is right, the
attachment is *checking*, and the answer says that the server has it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from aiohttp import web

from dispatch.asking import (
    Asked,
    Knock,
    Route,
    as_answer,
    not_allowed,
    not_found,
    refusal,
)
from dispatch.attachments import rows, upload
from dispatch.attachments.files import PART
from dispatch.attachments.rows import RECEIVING, Row
from dispatch.attachments.service import SERVICE, Service, on_files
from psn import access
from psn.problems import Problem
from psn.trail import auditor

QUIET_SECONDS: Final = 30.0
"""A line on which nothing comes for so long is over; what came is kept."""

Tus = Callable[[Asked], Awaitable[web.Response]]


def _tus(handler: Tus) -> Tus:
    """Says the protocol's version with every answer, also where it is a refusal."""

    @functools.wraps(handler)
    async def answer(asked: Asked) -> web.Response:
        try:
            response = await handler(asked)
        except Problem as problem:
            response = refusal(as_answer(problem))
            if problem.code == "wrong_version":
                response.headers["Tus-Version"] = upload.VERSION
        response.headers["Tus-Resumable"] = upload.VERSION
        return response

    return answer


def _answer(status: int, **headers: str) -> web.Response:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, headers={"Cache-Control": "no-store", **said})


def _service(asked: Asked) -> Service:
    return asked.request.app[SERVICE]


def id_in_path(asked: Asked) -> UUID:
    """The attachment that the path names; raises ``not_found`` where that is no id."""
    try:
        return UUID(asked.path["id"])
    except ValueError:
        raise not_found() from None


async def capabilities(knock: Knock) -> web.Response:
    """What this server takes (tus: OPTIONS)."""
    most = max(knock.settings.photo_megabytes, knock.settings.voice_megabytes)
    return _answer(
        204,
        Tus_Resumable=upload.VERSION,
        Tus_Version=upload.VERSION,
        Tus_Extension=upload.EXTENSIONS,
        Tus_Max_Size=str(most * upload.MEGABYTE),
    )


@_tus
async def begin_attachment(asked: Asked) -> web.Response:
    """Begin to send a photo, voice note or note, under an id of the client's own."""
    if not access.may_add_attachment(asked.who):
        raise not_allowed()
    service = _service(asked)
    said = upload.begun(asked.request.headers, service.limits)
    await on_files(service.files.check_room, said.size)
    async with asked.pool.acquire() as connection, auditor.acting(connection, asked.actor):
        if said.about is not None and said.about.startswith("incident:"):
            incident = await rows.incident_of(connection, said.about)
            if incident is None or not access.may_work_on_incident(asked.who, *incident):
                raise not_found()
        row = await rows.begin(connection, said, asked.who, service.limits.daily)
    return _answer(
        201,
        Location=f"/api/attachments/{row.id}",
        Upload_Expires=upload.expires(row.made_at),
    )


@_tus
async def standing(asked: Asked) -> web.Response:
    """How much of an attachment the server has on disk; ends what an older line sends."""
    upload.check_version(asked.request.headers)
    id = id_in_path(asked)
    await _own(asked, id)

    async def look() -> web.Response:
        row = await _own(asked, id)
        at = await _standing(asked, row)
        return _answer(
            200,
            Upload_Offset=str(at),
            Upload_Length=str(row.size),
            Upload_Expires=upload.expires(row.made_at),
        )

    return await _service(asked).lines.alone(id, look)


@_tus
async def take(asked: Asked) -> web.Response:
    """Take a piece of an attachment, from where the server has it."""
    said = upload.piece_offset(asked.request.headers)
    id = id_in_path(asked)
    await _own(asked, id)

    async def work() -> web.Response:
        row = await _own(asked, id)
        at = await _standing(asked, row)
        if said != at:
            text = f"The server has {at:,} bytes of this, and the piece begins at {said:,}."
            return _from(at, "wrong_offset", text)
        at = await _receive(asked, row, at)
        if at < row.size or row.state != RECEIVING:
            return _answer(204, Upload_Offset=str(at))
        at = await _finish(asked, row)
        if at < row.size:
            return _from(at, "wrong_hash", "What arrived is not what was said: the hash differs.")
        return _answer(204, Upload_Offset=str(at))

    return await _service(asked).lines.alone(id, work)


def _from(at: int, code: str, text: str) -> web.Response:
    todo = f"Go on from byte {at:,}." if at else "Send it again from the beginning."
    response = refusal(as_answer(Problem(code, text, todo)))
    response.headers["Upload-Offset"] = str(at)
    return response


async def _own(asked: Asked, id: UUID) -> Row:
    """An attachment that the caller sends or has sent; raises ``not_found``."""
    async with asked.pool.acquire() as connection:
        row = await rows.find(connection, id)
    if row is None or not row.is_of(asked.who):
        raise not_found()
    return row


async def _standing(asked: Asked, row: Row) -> int:
    """Bytes that are on disk. What is complete, and of which nobody was told, is finished."""
    if row.state != RECEIVING:
        return row.size
    at = await on_files(_service(asked).files.arrived, row.id)
    return at if at < row.size else await _finish(asked, row)


async def _receive(asked: Asked, row: Row, at: int) -> int:
    """Write what comes behind ``at``, up to the length that was said; where it ends.

    What is more than was said is never read. Raises ``too_slow``, and what :meth:`check_still`
    and :func:`on_files` raise; what came before that is kept.
    """
    files, content = _service(asked).files, asked.request.content
    begun = at
    while at < row.size:
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                data = await content.readany()
        except TimeoutError:
            raise Problem(
                "too_slow",
                f"Nothing came for {QUIET_SECONDS:.0f} seconds.",
                "Ask where it stands, and go on from there.",
            ) from None
        if not data:
            break
        asked.check_still()
        data = data[: row.size - at]
        await on_files(files.write, row.id, at, data)
        at += len(data)
    if begun < at < row.size:
        await on_files(files.on_disk, row.id)
    return at


async def _finish(asked: Asked, row: Row) -> int:
    """All has come: what of it counts. All, when the hash is right; nothing otherwise."""
    service = _service(asked)
    await on_files(service.files.on_disk, row.id)
    if await on_files(service.files.sha256, row.id, PART) != row.sha256:
        await on_files(service.files.start_over, row.id)
        return 0
    asked.check_still()
    async with asked.pool.acquire() as connection, auditor.acting(connection, asked.actor):
        if not await rows.arrived(connection, row.id):
            raise not_found()
    service.checker.wake()
    return row.size


_CREATION: Final = ("Tus-Resumable", "Upload-Length", "Upload-Metadata")
_PIECE: Final = ("Tus-Resumable", "Upload-Offset")

ROUTES: Final = (
    Route("/api/attachments", capabilities, None, method="OPTIONS", open=True, status=204),
    Route("/api/attachments", begin_attachment, None, method="POST", headers=_CREATION, status=201),
    Route("/api/attachments/{id}", standing, None, method="HEAD", headers=("Tus-Resumable",)),
    Route(
        "/api/attachments/{id}",
        take,
        None,
        method="PATCH",
        streams=upload.PIECE,
        headers=_PIECE,
        status=204,
    ),
)
