"""The outbox: who is told by SMS, e-mail and requests, and what has become of each.

Theory of operation
-------------------
*Spreading*: soon after a message is sent, a row is written for everybody who is to get it
(:mod:`dispatch.warnings.spreading`).

*Lanes*: for each taker (an SMS centre, the mail server) a lane claims as many rows as the taker
takes at once. That they are being handed over is committed before the first octet goes out. What
the taker answers is written behind it. So at any moment each row is: not begun, begun, or known.

After a crash what was begun is *uncertain* where it must not come twice (SMS): the taker may have
it, and is not asked again, nor is it guessed; the report says how many. E-mail and requests carry a
name by which who gets them twice knows it, and are handed over again.

A message that is not in force any more is not handed over to those who still wait for it; for who
is told by one channel, what went by that one counts (:func:`dispatch.warnings.told.still_told`).
One server writes the record, so one server's lanes run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg

from dispatch.alerting.content import Channel
from dispatch.bell import Bell
from dispatch.outcomes import Away, Outcome, State, pause
from dispatch.warnings.pace import Pace
from dispatch.warnings.spreading import Spreading
from dispatch.warnings.told import Now, Sent, still_told
from dispatch.warnings.ways import Delivery, Way
from psn import database

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
SETTLE_SECONDS: Final = 3.0
AWAY_SECONDS: Final = 30.0
"""A taker that is away is asked again after so long at most: people wait for what it takes."""
DOUBT_SECONDS: Final = 60.0
"""So long after the database was lost in the middle of a claim the claim may still come about."""
CLOCK_SECONDS: Final = 30.0
"""So often it is looked whether the clock went back."""
DROPPED_AT_ONCE: Final = 5_000
"""Rows of one statement."""
REFUSED_IN_A_ROW: Final = 20
"""So many recipients in a row are not wrong by themselves: the taker refuses everybody."""
CHANNELS: Final = (
    Channel.SMS,
    Channel.EMAIL,
    Channel.WEBHOOK,
    Channel.CELL,
    Channel.SPOKEN,
    Channel.RADIO_TEXT,
    Channel.PUSH,
)
"""What goes by the outbox."""
OVER: Final = "The message was over before it was handed over."
ONCE: Final = (Channel.SMS,)
"""What must not come twice, also when no taker of it is set up at the moment."""


@dataclass(slots=True)
class Health:
    """How a lane is; times in seconds since 1970, UTC."""

    channel: str
    name: str
    handed: int = 0
    succeeded: float | None = None
    failing_since: float | None = None
    problem: str | None = None
    refused: int = 0
    """Tries that failed for what is wrong with their recipient; the way itself works."""
    refused_problem: str | None = None
    """Of the last of them."""


class Outbox:
    """Spreads messages, and runs a lane for each way."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        now: Callable[[], Now],
        ways: Sequence[Way],
        outside: Callable[[Sent], frozenset[int]] = lambda message: frozenset(),
        groups: Callable[[Sent], Collection[str]] = lambda message: (),
    ) -> None:
        """``now``: what people have been told; ``outside``, ``groups``: as
        :class:`Spreading` has them.
        """
        self._pool = pool
        self._now = now
        self._bell = Bell()
        self.lanes = [Lane(pool, now, way) for way in ways]
        self._spreading = Spreading(pool, CHANNELS, outside, groups=groups)
        self._seen: set[int] = set()
        """Messages of which it is written down who is told."""
        self._over: set[tuple[int, Channel]] = set()
        """Messages that nobody waits for any more, by channel."""
        self._clock_looked = 0.0

    async def show(self, now: Now) -> None:
        """Something was sent or is over (:data:`dispatch.warnings.told.Shows`)."""
        self._bell.ring()

    async def load(self) -> None:
        """After a start: what was being handed over; raises what asyncpg raises."""
        careful = [str(each) for each in ONCE]
        careful += [each.way.channel for each in self.lanes if each.way.at_most_once]
        async with database.asking(self._pool) as connection:
            unsure = await connection.fetchval(_UNSURE, careful)
            await connection.execute(_AGAIN, careful)
        if unsure:
            log.warning("%d deliveries of warnings are uncertain: the server ended in them", unsure)

    async def run(self) -> None:
        """Spread what was sent."""
        while True:
            await self._bell.wait(LOOK_SECONDS)
            try:
                await self._mend_times()
                await self.spread()
                await self._drop()
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("who is to be warned is found later: %s", problem)

    async def spread(self) -> None:
        """Write down who is to get each message; raises one of :data:`psn.database.PASSING`.

        Of several each has its turn, the newest first; none is in the way of another.
        """
        in_trouble: set[int] = set()
        while True:
            done = self._seen | in_trouble
            left = [each for each in self._now().messages if each.id not in done]
            if not left:
                return
            for message in left:
                try:
                    if await self._spreading.next(message):
                        self._seen.add(message.id)
                except database.PASSING:
                    raise
                except Exception:
                    log.exception("who is to be told of message %d is not found", message.id)
                    in_trouble.add(message.id)
            for lane in self.lanes:
                lane.wake()
            await self._drop()

    async def _drop(self) -> None:
        """What is over does not stand before what is not: a Cancel may be behind it."""
        at, now = datetime.now(UTC), self._now()
        for channel in CHANNELS:
            told = still_told(now, channel)
            for message in now.messages:
                over = (message.id, channel)
                if over in self._over or at < told.get(message.id, at):
                    continue
                async with database.asking(self._pool) as connection:
                    gone = await connection.fetchval(
                        _DROP, message.id, OVER, DROPPED_AT_ONCE, str(channel)
                    )
                if gone < DROPPED_AT_ONCE and message.id in self._seen:
                    self._over.add(over)

    async def _mend_times(self) -> None:
        """Should the clock have gone back, nobody waits until it is what it was."""
        if time.monotonic() - self._clock_looked < CLOCK_SECONDS:
            return
        async with database.asking(self._pool) as connection:
            await connection.execute(_CLOCK_WENT_BACK, [lane.way.channel for lane in self.lanes])
        self._clock_looked = time.monotonic()


