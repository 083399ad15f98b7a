"""The only input and output of the protocol: UDP sockets and the clock around its pure sides.

Each hands every datagram to its side, does what that says, and wakes it when it is due. What
happened is told to a function, which must not block.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from radio_bridge.datagrams import Datagrams
from radio_bridge.homebrew import master, openbridge, peer
from radio_bridge.homebrew.master import Master
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.homebrew.peer import Lost, Peer
from radio_bridge.unreadable import Unreadable

RESOLVE_AGAIN_S: Final = 10.0

MasterEvent = master.Connected | master.Left | master.Heard | master.Flooding
PeerEvent = peer.Connected | peer.Disconnected | peer.Heard


class MasterDoor(Datagrams):
    """Where repeaters sign in."""

    def __init__(
        self,
        side: Master,
        tell: Callable[[MasterEvent], None],
        admits: Callable[[str], bool] = lambda host: True,
    ) -> None:
        """``admits``: whether anything is taken from an address at all."""
        super().__init__()
        self._side = side
        self._tell = tell
        self._admits = admits
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls,
        side: Master,
        host: str,
        port: int,
        tell: Callable[[MasterEvent], None],
        admits: Callable[[str], bool] = lambda host: True,
    ) -> MasterDoor:
        """Listen; raises ``OSError`` when somebody else does there."""
        loop = asyncio.get_running_loop()
        _, door = await loop.create_datagram_endpoint(
            lambda: cls(side, tell, admits), local_addr=(host, port)
        )
        return door

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take a datagram."""
        if not self._admits(addr[0]):
            self._side.dropped["homebrew.not_admitted"] += 1
            return
        self._do(self._side.receive(data, (addr[0], addr[1]), self._loop.time()))

    def send(self, packet: BurstPacket, repeater: int) -> None:
        """A burst to a connected repeater."""
        self._do(self._side.send(packet, repeater))

    @property
    def dropped(self) -> Mapping[str, int]:
        """Packets that were not taken, by code."""
        return self._side.dropped

    def change_secrets(self, secrets: dict[int, bytes]) -> None:
        """Others may sign in from now on."""
        self._do(self._side.change_secrets(secrets))

    def close(self) -> None:
        """Say farewell to all and close."""
        self._do(self._side.close())
        if self._timer is not None:
            self._timer.cancel()
        if self.transport is not None:
            self.transport.close()

    def _do(self, out: Iterable[master.Out]) -> None:
        for one in out:
            if isinstance(one, master.Send):
                self.sendto(one.data, one.address)
            else:
                self._tell(one)
        # What is due only moves away while packets come, so one timer at a time is enough.
        if self._timer is None and self._side.due is not None:
            self._timer = self._loop.call_at(self._side.due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._do(self._side.pass_time(self._loop.time()))


class PeerLine(Datagrams):
    """Our line to a master: opened anew, and its name looked up, whenever it falls silent."""

    def __init__(self, side: Peer, host: str, port: int, tell: Callable[[PeerEvent], None]) -> None:
        super().__init__()
        self._side = side
        self._address = host, port
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._stale = asyncio.Event()

    async def run(self) -> None:
        """Keep the line, until cancelled; then say farewell."""
        is_new = True
        try:
            while True:
                self._stale.clear()
                try:
                    # A connected socket takes datagrams of the master's address alone.
                    await self._loop.create_datagram_endpoint(
                        lambda: self, remote_addr=self._address
                    )
                except OSError:
                    self.errors += 1
                    await asyncio.sleep(RESOLVE_AGAIN_S)
                    continue
                if is_new:
                    self._do(self._side.open(self._loop.time()))
                    is_new = False
                await self._stale.wait()
                self._hang_up()
        finally:
            self._do(self._side.close())
            self._hang_up()

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()
            self.transport = None

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take a datagram."""
        self._do(self._side.receive(data, self._loop.time()))

    def send(self, packet: BurstPacket) -> None:
        """A burst to the master."""
        self._do(self._side.send(packet))

    def _do(self, out: Iterable[peer.Out]) -> None:
        for one in out:
            if isinstance(one, peer.Send):
                self.sendto(one.data)
                continue
            if isinstance(one, peer.Disconnected) and one.cause == Lost.SILENT:
                self._stale.set()
            self._tell(one)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._side.due is not None:
            self._timer = self._loop.call_at(self._side.due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._do(self._side.pass_time(self._loop.time()))


class OpenBridgeLine(Datagrams):
    """Our line to a master beside us: whatever is signed, from its address or another."""

    def __init__(
        self, network: int, passphrase: bytes, tell: Callable[[BurstPacket], None]
    ) -> None:
        super().__init__()
        self._network = network
        self._passphrase = passphrase
        self._tell = tell
        self._target: tuple[str, int] | None = None
        self.refused: dict[str, int] = {}
        """Datagrams that were not taken, by code."""

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        target: tuple[str, int],
        network: int,
        passphrase: bytes,
        tell: Callable[[BurstPacket], None],
    ) -> OpenBridgeLine:
        """Listen there, and send to the target, whose name is looked up; raises ``OSError``."""
        loop = asyncio.get_running_loop()
        transport, line = await loop.create_datagram_endpoint(
            lambda: cls(network, passphrase, tell), local_addr=(host, port)
        )
        try:
            family = transport.get_extra_info("socket").family
            found = await loop.getaddrinfo(*target, family=family, type=socket.SOCK_DGRAM)
        except BaseException:
            transport.close()
            raise
        address, target_port = found[0][4][:2]
        line._target = str(address), int(target_port)
        return line

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take a datagram."""
        try:
            packet = openbridge.read(data, self._passphrase)
        except Unreadable as error:
            self.refused[error.code] = self.refused.get(error.code, 0) + 1
            return
        self._tell(packet)

    def send(self, packet: BurstPacket) -> None:
        """A burst to the other master."""
        self.sendto(openbridge.write(packet, self._network, self._passphrase), self._target)

    def close(self) -> None:
        """Close; there is nobody to say farewell to."""
        if self.transport is not None:
            with contextlib.suppress(OSError):
                self.transport.close()
