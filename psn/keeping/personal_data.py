"""What is kept of a person, as one archive that he can be given: JSON lines in a ZIP file.

His account with its second factors, who he is at his agency's provider, his sessions, the messages
that he wrote and those that were sent to him by name, the receipts that he made, what he attached
(not the files), when and where he talked (not the sound), which warnings he wrote or approved,
which he was shown, and the audit's entries by him and about him.
Nothing that is others': not what groups, units and agencies were sent, not where units were, also
those he drove, not what he did to others' accounts beyond that he did it, and not the names of
those who did something to his. No secret and no hash of one is in it (docs/domain.md, DOM-RET-8).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import asyncpg

from psn.trail.audit import session_name

ROWS: Final = 1_000
"""Rows fetched at a time."""
SECRET: Final = ("password_hash",)
OTHERS: Final = ("actor_name", "source", "session")
"""What is not told of entries that somebody else made."""

_FACTORS: Final = """
    SELECT kind, label, created_at, last_used_at FROM second_factor WHERE person_id = $1 ORDER BY id
"""
_IDENTITIES: Final = """
    SELECT p.issuer, i.subject, i.created_at FROM linked_identity i
      JOIN identity_provider p ON p.id = i.provider_id WHERE i.person_id = $1 ORDER BY i.id
"""
# What he sends stands in his own mailbox as well (DOM-REC-2).
_MESSAGES: Final = """
    SELECT l.body FROM log l JOIN mailbox_entry e ON e.log_id = l.id
     WHERE e.address = $1 AND l.kind = 'message' ORDER BY e.seq
"""
_RECEIPTS: Final = """
    SELECT l.uid AS message, r.state, r.at FROM receipt r JOIN log l ON l.id = r.log_id
     WHERE r.reader = $1 ORDER BY r.log_id, r.state
"""
_ATTACHMENTS: Final = """
    SELECT id, kind, state, about, size, encode(sha256, 'hex') AS sha256, made_at FROM attachment
     WHERE author = $1 ORDER BY made_at, id
"""
_RECORDINGS: Final = """
    SELECT id, group_address, group_name, call, begun_at, milliseconds FROM recording
     WHERE talker = $1 ORDER BY begun_at, id
"""
_WARNINGS: Final = """
    SELECT id, warning_id, kind, stage, $1 = ANY (authors) AS wrote, approved_by = $1 AS approved,
           alone, approved_at, sent_at
      FROM warning_message WHERE $1 = ANY (authors) OR approved_by = $1 OR sent_by = $1 ORDER BY id
"""
_WARNED: Final = """
    SELECT message_id, shown_at, confirmed_at FROM warning_shown WHERE address = $1
     ORDER BY message_id, session
"""
_AUDIT: Final = """
    SELECT seq, body FROM audit WHERE actor = $1 OR object = $1 ORDER BY seq
"""
_STATES: Final = {1: "delivered", 2: "read", 3: "expired"}


async def write(connection: asyncpg.Connection[Any], person: int, out: IO[bytes]) -> dict[str, int]:
    """Write the archive of a person; how many lines each of its files has.

    Reads one moment of the database, in a transaction of its own.
    """
    counts: dict[str, int] = {}
    address = f"person:{person}"
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, lines in (
                ("account", _account(connection, person)),
                ("second_factors", _rows(connection, _FACTORS, person)),
                ("identities", _rows(connection, _IDENTITIES, person)),
                ("sessions", _sessions(connection, person)),
                ("messages", _messages(connection, address)),
                ("receipts", _receipts(connection, address)),
                ("attachments", _rows(connection, _ATTACHMENTS, address)),
                ("recordings", _rows(connection, _RECORDINGS, address)),
                ("warnings", _rows(connection, _WARNINGS, person)),
                ("warned", _rows(connection, _WARNED, address)),
                ("audit", _audit(connection, address)),
            ):
                with archive.open(f"{name}.jsonl", "w") as file:
                    counts[name] = 0
                    async for line in lines:
                        text = json.dumps(line, ensure_ascii=False, default=_plain)
                        file.write(text.encode("utf-8", "replace") + b"\n")
                        counts[name] += 1
            archive.writestr("README.txt", _about(address, counts))
    return counts


def _about(address: str, counts: dict[str, int]) -> str:
    made = datetime.now(UTC)
    files = "".join(f"{name}.jsonl  {count} lines\n" for name, count in counts.items())
    return (
        f"What the network keeps of {address}, as of {made:%Y-%m-%d %H:%M} UTC.\n"
        f"Each file has one JSON object a line; times are UTC.\n\n{files}"
    )


async def _account(
    connection: asyncpg.Connection[Any], person: int
) -> AsyncIterator[dict[str, Any]]:
    row = await connection.fetchrow(
        "SELECT p.*, a.code AS agency FROM person p JOIN agency a ON a.id = p.agency_id"
        " WHERE p.id = $1",
        person,
    )
    if row is not None:
        yield {name: value for name, value in row.items() if name not in SECRET}


async def _rows(
    connection: asyncpg.Connection[Any], query: str, person: int | str
) -> AsyncIterator[dict[str, Any]]:
    async for row in connection.cursor(query, person, prefetch=ROWS):
        yield dict(row)


async def _sessions(
    connection: asyncpg.Connection[Any], person: int
) -> AsyncIterator[dict[str, Any]]:
    query = "SELECT * FROM session WHERE person_id = $1 ORDER BY created_at"
    async for row in connection.cursor(query, person, prefetch=ROWS):
        said = dict(row)
        yield {"session": session_name(said.pop("token_hash")), **said}


async def _messages(
    connection: asyncpg.Connection[Any], address: str
) -> AsyncIterator[dict[str, Any]]:
    async for row in connection.cursor(_MESSAGES, address, prefetch=ROWS):
        yield json.loads(row["body"])


async def _receipts(
    connection: asyncpg.Connection[Any], address: str
) -> AsyncIterator[dict[str, Any]]:
    async for row in connection.cursor(_RECEIPTS, address, prefetch=ROWS):
        yield dict(row) | {"state": _STATES.get(row["state"], row["state"])}


async def _audit(
    connection: asyncpg.Connection[Any], address: str
) -> AsyncIterator[dict[str, Any]]:
    async for row in connection.cursor(_AUDIT, address, prefetch=ROWS):
        yield {"seq": row["seq"], **_told(json.loads(row["body"]), address)}


def _told(entry: dict[str, Any], address: str) -> dict[str, Any]:
    """An entry of the audit without what it tells of others than its person."""
    hidden = set()
    if entry.get("actor") != address:
        hidden |= set(OTHERS)
    if entry.get("object") != address:
        hidden.add("details")
    return {name: value for name, value in entry.items() if name not in hidden}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


def private(file: Path) -> IO[bytes]:
    """A new file that only its owner may read; raises ``FileExistsError`` and other ``OSError``."""
    file.touch(mode=0o600, exist_ok=False)
    return file.open("wb")
