"""What radios say, brought into voice groups of this network: keyed, said, and keyed again.

============================  =====================================================================
what happens                  then
============================  =====================================================================
the first packet comes        the radio is keyed; what needs a vocoder and has none takes no floor
no answer for ``FLOOR_S``     what is said goes on, and is dropped until the floor is granted
the floor is denied, revoked  what is said is dropped, and the radio is keyed again while it talks:
or the link is lost           nobody can tell it to; at most once in ``AGAIN_S``
it ends                       what waits is said, and it unkeys
it talks again before that    it is keyed when the first talk is over, with a floor of its own
============================  =====================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from psn import wire
from psn.client.radio import Keyed, RadioLine
from radio_bridge import opus as opus_packets
from radio_bridge.inside import Opus, Sound
from radio_bridge.unreadable import Unreadable

FLOOR_S: Final = 0.5
"""So long what a radio says waits for the server's word."""
LEFT_S: Final = 5.0
"""So long after it has unkeyed, the server's word that a radio has the floor may still come."""
AGAIN_S: Final = 1.0
"""From one keying to the next while a radio talks on."""
_MOST_WAITING: Final = 150
"""Packets of a talk; a second or more."""
_Packet = tuple[bytes, int]
"""Of Opus, and how many milliseconds it has."""


class GroupMouths:
    """All of them, over one line to the server."""

    def __init__(
        self,
        line: RadioLine,
        spawn: Callable[[Coroutine[Any, Any, object]], None],
        count: Callable[[str], None],
    ) -> None:
        """``spawn`` does something that takes time; ``count``: what was not said, by code."""
        self.line = line
        self.spawn = spawn
        self.count = count
        self.keyed: set[Keyed] = set()
        """Radios that talk in voice groups now."""
        self._left: dict[Keyed, float] = {}
        """Radios that have unkeyed, and until when they are still taken for ours."""
        self._overs: dict[tuple[str, wire.Radio], asyncio.Event] = {}

    def mouth(self, group: str, radio: wire.Radio, emergency: bool) -> GroupMouth:
        """For one talk of a radio in a group."""
        return GroupMouth(self, group, radio, "emergency" if emergency else "normal")

    def of_group(self, group: str) -> list[Keyed]:
        """Radios that talk in a group, or did just now: of these it may still be said."""
        now = asyncio.get_running_loop().time()
        self._left = {keyed: until for keyed, until in self._left.items() if until > now}
        return [keyed for keyed in (*self.keyed, *self._left) if keyed.group == group]

    def left(self, keyed: Keyed) -> None:
        """A radio has unkeyed."""
        self.keyed.discard(keyed)
        self._left[keyed] = asyncio.get_running_loop().time() + LEFT_S

    @contextlib.asynccontextmanager
    async def turn(self, group: str, radio: wire.Radio) -> Any:
        """One talk of a radio after another: the server tells them apart by nothing else."""
        before = self._overs.get((group, radio))
        over = self._overs[group, radio] = asyncio.Event()
        try:
            if before is not None:
                await before.wait()
            yield
        finally:
            over.set()
            if self._overs[group, radio] is over:
                del self._overs[group, radio]


class GroupMouth:
    """Brings a radio's talk into a voice group."""

    form: type[Sound] = Opus

    def __init__(self, of: GroupMouths, group: str, radio: wire.Radio, call: wire.CallKind) -> None:
        self._of = of
        self._group = group
        self._radio = radio
        self._call = call
        self._reframer = opus_packets.Reframer()
        self._queue: asyncio.Queue[_Packet | None] = asyncio.Queue(_MOST_WAITING)
        self._has_begun = False

    def say(self, sound: Sound) -> None:
        """A packet."""
        assert isinstance(sound, Opus)
        try:
            for one in self._reframer.take(sound.packet):
                self._queue.put_nowait(one)
        except Unreadable as error:
            self._of.count(error.code)
        except asyncio.QueueFull:
            self._of.count("bridge.network_late")
        self._begin()

    def end(self) -> None:
        """He has unkeyed."""
        with contextlib.suppress(asyncio.QueueFull):
            for one in self._reframer.end():
                self._queue.put_nowait(one)
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    def _begin(self) -> None:
        if not self._has_begun and not self._queue.empty():
            self._has_begun = True
            self._of.spawn(self._talk())

    async def _talk(self) -> None:
        clock = asyncio.get_running_loop().time
        async with self._of.turn(self._group, self._radio):
            one = await self._queue.get()
            while one is not None:
                again = clock() + AGAIN_S
                try:
                    one = await self._say_from(one)
                except ConnectionError:
                    one = await self._queue.get()
                while one is not None and clock() < again:
                    one = await self._queue.get()

    async def _say_from(self, one: _Packet | None) -> _Packet | None:
        """Key, and say it and what follows; the first that is not heard, or none: it has ended."""
        answered = asyncio.Event()
        keyed = await self._of.line.key(
            self._group, self._radio, self._call, lambda keyed: answered.set()
        )
        self._of.keyed.add(keyed)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(answered.wait(), FLOOR_S)
            while one is not None and keyed.over is None:
                await keyed.say(*one)
                one = await self._queue.get()
            return one
        finally:
            self._of.left(keyed)
            await keyed.unkey()
