"""Whom a warning has reached, live and as a file, for its officers alone."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest_asyncio
import smsc
from clerks import Clerk
from desk_peer import Worker
from stage import CAR, PATROL, Peer, Stage, report, seed, until
from warners import APPROVER, OFFICER, STRANGER, hire, sent

from dispatch.desk import forgetting
from dispatch.warnings.report import Line, as_csv


@dataclass
class Desk:
    stage: Stage
    officer: Worker
    approver: Worker
    clerk: Clerk
    http: aiohttp.ClientSession


@pytest_asyncio.fixture
async def desk(database: str, tmp_path: Path, complaints: object) -> AsyncIterator[Desk]:
    await seed(database)
    async with smsc.running(tmp_path / "log", "--no-receipts") as centre:
        stage = Stage(database, smsc=smsc.settings_file(tmp_path, centre.port))
        await stage.start()
        await hire(stage)
        officer = await Worker.enter(stage, OFFICER, "warning_desk")
        approver = await Worker.enter(stage, APPROVER, "warning_desk")
        async with aiohttp.ClientSession() as http:
            yield Desk(stage, officer, approver, Clerk(stage, http, officer.peer), http)
        await officer.leave()
        await approver.leave()
        await stage.stop()


async def test_the_report_counts_by_channel_and_district(desk: Desk) -> None:
    """DOM-WRN-32."""
    pool = desk.stage.core.pool
    for number, district in (("1", "BZ-BZ"), ("2", "BZ-BZ"), ("3", None)):
        await pool.execute(smsc.RECIPIENT, "sms", f"+501600000{number}", "en-BZ", district)
    await pool.execute(smsc.RECIPIENT, "sms", "+5016000000", "en-BZ", None)
    car = await Worker.enter(desk.stage, CAR, "warnings")
    away = await Peer.enter(desk.stage.url, PATROL)
    await report(car.peer)
    await report(away)
    newest = desk.stage.core.picture.newest
    await until(lambda: {CAR, PATROL} <= newest.keys(), "both are known")
    made = await sent(desk.officer, desk.approver)
    address = f"warning:{made['message']}"
    await car.sees(address)
    await car.do("warning.confirm", message=made["message"])
    await smsc.settled(desk.stage, total=4)
    path = f"/api/warnings/{made['message']}/report"
    async with asyncio.timeout(20):
        while True:
            told = await desk.clerk.get(path)
            lines = {(each["channel"], each["district"]): each for each in told["lines"]}
            if lines.get(("screens", "BZ-BZ"), {}).get("confirmed"):
                break
            await asyncio.sleep(0.05)
    city = lines["sms", "BZ-BZ"]
    assert (city["total"], city["handed"], city["submissions"], city["cost"]) == (2, 2, 2, 0.1)
    everywhere = lines["sms", None]
    assert (everywhere["total"], everywhere["handed"], everywhere["failed"]) == (2, 1, 1)
    screens = lines["screens", "BZ-BZ"]
    assert (screens["confirmed"], screens["missed"]) == (1, 1), "the patrol follows no warnings"
    assert (told["confirmed_sessions"], told["confirmed_people"]) == (1, 0)

    await car.leave()
    await away.leave()


async def test_tables_are_tables(desk: Desk) -> None:
    """DOM-WRN-32: each recipient, and the audit has who took the list."""
    await desk.stage.core.pool.execute(smsc.RECIPIENT, "sms", "+5016000001", "en-BZ", None)
    made = await sent(desk.officer, desk.approver)
    await smsc.settled(desk.stage)
    url = desk.stage.url.replace("ws://", "http://").removesuffix("/ws")
    headers = {"Authorization": f"Bearer {desk.officer.peer.me.token}"}
    for name, first in (("report", "screens"), ("recipients", "sms")):
        path = f"{url}/api/warnings/{made['message']}/{name}.csv"
        async with desk.http.get(path, headers=headers) as answer:
            assert answer.status == 200 and answer.content_type == "text/csv"
            rows = list(csv.DictReader(io.StringIO(await answer.text())))
        assert rows and rows[-1]["channel"] in {first, "sms"}
    assert rows[0]["address"] == "+5016000001" and rows[0]["state"] == "handed"
    taken = "select count(*) from audit where action = 'warning.exported'"
    assert await desk.stage.core.pool.fetchval(taken) == 1


async def test_others_see_what_was_sent_and_nothing_else(desk: Desk) -> None:
    """DOM-WRN-32."""
    made = await sent(desk.officer, desk.approver)
    draft = await desk.officer.do("warning.update", warning=made["warning"])
    mine = (await desk.clerk.get("/api/warnings"))["messages"]
    assert [each["id"] for each in mine] == [draft["message"], made["message"]]
    whole = await desk.clerk.get(f"/api/warnings/{draft['message']}")
    assert whole["phrase"] == "actual update hurricane warning"
    assert whole["drawn"]["name"] == "Belize City" and whole["document"] is None
    ways = await desk.clerk.get("/api/warnings/ways")
    names = {each["name"] for each in ways["ways"]}
    assert names == {"webhook", "cell", "smsc:c0", "announcements", "radio texts", "web push"}
    assert ways["missing"] == ["email"]
    for name in (STRANGER, "ana"):
        peer = await Peer.enter(desk.stage.url, name)
        other = Clerk(desk.stage, desk.http, peer)
        seen = (await other.get("/api/warnings"))["messages"]
        assert [each["id"] for each in seen] == [made["message"]]
        for path in ("", "/report", "/report.csv", "/recipients.csv"):
            status, answer = await other.ask("GET", f"/api/warnings/{made['message']}{path}")
            assert (status, answer["error"]["code"]) == (404, "not_found")
        await peer.leave()


async def test_where_somebody_was_warned_is_forgotten_after_a_year(desk: Desk) -> None:
    """DOM-WRN-33."""
    pool = desk.stage.core.pool
    await pool.execute(smsc.RECIPIENT, "sms", "+5016000001", "en-BZ", None)
    made = await sent(desk.officer, desk.approver)
    await smsc.settled(desk.stage)
    await forgetting.forget(pool)
    address = "select address from warning_delivery"
    assert await pool.fetchval(address) == "+5016000001"
    long_ago = datetime.now(UTC) - timedelta(days=366)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("alter table warning_message disable trigger user")
        await connection.execute("update warning_message set sent_at = $1", long_ago)
        await connection.execute("alter table warning_message enable trigger user")
    await forgetting.forget(pool)
    assert str(await pool.fetchval(address)).startswith("recipient:")
    told = await desk.clerk.get(f"/api/warnings/{made['message']}/report")
    assert [each["handed"] for each in told["lines"] if each["channel"] == "sms"] == [1]


def test_no_cell_is_a_formula() -> None:
    table = as_csv([Line(channel="=1+1", district='a "b", c')]).decode()
    assert table.splitlines()[1].startswith('\'=1+1,"a ""b"", c",0,')
