"""The client library talks and listens, and comes back to its groups."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from parties import JOINT, OPUS
from stage import ANA, Stage, credentials_of, until

from psn import wire
from psn.client import Client, ClientRefused, Link
from psn.wire import Speech

UNIT_1 = "unit:1"


async def test_a_crew_and_a_dispatcher_talk(stage: Stage) -> None:
    heard: list[Speech] = []
    floors: list[wire.Floor] = []
    async with (
        Client(stage.url, credentials_of("ana")) as ana,
        Client(stage.url, credentials_of(1)) as car,
    ):
        await asyncio.gather(ana.up(), car.up())
        await ana.voice.join(JOINT, heard.append, floors.append)
        await car.voice.join(JOINT)
        async with car.voice.talk(JOINT, "peril") as talk:
            assert car.now_ms() < talk.until
            for _ in range(3):
                await talk.say(OPUS)
            await talk.say(OPUS, 60, last=True)
        await until(lambda: floors and floors[-1].talker is None and len(floors) > 1, "it ends")
        assert [(each.talker, each.number, each.last) for each in heard] == [
            (UNIT_1, 0, False), (UNIT_1, 1, False), (UNIT_1, 2, False), (UNIT_1, 3, True),
        ]  # fmt: skip
        assert (floors[1].talker, floors[1].call) == (UNIT_1, "peril")
        async with ana.voice.talk(JOINT) as talk:
            assert car.voice.floors[JOINT].talker in (None, ANA)
        await ana.voice.leave(JOINT)
        async with car.voice.talk(JOINT) as talk:
            await talk.say(OPUS)
        await car.request(wire.Ping(n=9))
        assert len(heard) == 4


async def test_who_is_interrupted_reads_why(stage: Stage) -> None:
    async with (
        Client(stage.url, credentials_of("ana")) as ana,
        Client(stage.url, credentials_of(1)) as car,
    ):
        await asyncio.gather(ana.up(), car.up())
        await ana.voice.join(JOINT)
        await car.voice.join(JOINT)
        async with ana.voice.talk(JOINT) as talk, car.voice.talk(JOINT, "emergency"):
            await until(lambda: talk.over, "she is told")
            with pytest.raises(ClientRefused) as problem:
                await talk.say(OPUS)
            assert problem.value.code == "preempted"
        await ana.voice.leave(JOINT)
        with pytest.raises(ClientRefused) as problem:
            async with ana.voice.talk(JOINT):
                pass
        assert problem.value.code == "not_joined"
        with pytest.raises(ClientRefused) as problem:
            await ana.voice.join("group:2")
        assert problem.value.code == "not_your_group"
        assert ana.voice.groups == {}


async def test_two_groups_are_patched(stage: Stage, database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(
        "insert into talkgroup (agency_id, name) values (1, 'Police only');"
        "insert into group_member (group_id, agency_id) values (3, 1)"
    )
    await connection.close()
    await stage.core.refresh_directory()
    heard: list[Speech] = []
    async with (
        Client(stage.url, credentials_of("ana")) as ana,
        Client(stage.url, credentials_of(1)) as car,
    ):
        await asyncio.gather(ana.up(), car.up())
        with pytest.raises(ClientRefused) as problem:
            await ana.voice.patch(JOINT, "group:3")
        assert problem.value.code == "hear_both_first"
        for group in (JOINT, "group:3"):
            await ana.voice.join(group)
        await car.voice.join(JOINT, heard.append)
        await ana.voice.patch(JOINT, "group:3")
        await until(lambda: JOINT in car.voice.patches, "the crew is told")
        assert car.voice.patches[JOINT].other == "group:3"
        async with ana.voice.talk("group:3") as talk:
            await talk.say(OPUS)
            await until(lambda: len(heard) == 1, "heard in the other group")
        await ana.voice.unpatch("group:3")
        await until(lambda: not car.voice.patches, "it is over")


async def test_it_waits_for_its_turn(stage: Stage) -> None:
    async with (
        Client(stage.url, credentials_of("ana")) as ana,
        Client(stage.url, credentials_of(1)) as car,
    ):
        await asyncio.gather(ana.up(), car.up())
        await ana.voice.join(JOINT)
        await car.voice.join(JOINT)

        async def says() -> int:
            async with car.voice.talk(JOINT) as talk:
                await talk.say(OPUS)
                return talk.until

        async with ana.voice.talk(JOINT) as talk:
            waits = asyncio.create_task(says())
            for _ in range(10):
                await talk.say(OPUS)
                await asyncio.sleep(0.02)
            assert not waits.done()
        assert await waits > 0


async def test_a_group_that_is_over_ends_talk_and_wish(stage: Stage, database: str) -> None:
    async with (
        Client(stage.url, credentials_of("ana")) as ana,
        Client(stage.url, credentials_of(1)) as car,
    ):
        await asyncio.gather(ana.up(), car.up())
        await ana.voice.join(JOINT)
        await car.voice.join(JOINT)

        async def says() -> None:
            async with car.voice.talk(JOINT):
                pass

        async with ana.voice.talk(JOINT) as talk:
            waits = asyncio.create_task(says())
            await asyncio.sleep(0.1)
            connection = await asyncpg.connect(database)
            await connection.execute("delete from group_member; delete from talkgroup where id = 1")
            await connection.close()
            await stage.core.refresh_directory()
            await until(lambda: talk.over, "she is told")
            with pytest.raises(ClientRefused):
                await talk.say(OPUS)
        with pytest.raises(ClientRefused) as problem:
            await waits
        assert problem.value.code == "not_your_group"


async def test_it_comes_back_to_its_groups(stage: Stage, database: str) -> None:
    heard: list[Speech] = []
    gone: list[str] = []
    async with (
        Client(stage.url, credentials_of("ana")) as ana,
        Client(stage.url, credentials_of(1)) as car,
    ):
        await asyncio.gather(ana.up(), car.up())
        ana.voice.unheard = gone.append
        await ana.voice.join(JOINT, heard.append)
        await car.voice.join(JOINT)
        port = stage.address[1]
        async with car.voice.talk(JOINT) as talk:
            await stage.stop()
            await until(lambda: car.link is Link.LOST, "the link is lost")
            with pytest.raises(ConnectionError):
                await talk.say(OPUS)
        with pytest.raises(ConnectionError):
            async with car.voice.talk(JOINT):
                pass
        await stage.start(port)
        await asyncio.gather(ana.up(), car.up())
        await until(lambda: JOINT in ana.voice.floors and JOINT in car.voice.floors, "both are in")
        async with car.voice.talk(JOINT) as talk:
            await talk.say(OPUS)
        await until(lambda: len(heard) == 1, "it is heard")
        await stage.stop()
        connection = await asyncpg.connect(database)
        await connection.execute("delete from group_member where agency_id = 1")
        await connection.execute("delete from talkgroup where id = 1")
        await connection.close()
        await stage.start(port)
        await until(lambda: gone == [JOINT], "what is no more is said to be gone")
        await ana.up()
