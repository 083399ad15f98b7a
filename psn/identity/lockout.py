"""Lock-out with back-off: who must wait before another password of his is even looked at. Pure.

Theory of operation
-------------------
Every wrong password raises a *level*; levels sink by themselves with time. While a level is above
what is free, the next try must wait, twice as long for each further failure, at most a quarter of
an hour. So whoever mistypes is not bothered, and whoever guesses gets some four tries an hour in
the end.

Nobody can be locked out by others, because tries from a *known place* are counted apart. A place
is known to an account by the address from which it signed in well before, or by the ``known``
token that the server gave then (the idea of OWASP's device cookies). A known place has a level of
its own, for this account alone; a stranger meets two, that of the account as strangers try it and
that of his address. Strangers' failures are never asked about at a known place, and a failure at a
known place is nobody else's.

A name is counted as it was typed, whether or not an account has it, so nothing is told about who
exists. An IPv6 address counts as its /64, since that is what one subscriber is given (RFC 6177).

Memory is bounded: at most :data:`MOST` levels that make someone wait, as many that do not yet, and
as many places, each keyed by a short hash; of each the one that has been quiet longest goes first.
So failures of ever new names do not make it forget whom is being guessed at. Times are seconds of
any clock that does not go back.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from psn.pace import network

LONGEST_SECONDS: Final = 900.0
"""No wait is longer: it must not outlast a watch."""
FIRST_SECONDS: Final = 1.0
MOST: Final = 20_000
"""Levels of each sort, and places known, that are kept at most."""
PLACE_DAYS: Final = 30.0
"""An address is known for so long after a good sign-in."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures are free, and one is forgiven after so many seconds."""

    free: int
    fade_seconds: float


NAME: Final = Limit(free=5, fade_seconds=900.0)
"""An account, as strangers try it."""
PLACE: Final = Limit(free=8, fade_seconds=300.0)
"""An account at one place that it knows."""
ADDRESS: Final = Limit(free=40, fade_seconds=60.0)
"""An address where strangers try whatever names: a whole agency may stand behind one."""

_Key = bytes


@dataclass(slots=True)
class _Level:
    """How many failures count still, as of a moment."""

    height: float
    at: float

    def now(self, limit: Limit, now: float) -> float:
        return max(0.0, self.height - max(0.0, now - self.at) / limit.fade_seconds)


class Lockout:
    """All levels and known places of one server."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._light: OrderedDict[_Key, _Level] = OrderedDict()
        self._heavy: OrderedDict[_Key, _Level] = OrderedDict()
        """Levels above what is free."""
        self._places: OrderedDict[_Key, float] = OrderedDict()

    def __len__(self) -> int:
        """How many levels and places are kept now."""
        return len(self._light) + len(self._heavy) + len(self._places)

    def knows(self, name: str, source: str, now: float, token: bytes | None = None) -> bool:
        """Whether this is a place where the account has signed in well.

        ``token`` is what identifies a ``known`` token that was found genuine for this name.
        """
        if token is not None:
            return True
        until = self._places.get(_key("at", name, network(source)))
        return until is not None and now < until

    def wait(self, name: str, source: str, now: float, token: bytes | None = None) -> float:
        """Seconds to wait before a try is looked at; 0: now."""
        return max(
            self._delay(key, limit, now) for key, limit in self._counted(name, source, now, token)
        )

    def failed(self, name: str, source: str, now: float, token: bytes | None = None) -> None:
        """A wrong password, or a wrong code."""
        for key, limit in self._counted(name, source, now, token):
            level = self._light.pop(key, None) or self._heavy.pop(key, None)
            height = 1.0 if level is None else level.now(limit, now) + 1.0
            # No higher than what the longest wait stands for, so that it fades in due time.
            most = limit.free + math.ceil(math.log2(LONGEST_SECONDS / FIRST_SECONDS)) + 1
            levels = self._light if height < limit.free else self._heavy
            levels[key] = _Level(min(height, most), now)
            if len(levels) > self._most:
                levels.popitem(last=False)

    def succeeded(self, name: str, source: str, now: float, token: bytes | None = None) -> None:
        """A sign-in that was good in every part: this place is known, its own failures forgiven.

        Those of strangers stay: an owner's sign-in must not give an attacker new tries.
        """
        where = network(source)
        for key in _place_keys(name, where, token):
            self._light.pop(key, None)
            self._heavy.pop(key, None)
        place = _key("at", name, where)
        self._places.pop(place, None)
        self._places[place] = now + PLACE_DAYS * 86_400
        while len(self._places) > self._most:
            self._places.popitem(last=False)

    def _counted(
        self, name: str, source: str, now: float, token: bytes | None
    ) -> tuple[tuple[_Key, Limit], ...]:
        """Where a try counts: at its known place alone, or for its name and its address."""
        where = network(source)
        if self.knows(name, source, now, token):
            return ((_place_keys(name, where, token)[0], PLACE),)
        return ((_key("name", name), NAME), (_key("address", where), ADDRESS))

    def _delay(self, key: _Key, limit: Limit, now: float) -> float:
        level = self._heavy.get(key)
        if level is None:
            return 0.0
        over = level.height - limit.free
        ends = level.at + min(LONGEST_SECONDS, FIRST_SECONDS * 2**over)
        return max(0.0, ends - now)


def _place_keys(name: str, where: str, token: bytes | None) -> list[_Key]:
    """The level of a known place: of its token, if there is one, before that of its address."""
    address = _key("place", name, where)
    return [address] if token is None else [_key("token", name, token.hex()), address]


def _key(*parts: str) -> _Key:
    """A short name for what is counted; parts cannot run into each other."""
    said = "\x00".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).digest()
