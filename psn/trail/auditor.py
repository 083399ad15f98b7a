"""Writing the audit: what the server notes, whose a transaction is, and signed checkpoints.

Theory of operation: an entry that must be there before something happens (a track is shown, a
session begins) is waited for with :meth:`Auditor.record`. Those that come while one transaction is
being committed wait for the next and share it, so a hundred at once cost one commit. An entry that
nobody waits for (a failed sign-in) is :meth:`noted <Auditor.note>`, kept while the database is away
as far as there is room, and written when it is back. What changes rows needs neither: it
says whose its transaction is (:func:`acting`), and the database's triggers write the entries.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from psn import database
from psn.access import Principal
from psn.keys import Keys
from psn.problems import Problem
from psn.trail import audit
from psn.trail.audit import Actor, Checkpoint, Entry

log = logging.getLogger(__name__)

BATCH: Final = 500
"""Entries of one transaction."""
MOST_NOTES: Final = 10_000
"""Entries kept that nobody waits for; what is more is counted and not kept."""
AGAIN_SECONDS: Final = 1.0
"""After so long what could not be written is tried again."""
SETTLE_SECONDS: Final = 5.0
"""How long a server that stops waits for its last entries."""

SETTINGS: Final = ("psn.actor", "psn.actor_name", "psn.agency", "psn.source", "psn.session")
MARK: Final = "SELECT " + ", ".join(
    f"set_config('{name}', ${n}, true)" for n, name in enumerate(SETTINGS, 1)
)
"""Says whose a transaction is, for the triggers; the values are those of :func:`settings_of`."""


class Unrecorded(Problem):
    """``unavailable``: it may not happen, since it cannot be recorded."""


def unrecorded() -> Unrecorded:
    """Why something that must be recorded was not done."""
    return Unrecorded(
        "unavailable",
        "This must be recorded, and the record of it cannot be written now.",
        "Try again in a moment; the live picture goes on.",
        retry=1_000,
    )


def actor_of(who: Principal, source: str | None, token_hash: bytes | None = None) -> Actor:
    """A principal as the audit names it."""
    session = None if token_hash is None else audit.session_name(token_hash)
    return Actor(who.address, who.name, who.agency, source, session)


def settings_of(actor: Actor) -> tuple[str, ...]:
    """The values for :data:`SETTINGS`; empty: not known."""
    agency = "" if actor.agency is None else str(actor.agency)
    values = (actor.address, actor.name or "", agency, actor.source or "", actor.session or "")
    return tuple(value.replace("\0", "\ufffd") for value in values)


async def mark(connection: database.Connection, actor: Actor) -> None:
    """The transaction that is under way is this actor's."""
    await connection.execute(MARK, *settings_of(actor))


@contextlib.asynccontextmanager
async def acting(connection: database.Connection, actor: Actor) -> AsyncIterator[None]:
    """A transaction of an actor: the triggers name him in the entries of what it changes."""
    async with connection.transaction():
        await mark(connection, actor)
        yield


async def append(connection: database.Connection, entries: Iterable[Entry]) -> None:
    """Write entries in the caller's transaction.

    It holds everyone else's entries up until it ends, so this comes last in it.
    """
    await _append(connection, [entry.json() for entry in entries])


async def _append(connection: database.Connection, entries: Sequence[str]) -> None:
    await connection.execute("SELECT audit_append($1::jsonb[])", entries)


@dataclass(slots=True, eq=False)
class _Work:
    """An entry that is to be written, who waits for it, and what is done with it."""

    entry: str
    done: asyncio.Future[None] | None
    statement: str | None = None
    values: tuple[object, ...] = ()

    def settle(self, problem: Problem | None = None) -> None:
        if self.done is None or self.done.done():
            return
        if problem is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(problem)


