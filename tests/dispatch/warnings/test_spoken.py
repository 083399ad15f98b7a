"""Announcements in voice groups: with the real espeak-ng, on a running server."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import smsc
from airwaves import on_air
from clerks import Clerk
from click.testing import CliRunner
from desk_peer import Worker
from hypothesis import given
from hypothesis import strategies as st
from parties import JOINT, Party
from stage import CAR, GATEWAY, TRUCK, Stage, report, until
from warners import APPROVER, OFFICER, approval, exercise, hire, sent

from dispatch.alerting.content import ENGLISH, SPANISH
from dispatch.warnings import recipients, synthesis
from dispatch.warnings.recipients import Said
from psn import wire
from psn.__main__ import main
from psn.client.sound import Decoder
from psn.problems import Problem
from psn.wire import Speech

pytestmark = pytest.mark.skipif(
    shutil.which(synthesis.PROGRAM) is None, reason="espeak-ng is not installed"
)
NEMO = "agency:1"
TONE_FRAMES = 40
"""At least, of an attention tone of a second."""


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speech takes its time, and so would the tests."""
    monkeypatch.setattr(synthesis, "WORDS_A_MINUTE", 450)


@pytest.fixture
async def warners(stage: Stage) -> AsyncIterator[tuple[Worker, Worker]]:
    await hire(stage)
    officer = await Worker.enter(stage, OFFICER, "warning_desk")
    approver = await Worker.enter(stage, APPROVER, "warning_desk")
    yield officer, approver
    await officer.leave()
    await approver.leave()


async def warn_group(stage: Stage, group: str = JOINT, language: str = ENGLISH) -> None:
    await stage.core.pool.execute(smsc.RECIPIENT, "spoken", group, language, None)


def announced(party: Party, group: str = JOINT) -> list[Speech]:
    return [s for s in party.peer.heard if s.talker == NEMO and s.group.address == group]


def loudness(speech: list[Speech]) -> float:
    decoder = Decoder()
    samples = b"".join(decoder.decode(each.opus) for each in speech)
    return float(np.abs(np.frombuffer(samples, np.int16).astype(float)).mean())


async def test_it_is_spoken_where_units_inside_the_area_are(
    stage: Stage, warners: tuple[Worker, Worker]
) -> None:
    """DOM-WRN-40: though nobody has named the group; and whoever heard it hears its end."""
    officer, approver = warners
    inside = await Party.enter(stage, CAR, JOINT)
    elsewhere = await Party.enter(stage, TRUCK, "group:2")
    await report(inside.peer)
    await report(elsewhere.peer)
    newest = stage.core.picture.newest
    await until(lambda: {CAR, TRUCK} <= newest.keys(), "both are known")
    made = await sent(officer, approver)
    assert await smsc.settled(stage, "spoken") == {"handed": 1}
    await until(lambda: announced(inside), "it is heard")
    assert not announced(elsewhere, "group:2"), "a group in which the agency has no part"
    # It leaves; who heard it is told that it is over, once.
    await report(inside.peer, lat=170_000_000)
    over = await officer.do("warning.cancel", warning=made["warning"])
    await officer.do("warning.check", message=over["message"])
    phrase = "actual cancel hurricane warning"
    await approver.do("warning.approve", **approval(over, phrase=phrase))
    assert await smsc.settled(stage, "spoken", total=2) == {"handed": 2}
    found = await stage.core.pool.fetch("select address, ended_at from warning_recipient")
    assert [each["address"] for each in found] == [JOINT] and found[0]["ended_at"]
    # Named as well, it is spoken there once.
    await warn_group(stage)
    await report(inside.peer)
    await sent(officer, approver)
    assert await smsc.settled(stage, "spoken", total=3) == {"handed": 3}
    for party in (inside, elsewhere):
        await party.peer.leave()


