"""Mailboxes on disk: the SQL that stores a batch of the record, and the SQL that reads it back.

``psn.log`` decides when; here is what one transaction does. A message is one row of the log, and an
entry of each recipient's mailbox and of its sender's; receipts are rows and entries too. The
mailbox's own row is locked while its entries get their sequence, so the sequence has no gaps and
reading ``seq > cursor`` misses nothing.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from psn import database, wire
from psn.problems import Problem

DELIVERED, READ, EXPIRED = 1, 2, 3
STATES: dict[int, str] = {DELIVERED: "delivered", READ: "read", EXPIRED: "expired"}

_encode_body = msgspec.json.encode
_decode_body = msgspec.json.Decoder(wire.MailBody).decode


class RecordRefused(Problem):
    """An entry that was not stored; ``retry`` milliseconds when it may pass later."""

    def __init__(self, code: str, text: str, todo: str, retry: int | None = None) -> None:
        super().__init__(code, text, todo)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Mark:
    """A reader has received a mailbox through a sequence, or has read entries of it.

    ``since``: what the mailbox held before the reader had to do with it; no receipts for that.
    """

    box: str
    reader: str
    reader_name: str
    through: int | None = None
    since: int = 0
    seqs: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a mailbox, as it is delivered."""

    box: str
    seq: int
    body: wire.MailBody


@dataclass(frozen=True, slots=True)
class Placing:
    """A row of the log, and the mailboxes it goes to."""

    log_id: int
    body: wire.MailBody
    boxes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Stored:
    """What one transaction added: entries in mailbox order, and the new heads."""

    entries: list[Entry]
    heads: dict[str, int]
    answers: list[int | RecordRefused]
    """For each message asked for: the time (ms UTC) it was stored first, or why not."""


async def store(
    connection: database.Connection,
    messages: list[wire.MessageBody],
    marks: list[Mark],
    now: int,
) -> Stored:
    """Store messages and marks in one transaction; ``now`` is milliseconds UTC."""
    entries: list[Entry] = []
    heads: dict[str, int] = {}
    async with connection.transaction():
        receipts = await _mark(connection, marks, now) if marks else []
        placings, answers = await _log(connection, messages, receipts, now)
        if placings:
            entries, heads = await _place(connection, placings)
    return Stored(entries, heads, answers)


async def after(
    connection: database.Connection, cursors: dict[str, int], limit: int
) -> list[Entry]:
    """Entries after each mailbox's cursor, at most ``limit`` of each, in order."""
    rows = await connection.fetch(_AFTER, list(cursors), list(cursors.values()), limit)
    return [Entry(r["address"], r["seq"], _decode_body(r["body"])) for r in rows]


async def before(connection: database.Connection, box: str, seq: int, limit: int) -> list[Entry]:
    """The newest ``limit`` entries of a mailbox below ``seq``, oldest first."""
    rows = await connection.fetch(_BEFORE, box, seq, limit)
    return [Entry(box, r["seq"], _decode_body(r["body"])) for r in reversed(rows)]


async def delivered_through(
    connection: database.Connection, reader: str, boxes: Sequence[str]
) -> dict[str, int]:
    """How far this reader's clients have received each mailbox; missing where never."""
    rows = await connection.fetch(
        "SELECT address, seq FROM delivery WHERE reader = $1 AND address = ANY($2::text[])",
        reader,
        boxes,
    )
    return {r["address"]: r["seq"] for r in rows}


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

_INSERT_LOG = """
INSERT INTO log (uid, kind, author, at, body)
SELECT n.uid, n.kind, n.author, $5, n.body::jsonb
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
       WITH ORDINALITY AS n(uid, kind, author, body, place)
 ORDER BY n.place
    ON CONFLICT (uid) DO NOTHING
RETURNING id, uid
"""


Receipt = tuple[str, wire.ReceiptBody]
"""Whose mailbox it goes to, and the receipt."""


