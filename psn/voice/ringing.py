"""Calls between some, as they ring: with whom, who takes them, and when they are over.

What a call is, and why it ends, says ``psn.voice.calls``, which is pure; once somebody is in it, it
is a voice group as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

import msgspec

from psn import access, wire
from psn.access import Rules
from psn.problems import Problem
from psn.sessions import Session
from psn.voice.calls import Calls, Over, PrivateCall
from psn.voice.causes import call_over
from psn.voice.group import Group
from psn.wire import VoiceGroup


class Ringing:
    """All calls that are not over."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rules: Rules,
        groups: Mapping[VoiceGroup, Group],
        sessions_of: Callable[[str], Iterable[Session]],
        join: Callable[[Session, VoiceGroup], None],
        leave: Callable[[Session, VoiceGroup], None],
    ) -> None:
        """``groups``: those in which somebody is. ``join`` and ``leave``: be in one, and not."""
        self._loop = loop
        self._rules = rules
        self._groups = groups
        self._sessions_of = sessions_of
        self._join = join
        self._leave = leave
        self._calls = Calls()

    def mend(self, rules: Rules) -> None:
        """The rules have changed; who is in a call is judged as in any group."""
        self._rules = rules

    def admits(self, session: Session, group: VoiceGroup) -> bool:
        """Whether a session may be in a call."""
        call = self._calls.of(group)
        return call is not None and call.admits(session.principal.address, self._rules)

    def call(self, session: Session, frame: wire.VoiceCall) -> None:
        """Call people and units; raises :class:`Problem` when they may not be, or are not there."""
        who = session.principal
        called = frozenset(frame.to) - {who.address}
        for to in called:
            if to.partition(":")[0] not in ("person", "unit") or not access.may_write(
                who, to, self._rules
            ):
                text = f"You cannot call {to}: it does not exist or is not shared with you."
                raise Problem("not_reachable", text, "Call somebody else, or talk in a group.")
        there = [each for to in called for each in self._sessions_of(to) if each.barred is None]
        if not there:
            text = "Nobody whom you call is connected."
            raise Problem("not_there", text, "Send a message: it waits for them.")
        if self._calls.rings(who.address):
            text = "You call somebody already, and nobody has answered."
            raise Problem("calling_already", text, "Wait for the answer, or leave that call.")
        made = self._calls.begin(who, called, frame.call, self._loop.time())
        try:
            self._join(session, made.group)
        except Problem:
            self._calls.end(made.group)
            raise
        session.send(msgspec.structs.replace(_called(made, sorted(called)), n=frame.n))
        for each in there:
            self._ring(each, made)
        self._loop.call_at(made.answer_by, self.look_after, made.group)

    def came(self, session: Session) -> None:
        """The session has just begun: which calls ring for it."""
        for call in self._calls.ringing(session.principal.address):
            self._ring(session, call)

    def _ring(self, session: Session, call: PrivateCall) -> None:
        """Tell a session that it is called, unless it may not be by now."""
        if call.admits(session.principal.address, self._rules):
            session.send(_called(call, self._known(session, call.called)))

    def _known(self, session: Session, called: frozenset[str]) -> list[str]:
        """Of those who are called: who it is itself, and to whom it may write."""
        me = session.principal
        return sorted(
            to for to in called if to == me.address or access.may_write(me, to, self._rules)
        )

    def close(self, session: Session, group: VoiceGroup) -> None:
        """End a call for all; nothing when it is over; raises :class:`Problem`."""
        call = self._calls.of(group)
        if call is None:
            return
        if call.by != session.principal.address:
            raise Problem("not_your_call", "Only who called ends a call for all.", "Leave it.")
        call.closed = True
        self.look_after(group)

    def answered(self, session: Session, there: Group) -> None:
        """Who has just joined a call has taken it here: it does not ring elsewhere any more."""
        address = session.principal.address
        call = self._calls.of(there.of)
        if call is not None and address in call.called:
            call.taken.add(address)
            for each in self._sessions_of(address):
                if each not in there.parties and each.barred is None:
                    each.send(call_over(there.of, Over.ELSEWHERE))

    def decline(self, session: Session, group: VoiceGroup) -> None:
        """Somebody does not answer; nothing when he is not called there."""
        self._calls.decline(group, session.principal.address)

    def look_after(self, group: VoiceGroup) -> None:
        """End a call that is over."""
        call = self._calls.of(group)
        if call is None:
            return
        there = self._groups.get(group)
        parties = {} if there is None else there.parties
        inside = frozenset(each.principal.address for each in parties)
        why = call.over(inside, self._loop.time())
        if why is None:
            return
        self._calls.end(group)
        ringing = (each for to in call.called for each in self._sessions_of(to))
        for session in {*parties, *ringing}:
            if session.barred is None:
                session.send(call_over(group, why))
            self._leave(session, group)


def _called(call: PrivateCall, to: list[str]) -> wire.Called:
    """Told to who calls, and to who is called; ``to``: of those who are called, whom he knows."""
    who = call.caller
    return wire.Called(
        group=call.group.address,
        by=who.address,
        by_name=who.name,
        agency=who.agency,
        to=to,
        call=call.kind,
    )