async def test_a_group_hears_the_tone_and_the_words_and_it_is_recorded(
    stage: Stage, warners: tuple[Worker, Worker]
) -> None:
    """DOM-WRN-40, DOM-WRN-41: real and extreme, it interrupts ordinary talk."""
    ben, ana = await Party.enter(stage, "ben", JOINT), await Party.enter(stage, "ana", JOINT)
    await warn_group(stage)
    await on_air(stage)
    bridge = await Party.enter(stage, GATEWAY, JOINT)
    await ana.granted()
    await ana.say(0)
    made = await sent(*warners)
    assert (await ana.yours("revoked")).code == "preempted"
    taken = await ben.peer.expect(wire.Floor, lambda floor: floor.talker == NEMO)
    assert (taken.talker_name, taken.agency, taken.call) == ("Police", 1, "peril")
    assert await smsc.settled(stage, "spoken") == {"handed": 1}
    said = announced(ben)
    await until(lambda: announced(bridge) == said, "the radios of its talkgroup hear it")
    assert said[-1].last and [each.number for each in said] == list(range(len(said)))
    assert loudness(said[:TONE_FRAMES]) > 1_000 and loudness(said[TONE_FRAMES:]) > 300
    row = await stage.core.pool.fetchrow(
        "select by, receipt from warning_delivery where message_id = $1", made["message"]
    )
    assert dict(row) == {"by": "announcements", "receipt": "heard by 3"}

    async def kept() -> Any:
        return await stage.core.pool.fetchrow(
            "select agency_id, call, milliseconds from recording where talker = $1"
            " and ended_at is not null", NEMO
        )  # fmt: skip

    async with asyncio.timeout(20):
        while (found := await kept()) is None:
            await asyncio.sleep(0.05)
    assert (found["agency_id"], found["call"]) == (1, "peril")
    assert found["milliseconds"] == 20 * len(said)
    for party in (ana, ben, bridge):
        await party.peer.leave()


