"""Who is connected: sessions, their mailboxes' cursors, resume, and presence.

A session's cursor in a mailbox is the newest sequence that was handed to its socket. An entry
that was just committed goes out at once when it is the next one and the socket is not choked;
otherwise the session is behind, and one task per session reads what is missing from the record,
at the pace of the socket, until the cursor has reached the mailbox's head. Between the last look
at the head and going live there is no await, so nothing can slip through; an entry that comes
twice is told by its sequence.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

import asyncpg

from psn import database, wire
from psn.access import Principal
from psn.identity.tickets import Ticket
from psn.picture.fanout import HIGH_WATER_BYTES, LOW_WATER_BYTES, Outbox, Watcher
from psn.problems import Problem
from psn.record import mailboxes
from psn.record.log import Record, forget
from psn.record.mailboxes import Entry, Reader

log = logging.getLogger(__name__)

PAGE = 200
"""Entries of each mailbox read at a time while catching up."""
GONE_AFTER_SECONDS = 3.0
"""A unit or person that is back within this was never gone, as far as others see."""


class Session:
    """One signed-in connection."""

    __slots__ = (
        "barred",
        "catching_up",
        "codec",
        "cursors",
        "greeted",
        "named",
        "outbox",
        "principal",
        "reader",
        "ticket",
        "told_end",
        "told_lock",
        "watch",
        "watcher",
    )

    def __init__(
        self,
        principal: Principal,
        reader: Reader,
        ticket: Ticket,
        codec: wire.Codec,
        outbox: Outbox,
    ) -> None:
        self.principal = principal
        self.reader = reader
        """The principal as its receipts name it."""
        self.ticket = ticket
        self.codec = codec
        self.outbox = outbox
        self.watcher = Watcher(outbox)
        self.watch: wire.Watch | None = None
        self.named = 0
        """Which people and groups its screen names (``psn.picture.screens``)."""
        self.cursors: dict[str, int] = {}
        self.catching_up: asyncio.Task[None] | None = None
        self.greeted = False
        """Whether ``caught_up`` has been sent."""
        self.barred: Problem | None = None
        """Why nothing is taken from it now, and nothing sent to it (``psn.identity.locking``)."""
        self.told_lock: datetime | None = None
        """The last activity after which it was told that it locks soon."""
        self.told_end = False

    def send(self, frame: wire.ServerFrame) -> None:
        """Queue one frame."""
        self.outbox.send(self.codec.encode(frame))


class Sessions:
    """All signed-in sessions of this process."""

    def __init__(
        self,
        record: Record,
        pool: asyncpg.Pool,
        presence: Callable[[Principal, bool], None],
        name_of: Callable[[str], str],
    ) -> None:
        """``presence`` is told who comes and goes; ``name_of`` gives the name of a mailbox."""
        self._record = record
        self._pool = pool
        self._presence = presence
        self._name_of = name_of
        self.all: set[Session] = set()
        self._by_box: defaultdict[str, set[Session]] = defaultdict(set)
        self._connections: defaultdict[str, int] = defaultdict(int)
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    # -- coming and going

    def online(self, address: str) -> bool:
        """Whether a unit or person is connected, or was a moment ago."""
        return address in self._connections or address in self._leaving

    def of(self, address: str) -> Iterable[Session]:
        """Those of a unit or person who are connected."""
        there = self._by_box.get(address, ())
        return [session for session in there if session.principal.address == address]

    def add(self, session: Session) -> None:
        """A session has signed in; its cursors are set."""
        self.all.add(session)
        for box in session.cursors:
            self._by_box[box].add(session)
        self.came(session.principal)
        self.catch_up(session)

    def came(self, who: Principal) -> None:
        """A person or unit is connected, by a session of its own or by what carries its word."""
        self._connections[who.address] += 1
        leaving = self._leaving.pop(who.address, None)
        if leaving is not None:
            leaving.cancel()
        elif self._connections[who.address] == 1:
            self._presence(who, True)

    def remove(self, session: Session) -> None:
        """A session's connection has ended."""
        if session not in self.all:
            return
        self.all.discard(session)
        for box in session.cursors:
            self._leave_box(session, box)
        if session.catching_up is not None:
            session.catching_up.cancel()
        self.went(session.principal)

    def went(self, who: Principal) -> None:
        """One of the ways by which it was connected has ended (:meth:`came`)."""
        self._connections[who.address] -= 1
        if not self._connections[who.address]:
            del self._connections[who.address]
            loop = asyncio.get_running_loop()
            self._leaving[who.address] = loop.call_later(GONE_AFTER_SECONDS, self._left, who)

    def _left(self, principal: Principal) -> None:
        del self._leaving[principal.address]
        self._presence(principal, False)

    def _leave_box(self, session: Session, box: str) -> None:
        readers = self._by_box[box]
        readers.discard(session)
        if not readers:
            del self._by_box[box]

    def change_boxes(self, session: Session, boxes: Iterable[str]) -> None:
        """Rights changed: read these mailboxes from now on, new ones from their head."""
        wanted = set(boxes)
        for box in session.cursors.keys() - wanted:
            self._leave_box(session, box)
            del session.cursors[box]
        for box in wanted - session.cursors.keys():
            head = session.cursors[box] = self._record.heads.get(box, 0)
            self._record.joined(box, self._name_of(box), session.reader, head)
            self._by_box[box].add(session)

    # -- where to resume

    def resume(
        self, session: Session, boxes: Iterable[str], seen: dict[str, int]
    ) -> list[wire.HistoryGone]:
        """Set the cursors: what the client saw last, else what is on record to have arrived.

        A mailbox of which nothing ever arrived begins at its first entry when it is the reader's
        own, and at its head when it is a group's or an agency's: a new member is not flooded with
        the past, which the history shows. Returns what the client must be told.
        """
        record = self._record
        session.cursors = {}
        notices: list[wire.HistoryGone] = []
        for box in boxes:
            head, floor = record.heads.get(box, 0), record.floors.get(box, 1)
            cursor = seen.get(box)
            if cursor is None:
                session.cursors[box] = self._where_it_was(session, box)
            elif cursor < floor - 1:
                notices.append(wire.HistoryGone(box=box, floor=floor))
                session.cursors[box] = floor - 1
            elif cursor > head and record.healthy:
                # The client is ahead of the record, which was restored from a backup.
                notices.append(wire.HistoryGone(box=box, floor=head + 1))
                session.cursors[box] = head
            else:
                session.cursors[box] = cursor
                self._say_arrived(session, box, min(cursor, head))
        return notices

    def _where_it_was(self, session: Session, box: str) -> int:
        record, reader = self._record, session.reader
        head = record.heads.get(box, 0)
        arrived = record.arrived.get((box, reader.address))
        if arrived is not None:
            return min(arrived, head)
        if box == reader.address:
            return record.floors.get(box, 1) - 1
        record.joined(box, self._name_of(box), reader, head)
        return head

    def _say_arrived(self, session: Session, box: str, cursor: int) -> None:
        """Record what the client says it has: its word may have been lost with its connection."""
        record, reader = self._record, session.reader
        name = self._name_of(box)
        if box != reader.address and (box, reader.address) not in record.arrived:
            # There is no account of him; what came before he says so earns no receipts.
            record.joined(box, name, reader, cursor)
        else:
            record.received(box, name, reader, cursor).add_done_callback(forget)

    # -- mail

    def deliver(self, entries: list[Entry]) -> None:
        """Hand entries that were just committed to every session that reads their mailboxes."""
        for entry in entries:
            readers = self._by_box.get(entry.box)
            if not readers:
                continue
            encoded: dict[wire.Codec, bytes] = {}
            for session in readers:
                if session.barred is not None:
                    _ring(session, entry)
                    continue
                expected = session.cursors[entry.box] + 1
                choked = session.outbox.waiting > HIGH_WATER_BYTES
                if entry.seq != expected or choked or not session.greeted:
                    if entry.seq >= expected:
                        self.catch_up(session)
                    continue
                payload = encoded.get(session.codec)
                if payload is None:
                    payload = encoded[session.codec] = _encode(session.codec, entry)
                session.outbox.send(payload)
                session.cursors[entry.box] = entry.seq

    def catch_up(self, session: Session) -> None:
        """Read what the session is behind by; nothing when it is doing so already."""
        if session.catching_up is None or session.catching_up.done():
            barred = session.barred is not None
            work = self._look_for_emergencies(session) if barred else self._catch_up(session)
            session.catching_up = asyncio.create_task(work)

    def hold(self, session: Session) -> None:
        """Send a session no mail until :meth:`release`; its cursors stay."""
        if session.catching_up is not None:
            session.catching_up.cancel()
            session.catching_up = None

    def release(self, session: Session) -> None:
        """Go on where the cursors are."""
        self.hold(session)  # what still looks for emergencies
        if session in self.all:
            self.catch_up(session)

    def catch_up_all(self) -> None:
        """After the record was away: whatever was committed unseen goes out."""
        for session in self.all:
            for box, cursor in session.cursors.items():
                head = self._record.heads.get(box, 0)
                if cursor > head:  # a resume that could not be checked while it was away
                    session.send(wire.HistoryGone(box=box, floor=head + 1))
                    session.cursors[box] = head
            self.catch_up(session)

    def _behind(self, session: Session) -> dict[str, int]:
        heads = self._record.heads
        return {box: seq for box, seq in session.cursors.items() if seq < heads.get(box, 0)}

    async def _catch_up(self, session: Session) -> None:
        while behind := self._behind(session):
            heads = {box: self._record.heads[box] for box in behind}
            while session.outbox.waiting > LOW_WATER_BYTES and not session.outbox.closed:
                await asyncio.sleep(0.05)
            if session.outbox.closed:
                return
            entries = await self._page(behind)
            if entries is None:
                continue
            self._hand_out(session, behind, heads, entries)
        if not session.greeted:
            session.greeted = True
            session.send(wire.CaughtUp())

    async def _look_for_emergencies(self, session: Session) -> None:
        """Tell a barred session of an emergency among what came while it was not connected."""
        behind = self._behind(session)
        while behind:
            entries = await self._page(behind)
            if entries is None:
                continue
            if not entries or any(_ring(session, entry) for entry in entries):
                return
            for entry in entries:
                behind[entry.box] = entry.seq
            heads = self._record.heads
            behind = {box: seq for box, seq in behind.items() if seq < heads.get(box, 0)}

    async def _page(self, behind: dict[str, int]) -> list[Entry] | None:
        """The next entries of mailboxes after those; none while the database is away."""
        try:
            async with database.asking(self._pool) as connection:
                return await mailboxes.after(connection, behind, PAGE)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.info("catching up waits for the database: %s", problem)
            await asyncio.sleep(0.5)
            return None

    def _hand_out(
        self,
        session: Session,
        behind: dict[str, int],
        heads: dict[str, int],
        entries: list[Entry],
    ) -> None:
        """Send what was read after the cursors ``behind``; say what is past its retention.

        ``heads`` are those of before the reading: what came since is no gap. What is too much for
        the socket now is read again when it has drained.
        """
        for entry in entries:
            if session.outbox.waiting > HIGH_WATER_BYTES:
                return
            cursor = session.cursors.get(entry.box)
            if cursor is None or entry.seq <= cursor:
                continue
            if entry.seq > cursor + 1:
                session.send(wire.HistoryGone(box=entry.box, floor=entry.seq))
            session.outbox.send(_encode(session.codec, entry))
            session.cursors[entry.box] = entry.seq
        for box in behind.keys() - {entry.box for entry in entries}:
            if session.cursors.get(box, heads[box]) < heads[box]:
                session.send(wire.HistoryGone(box=box, floor=heads[box] + 1))
                session.cursors[box] = heads[box]


def _ring(session: Session, entry: Entry) -> bool:
    """Tell a barred session that this is an emergency of another's, if it is one."""
    body = entry.body
    if not isinstance(body, wire.MessageBody) or body.priority != "emergency":
        return False
    if body.sender == session.principal.address:
        return False
    session.send(wire.EmergencyWaits())
    return True


def _encode(codec: wire.Codec, entry: Entry) -> bytes:
    return codec.encode(wire.Mail(box=entry.box, seq=entry.seq, body=entry.body))
