"""Mailboxes on disk: the SQL that stores a batch of the record, and the SQL that reads it back.

``psn.record.log`` decides when; here is what one transaction does. A message is one row of the log,
and an entry of each recipient's mailbox and of its sender's; receipts are rows and entries too. The
mailbox's own row is locked while its entries get their sequence, so the sequence has no gaps and
reading ``seq > cursor`` misses nothing.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from psn import database, wire
from psn.problems import Problem

log = logging.getLogger(__name__)

DELIVERED, READ, EXPIRED = 1, 2, 3
STATES: dict[int, str] = {DELIVERED: "delivered", READ: "read", EXPIRED: "expired"}

_STORE: Final = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_encode_body = msgspec.json.encode
_decoder = msgspec.json.Decoder(wire.MailBody)


class RecordRefused(Problem):
    """An entry that was not stored."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to store, of somebody of ``agency``.

    With ``refusal`` it is not stored any more, but acknowledged when it already is: only its
    acknowledgement may have got lost.
    """

    body: wire.MessageBody
    agency: int
    refusal: Problem | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose client it is that has received or read something.

    Authors of the agencies in ``known_to`` are told who it was, others only in which mailbox.
    """

    address: str
    name: str
    known_to: frozenset[int]
    carries: bool = False
    """It carries what it receives to somebody else, so that nobody has it yet."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A reader has received a mailbox through a sequence, or has read entries of it.

    ``since``: he has to do with the mailbox from there on; no receipts for what came before, also
    when it was his once already. ``state``: what he has done with the entries ``seqs``.
    """

    box: str
    box_name: str
    reader: Reader
    through: int | None = None
    since: int = 0
    seqs: Sequence[int] = ()
    state: int = READ

    @property
    def key(self) -> tuple[str, str]:
        """The mailbox and the reader's address."""
        return self.box, self.reader.address


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a mailbox, as it is delivered."""

    box: str
    seq: int
    body: wire.MailBody


@dataclass(frozen=True, slots=True)
class Stored:
    """What one transaction added: entries in mailbox order, and the new heads."""

    entries: list[Entry]
    heads: dict[str, int]
    answers: list[int | Problem]
    """For each message asked for: the time (ms UTC) it was stored first, or why not."""


async def prepare(connection: database.Connection) -> None:
    """Teach a connection :func:`store`; once, after it was made."""
    await connection.execute(_STORE)


async def store(
    connection: database.Connection, letters: list[Letter], marks: list[Mark], now: int
) -> Stored:
    """Store messages and marks in one transaction; ``now`` is milliseconds UTC.

    Of marks of one reader in one mailbox the furthest counts, so one with a later ``since`` must
    not come in a batch with others. A message whose time is over is refused.
    """
    asked: dict[UUID, Letter] = {}
    known: dict[UUID, Letter] = {}
    for letter in letters:
        over = letter.body.expires is not None and letter.body.expires <= now
        only_if_known = over or letter.refusal is not None
        stamped = msgspec.structs.replace(letter.body, time=now)
        (known if only_if_known else asked).setdefault(
            letter.body.id, Letter(stamped, letter.agency)
        )
    rows_of = list({**known, **asked}.values())
    copies = [
        (number, box)
        for number, letter in enumerate(rows_of, start=1)
        if letter.body.id in asked
        for box in dict.fromkeys([*letter.body.to, letter.body.sender])
    ]
    rows = await connection.fetch(
        "SELECT number, box, seq, body FROM pg_temp.store($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
        " $11, $12, $13, $14, $15, $16, $17, $18)",
        now,
        *_columns(marks),
        [letter.body.id for letter in rows_of],
        [letter.body.sender for letter in rows_of],
        [letter.agency for letter in rows_of],
        [
            _encode_body(letter.body).decode() if letter.body.id in asked else None
            for letter in rows_of
        ],
        [number for number, _ in copies],
        [box for _, box in copies],
    )
    entries = []
    heads = {}
    there: dict[UUID, str | None] = {}
    for number, box, seq, text in rows:
        if box is None:
            there[rows_of[number - 1].body.id] = text
        else:
            body = rows_of[number - 1].body if text is None else _decoder.decode(text)
            entries.append(Entry(box, seq, body))
            heads[box] = seq
    answers = [_answer(letter, asked, there) for letter in letters]
    return Stored(entries, heads, answers)


async def after(
    connection: database.Connection, cursors: dict[str, int], limit: int
) -> list[Entry]:
    """Entries after each mailbox's cursor, at most ``limit`` of each, in order.

    One that cannot be read is left out, which is a gap like that of history past its retention.
    """
    rows = await connection.fetch(_AFTER, list(cursors), list(cursors.values()), limit)
    return _entries((r["address"], r["seq"], r["body"]) for r in rows)


async def before(connection: database.Connection, box: str, seq: int, limit: int) -> list[Entry]:
    """The newest ``limit`` entries of a mailbox below ``seq``, oldest first."""
    rows = await connection.fetch(_BEFORE, box, seq, limit)
    return _entries((box, r["seq"], r["body"]) for r in reversed(rows))


def _entries(rows: Iterable[tuple[str, int, str]]) -> list[Entry]:
    entries = []
    for box, seq, text in rows:
        body = _readable(text)
        if body is None:
            log.error("entry %d of %s cannot be read: %.200s", seq, box, text)
        else:
            entries.append(Entry(box, seq, body))
    return entries


def _readable(text: str) -> wire.MailBody | None:
    try:
        body: wire.MailBody = _decoder.decode(text)
    except msgspec.DecodeError:
        return None
    return body


_AFTER = """
SELECT w.address, e.seq, l.body
  FROM unnest($1::text[], $2::bigint[]) AS w(address, cursor)
 CROSS JOIN LATERAL (
       SELECT seq, log_id FROM mailbox_entry
        WHERE address = w.address AND seq > w.cursor ORDER BY seq LIMIT $3) AS e
  JOIN log l ON l.id = e.log_id
 ORDER BY w.address, e.seq
