"""Mailboxes on disk: the SQL that stores a batch of the record, and the SQL that reads it back.

``psn.log`` decides when; here is what one transaction does. A message is one row of the log, and an
entry of each recipient's mailbox and of its sender's; receipts are rows and entries too. The
mailbox's own row is locked while its entries get their sequence, so the sequence has no gaps and
reading ``seq > cursor`` misses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from psn import database, wire
from psn.problems import Problem

DELIVERED, READ, EXPIRED = 1, 2, 3
STATES: dict[int, str] = {DELIVERED: "delivered", READ: "read", EXPIRED: "expired"}
_STATE_NAMES = "{" + ",".join(STATES[n] for n in range(1, len(STATES) + 1)) + "}"

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
class Stored:
    """What one transaction added: entries in mailbox order, and the new heads."""

    entries: list[Entry]
    heads: dict[str, int]
    answers: list[int | RecordRefused]
    """For each message asked for: the time (ms UTC) it was stored first, or why not."""


async def prepare(connection: database.Connection) -> None:
    """Teach a connection :func:`store`; once, after it was made."""
    await connection.execute(_STORE)


async def store(
    connection: database.Connection,
    messages: list[wire.MessageBody],
    marks: list[Mark],
    now: int,
) -> Stored:
    """Store messages and marks in one transaction; ``now`` is milliseconds UTC.

    A message whose time is over is not stored any more; but if it was stored in time, and only
    the acknowledgement got lost, it is acknowledged.
    """
    asked: dict[UUID, wire.MessageBody] = {}
    late: dict[UUID, wire.MessageBody] = {}
    for body in messages:
        over = body.expires is not None and body.expires <= now
        (late if over else asked).setdefault(body.id, msgspec.structs.replace(body, time=now))
    found: dict[UUID, wire.MailBody | None] = {**dict.fromkeys(late), **asked}
    ids = list(found)
    copies = [
        (number, box)
        for number, uid in enumerate(ids, start=1)
        if uid in asked
        for box in dict.fromkeys([*asked[uid].to, asked[uid].sender])
    ]
    rows = await connection.fetch(
        "SELECT number, box, seq, body FROM pg_temp.store"
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        now,
        *_columns(marks),
        ids,
        [(asked.get(uid) or late[uid]).sender for uid in ids],
        [_encode_body(asked[uid]).decode() if uid in asked else None for uid in ids],
        [number for number, _ in copies],
        [box for _, box in copies],
    )
    entries = []
    heads = {}
    for number, box, seq, text in rows:
        if box is None:
            found[ids[number - 1]] = _decode_body(text)
        else:
            entry = Entry(box, seq, asked[ids[number - 1]] if text is None else _decode_body(text))
            entries.append(entry)
            heads[box] = seq
    return Stored(entries, heads, [_answer(body, found[body.id]) for body in messages])


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


def _columns(marks: list[Mark]) -> tuple[list[str] | list[int] | str, ...]:
    """Marks as :data:`_STORE` takes them: cursors to advance, entries read, the readers' names."""
    through: dict[tuple[str, str], int] = {}
    since: dict[tuple[str, str], int] = {}
    for mark in marks:
        if mark.through is not None:
            key = (mark.box, mark.reader)
            through[key] = max(through.get(key, 0), mark.through)
            since[key] = min(since.get(key, mark.since), mark.since)
    reads = {(m.box, m.reader, seq) for m in marks if m.through is None for seq in m.seqs}
    return (
        [box for box, _ in through],
        [reader for _, reader in through],
        list(through.values()),
        list(since.values()),
        [box for box, _, _ in reads],
        [reader for _, reader, _ in reads],
        [seq for _, _, seq in reads],
        _encode_body({mark.reader: mark.reader_name for mark in marks}).decode(),
    )


