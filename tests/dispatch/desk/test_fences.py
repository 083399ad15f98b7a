"""Fences that are watched: in, out, dwell, speed; for whom it is shown, and nobody else."""

from __future__ import annotations

import asyncio

from desk_peer import Worker
from stage import BOAT, CAR, HERE, PATROL, Stage, now_ms, until

from psn import wire

FENCE = """
insert into fence (agency_id, name, area) values (null, 'Here',
    ST_GeomFromText('POLYGON((-88.2 17.48,-88.18 17.48,-88.18 17.5,-88.2 17.5,-88.2 17.48))', 4326))
returning id
"""


def alarms(worker: Worker) -> list[dict[str, object]]:
    return [item for item in worker.board.values() if item["is"] == "alarm"]


async def at(worker: Worker, place: tuple[int, int], speed: int = 0) -> None:
    fix = wire.Fix(0, now_ms(), *place, speed)
    await worker.peer.send(wire.Position(p=fix))
    await worker.peer.answers()


async def fence(stage: Stage) -> int:
    number: int = await stage.core.pool.fetchval(FENCE)
    await stage.core.refresh_directory()
    return number


async def test_coming_in_and_going_out_raise_what_they_should(stage: Stage) -> None:
    number = await fence(stage)
    ana, cyd = await Worker.enter(stage, "ana"), await Worker.enter(stage, "cyd")
    await ana.do("fence_rule.set", fence=number, what="in", unit=CAR)
    await ana.do("fence_rule.set", fence=number, what="out", kind="boat")
    await cyd.do("fence_rule.set", fence=number, what="in")
    await asyncio.sleep(1.2)  # the rules are read every second
    car, patrol = await Worker.enter(stage, CAR), await Worker.enter(stage, PATROL)
    boat = await Worker.enter(stage, BOAT)
    for each in (patrol, boat, car):
        await at(each, HERE)
    await until(lambda: alarms(ana), "the car came in")
    (alarm,) = alarms(ana)
    assert alarm["kind"] == "fence"
    told = alarm["details"]
    assert isinstance(told, dict)
    assert (told["unit"], told["fence"], told["what"]) == (CAR, number, "in")
    await ana.do("alarm.take", alarm=alarm["id"])
    await ana.sees_no(f"alarm:{alarm['id']}")
    assert not alarms(cyd), "customs is shown none of them"
    for worker in (ana, cyd, car, patrol, boat):
        await worker.leave()


async def test_staying_and_speed_raise_one_alarm_as_long_as_they_last(stage: Stage) -> None:
    number = await fence(stage)
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    await at(car, HERE, speed=2_000)
    await ana.do("fence_rule.set", fence=number, what="speed", threshold=1_500)
    await until(lambda: alarms(ana), "it is too fast")
    (fast,) = alarms(ana)
    await ana.do("alarm.take", alarm=fast["id"])
    await ana.do("fence_rule.set", fence=number, what="dwell", threshold=1)
    await until(lambda: alarms(ana), "it stays too long")
    (stays,) = alarms(ana)
    told = stays["details"]
    assert isinstance(told, dict) and told["what"] == "dwell"
    await ana.do("alarm.take", alarm=stays["id"])
    await asyncio.sleep(2.5)
    assert not alarms(ana), "what was told is not told again while it lasts"
    await ana.leave()
    await car.leave()


async def test_a_rule_that_cannot_be_is_refused(stage: Stage) -> None:
    number = await fence(stage)
    ana = await Worker.enter(stage, "ana")
    await ana.refused("fence_rule.set", "bad_value", fence=number, what="dwell")
    await ana.refused("fence_rule.set", "bad_value", fence=number, what="in", threshold=5)
    await ana.refused("fence_rule.set", "not_found", fence=999, what="in")
    made = await ana.do("fence_rule.set", fence=number, what="in")
    cyd = await Worker.enter(stage, "cyd")
    await cyd.refused("fence_rule.end", "not_now", rule=made["id"])
    await ana.do("fence_rule.end", rule=made["id"])
    await ana.leave()
    await cyd.leave()
