"""Somebody who talks from inside the server: an agency that has something announced.

It does what a client does, by the same rules and through the client's own code
(:class:`psn.client.voice.VoiceLine`): it joins a group, asks for the floor and waits its turn, is
interrupted by whatever is more urgent, is heard, named and recorded as any talker; but there is no
connection, so what is told to it comes by a call, and nothing of what others say does.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

from psn import wire
from psn.access import Principal
from psn.client.voice import Asked, VoiceLine
from psn.identity.tickets import Ticket
from psn.picture.fanout import Outbox
from psn.record.mailboxes import Reader
from psn.sessions import Session
from psn.voice.exchange import Exchange
from psn.wire import VoiceGroup


class _Nowhere(Outbox):
    """Takes what is sent to everybody in a group, for who has no socket."""

    __slots__ = ()

    def __init__(self) -> None:
        """It needs none of what the other has."""

    def send(self, payload: bytes) -> None:
        """Forget it."""

    def send_framed(self, framed: bytes) -> None:
        """Forget it."""

    @property
    def waiting(self) -> int:
        """Nothing ever waits."""
        return 0


class _Insider(Session):
    """A session without a connection."""

    __slots__ = ("line",)

    def __init__(self, who: Principal) -> None:
        now = datetime.now(UTC)
        ticket = Ticket(b"", None, None, now, now, now, now, None)
        reader = Reader(who.address, who.name, frozenset())
        super().__init__(who, reader, ticket, wire.MSGPACK, _Nowhere())
        self.line: VoiceLine

    def send(self, frame: wire.ServerFrame) -> None:
        """Take what it is told of its own wish to talk."""
        if isinstance(frame, wire.FloorYours):
            self.line.yours(frame)
        elif isinstance(frame, wire.VoiceGone):
            self.line.gone(frame)


def hearers(exchange: Exchange, group: VoiceGroup) -> int:
    """How many sessions hear what is said in a group now."""
    there = exchange.groups.get(group)
    nets = () if there is None else there.net.groups
    return len(
        {
            session
            for each in nets
            for session in each.parties
            if session.barred is None and not isinstance(session, _Insider)
        }
    )


@contextlib.contextmanager
def talking(exchange: Exchange, who: Principal) -> Iterator[VoiceLine]:
    """A way to talk as ``who``, which leaves every group at the end.

    Joining and talking raise :class:`Problem` as for any client.
    """
    insider = _Insider(who)

    async def ask(frame: Asked) -> None:
        group = VoiceGroup.of(frame.group) if isinstance(frame, wire.VoiceJoin) else None
        assert group is not None, "an announcement joins, and does nothing else"
        exchange.join(insider, group)

    async def send(frame: wire.FloorAsk | wire.FloorRelease | bytes) -> None:
        if isinstance(frame, bytes):
            exchange.speech(insider, wire.voice.decode(frame), frame)
        elif isinstance(frame, wire.FloorAsk):
            exchange.ask(insider, VoiceGroup.of(frame.group), frame.call)
        else:
            exchange.release(insider, VoiceGroup.of(frame.group))

    numbers = itertools.count(1)
    insider.line = VoiceLine(ask, send, lambda: next(numbers), lambda: who.address)
    try:
        yield insider.line
    finally:
        exchange.gone(insider)
