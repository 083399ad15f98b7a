"""Attachments in the database: what is kept of each, and the statements that change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from dispatch.attachments.decoder import Made
from dispatch.attachments.kinds import MADE, Refusal
from dispatch.attachments.upload import LIFETIME, MOST_UNFINISHED, Begun
from psn import database
from psn.access import Principal
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import Actor, Entry

RECEIVING, CHECKING, READY, REFUSED = "receiving", "checking", "ready", "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """One attachment, column by column (``psn.schema.attachments``)."""

    id: UUID
    agency_id: int
    author: str
    kind: str
    said_type: str
    type: str | None
    size: int
    sha256: bytes
    about: str | None
    state: str
    code: str | None
    reason: str | None
    made_at: datetime
    stored_size: int | None
    width: int | None
    height: int | None
    seconds: float | None

    def is_of(self, who: Principal) -> bool:
        """Whether he sent it."""
        return self.author == who.address and self.agency_id == who.agency

    @property
    def address(self) -> str:
        """As the audit names it."""
        return f"attachment:{self.id}"


async def find(connection: database.Connection, id: UUID) -> Row | None:
    """The attachment of an id, if there is one."""
    row = await connection.fetchrow("SELECT * FROM attachment WHERE id = $1", id)
    return None if row is None else Row(**row)


async def begin(connection: database.Connection, said: Begun, who: Principal, daily: int) -> Row:
    """Begin an upload, or find the same begun before.

    In the caller's transaction. Raises :class:`Problem`: ``id_used``, ``too_many_unfinished``,
    ``too_much_today``.
    """
    await connection.execute("SELECT FROM agency WHERE id = $1 FOR NO KEY UPDATE", who.agency)
    there = await find(connection, said.id)
    if there is not None:
        if there.is_of(who) and _said_before(there, said):
            return there
        raise Problem("id_used", "Something else has this id.", "Make another UUID.")
    await _check_share(connection, said, who, daily)
    row = await connection.fetchrow(
        "INSERT INTO attachment (id, agency_id, author, kind, said_type, size, sha256, about)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING *",
        said.id,
        who.agency,
        who.address,
        said.kind,
        said.type,
        said.size,
        said.sha256,
        said.about,
    )
    if row is None:  # another agency was faster with the same id
        raise Problem("id_used", "Something else has this id.", "Make another UUID.")
    return Row(**row)


def _said_before(row: Row, said: Begun) -> bool:
    return (row.kind, row.size, row.sha256, row.about) == (
        said.kind,
        said.size,
        said.sha256,
        said.about,
    )


async def _check_share(
    connection: database.Connection, said: Begun, who: Principal, daily: int
) -> None:
    unfinished = await connection.fetchval(
        "SELECT count(*) FROM attachment WHERE state = 'receiving' AND author = $1", who.address
    )
    if unfinished >= MOST_UNFINISHED:
        raise Problem(
            "too_many_unfinished",
            f"You have {unfinished} files on the way.",
            "Finish those first; what is left of them is forgotten after 24 hours.",
            retry=60_000,
        )
    today = await connection.fetchval(
        "SELECT coalesce(sum(size), 0)::bigint FROM attachment"
        " WHERE agency_id = $1 AND made_at >= date_trunc('day', now(), 'UTC')",
        who.agency,
    )
    if today + said.size > daily:
        raise Problem(
            "too_much_today",
            "Your agency has attached as much as it may in a day.",
            "Try again after midnight UTC, or ask whoever runs the server for more.",
            retry=3_600_000,
        )


async def arrived(connection: database.Connection, id: UUID) -> bool:
    """All of it is on disk and has the right hash; whether it was still awaited."""
    return bool(
        await connection.fetchval(
            "UPDATE attachment SET state = 'checking' WHERE id = $1 AND state = 'receiving'"
            " RETURNING true",
            id,
        )
    )


async def to_check(connection: database.Connection, most: int) -> list[Row]:
    """Those that nobody has judged yet, the oldest first."""
    rows = await connection.fetch(
        "SELECT * FROM attachment WHERE state = 'checking' ORDER BY made_at, id LIMIT $1", most
    )
    return [Row(**row) for row in rows]


async def ready(
    connection: database.Connection, row: Row, made: Made, size: int, sha256: bytes, by: Actor
) -> bool:
    """What was made of it is on disk; whether it was still there."""
    async with connection.transaction():
        done = await connection.fetchval(
            "UPDATE attachment SET state = 'ready', type = $2, stored_size = $3, width = $4,"
            " height = $5, seconds = $6 WHERE id = $1 AND state = 'checking' RETURNING true",
            row.id,
            MADE[row.kind],
            size,
            made.width,
            made.height,
            made.seconds,
        )
        if done:
            hashes = {"sent_sha256": row.sha256.hex(), "stored_sha256": sha256.hex()}
            await _record(connection, row, "attachment.stored", {"size": size, **hashes}, by)
    return bool(done)


async def refuse(connection: database.Connection, row: Row, why: Refusal, by: Actor) -> None:
    """It is not taken; its files go."""
    async with connection.transaction():
        done = await connection.fetchval(
            "UPDATE attachment SET state = 'refused', code = $2, reason = $3"
            " WHERE id = $1 AND state = 'checking' RETURNING true",
            row.id,
            why.code,
            why.text,
        )
        if done:
            details = {"code": why.code, "sent_sha256": row.sha256.hex()}
            await _record(connection, row, "attachment.refused", details, by)


async def _record(
    connection: database.Connection, row: Row, action: str, details: dict[str, Any], by: Actor
) -> None:
    said = {"kind": row.kind, **details} | ({"about": row.about} if row.about else {})
    entry = Entry(by, action, row.address, row.agency_id, said)
    await auditor.append(connection, [entry])


async def forget_unfinished(connection: database.Connection) -> int:
    """Delete what was begun and not finished in its time; how many there were."""
    done: str = await connection.execute(
        "DELETE FROM attachment WHERE state = 'receiving' AND made_at < now() - $1::interval",
        LIFETIME,
    )
    return int(done.rpartition(" ")[2])


_SHOWN_IN: Final = """
    SELECT e.address FROM log l JOIN mailbox_entry e ON e.log_id = l.id
     WHERE l.uid = $1 AND l.kind = 'message' AND l.author = $2
