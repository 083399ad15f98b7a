"""Calls, incidents and lookouts past their period (docs/domain.md, DOM-RET), on a real database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from ended import (
    HOUR,
    NOW,
    Connection,
    attached,
    call,
    everything,
    hold,
    ids,
    incident,
    lookout,
)
from stage import BCG, BEN, BOAT, BPD, CAR, CUSTOMS, PATROL, TRUCK, seed

from dispatch.numbers import figures
from dispatch.numbers.period import Period
from psn import database as db
from psn import keys
from psn.keeping import pruning
from psn.keeping.pruning.step import Done, Work
from psn.keeping.retention import Kind
from psn.keys import Keys
from psn.trail.audit import Actor

BY = Actor("command line: test")
KEEP: dict[Kind, int | None] = dict.fromkeys(Kind) | {
    Kind.INCIDENT: 30,
    Kind.CALL: 20,
    Kind.LOOKOUT: 10,
}


@pytest.fixture
def own(tmp_path: Path) -> Keys:
    return keys.load(tmp_path / "keys")


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    await seed(database)
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psn.keeping.pruning.step.REST_SECONDS", 0.0)


async def prune(conn: Connection, own: Keys, **more: Any) -> dict[tuple[str, int | None], int]:
    done = await pruning.run(conn, own, {**KEEP, **more.pop("keep", {})}, BY, NOW, **more)
    return {(each.what, each.agency): each.rows for each in done}


async def keep(conn: Connection, agency: int, kind: Kind, days: int | None) -> None:
    await conn.execute("insert into retention values ($1, $2, $3)", agency, kind.value, days)


async def told(conn: Connection, action: str) -> list[dict[str, Any]]:
    rows = await conn.fetch("select body from audit where action = $1 order by seq", action)
    return [json.loads(row[0]) for row in rows]


# -- incidents


async def test_an_incident_goes_whole_and_nothing_of_its_words_stays(
    conn: Connection, own: Keys
) -> None:
    """DOM-RET-1, DOM-RET-4, DOM-RET-9."""
    old = await incident(conn, 40, units={CAR: BPD, PATROL: BPD}, asked=BCG)
    other = await incident(conn, 40)
    young = await incident(conn, 20, title="young")
    await conn.execute("insert into incident_link values ($1, $2, 'Juan', 'test')", old, young)
    await conn.execute(
        "insert into reminder (agency_id, incident_id, text, due_at, author)"
        " values (1, $1, 'ask Juan', now(), 'test')",
        old,
    )
    photo = await attached(conn, old, 40)
    before = await everything(conn)
    dry = await prune(conn, own, dry=True)
    assert await everything(conn) == before, "DOM-RET-5"
    assert dry == {
        ("incident", BPD): 2,
        ("incident.call", BPD): 2,
        ("incident.assignment", BPD): 3,
        ("incident.entry", BPD): 6,
        ("incident.attachment", BPD): 1,
    }
    assert await prune(conn, own) == dry
    assert await ids(conn, "incident") == {young}
    for table, left in (("incident_event", 3), ("incident_member", 2), ("assignment", 1),
                        ("call", 1), ("incident_card", 1)):  # fmt: skip
        rows = await conn.fetch(f"select incident_id from {table}")
        assert [row[0] for row in rows] == [young] * left, table
    for table in ("reminder", "incident_link", "attachment", "invitation"):
        assert await conn.fetchval(f"select count(*) from {table}") == 0
    assert await conn.fetchval("select count(*) from alarm") == 1
    files = {row[0][:36] for row in await conn.fetch("select name from file_orphan")}
    assert files == {str(photo)}, "DOM-FILE-9"
    (entry,) = await told(conn, "incident.pruned")
    assert (entry["actor"], entry["owner"]) == (BY.address, BPD)
    assert entry["details"] == {
        "rows": 2,
        "before": "2026-10-02T00:00:00Z",
        "ids": [old, other],
        **{"call": 2, "assignment": 3, "entry": 6, "recording": 0, "attachment": 1},
    }
    assert await prune(conn, own) == {}


async def test_the_audit_of_an_incident_does_not_say_what_it_is_called(
    conn: Connection, own: Keys
) -> None:
    """DOM-RET-9: the audit outlives it."""
    await incident(conn, 40)
    await prune(conn, own)
    rows = await conn.fetch("select action, body from audit where object like 'incident:%'")
    assert {row["action"] for row in rows} == {"incident.added", "incident.removed"}
    assert not [row["body"] for row in rows if "Juan" in row["body"]]
    assert all('"title"' in row["body"] for row in rows), "only that it had one"
    (removed,) = await told(conn, "incident.removed")
    assert removed["actor"] == BY.address


async def test_what_is_open_or_worked_on_stays(conn: Connection, own: Keys) -> None:
    """DOM-RET-9."""
    still_open, units_on_it, arriving = [await incident(conn, 90) for _ in range(3)]
    await conn.execute("update incident set closed_at = null where id = $1", still_open)
    await conn.execute(
        "insert into assignment (incident_id, unit_id, agency_id, ordered_by)"
        " values ($1, $2, 1, 'test')",
        *(units_on_it, PATROL),
    )
    await attached(conn, arriving, 0, state="checking")
    noted = await incident(conn, 90)
    await conn.execute(
        "insert into incident_event (incident_id, seq, at, author, author_name, kind)"
        " values ($1, 4, $2, 'x', 'x', 'note')",
        *(noted, NOW - timedelta(days=3)),
    )
    assert await prune(conn, own) == {}
    assert await ids(conn, "incident") == {still_open, units_on_it, arriving, noted}


async def test_it_stays_as_long_as_the_agency_in_it_that_keeps_longest(
    conn: Connection, own: Keys
) -> None:
    """DOM-RET-9."""
    await keep(conn, BCG, Kind.INCIDENT, 90)
    await keep(conn, CUSTOMS, Kind.INCIDENT, 10)
    member = await incident(conn, 60, partners=(BCG,))
    sent = await incident(conn, 60, units={BOAT: BCG})
    called = await incident(conn, 60)
    await call(conn, 60, BCG, of=called, taken_by=2)
    await incident(conn, 60)
    with_customs = await incident(conn, 20, CUSTOMS, units={}, partners=(BPD,))
    await incident(conn, 20, CUSTOMS, units={})
    await prune(conn, own)
    assert await ids(conn, "incident") == {member, sent, called, with_customs}
    await conn.execute("update retention set days = 10")
    await prune(conn, own)
    assert await ids(conn, "incident") == {with_customs}


@pytest.mark.parametrize(
    ("subject", "keeps"),
    [
        *(("incident:1", "hers linked"), ("incident:2", "hers linked further")),
        *(("call:1", "hers linked"), (f"unit:{CAR}", "hers linked"), ("person:1", "hers linked")),
        *((f"agency:{BPD}", "hers linked"), (f"agency:{BCG}", "boats beside")),
        *((f"unit:{BOAT}", "boats beside"), ("person:2", "boats beside")),
    ],
)
async def test_what_a_hold_concerns_or_is_linked_with_stays_whole(
    conn: Connection, own: Keys, subject: str, keeps: str
) -> None:
    """DOM-RET-3, DOM-RET-10: a link holds one step, whatever the hold is on."""

    async def strange() -> int:
        """Nobody under hold had a part in it."""
        return await incident(conn, 60, CUSTOMS, units={}, author="person:3")

    made = {"hers": await incident(conn, 60), "linked": await strange()}
    made |= {"further": await strange(), "beside": await strange()}
    made["boats"] = await incident(conn, 60, CUSTOMS, units={BOAT: BCG}, author=BEN)
    made["nobodys"] = await strange()
    await conn.execute("update call set taken_by = 3 where agency_id = $1", CUSTOMS)
    for one, other in (("hers", "linked"), ("linked", "further"), ("beside", "boats")):
        await conn.execute(
            "insert into incident_link values ($1, $2, 'x', 'test')", made[one], made[other]
        )
    photo = await attached(conn, made["hers"], 60, CUSTOMS)
    await hold(conn, subject)
    kept = {made[name] for name in keeps.split()}
    await prune(conn, own, keep={Kind.ATTACHMENT: 30})
    assert await ids(conn, "incident") == kept
    calls = await conn.fetch("select incident_id from call")
    assert sorted(row[0] for row in calls) == sorted(kept), "one each"
    logs = await conn.fetch("select incident_id, count(*) as n from incident_event group by 1")
    assert {row["incident_id"]: row["n"] for row in logs} == dict.fromkeys(kept, 3)
    photos = await conn.fetch("select id from attachment")
    assert [row[0] for row in photos] == [photo] * (made["hers"] in kept)
    await conn.execute("update legal_hold set ends_at = $1", NOW)
    await prune(conn, own, keep={Kind.ATTACHMENT: 30})
    assert await ids(conn, "incident") == await ids(conn, "attachment") == set()


@pytest.mark.parametrize(
    "part",
    [
        "update incident set opened_by = 'person:1' where id = $1",
        "update incident_card set owner_id = 1 where incident_id = $1",
        "update incident_member set author = 'person:1' where incident_id = $1",
        "update assignment set ordered_by = 'person:1' where incident_id = $1",
        "insert into incident_event (incident_id, seq, at, author, author_name, kind)"
        " values ($1, 4, '2026-01-01', 'person:1', 'Ana', 'note')",
        "update invitation set author = 'person:1' where incident_id = $1",
        "update invitation set answered_by = 'person:1' where incident_id = $1",
        "update call set taken_by = 1 where incident_id = $1",
        "insert into reminder (agency_id, incident_id, text, due_at, author)"
        " values (3, $1, 'x', now(), 'person:1')",
        "insert into reminder (agency_id, incident_id, person_id, text, due_at, author)"
        " values (3, $1, 1, 'x', now(), 'x')",
        "insert into welfare_check (agency_id, unit_id, incident_id, every_seconds, due_at, author,"
        " ended_at) values (3, 5, $1, 60, now(), 'person:1', now())",
    ],
)
async def test_whatever_part_somebody_had_in_it_a_hold_on_him_keeps_it(
    conn: Connection, own: Keys, part: str
) -> None:
    """DOM-RET-10."""
    his, linked, _ = [
        await incident(conn, 60, CUSTOMS, units={TRUCK: CUSTOMS}, author="person:3", asked=BCG)
        for _ in range(3)
    ]
    await conn.execute("update call set taken_by = 3")
    await conn.execute("insert into incident_link values ($1, $2, 'x', 'test')", his, linked)
    await conn.execute(part, his)
    await hold(conn, "person:1")
    await prune(conn, own)
    assert await ids(conn, "incident") == {his, linked}


async def test_attachments_past_their_own_period_are_counted_once(
    conn: Connection, own: Keys
) -> None:
    """DOM-RET-5: in the dry run as in the other."""
    one = await incident(conn, 40)
    await attached(conn, one, 45)
    await attached(conn, one, 41)
    await keep(conn, BPD, Kind.ATTACHMENT, 43)
    dry = await prune(conn, own, dry=True)
    assert (dry["attachment", BPD], dry["incident.attachment", BPD]) == (1, 1)
    assert await prune(conn, own) == dry


async def test_who_works_on_it_meanwhile_is_not_waited_for(
    conn: Connection, own: Keys, database: str
) -> None:
    """DOM-RET-7: and what was reopened meanwhile stays."""
    one = await incident(conn, 40)
    other = await asyncpg.connect(database)
    async with other.transaction():
        await other.execute("select from incident_card where incident_id = $1 for update", one)
        assert await prune(conn, own) == {}
        await other.execute("update incident set closed_at = null where id = $1", one)
    await other.close()
    assert await prune(conn, own) == {}
    await conn.execute("update incident set closed_at = $1", NOW - timedelta(days=40))
    assert (await prune(conn, own))["incident", BPD] == 1


async def test_many_go_in_small_steps_and_a_stopped_one_goes_on(
    conn: Connection, own: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RET-7: what a step had begun when it was stopped is as it was before."""
    monkeypatch.setattr("psn.keeping.pruning.incidents.BATCH", 3)
    for _ in range(8):
        await incident(conn, 40)
    with monkeypatch.context() as patch:
        fails = "select 1 / (cardinality($1::int[]) - cardinality($1))"
        steps = (*pruning.incidents._DELETIONS[:-1], fails)
        patch.setattr("psn.keeping.pruning.incidents._DELETIONS", steps)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await prune(conn, own)
    assert len(await ids(conn, "incident")) == 8
    assert await ids(conn, "incident_figure") == set()
    assert (await prune(conn, own))["incident", BPD] == 8
    assert [e["details"]["rows"] for e in await told(conn, "incident.pruned")] == [3, 3, 2]
    assert len(await ids(conn, "incident_figure")) == 8


