"""Messages of warnings in the database, and back as :class:`dispatch.alerting.life.Message`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import msgspec

from dispatch.alerting.cap import MessageType, Status
from dispatch.alerting.content import Content
from dispatch.alerting.life import Approval, Message, Policy, Stage
from psn import database


@dataclass(frozen=True, slots=True)
class Chain:
    """The messages of a warning, whose they are, and what their agency wants."""

    warning: int
    agency: int
    messages: tuple[Message, ...]
    policy: Policy

    def of(self, message: int) -> Message:
        """One of them, by id."""
        return next(each for each in self.messages if each.id == message)


async def locked(connection: database.Connection, warning: int) -> Chain | None:
    """The chain of a warning, which nobody else changes until the transaction ends."""
    if await connection.fetchval("select id from warning where id = $1 for update", warning):
        return await chain(connection, warning)
    return None


async def of_message(connection: database.Connection, message: int) -> Chain | None:
    """The same, by one of its messages."""
    warning = await connection.fetchval(
        "select warning_id from warning_message where id = $1", message
    )
    return None if warning is None else await locked(connection, warning)


async def chain(connection: database.Connection, warning: int) -> Chain | None:
    """The messages of a warning as they are now, by id."""
    rows = await connection.fetch(
        f"select {COLUMNS} from warning_message where warning_id = $1 order by id", warning
    )
    if not rows:
        return None
    agency = rows[0]["agency_id"]
    return Chain(
        warning, agency, tuple(message(row) for row in rows), await policy(connection, agency)
    )


async def policy(connection: database.Connection, agency: int) -> Policy:
    """What an agency wants."""
    two = await connection.fetchval(
        "select two_people from warning_policy where agency_id = $1", agency
    )
    return Policy() if two is None else Policy(two_people=frozenset(map(Status, two)))


async def begin(
    connection: database.Connection, made: Message, agency: int, drawn: bytes | None
) -> int:
    """A new message; of ``made`` its id, and of a new warning (0) its warning, do not count."""
    number: int = await connection.fetchval(
        _BEGIN,
        made.warning,
        agency,
        str(made.kind),
        made.after,
        *_said(made, drawn),
        sorted(made.authors),
    )
    return number


async def new_warning(connection: database.Connection) -> int:
    """The number of a new warning."""
    number: int = await connection.fetchval("insert into warning default values returning id")
    return number


async def write(connection: database.Connection, changed: Message, drawn: bytes | None) -> None:
    """Keep what a message says now, and where it stands; not for one that is being sent."""
    await connection.execute(
        _WRITE, changed.id, *_said(changed, drawn), sorted(changed.authors), *_standing(changed)
    )


async def stand(connection: database.Connection, changed: Message, held: str | None = None) -> None:
    """Keep where a message stands, whose words are as they were.

    ``held``: why the clock did not send it.
    """
    await connection.execute(_STAND, changed.id, *_standing(changed), held)


async def keep_sent(connection: database.Connection, sent: Message, document: bytes) -> None:
    """A message went out; ``document``: as CAP."""
    await connection.execute(_SENT, sent.id, sent.sent, sent.sent_by, document.decode())


def message(row: asyncpg.Record) -> Message:
    """A row as a message."""
    return Message(
        id=row["id"],
        warning=row["warning_id"],
        kind=MessageType(row["kind"]),
        content=msgspec.json.decode(row["content"], type=Content),
        authors=frozenset(row["authors"]),
        after=row["after_id"],
        stage=Stage(row["stage"]),
        checked=row["checked"],
        approval=_approval(row),
        sent=row["sent_at"],
        sent_by=row["sent_by"],
    )


def _approval(row: asyncpg.Record) -> Approval | None:
    if row["approved_by"] is None:
        return None
    return Approval(row["approved_by"], row["approved_at"], row["approved_digest"], row["alone"])


def _said(said: Message, drawn: bytes | None) -> Sequence[Any]:
    content = msgspec.json.encode(said.content).decode()
    return (
        content,
        None if drawn is None else drawn.decode(),
        said.content.digest,
        said.content.send_at,
    )


def _standing(now: Message) -> Sequence[Any]:
    given = now.approval
    if given is None:
        return (str(now.stage), now.checked, None, None, None, None)
    return (str(now.stage), now.checked, given.person, given.at, given.digest, given.alone)


COLUMNS: Final = (
    "id, warning_id, agency_id, kind, after_id, stage, content, authors, checked, approved_by,"
    " approved_at, approved_digest, alone, sent_at, sent_by"
)
_BEGIN: Final = """
    insert into warning_message (warning_id, agency_id, kind, after_id, content, drawn, digest,
                                 send_at, authors)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id
"""
_WRITE: Final = """
    update warning_message
       set content = $2, drawn = $3, digest = $4, send_at = $5, authors = $6, stage = $7,
           checked = $8, approved_by = $9, approved_at = $10, approved_digest = $11, alone = $12,
           held = null, changed_at = now()
     where id = $1
"""
_STAND: Final = """
    update warning_message
       set stage = $2, checked = $3, approved_by = $4, approved_at = $5, approved_digest = $6,
           alone = $7, held = $8, changed_at = now()
     where id = $1
"""
_SENT: Final = """
    update warning_message set stage = 'sent', sent_at = $2, sent_by = $3, document = $4
     where id = $1
"""
