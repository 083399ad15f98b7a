"""One line for each upload: who comes back on a new connection puts his old one out.

A line that was cut in a dead spot looks alive to the server for minutes. Its client knows better:
when it asks again, or sends again, the old line is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from psn.problems import Problem

T = TypeVar("T")


class Lines:
    """Who works on which upload now."""

    def __init__(self) -> None:
        self._working: dict[UUID, asyncio.Task[Any]] = {}

    async def alone(self, id: UUID, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do work on an upload, after putting an end to what else is done on it.

        Raises :class:`Problem` ``other_line`` where a newer one puts an end to this.
        """
        while (before := self._working.get(id)) is not None:
            before.cancel()
            await asyncio.wait((before,))
            if self._working.get(id) is before:
                del self._working[id]
        task: asyncio.Task[T] = asyncio.create_task(work())
        self._working[id] = task
        try:
            return await task
        except asyncio.CancelledError:
            here = asyncio.current_task()
            if here is not None and here.cancelling():
                raise
            raise Problem(
                "other_line",
                "This upload goes on over another connection.",
                "Ask where it stands, and go on from there.",
            ) from None
        finally:
            if self._working.get(id) is task:
                del self._working[id]
