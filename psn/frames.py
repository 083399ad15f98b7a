"""What the frames of a session ask for, each handed to whoever does it, and answered.

What must wait for the disk (a message, a batch, an action) is handed over at once and answered when
it is done, so that a position never waits behind a message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from psn import database, wire
from psn.announcing import announce
from psn.core import Refused, now_ms
from psn.identity.signin import SignInRefused
from psn.problems import Problem
from psn.radio.radios import check_serves
from psn.sessions import Session
from psn.wire import VoiceGroup

if TYPE_CHECKING:
    from psn.connection import Connection

log = logging.getLogger(__name__)

WATCH_FRAMES = 10
"""A watch counts as so many frames: everything there is to see is gathered for it. So does a wish
to talk, and a patch, of which everybody in its groups is told."""
CALL_FRAMES = 50
"""A call counts as so many: it rings elsewhere."""
POSITIONS_A_FRAME = 100
"""So many positions of a batch count as one frame."""
READS_A_FRAME = 50
"""So many entries said to be read count as one frame."""
ACTS_AT_ONCE = 200
"""Actions of one session that may wait to be done."""
ANNOUNCEMENTS_AT_ONCE = 2
"""Announcements of one gateway that may wait for the database."""
REPORTS_AT_ONCE = 4
"""Reports of radios that were heard, of one gateway, that may wait for the database."""
RETRY_MS = 1_000
"""What was refused for now is worth another try after so long."""


class Frames:
    """The frames of one session on its connection, which answers them."""

    def __init__(self, connection: Connection, session: Session) -> None:
        self.connection = connection
        self.session = session
        self.core = connection.core
        self._announcing: set[asyncio.Task[None]] = set()
        self._reporting: set[asyncio.Task[None]] = set()
        self._acting = asyncio.Lock()
        self._waiting_acts = 0

    def take(self, frame: wire.ClientFrame) -> bool:
        """Do what a frame asks for; False when it is none that a session sends.

        Raises :class:`Problem` when it is refused at once.
        """
        handler = _HANDLERS.get(type(frame))
        if handler is None:
            return False
        handler(self, frame)
        return True

    def gone(self) -> None:
        """The connection has ended: who announced units hears of them no more."""
        for task in self._announcing:
            task.cancel()

    def _active(self, frame: wire.Active) -> None:
        self.core.tickets.active(self.session.ticket)

    def _position(self, frame: wire.Position) -> None:
        self.core.report(self.session, frame.p)

    def _positions(self, frame: wire.Positions) -> None:
        self.connection.bucket.charge(len(frame.p) / POSITIONS_A_FRAME)
        stored, refused = self.core.report_batch(self.session, frame.p)
        if refused:
            first = refused[0]
            text = f"{len(refused)} of {len(frame.p)} positions were refused. {first.text}"
            self.connection.refuse(Refused(first.code, text, first.todo))
        self._answer(stored, frame.n, None)

    def _message(self, frame: wire.Message) -> None:
        stored = self.core.message(self.session, frame)
        stored.add_done_callback(lambda done: self._acknowledge(done, frame.id))

    def _acknowledge(self, done: asyncio.Future[int], uid: UUID) -> None:
        if done.cancelled():
            return
        problem = done.exception()
        if problem is None:
            self.connection.send(wire.Ack(id=uid, time=done.result()))
        elif isinstance(problem, Problem):
            self.connection.refuse(problem, None, uid)

    def _seen(self, frame: wire.Seen) -> None:
        self.core.seen(self.session, frame)

    def _read(self, frame: wire.Read) -> None:
        self.connection.bucket.charge(len(frame.seqs) / READS_A_FRAME)
        self._answer(self.core.read(self.session, frame), frame.n, None)

    def _delivered(self, frame: wire.Delivered) -> None:
        self.connection.bucket.charge(len(frame.seqs) / READS_A_FRAME)
        self._answer(self.core.delivered(self.session, frame), frame.n, None)

    def _radio_heard(self, frame: wire.RadioHeard) -> None:
        self.connection.bucket.charge(len(frame.heard) / READS_A_FRAME)
        if len(self._reporting) >= REPORTS_AT_ONCE:
            text = "This gateway hears more than can be stored."
            raise Refused("too_fast", text, "Wait for the answer, and gather more.", RETRY_MS)
        task = asyncio.create_task(self._kept(frame))
        self._reporting.add(task)
        task.add_done_callback(self._reporting.discard)

    async def _kept(self, frame: wire.RadioHeard) -> None:
        try:
            await self.core.radios.report(self.session, frame)
            self.connection.send(wire.Ok(n=frame.n))
        except Problem as problem:
            self.connection.refuse(problem, frame.n)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.warning("who was heard was not kept: %s", problem)
            self.connection.refuse(unavailable("It could not be stored."), frame.n)

    def _radio_presence(self, frame: wire.RadioPresence) -> None:
        self.connection.bucket.charge((len(frame.here) + len(frame.gone)) / READS_A_FRAME)
        self.core.radios.presence(self.session, frame)
        self.connection.send(wire.Ok(n=frame.n))

    def _radio_state(self, frame: wire.RadioState) -> None:
        self.connection.bucket.charge(WATCH_FRAMES)
        self.core.radios.state(self.session, frame)
        self.connection.send(wire.Ok(n=frame.n))

    def _radio_reach(self, frame: wire.RadioReach) -> None:
        self.connection.bucket.charge(WATCH_FRAMES)
        check_serves(self.session)
        self.core.voice.reaching.told(self.session, frame.reach)
        self.connection.send(wire.Ok(n=frame.n))

    def _watch(self, frame: wire.Watch) -> None:
        self.connection.bucket.charge(WATCH_FRAMES)
        self.core.watch(self.session, frame)

    def _unwatch(self, frame: wire.Unwatch) -> None:
        self.core.unwatch(self.session)
        self.connection.send(wire.Ok(n=frame.n))

    def _follow(self, frame: wire.Follow) -> None:
        self.connection.bucket.charge(WATCH_FRAMES)
        self.core.follow(self.session, frame)
        self.connection.send(wire.Ok(n=frame.n))

    def _unfollow(self, frame: wire.Unfollow) -> None:
        self.core.unfollow(self.session, frame)
        self.connection.send(wire.Ok(n=frame.n))

    def _voice_join(self, frame: wire.VoiceJoin) -> None:
        group = VoiceGroup.of(frame.group)
        self.core.voice.join(self.session, group, frame.radio)
        self.connection.send(wire.Ok(n=frame.n))
        self.core.voice.show(self.session, group)

    def _voice_leave(self, frame: wire.VoiceLeave) -> None:
        group = VoiceGroup.of(frame.group)
        if frame.radio is None:
            self.core.voice.leave(self.session, group)
        else:
            self.core.voice.leave_by_radio(self.session, group, frame.radio, frame.why)
        self.connection.send(wire.Ok(n=frame.n))

    def _voice_call(self, frame: wire.VoiceCall) -> None:
        self.connection.bucket.charge(CALL_FRAMES)
        self.core.voice.ringing.call(self.session, frame)

    def _voice_close(self, frame: wire.VoiceClose) -> None:
        self.core.voice.ringing.close(self.session, VoiceGroup.of(frame.group))
        self.connection.send(wire.Ok(n=frame.n))

    def _voice_patch(self, frame: wire.VoicePatch) -> None:
        self.connection.bucket.charge(WATCH_FRAMES)
        one, two = (VoiceGroup.of(each) for each in frame.groups)
        self.core.voice.patch(self.session, one, two)
        self.connection.send(wire.Ok(n=frame.n))

    def _voice_unpatch(self, frame: wire.VoiceUnpatch) -> None:
        self.connection.bucket.charge(WATCH_FRAMES)
        self.core.voice.unpatch(self.session, VoiceGroup.of(frame.group))
        self.connection.send(wire.Ok(n=frame.n))

    def _floor_ask(self, frame: wire.FloorAsk) -> None:
        self.connection.bucket.charge(WATCH_FRAMES)
        group = VoiceGroup.of(frame.group)
        self.core.voice.ask(self.session, group, frame.call, frame.radio)

    def _floor_release(self, frame: wire.FloorRelease) -> None:
        self.core.voice.release(self.session, VoiceGroup.of(frame.group), frame.radio)

    def _do(self, frame: wire.Do) -> None:
        if self._waiting_acts >= ACTS_AT_ONCE:
            text = "More is asked of this session than can be done; this was not taken."
            raise Refused("too_fast", text, "Wait for answers, then send it again.", RETRY_MS)
        self._waiting_acts += 1
        # Of the server and not of the connection: what has begun is done, whoever hangs up.
        task = asyncio.create_task(self._done(frame))
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)

    async def _done(self, frame: wire.Do) -> None:
        try:
            async with self._acting:  # one after the other, in the order they came
                self._still_there()
                result = await self.core.acts(
                    self.session.principal,
                    self.connection.codec,
                    frame,
                    self.connection.actor(self.session),
                )
            self.connection.send(wire.Done(id=frame.id, time=now_ms(), result=result))
        except Problem as problem:
            self.connection.refuse(problem, None, frame.id)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.warning("%s was not done: %s", frame.what, problem)
            self.connection.refuse(unavailable("It could not be stored."), None, frame.id)
        finally:
            self._waiting_acts -= 1

    def _still_there(self) -> None:
        """Raise :class:`Problem` when the session has ended or locked while its frame waited."""
        if self.session.barred is not None:
            raise self.session.barred
        if not self.core.tickets.holds(self.session.ticket):
            raise session_over()

    def _announce(self, frame: wire.Announce) -> None:
        if len(self._announcing) >= ANNOUNCEMENTS_AT_ONCE:
            text = "This gateway announces faster than its units can be stored."
            raise Refused("too_fast", text, "Wait for the answer before announcing more.")
        task = asyncio.create_task(self._announced(frame))
        self._announcing.add(task)
        task.add_done_callback(self._announcing.discard)

    async def _announced(self, frame: wire.Announce) -> None:
        try:
            who, by = self.session.principal, self.connection.actor(self.session)
            units = await announce(self.core.pool, who, frame, by)
            await self.core.refresh_directory()
            self.connection.send(wire.Announced(n=frame.n, units=units))
        except Problem as problem:
            self.connection.refuse(problem, frame.n)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.warning("units were not announced: %s", problem)
            self.connection.refuse(unavailable("Units cannot be announced now."), frame.n)

    def _answer(self, done: asyncio.Future[Any], n: int, uid: UUID | None) -> None:
        """Say ``ok`` or why not, when ``done`` is."""

        def settle(done: asyncio.Future[Any]) -> None:
            if done.cancelled():
                return
            problem = done.exception()
            if problem is None:
                self.connection.send(wire.Ok(n=n))
            elif isinstance(problem, Problem):
                self.connection.refuse(problem, n, uid)
            else:
                self.connection.refuse(unavailable("It could not be stored."), n, uid)

        done.add_done_callback(settle)


_HANDLERS: dict[type, Callable[[Frames, Any], None]] = {
    wire.Position: Frames._position,
    wire.Message: Frames._message,
    wire.Seen: Frames._seen,
    wire.Positions: Frames._positions,
    wire.Read: Frames._read,
    wire.Delivered: Frames._delivered,
    wire.RadioHeard: Frames._radio_heard,
    wire.RadioPresence: Frames._radio_presence,
    wire.RadioState: Frames._radio_state,
    wire.RadioReach: Frames._radio_reach,
    wire.Watch: Frames._watch,
    wire.Unwatch: Frames._unwatch,
    wire.Announce: Frames._announce,
    wire.Active: Frames._active,
    wire.Do: Frames._do,
    wire.Follow: Frames._follow,
    wire.Unfollow: Frames._unfollow,
    wire.VoiceJoin: Frames._voice_join,
    wire.VoiceLeave: Frames._voice_leave,
    wire.VoiceCall: Frames._voice_call,
    wire.VoiceClose: Frames._voice_close,
    wire.VoicePatch: Frames._voice_patch,
    wire.VoiceUnpatch: Frames._voice_unpatch,
    wire.FloorAsk: Frames._floor_ask,
    wire.FloorRelease: Frames._floor_release,
}


def unavailable(text: str) -> Refused:
    """Why something is not done that the database has to do."""
    todo = "Try again in a moment; the database does not answer."
    return Refused("unavailable", text, todo, retry=RETRY_MS)


def session_over() -> SignInRefused:
    """Why a session whose ticket is gone ends."""
    return SignInRefused("session_ended", "The session has ended.", "Sign in again.")


_under_way: set[asyncio.Task[None]] = set()
"""Keeps what is being done alive until it is done."""
