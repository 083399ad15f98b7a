"""What was said is kept, and heard again by who may (docs/domain.md, DOM-VOI-10 to 12)."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import av
import pytest
from attached import Sender, entered
from ended import attached, hold, incident
from parties import JOINT, Party
from stage import ANA, BCG, BEN, BPD, CAR, CUSTOMS, Stage, mistreated, until

from psn import keys, wire
from psn.keeping import pruning
from psn.keeping.retention import Kind
from psn.trail.audit import Actor
from psn.voice import recorder
from psn.voice.recorder import Recorder
from psn.voice.talk import MOST_LOST, About, Talk
from psn.wire import Speech, VoiceGroup

BY = Actor("command line: test")


@pytest.fixture
async def conn(stage: Stage) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stage.dsn)
    yield connection
    await connection.close()


async def kept(conn: asyncpg.Connection, many: int = 1) -> list[asyncpg.Record]:
    """So many recordings, when they have ended."""
    for _ in range(400):
        found = await conn.fetch("select * from recording order by begun_at")
        if len(found) == many and all(row["ended_at"] for row in found):
            return list(found)
        await asyncio.sleep(0.05)
    raise AssertionError(f"not kept: {found}")


async def talk(stage: Stage, who: str | int, group: str, numbers: range = range(5)) -> Party:
    """Somebody talks in a group; he is still there."""
    party = await Party.enter(stage, who, group)
    await party.granted(group)
    await party.say(*numbers, group=group)
    await party.release(group)
    await party.peer.answers()
    return party


async def calling(stage: Stage) -> tuple[Party, Party, str]:
    """A dispatcher calls a crew, which has not answered; the group of the call."""
    ana, car = await Party.enter(stage, "ana"), await Party.enter(stage, CAR)
    await ana.peer.send(wire.VoiceCall(n=ana.peer.number(), to=[f"unit:{CAR}"]))
    return ana, car, (await ana.peer.expect(wire.Called)).group


async def again(sender: Sender, group: str) -> list[dict[str, Any]] | int:
    """What somebody is told of a group's recordings; a status where he is not."""
    answer = await sender.ask("GET", f"/api/recordings?group={group}")
    if answer.status != 200:
        return answer.status
    found: list[dict[str, Any]] = answer.said["recordings"]
    return found


async def sound(sender: Sender, id: str | UUID) -> tuple[int, bytes]:
    answer = await sender.ask("GET", f"/api/recordings/{id}/sound")
    return answer.status, answer.body


def packets(file: bytes) -> int:
    """How many packets a reader that is not ours finds."""
    with av.open(io.BytesIO(file), "r") as container:
        return sum(1 for packet in container.demux(audio=0) if packet.size)


async def test_each_talk_is_kept_with_whose_it_is_and_heard_again_by_members(
    stage: Stage, conn: asyncpg.Connection
) -> None:
    """DOM-VOI-10, DOM-VOI-11."""
    ana = await talk(stage, "ana", JOINT)
    ben = await talk(stage, "ben", JOINT, range(3))
    one, two = await kept(conn, 2)
    assert (one["group_address"], one["group_name"], one["talker"], one["talker_name"]) == (
        *("group:1", "Joint", ANA, "Ana"),
    )
    assert (one["agency_id"], one["call"], one["milliseconds"], one["parties"]) == (
        *(BPD, "normal", 100, []),
    )
    assert (two["talker"], two["agency_id"], two["milliseconds"]) == (BEN, BCG, 60)
    async with entered(stage, "ben") as member, entered(stage, "cyd") as stranger:
        told = await again(member, JOINT)
        assert isinstance(told, list)
        assert [(each["talker"], each["over"]) for each in told] == [(ANA, True), (BEN, True)]
        status, file = await sound(member, one["id"])
        assert (status, packets(file)) == (200, 5)
        assert await again(stranger, JOINT) == 404
        assert (await sound(stranger, one["id"]))[0] == 404
        assert await again(stranger, "boat:1") == 400
        assert (await stranger.ask("GET", "/api/recordings")).status == 403
        for nothing in ("x", "0" * 36, str(UUID(int=1))):
            assert (await sound(member, nothing))[0] == 404
    (heard,) = await conn.fetch("select body::jsonb from audit where action = 'recording.heard'")
    assert f"recording:{one['id']}" in heard[0] and BEN in heard[0]
    for party in (ana, ben):
        await party.peer.leave()


