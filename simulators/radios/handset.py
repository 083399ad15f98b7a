"""What a radio and its user do in private calls: it answers when asked, he talks back. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from radio_bridge.dmr import burst, control_block
from radio_bridge.dmr.burst import DataType
from radio_bridge.dmr.control_block import (
    DENY,
    PROCEED,
    UnitVoiceAnswer,
    UnitVoiceRequest,
)
from radio_bridge.homebrew import stream
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.unreadable import Unreadable
from simulators.radios.repeater import talk

WORDS: Final = 20
"""Bursts of 60 ms that its user says back."""


class Handset:
    """One radio in private calls."""

    def __init__(
        self,
        number: int,
        streams: Iterator[int],
        words: Iterator[int],
        takes: bool = True,
        says: int = WORDS,
    ) -> None:
        """``words``: what its user says, 216 bits each, ``says`` of them each time; ``takes``: he
        takes calls.
        """
        self.number = number
        self.heard: list[tuple[int, int]] = []
        """What was said to it alone: by whom, and 216 bits."""
        self.denied: list[int] = []
        """Numbers that it may not call, or where nobody answers."""
        self.may: list[int] = []
        """Numbers that it may, as it was answered."""
        self._streams = streams
        self._words = words
        self._takes = takes
        self._says = says
        self._ended: int | None = None
        self._called: set[int] = set()
        """Numbers of whom an answer is waited for."""

    def hear(self, packet: BurstPacket) -> list[BurstPacket]:
        """A burst of its channel, and what it sends thereupon."""
        if packet.group or packet.target != self.number:
            return []
        if packet.frame != Frame.DATA:
            self.heard.append((packet.source, burst.voice_bits(packet.burst)))
            return []
        match packet.kind:
            case DataType.CONTROL_BLOCK:
                return self._asked(packet)
            case DataType.TERMINATOR if packet.stream != self._ended and self._takes:
                self._ended = packet.stream
                if packet.source not in self._called:
                    return self._talk(packet.source, packet.slot)
                self._called.discard(packet.source)  # that was the answer
        return []

    def call(self, number: int, slot: int) -> list[BurstPacket]:
        """Talk to a number alone, and be content with what is said back."""
        self._called.add(number)
        return self._talk(number, slot)

    def _talk(self, number: int, slot: int) -> list[BurstPacket]:
        words = itertools.islice(self._words, self._says)
        return talk(self.number, number, slot, next(self._streams), words, group=False)

    def ask(self, number: int, slot: int) -> list[BurstPacket]:
        """Ask whether somebody is there (OACSU)."""
        block = UnitVoiceRequest(self.number, number)
        return stream.control(block, slot, next(self._streams), 1)

    def _asked(self, packet: BurstPacket) -> list[BurstPacket]:
        try:
            block = control_block.from_info(burst.read_data(packet.burst).info)
        except Unreadable:
            return []
        if isinstance(block, UnitVoiceAnswer):
            (self.may if block.answer == PROCEED else self.denied).append(block.source)
        if not isinstance(block, UnitVoiceRequest):
            return []
        answer = UnitVoiceAnswer(self.number, block.source, PROCEED if self._takes else DENY)
        return stream.control(answer, packet.slot, next(self._streams), 1)
