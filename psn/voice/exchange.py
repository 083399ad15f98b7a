"""The exchange: who is in which voice group, whose the floor is, speech on its way to the others.

Theory of operation
-------------------
A group is there as long as somebody is in it, or in the one that it is patched with. Who has joined
it is a *party*: one session, since of two windows of one person only the one that holds the floor
talks. The floor is :class:`psn.voice.floor.Floor`, which is pure; here it is told what happens, and
what it says goes out by :mod:`psn.voice.announcer`. Calls between some, which are groups for once,
ring by :mod:`psn.voice.ringing`. Two groups that are patched (:mod:`psn.voice.patches`) are one
*net*: one floor, whose talker is heard in both, each frame naming the group of who hears it.

Speech is looked at no further than its header: whose it is, for which group, and that it is newer
than what came before. If its talker has the floor, the very bytes go to the others, once framed
(:mod:`psn.voice.relay`), and to the recording of his talk. It is not acknowledged.

What somebody may do in a group says :mod:`psn.voice.rights`, asked when he joins and when the rules
change, never for a frame.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from psn import database, wire
from psn.access import Principal, Rules
from psn.picture.fanout import websocket_frame
from psn.problems import Problem
from psn.sessions import Session
from psn.voice import keying, passing, rights
from psn.voice.announcer import CALLS, Announcer
from psn.voice.causes import denied, gone, patched, revoked
from psn.voice.deed import Deed, interrupted
from psn.voice.floor import Cause, Floor, Told
from psn.voice.group import Group, Net, Party
from psn.voice.patches import Patch, Patches
from psn.voice.reaching import Reaching
from psn.voice.relay import Relay
from psn.voice.rights import Voice
from psn.voice.ringing import Ringing
from psn.voice.talk import About, Talk
from psn.wire import Speech, VoiceGroup
from psn.wire.voice import GroupKind

MOST_GROUPS: Final = 64
"""So many groups one session hears at most."""
MOST_OF_GATEWAYS: Final = 1_000
"""So many a radio gateway hears: its networks may have as many talkgroups."""


class Exchange:
    """All voice groups in which somebody is."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        rules: Rules,
        clock: Callable[[], int],
        sessions_of: Callable[[str], Iterable[Session]],
        everyone: Callable[[], Iterable[Session]],
        note: Callable[[Deed], None],
        record: Callable[[About], Talk],
    ) -> None:
        """``clock``: the server's, milliseconds UTC; the floor's is the loop's.

        ``sessions_of``: the connected ones of a person or unit; ``everyone``: all. ``note``: for
        the audit. ``record``: begins to keep a talk.
        """
        self._note = note
        self._everyone = everyone
        self._loop = loop
        self._rules = rules
        self._clock = clock
        self.groups: dict[VoiceGroup, Group] = {}
        self.relay = Relay(loop)
        self._announcer = Announcer(
            loop, clock, self.relay, self._name, record, self._call_in, self._carries
        )
        self.ringing = Ringing(
            loop, rules, self.groups, sessions_of, everyone, self.join, self.leave, note
        )
        self._patches = Patches()
        self.reaching = Reaching(self.groups, rules)
        self._numbers = itertools.count(1)
        self._requests = itertools.count(1)
        """For the floor: whoever asked first did so in whichever group."""
        self._strays: dict[Session, VoiceGroup] = {}
        """Who was told that nobody hears it in a group that it has not joined, until it stops."""
        self.refused = 0
        """Frames of speech that were not passed on: not the floor, or not in order."""

    # -- who is in a group

    def join(self, session: Session, group: VoiceGroup, radio: wire.Radio | None = None) -> None:
        """A session hears a group from now on, or a ``radio`` of a gateway is in a call; raises
        :class:`Problem` when it may not.
        """
        may = self._may(session, group, radio)
        if may is Voice.NOTHING:
            text = f"There is no voice group {group.address} that you may hear."
            raise Problem("not_your_group", text, "Ask who manages it to make you a member.")
        joined = self.relay.groups(session)
        most = MOST_OF_GATEWAYS if session.principal.networks else MOST_GROUPS
        if group not in joined and len(joined) >= most:
            text = f"This session hears {most} groups already."
            raise Problem("too_many_groups", text, "Leave one of them first.")
        there = self.groups.get(group)
        if there is None:
            there = self.groups[group] = Group(group, Net(Floor(requests=self._requests)))
        self.relay.join(session, group)
        if session not in there.parties and may is Voice.LISTEN:
            self._note_listener(session, group)
        party = there.parties.setdefault(session, Party(session, next(self._numbers)))
        self._announcer.tell(
            there.net, there.floor.join(party.key, may is Voice.TALK, self._loop.time())
        )
        self.reaching.look(there, but=session)
        if group.kind is GroupKind.CALL:
            self.ringing.answered(session, there, radio)
            if there.recording is not None:
                there.recording.parties |= there.present

    def _note_listener(self, session: Session, group: VoiceGroup) -> None:
        if session.principal.networks:
            return  # that a talkgroup was joined with the group is in the audit
        owner = rights.owner(group, self._rules.directory)
        self._note(Deed(session, "voice.monitored", group, agency=owner))

    def _may(self, session: Session, group: VoiceGroup, radio: wire.Radio | None = None) -> Voice:
        """What a session may do in a group; ``radio``: for which it wants to be in a call."""
        if group.kind is GroupKind.CALL:
            if not self.ringing.admits(session, group, radio):
                return Voice.NOTHING
            return Voice.LISTEN if session.principal.networks else Voice.TALK
        return rights.voice(session.principal, group, self._rules, self._now())

    def show(self, session: Session, group: VoiceGroup) -> None:
        """Tell a session that has just joined whether somebody talks, and where else."""
        session.send(self._announcer.state(self.groups[group]))
        self.reaching.show(session, self.groups[group])
        if self._patches.of(group) is not None:
            session.send(self._patched(group))

    def came(self, session: Session) -> None:
        """The session has just begun: which calls ring for it, and who talks in an emergency."""
        self.ringing.came(session)
        for there in self.groups.values():
            if self._announcer.in_emergency(there) and self._is_for(session, there):
                session.send(self._announcer.state(there))

    def resumed(self, session: Session) -> None:
        """The session goes on after it was locked: how it stands in all its groups."""
        for group in sorted(self.relay.groups(session)):
            self.show(session, group)
        self.came(session)

    def leave(self, session: Session, group: VoiceGroup) -> None:
        """A session hears a group no more, or declines a call; nothing when it is in neither."""
        self.relay.leave(session, group)
        there = self.groups.get(group)
        if there is not None:
            self.ringing.left(session, there)
        party = None if there is None else there.parties.pop(session, None)
        if there is not None and party is not None:
            self._unkey(there, keying.of_session(there, session))
            self._announcer.tell(there.net, there.floor.leave(party.key, self._loop.time()))
            self.reaching.look(there)
        elif group.kind is GroupKind.CALL:
            self.ringing.decline(session, group)
        if group.kind is GroupKind.CALL:
            self.ringing.look_after(group)
        if there is not None and not there.parties and group in self.groups:
            self._forget(there)

    def leave_by_radio(
        self, session: Session, group: VoiceGroup, radio: wire.Radio, why: wire.RadioWhy
    ) -> None:
        """A gateway's radio is in a call no more, or does not take it."""
        if not session.principal.networks:
            return
        there = self.groups.get(group)
        if there is not None:
            self._unkey(there, keying.of_radio(there, session, radio))
        self.ringing.decline_by_radio(session, group, radio, why)
        radios = () if there is None else there.radios
        if not any(each is session for each, _ in radios):
            self.leave(session, group)
        self.ringing.look_after(group)

    def gone(self, session: Session) -> None:
        """The session is over."""
        self.ringing.gone(session)
        for group in self.relay.groups(session):
            self.leave(session, group)
        self._strays.pop(session, None)

    def mend(self, rules: Rules, only_shared: bool) -> None:
        """The rules have changed, or what is shared alone: nobody hears what he may not.

        What is shared decides nothing about groups, whose members are who they are; but who is
        carried into another by a patch.
        """
        self._rules = rules
        self.ringing.mend(rules)
        self.reaching.mend(rules)
        self._end_outlived()
        for there in list(self.groups.values()):
            shared = there.of.kind is not GroupKind.TALKGROUP or self._patches.of(there.of)
            if shared or not only_shared:
                self._judge(there)

    def pass_clock(self) -> None:
        """Taking part in an incident may have begun or ended by the clock; once a second."""
        self._end_outlived()
        now = self._now()
        incidents = {each.id: each for each in self._rules.directory.incidents}
        for there in list(self.groups.values()):
            if there.of.kind is GroupKind.INCIDENT and there.of.id in incidents:
                taking_part = incidents[there.of.id].taking_part(now)
                if there.taking_part != taking_part:
                    there.taking_part = taking_part
                    self._judge(there)

    def _judge(self, there: Group) -> None:
        """Let everybody be in a group as he may be now."""
        self.ringing.judge(there)
        may = {session: self._may(session, there.of) for session in there.parties}
        # All who go are gone before the floor is told: none of them gets it from another.
        going = [there.parties.pop(s) for s, what in may.items() if what is Voice.NOTHING]
        for party in going:
            self.relay.leave(party.session, there.of)
            if party.session.barred is None:
                party.session.send(gone(there.of))
        now = self._loop.time()
        for party in going:
            self._unkey(there, keying.of_session(there, party.session))
            self._announcer.tell(there.net, there.floor.leave(party.key, now))
        for party in keying.strangers(there, self._rules):
            self._unkey(there, [party])
            party.session.send(revoked(there.of, Cause.NOT_YOURS, party.radio))
        for session, party in list(there.parties.items()):
            if there.floor.members.get(party.key) and may[session] is Voice.LISTEN:
                self._note_listener(session, there.of)
            self._announcer.tell(
                there.net, there.floor.join(party.key, may[session] is Voice.TALK, now)
            )
        self.reaching.look(there)
        if going and there.of.kind is GroupKind.CALL:
            self.ringing.look_after(there.of)
        if not there.parties and there.of in self.groups:
            self._forget(there)

    def locked(self, session: Session) -> None:
        """Nobody is at a session: it gives up every floor, and every place in a queue."""
        for group in self.relay.groups(session):
            self.release(session, group)

    def _forget(self, there: Group) -> None:
        """Nobody is in a group; patched with one in which somebody is, it is there with that."""
        patch = self._patches.of(there.of)
        if patch is None:
            there.net.quiet()
            del self.groups[there.of]
        elif not self.groups[patch.other(there.of)].parties:
            self._part(patch, None)

    # -- patches

    def patch(self, session: Session, one: VoiceGroup, two: VoiceGroup) -> None:
        """Give two groups one floor; raises :class:`Problem` when that may not be."""
        if not {one, two} <= self.relay.groups(session):
            text = "Only groups that this session hears can be patched."
            raise Problem("hear_both_first", text, "Join both groups, and patch them then.")
        patch = self._patches.make(session.principal, one, two, self._rules, self._now())
        here, there = self.groups[one], self.groups[two]
        there.net.quiet()
        told = here.floor.unite(there.floor, self._loop.time())
        here.net.groups.append(there)
        there.net = here.net
        self._announcer.tell(here.net, told)
        self._tell_of(patch)
        self.reaching.look(here)
        self._note_patch(patch, session, "voice.patched")

    def unpatch(self, session: Session, group: VoiceGroup) -> None:
        """End a group's patch; nothing when it is in none; raises :class:`Problem`."""
        patch = self._patches.of(group)
        if patch is not None:
            self._patches.check_end(session.principal, patch, self._rules, self._now())
            self._part(patch, session)

    def _end_outlived(self) -> None:
        for patch in self._patches.outlived(self._rules, self._now()):
            self._part(patch, None)

    def _part(self, patch: Patch, by: Session | None) -> None:
        """Each group has a floor of its own again; ``by``: none, it came about by itself."""
        self._patches.end(patch)
        here, there = (self.groups[group] for group in patch.groups)
        net, now = here.net, self._loop.time()
        self._announcer.tell(net, net.floor.pass_time(now))
        leaving = [party.key for party in (*there.parties.values(), *there.keyed.values())]
        floor, told_here, told_there = net.floor.divide(leaving, now)
        net.groups.remove(there)
        there.net = Net(floor)
        there.net.groups.append(there)
        self._announcer.tell(net, told_here)
        self._announcer.tell(there.net, told_there)
        self._tell_of(patch)
        self._note_patch(patch, by, "voice.unpatched")
        for each in (here, there):
            self.reaching.look(each)
            if not each.parties:
                self._forget(each)

    def _tell_of(self, patch: Patch) -> None:
        """Tell the parties of both groups whether they are patched."""
        for group in patch.groups:
            for session in self.groups[group].parties:
                if session.barred is None:
                    session.send(self._patched(group))

    def _patched(self, group: VoiceGroup) -> wire.Patched:
        patch = self._patches.of(group)
        return patched(group, patch, "" if patch is None else self._name(patch.other(group)))

    def _note_patch(self, patch: Patch, by: Session | None, action: str) -> None:
        for group, owner in zip(patch.groups, patch.owners, strict=True):
            self._note(Deed(by, action, group, None, patch.other(group), owner))

    # -- the floor

    def ask(
        self,
        session: Session,
        group: VoiceGroup,
        call: wire.CallKind,
        radio: wire.Radio | None = None,
    ) -> None:
        """A session asks for the floor, or a ``radio`` has keyed; ``floor_yours`` answers."""
        there = self.groups.get(group)
        party = None if there is None else there.parties.get(session)
        self._strays.pop(session, None)
        if there is None or party is None:
            session.send(denied(group, Cause.NOT_MEMBER, radio))
            return
        now, before = self._loop.time(), there.floor.talker
        if radio is None:
            priority = rights.floor_priority(session.principal)
            told: Sequence[Told] = there.floor.request(party.key, now, CALLS[call], priority)
        else:
            asked = keying.ask(there, session, radio, CALLS[call], self._rules, self._numbers, now)
            if asked is None:
                return
            party, told = asked
        whom = interrupted(there, party, before, told)
        if whom is not None:
            self._note_interrupted(session, group, whom)
        self._announcer.tell(there.net, told)

    def _note_interrupted(self, session: Session, group: VoiceGroup, whom: Principal) -> None:
        """Auditors of who interrupts read of whom only if he might have heard him."""
        known = self._carries(whom, group)
        if not known:
            self._note(Deed(session, "voice.interrupted", group))
        by = session if known else None
        self._note(Deed(by, "voice.interrupted", group, whom, None, whom.agency))

    def release(self, session: Session, group: VoiceGroup, radio: wire.Radio | None = None) -> None:
        """A session gives up the floor, or its place in the queue, or a ``radio`` has unkeyed;
        nothing when it has neither.
        """
        there = self.groups.get(group)
        if there is not None and radio is not None:
            keyed = there.keyed.get((session, radio))
            self._unkey(there, [] if keyed is None else [keyed])
            return
        party = None if there is None else there.parties.get(session)
        if there is not None and party is not None:
            self._announcer.tell(there.net, there.floor.release(party.key, self._loop.time()))

    def _unkey(self, there: Group, keyed: Iterable[Party]) -> None:
        for party in keyed:
            told = keying.take_out(there, party, self._loop.time())
            self._announcer.tell(there.net, told)

    def _call_in(self, there: Group) -> None:
        """Tell people who may hear an emergency call, and are not in its group, that it is on.

        Who is called has been asked whether he wants to hear that call, and is not asked again.
        """
        if there.of.kind is GroupKind.CALL:
            return
        state = self._announcer.state(there)
        for session in self._everyone():
            if session.barred is None and self._is_for(session, there):
                session.send(state)

    def _is_for(self, session: Session, there: Group) -> bool:
        """Whether somebody is told of an emergency call: a person who may hear it, and does not."""
        outside = session.principal.person is not None and session not in there.parties
        return outside and self._may(session, there.of) is not Voice.NOTHING

    def _carries(self, who: Principal, group: VoiceGroup) -> bool:
        return rights.carried(who, group, self._rules, self._now())

    def _name(self, group: VoiceGroup) -> str:
        """What people call it; a call has but its address."""
        directory = self._rules.directory
        if group.kind is GroupKind.INCIDENT:
            here = (each.number for each in directory.incidents if each.id == group.id)
            return next(here, group.address)
        found = directory.groups.get(group.id) if group.kind is GroupKind.TALKGROUP else None
        return group.address if found is None else found.name

    # -- speech

    def speech(self, session: Session, frame: Speech, data: bytes) -> None:
        """A frame of speech has come, as ``data``, which go on as they are.

        Raises :class:`Problem`, once for each talk, when it is not passed on.
        """
        there = self.groups.get(frame.group)
        party = None if there is None else there.parties.get(session)
        if there is not None and session.principal.networks:
            party = keying.speaking(there, session, frame)
        problem = passing.wrong(session, there, party, frame, self._loop.time())
        if problem is not None:
            self.refused += 1
            if party is None:
                self._refuse_stray(session, frame, problem)
            elif not party.told_wrong:
                party.told_wrong = True
                raise problem
            return
        assert there is not None
        forms = [(there.of, websocket_frame(data, binary=True))]
        for each in there.net.groups:
            if each.recording is None:
                continue  # a patch does not carry him there
            each.recording.say(frame)
            if each is not there:
                same = frame._replace(group=each.of).encode()
                forms.append((each.of, websocket_frame(same, binary=True)))
        self.relay.say(session, tuple(forms))

    def _refuse_stray(self, session: Session, frame: Speech, problem: Problem) -> None:
        """Who is no party of a group talks in it."""
        told = self._strays.get(session) == frame.group
        self._strays[session] = frame.group
        if frame.last:
            del self._strays[session]
        if not told:
            raise problem

    # -- time

    def _now(self) -> datetime:
        return database.moment(self._clock())
