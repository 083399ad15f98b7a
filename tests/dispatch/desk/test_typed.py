"""What people type: it turns nothing around it, and what changes nothing is not logged."""

from __future__ import annotations

from typing import Any

import pytest
from desk_peer import Worker
from stage import Stage, now_ms

from dispatch.desk.care import SLOW_CLOCK

BACKWARDS = "BZ-C \u202e4321"
HONEST = "תאונה 👩‍🚒"


async def _log(stage: Stage, incident: int) -> list[tuple[str, dict[str, Any]]]:
    """Kinds and details after the entry that opened it."""
    rows = await stage.core.pool.fetch(
        "select kind, details from incident_event where incident_id = $1 and seq > 1 order by seq",
        incident,
    )
    return [(row["kind"], row["details"]) for row in rows]


async def test_no_title_note_or_name_turns_what_stands_after_it(stage: Stage) -> None:
    """DOM-REC-12."""
    ana = await Worker.enter(stage, "ana")
    number = (await ana.do("incident.open", title=BACKWARDS, details=HONEST))["incident"]
    await ana.sees(f"incident:{number}", title="BZ-C 4321", details=HONEST)
    place = {"text": "\u2067Mile 8"}
    await ana.do("incident.change", incident=number, field="place", was={"text": ""}, now=place)
    await ana.do("incident.note", incident=number, text=BACKWARDS)
    assert "BZ-C 4321" in (await _log(stage, number))[-1][1]
    later = now_ms() + 60_000
    lookout = await ana.do(
        "lookout.issue", subject="vehicle", title=BACKWARDS, plate=BACKWARDS, until=later
    )
    await ana.sees(f"lookout:{lookout['id']}", title="BZ-C 4321", plate="BZ-C 4321")
    call = (await ana.do("call.take", notes=f"{BACKWARDS} {HONEST}"))["id"]
    await ana.sees(f"call:{call}", notes=f"BZ-C 4321 {HONEST}")
    await ana.leave()


async def test_a_title_of_before_is_changed_as_any_other(stage: Stage) -> None:
    ana = await Worker.enter(stage, "ana")
    number = (await ana.do("incident.open", title="Fire"))["incident"]
    await stage.core.pool.execute("update incident set title = $1", BACKWARDS)
    await ana.do("incident.change", incident=number, field="title", was=BACKWARDS, now="Fire")
    assert await stage.core.pool.fetchval("select title from incident") == "Fire"
    await ana.leave()


async def test_what_is_so_already_is_done_and_not_logged(stage: Stage) -> None:
    """DOM-INC-10."""
    ana = await Worker.enter(stage, "ana")
    number = (await ana.do("incident.open", title="Fire"))["incident"]
    await stage.core.pool.execute(
        """update incident_card set checklist = '[{"text": "Gas off", "done": null, "by": null}]'"""
    )
    here = {"incident": number}
    me = int(ana.peer.me.me.removeprefix("person:"))
    await ana.do("incident.check", **here, line=0, done=False)
    await ana.do("incident.check", **here, line=0)
    there = await stage.core.pool.fetchval("select checklist from incident_card")
    await ana.do("incident.check", **here, line=0)
    assert await stage.core.pool.fetchval("select checklist from incident_card") == there
    await ana.do("incident.hand_over", **here, to=me)
    await ana.do("incident.change", **here, field="title", was="Fire", now="Fire")
    pier = {"text": "Pier", "lon": -880_000_000, "lat": 170_000_000}
    await ana.do("incident.change", **here, field="place", was={"text": ""}, now=pier)
    await ana.do("incident.change", **here, field="place", was=pier, now=pier)
    assert [kind for kind, _ in await _log(stage, number)] == ["checked", "changed"]
    await ana.do("incident.check", **here, line=0, done=False)
    await ana.do("incident.hand_over", **here, to=me, text="The gate is locked")
    kind, details = (await _log(stage, number))[-1]
    assert kind == "note" and "The gate is locked" in details  # nothing typed is lost
    await ana.leave()


@pytest.mark.parametrize(("ago", "taken"), [(-5_000, True), (30_000, True), (90_000, False)])
async def test_a_reminder_is_for_a_time_to_come(stage: Stage, ago: int, taken: bool) -> None:
    """DOM-ALM-6; a clock may be a minute behind."""
    assert SLOW_CLOCK.total_seconds() == 60
    ana = await Worker.enter(stage, "ana")
    body = {"text": "call back", "at": now_ms() - ago}
    if taken:
        await ana.do("reminder.set", **body)
    else:
        error = await ana.refused("reminder.set", "bad_value", **body)
        assert (error.text, error.todo) == (
            "The time of this reminder is past.",
            "Say a later time.",
        )
    assert await stage.core.pool.fetchval("select count(*) from reminder") == int(taken)
    await ana.leave()
