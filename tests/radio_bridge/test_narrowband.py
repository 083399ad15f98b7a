"""Opus and 8 kHz: tones keep their height and loudness, and nothing comes back mirrored."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pytest

from psn.client import sound
from radio_bridge import narrowband


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    at = np.arange(round(rate * seconds)) / rate
    return (np.sin(2 * np.pi * hertz * at) * 10_000).astype("<i2")


def decoded(packets: list[bytes]) -> np.ndarray:
    decoder = narrowband.Decoder()
    parts = list(itertools.chain.from_iterable(decoder.decode(packet) for packet in packets))
    assert {len(part) for part in parts} == {320}
    return np.frombuffer(b"".join(parts), "<i2")[1_600:].astype(float)


def opus_of(milliseconds: int, many: int) -> list[bytes]:
    """Packets of this length, of a tone."""
    coder = av.CodecContext.create("libopus", "w")
    coder.sample_rate, coder.layout, coder.format = 48_000, "mono", "s16"
    coder.options = {"frame_duration": str(milliseconds)}
    pcm, samples = tone(400, 48_000).reshape(1, -1), 48 * milliseconds
    packets: list[bytes] = []
    for at in range(0, many * samples, samples):
        frame = av.AudioFrame.from_ndarray(pcm[:, at : at + samples], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, at
        packets += [bytes(packet) for packet in coder.encode(frame)]
    return packets


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@pytest.mark.parametrize("hertz", [300, 1_000, 3_000])
def test_a_tone_there_and_back(hertz: int) -> None:
    encoder = narrowband.Encoder()
    pcm = tone(hertz, 8_000).tobytes()
    got = decoded([encoder.encode(pcm[at : at + 320]) for at in range(0, len(pcm), 320)])
    spectrum = np.abs(np.fft.rfft(got * np.hanning(len(got))))
    assert abs(np.argmax(spectrum) * 8_000 / len(got) - hertz) < 10
    assert 0.6 < loudness(got) / (10_000 / 2**0.5) < 1.3


def test_20_ms_in_are_one_packet_at_once_and_others_are_refused() -> None:
    encoder = narrowband.Encoder()
    assert all(encoder.encode(bytes(320)) for _ in range(5))
    with pytest.raises(ValueError, match="20 ms"):
        encoder.encode(bytes(318))


@pytest.mark.parametrize("hertz", [5_000, 6_500])
def test_what_a_radio_cannot_carry_is_left_out(hertz: int) -> None:
    coder = sound.Encoder()
    packets = coder.encode(tone(hertz, 48_000).astype(np.int16).tobytes())
    assert loudness(decoded(packets)) < 100  # -37 dB at least


def test_a_packet_that_did_not_come_is_filled() -> None:
    encoder = narrowband.Encoder()
    pcm = tone(400, 8_000).tobytes()
    packets = [encoder.encode(pcm[at : at + 320]) for at in range(0, len(pcm), 320)]
    packets[15] = b"\x08"  # as psn.voice.ogg.lost
    assert loudness(decoded(packets)) > 5_000


def test_packets_of_any_length_come_out_as_whole_20_ms() -> None:
    """10 ms and 30 ms, as libopus makes them: what is over waits for the next."""
    decoder = narrowband.Decoder()
    assert [len(decoder.decode(packet)) for packet in opus_of(10, 5)] == [0, 1, 0, 1, 0]
    pieces = [piece for packet in opus_of(60, 2) for piece in decoder.decode(packet)]
    assert [len(piece) for piece in pieces] == [320] * 6
