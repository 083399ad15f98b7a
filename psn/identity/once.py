"""What waits to be taken back: each once, for a time, and never too many. Pure.

Half of a sign-in is kept so while a browser is away: at its authenticator, or at its provider. How
many wait is bounded, and for each asker too, so that nobody can push out those of others by asking
for very many. Times are seconds of any clock that does not go back.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST_WAITING: Final = 4_096
MOST_OF_ONE: Final = 32
"""Of one asker: an address, a person, a known place."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    asker: str
    until: float


class Once(Generic[T]):
    """Values that wait under keys that nobody can guess."""

    def __init__(
        self, seconds: float, most: int = MOST_WAITING, most_of_one: int = MOST_OF_ONE
    ) -> None:
        """``seconds``: so long each waits. So many wait at most, in all and of one asker."""
        self._seconds = seconds
        self._most = most
        self._most_of_one = most_of_one
        self._waiting: OrderedDict[bytes, _Kept[T]] = OrderedDict()
        self._of: dict[str, deque[bytes]] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def put(self, key: bytes, value: T, asker: str, now: float) -> None:
        """Keep a value; of too many the oldest goes, first of those of the same asker."""
        while self._waiting:
            oldest, kept = next(iter(self._waiting.items()))
            if now < kept.until and len(self._waiting) < self._most:
                break
            self._drop(oldest)
        own = self._of.get(asker)
        if own is not None and len(own) >= self._most_of_one:
            self._drop(own[0])
        self._waiting[key] = _Kept(value, asker, now + self._seconds)
        self._of.setdefault(asker, deque()).append(key)

    def look(self, key: bytes, now: float) -> T | None:
        """The value, which stays; none when it is not there or its time is over."""
        kept = self._waiting.get(key)
        return kept.value if kept is not None and now < kept.until else None

    def take(self, key: bytes, now: float) -> T | None:
        """The value, which is there no more; none as for :meth:`look`."""
        kept = self._drop(key)
        return kept.value if kept is not None and now < kept.until else None

    def _drop(self, key: bytes) -> _Kept[T] | None:
        kept = self._waiting.pop(key, None)
        if kept is not None:
            own = self._of[kept.asker]
            own.remove(key)
            if not own:
                del self._of[kept.asker]
        return kept
