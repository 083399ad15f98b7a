"""Our nodes at Debian's svxreflector: signed in, heard, refused, and there again after a crash.

Debian 12's and Ubuntu 24.04's reflector knows no talkgroups; where there is a newer one, these are
tested, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from patience import until
from reflector import NAMES, REFLECTOR, Reflector, a_node, connected, spoken, talkers

from radio_bridge.svxlink import node
from radio_bridge.svxlink.events import (
    Connected,
    Denied,
    Disconnected,
    Granted,
    Lost,
    Spoke,
    Unkeyed,
)
from radio_bridge.svxlink.messages import NodeJoined, NodeLeft
from radio_bridge.svxlink.sockets import NodeLine

SPEECH = [bytes([0x98, number]) * (20 + number) for number in range(25)]

pytestmark = pytest.mark.skipif(not REFLECTOR, reason="there is no svxreflector")


@pytest.fixture
async def reflector() -> AsyncIterator[Reflector]:
    async with Reflector.running() as made:
        yield made


async def say(line: NodeLine, speech: list[bytes]) -> None:
    for packet in speech:
        line.speak(packet)
        await asyncio.sleep(0.02)


async def test_speech_arrives_byte_for_byte_with_its_talker(reflector: Reflector) -> None:
    async with a_node(reflector.port, "BPD-1") as (ours, at_ours):
        await until(lambda: connected(at_ours))
        async with a_node(reflector.port, "BDF-1") as (theirs, at_theirs):
            await until(lambda: Connected(("BPD-1",)) in at_theirs)
            await until(lambda: NodeJoined("BDF-1") in at_ours)
            await say(ours, SPEECH)
            await until(lambda: len(spoken(at_theirs)) == len(SPEECH))
            assert Granted() in at_ours
            ours.end()
            await until(lambda: at_theirs[-1] == Unkeyed())
            assert spoken(at_theirs) == SPEECH
            assert talkers(at_theirs) == ["BPD-1"]
            assert not any(one.missed for one in at_theirs if isinstance(one, Spoke))
            assert spoken(at_ours) == []
            await say(theirs, SPEECH[::-1])
            theirs.end()
            await until(lambda: at_ours[-1] == Unkeyed())
            assert spoken(at_ours) == SPEECH[::-1]
            assert talkers(at_ours) == ["BDF-1"]
        await until(lambda: at_ours[-1] == NodeLeft("BDF-1"))


async def test_who_talks_second_is_told_and_heard_when_the_first_has_ended(
    reflector: Reflector,
) -> None:
    async with (
        a_node(reflector.port, "BPD-1") as (first, at_first),
        a_node(reflector.port, "BDF-1") as (second, at_second),
        a_node(reflector.port, "BCG-1") as (_, at_third),
    ):
        for heard in (at_first, at_second, at_third):
            await until(lambda heard=heard: connected(heard))
        first.speak(SPEECH[0])
        await until(lambda: Granted() in at_first and "BPD-1" in talkers(at_second))
        second.speak(SPEECH[1])
        assert at_second[-1] == Denied("BPD-1")
        first.speak(SPEECH[2])
        first.end()
        await until(lambda: Unkeyed() in at_third)
        second.speak(SPEECH[3])
        await until(lambda: Granted() in at_second)
        second.end()
        await until(lambda: at_third.count(Unkeyed()) == 2)
        assert spoken(at_third) == [SPEECH[0], SPEECH[2], SPEECH[3]]
        assert talkers(at_third) == ["BPD-1", "BDF-1"]


async def test_a_wrong_password_is_refused_and_tried_again(reflector: Reflector) -> None:
    async with a_node(reflector.port, "BPD-1", password=b"guessed") as (_, heard):
        await until(lambda: len(heard) >= 2)
    assert set(heard) == {Disconnected(Lost.REFUSED, was_connected=False, text="Access denied")}
    assert "Authentication failed" in reflector.log


async def test_a_name_that_is_taken_is_refused(reflector: Reflector) -> None:
    async with (
        a_node(reflector.port, "BPD-1") as (_, first),
        a_node(reflector.port, "BDF-1") as (_, other),
    ):
        await until(lambda: connected(first) and connected(other))
        async with a_node(reflector.port, "BPD-1") as (_, second):
            await until(lambda: bool(second))
            refused = Disconnected(Lost.REFUSED, was_connected=False, text="Access denied")
            assert second[0] == refused


async def test_a_reflector_that_is_killed_is_found_again(reflector: Reflector) -> None:
    async with (
        a_node(reflector.port, "BPD-1") as (ours, at_ours),
        a_node(reflector.port, "BDF-1") as (_, at_theirs),
    ):
        await until(lambda: connected(at_ours) and connected(at_theirs))
        ours.speak(SPEECH[0])
        await until(lambda: spoken(at_theirs) == SPEECH[:1])
        reflector.kill()
        lost = Disconnected(Lost.CLOSED, was_connected=True)
        await until(lambda: lost in at_ours and lost in at_theirs)
        assert at_theirs[at_theirs.index(lost) - 1] == Unkeyed(silent=True)
        ours.speak(SPEECH[1])  # goes nowhere
        await reflector.start()
        for heard in (at_ours, at_theirs):
            await until(lambda heard=heard: sum(isinstance(one, Connected) for one in heard) == 2)
        ours.speak(SPEECH[2])
        await until(lambda: spoken(at_theirs) == [SPEECH[0], SPEECH[2]])


async def test_a_node_that_is_to_be_in_a_talkgroup_is_in_that_or_nowhere(
    reflector: Reflector,
) -> None:
    async with a_node(reflector.port, "BPD-1", talkgroup=91) as (_, heard):
        await until(lambda: bool(heard))
        if reflector.has_talkgroups:
            assert heard[0] == Connected(())
            await until(lambda: "BPD-1: Select TG #91" in reflector.log)
        else:
            text = "Unsupported protocol version 2.0"
            assert heard[0] == Disconnected(Lost.OTHER_PROTOCOL, was_connected=False, text=text)


async def test_talkgroups_hear_only_their_own(reflector: Reflector) -> None:
    if not reflector.has_talkgroups:
        pytest.skip("this svxreflector knows no talkgroups")
    async with (
        a_node(reflector.port, "BPD-1", talkgroup=91) as (ours, at_ours),
        a_node(reflector.port, "BDF-1", talkgroup=91) as (_, at_same),
        a_node(reflector.port, "BCG-1", talkgroup=92) as (other, at_other),
    ):
        for heard in (at_ours, at_same, at_other):
            await until(lambda heard=heard: connected(heard))
        for name, number in zip(NAMES, (91, 91, 92), strict=True):
            await until(lambda said=f"{name}: Select TG #{number}": said in reflector.log)
        await asyncio.gather(say(ours, SPEECH), say(other, SPEECH[::-1]))
        ours.end()
        other.end()
        await until(lambda: at_same[-1] == Unkeyed())
        assert spoken(at_same) == SPEECH
        assert talkers(at_same) == ["BPD-1"]
        assert Granted() in at_ours and Granted() in at_other
        assert spoken(at_ours) == spoken(at_other) == []


async def test_a_line_without_datagrams_is_told_from_one_that_is_lost(
    reflector: Reflector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "PATIENCE_S", 0.5)
    monkeypatch.setattr(NodeLine, "sendto", lambda *_: None)  # as a firewall does
    async with a_node(reflector.port, "BPD-1") as (_, heard):
        await until(lambda: Disconnected(Lost.NO_DATAGRAMS, was_connected=False) in heard)
