"""The client's side of voice groups: hear them, ask for the floor, talk.

    await client.voice.join("group:2", hear=lambda speech: player.put(speech))
    async with client.voice.talk("group:2") as talk:
        async for packet in microphone:
            await talk.say(packet)

Speech is Opus packets, as they come from an encoder (``psn.wire.voice``); nothing of it is kept for
later: what cannot be said now is not said.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

from psn import wire
from psn.client.refusal import ClientRefused
from psn.wire import Speech, VoiceGroup
from psn.wire.voice import NUMBERS

AGAIN_SECONDS = 1.0
Hear = Callable[[Speech], None]
Told = Callable[[wire.Floor], None]
Asked = wire.VoiceJoin | wire.VoiceLeave | wire.VoicePatch | wire.VoiceUnpatch


class Talk:
    """The floor of a group, while one has it."""

    def __init__(self, group: str, talker: str, send: Callable[[bytes], Awaitable[None]]) -> None:
        self.group = VoiceGroup.of(group)
        self.until = 0
        """The server's time until which one may talk at most, milliseconds UTC."""
        self.over: ClientRefused | ConnectionError | None = None
        """Why the floor is lost, or was not given."""
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._talker = talker
        self._send = send
        self._numbers = itertools.count()

    async def say(self, opus: bytes, milliseconds: int = 20, *, last: bool = False) -> None:
        """One Opus packet of so many milliseconds.

        Raises :class:`ClientRefused` when the floor is lost, ``ConnectionError`` when the link is.
        """
        if self.over is not None:
            raise self.over
        number = next(self._numbers) % NUMBERS
        speech = Speech(self.group, self._talker, number, milliseconds, last, opus)
        await self._send(speech.encode())

    def end(self, why: ClientRefused | ConnectionError) -> None:
        """The floor is lost, or is not given."""
        self.over = self.over or why
        if not self.granted.done():
            self.granted.set_exception(why)
            self.granted.exception()  # whoever asked may be gone


