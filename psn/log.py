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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from psn import database, mailboxes, wire
from psn.histogram import SECONDS, SIZES, Histogram
from psn.mailboxes import Entry, Mark, RecordRefused, Stored

log = logging.getLogger(__name__)

BATCH = 500
PATIENCE_SECONDS = 5.0
WRITER_LOCK = 0x50534E
"""Advisory lock that the one writer of a database holds for as long as it is connected."""


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
class Work:
    """A message to store or a mark to make; ``done`` gets the time (ms UTC) it was first."""

    what: wire.MessageBody | Mark
    done: asyncio.Future[int]
    asked: float


class Record:
    """The one writer of the log.

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
        self._letters: dict[str, int] = {}
        """Newest sequence of each mailbox that may be a message of somebody else than its owner."""
        self.arrived: dict[tuple[str, str], int] = {}
        """By mailbox and reader: through which sequence its arrival is on record."""
        self.healthy = False
        self.why_not = "it has not been opened"
        self.committed = 0
        self.seconds = Histogram(SECONDS)
        """From being asked until it was committed."""
        self.batches = Histogram(SIZES)
        """Messages and marks a transaction."""

    # -- asking

    @property
    def waiting(self) -> int:
        """Entries that are not committed yet."""
        return len(self._queue)

    def append(self, body: wire.MessageBody) -> asyncio.Future[int]:
        """Store a message; the future gives its time (ms UTC), or raises RecordRefused."""
        return self._ask(body)

    def received(
        self, box: str, reader: str, name: str, through: int, since: int = 0
    ) -> asyncio.Future[int]:
        """A reader's client has the mailbox through a sequence: receipts go to the senders.

        For what was in it up to ``since``, before the reader had to do with it, there are none.
        Where nobody waits for a receipt, the disk is left alone: two thirds of what arrives are
        receipts and copies of what the reader wrote himself.
        """
        if self.arrived.get((box, reader), -1) >= min(through, self._letters.get(box, 0)):
            done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            done.set_result(0)
            return done
        return self._ask(Mark(box, reader, name, through=through, since=since))

    def read(self, box: str, reader: str, name: str, seqs: Sequence[int]) -> asyncio.Future[int]:
        """A person has read entries of a mailbox: receipts go to the senders."""
        return self._ask(Mark(box, reader, name, seqs=seqs))

    def _ask(self, what: wire.MessageBody | Mark) -> asyncio.Future[int]:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._closing:
            done.set_exception(unavailable())
        else:
            self._queue.append(Work(what, done, time.monotonic()))
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
                    await self._commit(connection, work)
                    work = []
                    suspects = max(suspects - 1, 0)
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
                    await mailboxes.prepare(connection)
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
        self._letters = dict(self.heads)
        rows = await connection.fetch("SELECT address, reader, seq FROM delivery")
        self.arrived = {(row["address"], row["reader"]): row["seq"] for row in rows}

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

    async def _commit(self, connection: asyncpg.Connection, work: list[Work]) -> None:
        """One transaction; then, and only then, acknowledge and deliver.

        That is done by the event loop when it comes to it, which is while the database already
        works on the next batch.
        """
        messages = [w.what for w in work if isinstance(w.what, wire.MessageBody)]
        marks = [w.what for w in work if isinstance(w.what, Mark)]
        now = time.time_ns() // 1_000_000
        with database.answering(connection):
            stored = await mailboxes.store(connection, messages, marks, now)
        asyncio.get_running_loop().call_soon(self._hand_out, work, stored, now)

    def _hand_out(self, work: list[Work], stored: Stored, now: int) -> None:
        self.batches.observe(len(work))
        self.committed += len(stored.entries)
        self.heads.update(stored.heads)
        for entry in stored.entries:
            if isinstance(entry.body, wire.MessageBody) and entry.body.sender != entry.box:
                self._letters[entry.box] = entry.seq
        answers = iter(stored.answers)
        done = time.monotonic()
        for w in work:
            self.seconds.observe(done - w.asked)
            answer: int | RecordRefused
            if isinstance(w.what, wire.MessageBody):
                answer = next(answers)
            else:
                answer = now
                self._note_arrival(w.what)
            if w.done.done():
                continue
            if isinstance(answer, RecordRefused):
                w.done.set_exception(answer)
            else:
                w.done.set_result(answer)
        self._deliver(stored.entries)

    def _note_arrival(self, mark: Mark) -> None:
        if mark.through is not None:
            key = (mark.box, mark.reader)
            self.arrived[key] = max(self.arrived.get(key, 0), mark.through)
