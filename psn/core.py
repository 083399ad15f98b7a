"""The running network: what happens to each kind of frame, once the door has read it.

The path of a position is :meth:`Core.report`, of a message :meth:`Core.message`; read them top to
bottom. The door (``psn.door``) does the socket, ``psn.wire`` the bytes, ``psn.access`` the rights,
``psn.picture.tracking`` the picture in memory, ``psn.record.log`` the record,
``psn.picture.fanout`` the way out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import asyncpg

from geo.fences import Fence, FenceIndex
from psn import access, database, wire
from psn.access import Principal, Rules
from psn.csirt.cuts import Cuts
from psn.csirt.outlets import Outlet
from psn.directory import Directory, Unit
from psn.enrolment import devices
from psn.histogram import SECONDS, Histogram
from psn.identity.federation import Federation
from psn.identity.signin import SignIn, SignInRefused
from psn.identity.tickets import Conditions, Tickets
from psn.keys import Keys
from psn.picture.fanout import Hub
from psn.picture.screens import Screens
from psn.picture.tracking import LivePicture, PositionRefused, Standing, Taken, seat_of
from psn.picture.tracks import Crossed, TrackWriter
from psn.problems import Problem
from psn.radio.radios import Radios
from psn.record import mailboxes
from psn.record.log import Record, forget
from psn.record.mailboxes import Letter, Reader
from psn.sessions import Session, Sessions
from psn.topics import Topics
from psn.trail import auditor
from psn.trail.audit import Actor, Entry
from psn.trail.auditor import Auditor
from psn.voice.deed import Deed
from psn.voice.exchange import Exchange
from psn.voice.recorder import Recorder

if TYPE_CHECKING:
    from prometheus_client.core import Metric

STUCK_SECONDS = 30.0
"""A session whose socket takes nothing for so long is disconnected."""


class Refused(Problem):
    """A request that was understood and is not allowed, or not possible."""


Acts = Callable[[Principal, wire.Codec, wire.Do, Actor], Awaitable[object]]
"""Does what a ``do`` frame asks, for whom, and gives what ``done`` is to answer."""


async def _nothing_to_do(who: Principal, codec: wire.Codec, frame: wire.Do, by: Actor) -> object:
    raise no_such_action(frame.what)


def no_such_action(what: str) -> Refused:
    """The refusal of what is no action."""
    return Refused(
        "no_action", f"There is no action {what}.", "Compare its name with docs/domain.md."
    )


def _not_your_unit(what: str) -> Refused:
    return Refused(
        "not_your_unit",
        f"This session may not {what} that unit.",
        "Sign in with the device that is enrolled for the unit.",
    )


def now_ms() -> int:
    """The server's time, milliseconds UTC."""
    return time.time_ns() // 1_000_000


