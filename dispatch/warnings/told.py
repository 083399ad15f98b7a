"""What people have been told and may still believe: in memory, as every receiver works it out.

Theory of operation
-------------------
The messages that were sent are read from the database, once each, for they never change. What is
in force now follows from them and from the clock (``dispatch.alerting.standing``), so nothing of
it is kept. Whenever a message is sent, and at the moment that an alert is over, it is worked out
anew and handed to whoever shows it (:attr:`Told.shows`): screens, pages. With the database away it
goes on by the clock.

What was sent more than :data:`KEPT` ago cannot be in force and is not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import msgspec

from dispatch.alerting import cap, standing
from dispatch.alerting.cap import Alert
from dispatch.alerting.content import Channel, Content
from dispatch.alerting.standing import State
from psn import database

log = logging.getLogger(__name__)

KEPT: Final = timedelta(days=8)
"""A message holds for seven days at most, from when it is sent (DOM-WRN-8, Policy.longest)."""
EVERY_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that went out.

    Attributes:
        id: of the message.
        document: the alert as CAP, as it went out.
    """

    id: int
    warning: int
    agency: int
    content: Content
    document: bytes
    alert: Alert
    alone: bool

    def by(self, channel: Channel) -> bool:
        """Whether it goes out by a channel."""
        return channel in self.content.channels


@dataclass(frozen=True, slots=True)
class Stands:
    """How an alert or an update stands now.

    Attributes:
        by: the message that replaced or cancelled it.
        ended: since when it is not in force; None: it is.
        ends: when it is over by itself.
    """

    sent: Sent
    state: State
    by: Sent | None
    ends: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Now:
    """All of it at a moment: every message, newest first, and how those that warn stand."""

    at: datetime
    messages: tuple[Sent, ...] = ()
    stands: tuple[Stands, ...] = ()

    def in_force(self) -> tuple[Stands, ...]:
        """What holds."""
        return tuple(each for each in self.stands if each.state is State.IN_FORCE)


Shows = Callable[[Now], Awaitable[None]]


class Told:
    """The messages that were sent, and what is in force."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._known: dict[int, Sent] = {}
        self._stale = asyncio.Event()
        self._working = asyncio.Lock()
        self.shows: list[Shows] = []
        """Called, one after the other, with every change; what one raises keeps no other back."""
        self.now = Now(datetime.now(UTC))

    def doubt(self) -> None:
        """Something may have been sent unseen: read, soon."""
        self._stale.set()

    async def renew(self) -> None:
        """Read what is new, and show it; it is shown when this returns."""
        async with self._working:
            try:
                await self._read(datetime.now(UTC))
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("warnings wait for the database: %s", problem)
                self._stale.set()
            await self._show(datetime.now(UTC))

    async def load(self) -> None:
        """Read everything, at the start; raises what asyncpg raises."""
        async with self._working:
            await self._read(datetime.now(UTC))
            await self._show(datetime.now(UTC))

    async def run(self) -> None:
        """Follow the clock: at the second at which something is over, it is."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait(datetime.now(UTC))):
                    await self._stale.wait()
                    await asyncio.sleep(0)
            if self._stale.is_set() or (datetime.now(UTC) - self.now.at).seconds > EVERY_SECONDS:
                self._stale.clear()
                await self.renew()
                if self._stale.is_set():
                    await asyncio.sleep(AGAIN_SECONDS)
            else:
                async with self._working:
                    await self._show(datetime.now(UTC))

    def _wait(self, now: datetime) -> float:
        """Seconds until something is over, a minute at most."""
        ends = [each.ends for each in self.now.in_force()]
        left = min(((end - now).total_seconds() for end in ends), default=EVERY_SECONDS)
        return min(max(left, 0.0) + 0.01, EVERY_SECONDS)

    async def _read(self, now: datetime) -> None:
        async with database.asking(self._pool) as connection:
            found = await read(connection, now, list(self._known))
        self._known |= {each.id: each for each in found}
        for old in [each for each in self._known.values() if each.alert.sent < now - KEPT]:
            del self._known[old.id]

    async def _show(self, now: datetime) -> None:
        changed = believed(tuple(self._known.values()), now)
        self.now = changed
        for shows in self.shows:
            try:
                await shows(changed)
            except Exception:
                # Who is not shown it here is told it elsewhere; it is tried again within a minute.
                log.exception("%r failed", shows)


async def read(
    connection: database.Connection,
    now: datetime,
    known: Sequence[int] = (),
    unreadable: set[int] | None = None,
) -> list[Sent]:
    """The messages that may matter at a moment, but for those that are known.

    One that cannot be read is left out, and told: the others hold. ``unreadable``: it is added to
    these, so that who reads often can say that he knows it.
    """
    found = []
    for row in await connection.fetch(_NEW, now - KEPT, known):
        try:
            found.append(_sent(row))
        except Exception:
            log.exception("message %d of a warning cannot be read", row["id"])
            if unreadable is not None:
                unreadable.add(row["id"])
    return found


def _sent(row: asyncpg.Record) -> Sent:
    document = row["document"].encode()
    return Sent(
        row["id"],
        row["warning_id"],
        row["agency_id"],
        msgspec.json.decode(row["content"], type=Content),
        document,
        cap.parse(document),
        row["alone"] is not None,
    )


def believed(messages: Sequence[Sent], now: datetime) -> Now:
    """What is believed of these messages at a moment. Pure."""
    by_key = {standing.key(each.alert): each for each in messages}
    stands = []
    for belief in standing.beliefs([each.alert for each in messages], now):
        by = None if belief.by is None else by_key[standing.key(belief.by)]
        ended = None
        if belief.state is State.EXPIRED:
            ended = belief.ends
        elif by is not None:
            ended = by.alert.sent
        stands.append(
            Stands(by_key[standing.key(belief.alert)], belief.state, by, belief.ends, ended)
        )
    newest = sorted(messages, key=lambda each: (each.alert.sent, each.id), reverse=True)
    return Now(now, tuple(newest), tuple(reversed(stands)))


def still_told(now: Now, channel: Channel) -> dict[int, datetime]:
    """Messages that are still to be told by a channel, and until when. Pure.

    Who is told by one channel believes what came by it: an Update that does not go there takes
    the place of nothing, and who still waits for what it replaced elsewhere must not be left with
    nothing. A Cancel calls off by all: the danger is over. It is told always.
    """
    theirs = [
        each.alert
        for each in now.messages
        if each.by(channel) or each.alert.message_type is cap.MessageType.CANCEL
    ]
    ends = {
        standing.key(each.alert): each.ends
        for each in standing.beliefs(theirs, now.at)
        if each.state is State.IN_FORCE
    }
    always = datetime.max.replace(tzinfo=UTC)
    told = {}
    for each in now.messages:
        if each.alert.message_type is cap.MessageType.CANCEL:
            told[each.id] = always
        elif (end := ends.get(standing.key(each.alert))) is not None and each.by(channel):
            told[each.id] = end
    return told


_NEW: Final = """
    select id, warning_id, agency_id, content, document, alone from warning_message
     where stage = 'sent' and sent_at > $1 and not id = any($2::int[]) order by id
"""
