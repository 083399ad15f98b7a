"""A voice group as it is now: who is in it, whose the floor is, what is recorded of it."""

from __future__ import annotations

import asyncio
from itertools import chain

from psn.access import Principal
from psn.sessions import Session
from psn.voice.floor import Call, Floor
from psn.voice.floor import Talk as Floored
from psn.voice.talk import Talk
from psn.wire import Radio, Reached, VoiceGroup


class Party:
    """One session in one group, or a radio that has keyed, for which a gateway's session talks."""

    __slots__ = ("_speaker", "key", "last", "radio", "reach", "session", "talk", "told_wrong")

    def __init__(
        self,
        session: Session,
        number: int,
        speaker: Principal | None = None,
        radio: Radio | None = None,
    ) -> None:
        """``speaker``: as whom it is heard; none: as whose session it is."""
        self.session = session
        self._speaker = speaker
        self.radio = radio
        self.key = f"{self.speaker.address}/{number}"
        """Its name at the floor."""
        self.talk: Floored | None = None
        """What the floor calls the talk that it was granted last."""
        self.last: int | None = None
        """Number of the newest frame of its present talk."""
        self.told_wrong = False
        """Whether it was told already, for this talk, that its frames are not passed on."""

        self.reach: Reached = "heard"
        """Of a radio gateway: how what is said here reaches its radios, as it said last."""

    @property
    def speaker(self) -> Principal:
        """As whom it is heard."""
        return self._speaker or self.session.principal


class Net:
    """One floor, and the groups that have it: most often one."""

    __slots__ = ("floor", "groups", "timer")

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.groups: list[Group] = []
        self.timer: asyncio.TimerHandle | None = None

    def find(self, key: str) -> tuple[Group, Party] | None:
        """Who goes by that name at the floor, and where; none: he is gone."""
        for group in self.groups:
            for party in chain(group.parties.values(), group.keyed.values()):
                if party.key == key:
                    return group, party
        return None

    def quiet(self) -> None:
        """Nothing comes about by itself any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Group:
    """One voice group as it is now."""

    __slots__ = (
        "keyed",
        "net",
        "of",
        "parties",
        "radios",
        "reach",
        "recorded",
        "recording",
        "taking_part",
    )

    def __init__(self, of: VoiceGroup, net: Net) -> None:
        self.of = of
        self.net = net
        net.groups.append(self)
        self.parties: dict[Session, Party] = {}
        self.keyed: dict[tuple[Session, Radio], Party] = {}
        """Radios that are keyed, by gateway (``psn.voice.keying``)."""
        self.radios: dict[tuple[Session, Radio], str] = {}
        """Of a call: radios that are in it, and the unit that is there by each."""
        self.recorded: tuple[Floored, Call] | None = None
        """What the floor calls the talk that is recorded, and what kind of call it is."""
        self.recording: Talk | None = None
        """Of who talks and is heard here."""
        self.reach: Reached = "heard"
        """How what is said here reaches radios (``psn.voice.reaching``)."""
        self.taking_part: frozenset[int] | None = None
        """Of an incident's: the agencies that took part when rights were looked at last."""

    @property
    def present(self) -> frozenset[str]:
        """Who is in it, by addresses: of a gateway, the units for whose radios it is."""
        own = (s.principal for s in self.parties)
        return frozenset(who.address for who in own if not who.networks) | {*self.radios.values()}

    @property
    def floor(self) -> Floor:
        """Who may talk in it."""
        return self.net.floor
