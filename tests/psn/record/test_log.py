"""The record on a real database (docs/domain.md, DOM-REC)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from stage import until

import psn.record.log
from psn import wire
from psn.cluster import Cluster, ClusterError
from psn.database import connect
from psn.problems import Problem
from psn.record import mailboxes
from psn.record.log import Record
from psn.record.mailboxes import Entry, Letter, Reader, RecordRefused

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

    def post(self, body: wire.MessageBody, refusal: Problem | None = None) -> asyncio.Future[int]:
        """A message of somebody of agency 1."""
        return self.record.append(Letter(body, 1, refusal))

    def received(
        self, box: str, who: str, through: int, known_to: Iterable[int] = (1,)
    ) -> asyncio.Future[int]:
        return self.record.received(box, f"all of {box}", reader(who, known_to), through)

    def read(
        self, box: str, who: str, seqs: Sequence[int], known_to: Iterable[int] = (1,)
    ) -> asyncio.Future[int]:
        return self.record.read(box, f"all of {box}", reader(who, known_to), seqs)

    def joined(self, box: str, who: str) -> None:
        at = self.record.heads.get(box, 0)
        self.record.joined(box, f"all of {box}", reader(who), at)

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


def reader(who: str, known_to: Iterable[int] = (1,)) -> Reader:
    return Reader(who, f"name of {who}", frozenset(known_to))


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
    at = await opened.post(message)
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
    await asyncio.gather(*(opened.post(message) for message in sent))
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
    first = await opened.post(message)
    again = await asyncio.gather(*(opened.post(message) for _ in range(5)))
    assert set(again) == {first}
    assert len(opened.box(BEN)) == 1


async def test_twice_in_one_batch_is_once(opened: Opened) -> None:
    message = body()
    times = await asyncio.gather(*(opened.post(message) for _ in range(5)))
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
    await opened.post(message)
    with pytest.raises(RecordRefused) as refused:
        await opened.post(body(uid=message.id, **other_message))  # type: ignore[arg-type]
    assert refused.value.code == "id_taken"
    assert len(opened.box(BEN)) == 1


async def test_a_message_to_oneself_is_one_entry(opened: Opened) -> None:
    await opened.post(body(to=(ANA, ANA, BEN)))
    assert [len(opened.box(box)) for box in (ANA, BEN)] == [1, 1]


async def test_each_reader_makes_each_receipt_once(opened: Opened) -> None:
    """DOM-REC-6."""
    sent = [body(f"{n}") for n in range(3)]
    for message in sent:
        await opened.post(message)
    ids = [message.id for message in sent]
    for through in (2, 2, 1, 3, 3):
        await opened.received(BEN, BEN, through)
    got = receipts(opened.box(ANA))
    assert [(by, state) for by, state, _ in got] == [(BEN, "delivered")] * 2
    assert [uid for _, _, of in got for uid in of] == ids
    for seqs in ([1, 3], [3], [1, 2, 99]):
        await opened.read(BEN, BEN, seqs)
    read = [of for _, state, of in receipts(opened.box(ANA)) if state == "read"]
    assert [set(of) for of in read] == [{ids[0], ids[2]}, {ids[1]}]


async def test_receipts_of_many_readers_at_once(opened: Opened) -> None:
    await opened.post(body(to=(POLICE,)))
    readers = [f"person:{n}" for n in range(2, 30)]
    await asyncio.gather(*(opened.received(POLICE, who, 1) for who in readers))
    got = receipts(opened.box(ANA))
    assert sorted(by for by, _, _ in got) == sorted(readers)


async def test_nobody_makes_receipts_for_himself_or_for_receipts(opened: Opened) -> None:
    await opened.post(body())
    await opened.received(ANA, ANA, 1)
    assert receipts(opened.delivered) == []
    await opened.received(BEN, BEN, 1)
    await opened.received(ANA, ANA, 2)
    assert len(receipts(opened.delivered)) == 1


async def test_what_was_said_before_one_joined_makes_no_receipts(opened: Opened) -> None:
    """DOM-REC-6: neither as arrived nor as read."""
    for n in range(4):
        await opened.post(body(f"{n}", to=(POLICE,)))
        if n == 2:
            opened.joined(POLICE, BEN)
    await opened.received(POLICE, BEN, 4)
    await opened.read(POLICE, BEN, [1, 3, 4])
    got = receipts(opened.box(ANA))
    assert [(state, len(of)) for _, state, of in got] == [("delivered", 1), ("read", 1)]


async def test_who_left_and_came_back_makes_no_receipts_for_the_time_between(
    opened: Opened,
) -> None:
    """DOM-REC-6."""
    for n in range(5):
        await opened.post(body(f"{n}", to=(POLICE,)))
        if n == 0:
            opened.joined(POLICE, BEN)
        if n == 3:
            opened.joined(POLICE, BEN)
    await opened.received(POLICE, BEN, 5)
    ((_, _, of),) = receipts(opened.box(ANA))
    assert len(of) == 1


async def test_joining_right_after_a_word_keeps_the_receipts_of_that_word(
    opened: Opened,
) -> None:
    """Both in the queue at once: what arrived before he left is not passed over."""
    opened.joined(POLICE, BEN)
    for n in range(3):
        await opened.post(body(f"{n}", to=(POLICE,)))
    marks = [opened.received(POLICE, BEN, 2)]
    opened.joined(POLICE, BEN)
    await asyncio.gather(*marks)
    await opened.post(body("one more", to=(POLICE,)))
    await opened.received(POLICE, BEN, 4)
    assert [len(of) for _, _, of in receipts(opened.box(ANA))] == [2, 1]


async def test_who_joined_an_empty_mailbox_is_known_after_a_restart(
    opened: Opened, database: str
) -> None:
    opened.joined(POLICE, BEN)
    await opened.post(body())
    await opened.close()
    again = Opened(database)
    await again.post(body())
    assert again.record.arrived[POLICE, BEN] == 0
    await again.close()


async def test_a_long_absence_is_caught_up_in_steps(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psn.record.log, "SPAN", 7)
    sent = [body(f"{n}") for n in range(40)]
    await asyncio.gather(*(opened.post(message) for message in sent))
    await opened.received(BEN, BEN, 40)
    got = [of for _, _, of in receipts(opened.box(ANA))]
    assert [len(of) for of in got] == [7, 7, 7, 7, 7, 5]
    assert [uid for of in got for uid in of] == [message.id for message in sent]


async def test_a_receipt_names_its_reader_only_to_those_who_may_know_him(opened: Opened) -> None:
    """DOM-REC-10: another agency learns that the mailbox has it, and that once."""
    await opened.post(body(to=(POLICE,)))
    for who, known_to in ((BEN, [2]), (CAR, [2, 3]), ("person:4", [1, 2])):
        await opened.received(POLICE, who, 1, known_to)
        await opened.read(POLICE, who, [1], known_to)
    got = [
        (entry.body.by, entry.body.by_name, entry.body.state)
        for entry in opened.box(ANA)
        if isinstance(entry.body, wire.ReceiptBody)
    ]
    assert got == [
        (POLICE, f"all of {POLICE}", "delivered"),
        (POLICE, f"all of {POLICE}", "read"),
        ("person:4", "name of person:4", "delivered"),
        ("person:4", "name of person:4", "read"),
    ]


async def test_one_reader_never_says_both_delivered_and_expired(opened: Opened) -> None:
    """It stands in two of his mailboxes, and its time ends between the two words of it."""
    soon = time.time_ns() // 1_000_000 + 300
    await opened.post(body(to=(BEN, POLICE), expires=soon))
    opened.record.arrived[POLICE, BEN] = 0
    await opened.received(BEN, BEN, 1)
    await until(lambda: time.time_ns() // 1_000_000 > soon, "its time is over")
    await opened.received(POLICE, BEN, 1)
    assert [state for _, state, _ in receipts(opened.box(ANA))] == ["delivered"]


async def test_what_may_not_be_sent_is_acknowledged_if_it_was_stored(opened: Opened) -> None:
    """DOM-REC-4: rights went, and with them only the acknowledgement."""
    gone = Problem("not_reachable", "You cannot.", "Choose another.")
    message = body()
    first = await opened.post(message)
    assert await opened.post(message, refusal=gone) == first
    with pytest.raises(Problem) as refused:
        await opened.post(body(), refusal=gone)
    assert refused.value is gone
    assert len(opened.box(BEN)) == 1


async def test_what_comes_too_late_is_said_to_be(opened: Opened) -> None:
    """DOM-REC-7."""
    soon = time.time_ns() // 1_000_000 + 300
    await opened.post(body(expires=soon))
    await opened.post(body(expires=soon + 600_000))
    await until(lambda: time.time_ns() // 1_000_000 > soon, "its time is over")
    await opened.received(BEN, BEN, 2)
    assert sorted(state for _, state, _ in receipts(opened.box(ANA))) == ["delivered", "expired"]


async def test_what_has_expired_is_refused_unless_it_was_stored_in_time(opened: Opened) -> None:
    """DOM-REC-7, DOM-REC-4: an acknowledgement that got lost is given again."""
    soon = time.time_ns() // 1_000_000 + 300
    message = body(expires=soon)
    first = await opened.post(message)
    await until(lambda: time.time_ns() // 1_000_000 > soon, "its time is over")
    assert await opened.post(message) == first
    with pytest.raises(RecordRefused) as refused:
        await opened.post(body(expires=soon))
    assert refused.value.code == "expired"
    assert len(opened.box(BEN)) == 1


async def test_history_is_read_backwards_page_by_page(
    opened: Opened, other: asyncpg.Connection
) -> None:
    for n in range(1, 8):
        await opened.post(body(f"{n}"))
    pages = [
        [entry.seq for entry in await mailboxes.before(other, BEN, below, 3)]
        for below in (99, 5, 2, 1)
    ]
    assert pages == [[5, 6, 7], [2, 3, 4], [1], []]


async def test_another_writer_is_kept_out_and_takes_over(database: str) -> None:
    first = Opened(database)
    await first.post(body())
    second = Opened(database)
    await until(lambda: "another server" in second.record.why_not, "the second is refused")
    assert not second.record.healthy
    await first.close()
    await until(lambda: second.record.healthy, "the second takes over")
    assert second.record.heads == {ANA: 1, BEN: 1}
    await second.post(body())
    assert second.box(BEN)[0].seq == 2
    await second.close()


async def test_a_message_that_cannot_be_stored_keeps_no_other_back(
    opened: Opened, other: asyncpg.Connection
) -> None:
    """DOM-REC-8: the wire refuses a NUL; should one get here, it is found alone."""
    good = [opened.post(body(f"{n}")) for n in range(10)]
    bad = opened.post(body("\0"))
    good += [opened.post(body(f"{n}")) for n in range(10)]
    await asyncio.gather(*good)
    with pytest.raises(RecordRefused) as refused:
        await bad
    assert refused.value.code == "not_storable"
    assert len(await mailboxes.after(other, {BEN: 0}, 100)) == 20


async def test_a_fault_of_the_database_is_not_blamed_on_a_message(
    opened: Opened, other: asyncpg.Connection
) -> None:
    """A right is taken from us, say, or a table is being restored: it may be sent again."""
    await opened.post(body())
    await other.execute("alter table receipt rename to elsewhere")
    await other.execute("alter table log rename column author to somebody")
    with pytest.raises(RecordRefused) as refused:
        await opened.post(body())
    assert (refused.value.code, refused.value.retry) == ("unavailable", 1_000)
    await other.execute("alter table log rename column somebody to author")
    await other.execute("alter table elsewhere rename to receipt")
    await opened.post(body())


async def test_a_database_that_is_gone_is_waited_for(
    opened: Opened, other: asyncpg.Connection, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renamed for a restore: reconnecting fails with an error that does not pass by itself."""
    monkeypatch.setattr(psn.record.log, "PATIENCE_SECONDS", 1.0)
    await opened.post(body())
    name = await other.fetchval("select current_database()")
    await other.close()
    away = f"{name}_away"
    rename = "alter database {} rename to {}"
    kick = f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    mark = None

    def move() -> None:
        for _ in range(50):
            cluster.sql(kick)
            with contextlib.suppress(ClusterError):
                return cluster.sql(rename.format(name, away)) and None

    await asyncio.to_thread(move)
    await until(lambda: not opened.record.healthy, "it is noticed")
    letters = [opened.post(body(f"{n}")) for n in range(3)]
    mark = opened.received(BEN, BEN, 1)
    for letter in letters:
        with pytest.raises(RecordRefused) as refused:
            await letter
        assert refused.value.code == "unavailable"
    await asyncio.to_thread(cluster.sql, rename.format(away, name))
    await mark  # what has arrived is never forgotten
    await opened.post(body())
    assert [state for _, state, _ in receipts(opened.box(ANA))] == ["delivered"]


