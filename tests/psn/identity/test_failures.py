"""Failures that nothing slows do not flood the audit (docs/domain.md, DOM-AUD-4)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from stage import Peer, Stage

from psn import wire
from psn.identity.failures import EACH, MOST, Failures
from psn.trail.audit import Entry


def said(entries: list[Entry]) -> list[dict[str, Any]]:
    return [json.loads(entry.json()) for entry in entries]


def test_some_are_told_alone_and_the_rest_when_the_minute_is_over() -> None:
    failures = Failures()
    alone = [failures.alone("192.0.2.7", "wrong_credentials", n / 100) for n in range(1_000)]
    assert alone == [True] * EACH + [False] * (1_000 - EACH)
    assert not failures.alone("192.0.2.7", "wrong_passkey", 11.0)
    assert failures.due(59.9, 6) == []
    (entry,) = said(failures.due(60.0, 7))
    assert (entry["action"], entry["actor"], entry["source"], entry["at"]) == (
        "sign_in.failed", "nobody", "192.0.2.7", 7,
    )  # fmt: skip
    assert entry["details"] == {
        "more": 1_001 - EACH,
        "why": {"wrong_credentials": 1_000 - EACH, "wrong_passkey": 1},
    }
    assert failures.due(60.0, 7) == []
    assert failures.alone("192.0.2.7", "wrong_credentials", 61.0)


def test_others_are_told_alone_beside_a_flood() -> None:
    failures = Failures()
    for n in range(1_000):
        failures.alone(f"2001:db8::{n:x}", "wrong_credentials", 0.0)  # one subscriber
    assert failures.alone("192.0.2.7", "wrong_credentials", 0.0)


def test_of_too_many_sources_the_rest_is_told_as_one() -> None:
    failures = Failures()
    for n in range(100_000):
        failures.alone(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "wrong_credentials", 0.0)
    (entry,) = said(failures.due(0.0, 0))
    assert entry["details"] == {"more": 100_000 - MOST, "sources": "many"}


def test_a_server_that_stops_tells_what_it_has() -> None:
    failures = Failures()
    for _ in range(EACH + 1):
        failures.alone("192.0.2.7", "wrong_credentials", 0.0)
    assert len(failures.due(1.0, 0, all_of_them=True)) == 1


async def test_a_flood_of_wrong_signatures_is_counted(stage: Stage) -> None:
    """Anybody can send them, as fast as he likes and for nothing."""

    async def tries() -> None:
        async with await Peer.join(stage.url) as peer:
            for n in range(4):
                await peer.hello()
                auth = wire.DeviceAuth(1, bytes(64))
                await peer.send(wire.SignIn(n=n, auth=auth))
                await peer.refusal("wrong_credentials")
                await peer.send(wire.SignIn(n=n, auth=auth))  # with a nonce that was used
                error = await peer.expect(wire.Error)
                assert error.code == "hello_first"
                if n == 1:
                    return  # five tries end the connection

    for _ in range(EACH):
        await tries()
    stage.core.signin.note_counted(all_of_them=True)
    pool = stage.core.pool
    query = "SELECT body FROM audit WHERE body::jsonb->>'action' = 'sign_in.failed' ORDER BY seq"
    async with asyncio.timeout(20):
        while len(rows := await pool.fetch(query)) <= EACH:
            await asyncio.sleep(0.05)
    details = [json.loads(row["body"])["details"] for row in rows]
    assert details[:EACH] == [{"why": "wrong_credentials", "device": 1}] * EACH
    assert details[EACH:] == [{"more": EACH, "why": {"wrong_credentials": EACH}}]
