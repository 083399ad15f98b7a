"""Which radios were heard and are there, until this network has been told.

What is not answered is told again. A red button has a place of its own until then: nothing that is
heard of its radio meanwhile comes over it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from psn import wire
from psn.client import Client, ClientRefused
from radio_bridge.bridge.asking import Asking
from radio_bridge.inside import (
    CallAnswered,
    CallWanted,
    Emergency,
    Happening,
    Position,
    Presence,
    Status,
    Text,
    TextArrived,
)

_T = TypeVar("_T")

GONE_S: Final = 2_100.0
"""A radio of which nothing was heard for so long is taken to be switched off."""
ANSWERS_S: Final = 120.0
"""So long before, it is asked whether it is there."""
MOST_RADIOS: Final = 5_000
"""Of so many radios it is kept that they were heard, until it is told."""
_AT_ONCE: Final = 2_000
_WHAT: Final[dict[type[Happening], wire.HeardWhat]] = {
    Text: "text",
    TextArrived: "presence",
    Position: "position",
    Emergency: "emergency",
    Status: "status",
    CallWanted: "presence",
    CallAnswered: "presence",
    Presence: "presence",
}


class Sightings:
    """Of the radios of all networks that the bridge serves."""

    def __init__(
        self,
        client: Client,
        count: Callable[[str], None],
        asking: Asking,
        before: Sightings | None = None,
    ) -> None:
        """``count``: what was forgotten, by code; ``asking``: who asks and answers radios;
        ``before``: its red buttons were not told yet.
        """
        self._client = client
        self._count = count
        self._asking = asking
        self._alarms: dict[wire.Radio, wire.Heard] = before._alarms if before else {}
        """Red buttons that the server has not answered yet."""
        self._heard: dict[wire.Radio, wire.Heard] = {}
        self._twice: dict[wire.Radio, wire.Heard] = {}
        self._seen_at: dict[wire.Radio, float] = {}
        self._doubted: set[wire.Radio] = set()
        """Who was asked whether it is there."""
        self._told_here: set[wire.Radio] = set()
        self._gone: set[wire.Radio] = set()

    def called(self, radio: wire.Radio, site: str) -> None:
        """A radio talks."""
        self._note(radio, "call", site)

    def happened(self, radio: wire.Radio, happening: Happening, site: str) -> bool:
        """A radio says something in data; whether it was heard by that, as by most of it."""
        what = _WHAT.get(type(happening))
        if what is None:
            return False
        lon = lat = None
        if isinstance(happening, Position):
            lon, lat = round(happening.longitude * 1e7), round(happening.latitude * 1e7)
        self._note(radio, what, site, lon, lat)
        return True

    def twice(self, radio: wire.Radio, site: str, other: str) -> None:
        """Two radios have one number."""
        moment = self._client.now_ms()
        heard = wire.Heard(radio.network, radio.number, moment, "call", site[:40], twice=other[:40])
        self._keep(self._twice, radio, heard)

    def is_there(self, radio: wire.Radio) -> bool:
        """Whether it was heard lately, and is not known to be gone."""
        return radio in self._seen_at

    def signed_off(self, radio: wire.Radio) -> None:
        """A radio says that it goes."""
        self._seen_at.pop(radio, None)
        self._go(radio)

    def tell_all_again(self) -> None:
        """The server knows nothing of who is there."""
        self._told_here.clear()

    async def tell(self) -> None:
        """Tell who was heard, and who is there.

        Raises ``ConnectionError``, ``TimeoutError`` and :class:`ClientRefused`; it is kept then.
        """
        await self._tell_heard()
        await self._tell_presence()

    def _note(
        self,
        radio: wire.Radio,
        what: wire.HeardWhat,
        site: str,
        lon: int | None = None,
        lat: int | None = None,
    ) -> None:
        moment = self._client.now_ms()
        heard = wire.Heard(radio.network, radio.number, moment, what, site[:40], lon, lat)
        self._keep(self._alarms if what == "emergency" else self._heard, radio, heard)
        self._keep(self._seen_at, radio, time.monotonic())
        self._gone.discard(radio)
        self._doubted.discard(radio)

    def _keep(self, kept: dict[wire.Radio, _T], radio: wire.Radio, one: _T) -> None:
        """The newest last; of too many the oldest goes."""
        kept.pop(radio, None)
        kept[radio] = one
        if len(kept) > MOST_RADIOS:
            del kept[next(iter(kept))]
            self._count("bridge.radios_forgotten")

    def _go(self, radio: wire.Radio) -> None:
        self._gone.add(radio)
        self._doubted.discard(radio)
        self._asking.switched(radio)

    async def _tell_heard(self) -> None:
        alarms = self._served(self._alarms)
        heard = {one: each for one, each in self._served(self._heard).items() if one not in alarms}
        twice = self._served(self._twice)
        self._heard, self._twice = {}, {}
        if not (alarms or heard or twice):
            return
        try:
            told = [*alarms.values(), *heard.values(), *twice.values()]
            await self._client.radio.heard(told)
        except (ConnectionError, TimeoutError, ClientRefused):
            self._heard, self._twice = heard | self._heard, twice | self._twice
            raise
        for radio, alarm in alarms.items():
            if self._alarms.get(radio) is alarm:
                del self._alarms[radio]
            if radio not in self._client.radio.plan.radios:  # else when its unit's is pressed
                self._asking.alarm_taken(radio)

    def _served(self, told: Mapping[wire.Radio, _T]) -> dict[wire.Radio, _T]:
        """But what is of networks that are not served any more: all would be refused with it."""
        served = self._client.radio.plan.networks
        return {radio: one for radio, one in told.items() if radio.network in served}

    async def _tell_presence(self) -> None:
        silent = time.monotonic() - GONE_S
        for radio in [one for one, at in self._seen_at.items() if at < silent + ANSWERS_S]:
            if radio not in self._doubted:
                self._doubted.add(radio)
                self._asking.is_there(radio)
        for radio in [one for one, at in self._seen_at.items() if at < silent]:
            del self._seen_at[radio]
            self._go(radio)
        served = self._client.radio.plan.networks
        new = self._seen_at.keys() - self._told_here
        here = [radio for radio in new if radio.network in served]
        gone, self._gone = [radio for radio in self._gone if radio.network in served], set()
        try:
            for at in range(0, max(len(here), len(gone)), _AT_ONCE):
                until = at + _AT_ONCE
                await self._client.radio.presence(here[at:until], gone[at:until])
        except (ConnectionError, TimeoutError, ClientRefused):
            self._gone |= set(gone) - self._seen_at.keys()
            raise
        self._told_here |= set(here)
        self._told_here -= set(gone)