"""

_BEFORE = """
SELECT e.seq, l.body FROM mailbox_entry e JOIN log l ON l.id = e.log_id
 WHERE e.address = $1 AND e.seq < $2 ORDER BY e.seq DESC LIMIT $3
"""


def _answer(
    letter: Letter, asked: dict[UUID, Letter], there: dict[UUID, str | None]
) -> int | Problem:
    """The stored message's time, if what was asked for is that message."""
    uid, body = letter.body.id, letter.body
    stored: wire.MailBody | None
    if uid in there:
        text = there[uid]
        if text is None:
            return letter.refusal or RecordRefused(
                "expired",
                "The message had expired before it was sent.",
                "Send it again with a later expiry, if it still makes sense.",
            )
        stored = _readable(text)
    else:
        stored = asked[uid].body
    if (
        isinstance(stored, wire.MessageBody)
        and msgspec.structs.replace(body, time=stored.time, sender_name=stored.sender_name)
        == stored
    ):
        return stored.time
    return RecordRefused(
        "id_taken",
        "Another message was stored under this id.",
        "Make a new random id for every message.",
    )


def _columns(marks: list[Mark]) -> tuple[list[str] | list[int] | str, ...]:
    """Marks as :data:`_STORE` takes them: cursors to advance, entries read, and all names."""
    furthest: dict[tuple[str, str], Mark] = {}
    reads: dict[tuple[str, str, int, int], Mark] = {}
    names: dict[str, str] = {}
    for mark in marks:
        names[mark.box] = mark.box_name
        names[mark.reader.address] = mark.reader.name
        if mark.through is None:
            reads |= {(*mark.key, seq, mark.state): mark for seq in mark.seqs}
            continue
        other = furthest.get(mark.key)
        if other is None or (mark.through or 0) > (other.through or 0):
            since = max(mark.since, 0 if other is None else other.since)
            furthest[mark.key] = dataclasses.replace(mark, since=since)
    arrived = list(furthest.values())
    return (
        [mark.box for mark in arrived],
        [mark.reader.address for mark in arrived],
        [mark.through or 0 for mark in arrived],
        [mark.since for mark in arrived],
        [_array(mark.reader.known_to) for mark in arrived],
        [box for box, _, _, _ in reads],
        [reader for _, reader, _, _ in reads],
        [seq for _, _, seq, _ in reads],
        [state for _, _, _, state in reads],
        [_array(mark.reader.known_to) for mark in reads.values()],
        _encode_body(names).decode(),
    )


def _array(numbers: Iterable[int]) -> str:
    """Numbers as PostgreSQL writes an array."""
    return "{" + ",".join(map(str, numbers)) + "}"
