"""Random calls through an exchange, in simulated time: nobody is to hear what is not for him.

The exchange is the bridge's own, which is pure: it is told what time it is, so an hour of calls is
over in minutes, and the same seed is the same hour. Radios and whoever is no radio behave as they
do: they key without looking, two sites hear one, headers, bursts and terminators get lost, some
vanish in the middle of a word, some are in an emergency, and the settings change meanwhile.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from random import Random
from typing import Final

from radio_bridge.bridge.exchange import NETWORK, Exchange
from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.bridge.talks import Out, Started
from radio_bridge.bridge.wiring import Wiring
from radio_bridge.calls.conversations import NETWORK_SILENCE_S, Where
from radio_bridge.dmr.burst import DataType
from radio_bridge.homebrew.packets import BurstPacket, Frame
from simulators.radios.overheard import Listeners, Said, packet, piece
from simulators.radios.repeater import BURST_S, talk

NETWORKS: Final = ("police", "defence", "customs")
TICK_S: Final = 0.1
DRAIN_S: Final = 5.0
PIECES: Final = (4, 100)
"""A talk lasts a quarter of a second to six seconds."""
EMERGENCY: Final = 0.02
PRIVATE: Final = 0.05
TWO_SITES: Final = 0.2
LOST_BURST: Final = 0.02
LOST_END: Final = 0.1
VANISHES: Final = 0.05
CHANGES_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated."""

    seconds: float = 3_600.0
    sites: int = 10
    """Of each network, with two slots."""
    talkgroups: int = 8
    """Of each network."""
    radios: int = 200
    """Of each network."""
    every_s: float = 0.5
    """From one call to the next, in the mean, of all together."""
    seed: int = 1


@dataclass(slots=True)
class Hour:
    """What became of it."""

    calls: int = 0
    bursts: int = 0
    passed: int = 0
    """Calls that were passed on."""
    heard: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    left: int = 0
    """Talks that were passed on still, long after everybody was silent."""


