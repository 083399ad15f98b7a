"""A voice group as it is now: who is in it, whose the floor is, what is recorded of it."""

from __future__ import annotations

import asyncio

from psn.sessions import Session
from psn.voice.floor import Call, Floor
from psn.voice.floor import Talk as Floored
from psn.voice.talk import Talk
from psn.wire import VoiceGroup


class Party:
    """One session in one group."""

    __slots__ = ("key", "last", "session", "told_wrong")

    def __init__(self, session: Session, number: int) -> None:
        self.session = session
        self.key = f"{session.principal.address}/{number}"
        """Its name at the floor."""
        self.last: int | None = None
        """Number of the newest frame of its present talk."""
        self.told_wrong = False
        """Whether it was told already, for this talk, that its frames are not passed on."""


class Group:
    """One voice group as it is now."""

    __slots__ = ("floor", "of", "parties", "recorded", "recording", "taking_part", "timer")

    def __init__(self, of: VoiceGroup, floor: Floor) -> None:
        self.of = of
        self.floor = floor
        self.parties: dict[Session, Party] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.recorded: tuple[Floored, Call] | None = None
        """What the floor calls the talk that is recorded, and what kind of call it is."""
        self.recording: Talk | None = None
        self.taking_part: frozenset[int] | None = None
        """Of an incident's: the agencies that took part when rights were looked at last."""

    def party(self, key: str) -> Party | None:
        """Who goes by that name at the floor; none: he is gone."""
        return next((party for party in self.parties.values() if party.key == key), None)