class Lane:
    """Hands the rows of one channel to one taker, as many at once as it takes."""

    def __init__(self, pool: asyncpg.Pool, now: Callable[[], Now], way: Way) -> None:
        self.way = way
        self.health = Health(way.channel, way.name)
        self._pool = pool
        self._now = now
        self._bell = Bell()
        self._under_way: dict[asyncio.Task[Outcome], asyncpg.Record] = {}
        """By task: its row, until it is written what became of it."""
        self._pace = Pace(way.rate)
        self._doubts: dict[datetime, float] = {}
        """Claims whose answer was lost, by when they began, and until when they may come about."""
        self._slow_until = 0.0
        self._overloads = 0
        self._in_a_row = 0
        """Recipients that were refused since the last one that was not."""
        self._worked_out: tuple[Now, dict[int, datetime]] | None = None

    def wake(self) -> None:
        """There may be something to hand over."""
        self._bell.ring()

    def reaches(self, problem: str | None) -> None:
        """The taker was reached, or why not, though nothing is to be handed over."""
        if problem is None:
            self.health.failing_since = self.health.problem = None
            self._bell.ring()
        else:
            self._fails(problem)

    async def run(self) -> None:
        """Hand over until it is cancelled."""
        failures = 0
        try:
            while True:
                wait = LOOK_SECONDS
                try:
                    if self._under_way or await self._waits():
                        await self._ready()
                        failures = 0
                        wait = await self._claim()
                except Away as problem:
                    failures += 1
                    self._fails(str(problem))
                    wait = min(pause(failures), AWAY_SECONDS)
                except (*database.PASSING, asyncpg.PostgresError) as problem:
                    log.info("%s waits for the database: %s", self.way.name, problem)
                if self._under_way:
                    await self._collect(wait)
                else:
                    await self._bell.wait(wait)
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(self._finish())

    async def _finish(self) -> None:
        """A server that stops waits a little for answers: what has none is uncertain."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while self._under_way:
                    await self._collect(SETTLE_SECONDS)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.way.close()

    async def _waits(self) -> bool:
        async with database.asking(self._pool) as connection:
            return bool(await connection.fetchval(_WAITS, self.way.channel))

    async def _ready(self) -> None:
        """Raises :class:`Away`, also for a fault of ours: the lane goes on."""
        try:
            await self.way.ready()
        except Away:
            raise
        except Exception as fault:
            log.exception("%s failed", self.way.name)
            raise Away(f"an error of this program: {fault!r}") from fault

    async def _claim(self) -> float:
        """Begin as many as the taker has room for now; seconds until it may have room for more."""
        now = time.monotonic()
        if now < self._slow_until:
            return min(self._slow_until - now, LOOK_SECONDS)
        room = min(self.way.window - len(self._under_way), self._pace.room(now))
        if room < 1:
            return min(self._pace.wait(), LOOK_SECONDS)
        self._doubts = {began: until for began, until in self._doubts.items() if until > now}
        doubts, began = list(self._doubts), datetime.now(UTC)
        self._doubts[began] = now + DOUBT_SECONDS
        async with database.asking(self._pool) as connection:
            if doubts:
                await connection.execute(_RELEASE, self.way.channel, self.way.name, doubts)
            rows = await connection.fetch(_CLAIM, self.way.channel, room, self.way.name, began)
        del self._doubts[began]
        self._pace.take(len(rows))
        # From here on they are begun, whatever happens.
        for row in rows:
            self._under_way[asyncio.create_task(self._hand(row))] = row
        return LOOK_SECONDS if len(rows) < room else min(self._pace.wait(), LOOK_SECONDS)

    async def _collect(self, seconds: float) -> None:
        """Write what became of those that are done, waiting for one at least."""
        done, _ = await asyncio.wait(
            self._under_way, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            return
        outcomes = [self._outcome(task) for task in done]
        await self._write([self._under_way[task]["id"] for task in done], outcomes)
        for task in done:
            del self._under_way[task]
        handed = sum(each.state in _TAKEN for each in outcomes)
        troubled = [e for e in outcomes if e.problem and e.state is not State.DROPPED]
        problem = next((each.problem for each in troubled if not each.recipient), None)
        problem = self._refused([each.problem for each in troubled if each.recipient]) or problem
        if handed:
            self.health.handed += handed
            self.health.succeeded, self.health.failing_since = time.time(), None
            self.health.problem = None
            self._overloads = self._in_a_row = 0
        elif problem is not None:
            self._fails(problem)
        if any(each.slow for each in outcomes):
            self._overloads += 1
            self._slow_until = time.monotonic() + pause(self._overloads)

    def _refused(self, problems: Sequence[str | None]) -> str | None:
        """Count what is wrong with recipients; too many in a row are a problem of the way."""
        if not problems:
            return None
        self.health.refused += len(problems)
        self.health.refused_problem = problems[-1]
        self._in_a_row += len(problems)
        if self._in_a_row < REFUSED_IN_A_ROW:
            return None
        return f"The last {self._in_a_row} recipients were refused, all of them: {problems[-1]}"

    def _outcome(self, task: asyncio.Task[Outcome]) -> Outcome:
        """What became of a delivery; of one that was broken off nobody knows."""
        if not task.cancelled():
            return task.result()
        return self._unknown(self._under_way[task], "It was broken off.")

    def _unknown(self, row: asyncpg.Record, why: str) -> Outcome:
        """Nobody knows how far it got: tried again, unless it must not come twice."""
        if self.way.at_most_once:
            return Outcome(State.UNCERTAIN, problem=why)
        return Outcome(State.WAITING, problem=why, pause=pause(row["tries"]))

    async def _hand(self, row: asyncpg.Record) -> Outcome:
        at, now = datetime.now(UTC), self._now()
        message = next((m for m in now.messages if m.id == row["message_id"]), None)
        if message is None or self._told_until(now, message.id, at) <= at:
            return Outcome(State.DROPPED, problem=OVER)
        delivery = Delivery(
            row["id"],
            message,
            row["address"],
            row["language"],
            row["part"],
            row["parts"],
            row["tries"],
            row["secret"],
        )
        try:
            return await self.way.hand(delivery)
        except Exception as fault:
            log.exception("%s failed", self.way.name)
            return self._unknown(row, f"an error of this program: {fault!r}"[:500])

    def _told_until(self, now: Now, message: int, at: datetime) -> datetime:
        """Until when a message is told by this way; worked out once for all that is believed."""
        if self._worked_out is None or self._worked_out[0] is not now:
            self._worked_out = now, still_told(now, Channel(self.way.channel))
        return self._worked_out[1].get(message, at)

    async def _write(self, ids: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        """Write what became of them; tried until it is written, for nobody else knows."""
        while True:
            try:
                async with database.asking(self._pool) as connection:
                    await connection.execute(
                        _WRITE,
                        list(ids),
                        [str(each.state) for each in outcomes],
                        [each.receipt for each in outcomes],
                        [each.problem for each in outcomes],
                        [each.pause for each in outcomes],
                        [each.price for each in outcomes],
                    )
                return
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("what became of deliveries is written later: %s", problem)
                await asyncio.sleep(LOOK_SECONDS)

    def _fails(self, why: str) -> None:
        if self.health.failing_since is None:
            log.warning("%s does not deliver: %s", self.way.name, why)
            self.health.failing_since = time.time()
        self.health.problem = why[:500]


async def note_receipts(
    pool: asyncpg.Pool, name: str, receipts: Sequence[tuple[str, State, str]]
) -> list[tuple[str, State, str]]:
    """Note what a taker says later; those are given back whose delivery is not known (yet)."""
    async with database.asking(pool) as connection:
        known = await connection.fetch(
            _RECEIPTS,
            name,
            [receipt for receipt, _, _ in receipts],
            [str(state) for _, state, _ in receipts],
            [text for _, _, text in receipts],
        )
    there = {row["receipt"] for row in known}
    return [each for each in receipts if each[0] not in there]


_UNSURE: Final = """
    with unsure as (
        update warning_delivery
           set state = 'uncertain', problem = 'The server ended while it was being handed over.'
         where state = 'handing' and channel = any($1) returning 1)
    select count(*) from unsure
