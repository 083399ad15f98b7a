"""A vocoder chip: its bytes, and what becomes of a talk when it is away."""

from __future__ import annotations

import asyncio
import struct

import pytest
from ambe import a_chip
from hypothesis import given
from hypothesis import strategies as st
from patience import until

from radio_bridge.unreadable import Unreadable
from radio_bridge.vocoder import packets
from radio_bridge.vocoder.chip import PATIENCE_S, PAUSE_S, Answer, Chip, Down, Send, State, Up
from radio_bridge.vocoder.server import ChipLine

READY = bytes.fromhex("61 0001 00 39")
RATE_SET = bytes.fromhex("61 0002 00 0a 00")
FRAME = bytes(range(9))
SAMPLES = struct.pack("<160h", *range(160))
DECODED = bytes.fromhex("61 0142 02 00 a0") + struct.pack(">160h", *range(160))
ENCODED = bytes.fromhex("61 000b 01 01 48") + FRAME


def ready(channels: int = 1) -> Chip:
    chip = Chip(channels)
    chip.open(1.0)
    chip.receive(READY, 1.0)
    for _ in range(channels):
        chip.receive(RATE_SET, 1.0)
    assert chip.state == State.READY
    return chip


def test_bytes_as_the_chip_has_them() -> None:
    assert packets.write_reset() == bytes.fromhex("61 0001 00 33")
    rate = bytes.fromhex("61 000d 00 0a 0431 0754 2400 0000 0000 6f48")
    assert packets.write_rate(None) == rate
    assert packets.write_decode(FRAME, None) == ENCODED
    assert packets.write_encode(SAMPLES, None) == DECODED
    assert packets.write_decode(FRAME, 2) == bytes.fromhex("61 000c 01 42 01 48") + FRAME
    assert packets.read(DECODED) == packets.Decoded(0, SAMPLES)
    assert packets.read(bytes.fromhex("61 000c 01 41 01 48") + FRAME) == packets.Encoded(1, FRAME)


@given(st.binary(max_size=400) | st.binary(max_size=330).map(lambda b: DECODED[:6] + b))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        packets.read(data)
    except Unreadable as error:
        assert error.code in ("radio.length", "vocoder.mark", "vocoder.frame", "vocoder.speech")


def test_it_is_made_ready_and_asked() -> None:
    chip = Chip()
    assert chip.take(decodes=True) is None
    assert chip.open(1.0) == [Send(packets.write_reset())]
    assert chip.receive(READY, 1.0) == [Send(packets.write_rate(None))]
    assert chip.receive(RATE_SET, 1.1) == [Up()]
    decoder, encoder = chip.take(decodes=True), chip.take(decodes=False)
    assert decoder is not None
    assert encoder is not None
    assert chip.take(decodes=True) is None  # it has one channel
    assert chip.ask(decoder, FRAME, 1.2) == [Send(packets.write_decode(FRAME, None))]
    assert chip.ask(encoder, SAMPLES, 1.2) == [Send(packets.write_encode(SAMPLES, None))]
    assert chip.receive(ENCODED, 1.21) == [Answer(encoder, FRAME)]
    assert chip.receive(DECODED, 1.21) == [Answer(decoder, SAMPLES)]
    assert chip.receive(DECODED, 1.21) == []
    assert chip.dropped == {"vocoder.untimely": 1}
    with pytest.raises(Unreadable):
        chip.ask(decoder, b"short", 1.3)


def test_what_comes_late_is_not_the_next_talks() -> None:
    chip = ready()
    first = chip.take(decodes=True)
    assert first is not None
    chip.ask(first, FRAME, 1.0)
    chip.give_back(first)
    second = chip.take(decodes=True)
    assert second is not None
    assert (second.channel, second.decodes) == (first.channel, first.decodes)
    chip.ask(second, FRAME, 1.0)
    assert chip.receive(DECODED, 1.0) == []
    assert chip.receive(DECODED, 1.0) == [Answer(second, SAMPLES)]


def test_one_that_falls_silent_is_asked_again() -> None:
    chip = ready()
    side = chip.take(decodes=True)
    assert side is not None
    chip.ask(side, FRAME, 10.0)
    assert chip.pass_time(10.0 + PATIENCE_S) == [Down()]
    assert chip.take(decodes=True) is None
    assert chip.ask(side, FRAME, 11.5) == []
    assert chip.pass_time(11.0 + PAUSE_S) == [Send(packets.write_reset())]
    assert chip.pass_time(12.0 + PAUSE_S) == []
    assert chip.state == State.AWAY


def test_one_that_was_switched_off_and_on_or_cannot_do_dmr() -> None:
    chip = ready()
    assert chip.receive(READY, 2.0) == [Down()]
    chip = Chip()
    chip.open(1.0)
    chip.receive(READY, 1.0)
    assert chip.receive(bytes.fromhex("61 0002 00 0a 01"), 1.0) == []
    assert chip.state == State.AWAY
    assert chip.dropped == {"vocoder.rate": 1}


def test_a_chip_of_several_channels() -> None:
    chip = ready(3)
    sides = [chip.take(decodes=True) for _ in range(4)]
    assert [side and (side.channel, side.decodes) for side in sides] == [
        (0, True), (1, True), (2, True), None,
    ]  # fmt: skip


def test_who_had_a_side_before_the_chip_was_away_has_it_no_more() -> None:
    """Nor does he when another talk has it."""
    chip = ready()
    before = chip.take(decodes=True)
    assert before is not None
    chip.receive(READY, 2.0)
    chip.pass_time(2.0 + PAUSE_S)
    chip.receive(READY, 8.0)
    assert chip.receive(RATE_SET, 8.0) == [Up()]
    after = chip.take(decodes=True)
    assert after is not None
    assert chip.ask(before, FRAME, 9.0) == []
    assert not chip.is_lent(before)
    assert chip.receive(DECODED, 9.0) == []  # nobody has asked
    chip.give_back(before)
    assert chip.ask(after, FRAME, 9.1) == [Send(packets.write_decode(FRAME, None))]
    assert chip.receive(DECODED, 9.1) == [Answer(after, SAMPLES)]
    assert chip.take(decodes=True) is None


async def test_that_it_works_and_that_it_does_not_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "radio_bridge.vocoder.server")
    async with a_chip() as (there, port):
        line = ChipLine(Chip(), "127.0.0.1", port)
        running = asyncio.create_task(line.run())
        await until(lambda: line.is_ready)
        # One that says that it is ready has been away.
        there.transport.sendto(READY, line.transport.get_extra_info("sockname"))
        await until(lambda: not line.is_ready)
        running.cancel()
    said = [each.getMessage().partition(f"{port}: ")[2] for each in caplog.records]
    assert said == ["ready", "no answer, or not one for DMR"]
