"""Texts to radio groups: what the bridge is given, once, and what its radios read of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import smsc
from airwaves import GROUP, Box, gateway, on_air
from desk_peer import Worker
from stage import Stage, until
from warners import APPROVER, OFFICER, approval, exercise, hire, sent

from dispatch.alerting.channels import RADIO_UNITS
from psn import wire
from radio_bridge.bridge.outgoing import MOST_TEXT

ON_A_RADIO = "NEMO: Harikayn waanin fi Bileez Siti. Goh da wahn shelta now."


@pytest.fixture
async def warners(stage: Stage) -> AsyncIterator[tuple[Worker, Worker]]:
    await hire(stage)
    officer = await Worker.enter(stage, OFFICER, "warning_desk")
    approver = await Worker.enter(stage, APPROVER, "warning_desk")
    yield officer, approver
    await officer.leave()
    await approver.leave()


def read_on_a_radio(mail: wire.Mail) -> str:
    """As the bridge writes it (``radio_bridge.bridge.letters``)."""
    assert isinstance(mail.body, wire.MessageBody)
    return f"{mail.body.sender_name}: {mail.body.text}"[:MOST_TEXT]


async def test_the_bridge_gets_it_once_also_after_a_crash(
    stage: Stage, warners: tuple[Worker, Worker]
) -> None:
    """DOM-WRN-43."""
    await on_air(stage)
    await stage.core.pool.execute(smsc.RECIPIENT, "radio_text", GROUP, "bzj", None)
    box = Box()
    async with gateway(stage, mail=box) as bridge:
        await sent(*warners)
        assert await smsc.settled(stage, "radio_text") == {"handed": 1}
        await until(lambda: box.mail, "the gateway has it")
        # As after a crash between the record and the row of the delivery.
        again = "update warning_delivery set state = 'waiting', next_at = now()"
        await stage.core.pool.execute(again)
        assert await smsc.settled(stage, "radio_text") == {"handed": 1}
        assert await stage.core.pool.fetchval("select tries from warning_delivery") == 2
        await bridge.up()
        rows = await stage.core.pool.fetch("select 1 from log where author = 'agency:1'")
        assert len(rows) == len([m for m in box.mail if m.box == GROUP]) == 1
    (mail,) = (each for each in box.mail if each.box == GROUP)
    assert read_on_a_radio(mail) == ON_A_RADIO
    assert isinstance(mail.body, wire.MessageBody)
    assert mail.body.priority == "immediate" and mail.body.expires is not None


async def test_a_group_without_radios_waits_until_it_has_some(
    stage: Stage, warners: tuple[Worker, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-43, DOM-WRN-5: an exercise says so first and last, and is not cut."""
    monkeypatch.setattr("dispatch.warnings.radio_text_way.UNJOINED_SECONDS", 0.1)
    await stage.core.pool.execute(smsc.RECIPIENT, "radio_text", GROUP, "es-BZ", None)
    await stage.core.pool.execute(smsc.RECIPIENT, "radio_text", "group:2", "es-BZ", None)
    made: dict[str, Any] = await warners[0].do("warning.begin", content=exercise())
    await warners[0].do("warning.check", message=made["message"])
    await warners[1].do("warning.approve", **approval(made))

    async def problems() -> set[str]:
        rows = await stage.core.pool.fetch("select problem from warning_delivery")
        return {row["problem"] or "" for row in rows}

    async with asyncio.timeout(20):
        while not any("No talkgroup" in each for each in await problems()):
            await asyncio.sleep(0.05)
    await on_air(stage)
    assert await smsc.settled(stage, "radio_text", 2) == {"handed": 1, "failed": 1}
    body = await stage.core.pool.fetchval("select body from log where author = 'agency:1'")
    assert '"text": "SIMULACRO Aviso de huracán' in body and 'ahora. SIMULACRO"' in body


def test_what_fits_the_channel_is_not_cut_by_the_bridge() -> None:
    assert RADIO_UNITS <= MOST_TEXT
