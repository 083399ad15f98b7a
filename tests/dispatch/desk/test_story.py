"""From the call to "all clear", over the wire, between two agencies."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from desk_peer import Worker
from stage import BCG, BPD, CAR, CUSTOMS, PATROL, Stage, now_ms, report, texts, until

from psn import wire


async def test_from_the_call_to_all_clear(stage: Stage) -> None:
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    call = (await ana.do("call.take", line="911"))["id"]
    await ana.sees(f"call:{call}", state="taken", taken_by_name="Ana")
    place = {"text": "Queen Street, Orange Walk", "lon": -885_560_000, "lat": 180_820_000}
    await ana.do("call.change", call=call, caller_name="Rosa", place=place, notes="hit and run")
    opened = await ana.do("call.open_incident", call=call, title="Hit and run", priority=1)
    number = opened["incident"]
    assert opened["number"].startswith("BPD-")
    await ana.sees(f"call:{call}", state="incident", incident=number)
    incident = await ana.sees(f"incident:{number}", phase="waiting", priority=1)
    assert incident["place"] == place["text"] and incident["lon"] == place["lon"]
    assert incident["details"] == "hit and run" and incident["owner_name"] == "Ana"

    made = await ana.do("incident.assign", incident=number, units=[CAR])
    assignment = made["assignments"][0]
    await car.sees(f"incident:{number}", title="Hit and run")
    await until(lambda: texts(car.peer), "the order is in the mailbox")
    assert f"{opened['number']} P1 Hit and run" in texts(car.peer)[0]
    await car.do("unit.status", status="acknowledged", assignment=assignment)
    await car.do("unit.status", status="en_route", assignment=assignment)
    await ana.sees(f"incident:{number}", phase="en_route", units=[CAR])
    await car.do("unit.status", status="on_scene", assignment=assignment)
    await ana.refused("incident.close", "not_now", incident=number, outcome="done")
    await car.do("unit.status", status="clear", assignment=assignment)
    await ana.sees(f"unit:{CAR}", status="available")
    await ana.do("incident.close", incident=number, outcome="done", text="driver found")
    await ana.sees(f"incident:{number}", phase="closed", outcome="done")
    await car.sees_no(f"incident:{number}")

    times = ana.board[f"assignment:{assignment}"]
    steps = ["ordered", "acknowledged", "en_route", "on_scene", "ended"]
    assert [times[step] for step in steps] == sorted(times[step] for step in steps)
    await ana.leave()
    await car.leave()


async def test_an_order_may_lead_elsewhere_than_to_the_incident(stage: Stage) -> None:
    """DOM-ASG-8."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    adrift = {"text": "5 nm E of Turneffe", "lon": -876_000_000, "lat": 173_000_000}
    pier = {"text": "Coast Guard pier", "lon": -882_000_000, "lat": 175_000_000}
    number = (await ana.do("incident.open", title="Adrift", place=adrift))["incident"]
    nameless = pier | {"text": " "}
    await ana.refused("incident.assign", "bad_value", incident=number, units=[CAR], place=nameless)
    made = await ana.do("incident.assign", incident=number, units=[CAR], place=pier)
    (assignment,) = made["assignments"]
    own = await car.sees(f"assignment:{assignment}", place="Coast Guard pier")
    assert (own["lon"], own["lat"]) == (pier["lon"], pier["lat"])
    await until(lambda: texts(car.peer), "the order is in the mailbox")
    assert "5 nm E of Turneffe\nGo to: Coast Guard pier" in texts(car.peer)[0]
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="place of assignment"):
        await stage.core.pool.execute("update assignment set place = 'another pier'")
    await ana.do("incident.assign", incident=number, units=[PATROL])
    assert "place" not in ana.board[f"assignment:{assignment + 1}"]
    await ana.leave()
    await car.leave()


