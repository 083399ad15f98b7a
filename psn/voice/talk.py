"""One talk as it is recorded: whose, where, and its speech as pages of an Ogg file. Pure.

A talk is what somebody says from the moment he has the floor until he has it no longer. Its file
grows by a part with each :meth:`Talk.part`; parts in order, one behind the other, are the file,
also when the last ones are missing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from psn.voice import ogg
from psn.wire import CallKind, Speech, VoiceGroup
from psn.wire.voice import NUMBERS


class About(NamedTuple):
    """Whose talk it is, in which group, and who was there."""

    group: VoiceGroup
    group_name: str
    talker: str
    talker_name: str
    agency: int
    """The talker's."""
    call: CallKind
    begun: int
    """Milliseconds UTC, by the server's clock."""


class Part(NamedTuple):
    """The next pages of a talk's file, to be kept."""

    id: uuid.UUID
    about: About
    number: int
    """From 0."""
    pages: bytes
    milliseconds: int
    """How long the talk is with it."""
    parties: tuple[str, ...]
    """Of a call: who has been in it while this was said, and may hear it again."""
    ended: int | None
    """Milliseconds UTC; none: it goes on."""


MOST_LOST: Final = 50
"""For so many missing frames at most something stands in their place: a second of 20 ms ones."""


@dataclass(slots=True)
class Talk:
    """A talk that is going on, or has ended and is not kept wholly yet."""

    about: About
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    ended: int | None = None
    parties: set[str] = field(default_factory=set)
    _packets: list[tuple[bytes, int]] = field(default_factory=list)
    _expected: int | None = None
    _parts: int = 0
    _file: ogg.OggOpus | None = None

    def say(self, frame: Speech) -> None:
        """A frame of it, in order; what is missing before it is put in as lost."""
        if self._expected is not None:
            gap = (frame.number - self._expected) % NUMBERS
            self._packets += [(ogg.lost(frame.milliseconds), frame.milliseconds)] * min(
                gap, MOST_LOST
            )
        self._expected = (frame.number + 1) % NUMBERS
        self._packets.append((frame.opus, frame.milliseconds))

    def part(self) -> Part | None:
        """What has been said since the last time; none: nothing to keep."""
        packets, self._packets = self._packets, []
        if not packets and (self.ended is None or self._file is None):
            return None
        head = b""
        if self._file is None:
            self._file = ogg.OggOpus(self.id.int & 0xFFFFFFFF, self._tags())
            head = self._file.head
        pages = head + self._file.pages(packets, last=self.ended is not None)
        number, self._parts = self._parts, self._parts + 1
        milliseconds = self._file.samples // ogg.RATE_MS
        parties = tuple(sorted(self.parties))
        return Part(self.id, self.about, number, pages, milliseconds, parties, self.ended)

    def _tags(self) -> list[tuple[str, str]]:
        """What a player shows (RFC 7845, clause 5.2)."""
        return [("TITLE", self.about.group_name), ("ARTIST", self.about.talker_name)]
