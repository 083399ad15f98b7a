"""The record on a real database (docs/domain.md, DOM-REC)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from stage import until

from psn import mailboxes, wire
from psn.database import connect
from psn.log import Record
from psn.mailboxes import Entry, RecordRefused

ANA, BEN, CAR, POLICE = "person:1", "person:2", "unit:7", "agency:1"


class Opened:
    """A record that runs, and what it delivered."""

    def __init__(self, dsn: str) -> None:
        self.delivered: list[Entry] = []
        self.record = Record(dsn, self.delivered.extend)
        self._task = asyncio.create_task(self.record.run())

    async def close(self) -> None:
        self.record.close()
        await self._task

    def box(self, address: str) -> list[Entry]:
        return [entry for entry in self.delivered if entry.box == address]


@pytest_asyncio.fixture
async def opened(database: str) -> AsyncIterator[Opened]:
    running = Opened(database)
    try:
        yield running
    finally:
        await running.close()


@pytest_asyncio.fixture
async def other(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A second pair of eyes on the database."""
    connection = await connect(database)
    try:
        yield connection
    finally:
        await connection.close()


def body(
    text: str = "hello",
    to: tuple[str, ...] = (BEN,),
    sender: str = ANA,
    uid: UUID | None = None,
    expires: int | None = None,
) -> wire.MessageBody:
    return wire.MessageBody(
        uid or uuid4(), sender, "Ana", list(to), text, "routine", 0, expires=expires
    )


def receipts(entries: list[Entry]) -> list[tuple[str, str, list[UUID]]]:
    return [
        (entry.body.by, entry.body.state, entry.body.of)
        for entry in entries
        if isinstance(entry.body, wire.ReceiptBody)
    ]


async def test_an_acknowledged_message_is_on_disk(
    opened: Opened, other: asyncpg.Connection
) -> None:
    """DOM-REC-1, DOM-REC-2."""
    message = body(to=(BEN, CAR))
    before = time.time_ns() // 1_000_000
    at = await opened.record.append(message)
    assert at >= before
    for box in (BEN, CAR, ANA):
        (entry,) = await mailboxes.after(other, {box: 0}, 10)
        assert isinstance(entry.body, wire.MessageBody)
        assert (entry.seq, entry.body.text, entry.body.time) == (1, "hello", at)
    assert {entry.box for entry in opened.delivered} == {ANA, BEN, CAR}


async def test_sequences_have_no_gap_and_every_reader_the_same_order(
    opened: Opened, other: asyncpg.Connection
) -> None:
    """DOM-REC-3: many messages at once, to overlapping recipients."""
    boxes = [BEN, CAR, POLICE]
    sent = [body(f"{n}", to=tuple(boxes[: 1 + n % 3])) for n in range(300)]
    await asyncio.gather(*(opened.record.append(message) for message in sent))
    for box, count in ((BEN, 300), (CAR, 200), (POLICE, 100), (ANA, 300)):
        live = opened.box(box)
        assert [entry.seq for entry in live] == list(range(1, count + 1))
        stored = await mailboxes.after(other, {box: 0}, 1_000)
        assert stored == live
        assert opened.record.heads[box] == count
    *_, (_, commits) = opened.record.batches.cumulative()
    assert commits < 300


async def test_a_message_sent_again_is_stored_once(opened: Opened) -> None:
    """DOM-REC-4."""
    message = body()
    first = await opened.record.append(message)
    again = await asyncio.gather(*(opened.record.append(message) for _ in range(5)))
    assert set(again) == {first}
    assert len(opened.box(BEN)) == 1


async def test_twice_in_one_batch_is_once(opened: Opened) -> None:
    message = body()
    times = await asyncio.gather(*(opened.record.append(message) for _ in range(5)))
    assert len(set(times)) == 1
    assert len(opened.box(BEN)) == 1


