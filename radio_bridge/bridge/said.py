"""What whoever is no DMR radio said lately, so that it is known when a loop brings it back. Pure.

Reflectors that are joined in two ways bring packets of Opus back as they were; bursts of DMR are
known again by ``radio_bridge.calls``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.calls.conversations import ECHO_S, Where
from radio_bridge.inside import Opus, Sound

_TELLING: Final = 20
"""Bytes of a packet of Opus that is not only silence, and so is not said twice by chance."""
_MOST_SAID: Final = 2_000


class Said:
    """In all talkgroups."""

    def __init__(self) -> None:
        self._said: dict[Talkgroup, OrderedDict[bytes, tuple[Where, float]]] = {}

    def may_echo(self, talkgroup: Talkgroup, where: Where, now: float) -> bool:
        """Whether somebody else has talked there so lately that it may come back."""
        said = self._said.get(talkgroup)
        if not said:
            return False
        _, until = next(reversed(said.values()))
        return until > now and any(one != where for one, _ in said.values())

    def is_echo(self, talkgroup: Talkgroup, where: Where, sound: Sound, now: float) -> bool:
        """Whether this packet was said there lately, from elsewhere."""
        if not isinstance(sound, Opus) or len(sound.packet) < _TELLING:
            return False
        known = self._said.get(talkgroup, OrderedDict()).get(sound.packet)
        return known is not None and known[0] != where and known[1] > now

    def remember(self, talkgroup: Talkgroup, where: Where, sound: Sound, now: float) -> None:
        """It is said there."""
        if not isinstance(sound, Opus) or len(sound.packet) < _TELLING:
            return
        said = self._said.setdefault(talkgroup, OrderedDict())
        said.pop(sound.packet, None)
        said[sound.packet] = where, now + ECHO_S
        while len(said) > _MOST_SAID or next(iter(said.values()))[1] <= now:
            said.popitem(last=False)
