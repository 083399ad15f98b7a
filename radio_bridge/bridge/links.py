"""The links of a bridge: each adapter's sockets, opened, changed and closed as settings say.

A link tells what it hears to a :class:`Heard`, and gives a mouth for each of its channels. One that
cannot be opened, because a port is taken or a name is unknown, is tried again by itself; no other
notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from radio_bridge.bridge import settings
from radio_bridge.bridge.exchange import Talk
from radio_bridge.bridge.mouths import DmrMouth, OpusMouth, SamplesMouth
from radio_bridge.bridge.speech import Mouth
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
from radio_bridge.inside import Opus, Samples
from radio_bridge.svxlink import events as svxlink
from radio_bridge.svxlink.node import Node
from radio_bridge.svxlink.sockets import NodeLine
from radio_bridge.usrp import line as usrp
from radio_bridge.usrp.sockets import LineDoor

log = logging.getLogger(__name__)

AGAIN_S: Final = 5.0
"""So long after it could not be opened a link is tried again."""
_MOST_HOSTS: Final = 1_000


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


class _Fixed:
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


class PeerLink(_Fixed):
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


class OpenBridgeLink(_Fixed):
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


class NodesLink(_Fixed):
    """Nodes at a reflector."""

    kind = "svxlink"

    def __init__(self, of: settings.Nodes, heard: Heard) -> None:
        super().__init__(of)
        self._of = of
        self._heard = heard
        self._sides: dict[str, Node] = {}
        self._lines: dict[str, NodeLine] = {}
        self._states: dict[str, LinkState] = {}
        for name, talkgroup in of.nodes.items():
            side = Node(name, of.password, None if of.conference else talkgroup)
            self._sides[name] = side
            self._lines[name] = NodeLine(side, *of.reflector, self._teller(name))
            self._states[name] = LinkState(
                f"{of.name}/{name}", "node", of.radio_network, False, "never seen"
            )

    async def run(self) -> None:
        """Keep all lines."""
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines.values():
                tasks.create_task(line.run())

    def _teller(self, name: str) -> Callable[[svxlink.Event], None]:
        where = f"{self._of.name}/{name}", self._of.nodes[name]

        def tell(event: svxlink.Event) -> None:
            match event:
                case svxlink.Spoke(opus):
                    self._heard.spoke(where, Opus(opus))
                case svxlink.Keyed(talker):
                    self._heard.keyed(where, self._of.radio, talker)
                case svxlink.Named(talker):
                    self._heard.named(where, talker)
                case svxlink.Unkeyed():
                    self._heard.unkeyed(where)
                case svxlink.Connected():
                    self._states[name] = replace(self._states[name], is_up=True, why="")
                    self._heard.changed(where[0], "connected")
                case svxlink.Disconnected(cause, was_connected, text):
                    why = f"{cause.value}: {text}" if text else cause.value
                    before = self._states[name]
                    self._states[name] = replace(before, is_up=False, why=why)
                    if was_connected or before.why != why:
                        self._heard.changed(where[0], why)
                case svxlink.Denied() | svxlink.Revoked():
                    self._heard.changed(where[0], type(event).__name__.lower())

        return tell

    def mouth(self, where: Where, talk: Talk) -> Mouth | None:
        """In the talkgroup of a node."""
        name = where[0].removeprefix(f"{self._of.name}/")
        line = self._lines[name]
        return OpusMouth(line.speak, line.end) if self._states[name].is_up else None

    def states(self) -> Iterator[LinkState]:
        """How each node is."""
        yield from self._states.values()

    @property
    def dropped(self) -> Mapping[str, int]:
        """What was not taken, by code."""
        found: dict[str, int] = {}
        for side in self._sides.values():
            for code, count in side.dropped.items():
                found[code] = found.get(code, 0) + count
        return found


class LineLink(_Fixed):
    """A line of USRP. Nobody can know whether the other side is there."""

    kind = "usrp"

    def __init__(self, of: settings.Line, heard: Heard) -> None:
        super().__init__(of)
        self._of = of
        self._heard = heard
        self._side = usrp.Line(of.talkgroup)
        self._door: LineDoor | None = None
        self._where = of.name, of.talkgroup
        self._why = "not open"

    async def run(self) -> None:
        """Listen."""
        of = self._of
        self._door = await LineDoor.open(self._side, *of.listen, of.target, self._tell)
        self._up = True
        try:
            await asyncio.Event().wait()
        finally:
            self._up = False
            self._door.close()

    def _tell(self, event: usrp.Event) -> None:
        match event:
            case usrp.Spoke(samples):
                self._heard.spoke(self._where, Samples(samples))
            case usrp.Keyed(_, radio, name):
                self._heard.keyed(self._where, radio or self._of.radio, name)
            case usrp.Named(_, name):
                self._heard.named(self._where, name)
            case usrp.Unkeyed():
                self._heard.unkeyed(self._where)

    def mouth(self, where: Where, talk: Talk) -> Mouth | None:
        """On the line."""
        return SamplesMouth(self._door.speak, self._door.end) if self._door else None

    @property
    def port(self) -> int | None:
        """The port where it listens, when it does."""
        return self._door.port if self._door else None

    @property
    def dropped(self) -> Mapping[str, int]:
        """What was not taken, by code."""
        return self._side.dropped


def made(of: settings.Link, heard: Heard) -> Link:
    """The link of these settings, not open yet."""
    match of:
        case settings.Master():
            return MasterLink(of, heard)
        case settings.Peer():
            return PeerLink(of, heard)
        case settings.OpenBridge():
            return OpenBridgeLink(of, heard)
        case settings.Nodes():
            return NodesLink(of, heard)
        case settings.Line():
            return LineLink(of, heard)


class Links:
    """All links; use :meth:`apply` and :meth:`close` from one task."""

    def __init__(self, heard: Heard) -> None:
        self.all: dict[str, Link] = {}
        self._of: dict[str, settings.Link] = {}
        self._heard = heard
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._problems: dict[str, str] = {}

    async def apply(self, wanted: Mapping[str, settings.Link]) -> list[str]:
        """Open, change and close, so that there are these; the names of those that are new."""
        gone = [name for name in self.all if name not in wanted]
        for name in set(self.all) - set(gone):
            if wanted[name] != self._of[name]:
                if self.all[name].change(wanted[name]):
                    self._of[name] = wanted[name]
                else:
                    gone.append(name)
        await asyncio.gather(*(self._close(name) for name in gone))
        new = [name for name in wanted if name not in self.all]
        for name in new:
            self._of[name] = wanted[name]
            link = self.all[name] = made(wanted[name], self._heard)
            self._tasks[name] = asyncio.create_task(self._keep(name, link), name=f"link {name}")
        return new

    async def _keep(self, name: str, link: Link) -> None:
        while True:
            try:
                await link.run()
            except OSError as error:
                why = f"cannot be opened: {error.strerror or error}"
                if self._problems.get(name) != why:
                    self._problems[name] = why
                    self._heard.changed(name, why)
            except ExceptionGroup:
                log.exception("link %s failed", name)
            await asyncio.sleep(AGAIN_S)

    async def _close(self, name: str) -> None:
        task = self._tasks.pop(name)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        del self.all[name], self._of[name]
        self._problems.pop(name, None)

    async def close(self) -> None:
        """All say farewell and close."""
        await asyncio.gather(*(self._close(name) for name in list(self.all)))

    def of(self, where: Where) -> Link | None:
        """The link that a channel belongs to."""
        return self.all.get(where[0].partition("/")[0])

    def states(self) -> list[LinkState]:
        """How all are."""
        found: list[LinkState] = []
        for name, link in self.all.items():
            for state in link.states():
                problem = self._problems.get(name)
                if problem and not state.is_up and state.name == name:
                    state = replace(state, why=problem)
                found.append(state)
        return found

    def dropped(self) -> dict[str, dict[str, int]]:
        """What was not taken, by link and code."""
        return {name: dict(link.dropped) for name, link in self.all.items() if link.dropped}