@pytest.mark.parametrize(
    "other_message",
    [
        {"text": "something else"},
        {"to": (CAR,)},
        {"sender": "person:9"},
        {"expires": 5_000_000_000_000},
    ],
)
async def test_another_message_under_a_used_id_is_refused(
    opened: Opened, other_message: dict[str, object]
) -> None:
    message = body()
    await opened.record.append(message)
    with pytest.raises(RecordRefused) as refused:
        await opened.record.append(body(uid=message.id, **other_message))  # type: ignore[arg-type]
    assert refused.value.code == "id_taken"
    assert len(opened.box(BEN)) == 1


async def test_a_message_to_oneself_is_one_entry(opened: Opened) -> None:
    await opened.record.append(body(to=(ANA, ANA, BEN)))
    assert [len(opened.box(box)) for box in (ANA, BEN)] == [1, 1]


async def test_each_reader_makes_each_receipt_once(opened: Opened) -> None:
    """DOM-REC-6."""
    sent = [body(f"{n}") for n in range(3)]
    for message in sent:
        await opened.record.append(message)
    ids = [message.id for message in sent]
    for through in (2, 2, 1, 3, 3):
        await opened.record.received(BEN, BEN, "Ben", through)
    got = receipts(opened.box(ANA))
    assert [(by, state) for by, state, _ in got] == [(BEN, "delivered")] * 2
    assert [uid for _, _, of in got for uid in of] == ids
    for seqs in ([1, 3], [3], [1, 2, 99]):
        await opened.record.read(BEN, BEN, "Ben", seqs)
    read = [of for _, state, of in receipts(opened.box(ANA)) if state == "read"]
    assert [set(of) for of in read] == [{ids[0], ids[2]}, {ids[1]}]


async def test_receipts_of_many_readers_at_once(opened: Opened) -> None:
    await opened.record.append(body(to=(POLICE,)))
    readers = [f"person:{n}" for n in range(2, 30)]
    await asyncio.gather(*(opened.record.received(POLICE, who, who, 1) for who in readers))
    got = receipts(opened.box(ANA))
    assert sorted(by for by, _, _ in got) == sorted(readers)


async def test_nobody_makes_receipts_for_himself_or_for_receipts(opened: Opened) -> None:
    await opened.record.append(body())
    await opened.record.received(ANA, ANA, "Ana", 1)
    assert receipts(opened.delivered) == []
    await opened.record.received(BEN, BEN, "Ben", 1)
    await opened.record.received(ANA, ANA, "Ana", 2)
    assert len(receipts(opened.delivered)) == 1


async def test_what_was_said_before_one_joined_makes_no_receipts(opened: Opened) -> None:
    for n in range(4):
        await opened.record.append(body(f"{n}", to=(POLICE,)))
    await opened.record.received(POLICE, BEN, "Ben", 4, since=3)
    ((_, state, of),) = receipts(opened.box(ANA))
    assert state == "delivered"
    assert len(of) == 1


