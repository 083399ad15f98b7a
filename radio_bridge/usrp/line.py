"""One line of USRP: who keys on the other side, and our own keying. Pure.

Theory of operation
-------------------
=======  =======================  ==============================================================
line is  what comes               then
=======  =======================  ==============================================================
quiet    speech                   :class:`Keyed`, :class:`Spoke`: *keyed*
quiet    who talks                kept for the talk that begins within ``SAID_S``
keyed    speech                   :class:`Spoke`; a packet that comes late or twice is dropped
keyed    who talks                :class:`Named`
keyed    key is up                :class:`Unkeyed`: *quiet*
keyed    nothing for SILENCE_S    :class:`Unkeyed`, silent: *quiet*
=======  =======================  ==============================================================

Numbers tell what is late and what is missing, and nothing else: some senders begin anew at each
talk, others write them with the bytes turned round. So only steps of less than ``NEAR`` packets
count, and those of a talk that is over tell nothing of the next.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable
from radio_bridge.usrp import packets

SILENCE_S: Final = 0.36
"""A talk of which nothing comes for so long is over, as in DMR."""
SAID_S: Final = 2.0
NEAR: Final = 50
"""A second of packets."""
_NUMBERS: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Keyed:
    """Somebody talks; his radio's number and name where the other side said them."""

    talkgroup: int
    radio: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """Who talks, said while he does."""

    radio: int
    name: str


@dataclass(frozen=True, slots=True)
class Spoke:
    """20 ms of speech, ``missed`` packets after those before."""

    samples: bytes
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Unkeyed:
    """He has ended, or nothing came any more."""

    silent: bool = False


Event = Keyed | Named | Spoke | Unkeyed


class Line:
    """Both directions of one line. ``dropped`` has packets that were not taken, by code."""

    def __init__(self, talkgroup: int = 0) -> None:
        """``talkgroup``: what our own packets say."""
        self._talkgroup = talkgroup
        self._now = 0.0
        self._heard_at: float | None = None
        self._number = 0
        self._said: tuple[packets.Talker, float] | None = None
        self._own = 0
        self._keying = False
        self.dropped: Counter[str] = Counter()

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        return None if self._heard_at is None else self._heard_at + SILENCE_S

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take a datagram of the other side."""
        happened = self.pass_time(now)
        try:
            packet = packets.read(data)
        except Unreadable as error:
            self.dropped[error.code] += 1
            return happened
        match packet:
            case packets.Speech():
                return happened + self._speech(packet)
            case packets.Unkey() if self._heard_at is not None:
                self._heard_at = None
                return [*happened, Unkeyed()]
            case packets.Talker() if self._heard_at is not None:
                return [*happened, Named(packet.radio, packet.name)]
            case packets.Talker():
                self._said = packet, self._now + SAID_S
            case packets.Other():
                self.dropped["usrp.other"] += 1
        return happened

    def _speech(self, packet: packets.Speech) -> list[Event]:
        if self._heard_at is None:
            keyed, missed = self._key(packet), 0
        else:
            keyed, missed = [], (packet.number - self._number) % _NUMBERS
            if _NUMBERS - missed <= NEAR:
                self.dropped["usrp.late"] += 1
                return []
        self._heard_at = self._now
        self._number = (packet.number + 1) % _NUMBERS
        return [*keyed, Spoke(packet.samples, missed if missed < NEAR else 0)]

    def _key(self, packet: packets.Speech) -> list[Event]:
        said, until = self._said or (None, 0.0)
        self._said = None
        if said is None or until < self._now:
            return [Keyed(packet.talkgroup)]
        return [Keyed(packet.talkgroup, said.radio, said.name)]

    def pass_time(self, now: float) -> list[Event]:
        """What has not ended will not; a clock that runs backwards is not followed."""
        self._now = max(self._now, now)
        if self.due is None or self._now < self.due:
            return []
        self._heard_at = None
        return [Unkeyed(silent=True)]

    # -- ours

    def speak(self, samples: bytes) -> bytes:
        """The datagram of 20 ms of ours; raises ``ValueError`` for another length."""
        if len(samples) != packets.SPEECH_BYTES:
            raise ValueError(f"{len(samples)} bytes are no 20 ms of speech")
        self._keying = True
        return packets.write(packets.Speech(self._next(), samples, self._talkgroup))

    def end(self) -> bytes | None:
        """The datagram that ends our talk; none when we do not talk."""
        if not self._keying:
            return None
        self._keying = False
        return packets.write(packets.Unkey(self._next(), self._talkgroup))

    def _next(self) -> int:
        self._own = (self._own + 1) % _NUMBERS
        return self._own