async def test_somebody_at_one_of_them_does_not_keep_those_behind_it(
    conn: Connection, own: Keys, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RET-7: what was skipped is no end; when nothing of a step goes, that is."""
    monkeypatch.setattr("psn.keeping.pruning.incidents.BATCH", 3)
    made = [await incident(conn, 40) for _ in range(8)]
    other = await asyncpg.connect(database)
    at = "select from incident_card where incident_id = any ($1) for update"
    async with other.transaction():
        await other.execute(at, made[1:2])
        assert (await prune(conn, own))["incident", BPD] == 7
    assert await ids(conn, "incident") == {made[1]}
    made = [made[1], *[await incident(conn, 40) for _ in range(2)]]
    async with other.transaction():
        await other.execute(at, made)
        assert await prune(conn, own) == {}
    await other.close()
    assert (await prune(conn, own))["incident", BPD] == 3
    assert [e["details"]["rows"] for e in await told(conn, "incident.pruned")] == [2, 2, 2, 1, 3]


async def test_one_pruning_judges_by_the_periods_of_its_beginning(
    conn: Connection, own: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RET-7."""
    await incident(conn, 40)
    await call(conn, 40)
    first = pruning.PRUNERS[Kind.TRACK]

    async def changed_meanwhile(work: Work) -> None:
        await keep(conn, BPD, Kind.INCIDENT, None)
        await keep(conn, BPD, Kind.CALL, None)
        await first(work)

    with monkeypatch.context() as patch:
        patch.setattr(pruning, "PRUNERS", {**pruning.PRUNERS, Kind.TRACK: changed_meanwhile})
        done = await prune(conn, own)
    assert (done["incident", BPD], done["call", BPD]) == (1, 1)
    assert await ids(conn, "incident") == await ids(conn, "call") == set()
    kept = {await incident(conn, 40)}
    assert await prune(conn, own) == {}
    assert await ids(conn, "incident") == kept


# -- figures


PERIOD = Period(
    db.milliseconds(NOW - timedelta(days=50)), db.milliseconds(NOW - timedelta(days=30))
)


async def numbers(conn: Connection, agency: int) -> list[object]:
    said: list[object] = [await figures.heat(conn, agency, PERIOD)]
    said.append((await figures.network(conn, PERIOD))[1])
    for by in ("agency", "priority", "type", "district"):
        for ask in (figures.assignments, figures.incidents):
            found = await ask(conn, agency, PERIOD, by, NOW)  # type: ignore[arg-type]
            said.append(sorted(map(str, found)))
    return said


async def test_numbers_are_the_same_before_and_after(conn: Connection, own: Keys) -> None:
    """DOM-RET-11, DOM-NUM: for the agency itself and for who took part."""
    await incident(conn, 40, units={CAR: BPD, BOAT: BCG}, partners=(BCG,))
    await incident(conn, 41, BCG, units={BOAT: BCG})
    far = await incident(conn, 42)
    await conn.execute("update incident_card set point = 'SRID=4326;POINT(2.3522 48.8566)'"
                       " where incident_id = $1", far)  # fmt: skip
    nowhere = await incident(conn, 43)
    await conn.execute("update incident_card set point = null where incident_id = $1", nowhere)
    before = [await numbers(conn, agency) for agency in (BPD, BCG)]
    assert before[0][1] == 1
    await prune(conn, own)
    assert await ids(conn, "incident") == set()
    assert [await numbers(conn, agency) for agency in (BPD, BCG)] == before


async def test_figures_have_no_word_unit_or_exact_place(conn: Connection, own: Keys) -> None:
    """DOM-RET-11."""
    await incident(conn, 40)
    await prune(conn, own)
    (row,) = await conn.fetch("select *, st_x(point) as lon, st_y(point) as lat"
                              " from incident_figure")  # fmt: skip
    assert set(row.keys()) == {
        *("id", "agency_id", "opened_at", "asked_at", "sent_at", "closed_at", "priority"),
        *("type_id", "point", "shared", "lon", "lat"),
    }
    assert row["asked_at"] == row["opened_at"] - timedelta(minutes=5)
    assert row["sent_at"] == row["opened_at"] + HOUR / 2
    left = await everything(conn)
    words = ("Juan", "Maria", "501-600", "Mile 8", "person:", "unit", "Ana", "BPD-")
    assert not [word for word in words if word in left]
    away = abs(row["lon"] + 88.2005) + abs(row["lat"] - 17.5005)
    assert 0.0002 < away < 0.01
    (run,) = await conn.fetch("select * from assignment_figure")
    assert set(run.keys()) == {
        *("id", "figure_id", "agency_id", "ordered_at", "acknowledged_at", "en_route_at"),
        *("on_scene_at", "ended_at"),
    }


# -- calls and lookouts


async def test_calls_that_came_to_nothing_go(conn: Connection, own: Keys) -> None:
    """DOM-RET-1, DOM-RET-9."""
    await keep(conn, BCG, Kind.CALL, 90)
    old = await call(conn, 25)
    young = await call(conn, 15)
    theirs = await call(conn, 25, BCG)
    with_incident = await call(conn, 25, of=await incident(conn, 25))
    waiting = await conn.fetchval(
        "insert into call (agency_id, number, line, state, received_at)"
        " values (1, 'w', '911', 'waiting', $1) returning id",
        NOW - timedelta(days=400),
    )
    await conn.execute("insert into alarm (agency_id, kind, about, ended_at)"
                       " values (1, 'call_waiting', 'call:' || $1::int, now())", old)  # fmt: skip
    before = await ids(conn, "call")
    assert await prune(conn, own, dry=True) == {("call", BPD): 1}
    assert await prune(conn, own) == {("call", BPD): 1}
    assert before - await ids(conn, "call") == {old}
    assert {young, theirs, with_incident, waiting} < before
    assert await conn.fetchval("select count(*) from alarm where about like 'call:%'") == 0
    (entry,) = await told(conn, "call.pruned")
    assert entry["details"]["ids"] == [old]
    assert "Maria" not in json.dumps(entry)


@pytest.mark.parametrize("subject", ["call:1", "person:1", f"agency:{BPD}"])
async def test_a_call_under_hold_stays(conn: Connection, own: Keys, subject: str) -> None:
    """DOM-RET-3."""
    held = await call(conn, 25)
    await call(conn, 25, CUSTOMS, taken_by=3)
    await hold(conn, subject)
    await prune(conn, own)
    assert await ids(conn, "call") == {held}


async def test_lookouts_go_when_they_have_been_over_for_long(conn: Connection, own: Keys) -> None:
    """DOM-RET-1, DOM-RET-9."""
    for ended in (True, False):
        await lookout(conn, 15, ended=ended)
    young = await lookout(conn, 5)
    in_force = await conn.fetchval(
        "insert into lookout (agency_id, number, subject, title, agencies, author, issued_at,"
        " until) values (1, 'f', 'person', 'x', '{}', 'x', $1, $2) returning id",
        *(NOW - timedelta(days=99), NOW + timedelta(days=9)),
    )
    assert await prune(conn, own) == {("lookout", BPD): 2}
    assert await ids(conn, "lookout") == {young, in_force}


@pytest.mark.parametrize(
    ("subject", "kept"),
    [("lookout:1", {1}), ("person:1", {1, 2}), (f"agency:{BCG}", {2}), (f"agency:{BPD}", {1, 2})],
)
async def test_a_lookout_under_hold_stays(
    conn: Connection, own: Keys, subject: str, kept: set[int]
) -> None:
    """DOM-RET-3: also with an agency that was told of it."""
    await lookout(conn, 15)
    await lookout(conn, 15, told=(BCG,))
    await lookout(conn, 15, CUSTOMS, author="person:3")
    await hold(conn, subject)
    await prune(conn, own)
    assert await ids(conn, "lookout") == kept


# -- what is told


async def test_what_was_done_is_told_with_its_agency(conn: Connection, own: Keys) -> None:
    await lookout(conn, 15, CUSTOMS, author="person:3")
    done = await pruning.run(conn, own, KEEP, BY, NOW)
    cutoff = datetime(2026, 10, 22, tzinfo=NOW.tzinfo)
    assert done == [Done("lookout", CUSTOMS, 1, cutoff)]
