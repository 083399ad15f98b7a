"""The record: messages and receipts, committed before they are acknowledged.

Theory of operation
-------------------
Everything that must not be lost is an entry of the *log*, and stands in one *mailbox* per
recipient with that mailbox's own sequence 1, 2, 3 … One writer takes whatever has gathered,
commits it in a single transaction, and only then acknowledges and delivers. While one batch
commits the next one gathers, so batches grow with the load and a lone message waits for nobody.

Invariants
~~~~~~~~~~
- An acknowledgement is sent only after the commit it speaks of.
- A mailbox's sequence has no gaps: the row of the mailbox is locked while its entries are added,
  so two writers can never give out the same number, and reading ``seq > cursor`` misses nothing.
- The client-made id is unique in the log. The same message sent again is acknowledged again with
  the first time and stored once; another message under a used id is refused (``id_taken``).
- When the outcome of a commit is not known (the connection broke in the middle) the batch is done
  again; the rule before makes that safe. Receipts are keyed by message, reader and state.

What the database refuses for good is refused to the sender; what may pass is kept for
:data:`PATIENCE_SECONDS`, then refused with ``unavailable`` and can be sent again with its id.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import msgspec

from psn import database, wire
from psn.problems import Problem

log = logging.getLogger(__name__)

BATCH = 500
PATIENCE_SECONDS = 5.0
WRITER_LOCK = 0x50534E
"""Advisory lock that the one writer of a database holds for as long as it is connected."""
DELIVERED, READ, EXPIRED = 1, 2, 3
STATES: dict[int, str] = {DELIVERED: "delivered", READ: "read", EXPIRED: "expired"}

_encode_body = msgspec.json.encode
_decode_body = msgspec.json.Decoder(wire.MailBody).decode


class RecordRefused(Problem):
    """An entry that was not stored; ``retry`` milliseconds when it may pass later."""

    def __init__(self, code: str, text: str, todo: str, retry: int | None = None) -> None:
        super().__init__(code, text, todo)
        self.retry = retry


def unavailable() -> RecordRefused:
    """The refusal while the database is away."""
    return RecordRefused(
        "unavailable",
        "The message could not be stored now.",
        "Keep it and send it again with the same id.",
        retry=1_000,
    )


def not_storable() -> RecordRefused:
    """The refusal of what the database will never take."""
    return RecordRefused(
        "not_storable",
        "The database cannot store this message.",
        "Write it in another way; sending it again will not help.",
    )


@dataclass(slots=True)
class Append:
    """A message to store; ``done`` gets the time (ms UTC) it was stored first."""

    body: wire.MessageBody
    done: asyncio.Future[int]
    asked: float


@dataclass(slots=True)
class Mark:
    """A reader has received a mailbox through a sequence, or has read entries of it."""

    box: str
    reader: str
    reader_name: str
    through: int | None
    since: int
    seqs: Sequence[int]
    done: asyncio.Future[int]
    asked: float


Work = Append | Mark


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a mailbox, as it is delivered."""

    box: str
    seq: int
    body: wire.MailBody


@dataclass(slots=True)
class _Batch:
    """What one transaction adds: bodies to the log, and in which mailboxes they stand."""

    work: list[Work]
    entries: list[Entry] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    results: list[tuple[asyncio.Future[int], int | RecordRefused]] = field(default_factory=list)


