"""A radio site of SvxLink's own, with sound by UDP: a tone in at one side is heard at the other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from patience import until
from reflector import PASSWORD, REFLECTOR, SVXLINK, Reflector, a_node, connected, spoken, talkers

from radio_bridge import narrowband
from radio_bridge.opus import Reframer
from radio_bridge.svxlink.events import Connected, Granted, Unkeyed
from radio_bridge.svxlink.messages import NodeJoined

SITE_RATE = 16_000
CONFIG = """
[GLOBAL]
LOGICS=SimplexLogic,ReflectorLogic
LINKS=Link
CARD_SAMPLE_RATE={rate}
CARD_CHANNELS=1
[SimplexLogic]
TYPE=Simplex
RX=Rx1
TX=Tx1
CALLSIGN=V31BCG
RGR_SOUND_DELAY=-1
EVENT_HANDLER={place}/events.tcl
[ReflectorLogic]
TYPE=Reflector
HOST=127.0.0.1
PORT={port}
CALLSIGN=BCG-1
AUTH_KEY={password}
OPUS_ENC_FRAME_SIZE={frame_ms}
[Link]
CONNECT_LOGICS=SimplexLogic,ReflectorLogic
DEFAULT_ACTIVE=1
[Rx1]
TYPE=Local
AUDIO_DEV=udp:127.0.0.1:{receiver}
AUDIO_CHANNEL=0
SQL_DET=VOX
SQL_HANGTIME=100
VOX_FILTER_DEPTH=20
VOX_THRESH=1000
[Tx1]
TYPE=Local
AUDIO_DEV=udp:127.0.0.1:{transmitter}
AUDIO_CHANNEL=0
PTT_TYPE=NONE
TX_DELAY=0
TIMEOUT=300
"""

pytestmark = pytest.mark.skipif(
    not (REFLECTOR and SVXLINK), reason="there is no svxreflector, or no svxlink"
)


def tone(hertz: int, rate: int, seconds: float) -> np.ndarray:
    at = np.arange(round(rate * seconds)) / rate
    return (np.sin(2 * np.pi * hertz * at) * 10_000).astype("<i2")


def pitch(samples: np.ndarray, rate: int) -> float:
    """The loudest of its frequencies, in hertz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate / len(samples)


class Antenna:
    """Instead of a radio: what the site transmits, and what it is to receive."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.receiver: int = free.getsockname()[1]
        self.transmitter: int = self._socket.getsockname()[1]
        self.transmitted = b""

    def listen(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            while True:
                self.transmitted += self._socket.recv(65_536)
        return self.transmitted

    async def radiate(self, samples: np.ndarray) -> None:
        piece = SITE_RATE // 50
        for at in range(0, len(samples), piece):
            part = samples[at : at + piece].tobytes()
            self._socket.sendto(part, ("127.0.0.1", self.receiver))
            await asyncio.sleep(0.02)

    def close(self) -> None:
        self._socket.close()


@contextlib.asynccontextmanager
async def a_site(reflector: Reflector, frame_ms: int) -> AsyncIterator[Antenna]:
    assert SVXLINK is not None
    antenna = Antenna()
    with tempfile.TemporaryDirectory(prefix="psn-svx-") as name:
        place = Path(name)
        (place / "events.tcl").write_text("")  # says nothing by itself
        (place / "svxlink.conf").write_text(
            CONFIG.format(
                rate=SITE_RATE,
                place=place,
                port=reflector.port,
                password=PASSWORD.decode(),
                frame_ms=frame_ms,
                receiver=antenna.receiver,
                transmitter=antenna.transmitter,
            )
        )
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [SVXLINK, f"--config={place}/svxlink.conf"], stdout=log, stderr=log
            )
        try:
            yield antenna
        finally:
            process.kill()
            process.wait()
            antenna.close()


@pytest.mark.parametrize("frame_ms", [20, 10])
async def test_a_tone_in_at_one_side_is_heard_at_the_other(frame_ms: int) -> None:
    async with (
        Reflector.running() as reflector,
        a_node(reflector.port, "BPD-1") as (ours, heard),
        a_site(reflector, frame_ms) as antenna,
    ):
        await until(lambda: connected(heard))
        there = {Connected(("BCG-1",)), NodeJoined("BCG-1")}  # whoever was first
        await until(lambda: bool(there.intersection(heard)))

        # From us to the radio, until his antenna has half a second of it.
        encoder, said = narrowband.Encoder(), tone(1_000, narrowband.RATE, 10).tobytes()
        for at in range(0, len(said), 320):
            ours.speak(encoder.encode(said[at : at + 320]))
            await asyncio.sleep(0.02)
            if len(antenna.listen()) >= SITE_RATE:
                break
        ours.end()
        assert Granted() in heard
        sound = np.frombuffer(antenna.transmitted, "<i2")
        assert len(sound) >= SITE_RATE // 2
        assert abs(pitch(sound, SITE_RATE) - 1_000) < 10
        assert 5_000 < np.abs(sound).max() < 20_000

        # From the radio to us, in packets that this network relays.
        await until(lambda: "BPD-1: Talker stop" in reflector.log)
        await antenna.radiate(tone(700, SITE_RATE, 1))
        await antenna.radiate(np.zeros(SITE_RATE, "<i2"))  # until his squelch closes
        await until(lambda: heard[-1] == Unkeyed())
        assert talkers(heard) == ["BCG-1"]
        reframer, decoder = Reframer(), narrowband.Decoder()
        relayed = [piece for packet in spoken(heard) for piece in reframer.take(packet)]
        assert {length for _, length in relayed} == {20}
        assert len(spoken(heard)) // len(relayed) == 20 // frame_ms
        samples = b"".join(part for packet, _ in relayed for part in decoder.decode(packet))
        got = np.frombuffer(samples, "<i2")
        assert len(got) > 0.5 * narrowband.RATE
        assert abs(pitch(got, narrowband.RATE) - 700) < 10
        assert 5_000 < np.abs(got).max() < 20_000
