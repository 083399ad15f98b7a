"""Whoever listens to an exchange, and says when he hears what is not for him, or nothing.

Every piece of speech carries which talk it is of. What is wrong is told apart:

- ``crosstalk``: a channel hears a piece of a talk that is not for it, or hears its own talker;
- ``doubled``: a channel hears two talks at a time, or one where a radio is keyed;
- ``mixed``: a piece is said as another talk's, twice, or after one that came later;
- ``deaf``: a channel that nobody uses does not hear a talk that is for it;
- ``stuck``: somebody who keys in a talkgroup in which nobody is talking is not passed on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Final

from radio_bridge.bridge.talks import Begin, End, Out, Over, Say, Talk
from radio_bridge.calls.conversations import HANG_S, Where
from radio_bridge.calls.transmissions import SILENCE_S
from radio_bridge.inside import Opus, Sound

WRONG: Final = ("crosstalk", "doubled", "mixed", "deaf", "stuck")
NUMBER_BITS: Final = 32
SLACK_S: Final = 0.2
"""What waits for a channel is begun with the next piece that is said."""


@dataclass(slots=True)
class Said:
    """One talk, as whoever talks knows it."""

    number: int
    where: Where
    source: int
    began: float
    for_whom: Set[Where]
    """Channels that may hear it, but that from which it comes."""
    pieces: int = 0
    heard: Counter[Where] = field(default_factory=Counter)


def piece(said: Said) -> int:
    """The next piece of a talk: its number, and that of the piece."""
    said.pieces += 1
    return said.number << NUMBER_BITS | said.pieces


def packet(number: int) -> Opus:
    """The same as a packet of Opus, for who is no DMR radio."""
    return Opus(b"\x78" + number.to_bytes(40))


class Listeners:
    """All channels of an exchange."""

    def __init__(self) -> None:
        self.wrong: Counter[str] = Counter()
        self.heard = 0
        """Pieces, on every channel that heard them."""
        self._said: dict[int, Said] = {}
        self._on: dict[Where, Talk] = {}
        self._used_until: dict[Where, float] = {}
        self._keyed_until: dict[Where, float] = {}
        self._newest: dict[tuple[Where, int], int] = {}

    def talks(self, said: Said) -> None:
        """Somebody begins to talk."""
        self._said[said.number] = said

    def forget(self, said: Said) -> None:
        """Nothing of it comes any more."""
        self._said.pop(said.number, None)
        for where in said.for_whom:
            self._newest.pop((where, said.number), None)

    def keyed(self, where: Where, now: float) -> None:
        """A radio is on a channel."""
        self._keyed_until[where] = now + SILENCE_S
        self._used_until[where] = now + SILENCE_S + HANG_S

    def unkeyed(self, where: Where, now: float) -> None:
        """It has said that it ends."""
        self._keyed_until[where] = now

    def take(self, outs: Iterable[Out], now: float) -> None:
        """What an exchange says is to be done."""
        for out in outs:
            match out:
                case Begin(leg, talk):
                    if leg in self._on or self._keyed_until.get(leg, 0.0) > now:
                        self.wrong["doubled"] += 1
                    self._on[leg] = talk
                case End(leg, talk):
                    if self._on.get(leg) is not talk:
                        self.wrong["doubled"] += 1
                    self._on.pop(leg, None)
                    self._used_until[leg] = max(self._used_until.get(leg, 0.0), now + HANG_S)
                case Say(talk, sound):
                    self._say(talk, sound, now)
                case Over(talk):
                    if talk in self._on.values():
                        self.wrong["doubled"] += 1

    def _say(self, talk: Talk, sound: Sound, now: float) -> None:
        number = _number(sound)
        said = self._said.get(number >> NUMBER_BITS)
        if said is None or said.source != talk.call.identity.source:
            self.wrong["mixed"] += 1
            return
        for leg in talk.legs:
            self.heard += 1
            said.heard[leg] += 1
            if leg not in said.for_whom or leg == talk.call.where:
                self.wrong["crosstalk"] += 1
            if self._newest.get((leg, said.number), 0) >= number:
                self.wrong["mixed"] += 1
            self._newest[leg, said.number] = number
        for where in talk.waiting & said.for_whom:
            if where not in self._on and self._used_until.get(where, 0.0) + SLACK_S < now:
                self.wrong["deaf"] += 1


def _number(sound: Sound) -> int:
    if isinstance(sound, Opus):
        return int.from_bytes(sound.packet[1:])
    assert isinstance(sound, int), "nobody here has samples"
    return sound
