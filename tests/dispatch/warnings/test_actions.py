"""A warning from its first word to its end, over the wire; each test quotes its rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from desk_peer import Worker
from stage import Stage, texts, until
from warners import (
    APPROVER,
    HOUR,
    MINUTE,
    OFFICER,
    PHRASE,
    SECOND,
    STRANGER,
    approval,
    checked,
    draft,
    exercise,
    hire,
    message_row,
    now_ms,
    sent,
)

from dispatch.alerting import cap
from dispatch.warnings.clock import WarningClock
from psn import wire


@dataclass
class Desk:
    stage: Stage
    officer: Worker
    approver: Worker
    second: Worker
    stranger: Worker


@pytest_asyncio.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    await hire(stage)
    people = [
        await Worker.enter(stage, who, "board") for who in (OFFICER, APPROVER, SECOND, STRANGER)
    ]
    yield Desk(stage, *people)
    for each in people:
        await each.leave()


async def test_a_warning_is_drafted_checked_approved_and_sent(desk: Desk) -> None:
    """DOM-WRN-1."""
    made = await desk.officer.do("warning.begin", content=draft())
    early = await desk.approver.ask("warning.approve", **approval(made))
    assert isinstance(early, wire.Error) and early.code == "not_now", "it was not checked"
    looked = await desk.officer.do("warning.check", message=made["message"])
    assert looked["stage"] == "checked" and looked["phrase"] == PHRASE
    assert all(not each["error"] for each in looked["findings"])
    answer = await desk.approver.do("warning.approve", **approval(made))
    assert answer["stage"] == "sent" and abs(answer["sent"] - now_ms()) < MINUTE
    row = await message_row(desk.stage, made["message"])
    alert = cap.parse(row["document"].encode())
    assert alert.identifier == f"bz.nemo.{made['warning']}.{made['message']}"
    assert alert.message_type is cap.MessageType.ALERT
    assert [each.language for each in alert.infos] == ["en-BZ", "es-BZ", "bzj"]


async def test_one_agency_warns_the_public(desk: Desk) -> None:
    """DOM-WRN-35: whatever roles the administrator of another gives."""
    await desk.stage.core.pool.execute(
        "update person set roles = '{warning_officer}' where name = 'ben'"
    )
    await desk.stage.core.refresh_directory()
    ben = await Worker.enter(desk.stage, "ben")
    made = await checked(ben)
    answer = await desk.stranger.refused("warning.approve", "not_the_warner", **approval(made))
    assert answer.text == "BPD warns the public, and BCG does not."
    row = await message_row(desk.stage, made["message"])
    assert (row["stage"], row["approved_by"]) == ("checked", None)
    await ben.leave()


async def test_a_change_takes_check_and_approval_back(desk: Desk) -> None:
    """DOM-WRN-2: and nobody writes over, or approves, what he has not read."""
    made = await checked(desk.officer, send_at=now_ms() + HOUR)
    answer = await desk.approver.do("warning.approve", **approval(made))
    assert answer["stage"] == "approved" and answer["sent"] is None
    body = {"message": made["message"], "seen": made["digest"]}
    new = await desk.officer.do("warning.write", **body, content=draft(web="https://nemo.org.bz"))
    assert new["stage"] == "draft" and new["digest"] != made["digest"]
    await desk.officer.refused("warning.write", "changed_meanwhile", **body, content=draft())
    await desk.officer.do("warning.check", message=made["message"])
    await desk.approver.refused("warning.approve", "changed_meanwhile", **approval(made))
    row = await message_row(desk.stage, made["message"])
    assert (row["stage"], row["approved_by"]) == ("checked", None)


async def test_everything_that_is_wrong_is_told_at_once(desk: Desk) -> None:
    """DOM-WRN-17: also when it is over before it is sent, or lacks a language."""
    bad = draft(expires=now_ms() + MINUTE, area=None)
    del bad["texts"][2]
    made = await desk.officer.do("warning.begin", content=bad)
    looked = await desk.officer.do("warning.check", message=made["message"])
    errors = {each["code"] for each in looked["findings"] if each["error"]}
    assert errors == {"warning.no_area", "warning.expired", "warning.language_missing"}
    assert looked["stage"] == "draft"
    assert all(each["todo"] for each in looked["findings"])


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ([[-882, 175], [-881, 176], [-881, 175], [-882, 176]], "area.crosses"),
        ([[-1800, -900], [1800, -900], [1800, 900], [-1800, 900]], "area.too_large"),
        ([[-882, 175], [-882, 175]], "area.few_points"),
    ],
)
async def test_what_cannot_be_meant_as_an_area_is_refused(
    desk: Desk, ring: list[list[int]], code: str
) -> None:
    """DOM-WRN-15."""
    points = [[lon * 1_000_000, lat * 1_000_000] for lon, lat in ring]
    area = {"name": "there", "parts": [{"part": "polygon", "points": points}]}
    refusal = await desk.officer.ask("warning.begin", content=draft(area=area))
    assert isinstance(refusal, wire.Error) and refusal.todo
    assert refusal.code in {code, "area.elsewhere"}


async def test_who_has_written_in_it_does_not_approve_it(desk: Desk) -> None:
    """DOM-WRN-3: an approver who has changed a word is an author."""
    made = await checked(desk.officer)
    body = {"message": made["message"], "seen": made["digest"]}
    new = await desk.approver.do("warning.write", **body, content=draft(web="https://nemo.org.bz"))
    made |= new
    await desk.officer.do("warning.check", message=made["message"])
    await desk.approver.refused("warning.approve", "own_words", **approval(made))
    await desk.officer.refused("warning.approve", "not_allowed", **approval(made))
    await desk.stranger.refused("warning.approve", "not_found", **approval(made))
    assert (await desk.second.do("warning.approve", **approval(made)))["stage"] == "sent"


async def test_for_which_statuses_two_people_are_needed_is_the_agencys_policy(desk: Desk) -> None:
    """DOM-WRN-3."""
    mine = await desk.approver.do("warning.begin", content=exercise())
    await desk.approver.do("warning.check", message=mine["message"])
    await desk.approver.refused("warning.approve", "own_words", **approval(mine, phrase=""))
    await desk.stage.core.pool.execute("insert into warning_policy values (1, '{Actual}')")
    answer = await desk.approver.do("warning.approve", **approval(mine, phrase=""))
    assert answer["stage"] == "sent"


async def test_one_alone_in_an_emergency_says_why_and_all_approvers_are_told(desk: Desk) -> None:
    """DOM-WRN-4."""
    mine = await checked(desk.approver)
    alone = approval(mine)
    await desk.approver.refused("warning.approve_alone", "bad_value", **alone, reason="because")
    why = "The line to the second officer is down"
    answer = await desk.approver.do("warning.approve_alone", **alone, reason=why)
    assert answer["stage"] == "sent"
    row = await message_row(desk.stage, mine["message"])
    assert row["alone"] == why and row["approved_by"] == row["authors"][0]
    await until(lambda: texts(desk.second.peer), "the other approver is told")
    (told,) = texts(desk.second.peer)
    assert why in told and told.startswith("Abe has approved his own warning alone: Actual")
    assert not texts(desk.officer.peer) and not texts(desk.stranger.peer)
    found = await desk.stage.core.pool.fetchval(
        "select body::jsonb -> 'details' -> 'new' ->> 'alone' from audit"
        " where action = 'warning_message.changed' and object = $1"
        " and body::jsonb -> 'details' -> 'new' ? 'alone'",
        f"warning_message:{mine['message']}",
    )
    assert found == why, "it stands in the audit"


async def test_what_is_real_needs_its_phrase(desk: Desk) -> None:
    """DOM-WRN-5."""
    made = await checked(desk.officer)
    for typed in ("", "actual", "exercise hurricane warning", "actual flood warning"):
        await desk.approver.refused("warning.approve", "phrase", **approval(made, phrase=typed))
    typed = "  ACTUAL   Hurricane-Warning "
    assert (await desk.approver.do("warning.approve", **approval(made, phrase=typed)))["sent"]


async def test_a_double_click_sends_once(desk: Desk) -> None:
    """DOM-WRN-6: the same click twice, two clicks, two people."""
    made = await checked(desk.officer)
    uid = uuid4()
    first, again = await asyncio.gather(
        desk.approver.ask("warning.approve", uid, **approval(made)),
        desk.second.ask("warning.approve", **approval(made)),
    )
    done = [each for each in (first, again) if isinstance(each, wire.Done)]
    told = [each for each in (first, again) if isinstance(each, wire.Error)]
    assert len(done) == len(told) == 1
    assert told[0].code == "not_now" and "sent" in told[0].text
    refusal = await desk.officer.refused("warning.send", "already_sent", message=made["message"])
    assert refusal.text.startswith("It was sent at ")
    if done[0] is first:
        assert await desk.approver.do("warning.approve", uid, **approval(made)) == first.result
    count = "select count(*) from warning_message where stage = 'sent'"
    assert await desk.stage.core.pool.fetchval(count) == 1


async def test_an_approval_beside_an_edit_is_of_the_one_text_or_refused(desk: Desk) -> None:
    """DOM-WRN-2: whichever comes first."""
    for _ in range(5):
        made = await checked(desk.officer)
        body = {"message": made["message"], "seen": made["digest"]}
        edit, approved = await asyncio.gather(
            desk.officer.ask("warning.write", **body, content=draft(web="https://nemo.org.bz")),
            desk.approver.ask("warning.approve", **approval(made)),
        )
        row = await message_row(desk.stage, made["message"])
        if isinstance(approved, wire.Done):
            assert row["digest"] == made["digest"] and row["stage"] == "sent"
            assert isinstance(edit, wire.Error) and edit.code == "not_now"
        else:
            assert row["digest"] != made["digest"] and row["stage"] == "draft"
            assert approved.code == "changed_meanwhile" and isinstance(edit, wire.Done)


async def test_what_was_sent_is_never_changed(desk: Desk) -> None:
    """DOM-WRN-7: not by its officers, nor by hand in the database."""
    made = await sent(desk.officer, desk.approver)
    body = {"message": made["message"], "seen": made["digest"]}
    await desk.officer.refused("warning.write", "not_now", **body, content=draft(note="x"))
    for what in ("take_back", "drop"):
        await desk.officer.refused(f"warning.{what}", "not_now", message=made["message"])
    for statement in (
        "update warning_message set content = '{}'",
        "update warning_message set stage = 'draft'",
        "delete from warning_message",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await desk.stage.core.pool.execute(statement)
    with pytest.raises(asyncpg.PostgresError, match="not emptied"):
        await desk.stage.core.pool.execute("truncate warning_message cascade")


async def test_what_would_be_over_at_once_is_not_sent(desk: Desk) -> None:
    """DOM-WRN-8."""
    made = await checked(desk.officer, expires=now_ms() + 5 * MINUTE + 2_000)
    await asyncio.sleep(2.1)
    await desk.approver.refused("warning.approve", "expired", **approval(made))
    assert (await message_row(desk.stage, made["message"]))["stage"] == "checked"


async def test_what_is_to_be_sent_later_is_sent_by_the_clock(desk: Desk) -> None:
    """DOM-WRN-9."""
    at = now_ms() + 2_000
    made = await checked(desk.officer, send_at=at)
    assert (await desk.approver.do("warning.approve", **approval(made)))["stage"] == "approved"
    await desk.approver.refused("warning.send", "not_now", message=made["message"])
    while (row := await message_row(desk.stage, made["message"]))["stage"] != "sent":
        await asyncio.sleep(0.05)
    assert row["sent_by"] is None
    assert row["sent_at"].timestamp() * 1_000 >= at - 1_000, "in whole seconds, not before"


async def test_a_server_that_was_down_sends_it_when_it_is_back(desk: Desk) -> None:
    """DOM-WRN-9."""
    made = await checked(desk.officer, send_at=now_ms() + 1_500)
    await desk.approver.do("warning.approve", **approval(made))
    for each in (desk.officer, desk.approver, desk.second, desk.stranger):
        await each.leave()
    await desk.stage.stop()
    await asyncio.sleep(1.6)
    await desk.stage.start()
    while (await message_row(desk.stage, made["message"]))["stage"] != "sent":
        await asyncio.sleep(0.05)


async def test_two_clocks_and_an_officer_send_it_once(desk: Desk) -> None:
    """DOM-WRN-6, DOM-WRN-9: as when two servers find it due."""
    changed = []

    async def note() -> None:
        changed.append(1)

    clocks = [WarningClock(desk.stage.core, desk.stage.core.pool, note) for _ in range(3)]
    made = await checked(desk.officer, send_at=now_ms() + 3_600_000)
    await desk.approver.do("warning.approve", **approval(made))
    later = datetime.now(UTC) + timedelta(hours=1, seconds=1)
    await asyncio.gather(*(clock.look(later) for clock in clocks))
    assert len(changed) == 1
    row = await message_row(desk.stage, made["message"])
    assert row["stage"] == "sent"


async def test_what_can_be_sent_no_more_is_held_and_says_why(desk: Desk) -> None:
    """DOM-WRN-8: an approval holds for six hours."""

    async def note() -> None: ...

    made = await checked(desk.officer, send_at=now_ms() + HOUR)
    await desk.approver.do("warning.approve", **approval(made))
    clock = WarningClock(desk.stage.core, desk.stage.core.pool, note)
    await clock.look(datetime.now(UTC) + timedelta(hours=8))
    row = await message_row(desk.stage, made["message"])
    assert row["stage"] == "draft" and row["held"].startswith("It was approved too long ago.")


async def test_an_update_and_a_cancel_name_what_was_sent_before(desk: Desk) -> None:
    """DOM-WRN-10."""
    first = await sent(desk.officer, desk.approver)
    update = await desk.officer.do("warning.update", warning=first["warning"])
    late = await desk.officer.do("warning.update", warning=first["warning"])
    for made in (update, late):
        await desk.officer.do("warning.check", message=made["message"])
    phrase = {"phrase": "actual update hurricane warning"}
    await desk.approver.refused("warning.approve", "phrase", **approval(update))
    await desk.approver.do("warning.approve", **approval(update, **phrase))
    # The other one was begun before that was sent.
    await desk.approver.refused("warning.approve", "changed_meanwhile", **approval(late, **phrase))
    over = await desk.officer.do("warning.cancel", warning=first["warning"])
    await desk.officer.do("warning.check", message=over["message"])
    phrase = {"phrase": "actual cancel hurricane warning"}
    await desk.approver.do("warning.approve", **approval(over, **phrase))
    rows = await desk.stage.core.pool.fetch(
        "select sent_at, document from warning_message where stage = 'sent' order by sent_at"
    )
    alerts = [cap.parse(row["document"].encode()) for row in rows]
    assert [str(each.message_type) for each in alerts] == ["Alert", "Update", "Cancel"]
    names = [each.reference for each in alerts]
    assert [each.references for each in alerts] == [(), (names[0],), tuple(names[:2])]
    assert rows[0]["sent_at"] < rows[1]["sent_at"] < rows[2]["sent_at"]
    await desk.officer.refused("warning.update", "not_now", warning=first["warning"])


async def test_a_cancel_says_that_it_is_over(desk: Desk) -> None:
    """DOM-WRN-31: on a telephone nobody takes it for the warning."""
    first = await sent(desk.officer, desk.approver)
    same = await desk.officer.do("warning.cancel", warning=first["warning"], content=draft())
    looked = await desk.officer.do("warning.check", message=same["message"])
    errors = [each for each in looked["findings"] if each["error"]]
    assert {each["code"] for each in errors} == {"warning.cancel_unsaid"} and len(errors) == 3
    over = await desk.officer.do("warning.cancel", warning=first["warning"])
    looked = await desk.officer.do("warning.check", message=over["message"])
    assert looked["stage"] == "checked", looked
    phrase = "actual cancel hurricane warning"
    await desk.approver.do("warning.approve", **approval(over, phrase=phrase))
    row = await message_row(desk.stage, over["message"])
    headlines = [each.headline for each in cap.parse(row["document"].encode()).infos]
    assert [each.split(":")[0] for each in headlines if each] == ["Cancelled", "Cancelado", "Kansl"]


async def test_others_can_do_nothing_of_it(desk: Desk) -> None:
    """DOM-WRN-1: a role, and the own agency."""
    ana = await Worker.enter(desk.stage, "ana")
    await ana.refused("warning.begin", "not_allowed", content=draft())
    made = await checked(desk.officer)
    body = {"message": made["message"], "seen": made["digest"]}
    await desk.stranger.refused("warning.write", "not_found", **body, content=draft())
    await desk.stranger.refused("warning.cancel", "not_found", warning=made["warning"])
    await desk.officer.refused("warning.check", "not_found", message=999)
    await ana.leave()