async def test_what_comes_too_late_is_said_to_be(opened: Opened) -> None:
    """DOM-REC-7."""
    soon = time.time_ns() // 1_000_000 + 300
    await opened.record.append(body(expires=soon))
    await opened.record.append(body(expires=soon + 600_000))
    await until(lambda: time.time_ns() // 1_000_000 > soon, "its time is over")
    await opened.record.received(BEN, BEN, "Ben", 2)
    assert sorted(state for _, state, _ in receipts(opened.box(ANA))) == ["delivered", "expired"]


async def test_what_has_expired_is_refused_unless_it_was_stored_in_time(opened: Opened) -> None:
    """DOM-REC-7, DOM-REC-4: an acknowledgement that got lost is given again."""
    soon = time.time_ns() // 1_000_000 + 300
    message = body(expires=soon)
    first = await opened.record.append(message)
    await until(lambda: time.time_ns() // 1_000_000 > soon, "its time is over")
    assert await opened.record.append(message) == first
    with pytest.raises(RecordRefused) as refused:
        await opened.record.append(body(expires=soon))
    assert refused.value.code == "expired"
    assert len(opened.box(BEN)) == 1


async def test_history_is_read_backwards_page_by_page(
    opened: Opened, other: asyncpg.Connection
) -> None:
    for n in range(1, 8):
        await opened.record.append(body(f"{n}"))
    pages = [
        [entry.seq for entry in await mailboxes.before(other, BEN, below, 3)]
        for below in (99, 5, 2, 1)
    ]
    assert pages == [[5, 6, 7], [2, 3, 4], [1], []]


async def test_another_writer_is_kept_out_and_takes_over(database: str) -> None:
    first = Opened(database)
    await first.record.append(body())
    second = Opened(database)
    await until(lambda: "another server" in second.record.why_not, "the second is refused")
    assert not second.record.healthy
    await first.close()
    await until(lambda: second.record.healthy, "the second takes over")
    assert second.record.heads == {ANA: 1, BEN: 1}
    await second.record.append(body())
    assert second.box(BEN)[0].seq == 2
    await second.close()


async def test_a_message_that_cannot_be_stored_keeps_no_other_back(
    opened: Opened, other: asyncpg.Connection
) -> None:
    """DOM-REC-8: the wire refuses a NUL; should one get here, it is found alone."""
    good = [opened.record.append(body(f"{n}")) for n in range(10)]
    bad = opened.record.append(body("\0"))
    good += [opened.record.append(body(f"{n}")) for n in range(10)]
    await asyncio.gather(*good)
    with pytest.raises(RecordRefused) as refused:
        await bad
    assert refused.value.code == "not_storable"
    assert len(await mailboxes.after(other, {BEN: 0}, 100)) == 20


async def test_what_waits_at_the_end_is_committed(database: str) -> None:
    running = Opened(database)
    waiting = [running.record.append(body(f"{n}")) for n in range(50)]
    await running.close()
    assert all(done.done() and not done.exception() for done in waiting)
    with pytest.raises(RecordRefused):
        await running.record.append(body())


async def test_a_broken_connection_loses_nothing(opened: Opened, other: asyncpg.Connection) -> None:
    """The outcome of the commit is not known: it is done again, and stored once."""
    await opened.record.append(body("before"))
    work = [opened.record.append(body(f"{n}")) for n in range(200)]
    killed = 0
    while not all(done.done() for done in work):
        killed += await other.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        await asyncio.sleep(0.005)
        if killed > 3:
            break
    await asyncio.gather(*work)
    stored = await mailboxes.after(other, {BEN: 0}, 1_000)
    assert [entry.seq for entry in stored] == list(range(1, 202))


async def test_what_earns_no_receipt_is_not_written(
    opened: Opened, other: asyncpg.Connection
) -> None:
    """Receipts and one's own copies arrive too, but nobody waits to hear of it."""
    await opened.record.append(body())
    await opened.record.received(BEN, BEN, "Ben", 1)
    await opened.record.received(ANA, ANA, "Ana", 2)  # her own copy, and Ben's receipt
    *_, before = opened.record.batches.cumulative()
    await opened.record.append(body())
    await opened.record.received(ANA, ANA, "Ana", 3)
    await opened.record.received(BEN, BEN, "Ben", 1)
    *_, after = opened.record.batches.cumulative()
    assert after[1] == before[1] + 1
    assert await mailboxes.delivered_through(other, ANA, [ANA]) == {ANA: 2}
    await opened.record.append(body(to=(ANA,), sender=BEN))
    await opened.record.received(ANA, ANA, "Ana", 4)
    assert await mailboxes.delivered_through(other, ANA, [ANA]) == {ANA: 4}
    assert [box.body.by for box in opened.box(BEN) if isinstance(box.body, wire.ReceiptBody)] == [
        ANA
    ]


async def test_what_is_on_record_as_arrived_survives_a_restart(
    opened: Opened, database: str
) -> None:
    await opened.record.append(body())
    await opened.record.received(BEN, BEN, "Ben", 1)
    await opened.close()
    again = Opened(database)
    await again.record.append(body())
    assert again.record.arrived == {(BEN, BEN): 1}
    await again.record.received(BEN, BEN, "Ben", 2)
    assert len(receipts(again.box(ANA))) == 1
    await again.close()