async def _log(
    connection: database.Connection,
    messages: list[wire.MessageBody],
    receipts: list[Receipt],
    now: int,
) -> tuple[list[Placing], list[int | RecordRefused]]:
    """Insert what is new; answer what was stored before; refuse another message's id.

    A message whose time is over is not stored any more; but if it was stored in time, and only
    the acknowledgement got lost, it is acknowledged.
    """
    stamped: dict[UUID, wire.MessageBody] = {}
    late: dict[UUID, wire.MailBody | None] = {}
    for body in messages:
        if body.expires is not None and body.expires <= now:
            late[body.id] = None
        else:
            stamped.setdefault(body.id, msgspec.structs.replace(body, time=now))
    bodies: list[wire.MailBody] = [*stamped.values(), *(body for _, body in receipts)]
    rows = []
    if bodies:
        rows = await connection.fetch(
            _INSERT_LOG,
            [*stamped, *(None for _ in receipts)],
            ["message"] * len(stamped) + ["receipt"] * len(receipts),
            [m.sender for m in stamped.values()] + [r.by for _, r in receipts],
            [_encode_body(body).decode() for body in bodies],
            database.moment(now),
        )
    ids = {row["uid"]: row["id"] for row in rows if row["uid"] is not None}
    known: dict[UUID, wire.MailBody | None] = {**late, **stamped}
    old = [uid for uid in known if uid not in ids]
    if old:
        found = await connection.fetch("SELECT uid, body FROM log WHERE uid = ANY($1::uuid[])", old)
        known.update({row["uid"]: _decode_body(row["body"]) for row in found})
    placings = [
        Placing(ids[uid], body, list(dict.fromkeys([*body.to, body.sender])))
        for uid, body in stamped.items()
        if uid in ids
    ]
    # Rows without an id cannot conflict, so every one came back, in the order given.
    unnamed = [row["id"] for row in rows if row["uid"] is None]
    placings += [
        Placing(log_id, body, [author])
        for log_id, (author, body) in zip(unnamed, receipts, strict=True)
    ]
    return placings, [_answer(body, known[body.id]) for body in messages]


def _answer(asked: wire.MessageBody, stored: wire.MailBody | None) -> int | RecordRefused:
    """The stored message's time, if what was asked for is that message."""
    if stored is None:
        return RecordRefused(
            "expired",
            "The message had expired before it was sent.",
            "Send it again with a later expiry, if it still makes sense.",
        )
    if (
        isinstance(stored, wire.MessageBody)
        and msgspec.structs.replace(asked, time=stored.time, sender_name=stored.sender_name)
        == stored
    ):
        return stored.time
    return RecordRefused(
        "id_taken",
        "Another message was stored under this id.",
        "Make a new random id for every message.",
    )


async def _mark(connection: database.Connection, marks: list[Mark], now: int) -> list[Receipt]:
    """Advance delivery cursors; one receipt per author, reader and state, of what is new."""
    through: dict[tuple[str, str], int] = {}
    since: dict[tuple[str, str], int] = {}
    for mark in marks:
        if mark.through is not None:
            key = (mark.box, mark.reader)
            through[key] = max(through.get(key, 0), mark.through)
            since[key] = min(since.get(key, mark.since), mark.since)
    reads = {(m.box, m.reader, seq) for m in marks if m.through is None for seq in m.seqs}
    rows = await connection.fetch(
        _MARK,
        [box for box, _ in through],
        [reader for _, reader in through],
        list(through.values()),
        list(since.values()),
        [box for box, _, _ in reads],
        [reader for _, reader, _ in reads],
        [seq for _, _, seq in reads],
        database.moment(now),
    )
    of: defaultdict[tuple[str, str, int], list[UUID]] = defaultdict(list)
    for row in rows:
        of[row["author"], row["reader"], row["state"]].append(row["uid"])
    names = {mark.reader: mark.reader_name for mark in marks}
    return [
        (author, wire.ReceiptBody(uids, reader, names[reader], STATES[state], now))
        for (author, reader, state), uids in of.items()
    ]


