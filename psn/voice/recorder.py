"""Every talk is kept: what was said is in the database within about a second of being said.

Theory of operation
-------------------
The exchange says when a talk begins, each of its frames, and when it ends. Once a second, and
at once when the server stops, the new parts of all talks are written in one transaction, on a
connection of its own; so recording waits for nothing that people wait for, and they not for it. A
crash takes the last second of who talks then, and nothing of what was said before.

Without a database, parts wait in memory up to :data:`MOST_WAITING`; beyond it what is said newest
is not kept, which is counted, logged and in the metrics; that it was said is. A part may be written
twice when the answer to a commit got lost: then it is there already.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from psn import database
from psn.voice.talk import About, Part, Talk
from psn.wire.voice import GroupKind

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0
SOONEST_SECONDS: Final = 0.1
"""However often somebody asks for what has just been said, it is not written more often."""
CAUGHT_UP_SECONDS: Final = 3.0
"""Whoever asks waits no longer for it."""
MOST_WAITING: Final = 64 << 20
"""Bytes that wait for a database at most: some hours of talk."""
AT_ONCE: Final = 1 << 20
"""So many bytes are written in one transaction, about."""

_BEGIN: Final = """
    INSERT INTO recording (id, group_address, group_name, incident_id, talker, talker_name,
                           agency_id, call, parties, begun_at)
    VALUES ($1, $2, $3, (SELECT id FROM incident WHERE id = $4), $5, $6, $7, $8, $9, $10)
        ON CONFLICT DO NOTHING
"""
# One that a pruning took meanwhile is not begun anew, and one that has ended does not grow.
_PART: Final = """
    INSERT INTO recording_part (recording_id, number, pages)
    SELECT id, $2, $3 FROM recording WHERE id = $1 AND ended_at IS NULL ON CONFLICT DO NOTHING
"""
_GOES_ON: Final = """
    UPDATE recording SET milliseconds = $2, parties = $3, ended_at = $4
     WHERE id = $1 AND ended_at IS NULL
"""
_SOUND: Final = "SELECT pages FROM recording_part WHERE recording_id = $1 ORDER BY number"
_CUT_SHORT: Final = """
    UPDATE recording SET ended_at = begun_at + milliseconds * interval '1 millisecond'
     WHERE ended_at IS NULL
"""


async def sound(connection: database.Connection, recording: UUID) -> bytes:
    """What was said in a talk: an Ogg file of Opus, as far as it is kept; else empty."""
    parts = await connection.fetch(_SOUND, recording)
    return b"".join(part["pages"] for part in parts)


class Recorder:
    """Keeps talks."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._talks: list[Talk] = []
        """Those that go on, and those whose end is not taken up yet."""
        self._waiting: list[Part] = []
        self._bytes = 0
        self._silent: set[UUID] = set()
        """Talks whose beginning was not kept: without it the rest is no file."""
        self._swept = False
        """What a server before this one left is ended."""
        self._connection: asyncpg.Connection | None = None
        self._closing = asyncio.Event()
        self._asked = asyncio.Event()
        """Somebody waits for what has just been said, or it closes."""
        self._askers: list[asyncio.Future[None]] = []
        self._healthy = True
        self.kept = 0
        """Talks begun in the database."""
        self.lost = 0
        """Parts of about a second that were not kept."""

    def begin(self, about: About) -> Talk:
        """A talk begins."""
        talk = Talk(about)
        self._talks.append(talk)
        return talk

    @property
    def waiting(self) -> int:
        """Bytes that are not in the database yet."""
        return self._bytes

    async def run(self) -> None:
        """Write until :meth:`close`; survives the database going away."""
        try:
            while not self._closing.is_set():
                await self._pause()
                await self._keep_for_askers()
            await self._keep_for_askers()
        finally:
            await self._disconnect()

    def close(self) -> None:
        """Write what is left, then end :meth:`run`."""
        self._closing.set()
        self._asked.set()

    async def caught_up(self) -> None:
        """Return once what was said until now is in the database, or cannot be there soon."""
        if not self._talks and not self._waiting:
            return
        written = asyncio.get_running_loop().create_future()
        self._askers.append(written)
        self._asked.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CAUGHT_UP_SECONDS):
                await written

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOONEST_SECONDS):
                await self._closing.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_SECONDS - SOONEST_SECONDS):
                await self._asked.wait()
        self._asked.clear()

    async def _keep_for_askers(self) -> None:
        askers, self._askers = self._askers, []
        await self._keep()
        for written in askers:
            if not written.done():  # whoever asked may have gone
                written.set_result(None)

    async def _keep(self) -> None:
        self._gather()
        try:
            if not self._swept:
                await self._sweep()
            while self._waiting:
                await self._write()
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            if self._healthy:
                log.warning("talk is not being kept, and waits: %s", problem)
            self._healthy = False
            await self._disconnect()
            return
        if not self._healthy:
            log.warning("talk is being kept again")
            self._healthy = True

    def _gather(self) -> None:
        """Take the new parts of all talks, without their sound where that would be too much."""
        for talk in self._talks:
            part = talk.part()
            if part is None:
                continue
            if talk.id in self._silent or self._bytes + len(part.pages) > MOST_WAITING:
                self.lost += 1
                if part.number == 0:
                    self._silent.add(talk.id)
                part = part._replace(pages=b"")
            self._waiting.append(part)
            self._bytes += len(part.pages)
        self._silent -= {talk.id for talk in self._talks if talk.ended is not None}
        self._talks = [talk for talk in self._talks if talk.ended is None]

    async def _write(self) -> None:
        """Write the oldest of what waits."""
        size, many = 0, 0
        while many < len(self._waiting) and size < AT_ONCE:
            size += len(self._waiting[many].pages)
            many += 1
        parts = self._waiting[:many]
        connection = await self._connected()
        with database.answering(connection):
            await _store(connection, parts)
        del self._waiting[:many]
        self._bytes -= size
        self.kept += sum(part.number == 0 for part in parts)

    async def _sweep(self) -> None:
        """Talks that a server before this one did not end are as long as what was kept of them."""
        connection = await self._connected()
        with database.answering(connection):
            await connection.execute(_CUT_SHORT)
        self._swept = True

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await database.connect(self._dsn)
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


async def _store(connection: asyncpg.Connection, parts: Sequence[Part]) -> None:
    begun = [_row(part) for part in parts if part.number == 0]
    newest = {part.id: part for part in parts}.values()
    said = [(part.id, part.number, part.pages) for part in parts if part.pages]
    grown = [(p.id, p.milliseconds, list(p.parties), _moment(p.ended)) for p in newest]
    async with connection.transaction():
        await connection.executemany(_BEGIN, begun)
        await connection.executemany(_PART, said)
        await connection.executemany(_GOES_ON, grown)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else database.moment(milliseconds)


def _row(part: Part) -> tuple[object, ...]:
    about = part.about
    return (
        part.id,
        about.group.address,
        about.group_name,
        about.group.id if about.group.kind is GroupKind.INCIDENT else None,
        about.talker,
        about.talker_name,
        about.agency,
        about.call,
        list(part.parties),
        database.moment(about.begun),
    )
