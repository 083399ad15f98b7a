"""What a connection does when its peer does not take the last bytes."""

from __future__ import annotations

import asyncio

from stage import until

from psn import connection


async def _pair() -> tuple[asyncio.WriteTransport, asyncio.StreamReader, asyncio.StreamWriter]:
    """Two ends of a connection; the first as a server holds it."""
    held: asyncio.Future[asyncio.WriteTransport] = asyncio.get_running_loop().create_future()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.set_result(writer.transport)
        await reader.read()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    transport = await held
    server.close()
    return transport, reader, writer


async def test_who_takes_nothing_is_cut_off() -> None:
    transport, _, writer = await _pair()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    transport.write(bytes(16_000_000))
    transport.close()
    assert transport.get_write_buffer_size() > 0
    connection._cut_off(transport)
    await until(lambda: transport.get_write_buffer_size() == 0, "nothing is held for it any more")
    writer.transport.abort()


async def test_who_is_gone_by_then_is_left_alone() -> None:
    """asyncio's transport fails when it is aborted after it was lost with nothing to send."""
    transport, reader, writer = await _pair()
    transport.write(b"goodbye")
    transport.close()
    assert await reader.read() == b"goodbye"
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    connection._cut_off(transport)
