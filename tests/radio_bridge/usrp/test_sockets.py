"""Two lines over real sockets, and a radio box written by hand: a tone goes through as Opus."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import numpy as np
from patience import PATIENCE_S, until

from radio_bridge import narrowband
from radio_bridge.usrp import packets
from radio_bridge.usrp.line import Event, Keyed, Line, Spoke, Unkeyed
from radio_bridge.usrp.sockets import LineDoor

SAMPLES = bytes(range(160)) * 2


@contextlib.asynccontextmanager
async def a_door(
    target: int, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[LineDoor, list[Event]]]:
    events: list[Event] = []
    door = await LineDoor.open(Line(91), "127.0.0.1", 0, (host, target), events.append)
    try:
        yield door, events
    finally:
        door.close()


async def test_a_box_written_by_hand_talks_and_listens() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as box:
        box.setblocking(False)
        box.bind(("127.0.0.1", 0))
        async with a_door(box.getsockname()[1], "localhost") as (door, heard):
            there = "127.0.0.1", door.port
            header = b"USRP" + bytes.fromhex("00000009 00000000 00000001 0000005b") + bytes(12)
            await loop.sock_sendto(box, header + SAMPLES, there)
            await loop.sock_sendto(box, b"garbage", there)
            await loop.sock_sendto(box, b"USRP" + bytes(28), there)
            await until(lambda: heard == [Keyed(91), Spoke(SAMPLES), Unkeyed()])
            door.speak(SAMPLES)
            door.end()
            for said in (packets.Speech(1, SAMPLES, 91), packets.Unkey(2, 91)):
                async with asyncio.timeout(PATIENCE_S):
                    assert packets.read(await loop.sock_recv(box, 1_000)) == said
            # Who falls silent has ended without another packet.
            await loop.sock_sendto(box, header + SAMPLES, there)
            await until(lambda: heard[-1] == Unkeyed(silent=True))


async def test_a_stranger_is_not_heard() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        async with a_door(9, "127.0.0.2") as (door, heard):
            data = packets.write(packets.Speech(1, SAMPLES))
            await loop.sock_sendto(stranger, data, ("127.0.0.1", door.port))
            await until(lambda: door._side.dropped == {"usrp.stranger": 1})
            assert heard == []


async def test_closing_ends_what_is_said() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as box:
        box.setblocking(False)
        box.bind(("127.0.0.1", 0))
        async with a_door(box.getsockname()[1]) as (door, _):
            door.speak(SAMPLES)
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(packets.read(await loop.sock_recv(box, 1_000)), packets.Speech)
            assert isinstance(packets.read(await loop.sock_recv(box, 1_000)), packets.Unkey)


async def test_a_tone_goes_through_as_opus() -> None:
    """Samples to Opus, over the wire's packets, and back to samples on another line."""
    hertz, count = 1_000, 25
    at = np.arange(count * narrowband.SAMPLES) / narrowband.RATE
    tone = (np.sin(2 * np.pi * hertz * at) * 10_000).astype("<i2").tobytes()
    encoder, decoder = narrowband.Encoder(), narrowband.Decoder()
    async with a_door(9) as (there, heard), a_door(there.port) as (here, _):
        for number in range(count):
            part = tone[number * 320 : (number + 1) * 320]
            for samples in decoder.decode(encoder.encode(part)):
                here.speak(samples)
        here.end()
        await until(lambda: bool(heard) and heard[-1] == Unkeyed())
    got = np.frombuffer(b"".join(one.samples for one in heard if isinstance(one, Spoke)), "<i2")
    assert len(got) == count * narrowband.SAMPLES
    spectrum = np.abs(np.fft.rfft(got[800:]))
    assert np.argmax(spectrum) * narrowband.RATE / len(got[800:]) == hertz
    assert 5_000 < np.abs(got[800:]).max() < 20_000
