"""What is in force stands on the consoles and tablets that it concerns, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
import shapely
from desk_peer import Worker
from hypothesis import given
from hypothesis import strategies as st
from stage import CAR, GATEWAY, HERE, PATROL, WITHIN, Peer, Stage, report, until
from warners import (
    APPROVER,
    HOUR,
    MINUTE,
    OFFICER,
    approval,
    exercise,
    hire,
    now_ms,
    sent,
)

from dispatch.warnings import told
from dispatch.warnings.elsewhere import Heard, outside
from psn import wire
from psn.picture.tracking import AGREEING_FIXES

FAR = {"lon": -882_000_000, "lat": 171_000_000}
"""44 km south of the warned city's middle."""


@dataclass
class Desk:
    stage: Stage
    officer: Worker
    approver: Worker


@pytest_asyncio.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    await hire(stage)
    people = [await Worker.enter(stage, who, "warning_desk") for who in (OFFICER, APPROVER)]
    yield Desk(stage, *people)
    for each in people:
        await each.leave()


async def cancelled(desk: Desk, warning: int, **more: Any) -> None:
    over = await desk.officer.do("warning.cancel", warning=warning)
    await desk.officer.do("warning.check", message=over["message"])
    phrase = "actual cancel hurricane warning"
    await desk.approver.do("warning.approve", **approval(over, phrase=phrase))


async def earlier(peer: Peer, minutes: int, lon: int = HERE[0], lat: int = HERE[1]) -> None:
    """Where a unit was some minutes ago."""
    await peer.send(wire.Position(p=wire.Fix(0, now_ms() - minutes * MINUTE, lon, lat)))


async def leap(peer: Peer, lon: int = HERE[0], lat: int = HERE[1]) -> None:
    """It is elsewhere at once: so many positions agree that the picture believes it."""
    at = now_ms()
    for n in range(AGREEING_FIXES):
        await peer.send(wire.Position(p=wire.Fix(0, at + n, lon, lat)))


async def test_what_is_in_force_is_shown_live_and_at_sign_in(desk: Desk) -> None:
    """DOM-WRN-11."""
    ana = await Worker.enter(desk.stage, "ana", "warnings")
    made = await sent(desk.officer, desk.approver)
    item = await ana.sees(f"warning:{made['message']}", state="in_force", loud=True)
    assert item["ends"] > now_ms() + 23 * HOUR and item["status"] == "Actual"
    assert item["texts"][0]["headline"] == "Hurricane warning for Belize City"
    (circle,) = item["circles"]
    assert (circle["lon"], circle["lat"], circle["radius"]) == (-882_000_000, 175_000_000, 20_001)
    late = await Worker.enter(desk.stage, CAR, "warnings")
    await late.sees(f"warning:{made['message']}", state="in_force")
    await ana.leave()
    await late.leave()


async def test_a_restart_forgets_nothing_in_force(desk: Desk) -> None:
    """DOM-WRN-11."""
    made = await sent(desk.officer, desk.approver)
    for each in (desk.officer, desk.approver):
        await each.leave()
    await desk.stage.stop()
    await desk.stage.start()
    ana = await Worker.enter(desk.stage, "ana", "warnings")
    await ana.sees(f"warning:{made['message']}", state="in_force")
    await ana.leave()


async def test_belief_follows_updates_and_cancels(desk: Desk) -> None:
    """DOM-WRN-11, DOM-WRN-13."""
    ana = await Worker.enter(desk.stage, "ana", "warnings")
    first = await sent(desk.officer, desk.approver)
    await ana.sees(f"warning:{first['message']}")
    update = await desk.officer.do("warning.update", warning=first["warning"])
    await desk.officer.do("warning.check", message=update["message"])
    phrase = "actual update hurricane warning"
    await desk.approver.do("warning.approve", **approval(update, phrase=phrase))
    await ana.sees(f"warning:{update['message']}", kind="Update", state="in_force")
    await ana.sees_no(f"warning:{first['message']}")
    await cancelled(desk, first["warning"])
    over = await ana.sees(f"warning:{update['message']}", state="cancelled", loud=False)
    assert over["ended"] is not None
    assert over["texts"][0]["headline"].startswith("Cancelled: ")
    assert over["texts"][1]["instruction"] == "Lo que pedía hacer ya no es necesario."
    await ana.leave()


