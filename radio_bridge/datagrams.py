"""A UDP socket as every adapter has one."""

from __future__ import annotations

import asyncio
import socket
from typing import Final, cast

RECEIVE_BUFFER: Final = 1 << 20
"""Bytes that the kernel keeps while the process is busy: some seconds of 32 calls."""


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket; what goes wrong with single datagrams is counted and otherwise nothing."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None
        self.errors = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        # Not every loop's transports are of the class that they implement.
        self.transport = cast(asyncio.DatagramTransport, transport)
        opened: socket.socket = transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def error_received(self, exc: Exception) -> None:
        """A datagram could not be sent, or nobody is there."""
        self.errors += 1

    @property
    def port(self) -> int:
        """The port that the other side is told."""
        assert self.transport is not None
        name: tuple[str, int] = self.transport.get_extra_info("sockname")
        return name[1]

    def sendto(self, data: bytes, address: tuple[str, int] | None = None) -> None:
        """Send, where the socket is open."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, address)
