"""No sequence of actions breaks what always holds (docs/domain.md), and boards never drift.

Random actions by dispatchers and crews of three agencies, sensible ones and others, on a running
server. After each one the database is asked for every rule that could be broken, and a small model
of units and incidents says whether it had to succeed. At the end of each sequence every board that
was built from changes equals one that is asked for anew, and every assignment has its one order.

``PSN_DESK_EXAMPLES`` makes it long (docs/measurements.md).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

import pytest
from desk_peer import Worker
from emptied import past_the_doors
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from stage import BOAT, CAR, PATROL, Stage, until

from psn import connection, wire

pytestmark = pytest.mark.slow

T = TypeVar("T")

EXAMPLES = int(os.environ.get("PSN_DESK_EXAMPLES", "6"))
STEPS = 40
PEOPLE = {"ana": 1, "dan": 1, "ben": 2, "cyd": 3}
UNITS = {CAR: 1, PATROL: 1, BOAT: 2, 5: 3}
FREE = ("off_duty", "out_of_service", "busy", "available")
LADDER = ("ordered", "acknowledged", "en_route", "on_scene")
SAID = (*FREE, *LADDER[1:], "clear")
BROKEN = {
    "a unit with two assignments": """
        select unit_id from assignment where ended_at is null group by 1 having count(*) > 1""",
    "a status without its assignment, or the other way round": """
        select unit_id from unit_status s where (s.status in
        ('ordered', 'acknowledged', 'en_route', 'on_scene')) <> exists (select from assignment a
        where a.unit_id = s.unit_id and a.ended_at is null)""",
    "a status that is not the newest of its history": """
        select s.unit_id from unit_status s where s.source <> '' and s.status is distinct from
        (select status from unit_status_log l where l.unit_id = s.unit_id and not late
          order by id desc limit 1)""",
    "a log with a gap": """
        select incident_id from incident_card k where log_head <> (select count(*)
        from incident_event e where e.incident_id = k.incident_id) or log_head <> coalesce(
        (select max(seq) from incident_event e where e.incident_id = k.incident_id), 0)""",
    "a closed incident with units": """
        select i.id from incident i join assignment a on a.incident_id = i.id
        where i.closed_at is not null and a.ended_at is null""",
    "a unit shown for an incident that it is not on": """
        select m.unit_id from incident_member m where m.unit_id is not null
        and (m.ends_at is null or m.ends_at > now()) and not exists (select from assignment a
        where a.unit_id = m.unit_id and a.incident_id = m.incident_id and a.ended_at is null)""",
    "an assigned unit that is not shown": """
        select a.unit_id from assignment a where a.ended_at is null and 1 <> (select count(*)
        from incident_member m where m.unit_id = a.unit_id and m.incident_id = a.incident_id
        and (m.ends_at is null or m.ends_at > now()))""",
    "a unit of an agency that takes no part": """
        select a.unit_id from assignment a where a.ended_at is null and not exists (select
        from incident_member m where m.agency_id = a.agency_id and m.incident_id = a.incident_id
        and (m.ends_at is null or m.ends_at > now()))""",
    "steps out of order": """
        select id from assignment where en_route_at > on_scene_at
        or acknowledged_at > coalesce(en_route_at, on_scene_at) or ended_at < ordered_at""",
    "an emergency that is over without a dispatcher's word": """
        select id from emergency where ended_at is not null and desk_safe_at is null""",
    "a closed incident without an outcome, or the other way round": """
        select i.id from incident i join incident_card k on k.incident_id = i.id
        where (i.closed_at is null) <> (k.outcome is null)""",
}

workers = st.sampled_from([*PEOPLE, *UNITS])
people = st.sampled_from(sorted(PEOPLE))
tablets = st.sampled_from(sorted(UNITS))
numbers = st.integers(1, 4)


class Desks(RuleBasedStateMachine):
    """One sequence of actions. The model: what each unit is doing, where; what is open, of whom."""

    stage: ClassVar[Stage]
    loop: ClassVar[asyncio.AbstractEventLoop]
    workers: ClassVar[dict[str | int, Worker]]
    steps: ClassVar[int] = 0

    def run_(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def do(self, who: str | int, what: str, **body: Any) -> str:
        """The code of the refusal, or nothing."""
        answer = self.run_(self.workers[who].ask(what, **body))
        type(self).steps += 1
        for broken, statement in BROKEN.items():
            found = self.run_(self.stage.core.pool.fetch(statement))
            assert not found, (broken, who, what, body, answer, found)
        self.answer = answer
        return answer.code if isinstance(answer, wire.Error) else ""

    @initialize()
    def begin(self) -> None:
        self.run_(self._clear())
        self.status = dict.fromkeys(UNITS, "available")
        self.on: dict[int, int] = {}
        self.incidents: dict[int, tuple[bool, frozenset[int]]] = {}
        self.owner: dict[int, int] = {}
        self.invited: dict[int, tuple[int, int]] = {}

    async def _clear(self) -> None:
        await self.stage.core.pool.execute(
            past_the_doors(
                "truncate incident, call, assignment, unit_status, unit_status_log, emergency,"
                " alarm, counter restart identity cascade"
            )
        )
        await self.stage.core.refresh_directory()
        for worker in self.workers.values():
            await until(
                lambda worker=worker: not {a for a in worker.board if not a.startswith("unit:")},  # type: ignore[misc]
                "boards are empty",
            )

    def sees(self, who: str, incident: int) -> bool:
        return PEOPLE[who] in self.incidents.get(incident, (False, frozenset()))[1]

    # -- actions

    @rule(who=people, title=st.sampled_from(["Fire", "Crash", "Boat adrift"]))
    def open_(self, who: str, title: str) -> None:
        if len(self.incidents) < 4:
            assert self.do(who, "incident.open", title=title, priority=2) == ""
            assert isinstance(self.answer, wire.Done)
            number = self.answer.result["incident"]
            self.incidents[number] = (True, frozenset({PEOPLE[who]}))
            self.owner[number] = PEOPLE[who]

    @rule(
        who=people,
        incident=numbers,
        units=st.lists(tablets, min_size=1, max_size=2, unique=True),
        divert=st.booleans(),
    )
    def assign(self, who: str, incident: int, units: list[int], divert: bool) -> None:
        code = self.do(who, "incident.assign", incident=incident, units=units, divert=divert)
        assert code == self._why_not_assigned(who, incident, units, divert)
        if not code:
            for unit in units:
                self.on[unit], self.status[unit] = incident, "ordered"

    def _why_not_assigned(self, who: str, incident: int, units: list[int], divert: bool) -> str:
        if any(UNITS[unit] != PEOPLE[who] for unit in units) or not self.sees(who, incident):
            return "not_found"
        if not self.incidents[incident][0]:
            return "not_now"
        for unit in sorted(units):
            status = self.status[unit]
            if status in LADDER and (self.on[unit] == incident or not divert):
                return "unit_taken"
            if status in ("off_duty", "out_of_service"):
                return "not_now"
        return ""

    @rule(unit=tablets, said=st.sampled_from(SAID), by=st.none() | people)
    def say(self, unit: int, said: str, by: str | None) -> None:
        if by is None:
            code = self.do(unit, "unit.status", status=said)
        else:
            code = self.do(by, "unit.status", status=said, unit=unit)
            if PEOPLE[by] != UNITS[unit]:
                assert code == "not_found"
                return
        before = self.status[unit]
        if before in LADDER:
            later = LADDER[LADDER.index(before) :]
            fits = said == "clear" or said in later
        else:
            fits = said in FREE
        assert code == ("" if fits else "not_now"), (before, said)
        if fits:
            if said == "clear":
                del self.on[unit]
            self.status[unit] = "available" if said == "clear" else said

    @rule(who=people, incident=numbers, other=st.sampled_from([1, 2, 3]))
    def invite(self, who: str, incident: int, other: int) -> None:
        code = self.do(who, "incident.invite", incident=incident, agency=other, text="come")
        if not code:
            assert isinstance(self.answer, wire.Done)
            self.invited[self.answer.result["id"]] = (incident, other)

    @rule(who=people, invitation=numbers, answer=st.sampled_from(["accepted", "declined"]))
    def reply(self, who: str, invitation: int, answer: str) -> None:
        code = self.do(who, "invitation.answer", invitation=invitation, answer=answer)
        if not code:
            incident, agency = self.invited[invitation]
            assert agency == PEOPLE[who]
            if answer == "accepted":
                is_open, there = self.incidents[incident]
                self.incidents[incident] = (is_open, there | {agency})

    @rule(who=people, incident=numbers)
    def leave(self, who: str, incident: int) -> None:
        code = self.do(who, "incident.leave", incident=incident)
        mine = [u for u, on in self.on.items() if on == incident and UNITS[u] == PEOPLE[who]]
        if not self.sees(who, incident):
            assert code == "not_found"
        elif mine or self.owner[incident] == PEOPLE[who]:
            assert code == "not_now"
        else:
            assert code == ""
            is_open, there = self.incidents[incident]
            self.incidents[incident] = (is_open, there - {PEOPLE[who]})

    @rule(who=people, incident=numbers)
    def close(self, who: str, incident: int) -> None:
        code = self.do(who, "incident.close", incident=incident, outcome="done")
        if not self.sees(who, incident):
            assert code == "not_found"
        elif self.owner[incident] != PEOPLE[who]:
            assert code == "not_allowed"
        elif not self.incidents[incident][0] or incident in self.on.values():
            assert code == "not_now"
        else:
            assert code == ""
            self.incidents[incident] = (False, self.incidents[incident][1])

    @rule(who=people, incident=numbers)
    def reopen(self, who: str, incident: int) -> None:
        code = self.do(who, "incident.reopen", incident=incident, reason="it goes on")
        if not code:
            assert not self.incidents[incident][0]
            self.incidents[incident] = (True, self.incidents[incident][1])

    @rule(who=workers, assignment=numbers)
    def recall(self, who: str | int, assignment: int) -> None:
        row = self.run_(
            self.stage.core.pool.fetchrow(
                "select unit_id, agency_id, ended_at from assignment where id = $1", assignment
            )
        )
        what = "assignment.decline" if isinstance(who, int) else "assignment.recall"
        code = self.do(who, what, assignment=assignment, reason="not needed")
        own = row is not None and row["agency_id"] == (PEOPLE | UNITS)[who]  # type: ignore[operator]
        if row is None or not own:
            assert code == "not_found"
        elif row["ended_at"] is not None:
            assert code == "not_now"
        elif isinstance(who, int) and row["unit_id"] != who:
            assert code == "not_allowed"
        else:
            assert code == ""
            del self.on[row["unit_id"]]
            self.status[row["unit_id"]] = "available"

    @rule(who=people, incident=numbers, private=st.booleans())
    def note(self, who: str, incident: int, private: bool) -> None:
        code = self.do(who, "incident.note", incident=incident, text="a note", private=private)
        assert code == ("" if self.sees(who, incident) else "not_found")

    @rule(who=people, call=numbers, what=st.sampled_from(["take", "pick_up", "give_back", "close"]))
    def calls(self, who: str, call: int, what: str) -> None:
        body: dict[str, Any] = {} if what == "take" else {"call": call}
        self.do(
            who, f"call.{what}", **body, **({"reason": "wrong number"} if what == "close" else {})
        )

    @rule(who=people, call=numbers)
    def from_call(self, who: str, call: int) -> None:
        if len(self.incidents) < 4 and not self.do(
            who, "call.open_incident", call=call, title="From a call"
        ):
            assert isinstance(self.answer, wire.Done)
            number = self.answer.result["incident"]
            self.incidents[number] = (True, frozenset({PEOPLE[who]}))
            self.owner[number] = PEOPLE[who]

    @rule(who=workers, emergency=numbers, what=st.sampled_from(["press", "own", "safe", "end"]))
    def emergency(self, who: str | int, emergency: int, what: str) -> None:
        body: dict[str, Any] = {"emergency": emergency}
        if what == "press":
            body = {} if isinstance(who, int) else {"unit": CAR}
        if what == "end":
            body["outcome"] = "safe"
        self.do(who, f"emergency.{what}", **body)

    # -- at the end

    def teardown(self) -> None:
        self.run_(self._compare())

    async def _compare(self) -> None:
        pool = self.stage.core.pool
        unsent = (
            "select a.id from assignment a where 1 <> (select count(*) from log l"
            " where l.uid = a.order_id) or a.sent_at is null"
        )
        for _ in range(1_000):
            if not await pool.fetch(unsent):
                break
            await asyncio.sleep(0.02)
        assert not await pool.fetch(unsent), "every assignment has its one order"
        await asyncio.sleep(0.05)
        for name, worker in self.workers.items():
            await worker.peer.answers()
            built = worker.board
            worker.peer.frames = [f for f in worker.peer.frames if not isinstance(f, wire.News)]
            await worker.follow("board" if isinstance(name, str) else "duty")
            await worker.peer.answers()
            anew = worker.board
            for address in built.keys() | anew.keys():
                # Alarms and what arrives go on by the clock meanwhile.
                if not address.startswith("alarm:"):
                    was, now = built.get(address), anew.get(address)
                    assert _still(was) == _still(now), (name, address, was, now)
            worker.peer.frames = [f for f in worker.peer.frames if isinstance(f, wire.News)]


def _still(item: Any) -> Any:
    """Without what goes on by itself: that an order was sent, and arrived."""
    if not isinstance(item, dict):
        return item
    return {k: v for k, v in item.items() if k not in ("sent", "delivered")}


async def test_no_sequence_of_actions_breaks_what_always_holds(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-INC-2, DOM-INC-4, DOM-INC-8, DOM-INC-9, DOM-ASG-1 to 7, DOM-STA-1, 3, DOM-ACT-4."""
    monkeypatch.setattr(connection, "FRAMES_PER_SECOND", {})
    monkeypatch.setattr(connection, "FRAMES_PER_SECOND_OTHERWISE", 1e6)
    await stage.core.pool.execute(
        "insert into person (agency_id, name, full_name, roles, password_hash)"
        " select 1, 'dan', 'Dan', '{dispatcher}', password_hash from person where id = 1"
    )
    await stage.core.refresh_directory()
    Desks.stage, Desks.loop, Desks.steps = stage, asyncio.get_running_loop(), 0
    Desks.workers = {who: await Worker.enter(stage, who) for who in (*PEOPLE, *UNITS)}
    await asyncio.to_thread(
        run_state_machine_as_test,
        Desks,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    print(f"{Desks.steps} actions")
    for worker in Desks.workers.values():
        await worker.leave()
