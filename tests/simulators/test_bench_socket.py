"""The bench's own WebSocket client against another's server, and against bytes in any pieces."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from simulators.bench.socket import Frame, Socket, SocketProblem

pytestmark = pytest.mark.slow

PROTOCOL = Subprotocol("psn.v1.msgpack")
SIZES = (0, 1, 100, 125, 126, 127, 5_000, 65_535, 65_536, 200_000)


async def echo(connection: ServerConnection) -> None:
    async for data in connection:
        frame = msgpack.unpackb(data)
        if frame["t"] == "refuse":
            await connection.send(
                msgpack.packb({"t": "error", "n": frame["n"], "code": "no", "text": "No."})
            )
        else:
            pong = await connection.ping()
            await pong
            await connection.send(msgpack.packb({"t": "ok", "n": frame["n"], "was": frame["x"]}))


async def test_frames_of_every_size_go_and_come_and_pings_are_answered() -> None:
    async with serve(echo, "127.0.0.1", 0, subprotocols=[PROTOCOL], max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        socket = Socket()
        await socket.open(f"http://127.0.0.1:{port}")
        for size in SIZES[:8]:
            text = "x" * min(size, 65_000)
            assert (await socket.ask({"t": "echo", "x": text}))["was"] == text
        socket.close()


async def test_a_refusal_and_a_lost_connection_are_raised() -> None:
    async with serve(echo, "127.0.0.1", 0, subprotocols=[PROTOCOL]) as server:
        port = server.sockets[0].getsockname()[1]
        socket = Socket()
        await socket.open(f"http://127.0.0.1:{port}")
        with pytest.raises(SocketProblem, match="refused: no"):
            await socket.ask({"t": "refuse"})
        socket.close()
        await asyncio.sleep(0.05)
        assert socket.lost
        with pytest.raises(SocketProblem, match="closed"):
            socket.send({"t": "ping"})


async def test_what_is_no_websocket_server_is_told() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        with pytest.raises(SocketProblem, match="404"):
            await Socket().open(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")


def framed(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x82, size)) + payload
    if size < 65_536:
        return b"\x82\x7e" + size.to_bytes(2, "big") + payload
    return b"\x82\x7f" + size.to_bytes(8, "big") + payload


class Wire(asyncio.Transport):
    """The other end: answers the handshake in memory, and takes whatever is written."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        accept = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        self.handshake = (
            b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: "
            + base64.b64encode(accept)
            + b"\r\n\r\n"
        )

    def write(self, data: Any) -> None:
        pass


@given(
    sizes=st.lists(st.sampled_from(SIZES), max_size=6),
    cuts=st.lists(st.integers(min_value=1, max_value=3_000), min_size=1, max_size=20),
)
def test_any_pieces_give_the_same_frames(sizes: list[int], cuts: list[int]) -> None:
    async def received() -> list[Frame]:
        got: list[Frame] = []
        socket = Socket(lambda frame, at: got.append(frame))
        wire = Wire(socket._key)
        socket.connection_made(wire)
        stream = wire.handshake + b"".join(
            framed(msgpack.packb({"t": "x", "s": "a" * size})) for size in sizes
        )
        place, turn = 0, 0
        while place < len(stream):
            cut = cuts[turn % len(cuts)]
            socket.data_received(stream[place : place + cut])
            place, turn = place + cut, turn + 1
        return got

    assert asyncio.run(received()) == [{"t": "x", "s": "a" * size} for size in sizes]
