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
from dataclasses import dataclass
from typing import Final

from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.bridge.talks import (
    Begin,
    End,
    Out,
    Over,
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
    ECHO_S,
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
from radio_bridge.inside import Opus, Sound

NETWORK: Final = "network/"
PATCH: Final = "patch/"
_TELLING: Final = 20
"""Bytes of a packet of Opus that is not only silence, and so is not said twice by chance."""
_MOST_SAID: Final = 2_000
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
        self._said: dict[Talkgroup, OrderedDict[bytes, tuple[Where, float]]] = {}

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
        if where is None:
            return []
        out = self.unkey(where, now)
        for talk in self._talks.values():
            talk.waiting.discard(where)
            if where in talk.legs:
                out += self._end_leg(talk, where)
        return out

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
    ) -> list[Out]:
        """Somebody who is no DMR radio begins to talk; or one does, through a patch."""
        out = self.pass_time(now)
        out += self.unkey(where, now)
        identity = Identity(source, talkgroup[1], group=True)
        service = Service(emergency=emergency)
        suspect = self._may_echo(talkgroup, where)
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
            if self._is_echo(wish, sound):
                self.dropped["calls.echo"] += 1
                return out
            wish.is_suspect = False
        room = self._room(wish.talkgroup[0])
        if not room.is_keyed(where):
            out += self._try(wish)
        self._remember(wish, sound)
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
        holder = room.talker((wish.identity.target, True))
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
        holder = self._room(wish.talkgroup[0]).talker((wish.identity.target, True))
        if holder is None or holder.where != wish.where:
            return None
        return self._talks.get((wish.talkgroup[0], holder.number))

    def _may_echo(self, talkgroup: Talkgroup, where: Where) -> bool:
        said = self._said.get(talkgroup)
        if not said:
            return False
        _, until = next(reversed(said.values()))
        return until > self._now and any(one != where for one, _ in said.values())

    def _is_echo(self, wish: _Wish, sound: Sound) -> bool:
        """Whether this packet was said there lately, from elsewhere: reflectors that are a loop."""
        if not isinstance(sound, Opus) or len(sound.packet) < _TELLING:
            return False
        known = self._said.get(wish.talkgroup, OrderedDict()).get(sound.packet)
        return known is not None and known[0] != wish.where and known[1] > self._now

    def _remember(self, wish: _Wish, sound: Sound) -> None:
        if not isinstance(sound, Opus) or len(sound.packet) < _TELLING:
            return
        said = self._said.setdefault(wish.talkgroup, OrderedDict())
        said.pop(sound.packet, None)
        said[sound.packet] = wish.where, self._now + ECHO_S
        while len(said) > _MOST_SAID or next(iter(said.values()))[1] <= self._now:
            said.popitem(last=False)

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
        for other in self._patches(talk):
            where = _patch_from(talk), other[1]
            urgent, source = call.service.emergency, call.identity.source
            out += self.key(where, other, source, self._now, name, urgent, is_coded)
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
        known = self.heard_at.get((talk.radio_network, call.identity.target))
        if known is None:
            self.dropped["bridge.radio_unknown"] += 1
        return [] if known is None or known == call.where else [known]

    def _patches(self, talk: Talk) -> tuple[Talkgroup, ...]:
        if talk.talkgroup is None or talk.call.where[0].startswith(PATCH):
            return ()
        return self._wiring.patched.get(talk.talkgroup, ())

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
        for other in self._patches(talk):
            out += self.speak((_patch_from(talk), other[1]), sound, self._now)
        return out

    def _ended(self, talk: Talk, cause: Ending) -> list[Out]:
        out: list[Out] = []
        for leg in sorted(talk.legs):
            out += self._end_leg(talk, leg)
        talk.waiting.clear()
        for other in self._patches(talk):
            out += self.unkey((_patch_from(talk), other[1]), self._now)
        return [*out, Over(talk, self._now, cause)]

    def _end_leg(self, talk: Talk, leg: Where) -> list[Out]:
        talk.legs.discard(leg)
        self._taken.pop(leg, None)
        network = self._wiring.networks.get(leg[0])
        if network is not None:
            identity = talk.call.identity
            self._room(network).keep(leg, (identity.target, identity.group), self._now)
        return [End(leg, talk)]


def _patch_from(talk: Talk) -> str:
    """The name of the channel that a talkgroup is in those that it is patched to."""
    return f"{PATCH}{talk.radio_network}:{talk.call.identity.target}"
