"""Orders that the record refuses for good: the desk is told, and can do something about it."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest
from desk_peer import Worker
from stage import CAR, PATROL, Complaints, Stage, message, texts, until

from psn import wire

TEXT = "Something else that has the order's id"


async def same_id(stage: Stage, ana: Worker) -> UUID:
    """Another message to the car is stored under the id that the next orders will have."""
    note = message(f"unit:{CAR}", TEXT)
    await ana.peer.send(note)
    await ana.peer.expect(wire.Ack, lambda ack: ack.id == note.id)
    await stage.core.pool.execute(
        f"alter table assignment alter order_id set default '{note.id}'::uuid"
    )
    return note.id


async def others_again(stage: Stage) -> None:
    await stage.core.pool.execute(
        "alter table assignment alter order_id set default gen_random_uuid()"
    )


async def test_an_order_that_the_record_refuses_says_so_and_is_sent_again(
    stage: Stage, complaints: Complaints
) -> None:
    """DOM-ASG-11."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    taken = await same_id(stage, ana)
    await until(lambda: texts(car.peer) == [TEXT], "the crew has the other message")
    await car.peer.send(wire.Seen(f"unit:{CAR}", 1))
    await until(lambda: "delivered" in receipts(ana), "the other message is delivered")
    opened = await ana.do("incident.open", title="Burglary")
    incident = opened["incident"]
    (assignment,) = (await ana.do("incident.assign", incident=incident, units=[CAR]))["assignments"]
    mine = f"assignment:{assignment}"
    row = await ana.sees(mine, refusal="id_taken", order=str(taken))
    assert row["refused"] >= row["ordered"] and "sent" not in row
    alarm = await raised(ana, mine)
    assert alarm["kind"] == "order_undelivered"
    assert "delivered" not in ana.board[mine], "the other message is not the order"

    # What is refused keeps no other order waiting.
    await others_again(stage)
    patrol = await Worker.enter(stage, PATROL)
    await ana.do("incident.assign", incident=incident, units=[PATROL])
    await until(lambda: texts(patrol.peer), "another unit gets its order")

    await ana.do("assignment.send_again", assignment=assignment)
    await until(lambda: len(texts(car.peer)) == 2, "the crew has its order")
    assert texts(car.peer)[1].startswith(f"{opened['number']} P")
    await car.peer.send(wire.Seen(f"unit:{CAR}", 2))
    await until(lambda: "delivered" in ana.board[mine], "that it arrived is known")
    row = ana.board[mine]
    assert row["order"] != str(taken) and "refused" not in row and "refusal" not in row
    await until(lambda: alarm["id"] not in alarms(ana), "the alarm is over")
    await ana.refused("assignment.send_again", "not_now", assignment=assignment)
    log = await stage.core.pool.fetch(
        "select kind, details->>'again' as again from incident_event"
        " where incident_id = $1 and (details->>'unit')::int = $2 order by seq",
        incident,
        CAR,
    )
    assert [(row["kind"], row["again"]) for row in log] == [
        ("unit_ordered", None),
        ("unit_ordered", "true"),
    ]
    assert [said for said in complaints.said if "is refused" in said]
    complaints.said.clear()
    for each in (ana, car, patrol):
        await each.leave()


async def test_the_desk_says_that_the_crew_knows_or_calls_it_back(
    stage: Stage, complaints: Complaints
) -> None:
    """DOM-ASG-11."""
    ana = await Worker.enter(stage, "ana")
    await same_id(stage, ana)
    incident = (await ana.do("incident.open", title="Burglary"))["incident"]
    (assignment,) = (await ana.do("incident.assign", incident=incident, units=[CAR]))["assignments"]
    mine = f"assignment:{assignment}"
    await ana.sees(mine, refusal="id_taken")
    alarm = await raised(ana, mine)
    await ana.do(
        "unit.status", unit=CAR, status="acknowledged", assignment=assignment, note="by radio"
    )
    await until(lambda: alarm["id"] not in alarms(ana), "the alarm is over")
    assert ana.board[mine]["acknowledged"] and "delivered" not in ana.board[mine]
    await ana.refused("assignment.send_again", "not_now", assignment=assignment)

    await ana.do("assignment.recall", assignment=assignment, reason="Another is nearer")
    await others_again(stage)
    (second,) = (await ana.do("incident.assign", incident=incident, units=[CAR]))["assignments"]
    await until(lambda: "sent" in ana.board[f"assignment:{second}"], "it is in the mailbox")
    await ana.refused("assignment.send_again", "not_now", assignment=second)
    await ana.refused("assignment.send_again", "not_found", assignment=999)
    complaints.said.clear()
    await ana.leave()


async def test_the_crew_goes_on_when_the_refusal_comes_after_its_word(
    stage: Stage, complaints: Complaints
) -> None:
    """The crew was told by voice before the record had refused its order."""
    ana = await Worker.enter(stage, "ana")
    await same_id(stage, ana)
    incident = (await ana.do("incident.open", title="Burglary"))["incident"]
    (assignment,) = (await ana.do("incident.assign", incident=incident, units=[CAR]))["assignments"]
    await ana.sees(f"assignment:{assignment}", refusal="id_taken")
    # As it is when somebody notes it before the orders' loop hears of the refusal.
    await stage.core.pool.execute("update assignment set delivered_at = now()")
    for status in ("acknowledged", "en_route", "on_scene", "clear"):
        await ana.do("unit.status", unit=CAR, status=status, assignment=assignment)
    complaints.said.clear()
    await ana.leave()


async def test_since_when_and_why_go_together(stage: Stage) -> None:
    ana = await Worker.enter(stage, "ana")
    incident = (await ana.do("incident.open", title="Burglary"))["incident"]
    await ana.do("incident.assign", incident=incident, units=[CAR])
    with pytest.raises(asyncpg.CheckViolationError, match="assignment_refused_check"):
        await stage.core.pool.execute("update assignment set refusal = 'id_taken'")
    await ana.leave()


def receipts(ana: Worker) -> set[str]:
    bodies = [mail.body for mail in ana.peer.of(wire.Mail)]
    return {body.state for body in bodies if isinstance(body, wire.ReceiptBody)}


def alarms(ana: Worker) -> dict[int, dict[str, object]]:
    return {item["id"]: item for item in ana.board.values() if item["is"] == "alarm"}


async def raised(ana: Worker, about: str) -> dict[str, object]:
    """The alarm about an assignment, well before ten seconds are over."""
    await until(lambda: [a for a in alarms(ana).values() if a["about"] == about], "it is raised", 5)
    return next(a for a in alarms(ana).values() if a["about"] == about)
