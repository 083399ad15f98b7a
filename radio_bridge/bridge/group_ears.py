"""Who talks in voice groups of this network, heard so that radios can hear him.

============================  =====================================================================
what happens                  then
============================  =====================================================================
somebody has the floor        he is brought out, unless he is one of the bridge's own radios
speech comes before that      so it is with its first frame
he has the floor no more,     he has ended
or says his last frame
============================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from psn import wire
from psn.client import Client
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.group_mouths import GroupMouths
from radio_bridge.bridge.settings import Talkgroup


class Way(Protocol):
    """Where what is said in a group goes."""

    def begin(self, name: str, urgent: bool, radio: int) -> None:
        """Somebody talks, to be shown under the number of this radio."""

    def say(self, opus: bytes) -> None:
        """A piece of what he says."""

    def end(self) -> None:
        """He has ended."""


class GroupEars:
    """All of them, over one link to the server."""

    def __init__(self, client: Client, mouths: GroupMouths, ours: int) -> None:
        """``ours``: the number under which radios are shown who carries none."""
        self.client = client
        self.ours = ours
        self._mouths = mouths

    def own(self, group: str) -> set[str]:
        """As whom radios of the bridge are heard in a group."""
        return {self._heard_as(keyed.radio) for keyed in self._mouths.of_group(group)}

    def _heard_as(self, radio: wire.Radio) -> str:
        """Also before the server has said so."""
        carried = self.client.radio.plan.radios.get(radio)
        me = self.client.me
        return f"unit:{carried.unit}" if carried else me.me if me else ""

    def number_of(self, who: str, network: int | None, otherwise: int | None = None) -> int:
        """The number in a radio network of who talks: of the radio that his unit carries."""
        if who.startswith("unit:"):
            carried = self.client.radio.plan.radios_of(int(who.partition(":")[2]))
            found = (one.number for one in carried if one.network == network)
            return next(found, otherwise or self.ours)
        return otherwise or self.ours


class GroupEar:
    """Hears one group."""

    def __init__(
        self, of: GroupEars, group: str, way: Way, number_of: Callable[[str], int]
    ) -> None:
        """``number_of``: under which number who talks is shown to radios."""
        self.talker: str | None = None
        """Who is heard on the radio."""
        self._of = of
        self._group = group
        self._way = way
        self._number_of = number_of

    def speech(self, speech: wire.Speech) -> None:
        """A frame of what is said there."""
        if self.talker != speech.talker:
            self._begin(speech.talker, self._of.client.voice.floors.get(self._group))
        self._way.say(speech.opus)
        if speech.last:
            self.quiet()

    def floor(self, floor: wire.Floor) -> None:
        """Who has the floor there."""
        if self.talker not in (None, floor.talker):
            self.quiet()
        if floor.talker is not None and floor.talker not in self._of.own(floor.group):
            self._begin(floor.talker, floor)

    def _begin(self, talker: str, floor: wire.Floor | None) -> None:
        name, urgent = "", False
        if floor is not None and floor.talker == talker:
            name, urgent = floor.talker_name, floor.call == "emergency"
        self.talker = talker
        self._way.begin(name, urgent, self._number_of(talker))

    def quiet(self) -> None:
        """He has ended."""
        if self.talker is not None:
            self.talker = None
            self._way.end()


class ToTalkgroup:
    """The way from a voice group to its talkgroup."""

    def __init__(self, bridge: Bridge, talkgroup: Talkgroup, passed: Callable[[], None]) -> None:
        """``passed``: whether radios hear it may be otherwise now."""
        self._bridge = bridge
        self._talkgroup = talkgroup
        self._passed = passed

    def begin(self, name: str, urgent: bool, radio: int) -> None:
        """Somebody talks."""
        self._bridge.network_keyed(self._talkgroup, name, urgent, radio)

    def say(self, opus: bytes) -> None:
        """A piece of what he says."""
        self._bridge.network_spoke(self._talkgroup, opus)

    def end(self) -> None:
        """He has ended."""
        self._bridge.network_unkeyed(self._talkgroup)
        self._passed()
