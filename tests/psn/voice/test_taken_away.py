"""What goes while somebody talks: his device, or the group itself. Nobody hears a glitch."""

from __future__ import annotations

import asyncio

import pytest
from parties import JOINT, Party, change
from stage import ANA, CAR, Stage, until

from psn import wire

POLICE = "group:3"


@pytest.fixture
async def police(stage: Stage, database: str) -> None:
    """A group of the police alone, in which is nothing but speech."""
    await change(
        stage,
        database,
        "insert into talkgroup (agency_id, name) values (1, 'Police only');"
        "insert into group_member (group_id, agency_id) values (3, 1)",
    )


async def kept(stage: Stage, many: int) -> list[tuple[str, int]]:
    """Whose talks are recorded, and how many milliseconds of them, when so many have ended."""
    for _ in range(200):
        rows = await stage.core.pool.fetch(
            "select talker, milliseconds from recording where ended_at is not null"
            " order by begun_at"
        )
        if len(rows) >= many:
            break
        await asyncio.sleep(0.05)
    return [tuple(row) for row in rows]


async def test_a_device_is_revoked_while_it_talks(stage: Stage, database: str) -> None:
    """DOM-VOI-5, DOM-DEV-5: who waits has the floor then, and what was said is kept."""
    car, ana = await Party.enter(stage, CAR, JOINT), await Party.enter(stage, "ana", JOINT)
    await car.granted()
    await car.say(0, 1)
    await ana.ask()
    await ana.yours("queued")
    await until(lambda: len(ana.heard()) == 2, "it was heard until then")
    await change(stage, database, f"update device set revoked_at = now() where id = {CAR}")
    assert await car.peer.closed() == wire.CloseCode.SESSION_ENDED
    await ana.yours("granted")
    await ana.say(0)
    await ana.release()
    assert ana.heard() == [(f"unit:{CAR}", 0), (f"unit:{CAR}", 1)]
    assert await kept(stage, 2) == [(f"unit:{CAR}", 40), (ANA, 20)]
    await ana.peer.leave()


@pytest.mark.parametrize(
    "how",
    [
        "delete from group_member where group_id = 3",
        "delete from group_member where group_id = 3; delete from talkgroup where id = 3",
    ],
    ids=["emptied", "deleted"],
)
async def test_a_group_goes_while_somebody_talks(
    stage: Stage, database: str, police: None, how: str
) -> None:
    """DOM-VOI-8: all are out of it and told so, and what was said is kept."""
    car, patrol = [await Party.enter(stage, who, POLICE) for who in (CAR, 2)]
    await car.granted(POLICE)
    await car.say(0, 1, 2, group=POLICE)
    await patrol.ask(POLICE)
    await patrol.yours("queued", POLICE)
    await change(stage, database, how)
    for party in (car, patrol):
        gone = await party.peer.expect(wire.VoiceGone)
        assert (gone.group, gone.code) == (POLICE, "not_your_group")
        assert gone.text and gone.todo
    assert not stage.core.voice.groups
    # He talks on, for he has not read it yet: he is told once, and nobody hears it.
    await car.say(3, 4, 5, group=POLICE)
    await car.peer.refusal("no_floor")
    await car.peer.answers()
    assert car.peer.of(wire.Error) == []
    assert [number for _, number in patrol.heard(POLICE)] == [0, 1, 2]
    await patrol.peer.send(wire.VoiceJoin(n=9, group=POLICE))
    await patrol.peer.refusal("not_your_group")
    assert await kept(stage, 1) == [(f"unit:{CAR}", 60)]
    for party in (car, patrol):
        await party.peer.leave()
