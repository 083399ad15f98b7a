"""Mail that comes in: each message shown once, and how far each mailbox was seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from psn import wire
from psn.client.offline import Offline


class Inbox:
    """Where a client is in each of its mailboxes."""

    def __init__(self, offline: Offline, show: Callable[[wire.Mail], None]) -> None:
        """``show`` is called with every entry, each message once."""
        self._offline = offline
        self._show = show
        self._unsaid: set[str] = set()
        self.cursors = offline.cursors()
        """By mailbox: the sequence of the last entry that was seen."""
        self.came = asyncio.Event()
        """Set when the server is to be told of what was seen."""

    def take(self, frame: wire.Mail) -> None:
        """One entry; raises ``ConnectionError`` when some before it are missing."""
        cursor = self.cursors.get(frame.box)
        if cursor is not None and frame.seq <= cursor:
            return
        if cursor is not None and frame.seq != cursor + 1:
            raise ConnectionError(f"{frame.box} jumped from {cursor} to {frame.seq}: resuming")
        body = frame.body
        # A message may stand in two mailboxes that this client reads; it is shown once. Noted after
        # it was: whoever is interrupted in between is shown it again, and nobody never.
        if not isinstance(body, wire.MessageBody):
            self._show(frame)
        elif not self._offline.was_shown(body.id):
            self._show(frame)
            self._offline.keep_shown(body.id)
        self._saw(frame.box, frame.seq)

    def gone(self, frame: wire.HistoryGone) -> None:
        """What was before is kept no more."""
        self._saw(frame.box, frame.floor - 1)

    def _saw(self, box: str, seq: int) -> None:
        self.cursors[box] = seq
        self._unsaid.add(box)
        self.came.set()

    def caught_up(self, heads: Mapping[str, int]) -> None:
        """Everything has come; mailboxes of which nothing did begin at their heads."""
        for box, head in heads.items():
            self.cursors.setdefault(box, head)
        self._offline.keep_cursors(self.cursors.items())

    def unsaid(self) -> list[tuple[str, int]]:
        """What the server is to be told now, by mailbox; it is on disk when this returns."""
        self.came.clear()
        boxes, self._unsaid = self._unsaid, set()
        said = [(box, self.cursors[box]) for box in boxes]
        self._offline.keep_cursors(said)
        return said
