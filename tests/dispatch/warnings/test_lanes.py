"""Lanes of the outbox: what becomes of deliveries when a taker, the database or we fail."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import smsc
from desk_peer import Worker
from hypothesis import given
from hypothesis import strategies as st
from stage import Complaints, Stage
from warners import APPROVER, OFFICER, hire, sent

from dispatch.alerting import areas
from dispatch.outcomes import Away, Outcome, State
from dispatch.warnings import outbox
from dispatch.warnings.outbox import Lane, Outbox
from dispatch.warnings.pace import Pace
from dispatch.warnings.spreading import Spreading, districts_of
from dispatch.warnings.told import Now, believed, read
from dispatch.warnings.ways import Delivery
from geo import belize


class Taker:
    """Takes deliveries in memory; nothing else here has mail to hand over."""

    name = "taker"
    channel = "email"
    window = 5
    rate = 1_000.0
    at_most_once = False

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.hands: Callable[[Delivery], Outcome] = lambda delivery: Outcome(State.HANDED, "r")
        self.gets_ready: Callable[[], None] = lambda: None

    async def ready(self) -> None:
        self.gets_ready()

    async def hand(self, delivery: Delivery) -> Outcome:
        outcome = self.hands(delivery)
        self.taken.append(delivery.address)
        return outcome

    async def close(self) -> None:
        pass


class Desk:
    def __init__(self, stage: Stage, now: Now) -> None:
        self.stage = stage
        self.pool = stage.core.pool
        self.now = now

    @contextlib.asynccontextmanager
    async def lane(self, taker: Taker, pool: Any = None) -> AsyncIterator[Lane]:
        """A lane at work."""
        lane = Lane(pool or self.pool, lambda: self.now, taker)
        task = asyncio.create_task(lane.run())
        try:
            yield lane
            assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def settled(self) -> dict[str, int]:
        return await smsc.settled(self.stage, "email", within=10)


async def _told(stage: Stage) -> Now:
    at = datetime.now(UTC)
    async with stage.core.pool.acquire() as connection:
        return believed(await read(connection, at), at)


@pytest_asyncio.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    """Six mails that wait, which the server itself has no mail server for."""
    await hire(stage)
    for number in range(6):
        await stage.core.pool.execute(
            smsc.RECIPIENT, "email", f"{number}@example.bz", "en-BZ", None
        )
    officer = await Worker.enter(stage, OFFICER, "warning_desk")
    approver = await Worker.enter(stage, APPROVER, "warning_desk")
    await sent(officer, approver)
    async with asyncio.timeout(20):
        while (await smsc.states(stage, "email")) != {"waiting": 6}:
            await asyncio.sleep(0.02)
    yield Desk(stage, await _told(stage))
    await officer.leave()
    await approver.leave()


class Lossy:
    """A pool whose answers to some statements are lost after the database has done them."""

    def __init__(self, pool: asyncpg.Pool, statement: str, times: int) -> None:
        self._pool, self._statement, self._times = pool, statement, times
        self.lost = 0

    @contextlib.asynccontextmanager
    async def acquire(self, **options: Any) -> AsyncIterator[Any]:
        async with self._pool.acquire(**options) as connection:
            yield self._Connection(self, connection)

    class _Connection:
        def __init__(self, outer: Lossy, inner: Any) -> None:
            self._outer, self._inner = outer, inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        async def fetch(self, statement: str, *values: Any) -> Any:
            found = await self._inner.fetch(statement, *values)
            if statement == self._outer._statement and self._outer.lost < self._outer._times:
                self._outer.lost += 1
                raise ConnectionResetError("the answer was lost")
            return found


async def test_a_claim_whose_answer_was_lost_is_made_again(desk: Desk) -> None:
    """DOM-WRN-29: nobody is left as begun whom nobody has begun to tell."""
    taker = Taker()
    lossy = Lossy(desk.pool, outbox._CLAIM, 2)
    async with desk.lane(taker, lossy):
        assert await desk.settled() == {"handed": 6}
        # What another has begun is his.
        await desk.pool.execute(
            "update warning_delivery set state = 'handing', began_at = now() where id in"
            " (select min(id) from warning_delivery)"
        )
        await desk.pool.execute(
            "update warning_delivery set state = 'waiting', next_at = now() where id in"
            " (select max(id) from warning_delivery)"
        )
        async with asyncio.timeout(10):
            while len(taker.taken) < 7:
                await asyncio.sleep(0.02)
    assert lossy.lost == 2
    assert sorted(set(taker.taken)) == [f"{number}@example.bz" for number in range(6)]
    assert taker.taken.count("0@example.bz") == 1


async def test_a_fault_of_ours_ends_no_lane_and_leaves_nobody_out(
    desk: Desk, complaints: Complaints
) -> None:
    """DOM-WRN-29: what may come twice is tried again after it; the lane goes on."""
    taker = Taker()
    faults = iter([ValueError("a fault"), asyncio.CancelledError(), None])

    def hands(delivery: Delivery) -> Outcome:
        fault = next(faults, None)
        if fault is not None:
            raise fault
        return Outcome(State.HANDED, "r")

    readies = iter([ValueError("another"), Away("it sleeps")])

    def gets_ready() -> None:
        fault = next(readies, None)
        if fault is not None:
            raise fault

    taker.hands, taker.gets_ready = hands, gets_ready
    async with desk.lane(taker) as lane:
        assert await desk.settled() == {"handed": 6}
        assert lane.health.failing_since is None
    assert len(complaints.said) == 2, "each fault is told"
    complaints.said.clear()


async def test_what_was_broken_off_and_must_not_come_twice_is_uncertain(desk: Desk) -> None:
    """DOM-WRN-30."""
    taker = Taker()
    taker.at_most_once = True

    def hands(delivery: Delivery) -> Outcome:
        raise asyncio.CancelledError

    taker.hands = hands
    async with desk.lane(taker):
        assert await desk.settled() == {"uncertain": 6}


async def test_a_lane_that_begins_anew_knows_what_it_had_begun(desk: Desk) -> None:
    taker = Taker()
    hangs = asyncio.Event()

    async def hand(delivery: Delivery) -> Outcome:
        await hangs.wait()
        return Outcome(State.HANDED, "r")

    taker.hand = hand  # type: ignore[method-assign]
    lane = Lane(desk.pool, lambda: desk.now, taker)
    first = asyncio.create_task(lane.run())
    async with asyncio.timeout(10):
        while (await smsc.states(desk.stage, "email")).get("handing", 0) < 5:
            await asyncio.sleep(0.02)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    hangs.set()
    second = asyncio.create_task(lane.run())
    try:
        assert await desk.settled() == {"handed": 6}
    finally:
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


@pytest.mark.parametrize("rate", [0.4, 3.0])
async def test_a_slow_pace_is_kept_and_never_stops(desk: Desk, rate: float) -> None:
    taker = Taker()
    taker.rate = rate
    async with desk.lane(taker):
        async with asyncio.timeout(10):
            while len(taker.taken) < 2:
                await asyncio.sleep(0.02)


@given(st.floats(0.05, 5_000), st.lists(st.floats(0, 3), min_size=1, max_size=50))
def test_a_pace_is_so_many_a_second(rate: float, steps: list[float]) -> None:
    pace = Pace(rate)
    at, went = 100.0, 0
    for step in steps:
        at += step
        room = pace.room(at)
        pace.take(room)
        went += room
        assert went <= rate * (at - 100.0) + max(1.0, rate / 10) + 1e-3
    assert pace.room(at + pace.wait()) >= 1


async def test_sms_that_were_begun_do_not_come_twice_where_no_centre_is_set_up(
    desk: Desk,
) -> None:
    """DOM-WRN-30: the setting may come back."""
    await desk.pool.execute("update warning_delivery set channel = 'sms', state = 'handing'")
    box = Outbox(desk.pool, lambda: desk.now, [Taker()])
    await box.load()
    assert await smsc.states(desk.stage) == {"uncertain": 6}


async def spread(desk: Desk, spreading: Spreading) -> int:
    """Everything; how many batches it took."""
    count = 1
    while not await spreading.next(desk.now.messages[0]):
        count += 1
    return count


async def test_who_is_told_is_found_in_batches_and_after_a_crash_once(desk: Desk) -> None:
    """DOM-WRN-29."""
    await desk.pool.execute("delete from warning_delivery")
    await desk.pool.execute("delete from warning_spread")
    begun = Spreading(desk.pool, outbox.CHANNELS, batch=2)
    for _ in range(3):
        assert not await begun.next(desk.now.messages[0])
    found = sum((await smsc.states(desk.stage, "email")).values())
    # Another one begins anew, as after a crash.
    assert await spread(desk, Spreading(desk.pool, outbox.CHANNELS, batch=2)) > 3
    rows = await desk.pool.fetch("select address from warning_delivery order by id")
    assert [row["address"] for row in rows] == [f"{number}@example.bz" for number in range(6)]
    assert found <= 6
    assert await desk.pool.fetchval("select count(*) from warning_spread") == 1
    assert await spread(desk, Spreading(desk.pool, outbox.CHANNELS)) == 1, "it is known"


async def test_sirens_do_not_wait_for_thousands_of_mails(desk: Desk) -> None:
    await desk.pool.execute("delete from warning_delivery")
    await desk.pool.execute("delete from warning_spread")
    await desk.pool.execute(smsc.RECIPIENT, "cell", "https://cbe.example.bz/", "en-BZ", None)
    await spread(desk, Spreading(desk.pool, outbox.CHANNELS, batch=1))
    first = await desk.pool.fetchval("select channel from warning_delivery order by id limit 1")
    assert first == "cell"


async def test_a_message_whose_recipients_are_not_found_keeps_no_other_waiting(
    desk: Desk, complaints: Complaints
) -> None:
    """DOM-WRN-29: one that is broken in a way that nobody thought of."""
    (whole,) = desk.now.messages
    broken = replace(whole, id=whole.id + 1, content=replace(whole.content, texts=None))  # type: ignore[arg-type]
    await desk.pool.execute("delete from warning_delivery")
    await desk.pool.execute("delete from warning_spread")
    box = Outbox(desk.pool, lambda: Now(desk.now.at, (broken, whole), desk.now.stands), [])
    await box.spread()
    assert sum((await smsc.states(desk.stage, "email")).values()) == 6
    assert len(complaints.said) == 1
    complaints.said.clear()


async def test_a_bad_recipient_is_no_fault_of_the_way(desk: Desk) -> None:
    """DOM-WRN-38: it is counted by itself; but a taker that refuses everybody fails."""
    taker = Taker()
    bad = Outcome(State.FAILED, problem="No such mailbox.", recipient=True)
    taker.hands = lambda delivery: bad
    async with desk.lane(taker) as lane:
        assert await desk.settled() == {"failed": 6}
        health = lane.health
        assert (health.failing_since, health.problem, health.refused) == (None, None, 6)
        assert health.refused_problem == "No such mailbox."
        for _ in range(3):
            await desk.pool.execute("update warning_delivery set state = 'waiting'")
            lane.wake()
            assert await desk.settled() == {"failed": 6}
        assert health.failing_since and "24 recipients were refused" in (health.problem or "")
        taker.hands = lambda delivery: Outcome(State.HANDED, "r")
        await desk.pool.execute("update warning_delivery set state = 'waiting'")
        lane.wake()
        assert await desk.settled() == {"handed": 6}
        assert (health.failing_since, health.refused) == (None, 24)


async def test_what_is_over_does_not_stand_before_its_cancel(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-29: also by a slow taker, and with more of it than one statement takes."""
    monkeypatch.setattr(outbox, "DROPPED_AT_ONCE", 4)
    over = Now(desk.now.at + timedelta(days=9), desk.now.messages)
    box = Outbox(desk.pool, lambda: over, [])
    running = asyncio.create_task(box.run())
    try:
        assert await desk.settled() == {"dropped": 6}
    finally:
        running.cancel()


async def test_a_clock_that_went_back_keeps_nobody_waiting(desk: Desk) -> None:
    """DOM-WRN-29."""
    await desk.pool.execute("update warning_delivery set next_at = now() + interval '3 hours'")
    taker = Taker()
    box = Outbox(desk.pool, lambda: desk.now, [taker])
    works = [asyncio.create_task(each) for each in (box.run(), box.lanes[0].run())]
    try:
        assert await desk.settled() == {"handed": 6}
    finally:
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)


def test_an_area_on_a_shore_touches_the_district_that_it_counts_to() -> None:
    """DOM-WRN-29: the outlines of districts are good to two kilometres."""
    tip = max(
        (point for each in belize.districts() for part in each.shape.geoms
         for point in part.exterior.coords),
        key=lambda point: point[0],
    )  # fmt: skip
    lon, lat = tip[0] + 0.012, tip[1]
    district = belize.district_of(lon, lat)
    assert district is not None
    area = areas.area("The reef", [areas.Around(areas.Position(lon, lat), 0.2)])
    assert district.code in districts_of(area)
    assert districts_of(None) == []
