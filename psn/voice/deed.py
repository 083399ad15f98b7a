"""What is done in voice groups that the audit is told of."""

from __future__ import annotations

from typing import NamedTuple

from psn.access import Principal
from psn.sessions import Session
from psn.wire import VoiceGroup


class Deed(NamedTuple):
    """What the audit is told: ``voice.monitored``, ``interrupted``, ``patched``, ``unpatched``."""

    by: Session | None
    """None: it came about by itself."""
    action: str
    group: VoiceGroup
    whom: Principal | None = None
    """Whom it was done to."""
    other: VoiceGroup | None = None
    """Which group besides it was done to."""
    agency: int | None = None
    """Whose auditors read of it; none: those of who did it."""
