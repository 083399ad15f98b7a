"""Packets of Opus taken apart and joined: libopus finds in them what was in them before."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.client import sound
from radio_bridge import opus
from radio_bridge.opus import Frames, Reframer
from radio_bridge.unreadable import Unreadable

RATE = 48_000
frames = st.binary(max_size=300)


def packets(milliseconds: float, count: int, application: str = "audio") -> list[bytes]:
    """A tone in packets of so many milliseconds each, as libopus makes them."""
    coder = av.CodecContext.create("libopus", "w")
    coder.sample_rate, coder.layout, coder.format = RATE, "mono", "s16"
    coder.options = {"frame_duration": str(milliseconds), "application": application}
    size = round(RATE * milliseconds / 1000)
    at = np.arange(size * count) / RATE
    tone = (np.sin(2 * np.pi * 440 * at) * 12_000).astype(np.int16)
    made: list[bytes] = []
    for number in range(count):
        part = tone[number * size : (number + 1) * size].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, number * size
        made += [bytes(packet) for packet in coder.encode(frame)]
    return made[:count]


def heard(speech: list[bytes]) -> np.ndarray:
    coder = sound.Decoder()
    return np.frombuffer(b"".join(coder.decode(one) for one in speech), np.int16)


@pytest.mark.parametrize("application", ["audio", "voip", "lowdelay"])
@pytest.mark.parametrize("milliseconds", [2.5, 5, 10, 20, 40, 60])
def test_what_is_reframed_sounds_the_same(milliseconds: float, application: str) -> None:
    made = packets(milliseconds, 48, application)
    reframer = Reframer()
    again = [piece for packet in made for piece in reframer.take(packet)] + reframer.end()
    assert {length for _, length in again} <= {20, 40, 60}
    assert sum(length for _, length in again) == 48 * milliseconds
    assert (heard([packet for packet, _ in again]) == heard(made)).all()
    if milliseconds in opus.RELAYED_MS:
        assert [packet for packet, _ in again] == made


def test_long_packets_are_divided_at_their_frames() -> None:
    short = [opus.read(packet) for packet in packets(20, 48)]
    assert len({one.kind for one in short}) == 1
    whole = [
        opus.write(
            Frames(short[0].kind, tuple(f for one in short[at : at + 6] for f in one.frames))
        )
        for at in range(0, 48, 6)
    ]
    reframer = Reframer()
    again = [piece for packet in whole for piece in reframer.take(packet)]
    assert again == [(opus.write(one), 20) for one in short]
    assert (heard(whole) == heard([packet for packet, _ in again])).all()


def test_a_rest_is_filled_up_and_another_coding_begins_a_new_packet() -> None:
    ten = bytes([30 << 3]) + b"tenms"  # CELT, 10 ms
    five = bytes([29 << 3]) + b"five"  # CELT, 5 ms
    reframer = Reframer()
    assert reframer.take(ten) == []
    (filled,) = reframer.take(five)
    assert opus.read(filled[0]).frames == (b"tenms", b"")
    assert filled[1] == 20
    (last,) = reframer.end()
    assert opus.read(last[0]).frames == (b"five", b"", b"", b"")
    assert reframer.end() == []


def test_a_whole_packet_does_not_overtake_a_rest() -> None:
    ten = bytes([30 << 3])  # CELT, 10 ms
    reframer = Reframer()
    assert reframer.take(ten + b"a") == []
    out = reframer.take(opus.write(Frames(30 << 3, (b"b", b"c")))) + reframer.end()
    assert [opus.read(packet).frames for packet, _ in out] == [(b"a", b"b"), (b"c", b"")]


@given(st.sampled_from([18 << 3, 29 << 3, 1 << 3]), st.lists(frames, min_size=1, max_size=2))
def test_few_frames_come_back(kind: int, content: list[bytes]) -> None:
    assert opus.read(opus.write(Frames(kind, tuple(content)))) == Frames(kind, tuple(content))


@given(st.lists(frames, min_size=1, max_size=48))
def test_many_frames_come_back(content: list[bytes]) -> None:
    whole = Frames(16 << 3, tuple(content))
    assert opus.read(opus.write(whole)) == whole


@given(st.integers(1, 48), frames, st.integers(0, 1_000))
def test_padding_is_left_out(count: int, frame: bytes, padding: int) -> None:
    said = b"\xff" * (padding // 254) + bytes([padding % 254])
    packet = bytes([16 << 3 | 3, 0x40 | count]) + said + frame * count + bytes(padding)
    assert opus.read(packet).frames == (frame,) * count


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(packet: bytes) -> None:
    reframer = Reframer()
    try:
        out = reframer.take(packet) + reframer.end()
    except Unreadable as error:
        assert error.code in ("radio.opus", "radio.length")
    else:
        assert all(
            length in opus.RELAYED_MS and 0 < len(one) <= opus.MOST_BYTES for one, length in out
        )
