"""Talk that was recorded: what there is of a group, an incident or an agency, and its sound.

Who could have heard it may hear it again, and who listens for his agency (docs/access.md,
DOM-VOI-11). Each listening is in the audit.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg
from aiohttp import web
from msgspec import Struct

from dispatch.asking import FILE_HEADERS, LATEST, ApiProblem, Asked, Route, not_found
from dispatch.attachments import rows
from dispatch.looks import Looks
from psn import database
from psn.voice import recorder, rights
from psn.wire import VoiceGroup
from psn.wire.voice import GroupKind

LOOKS: Final = web.AppKey("recordings_heard", Looks)
MOST: Final = 500
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_COLUMNS: Final = """
    id, group_address, group_name, talker, talker_name, agency_id, call, parties, begun_at,
    milliseconds, ended_at
"""
_NEWEST: Final = f"""
    SELECT * FROM (
        SELECT {_COLUMNS} FROM recording
         WHERE ($1::text IS NULL OR group_address = $1) AND ($2::int IS NULL OR agency_id = $2)
           AND begun_at >= $3 AND begun_at < $4 AND ($5::text IS NULL OR parties @> ARRAY[$5])
         ORDER BY begun_at DESC, id LIMIT $6) AS newest
     ORDER BY begun_at, id
"""
_FIND: Final = f"SELECT {_COLUMNS} FROM recording WHERE id = $1"


class Recording(Struct):
    """One talk.

    ``group`` as in frames (``group:3``, ``incident:12``, ``call:1``); ``begun`` in milliseconds
    UTC; ``over``: false while it goes on, so that there may be more of it the next time.
    """

    id: str
    group: str
    group_name: str
    talker: str
    talker_name: str
    agency: int
    call: str
    begun: int
    milliseconds: int
    over: bool


class Recordings(Struct):
    """Talks in the order in which they began; ``before`` the first of them there may be more."""

    recordings: list[Recording]


async def recordings(asked: Asked) -> Recordings:
    """The newest talks of a group or incident; without ``group``, of the caller's agency.

    Of a call: what was said while the caller was in it. Numbers of calls begin anew with each
    server, so there may be talks of several; ``since`` tells them apart.
    """
    group = asked.query.get("group")
    since, before = asked.number("since", 0, 0, LATEST), asked.number("before", LATEST, 0, LATEST)
    limit = asked.number("limit", 100, 1, MOST)
    agency = party = None
    if group is None:
        agency = asked.own("recording", "listen")
    elif (there := _group(group)).kind is GroupKind.CALL:
        party = asked.who.address
    else:
        async with asked.pool.acquire() as connection:
            if not await _may_hear_all(asked, connection, there):
                raise not_found()
    # Who asks for the last minute right after something was said means that. Only now, so that
    # nobody who may not hear it makes us wait, and no connection waits with us.
    await asked.core.recorder.caught_up()
    moments = database.moment(since), database.moment(before)
    async with asked.pool.acquire() as connection:
        found = await connection.fetch(_NEWEST, group, agency, *moments, party, limit)
    return Recordings([_recording(row) for row in found])


async def sound(asked: Asked) -> web.Response:
    """What was said, as an Ogg file of Opus; of a talk that goes on, what there is of it."""
    if not _ID.match(asked.path["id"]):
        raise not_found()
    id = UUID(asked.path["id"])
    async with asked.pool.acquire() as connection:
        row = await connection.fetchrow(_FIND, id)
        if row is None or not await _may_hear(asked, connection, row):
            raise not_found()
        file = await recorder.sound(connection, id)
    looks, look, now = asked.request.app[LOOKS], (asked.ticket.hash, id), time.monotonic()
    if looks.is_new(look, now):
        said = {"group": row["group_address"], "talker": row["talker"]}
        await asked.record("recording.heard", f"recording:{id}", row["agency_id"], said)
        looks.recorded(look, now)
    response = web.Response(body=file, headers=FILE_HEADERS, content_type="audio/ogg")
    response.headers["Content-Disposition"] = f'inline; filename="{id}.ogg"'
    return response


def _group(address: str) -> VoiceGroup:
    try:
        return VoiceGroup.of(address)
    except ValueError:
        raise ApiProblem(
            400,
            "bad_parameter",
            "The parameter group must be like group:3, incident:12 or call:1.",
            "Correct it and ask again.",
        ) from None


async def _may_hear_all(asked: Asked, connection: database.Connection, group: VoiceGroup) -> bool:
    incident = await rows.incident_of(connection, group.address)
    return rights.may_hear_again(asked.who, group, incident, asked.core.rules, datetime.now(UTC))


async def _may_hear(asked: Asked, connection: database.Connection, row: asyncpg.Record) -> bool:
    return rights.may_hear_talk(
        asked.who, row["talker"], row["agency_id"], row["parties"]
    ) or await _may_hear_all(asked, connection, VoiceGroup.of(row["group_address"]))


def _recording(row: asyncpg.Record) -> Recording:
    return Recording(
        str(row["id"]),
        row["group_address"],
        row["group_name"],
        row["talker"],
        row["talker_name"],
        row["agency_id"],
        row["call"],
        database.milliseconds(row["begun_at"]),
        row["milliseconds"],
        row["ended_at"] is not None,
    )


ROUTES: Final = (
    Route("/api/recordings", recordings, Recordings, ("group", "since", "before", "limit")),
    Route("/api/recordings/{id}/sound", sound, None, gives=("audio/ogg",)),
)