class RandomCalls:
    """One exchange, everybody who talks, and everybody who listens."""

    def __init__(self, plan: Plan, make: Callable[[Wiring], Exchange] = Exchange) -> None:
        self._plan = plan
        self._random = Random(plan.seed)
        self._wiring = _wiring(plan)
        self._exchange = make(self._wiring)
        self._listeners = Listeners()
        self._hour = Hour()
        self._numbers = itertools.count(1)
        self._due: list[tuple[float, int, Iterator[float]]] = []
        """When who does something next; what that gives is how long until the one after."""
        self._order = itertools.count()
        self._now = 0.0
        self._talked_until: dict[Talkgroup | Where, float] = {}
        """When nobody talks any more in a talkgroup or what it is patched to, or on a channel."""
        self._claims: dict[Talkgroup, int] = {}
        """Who has keyed last in a talkgroup, or what it is patched to."""
        self._passed_at: dict[int, float] = {}
        """When a talker was passed on last, by number."""
        self._keyed: Counter[Where] = Counter()
        """How many radios are keyed on a channel."""
        self._places: dict[Talkgroup, set[Where]] = {}
        """By network and number: where a radio was heard."""
        self._joined = {one for one in self._wiring.carriers if one[1] % 2}

    def run(self) -> Hour:
        """All of it."""
        for talkgroup in sorted(self._joined):
            self._exchange.join(talkgroup, 0.0)
        for who in (self._callers(), self._settings(), self._clock()):
            self._later(0.0, who)
        until = self._plan.seconds + DRAIN_S + max(PIECES) * BURST_S
        while self._due and self._due[0][0] < until:
            self._now, _, who = heapq.heappop(self._due)
            wait = next(who, None)
            if wait is not None:
                self._later(wait, who)
        hour = self._hour
        hour.heard, hour.wrong, hour.left = (
            self._listeners.heard, self._listeners.wrong, len(self._exchange.talks),
        )  # fmt: skip
        return hour

    def _later(self, wait: float, who: Iterator[float]) -> None:
        heapq.heappush(self._due, (self._now + wait, next(self._order), who))

    def _take(self, outs: list[Out]) -> None:
        self._listeners.take(outs, self._now)
        for out in outs:
            if isinstance(out, Started):
                self._hour.passed += 1
                self._passed_at[out.talk.call.identity.source] = self._now

    # -- who does something

    def _clock(self) -> Iterator[float]:
        while True:
            self._take(self._exchange.pass_time(self._now))
            yield TICK_S

    def _settings(self) -> Iterator[float]:
        """The same settings anew: nobody is to notice."""
        while True:
            yield CHANGES_EVERY_S
            self._take(self._exchange.rewire(self._wiring, self._now))

    def _callers(self) -> Iterator[float]:
        while self._now < self._plan.seconds:
            self._hour.calls += 1
            self._later(0.0, self._radio() if self._random.random() < 0.8 else self._other())
            yield self._random.expovariate(1 / self._plan.every_s)

    def _radio(self) -> Iterator[float]:
        """A radio keys at a site, or is heard by two."""
        random = self._random
        talkgroup = random.choice(sorted(self._wiring.carriers))
        network, target = talkgroup
        slots = [one for one in self._wiring.carriers[talkgroup] if _is_slot(one)]
        wheres = random.sample(slots, 2 if random.random() < TWO_SITES else 1)
        source = _first(network) + random.randrange(self._plan.radios)
        group, emergency = random.random() >= PRIVATE, random.random() < EMERGENCY
        if not group:
            target = _first(network) + random.randrange(self._plan.radios)
        for_whom: Set[Where] = self._for_whom(talkgroup)
        if not group:  # wherever that one was ever heard
            for_whom = self._places.setdefault((network, target), set())
        self._places.setdefault((network, source), set()).update(wheres)
        said = self._said(wheres[0], source, for_whom)
        words = [piece(said) for _ in range(random.randint(*PIECES))]
        sent = talk(
            source, target, wheres[0][1], said.number, words, group=group, emergency=emergency
        )
        if random.random() < VANISHES:
            del sent[random.randrange(2, len(sent)) :]
        for where in wheres[1:]:
            self._later(random.uniform(0.0, BURST_S), self._bursts(where, sent, said, None))
        yield from self._bursts(wheres[0], sent, said, talkgroup if group else None)

    def _bursts(
        self, where: Where, sent: list[BurstPacket], said: Said, talkgroup: Talkgroup | None
    ) -> Iterator[float]:
        free = talkgroup is not None and self._is_quiet(talkgroup, where)
        self._claim(said, talkgroup)
        self._keyed[where] += 1
        lost = 0
        for number, each in enumerate(sent):
            is_last = number == len(sent) - 1
            if self._random.random() >= (LOST_END if is_last else LOST_BURST):
                self._hour.bursts += 1
                self._listeners.keyed(where, self._now)
                self._take(self._exchange.hear(where, each, self._now))
                if each.kind == DataType.TERMINATOR and each.frame == Frame.DATA:
                    self._listeners.unkeyed(where, self._now)
            else:
                lost += 1
            free &= self._keyed[where] == 1 and self._is_alone(said, talkgroup)
            known = number == _IDENTIFIED and not is_last and lost < 2
            if free and known and not self._is_passed(said):
                self._listeners.wrong["stuck"] += 1
            self._used(where, talkgroup)
            yield BURST_S
        self._keyed[where] -= 1

    def _claim(self, said: Said, talkgroup: Talkgroup | None) -> None:
        for one in self._patched_to(talkgroup):
            self._claims[one] = said.number

    def _is_alone(self, said: Said, talkgroup: Talkgroup | None) -> bool:
        """Whether nobody has keyed in the talkgroup since; he may have been known earlier."""
        return all(self._claims.get(one) == said.number for one in self._patched_to(talkgroup))

    def _patched_to(self, talkgroup: Talkgroup | None) -> tuple[Talkgroup, ...]:
        """With itself; of a private call none."""
        if talkgroup is None:
            return ()
        return talkgroup, *self._wiring.patched.get(talkgroup, ())

    def _is_passed(self, said: Said) -> bool:
        """Or was, before an emergency took the talkgroup."""
        return self._passed_at.get(said.source, -1.0) >= said.began

    def _other(self) -> Iterator[float]:
        """A node, a line or somebody of a voice group talks."""
        random = self._random
        talkgroup = random.choice(sorted(self._wiring.carriers))
        network, target = talkgroup
        where = "line/" + network, target
        if talkgroup in self._joined and random.random() < 0.5:
            where = NETWORK + network, target
        source = _first(network) + random.randrange(self._plan.radios)
        if self._talked_until.get(where, 0.0) >= self._now:
            return  # there one talks at a time
        said = self._said(where, source, self._for_whom(talkgroup))
        free = self._is_quiet(talkgroup, where)
        self._claim(said, talkgroup)
        emergency = random.random() < EMERGENCY
        self._take(self._exchange.key(where, talkgroup, source, self._now, "", emergency))
        for _ in range(random.randint(*PIECES)):
            self._take(self._exchange.speak(where, packet(piece(said)), self._now))
            self._hour.bursts += 1
            self._used(where, talkgroup)
            if free and said.pieces == 1 and not self._is_passed(said):
                self._listeners.wrong["stuck"] += 1
            yield BURST_S
        if random.random() >= LOST_END:
            self._take(self._exchange.unkey(where, self._now))

    # -- who may hear it

    def _said(self, where: Where, source: int, for_whom: Set[Where]) -> Said:
        said = Said(next(self._numbers), where, source, self._now, for_whom)
        self._listeners.talks(said)
        return said

    def _for_whom(self, talkgroup: Talkgroup) -> Set[Where]:
        return {where for one in self._patched_to(talkgroup) for where in self._heard_in(one)}

    def _heard_in(self, talkgroup: Talkgroup) -> list[Where]:
        joined = [(NETWORK + talkgroup[0], talkgroup[1])] if talkgroup in self._joined else []
        return [*self._wiring.carriers[talkgroup], *joined]

    def _used(self, where: Where, talkgroup: Talkgroup | None) -> None:
        until = self._now + NETWORK_SILENCE_S + TICK_S
        self._talked_until[where[0], where[1]] = until
        for one in self._patched_to(talkgroup):
            self._talked_until[one] = until

    def _is_quiet(self, talkgroup: Talkgroup, where: Where) -> bool:
        """Whether nobody talks in it, nor on the channel, and has not for a while."""
        talked = self._talked_until
        used = max(talked.get(talkgroup, 0.0), talked.get((where[0], where[1]), 0.0))
        return used < self._now


_IDENTIFIED: Final = 8
"""By so many bursts everybody knows whose a talk is, though one is lost: a superframe, and more."""


def _is_slot(where: Where) -> bool:
    return where[0].startswith("site/")


def _first(network: str) -> int:
    """The first number of its radios."""
    return 10_000 * (1 + NETWORKS.index(network))


def _wiring(plan: Plan) -> Wiring:
    """Talkgroups on one slot of each site, each with a line; the first of two networks patched."""
    wiring = Wiring()
    for network in NETWORKS:
        sites = [f"site/{network}/{number}" for number in range(plan.sites)]
        for number in range(1, plan.talkgroups + 1):
            slot = 1 + number % 2
            line = f"line/{network}", number
            wiring.carriers[network, number] = (*((site, slot) for site in sites), line)
        wiring.networks.update(dict.fromkeys([*sites, f"line/{network}"], network))
    one, two = (NETWORKS[0], 1), (NETWORKS[1], 2)
    wiring.patched[one], wiring.patched[two] = (two,), (one,)
    return wiring
