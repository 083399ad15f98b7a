"""How fast one session may send, and how often a code may be guessed. Pure: time is an argument."""

from __future__ import annotations

import ipaddress
from typing import Final

BURST_SECONDS = 4.0
"""A session may send this many seconds' worth of frames at once."""


class Bucket:
    """How many frames a session may still send (a token bucket); seconds are monotonic."""

    __slots__ = ("_capacity", "_left", "_rate", "_when")

    def __init__(self, rate: float, now: float, capacity: float | None = None) -> None:
        """``rate`` a second; ``capacity``: how many at once, else those of some seconds."""
        self._rate = rate
        self._capacity = self._left = rate * BURST_SECONDS if capacity is None else capacity
        self._when = now

    def take(self, now: float) -> bool:
        """Whether one more frame is within the rate."""
        left = min(self._capacity, self._left + (now - self._when) * self._rate)
        self._when = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1

    def charge(self, frames: float) -> None:
        """Count a frame that was taken as that many more."""
        self._left -= frames

    def give_back(self) -> None:
        """What was taken last does not count."""
        self._left = min(self._capacity, self._left + 1)

    def full(self, now: float) -> bool:
        """Whether nothing is missing: it says no more than a new one would."""
        return self._left + (now - self._when) * self._rate >= self._capacity


class Guesses:
    """Who may try a code now: few tries from one address, and not too many from all together.

    A try counts until it turns out good, so that many at once are no way around it. The limit for
    all protects the database; what protects a code is its length.
    """

    EACH_A_MINUTE: Final = 5
    ALL_A_SECOND: Final = 20
    MOST_ADDRESSES: Final = 10_000

    def __init__(self, now: float) -> None:
        self._all = Bucket(self.ALL_A_SECOND, now)
        self._of: dict[str, Bucket] = {}

    def take(self, address: str, now: float) -> bool:
        """Whether one more try from this address may be looked at."""
        key = network(address)
        bucket = self._of.get(key)
        if bucket is None:
            if len(self._of) >= self.MOST_ADDRESSES:
                self._forget(now)
            each = self.EACH_A_MINUTE
            bucket = self._of[key] = Bucket(each / 60, now, capacity=each)
        if not bucket.take(now):
            return False
        if self._all.take(now):
            return True
        bucket.give_back()
        return False

    def good(self, address: str) -> None:
        """The try that was taken last was no guess."""
        self._all.give_back()
        bucket = self._of.get(network(address))
        if bucket is not None:
            bucket.give_back()

    def _forget(self, now: float) -> None:
        """Keep those that still count; of too many the newest."""
        kept = [(key, bucket) for key, bucket in self._of.items() if not bucket.full(now)]
        self._of = dict(kept[-self.MOST_ADDRESSES // 2 :])


def network(address: str) -> str:
    """Who an address counts as: itself, or for IPv6 its /64, of which one host has every address.

    What is no address counts as one.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)