async def test_a_unit_in_an_emergency_of_its_own_is_sent_only_knowingly(stage: Stage) -> None:
    """DOM-ASG-12; no answer to one question is taken for the answer to another."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    emergency = (await car.do("emergency.press"))["id"]
    first = (await ana.do("incident.open", title="Crash"))["incident"]
    other = (await ana.do("incident.open", title="Fire"))["incident"]
    body = {"incident": first, "units": [CAR, PATROL]}
    for yes in ({}, {"anyway": True}, {"divert": True}):
        told = await ana.refused("incident.assign", "unit_in_emergency", **body, **yes)
        callsign = stage.core.directory.units[CAR].callsign
        assert told.text.startswith(f"{callsign}: the red button was pressed")
        assert told.units == [CAR]
    assert not [a for a in ana.board if a.startswith("assignment:")]
    await ana.refused("incident.assign", "unit_in_emergency", **body, knowing=[PATROL])
    patrol = await Worker.enter(stage, PATROL)
    pressed = (await patrol.do("emergency.press"))["id"]  # after the dispatcher was asked
    told = await ana.refused("incident.assign", "unit_in_emergency", **body, knowing=[CAR])
    callsign = stage.core.directory.units[PATROL].callsign
    assert told.text.startswith(f"{callsign}: the red button was pressed")
    assert told.units == [PATROL]
    await patrol.do("emergency.safe")
    await ana.do("emergency.own", emergency=pressed)
    await ana.do("emergency.end", emergency=pressed, outcome="a slip")
    await ana.do("incident.assign", **body, knowing=[CAR])
    there = {"incident": other, "units": [CAR]}
    await ana.refused("incident.assign", "unit_in_emergency", **there, divert=True)
    await ana.refused("incident.assign", "unit_taken", **there, knowing=[CAR])
    await ana.do("incident.assign", **there, divert=True, knowing=[CAR])
    await ana.do("emergency.own", emergency=emergency)
    await ana.do("emergency.end", emergency=emergency, outcome="all well")
    await ana.refused("incident.assign", "unit_in_emergency", **body, divert=True)
    await car.do("emergency.safe")
    await ana.do("incident.assign", incident=first, units=[CAR], divert=True)
    for worker in (ana, car, patrol):
        await worker.leave()


async def test_a_crew_that_is_called_back_is_told_why(stage: Stage) -> None:
    """DOM-ASG-9."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    opened = await ana.do("incident.open", title="Armed robbery")
    made = await ana.do("incident.assign", incident=opened["incident"], units=[CAR])
    await until(lambda: len(texts(car.peer)) == 1, "the order is in the mailbox")
    (assignment,) = made["assignments"]
    await ana.do("assignment.recall", assignment=assignment, reason="Wait at the bridge, armed")
    await until(lambda: len(texts(car.peer)) == 2, "and why it is called back")
    assert texts(car.peer)[1] == (
        f"Called back from {opened['number']} Armed robbery: Wait at the bridge, armed"
    )
    await ana.leave()
    await car.leave()


async def test_an_emergency_pressed_again_is_raised_anew(stage: Stage) -> None:
    """DOM-EMG-2."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    number = (await car.do("emergency.press"))["id"]
    address = f"emergency:{number}"
    await ana.do("emergency.own", emergency=number)
    await car.do("emergency.press")
    again = await ana.sees(address, presses=2)
    assert again["owner_name"] == "Ana", "she has only just taken it"
    await ana.do("emergency.end", emergency=number, outcome="talked to them")
    await stage.core.pool.execute("update emergency set owned_at = now() - interval '2 minutes'")
    before = now_ms() - 1_000
    await car.do("emergency.press")
    again = await ana.sees(address, presses=3)
    assert "owner" not in again and "desk_safe" not in again
    await car.refused("emergency.safe", "not_now", at=before)
    await car.do("emergency.safe")
    await ana.sees(address, presses=3)
    await ana.refused("emergency.end", "not_now", emergency=number, outcome="by her old word")
    await ana.do("emergency.own", emergency=number)
    await ana.do("emergency.end", emergency=number, outcome="seen, well")
    await ana.sees_no(address)
    await ana.leave()
    await car.leave()


async def test_the_red_button_rings_at_a_locked_console(stage: Stage) -> None:
    """DOM-SES-8."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    ticket = stage.core.tickets.by_token(ana.peer.me.token)
    assert ticket is not None
    ticket.active -= timedelta(minutes=30)
    await ana.peer.expect(wire.Locked)
    ana.peer.frames.clear()
    await car.do("emergency.press")
    await ana.peer.expect(wire.EmergencyWaits)
    assert not ana.peer.of(wire.News)
    await ana.leave()
    await car.leave()


async def test_that_a_crew_was_well_long_ago_does_not_count_as_now(stage: Stage) -> None:
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    check = (await ana.do("welfare.start", unit=CAR, every=900))["id"]
    due = (await car.sees(f"welfare:{check}"))["due"]
    await car.do("welfare.answer", welfare=check, at=now_ms() - 600_000)
    assert (await car.sees(f"welfare:{check}"))["due"] == due
    await asyncio.sleep(0.01)
    await car.do("welfare.answer", welfare=check)
    assert (await car.sees(f"welfare:{check}"))["due"] > due
    await ana.leave()
    await car.leave()


