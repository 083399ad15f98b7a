"""Links of DMR: repeaters that sign in here, a master where we do, a master beside us."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from radio_bridge.bridge import settings
from radio_bridge.bridge.link import Fixed, Heard, LinkState
from radio_bridge.bridge.mouths import DmrMouth
from radio_bridge.bridge.speech import Mouth
from radio_bridge.bridge.talks import Talk
from radio_bridge.calls.conversations import Where
from radio_bridge.homebrew import master, peer
from radio_bridge.homebrew.configuration import Configuration
from radio_bridge.homebrew.master import Master
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.homebrew.peer import Peer
from radio_bridge.homebrew.sockets import (
    MasterDoor,
    MasterEvent,
    OpenBridgeLine,
    PeerEvent,
    PeerLine,
)

_MOST_HOSTS: Final = 1_000


class MasterLink:
    """Where repeaters sign in."""

    def __init__(self, of: settings.Master, heard: Heard) -> None:
        self._of = of
        self._heard = heard
        self._side = Master(_secrets(of), secrets.token_bytes(32))
        self._door: MasterDoor | None = None
        self._repeaters: dict[int, LinkState] = {}
        self._admitted: dict[str, bool] = {}

    async def run(self) -> None:
        """Listen."""
        self._door = await MasterDoor.open(self._side, *self._of.listen, self._tell, self._admits)
        try:
            await asyncio.Event().wait()
        finally:
            self._door.close()
            self._door = None

    @property
    def port(self) -> int | None:
        """The port where it listens, when it does."""
        return self._door.port if self._door else None

    def _admits(self, host: str) -> bool:
        if not self._of.allowed:
            return True
        known = self._admitted.get(host)
        if known is None:
            at = ipaddress.ip_address(host.partition("%")[0])
            known = any(at in network for network in self._of.allowed)
            if len(self._admitted) >= _MOST_HOSTS:
                self._admitted.clear()
            self._admitted[host] = known
        return known

    def _tell(self, event: MasterEvent) -> None:
        match event:
            case master.Heard(packet):
                self._heard.burst((f"{self._of.name}/{packet.repeater}", packet.slot), packet)
            case master.Connected(repeater, (host, port), said):
                state = self._state(repeater, is_up=True)
                self._repeaters[repeater] = replace(
                    state, address=f"{host}:{port}", callsign=said.callsign, location=said.location
                )
                self._heard.changed(state.name, "connected")
            case master.Left(repeater, cause):
                state = replace(self._repeaters.get(repeater) or self._state(repeater, False))
                self._repeaters[repeater] = replace(state, is_up=False, why=cause.value)
                self._heard.changed(state.name, cause.value)
            case master.Flooding(repeater):
                self._heard.changed(f"{self._of.name}/{repeater}", "flooding")

    def _state(self, repeater: int, is_up: bool) -> LinkState:
        name = f"{self._of.name}/{repeater}"
        return LinkState(name, "repeater", self._of.radio_network, is_up)

    def mouth(self, where: Where, talk: Talk) -> Mouth | None:
        """On a slot of a repeater that is there."""
        repeater = _number(where)
        state = self._repeaters.get(repeater)
        if state is None or not state.is_up:
            return None
        colour_code = self._of.colour_code
        return DmrMouth(talk, where[1], colour_code, lambda packet: self._send(repeater, packet))

    def _send(self, repeater: int, packet: BurstPacket) -> None:
        if self._door is not None:
            self._door.send(packet, repeater)

    def send(self, where: Where, packet: BurstPacket) -> None:
        """A burst of data."""
        self._send(_number(where), replace(packet, slot=where[1]))

    def change(self, to: settings.Link) -> bool:
        """Other repeaters, secrets or talkgroups: who keeps his secret notices nothing."""
        if not isinstance(to, settings.Master) or to.listen != self._of.listen:
            return False
        if to.allowed != self._of.allowed:
            self._admitted.clear()
        before, self._of = _secrets(self._of), to
        after = _secrets(to)
        if before != after:
            if self._door is not None:
                self._door.change_secrets(after)
            else:
                self._side.change_secrets(after)
            self._repeaters = {n: s for n, s in self._repeaters.items() if n in after}
        return True

    def states(self) -> Iterator[LinkState]:
        """The master, and whoever may sign in."""
        up = self._door is not None
        yield LinkState(self._of.name, "master", self._of.radio_network, up)
        for number in sorted(self._of.repeaters):
            known = self._repeaters.get(number)
            yield known or replace(self._state(number, False), why="never seen")

    @property
    def dropped(self) -> Mapping[str, int]:
        """What was not taken, by code."""
        return self._side.dropped


def _secrets(of: settings.Master) -> dict[int, bytes]:
    return {number: repeater.secret for number, repeater in of.repeaters.items()}


def _number(where: Where) -> int:
    return int(where[0].rpartition("/")[2])


class PeerLink(Fixed):
    """We are a repeater at a master."""

    kind = "peer"

    def __init__(self, of: settings.Peer, heard: Heard) -> None:
        super().__init__(of)
        self._of = of
        self._heard = heard
        said = Configuration(
            callsign=of.callsign, location=of.location, colour_code=of.colour_code,
            slots="3", description="psn radio", software="psn radio",
        )  # fmt: skip
        self._side = Peer(of.number, of.secret, said, of.options)
        self._line = PeerLine(self._side, *of.master, self._tell)

    async def run(self) -> None:
        """Keep the line."""
        await self._line.run()

    def _tell(self, event: PeerEvent) -> None:
        match event:
            case peer.Heard(packet):
                self._heard.burst((self._of.name, packet.slot), packet)
            case peer.Connected():
                self._up = True
                self._heard.changed(self._of.name, "connected")
            case peer.Disconnected(cause, was_connected):
                self._up, self._why = False, cause.value
                if was_connected:
                    self._heard.changed(self._of.name, cause.value)

    def mouth(self, where: Where, talk: Talk) -> Mouth | None:
        """On a slot."""
        if not self._up:
            return None
        return DmrMouth(talk, where[1], self._of.colour_code, self._line.send)

    def send(self, where: Where, packet: BurstPacket) -> None:
        """A burst of data."""
        self._line.send(replace(packet, slot=where[1]))

    @property
    def dropped(self) -> Mapping[str, int]:
        """What was not taken, by code."""
        return self._side.dropped


class OpenBridgeLink(Fixed):
    """Another master beside us: its talkgroups are its channels."""

    kind = "openbridge"

    def __init__(self, of: settings.OpenBridge, heard: Heard) -> None:
        super().__init__(of)
        self._of = of
        self._heard = heard
        self._line: OpenBridgeLine | None = None
        self._why = "not open"

    async def run(self) -> None:
        """Listen."""
        of = self._of
        self._line = await OpenBridgeLine.open(
            *of.listen, of.target, of.number, of.passphrase, self._tell
        )
        self._up = True
        try:
            await asyncio.Event().wait()
        finally:
            self._up = False
            self._line.close()

    def _tell(self, packet: BurstPacket) -> None:
        self._heard.burst((self._of.name, packet.target), packet)

    def mouth(self, where: Where, talk: Talk) -> Mouth | None:
        """In a talkgroup."""
        return DmrMouth(talk, 1, 0, self._line.send) if self._line else None

    def send(self, where: Where, packet: BurstPacket) -> None:
        """A burst of data."""
        if self._line is not None:
            self._line.send(packet)

    @property
    def dropped(self) -> Mapping[str, int]:
        """What was not taken, by code."""
        return self._line.refused if self._line else {}
