"""What radios say in voice groups, with a server that answers when the test says so."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from patience import until

from psn import wire
from psn.client.radio import RadioLine
from psn.wire import voice
from radio_bridge.bridge import group_mouths
from radio_bridge.bridge.group_mouths import GroupMouths
from radio_bridge.inside import Opus

GROUP, RADIO = "group:2", wire.Radio(1, 4711)


class Server:
    """What a server is asked, and what it says; ``sent`` is in words."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.is_there = True
        numbers = itertools.count(1)
        self.line = RadioLine(self._ask, self._take, lambda: next(numbers), self._ask)
        self.counted: Counter[str] = Counter()
        self.tasks: set[asyncio.Task[object]] = set()
        self.mouths = GroupMouths(self.line, self._spawn, lambda code: self.counted.update([code]))

    async def _ask(self, frame: object) -> None:
        raise AssertionError(frame)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        self.tasks.add(asyncio.create_task(work))

    async def _take(self, frame: wire.FloorAsk | wire.FloorRelease | bytes) -> None:
        if not self.is_there:
            raise ConnectionError
        match frame:
            case wire.FloorAsk():
                self.sent.append(f"ask {frame.call}")
            case wire.FloorRelease():
                self.sent.append("release")
            case _:
                self.sent.append(voice.decode(frame).opus[1:].decode())

    def says(self, state: wire.FloorState) -> None:
        frame = wire.FloorYours(group=GROUP, state=state, talker="unit:1", code="silent")
        self.line.yours(RADIO, frame)

    def goes(self) -> None:
        self.is_there = False
        self.line.lost()


def packet(word: str) -> Opus:
    """20 ms, as the first byte says."""
    return Opus(b"\x78" + word.encode())


async def test_a_second_talk_before_the_first_was_answered_is_heard_whole() -> None:
    """Also as an emergency."""
    server = Server()
    first = server.mouths.mouth(GROUP, RADIO, emergency=False)
    first.say(packet("one"))
    first.end()
    second = server.mouths.mouth(GROUP, RADIO, emergency=True)
    second.say(packet("two"))
    await until(lambda: server.sent == ["ask normal"])
    server.says("granted")
    await until(lambda: server.sent[1:] == ["one", "release", "ask emergency"])
    server.says("granted")
    second.say(packet("three"))
    second.end()
    await until(lambda: server.sent[4:] == ["two", "three", "release"])
    await asyncio.gather(*server.tasks)
    assert server.mouths.keyed == set()


@pytest.mark.parametrize("state", ["revoked", "denied"])
async def test_who_talks_on_is_keyed_again(
    state: wire.FloorState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_mouths, "AGAIN_S", 0.05)
    server = Server()
    mouth = server.mouths.mouth(GROUP, RADIO, emergency=False)
    mouth.say(packet("one"))
    await until(lambda: server.sent == ["ask normal"])
    server.says("granted")
    await until(lambda: server.sent[1:] == ["one"])
    server.says(state)
    await asyncio.sleep(0.05)
    mouth.say(packet("two"))
    await until(lambda: server.sent[2:] == ["ask normal"])
    server.says("granted")
    await until(lambda: server.sent[3:] == ["two"])
    mouth.end()
    await until(lambda: server.sent[4:] == ["release"])


async def test_who_talks_when_the_link_is_back_is_keyed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_mouths, "AGAIN_S", 0.01)
    server = Server()
    mouth = server.mouths.mouth(GROUP, RADIO, emergency=False)
    mouth.say(packet("one"))
    await until(lambda: server.sent == ["ask normal"])
    server.says("granted")
    await until(lambda: server.sent[1:] == ["one"])
    server.goes()
    for _ in range(5):
        mouth.say(packet("lost"))
        await asyncio.sleep(0.01)
    server.is_there = True
    for _ in range(5):
        mouth.say(packet("two"))
        await asyncio.sleep(0.01)
    await until(lambda: "ask normal" in server.sent[2:])
    server.says("granted")
    mouth.end()
    await asyncio.gather(*server.tasks)
    assert server.sent[2] == "ask normal"
    assert set(server.sent[3:-1]) == {"two"}
    assert server.sent[-1] == "release"


async def test_who_says_nothing_takes_no_floor() -> None:
    """A radio whose speech nobody can decode."""
    server = Server()
    mouth = server.mouths.mouth(GROUP, RADIO, emergency=False)
    mouth.end()
    assert server.tasks == set()
    assert server.sent == []