class Auditor:
    """Writes entries for a server, many in one transaction. It needs no starting."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._queue: deque[_Work] = deque()
        self._notes = 0
        """Entries in the queue that nobody waits for."""
        self._writing: asyncio.Task[None] | None = None
        self._closing = False
        self.written = 0
        self.refused = 0
        """Entries that could not be written; what they were of was not done."""
        self.lost = 0
        """Entries that nobody waited for and that there was no room to keep."""
        self._lost_told = 0

    async def record(self, entry: Entry, statement: str | None = None, *values: object) -> None:
        """Return when the entry is on disk; raises :class:`Unrecorded` when it cannot be.

        A ``statement`` with its values is run in the same transaction: both are done, or neither.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(_Work(entry.json(), done, statement, values))
        await done

    def note(self, entry: Entry) -> None:
        """Write an entry that nobody waits for, as soon as it goes. It needs a time of its own."""
        if self._notes >= MOST_NOTES:
            self.lost += 1
            return
        self._notes += 1
        self._add(_Work(entry.json(), None))

    @property
    def is_idle(self) -> bool:
        """Whether all that it was given is written, or given up."""
        return not self._queue and (self._writing is None or self._writing.done())

    async def settle(self) -> None:
        """Before the server stops: write what is left, or give it up after a while."""
        self._closing = True
        if self._writing is not None and not self._writing.done():
            await asyncio.wait((self._writing,), timeout=SETTLE_SECONDS)
            self._writing.cancel()
        for work in self._queue:
            work.settle(unrecorded())
        if self._notes:
            log.warning("%d entries of the audit were not written", self._notes)
        self._queue.clear()

    def _add(self, work: _Work) -> None:
        self._queue.append(work)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="audit")

    async def _write(self) -> None:
        """Until nothing waits: all that does, in one transaction after the other."""
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]
            self._notes -= sum(work.done is None for work in batch)
            try:
                await self._store(batch)
            except _AWAY as problem:
                self._put_off(batch, problem)
                if not self._queue or self._closing:
                    return
                await asyncio.sleep(AGAIN_SECONDS)
            except (asyncpg.PostgresError, ValueError) as problem:
                await self._one_by_one(batch, problem)
            except BaseException:
                for work in batch:
                    work.settle(unrecorded())
                raise

    async def _store(self, batch: list[_Work]) -> None:
        entries = [work.entry for work in batch]
        lost = self.lost - self._lost_told
        if lost:
            entries.append(Entry(Actor("server"), "audit.lost", details={"entries": lost}).json())
        statements: dict[str, list[tuple[object, ...]]] = {}
        for work in batch:
            if work.statement is not None:
                statements.setdefault(work.statement, []).append(work.values)
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                if not statements:
                    await _append(connection, entries)  # a statement alone is a transaction
                else:
                    async with connection.transaction():
                        await _append(connection, entries)
                        for statement, values in statements.items():
                            await connection.executemany(statement, values)
        self.written += len(entries)
        self._lost_told += lost
        for work in batch:
            work.settle()

    def _put_off(self, batch: list[_Work], problem: BaseException) -> None:
        """The database is away: refuse what is waited for, keep the rest for later."""
        log.warning("the audit cannot be written: %s", str(problem) or type(problem).__name__)
        waited = [work for work in (*batch, *self._queue) if work.done is not None]
        notes = [work for work in (*batch, *self._queue) if work.done is None]
        self.refused += len(waited)
        for work in waited:
            work.settle(unrecorded())
        self._queue = deque(notes)
        self._notes = len(notes)

    async def _one_by_one(self, batch: list[_Work], problem: BaseException) -> None:
        """One of them is at fault, and keeps none of the others from being written."""
        if len(batch) > 1:
            for work in batch:
                try:
                    await self._store([work])
                except (*_AWAY, asyncpg.PostgresError, ValueError) as fault:
                    self._refuse(work, fault)
        else:
            self._refuse(batch[0], problem)

    def _refuse(self, work: _Work, problem: BaseException) -> None:
        if work.done is None:
            self.lost += 1
        else:
            self.refused += 1
        log.warning("an entry of the audit was refused: %s", problem)
        work.settle(unrecorded())


_AWAY: Final = database.PASSING


# -- checkpoints


async def sign(connection: database.Connection, keys: Keys) -> Checkpoint | None:
    """Sign the newest entry and keep the checkpoint beside it; none when there is no entry.

    The newest checkpoint is given again when nothing was written since. Raises :class:`Problem`
    ``audit_changed`` when the audit is no longer what was signed then.
    """
    head = await connection.fetchrow("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    before = await connection.fetchrow(
        "SELECT seq, hash, at, key, signature, (SELECT hash FROM audit a WHERE a.seq = c.seq) AS is"
        " FROM audit_checkpoint c ORDER BY seq DESC, at DESC LIMIT 1"
    )
    if before is not None and before["hash"] != before["is"]:
        raise Problem(
            "audit_changed",
            f"Entry {before['seq']} of the audit is not the one that was signed.",
            "Run psn audit verify, and keep its output and the database as they are.",
        )
    if head is None:
        return None
    if before is not None and before["seq"] == head["seq"] and before["key"] == keys.public:
        kept = {name: before[name] for name in ("seq", "hash", "at", "key", "signature")}
        return Checkpoint(**kept)
    seq, link, at = head["seq"], head["hash"], datetime.now(UTC).replace(microsecond=0)
    signature = keys.sign.sign(audit.checkpoint_text(seq, link, at).encode())
    made = Checkpoint(seq, link, at, keys.public, signature)
    await keep_checkpoint(connection, made)
    return made


async def keep_checkpoint(connection: database.Connection, made: Checkpoint) -> None:
    """Keep a checkpoint beside the audit."""
    await connection.execute(
        "INSERT INTO audit_checkpoint (seq, hash, at, key, signature) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        made.seq,
        made.hash,
        made.at,
        made.key,
        made.signature,
    )


def signed(keys: Keys, text: str) -> dict[str, str]:
    """The details by which an entry proves that this server wrote it (``audit.is_signed``)."""
    signature = keys.sign.sign(text.encode())
    return {"key": keys.public.hex(), "signature": signature.hex()}


class Checkpoints:
    """Signs the audit now and then, and tells it to the log and to a file kept elsewhere."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys, file: Path | None) -> None:
        self._pool = pool
        self._keys = keys
        self._file = file
        self._told: str | None = None

    async def run(self, minutes: float) -> None:
        """Sign every so many minutes, from the first of them on."""
        while True:
            await asyncio.sleep(minutes * 60)
            await self.make()

    async def make(self) -> None:
        """Sign now. Whatever hinders it is logged: it is done again the next time."""
        try:
            async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
                with database.answering(connection):
                    made = await sign(connection, self._keys)
        except Problem as problem:
            log.error("%s [%s]", problem, problem.code)
            return
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.warning("no checkpoint of the audit was made: %s", problem)
            return
        if made is None or made.line == self._told:
            return
        log.info("%s", made.line)
        if self._file is not None:
            try:
                await asyncio.to_thread(keep, self._file, made)
            except OSError as problem:
                log.error("the checkpoint was not kept in %s: %s", self._file, problem)
                return
        self._told = made.line


def keep(file: Path, checkpoint: Checkpoint) -> None:
    """Add the line of a checkpoint to a file, on disk when this returns. Raises ``OSError``."""
    with file.open("a", encoding="ascii") as out:
        out.write(checkpoint.line + "\n")
        out.flush()
        os.fsync(out.fileno())


def now_ms() -> int:
    """The time for an entry that is only noted: milliseconds UTC."""
    return time.time_ns() // 1_000_000
