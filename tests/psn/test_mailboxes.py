"""What the SQL of mailboxes touches: as much as there is to do, not as much as there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from psn import mailboxes, wire
from psn.database import connect, moment

NOW = 1_780_000_000_000
HELD = 400


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


async def test_a_reader_who_follows_costs_only_what_is_new(database: str) -> None:
    box = "person:2"
    connection = await connect(database)
    try:
        for _ in range(HELD // 20):
            await mailboxes.store(connection, [letter(box) for _ in range(20)], [], NOW)
        seen = mailboxes.Mark(box, box, "Ben", through=HELD - 3)
        await mailboxes.store(connection, [], [seen], NOW)
        await connection.execute("analyze mailbox_entry")
        arguments = [[box], [box], [HELD], [0], [], [], []]
        (row,) = await connection.fetchrow(
            f"explain (analyze, format json) {mailboxes._MARK}",
            *arguments,
            moment(NOW),
        )
    finally:
        await connection.close()
    reads = [
        node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
        for node in nodes(json.loads(row)[0]["Plan"])
        if node.get("Relation Name") == "mailbox_entry" and "Scan" in node["Node Type"]
    ]
    assert reads
    assert sum(reads) == 3


def letter(to: str) -> wire.MessageBody:
    return wire.MessageBody(
        id=uuid4(), sender="person:1", sender_name="Ana", to=[to], text="x", priority="routine",
        time=0,
    )  # fmt: skip