async def test_an_agency_has_more_than_99_999_calls_a_year(stage: Stage) -> None:
    ana = await Worker.enter(stage, "ana")
    await ana.do("call.take", line="911")
    await stage.core.pool.execute("update counter set last = 99998")
    calls = [(await ana.do("call.take", line="911"))["id"] for _ in range(3)]
    numbers = [(await ana.sees(f"call:{call}"))["number"] for call in calls]
    assert [number[-6:] for number in numbers] == ["-99999", "100000", "100001"]
    await ana.leave()


async def test_a_point_that_was_put_right_is_not_overwritten_by_a_change_of_words(
    stage: Stage,
) -> None:
    """DOM-INC-5."""
    ana, other = await Worker.enter(stage, "ana"), await Worker.enter(stage, "ana")
    wrong = {"text": "Mile 8", "lon": -883_000_000, "lat": 175_000_000}
    right = wrong | {"lon": -884_000_000}
    number = (await ana.do("incident.open", title="Crash", place=wrong))["incident"]
    change = {"incident": number, "field": "place"}
    await ana.do("incident.change", **change, was=wrong, now=right)
    words = wrong | {"text": "Mile 8, at the church"}
    await other.refused("incident.change", "changed_meanwhile", **change, was=wrong, now=words)
    await other.do("incident.change", **change, was=right, now=right | {"text": words["text"]})
    there = await ana.sees(f"incident:{number}", place="Mile 8, at the church")
    assert there["lon"] == right["lon"]
    log = await stage.core.pool.fetch(
        "select details from incident_event where kind = 'changed' order by seq"
    )
    moves = [json.loads(row["details"]) for row in log]
    assert moves[0]["was_at"] == [-883_000_000, 175_000_000] and "was_at" not in moves[1]
    await ana.leave()
    await other.leave()


async def test_the_line_of_a_call_is_put_right_by_whoever_has_it(stage: Stage) -> None:
    ana, ben = await Worker.enter(stage, "ana"), await Worker.enter(stage, "ben")
    call = (await ana.do("call.take", line="911"))["id"]
    await ana.do("call.change", call=call, line="radio")
    await ana.sees(f"call:{call}", line="radio")
    await ana.refused("call.change", "bad_field", call=call, line="telepathy")
    await ben.refused("call.change", "not_found", call=call, line="90")
    await ana.sees(f"call:{call}", line="radio")
    await ana.leave()
    await ben.leave()


async def test_the_same_action_sent_again_is_done_once(stage: Stage) -> None:
    ana = await Worker.enter(stage, "ana")
    uid = uuid4()
    first = await ana.do("incident.open", uid, title="Boat adrift")
    assert await ana.do("incident.open", uid, title="Boat adrift") == first
    assert await stage.core.pool.fetchval("select count(*) from incident") == 1
    answer = await ana.ask("incident.open", uid, title="Another boat")
    assert getattr(answer, "code", None) == "id_taken"
    await ana.leave()


async def test_of_two_dispatchers_exactly_one_sends_the_unit(stage: Stage) -> None:
    ana, other = await Worker.enter(stage, "ana"), await Worker.enter(stage, "ana")
    numbers = [(await ana.do("incident.open", title=f"Number {n}"))["incident"] for n in range(2)]
    for round_ in range(10):
        answers = await asyncio.gather(
            ana.ask("incident.assign", incident=numbers[0], units=[CAR, PATROL]),
            other.ask("incident.assign", incident=numbers[1], units=[PATROL, CAR]),
        )
        codes = sorted(str(getattr(answer, "code", "done")) for answer in answers)
        assert codes == ["done", "unit_taken"], (round_, answers)
        loser = next(answer for answer in answers if hasattr(answer, "code"))
        assert "Ana" in loser.text
        for unit in (CAR, PATROL):
            await ana.do("unit.status", unit=unit, status="clear")
    await ana.leave()
    await other.leave()


