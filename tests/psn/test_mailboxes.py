"""What the SQL of mailboxes touches: as much as there is to do, not as much as there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

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