"""
_AGAIN: Final = """
    update warning_delivery set state = 'waiting', next_at = now()
     where state = 'handing' and not channel = any($1)
"""
_DROP: Final = """
    with over as (
        update warning_delivery set state = 'dropped', problem = $2
         where id in (select id from warning_delivery
                       where message_id = $1 and channel = $4 and state = 'waiting'
                       limit $3 for update skip locked)
        returning 1)
    select count(*) from over
"""
# No pause is as long as that.
_CLOCK_WENT_BACK: Final = """
    update warning_delivery set next_at = now()
     where channel = any($1::text[]) and state = 'waiting'
       and next_at > now() + interval '10 minutes'
"""
_TAKEN: Final = (State.HANDED, State.DELIVERED)
# Nobody has begun to hand over what was claimed by those, and nothing else has their time.
_RELEASE: Final = """
    update warning_delivery set state = 'waiting', tries = tries - 1
     where state = 'handing' and channel = $1 and by = $2 and began_at = any($3::timestamptz[])
"""
_WAITS: Final = """
    select 1 from warning_delivery
     where channel = $1 and state = 'waiting' and next_at <= now() limit 1
"""
_CLAIM: Final = """
    with due as (
        select id from warning_delivery
         where channel = $1 and state = 'waiting' and next_at <= now()
         order by next_at, id limit $2 for update skip locked)
    update warning_delivery d
       set state = 'handing', began_at = $4, tries = tries + 1, by = $3
      from due, warning_recipient r
     where d.id = due.id and r.id = d.recipient_id
    returning d.id, d.message_id, d.address, d.language, d.part, d.parts, d.tries, r.secret
"""
_WRITE: Final = """
    update warning_delivery d
       set state = o.state, receipt = o.receipt, problem = o.problem, price = o.price,
           handed_at = case when o.state in ('handed', 'delivered') then now() end,
           ended_at = case when o.state = 'delivered' then now() end,
           next_at = now() + make_interval(secs => o.pause)
      from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::float[], $6::numeric[])
           as o (id, state, receipt, problem, pause, price)
     where d.id = o.id and d.state in ('handing', 'uncertain')
"""
_RECEIPTS: Final = """
    update warning_delivery d
       set state = o.state, problem = nullif(o.problem, ''), ended_at = now()
      from unnest($2::text[], $3::text[], $4::text[]) as o (receipt, state, problem)
     where d.by = $1 and d.receipt = o.receipt and d.state in ('handed', 'delivered', 'failed')
    returning d.receipt
"""
