"""What a server does beside the traffic: it hands security events on, watches guards, and prunes.

Each chore waits for its own work alone and survives its own faults, so that none slows or ends
anything else.
"""

from __future__ import annotations

import asyncio

from psn.core import Core
from psn.csirt import syslog_outlet
from psn.csirt.guards import Guards
from psn.csirt.outlets import Outlet
from psn.csirt.syslog_outlet import SyslogReceiver
from psn.csirt.webhooks import Webhooks
from psn.keeping import retention
from psn.keeping.pruning import Pruner
from psn.keys import Keys
from psn.settings import Settings

SYSLOG = "syslog"
"""The name of the outlet that the settings name."""


class Chores:
    """The chores of one server."""

    def __init__(self, core: Core, settings: Settings, keys: Keys) -> None:
        """Raises :class:`psn.problems.Problem` for certificates that cannot be used."""
        self._webhooks = Webhooks(core.pool, keys)
        self._guards = Guards(core.pool, core.auditor)
        self._pruner = Pruner(settings.database, keys, retention.defaults(settings))
        self._syslog: Outlet | None = None
        where = syslog_outlet.target(settings)
        if where is not None:
            receiver = SyslogReceiver(where, syslog_outlet.sender(settings))
            self._syslog = Outlet(core.pool, SYSLOG, receiver)
        core.outlets = self._outlets

    def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Begin all of them."""
        tasks = [
            group.create_task(self._webhooks.run(), name="webhooks"),
            group.create_task(self._guards.run(), name="guards"),
            group.create_task(self._pruner.run(), name="pruning"),
        ]
        if self._syslog is not None:
            tasks.append(group.create_task(self._syslog.run(), name=SYSLOG))
        return tasks

    def _outlets(self) -> list[Outlet]:
        own = [] if self._syslog is None else [self._syslog]
        return [*own, *self._webhooks.outlets]
