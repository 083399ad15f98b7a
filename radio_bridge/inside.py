"""What the bridge knows of any radio network: sound, texts, places, buttons, presence.

Numbers are those of the radio network; its name belongs to the adapter that tells. Nothing here is
of a protocol (docs/radio.md, "The clean inside").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Opus:
    """A packet of Opus."""

    packet: bytes


@dataclass(frozen=True, slots=True)
class Samples:
    """20 ms at 8 kHz: 160 samples of 16 bits, signed, little-endian."""

    pcm: bytes


Sound = int | Opus | Samples
"""A piece of speech. A number: three frames of AMBE+2 with their error correction, 216 bits as they
are on the air, 60 ms."""


@dataclass(frozen=True, slots=True)
class Text:
    """A radio sends words to a radio or a group."""

    source: int
    target: int
    group: bool
    text: str
    number: int | None = None
    """By which its sender knows it, to be told that it has arrived; none where there is none."""
    answer_wanted: bool = False


@dataclass(frozen=True, slots=True)
class TextArrived:
    """A radio has got the text of this number from another."""

    source: int
    target: int
    number: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a radio says that it is: degrees, metres, metres per second."""

    source: int
    longitude: float
    latitude: float
    error_m: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    time: datetime | None = None
    """By its own clock."""
    age_s: int | None = None
    """At most so old."""


@dataclass(frozen=True, slots=True)
class NoPosition:
    """A radio was asked where it is, and says that it cannot tell: the code is its maker's."""

    source: int
    code: int


@dataclass(frozen=True, slots=True)
class Emergency:
    """Somebody has pressed the red button; to a talkgroup."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Status:
    """A radio sends a number that both sides know the meaning of."""

    source: int
    target: int
    group: bool
    number: int


@dataclass(frozen=True, slots=True)
class Presence:
    """A radio is there, or has said that it goes."""

    source: int
    here: bool
    answers: int | None = None
    """The number that is to say that it was heard; none: nobody."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A radio asks whether another is there."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Alert:
    """A radio wants another to call back."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class CallWanted:
    """A radio asks whether another is there, before it talks to it alone."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """A radio that was asked so answers."""

    source: int
    target: int
    may: bool
    """Whether it takes the call."""


Happening = (
    Text
    | TextArrived
    | Position
    | NoPosition
    | Emergency
    | Status
    | Presence
    | Checked
    | Alert
    | CallWanted
    | CallAnswered
)
