"""What is done in voice groups that the audit is told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from psn.access import Principal
from psn.sessions import Session
from psn.voice import floor as floors
from psn.voice.floor import Cause
from psn.voice.group import Group, Party
from psn.wire import VoiceGroup


class Deed(NamedTuple):
    """What the audit is told: ``voice.monitored``, ``interrupted``, ``patched``, ``unpatched``; of
    a radio that began a call or took one ``radio.called``.
    """

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


def interrupted(
    there: Group, by: Party, before: str | None, told: Sequence[floors.Told]
) -> Principal | None:
    """Whom a wish to talk has taken the floor from; none: from nobody.

    ``before``: who had it. A radio that is keyed is not revoked: it waits from then on.
    """
    for each in told:
        revoked = isinstance(each, floors.Revoked) and each.cause is Cause.PREEMPTED
        waits = isinstance(each, floors.Queued) and each.member == before
        if (revoked or waits) and isinstance(each, floors.Revoked | floors.Queued):
            found = there.net.find(each.member)
            # Who is in both of two patched groups may take it from himself.
            return None if found is None or _same(found[1], by) else found[1].speaker
    return None


def _same(one: Party, other: Party) -> bool:
    return one.session is other.session and one.radio == other.radio
