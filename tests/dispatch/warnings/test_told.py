"""One warning that is broken in a way that nobody thought of keeps no other from people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from desk_peer import Worker
from stage import Complaints, Stage
from warners import APPROVER, HOUR, OFFICER, approval, checked, hire, message_row, now_ms, sent

from dispatch.alerting import cap
from dispatch.warnings import going_out
from dispatch.warnings.clock import WarningClock
from dispatch.warnings.told import Now, Told


@dataclass
class Desk:
    stage: Stage
    officer: Worker
    approver: Worker


@pytest_asyncio.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    await hire(stage)
    people = [await Worker.enter(stage, who, "warning_desk") for who in (OFFICER, APPROVER)]
    there = Desk(stage, *people)
    yield there
    await there.officer.leave()
    await there.approver.leave()


async def beneath(stage: Stage, statement: str, *values: Any) -> None:
    """Change what nobody can change."""
    connection = await asyncpg.connect(stage.dsn)
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def test_one_that_cannot_be_read_hides_no_other(desk: Desk, complaints: Complaints) -> None:
    """DOM-WRN-11."""
    broken = await sent(desk.officer, desk.approver)
    whole = await sent(desk.officer, desk.approver)
    await beneath(
        desk.stage,
        "update warning_message set document = 'torn' where id = $1",
        broken["message"],
    )
    told = Told(desk.stage.core.pool)
    await told.load()
    assert [each.id for each in told.now.messages] == [whole["message"]]
    assert [each.sent.id for each in told.now.in_force()] == [whole["message"]]
    assert len(complaints.said) == 1
    complaints.said.clear()


async def test_one_that_cannot_be_read_hides_no_other_at_the_desk(
    desk: Desk, complaints: Complaints
) -> None:
    """DOM-WRN-1."""
    broken = await checked(desk.officer)
    await beneath(
        desk.stage, "update warning_message set content = '{}' where id = $1", broken["message"]
    )
    whole = await sent(desk.officer, desk.approver)
    await desk.approver.sees(f"warning_message:{whole['message']}", stage="sent")
    assert complaints.said
    complaints.said.clear()


async def test_who_cannot_show_it_keeps_nobody_else_from_it(
    desk: Desk, complaints: Complaints
) -> None:
    """DOM-WRN-11: screens, pages and the outbox are told by themselves."""
    await sent(desk.officer, desk.approver)
    shown: list[Now] = []

    async def fails(now: Now) -> None:
        raise ValueError("a fault")

    async def shows(now: Now) -> None:
        shown.append(now)

    told = Told(desk.stage.core.pool)
    told.shows = [fails, shows]
    await told.load()
    assert len(shown[0].messages) == 1
    complaints.said.clear()


async def test_one_that_cannot_be_sent_keeps_no_other_waiting(
    desk: Desk, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-9."""
    made = [await checked(desk.officer, send_at=now_ms() + HOUR) for _ in range(3)]
    for each in made:
        await desk.approver.do("warning.approve", **approval(each))
    faulty, unwritable, whole = (each["message"] for each in made)
    send, sign = going_out.send, cap.sign

    async def fails(connection: Any, chain: Any, message: Any, *more: Any) -> Any:
        if message.id == faulty:
            raise RuntimeError("a fault")
        return await send(connection, chain, message, *more)

    def torn(alert: cap.Alert, seal: cap.Seal) -> bytes:
        return b"<alert/>" if alert.identifier.endswith(f".{unwritable}") else sign(alert, seal)

    monkeypatch.setattr(going_out, "send", fails)
    monkeypatch.setattr(cap, "sign", torn)
    changed: list[int] = []

    async def note() -> None:
        changed.append(1)

    clock = WarningClock(desk.stage.core, desk.stage.core.pool, note)
    await clock.look(datetime.now(UTC) + timedelta(hours=1, seconds=1))
    stages = [(await message_row(desk.stage, each["message"]))["stage"] for each in made]
    assert stages == ["approved", "draft", "sent"]
    held = (await message_row(desk.stage, unwritable))["held"]
    assert held and changed == [1] and whole
    complaints.said.clear()


async def test_what_is_approved_for_later_stands_at_the_desk_until_then(desk: Desk) -> None:
    """DOM-WRN-9: also weeks before, so that it can be taken back."""
    at = now_ms() + 20 * 24 * HOUR
    made = await checked(desk.officer, send_at=at, expires=at + HOUR)
    await desk.approver.do("warning.approve", **approval(made))
    await beneath(
        desk.stage,
        "update warning_message set changed_at = now() - interval '10 days' where id = $1",
        made["message"],
    )
    for each in (desk.officer, desk.approver):
        await each.leave()
    await desk.stage.stop()
    await desk.stage.start()
    desk.officer = await Worker.enter(desk.stage, OFFICER, "warning_desk")
    desk.approver = await Worker.enter(desk.stage, APPROVER, "warning_desk")
    await desk.officer.sees(f"warning_message:{made['message']}", stage="approved")
