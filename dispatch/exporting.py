"""The route by which an incident is taken out as a whole, for a court (docs/domain.md, DOM-RET)."""

from __future__ import annotations

import tempfile
from typing import Final

from aiohttp import web

from dispatch.asking import Asked, Route, not_allowed, not_found
from dispatch.attachments.service import SERVICE, on_files
from dispatch.working import visible
from psn import access
from psn.keeping import incident_file

ZIP: Final = "application/zip"


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
        contents = await incident_file.read(connection, number, owner, asked.who.address)
    files = asked.request.app[SERVICE].files
    made = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        sealed = await on_files(
            incident_file.write, contents, lambda id: files.stored(id).open("rb"), made
        )
        asked.check_still()
        details = {"as_seen_by": owner, "sha256": sealed.sha256, "bytes": sealed.size}
        await asked.record("incident.exported", f"incident:{number}", owner, details)
    except BaseException:
        made.close()
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


ROUTES: Final = (Route("/api/incidents/{id}/export", incident, None, gives=(ZIP,)),)