async def test_what_was_said_just_now_is_there_for_who_asks_now(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-VOI-11: also a second of talk, however long it would take to be written by itself."""
    monkeypatch.setattr(recorder, "EVERY_SECONDS", 3_600.0)
    ana = await Party.enter(stage, "ana", JOINT)
    async with entered(stage, "ben") as ben:
        assert await again(ben, JOINT) == []
        await ana.granted(JOINT)
        for over in (False, True):
            await ana.say(*range(5 * over, 5 * over + 5), group=JOINT)
            await ana.peer.answers()
            if over:
                await ana.release(JOINT)
                await ana.peer.answers()
            told = await again(ben, JOINT)
            assert isinstance(told, list)
            assert [each["over"] for each in told] == [over]
            assert packets((await sound(ben, told[0]["id"]))[1]) == 5 * (1 + over)
    await ana.peer.leave()


async def test_nothing_is_written_for_who_may_not_hear_it(
    stage: Stage, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-VOI-11: he is refused at once, and the recorder does no work for him."""
    monkeypatch.setattr(recorder, "EVERY_SECONDS", 3_600.0)
    ana = await Party.enter(stage, "ana", JOINT)
    await ana.granted(JOINT)
    async with entered(stage, "ben") as member, entered(stage, "cyd") as stranger:
        await ana.say(*range(5), group=JOINT)
        await ana.peer.answers()
        # From here on nothing is written by itself.
        assert await again(member, JOINT)
        await ana.say(*range(5, 10), group=JOINT)
        await ana.peer.answers()
        assert await again(stranger, JOINT) == 404
        assert (await stranger.ask("GET", "/api/recordings")).status == 403
        assert await conn.fetchval("select milliseconds from recording") == 100
        told = await again(member, JOINT)
        assert isinstance(told, list)
        assert [each["milliseconds"] for each in told] == [200]
    await ana.peer.leave()


async def test_what_ends_a_talk_otherwise_ends_its_recording(
    stage: Stage, conn: asyncpg.Connection
) -> None:
    """DOM-VOI-10: silence, an emergency that interrupts, and a talk of which nothing came."""
    ana, ben = [await Party.enter(stage, who, JOINT) for who in ("ana", "ben")]
    await ana.granted()
    await ana.say(0, 1)
    await ben.ask(call="emergency")
    await ben.yours("granted")
    await ana.say(2)  # too late, and in nobody's recording
    await ben.say(0, 1, 5)
    await ben.release()
    await ben.peer.answers()
    await ana.yours("revoked")
    await ana.granted()
    await ana.release()
    one, two = await kept(conn, 2)
    assert [(row["talker"], row["call"], row["milliseconds"]) for row in (one, two)] == [
        (ANA, "normal", 40),
        (BEN, "emergency", 120),  # with what is missing
    ]
    for party in (ana, ben):
        await party.peer.leave()


async def test_an_incidents_talk_is_heard_by_who_sees_it_also_when_it_is_closed(
    stage: Stage, conn: asyncpg.Connection
) -> None:
    """DOM-VOI-11."""
    one = await incident(conn, 1, partners=(BCG,))
    await conn.execute("update incident set closed_at = null where id = $1", one)
    await conn.execute("update incident_member set ends_at = null where incident_id = $1", one)
    await stage.core.refresh_directory()
    group = f"incident:{one}"
    ben = await talk(stage, "ben", group)
    (row,) = await kept(conn)
    assert row["incident_id"] == one
    await conn.execute("update incident set closed_at = now() where id = $1", one)
    await stage.core.refresh_directory()
    async with entered(stage, "ana") as ana, entered(stage, "cyd") as cyd:
        assert len(await again(ana, group)) == 1  # type: ignore[arg-type]
        assert (await sound(ana, row["id"]))[0] == 200
        assert await again(cyd, group) == 404
    await ben.peer.leave()


async def test_a_call_is_heard_again_by_who_was_in_it(
    stage: Stage, conn: asyncpg.Connection
) -> None:
    """DOM-VOI-11."""
    ana, car, call = await calling(stage)
    await car.join(call)
    await car.granted(call)
    await car.say(0, 1, group=call)
    await car.release(call)
    (row,) = await kept(conn)
    assert row["parties"] == [ANA, f"unit:{CAR}"]
    async with entered(stage, "ana") as party, entered(stage, "ben") as other:
        assert (await sound(party, row["id"]))[0] == 200
        assert (await sound(other, row["id"]))[0] == 404
        mine = await again(party, call)
        assert isinstance(mine, list)
        assert [each["id"] for each in mine] == [str(row["id"])]
        assert await again(other, call) == []
        # A call of an earlier server had that number, and she was in none of it.
        await conn.execute(
            "insert into recording (id, group_address, group_name, talker, talker_name, agency_id,"
            " call, parties, begun_at) values ($1, $2, $2, $3, 'Ben', 2, 'normal', $4, now())",
            UUID(int=7), call, BEN, [BEN, "unit:2"],
        )  # fmt: skip
        assert await again(party, call) == mine
        his = await again(other, call)
        assert isinstance(his, list)
        assert [each["id"] for each in his] == [str(UUID(int=7))]
    for each in (ana, car):
        await each.peer.leave()


async def test_who_joins_a_call_in_the_middle_of_a_talk_hears_it_again(
    stage: Stage, conn: asyncpg.Connection
) -> None:
    """DOM-VOI-11: who calls talks while it still rings."""
    ana, car, call = await calling(stage)
    await ana.granted(call)
    await ana.say(0, group=call)
    await asyncio.sleep(0.05)
    await car.join(call)
    await ana.say(1, group=call)
    await ana.release(call)
    (row,) = await kept(conn)
    assert row["parties"] == [ANA, f"unit:{CAR}"]
    for each in (ana, car):
        await each.peer.leave()


async def test_a_talk_that_becomes_an_emergency_is_recorded_as_one(
    stage: Stage, conn: asyncpg.Connection
) -> None:
    """DOM-VOI-10: what was said before it is not."""
    car = await Party.enter(stage, CAR, JOINT)
    await car.granted()
    await car.say(0, 1)
    await car.granted(call="emergency")
    await car.say(2, 3, 4)
    await car.release()
    rows = await kept(conn, 2)
    assert [(row["call"], row["milliseconds"]) for row in rows] == [
        *(("normal", 40), ("emergency", 60)),
    ]
    await car.peer.leave()


async def test_a_supervisor_hears_what_his_people_said_anywhere(
    stage: Stage, conn: asyncpg.Connection
) -> None:
    """DOM-VOI-11; docs/access.md, recording listen."""
    await conn.execute("update person set roles = '{supervisor}' where name in ('cyd', 'ana')")
    ana = await talk(stage, "ana", JOINT)
    ben = await talk(stage, "ben", JOINT)
    rows = await kept(conn, 2)
    async with entered(stage, "ana") as police, entered(stage, "cyd") as customs:
        told = (await police.ask("GET", "/api/recordings")).said["recordings"]
        assert [each["talker"] for each in told] == [ANA]
        assert (await customs.ask("GET", "/api/recordings")).said["recordings"] == []
        assert (await sound(customs, rows[0]["id"]))[0] == 404
    for party in (ana, ben):
        await party.peer.leave()


async def test_a_recording_is_not_changed_and_goes_only_when_its_period_is_over(
    stage: Stage, conn: asyncpg.Connection, tmp_path: Path
) -> None:
    """DOM-VOI-12."""
    for who in ("ana", "ben"):
        await (await talk(stage, who, JOINT)).peer.leave()
    police, coast = await kept(conn, 2)
    for slip in (
        "update recording set talker = 'person:2'",
        "update recording set ended_at = now()",
        "update recording_part set pages = ''",
        "insert into recording_part select id, 99, 'x' from recording",
        "delete from recording_part",
        "delete from recording",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(slip)
    await hold(conn, BEN)
    keep: dict[Kind, int | None] = dict.fromkeys(Kind) | {Kind.RECORDING: 30}
    own, later = keys.load(tmp_path / "other"), datetime(2100, 1, 1, tzinfo=UTC)
    dry = await pruning.run(conn, own, keep, BY, later, dry=True)
    assert [(each.what, each.rows) for each in dry] == [("recording", 1)]
    await pruning.run(conn, own, keep, BY, later)
    left = await conn.fetch("select id from recording")
    assert [row["id"] for row in left] == [coast["id"]]
    parts = await conn.fetch("select distinct recording_id from recording_part")
    assert [row[0] for row in parts] == [coast["id"]]
    (entry,) = await conn.fetch("select body from audit where action = 'recording.pruned'")
    assert str(police["id"]) in entry[0]


async def test_an_incident_takes_what_was_said_with_it(
    conn: asyncpg.Connection, tmp_path: Path
) -> None:
    """DOM-VOI-12."""
    one, other = await incident(conn, 40), await incident(conn, 40)
    await attached(conn, other, 40)
    for number, (id, agency) in enumerate(((one, BPD), (other, CUSTOMS))):
        await conn.execute(
            "insert into recording values ($1, 'incident:' || $2::int, 'x', $2, 'person:3', 'Cyd',"
            " $3, 'normal', '{}', now(), 20, now())",
            UUID(int=number),
            id,
            agency,
        )
    await hold(conn, "person:3")
    keep: dict[Kind, int | None] = dict.fromkeys(Kind) | {Kind.INCIDENT: 30}
    later, own = datetime(2026, 12, 25, tzinfo=UTC), keys.load(tmp_path / "other")
    await pruning.run(conn, own, keep, BY, later)
    assert await conn.fetchval("select count(*) from recording") == 2, "under hold"
    await conn.execute("update legal_hold set ends_at = now()")
    await pruning.run(conn, own, keep, BY, later)
    assert await conn.fetchval("select count(*) from incident") == 0
    assert await conn.fetchval("select count(*) from recording") == 0


# -- when things break


def about(group: str = JOINT) -> About:
    return About(VoiceGroup.of(group), "Joint", ANA, "Ana", BPD, "normal", 1_700_000_000_000)


def say(into: Talk, *numbers: int) -> None:
    for number in numbers:
        into.say(Speech(VoiceGroup.of(JOINT), ANA, number, 20, False, b"\x78" + bytes(69)))


def test_parts_one_behind_the_other_are_the_file() -> None:
    talk = Talk(about())
    assert talk.part() is None
    say(talk, 65_534, 65_535, 0)
    first = talk.part()
    assert talk.part() is None
    say(talk, 4, 1_000)
    second = talk.part()
    talk.ended = 1_700_000_001_000
    last = talk.part()
    assert first and second and last
    assert [part.number for part in (first, second, last)] == [0, 1, 2]
    assert packets(first.pages + second.pages + last.pages) == 3 + 3 + 1 + MOST_LOST + 1
    assert last.milliseconds == (3 + 3 + 1 + MOST_LOST + 1) * 20
    assert (second.ended, last.ended) == (None, 1_700_000_001_000)


async def test_what_found_no_room_is_said_to_have_been_said(
    stage: Stage, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not go on for ever, and is no half of a file."""
    monkeypatch.setattr(recorder, "MOST_WAITING", 0)
    ana = await talk(stage, "ana", JOINT)
    (row,) = await kept(conn)
    assert row["milliseconds"] == 100
    assert await conn.fetchval("select count(*) from recording_part") == 0
    assert stage.core.recorder.lost >= 1
    await ana.peer.leave()


def test_of_a_talk_in_which_nothing_was_said_there_is_nothing() -> None:
    talk = Talk(about())
    talk.ended = 1_700_000_001_000
    assert talk.part() is None


async def test_talk_waits_for_a_database_and_what_was_cut_short_is_ended() -> None:
    """DOM-VOI-10: a crash of the server takes no more than the last second."""
    with mistreated("talk") as cluster:
        dsn = cluster.dsn("talk")
        conn = await asyncpg.connect(dsn)
        await conn.execute(
            "insert into agency (code, name, colour) values ('BPD', 'Police', '#0000ff')"
        )
        await conn.close()
        keeper = Recorder(dsn)
        task = asyncio.create_task(keeper.run())
        first = keeper.begin(about())
        say(first, 0, 1, 2)
        await until(lambda: keeper.kept == 1, "the first is kept")
        await asyncio.to_thread(cluster.kill9)
        second = keeper.begin(about())
        say(first, 3)
        say(second, 0)
        await until(lambda: keeper.waiting > 0, "it waits")
        await asyncio.to_thread(cluster.start)
        await until(lambda: keeper.kept == 2 and not keeper.waiting, "all is kept", 60)
        task.cancel()
        await asyncio.wait((task,))
        conn = await asyncpg.connect(dsn)
        query = "select milliseconds, ended_at - begun_at as d from recording order by 1"
        assert [tuple(row) for row in await conn.fetch(query)] == [(20, None), (80, None)]
        after = Recorder(dsn)
        task = asyncio.create_task(after.run())
        for _ in range(400):
            found = [(row[0], row[1]) for row in await conn.fetch(query)]
            if all(took is not None for _, took in found):
                break
            await asyncio.sleep(0.05)
        assert [(ms, took.total_seconds()) for ms, took in found] == [(20, 0.02), (80, 0.08)]
        after.close()
        await task
        await conn.close()


async def test_without_a_database_for_hours_the_newest_talk_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder, "MOST_WAITING", 1_000)
    monkeypatch.setattr(recorder, "EVERY_SECONDS", 0.01)
    keeper = Recorder("postgresql://127.0.0.1:1/nothing")
    talk = keeper.begin(about())
    task = asyncio.create_task(keeper.run())
    for number in range(40):
        say(talk, number)
        await asyncio.sleep(0.02)
    await until(lambda: keeper.lost > 0, "it is counted")
    assert keeper.waiting <= 1_000
    late = keeper.begin(about())
    say(late, 0)
    lost = keeper.lost
    await until(lambda: keeper.lost > lost, "of the next nothing is kept")
    keeper.close()
    await task
    assert keeper.waiting <= 1_000