async def test_another_agency_is_asked_and_sends_its_own(stage: Stage) -> None:
    ana, cyd = await Worker.enter(stage, "ana"), await Worker.enter(stage, "cyd")
    number = (await ana.do("incident.open", title="Road block"))["incident"]
    truck = 5
    await ana.refused("incident.assign", "not_found", incident=number, units=[truck])
    invited = await ana.do("incident.invite", incident=number, agency=CUSTOMS, text="a road block")
    invitation = f"invitation:{invited['id']}"
    await cyd.sees(invitation, from_agency=BPD, text="a road block", title="Road block")
    assert f"incident:{number}" not in cyd.board
    await cyd.refused("incident.note", "not_found", incident=number, text="what is it?")
    await cyd.do("invitation.answer", invitation=invited["id"], answer="accepted")
    await cyd.sees(f"incident:{number}", agencies=[BPD, CUSTOMS])
    await ana.do("incident.note", incident=number, text="informant at the pump", private=True)
    await ana.do("incident.note", incident=number, text="a white Toyota")
    await cyd.do("incident.assign", incident=number, units=[truck])
    await ana.sees(f"unit:{truck}", status="ordered")
    made = await ana.sees(f"incident:{number}", units=[truck])
    assert made["phase"] == "ordered"
    await cyd.do("unit.status", unit=truck, status="clear")
    await ana.sees_no(f"unit:{truck}")
    await cyd.do("incident.leave", incident=number)
    await cyd.sees_no(f"incident:{number}")
    await ana.leave()
    await cyd.leave()


async def test_a_change_of_what_was_changed_meanwhile_is_refused(stage: Stage) -> None:
    ana, other = await Worker.enter(stage, "ana"), await Worker.enter(stage, "ana")
    number = (await ana.do("incident.open", title="Fire"))["incident"]
    change = {"incident": number, "field": "title", "was": "Fire"}
    await ana.do("incident.change", **change, now="Fire in a store")
    refusal = await other.refused("incident.change", "changed_meanwhile", **change, now="Bush fire")
    assert "Fire in a store" in refusal.text
    await other.do("incident.change", incident=number, field="priority", was=3, now=1)
    await ana.sees(f"incident:{number}", title="Fire in a store", priority=1)
    await ana.leave()
    await other.leave()


async def test_the_red_button_is_over_only_when_both_have_said_so(stage: Stage) -> None:
    ana, ben = await Worker.enter(stage, "ana"), await Worker.enter(stage, "ben")
    car = await Worker.enter(stage, CAR)
    number = (await car.do("emergency.press"))["id"]
    address = f"emergency:{number}"
    for each in (ana, ben, car):
        await each.sees(address, unit=CAR)
    assert (await car.do("emergency.press"))["id"] == number
    await ana.sees(address, presses=2)
    await ana.refused("emergency.end", "not_now", emergency=number, outcome="safe")
    await ana.do("emergency.own", emergency=number)
    await ben.sees(address, owner_name="Ana")
    await car.do("emergency.safe", emergency=number)
    await car.do("emergency.press")
    await ana.do("emergency.end", emergency=number, outcome="a fall, unhurt")
    assert address in ana.board
    await car.do("emergency.safe", emergency=number)
    for each in (ana, ben, car):
        await each.sees_no(address)
        await each.leave()


async def test_another_agency_helps_with_an_emergency_and_takes_it_from_nobody(
    stage: Stage,
) -> None:
    """DOM-EMG-4 and DOM-EMG-6."""
    ana, ben = await Worker.enter(stage, "ana"), await Worker.enter(stage, "ben")
    car = await Worker.enter(stage, CAR)
    nowhere = {"text": "", "lon": 0, "lat": 0}
    number = (await ben.do("emergency.press", unit=CAR, place=nowhere))["id"]
    address = f"emergency:{number}"
    await ben.do("emergency.own", emergency=number)
    await ana.sees(address, owner_name="Ben", owner_agency=BCG)
    await ana.do("emergency.own", emergency=number)
    await ben.refused("emergency.own", "not_now", emergency=number)
    await ana.do("emergency.end", emergency=number, outcome="slipped on the pier")
    await car.do("emergency.safe")
    await ana.sees_no(address)
    outcome = await stage.core.pool.fetchval("select outcome from emergency")
    assert outcome == "slipped on the pier"
    for each in (ana, ben, car):
        await each.leave()


async def test_a_unit_whose_receiver_knows_no_place_is_heard_all_the_same(stage: Stage) -> None:
    """DOM-EMG-1."""
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    await report(car.peer, lon=0, lat=0)
    await until(lambda: CAR in stage.core.picture.newest, "it stands at 0, 0")
    number = (await car.do("emergency.press"))["id"]
    await ana.sees(f"emergency:{number}", unit=CAR)
    assert f"emergency_place:{number}" not in ana.board
    for each in (ana, car):
        await each.leave()


async def test_what_is_no_place_or_says_nothing_is_refused_in_words(stage: Stage) -> None:
    ana = await Worker.enter(stage, "ana")
    for place, words in (
        ({"text": "x", "lon": 5}, "go together"),
        ({"text": "x", "lon": 0, "lat": 0}, "knows no place"),
    ):
        told = await ana.refused("incident.open", "bad_field", title="Fire", place=place)
        assert words in told.text
    for title in (" ", "\u200b", "\u202e\n"):
        told = await ana.refused("incident.open", "bad_field", title=title)
        assert told.text.startswith("The field title is blank")
    await ana.leave()


