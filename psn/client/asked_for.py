"""What a client has asked to be done and has no answer to yet, in the order asked."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any
from uuid import UUID

from psn import wire
from psn.problems import Problem


class AskedFor:
    """Actions until they are answered; after each sign-in all go again, which ids make safe."""

    def __init__(self) -> None:
        self._frames: dict[UUID, wire.Do] = {}
        self._answers: dict[UUID, asyncio.Future[Any]] = {}
        self._unsent: deque[wire.Do] = deque()
        self.pump = asyncio.Event()
        """Set when there is something to send."""

    def add(self, frame: wire.Do) -> asyncio.Future[Any]:
        """One more; the future gives what it is answered."""
        self.keep(frame)
        answer = self._answers[frame.id] = asyncio.get_running_loop().create_future()
        return answer

    def keep(self, frame: wire.Do) -> None:
        """One that an earlier run of the program asked; nobody waits for its answer."""
        self._frames[frame.id] = frame
        self._unsent.append(frame)
        self.pump.set()

    def again(self) -> None:
        """All that has no answer is to be sent, in the order asked."""
        self._unsent = deque(self._frames.values())
        self.pump.set()

    def take(self) -> wire.Do | None:
        """The next to send; none: nothing is left to send."""
        return self._unsent.popleft() if self._unsent else None

    def settle(self, uid: UUID, result: Any) -> bool:
        """The answer, or the :class:`Problem` of its refusal; whether it was asked for."""
        if self._frames.pop(uid, None) is None:
            return False
        answer = self._answers.pop(uid, None)
        if answer is not None and not answer.done():
            if isinstance(result, Problem):
                answer.set_exception(result)
            else:
                answer.set_result(result)
        return True

    def __contains__(self, uid: UUID) -> bool:
        return uid in self._frames
