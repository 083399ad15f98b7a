"""A link of a bridge, whatever its adapter: what it is told, what it tells, how it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from radio_bridge.bridge import settings
from radio_bridge.bridge.speech import Mouth
from radio_bridge.bridge.talks import Talk
from radio_bridge.calls.conversations import Where
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.inside import Opus, Samples


@dataclass(frozen=True, slots=True)
class LinkState:
    """How a link is, for people."""

    name: str
    kind: str
    radio_network: str
    is_up: bool
    why: str = ""
    """In a word, where it is not up; and since then what was there."""
    address: str = ""
    callsign: str = ""
    location: str = ""


class Heard(Protocol):
    """Whoever is told what comes over links."""

    def burst(self, where: Where, packet: BurstPacket) -> None:
        """A burst of DMR."""

    def keyed(self, where: Where, source: int, name: str) -> None:
        """Somebody without DMR begins to talk."""

    def named(self, where: Where, name: str) -> None:
        """Who talks there is known now."""

    def spoke(self, where: Where, sound: Opus | Samples) -> None:
        """A piece of what he says."""

    def unkeyed(self, where: Where) -> None:
        """He has ended."""

    def changed(self, link: str, text: str) -> None:
        """A link, or a repeater, came or went, or was refused something."""


class Link(Protocol):
    """One link of the settings."""

    async def run(self) -> None:
        """Keep it open until cancelled, then close; raises ``OSError`` when it cannot be opened."""

    def mouth(self, where: Where, talk: Talk) -> Mouth | None:
        """A mouth for one of its channels; none: nobody would hear."""

    def send(self, where: Where, packet: BurstPacket) -> None:
        """A burst of data, on a channel of DMR."""

    def change(self, to: settings.Link) -> bool:
        """Go on under other settings; false: that takes a link of its own."""

    def states(self) -> Iterator[LinkState]:
        """How it is, and each of its repeaters or nodes."""

    @property
    def dropped(self) -> Mapping[str, int]:
        """What was not taken, by code."""


class Fixed:
    """A link that only another one replaces, and that carries no data of DMR unless it says so."""

    kind: str

    def __init__(self, of: settings.Link) -> None:
        self._base = of
        self._up = False
        self._why = "never seen"

    def change(self, to: settings.Link) -> bool:
        """Never."""
        return False

    def send(self, where: Where, packet: BurstPacket) -> None:
        """It has no bursts."""

    def states(self) -> Iterator[LinkState]:
        """How it is."""
        of = self._base
        why = "" if self._up else self._why
        yield LinkState(of.name, self.kind, of.radio_network, self._up, why)
