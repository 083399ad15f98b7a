"""What a unit is doing: one status at a time, and which may follow which.

Theory of operation
-------------------
A unit that nobody has sent anywhere is ``available``, ``busy`` (on a task of its own; may be
sent), ``out_of_service`` or ``off_duty``, as it or its desk says. An order makes it ``ordered``;
from there on the crew says ``acknowledged``, ``en_route``, ``on_scene``, and ``clear`` ends it,
which is no status but leads back to ``available``. A crew forgets to press keys, so a later step
may be said without the earlier ones; an earlier one may not be said again.
"""

from __future__ import annotations

import enum
from typing import Final

from dispatch.domain.refusals import DispatchRefused, not_now


class Status(enum.StrEnum):
    """What a unit is doing."""

    OFF_DUTY = "off_duty"
    OUT_OF_SERVICE = "out_of_service"
    BUSY = "busy"
    AVAILABLE = "available"
    ORDERED = "ordered"
    ACKNOWLEDGED = "acknowledged"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"


CLEAR: Final = "clear"
"""What a crew says when it is done: the assignment ends, and the unit is available."""

FREE: Final = frozenset({Status.OFF_DUTY, Status.OUT_OF_SERVICE, Status.BUSY, Status.AVAILABLE})
"""Statuses without an assignment."""
STEPS: Final = (Status.ORDERED, Status.ACKNOWLEDGED, Status.EN_ROUTE, Status.ON_SCENE)
"""Statuses of an assignment, in their order."""
SENDABLE: Final = frozenset({Status.AVAILABLE, Status.BUSY})
"""Statuses in which a unit may be sent without more ado."""


def following(status: Status) -> tuple[str, ...]:
    """What may be said next by or for a unit that is in ``status``, in the order of a day."""
    if status in FREE:
        return tuple(each for each in Status if each in FREE and each is not status)
    later = STEPS[STEPS.index(status) + 1 :]
    return (*later, CLEAR)


def step(status: Status, said: str) -> Status:
    """The status after ``said``; raises :class:`DispatchRefused` when it cannot be said now."""
    if said in following(status):
        return Status.AVAILABLE if said == CLEAR else Status(said)
    raise not_possible(status, said)


def not_possible(status: Status, said: str) -> DispatchRefused:
    """The refusal of a status that cannot follow."""
    possible = ", ".join(_words(each) for each in following(status))
    return not_now(
        f"A unit that is {_words(status)} cannot become {_words(said)}.",
        f"Possible now: {possible}.",
    )


def _words(status: str) -> str:
    return status.replace("_", " ")