async def test_where_a_button_was_pressed_is_told_to_whom_the_unit_is_shown_exactly(
    stage: Stage,
) -> None:
    """DOM-EMG-5."""
    ana, ben = await Worker.enter(stage, "ana"), await Worker.enter(stage, "ben")
    car = await Worker.enter(stage, CAR)
    pool = stage.core.pool
    await ben.sees(f"unit:{CAR}")
    await pool.execute("update agreement set units = 'blurred' where owner_agency = $1", BPD)
    await ben.sees_no(f"unit:{CAR}")
    place = {"text": "", "lon": -885_600_000, "lat": 180_800_000}
    number = (await car.do("emergency.press", place=place))["id"]
    seen = await ben.sees(f"emergency:{number}", unit=CAR)
    assert not {"lon", "lat"} & seen.keys()
    await ana.sees(f"emergency_place:{number}", lon=place["lon"], lat=place["lat"])
    assert f"emergency_place:{number}" not in ben.board
    await pool.execute("update agreement set units = 'exact' where owner_agency = $1", BPD)
    await ben.sees(f"emergency_place:{number}", lat=place["lat"])
    await pool.execute("update agreement set units = 'presence' where owner_agency = $1", BPD)
    await ben.sees_no(f"emergency_place:{number}")
    assert f"emergency:{number}" in ben.board
    await ana.do("emergency.own", emergency=number)
    await ana.do("emergency.end", emergency=number, outcome="fell")
    await car.do("emergency.safe")
    await ana.sees_no(f"emergency_place:{number}")
    for each in (ana, ben, car):
        await each.leave()


async def test_a_crew_in_a_dead_spot_is_safe_before_it_knows_its_emergency(stage: Stage) -> None:
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    await car.refused("emergency.safe", "not_found")
    number = (await car.do("emergency.press"))["id"]
    await car.do("emergency.safe")
    await ana.sees(f"emergency:{number}", unit=CAR)
    await until(lambda: ana.board[f"emergency:{number}"].get("unit_safe"), "its word is seen")
    await ana.refused("emergency.safe", "not_found")
    await ana.leave()
    await car.leave()


async def test_a_note_of_a_dead_spot_has_its_own_time(stage: Stage) -> None:
    ana, car = await Worker.enter(stage, "ana"), await Worker.enter(stage, CAR)
    number = (await ana.do("incident.open", title="Burglary"))["incident"]
    await ana.do("incident.assign", incident=number, units=[CAR])
    written = now_ms() - 600_000
    await car.do("incident.note", incident=number, text="Door forced.", at=written)
    await car.do("incident.note", incident=number, text="Ahead.", at=now_ms() + 86_400_000)
    found = await stage.core.pool.fetch(
        "select details::text from incident_event where kind = 'note' order by seq"
    )
    past, ahead = (json.loads(row["details"]) for row in found)
    assert past == {"text": "Door forced.", "said": written}
    assert ahead["said"] <= now_ms()
    await ana.leave()
    await car.leave()


async def test_orders_that_do_not_arrive_raise_themselves(stage: Stage) -> None:
    ana = await Worker.enter(stage, "ana")
    number = (await ana.do("incident.open", title="Burglary"))["incident"]
    made = await ana.do("incident.assign", incident=number, units=[CAR])
    assignment = made["assignments"][0]
    await stage.core.pool.execute(
        "alter table assignment disable trigger assignment_times;"
        "update assignment set ordered_at = now() - interval '70 s';"
        "alter table assignment enable trigger assignment_times"
    )

    def kinds() -> set[str]:
        return {i["kind"] for i in ana.board.values() if i["is"] == "alarm"}

    await until(lambda: {"order_undelivered", "order_unacknowledged"} <= kinds(), "it is raised")
    car = await Worker.enter(stage, CAR)
    await car.do("unit.status", status="acknowledged", assignment=assignment)
    await until(lambda: not kinds(), f"it is over: {kinds()}")
    await ana.leave()
    await car.leave()


async def test_what_is_no_action_is_refused(stage: Stage) -> None:
    ana = await Worker.enter(stage, "ana")
    await ana.refused("incident.explode", "no_action")
    await ana.refused("incident.open", "bad_field", title=7)
    await ana.refused("incident.note", "not_found", incident=999, text="x")
    await ana.leave()
