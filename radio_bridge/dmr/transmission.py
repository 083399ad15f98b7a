"""A voice transmission as it goes on the air: header, superframes of six bursts, terminator.

Clause 5.1.2 and 6.1; the alias is embedded in turn with the call (clause 7.1.1 of part 2).
"""

from __future__ import annotations

import itertools
from typing import Final

from radio_bridge.dmr import burst, embedded, link_control, talker_alias
from radio_bridge.dmr.burst import DataBurst, DataType, Embedded, Piece, SlotType, Sync, VoiceBurst
from radio_bridge.dmr.link_control import LinkControl, VoiceCall

SUPERFRAME: Final = 6


class Transmission:
    """Makes the bursts of one talk, in order."""

    def __init__(self, call: VoiceCall, colour_code: int, name: str = "") -> None:
        self._call = call
        self._colour_code = colour_code
        self._place = 0
        self._pieces: list[int] = []
        self.rename(name)

    def rename(self, name: str) -> None:
        """The talker's name, from the next superframe on."""
        parts = talker_alias.write(name) if talker_alias.shown(name) else []
        turns: list[LinkControl] = [self._call]
        for part in parts:
            turns += [part, self._call]
        self._turns = itertools.cycle(turns)

    def header(self) -> bytes:
        """Sent two or three times before the voice."""
        return self._control(DataType.VOICE_HEADER)

    def terminator(self) -> bytes:
        """Sent after the last voice."""
        return self._control(DataType.TERMINATOR)

    def voice(self, frames: int) -> tuple[int, bytes]:
        """The next burst with 216 bits of speech, and its place in the superframe: 0 to 5."""
        place = self._place
        self._place = (place + 1) % SUPERFRAME
        return place, burst.write(VoiceBurst(frames, self._middle(place)))

    def _middle(self, place: int) -> Sync | Embedded:
        if place == 0:
            self._pieces = embedded.pieces(next(self._turns))
            return Sync.BS_VOICE
        if place > embedded.PIECES:
            return Embedded(self._colour_code, Piece.ALONE, 0)
        return Embedded(self._colour_code, embedded.ORDER[place - 1], self._pieces[place - 1])

    def _control(self, kind: DataType) -> bytes:
        info = link_control.to_info(self._call, kind)
        return burst.write(DataBurst(SlotType(self._colour_code, kind), info))
