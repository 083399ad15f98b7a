"""Opus and samples of 8 kHz: what a line of analogue radio has.

Into Opus libopus takes 8 kHz by itself, so it sends no bandwidth that is not there. Out of Opus
FFmpeg's decoder gives 48 kHz always; a low-pass of 2 ms takes every sixth of these. Nothing waits
for samples to come: 20 ms in are 20 ms out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from psn.client import sound

if TYPE_CHECKING:
    import numpy.typing as npt

RATE: Final = 8_000
SAMPLES: Final = 160
"""20 ms."""
PIECE_BYTES: Final = 2 * SAMPLES
BIT_RATE: Final = 16_000
PASS_HERTZ: Final = 3_700
"""Above this nothing is left at 4 kHz that would come back mirrored."""
_EACH: Final = sound.RATE // RATE
_TAPS: Final = 193


def _low_pass() -> npt.NDArray[np.float64]:
    at = np.arange(_TAPS) - _TAPS // 2
    weights = np.sinc(2 * PASS_HERTZ / sound.RATE * at) * np.kaiser(_TAPS, 6.0)
    return np.asarray(weights / weights.sum())


class Encoder:
    """20 ms of samples in, a packet of Opus out."""

    def __init__(self) -> None:
        import av

        self._at = 0
        self._coder = av.CodecContext.create("libopus", "w")
        self._coder.sample_rate, self._coder.layout, self._coder.format = RATE, "mono", "s16"
        self._coder.bit_rate = BIT_RATE
        self._coder.options = {"application": "voip", "frame_duration": "20", "fec": "1"}

    def encode(self, samples: bytes) -> bytes:
        """The packet of 160 samples, 16 bits, little-endian; raises ``ValueError`` for others."""
        import av

        pcm = np.frombuffer(samples, "<i2").astype(np.int16)
        if len(pcm) != SAMPLES:
            raise ValueError(f"{len(pcm)} samples are no 20 ms")
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, self._at
        self._at += SAMPLES
        (packet,) = self._coder.encode(frame)
        return bytes(packet)


class Decoder:
    """Packets of Opus in, 20 ms of samples each out."""

    def __init__(self) -> None:
        self._coder = sound.Decoder()
        self._weights = _low_pass()
        self._past = np.zeros(_TAPS - 1)
        self._rest = b""

    def decode(self, opus: bytes) -> list[bytes]:
        """The samples that are whole with a packet: 160 a piece, 16 bits, little-endian.

        Packets may have any length that Opus knows. What is less than 20 ms is kept for the next.
        Raises ``ValueError`` for bytes that are no Opus.
        """
        wide = np.frombuffer(self._coder.decode(opus), np.int16)
        whole = np.concatenate([self._past, wide])
        self._past = whole[len(wide) :]
        low = np.lib.stride_tricks.sliding_window_view(whole, _TAPS)[::_EACH] @ self._weights
        pcm = self._rest + np.clip(np.rint(low), -32_768, 32_767).astype("<i2").tobytes()
        whole_ones = len(pcm) // PIECE_BYTES * PIECE_BYTES
        self._rest = pcm[whole_ones:]
        return [pcm[at : at + PIECE_BYTES] for at in range(0, whole_ones, PIECE_BYTES)]
