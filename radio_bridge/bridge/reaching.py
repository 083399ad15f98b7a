"""How what is said in voice groups of this network reaches radios, and that it is told.

=============  ===================================================================================
it is          when
=============  ===================================================================================
``lost``       no link that carries the talkgroup is up
``voiceless``  those that are need a vocoder, and there is none, or none free for who talks
``busy``       somebody talks, and is heard on none of their channels: a radio has the talkgroup,
               or others have the channels
``partly``     somebody talks, and some channels have been taken for longer than a moment
``heard``      otherwise, though the link of some site may be away or need a vocoder
=============  ===================================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Set
from typing import Final

from psn import wire
from psn.client import Client
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.exchange import NETWORK
from radio_bridge.bridge.private_calls import PrivateCalls
from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.calls.conversations import Where

PARTLY_S: Final = 1.0
"""Some site does not hear who talks for so long, and it is told."""


class Reaching:
    """Of all groups that the bridge is in."""

    def __init__(
        self,
        bridge: Bridge,
        client: Client,
        groups: Mapping[Talkgroup, str],
        calls: PrivateCalls,
    ) -> None:
        """``groups``: the voice group of each talkgroup that is joined with one now; ``calls``:
        those in which radios are.
        """
        self._calls = calls
        self._bridge = bridge
        self._client = client
        self._groups = groups
        self._told: dict[str, wire.Reached] = {}
        self._partly: dict[str, float] = {}
        """Since when some sites do not hear who talks in a group."""
        self._telling = asyncio.Lock()

    def tell_all_again(self) -> None:
        """The server knows nothing of it."""
        self._told.clear()

    async def tell(self) -> None:
        """Tell what is otherwise than it was told last.

        Raises ``ConnectionError``, ``TimeoutError`` and :class:`psn.client.ClientRefused`.
        """
        async with self._telling:
            up = {state.name for state in self._bridge.states() if state.is_up}
            now: dict[str, wire.Reached]
            now = {group: self._of_talkgroup(one, up) for one, group in self._groups.items()}
            now |= {
                call.group: self._of(call.where, call.channels(self._bridge), up)
                for call in self._calls.all
            }
            self._calm(now)
            self._told = {group: each for group, each in self._told.items() if group in now}
            told = self._told
            news = {group: each for group, each in now.items() if told.get(group, "heard") != each}
            if news:
                await self._client.radio.reach(news)
                told.update(news)

    def _calm(self, now: dict[str, wire.Reached]) -> None:
        """Nothing is said of a site that hears a moment later: an answer is waited for there."""
        at = asyncio.get_running_loop().time()
        partly = [group for group, each in now.items() if each == "partly"]
        self._partly = {group: self._partly.get(group, at) for group in partly}
        for group, since in self._partly.items():
            if at < since + PARTLY_S:
                now[group] = "heard"

    def _of_talkgroup(self, talkgroup: Talkgroup, up: Set[str]) -> wire.Reached:
        where = NETWORK + talkgroup[0], talkgroup[1]
        return self._of(where, self._bridge.exchange.channels(talkgroup, where), up)

    def _of(self, where: Where, all_of_them: Iterable[Where], up: Set[str]) -> wire.Reached:
        """Of who talks on a channel of this network, to these on links."""
        channels = {one for one in all_of_them if one[0] in up}
        if not channels:
            return "lost"
        legs = self._bridge.exchange.legs_of(where)
        if not self._bridge.has_vocoder or self._bridge.is_mute(where):
            channels = {one for one in channels if not self._bridge.is_coded(one)}
        if not channels:
            return "voiceless"
        if legs is None or legs >= channels:
            return "heard"
        return "partly" if legs & channels else "busy"