async def test_it_is_over_at_its_second(desk: Desk) -> None:
    """DOM-WRN-11: by the clock, with nobody saying so."""
    ana = await Worker.enter(desk.stage, "ana", "warnings")
    ends = now_ms() + 5 * MINUTE + 30_000
    made = await sent(desk.officer, desk.approver, expires=ends)
    await ana.sees(f"warning:{made['message']}", state="in_force")

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp((ends + 1_000) / 1_000, UTC)

    real = told.datetime
    told.datetime = Later  # type: ignore[misc]
    try:
        await desk.stage.core.pool.execute("select pg_notify('psn_board', '')")
        await ana.sees(f"warning:{made['message']}", state="expired")
    finally:
        told.datetime = real  # type: ignore[misc]
    await ana.leave()


async def test_only_units_inside_are_warned_and_those_that_come(desk: Desk) -> None:
    """DOM-WRN-26."""
    near = await Worker.enter(desk.stage, CAR, "warnings")
    far = await Worker.enter(desk.stage, PATROL, "warnings")
    await report(near.peer)
    await report(far.peer, **FAR)
    newest = desk.stage.core.picture.newest
    await until(lambda: {CAR, PATROL} <= newest.keys(), "both are known")
    made = await sent(desk.officer, desk.approver)
    address = f"warning:{made['message']}"
    await near.sees(address)
    await far.peer.answers()
    assert address not in far.board
    await leap(far.peer)
    await leap(near.peer, **FAR)
    await far.sees(address)
    await near.sees_no(address)
    await near.leave()
    await far.leave()


async def test_a_unit_that_fell_silent_outside_may_have_come_in(desk: Desk) -> None:
    """DOM-WRN-26: also one whose old position comes only now; until it is heard of elsewhere."""
    silent = await Worker.enter(desk.stage, CAR, "warnings")
    fresh = await Worker.enter(desk.stage, PATROL, "warnings")
    await earlier(silent.peer, 20, **FAR)
    await earlier(fresh.peer, 3, **FAR)
    newest = desk.stage.core.picture.newest
    await until(lambda: {CAR, PATROL} <= newest.keys(), "both are known")
    made = await sent(desk.officer, desk.approver)
    address = f"warning:{made['message']}"
    await silent.sees(address)
    await fresh.peer.answers()
    assert address not in fresh.board
    # Nothing is heard of the other one any more, either.
    newest[PATROL].received -= 20 * MINUTE
    await fresh.sees(address)
    await report(fresh.peer, **FAR)
    await fresh.sees_no(address)
    await silent.leave()
    await fresh.leave()


@pytest.mark.parametrize(
    ("silent", "km", "fastest", "known"),
    [(0, 0.1, 100, True), (300, 0.1, 100, True), (301, 1, 100, False), (301, 31, 100, True),
     (301, 31, 350, False), (1_800, 185, 100, True), (1_801, 500, 100, False), (0, -1, 100, False)],
)  # fmt: skip
def test_who_cannot_be_inside(silent: float, km: float, fastest: float, known: bool) -> None:
    """DOM-WRN-26: it fails towards warning."""
    area = shapely.box(-88.5, 17.0, -88.0, 17.5)
    heard = Heard.of([(7, -88.25, 17.5 + km * 1_000 / 105_000, silent, fastest)])
    assert outside(area, heard) == ({7} if known else set())


@given(st.lists(st.tuples(st.floats(0, 4_000), st.floats(-1, 1)), max_size=30), st.floats(0, 2_000))
def test_silence_makes_nobody_known_to_be_elsewhere(
    said: list[tuple[float, float]], more: float
) -> None:
    """DOM-WRN-26."""
    area = shapely.box(-88.5, 17.0, -88.0, 17.5)

    def heard(more: float) -> Heard:
        rows = [(n, -88.25, 17.4 + north, s + more, 100.0) for n, (s, north) in enumerate(said)]
        return Heard.of(rows)

    assert outside(area, heard(more)) <= outside(area, heard(0.0))


