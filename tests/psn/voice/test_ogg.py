"""Ogg files of Opus: read by a reader that is not ours, and page by page against the RFC."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.voice import ogg
from psn.voice.ogg import OggOpus


def packets(seconds: float) -> list[bytes]:
    """A tone of 440 Hz as Opus packets of 20 ms."""
    coder = av.CodecContext.create("libopus", "w")
    coder.sample_rate, coder.layout, coder.format = 48_000, "mono", "s16"
    coder.bit_rate = 24_000
    at = np.arange(round(seconds * 48_000))
    tone = (np.sin(2 * np.pi * 440 * at / 48_000) * 8_000).astype(np.int16)
    made: list[bytes] = []
    for start in range(0, len(tone), 960):
        frame = av.AudioFrame.from_ndarray(
            tone[None, start : start + 960], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 48_000, start
        made += [bytes(packet) for packet in coder.encode(frame)]
    return made


def heard(file: bytes) -> np.ndarray:
    with av.open(io.BytesIO(file), "r") as container:
        return np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])


def test_a_player_hears_the_tone_also_when_the_end_is_missing() -> None:
    tone = [(packet, 20) for packet in packets(2)]
    file = OggOpus(7, [("TITLE", "JOC"), ("ARTIST", "Constable Pérez")])
    parts = [file.head + file.pages(tone[:40]), file.pages(tone[40:]), file.pages([], last=True)]
    with av.open(io.BytesIO(b"".join(parts)), "r") as container:
        (stream,) = container.streams.audio
        assert stream.metadata == {"TITLE": "JOC", "ARTIST": "Constable Pérez"}
        assert (stream.codec_context.sample_rate, stream.layout.name) == (48_000, "mono")
    whole, begun = heard(b"".join(parts)), heard(parts[0])
    assert len(whole) == pytest.approx(96_000, abs=ogg.PRE_SKIP)
    assert len(begun) == pytest.approx(38_400, abs=ogg.PRE_SKIP)
    spectrum = np.abs(np.fft.rfft(whole[:48_000]))
    assert np.argmax(spectrum) == pytest.approx(440, abs=1)


@pytest.mark.parametrize("milliseconds", [20, 40, 60])
def test_what_did_not_come_takes_its_time_all_the_same(milliseconds: int) -> None:
    tone = [(packet, 20) for packet in packets(1)]
    file = OggOpus(7, [])
    hole = [(ogg.lost(milliseconds), milliseconds)] * 5
    sound = heard(file.head + file.pages([*tone[:25], *hole, *tone[25:]], last=True))
    assert len(sound) == pytest.approx(48_000 + 5 * milliseconds * 48, abs=ogg.PRE_SKIP)


def test_a_flipped_bit_is_noticed() -> None:
    file = OggOpus(7, [])
    good = file.head + file.pages([(packet, 20) for packet in packets(1)], last=True)
    assert [page["ok"] for page in pages(good)] == [True] * 3
    bad = bytearray(good)
    bad[-3] ^= 4
    assert [page["ok"] for page in pages(bytes(bad))] == [True, True, False]


@given(
    st.lists(
        st.lists(
            st.tuples(st.binary(min_size=1, max_size=1_276), st.sampled_from([20, 40, 60])),
            max_size=80,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_pages_are_what_the_standard_says(parts: list[list[tuple[bytes, int]]]) -> None:
    """RFC 3533, clause 6; RFC 7845, clauses 3 to 5."""
    file = OggOpus(0xFFFFFFFF, [("TITLE", "x")])
    end = len(parts) - 1
    data = file.head + b"".join(file.pages(each, last=n == end) for n, each in enumerate(parts))
    found = list(pages(data))
    assert all(page["ok"] for page in found)
    assert [page["number"] for page in found] == list(range(len(found)))
    assert [page["kind"] for page in found] == [2, *[0] * (len(found) - 2), 4]
    read = [packet for page in found for packet in page["packets"]]
    assert read[0].startswith(b"OpusHead") and read[1].startswith(b"OpusTags")
    assert read[2:] == [packet for part in parts for packet, _ in part]
    played = sum(milliseconds for part in parts for _, milliseconds in part)
    assert found[-1]["position"] == played * 48 + ogg.PRE_SKIP
    assert file.samples == played * 48
    positions = [page["position"] for page in found]
    assert positions == sorted(positions)


def pages(data: bytes) -> Iterator[dict[str, Any]]:
    """Pages, read the slow and plain way."""
    while data:
        magic, version, kind, position, serial, number, said, count = struct.unpack_from(
            "<4sBBqIIIB", data
        )
        assert (magic, version, serial) in ((b"OggS", 0, 7), (b"OggS", 0, 0xFFFFFFFF))
        lacing, at = data[27 : 27 + count], 27 + count
        found, packet = [], b""
        for length in lacing:
            packet += data[at : at + length]
            at += length
            if length < 255:
                found.append(packet)
                packet = b""
        assert packet == b"", "no packet goes on in another page"
        whole = data[:22] + bytes(4) + data[26:at]
        yield {
            "kind": kind, "position": position, "number": number,
            "ok": checksum(whole) == said, "packets": found,
        }  # fmt: skip
        data = data[at:]


def checksum(data: bytes) -> int:
    """Bit by bit, as RFC 3533 says it."""
    rest = 0
    for byte in data:
        rest ^= byte << 24
        for _ in range(8):
            rest = (rest << 1) ^ (0x104C11DB7 if rest & 0x80000000 else 0)
    return rest
