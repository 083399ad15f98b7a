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
:data:`PATIENCE_SECONDS`. Then every message that waits is refused with ``unavailable``, the young
ones too, so that clients send all of them again in the order in which they were written. Marks of
what has arrived are kept for as long as it takes: nobody would make them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import asyncpg

from psn import database, wire
from psn.histogram import SECONDS, SIZES, Histogram
from psn.problems import Problem
from psn.record import mailboxes
from psn.record.mailboxes import Entry, Letter, Mark, Reader, RecordRefused, Stored

log = logging.getLogger(__name__)

BATCH = 1_000
"""Entries that a transaction adds, about; each message is one in every mailbox it goes to."""
SPAN = 500
"""Entries of one mailbox that one mark goes over at most; the rest is for the next batch."""
PATIENCE_SECONDS = 5.0
WRITER_LOCK = 0x50534E
"""Advisory lock that the one writer of a database holds for as long as it is connected."""
ITS_OWN: Final = (
    ValueError,  # what the driver cannot encode
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""Errors that a message brings about itself, and would again."""


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

    what: Letter | Mark
    done: asyncio.Future[int]
    asked: float

    @property
    def weight(self) -> int:
        """About how many entries it adds or looks up."""
        if isinstance(self.what, Letter):
            return 1 + len(self.what.body.to)
        return max(1, len(self.what.seqs))

    @property
    def arrival(self) -> bool:
        """Whether it says what has arrived."""
        return isinstance(self.what, Mark) and self.what.through is not None


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
        self._queue: deque[Work] = deque()
        self._asked: dict[tuple[str, str], int] = {}
        """By mailbox and reader: the furthest mark of what has arrived that is in the queue."""
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
        self._joining: dict[tuple[str, str], int] = {}
        """Those of them that are new and not on disk yet."""
        self.healthy = False
        self.why_not = "it has not been opened"
        self.committed = 0
        self.seconds = {kind: Histogram(SECONDS) for kind in ("emergency", "message", "mark")}
        """From being asked until it was committed, by kind of work."""
        self.batches = Histogram(SIZES)
        """Messages and marks a transaction."""

    # -- asking

    @property
    def waiting(self) -> int:
        """Entries that are not committed yet."""
        return len(self._queue)

    def append(self, letter: Letter) -> asyncio.Future[int]:
        """Store a message; the future gives its time (ms UTC), or raises a Problem."""
        return self._ask(letter)

    def joined(self, box: str, box_name: str, reader: Reader, at: int) -> None:
        """A reader has to do with a mailbox from now on: what is in it earns no receipt of his.

        ``at`` is its head, or where he says that he is.
        """
        mark = Mark(box, box_name, reader, through=at, since=at)
        if self.arrived.get(mark.key, -1) < at:
            # Counts at once, and on disk as soon as may be: he may be gone before the next entry.
            self.arrived[mark.key] = self._joining[mark.key] = self._asked[mark.key] = at
            self._ask(mark).add_done_callback(forget)

    def received(
        self, box: str, box_name: str, reader: Reader, through: int
    ) -> asyncio.Future[int]:
        """A reader's client has the mailbox through a sequence: receipts go to the senders.

        Where nobody waits for a receipt, the disk is left alone: two thirds of what arrives are
        receipts and copies of what the reader wrote himself. Of who only carries it, it is noted
        how far he has come, and no sender is told.
        """
        if reader.carries:
            self.joined(box, box_name, reader, min(through, self.heads.get(box, 0)))
            return _settled()
        mark = Mark(box, box_name, reader, through=through)
        known = max(self.arrived.get(mark.key, -1), self._asked.get(mark.key, -1))
        # An entry above the head is one whose commit was not answered; what it is, is not known.
        newest = through if through > self.heads.get(box, 0) else self._letters.get(box, 0)
        if known >= min(through, newest):
            return _settled()
        self._asked[mark.key] = through
        return self._ask(mark)

    def read(
        self, box: str, box_name: str, reader: Reader, seqs: Sequence[int]
    ) -> asyncio.Future[int]:
        """A person has read entries of a mailbox: receipts go to the senders."""
        return self._ask(Mark(box, box_name, reader, seqs=seqs))

    def handed_over(
        self, box: str, box_name: str, reader: Reader, seqs: Sequence[int]
    ) -> asyncio.Future[int]:
        """Entries of a reader's mailbox were brought to him: their senders get receipts."""
        return self._ask(Mark(box, box_name, reader, seqs=seqs, state=mailboxes.DELIVERED))

    def _ask(self, what: Letter | Mark) -> asyncio.Future[int]:
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
        work: list[Work] = []
        suspects = 0
        delay = 0.1
        while not (self._closing and not self._queue and not work):
            try:
                connection = await self._connected()
                if not work:
                    await self._gather(connection)
                    work = self._take(alone=suspects > 0)
                if work:
                    await self._commit(connection, work)
                    work = []
                    suspects = max(suspects - 1, 0)
                delay = 0.1
            except Doubtful as doubt:
                # A fault of ours or of one entry: that one is found alone, and the others pass.
                if len(work) > 1:
                    self._queue.extendleft(reversed(work))
                    suspects = len(work)
                else:
                    log.error("an entry of the record was refused", exc_info=doubt.__cause__)
                    its_own = isinstance(doubt.__cause__, ITS_OWN)
                    self._refuse(work, not_storable if its_own else unavailable)
                    suspects = max(suspects - 1, 0)
                work = []
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                self._lost(problem)
                work = self._refuse_impatient(work)
                if self._closing:
                    self._refuse([*work, *self._queue])
                    return
                await asyncio.sleep(delay)
                delay = min(delay * 2, 1.0)
        if self._connection is not None:
            with contextlib.suppress(*database.PASSING):
                await self._connection.close(timeout=2)

    def _take(self, alone: bool) -> list[Work]:
        """The next batch, in the order asked.

        It ends before a mark that would not go together with an earlier one of its reader, and
        after one that had to be cut to :data:`SPAN`.
        """
        work: list[Work] = []
        weight = 0
        through: set[tuple[str, str]] = set()
        while self._queue and weight < (1 if alone else BATCH):
            first = self._queue[0]
            if first.arrival and isinstance(first.what, Mark):
                mark, end = first.what, first.what.through or 0
                if mark.key in through and mark.since:
                    break
                through.add(mark.key)
                at = max(self.arrived.get(mark.key, 0), mark.since)
                if end - at > SPAN:
                    done = asyncio.get_running_loop().create_future()
                    work.append(Work(replace(mark, through=at + SPAN), done, first.asked))
                    break
                weight += max(0, end - at)
            weight += first.weight
            work.append(self._queue.popleft())
        return work

    def close(self) -> None:
        """Commit what is left, then end :meth:`run`."""
        self._closing = True
        self._wake.set()

    async def _gather(self, connection: asyncpg.Connection) -> None:
        """Wait for work; look after the connection every few seconds meanwhile."""
        while not self._queue and not self._closing:
            self._wake.clear()
            try:
                async with asyncio.timeout(2.0):
                    await self._wake.wait()
            except TimeoutError:
                with database.answering(connection):
                    await connection.execute("SELECT 1")

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
        for key, head in self._joining.items():
            self.arrived[key] = max(self.arrived.get(key, 0), head)

    async def load_floors(self, pool: asyncpg.Pool) -> None:
        """Old entries were deleted: read what each mailbox still keeps."""
        async with pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                rows = await connection.fetch("SELECT address, floor FROM mailbox WHERE floor > 1")
        self.floors = {row["address"]: row["floor"] for row in rows}

    def _lost(self, problem: BaseException) -> None:
        if self.healthy:
            log.warning("the record cannot be written: %s", problem)
        self.healthy = False
        self.why_not = str(problem) or type(problem).__name__
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            connection.terminate()

    def _refuse_impatient(self, work: list[Work]) -> list[Work]:
        """Once one has waited too long, refuse all but what has arrived; gives what is left."""
        limit = time.monotonic() - PATIENCE_SECONDS
        waiting = [*work, *self._queue]
        if not any(w.asked < limit for w in waiting if not w.arrival):
            return work
        self._refuse(w for w in waiting if not w.arrival)
        self._queue = deque(w for w in self._queue if w.arrival)
        return [w for w in work if w.arrival]

    def _refuse(
        self, work: Iterable[Work], refusal: Callable[[], RecordRefused] = unavailable
    ) -> None:
        for w in work:
            if isinstance(w.what, Mark):
                self._asked.pop(w.what.key, None)
            if not w.done.done():
                w.done.set_exception(refusal())

    async def _commit(self, connection: asyncpg.Connection, work: list[Work]) -> None:
        """One transaction; then, and only then, acknowledge and deliver.

        That is done by the event loop when it comes to it, which is while the database already
        works on the next batch. Raises :class:`Doubtful` for what may be one entry's fault.
        """
        letters = [w.what for w in work if isinstance(w.what, Letter)]
        marks = [w.what for w in work if isinstance(w.what, Mark)]
        now = time.time_ns() // 1_000_000
        try:
            with database.answering(connection):
                stored = await mailboxes.store(connection, letters, marks, now)
        except ValueError as problem:
            raise Doubtful from problem
        except asyncpg.PostgresError as problem:
            if isinstance(problem, database.PASSING):
                raise
            raise Doubtful from problem
        self.heads.update(stored.heads)
        for entry in stored.entries:
            if isinstance(entry.body, wire.MessageBody) and entry.body.sender != entry.box:
                self._letters[entry.box] = entry.seq
        for mark in marks:
            self._note_arrival(mark)
        asyncio.get_running_loop().call_soon(self._hand_out, work, stored, now)

    def _note_arrival(self, mark: Mark) -> None:
        if mark.through is not None:
            self.arrived[mark.key] = max(self.arrived.get(mark.key, 0), mark.through)
            for pending in (self._asked, self._joining):
                if pending.get(mark.key, 0) <= mark.through:
                    pending.pop(mark.key, None)

    def _hand_out(self, work: list[Work], stored: Stored, now: int) -> None:
        self.batches.observe(len(work))
        self.committed += len(stored.entries)
        answers = iter(stored.answers)
        done = time.monotonic()
        for w in work:
            self.seconds[_kind(w.what)].observe(done - w.asked)
            answer: int | Problem = next(answers) if isinstance(w.what, Letter) else now
            if w.done.done():
                continue
            if isinstance(answer, Problem):
                w.done.set_exception(answer)
            else:
                w.done.set_result(answer)
        self._deliver(stored.entries)


class Doubtful(Exception):
    """The database refused a batch, for a reason that may be one entry's; ``__cause__`` says it."""


def _settled() -> asyncio.Future[int]:
    """Nothing is to be done."""
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    done.set_result(0)
    return done


def forget(done: asyncio.Future[int]) -> None:
    """A mark that could not be made needs no answer."""
    if not done.cancelled():
        done.exception()


def _kind(what: Letter | Mark) -> str:
    if isinstance(what, Mark):
        return "mark"
    return "emergency" if what.body.priority == "emergency" else "message"
