"""Who of an agency is signed in now, and ending that."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from dispatch.acting import acting
from dispatch.administration.values import Done
from dispatch.asking import Asked, Route, not_found
from psn import database


class SessionRow(Struct):
    """A session; ``id`` is the beginning of its token's hash, which is no secret.

    ``connected``: it has a connection at this moment; a token alone is good for coming back.
    ``source`` is the network address it was begun from, where that is known. Times in
    milliseconds UTC.
    """

    id: str
    address: str
    name: str
    since: int
    ends: int
    source: str | None
    connected: bool
    own: bool
    """The caller's, with which he asks this."""


class SignedIn(Struct):
    """Sessions of the caller's agency, newest first."""

    sessions: list[SessionRow]


async def list_sessions(asked: Asked) -> SignedIn:
    """Who of the caller's agency is signed in."""
    agency = asked.own("session", "see")
    rows = await asked.pool.fetch(_SESSIONS, agency)
    connected = {session.ticket.hash for session in asked.core.sessions.all}
    return SignedIn(
        [
            SessionRow(
                _name(row["token_hash"]),
                row["address"],
                row["name"],
                database.milliseconds(row["created_at"]),
                database.milliseconds(row["ends_at"]),
                row["source"],
                row["token_hash"] in connected,
                row["token_hash"] == asked.ticket.hash,
            )
            for row in rows
        ]
    )


_SESSIONS: Final = """
    SELECT s.token_hash, s.created_at, s.ends_at, s.source,
           CASE WHEN p.id IS NOT NULL THEN 'person:' || p.id ELSE 'device:' || d.id END AS address,
           coalesce(p.full_name, u.callsign || ' · ' || d.label, d.label) AS name
      FROM session s
      LEFT JOIN person p ON p.id = s.person_id
      LEFT JOIN device d ON d.id = s.device_id
      LEFT JOIN unit u ON u.id = d.unit_id
     WHERE s.ended_at IS NULL AND s.ends_at > now() AND coalesce(p.agency_id, d.agency_id) = $1
     ORDER BY s.created_at DESC
"""


async def end_one_session(asked: Asked) -> Done:
    """End one session: its token is worth nothing any more."""
    agency = asked.own("session", "end")
    name = asked.path["id"]
    if not re.fullmatch(r"[0-9a-f]{16}", name):
        raise not_found()
    async with acting(asked) as connection:
        ended = await connection.fetch(
            "UPDATE session s SET ended_at = now()"
            " WHERE s.token_hash >= $1 AND left(encode(s.token_hash, 'hex'), 16) = $2"
            "   AND s.ended_at IS NULL AND s.ends_at > now()"
            "   AND (EXISTS (SELECT FROM person p WHERE p.id = s.person_id AND p.agency_id = $3)"
            "     OR EXISTS (SELECT FROM device d WHERE d.id = s.device_id AND d.agency_id = $3))"
            " RETURNING 1",
            bytes.fromhex(name),
            name,
            agency,
        )
        if not ended:
            raise not_found()
    return Done()


def _name(token_hash: bytes) -> str:
    return token_hash.hex()[:16]


ROUTES: Final = (
    Route("/api/sessions", list_sessions, SignedIn),
    Route("/api/sessions/{id}", end_one_session, Done, method="DELETE"),
)
