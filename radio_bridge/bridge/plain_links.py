"""Links without DMR: nodes at an SvxLink reflector, and lines of USRP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from radio_bridge.bridge import settings
from radio_bridge.bridge.link import Fixed, Heard, LinkState
from radio_bridge.bridge.mouths import OpusMouth, SamplesMouth
from radio_bridge.bridge.speech import Mouth
from radio_bridge.bridge.talks import Talk
from radio_bridge.calls.conversations import Where
from radio_bridge.inside import Opus, Samples
from radio_bridge.svxlink import events as svxlink
from radio_bridge.svxlink.node import Node
from radio_bridge.svxlink.sockets import NodeLine
from radio_bridge.usrp import line as usrp
from radio_bridge.usrp.sockets import LineDoor


class NodesLink(Fixed):
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


class LineLink(Fixed):
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