# One statement, since each costs a round trip while every acknowledgement waits.
# ``span`` stands apart so that both its ends bound the search in the index; with an outer join in
# the same place PostgreSQL 15 is apt to read every mailbox from its beginning. What was given is
# not joined with what was found by value: without hash joins (``psn.database``) that is quadratic.
_MARK = f"""
WITH mark AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
             AS m(address, reader, seq, since)
), advanced AS (
  INSERT INTO delivery AS d (address, reader, seq)
  SELECT address, reader, seq FROM mark ORDER BY address, reader
      ON CONFLICT (address, reader) DO UPDATE SET seq = greatest(d.seq, excluded.seq)
), span AS MATERIALIZED (
  SELECT m.address, m.reader, m.seq,
         coalesce((SELECT d.seq FROM delivery d
                    WHERE d.address = m.address AND d.reader = m.reader), m.since) AS since
    FROM mark m
), reached AS (
  SELECT e.log_id, span.reader, 0 AS state
    FROM span JOIN mailbox_entry e ON e.address = span.address
         AND e.seq > span.since AND e.seq <= span.seq
   UNION
  SELECT e.log_id, r.reader, {READ}
    FROM unnest($5::text[], $6::text[], $7::bigint[]) AS r(address, reader, seq)
    JOIN mailbox_entry e ON e.address = r.address AND e.seq = r.seq
), new AS (
  INSERT INTO receipt (log_id, reader, state, at)
  SELECT l.id, reached.reader,
         CASE WHEN reached.state = {READ} THEN {READ}
              WHEN (l.body->>'expires')::bigint < extract(epoch FROM $8::timestamptz) * 1000
              THEN {EXPIRED} ELSE {DELIVERED} END,
         $8
    FROM reached JOIN log l ON l.id = reached.log_id
   WHERE l.kind = 'message' AND l.author <> reached.reader
   ORDER BY 1, 2, 3
      ON CONFLICT DO NOTHING
  RETURNING log_id, reader, state
)
SELECT l.author, l.uid, new.reader, new.state
  FROM new JOIN log l ON l.id = new.log_id
 ORDER BY l.id, new.reader, new.state
"""


async def _place(
    connection: database.Connection, placings: list[Placing]
) -> tuple[list[Entry], dict[str, int]]:
    """Give each entry its sequence in its mailboxes; the mailbox rows stay locked until commit."""
    into: defaultdict[str, list[int]] = defaultdict(list)
    for placing in placings:
        for box in placing.boxes:
            into[box].append(placing.log_id)
    boxes = sorted(into)
    counts = [len(into[box]) for box in boxes]
    before = [0, *itertools.accumulate(counts)][:-1]
    ids = [log_id for box in boxes for log_id in into[box]]
    rows = await connection.fetch(_PLACE, boxes, counts, before, ids)
    heads = {row["address"]: row["head"] for row in rows}
    following = {box: heads[box] - count + 1 for box, count in zip(boxes, counts, strict=True)}
    entries = []
    for placing in placings:
        for box in placing.boxes:
            entries.append(Entry(box, following[box], placing.body))
            following[box] += 1
    return entries, heads


# The addresses are sorted, so each is found among those given by halving (``width_bucket``), and
# the arrays are looked into instead of joined: a batch costs what is in it, and not its square.
_PLACE = """
WITH locked AS (
  INSERT INTO mailbox AS m (address, head)
  SELECT g.address, g.count FROM unnest($1::text[], $2::int[]) AS g(address, count)
      ON CONFLICT (address) DO UPDATE SET head = m.head + excluded.head
  RETURNING address, head
), numbered AS MATERIALIZED (
  SELECT address, head, width_bucket(address COLLATE "C", $1::text[]) AS nth FROM locked
), entered AS (
  INSERT INTO mailbox_entry (address, seq, log_id)
  SELECT n.address, n.head - ($2::int[])[n.nth] + k, ($4::bigint[])[($3::int[])[n.nth] + k]
    FROM numbered n, generate_series(1, ($2::int[])[n.nth]) AS k
)
SELECT address, head FROM numbered
"""