class Record:
    """The one writer of the log, and the reader of mailboxes.

    ``deliver`` is called with each committed batch's entries, in mailbox order.
    """

    def __init__(
        self,
        dsn: str,
        deliver: Callable[[list[Entry]], None],
        reconnected: Callable[[], None] = lambda: None,
    ) -> None:
        self._dsn = dsn
        self._deliver = deliver
        self._reconnected = reconnected
        self._queue: list[Work] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._connection: asyncpg.Connection | None = None
        self.heads: dict[str, int] = {}
        """Newest committed sequence of every mailbox that has entries."""
        self.floors: dict[str, int] = {}
        self.healthy = False
        self.why_not = "it has not been opened"
        self.commits = 0
        self.committed = 0

    # -- asking

    @property
    def waiting(self) -> int:
        """Entries that are not committed yet."""
        return len(self._queue)

    def append(self, body: wire.MessageBody) -> asyncio.Future[int]:
        """Store a message; the future gives its time (ms UTC), or raises RecordRefused."""
        return self._ask(lambda done, now: Append(body, done, now))

    def received(
        self, box: str, reader: str, name: str, through: int, since: int = 0
    ) -> asyncio.Future[int]:
        """A reader's client has the mailbox through a sequence: receipts go to the senders.

        For what was in it up to ``since``, before the reader had to do with it, there are none.
        """
        return self._ask(lambda done, now: Mark(box, reader, name, through, since, (), done, now))

    def read(self, box: str, reader: str, name: str, seqs: Sequence[int]) -> asyncio.Future[int]:
        """A person has read entries of a mailbox: receipts go to the senders."""
        return self._ask(lambda done, now: Mark(box, reader, name, None, 0, seqs, done, now))

    def _ask(self, make: Callable[[asyncio.Future[int], float], Work]) -> asyncio.Future[int]:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._closing:
            done.set_exception(unavailable())
        else:
            self._queue.append(make(done, time.monotonic()))
            self._wake.set()
        return done

    # -- the writer

    async def run(self) -> None:
        """Commit batches until :meth:`close`; survives the database going away."""
        try:
            await self._run()
        finally:
            if self._connection is not None:
                self._connection.terminate()

    async def _run(self) -> None:
        delay = 0.1
        work: list[Work] = []
        suspects = 0
        while not (self._closing and not self._queue and not work):
            try:
                connection = await self._connected()
                if not work:
                    await self._gather()
                    work = self._queue[: 1 if suspects else BATCH]
                    del self._queue[: len(work)]
                if work:
                    batch = await self._commit(connection, work)
                    work = []
                    suspects = max(suspects - 1, 0)
                    self._settle(batch)
                delay = 0.1
            except database.PASSING as problem:
                self._lost(problem)
                work = self._refuse_impatient(work)
                if self._closing:
                    self._refuse_all(work + self._queue)
                    return
                await asyncio.sleep(delay)
                delay = min(delay * 2, 1.0)
            except asyncpg.PostgresError as problem:
                # A fault of ours or of one entry: that one is found alone, and the others pass.
                if len(work) > 1:
                    self._queue[:0] = work
                    suspects = len(work)
                else:
                    log.exception("an entry of the record was refused: %s", problem)
                    self._refuse_all(work, not_storable)
                    suspects = max(suspects - 1, 0)
                    if not work:  # not even the connection could be had
                        await asyncio.sleep(delay)
                work = []

        if self._connection is not None:
            await self._connection.close(timeout=2)

    def close(self) -> None:
        """Commit what is left, then end :meth:`run`."""
        self._closing = True
        self._wake.set()

    async def _gather(self) -> None:
        """Wait for work; look after the connection every few seconds meanwhile."""
        while not self._queue and not self._closing:
            self._wake.clear()
            try:
                async with asyncio.timeout(2.0):
                    await self._wake.wait()
            except TimeoutError:
                assert self._connection is not None
                with database.answering(self._connection):
                    await self._connection.execute("SELECT 1")

    async def _connected(self) -> asyncpg.Connection:
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = await database.connect(self._dsn)
            try:
                with database.answering(connection):
                    await self._take_over(connection)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
            if not self.healthy:
                log.info("the record is open: %d mailboxes", len(self.heads))
            self.healthy = True
            # Entries of a commit whose answer was lost are on disk but were not delivered.
            self._reconnected()
        return connection

    async def _take_over(self, connection: asyncpg.Connection) -> None:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", WRITER_LOCK):
            raise database.Busy("another server writes to this database")
        rows = await connection.fetch("SELECT address, head, floor FROM mailbox")
        self.heads = {row["address"]: row["head"] for row in rows}
        self.floors = {row["address"]: row["floor"] for row in rows if row["floor"] > 1}

    def _lost(self, problem: BaseException) -> None:
        if self.healthy:
            log.warning("the record cannot be written: %s", problem)
        self.healthy = False
        self.why_not = str(problem) or type(problem).__name__
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.terminate()

    def _refuse_impatient(self, work: list[Work]) -> list[Work]:
        """Refuse what has waited too long; keep the rest, in order."""
        limit = time.monotonic() - PATIENCE_SECONDS
        self._refuse_all([w for w in work + self._queue if w.asked < limit])
        self._queue = [w for w in self._queue if w.asked >= limit]
        return [w for w in work if w.asked >= limit]

    @staticmethod
    def _refuse_all(
        work: Iterable[Work], refusal: Callable[[], RecordRefused] = unavailable
    ) -> None:
        for w in work:
            if not w.done.done():
                w.done.set_exception(refusal())

    def _settle(self, batch: _Batch) -> None:
        """After the commit: acknowledge, then deliver."""
        self.commits += 1
        self.committed += len(batch.entries)
        self.heads.update(batch.heads)
        for done, result in batch.results:
            if done.done():
                continue
            if isinstance(result, RecordRefused):
                done.set_exception(result)
            else:
                done.set_result(result)
        self._deliver(batch.entries)

    # -- one transaction

    async def _commit(self, connection: database.Connection, work: list[Work]) -> _Batch:
        batch = _Batch(work)
        with database.answering(connection):
            await self._write(connection, batch, work)
        return batch

    @staticmethod
    async def _write(connection: database.Connection, batch: _Batch, work: list[Work]) -> None:
        async with connection.transaction():
            now = time.time_ns() // 1_000_000
            bodies: list[tuple[int, wire.MailBody, Sequence[str]]] = []
            appends = [w for w in work if isinstance(w, Append)]
            if appends:
                bodies += await _store_messages(connection, batch, appends, now)
            marks = [w for w in work if isinstance(w, Mark)]
            if marks:
                bodies += await _store_marks(connection, batch, marks, now)
            if bodies:
                await _place(connection, batch, bodies)

    # -- reading

    async def after(
        self, connection: database.Connection, cursors: dict[str, int], limit: int
    ) -> list[Entry]:
        """Entries after each mailbox's cursor, at most ``limit`` of each, in order."""
        rows = await connection.fetch(_AFTER, list(cursors), list(cursors.values()), limit)
        return [Entry(r["address"], r["seq"], _decode_body(r["body"])) for r in rows]

    async def before(
        self, connection: database.Connection, box: str, seq: int, limit: int
    ) -> list[Entry]:
        """The newest ``limit`` entries of a mailbox below ``seq``, oldest first."""
        rows = await connection.fetch(_BEFORE, box, seq, limit)
        return [Entry(box, r["seq"], _decode_body(r["body"])) for r in reversed(rows)]

    async def delivered_through(
        self, connection: database.Connection, reader: str, boxes: Sequence[str]
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


async def _store_messages(
    connection: database.Connection, batch: _Batch, appends: list[Append], now: int
) -> list[tuple[int, wire.MailBody, Sequence[str]]]:
    """Insert what is new; answer what was stored before; refuse another message's id."""
    first: dict[UUID, Append] = {}
    for work in appends:
        first.setdefault(work.body.id, work)
    stamped = {uid: msgspec.structs.replace(work.body, time=now) for uid, work in first.items()}
    rows = await connection.fetch(
        _INSERT_LOG,
        list(stamped),
        ["message"] * len(stamped),
        [body.sender for body in stamped.values()],
        [_encode_body(body).decode() for body in stamped.values()],
        database.moment(now),
    )
    ids = {row["uid"]: row["id"] for row in rows}
    known: dict[UUID, wire.MailBody] = dict(stamped)
    old = [uid for uid in stamped if uid not in ids]
    if old:
        rows = await connection.fetch("SELECT uid, body FROM log WHERE uid = ANY($1::uuid[])", old)
        known.update({row["uid"]: _decode_body(row["body"]) for row in rows})
    for work in appends:
        batch.results.append((work.done, _answer(work.body, known[work.body.id])))
    return [
        (ids[uid], body, list(dict.fromkeys([*body.to, body.sender])))
        for uid, body in stamped.items()
        if uid in ids
    ]


def _answer(asked: wire.MessageBody, stored: wire.MailBody) -> int | RecordRefused:
    """The stored message's time, if what was asked for is that message."""
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


async def _store_marks(
    connection: database.Connection, batch: _Batch, marks: list[Mark], now: int
) -> list[tuple[int, wire.MailBody, Sequence[str]]]:
    """Advance delivery cursors, and make one receipt entry per author, reader and state."""
    wanted = await _marked(connection, marks)
    new = await connection.fetch(
        """
        INSERT INTO receipt (log_id, reader, state, at)
        SELECT m.log_id, m.reader, m.state, $4
          FROM unnest($1::bigint[], $2::text[], $3::smallint[]) AS m(log_id, reader, state)
         ORDER BY m.log_id, m.reader, m.state
            ON CONFLICT DO NOTHING
        RETURNING log_id, reader, state
        """,
        [log_id for log_id, _, _ in wanted],
        [reader for _, reader, _ in wanted],
        [state for _, _, state in wanted],
        database.moment(now),
    )
    batch.results.extend((mark.done, now) for mark in marks)
    if not new:
        return []
    names = {mark.reader: mark.reader_name for mark in marks}
    of: defaultdict[tuple[str, str, int], list[UUID]] = defaultdict(list)
    authors = await connection.fetch(
        "SELECT id, uid, author FROM log WHERE id = ANY($1::bigint[])",
        list({row["log_id"] for row in new}),
    )
    by_id = {row["id"]: row for row in authors}
    for row in new:
        message = by_id[row["log_id"]]
        of[message["author"], row["reader"], row["state"]].append(message["uid"])
    receipts = [
        (author, wire.ReceiptBody(uids, reader, names[reader], STATES[state], now))
        for (author, reader, state), uids in of.items()
    ]
    rows = await connection.fetch(
        _INSERT_LOG,
        [None] * len(receipts),
        ["receipt"] * len(receipts),
        [body.by for _, body in receipts],
        [_encode_body(body).decode() for _, body in receipts],
        database.moment(now),
    )
    # Rows without an id cannot conflict, so every one came back, in the order given.
    return [(row["id"], body, [author]) for row, (author, body) in zip(rows, receipts, strict=True)]


async def _marked(connection: database.Connection, marks: list[Mark]) -> list[tuple[int, str, int]]:
    """Which messages were received or read by whom: (log id, reader, state), each once."""
    through: dict[tuple[str, str], int] = {}
    since: dict[tuple[str, str], int] = {}
    for mark in marks:
        if mark.through is not None:
            key = (mark.box, mark.reader)
            through[key] = max(through.get(key, 0), mark.through)
            since[key] = min(since.get(key, mark.since), mark.since)
    wanted: dict[tuple[int, str, int], None] = {}
    if through:
        for row in await connection.fetch(
            _RECEIVED,
            [box for box, _ in through],
            [reader for _, reader in through],
            list(through.values()),
            list(since.values()),
        ):
            state = EXPIRED if row["expired"] else DELIVERED
            wanted[row["id"], row["reader"], state] = None
    reads = [(m.box, m.reader, seq) for m in marks if m.through is None for seq in m.seqs]
    if reads:
        for row in await connection.fetch(
            _READ_ENTRIES,
            [box for box, _, _ in reads],
            [reader for _, reader, _ in reads],
            [seq for _, _, seq in reads],
        ):
            wanted[row["id"], row["reader"], READ] = None
    return list(wanted)


_RECEIVED = """
WITH mark AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
             AS m(address, reader, seq, since)
), old AS (
  SELECT d.address, d.reader, d.seq FROM delivery d JOIN mark USING (address, reader)
     FOR UPDATE OF d
), advanced AS (
  INSERT INTO delivery AS d (address, reader, seq)
  SELECT address, reader, seq FROM mark ORDER BY address, reader
      ON CONFLICT (address, reader) DO UPDATE SET seq = greatest(d.seq, excluded.seq)
)
SELECT l.id, mark.reader,
       coalesce((l.body->>'expires')::bigint < extract(epoch FROM now()) * 1000, false) AS expired
  FROM mark LEFT JOIN old USING (address, reader)
  JOIN mailbox_entry e ON e.address = mark.address
       AND e.seq > coalesce(old.seq, mark.since) AND e.seq <= mark.seq
  JOIN log l ON l.id = e.log_id
 WHERE l.kind = 'message' AND l.author <> mark.reader
"""

_READ_ENTRIES = """
SELECT l.id, r.reader
  FROM unnest($1::text[], $2::text[], $3::bigint[]) AS r(address, reader, seq)
  JOIN mailbox_entry e ON e.address = r.address AND e.seq = r.seq
  JOIN log l ON l.id = e.log_id
 WHERE l.kind = 'message' AND l.author <> r.reader
"""


async def _place(
    connection: database.Connection,
    batch: _Batch,
    bodies: list[tuple[int, wire.MailBody, Sequence[str]]],
) -> None:
    """Give each entry its sequence in its mailboxes; the mailbox rows stay locked until commit."""
    counts = Counter(box for _, _, boxes in bodies for box in boxes)
    boxes = sorted(counts)
    rows = await connection.fetch(
        """
        INSERT INTO mailbox AS m (address, head)
        SELECT * FROM unnest($1::text[], $2::bigint[])
            ON CONFLICT (address) DO UPDATE SET head = m.head + excluded.head
        RETURNING address, head
        """,
        boxes,
        [counts[box] for box in boxes],
    )
    batch.heads = {row["address"]: row["head"] for row in rows}
    following = {box: batch.heads[box] - counts[box] + 1 for box in boxes}
    log_ids = []
    for log_id, body, into in bodies:
        for box in into:
            batch.entries.append(Entry(box, following[box], body))
            log_ids.append(log_id)
            following[box] += 1
    await connection.execute(
        """
        INSERT INTO mailbox_entry (address, seq, log_id)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
        """,
        [entry.box for entry in batch.entries],
        [entry.seq for entry in batch.entries],
        log_ids,
    )