"""


async def shown_in(connection: database.Connection, row: Row) -> frozenset[str]:
    """The mailboxes in which its author's own message stands that it is about."""
    kind, _, uid = (row.about or "").partition(":")
    if kind != "message":
        return frozenset()
    found = await connection.fetch(_SHOWN_IN, UUID(uid), row.author)
    return frozenset(each["address"] for each in found)


async def incident_of(
    connection: database.Connection, about: str | None
) -> tuple[int, list[int]] | None:
    """The owner of the incident that something is about, and who takes part there; or none."""
    kind, _, number = (about or "").partition(":")
    if kind != "incident" or len(number) > 9:
        return None
    row = await connection.fetchrow(_INCIDENT, int(number))
    return None if row is None else (row["agency_id"], row["agencies"])


_INCIDENT: Final = """
    SELECT i.agency_id, array(
           SELECT m.agency_id FROM incident_member m
            WHERE m.incident_id = i.id AND m.agency_id IS NOT NULL AND m.starts_at <= now()
              AND (m.ends_at IS NULL OR m.ends_at > now())) AS agencies
      FROM incident i WHERE i.id = $1
"""
ORPHANS: Final = 500


async def orphans(connection: database.Connection) -> list[str]:
    """Names of files that are to be removed, some at a time."""
    found = await connection.fetch("SELECT name FROM file_orphan ORDER BY name LIMIT $1", ORPHANS)
    return [row["name"] for row in found]


async def removed(connection: database.Connection, names: list[str]) -> None:
    """Files of these names are no more."""
    await connection.execute("DELETE FROM file_orphan WHERE name = ANY ($1::text[])", names)
