"""Opus out of files and samples, and samples out of Opus: for bridges, announcements and tests.

    async with client.voice.talk("group:2") as talk:
        await say(talk, itertools.chain(alert(), packets(Path("evacuate.wav"))))

PyAV does the work, with FFmpeg's own libopus; it is loaded at the first use. Samples are 16-bit
signed, mono, in the machine's order of bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from psn.client.refusal import ClientRefused
from psn.client.voice import Talk

if TYPE_CHECKING:
    import av

RATE: Final = 48_000
"""Samples a second, of what comes out of Opus here; in may be any."""
PACKET_MS: Final = 20
SAMPLES: Final = RATE * PACKET_MS // 1000
BIT_RATE: Final = 24_000
ALERT_HERTZ: Final = (1_000, 1_500)
"""Pitches of the attention tone, in turn."""
ALERT_EACH_SECONDS: Final = 0.125
ALERT_TIMES: Final = 8
ALERT_LOUDNESS: Final = 0.5
AHEAD_SECONDS: Final = 0.06
"""So far before its time speech is sent at most: listeners keep only a little of it."""


class NoSound(ClientRefused):
    """``no_sound``: a file has no sound that can be read."""

    def __init__(self, file: str) -> None:
        text = f"{file} has no sound that can be read."
        super().__init__("no_sound", text, "Take a WAV, Ogg or MP3 file.")


class Encoder:
    """Samples in pieces of any length, packets of 20 ms out."""

    def __init__(self, rate: int = RATE) -> None:
        """``rate``: samples a second of what comes in."""
        import av

        self._rate = rate
        self._at = 0
        self._resampler = av.AudioResampler("s16", "mono", RATE)
        self._rest = av.AudioFifo()
        self._coder = av.CodecContext.create("libopus", "w")
        self._coder.sample_rate, self._coder.layout, self._coder.format = RATE, "mono", "s16"
        self._coder.bit_rate = BIT_RATE
        self._coder.options = {"application": "voip", "frame_duration": str(PACKET_MS), "fec": "1"}

    def encode(self, samples: bytes) -> list[bytes]:
        """The packets that are full with these samples."""
        import av
        import numpy as np

        pcm = np.frombuffer(samples, np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = self._rate
        return self.take(frame)

    def take(self, frame: av.AudioFrame | None) -> list[bytes]:
        """The packets that are full with a frame of any form; none: nothing more comes."""
        made: list[bytes] = []
        for part in self._resampler.resample(frame):
            part.pts = None
            self._rest.write(part)
        while (full := self._rest.read(SAMPLES)) is not None:
            made += self._packets(full)
        return made

    def end(self) -> list[bytes]:
        """The last packets, filled up with silence."""
        import numpy as np

        made = self.take(None)
        left = self._rest.samples
        if left:
            rest = self._rest.read(left)
            assert rest is not None
            silence = np.zeros(SAMPLES - left, np.int16)
            full = np.concatenate([rest.to_ndarray()[0], silence])
            made += self._packets(_frame(full.tobytes()))
        return made + [bytes(packet) for packet in self._coder.encode(None)]

    def _packets(self, frame: av.AudioFrame) -> list[bytes]:
        frame.pts, frame.sample_rate = self._at, RATE
        self._at += SAMPLES
        return [bytes(packet) for packet in self._coder.encode(frame)]


class Decoder:
    """Packets in, samples at 48 kHz out."""

    def __init__(self) -> None:
        import av

        self._coder = av.CodecContext.create("libopus", "r")
        self._coder.sample_rate, self._coder.layout = RATE, "mono"

    def decode(self, opus: bytes) -> bytes:
        """The samples of a packet; of one that did not come: of ``psn.voice.ogg.lost``."""
        import av
        import numpy as np

        samples = b""
        for frame in self._coder.decode(av.Packet(opus)):
            sound = frame.to_ndarray()[0]
            if sound.dtype != np.int16:
                sound = (np.clip(sound, -1, 1) * 32_767).astype(np.int16)
            samples += sound.tobytes()
        return samples


def _frame(samples: bytes) -> av.AudioFrame:
    import av
    import numpy as np

    pcm = np.frombuffer(samples, np.int16).reshape(1, -1)
    return av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")


def packets(file: Path | BinaryIO) -> Iterator[bytes]:
    """The sound of a file of any kind that FFmpeg reads, as packets of 20 ms.

    Raises :class:`NoSound`, and ``OSError`` when the file cannot be opened.
    """
    import av
    from av.error import FFmpegError

    name = str(file) if isinstance(file, Path) else str(getattr(file, "name", "What was given"))
    coder = Encoder()
    try:
        with av.open(str(file) if isinstance(file, Path) else file, "r") as container:
            if not container.streams.audio:
                raise NoSound(name)
            for frame in container.decode(audio=0):
                yield from coder.take(frame)
    except FFmpegError as problem:
        if isinstance(problem, OSError):
            raise
        raise NoSound(name) from problem
    yield from coder.end()


def alert() -> Iterator[bytes]:
    """An attention tone of a second, as consoles send it, to be said before what matters."""
    import numpy as np

    at = np.arange(round(ALERT_EACH_SECONDS * RATE)) / RATE
    coder = Encoder()
    for time in range(ALERT_TIMES):
        pitch = ALERT_HERTZ[time % len(ALERT_HERTZ)]
        tone = np.sin(2 * np.pi * pitch * at) * ALERT_LOUDNESS * 32_767
        yield from coder.encode(tone.astype(np.int16).tobytes())
    yield from coder.end()


async def say(talk: Talk, speech: Iterable[bytes]) -> None:
    """Say packets of 20 ms, each in its time; raises what :meth:`Talk.say` raises."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    waiting: bytes | None = None
    number = 0
    for packet in speech:
        if waiting is not None:
            await talk.say(waiting, PACKET_MS)
            number += 1
            early = begun + number * PACKET_MS / 1000 - AHEAD_SECONDS - loop.time()
            await asyncio.sleep(max(0.0, early))
        waiting = packet
    if waiting is not None:
        await talk.say(waiting, PACKET_MS, last=True)
