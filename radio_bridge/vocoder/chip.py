"""A chip: made ready, asked, and found again when it falls silent. Pure.

========  =================================  ==================================================
chip is   what happens                       then
========  =================================  ==================================================
away      :meth:`Chip.open`, or ``PAUSE_S``  a reset is asked for: *asked*
asked     ready                              the rate of each channel is set: *setting*
setting   all rates are set                  :class:`Up`: *ready*
asked,    nothing for ``PATIENCE_S``         *away*
setting   or a rate is refused
ready     speech, or frames                  the channel's talk gets them
ready     asked and silent ``PATIENCE_S``,   :class:`Down`: *away*
          or says that it is ready
========  =================================  ==================================================

A channel decodes one talk and encodes another at a time. Answers have no number: what comes of a
channel is of whoever has it, but not the answers to those that had it before. Who had a side when
the chip went away has it no more, also when the chip is back: each lending has a number of its own.
"""

from __future__ import annotations

import enum
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable
from radio_bridge.vocoder import packets

PATIENCE_S: Final = 1.0
PAUSE_S: Final = 5.0


class State(enum.StrEnum):
    """How far it is."""

    CLOSED = "closed"
    AWAY = "away"
    ASKED = "asked"
    SETTING = "setting"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Send:
    """A datagram."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Up:
    """It can be asked."""


@dataclass(frozen=True, slots=True)
class Down:
    """It cannot be asked any more; who has a side of it gets nothing more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Samples (of decoding), or a frame."""

    side: Side
    content: bytes


@dataclass(frozen=True, slots=True)
class Side:
    """Half of a channel, what decodes or what encodes, while it is lent to a talk."""

    channel: int
    decodes: bool
    lending: int


Out = Send | Up | Down | Answer
_Half = tuple[int, bool]
"""A channel, and whether it is the side that decodes."""


class Chip:
    """One chip, of one channel or several."""

    def __init__(self, channels: int = 1) -> None:
        self._channels = channels
        self._now = 0.0
        self._until: float | None = None
        self._rates = 0
        self._waiting: dict[_Half, int] = {}
        self._stale: dict[_Half, int] = {}
        self._asked_at: float | None = None
        self._lent: dict[_Half, Side] = {}
        self._lendings = itertools.count(1)
        self.state = State.CLOSED
        self.dropped: Counter[str] = Counter()

    def open(self, now: float) -> list[Out]:
        """Make it ready, now and whenever it falls silent."""
        self._now = max(self._now, now)
        self.state, self._until = State.ASKED, self._now + PATIENCE_S
        return [Send(packets.write_reset())]

    def take(self, decodes: bool) -> Side | None:
        """A side for a talk; none: all are in use, or it is not ready."""
        if self.state != State.READY:
            return None
        for channel in range(self._channels):
            half = channel, decodes
            if half not in self._lent:
                side = self._lent[half] = Side(channel, decodes, next(self._lendings))
                return side
        return None

    def is_lent(self, side: Side) -> bool:
        """Whether a talk still has it: not when the chip was away meanwhile."""
        return self._lent.get(_half(side)) == side

    def give_back(self, side: Side) -> None:
        """The talk is over; nothing when it has it no more."""
        if self.is_lent(side):
            half = _half(side)
            del self._lent[half]
            self._stale[half] = self._waiting.get(half, 0)

    def ask(self, side: Side, content: bytes, now: float) -> list[Out]:
        """Decode a frame, or encode 160 samples; ``Unreadable`` for another length."""
        self._now = max(self._now, now)
        if self.state != State.READY or not self.is_lent(side):
            return []
        channel = side.channel if self._channels > 1 else None
        write = packets.write_decode if side.decodes else packets.write_encode
        data = write(content, channel)
        half = _half(side)
        self._waiting[half] = self._waiting.get(half, 0) + 1
        if self._asked_at is None:
            self._asked_at = self._now
        return [Send(data)]

    def receive(self, data: bytes, now: float) -> list[Out]:
        """Take a datagram."""
        self._now = max(self._now, now)
        try:
            packet = packets.read(data)
        except Unreadable as error:
            self.dropped[error.code] += 1
            return []
        match packet:
            case packets.Ready() if self.state == State.ASKED:
                self.state, self._rates = State.SETTING, self._channels
                self._until = self._now + PATIENCE_S
                several = self._channels > 1
                numbers = range(self._channels)
                return [Send(packets.write_rate(n if several else None)) for n in numbers]
            case packets.Ready() if self.state == State.READY:
                return self._lose()
            case packets.RateSet(well) if self.state == State.SETTING:
                return self._rate_set(well)
            case packets.Decoded(channel, samples) if self.state == State.READY:
                return self._answered((channel, True), samples)
            case packets.Encoded(channel, frame) if self.state == State.READY:
                return self._answered((channel, False), frame)
        self.dropped["vocoder.untimely"] += 1
        return []

    def _rate_set(self, well: bool) -> list[Out]:
        if not well:
            self.dropped["vocoder.rate"] += 1
            return self._lose()
        self._rates -= 1
        if self._rates:
            return []
        self.state, self._until = State.READY, None
        self._waiting, self._stale, self._asked_at = {}, {}, None
        return [Up()]

    def _answered(self, half: _Half, content: bytes) -> list[Out]:
        waiting = self._waiting.get(half, 0)
        if not waiting:
            self.dropped["vocoder.untimely"] += 1
            return []
        self._waiting[half] = waiting - 1
        self._asked_at = self._now if any(self._waiting.values()) else None
        if self._stale.get(half):
            self._stale[half] -= 1
            return []
        side = self._lent.get(half)
        return [] if side is None else [Answer(side, content)]

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        if self.state == State.READY:
            return None if self._asked_at is None else self._asked_at + PATIENCE_S
        return self._until

    def pass_time(self, now: float) -> list[Out]:
        """Give up, or ask again, when it is time."""
        self._now = max(self._now, now)
        if self.due is None or self._now < self.due:
            return []
        return self.open(now) if self.state == State.AWAY else self._lose()

    def _lose(self) -> list[Out]:
        was_ready = self.state == State.READY
        self.state, self._until, self._asked_at = State.AWAY, self._now + PAUSE_S, None
        self._lent.clear()
        return [Down()] if was_ready else []


def _half(side: Side) -> _Half:
    return side.channel, side.decodes