async def test_an_exercise_waits_and_what_is_interrupted_is_said_again(
    stage: Stage, warners: tuple[Worker, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-41."""
    monkeypatch.setattr("dispatch.warnings.spoken_way.AGAIN_SECONDS", 0.1)
    ben, car = await Party.enter(stage, "ben", JOINT), await Party.enter(stage, 1, JOINT)
    await warn_group(stage)
    await car.granted()
    talking = asyncio.create_task(keep_talking(car))
    made = await warners[0].do("warning.begin", content=exercise())
    await warners[0].do("warning.check", message=made["message"])
    await warners[1].do("warning.approve", message=made["message"], seen=made["digest"])
    await until(lambda: car.peer.heard == [] and queued(stage), "it waits for the floor")
    talking.cancel()
    await car.release()
    await until(lambda: len(announced(ben)) > 10, "it is its turn")
    await car.granted(call="emergency")
    before = len(announced(ben))
    await car.release()
    assert await smsc.settled(stage, "spoken") == {"handed": 1}
    again = [each.number for each in announced(ben)].index(0, 1)
    assert again >= before - 1 and announced(ben)[-1].last
    tries = await stage.core.pool.fetchval("select tries from warning_delivery")
    assert tries == 2
    for party in (car, ben):
        await party.peer.leave()


async def keep_talking(party: Party) -> None:
    number = 0
    while True:
        await party.say(number)
        number += 1
        await asyncio.sleep(0.05)


def queued(stage: Stage) -> bool:
    return any(
        wish.member.startswith(NEMO)
        for group in stage.core.voice.groups.values()
        for wish in group.floor.queue
    )


async def test_nobody_there_hears_it_when_somebody_comes(
    stage: Stage, warners: tuple[Worker, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-40: while it holds; a group of others, and one that is none, are not warned."""
    monkeypatch.setattr("dispatch.warnings.spoken_way.NOBODY_SECONDS", 0.1)
    for group in (JOINT, "group:2", "group:99"):
        await warn_group(stage, group, SPANISH)
    await sent(*warners)

    async def rows() -> dict[str, tuple[str, str]]:
        found = await stage.core.pool.fetch("select address, state, problem from warning_delivery")
        return {row["address"]: (row["state"], row["problem"] or "") for row in found}

    async with asyncio.timeout(20):
        while "Nobody hears" not in (await rows()).get(JOINT, ("", ""))[1]:
            await asyncio.sleep(0.05)

    async def health() -> dict[str, Any]:
        async with aiohttp.ClientSession() as http:
            told = await Clerk(stage, http, warners[0].peer).get("/api/warnings/ways")
        (found,) = (each for each in told["ways"] if each["channel"] == "spoken")
        return found

    assert "Nobody hears" in (await health())["refused_problem"]
    ben = await Party.enter(stage, "ben", JOINT)
    states = await smsc.settled(stage, "spoken", 3)
    assert states == {"handed": 1, "failed": 2} and announced(ben)
    assert "There is no group group:2 of this agency" in (await rows())["group:2"][1]
    assert (await health())["failing_since"] is None and (await health())["handed"] == 1
    await ben.peer.leave()
    runner = CliRunner(env={"PSN_DATABASE": stage.dsn})
    told = await asyncio.to_thread(runner.invoke, main, ["warnings", "ways"])
    assert told.exit_code == 0, told.output
    (line,) = (each for each in told.output.splitlines() if each.startswith("spoken"))
    assert line.split()[1:5] == ["3", "0", "1", "2"] and "There is no group" in line


async def test_a_machine_without_the_program_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """DOM-WRN-42."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install espeak-ng" in (synthesis.lacking() or "")
    with pytest.raises(synthesis.NotSpoken, match="espeak-ng is not installed"):
        await synthesis.talks("Go to a shelter now.", ENGLISH)
    for script, told in (
        ("cat > /dev/null; echo no voice >&2; exit 3", "ended with 3: no voice"),
        ("cat > /dev/null; echo RIFF", "made no sound"),
        ("exec sleep 60", "took more than"),
    ):
        program = tmp_path / synthesis.PROGRAM
        program.write_text(f"#!/bin/sh\nPATH={os.defpath}\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(synthesis, "MOST_SECONDS", 0.5 if "sleep" in script else 20.0)
        with pytest.raises(synthesis.NotSpoken, match=told):
            await synthesis.talks("Go to a shelter now.", ENGLISH)


async def test_what_is_long_is_said_in_talks_shorter_than_the_floor_is_given() -> None:
    """DOM-WRN-40: each ends in a pause between words."""
    said = await synthesis.talks("Winds of 74 miles an hour are expected. " * 45, SPANISH)
    assert len(said) == 2
    assert all(len(talk) * 0.02 <= synthesis.TALK_SECONDS + 0.1 for talk in said)
    assert said[0] != said[1]


@given(st.text())
def test_no_text_is_a_command_of_the_program(text: str) -> None:
    made = synthesis.plain(text)
    assert made.isprintable() and "[[" not in made and made == made.strip()


@given(st.lists(st.integers(-32_768, 32_767), max_size=3_000))
def test_parts_are_what_was_parted(samples: list[int]) -> None:
    rate = 20
    given_ = np.array(samples, np.int16)
    made = synthesis.parts(given_, rate)
    assert b"".join(made) == given_.tobytes()
    assert all(len(part) // 2 <= synthesis.TALK_SECONDS * rate for part in made)


@pytest.mark.parametrize(
    ("channel", "address", "language"),
    [
        ("spoken", "group:0", ENGLISH),
        ("spoken", "unit:1", ENGLISH),
        ("radio_text", "group:", ENGLISH),
        ("spoken", "group:٣", ENGLISH),
        ("spoken", "group:1", "bzj"),
    ],
)
def test_what_is_no_group_or_has_no_voice_is_refused(
    channel: str, address: str, language: str
) -> None:
    """DOM-WRN-42."""
    with pytest.raises(Problem) as refused:
        recipients.checked(Said(channel, address, None, language))
    assert refused.value.code == "bad_recipient"
    assert recipients.checked(Said("radio_text", "3", None, "bzj")).address == "group:3"
