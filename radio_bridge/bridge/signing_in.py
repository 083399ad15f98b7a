"""The bridge signed in at this network for as long as it runs, however often that ends."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import Final

from psn.problems import Problem
from radio_bridge.bridge import settings
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.network import OurNetwork

log = logging.getLogger(__name__)

AGAIN_S: Final = 10.0
"""So long after it was refused, or ended by a fault, it is tried anew."""


class SigningIn:
    """One :class:`OurNetwork` after another; :meth:`run` until cancelled.

    A key that is not there yet, a gateway that was revoked and is enrolled again, a fault of ours:
    none of it needs somebody who starts the bridge again. Why it is out is said once.
    """

    def __init__(
        self, bridge: Bridge, of: settings.OurNetwork, last: OurNetwork | None = None
    ) -> None:
        """``last``: who was signed in before, and may have something to tell still."""
        self.last = last
        self._bridge = bridge
        self._of = of
        self._problem = ""
        self.side: OurNetwork | None = None

    async def run(self) -> None:
        """Sign in, and again when that has ended."""
        while True:
            try:
                side = OurNetwork(self._bridge, self._of, self._problem, self.last)
                self.side = self.last = side
                await side.run()
                self._problem = side.problem
            except (Problem, sqlite3.Error, OSError) as error:
                self._say(f"not joined: {error}")
            except Exception as error:
                log.exception("the network is joined no more")
                self._say(f"joined no more: {type(error).__name__}")
            finally:
                self.side = None
            await asyncio.sleep(AGAIN_S)

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            log.warning("the network is %s", problem)
            self._bridge.changed("network", problem)

    def look_again(self) -> None:
        """Links may carry other talkgroups now."""
        if self.side is not None:
            self.side.look_again()
