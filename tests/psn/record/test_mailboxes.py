"""What the SQL of mailboxes touches: as much as there is to do, not as much as there is."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psn import wire
from psn.database import connect
from psn.record import mailboxes

NOW = 1_780_000_000_000
READERS, HELD, NEW = 50, 60, 2


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


async def ready(database: str) -> asyncpg.Connection:
    connection = await connect(database)
    await mailboxes.prepare(connection)
    return connection


@asynccontextmanager
async def explained(connection: asyncpg.Connection) -> AsyncIterator[list[dict[str, Any]]]:
    """The nodes of every plan that is carried out inside, in functions too."""
    found: list[dict[str, Any]] = []

    def hear(_: object, message: asyncpg.PostgresLogMessage) -> None:
        text = str(message.message)
        if "plan:" in text:
            found.extend(nodes(json.loads(text[text.index("{") :])["Plan"]))

    await connection.execute(
        "load 'auto_explain'; set auto_explain.log_min_duration = 0;"
        "set auto_explain.log_analyze = on; set auto_explain.log_nested_statements = on;"
        "set auto_explain.log_format = 'json'; set auto_explain.log_level = 'notice'"
    )
    connection.add_log_listener(hear)
    yield found
    connection.remove_log_listener(hear)
    await connection.execute("set auto_explain.log_min_duration = -1")


async def test_readers_who_follow_cost_only_what_is_new(database: str) -> None:
    boxes = [f"person:{n}" for n in range(2, 2 + READERS)]
    connection = await ready(database)
    try:
        for _ in range(HELD):
            await mailboxes.store(connection, [letter(box) for box in boxes], [], NOW)
        seen = [mark(box, through=HELD - NEW) for box in boxes]
        await mailboxes.store(connection, [], seen, NOW)
        seen = [mark(box, through=HELD) for box in boxes]
        async with explained(connection) as found:
            stored = await mailboxes.store(connection, [], seen, NOW)
    finally:
        await connection.close()
    receipts = [entry.body for entry in stored.entries]
    assert all(isinstance(body, wire.ReceiptBody) for body in receipts)
    assert sum(len(body.of) for body in receipts if isinstance(body, wire.ReceiptBody)) == (
        READERS * NEW
    )
    reads = sum(
        node["Actual Rows"] * node["Actual Loops"]
        for node in found
        if node.get("Relation Name") == "mailbox_entry" and "Scan" in node["Node Type"]
    )
    assert reads == READERS * NEW


def mark(box: str, through: int) -> mailboxes.Mark:
    reader = mailboxes.Reader(box, "Ben", frozenset({1}))
    return mailboxes.Mark(box, "Ben", reader, through=through)


def letter(*to: str, text: str = "x") -> mailboxes.Letter:
    body = wire.MessageBody(
        id=uuid4(), sender="person:1", sender_name="Ana", to=list(to), text=text,
        priority="routine", time=0,
    )  # fmt: skip
    return mailboxes.Letter(body, 1)


async def test_a_batch_is_stored_at_the_cost_of_what_is_in_it(database: str) -> None:
    """Messages, receipts and their places: no step looks at everything for each."""
    boxes = sorted(f"person:{n}" for n in range(2, 302))
    connection = await ready(database)
    try:
        await mailboxes.store(connection, [letter(box) for box in boxes], [], NOW)
        marks = [mark(box, through=1) for box in boxes]
        async with explained(connection) as found:
            await mailboxes.store(connection, [letter(box) for box in boxes], marks, NOW)
    finally:
        await connection.close()
    touched = max(
        (node["Actual Rows"] + node.get("Rows Removed by Join Filter", 0)) * node["Actual Loops"]
        for node in found
    )
    assert len(boxes) <= touched < 4 * len(boxes)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(st.lists(st.integers(1, 120), min_size=1, max_size=5, unique=True), max_size=40),
        max_size=4,
    )
)
def test_every_mailbox_gets_its_own_without_a_gap(
    database: str, batches: list[list[list[int]]]
) -> None:
    """Whatever the batch: numbers 1, 2, 3 … and what was said at delivery is what lies there."""

    async def work() -> None:
        connection = await ready(database)
        try:
            await connection.execute("truncate mailbox, mailbox_entry, receipt, delivery")
            await connection.execute("truncate log")
            given_out: dict[tuple[str, int], str] = {}
            for batch in batches:
                messages = [letter(*(f"person:{n}" for n in to), text=f"to {to}") for to in batch]
                stored = await mailboxes.store(connection, messages, [], NOW)
                for entry in stored.entries:
                    assert isinstance(entry.body, wire.MessageBody)
                    assert (entry.box, entry.seq) not in given_out
                    given_out[entry.box, entry.seq] = entry.body.text
            rows = await connection.fetch(
                "select e.address, e.seq, l.body->>'text' as text"
                " from mailbox_entry e join log l on l.id = e.log_id"
            )
            assert {(r["address"], r["seq"]): r["text"] for r in rows} == given_out
            heads = await connection.fetch("select address, head from mailbox")
            sizes = Counter(box for box, _ in given_out)
            assert {r["address"]: r["head"] for r in heads} == sizes
            assert all(1 <= seq <= sizes[box] for box, seq in given_out)
        finally:
            await connection.close()

    asyncio.run(work())


async def test_the_log_refuses_to_lose_what_a_mailbox_holds(database: str) -> None:
    connection = await ready(database)
    try:
        await mailboxes.store(connection, [letter("person:2")], [], NOW)
        await mailboxes.store(connection, [], [mark("person:2", through=1)], NOW)
        assert await connection.fetchval("select count(*) from receipt") == 1
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute("delete from log")
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute("truncate log")
        assert await connection.fetchval("select count(*) from log") == 2
        await connection.execute("delete from mailbox_entry")
        await connection.execute("delete from log")
        assert await connection.fetchval("select count(*) from receipt") == 0
    finally:
        await connection.close()
