"""What the SQL of mailboxes touches: as much as there is to do, not as much as there is."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from psn import mailboxes, wire
from psn.database import connect, moment

NOW = 1_780_000_000_000
READERS, HELD, NEW = 50, 60, 2


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


async def test_readers_who_follow_cost_only_what_is_new(database: str) -> None:
    boxes = [f"person:{n}" for n in range(2, 2 + READERS)]
    connection = await connect(database)
    try:
        for _ in range(HELD):
            await mailboxes.store(connection, [letter(box) for box in boxes], [], NOW)
        seen = [mailboxes.Mark(box, box, "Ben", through=HELD - NEW) for box in boxes]
        await mailboxes.store(connection, [], seen, NOW)
        row = await connection.fetchval(
            f"explain (analyze, format json) {mailboxes._MARK}",
            *(boxes, boxes, [HELD] * READERS, [0] * READERS, [], [], []),
            moment(NOW),
        )
    finally:
        await connection.close()
    reads = sum(
        node["Actual Rows"] * node["Actual Loops"]
        for node in nodes(json.loads(row)[0]["Plan"])
        if node.get("Relation Name") == "mailbox_entry" and "Scan" in node["Node Type"]
    )
    assert reads == READERS * NEW


def letter(to: str) -> wire.MessageBody:
    return wire.MessageBody(
        id=uuid4(), sender="person:1", sender_name="Ana", to=[to], text="x", priority="routine",
        time=0,
    )  # fmt: skip


async def test_a_batch_is_placed_at_the_cost_of_what_is_in_it(database: str) -> None:
    boxes = sorted(f"person:{n}" for n in range(1, 301))
    connection = await connect(database)
    try:
        async with connection.transaction():
            ids = [
                await connection.fetchval(
                    "insert into log (kind, author, at, body)"
                    " values ('message', 'person:1', now(), '{}') returning id"
                )
            ] * len(boxes)
            row = await connection.fetchval(
                f"explain (analyze, format json) {mailboxes._PLACE}",
                *(boxes, [1] * len(boxes), list(range(len(boxes))), ids),
            )
    finally:
        await connection.close()
    touched = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Join Filter", 0)) * node["Actual Loops"]
        for node in nodes(json.loads(row)[0]["Plan"])
    )
    assert touched < 10 * len(boxes)


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
        connection = await connect(database)
        try:
            await connection.execute("truncate mailbox, mailbox_entry, receipt, delivery, log")
            given_out: dict[tuple[str, int], str] = {}
            for batch in batches:
                messages = [letter("person:1") for _ in batch]
                for at, to in enumerate(batch):
                    messages[at] = structs.replace(
                        messages[at], to=[f"person:{n}" for n in to], text=f"to {to}"
                    )
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