async def test_what_waits_at_the_end_is_committed(database: str) -> None:
    running = Opened(database)
    waiting = [running.post(body(f"{n}")) for n in range(50)]
    await running.close()
    assert all(done.done() and not done.exception() for done in waiting)
    with pytest.raises(RecordRefused):
        await running.post(body())


async def test_a_broken_connection_loses_nothing(opened: Opened, other: asyncpg.Connection) -> None:
    """The outcome of the commit is not known: it is done again, and stored once."""
    await opened.post(body("before"))
    work = [opened.post(body(f"{n}")) for n in range(200)]
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


async def delivered(connection: asyncpg.Connection) -> dict[tuple[str, str], int]:
    rows = await connection.fetch("select address, reader, seq from delivery")
    return {(row["address"], row["reader"]): row["seq"] for row in rows}


async def test_what_earns_no_receipt_is_not_written(
    opened: Opened, other: asyncpg.Connection
) -> None:
    """Receipts and one's own copies arrive too, but nobody waits to hear of it."""
    await opened.post(body())
    await opened.received(BEN, BEN, 1)
    await opened.received(ANA, ANA, 2)  # her own copy, and Ben's receipt
    *_, before = opened.record.batches.cumulative()
    await opened.post(body())
    await opened.received(ANA, ANA, 3)
    await opened.received(BEN, BEN, 1)
    *_, after = opened.record.batches.cumulative()
    assert after[1] == before[1] + 1
    assert await delivered(other) == {(BEN, BEN): 1, (ANA, ANA): 2}
    await opened.post(body(to=(ANA,), sender=BEN))
    await opened.received(ANA, ANA, 4)
    assert await delivered(other) == {(BEN, BEN): 1, (ANA, ANA): 4}
    assert [box.body.by for box in opened.box(BEN) if isinstance(box.body, wire.ReceiptBody)] == [
        ANA
    ]


async def test_what_is_on_record_as_arrived_survives_a_restart(
    opened: Opened, database: str
) -> None:
    await opened.post(body())
    await opened.received(BEN, BEN, 1)
    await opened.close()
    again = Opened(database)
    await again.post(body())
    assert again.record.arrived == {(BEN, BEN): 1}
    await again.received(BEN, BEN, 2)
    assert len(receipts(again.box(ANA))) == 1
    await again.close()
