"""The links of a bridge: each adapter's sockets, opened, changed and closed as settings say.

A link tells what it hears to a :class:`Heard`, and gives a mouth for each of its channels. One that
cannot be opened, because a port is taken or a name is unknown, is tried again by itself; no other
notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from radio_bridge.bridge import settings
from radio_bridge.bridge.dmr_links import MasterLink, OpenBridgeLink, PeerLink
from radio_bridge.bridge.link import Heard, Link, LinkState
from radio_bridge.bridge.plain_links import LineLink, NodesLink
from radio_bridge.calls.conversations import Where

log = logging.getLogger(__name__)

AGAIN_S: Final = 5.0
"""So long after it could not be opened a link is tried again."""


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
                self._say(name, f"cannot be opened: {error.strerror or error}")
            except Exception as error:
                # A fault, or a name that none can be: the next try, or the next settings, mend it.
                log.exception("link %s failed", name)
                self._say(name, f"failed: {error}")
            await asyncio.sleep(AGAIN_S)

    def _say(self, name: str, why: str) -> None:
        if self._problems.get(name) != why:
            self._problems[name] = why
            self._heard.changed(name, why)

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
