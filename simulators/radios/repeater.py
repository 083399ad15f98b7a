"""A repeater: a real peer of a master, that says what its radios say and hears what they hear."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final

from radio_bridge.dmr.link_control import Service, VoiceCall
from radio_bridge.homebrew import peer
from radio_bridge.homebrew.configuration import Configuration
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.homebrew.peer import Peer
from radio_bridge.homebrew.sockets import PeerEvent, PeerLine
from radio_bridge.homebrew.stream import Stream

BURST_S: Final = 0.06


class Repeater:
    """One repeater. Use it as an asynchronous context manager."""

    def __init__(
        self,
        number: int,
        secret: bytes,
        host: str,
        port: int,
        heard: Callable[[BurstPacket], None] = lambda packet: None,
        location: str = "",
    ) -> None:
        """``heard`` is called with every burst that the master sends."""
        self.number = number
        self.is_there = asyncio.Event()
        self.events: list[PeerEvent] = []
        """What became of signing in."""
        self._heard = heard
        said = Configuration(callsign=f"SIM{number % 100_000}", location=location)
        self.line = PeerLine(Peer(number, secret, said), host, port, self._tell)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Repeater:
        """Begin to sign in."""
        self._task = asyncio.create_task(self.line.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Say farewell."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _tell(self, event: PeerEvent) -> None:
        match event:
            case peer.Heard(packet):
                self._heard(packet)
                return
            case peer.Connected():
                self.is_there.set()
            case peer.Disconnected():
                self.is_there.clear()
        self.events.append(event)

    async def send(self, packets: Iterable[BurstPacket]) -> None:
        """Bursts, each in its time."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number, packet in enumerate(packets):
            wait = begun + number * BURST_S - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self.line.send(packet)


def talk(
    source: int,
    target: int,
    slot: int,
    stream: int,
    words: Iterable[int],
    *,
    group: bool = True,
    emergency: bool = False,
    name: str = "",
) -> list[BurstPacket]:
    """A whole talk: header, what is said (216 bits each), terminator."""
    call = VoiceCall(source, target, group, Service(emergency=emergency))
    made = Stream(call, slot, stream, 1, name)
    return [made.header(), *(made.voice(word) for word in words), made.terminator()]
