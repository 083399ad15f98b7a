"""How well radios are received."""

from __future__ import annotations

from dataclasses import replace

from radio_bridge.bridge.quality import PERIOD_S, Quality
from radio_bridge.homebrew.packets import BurstPacket, Frame

BURST = BurstPacket(0, 7001, 91, 1, 1, True, Frame.VOICE, 1, 9, bytes(33), 3, 87)


def test_what_is_missing_between_two_bursts() -> None:
    quality = Quality()
    assert quality.percent(0.0) is None
    for sequence in (250, 251, 255, 0, 1):
        quality.hear(replace(BURST, sequence=sequence), 1.0)
    assert quality.percent(1.0) == round(100 * 5 / 8)
    quality.hear(replace(BURST, sequence=200, stream=10), 1.0)  # another talk is no gap
    quality.hear(replace(BURST, sequence=100, slot=2), 1.0)
    quality.hear(replace(BURST, sequence=50), 1.0)  # nor one who counts anew
    assert quality.percent(1.0) == round(100 * 8 / 11)


def test_wrong_bits_and_strength() -> None:
    quality = Quality()
    assert quality.per_thousand(0.0) is quality.signal_dbm is None
    for sequence, wrong in enumerate((0, 3, 6)):
        quality.hear(replace(BURST, sequence=sequence, bit_errors=wrong), 1.0)
    quality.hear(replace(BURST, sequence=3, bit_errors=None, signal=None), 1.0)
    assert (quality.per_thousand(1.0), quality.signal_dbm) == (round(9_000 / 423), -87)


def test_what_is_long_ago_is_forgotten() -> None:
    quality = Quality()
    for at, sequence in enumerate((0, 4)):
        quality.hear(replace(BURST, sequence=sequence), float(at))
    assert quality.percent(PERIOD_S + 1) == round(100 * 2 / 5)
    assert quality.percent(3 * PERIOD_S) is None
    quality.hear(BURST, 0.0)  # a clock that jumps back
    assert quality.percent(0.0) == 100
