"""What answers as an AMBE server does, by real UDP."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any


class Chip(asyncio.DatagramProtocol):
    """Answers as a chip does: a frame is its count, samples are the frame's."""

    def __init__(self) -> None:
        self.frames = itertools.count(1)
        self.decoded: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        match data[3:5]:
            case b"\x00\x33":
                answer = bytes.fromhex("61 0001 00 39")
            case b"\x00\x0a":
                answer = bytes.fromhex("61 0002 00 0a 00")
            case b"\x01\x01":
                self.decoded.append(data[6:15])
                answer = bytes.fromhex("61 0142 02 00 a0") + bytes([data[14], 0]) * 160
            case b"\x02\x00":
                answer = bytes.fromhex("61 000b 01 01 48") + next(self.frames).to_bytes(9)
            case _:
                raise AssertionError(data.hex())
        self.transport.sendto(answer, addr)


@contextlib.asynccontextmanager
async def a_chip() -> AsyncIterator[tuple[Chip, int]]:
    loop = asyncio.get_running_loop()
    transport, chip = await loop.create_datagram_endpoint(Chip, local_addr=("127.0.0.1", 0))
    try:
        yield chip, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
