"""Sessions of people that lock and end: told beforehand, and locked without losing anything.

``psn.identity.idle`` says when. A locked session stays connected and in its place: its mail waits
on disk behind its cursors, its picture is put aside, and it is told only that an emergency waits,
so that its console can ring. What it says is refused, with ``retry``, so that clients keep what
they have.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from psn import wire
from psn.core import Core
from psn.problems import Problem
from psn.sessions import Session

RETRY_MS: Final = 5_000

LOCKED: Final = Problem(
    "locked",
    "This session is locked, since nobody was active for long.",
    "Unlock it with the password or a passkey.",
    retry=RETRY_MS,
)
LIMITED: Final = Problem(
    "account_unfinished",
    "Before anything else, your account needs a password of your own, or a second factor.",
    "Choose a password or enrol a factor, and then sign in anew with the same token.",
)


def look_after(core: Core, session: Session, now: datetime) -> None:
    """Warn, lock or unlock a session as the time has come; to be called every second."""
    ticket, tickets = session.ticket, core.tickets
    if ticket.person is None:
        return
    seconds = tickets.limits.ending_in(ticket.ends, now)
    if seconds is not None and not session.told_end:
        session.told_end = True
        session.send(wire.Ending(seconds=seconds))
    if session.barred is LIMITED:
        return
    locked = tickets.locked(ticket, now)
    if locked and session.barred is None:
        lock(core, session)
        session.send(wire.Locked())
    elif session.barred is LOCKED and not locked:
        unlock(core, session)  # by another connection of the same session
    elif not locked:
        seconds = tickets.limits.locking_in(ticket.active, now)
        if seconds is not None and session.told_lock != ticket.active:
            session.told_lock = ticket.active
            session.send(wire.Locking(seconds=seconds))


def bar(core: Core, session: Session, now: datetime) -> None:
    """Bar a session that has just signed in from what it may not do yet."""
    if session.ticket.limited:
        session.barred = LIMITED
    elif core.tickets.locked(session.ticket, now):
        session.barred = LOCKED


def lock(core: Core, session: Session) -> None:
    """Nothing goes out to this session any more, and nothing is taken from it."""
    session.barred = LOCKED
    core.hub.unwatch(session.watcher)
    core.voice.locked(session)
    core.sessions.hold(session)


def unlock(core: Core, session: Session) -> None:
    """Mail goes on where it stopped, and the picture is shown anew."""
    session.barred = None
    session.send(wire.Unlocked())
    core.sessions.release(session)
    core.topics.release(session)
    core.voice.resumed(session)
    if session.watch is not None:
        core.screens.show(session)
