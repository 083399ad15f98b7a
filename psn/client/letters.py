"""Messages on their way out: on disk until they are acknowledged, sent in the order written."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Final
from uuid import UUID

from psn import wire
from psn.client.offline import Offline
from psn.client.refusal import ClientRefused

WINDOW: Final = 100
"""Messages on their way that are not acknowledged yet."""
ANSWERS_KEPT: Final = 10_000
"""Acknowledgements remembered for someone who may still ask for them."""


class Letters:
    """Messages until they are acknowledged; after a sign-in all go again, which ids make safe."""

    def __init__(self, offline: Offline, jitter: random.Random) -> None:
        self._offline = offline
        self._jitter = jitter
        self._acks: dict[UUID, asyncio.Future[int]] = {}
        self._unsent: deque[wire.Message] = deque()
        self._flying: dict[UUID, wire.Message] = {}
        self._held: asyncio.TimerHandle | None = None
        """While set, no message goes out: the server could not take one for now."""
        self.pump = asyncio.Event()
        """Set when there may be something to send."""

    def add(self, frame: wire.Message) -> None:
        """One more; it is on disk when this returns."""
        self._offline.keep_message(frame)
        self._unsent.append(frame)
        self._acks.setdefault(frame.id, asyncio.get_running_loop().create_future())
        self.pump.set()

    async def acknowledged(self, message: UUID) -> int:
        """Wait until a message is on the server's disk; its time there.

        Raises :class:`ClientRefused` when it is refused for good, ``KeyError`` when no such
        message is on its way.
        """
        answer = self._acks.get(message)
        if answer is None:
            if all(kept.id != message for kept in self._offline.messages()):
                raise KeyError(message)
            answer = self._acks[message] = asyncio.get_running_loop().create_future()
        try:
            return await asyncio.shield(answer)
        finally:
            if answer.done():
                self._acks.pop(message, None)

    def take(self) -> wire.Message | None:
        """The next to send; none: nothing may be sent now."""
        if not self._unsent or len(self._flying) >= WINDOW or self._held is not None:
            return None
        frame = self._unsent.popleft()
        self._flying[frame.id] = frame
        return frame

    def again(self) -> None:
        """All that is not acknowledged is to be sent, in the order written."""
        self.lost()
        self._unsent = deque(self._offline.messages())
        self.pump.set()

    def lost(self) -> None:
        """The connection is gone, and with it what was on its way."""
        self._flying.clear()
        if self._held is not None:
            self._held.cancel()
            self._held = None

    def forget(self) -> None:
        """Send nothing of it any more."""
        self._unsent.clear()

    def hold(self, seconds: float) -> None:
        """The server cannot take one for now: about so long none goes out.

        Nothing written later overtakes it: all that is not acknowledged waits, and then goes again
        in the order written.
        """
        if self._held is None:
            delay = seconds * self._jitter.uniform(1, 2)
            self._held = asyncio.get_running_loop().call_later(delay, self.again)

    def settle(self, message: UUID, result: int | ClientRefused) -> None:
        """A message is on the server's disk, at that time, or refused for good."""
        self._offline.drop_message(message)
        self._flying.pop(message, None)
        waiting = self._acks.get(message)
        if waiting is not None and not waiting.done():
            if isinstance(result, ClientRefused):
                waiting.set_exception(result)
                waiting.exception()  # read by acknowledged(), if anyone asks
            else:
                waiting.set_result(result)
        while len(self._acks) > ANSWERS_KEPT:
            oldest = next(iter(self._acks))
            if not self._acks[oldest].done():
                break
            del self._acks[oldest]
        self.pump.set()
