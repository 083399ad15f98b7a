"""SMS at a real SMPP server in a process of its own, which throttles, hangs, dies and lies."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import smpp34
import smsc
from clerks import Clerk
from composed import CONTENT
from desk_peer import Worker
from stage import Stage, seed, until
from warners import APPROVER, OFFICER, approval, draft, hire, sent, words

from dispatch.alerting import issuing, life
from dispatch.alerting.cap import MessageType
from dispatch.alerting.issuing import NEMO
from dispatch.sms import session
from dispatch.warnings import sms_way
from psn import metrics

AWAY = b'psn_sms_centre_bound{centre="smsc:c0"} 0.0'


@contextlib.asynccontextmanager
async def staged(dsn: str, **settings: Any) -> AsyncIterator[tuple[Stage, Worker, Worker]]:
    """A server with people who warn."""
    await seed(dsn)
    stage = Stage(dsn, **settings)
    await stage.start()
    try:
        await hire(stage)
        officer = await Worker.enter(stage, OFFICER, "warning_desk")
        approver = await Worker.enter(stage, APPROVER, "warning_desk")
        yield stage, officer, approver
        await officer.leave()
        await approver.leave()
    finally:
        await stage.stop()


async def test_everybody_gets_it_once_and_receipts_are_noted(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-29."""
    async with smsc.running(tmp_path / "log") as centre:
        file = smsc.settings_file(tmp_path, centre.port)
        async with staged(database, smsc=file) as (stage, officer, approver):
            await smsc.telephones(stage, 60)
            await stage.core.pool.execute(smsc.RECIPIENT, "sms", "+5016100000", "es-BZ", None)
            await sent(officer, approver)
            async with asyncio.timeout(20):
                while (await smsc.states(stage)) != {"delivered": 60, "failed": 1}:
                    await asyncio.sleep(0.05)
            price = await stage.core.pool.fetchval("select sum(price) from warning_delivery")
            assert float(price) == 60 * 0.05
            problem = await stage.core.pool.fetchval(
                "select problem from warning_delivery where state = 'failed'"
            )
            assert problem == "The centre refused it (status 0x0000000b)."
            page = metrics.exposition(stage.core)
            assert b'psn_way_refused_total{channel="sms",way="smsc:c0"} 1.0' in page
            assert b'psn_way_failing{channel="sms",way="smsc:c0"} 0.0' in page
        assert len(centre.taken) == 60 and not centre.twice
        one = centre.taken[0]
        assert (one["from"], one["coding"], one["esm"]) == ("NEMO", 0, 0)
        assert bytes.fromhex(one["octets"]).startswith(b"NEMO: Hurricane warning")


