"""Who may talk in a group. Pure: what happens and when goes in, what is to be told comes out.

Theory of operation (3GPP TS 24.380, clause 6.3.4, the floor control server; names as there)
-------------------------------------------------------------------------------------------
A group's floor is idle or taken by one member.

=========  ==============================  =======================================================
floor is   what happens                    then
=========  ==============================  =======================================================
idle       request                         granted; others are told that it is taken
taken      request of the talker           granted again, nothing else changes
taken      request that pre-empts          the talker's is revoked; granted
taken      any other request               queued, or denied when the queue is full
any        request of a listen-only one    denied
taken      release by the talker           the first in the queue is granted, or idle
queued     release by who waits            taken out of the queue
taken      the talker leaves               like a release; nobody is told anything but the rest
taken      no frame for SILENCE_S          revoked; then like a release (FIRST_WORD_S after a grant)
taken      WARNED_S before the limit       the talker is warned
taken      longer than the talk limit      revoked, and he has to ask anew; like a release
idle       longer than the hang time       the conversation is over
two        united with another             one talker stays: the graver call's, then the first
one        divided                         who talks goes on on his side; the other is like released
=========  ==============================  =======================================================

Who waits stands in the queue by priority, equals in the order in which they asked; so nobody waits
behind an equal who asked later. An emergency pre-empts everything but another emergency, imminent
peril everything that is neither (TS 22.179, R-5.7.2 and R-5.8); priority alone never interrupts.

A *keyed* talker is a radio whose repeater transmits: nobody can stop it, it can only go unheard. So
its time has no limit, and where another would be revoked for somebody else's call, or denied since
too many wait, it waits and is heard from there on when its turn comes. Silence ends its talk as
anybody's.

Times are seconds of any clock that does not run backwards. Whoever drives a floor calls
:meth:`Floor.pass_time` no later than :attr:`Floor.due`.
"""

from __future__ import annotations

import bisect
import enum
import itertools
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

SILENCE_S: Final = 1.0
"""A talker of whom nothing comes for so long has lost the floor."""
FIRST_WORD_S: Final = 2.0
"""So long a microphone and a thumb may take after the floor was granted."""
WARNED_S: Final = 5.0
"""So long before the end of his time a talker is warned."""
QUEUE: Final = 8
"""So many wait at most, besides those who are keyed."""


class Call(enum.IntEnum):
    """What kind of call somebody wants to talk in; the higher pre-empts the lower."""

    NORMAL = 0
    PERIL = 1
    EMERGENCY = 2


class Cause(enum.StrEnum):
    """Why somebody may not talk, or no longer."""

    LISTEN_ONLY = "listen_only"
    """He may only listen in this group."""
    NOT_MEMBER = "not_member"
    """He has not joined it."""
    QUEUE_FULL = "queue_full"
    """Too many wait already."""
    PREEMPTED = "preempted"
    """Somebody else's call is more urgent."""
    TOO_LONG = "too_long"
    """His time was over."""
    SILENT = "silent"
    """Nothing came of him."""
    PATCHED = "patched"
    """His group was joined with another, in which somebody talks."""
    NOT_YOURS = "not_yours"
    """The radio belongs to somebody else now, or its gateway may not talk for it here."""


@dataclass(frozen=True, slots=True)
class Granted:
    """To the member: talk, at most until then (``inf``: until he unkeys)."""

    member: str
    until: float


@dataclass(frozen=True, slots=True)
class Denied:
    """To the member: not now."""

    member: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Queued:
    """To the member: he waits, as number ``position`` from 1."""

    member: str
    position: int


@dataclass(frozen=True, slots=True)
class Revoked:
    """To the member: he has the floor, or his place in the queue, no longer."""

    member: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Warned:
    """To the talker: so many seconds are left."""

    member: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """To all but the talker: who talks now, in what kind of call."""

    member: str
    call: Call


@dataclass(frozen=True, slots=True)
class Idle:
    """To all: nobody talks."""


@dataclass(frozen=True, slots=True)
class Over:
    """To all: the conversation is over; the next request begins another."""