# One function, since every statement of a batch would cost a round trip while all that gathered
# waits; each connection of the record makes its own, so code and SQL are of one version. It is
# called as a statement of its own, which is a transaction.
#
# Numbers: messages are 1, 2, 3 … as given, the receipts follow. ``log_of`` is the row of the log
# that each became; NULL for a message that was there before or whose body is NULL (it came too
# late). There is one writer (``psn.log``), so what is not in the log now is not there later.
#
# ``span`` stands apart so that both its ends bound the search in the index; with an outer join in
# the same place PostgreSQL 15 is apt to read every mailbox from its beginning. What was given is
# not joined with what was given by value: without hash joins (``psn.database``) that is quadratic.
# Whether a uid is there is asked with a scalar subquery: for NOT EXISTS a generic plan reads the
# whole log into a hash.
_STORE = f"""
CREATE OR REPLACE FUNCTION pg_temp.store(
  clock bigint,
  mark_box text[], mark_reader text[], mark_through bigint[], mark_since bigint[],
  read_box text[], read_reader text[], read_seq bigint[],
  reader_names jsonb,
  message_uid uuid[], message_author text[], message_body text[],
  copy_number int[], copy_box text[]
) RETURNS TABLE (number int, box text, seq bigint, body jsonb)
LANGUAGE plpgsql AS $store$
#variable_conflict use_column
DECLARE
  moment timestamptz := to_timestamp(clock / 1000.0);
  log_ids regclass := pg_get_serial_sequence('log', 'id');
  messages int := cardinality(message_uid);
  receipt_author text[];
  receipt_reader text[];
  receipt_body jsonb[];
  log_of bigint[];
  entry_number int[];
  entry_box text[];
BEGIN
  IF cardinality(mark_box) + cardinality(read_box) > 0 THEN
    WITH mark AS (
      SELECT * FROM unnest(mark_box, mark_reader, mark_through, mark_since)
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
        FROM unnest(read_box, read_reader, read_seq) AS r(address, reader, seq)
        JOIN mailbox_entry e ON e.address = r.address AND e.seq = r.seq
    ), new AS (
      INSERT INTO receipt (log_id, reader, state, at)
      SELECT l.id, reached.reader,
             CASE WHEN reached.state = {READ} THEN {READ}
                  WHEN (l.body->>'expires')::bigint < clock THEN {EXPIRED} ELSE {DELIVERED} END,
             moment
        FROM reached JOIN log l ON l.id = reached.log_id
       WHERE l.kind = 'message' AND l.author <> reached.reader
       ORDER BY 1, 2, 3
          ON CONFLICT DO NOTHING
      RETURNING log_id, reader, state
    ), told AS (
      SELECT l.author, new.reader, min(l.id) AS first, new.state,
             jsonb_build_object(
               'kind', 'receipt', 'of', jsonb_agg(l.uid ORDER BY l.id),
               'by', new.reader, 'by_name', reader_names->>new.reader,
               'state', ('{_STATE_NAMES}'::text[])[new.state], 'time', clock) AS body
        FROM new JOIN log l ON l.id = new.log_id
       GROUP BY l.author, new.reader, new.state
    )
    SELECT array_agg(author ORDER BY first, reader, state),
           array_agg(reader ORDER BY first, reader, state),
           array_agg(body ORDER BY first, reader, state)
      INTO receipt_author, receipt_reader, receipt_body
      FROM told;
  END IF;

  log_of := array(
    SELECT CASE WHEN m.body IS NOT NULL AND (SELECT l.id FROM log l WHERE l.uid = m.uid) IS NULL
                THEN nextval(log_ids) END
      FROM unnest(message_uid, message_body) WITH ORDINALITY AS m(uid, body, place)
     ORDER BY place);
  IF array_position(log_of, NULL) IS NOT NULL THEN
    RETURN QUERY
    SELECT m.place::int, NULL::text, NULL::bigint, l.body
      FROM unnest(message_uid) WITH ORDINALITY AS m(uid, place)
      JOIN log l ON l.uid = m.uid
     WHERE log_of[m.place] IS NULL;
  END IF;
  log_of := log_of || array(SELECT nextval(log_ids) FROM unnest(receipt_body));

  INSERT INTO log (id, uid, kind, author, at, body)
  SELECT n.id, n.uid, 'message', n.author, moment, n.body::jsonb
    FROM unnest(log_of[:messages], message_uid, message_author, message_body)
         AS n(id, uid, author, body)
   WHERE n.id IS NOT NULL
   UNION ALL
  SELECT n.id, NULL, 'receipt', n.reader, moment, n.body
    FROM unnest(log_of[messages + 1:], receipt_reader, receipt_body) AS n(id, reader, body);

  SELECT array_agg(e.number ORDER BY e.box COLLATE "C", e.number),
         array_agg(e.box ORDER BY e.box COLLATE "C", e.number)
    INTO entry_number, entry_box
    FROM (SELECT c.number, c.box FROM unnest(copy_number, copy_box) AS c(number, box)
           WHERE log_of[c.number] IS NOT NULL
           UNION ALL
          SELECT messages + r.place::int, r.author
            FROM unnest(receipt_author) WITH ORDINALITY AS r(author, place)) AS e;

  INSERT INTO mailbox AS m (address, head)
  SELECT e.box, count(*) FROM unnest(entry_box) AS e(box) GROUP BY e.box ORDER BY e.box
      ON CONFLICT (address) DO UPDATE SET head = m.head + excluded.head;

  RETURN QUERY
  WITH counted AS (
    SELECT e.number, e.box,
           row_number() OVER (PARTITION BY e.box ORDER BY e.number) AS nth,
           count(*) OVER (PARTITION BY e.box) AS added
      FROM unnest(entry_number, entry_box) AS e(number, box)
  ), placed AS MATERIALIZED (
    SELECT c.number, c.box, m.head - c.added + c.nth AS seq
      FROM counted c JOIN mailbox m ON m.address = c.box
  ), entered AS (
    INSERT INTO mailbox_entry (address, seq, log_id)
    SELECT p.box, p.seq, log_of[p.number] FROM placed p
  )
  SELECT p.number, p.box, p.seq, receipt_body[p.number - messages]
    FROM placed p ORDER BY p.number, p.seq;
END
$store$
"""
