"""Who is heard where: every talk on every channel, and on which others it is brought out. Pure.

Theory of operation
-------------------
Each radio network has one :class:`Conversations`, which says whose talk is passed on. Here a talk
gets *legs*: a leg is a channel of the same talkgroup, but that from which it comes.

=============================  ================================================================
what happens                   then
=============================  ================================================================
a talk begins                  every channel of its talkgroup that is free becomes a leg; the
                               others wait
it goes on                     what waits becomes a leg as soon as its channel is free: radios
                               there come in late, as they do when they are switched on
a radio keys where a leg is    the leg ends, and waits: a keyed radio cannot be stopped, whether it
                               is passed on or not
an emergency begins            legs of others on its channels end, and wait; nobody's hang time
                               keeps it off
the talk ends                  its legs end, and their channels are kept for answers
=============================  ================================================================

A patch is a talk of its own in the other talkgroup, from a channel that is called after the first.
So both have one floor: whoever is first has it in all of them, and an emergency takes all of them.
A talk that came through a patch does not go on through another.

Whoever is no DMR radio (a node, a line, this network) says when he begins and ends. Where somebody
else has the talkgroup he is *refused*, and heard from when that is over, if he still talks.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from radio_bridge.bridge.said import Said
from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.bridge.talks import (
    Begin,
    End,
    Out,
    Over,
    Private,
    RadioTwice,
    Refused,
    Say,
    Started,
    Talk,
    TalkerNamed,
    TalkerPlaced,
)
from radio_bridge.bridge.wiring import Wiring
from radio_bridge.calls.conversations import (
    Began,
    Call,
    Cause,
    Conversations,
    Denied,
    Ended,
    Ending,
    Event,
    Named,
    Placed,
    Spoke,
    Twice,
    Where,
)
from radio_bridge.calls.transmissions import Identity
from radio_bridge.dmr.link_control import Service
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.inside import Sound

NETWORK: Final = "network/"
PATCH: Final = "patch/"
_MOST_HEARD: Final = 2_000


@dataclass(slots=True)
class _Wish:
    """Somebody who is no DMR radio talks, passed on or not."""

    where: Where
    talkgroup: Talkgroup
    identity: Identity
    service: Service
    name: str
    is_coded: bool
    is_suspect: bool
    is_refused: bool = False


class Exchange:
    """All radio networks, and who is heard where."""

    def __init__(self, wiring: Wiring) -> None:
        self.dropped: Counter[str] = Counter()
        """What was not passed on, and what was odd, by code."""
        self.heard_at: OrderedDict[tuple[str, int], Where] = OrderedDict()
        """By radio: the channel on which it was heard last."""
        self._now = 0.0
        self._wiring = wiring
        self._rooms: dict[str, Conversations] = {}
        self._joined: dict[Talkgroup, Where] = {}
        self._talks: dict[tuple[str, int], Talk] = {}
        self._taken: dict[Where, Talk] = {}
        self._wishes: dict[Where, _Wish] = {}
        self._said = Said()
        self._privates: dict[Private, Where] = {}
        """Private calls with somebody of this network, and the channel that he is."""
        self.rings_here: Collection[Talkgroup] = ()
        """Numbers of radios that, where no radio has them, ring in this network."""

    @property
    def talks(self) -> list[Talk]:
        """What is passed on now."""
        return list(self._talks.values())

    # -- how it is wired

    def rewire(self, wiring: Wiring, now: float) -> list[Out]:
        """Other settings: who may talk no longer is over, what is not carried now ends there.

        What is carried now waits its turn.
        """
        self._now = max(self._now, now)
        self._wiring = wiring
        out: list[Out] = []
        for network, room in list(self._rooms.items()):
            out += self._happened(network, room.look_again(self._now))
        for talk in self._talks.values():
            wanted = set(self._channels(talk))
            for leg in talk.legs - wanted:
                out += self._end_leg(talk, leg)
            talk.waiting = wanted - talk.legs
        return out

    def join(self, talkgroup: Talkgroup, now: float) -> Where:
        """A voice group of this network is joined with a talkgroup; the channel that it is."""
        self._now = max(self._now, now)
        where = self._joined[talkgroup] = NETWORK + talkgroup[0], talkgroup[1]
        for talk in self._talks.values():
            if talk.talkgroup == talkgroup and talk.call.where != where:
                talk.waiting.add(where)
        return where

    def part(self, talkgroup: Talkgroup, now: float) -> list[Out]:
        """It is joined no more."""
        where = self._joined.pop(talkgroup, None)
        return [] if where is None else self._leave(where, now)

    def _leave(self, where: Where, now: float) -> list[Out]:
        """A channel of this network is there no more."""
        out = self.unkey(where, now)
        for talk in self._talks.values():
            talk.waiting.discard(where)
            if where in talk.legs:
                out += self._end_leg(talk, where)
        return out

    def join_private(self, private: Private, where: Where, now: float) -> None:
        """A radio is in a private call with somebody of this network: ``where`` is his channel."""
        self._now = max(self._now, now)
        self._privates[private] = where
        for talk in self._talks.values():
            if talk.private == private:
                talk.waiting = {where}

    def part_private(self, private: Private, now: float) -> list[Out]:
        """That call is over."""
        where = self._privates.pop(private, None)
        return [] if where is None else self._leave(where, now)

    def is_carried(self, talkgroup: Talkgroup) -> bool:
        """Whether a link carries it."""
        return talkgroup in self._wiring.carriers

    def channels(self, talkgroup: Talkgroup, but: Where) -> list[Where]:
        """The channels that carry a talkgroup, but one."""
        wheres = self._wiring.carriers.get(talkgroup, ())
        return [where for where in wheres if where != but]

    def network_of(self, where: Where) -> str | None:
        """The radio network of a link; none where there is no such link."""
        return self._wiring.networks.get(where[0])

    def colour_code(self, where: Where) -> int:
        """By which radios know a channel from others on its frequency."""
        return self._wiring.colour_codes.get(where[0], 0)

    def may(self, where: Where, identity: Identity) -> bool:
        """Whether somebody may talk to somebody on a channel."""
        if where[0].startswith((NETWORK, PATCH)):
            return True
        network = self._wiring.networks.get(where[0])
        radios = self._wiring.radios.get(where[0])
        if network is None or (radios is not None and identity.source not in radios):
            return False
        carriers = self._wiring.carriers.get((network, identity.target), ())
        return not identity.group or where in carriers

    def is_free(
        self, where: Where, target: tuple[int, bool], now: float, urgent: bool = False
    ) -> bool:
        """Whether something for this target may be sent on a channel now."""
        self._now = max(self._now, now)
        network = self._wiring.networks.get(where[0])
        room = self._rooms.get(network) if network is not None else None
        if where in self._taken:
            return False
        return room is None or room.is_free(where, target, self._now, urgent)

    def legs_of(self, where: Where) -> frozenset[Where] | None:
        """On which channels he is heard who talks there; none: nobody does, or it is not known yet
        whether it comes back by a loop.
        """
        wish = self._wishes.get(where)
        if wish is None or wish.is_suspect:
            return None
        talk = self._talk_of(wish)
        return frozenset(talk.legs if talk else ())

    # -- what comes

    def hear(self, where: Where, packet: BurstPacket, now: float) -> list[Out]:
        """A burst of voice, with its headers and terminators, or what ends a talk."""
        self._now = max(self._now, now)
        network = self._wiring.networks.get(where[0])
        if network is None:
            self.dropped["bridge.unknown_link"] += 1
            return []
        return self._happened(network, self._room(network).hear(where, packet, self._now))

    def key(
        self,
        where: Where,
        talkgroup: Talkgroup,
        source: int,
        now: float,
        name: str = "",
        emergency: bool = False,
        is_coded: bool = False,
        group: bool = True,
    ) -> list[Out]:
        """Somebody who is no DMR radio begins to talk; or one does, through a patch.

        ``group``: to the talkgroup; else to the radio that has this number.
        """
        out = self.pass_time(now)
        out += self.unkey(where, now)
        identity = Identity(source, talkgroup[1], group)
        service = Service(emergency=emergency)
        suspect = group and self._said.may_echo(talkgroup, where, self._now)
        wish = _Wish(where, talkgroup, identity, service, name, is_coded, suspect)
        self._wishes[where] = wish
        return out if wish.is_suspect else out + self._try(wish)

    def name(self, where: Where, name: str) -> list[Out]:
        """Who talks there is told while he does."""
        wish = self._wishes.get(where)
        if wish is None or not name:
            return []
        wish.name = name
        talk = self._talk_of(wish)
        if talk is None:
            return []
        talk.name = name
        return [TalkerNamed(talk)]

    def speak(self, where: Where, sound: Sound, now: float) -> list[Out]:
        """A piece of what he says."""
        out = self.pass_time(now)
        wish = self._wishes.get(where)
        if wish is None:
            self.dropped["bridge.not_keyed"] += 1
            return out
        if wish.is_suspect:
            if self._said.is_echo(wish.talkgroup, where, sound, self._now):
                self.dropped["calls.echo"] += 1
                return out
            wish.is_suspect = False
        room = self._room(wish.talkgroup[0])
        if not room.is_keyed(where):
            out += self._try(wish)
        if wish.identity.group:
            self._said.remember(wish.talkgroup, where, sound, self._now)
        return out + self._happened(wish.talkgroup[0], room.speak(where, sound, self._now))

    def unkey(self, where: Where, now: float) -> list[Out]:
        """He has said what he had to say."""
        self._now = max(self._now, now)
        wish = self._wishes.pop(where, None)
        if wish is None:
            return []
        network = wish.talkgroup[0]
        return self._happened(network, self._room(network).end(where, self._now))

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        return min((due for room in self._rooms.values() if (due := room.due)), default=None)

    def pass_time(self, now: float) -> list[Out]:
        """Who fell silent is over."""
        self._now = max(self._now, now)
        out: list[Out] = []
        for network, room in list(self._rooms.items()):
            events = room.pass_time(self._now)
            if events:
                out += self._happened(network, events)
        return out

    # -- whoever is no DMR radio

    def _try(self, wish: _Wish) -> list[Out]:
        """Begin, where nobody else has the talkgroup."""
        room = self._room(wish.talkgroup[0])
        holder = room.talker((wish.identity.target, wish.identity.group))
        urgent = wish.service.emergency and not (holder and holder.service.emergency)
        if holder is not None and not urgent:
            if wish.is_refused:
                return []
            wish.is_refused = True
            self.dropped["calls.busy"] += 1
            return [Refused(wish.where, wish.talkgroup[0], wish.identity, Cause.BUSY)]
        began = room.begin(wish.where, wish.identity, wish.service, self._now)
        told = wish.is_refused
        wish.is_refused = not room.is_keyed(wish.where)
        happened = self._happened(wish.talkgroup[0], began)
        return [o for o in happened if not (told and isinstance(o, Refused))]

    def _talk_of(self, wish: _Wish) -> Talk | None:
        target = wish.identity.target, wish.identity.group
        holder = self._room(wish.talkgroup[0]).talker(target)
        if holder is None or holder.where != wish.where:
            return None
        return self._talks.get((wish.talkgroup[0], holder.number))

    # -- what follows

    def _room(self, network: str) -> Conversations:
        room = self._rooms.get(network)
        if room is None:
            room = self._rooms[network] = Conversations(self.may)
            room.dropped = self.dropped
        return room

    def _happened(self, network: str, events: list[Event]) -> list[Out]:
        out: list[Out] = []
        for event in events:
            match event:
                case Spoke():
                    out += self._spoke(self._talks[network, event.call.number], event.sound)
                case Began():
                    out += self._began(network, event.call)
                case Ended():
                    talk = self._talks.pop((network, event.call.number))
                    out += self._ended(talk, event.cause)
                case Named():
                    talk = self._talks[network, event.call.number]
                    talk.name = event.name
                    out.append(TalkerNamed(talk))
                case Twice() if self._are_of(network, event.where, event.other):
                    out.append(RadioTwice(network, event.source, event.where, event.other))
                case Placed():
                    talk = self._talks[network, event.call.number]
                    out.append(TalkerPlaced(talk, event.place))
                case Denied():
                    out += self._denied(network, event)
        return out

    def _denied(self, network: str, event: Denied) -> list[Out]:
        """Who is not passed on has his channel all the same, but where it is a talk that is."""
        where, cause = event.where, event.cause
        out: list[Out] = [Refused(where, network, event.identity, cause, event.emergency)]
        keys = self._are_of(network, where) and where not in self._wishes
        return out + self._give_way(where) if keys and cause in (Cause.BUSY, Cause.BARRED) else out

    def _are_of(self, network: str, *wheres: Where) -> bool:
        """Whether these are channels of its own links, and of none that is patched to it."""
        return all(self._wiring.networks.get(where[0]) == network for where in wheres)

    def _began(self, network: str, call: Call) -> list[Out]:
        wish = self._wishes.get(call.where)
        name, is_coded = (wish.name, wish.is_coded) if wish else ("", True)
        talk = Talk(network, call, self._now, name, is_coded)
        self._talks[network, call.number] = talk
        if wish is None:
            self.note(network, call.identity.source, call.where)
        out: list[Out] = [Started(talk), *self._give_way(call.where, talk)]
        talk.waiting = set(self._channels(talk))
        out += self._open(talk)
        for where, other, source, group in self._beside(talk):
            urgent = call.service.emergency
            out += self.key(where, other, source, self._now, name, urgent, is_coded, group)
        return out

    def note(self, network: str, radio: int, where: Where) -> None:
        """A radio was heard there."""
        self.heard_at.pop((network, radio), None)
        self.heard_at[network, radio] = where
        if len(self.heard_at) > _MOST_HEARD:
            self.heard_at.popitem(last=False)

    def _channels(self, talk: Talk) -> list[Where]:
        """Where a talk is to be heard."""
        call = talk.call
        if talk.talkgroup is not None:
            wheres = self.channels(talk.talkgroup, call.where)
            joined = self._joined.get(talk.talkgroup)
            if joined is not None and joined != call.where:
                wheres.append(joined)
            return wheres
        ours = self._privates.get(talk.private)
        if ours is not None:
            return [ours]
        radio = talk.radio_network, call.identity.target
        known = self.heard_at.get(radio)
        if known is None and radio not in self.rings_here:
            self.dropped["bridge.radio_unknown"] += 1
        return [] if known is None or known == call.where else [known]

    def _beside(self, talk: Talk) -> list[tuple[Where, Talkgroup, int, bool]]:
        """Where else he talks: in talkgroups that are patched, or to other radios in his call.

        From which channel, to whom, as whom, and whether that is a group.
        """
        start, source = _patch_from(talk), talk.call.identity.source
        if talk.talkgroup is not None:
            patched = self._wiring.patched.get(talk.talkgroup, ())
            is_patch = talk.call.where[0].startswith(PATCH)
            return [] if is_patch else [((start, o[1]), o, source, True) for o in patched]
        ours = self._privates.get(talk.private)
        return [
            ((start, radio), (network, radio), number, False)
            for (network, radio, number), where in self._privates.items()
            if ours is not None and where != ours and _call_of(where) == _call_of(ours)
        ]

    def _give_way(self, where: Where, keyed: Talk | None = None) -> list[Out]:
        """A radio has keyed where somebody else is brought out."""
        talk = self._taken.get(where)
        if talk is None or talk is keyed:
            return []
        talk.waiting.add(where)
        return self._end_leg(talk, where)

    def _open(self, talk: Talk) -> list[Out]:
        """Whatever waits and is free becomes a leg."""
        out: list[Out] = []
        identity, urgent = talk.call.identity, talk.call.service.emergency
        for where in sorted(talk.waiting):
            if urgent:
                other = self._taken.get(where)
                if other is not None and not other.call.service.emergency:
                    out += self._give_way(where, talk)
            if self.is_free(where, (identity.target, identity.group), self._now, urgent):
                talk.waiting.discard(where)
                talk.legs.add(where)
                talk.reached.add(where)
                self._taken[where] = talk
                out.append(Begin(where, talk))
        return out

    def _spoke(self, talk: Talk, sound: Sound) -> list[Out]:
        talk.pieces += 1
        out = self._open(talk) if talk.waiting else []
        if talk.legs:
            out.append(Say(talk, sound))
        for where, *_ in self._beside(talk):
            out += self.speak(where, sound, self._now)
        return out

    def _ended(self, talk: Talk, cause: Ending) -> list[Out]:
        out: list[Out] = []
        for leg in sorted(talk.legs):
            out += self._end_leg(talk, leg)
        talk.waiting.clear()
        for where, *_ in self._beside(talk):
            out += self.unkey(where, self._now)
        return [*out, Over(talk, self._now, cause)]

    def _end_leg(self, talk: Talk, leg: Where) -> list[Out]:
        talk.legs.discard(leg)
        self._taken.pop(leg, None)
        network = self._wiring.networks.get(leg[0])
        if network is not None:
            self._room(network).keep(leg, talk.call.identity, self._now)
        return [End(leg, talk)]


def _call_of(where: Where) -> str:
    """The call that a channel of this network is of; each radio in it has a channel."""
    return where[0].rpartition("/")[0]


def _patch_from(talk: Talk) -> str:
    """The name of the channel that a talkgroup is in those that it is patched to."""
    return f"{PATCH}{talk.radio_network}:{talk.call.identity.target}"