Told = Granted | Denied | Queued | Revoked | Warned | Taken | Idle | Over


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that waits, or was granted."""

    member: str
    call: Call
    priority: int
    order: int
    """The how-manieth request it was, of all floors that are counted together."""
    keyed: bool = False
    """Of a radio that cannot be stopped."""

    @property
    def rank(self) -> tuple[int, int, int]:
        """The lower is first."""
        return -self.call, -self.priority, self.order


@dataclass(slots=True)
class Talk:
    """Somebody has the floor."""

    wish: Wish
    until: float
    heard: float
    warned: bool = False


@dataclass(slots=True)
class Floor:
    """The floor of one group.

    ``limit_s``: somebody talks for so long at most; ``hang_s``: a conversation goes on for so long
    after the last word. Methods take the time and answer what is to be told, in that order.
    """

    limit_s: float = 60.0
    hang_s: float = 5.0
    talk: Talk | None = None
    queue: list[Wish] = field(default_factory=list)
    members: dict[str, bool] = field(default_factory=dict)
    """Who has joined, and whether he may talk."""
    requests: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    """Numbers of requests; floors that may be united have the same."""
    _idle_since: float | None = None

    @property
    def talker(self) -> str | None:
        """Who has the floor."""
        return None if self.talk is None else self.talk.wish.member

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called next; None: nothing will happen by itself."""
        talk = self.talk
        if talk is not None:
            ends = min(talk.heard + SILENCE_S, talk.until)
            return ends if talk.warned else min(ends, talk.until - WARNED_S)
        return None if self._idle_since is None else self._idle_since + self.hang_s

    def join(self, member: str, may_talk: bool, now: float) -> list[Told]:
        """Somebody joins, or what he may do here has changed."""
        return [*self._join(member, may_talk, now)]

    def _join(self, member: str, may_talk: bool, now: float) -> Iterator[Told]:
        self.members[member] = may_talk
        if not may_talk:
            yield from self._give_up(member, Cause.LISTEN_ONLY, now)

    def leave(self, member: str, now: float) -> list[Told]:
        """Somebody leaves, or his connection has ended."""
        return [*self._leave(member, now)]

    def _leave(self, member: str, now: float) -> Iterator[Told]:
        if self.members.pop(member, None) is not None:
            yield from self._give_up(member, None, now)

    def request(
        self,
        member: str,
        now: float,
        call: Call = Call.NORMAL,
        priority: int = 0,
        *,
        keyed: bool = False,
    ) -> list[Told]:
        """Somebody wants to talk, or has ``keyed``. Asked again, what he asked last counts."""
        return [*self._request(member, now, call, priority, keyed)]

    def _request(
        self, member: str, now: float, call: Call, priority: int, keyed: bool
    ) -> Iterator[Told]:
        yield from self._pass_time(now)
        may_talk = self.members.get(member)
        if not may_talk:
            yield Denied(member, Cause.NOT_MEMBER if may_talk is None else Cause.LISTEN_ONLY)
            return
        talk = self.talk
        if talk is not None and talk.wish.member == member:
            wish = self._wish(member, call, priority, keyed)
            if wish.call > talk.wish.call:
                talk.wish = wish
                yield Taken(member, call)
            yield Granted(member, talk.until)
            return
        left = self._place(member)
        wish = self._wish_again(member, call, priority, keyed)
        if talk is None:
            yield from self._grant(wish, now)
        elif wish.call > talk.wish.call:
            yield from self._silence(talk.wish, Cause.PREEMPTED)
            yield from self._grant(wish, now)
            yield from self._places(min(left, self._place(talk.wish.member) + 1))
        elif self._no_place(wish):
            yield Denied(member, Cause.QUEUE_FULL)
        else:
            yield from self._enqueue(wish, left)

    def release(self, member: str, now: float) -> list[Told]:
        """Somebody has said what he had to say, or does not want to wait any more."""
        return [*self._release(member, now)]

    def _release(self, member: str, now: float) -> Iterator[Told]:
        yield from self._pass_time(now)
        yield from self._give_up(member, None, now)

    def heard(self, member: str, now: float) -> bool:
        """A frame has come; whether it is of who has the floor, and goes to the others."""
        talk = self.talk
        if talk is None or talk.wish.member != member or now >= talk.until:
            return False
        talk.heard = max(talk.heard, now)
        return True

    def pass_time(self, now: float) -> list[Told]:
        """What comes about by itself until now."""
        return [*self._pass_time(now)]

    def _pass_time(self, now: float) -> Iterator[Told]:
        while (talk := self.talk) is not None:
            silent, over = talk.heard + SILENCE_S, talk.until
            if not talk.warned and now >= over - WARNED_S:
                talk.warned = True
                if now < min(silent, over):
                    yield Warned(talk.wish.member, over - now)
            if now < min(silent, over):
                return
            cause = Cause.SILENT if silent < over else Cause.TOO_LONG
            yield Revoked(talk.wish.member, cause)
            yield from self._free(min(silent, over))
        if self._idle_since is not None and now >= self._idle_since + self.hang_s:
            self._idle_since = None
            yield Over()

    def unite(self, other: Floor, now: float) -> list[Told]:
        """Another floor's members, talk and queue come to this one; none of them is in both."""
        return [*self._unite(other, now)]

    def _unite(self, other: Floor, now: float) -> Iterator[Told]:
        yield from self._pass_time(now)
        yield from other._pass_time(now)
        self.members |= other.members
        talks = [talk for talk in (self.talk, other.talk) if talk is not None]
        talks.sort(key=lambda talk: (-talk.wish.call, talk.wish.order))
        waiting = [*self.queue, *other.queue]
        self.queue = sorted(waiting, key=lambda each: each.rank)
        for silenced in talks[1:]:
            yield from self._silence(silenced.wish, Cause.PATCHED)
        idle = [since for since in (self._idle_since, other._idle_since) if since is not None]
        self.talk, self._idle_since = None, max(idle, default=None)
        if talks:
            self.talk, self._idle_since = talks[0], None
            yield Taken(talks[0].wish.member, talks[0].wish.call)
        yield from self._trim()
        yield from self._places()

    def divide(self, leaving: Collection[str], now: float) -> tuple[Floor, list[Told], list[Told]]:
        """Some members go to a floor of their own, which is answered, with what is to be told here
        and there. Called after :meth:`pass_time`, whose news are for all.
        """
        there = Floor(self.limit_s, self.hang_s, requests=self.requests)
        there.members = {member: self.members.pop(member) for member in leaving}
        there.queue = [wish for wish in self.queue if wish.member in there.members]
        self.queue = [wish for wish in self.queue if wish.member in self.members]
        if self.talk is None:
            there._idle_since = self._idle_since
            return there, [], []
        if self.talker in self.members:
            return there, [*self._places()], [*there._free(now)]
        there.talk = self.talk
        return there, [*self._free(now)], [*there._places()]

    def _wish(self, member: str, call: Call, priority: int, keyed: bool) -> Wish:
        return Wish(member, call, priority, next(self.requests), keyed)

    def _wish_again(self, member: str, call: Call, priority: int, keyed: bool) -> Wish:
        """A new wish in the place of one that waits; its turn among equals stays."""
        for waiting in self.queue:
            if waiting.member == member:
                self.queue.remove(waiting)
                same = (waiting.call, waiting.priority, waiting.keyed) == (call, priority, keyed)
                return waiting if same else self._wish(member, call, priority, keyed)
        return self._wish(member, call, priority, keyed)

    def _silence(self, wish: Wish, cause: Cause) -> Iterator[Told]:
        """Somebody else has the floor of who talks; a keyed one waits, and is told its place."""
        if wish.keyed:
            bisect.insort(self.queue, wish, key=lambda each: each.rank)
            yield Queued(wish.member, self.queue.index(wish) + 1)
        else:
            yield Revoked(wish.member, cause)

    def _no_place(self, wish: Wish) -> bool:
        """Whether too many wait already in front of somebody."""
        asking = [each for each in self.queue if not each.keyed]
        return not wish.keyed and len(asking) >= QUEUE and wish.rank > asking[-1].rank

    def _trim(self) -> Iterator[Told]:
        """Those who are too many in the queue wait no more; who is keyed is not counted."""
        asking = [each for each in self.queue if not each.keyed]
        for late in reversed(asking[QUEUE:]):
            self.queue.remove(late)
            yield Revoked(late.member, Cause.QUEUE_FULL)

    def _enqueue(self, wish: Wish, left: int) -> Iterator[Told]:
        """Somebody waits from now on; ``left``: the place in the queue that he had before."""
        bisect.insort(self.queue, wish, key=lambda each: each.rank)
        yield from self._trim()
        yield from self._places(min(left, self.queue.index(wish)))

    def _place(self, member: str) -> int:
        """Where somebody stands in the queue, from 0; behind all when he does not."""
        places = (at for at, wish in enumerate(self.queue) if wish.member == member)
        return next(places, len(self.queue))

    def _places(self, first: int = 0) -> Iterator[Told]:
        """Everybody's place from one on, which has changed."""
        for position, each in enumerate(self.queue[first:], first + 1):
            yield Queued(each.member, position)

    def _grant(self, wish: Wish, now: float) -> Iterator[Told]:
        until = math.inf if wish.keyed else now + self.limit_s
        self.talk = Talk(wish, until, now + FIRST_WORD_S - SILENCE_S)
        self._idle_since = None
        yield Granted(wish.member, self.talk.until)
        yield Taken(wish.member, wish.call)

    def _give_up(self, member: str, cause: Cause | None, now: float) -> Iterator[Told]:
        """Floor or place in the queue of one who goes, wants no more, or may no more."""
        for at, wish in enumerate(self.queue):
            if wish.member == member:
                del self.queue[at]
                if cause is not None:
                    yield Revoked(member, cause)
                yield from self._places(at)
                return
        if self.talker == member:
            if cause is not None:
                yield Revoked(member, cause)
            yield from self._free(now)

    def _free(self, now: float) -> Iterator[Told]:
        """The floor goes to who waits first, or to nobody."""
        self.talk = None
        if self.queue:
            first = self.queue.pop(0)
            yield from self._grant(first, now)
            yield from self._places()
        else:
            self._idle_since = now
            yield Idle()