async def test_a_unit_that_is_sent_into_the_area_is_warned(desk: Desk) -> None:
    """DOM-WRN-26."""
    ana = await Worker.enter(desk.stage, "ana", "board")
    far = await Worker.enter(desk.stage, PATROL, "warnings")
    await report(far.peer, **FAR)
    await until(lambda: PATROL in desk.stage.core.picture.newest, "it is known")
    made = await sent(desk.officer, desk.approver)
    await far.peer.answers()
    assert f"warning:{made['message']}" not in far.board
    place = {"text": "the pier", "lon": -882_000_000, "lat": 175_000_000}
    number = (await ana.do("incident.open", title="Adrift", place=place))["incident"]
    await ana.do("incident.assign", incident=number, units=[PATROL])
    await far.sees(f"warning:{made['message']}")
    await ana.leave()
    await far.leave()


async def test_gateways_follow_no_warnings(desk: Desk) -> None:
    gateway = await Peer.enter(desk.stage.url, GATEWAY)
    await gateway.send(wire.Follow(n=gateway.number(), topic="warnings"))
    await gateway.refusal("no_topic")
    await gateway.leave()


async def test_an_exercise_is_not_loud_and_says_what_it_is(desk: Desk) -> None:
    """DOM-WRN-5."""
    ana = await Worker.enter(desk.stage, "ana", "warnings")
    made = await desk.officer.do("warning.begin", content=exercise())
    await desk.officer.do("warning.check", message=made["message"])
    await desk.approver.do("warning.approve", **approval(made, phrase=""))
    item = await ana.sees(f"warning:{made['message']}", status="Exercise", loud=False)
    assert all(
        each["headline"].startswith(("EXERCISE EXERCISE", "SIMULACRO", "EXERCISE - DIS"))
        for each in item["texts"]
    )
    await ana.leave()


async def test_who_confirms_counts_once_for_each_session_unit_and_person(desk: Desk) -> None:
    """DOM-WRN-27."""
    sessions = [await Worker.enter(desk.stage, who, "warnings") for who in ("ana", "ana", CAR)]
    made = await sent(desk.officer, desk.approver)
    for each in sessions:
        await each.sees(f"warning:{made['message']}")
        for _ in range(2):
            await each.do("warning.confirm", message=made["message"])
    await desk.officer.sees(
        f"warning_message:{made['message']}",
        shown=3,
        confirmed_sessions=3,
        confirmed_units=1,
        confirmed_people=1,
    )
    draft = await desk.officer.do("warning.update", warning=made["warning"])
    await sessions[0].refused("warning.confirm", "not_found", message=draft["message"])
    for each in sessions:
        await each.leave()


async def test_who_was_shown_nothing_confirms_nothing(desk: Desk) -> None:
    """DOM-WRN-27: but who was shown it before he was connected anew does."""
    pool = desk.stage.core.pool
    seeing = await Worker.enter(desk.stage, CAR, "warnings")
    blind = await Worker.enter(desk.stage, "ana", "board")
    made = await sent(desk.officer, desk.approver)
    await seeing.sees(f"warning:{made['message']}")
    await blind.refused("warning.confirm", "not_now", message=made["message"])
    shown = "select count(*) from warning_shown where address = $1"
    assert await pool.fetchval(shown, "person:1") == 0
    async with asyncio.timeout(WITHIN):
        while not await pool.fetchval(shown, f"unit:{CAR}"):
            await asyncio.sleep(0.05)
    await seeing.leave()
    again = await Worker.enter(desk.stage, CAR)
    await again.do("warning.confirm", message=made["message"])
    row = await pool.fetchrow(
        "select count(*) as shown, count(confirmed_at) as confirmed from warning_shown"
        " where address = $1",
        f"unit:{CAR}",
    )
    assert dict(row) == {"shown": 1, "confirmed": 1}
    await again.leave()
    await blind.leave()


async def test_drafts_are_seen_by_who_warns_in_the_agency(desk: Desk) -> None:
    """DOM-WRN-1."""
    made = await desk.officer.do("warning.begin", content=exercise())
    await desk.approver.sees(f"warning_message:{made['message']}", stage="draft")
    await desk.officer.do("warning.drop", message=made["message"])
    await desk.approver.sees(f"warning_message:{made['message']}", stage="dropped")
    ben = await Peer.enter(desk.stage.url, "ben")
    await ben.send(wire.Follow(n=ben.number(), topic="warning_desk"))
    await ben.refusal("no_topic")
    await ben.leave()
