"""What the floor says goes out: as frames, to whom it concerns, and to the recorder.

One timer for each net lets it say what comes about by itself.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Final

from psn import wire
from psn.access import Principal
from psn.picture.fanout import websocket_frame
from psn.voice import floor as floors
from psn.voice.causes import CAUSES, WAITS_FOR_RADIO
from psn.voice.floor import Call
from psn.voice.group import Group, Net, Party
from psn.voice.relay import Relay
from psn.voice.talk import About, Talk
from psn.wire import VoiceGroup
from psn.wire.voice import GroupKind

CALLS: Final[dict[wire.CallKind, Call]] = {
    "normal": Call.NORMAL, "peril": Call.PERIL, "emergency": Call.EMERGENCY,
}  # fmt: skip
WORDS: Final = {call: word for word, call in CALLS.items()}


class Announcer:
    """Tells parties how it stands with the floor."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], int],
        relay: Relay,
        name: Callable[[VoiceGroup], str],
        record: Callable[[About], Talk],
        emergency: Callable[[Group], None],
        carries: Callable[[Principal, VoiceGroup], bool],
    ) -> None:
        """``clock``: the server's, milliseconds UTC; the floor's is the loop's.

        ``name``: what people call a group. ``record``: begins to keep a talk. ``emergency``: an
        emergency call has begun in a group. ``carries``: whether a patch lets somebody be heard in
        a group besides his own.
        """
        self._loop = loop
        self._clock = clock
        self._relay = relay
        self._name = name
        self._record = record
        self._emergency = emergency
        self._carries = carries

    def tell(self, net: Net, told: Sequence[floors.Told]) -> None:
        """Send what the floor says, and look at it again when it has more to say."""
        self._relay.flush()
        for each in told:
            match each:
                case floors.Idle():
                    self._state_to_all(net)
                case floors.Over():
                    for there in net.groups:
                        self._announce(there, wire.Floor(group=there.of.address, over=True))
                case floors.Taken(member, _):
                    self._state_to_all(net, but=member)
                case _:
                    found = net.find(each.member)
                    if found is not None:
                        self._one(*found, each)
        state_told = any(isinstance(each, floors.Taken | floors.Idle) for each in told)
        for there in net.groups:
            before = there.recorded
            self._keep(there)
            if there.recorded != before and not state_told:
                self._announce(there, self.state(there))  # the rules have changed
        self._look_again(net)

    def _one(
        self,
        there: Group,
        party: Party,
        told: floors.Granted | floors.Queued | floors.Warned | floors.Denied | floors.Revoked,
    ) -> None:
        """What one party is told of its own wish."""
        match told:
            case floors.Granted(_, until):
                if party.talk is not there.floor.talk:  # else it has asked while it talks
                    party.talk, party.last, party.told_wrong = there.floor.talk, None, False
                at = None if math.isinf(until) else self._time_of(until)
                _send(there, party, "granted", until=at)
            case floors.Queued(_, position):
                # A radio goes on whatever it is told: what it says meanwhile needs no other word.
                party.told_wrong = party.radio is not None
                talk = there.floor.talk
                by_radio = party.radio is None and talk is not None and talk.wish.keyed
                why = WAITS_FOR_RADIO if by_radio else ("", "", "")
                _send(there, party, "queued", position=position, why=why)
            case floors.Warned(_, seconds):
                until = self._time_of(self._loop.time() + seconds)
                _send(there, party, "warned", until=until)
            case floors.Denied(_, cause):
                _send(there, party, "denied", why=CAUSES[cause])
            case floors.Revoked(_, cause):
                party.told_wrong = True  # by this: what is on its way needs no other word
                _send(there, party, "revoked", why=CAUSES[cause])
                if party.radio is not None:  # it asks anew when it keys anew
                    there.keyed.pop((party.session, party.radio), None)
                    there.floor.members.pop(party.key, None)

    def state(self, there: Group) -> wire.Floor:
        """Who talks, for who hears this group."""
        talk, talker = there.floor.talk, self._heard_in(there)
        if talk is None or talker is None:
            return wire.Floor(group=there.of.address)
        who = talker.speaker
        return wire.Floor(
            group=there.of.address,
            talker=who.address,
            talker_name=who.name,
            agency=who.agency,
            call=WORDS[talk.wish.call],
        )

    def in_emergency(self, there: Group) -> bool:
        """Whether somebody talks here in an emergency call that all who may hear it are told of."""
        talk = there.floor.talk
        grave = talk is not None and talk.wish.call is Call.EMERGENCY
        return grave and there.of.kind is not GroupKind.CALL and self._heard_in(there) is not None

    def _heard_in(self, there: Group) -> Party | None:
        """Whom those hear who hear this group: who talks, unless a patch does not carry him."""
        talk = there.floor.talk
        found = None if talk is None else there.net.find(talk.wish.member)
        if found is None:
            return None
        where, talker = found
        carried = where is there or self._carries(talker.speaker, there.of)
        return talker if carried else None

    def _state_to_all(self, net: Net, but: str | None = None) -> None:
        for there in net.groups:
            self._announce(there, self.state(there), but)

    def _announce(self, there: Group, frame: wire.Floor, but: str | None = None) -> None:
        made: dict[wire.Codec, bytes] = {}
        for session, party in there.parties.items():
            if party.key == but or session.barred is not None:
                continue
            codec = session.codec
            if codec not in made:
                made[codec] = websocket_frame(codec.encode(frame), codec.binary)
            session.outbox.send_framed(made[codec])

    def _keep(self, there: Group) -> None:
        """Let what is recorded be what is said by who has the floor now."""
        talk, talker = there.floor.talk, self._heard_in(there)
        now = None if talk is None or talker is None else (talk, talk.wish.call)
        if now == there.recorded:
            return
        if there.recording is not None:
            there.recording.ended = self._clock()
        there.recorded, there.recording = now, None
        if talk is None or talker is None:
            return
        there.recording = self._record(self._about(there, talker, WORDS[talk.wish.call]))
        if there.of.kind is GroupKind.CALL:
            there.recording.parties |= there.present
        if talk.wish.call is Call.EMERGENCY:
            self._emergency(there)

    def _about(self, there: Group, party: Party, call: wire.CallKind) -> About:
        who = party.speaker
        return About(
            there.of,
            self._name(there.of),
            who.address,
            who.name,
            who.agency,
            call,
            self._clock(),
        )

    def _look_again(self, net: Net) -> None:
        due = net.floor.due
        if net.timer is not None:
            if due is not None and due >= net.timer.when():
                return  # it looks earlier, which does no harm, and then again
            net.quiet()
        if due is not None and net.groups:
            net.timer = self._loop.call_at(due, self._pass_time, net)

    def _pass_time(self, net: Net) -> None:
        net.timer = None
        self.tell(net, net.floor.pass_time(self._loop.time()))

    def _time_of(self, loop_time: float) -> int:
        """A time of the loop's clock by the server's, milliseconds UTC."""
        return self._clock() + round((loop_time - self._loop.time()) * 1_000)


def _send(
    there: Group,
    party: Party,
    state: wire.FloorState,
    *,
    until: int | None = None,
    position: int | None = None,
    why: tuple[str, str, str] = ("", "", ""),
) -> None:
    if party.session.barred is not None:
        return
    code, text, todo = why
    party.session.send(
        wire.FloorYours(
            group=there.of.address,
            state=state,
            until=until,
            position=position,
            code=code,
            text=text,
            todo=todo,
            radio=party.radio,
            talker="" if party.radio is None else party.speaker.address,
        )
    )
