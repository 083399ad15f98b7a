"""How a bridge is, as this network is told: sites, calls, what was refused, who has no voice."""

from __future__ import annotations

import time
from collections.abc import Callable

from psn import wire
from radio_bridge.bridge.bridge import CODED, Bridge
from radio_bridge.bridge.exchange import PATCH
from radio_bridge.bridge.link import LinkState

State = tuple[list[wire.RadioSite], list[wire.RadioCall], dict[str, int], list[int]]


class Reporter:
    """What is told of a bridge."""

    def __init__(self, bridge: Bridge, number_of: Callable[[str], int | None]) -> None:
        """``number_of``: this network's number of a radio network; none: it does not know it."""
        self._bridge = bridge
        self._number_of = number_of
        self._since: dict[str, tuple[bool, int]] = {}

    def state(self, loop_now: float) -> State:
        """How it is now."""
        return self._sites(loop_now), self._calls(loop_now), self._refusals(), self._voiceless()

    def _sites(self, loop_now: float) -> list[wire.RadioSite]:
        sites: list[wire.RadioSite] = []
        for one in self._bridge.states()[:100]:
            network = self._number_of(one.radio_network)
            if network is not None:
                sites.append(self._site(network, one, loop_now))
        return sites

    def _site(self, network: int, one: LinkState, loop_now: float) -> wire.RadioSite:
        up, since = self._since.get(one.name, (None, 0))
        if up is not one.is_up:
            since = _ms(time.time())
            self._since[one.name] = one.is_up, since
        quality = self._bridge.quality.get(one.name)
        return wire.RadioSite(
            network=network,
            # Calls, and who was heard, name the link; what people call the place stands beside it.
            name=(f"{one.name} {one.location}" if one.location else one.name)[:40],
            link=one.kind,
            up=one.is_up,
            since=since,
            quality=quality.percent(loop_now) if quality else None,
            errors=quality.per_thousand(loop_now) if quality else None,
            rssi=max(-200, quality.signal_dbm) if quality and quality.signal_dbm else None,
        )

    def _calls(self, loop_now: float) -> list[wire.RadioCall]:
        calls: list[wire.RadioCall] = []
        for talk in self._bridge.exchange.talks[:200]:
            network, identity = self._number_of(talk.radio_network), talk.call.identity
            if network is None or talk.call.where[0].startswith(PATCH):
                continue
            ours = self._bridge.exchange.network_of(talk.call.where) is None
            calls.append(
                wire.RadioCall(
                    network=network,
                    radio=None if ours else identity.source,
                    since=_ms(time.time() - (loop_now - talk.began)),
                    talkgroup=identity.target if identity.group else None,
                    to=None if identity.group else identity.target,
                    site=talk.call.where[0][:40],
                    call="emergency" if talk.call.service.emergency else "normal",
                )
            )
        return calls

    def _refusals(self) -> dict[str, int]:
        counted = self._bridge.refusals().most_common(100)
        return {code.replace(".", "_")[:40]: count for code, count in counted}

    def _voiceless(self) -> list[int]:
        if self._bridge.has_vocoder:
            return []
        links = self._bridge.settings.links.values()
        names = {link.radio_network for link in links if isinstance(link, CODED)}
        found = {self._number_of(name) for name in names}
        return sorted(one for one in found if one is not None)


def _ms(utc: float) -> int:
    return round(utc * 1_000)