class Core:
    """State of one server process, and what each frame does to it."""

    def __init__(
        self,
        dsn: str,
        keys: Keys,
        pool: asyncpg.Pool,
        directory: Directory,
        refresh_directory: Callable[[], Awaitable[Directory]],
        refresh_incidents: Callable[[], Awaitable[Directory]],
        conditions: Conditions,
    ) -> None:
        self.keys = keys
        self.pool = pool
        self.directory = directory
        self.rules = access.rules(directory, datetime.now(UTC))
        self.refresh_directory = refresh_directory
        """Reload the directory now; :meth:`directory_changed` has been called when it returns."""
        self.refresh_incidents = refresh_incidents
        """The same, of who takes part in incidents alone."""
        self.auditor = Auditor(pool)
        self.tickets = Tickets(pool, conditions, self.auditor)
        self.signin = SignIn(pool, keys, self.tickets, self.auditor)
        self.federation = Federation(pool, self.signin, keys, lambda: self.directory)
        self.hub = Hub(asyncio.get_running_loop())
        self.picture = LivePicture(_fences(directory))
        self.tracks = TrackWriter(dsn)
        self.record = Record(dsn, self._deliver, self._record_is_back)
        self.screens = Screens(
            self.hub,
            self.picture,
            self.rules,
            lambda address: self.sessions.online(address),
            now_ms,
        )
        self.sessions = Sessions(
            self.record, pool, self.screens.presence, lambda address: self.directory.name(address)
        )
        self.topics = Topics(self.rules)
        self.radios = Radios(
            pool, self.rules, self.topics, self.sessions, now_ms, self._tell_agency
        )
        self.recorder = Recorder(dsn)
        self.voice = Exchange(
            asyncio.get_running_loop(),
            self.rules,
            now_ms,
            self.sessions.of,
            lambda: self.sessions.all,
            self._note_voice,
            self.recorder.begin,
        )
        self.acts: Acts = _nothing_to_do
        """Does what ``do`` frames ask for: the work over this network, of which it knows nothing.

        Raises :class:`Problem`, and what asyncpg raises.
        """
        self.on_crossing: Callable[[Unit, wire.FenceCrossing], None] = lambda unit, crossing: None
        """Called for each fence that a unit crosses."""
        self.on_board_notice: Callable[[], None] = lambda: None
        self.figures: list[Callable[[], Iterable[Metric]]] = []
        """Of the work that is done over the network, for operators."""
        """Called when the work's tables were changed otherwise than by what was asked here."""
        self.cuts = Cuts()
        self.outlets: Callable[[], list[Outlet]] = list
        """Where security events go (``psn.keeping.chores``)."""
        self.refused_positions = 0
        self.positions = 0
        self.stuck = 0
        """Sessions that were disconnected because they took nothing."""
        self.garbage_seconds = Histogram(SECONDS)
        self.lag_seconds = Histogram(SECONDS)
        """How late the event loop is for a timer: what everything else waits for."""

    async def load_picture(self) -> None:
        """Put every unit where it was last, so that a restart does not empty the map."""
        rows = await self.pool.fetch(
            "SELECT unit_id, at, received_at, place, speed, heading, accuracy, altitude, battery"
            " FROM latest_position"
        )
        for row in rows:
            unit = self.directory.units.get(row["unit_id"])
            if unit is None or unit.retired:
                continue
            fix = _fix_of_row(row)
            taken = self.picture.restore(fix, database.milliseconds(row["received_at"]))
            taken.seat = wire.MSGPACK.encode(seat_of(fix))
        await self.radios.load()

    # -- positions

    def report(self, session: Session, fix: wire.Fix) -> None:
        """One live position: rights, picture, store, fan-out. Raises Problem when refused."""
        unit = self._reported_unit(session.principal, fix)
        taken = self._take(unit, fix)
        if taken.standing is Standing.SHOWN:
            self._publish(unit, taken)

    def report_batch(
        self, session: Session, fixes: Iterable[wire.Fix]
    ) -> tuple[asyncio.Future[None], list[Problem]]:
        """Positions kept through a dead spot: when they are stored, and what was refused.

        Each goes to the track and past the fences; the map gets only the newest of each unit.
        """
        before = self.tracks.total
        moved: dict[int, tuple[Unit, Taken]] = {}
        refused: list[Problem] = []
        for fix in fixes:
            try:
                unit = self._reported_unit(session.principal, fix)
                taken = self._take(unit, fix)
            except Problem as problem:
                refused.append(problem)
                continue
            if taken.standing is Standing.SHOWN:
                moved[unit.id] = (unit, taken)
        for unit, taken in moved.values():
            self._publish(unit, taken)
        return self.tracks.written(before), refused

    def _publish(self, unit: Unit, taken: Taken) -> None:
        channel = self.directory.channels[unit.id]
        taken.newest.seat = self.hub.publish(channel, seat_of(taken.newest.fix))
        if taken.first:
            self.hub.publish_blurred(channel, taken.newest.blurred)

    def _reported_unit(self, who: Principal, fix: wire.Fix) -> Unit:
        unit_id = fix.unit or who.unit
        unit = None if unit_id is None else self.directory.units.get(unit_id)
        if unit is None or not access.may_report(who, unit):
            self.refused_positions += 1
            raise _not_your_unit("report positions of")
        return unit

    def _take(self, unit: Unit, fix: wire.Fix) -> Taken:
        if fix.unit != unit.id:
            fix = wire.Fix(
                unit.id,
                fix.time,
                fix.lon,
                fix.lat,
                fix.speed,
                fix.heading,
                fix.accuracy,
                fix.altitude,
                fix.battery,
            )
        now = now_ms()
        try:
            taken = self.picture.take(fix, unit.kind, now)
        except PositionRefused:
            self.refused_positions += 1
            raise
        self.positions += 1
        self.tracks.add(fix, now, taken.standing)
        if taken.entered or taken.left:
            self._crossed(unit, fix.time, now, taken)
        return taken

    def _crossed(self, unit: Unit, at: int, now: int, taken: Taken) -> None:
        channel = self.directory.channels[unit.id]
        for fences, inside in ((taken.entered, True), (taken.left, False)):
            for fence_id in fences:
                crossing = wire.FenceCrossing(unit.id, fence_id, inside, at)
                self.tracks.crossed(Crossed(crossing, now))
                self.on_crossing(unit, crossing)
                fence = self.directory.fences.get(fence_id)
                if fence is not None:
                    self.hub.cross(channel, fence.agency, crossing)

    # -- the record

    def message(self, session: Session, frame: wire.Message) -> asyncio.Future[int]:
        """Store a message; the future is done after the commit, or raises Problem when refused.

        Rights may have gone since it was sent first and stored, and only the acknowledgement got
        lost; so the record is asked about it all the same.
        """
        who, refusal = self._sender(session.principal, frame)
        for to in frame.to:
            if not access.may_write(who, to, self.rules):
                refusal = Refused(
                    "not_reachable",
                    f"You cannot write to {to}: it does not exist or is not shared with you.",
                    "Choose another recipient, or write to the agency as a whole.",
                )
                break
        stored = self.record.append(
            Letter(
                wire.MessageBody(
                    id=frame.id,
                    sender=who.address,
                    sender_name=who.name,
                    to=list(dict.fromkeys(frame.to)),
                    text=frame.text,
                    priority=frame.priority,
                    time=0,
                    expires=frame.expires,
                    about=frame.about,
                ),
                who.agency,
                refusal,
            )
        )
        if frame.unit is not None and refusal is None:
            self._note_text(session, who, frame.id)
        return stored

    def _tell_agency(self, agency: int, by: str, text: str) -> None:
        """An emergency of somebody who has no address: a message of the agency to itself."""
        box = f"agency:{agency}"
        body = wire.MessageBody(uuid4(), box, by, [box], text, "emergency", 0)
        self.record.append(Letter(body, agency)).add_done_callback(forget)

    def _note_text(self, session: Session, who: Principal, message: UUID) -> None:
        """The audit is told which gateway sent a unit's message."""
        by = auditor.actor_of(session.principal, None, session.ticket.hash)
        details = {"message": str(message)}
        entry = Entry(by, "radio.text", who.address, who.agency, details, at=now_ms())
        self.auditor.note(entry)

    def _sender(self, who: Principal, frame: wire.Message) -> tuple[Principal, Problem | None]:
        """Whose message it is: the session's, or a unit's for which a radio gateway sends it."""
        if frame.unit is None:
            return who, None
        unit = self.directory.units.get(frame.unit)
        if unit is None or not who.networks:
            raise _not_your_unit("send messages of")
        allowed = access.may_report(who, unit)
        return access.of_unit(unit), None if allowed else _not_your_unit("send messages of")

    def seen(self, session: Session, frame: wire.Seen) -> None:
        """A client has a mailbox through a sequence. Not answered: the next one includes it."""
        self._check_reads(session, frame.box)
        # Nobody has what was not sent to him.
        through = min(frame.seq, session.cursors[frame.box])
        name = self.directory.name(frame.box)
        done = self.record.received(frame.box, name, session.reader, through)
        done.add_done_callback(forget)

    def read(self, session: Session, frame: wire.Read) -> asyncio.Future[int]:
        """A person has read entries; the future is done after the commit."""
        self._check_reads(session, frame.box)
        if session.reader.carries:
            raise Refused(
                "not_allowed",
                "A gateway reads nothing: it carries it.",
                "Say with delivered what a radio has got.",
            )
        name = self.directory.name(frame.box)
        return self.record.read(frame.box, name, session.reader, frame.seqs)

    def delivered(self, session: Session, frame: wire.Delivered) -> asyncio.Future[int]:
        """A unit's radio has got entries of its mailbox; the future is done after the commit."""
        kind, _, number = frame.box.partition(":")
        unit = self.directory.units.get(int(number)) if kind == "unit" else None
        if unit is None or unit.id not in session.principal.carried:
            raise _not_your_unit("say what has reached")
        self._check_reads(session, frame.box)
        # Nobody has what was not sent to his gateway.
        seqs = [seq for seq in frame.seqs if seq <= session.cursors[frame.box]]
        reader = self.reader(access.of_unit(unit))
        return self.record.handed_over(frame.box, unit.callsign, reader, seqs)

    def _check_reads(self, session: Session, box: str) -> None:
        if box not in session.cursors:
            raise Refused(
                "not_your_mailbox",
                f"This session does not read {box}.",
                "Use the mailboxes named in signed_in.",
            )

    def _deliver(self, entries: list[mailboxes.Entry]) -> None:
        self.sessions.deliver(entries)

    def _record_is_back(self) -> None:
        self.sessions.catch_up_all()

    # -- the picture

    def watch(self, session: Session, frame: wire.Watch) -> None:
        """Show the picture to a session from now on: roster, snapshot, then changes."""
        self.screens.watch(session, frame)

    def unwatch(self, session: Session) -> None:
        """No more picture for a session."""
        self.screens.unwatch(session)

    # -- the work

    def follow(self, session: Session, frame: wire.Follow) -> None:
        """Keep a session up to date on a topic."""
        self.topics.follow(session, frame.topic)

    def unfollow(self, session: Session, frame: wire.Unfollow) -> None:
        """No more of a topic for a session."""
        self.topics.unfollow(session, frame.topic)

    # -- when the rules change

    def directory_changed(self, new: Directory) -> list[tuple[Session, SignInRefused]]:
        """Apply new rights to everyone at once; returns the sessions to end, with the reason."""
        old, self.directory = self.directory, new
        if old.fences != new.fences:
            self.picture.fences = _fences(new)
        for number in list(self.picture.newest):
            unit = new.units.get(number)
            if unit is None or unit.retired:
                self.picture.forget(number)
        return self._apply(access.rules(new, datetime.now(UTC)))

    def refresh_rights(self) -> list[tuple[Session, SignInRefused]]:
        """Something shared may have begun or ended by the clock: as :meth:`directory_changed`."""
        rules = access.rules(self.directory, datetime.now(UTC))
        self.voice.pass_clock()
        return [] if rules.sharing == self.rules.sharing else self._apply(rules)

    def _apply(self, rules: Rules) -> list[tuple[Session, SignInRefused]]:
        units = access.units_unlike(self.rules, rules)
        self.rules = rules
        ended: list[tuple[Session, SignInRefused]] = []
        for session in list(self.sessions.all):
            if units is not None and session.principal.unit not in units:
                continue  # nothing that it may do has changed, nor who knows it
            try:
                self.renew(session)
            except SignInRefused as problem:
                ended.append((session, problem))
        left = {session for session, _ in ended}
        staying = [each for each in self.sessions.all if each not in left]
        self.screens.mend(rules, staying)
        self.topics.mend(rules, staying)
        if units is None:
            self.radios.mend(rules)
        self.voice.mend(rules, only_shared=units is not None)
        return ended

    def renew(self, session: Session) -> None:
        """Give a session the rights of now; raises :class:`SignInRefused` when it has none."""
        principal = self.signin.still(session.ticket, self.directory)
        if principal.address != session.principal.address:
            raise SignInRefused(
                "session_ended", "The device stands for another unit now.", "Sign in again."
            )
        session.principal = principal
        session.reader = self.reader(principal)
        self.sessions.change_boxes(session, access.mailboxes(principal, self.rules))

    def reader(self, who: Principal) -> Reader:
        """How receipts of ``who`` name him, and to whom."""
        known_to = access.known_to(who, self.rules)
        return Reader(who.address, who.name, known_to, carries=bool(who.networks))

    # -- connections that were cut

    def cut(self, source: str, code: int, who: Actor | None) -> None:
        """A connection was ended for what it sent; the audit is told by :meth:`note_cuts`."""
        self.cuts.note(source, code, who, time.monotonic())

    def note_cuts(self, all_of_them: bool = False) -> None:
        """Put into the audit what is due; ``all_of_them``: the server stops."""
        for entry in self.cuts.due(time.monotonic(), now_ms(), all_of_them):
            self.auditor.note(entry)

    def _note_voice(self, deed: Deed) -> None:
        by, action, group, whom, other, owner = deed
        actor = Actor("server")
        if by is not None:
            actor = auditor.actor_of(by.principal, None, by.ticket.hash)
            owner = by.principal.agency if owner is None else owner
        details = {} if whom is None else {"group": group.address}
        if other is not None:
            details["with"] = other.address
        about = group.address if whom is None else whom.address
        self.auditor.note(Entry(actor, action, about, owner, details, at=now_ms()))

    # -- devices

    async def wiped(self, device: int, source: str) -> None:
        """A device said that it has erased itself; raises what asyncpg raises."""
        by = Actor(f"device:{device}", source=source)
        async with self.pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                async with auditor.acting(connection, by):
                    await devices.wiped(connection, device)


def _fences(directory: Directory) -> FenceIndex:
    return FenceIndex(
        Fence(row.id, row.name, row.agency, row.area()) for row in directory.fences.values()
    )


def _fix_of_row(row: asyncpg.Record) -> wire.Fix:
    lon, lat = database.point_of(row["place"])

    def hundredths(value: float | None) -> int | None:
        return None if value is None else round(value * 100)

    return wire.Fix(
        row["unit_id"],
        database.milliseconds(row["at"]),
        round(lon * 1e7),
        round(lat * 1e7),
        hundredths(row["speed"]),
        hundredths(row["heading"]),
        hundredths(row["accuracy"]),
        hundredths(row["altitude"]),
        row["battery"],
    )
