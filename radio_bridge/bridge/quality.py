"""How well a link's radios are received, over the last minute or two of their calls. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radio_bridge.homebrew.packets import BurstPacket, Frame

PERIOD_S: Final = 60.0
CHECKED_BITS: Final = 141
"""Of a burst of voice, so many are checked."""
_SEQUENCES: Final = 256
_MOST_MISSED: Final = 32
"""A gap that is longer is no loss: the sender counts anew."""


@dataclass(slots=True)
class _Sum:
    """What was counted in one period."""

    came: int = 0
    missed: int = 0
    wrong_bits: int = 0
    measured: int = 0
    """Bursts that said how many bits were wrong."""


class Quality:
    """One link, or one repeater. Figures are none while nothing came to have them of."""

    def __init__(self) -> None:
        self.signal_dbm: int | None = None
        """Of the newest burst that said it."""
        self._last: dict[int, tuple[int, int]] = {}
        self._now, self._before = _Sum(), _Sum()
        self._since: float | None = None

    def hear(self, packet: BurstPacket, now: float) -> None:
        """A burst came."""
        if self._since is None:
            self._since = now
        self._turn(now)
        stream, sequence = self._last.get(packet.slot, (None, 0))
        ahead = (packet.sequence - sequence) % _SEQUENCES
        if stream == packet.stream and 1 < ahead <= _MOST_MISSED:
            self._now.missed += ahead - 1
        self._last[packet.slot] = packet.stream, packet.sequence
        self._now.came += 1
        if packet.frame != Frame.DATA and packet.bit_errors is not None:
            self._now.measured += 1
            self._now.wrong_bits += packet.bit_errors
        if packet.signal:
            self.signal_dbm = -packet.signal

    def _turn(self, now: float) -> None:
        if self._since is None or now < self._since + PERIOD_S:
            return
        is_next = now < self._since + 2 * PERIOD_S
        self._before = self._now if is_next else _Sum()
        self._now, self._since = _Sum(), now

    def percent(self, now: float) -> int | None:
        """Of what should have come, so much came."""
        self._turn(now)
        came = self._now.came + self._before.came
        missed = self._now.missed + self._before.missed
        return round(100 * came / (came + missed)) if came else None

    def per_thousand(self, now: float) -> int | None:
        """Wrong bits of a thousand that were checked."""
        self._turn(now)
        bits = (self._now.measured + self._before.measured) * CHECKED_BITS
        wrong = self._now.wrong_bits + self._before.wrong_bits
        return min(1_000, round(wrong * 1_000 / bits)) if bits else None
