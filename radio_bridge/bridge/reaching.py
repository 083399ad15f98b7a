"""How what is said in voice groups of this network reaches radios, and that it is told.

=============  ===================================================================================
it is          when
=============  ===================================================================================
``lost``       no link that carries the talkgroup is up
``voiceless``  those that are need a vocoder, and there is none, or none free for who talks
``busy``       somebody talks, and is heard on none of their channels: a radio has the talkgroup,
               or others have the channels
``heard``      otherwise: one site hears it at least
=============  ===================================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Set
from typing import Final

from psn import wire
from psn.client import Client
from radio_bridge.bridge import settings
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.exchange import NETWORK
from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.calls.conversations import Where

CODED: Final = (settings.Master, settings.Peer, settings.OpenBridge)
"""Links over which speech goes in a vocoder's frames."""


class Reaching:
    """Of all groups that the bridge is in."""

    def __init__(self, bridge: Bridge, client: Client, groups: Mapping[Talkgroup, str]) -> None:
        """``groups``: the voice group of each talkgroup that is joined with one now."""
        self._bridge = bridge
        self._client = client
        self._groups = groups
        self._told: dict[str, wire.Reached] = {}
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
            now = {group: self._of(talkgroup, up) for talkgroup, group in self._groups.items()}
            self._told = {group: each for group, each in self._told.items() if group in now}
            told = self._told
            news = {group: each for group, each in now.items() if told.get(group, "heard") != each}
            if news:
                await self._client.radio.reach(news)
                told.update(news)

    def _of(self, talkgroup: Talkgroup, up: Set[str]) -> wire.Reached:
        exchange = self._bridge.exchange
        where = NETWORK + talkgroup[0], talkgroup[1]
        channels = {one for one in exchange.channels(talkgroup, where) if one[0] in up}
        if not channels:
            return "lost"
        legs = exchange.legs_of(where)
        if all(self._is_coded(one) for one in channels) and (
            not self._bridge.has_vocoder or self._bridge.is_mute(where)
        ):
            return "voiceless"
        return "busy" if legs is not None and not legs & channels else "heard"

    def _is_coded(self, where: Where) -> bool:
        link = self._bridge.settings.links.get(where[0].partition("/")[0])
        return isinstance(link, CODED)
