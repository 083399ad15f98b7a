"""The only input and output of a vocoder: a UDP socket to a server of chips, and the clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from radio_bridge.datagrams import Datagrams
from radio_bridge.vocoder import chip
from radio_bridge.vocoder.chip import Chip, Side, State

log = logging.getLogger(__name__)
RESOLVE_AGAIN_S: Final = 10.0
Take = Callable[[bytes], None]


class Coder(Protocol):
    """One direction of one talk."""

    @property
    def is_lost(self) -> bool:
        """Whether it does nothing any more: the vocoder was away."""

    def ask(self, content: bytes) -> None:
        """A frame of 9 bytes to be decoded, or 160 samples to be encoded."""

    def close(self) -> None:
        """The talk is over."""


class Vocoder(Protocol):
    """Whatever turns AMBE+2 into samples, and samples into AMBE+2."""

    @property
    def is_ready(self) -> bool:
        """Whether it works now."""

    def decoder(self, take: Take) -> Coder | None:
        """For a talk whose samples are wanted, 20 ms each; none: there is none free."""

    def encoder(self, take: Take) -> Coder | None:
        """For a talk whose frames are wanted, 72 bits each; none: there is none free."""


class _Half:
    """A side of a chip that a talk has."""

    def __init__(self, line: ChipLine, side: Side) -> None:
        self._line = line
        self._side = side

    @property
    def is_lost(self) -> bool:
        """Whether the chip was away since."""
        return not self._line.is_lent(self._side)

    def ask(self, content: bytes) -> None:
        """Decode or encode."""
        self._line.ask(self._side, content)

    def close(self) -> None:
        """Let another have it."""
        self._line.give_back(self._side)


class ChipLine(Datagrams):
    """A :class:`Vocoder` that is a chip behind a server."""

    def __init__(self, side: Chip, host: str, port: int) -> None:
        super().__init__()
        self._side = side
        self._address = host, port
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._takers: dict[Side, Take] = {}
        self._said: State | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it works now."""
        return self._side.state == State.READY

    async def run(self) -> None:
        """Keep it ready, until cancelled."""
        try:
            while True:
                try:
                    # A connected socket takes datagrams of the server's address alone.
                    await self._loop.create_datagram_endpoint(
                        lambda: self, remote_addr=self._address
                    )
                    break
                except OSError:
                    self.errors += 1
                    await asyncio.sleep(RESOLVE_AGAIN_S)
            self._do(self._side.open(self._loop.time()))
            await asyncio.Event().wait()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self.transport is not None:
                self.transport.close()

    def decoder(self, take: Take) -> Coder | None:
        """A side that decodes."""
        return self._half(take, decodes=True)

    def encoder(self, take: Take) -> Coder | None:
        """A side that encodes."""
        return self._half(take, decodes=False)

    def _half(self, take: Take, decodes: bool) -> Coder | None:
        side = self._side.take(decodes)
        if side is None:
            return None
        self._takers[side] = take
        return _Half(self, side)

    def ask(self, side: Side, content: bytes) -> None:
        """Ask the chip."""
        self._do(self._side.ask(side, content, self._loop.time()))

    def is_lent(self, side: Side) -> bool:
        """Whether a talk still has it."""
        return self._side.is_lent(side)

    def give_back(self, side: Side) -> None:
        """Nobody wants its answers any more."""
        self._takers.pop(side, None)
        self._side.give_back(side)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take a datagram."""
        self._do(self._side.receive(data, self._loop.time()))

    def _do(self, out: Iterable[chip.Out]) -> None:
        for one in out:
            match one:
                case chip.Send(data):
                    self.sendto(data)
                case chip.Answer(side, content):
                    if (take := self._takers.get(side)) is not None:
                        take(content)
                case chip.Down():
                    self._takers.clear()
        self._say()
        if self._timer is None and self._side.due is not None:
            self._timer = self._loop.call_at(self._side.due, self._wake)

    def _say(self) -> None:
        """That it works, or does not, once each time."""
        if self._side.state == State.READY and self._said is not State.READY:
            log.info("vocoder at %s:%d: ready", *self._address)
        elif self._side.state == State.AWAY and self._said is not State.AWAY:
            log.warning("vocoder at %s:%d: no answer, or not one for DMR", *self._address)
        else:
            return
        self._said = self._side.state

    def _wake(self) -> None:
        self._timer = None
        self._do(self._side.pass_time(self._loop.time()))
