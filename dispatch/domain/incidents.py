"""An incident: what may be done to it, and what its log says.

Its phase follows from its assignments, so it never contradicts them; open or closed is the one
state of its own. Transitions: *open → closed → open*.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

from dispatch.domain.refusals import not_now
from dispatch.domain.statuses import Status

OUTCOMES: Final = ("done", "nothing_found", "handed_on", "false_alarm", "duplicate", "cancelled")
"""What an incident ends with."""
FIELDS: Final = ("title", "type", "priority", "place", "details")
"""What may be changed of an incident, each with what it was when the change was thought of."""


class Phase(enum.StrEnum):
    """How far an incident is, from the units that are assigned to it."""

    WAITING = "waiting"
    """Nobody is sent."""
    ORDERED = "ordered"
    """Units have their order."""
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CLOSED = "closed"


def phase(closed: bool, statuses: Iterable[Status]) -> Phase:
    """The phase of an incident: that of the unit which is furthest."""
    if closed:
        return Phase.CLOSED
    there = set(statuses)
    if Status.ON_SCENE in there:
        return Phase.ON_SCENE
    if Status.EN_ROUTE in there:
        return Phase.EN_ROUTE
    return Phase.ORDERED if there else Phase.WAITING


def need_open(closed: bool) -> None:
    """Raise :class:`DispatchRefused` for an incident that is closed."""
    if closed:
        raise not_now("This incident is closed.", "Reopen it first, if it goes on.")


def close(closed: bool, assigned: int) -> None:
    """Whether an incident may be closed, with so many units still assigned.

    Raises :class:`DispatchRefused`.
    """
    need_open(closed)
    if assigned:
        units = "A unit is" if assigned == 1 else f"{assigned} units are"
        raise not_now(f"{units} still assigned.", "Clear or recall them, and then close it.")


def reopen(closed: bool) -> None:
    """Whether an incident may be reopened; raises :class:`DispatchRefused`."""
    if not closed:
        raise not_now("This incident is open.", "Go on with it.")
