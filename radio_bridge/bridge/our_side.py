"""This network, as the bridge sees it: it knows nothing else of it."""

from __future__ import annotations

from typing import Protocol

from radio_bridge.bridge import talks
from radio_bridge.bridge.data import Told
from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.bridge.speech import Mouth
from radio_bridge.bridge.talks import Talk
from radio_bridge.calls.conversations import Where


class OurSide(Protocol):
    """This network, as the bridge sees it."""

    def mouth(self, talkgroup: Talkgroup, talk: Talk) -> Mouth | None:
        """Brings a talk of a radio to the voice group; none: there is no link."""

    def private_mouth(self, leg: Where, talk: Talk) -> Mouth | None:
        """Brings a radio's talk to the private call in which it is; none: there is no link."""

    def private_began(self, talk: Talk) -> None:
        """A radio talks to another number alone."""

    def told(self, told: Told, site: str) -> None:
        """Something has happened on a radio network."""

    def heard(self, radio_network: str, radio: int, site: str) -> None:
        """A radio talks."""

    def placed(self, out: talks.TalkerPlaced) -> None:
        """A talker's radio says where it is."""

    def passed(self) -> None:
        """A talk goes out somewhere, or no longer."""

    def twice(self, out: talks.RadioTwice) -> None:
        """Two radios have one number."""

    def over(self, talk: Talk) -> None:
        """A talk has ended."""
