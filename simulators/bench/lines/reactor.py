"""The loop of a load process: sockets that are ready, and moments that have come.

Not asyncio: with ten thousand sockets and a million positions a second every callback counts,
and asyncio's timers (uvloop's too) are no finer than a millisecond.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from time import perf_counter
from typing import Final

EVENTS_AT_ONCE: Final = 256
READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT
LONGEST_WAIT: Final = 1.0
Ready = Callable[[int], None]
"""Called with the events of its socket (epoll_ctl(2))."""


class Reactor:
    """Waits for sockets. Make it first: its own descriptor must be a low one (select(2))."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Ready] = {}
        self.woke = perf_counter()
        """When the last turn ended its wait: since then this process has been at work."""

    def add(self, fd: int, ready: Ready, events: int = READ) -> None:
        """Call ``ready`` whenever the socket is."""
        self._ready[fd] = ready
        self._epoll.register(fd, events)

    def change(self, fd: int, ready: Ready, events: int = READ) -> None:
        """Call something else, or for other events, from now on."""
        self._ready[fd] = ready
        self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Look at the socket no more."""
        if self._ready.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def turn(self, until: float) -> bool:
        """Hand on what is ready; when nothing is, wait for it until that moment at the latest.

        ``until`` is in seconds of ``perf_counter``. Tells whether there was anything.
        """
        events = self._epoll.poll(0, EVENTS_AT_ONCE)
        if not events:
            wait = until - perf_counter()
            if wait <= 0:
                self.woke = perf_counter()
                return False
            # epoll_wait(2) counts in milliseconds, select(2) in microseconds.
            select.select((self._epoll,), (), (), min(wait, LONGEST_WAIT))
            events = self._epoll.poll(0, EVENTS_AT_ONCE)
        self.woke = perf_counter()
        ready = self._ready
        for fd, which in events:
            call = ready.get(fd)
            if call is not None:
                call(which)
        return bool(events)

    def run_until(self, done: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
        """Turn until ``done()`` or so many seconds have gone; whether it was done."""
        deadline = perf_counter() + seconds
        while not done():
            now = perf_counter()
            if now >= deadline:
                return False
            self.turn(min(deadline, now + every))
        return True

    def close(self) -> None:
        """Give the descriptor back."""
        self._epoll.close()