class VoiceLine:
    """The voice groups of one client."""

    def __init__(
        self,
        ask: Callable[[Asked], Awaitable[object]],
        send: Callable[[wire.FloorAsk | wire.FloorRelease | bytes], Awaitable[None]],
        number: Callable[[], int],
        me: Callable[[], str],
    ) -> None:
        """``ask`` waits for ``ok``, ``send`` does not; without a link: ``ConnectionError``."""
        self.groups: dict[str, tuple[Hear, Told]] = {}
        """Groups that are joined, on every connection."""
        self.floors: dict[str, wire.Floor] = {}
        """By group: who talks, as the server said last."""
        self.unheard: Callable[[str], None] = lambda group: None
        """Called with a group of which the server says that one hears it no longer."""
        self.patches: dict[str, wire.Patched] = {}
        """By group: with which it has one floor, and who joined them."""
        self.reach: dict[str, wire.Reach] = {}
        """By group: how radios hear what is said there, where they do not simply hear it."""
        self._ask = ask
        self._send = send
        self._number = number
        self._me = me
        self._talks: dict[str, Talk] = {}

    async def join(
        self,
        group: str,
        hear: Hear = lambda speech: None,
        told: Told = lambda floor: None,
        radio: wire.Radio | None = None,
    ) -> None:
        """Hear a group from now on, after every reconnection too.

        ``hear`` is called with each frame of speech, ``told`` with each change of the floor.
        ``radio``: of a radio gateway, which takes a call. Raises
        :class:`ClientRefused` when it may not be heard, ``ConnectionError`` without a link.
        """
        self.groups[group] = hear, told
        try:
            await self._ask(wire.VoiceJoin(n=self._number(), group=group, radio=radio))
        except (ClientRefused, ConnectionError):
            self.groups.pop(group, None)
            raise

    async def join_again(self, group: str) -> None:
        """After a reconnection; what may be heard no longer is said to be gone."""
        while group in self.groups:
            try:
                await self._ask(wire.VoiceJoin(n=self._number(), group=group))
                return
            except ClientRefused as problem:
                if problem.code == "not_your_group":
                    self._forget(group, problem)
                else:  # locked, or too fast
                    await asyncio.sleep(AGAIN_SECONDS)

    async def leave(self, group: str) -> None:
        """Hear a group no more."""
        self._drop(group)
        if group in self._talks:
            self._talks[group].end(ClientRefused("left", "You have left the group.", "Join it."))
        await self._ask(wire.VoiceLeave(n=self._number(), group=group))

    async def patch(self, group: str, other: str) -> None:
        """Give two groups that were joined one floor: who talks in one is heard in both.

        Raises :class:`ClientRefused` when that may not be, ``ConnectionError`` without a link.
        """
        await self._ask(wire.VoicePatch(n=self._number(), groups=[group, other]))

    async def unpatch(self, group: str) -> None:
        """End the patch that a group is in, if it is in one; raises as :meth:`patch`."""
        await self._ask(wire.VoiceUnpatch(n=self._number(), group=group))

    @contextlib.asynccontextmanager
    async def talk(self, group: str, call: wire.CallKind = "normal") -> AsyncIterator[Talk]:
        """Ask for the floor of a group that was joined, wait one's turn, and talk.

        Raises :class:`ClientRefused` when the floor is denied, ``ConnectionError`` without a link.
        """
        if group in self._talks:
            raise RuntimeError(f"{group} is asked for already")
        talk = self._talks[group] = Talk(group, self._me(), self._send)
        try:
            await self._send(wire.FloorAsk(group=group, call=call))
            await talk.granted
            yield talk
        finally:
            del self._talks[group]
            if talk.over is None:
                with contextlib.suppress(ConnectionError):
                    await self._send(wire.FloorRelease(group=group))

    # -- what comes

    def speech(self, data: bytes) -> None:
        """A frame of speech has come."""
        speech = wire.voice.decode(data)
        hear, _ = self.groups.get(speech.group.address, (None, None))
        if hear is not None:
            hear(speech)

    def floor(self, frame: wire.Floor) -> None:
        """The floor of a group has changed."""
        self.floors[frame.group] = frame
        _, told = self.groups.get(frame.group, (None, None))
        if told is not None:
            told(frame)

    def patched(self, frame: wire.Patched) -> None:
        """A group has one floor with another, or no longer."""
        if frame.other is None:
            self.patches.pop(frame.group, None)
        else:
            self.patches[frame.group] = frame

    def reached(self, frame: wire.Reach) -> None:
        """Radios hear a group otherwise than before."""
        if frame.reach == "heard":
            self.reach.pop(frame.group, None)
        else:
            self.reach[frame.group] = frame

    def yours(self, frame: wire.FloorYours) -> None:
        """Something has become of one's own wish."""
        talk = self._talks.get(frame.group)
        if talk is None:
            return
        if frame.state in ("denied", "revoked"):
            talk.end(ClientRefused(frame.code, frame.text, frame.todo))
        elif frame.until is not None:
            talk.until = frame.until
        if frame.state == "granted" and not talk.granted.done():
            talk.granted.set_result(None)

    def gone(self, frame: wire.VoiceGone) -> None:
        """A group is heard no longer."""
        self._forget(frame.group, ClientRefused(frame.code, frame.text, frame.todo))

    def _drop(self, group: str) -> None:
        self.groups.pop(group, None)
        self.floors.pop(group, None)
        self.patches.pop(group, None)
        self.reach.pop(group, None)

    def _forget(self, group: str, why: ClientRefused) -> None:
        self._drop(group)
        if group in self._talks:
            self._talks[group].end(why)
        self.unheard(group)

    def lost(self) -> None:
        """The link is lost: nobody talks, and nobody waits for the floor."""
        for talk in self._talks.values():
            talk.end(ConnectionError("the connection to the server was lost"))
        self.floors.clear()
        self.patches.clear()
        self.reach.clear()