async def test_long_and_unicode_texts_are_parted(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-19: each part with its header, in UCS-2 where a letter needs it."""
    async with smsc.running(tmp_path / "log") as centre:
        file = smsc.settings_file(tmp_path, centre.port)
        async with staged(database, smsc=file) as (stage, officer, approver):
            await smsc.telephones(stage, 1, "es-BZ")
            texts = draft()["texts"]
            texts[1] = words("es-BZ", "Aviso de huracán", "ñandú ∞ " * 12, "Vaya a un refugio.")
            made = await sent(officer, approver, texts=texts)
            await smsc.settled(stage)
        parts = [bytes.fromhex(each["octets"]) for each in centre.taken]
        assert len(parts) > 1 and all(each["coding"] == 8 for each in centre.taken)
        assert all(each["esm"] == 0x40 for each in centre.taken)
        parts.sort(key=lambda each: each[5])
        heads = [tuple(each[:6]) for each in parts]
        total, reference = len(parts), made["message"]
        assert heads == [(5, 0, 3, reference, total, n) for n in range(1, total + 1)]
        text = b"".join(each[6:] for each in parts).decode("utf-16-be")
        assert text.startswith("NEMO: Aviso de huracán ñandú ∞") and text.endswith("refugio.")


async def test_a_centre_that_throttles_gets_it_later(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-29."""
    async with smsc.running(tmp_path / "log", "--throttle", "7") as centre:
        file = smsc.settings_file(tmp_path, centre.port)
        async with staged(database, smsc=file) as (stage, officer, approver):
            await smsc.telephones(stage, 20)
            await sent(officer, approver)
            assert (await smsc.settled(stage)).keys() <= {"handed", "delivered"}
        assert len(centre.taken) == 20 and not centre.twice


async def test_a_centre_that_dies_unanswered_leaves_what_is_uncertain(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-30: nobody twice, and nothing guessed; the rest goes when it is back."""
    centre = await smsc.start(tmp_path / "log", "--die-after", "12", "--answer-ms", "20")
    file = smsc.settings_file(tmp_path, centre.port)
    async with staged(database, smsc=file) as (stage, officer, approver):
        await smsc.telephones(stage, 40)
        await sent(officer, approver)
        await centre.process.wait()
        back = await smsc.start(tmp_path / "log", port=centre.port)
        try:
            found = await smsc.settled(stage)
        finally:
            await back.kill()
    taken = {each["to"] for each in back.taken}
    assert not back.twice
    assert 1 <= found["uncertain"] <= 10, "what was in the window"
    assert found.get("handed", 0) + found.get("delivered", 0) == 40 - found["uncertain"]
    assert len(taken) >= 40 - found["uncertain"], "and nobody was missed"


async def test_two_centres_share_the_work_and_one_does_it_alone(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-29."""
    async with (
        smsc.running(tmp_path / "a", "--answer-ms", "20") as first,
        smsc.running(tmp_path / "b", "--answer-ms", "20") as second,
    ):
        file = smsc.settings_file(tmp_path, first.port, second.port, window=4)
        async with staged(database, smsc=file) as (stage, officer, approver):
            await smsc.telephones(stage, 60)
            made = await sent(officer, approver)
            await smsc.settled(stage)
            assert first.taken and second.taken
            assert len(first.taken) + len(second.taken) == 60
            await first.kill()
            # Its lane learns that; what it had begun then may be uncertain.
            over = await officer.do("warning.cancel", warning=made["warning"])
            await officer.do("warning.check", message=over["message"])
            phrase = "actual cancel hurricane warning"
            await approver.do("warning.approve", **approval(over, phrase=phrase))
            found = await smsc.settled(stage, total=120)
            assert sum(found.values()) == 120 and found.get("uncertain", 0) <= 4
        assert not first.twice and not second.twice


async def test_receipts_that_come_hours_later_are_counted(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-36: to a server that has nothing to send, and was started anew."""
    async with smsc.running(tmp_path / "log", "--late-receipts") as centre:
        file = smsc.settings_file(tmp_path, centre.port)
        async with staged(database, smsc=file) as (stage, officer, approver):
            await smsc.telephones(stage, 3)
            await sent(officer, approver)
            assert await smsc.settled(stage, total=3) == {"handed": 3}
        stage = Stage(database, smsc=file)
        await stage.start()
        try:
            async with asyncio.timeout(20):
                while await smsc.states(stage) != {"delivered": 3}:
                    await asyncio.sleep(0.05)
        finally:
            await stage.stop()
        assert len(centre.taken) == 3


async def test_receipts_of_nothing_are_not_kept_for_ever(
    database: str, tmp_path: Path, complaints: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-36."""
    monkeypatch.setattr(session, "STRANGER_SECONDS", 0.0)
    async with smsc.running(tmp_path / "log", "--late-receipts") as centre:
        file = smsc.settings_file(tmp_path, centre.port)
        async with staged(database, smsc=file) as (stage, officer, approver):
            await smsc.telephones(stage, 2)
            await sent(officer, approver)
            await smsc.settled(stage, total=2)
            await stage.core.pool.execute("delete from warning_delivery")
        stage = Stage(database, smsc=file)
        await stage.start()
        try:
            line = b'psn_sms_receipts_unknown_total{centre="smsc:c0"} 2.0'
            await until(lambda: line in metrics.exposition(stage.core), "both are given up")
        finally:
            await stage.stop()


async def test_a_centre_that_is_dead_is_noticed_before_it_is_needed(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-36: nothing waits, and the officer reads that it is away, and that it is back."""
    bound = 'psn_sms_centre_bound{centre="smsc:c0"} %d.0'

    def says(value: int) -> bool:
        return (bound % value).encode() in metrics.exposition(stage.core)

    async with smsc.running(tmp_path / "log") as centre:
        file = smsc.settings_file(tmp_path, centre.port)
        async with staged(database, smsc=file) as (stage, officer, _):
            await until(lambda: says(1), "it is bound without anything to send")
            await centre.kill()
            await until(lambda: says(0), "it is away")
            assert b'psn_way_failing{channel="sms",way="smsc:c0"} 1.0' in metrics.exposition(
                stage.core
            )
            async with aiohttp.ClientSession() as http:
                clerk = Clerk(stage, http, officer.peer)
                found = (await clerk.get("/api/warnings/ways"))["ways"]
                (way,) = [each for each in found if each["channel"] == "sms"]
                assert way["failing_since"] and way["problem"]
                back = await smsc.start(tmp_path / "log", port=centre.port)
                await until(lambda: says(1), "it is bound again")
                found = (await clerk.get("/api/warnings/ways"))["ways"]
                (way,) = [each for each in found if each["channel"] == "sms"]
                assert way["failing_since"] is None and way["problem"] is None
            await back.kill()
        assert not back.taken


@pytest.mark.parametrize("manner", ["hangs", "closes", "nonsense", "no number"])
async def test_a_centre_that_answers_badly_is_never_asked_twice(
    database: str, tmp_path: Path, complaints: object, manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-30: it hangs, closes, answers nonsense, or takes it without a number."""
    monkeypatch.setattr(session, "ANSWER_SECONDS", 1.0)
    submitted: list[bytes] = []

    async def centre(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Also at the end of the test, when it is cancelled.
        over = (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError)
        with contextlib.suppress(*over):
            while True:
                length, kind, _, number = struct.unpack(">IIII", await reader.readexactly(16))
                body = await reader.readexactly(length - 16)
                if kind == 4:  # submit_sm
                    submitted.append(body)
                    if manner == "closes":
                        break
                    if manner == "nonsense":
                        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>" * 4)
                    if manner == "no number":
                        writer.write(struct.pack(">IIII", 17, 0x80000004, 0, number) + b"\0")
                else:
                    name = b"X\0" if kind == 9 else b""
                    writer.write(
                        struct.pack(">IIII", 16 + len(name), kind | 0x80000000, 0, number) + name
                    )
        writer.close()

    server = await asyncio.start_server(centre, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    file = smsc.settings_file(tmp_path, port, window=3)
    async with staged(database, smsc=file) as (stage, officer, approver):
        await smsc.telephones(stage, 3)
        await sent(officer, approver)
        assert await smsc.settled(stage) == {"uncertain": 3}
        problems = await stage.core.pool.fetch("select distinct problem from warning_delivery")
        assert all(row["problem"].endswith((".", ")")) for row in problems)
    assert 1 <= len(submitted) <= 3 and len(set(submitted)) == len(submitted)
    server.close()
    await server.wait_closed()


async def test_what_is_over_is_not_handed_over(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-29: who still waits for a warning that was cancelled gets the Cancel alone."""
    log = tmp_path / "log"
    probe = await smsc.start(log)
    await probe.kill()
    file = smsc.settings_file(tmp_path, probe.port)
    async with staged(database, smsc=file) as (stage, officer, approver):
        await smsc.telephones(stage, 3)
        made = await sent(officer, approver)
        over = await officer.do("warning.cancel", warning=made["warning"])
        await officer.do("warning.check", message=over["message"])
        phrase = "actual cancel hurricane warning"
        await approver.do("warning.approve", **approval(over, phrase=phrase))
        centre = await smsc.start(log, port=probe.port)
        try:
            found = await smsc.settled(stage, total=6)
        finally:
            await centre.kill()
    assert found.pop("dropped") == 3
    assert sum(found.values()) == 3 and len(centre.taken) == 3


async def test_an_update_without_sms_leaves_nobody_with_nothing(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-29: who still waits for the SMS of the Alert gets it; it calls off by every way."""
    log = tmp_path / "log"
    probe = await smsc.start(log)
    await probe.kill()
    file = smsc.settings_file(tmp_path, probe.port)
    async with staged(database, smsc=file) as (stage, officer, approver):
        await smsc.telephones(stage, 3)
        made = await sent(officer, approver)
        less = draft(channels=["screens", "page"])
        for kind in ("update", "cancel"):
            said = less
            if kind == "cancel":
                said = less | {"texts": [_over(each) for each in less["texts"]]}
            about = await officer.do(f"warning.{kind}", warning=made["warning"], content=said)
            found = await officer.do("warning.check", message=about["message"])
            advice = [each["text"] for each in found["findings"]]
            if kind == "update":
                assert any("who still waits for that gets it" in each for each in advice)
            phrase = f"actual {kind} hurricane warning"
            await approver.do("warning.approve", **approval(about, phrase=phrase))
            if kind == "update":
                centre = await smsc.start(log, port=probe.port)
                assert (await smsc.settled(stage, total=3)).keys() <= {"handed", "delivered"}
                await centre.kill()
                await until(lambda: AWAY in metrics.exposition(stage.core), "it is away")
                # As if they had waited until now.
                await stage.core.pool.execute(
                    "update warning_delivery set state = 'waiting', handed_at = null"
                )
        async with asyncio.timeout(20):
            while await smsc.states(stage) != {"dropped": 3}:
                await asyncio.sleep(0.05)
    assert len(centre.taken) == 3


def _over(text: Any) -> Any:
    """Words that say that it is over."""
    return text | {"headline": f"Over: {text['event']}", "instruction": "Go home.", "short": ""}


async def test_a_centre_in_trouble_gets_it_later_and_knows_how_long_it_holds(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-29: a refusal that is of the centre and not of the telephone; and what a telephone
    that is off must not get when it is over."""
    refusals = [0x08, 0x04, 0x08]
    submitted: list[smpp34.SubmitSm] = []

    async def centre(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over = (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError)
        with contextlib.suppress(*over):
            while True:
                head = await reader.readexactly(16)
                length, kind, _, number = struct.unpack(">IIII", head)
                pdu = smpp34.decode(head + await reader.readexactly(length - 16))
                status, name = 0, b"X\0" if kind in (4, 9) else b""
                if isinstance(pdu, smpp34.SubmitSm):
                    submitted.append(pdu)
                    status = refusals.pop() if refusals else 0
                    name = name if not status else b""
                answer = struct.pack(">IIII", 16 + len(name), kind | 0x80000000, status, number)
                writer.write(answer + name)
        writer.close()

    server = await asyncio.start_server(centre, "127.0.0.1", 0)
    file = smsc.settings_file(tmp_path, server.sockets[0].getsockname()[1], window=1)
    async with staged(database, smsc=file) as (stage, officer, approver):
        await smsc.telephones(stage, 1)
        await sent(officer, approver)
        assert await smsc.settled(stage) == {"handed": 1}
    assert len(submitted) == 4
    assert {each.validity_period[:6] for each in submitted} <= {"000001", "000000"}
    assert all(each.validity_period.endswith("00000R") for each in submitted)
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(1.5, "000000000200000R"), (60 * 25, "000001010000000R"), (-3, "000000000100000R"),
     (60 * 24 * 30, "000007000000000R")],
)  # fmt: skip
def test_a_telephone_does_not_get_what_is_over(minutes: float, said: str) -> None:
    now = datetime(2026, 9, 1, 12, tzinfo=UTC)
    message = replace(
        life.draft(1, 1, CONTENT, 1),
        content=replace(CONTENT, expires=now + timedelta(minutes=minutes)),
    )
    alert = issuing.alert(message, (), NEMO, now)
    assert sms_way.validity(alert, now) == said
    assert sms_way.validity(replace(alert, message_type=MessageType.CANCEL), now) == ""
