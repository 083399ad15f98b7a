"""Speech on its way out: one framing, many sockets, as seldom as need be.

Theory of operation
-------------------
What costs is a system call for each socket, as with the picture (``psn.picture.fanout``). So frames
of speech that come shortly after others are held for some milliseconds and go out together: while
one person talks nothing waits, and while ten talk to the same two hundred, each of these is written
to at most :data:`AT_MOST` times a second.

Sessions that hear the same groups are one *audience*, for which what is held is put together once.
A talker does not hear himself. What is said in patched groups has a form for each, since a frame
names its group; who hears several of them hears it once, in the first form. Where a socket is
behind, speech would be late: it is dropped there.

What is told of the floor must come after the speech before it; who tells it calls :meth:`flush`.
"""

from __future__ import annotations

import asyncio
from typing import Final

from psn.sessions import Session
from psn.wire import VoiceGroup

LATE_BYTES: Final = 16_384
"""More than this waiting in a socket, and speech would be late there: it is dropped."""
AT_MOST: Final = 125.0
"""How often a second speech is written to sockets."""

Groups = frozenset[VoiceGroup]
Forms = tuple[tuple[VoiceGroup, bytes], ...]
"""One frame of speech, framed for a WebSocket, as each group hears it."""


class Relay:
    """Who hears which groups, and the speech that is on its way to them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heard: dict[Session, Groups] = {}
        self._audiences: dict[Groups, set[Session]] = {}
        self._hear: dict[VoiceGroup, set[Groups]] = {}
        """By group: the audiences that hear it."""
        self._held: list[tuple[Session, Forms]] = []
        self._talkers: set[Session] = set()
        """Whose frames are held."""
        self._timer: asyncio.Handle | None = None
        self._written = 0.0
        self.relayed = 0
        """Frames of speech handed to sockets."""
        self.late = 0
        """Frames of speech dropped, since a socket was behind."""

    def groups(self, session: Session) -> Groups:
        """What a session hears."""
        return self._heard.get(session, frozenset())

    def join(self, session: Session, group: VoiceGroup) -> None:
        """A session hears a group from the next frame on."""
        self.flush()
        self._move(session, self.groups(session) | {group})

    def leave(self, session: Session, group: VoiceGroup) -> None:
        """A session hears a group no more."""
        self._move(session, self.groups(session) - {group})

    def _move(self, session: Session, groups: Groups) -> None:
        before = self._heard.pop(session, None)
        if before is not None:
            there = self._audiences[before]
            there.discard(session)
            if not there:
                del self._audiences[before]
                for group in before:
                    self._hear[group].discard(before)
                    if not self._hear[group]:
                        del self._hear[group]
        if groups:
            self._heard[session] = groups
            self._audiences.setdefault(groups, set()).add(session)
            for group in groups:
                self._hear.setdefault(group, set()).add(groups)

    def say(self, talker: Session, forms: Forms) -> None:
        """Send a frame to all that hear one of the groups, but its talker."""
        self._held.append((talker, forms))
        self._talkers.add(talker)
        if self._timer is None:
            wait = self._written + 1 / AT_MOST - self._loop.time()
            if wait > 0:
                self._timer = self._loop.call_later(wait, self.flush)
            else:
                # With those that come in the same turn of the loop.
                self._timer = self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Hand on what is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._held:
            return
        held, self._held = self._held, []
        talkers, self._talkers = self._talkers, set()
        self._written = self._loop.time()
        said_in = {group for _, forms in held for group, _ in forms}
        hearing = {each for group in said_in for each in self._hear.get(group, ())}
        for groups in hearing:
            heard = [(talker, _as_heard(forms, groups)) for talker, forms in held]
            frames = [framed for _, framed in heard if framed]
            together = b"".join(frames)
            for session in self._audiences[groups]:
                if session in talkers:
                    others = [
                        framed for talker, framed in heard if framed and talker is not session
                    ]
                    self._write(session, b"".join(others), len(others))
                else:
                    self._write(session, together, len(frames))

    def _write(self, session: Session, framed: bytes, frames: int) -> None:
        if not frames or session.barred is not None:
            return
        outbox = session.outbox
        if outbox.waiting > LATE_BYTES:
            self.late += frames
        else:
            outbox.send_framed(framed)
            self.relayed += frames


def _as_heard(forms: Forms, groups: Groups) -> bytes:
    """A frame as it is heard by who hears these groups; empty: not at all."""
    for group, framed in forms:
        if group in groups:
            return framed
    return b""
