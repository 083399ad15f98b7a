"""The two sides over real sockets: they find each other, lose each other, and find again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvloop
from patience import PATIENCE_S, until

from radio_bridge.homebrew import master, packets, peer
from radio_bridge.homebrew.configuration import Configuration
from radio_bridge.homebrew.master import Master
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.homebrew.peer import Peer
from radio_bridge.homebrew.sockets import (
    MasterDoor,
    MasterEvent,
    OpenBridgeLine,
    PeerEvent,
    PeerLine,
)

REPEATER, SECRET = 702_001, b"a long secret"
BURST = BurstPacket(1, 7001, 91, REPEATER, 1, True, Frame.VOICE_SYNC, 0, 9, bytes(range(33)), 0, 0)


@contextlib.asynccontextmanager
async def a_door(port: int = 0) -> AsyncIterator[tuple[MasterDoor, list[MasterEvent]]]:
    events: list[MasterEvent] = []
    side = Master({REPEATER: SECRET}, b"k" * 32)
    door = await MasterDoor.open(side, "127.0.0.1", port, events.append)
    try:
        yield door, events
    finally:
        door.close()


@contextlib.asynccontextmanager
async def a_line(
    port: int, secret: bytes = SECRET
) -> AsyncIterator[tuple[PeerLine, list[PeerEvent]]]:
    events: list[PeerEvent] = []
    side = Peer(REPEATER, secret, Configuration(callsign="V31BPD"))
    line = PeerLine(side, "127.0.0.1", port, events.append)
    running = asyncio.create_task(line.run())
    try:
        yield line, events
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_bursts_both_ways_and_a_farewell() -> None:
    async with a_door() as (door, at_door):
        async with a_line(door.port) as (line, at_line):
            await until(lambda: peer.Connected() in at_line)
            await until(lambda: any(isinstance(one, master.Connected) for one in at_door))
            line.send(BURST)
            await until(lambda: master.Heard(BURST) in at_door)
            door.send(BURST, REPEATER)
            await until(lambda: peer.Heard(BURST) in at_line)
        await until(lambda: master.Left(REPEATER, master.Gone.CLOSED) in at_door)


async def test_a_wrong_secret_is_refused_and_tried_again() -> None:
    async with a_door() as (door, at_door), a_line(door.port, b"wrong") as (_, at_line):
        await until(lambda: len(at_line) >= 2)
        assert set(at_line) == {peer.Disconnected(peer.Lost.REFUSED, was_connected=False)}
        assert at_door == []


async def test_a_master_that_was_away_is_found_again() -> None:
    async with a_door() as (door, _):
        port = door.port
        line_up = a_line(port)
        line, at_line = await line_up.__aenter__()
        await until(lambda: peer.Connected() in at_line)
    await until(lambda: peer.Disconnected(peer.Lost.CLOSED, was_connected=True) in at_line)
    async with a_door(port) as (_, at_door):
        await until(lambda: at_line.count(peer.Connected()) == 2)
        line.send(BURST)
        await until(lambda: master.Heard(BURST) in at_door)
        await line_up.__aexit__(None, None, None)


async def test_a_repeater_written_by_hand_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """As MMDVM does it, without any code of ours: also with a burst of 53 bytes."""
    loop, repeater = asyncio.get_running_loop(), bytes.fromhex("000ab631")
    async with a_door() as (door, at_door):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
            radio.setblocking(False)
            radio.connect(("127.0.0.1", door.port))

            async def ask(data: bytes) -> bytes:
                await loop.sock_sendall(radio, data)
                async with asyncio.timeout(PATIENCE_S):
                    return await loop.sock_recv(radio, 1_000)

            salt = await ask(b"RPTL" + repeater)
            assert salt[:6] == b"RPTACK"
            proof = hashlib.sha256(salt[6:] + SECRET).digest()
            assert await ask(b"RPTK" + repeater + proof) == b"RPTACK" + repeater
            says = b"RPTC" + repeater + b"V31BPD  " + b"449000000" * 2
            assert await ask(says.ljust(302)) == b"RPTACK" + repeater
            assert await ask(b"RPTPING" + repeater) == b"MSTPONG" + repeater
            await loop.sock_sendall(radio, packets.write_burst(BURST)[:53])
            heard = master.Heard(replace(BURST, bit_errors=None, signal=None))
            await until(lambda: heard in at_door)
            await loop.sock_sendall(radio, b"garbage")
            door.send(BURST, REPEATER)
            async with asyncio.timeout(PATIENCE_S):
                assert await loop.sock_recv(radio, 1_000) == packets.write_burst(BURST)
            door.change_secrets({})
            async with asyncio.timeout(PATIENCE_S):
                assert await loop.sock_recv(radio, 1_000) == b"MSTCL" + repeater
    assert at_door[-1] == master.Left(REPEATER, master.Gone.BARRED)


async def test_who_falls_silent_is_gone_without_another_packet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(master, "SILENCE_S", 0.2)
    monkeypatch.setattr(peer, "PING_S", 60.0)
    async with a_door() as (door, at_door), a_line(door.port):
        await until(lambda: master.Left(REPEATER, master.Gone.SILENT) in at_door)


async def test_a_line_to_nowhere_goes_on_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "RETRY_S", 0.02)
    monkeypatch.setattr(peer, "FIRST_PAUSE_S", 0.02)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port: int = nobody.getsockname()[1]
    async with a_line(port) as (_, at_line):
        await until(lambda: len(at_line) >= 2)
        assert set(at_line) == {peer.Disconnected(peer.Lost.SILENT, was_connected=False)}
        async with a_door(port):
            await until(lambda: peer.Connected() in at_line)


async def test_openbridge_between_two_masters() -> None:
    heard: list[BurstPacket] = []
    ours = await OpenBridgeLine.open("127.0.0.1", 0, ("127.0.0.1", 9), 702, b"shared", heard.append)
    theirs = await OpenBridgeLine.open(
        "127.0.0.1", 0, ("127.0.0.1", ours.port), 703, b"shared", heard.append
    )
    stranger = await OpenBridgeLine.open(
        "127.0.0.1", 0, ("127.0.0.1", ours.port), 703, b"guessed", heard.append
    )
    try:
        stranger.send(BURST)
        await until(lambda: ours.refused == {"homebrew.signature": 1})
        theirs.send(BURST)
        await until(lambda: bool(heard))
        assert heard == [replace(BURST, repeater=703, bit_errors=None, signal=None)]
    finally:
        for line in (ours, theirs, stranger):
            line.close()


def test_openbridge_to_a_name() -> None:
    """In the loop that bridges run in: it looks nothing up while it sends."""

    async def talk() -> list[BurstPacket]:
        heard: list[BurstPacket] = []
        away = "127.0.0.1", 9
        theirs = await OpenBridgeLine.open("127.0.0.1", 0, away, 702, b"shared", heard.append)
        at = "localhost", theirs.port
        ours = await OpenBridgeLine.open("127.0.0.1", 0, at, 703, b"shared", heard.append)
        try:
            ours.send(BURST)
            await until(lambda: bool(heard))
        finally:
            ours.close()
            theirs.close()
        with pytest.raises(socket.gaierror):
            await OpenBridgeLine.open("127.0.0.1", 0, ("::1", 9), 703, b"", heard.append)
        return heard

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert [one.source for one in runner.run(talk())] == [BURST.source]
