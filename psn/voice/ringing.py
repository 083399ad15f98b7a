"""Calls between some, as they ring: with whom, who takes them, and when they are over.

What a call is, and why it ends, says ``psn.voice.calls``, which is pure; once somebody is in it, it
is a voice group as any other.

A unit that is not connected itself is called by the radio that it carries: it rings at a gateway
that serves the radio's network, which takes the call for that radio, or says why not. The gateway's
session is then in the call for its radios, each of which is its unit there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from psn import access, wire
from psn.access import Principal, Rules
from psn.problems import Problem
from psn.sessions import Session
from psn.voice import keying
from psn.voice.calls import RADIOS, Calls, Over, PrivateCall
from psn.voice.causes import call_over
from psn.voice.deed import Deed
from psn.voice.group import Group
from psn.wire import Radio, VoiceGroup

Place = tuple[Session, Radio]
"""Where a radio is called: at a gateway."""


class Join(Protocol):
    """Lets a session be in a group."""

    def __call__(self, session: Session, group: VoiceGroup, radio: Radio | None = None, /) -> None:
        """``radio``: a gateway's, for which it is there. Raises :class:`Problem`."""


class Ringing:
    """All calls that are not over."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rules: Rules,
        groups: Mapping[VoiceGroup, Group],
        sessions_of: Callable[[str], Iterable[Session]],
        everyone: Callable[[], Iterable[Session]],
        join: Join,
        leave: Callable[[Session, VoiceGroup], None],
        note: Callable[[Deed], None],
    ) -> None:
        """``groups``: those in which somebody is. ``sessions_of``: the connected ones of a person
        or unit; ``everyone``: all. ``join`` and ``leave``: be in a group, and not. ``note``: for
        the audit.
        """
        self._note = note
        self._loop = loop
        self._rules = rules
        self._groups = groups
        self._sessions_of = sessions_of
        self._everyone = everyone
        self._join = join
        self._leave = leave
        self._calls = Calls()
        self._radios: dict[VoiceGroup, dict[Place, str]] = {}
        """By call: the radios at which it rings, and for which unit."""

    # -- who may be in one

    def mend(self, rules: Rules) -> None:
        """The rules have changed; who is in a call is judged as in any group."""
        self._rules = rules

    def admits(self, session: Session, group: VoiceGroup, radio: Radio | None) -> bool:
        """Whether a session, or a radio of a gateway, may be in a call; a gateway itself is there
        for the radios for which it is.
        """
        call = self._calls.of(group)
        if call is None:
            return False
        if session.principal.networks and radio is None:
            there = self._groups.get(group)
            return there is not None and any(each is session for each, _ in there.radios)
        who = self._who(session, radio)
        return who is not None and call.admits(who.address, self._rules)

    def _who(self, session: Session, radio: Radio | None) -> Principal | None:
        """Whom a session stands for; none: nobody whom that radio of its carries."""
        who = session.principal
        return who if radio is None else keying.carried(who, radio, self._rules)

    def judge(self, there: Group) -> None:
        """Radios that may be in a call no longer are not."""
        for (session, radio), address in list(there.radios.items()):
            who = self._who(session, radio)
            if who is None or who.address != address or not self.admits(session, there.of, radio):
                del there.radios[session, radio]
                session.send(call_over(there.of, Over.ENDED, radio))

    # -- it rings

    def call(self, session: Session, frame: wire.VoiceCall) -> None:
        """Call people and units; raises :class:`Problem` when they may not be, or are not there."""
        who = self._who(session, frame.radio)
        if who is None:
            text = "That radio carries no unit, and calls nobody."
            raise Problem("unknown_radio", text, "Let an administrator give it to a unit.")
        is_desk = frame.radio is not None and _is_desk(frame.to)
        called = self._desk(who, frame.to[0]) if is_desk else self._whom(who, frame.to)
        there = [each for to in called for each in self._sessions_of(to) if each.barred is None]
        radios = self._radios_of(called, frame.by_radio)
        if not there and not radios:
            text = "Nobody whom you call is connected."
            raise Problem("not_there", text, "Send a message: it waits for them.")
        if self._calls.rings(who.address):
            text = "You call somebody already, and nobody has answered."
            raise Problem("calling_already", text, "Wait for the answer, or leave that call.")
        made = self._calls.begin(who, called, frame.call, self._loop.time())
        made.one_of, self._radios[made.group] = is_desk, dict(radios)
        try:
            self._join(session, made.group, frame.radio)
        except Problem:
            self._end(made.group)
            raise
        told = frame.to if is_desk else sorted(called)
        answer = _called(made, told, frame.radio)
        session.send(msgspec.structs.replace(answer, n=frame.n))
        for each in there:
            self._ring(each, made)
        for (gateway, radio), address in radios.items():
            gateway.send(_called(made, [address], radio))
        self._loop.call_at(made.answer_by, self.look_after, made.group)

    def _whom(self, who: Principal, to: list[str]) -> frozenset[str]:
        """Whom somebody calls, by addresses; raises :class:`Problem`."""
        called = frozenset(to) - {who.address}
        for each in called:
            is_somebody = each.partition(":")[0] in ("person", "unit")
            if not is_somebody or not access.may_write(who, each, self._rules):
                raise _not_reachable(each)
        return called

    def _desk(self, who: Principal, to: str) -> frozenset[str]:
        """Whoever takes calls at an agency now, and may be called; raises :class:`Problem`."""
        if not access.may_write(who, to, self._rules):
            raise _not_reachable(to)
        agency = int(to.partition(":")[2])
        people = (s.principal for s in self._everyone() if s.barred is None)
        return frozenset(
            one.address
            for one in people
            if one.agency == agency
            and one.address != who.address
            and access.may(one, "call", "take", agency)
            and access.may_write(who, one.address, self._rules)
        )

    def _radios_of(self, called: Iterable[str], by_radio: bool) -> dict[Place, str]:
        """At which radios a call rings, and for whom: of units that are not connected themselves,
        or of all.
        """
        wanted = {to for to in called if by_radio or all(s.barred for s in self._sessions_of(to))}
        gateways = [s for s in self._everyone() if s.principal.networks and s.barred is None]
        found: dict[Place, str] = {}
        for network, number in self._rules.directory.radios_by_number if gateways else ():
            for gateway in gateways:
                radio = Radio(network, number)
                unit = keying.carried(gateway.principal, radio, self._rules)
                if unit is not None and unit.address in wanted:
                    found[gateway, radio] = unit.address
        return found

    def came(self, session: Session) -> None:
        """The session has just begun: which calls ring for it."""
        for call in self._calls.ringing(session.principal.address):
            self._ring(session, call)

    def _ring(self, session: Session, call: PrivateCall) -> None:
        """Tell a session that it is called, unless it may not be by now."""
        address = session.principal.address
        if call.admits(address, self._rules):
            known = [address] if call.one_of else self._known(session, call.called)
            session.send(_called(call, known))

    def _known(self, session: Session, called: frozenset[str]) -> list[str]:
        """Of those who are called: who it is itself, and to whom it may write."""
        me = session.principal
        return sorted(
            to for to in called if to == me.address or access.may_write(me, to, self._rules)
        )

    # -- somebody takes it, or does not

    def answered(self, session: Session, there: Group, radio: Radio | None) -> None:
        """Who has just joined a call has taken it here: it does not ring elsewhere any more."""
        call, who = self._calls.of(there.of), self._who(session, radio)
        if call is None or who is None:
            return
        if radio is not None:
            there.radios[session, radio] = who.address
            self._radios[there.of].pop((session, radio), None)
            self._note(Deed(session, "radio.called", there.of, who, None, who.agency))
        if who.address in call.called:
            call.taken.add(who.address)
            others = call.called - {who.address} if call.one_of else frozenset[str]()
            call.called -= others
            self._ring_no_more(there, {who.address, *others})

    def _ring_no_more(self, there: Group, addresses: set[str]) -> None:
        for each in (s for to in addresses for s in self._sessions_of(to)):
            if each not in there.parties and each.barred is None:
                each.send(call_over(there.of, Over.ELSEWHERE))
        radios = self._radios[there.of]
        for (gateway, radio), address in list(radios.items()):
            if address in addresses:
                del radios[gateway, radio]
                gateway.send(call_over(there.of, Over.ELSEWHERE, radio))

    def close(self, session: Session, group: VoiceGroup) -> None:
        """End a call for all; nothing when it is over; raises :class:`Problem`."""
        call = self._calls.of(group)
        if call is None:
            return
        if call.by != session.principal.address:
            raise Problem("not_your_call", "Only who called ends a call for all.", "Leave it.")
        call.closed = True
        self.look_after(group)

    def decline(self, session: Session, group: VoiceGroup) -> None:
        """Somebody does not answer; nothing when he is not called there."""
        self._calls.decline(group, session.principal.address)

    def decline_by_radio(
        self, session: Session, group: VoiceGroup, radio: Radio, why: wire.RadioWhy
    ) -> None:
        """A radio does not answer, or is in the call no more; nothing when it is neither."""
        call, there = self._calls.of(group), self._groups.get(group)
        if call is None:
            return
        if there is not None and there.radios.pop((session, radio), None) is not None:
            call.why = RADIOS[why]
        radios = self._radios[group]
        address = radios.pop((session, radio), None)
        rings_still = address in radios.values() or any(
            each.barred is None for each in self._sessions_of(address or "")
        )
        if address is not None and address not in call.taken and not rings_still:
            call.declined.add(address)
            call.why = RADIOS[why]

    def left(self, session: Session, there: Group) -> None:
        """A session is in a group no more, nor are radios for which it was there."""
        for each, radio in list(there.radios):
            if each is session:
                del there.radios[each, radio]

    def gone(self, session: Session) -> None:
        """A gateway is not there any more: nothing rings at its radios."""
        for group, radios in list(self._radios.items()):
            for radio in [radio for gateway, radio in radios if gateway is session]:
                self.decline_by_radio(session, group, radio, "away")
                self.look_after(group)

    # -- it is over

    def look_after(self, group: VoiceGroup) -> None:
        """End a call that is over."""
        call = self._calls.of(group)
        if call is None:
            return
        there = self._groups.get(group)
        inside = frozenset[str]() if there is None else there.present
        why = call.over(inside, self._loop.time())
        if why is None:
            return
        radios = self._end(group)
        told = {*(there.parties if there else ()), *(session for session, _ in radios)}
        told |= {each for to in call.called for each in self._sessions_of(to)}
        for session in told:
            if session.barred is None:
                session.send(call_over(group, why))
            self._leave(session, group)

    def _end(self, group: VoiceGroup) -> dict[Place, str]:
        """It is over; at which radios it rang."""
        self._calls.end(group)
        return self._radios.pop(group, {})


def _not_reachable(address: str) -> Problem:
    text = f"You cannot call {address}: it does not exist or is not shared with you."
    return Problem("not_reachable", text, "Call somebody else, or talk in a group.")


def _is_desk(to: list[str]) -> bool:
    """Whether an agency is called: whoever takes calls there."""
    return len(to) == 1 and to[0].startswith("agency:")


def _called(call: PrivateCall, to: list[str], radio: Radio | None = None) -> wire.Called:
    """Told to who calls, and to who is called; ``to``: of those who are called, whom he knows."""
    who = call.caller
    return wire.Called(
        group=call.group.address,
        by=who.address,
        by_name=who.name,
        agency=who.agency,
        to=to,
        call=call.kind,
        radio=radio,
    )
