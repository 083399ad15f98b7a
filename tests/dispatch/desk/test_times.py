"""Words that come late, orders that are long, and what is forgotten in the end."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from desk_peer import Worker
from stage import CAR, Stage, now_ms, texts, until

from dispatch.desk import forgetting
from psn.wire import MAX_TEXT_CHARACTERS


async def test_what_was_said_before_the_order_does_not_fall_on_it(stage: Stage) -> None:
    """DOM-STA-6."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    before = now_ms() - 60_000
    number = (await ana.do("incident.open", title="Fire"))["incident"]
    (assignment,) = (await ana.do("incident.assign", incident=number, units=[CAR]))["assignments"]
    await car.do("unit.status", status="on_scene")
    told = await car.do("unit.status", status="en_route", at=before)
    assert told == {"status": "on_scene", "late": True}
    row = await stage.core.pool.fetchrow("select * from assignment where id = $1", assignment)
    assert row["on_scene_at"] is not None and row["en_route_at"] is None
    # Said after the order, and heard only now: that is the time of the step.
    after = round(row["ordered_at"].timestamp() * 1000) + 1
    await car.do("unit.status", status="en_route", at=after)
    row = await stage.core.pool.fetchrow("select * from assignment where id = $1", assignment)
    assert round(row["en_route_at"].timestamp() * 1000) == after
    await ana.leave()
    await car.leave()


async def test_a_crew_was_clear_when_it_said_so(stage: Stage) -> None:
    """DOM-STA-4."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    number = (await ana.do("incident.open", title="Fire"))["incident"]
    (assignment,) = (await ana.do("incident.assign", incident=number, units=[CAR]))["assignments"]
    pool = stage.core.pool
    ordered = await pool.fetchval("select ordered_at from assignment")
    said = round(ordered.timestamp() * 1000) + 1
    await asyncio.sleep(0.01)
    await car.do("unit.status", status="clear", at=said)
    assert (await ana.sees(f"assignment:{assignment}", outcome="cleared"))["ended"] == said
    left = await pool.fetchval(
        "select (details->>'said')::bigint from incident_event where kind = 'unit_left'"
    )
    assert left == said
    await ana.leave()
    await car.leave()


async def test_of_an_order_only_the_details_are_cut_and_that_is_said(stage: Stage) -> None:
    """DOM-ASG-10."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    details = "x" * MAX_TEXT_CHARACTERS
    opened = await ana.do("incident.open", title="Fire", details=details)
    number = opened["incident"]
    long = {"incident": number, "units": [CAR]}
    await ana.refused("incident.assign", "bad_value", **long, text=details)
    await ana.do("incident.assign", **long)
    await until(lambda: texts(car.peer), "the order is in the mailbox")
    (order,) = texts(car.peer)
    assert order.startswith(opened["number"]) and len(order) == MAX_TEXT_CHARACTERS
    assert order.endswith("… (more is in the incident)")
    await ana.leave()
    await car.leave()


async def test_what_one_who_is_gone_was_to_be_reminded_of_is_everyones(stage: Stage) -> None:
    ana, pool = await Worker.enter(stage, "ana"), stage.core.pool
    zoe = await pool.fetchval(
        "insert into person (agency_id, name, full_name, roles) values (1, 'zoe', 'Zoe',"
        " '{dispatcher}') returning id"
    )
    number = await pool.fetchval(
        "insert into reminder (agency_id, person_id, text, due_at, author) values"
        " (1, $1, 'call the family', now() + interval '1 hour', 'person:1') returning id",
        zoe,
    )
    stage.core.on_board_notice()
    await until(lambda: zoe in stage.core.directory.people, "she is known")
    await ana.refused("reminder.done", "not_found", reminder=number)
    assert f"reminder:{number}" not in ana.board
    await pool.execute("update person set disabled_at = now() where id = $1", zoe)
    await ana.sees(f"reminder:{number}", text="call the family")
    await ana.do("reminder.done", reminder=number)
    await ana.sees_no(f"reminder:{number}")
    await ana.leave()


async def test_what_was_done_is_known_for_a_while_and_then_forgotten(stage: Stage) -> None:
    ana, pool = await Worker.enter(stage, "ana"), stage.core.pool
    old, new = uuid4(), uuid4()
    for uid in (old, new):
        await ana.do("incident.open", uid, title="Fire")
    ages = f"now() - interval '{forgetting.KEPT_DAYS} days' - interval '1 minute'"
    await pool.execute(f"update action_done set at = {ages} where id = $1", old)
    await pool.execute(
        "insert into unit_letter (unit_id, agency_id, text, author, at, sent_at) select 1, 1, t,"
        f" 'person:1', {ages}, s from (values ('sent', {ages}), ('unsent', null)) v (t, s)"
    )
    assert await forgetting.forget(pool) == 2
    assert [row[0] for row in await pool.fetch("select id from action_done")] == [new]
    await ana.leave()
